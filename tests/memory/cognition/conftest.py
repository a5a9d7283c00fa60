"""A person's own goals and beliefs."""

from __future__ import annotations

import pytest

from stead.memory.cognition import Holder
from tests.support.people import Person


@pytest.fixture
def hers(person: Person) -> Holder:
    """What is the person's."""
    return Holder(profile_id=person.id, agent_name="concierge")
