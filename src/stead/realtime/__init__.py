"""Live updates: what changes is told to whoever may see it, while it listens.

Owns, privately, the feed of changes, the leases of those who listen, broadcasts and presences. What always holds:
a wake-up is a hint, and whoever waits looks at the database itself, and again on its own after a while; who
may see a row is the database's answer, given to the subscriber's own role and claims; nothing piles up for a
client that does not take it.
"""

from stead.realtime.channels import broadcast
from stead.realtime.fanout import Fanout, Sequenced
from stead.realtime.feed import Feed
from stead.realtime.hub import Hub, Subscription
from stead.realtime.keys import Hold, KeyWatch, tell_revoked
from stead.realtime.live import LiveUpdates, forget, sweep
from stead.realtime.models import Wanted
from stead.realtime.notify import notify
from stead.realtime.snapshots import Position
from stead.realtime.stream import ChangeStream

__all__ = [
    "ChangeStream",
    "Fanout",
    "Feed",
    "Hold",
    "Hub",
    "KeyWatch",
    "LiveUpdates",
    "Position",
    "Sequenced",
    "Subscription",
    "Wanted",
    "broadcast",
    "forget",
    "notify",
    "sweep",
    "tell_revoked",
]
