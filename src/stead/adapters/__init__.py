"""Stead's memory in the shapes that other libraries expect (mem0's client, LangGraph's store, the OpenAI Agents
SDK's session), as tools of the Model Context Protocol, and `MemorySpace`, its own.

Owns no table. What always holds: an adapter is a principal's and sees what row-level security shows that
principal; each call is one transaction; models are called outside it. Importing this imports none of the other
libraries: their adapters stand in modules of their own.
"""

from stead.adapters.errors import AdapterArgumentInvalid, AdapterClosed
from stead.adapters.space import MemorySpace, open_space

__all__ = ["AdapterArgumentInvalid", "AdapterClosed", "MemorySpace", "open_space"]
