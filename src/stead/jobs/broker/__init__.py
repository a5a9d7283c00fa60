"""Delivery of jobs by Celery, on Redis or RabbitMQ, where a fleet of its workers runs already.

Messages carry a job's id and nothing else. What always holds: the row in `agent_jobs` is the truth; a message that
is lost is sent again, one that comes twice runs the job once.
"""

from stead.jobs.broker.application import celery_application, queue_name
from stead.jobs.broker.config import BrokerConfig
from stead.jobs.broker.delivery import CeleryDelivery
from stead.jobs.broker.dispatching import Dispatcher
from stead.jobs.broker.running import OpenWorker
from stead.jobs.broker.workers import CeleryWorkers

__all__ = [
    "BrokerConfig",
    "CeleryDelivery",
    "CeleryWorkers",
    "Dispatcher",
    "OpenWorker",
    "celery_application",
    "queue_name",
]
