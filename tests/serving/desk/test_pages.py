"""The pages as a whole: what they tell a browser, and what they never hand out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from serving.desk.assets import ASSETS, TYPES, address, mark
from serving.desk.pages import NAVIGATION, TEMPLATES
from tests.serving.desk.conftest import Opened

FILES = sorted(path.name for path in ASSETS.iterdir())
STRICT = {
    "default-src": "'self'", "object-src": "'none'", "base-uri": "'none'", "form-action": "'self'",
    "frame-ancestors": "'none'", "img-src": "'self' data: blob:",
}  # fmt: skip


OPEN = {"/login", "/login/done", "/panel"}  # pages that hold nothing of anybody


def policy(reply: Any) -> dict[str, str]:
    (found,) = reply.headers.get_list("content-security-policy")
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in found.split(";"))}


def paths(client: TestClient) -> Iterator[str]:
    """The pages that need nothing in their address."""
    routes = parts_routes(client)
    yield from sorted(path for path in routes if not path.startswith(("/v1/", "/assets/")) and "{" not in path)


def parts_routes(client: TestClient) -> set[str]:
    app: Any = client.app
    return {route.path for route in flat(app.routes) if isinstance(route, APIRoute) and "GET" in route.methods}


def flat(routes: list[Any]) -> Iterator[Any]:
    """Routes, and those of the routers among them."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from flat(inner.routes) if inner else [route]


def test_every_page_is_under_the_strict_policy(desk: TestClient) -> None:
    pages = 0
    for path in paths(desk):
        reply = desk.get(path, follow_redirects=False)
        if not reply.headers.get("content-type", "").startswith("text/html") or path.startswith("/docs"):
            continue
        pages += 1
        assert policy(reply).items() >= {name: STRICT[name] for name in STRICT if name != "frame-ancestors"}.items(), (
            path
        )
        assert "unsafe" not in reply.headers["content-security-policy"], path
        assert reply.headers["cache-control"] == "no-store", path
        assert reply.headers["x-content-type-options"] == "nosniff", path
        assert reply.headers["referrer-policy"] == "same-origin", path
        assert "camera=()" in reply.headers["permissions-policy"], path
    assert pages


@pytest.mark.parametrize("path", ["/login", "/login/done", *(path for path, _, _ in NAVIGATION)])
def test_no_other_site_shows_a_page_within_its_own(desk: TestClient, path: str) -> None:
    reply = desk.get(path, follow_redirects=False)
    if reply.headers.get("content-type", "").startswith("text/html"):
        assert policy(reply)["frame-ancestors"] == "'none'"


def test_pages_that_refuse_are_as_strict(opened: Opened) -> None:
    client = opened()
    for reply in (client.get("/login"), client.post("/login", data={"key": "x"})):
        assert policy(reply) == STRICT
        assert reply.headers["cache-control"] == "no-store"


def test_the_interface_stays_under_its_own_policy(desk: TestClient) -> None:
    for path in ("/v1/taxonomy", "/v1/indicators", "/healthz", "/nowhere", "/login/self"):
        headers = desk.get(path).headers
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("name", FILES)
def test_assets_are_kept_for_ever_under_todays_mark_and_never_under_another(desk: TestClient, name: str) -> None:
    reply = desk.get(address(name))
    assert reply.status_code == 200
    assert reply.headers["content-type"].partition(";")[0] == TYPES[Path(name).suffix]
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert desk.get(f"/assets/older/{name}").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    [
        "../pages.py", "..%2fpages.py", "%2e%2e/pages.py", "..%5cpages.py", "....//pages.py", "%2fetc%2fpasswd",
        "/etc/passwd", "desk.css/../../pages.py", "desk.css%00.js", ".", "..", "", "desk.py", "nowhere.js", "desk.css/",
        "%252e%252e%252fpages.py", "x" * 300 + ".js",
    ],
)  # fmt: skip
def test_nothing_but_assets_is_handed_out(desk: TestClient, name: str) -> None:
    reply = desk.get(f"/assets/{mark()}/{name}", follow_redirects=False)
    assert reply.status_code in {307, 404}
    assert "import" not in reply.text


def test_a_link_among_the_assets_leads_nowhere() -> None:
    assert not [path for path in ASSETS.rglob("*") if path.is_symlink() or path.is_dir()]


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_holds_what_the_policy_blocks_or_what_lets_data_be_markup(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"""\sstyle=|<style|\son[a-z]+=|javascript:|https?://|\|\s*safe\b|autoescape\s+false""", text)
    scripts = re.findall(r"<script\b([^>]*)>", text)
    assert all("src=" in script or 'type="application/json"' in script for script in scripts)


@pytest.mark.parametrize("path", sorted(ASSETS.glob("*.js")), ids=lambda path: path.name)
def test_no_script_makes_markup_or_code_out_of_data(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    held = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|localStorage|sessionStorage"
    assert not re.search(held, text)
    code = re.sub(r"^\s*//.*$|^\s*/?\*.*$", "", text, flags=re.MULTILINE)  # comments may show an address
    assert not re.search(r"https?://(?!www\.w3\.org/)", code)


def test_words_in_an_address_are_only_words(desk: TestClient) -> None:
    asked = '/nowhere"><script>alert(1)</script>'
    assert "<script>alert" not in desk.get(asked).text


def test_a_page_asks_for_a_sign_in_before_it_shows_anything(opened: Opened) -> None:
    client = opened()

    for path in paths(client):
        reply = client.get(path)
        if reply.status_code == 303 and path not in {"/"}:
            assert reply.headers["location"].startswith("/login?next="), path

        is_page = reply.headers.get("content-type", "").startswith("text/html")
        assert not is_page or path in OPEN or path.startswith("/docs"), path
