"""Changing a table in place: every row as it was decided, none that changed meanwhile, whatever ends the process."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from nlp.errors import InputError
from serving.backlog.answers import KEYS
from serving.backlog.database import apply
from serving.backlog.database.apply import Changed, InPlace, in_place
from serving.backlog.database.images import read_head, read_pieces
from serving.backlog.database.undo import undo_table
from serving.backlog.plan import Plan
from tests.serving.backlog.database.conftest import Decided, Hall, Run, placed

OUT = Path("-")  # a table has no file
ALL = 'SELECT * FROM "petition" ORDER BY "id"'
ROOT = Path(__file__).parents[4]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return tmp_path / "petition.images"


def written(mapped: dict[str, str] | None = None) -> list[str]:
    return [*KEYS, *(mapped or {}).values()]


def run_of(hall: Hall, decided: Decided, mapped: dict[str, str] | None = None, **wanted: Any) -> Run:
    return decided(hall.source(written=written(mapped)), placed(mapped, **wanted))


def finished(hall: Hall, run: Run, images: Path) -> InPlace:
    sink = in_place(hall.url, run.plan, images)
    sink.finish(run.spool, OUT)
    return sink


def spooled(run: Run) -> dict[int, list[Any]]:
    lines = [orjson.loads(line) for line in run.spool.read_bytes().splitlines()]
    return {key: values for (key,), _, values in lines}


def test_answers_stand_in_columns_of_their_own(hall: Hall, decided: Decided, images: Path) -> None:
    hall.fill(8)
    before = hall.ask(ALL)
    run = run_of(hall, decided)
    source = hall.source()
    source.digest()  # a run checks what it will write before it reads
    sink = in_place(hall.url, run.plan, images)
    assert hall.source().columns == ("id", "内容", "old label")
    source.close()
    sink.finish(run.spool, OUT)
    assert sink.outcome() == Changed(8, 0)
    after = hall.ask(ALL)
    assert [row[:3] for row in after] == before
    assert {row[0]: list(row[3:]) for row in after} == spooled(run)
    assert hall.source().columns == ("id", "内容", "old label", *KEYS)
    assert read_head(images).added == KEYS


def test_a_plan_that_was_on_disk_finds_its_rows_unchanged(hall: Hall, decided: Decided, images: Path) -> None:
    """A run that is resumed reads its plan from a file, which has all names in another order."""
    hall.fill(3)
    run = run_of(hall, decided, {"category": "old label"})
    held = orjson.loads(orjson.dumps(run.plan.as_dict(), option=orjson.OPT_SORT_KEYS))
    sink = in_place(hall.url, Plan.from_dict(held), images)
    sink.finish(run.spool, OUT)
    assert sink.outcome() == Changed(3, 0)


def test_an_old_label_is_replaced_where_it_stands(hall: Hall, decided: Decided, images: Path) -> None:
    hall.fill(8)
    run = run_of(hall, decided, {"category": "old label"}, own=False)
    finished(hall, run, images)
    rows = hall.ask(ALL)
    assert {row[0]: [row[2]] for row in rows} == spooled(run)
    assert hall.source().columns == ("id", "内容", "old label")
    assert [image.before for piece in read_pieces(images) for image in piece.rows] == [
        [f"旧{row % 3}"] for row in range(1, 9)
    ]


def test_rows_that_changed_or_went_since_they_were_read_are_left(hall: Hall, decided: Decided, images: Path) -> None:
    hall.fill(6)
    hall.tell('ALTER TABLE "petition" ADD COLUMN "viewed" INTEGER')
    run = run_of(hall, decided, {"category": "old label"})
    hall.tell(
        'UPDATE "petition" SET "内容" = NULL WHERE "id" = 2',
        'UPDATE "petition" SET "old label" = \'改过\' WHERE "id" = 3',
        'DELETE FROM "petition" WHERE "id" = 4',
        'UPDATE "petition" SET "viewed" = 7 WHERE "id" = 5',  # nothing was decided on it
        'INSERT INTO "petition" ("id", "内容") VALUES (99, \'新的\')',
    )
    sink = finished(hall, run, images)
    assert sink.outcome() == Changed(3, 3)
    answered = hall.ask('SELECT "id" FROM "petition" WHERE "jiesu_category" IS NOT NULL ORDER BY "id"')
    assert answered == [(1,), (5,), (6,)]
    assert hall.ask('SELECT "old label" FROM "petition" WHERE "id" IN (3, 99) ORDER BY "id"') == [("改过",), (None,)]
    left = images.with_name("left.csv")
    assert sink.write_left(left) == 3
    assert left.read_text(encoding="utf-8-sig").split() == [
        "id,列,原因", "2,,读过以后被改过", "3,,读过以后被改过", "4,,这一行已经不在",
    ]  # fmt: skip


def test_a_second_run_writes_over_the_first_and_says_what_was_there(hall: Hall, decided: Decided, images: Path) -> None:
    hall.fill(3)
    finished(hall, run_of(hall, decided), images)
    hall.tell('UPDATE "petition" SET "jiesu_unit" = \'手工\' WHERE "id" = 2')
    run = decided(hall.source(written=written()), placed(), {"id": ("id",), "text": ("内容",)})
    with pytest.raises(InputError, match="里面是另一次修改的原值，不能覆盖"):
        finished(hall, run, images)
    second = images.with_name("second")
    finished(hall, run, second)
    assert read_head(second).added == ()
    place = KEYS.index("jiesu_unit")
    assert [image.before[place] for piece in read_pieces(second) for image in piece.rows][1] == "手工"


def test_keys_of_any_kind_find_their_rows(hall: Hall, decided: Decided, images: Path) -> None:
    binary = {"sqlite": "BLOB", "postgresql": "bytea", "mysql": "VARBINARY(9)"}[hall.kind]
    hall.tell(
        f'CREATE TABLE "petition" ("a" NUMERIC(20), "day" DATE, "s p%" VARCHAR(20), "b" {binary}, "内容" TEXT, '
        'PRIMARY KEY ("a", "day", "s p%", "b"))'
    )
    raw = "'\\xff00'" if hall.kind == "postgresql" else "x'ff00'"
    for name in ("x", "=1+1", "it''s", "", "诉 "):
        hall.tell(f"INSERT INTO \"petition\" VALUES (12345678901234567, '2026-11-23', '{name}', {raw}, '路灯不亮')")  # noqa: S608
    source = hall.source(written=written())
    run = decided(source, placed(key=source.key), {"text": ("内容",)})
    sink = finished(hall, run, images)
    assert sink.outcome() == Changed(5, 0)
    assert hall.ask('SELECT COUNT(*) FROM "petition" WHERE "jiesu_category" IS NOT NULL') == [(5,)]
    assert undo_table(hall.url, images, images.with_name("left.csv")).restored == 5
    assert hall.ask('SELECT COUNT(*) FROM "petition" WHERE "jiesu_category" IS NOT NULL') == [(0,)]


@pytest.mark.parametrize(
    ("mapped", "own", "reason"),
    [
        ({"category": "nothing"}, True, "列 nothing：没有这一列"),
        ({"category": "id"}, True, "--map id：这一列写了两次"),
        ({"category": "old label", "tier": "old label"}, True, "--map old label：这一列写了两次"),
        ({"category": "jiesu_unit"}, True, "--map jiesu_unit：这一列写了两次"),
        ({}, False, "没有要写的列"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_decided(
    hall: Hall, decided: Decided, images: Path, mapped: dict[str, str], own: bool, reason: str
) -> None:
    hall.fill(2)
    run = decided(hall.source(), placed(mapped, own=own))
    with pytest.raises(InputError, match=reason):
        in_place(hall.url, run.plan, images)
    assert hall.source().columns == ("id", "内容", "old label")


def test_an_answer_that_there_is_not_is_told() -> None:
    with pytest.raises(InputError, match="--map colour：没有这项答案；有：category、"):
        placed({"colour": "old label"})


def test_a_value_that_does_not_fit_changes_nothing(hall: Hall, decided: Decided, images: Path) -> None:
    hall.fill(2)
    hall.tell('ALTER TABLE "petition" ADD COLUMN "n" INTEGER CHECK ("n" > 0)')
    run = decided(hall.source(written=["n"]), placed({"category": "n"}, own=False))
    kinds = {"sqlite": "违反了表的约束", "postgresql": "语句不对|放不进", "mysql": "放不进"}
    if hall.kind == "sqlite":  # which takes a text for a number, so that the rule has to forbid it
        hall.tell("CREATE TRIGGER t BEFORE UPDATE ON \"petition\" BEGIN SELECT RAISE(ABORT, '水管漏水'); END")
    with pytest.raises(InputError, match=kinds[hall.kind]) as raised:
        finished(hall, run, images)
    assert "水" not in str(raised.value)
    assert hall.ask('SELECT "n" FROM "petition"') == [(None,), (None,)]


def test_a_full_disk_changes_nothing(
    hall: Hall, decided: Decided, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.fill(3)
    run = run_of(hall, decided)
    sink = in_place(hall.url, run.plan, images)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="写不了（No space left on device）"):
            sink.finish(run.spool, OUT)
    assert hall.source().columns == ("id", "内容", "old label")
    assert finished(hall, run, images).outcome() == Changed(3, 0)


KILLED = """
import os, signal, sys
from pathlib import Path
import orjson
from serving.backlog.database import apply, change, images
from serving.backlog.plan import Plan

