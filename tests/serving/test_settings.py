"""Unsafe starts are refused, and every setting is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from serving.settings import Settings, UnsafeStart, is_loopback

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
KEY = "k" * 32


def test_a_start_without_a_key_is_refused() -> None:
    with pytest.raises(UnsafeStart, match="JIESU_API_KEY"):
        Settings().check_start()


def test_a_short_key_is_refused_and_not_repeated() -> None:
    with pytest.raises(UnsafeStart, match="太短") as refused:
        Settings(api_key="geheim" * 5).check_start()
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", "8.8.8.8", "hotline.example.cn"])  # noqa: S104
def test_a_long_key_opens_every_address(host: str) -> None:
    settings = Settings(api_key=KEY, host=host)
    settings.check_start()
    assert settings.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_start_without_keys_is_allowed_on_loopback(host: str) -> None:
    Settings(insecure=True, host=host).check_start()
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.8", "8.8.8.8", "2001:db8::1", "localhost.example.cn", "host", "127.0.0.1.cn"]  # noqa: S104
)  # fmt: skip
def test_a_start_without_keys_is_refused_elsewhere(host: str) -> None:
    with pytest.raises(UnsafeStart, match="--insecure"):
        Settings(insecure=True, host=host).check_start()


def test_a_refused_start_exits_with_two() -> None:
    assert UnsafeStart(reason="x").exit_code == 2


def test_an_unknown_time_zone_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_TIMEZONE", "Asia/Chengdoo")
    with pytest.raises(ValidationError, match="Asia/Chengdoo"):
        Settings()


@pytest.mark.parametrize("zone", ["", "../etc/passwd", "/etc/passwd", "Asia", "\x00"])
def test_odd_time_zones_are_refused(zone: str) -> None:
    with pytest.raises(ValidationError):
        Settings(timezone=zone)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("JIESU_PORT", "65536"), ("JIESU_PORT", "x"), ("JIESU_MAX_BODY", "10"), ("JIESU_LOG_LEVEL", "LOUD")],
)
def test_values_out_of_reach_are_refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError):
        Settings()


def test_variables_set_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_PROFILE", "wenjiang")
    monkeypatch.setenv("JIESU_API_KEY", KEY)
    settings = Settings()
    assert settings.profile == "wenjiang"
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == KEY


def test_the_key_is_not_shown() -> None:
    settings = Settings(api_key=KEY)
    assert KEY not in repr(settings)
    assert KEY not in settings.model_dump_json()


def test_the_present_has_the_zone_of_the_settings() -> None:
    now = Settings(timezone="Asia/Shanghai").now()
    assert now.isoformat().endswith("+08:00")


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_stands_in_the_page_with_its_default_and_meaning(name: str) -> None:
    field = Settings.model_fields[name]
    default = "—" if field.default is None else f"`{field.default}`"
    row = f"| `JIESU_{name.upper()}` | {default} | {field.description} |"
    assert field.description
    assert row in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_names_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(r"JIESU_\w+", PAGE.read_text(encoding="utf-8")))
    assert named == {f"JIESU_{name.upper()}" for name in Settings.model_fields}
