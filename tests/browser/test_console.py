"""The console in a browser: signing in, approving, and seeing the action run; by keyboard, and without scripts."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Browser, Page, Route, expect

from stead.db import Database
from tests.console.conftest import EFFECTS, Desk
from tests.support.people import Person


async def _page(chromium: Browser, desk: Desk, *, scripts: bool = True) -> tuple[Page, list[str]]:
    """A page with cookies of its own, and what the browser complains about on it."""
    context = await chromium.new_context(base_url=desk.running.base_url, java_script_enabled=scripts)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page, complaints


async def _sign_in(page: Page, person: Person) -> None:
    await page.goto("/console")
    await page.get_by_label("Token or API key").fill(person.token)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="What waits")).to_be_visible()


async def test_signs_in_approves_and_sees_it_run(chromium: Browser, desk: Desk, db: Database) -> None:
    person = await desk.person(approves="critical")
    page, complaints = await _page(chromium, desk)
    await _sign_in(page, person)
    await expect(page.get_by_text("Nothing waits for an approval")).to_be_visible()
    # It appears by itself.
    hostile = "<img src=x onerror=\"document.title='owned'\"> \u202etxt"
    proposed = await desk.propose(order="browser-1", note=hostile)
    await page.get_by_role("link", name="console_refund").click(timeout=30_000)
    await expect(page.get_by_label("Arguments")).to_contain_text("browser-1")
    assert "owned" not in await page.title()
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_role("status")).to_have_text("Your vote counts.")
    async with desk.working():
        await desk.until(proposed, "succeeded")
    await expect(page.locator("#live")).to_contain_text("the action is succeeded", timeout=30_000)
    assert EFFECTS.count("browser-1") == 1
    assert complaints == []
    await page.context.close()


async def test_works_without_scripts(chromium: Browser, desk: Desk) -> None:
    person = await desk.person(approves="critical")
    proposed = await desk.propose()
    page, _ = await _page(chromium, desk, scripts=False)
    await _sign_in(page, person)
    await page.get_by_role("link", name="console_refund").click()
    await page.get_by_label("Reason").fill("not today")
    await page.get_by_role("button", name="Reject").click()
    await expect(page.get_by_role("status")).to_have_text("Your vote counts.")
    assert (await desk.envelope(proposed)).last_error == "it was rejected"
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.goto("/console/approvals")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.context.close()


async def test_nothing_changes_under_somebodys_hands(chromium: Browser, desk: Desk) -> None:
    person = await desk.person(approves="critical")
    await desk.propose()
    page, complaints = await _page(chromium, desk)
    await _sign_in(page, person)
    link = page.get_by_role("link", name="All that wait")
    await link.focus()
    await desk.propose()
    await expect(page.locator("body")).to_have_class(re.compile("is-late"), timeout=30_000)
    await expect(link).to_be_focused()
    await expect(page.locator("#live tbody tr")).to_have_count(1)
    await page.locator("#main").focus()
    await expect(page.locator("#live tbody tr")).to_have_count(2)
    assert complaints == []
    await page.context.close()


async def test_what_was_on_its_way_does_not_take_the_focus(chromium: Browser, desk: Desk) -> None:
    person = await desk.person(approves="critical")
    await desk.propose()
    page, complaints = await _page(chromium, desk)
    await _sign_in(page, person)
    asked, focused = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if "hx-request" in route.request.headers:
            asked.set()
            await focused.wait()
        await route.continue_()

    await page.route("**/console", hold)
    await desk.propose()
    async with asyncio.timeout(30):
        await asked.wait()
    link = page.get_by_role("link", name="All that wait")
    await link.focus()
    focused.set()
    await expect(page.locator("body")).to_have_class(re.compile("is-late"), timeout=30_000)
    await expect(link).to_be_focused()
    await page.locator("#main").focus()
    await expect(page.locator("#live tbody tr")).to_have_count(2)
    assert complaints == []
    await page.context.close()


async def test_a_link_from_another_site_finds_who_is_signed_in(chromium: Browser, desk: Desk) -> None:
    person = await desk.person(approves="critical")
    page, _ = await _page(chromium, desk)
    await _sign_in(page, person)
    # The same server by another name is another site.
    elsewhere = desk.running.base_url.replace("127.0.0.1", "localhost")
    await page.goto(f"{elsewhere}/console/sign-in")
    await page.evaluate("to => { location.href = to }", f"{desk.running.base_url}/console/approvals")
    await expect(page.get_by_role("heading", name="Approvals")).to_be_visible()
    await page.context.close()
