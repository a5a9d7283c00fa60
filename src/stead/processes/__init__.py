"""Processes: one row for each server and worker that says that it lives.

Owns ``stead.processes``. What always holds: a process whose row is silent is taken for dead by the others, and
what it held is rescued; it finds that out by the fence of whatever it writes next.
"""

from stead.processes.batching import BatchWriter
from stead.processes.heartbeat import Heartbeat, ProcessKind
from stead.processes.room import Room

__all__ = ["BatchWriter", "Heartbeat", "ProcessKind", "Room"]
