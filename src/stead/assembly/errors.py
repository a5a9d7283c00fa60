"""What can go wrong while Stead is put together."""

from stead.core.errors import Invalid


class SettingsInvalid(Invalid):
    """A setting is not valid."""

    code = "settings_invalid"


class DevelopmentOnly(Invalid):
    """This exists for development only."""

    code = "development_only"
