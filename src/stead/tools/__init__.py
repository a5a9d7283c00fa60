"""Tools: the catalogue of what agents may do, and who carries it out.

Owns ``tool_catalog`` and ``catalog_audit`` and, privately, when listings are read again. What always holds: a call
ends as succeeded, retryable, permanent or unknown, and what may have had its effect is called retryable only where
the tool says that it may be repeated; no secret is in the catalogue or comes back from a call; a tool that changed
under us so that it breaks, or that speaks to the model, is not used until somebody has looked; no address inside
the network is called that no setting names.
"""

from stead.tools import catalog, drifts, refreshing
from stead.tools.digests import digest_of, with_digest
from stead.tools.drifts import DriftPage
from stead.tools.errors import (
    AddressRefused,
    AddressUnknown,
    DriftUnknown,
    ToolDrifted,
    ToolInCode,
    ToolInvalid,
    ToolProviderUnknown,
    ToolRefused,
    ToolRetry,
    ToolSchemaInvalid,
    ToolUnknown,
)
from stead.tools.functions import ActionContext, LocalTool
from stead.tools.guard import Guard, GuardedTransport, guarded_client
from stead.tools.http import HttpTools
from stead.tools.local import LocalTools
from stead.tools.models import (
    RISKS,
    CatalogEntry,
    Change,
    Drift,
    OutcomeKind,
    Provider,
    Risk,
    Severity,
    ToolCall,
    ToolOutcome,
    ToolSource,
    ToolSpec,
    ToolStatus,
)
from stead.tools.refreshing import CatalogueSources, RefreshRate, warm_scan
from stead.tools.registry import ToolRegistry
from stead.tools.schemas import check_arguments, check_schema
from stead.tools.secrets import ConfiguredSecrets, SecretSource, ToolSecret
from stead.tools.syncing import SyncReport, sync
from stead.tools.toolbox import Toolbox

__all__ = [
    "RISKS",
    "ActionContext",
    "AddressRefused",
    "AddressUnknown",
    "CatalogEntry",
    "CatalogueSources",
    "Change",
    "ConfiguredSecrets",
    "Drift",
    "DriftPage",
    "DriftUnknown",
    "Guard",
    "GuardedTransport",
    "HttpTools",
    "LocalTool",
    "LocalTools",
    "OutcomeKind",
    "Provider",
    "RefreshRate",
    "Risk",
    "SecretSource",
    "Severity",
    "SyncReport",
    "ToolCall",
    "ToolDrifted",
    "ToolInCode",
    "ToolInvalid",
    "ToolOutcome",
    "ToolProviderUnknown",
    "ToolRefused",
    "ToolRegistry",
    "ToolRetry",
    "ToolSchemaInvalid",
    "ToolSecret",
    "ToolSource",
    "ToolSpec",
    "ToolStatus",
    "ToolUnknown",
    "Toolbox",
    "catalog",
    "check_arguments",
    "check_schema",
    "digest_of",
    "drifts",
    "guarded_client",
    "refreshing",
    "sync",
    "warm_scan",
    "with_digest",
]
