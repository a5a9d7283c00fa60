"""Signing in, and everything that is no sign-in; forms that did not come from a page of the console."""

from __future__ import annotations

import base64
import json
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest

from stead import identity
from stead.console import router
from stead.console.sessions import COOKIE, ConsoleSessions
from stead.core.ids import new_id
from stead.http import HttpConfig, Parts, create_app
from stead.identity import Admission
from stead.identity.jwt import SteadTokens
from tests.console.conftest import Browser, Desk, Page
from tests.support.people import SECRET, Person

PAGES = ("", "/approvals", "/outcomes", "/letters", "/guardrails", "/activity")


async def test_a_cookie_for_pages_only(desk: Desk, person: Person) -> None:
    browser = await desk.browser()
    answer = await browser.post("/console/sign-in", {"token": person.token})
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/console"} <= flags
    assert "secure" not in flags
    cookie = browser.client.cookies[COOKIE]
    # It is no token, and none is in it.
    assert person.token not in cookie
    for headers in ({"authorization": f"Bearer {cookie}"}, {"cookie": f"{COOKIE}={cookie}"}):
        assert (await desk.running.client.get("/v1/guardrails", headers=headers)).status_code == 401
    await browser.get("/console")


async def test_the_cookie_is_for_https_in_production(desk: Desk, person: Person) -> None:
    def never() -> AbstractAsyncContextManager[Parts]:
        raise AssertionError("it is open already")

    app = create_app(HttpConfig(version="test", secure_cookies=True), never, pages=[router])
    app.state.parts = desk.running.parts
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://stead.example") as client:
        answer = await Browser(client).post("/console/sign-in", {"token": person.token})
    assert answer.status_code == 303
    assert "secure" in {p.strip().lower() for p in answer.headers["set-cookie"].split(";")}


@pytest.mark.parametrize("token", ["", "nonsense", "sk_stead_nonsense", "a.b.c"])
async def test_what_proves_nothing_signs_nobody_in(desk: Desk, token: str) -> None:
    browser = await desk.browser()
    answer = await browser.post("/console/sign-in", {"token": token})
    assert answer.status_code == 401
    page = Page(answer.text)
    assert page.all("p", role="alert")
    assert "set-cookie" not in answer.headers
    if token:
        assert token not in answer.text


async def test_the_holder_of_a_session_is_no_operator(desk: Desk) -> None:
    token = SteadTokens(SECRET).issue_session(desk.tenant.id, new_id(), 3600)
    answer = await (await desk.browser()).post("/console/sign-in", {"token": token})
    assert answer.status_code == 403


