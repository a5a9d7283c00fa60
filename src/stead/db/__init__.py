"""The database: pool, transactions, migrations, the embedded server.

Owns no table. What always holds: a transaction runs as one of three roles that own nothing and bypass
nothing; role and claims end with it; SQL is a literal; one transaction is open in a context at a time.
"""

from stead.db.actor import NOBODY, Actor, Role, StaticActor
from stead.db.context import assert_no_transaction, in_transaction
from stead.db.pool import CONNECTION_LOST, Database, PoolConfig
from stead.db.transaction import Row, Transaction

__all__ = [
    "CONNECTION_LOST",
    "NOBODY",
    "Actor",
    "Database",
    "PoolConfig",
    "Role",
    "Row",
    "StaticActor",
    "Transaction",
    "assert_no_transaction",
    "in_transaction",
]
