"""Secrets that nobody set: made once, kept in the home folder, readable by its owner only."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from stead.assembly.errors import SettingsInvalid
from stead.assembly.settings import Settings


def jwt_secret(settings: Settings) -> str:
    """The secret of Stead's tokens: as set, else one of this home's own (development only)."""
    if settings.jwt_secret is not None:
        return settings.jwt_secret.get_secret_value()
    return _kept(settings.home, "jwt_secret")


def service_secret(settings: Settings) -> str | None:
    """The secret of signed internal calls, if it is set."""
    return settings.service_secret.get_secret_value() if settings.service_secret else None


def console_key(settings: Settings) -> bytes:
    """What cookies of the console are signed with: no token, and made from the secret that signs tokens."""
    return hmac.new(jwt_secret(settings).encode(), b"stead.console/1", hashlib.sha256).digest()


def database_password(home: Path) -> str:
    """The password of the embedded server's roles over TCP."""
    return _kept(home, "database_password")


def _kept(home: Path, name: str) -> str:
    path = home / "secrets.json"
    for _ in range(2):
        known = _read(path)
        if name in known:
            return known[name]
        home.mkdir(parents=True, exist_ok=True)
        known[name] = secrets.token_urlsafe(48)
        draft = home / f".secrets-{os.getpid()}.json"
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(known, indent=2), encoding="utf-8")
        draft.replace(path)
    # Read back: of two processes that made one at the same moment, the later one won for both.
    return _read(path)[name]


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        return {str(k): str(v) for k, v in value.items()}
    except (ValueError, AttributeError) as error:
        raise SettingsInvalid(f"{path} is damaged", hint="Remove it; new secrets are made.") from error
