"""Items: values under a namespace and a key, which programs keep beside memories (LangGraph's store).

Owns ``store_items``. What always holds: an item is a person's, a session's or the tenant's as a whole, and the
database enforces it; a key holds one value; what is over is found no more, and swept later; what is searched by
words and meaning comes and goes with the item.
"""

from stead.memory.items.errors import ItemInvalid
from stead.memory.items.items import (
    delete,
    get,
    move_session,
    namespaces,
    owner_of,
    put,
    refresh,
    search,
    sweep,
)
from stead.memory.items.models import Condition, Item, Namespace, NewItem, Operator, Owner, Pattern
from stead.memory.items.validity import MAX_TEXT_CHARS

__all__ = [
    "MAX_TEXT_CHARS",
    "Condition",
    "Item",
    "ItemInvalid",
    "Namespace",
    "NewItem",
    "Operator",
    "Owner",
    "Pattern",
    "delete",
    "get",
    "move_session",
    "namespaces",
    "owner_of",
    "put",
    "refresh",
    "search",
    "sweep",
]
