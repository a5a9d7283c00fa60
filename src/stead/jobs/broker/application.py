"""The application of Celery: what senders and workers agree on."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

from stead.jobs.broker.config import BrokerConfig
from stead.jobs.errors import BrokerNotConfigured

#: The one task. Its argument is a job's id.
TASK: Final = "stead.run_job"
_PREFIX: Final = "stead."
#: Of Redis alone: after so long a message that was taken and not acknowledged is delivered again. For a job that
#: runs longer that is one delivery more, which finds that it is held.
_VISIBILITY_S: Final = 3_600


def queue_name(queue: str) -> str:
    """The broker's queue for one of Stead's: ``default`` is ``stead.default``."""
    return _PREFIX + queue


def library(name: str) -> Any:
    """Celery or a module of it, which is installed with an extra and has no types.

    Raises:
        BrokerNotConfigured: It is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise BrokerNotConfigured(
            "STEAD_DISPATCH=celery needs an extra", hint="pip install 'stead[celery]'"
        ) from None


def celery_application(config: BrokerConfig, queues: Iterable[str], *, sender: bool) -> Any:
    """An application of Celery.

    Args:
        config: The broker.
        queues: Of Stead: what a worker works when it is not told which.
        sender: Whether it only sends: then it gives up soon, where a worker tries on.

    Raises:
        BrokerNotConfigured: Celery is not installed.
    """
    celery, kombu = library("celery"), library("kombu")
    names = [queue_name(queue) for queue in queues]
    app: Any = celery.Celery("stead", broker=config.url, set_as_current=not sender)
    app.conf.update(
        task_queues=[kombu.Queue(name, kombu.Exchange(name), routing_key=name) for name in names],
        task_default_queue=queue_name("default"),
        task_ignore_result=True,
        accept_content=["json"],
        # A message counts as done when the job has ended, and a worker takes no more of them than it runs.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options=_options(config, sender=sender),
    )
    if sender:
        app.conf.update(broker_connection_timeout=config.answer_s)
    return app


def _options(config: BrokerConfig, *, sender: bool) -> dict[str, Any]:
    limit = config.answer_s
    # Without a number of tries Celery's library tries for ever to connect.
    patience: dict[str, Any] = {"max_retries": 0} if sender else {}
    if config.is_redis:
        patience |= {"visibility_timeout": _VISIBILITY_S}
        if sender:
            patience |= {"socket_timeout": limit, "socket_connect_timeout": limit}
    elif sender:
        # RabbitMQ says of each message that it has it.
        patience |= {"confirm_publish": True, "read_timeout": limit, "write_timeout": limit}
    return patience
