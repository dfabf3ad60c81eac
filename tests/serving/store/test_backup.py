from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, Table, insert, inspect, select, update
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

import serving.store.restore
from nlp.errors import InputError
from serving.audit.chain import Chain
from serving.audit.record import Record
from serving.audit.verify import verify
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.store.archive import open_archive
from serving.store.backup import Sources, back_up
from serving.store.commands import store_commands
from serving.store.engine import StoreDown, open_engine, reading, writing
from serving.store.manifest import NAME, Manifest, Member
from serving.store.restore import Goals, NotEmpty, restore
from serving.store.schema import migrate
from serving.store.tables import PASSING, audit, decisions, feedback, metadata

SECRET, OTHER = b"x" * 32, b"y" * 32
AT = 1_795_000_000_000
ODD = "漏水 ‘;DROP TABLE decisions;-- \u2028 𠮷 \x01"
CODES = ("category", "tier", "clock", "type", "profile", "key")
Row = dict[str, Any]
Tables = dict[str, list[tuple[Any, ...]]]


def quiet(_table: str, _rows: int) -> None:
    pass


def row(table: Table, **given: Any) -> Row:
    """A row of a table, whatever its columns are by now; those that may be empty are, unless given."""
    usual = {int: 7, float: 0.1 + 0.2, bool: True, str: ODD, bytes: bytes(range(256))}
    made = {column.name: None if column.nullable else usual[column.type.python_type] for column in table.columns}
    return made | given


def decision(number: int) -> Row:
    content = bytes(range(256)) if number else b""
    return row(
        decisions, id=f"01DECISION{number:016d}", unit="社区", content=content, due_at=2**53 + 1
    ) | dict.fromkeys(CODES, "leak")


def said(number: int) -> Row:
    own = {"id": f"01FEEDBACK{number:016d}", "decision": decision(number)["id"], "verdict": "ok", "key": "k"}
    return row(feedback, **own, digest="0" * 64)


def record(number: int) -> Record:
    return Record(id=f"01RECORD{number:018d}", at=AT + number, actor="k", action="decide", detail={"text": "h"})


def note(unit: Unit, number: int) -> None:
    """What one request writes: a decision, what was said of it, and its audit record."""
    unit.add(decisions, decision(number))
    unit.add(feedback, said(number))
    unit.note(record(number))


def filled(engine: Engine, rows: int = 3) -> None:
    migrate(engine)
    journal = Journal(engine, Chain(SECRET))
    for number in range(rows):
        journal.write_now(lambda unit, number=number: note(unit, number))
    journal.close()


def contents(engine: Engine) -> Tables:
    with reading(engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns))]
            for table in metadata.sorted_tables
        }


