"""The agents' work by rule, for development without a model.

Each rule makes its document from the input alone, the same from the same, and says in its free text
that no model was asked.
"""

from typing import Final

LABEL: Final = "[offline model]"
