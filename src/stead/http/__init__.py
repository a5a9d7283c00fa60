"""The HTTP edge: a FastAPI app over the parts, with RFC 9457 answers.

Owns no table. What always holds: a request is one transaction, opened for who it is; reads are read-only;
a stream holds no transaction; every failure is a problem document with a stable code.
"""

from stead.http.app import create_app
from stead.http.config import HttpConfig
from stead.http.parts import Parts

__all__ = ["HttpConfig", "Parts", "create_app"]
