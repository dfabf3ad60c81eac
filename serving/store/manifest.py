"""The manifest of a back-up: what it holds, with sizes and digests, sealed with the server's secret."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from nlp.errors import InputError
from serving.secret import keyed

NAME = "manifest.json"
FORMAT = 1
SECRET = "secret"  # noqa: S105 - the name of a member
TABLE = re.compile(r"tables/([a-z_]{1,64})\.jsonl\.gz")
PART = r"[^/\\.\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]{0,199}"  # of a path: nothing hidden, no way up
FILE = re.compile(rf"(models|rules)(/{PART}){{1,8}}")
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Member(BaseModel):
    """A file of a back-up: bytes, and their SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(ge=0)
    sha256: Digest


class Manifest(BaseModel):
    """What a back-up holds.

    at: milliseconds since 1970. database: where it was made, of no consequence for where it goes. revision: of the
    schema. tables: rows by table. files: members by name. secret: tells which secret the store goes with, and not that
    secret. seal: keyed digest of all the rest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    program: str
    at: int
    database: str
    revision: str
    tables: dict[str, int]
    files: dict[str, Member]
    secret: Digest
    seal: str = ""

    @property
    def rows(self) -> int:
        """The rows of all tables together."""
        return sum(self.tables.values())

    def sealed(self, secret: bytes) -> Manifest:
        """The same with its seal."""
        return self.model_copy(update={"seal": self._seal(secret)})

    def fits(self, secret: bytes) -> bool:
        """Whether the store goes with this secret."""
        return self.secret == fingerprint(secret)

    def is_sealed(self, secret: bytes) -> bool:
        """Whether nobody changed it who lacks the secret."""
        return self.seal == self._seal(secret)

    def _seal(self, secret: bytes) -> str:
        held = orjson.dumps(self.model_dump(exclude={"seal"}), option=orjson.OPT_SORT_KEYS)
        return keyed(secret, "backup", held.decode())


def fingerprint(secret: bytes) -> str:
    """Tells two secrets apart and gives neither away."""
    return keyed(secret, "fingerprint", "")


def read_manifest(place: str, written: bytes) -> Manifest:
    """A manifest; raises `InputError` for one that cannot be read, is of another format, or names odd files."""
    try:
        if orjson.loads(written).get("format") != FORMAT:
            raise InputError(place=place, reason=f"备份的格式不是 {FORMAT}，请用写它的那个版本的程序恢复")
        manifest = Manifest.model_validate_json(written)
    except (ValidationError, orjson.JSONDecodeError, AttributeError) as error:
        raise InputError(place=place, reason="不是 jiesu 的备份，或者清单已损坏") from error
    odd = [name for name in manifest.files if name != SECRET and not TABLE.fullmatch(name) and not FILE.fullmatch(name)]
    if odd:
        raise InputError(place=place, reason=f"清单里有不该有的文件名 {odd[0]!r}")
    if {match[1] for name in manifest.files if (match := TABLE.fullmatch(name))} != set(manifest.tables):
        raise InputError(place=place, reason="清单里的表和文件对不上")
    return manifest