def units(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        return set(connection.scalars(select(decisions.c.unit)))


@dataclass
class Office:
    """A store and the folders beside it."""

    engine: Engine
    home: Path

    @property
    def rules(self) -> Path:
        return self.home / "rules"

    @property
    def sources(self) -> Sources:
        return Sources(self.home, self.rules, SECRET)

    @property
    def goals(self) -> Goals:
        return Goals(self.home, self.rules, SECRET, self.home / "secret")

    @property
    def files(self) -> dict[str, bytes]:
        found = [path for path in self.home.rglob("*") if path.is_file() and not path.name.startswith("store.db")]
        return {str(path.relative_to(self.home)): path.read_bytes() for path in found}

    def restore(self, backup: Path, **goals: Any) -> None:
        with open_archive(backup) as archive:
            restore(self.engine, replace(self.goals, **goals), archive, quiet)


def furnished(home: Path) -> Path:
    """A home with a promoted model and a rule of the office's own."""
    for name, held in {
        "models/current.json": "{}", "models/history.jsonl": "{}\n", "models/本市-1a/manifest.json": "{}",
        "models/本市-1a/encoder/network.onnx.0": "n" * 7_000, "models/.draft/tensors": "half",
        "rules/clocks/本市.toml": "a=1",
    }.items():  # fmt: skip
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(held, encoding="utf-8")
    (home / "models" / "away").symlink_to("/etc")
    return home


@contextlib.contextmanager
def opened(url: str, home: Path) -> Iterator[Office]:
    engine = open_engine(url)
    try:
        yield Office(engine, home)
    finally:
        engine.dispose()


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    """An office with three decisions, a promoted model and a rule of its own."""
    with opened(store_url, furnished(tmp_path / "home")) as made:
        filled(made.engine)
        yield made


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A back-up of such an office, which nobody changes."""
    folder = tmp_path_factory.mktemp("sample")
    with opened(f"sqlite:///{folder / 'store.db'}", furnished(folder / "home")) as made:
        filled(made.engine)
        back_up(made.engine, made.sources, folder / "a.tar", AT, quiet)
    return folder / "a.tar"


@pytest.fixture
def spare(tmp_path: Path) -> Iterator[Office]:
    """An office with nothing in it, for whatever never comes as far as its store."""
    with opened(f"sqlite:///{tmp_path / 'spare' / 'store.db'}", tmp_path / "spare") as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """Another office, whose store is empty."""
    url = f"sqlite:///{tmp_path / 'other' / 'store.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create()
    with opened(url, tmp_path / "other") as made:
        yield made


@pytest.fixture
def backup(office: Office, tmp_path: Path) -> Path:
    """A back-up of that office."""
    back_up(office.engine, office.sources, tmp_path / "a.tar", AT, quiet)
    return tmp_path / "a.tar"


def members(backup: Path) -> dict[str, bytes]:
    with tarfile.open(backup) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def packed(path: Path, held: dict[str, bytes], change: Callable[[Row], Row] = lambda told: told) -> Path:
    """A back-up with a manifest that fits its members, sealed: what somebody with the secret could make."""
    told = orjson.loads(held[NAME])
    told["files"] = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in held.items()
        if name != NAME
    }
    changed = change(told)
    with contextlib.suppress(ValueError):  # one that is no manifest has no seal either
        changed = Manifest.model_validate(changed).sealed(SECRET).model_dump()
    with tarfile.open(path, "w") as tar:
        for name, data in ({NAME: orjson.dumps(changed)} | {n: d for n, d in held.items() if n != NAME}).items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def unchanged(office: Office, before: tuple[Tables, dict[str, bytes]]) -> bool:
    left = [path for path in office.home.iterdir() if path.name.startswith(".")]
    return (contents(office.engine), office.files) == before and not left


def test_what_is_restored_is_what_was_there(office: Office, other: Office, backup: Path) -> None:
    other.restore(backup)
    assert contents(other.engine) == contents(office.engine)
    assert contents(other.engine)["decisions"]
    kept = {name: data for name, data in office.files.items() if ".draft" not in name and "away" not in name}
    assert other.files == kept
    assert verify(other.engine, Chain(SECRET)).is_sound
    filled(other.engine, 4)  # the chain goes on where it ended
    assert len(contents(other.engine)["audit"]) == 4
    assert verify(other.engine, Chain(SECRET)).is_sound
    assert not verify(other.engine, Chain(OTHER)).is_sound


def is_text(column: Column[Any]) -> bool:
    return column.type.python_type is str


def test_every_table_comes_along(store_url: str, tmp_path: Path, other: Office) -> None:
    told: list[tuple[str, int]] = []
    with opened(store_url, tmp_path / "home") as source:
        migrate(source.engine)
        with writing(source.engine) as connection:
            for table in metadata.sorted_tables:
                connection.execute(insert(table), row(table, **{c.name: "x" for c in table.columns if is_text(c)}))
        back_up(source.engine, source.sources, tmp_path / "b.tar", AT, lambda table, rows: told.append((table, rows)))
        before = contents(source.engine)
    other.restore(tmp_path / "b.tar")
    assert contents(other.engine) == before | {name: [] for name in PASSING}
    assert {name: len(rows) for name, rows in before.items()} == dict.fromkeys(metadata.tables, 1)
    assert sorted(told) == [(table, 1) for table in sorted(metadata.tables.keys() - PASSING)]


def test_a_backup_is_made_while_others_write(office: Office, other: Office, tmp_path: Path) -> None:
    journal, stop, written = Journal(office.engine, Chain(SECRET)), threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            number = 100 + len(written)
            journal.write_now(lambda unit, number=number: note(unit, number))
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(5):
            while len(written) < 10 * turn:
                pass
            back_up(office.engine, office.sources, tmp_path / f"{turn}.tar", AT, quiet)
    finally:
        stop.set()
        writer.join()
    other.restore(tmp_path / "4.tar")
    held = contents(other.engine)
    assert len(held["audit"]) == len(held["audit_details"]) == len(held["decisions"]) == len(held["feedback"]) >= 43
    assert verify(other.engine, Chain(SECRET)).is_sound
    journal.close()


def test_a_backup_is_only_its_owners_and_never_written_over(office: Office, backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in backup.parent.iterdir() if path.name.startswith(".")] == []
    with pytest.raises(InputError, match="已经有这个文件"):
        back_up(office.engine, office.sources, backup, AT, quiet)
    assert b"x" * 32 not in backup.read_bytes()
    assert "secret" not in members(backup)


def test_a_store_that_was_never_used_and_a_folder_that_is_not_there(tmp_path: Path, office: Office) -> None:
    empty = open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(InputError, match="还没有用过"):
        back_up(empty, office.sources, tmp_path / "e.tar", AT, quiet)
    empty.dispose()
    with pytest.raises(InputError, match="写不了"):
        back_up(office.engine, office.sources, tmp_path / "nowhere" / "e.tar", AT, quiet)
    assert not (tmp_path / "e.tar").exists()


def test_what_is_there_is_replaced_only_on_request(office: Office, backup: Path) -> None:
    with writing(office.engine) as connection:
        connection.execute(update(decisions).values(unit="别处"))
    (office.home / "models" / "本市-1a" / "manifest.json").write_text("changed", encoding="utf-8")
    (office.home / "models" / "本市-2b").mkdir()
    before = contents(office.engine), office.files
    with pytest.raises(NotEmpty, match="存储不是空的"):
        office.restore(backup)
    assert unchanged(office, before)
    office.restore(backup, replace=True)
    assert units(office.engine) == {"社区"}
    assert office.files["models/本市-1a/manifest.json"] == b"{}"
    assert not (office.home / "models" / "本市-2b").exists()


@pytest.mark.parametrize("folder", ["models", "rules"])
def test_files_alone_are_not_replaced_either(spare: Office, sample: Path, folder: str) -> None:
    (spare.home / folder / "own").mkdir(parents=True)
    (spare.home / folder / "own" / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(NotEmpty, match=folder):
        spare.restore(sample)
    assert spare.files == {f"{folder}/own/file": b"mine"}
    migrate(spare.engine)
    assert not any(contents(spare.engine).values())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 0.999), bit=st.integers(0, 7))
def test_no_damaged_backup_changes_anything(office: Office, backup: Path, place: float, bit: int) -> None:
    damaged = bytearray(backup.read_bytes())
    spot = int(place * len(damaged))
    damaged[spot] ^= 1 << bit
    path = backup.with_name("damaged.tar")
    path.write_bytes(damaged)
    before = contents(office.engine), office.files
    try:
        office.restore(path, replace=True)
    except InputError:
        assert unchanged(office, before)
    else:  # a bit of the padding, or of what tar itself notes: nothing that is read
        assert (contents(office.engine), members(path)) == (before[0], members(backup))


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.99])
def test_a_backup_cut_short_is_refused(spare: Office, sample: Path, tmp_path: Path, share: float) -> None:
    whole, short = sample.read_bytes(), tmp_path / "short.tar"
    end = max(place for place in range(0, len(whole), 512) if any(whole[place : place + 512]))
    short.write_bytes(whole[: int(share * end)])
    with pytest.raises(InputError):
        spare.restore(short)


HOSTILE: dict[str, Callable[[tarfile.TarInfo], None]] = {
    "up": lambda info: setattr(info, "name", "models/../../escaped"),
    "absolute": lambda info: setattr(info, "name", "/tmp/escaped"),  # noqa: S108
    "windows": lambda info: setattr(info, "name", "models\\..\\escaped"),
    "hidden": lambda info: setattr(info, "name", "models/.lock"),
    "elsewhere": lambda info: setattr(info, "name", "etc/passwd"),
    "link": lambda info: (setattr(info, "type", tarfile.SYMTYPE), setattr(info, "linkname", "/etc/passwd")),
    "hard link": lambda info: (setattr(info, "type", tarfile.LNKTYPE), setattr(info, "linkname", NAME)),
    "device": lambda info: setattr(info, "type", tarfile.CHRTYPE),
    "pipe": lambda info: setattr(info, "type", tarfile.FIFOTYPE),
    "folder": lambda info: setattr(info, "type", tarfile.DIRTYPE),
    "twice": lambda info: setattr(info, "name", "models/current.json"),
}


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_members_are_refused(spare: Office, sample: Path, tmp_path: Path, kind: str, named: bool) -> None:
    held, path = members(sample), tmp_path / "hostile.tar"
    info = tarfile.TarInfo("models/extra")
    HOSTILE[kind](info)
    nothing = Member(size=0, sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855").model_dump()

    def change(told: Row) -> Row:
        return told | {"files": told["files"] | {info.name: nothing}} if named and kind != "twice" else told

    packed(path, held, change)
    with tarfile.open(path, "a") as tar:
        tar.addfile(info)
    with pytest.raises(InputError):
        spare.restore(path)
    assert not spare.home.joinpath("models").exists()
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"revision": "9999"}, "比这个程序新"),
        ({"format": 2}, "格式不是 1"),
        ({"tables": {"decisions": 3}}, "对不上"),
        ({"extra": 1}, "清单已损坏"),
        ({"secret": "0" * 64}, "另一个秘密"),
    ],
)
def test_another_version_is_refused(spare: Office, sample: Path, tmp_path: Path, change: Row, reason: str) -> None:
    path = packed(tmp_path / "new.tar", members(sample), lambda told: told | change)
    with pytest.raises(InputError, match=reason):
        spare.restore(path)


@pytest.mark.parametrize("held", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_manifest_is_refused(spare: Office, tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "odd.tar"
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo(NAME)
        info.size = len(held)
        tar.addfile(info, io.BytesIO(held))
    with pytest.raises(InputError):
        spare.restore(path)


def lines(*rows: Row | bytes) -> bytes:
    return gzip.compress(b"".join(row if isinstance(row, bytes) else orjson.dumps(row) + b"\n" for row in rows))


GOOD = {"week": "2026-W48", "model": "m", "at": 1, "content": ""}


@pytest.mark.parametrize(
    "rows",
    [
        [GOOD | {"at": "1"}], [GOOD | {"at": True}], [GOOD | {"at": 2**63}], [GOOD | {"content": "*"}], [{"week": "x"}],
        [GOOD | {"more": 1}], [b"[1]\n"], [b"{"], [GOOD, GOOD], [GOOD | {"at": None}], [],
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_leave_everything_as_it_was(
    spare: Office, sample: Path, tmp_path: Path, rows: list[Any]
) -> None:
    held = members(sample) | {"tables/weeks.jsonl.gz": lines(*rows)}
    count = {"weeks": 1 if rows != [GOOD, GOOD] else 2}
    path = packed(tmp_path / "rows.tar", held, lambda told: told | {"tables": told["tables"] | count})
    with pytest.raises(InputError, match="备份"):
        spare.restore(path)
    assert [one.name for one in spare.home.iterdir() if not one.name.startswith("store.db")] == []
    with reading(spare.engine) as connection:
        assert inspect(connection).get_table_names() == []


def test_a_commit_that_fails_takes_the_files_back(
    office: Office, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(office.home / "models" / "本市-1a")
    before = contents(office.engine), office.files
    real = serving.store.restore._refill

    def full(connection: Any, *rest: Any) -> None:
        real(connection, *rest)
        monkeypatch.setattr(connection, "_commit_impl", failing)

    def failing() -> None:
        raise OperationalError("COMMIT", {}, Exception("disk full"))

    monkeypatch.setattr(serving.store.restore, "_refill", full)
    with pytest.raises(StoreDown):
        office.restore(backup, replace=True)
    assert unchanged(office, before)


def test_a_changed_manifest_with_a_right_digest_is_refused(spare: Office, sample: Path, tmp_path: Path) -> None:
    path = packed(tmp_path / "own.tar", members(sample))
    held = members(path)
    told = orjson.loads(held[NAME])
    data = orjson.dumps(told | {"at": 0})
    with tarfile.open(tmp_path / "forged.tar", "w") as tar:
        for name, content in (held | {NAME: data}).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with pytest.raises(InputError, match="印记不符"):
        spare.restore(tmp_path / "forged.tar")


def test_the_secret_goes_along_only_on_request(office: Office, other: Office, tmp_path: Path) -> None:
    plain, whole = tmp_path / "plain.tar", tmp_path / "whole.tar"
    back_up(office.engine, office.sources, plain, AT, quiet)
    back_up(office.engine, replace(office.sources, with_secret=True), whole, AT, quiet)
    with pytest.raises(InputError, match="另一个秘密"):
        other.restore(plain, secret=None)
    with pytest.raises(InputError, match="另一个秘密"):
        other.restore(plain, secret=OTHER, replace=True)
    with pytest.raises(InputError, match="另一个秘密"):
        other.restore(whole, secret=OTHER, secret_file=None)
    with pytest.raises(NotEmpty, match="另一个秘密"):
        other.restore(whole, secret=OTHER)
    other.restore(whole, secret=None)
    file = other.home / "secret"
    assert file.read_bytes() == SECRET
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_lost_secret_does_not_lose_the_decisions(spare: Office, sample: Path) -> None:
    spare.restore(sample, secret=OTHER, lost=True)
    assert len(contents(spare.engine)["decisions"]) == 3


@pytest.fixture
def office_settings(office: Office, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("JIESU_HOME", str(office.home))
    monkeypatch.setenv("JIESU_STORE", store_url)
    monkeypatch.setenv("JIESU_RULES", str(office.rules))
    monkeypatch.setenv("JIESU_SECRET", SECRET.decode())
    return office


def called(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(store_commands, list(words))
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code
    return done.stdout


def test_the_commands(office_settings: Office, tmp_path: Path) -> None:
    file = str(tmp_path / "c.tar")
    called("backup", file)
    assert "decisions：3 行" in called("info", file)
    assert "完整" in called("info", file)
    with pytest.raises(NotEmpty):
        called("restore", file)
    called("restore", file, "--yes")
    called("migrate")
    told = called("info")
    assert "decisions：3 行" in told
    assert "版本：0" in told
    assert verify(office_settings.engine, Chain(SECRET)).is_sound
    with reading(office_settings.engine) as connection:
        actions = connection.scalars(select(audit.c.action).order_by(audit.c.seq)).all()
    assert actions == ["decide", "decide", "decide", "restore"]  # the back-up was made before it was noted


def test_a_command_without_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_HOME", str(tmp_path / "fresh"))
    assert "还没有用过" in called("info")
    with pytest.raises(InputError, match="还没有用过"):
        called("backup", str(tmp_path / "d.tar"))
    with pytest.raises(InputError, match="读写出错"):
        called("restore", str(tmp_path / "nowhere.tar"))
    (tmp_path / "noise.tar").write_bytes(b"noise" * 1000)
    with pytest.raises(InputError, match="不是 jiesu 的备份"):
        called("restore", str(tmp_path / "noise.tar"))
