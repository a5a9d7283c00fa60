"""Approval by a link: a page for one person, who votes once without signing in."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse

from stead.actions import Approval, Vote, links
from stead.core.errors import NotFound, SteadError
from stead.http.counting import count_failed_proof
from stead.http.dependencies import parts_of
from stead.http.errors import RequestInvalid, UnsupportedMediaType

# No JsonRoute: a form is what a page without scripts can send. And no key or session is asked for: the token in
# the path is the proof.
router = APIRouter(prefix="/v1/approvals/links", tags=["approvals"])

Token = Annotated[str, Path(min_length=1, max_length=200)]

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "pre{background:#eee;color:#111;padding:1rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}"
    "dt{font-weight:600}button{font:inherit;padding:.5rem 1.5rem;margin-right:1rem}"
    "textarea{width:100%;box-sizing:border-box;font:inherit}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
}


@router.get("/{token}", response_class=HTMLResponse, summary="Show what a link is for")
async def show(token: Token, request: Request) -> HTMLResponse:
    """A page with what would run. It changes nothing: mail programs open links."""
    try:
        approval = await links.look(parts_of(request).db, token)
    except SteadError as error:
        return await _failed(request, error)
    return _page("Approve?", _question(approval))


@router.post(
    "/{token}",
    response_class=HTMLResponse,
    summary="Vote by a link",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "required": ["vote", "digest"],
                        "properties": {
                            "vote": {"type": "string", "enum": ["approve", "reject"]},
                            "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                            "reason": {"type": "string", "maxLength": 2000},
                        },
                    }
                }
            },
        }
    },
)
async def vote(token: Token, request: Request) -> HTMLResponse:
    """As the person that it was made for, once, on exactly what the page showed."""
    try:
        chosen, digest, reason = _read(request.headers.get("content-type"), await request.body())
        approval = await links.vote(parts_of(request).db, token, chosen, digest=digest, reason=reason)
    except SteadError as error:
        return await _failed(request, error)
    said = "You approved it." if chosen == "approve" else "You rejected it."
    return _page("Thank you", f"<p>{said} It is {escape(approval.status)} now.</p>")


def _read(content_type: str | None, body: bytes) -> tuple[Vote, bytes, str | None]:
    media = (content_type or "").partition(";")[0].strip().lower()
    if media != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType("send the page's form")
    try:
        fields = parse_qs(body.decode(), strict_parsing=True, max_num_fields=10, errors="strict")
    except ValueError as error:
        raise RequestInvalid("that is not the page's form") from error
    given = {name: values[-1] for name, values in fields.items()}
    reason = given.get("reason", "").strip()
    if "\x00" in reason or len(reason) > 2000:
        raise RequestInvalid("the reason is too long, or no text")
    try:
        digest = bytes.fromhex(given.get("digest", ""))
    except ValueError as error:
        raise RequestInvalid("that is not the page's form") from error
    match given.get("vote"):
        case "approve" if len(digest) == 32:
            return "approve", digest, reason or None
        case "reject" if len(digest) == 32:
            return "reject", digest, reason or None
        case _:
            raise RequestInvalid("that is not the page's form")


async def _failed(request: Request, error: SteadError) -> HTMLResponse:
    if isinstance(error, NotFound):
        # Tokens cannot be guessed; who tries many is stopped all the same.
        await count_failed_proof(request, error)
    if "text/html" not in request.headers.get("accept", ""):
        # No browser: a problem document, as everywhere.
        raise error
    request.state.problem_code = error.code
    text = f"<p>{escape(error.detail)}.</p>" + (f"<p>{escape(error.hint)}</p>" if error.hint else "")
    return _page(error.title(), text, error.status)


def _question(approval: Approval) -> str:
    reasons = "".join(f"<li>{_text(each.get('says', ''))}</li>" for each in approval.reasons)
    arguments = json.dumps(approval.arguments, ensure_ascii=False, indent=2, sort_keys=True)
    account = f"<dt>Account</dt><dd>{_text(approval.connected_account_id)}</dd>" if approval.connected_account_id else ""  # fmt: skip  # noqa: E501
    return f"""
<dl><dt>Action</dt><dd>{_text(approval.tool_slug)}</dd>{account}
<dt>Risk</dt><dd>{escape(approval.risk)}</dd>
<dt>Approved by</dt><dd>{approval.approvals} of {approval.quorum}</dd>
<dt>Until</dt><dd>{approval.expires_at:%Y-%m-%d %H:%M} UTC</dd></dl>
<p>With exactly this:</p><pre>{_text(arguments)}</pre>
<p>It is asked because:</p><ul>{reasons}</ul>
<form method="post"><input type="hidden" name="digest" value="{approval.digest.hex()}">
<p><label>Reason<br><textarea name="reason" rows="3" maxlength="2000"></textarea></label></p>
<button name="vote" value="approve">Approve</button><button name="vote" value="reject">Reject</button></form>
"""


def _text(value: Any) -> str:
    """Text as it stands: what would turn it around, or is not seen, is shown as its code."""
    shown = "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in str(value)
    )
    return escape(shown)


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>",
        status_code=status,
        headers=_HEADERS,
    )
