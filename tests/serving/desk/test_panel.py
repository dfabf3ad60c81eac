"""The panel's doors: small enough, framed by those who may, loaded by anybody, and holding nothing of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError

from nlp.decider import Decider
from serving.app import create_app
from serving.desk.assets import ASSETS
from serving.settings import Settings

LARGEST = 15_000  # bytes: what the issue allows
OWN = ("jiesu-panel.js", "panel.js", "say.js")


def test_all_of_its_scripts_together_stay_small() -> None:
    assert sum((ASSETS / name).stat().st_size for name in OWN) < LARGEST


def test_its_scripts_load_nothing_else() -> None:
    imports = [line for name in OWN for line in (ASSETS / name).read_text("utf-8").splitlines() if "import " in line]
    assert [line for line in imports if line.startswith("import ")] == ['import { make, say } from "./say.js";']


def test_only_allowed_sites_may_frame_it(store_url: str, tmp_path: Path, decider: Decider) -> None:
    origins = ["https://12345.example", "https://10.0.0.8:8080"]
    settings = Settings(home=tmp_path / "home", store=SecretStr(store_url), rules_every=0, panel_origins=origins)
    with TestClient(create_app(settings, decider)) as client:
        reply = client.get("/panel")
    assert reply.status_code == 200  # without a key: the key comes from the desktop around it
    policy = reply.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://12345.example https://10.0.0.8:8080" in policy
    assert "default-src 'self'" in policy
    assert 'data-origins="https://12345.example https://10.0.0.8:8080"' in reply.text


def test_a_session_that_ended_leaves_it_asking_for_a_key(store_url: str, tmp_path: Path, decider: Decider) -> None:
    settings = Settings(home=tmp_path / "home", store=SecretStr(store_url), rules_every=0)
    with TestClient(create_app(settings, decider), cookies={"jiesu_session": "gone"}) as client:
        reply = client.get("/panel")
    assert reply.status_code == 200


@pytest.mark.parametrize(
    "origin", ["*", "https://a.example/", "https://a.example; script-src *", "a.example", "https://*.example", "null"]
)
def test_what_is_no_origin_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(ValidationError, match="不是来源"):
        Settings(panel_origins=[origin])


def test_a_desktop_that_anybody_on_the_network_could_be_is_refused() -> None:
    with pytest.raises(ValidationError, match="不加密"):
        Settings(panel_origins=["https://a.example", "http://a.example:8080"])
    allowed = ["http://localhost:8080", "http://127.0.0.1"]
    assert Settings(panel_origins=allowed).panel_origins == allowed


def test_any_site_may_load_the_element(desk: TestClient) -> None:
    reply = desk.get("/panel/jiesu-panel.js", headers={"origin": "https://12345.example"})
    assert reply.headers["content-type"].startswith("text/javascript")
    assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "max-age=300" in reply.headers["cache-control"]
    assert reply.content == (ASSETS / "jiesu-panel.js").read_bytes()


def test_the_demonstration_shows_calls_and_the_element(desk: TestClient) -> None:
    page = desk.get("/panel/demo")
    assert page.status_code == 200
    assert "<jiesu-panel" in page.text
    assert page.text.count("data-call=") == 5
    english = desk.get("/panel/demo?lang=en").text
    assert "a demonstration" in english
