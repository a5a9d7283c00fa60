"""Pages from templates, with the headers that keep them where they belong."""

from __future__ import annotations

from typing import Any, Final, cast

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from stead.console import showing
from stead.console.assets import ASSETS
from stead.console.sessions import ConsoleSession
from stead.http.dependencies import config_of

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    # With no-referrer a browser would say `Origin: null` when it posts a form.
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
#: What a page says after something was done, by the word in its address.
DONE: Final = {
    "voted": "Your vote counts.",
    "edited": "Changed. It was judged anew, and this is what is asked for now.",
    "changed": "Changed. It was judged anew and does not wait for an approval.",
    "resolved": "Recorded.",
    "redriven": "Taken out of the dead letters, and judged anew.",
    "drained": "The oldest dead letters were judged anew. Those whose tool cannot be used stayed.",
    "stopped": "The kill switch is on: nothing runs.",
    "released": "The kill switch is off.",
    "signed-out": "You are signed out.",
}

_FILTERS: Final[dict[str, Any]] = {
    "shown": showing.shown,
    "shown_json": showing.shown_json,
    "shown_start": showing.shown_start,
    "json_text": showing.json_text,
    "moment": showing.moment,
}


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("stead.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Any: its type is partly unknown.
    cast("Any", environment).filters.update(_FILTERS)
    return environment


_TEMPLATES: Final = _templates()


def page(
    request: Request,
    template: str,
    session: ConsoleSession | None,
    *,
    form_token: str = "",
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """A page.

    Args:
        request: What asks for it.
        template: Its name.
        session: Who looks; None: nobody who signed in.
        form_token: For its forms.
        status: Of the answer.
        values: What the template shows.
    """
    text = _TEMPLATES.get_template(template).render(
        session=session,
        who=None if session is None else session.principal,
        form_token=form_token,
        path=request.url.path,
        assets=ASSETS,
        config=config_of(request),
        done=DONE.get(request.query_params.get("done", "")),
        **values,
    )
    return HTMLResponse(text, status_code=status, headers=HEADERS)


def elsewhere(path: str) -> RedirectResponse:
    """Sends the browser to another page of the console, to be asked for with GET."""
    return RedirectResponse(path, status_code=303, headers=HEADERS)
