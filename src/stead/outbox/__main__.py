"""``python -m stead.outbox`` is ``stead outbox`` (001's worker contract)."""

import sys

from stead.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "outbox")
    main()
