"""Finding somebody's application by name."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from stead.assembly.errors import TargetInvalid
from stead.assembly.stead import Stead


def load_target(target: str) -> Stead:
    """Imports an application.

    Args:
        target: ``module:variable``; the variable is ``app`` when it is not named.

    Raises:
        TargetInvalid: There is none.
    """
    module_name, _, variable = target.partition(":")
    sys.path.insert(0, "")
    try:
        found: Any = getattr(importlib.import_module(module_name), variable or "app")
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name.partition(".")[0]):
            raise
        raise TargetInvalid(f"there is no module {module_name!r} here", hint="module:variable") from None
    except AttributeError:
        raise TargetInvalid(
            f"{module_name} has no {variable or 'app'!r}", hint="module:variable, as in shop:app"
        ) from None
    if not isinstance(found, Stead):
        raise TargetInvalid(f"{target} is no Stead application", hint="app = Stead()")
    return found
