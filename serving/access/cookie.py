"""Cookies: named and flagged so that no script reads them, and no other host of the domain puts one in our place."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

SESSION = "jiesu_session"
SIGNON = "jiesu_signon"  # what is remembered while somebody is at the issuer's page
OURS = "__Host-"  # browsers keep such a name to https, to this very host and to the path / (RFC 6265bis, 4.1.3.2)
SAFE = frozenset({"https", "wss"})


def cookie(request: HTTPConnection, name: str) -> str:
    """A cookie of ours; empty where there is none, or several: then one of them was put there by somebody else."""
    full = _full(request, name)
    pairs = [pair.strip().partition("=") for header in request.headers.getlist("cookie") for pair in header.split(";")]
    found = {value for written, _, value in pairs if written == full}
    return found.pop() if len(found) == 1 else ""


def give(request: HTTPConnection, response: Response, name: str, value: str, seconds: int) -> None:
    """Have the browser keep a cookie: Lax, for a sign-in comes back from the issuer's site."""
    response.set_cookie(
        _full(request, name), value, max_age=seconds, path="/", secure=_is_safe(request), httponly=True, samesite="lax"
    )


def take(request: HTTPConnection, response: Response, name: str) -> None:
    """Have the browser forget a cookie."""
    response.delete_cookie(_full(request, name), path="/", secure=_is_safe(request), httponly=True, samesite="lax")


def _is_safe(request: HTTPConnection) -> bool:
    return request.url.scheme in SAFE


def _full(request: HTTPConnection, name: str) -> str:
    return f"{OURS}{name}" if _is_safe(request) else name
