"""Live updates: one hub per process that wakes whoever waits for a topic.

Owns no table. What always holds: a wake-up is a hint. Whoever waits looks at the database itself, and
looks again on its own after a while, because a notification can be lost.
"""

from stead.realtime.fanout import Fanout, Sequenced
from stead.realtime.hub import Hub, Subscription
from stead.realtime.notify import notify

__all__ = ["Fanout", "Hub", "Sequenced", "Subscription", "notify"]
