"""Manifest: what a run read, decided with and wrote, signed, so that it can be checked and taken back."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from nlp.errors import InputError
from serving.secret import keyed

ENDING = ".manifest.json"  # after the name of the output
VERSION = 1
SIGNATURE = "hmac"
PURPOSE = "manifest"
FILE, DRY, APPLIED, NEW = "file", "dry-run", "table", "new-table"
"""What a run did: write a file, only a report, change a table in place, make a new one."""


def signed(told: Mapping[str, Any], secret: bytes) -> dict[str, Any]:
    """A manifest with its version and its signature; nothing of this machine or of the time of day is in it."""
    held = {"version": VERSION, **told}
    return {**held, SIGNATURE: keyed(secret, PURPOSE, _canonical(held))}


def read_manifest(path: Path, secret: bytes) -> dict[str, Any]:
    """A manifest whose signature is right; raises `InputError` for any other."""
    try:
        held = orjson.loads(path.read_bytes())
        told = held.pop(SIGNATURE)
    except OSError as error:
        raise InputError(place=path, reason=f"打不开（{error.strerror}）") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(place=path, reason="不是 jiesu batch 写的清单") from error
    if not hmac.compare_digest(str(told), keyed(secret, PURPOSE, _canonical(held))):
        raise InputError(place=path, reason="签名不对：清单被改过，或者不是用这个 JIESU_SECRET（主目录）写的")
    if held.get("version") != VERSION:
        raise InputError(place=path, reason=f"清单的版本是 {held.get('version')}，本程序只认 {VERSION}")
    return dict(held)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _canonical(held: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(held), option=orjson.OPT_SORT_KEYS).decode()