@pytest.mark.parametrize("page", PAGES)
async def test_without_a_cookie_there_is_only_the_door(desk: Desk, page: str) -> None:
    browser = await desk.browser()
    answer = await browser.client.get(f"/console{page}", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
    part = await browser.client.get(f"/console{page}", headers={"hx-request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/console/sign-in")
    assert (await browser.client.get("/console/changes")).status_code == 401
    assert (await browser.post("/console/letters/drain", {"limit": "1"})).status_code == 401


async def test_forged_cookies_open_nothing(desk: Desk, person: Person) -> None:
    browser = await desk.signed_in(person.token)
    head, body, mac = browser.client.cookies[COOKIE].split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    service = {**claims, "kind": "service", "credential": "stead", "scopes": []}
    for forged in (
        f"{head}.{body}.{mac[:-2]}{'AA' if mac[-2:] != 'AA' else 'BB'}",
        jwt.encode(service, "x" * 32, algorithm="HS256"),
        # The secret of tokens is not the key of cookies.
        jwt.encode(service, SECRET, algorithm="HS256"),
        jwt.encode(service, "", algorithm="none"),
        f"{head}.{base64.urlsafe_b64encode(json.dumps(service).encode()).decode().rstrip('=')}.{mac}",
        person.token,
        "x" * 5000,
        "..",
    ):
        headers = {"cookie": f"{COOKIE}={forged}", "accept": "text/html"}
        answer = await desk.running.client.get("/console", headers=headers)
        assert answer.status_code == 303, forged


async def test_it_ends_with_the_token_and_after_eight_hours(person: Person) -> None:
    sessions = ConsoleSessions(b"k" * 32)
    now = datetime.now(UTC)
    soon = now + timedelta(minutes=10)
    until_token, _ = sessions.begin(Admission(principal=person.principal, expires_at=soon))
    assert until_token.expires_at == soon
    session, cookie = sessions.begin(Admission(principal=person.principal))
    assert timedelta(hours=7, minutes=59) < session.expires_at - now <= timedelta(hours=8, minutes=1)
    assert sessions.read(cookie) is not None
    over = Admission(principal=person.principal, expires_at=now - timedelta(seconds=1))
    assert sessions.read(sessions.begin(over)[1]) is None


async def test_a_revoked_key_ends_what_it_opened(desk: Desk) -> None:
    key_id, text = await desk.key()
    browser = await desk.signed_in(text)
    await browser.get("/console/outcomes")
    async with desk.db.transaction(desk.service) as tx:
        await identity.keys.revoke(tx, desk.service, key_id)
    assert (await browser.client.get("/console", headers={"accept": "text/html"})).status_code == 303


async def test_a_key_with_scopes_sees_what_they_are_for(desk: Desk) -> None:
    proposed = await desk.propose()
    _, text = await desk.key("outbox")
    browser = await desk.signed_in(text)
    page = await browser.get("/console")
    assert "Queue" in page.text
    assert str(proposed.approval_id) not in page.html
    assert "Kill switch" not in page.text
    links = {e.attributes["href"] for e in page.all("a")}
    assert "/console/letters" in links
    assert not links & {"/console/approvals", "/console/guardrails", "/console/activity"}
    await browser.get("/console/outcomes")
    await browser.get("/console/letters")
    for page in ("approvals", "guardrails", "activity"):
        await browser.get(f"/console/{page}", status=403)
    fields = {**(await browser.get("/console")).hidden(), "all": "on", "confirm": "yes", "version": "0"}
    assert (await browser.post("/console/guardrails/kill-switch", fields)).status_code == 403


async def test_people_do_not_see_what_is_the_whole_tenants(desk: Desk) -> None:
    person = await desk.person(approves="critical")
    browser = await desk.signed_in(person.token)
    page = await browser.get("/console")
    assert not page.all("a", href="/console/letters")
    assert "Queue" not in page.text
    for path in ("outcomes", "letters"):
        await browser.get(f"/console/{path}", status=403)
    for path in ("letters/drain", "guardrails/kill-switch", f"outcomes/{new_id()}/resolve"):
        assert (await browser.post(f"/console/{path}", page.hidden())).status_code == 403


async def _refused(browser: Browser, fields: dict[str, str], origin: str | None) -> None:
    answer = await browser.post("/console/letters/drain", {**fields, "limit": "1"}, origin=origin)
    assert answer.status_code == 403
    assert "console_form_refused" in answer.text


async def test_forms_are_taken_from_pages_of_the_console_only(desk: Desk) -> None:
    browser = await desk.as_service()
    fields = (await browser.get("/console")).hidden()
    own = str(browser.client.base_url).rstrip("/")
    for origin in (
        None,
        "null",
        "https://evil.example",
        f"{own}.evil.example",
        own.replace("127", "128"),
    ):
        await _refused(browser, fields, origin)
    # The right origin with no token, a made-up one, and that of another sign-in.
    theirs = (await (await desk.as_service()).get("/console")).hidden()["form"]
    for token in ("", "00", theirs, "é"):
        await _refused(browser, {"form": token}, "own")
    assert (await browser.post("/console/letters/drain", {**fields, "limit": "1"})).status_code == 303
    for origin in (None, "https://evil.example"):
        answer = await browser.post("/console/sign-in", {"token": "x"}, origin=origin)
        assert answer.status_code == 403


async def test_what_is_no_form_is_refused(desk: Desk) -> None:
    browser = await desk.as_service()
    own = str(browser.client.base_url).rstrip("/")
    many = "&".join(f"f{n}=1" for n in range(50))
    for kind, body in (
        ("application/json", b"{}"),
        ("text/plain", b"form=1"),
        ("application/x-www-form-urlencoded", b"form=%ff%fe"),
        ("application/x-www-form-urlencoded", b"form=\xff"),
        ("application/x-www-form-urlencoded", b"form=a%00b"),
        ("application/x-www-form-urlencoded", many.encode()),
    ):
        headers = {"content-type": kind, "origin": own}
        answer = await browser.client.post("/console/letters/drain", content=body, headers=headers)
        assert answer.status_code == 422, (kind, body)
        assert answer.headers["content-type"].startswith("text/html")


async def test_pages_are_not_read_by_scripts_of_other_sites(desk: Desk) -> None:
    browser = await desk.as_service()
    for site in ("cross-site", "same-site"):
        await browser.get("/console", status=403, **{"sec-fetch-site": site, "sec-fetch-mode": "cors"})
    # A link from a mail or another page is followed.
    await browser.get("/console", **{"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    await browser.get("/console", **{"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"})


async def test_who_comes_by_a_link_from_elsewhere_goes_on_from_here(desk: Desk) -> None:
    browser = await desk.browser()
    came = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    path = '/console/approvals?status=pending&x="><b>'
    page = await browser.get(path, **came)
    (refresh,) = page.all("meta", **{"http-equiv": "refresh"})
    assert refresh.attributes["content"].startswith("0; url=/console/approvals?status=pending&x=")
    assert not page.all("b")
    # From there it is an ordinary visit of somebody who is not signed in.
    here = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    assert (await browser.client.get(path, headers=here)).status_code == 303


async def test_signing_out(desk: Desk) -> None:
    browser = await desk.as_service()
    answer = await browser.submit("/console", "/console/sign-out")
    assert answer.headers["location"].startswith("/console/sign-in")
    assert COOKIE not in browser.client.cookies
    assert (await browser.client.get("/console", headers={"accept": "text/html"})).status_code == 303


async def test_every_page_keeps_to_itself(desk: Desk) -> None:
    browser = await desk.as_service()
    for path in (*PAGES, "/sign-in", f"/approvals/{new_id()}", "/approvals/nonsense"):
        answer = await browser.client.get(f"/console{path}", headers={"accept": "text/html"})
        assert answer.headers["content-type"].startswith("text/html"), path
        policy = answer.headers["content-security-policy"]
        for rule in (
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ):
            assert rule in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        page = Page(answer.text)
        for element in page.elements:
            assert not [name for name in element.attributes if name.startswith("on") or name == "style"]
            for name in ("src", "href", "action"):
                address = element.attributes.get(name, "/")
                assert address.startswith(("/", "#")), address
                assert not address.startswith("//")
        assert not page.all("style")
        assert all(script.attributes.get("src") and not script.text for script in page.all("script"))
        for field in (*page.all("input"), *page.all("select"), *page.all("textarea")):
            if field.attributes.get("type") in {"hidden", "checkbox"}:
                continue
            assert page.all("label", **{"for": field.attributes["id"]})


async def test_files_are_served_under_what_they_hold(desk: Desk) -> None:
    browser = await desk.as_service()
    page = await browser.get("/console")
    files = [e.attributes["src"] for e in page.all("script")]
    files += [e.attributes["href"] for e in page.all("link")]
    assert len(files) == 3
    for path in files:
        answer = await (await desk.browser()).client.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    for path in ("/console/static/0/console.css", "/console/static/..%2f/__init__.py"):
        assert (await browser.client.get(path)).status_code == 404
