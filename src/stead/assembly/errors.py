"""What can go wrong while Stead is put together."""

from stead.core.errors import Conflict, Invalid


class SettingsInvalid(Invalid):
    """A setting is not valid."""

    code = "settings_invalid"


class TargetInvalid(Invalid):
    """The application to run cannot be found."""

    code = "target_invalid"


class DevelopmentOnly(Invalid):
    """This exists for development only."""

    code = "development_only"


class CannotCleanUp(Conflict):
    """What would be written to this database could not be deleted again."""

    code = "cannot_clean_up"
