"""What can go wrong with an organisation's files."""

from stead.core.errors import Invalid


class OrganisationInvalid(Invalid):
    """The organisation's files cannot be read."""

    code = "organisation_invalid"
