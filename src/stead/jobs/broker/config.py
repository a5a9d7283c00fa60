"""Where the broker is, and how patient one is with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from stead.jobs.errors import BrokerNotConfigured

_SCHEMES: Final = ("redis", "rediss", "amqp", "amqps")


@dataclass(frozen=True, kw_only=True)
class BrokerConfig:
    """How jobs are delivered through a broker.

    Args:
        url: ``redis://``, ``rediss://`` (Redis, with TLS), ``amqp://`` or ``amqps://`` (RabbitMQ).
        answer_s: How long a request waits for the broker, and how long opening a connection may take.
        batch_s: How long sending one batch may take.
        poll_s: How often it is looked, without having been told, for jobs to be sent.
        check_s: How often it is looked for jobs that were sent and that nobody came for.
        lost_s: How long after it was sent a job counts as lost, where the broker holds no message any more.
        least_s: After how long a job is sent again at the soonest, where the broker does hold messages; each time
            after as long again as it has waited.
        most_s: And at the latest.

    Raises:
        BrokerNotConfigured: The URL is none of a broker.
    """

    url: str = field(repr=False)
    answer_s: float = 1.0
    batch_s: float = 10.0
    poll_s: float = 1.0
    check_s: float = 5.0
    lost_s: float = 10.0
    least_s: float = 60.0
    most_s: float = 3_600.0

    def __post_init__(self) -> None:
        hint = "redis://127.0.0.1:6379/0 or amqp://user:password@127.0.0.1:5672//"
        try:
            parts = urlsplit(self.url)
            good = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
        except ValueError:
            raise BrokerNotConfigured("the broker's URL has no valid host and port", hint=hint) from None
        if not good:
            what = f"{parts.scheme}://" if parts.scheme else "the broker's URL"
            raise BrokerNotConfigured(f"{what} is no broker that Stead delivers through", hint=hint)
        database = parts.path.strip("/")
        if self.is_redis and database and not database.isdecimal():
            raise BrokerNotConfigured("after Redis' address comes the number of a database", hint=hint)

    @property
    def is_redis(self) -> bool:
        """Whether it is Redis, else RabbitMQ."""
        return self.url.startswith("redis")

    @property
    def address(self) -> str:
        """Scheme, host and port: what can be shown to anybody."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}"
