"""Undoing: every row that nobody has touched is as it was before; the others stay and are listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.errors import InputError
from serving.backlog.answers import KEYS
from serving.backlog.database.apply import in_place
from serving.backlog.database.undo import Undone, undo_table
from tests.serving.backlog.database.conftest import Decided, Hall, placed

ALL = 'SELECT * FROM "petition" ORDER BY "id"'
MAPPED = {"category": "old label"}


@pytest.fixture
def applied(hall: Hall, decided: Decided, tmp_path: Path) -> Path:
    """A table that was changed, old labels too; its before-images."""
    hall.fill(6)
    images = tmp_path / "petition.images"
    run = decided(hall.source(written=[*KEYS, *MAPPED.values()]), placed(MAPPED))
    in_place(hall.url, run.plan, images).finish(run.spool, Path("-"))
    return images


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").splitlines()


def test_everything_is_as_it_was_before(hall: Hall, applied: Path) -> None:
    left = applied.with_name("left.csv")
    assert undo_table(hall.url, applied, left) == Undone(6, 0)
    rows = hall.ask(ALL)
    assert [row[2] for row in rows] == [f"旧{row % 3}" for row in range(1, 7)]
    assert {cell for row in rows for cell in row[3:]} == {None}
    assert lines(left) == ["id,列,原因"]
    assert undo_table(hall.url, applied, left) == Undone(6, 0)
    assert undo_table(hall.url, applied, left, drop_columns=True) == Undone(6, 0, KEYS)
    assert hall.source().columns == ("id", "内容", "old label")
    assert undo_table(hall.url, applied, left, drop_columns=True) == Undone(6, 0)


def test_rows_that_somebody_changed_since_stay_and_are_listed(hall: Hall, applied: Path) -> None:
    hall.tell(
        'UPDATE "petition" SET "old label" = \'人改的\', "jiesu_unit" = \'人改的\' WHERE "id" = 2',
        'DELETE FROM "petition" WHERE "id" = 3',
        'UPDATE "petition" SET "内容" = \'补充\' WHERE "id" = 4',  # no column that was written
        'UPDATE "petition" SET "jiesu_rule" = NULL WHERE "id" = 5',
    )
    left = applied.with_name("left.csv")
    assert undo_table(hall.url, applied, left, drop_columns=True) == Undone(3, 3)
    assert lines(left) == [
        "id,列,原因",
        "2,jiesu_unit、old label,修改以后又被改过",
        "3,,这一行已经不在",
        "5,jiesu_rule,修改以后又被改过",
    ]
    rows = {row[0]: row for row in hall.ask(ALL)}
    assert (rows[1][2], rows[2][2], rows[4][1:3]) == ("旧1", "人改的", ("补充", "旧1"))
    assert rows[5][3] is not None
    assert hall.source().columns[3:] == KEYS


def test_columns_with_something_of_others_are_not_dropped(hall: Hall, applied: Path) -> None:
    hall.tell('INSERT INTO "petition" ("id", "jiesu_unit") VALUES (77, \'别人写的\')')
    assert undo_table(hall.url, applied, applied.with_name("left.csv"), drop_columns=True) == Undone(6, 0)
    assert hall.ask('SELECT "jiesu_unit" FROM "petition" WHERE "id" = 77') == [("别人写的",)]


def test_of_two_runs_the_later_is_undone_first(hall: Hall, decided: Decided, applied: Path) -> None:
    second, left = applied.with_name("second"), applied.with_name("left.csv")
    once = hall.ask(ALL)
    run = decided(hall.source(written=KEYS), placed({}), {"id": ("id",), "text": ("old label",)})
    in_place(hall.url, run.plan, second).finish(run.spool, Path("-"))
    assert undo_table(hall.url, applied, left) == Undone(0, 6)
    assert undo_table(hall.url, second, left) == Undone(6, 0)
    assert hall.ask(ALL) == once
    assert undo_table(hall.url, applied, left) == Undone(6, 0)


def test_a_table_or_column_that_is_gone_is_told(hall: Hall, applied: Path) -> None:
    left = applied.with_name("left.csv")
    hall.tell('ALTER TABLE "petition" RENAME TO "elsewhere"')
    with pytest.raises(InputError, match="表 petition：没有这个表；库里有：elsewhere"):
        undo_table(hall.url, applied, left)
    hall.tell('ALTER TABLE "elsewhere" RENAME TO "petition"', 'ALTER TABLE "petition" DROP COLUMN "old label"')
    with pytest.raises(InputError, match="列 old label：没有这一列，不能撤销"):
        undo_table(hall.url, applied, left)
    assert not left.exists()


def test_an_undo_that_was_interrupted_goes_on(hall: Hall, applied: Path) -> None:
    with pytest.raises(InputError, match="写不了"):
        undo_table(hall.url, applied, applied.with_name("no") / "left.csv")
    hall.tell('UPDATE "petition" SET "old label" = \'旧1\' WHERE "id" = 1')  # half of a row: nobody did that
    assert undo_table(hall.url, applied, applied.with_name("left.csv")) == Undone(5, 1)
