"""What can go wrong on the console's pages."""

from __future__ import annotations

from stead.core.errors import Conflict, Forbidden, Invalid, Unauthenticated


class SignedOut(Unauthenticated):
    """The console needs you to sign in."""

    code = "console_signed_out"


class PeopleAndServicesOnly(Forbidden):
    """The console is for people of the tenant and its services."""

    code = "console_members_only"


class PageForged(Forbidden):
    """The form did not come from a page of the console."""

    code = "console_form_refused"


class FormInvalid(Invalid):
    """The form cannot be read."""

    code = "console_form_invalid"


class PageStale(Conflict):
    """What the page showed has changed meanwhile."""

    code = "console_page_stale"
