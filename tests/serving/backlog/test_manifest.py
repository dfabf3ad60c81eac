"""A manifest is believed only with the right signature."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from nlp.errors import InputError
from serving.backlog.manifest import read_manifest, signed

SECRET, OTHER = b"s" * 32, b"t" * 32


def kept(path: Path, held: object) -> Path:
    path.write_bytes(orjson.dumps(held))
    return path


def test_what_was_signed_is_read_again(tmp_path: Path) -> None:
    told = {"kind": "file", "counts": {"read": 3}}
    held = read_manifest(kept(tmp_path / "m.json", signed(told, SECRET)), SECRET)
    assert held == {"version": 1, **told}


def test_a_changed_manifest_or_another_secret_is_refused(tmp_path: Path) -> None:
    held = signed({"kind": "file", "counts": {"read": 3}}, SECRET)
    with pytest.raises(InputError, match="签名"):
        read_manifest(kept(tmp_path / "m.json", held), OTHER)
    with pytest.raises(InputError, match="签名"):
        read_manifest(kept(tmp_path / "m.json", held | {"counts": {"read": 4}}), SECRET)
    with pytest.raises(InputError, match="签名"):
        read_manifest(kept(tmp_path / "m.json", held | {"hmac": 7}), SECRET)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b'"x"', b"\xff"])
def test_what_is_no_manifest_is_told(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "m.json").write_bytes(raw)
    with pytest.raises(InputError, match="不是 jiesu batch"):
        read_manifest(tmp_path / "m.json", SECRET)


def test_a_missing_one_and_a_newer_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="打不开"):
        read_manifest(tmp_path / "m.json", SECRET)
    newer = signed({"version": 9}, SECRET)
    with pytest.raises(InputError, match="版本是 9"):
        read_manifest(kept(tmp_path / "m.json", newer), SECRET)
