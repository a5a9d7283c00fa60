"""Mentor (document 003): an organisation whose agents are files, talked to and asked to write about answers.

Owns no table: sessions, chat, generation and memory are those of the parts below. What always holds: applying a
folder twice changes nothing; a version is added where a file says something else than the latest one.
"""

from stead.apps.mentor.files import (
    AgentFile,
    Organisation,
    OrganisationFile,
    read_organisation,
    shipped,
)
from stead.apps.mentor.seeding import Applied, apply

__all__ = [
    "AgentFile",
    "Applied",
    "Organisation",
    "OrganisationFile",
    "apply",
    "read_organisation",
    "shipped",
]
