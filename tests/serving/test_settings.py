"""Unsafe starts are refused, and every setting is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from serving.settings import Settings, UnsafeStart, is_loopback

SECRET = "k" * 32
PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


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
    [
        ("JIESU_PORT", "65536"),
        ("JIESU_PORT", "x"),
        ("JIESU_MAX_BODY", "10"),
        ("JIESU_LOG_LEVEL", "LOUD"),
        ("JIESU_KEEP_AUDIT_DAYS", "183"),
    ],
)
def test_values_out_of_reach_are_refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError):
        Settings()


def test_variables_set_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_PROFILE", "wenjiang")
    monkeypatch.setenv("JIESU_SECRET", SECRET)
    monkeypatch.setenv("JIESU_CORS_ORIGINS", '["https://desk.example.cn"]')
    settings = Settings()
    assert settings.profile == "wenjiang"
    assert settings.cors_origins == ["https://desk.example.cn"]
    assert settings.secret is not None
    assert settings.secret.get_secret_value() == SECRET


@pytest.mark.parametrize("name", ["secret", "store"])
def test_secrets_are_not_shown(name: str) -> None:
    settings = Settings.model_validate({name: f"postgresql://jiesu:{SECRET}@db/jiesu"})
    assert SECRET not in repr(settings)
    assert SECRET not in settings.model_dump_json()


def test_the_present_has_the_zone_of_the_settings() -> None:
    now = Settings(timezone="Asia/Shanghai").now()
    assert now.isoformat().endswith("+08:00")


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_stands_in_the_page_with_its_default_and_meaning(name: str) -> None:
    field = Settings.model_fields[name]
    empty = field.default in (None, "", []) or isinstance(field.default, SecretStr)
    default = "—" if empty else f"`{field.default}`"
    row = f"| `JIESU_{name.upper()}` | {default} | {field.description} |"
    assert field.description
    assert row in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_page_names_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(r"JIESU_\w+", PAGE.read_text(encoding="utf-8")))
    assert named == {f"JIESU_{name.upper()}" for name in Settings.model_fields}
