"""``python -m stead.outbox`` is ``stead outbox`` (001's worker contract)."""

import sys

from stead.cli import main

sys.argv.insert(1, "outbox")
main()
