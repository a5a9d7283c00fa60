"""The command line: ``stead …``.

Owns no table. What always holds: an error says what, where and how to mend it, and exits with 1; output for
a program (a pipe, ``--json``) has no colour and no decoration.
"""

from stead.cli.main import main

__all__ = ["main"]
