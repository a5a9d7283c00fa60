"""What can go wrong between Stead and its database."""

from __future__ import annotations

from urllib.parse import urlsplit

from stead.core.errors import Conflict, Forbidden, Invalid, Unavailable


def _where(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or 'the local socket'}{f':{parts.port}' if parts.port else ''}{parts.path}"


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    code = "database_unavailable"

    @classmethod
    def from_connect(cls, url: str, error: BaseException) -> DatabaseUnavailable:
        """For a pool that could not be opened. The password never shows."""
        if "stead_api" in str(error) and "does not exist" in str(error):
            return cls(
                f"{_where(url)} has no Stead schema yet", hint="Run `stead up`, or `stead db migrate`."
            )
        return cls(
            f"cannot connect to {_where(url)}: {str(error).strip() or type(error).__name__}",
            hint="Check STEAD_DATABASE_URL, or leave it unset to use the embedded server; `stead doctor` "
            "says more.",
        )

    @classmethod
    def from_acquire(cls, error: BaseException | None) -> DatabaseUnavailable:
        """For a transaction that got no connection."""
        reason = (
            "all connections are busy" if isinstance(error, TimeoutError) else "the connection was lost"
        )
        return cls(reason, hint="Try again in a moment.")


class EmbeddedServerFailed(Unavailable):
    """The embedded PostgreSQL server could not be started."""

    code = "embedded_server_failed"


class EmbeddedServerBusy(Conflict):
    """The embedded PostgreSQL server is in use."""

    code = "embedded_server_busy"


class EmbeddedDataVersion(Conflict):
    """The embedded server's data was written by another version of PostgreSQL."""

    code = "embedded_data_version"


class EmbeddedServerForbidden(Forbidden):
    """The embedded PostgreSQL server's files belong to another user."""

    code = "embedded_server_forbidden"


class MigrationFailed(Conflict):
    """A migration could not be applied."""

    code = "migration_failed"


class MigrationDrift(Conflict):
    """An applied migration differs from the file of that version."""

    code = "migration_drift"


class NameTaken(Conflict):
    """A name that Stead needs is taken by someone else's object."""

    code = "name_taken"


class MigrationsPending(Unavailable):
    """The database schema is older than this version of Stead."""

    code = "migrations_pending"


class MigrationLocked(Unavailable):
    """Another process is migrating this database."""

    code = "migration_locked"


class RoleTooPowerful(Invalid):
    """The database login of the server can bypass row-level security."""

    code = "database_role_too_powerful"


class TextNotStorable(Invalid):
    """The text holds a character that PostgreSQL cannot store."""

    code = "text_not_storable"