url, plan, spool, kept, method, moment, count = sys.argv[1:]
apply.PIECE = 2
left = int(count)
whole = getattr(images.Images, method)

def killed(self, *arguments):
    global left
    left -= 1
    if left == 0 and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    whole(self, *arguments)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

setattr(images.Images, method, killed)
sink = apply.in_place(url, Plan.from_dict(orjson.loads(Path(plan).read_bytes())), Path(kept))
sink.finish(Path(spool), Path("-"))
"""


@pytest.mark.parametrize("point", ["begin after", "add before", "add after", "mark before", "mark after"])
def test_it_goes_on_after_kill_wherever_it_was_killed(
    hall: Hall, decided: Decided, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Before-images: `add` writes them, then comes the commit, then the mark."""
    monkeypatch.setattr(apply, "PIECE", 2)
    hall.fill(7)
    before = hall.ask(ALL)
    run = run_of(hall, decided, {"category": "old label"})
    plan = tmp_path / "plan.json"
    plan.write_bytes(orjson.dumps(run.plan.as_dict()))
    method, moment = point.split()
    command = [sys.executable, "-c", KILLED, hall.url, plan, run.spool, images, method, moment]
    count = "1" if method == "begin" else "2"
    done = subprocess.run([*map(str, command), count], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    if point == "mark before":
        hall.tell('UPDATE "petition" SET "jiesu_unit" = \'手工\' WHERE "id" = 3')
    sink = finished(hall, run, images)
    finished(hall, run, images)
    expected = {row: [*values] for row, values in spooled(run).items()}
    now = {row[0]: [*row[3:], row[2]] for row in hall.ask(ALL)}
    if point == "mark before":  # somebody changed what had just been written: it is not written again
        expected[3][KEYS.index("jiesu_unit")] = "手工"
        assert sink.outcome() == Changed(6, 1)
    else:
        assert sink.outcome() == Changed(7, 0)
    assert now == expected
    assert [piece.number for piece in read_pieces(images)] == [0, 1, 2, 3]
    undone = undo_table(hall.url, images, tmp_path / "left.csv")
    assert undone.restored == sink.outcome().written
    kept = [row[:3] for row in hall.ask(ALL) if row[0] != 3]
    assert kept == [row for row in before if row[0] != 3]


@pytest.mark.system
def test_somebody_without_the_right_is_told_and_nothing_changes(postgres: Any, decided: Decided, images: Path) -> None:
    url = postgres.create()
    hall = Hall(url, "postgresql", '"')
    hall.fill(2)
    hall.tell("DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN", "GRANT SELECT ON petition TO reader")
    theirs = Hall(url.replace("postgres@", "reader@"), "postgresql", '"')
    run = run_of(theirs, decided, {"category": "old label"})
    with pytest.raises(InputError, match=r"reader@.* 表 petition：没有权限（permission denied for table petition）"):
        in_place(theirs.url, run.plan, images)
    hall.tell("GRANT UPDATE ON petition TO reader")
    with pytest.raises(InputError, match="不能给表加列（ALTER）"):
        in_place(theirs.url, run.plan, images)
    only = run_of(theirs, decided, {"category": "old label"}, own=False)
    finished(theirs, only, images)
    assert {row[0]: [row[2]] for row in hall.ask(ALL)} == spooled(only)
    theirs.close()


def test_a_row_that_others_hold_is_waited_for_and_then_told(
    hall: Hall, decided: Decided, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.fill(2)
    hall.tell('ALTER TABLE "petition" ADD COLUMN "new" VARCHAR(40)')
    run = run_of(hall, decided, {"category": "new"}, own=False)
    monkeypatch.setattr("serving.backlog.database.address.WAIT", 1)
    if hall.kind != "sqlite":
        return  # they wait as long as SETTINGS say: ten seconds are too long for a test
    other = sqlite3.connect(hall.url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(InputError, match="被别的程序锁着"):
        in_place(hall.url, run.plan, images)
    other.execute("ROLLBACK")
    other.close()
    assert finished(hall, run, images).outcome() == Changed(2, 0)
