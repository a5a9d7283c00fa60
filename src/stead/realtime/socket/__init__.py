"""Supabase Realtime's socket: what `@supabase/supabase-js` speaks, whatever carries the frames.

What always holds: a channel hears and follows with the rights of the token that it was joined with, and no longer
than that is good; a socket holds at most so many channels, takes at most so many messages, and keeps at most so
much for a client that does not read.
"""

from stead.realtime.socket.limits import SocketLimits
from stead.realtime.socket.socket import Admit, Socket

__all__ = ["Admit", "Socket", "SocketLimits"]
