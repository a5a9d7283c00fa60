"""Workers of Celery that run Stead's jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from stead.assembly.database import reach, require_migrated
from stead.assembly.logs import configure_logging
from stead.assembly.settings import load_settings
from stead.assembly.stead import Stead
from stead.assembly.target import load_target
from stead.assembly.wiring import broker_config
from stead.core.errors import SteadError
from stead.jobs import Worker
from stead.jobs.broker import CeleryWorkers, celery_application
from stead.jobs.errors import BrokerNotConfigured


def celery_workers() -> Any:
    """The application of Celery for the settings of the environment; ``STEAD_APP`` says whose handlers.

    Raises:
        SettingsInvalid: A setting does not fit.
        TargetInvalid: ``STEAD_APP`` names no application.
        BrokerNotConfigured: Celery is not installed, or its broker's URL is none.
    """
    target = load_settings().app
    stead = load_target(target) if target else Stead()
    # What jobs spawn here goes the same way.
    settings = stead.with_settings(dispatch="celery").settings
    config = broker_config(settings)
    if config is None:
        raise BrokerNotConfigured("no broker is set", hint="STEAD_BROKER_URL")

    @asynccontextmanager
    async def open_worker() -> AsyncGenerator[Worker]:
        async with stead.open(await reach(settings), "worker", delivers=False) as parts:
            yield parts.worker

    def check() -> None:
        try:
            asyncio.run(_check(stead))
        except SteadError as error:
            raise SystemExit(f"{error.code}: {error.detail}. {error.hint}") from None

    app = celery_application(config, settings.job_queues or stead.jobs.queues, sender=False)
    CeleryWorkers(app, open_worker, check, lambda: configure_logging(settings))
    return app


async def _check(stead: Stead) -> None:
    await require_migrated(await reach(stead.settings))
