"""What a run wrote is taken back where nobody has touched it since, and the rest is listed."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from nlp.errors import InputError
from serving.backlog.answers import HEADINGS, KEYS
from serving.backlog.taking import taken_back
from serving.backlog.undo import SEVERAL, located
from tests.serving.backlog.desk import HEAD, Desk, read, tickets, written

ROWS = 25


@pytest.fixture
def done(desk: Desk) -> Desk:
    written(desk / "in.csv", tickets(ROWS))
    desk.batch("in.csv", "out.csv")
    return desk


def undo(desk: Desk, out: str = "out.csv") -> str:
    return taken_back(desk.settings, desk / f"{out}.manifest.json", "", drop_columns=False)


def test_an_untouched_output_goes_and_the_input_stays(done: Desk) -> None:
    before = (done / "in.csv").read_bytes()
    assert f"已经删去（{ROWS} 行）" in undo(done)
    assert not (done / "out.csv").exists()
    assert (done / "in.csv").read_bytes() == before
    with pytest.raises(InputError, match="不在了"):
        undo(done)


def test_changed_rows_stay_and_are_listed_with_their_column(done: Desk) -> None:
    head, *rows = read(done / "out.csv")
    rows[3][2] = "改过的内容"
    rows[5][head.index("接诉_承办单位")] = "另一个单位"
    rows[7][0], rows[7][1] = "a", "b"
    del rows[9]
    written(done / "out.csv", rows, head, encoding="utf-8-sig")
    said = undo(done)
    assert f"去掉了 {ROWS - 4} 行" in said
    assert "3 行写出以后被改过" in said
    assert "1 行已经不在" in said
    listed = read(done / "out.csv.undo.csv")
    assert [row[2] for row in listed[1:]] == ["诉求内容", "接诉_承办单位", SEVERAL]
    assert [row[0] for row in listed[1:]] == ["5", "7", "9"]
    _, *after = read(done / "out.csv")
    assert after[3] == rows[3]
    assert after[0] == [*tickets(ROWS)[0], *[""] * len(HEADINGS)]
    assert "去掉了 0 行" in undo(done)  # done again, nothing more happens


def test_saved_again_with_the_same_cells_every_row_counts_as_untouched(done: Desk) -> None:
    rows = read(done / "out.csv")
    with (done / "out.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    assert "已经删去" in undo(done)


def test_a_column_that_somebody_added_is_kept(done: Desk) -> None:
    head, *rows = read(done / "out.csv")
    written(done / "out.csv", [[*row, "批注"] for row in rows], [*head, "意见"], encoding="utf-8-sig")
    assert f"去掉了 {ROWS} 行" in undo(done)
    after = read(done / "out.csv")
    assert after[0] == [*head, "意见"]
    assert after[1] == [*tickets(1)[0], *[""] * len(HEADINGS), "批注"]


def test_without_its_columns_traces_or_signature_nothing_is_touched(done: Desk) -> None:
    head, *rows = read(done / "out.csv")
    written(done / "out.csv", [row[1:] for row in rows], head[1:], encoding="utf-8-sig")
    with pytest.raises(InputError, match="列被删去"):
        undo(done)
    written(done / "out.csv", rows[1:], head, encoding="utf-8-sig")
    traces = (done / "out.csv.traces").read_bytes()
    (done / "out.csv.traces").write_bytes(traces[:-1])
    with pytest.raises(InputError, match="认不出"):
        undo(done)
    (done / "out.csv.traces").write_bytes(traces)
    path = done / "out.csv.manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"read": 25', b'"read": 26'))
    with pytest.raises(InputError, match="签名"):
        undo(done)
    assert len(read(done / "out.csv")) == ROWS


def test_a_dry_run_has_nothing_to_take_back(desk: Desk) -> None:
    written(desk / "in.csv", tickets(3))
    desk.batch("in.csv", "out.csv", dry=True)
    with pytest.raises(InputError, match="什么也没有改"):
        taken_back(desk.settings, desk / "out.csv.report" / "manifest.json", "", drop_columns=False)


def test_jsonl_rows_are_known_again(desk: Desk) -> None:
    written(desk / "in.csv", tickets(ROWS))
    desk.batch("in.csv", "out.jsonl")
    path = desk / "out.jsonl"
    held = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    held[4]["标题"] = "改了"
    path.write_bytes(b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in held))
    assert "1 行写出以后被改过" in undo(desk, "out.jsonl")
    after = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert after[4] == held[4]
    assert {after[0][key] for key in KEYS} == {None}
    assert after[0]["诉求内容"] == held[0]["诉求内容"]


def test_parquet_rows_are_known_again(desk: Desk) -> None:
    written(desk / "in.csv", tickets(ROWS))
    desk.batch("in.csv", "out.parquet")
    table = pq.read_table(desk / "out.parquet")
    pq.write_table(table.slice(0, 20), desk / "out.parquet")
    said = undo(desk, "out.parquet")
    assert "去掉了 20 行" in said
    assert "5 行已经不在" in said
    after = pq.read_table(desk / "out.parquet")
    assert after.schema.equals(table.schema)
    assert after.column("jiesu_confidence").null_count == 20


def test_a_workbook_saved_by_somebody_else_is_known_again(desk: Desk) -> None:
    written(desk / "in.csv", tickets(ROWS))
    desk.batch("in.csv", "out.xlsx")
    (sheet,) = CalamineWorkbook.from_path(desk / "out.xlsx").sheet_names
    rows = CalamineWorkbook.from_path(desk / "out.xlsx").get_sheet_by_name(sheet).to_python()
    rows[2][1] = "改了"
    with xlsxwriter.Workbook(str(desk / "out.xlsx")) as book:
        page = book.add_worksheet(sheet)
        for number, cells in enumerate(rows):
            page.write_row(number, 0, cells)
    assert "1 行写出以后被改过" in undo(desk, "out.xlsx")
    after = CalamineWorkbook.from_path(desk / "out.xlsx").get_sheet_by_name(sheet).to_python()
    assert after[2][: len(HEAD)] == rows[2][: len(HEAD)]
    assert after[2][-1]
    assert not any(after[1][len(HEAD) :])


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40), st.data())
def test_one_changed_cell_is_located(checks: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(checks) - 1))
    new = data.draw(st.integers(0, 2**32 - 1).filter(lambda value: value != checks[place]))
    names = [str(number) for number in range(len(checks))]
    change = new - checks[place]
    assert located(change, change * (place + 1), names) == str(place)


def test_changes_that_cancel_out_in_the_sum_are_several() -> None:
    assert located(0, 5, ["a", "b"]) == SEVERAL
    assert located(1, 9, ["a", "b"]) == SEVERAL


def test_the_manifest_may_be_moved_together_with_its_output(done: Desk, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in done.names - {"in.csv"}:
        (done / name).rename(moved / name)
    assert "已经删去" in taken_back(done.settings, moved / "out.csv.manifest.json", "", drop_columns=False)
