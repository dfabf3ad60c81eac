"""A whole batch: what goes in comes out as it was, with answers; what cannot be is told before anything is written."""

from __future__ import annotations

import orjson
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from nlp.errors import InputError
from serving.backlog import run
from serving.backlog.answers import HEADINGS, KEYS
from tests.serving.backlog.desk import HEAD, NOW, Desk, read, tickets, written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "big5"])
def test_whatever_encoding_comes_in_utf8_with_a_mark_goes_out(desk: Desk, encoding: str) -> None:
    head = ["編號", "內容"] if encoding == "big5" else ["编号", "内容"]
    text = "樓上漏水，天花板都濕了。" if encoding == "big5" else "楼上漏水，\n天花板都湿了。"
    written(desk / "in.csv", [["7", text]] * 20, head, encoding)
    desk.batch("in.csv", "out.csv", columns={"text": [head[1]]})
    assert (desk / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert read(desk / "out.csv")[1][:2] == ["7", text]


def test_columns_are_shown_and_rows_told(desk: Desk) -> None:
    written(desk / "in.csv", tickets(12))
    desk.batch("in.csv", "out.csv")
    assert "正文 ← 列『诉求内容』" in desk.said[0]
    assert "读了 12 行" in desk.said[-1]
    assert "jiesu undo" in desk.said[-1]


def test_a_dry_run_leaves_a_report_and_no_output(desk: Desk) -> None:
    written(desk / "in.csv", [*tickets(12), ["多", "出", "的", "格", "子", "！"]])
    manifest = desk.batch("in.csv", "out.csv", dry=True)
    assert desk.names == {"in.csv", "out.csv.report"}
    assert manifest["kind"] == "dry-run"
    report = desk / "out.csv.report"
    names = {path.name for path in report.iterdir()}
    assert {"change.html", "change.json", "review.xlsx", "manifest.json", "rejects.csv"} <= names
    assert len(read(report / "rejects.csv")) == 2
    desk.batch("in.csv", "out.csv", dry=True)  # again, in the same place
    assert desk.batch("in.csv", "out.csv")["plan_id"] == manifest["plan_id"]  # what was reviewed is what is done


def test_a_report_of_a_real_run_stands_where_it_was_asked_for(desk: Desk) -> None:
    written(desk / "in.csv", tickets(12))
    manifest = desk.batch("in.csv", "out.csv", report=desk / "变更")
    assert (desk / "变更" / "change.html").exists()
    assert manifest["report"] == "变更"


def test_old_labels_are_learned_once_and_weigh_the_same_in_every_process(desk: Desk) -> None:
    rows = tickets(60)
    for number, row in enumerate(rows):
        row[4] = ("房屋类", "灯光类", "噪声类", "环卫类", "交通类")[number % 5]
    written(desk / "in.csv", rows)
    one = desk.batch("in.csv", "one.csv")
    assert one["plan"]["former"]
    desk.batch("in.csv", "two.csv", workers=2)
    assert (desk / "one.csv").read_bytes() == (desk / "two.csv").read_bytes()


def test_formats_change_by_suffix_and_keep_what_they_can(desk: Desk) -> None:
    written(desk / "in.csv", tickets(12))
    desk.batch("in.csv", "a.xlsx")
    desk.batch("a.xlsx", "b.jsonl", columns={"category": ["一级分类"]})
    (book,) = CalamineWorkbook.from_path(desk / "a.xlsx").sheet_names
    assert CalamineWorkbook.from_path(desk / "a.xlsx").get_sheet_by_name(book).to_python()[0] == [*HEAD, *HEADINGS]
    lines = [orjson.loads(line) for line in (desk / "b.jsonl").read_bytes().splitlines()]
    assert len(lines) == 12
    assert list(lines[0]) == [*HEAD, *HEADINGS, *KEYS]
    assert {line["jiesu_decided_at"] for line in lines} == {NOW}


def test_the_only_sheet_of_a_workbook_keeps_its_name_and_formulas_without_values_are_told(desk: Desk) -> None:
    with xlsxwriter.Workbook(str(desk / "in.xlsx")) as book:
        page = book.add_worksheet("七月")
        for number, cells in enumerate([HEAD, *tickets(3)]):
            page.write_row(number, 0, cells)
    desk.batch("in.xlsx", "out.xlsx")
    assert CalamineWorkbook.from_path(desk / "out.xlsx").sheet_names == ["七月"]
    with xlsxwriter.Workbook(str(desk / "sums.xlsx")) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEAD)
        page.write_row(1, 0, tickets(1)[0])
        page.write_formula(1, 2, '="楼上"&"漏水"', value="")
    with pytest.raises(InputError, match="公式"):
        desk.batch("sums.xlsx", "sums-out.xlsx")


def test_a_model_without_an_encoder_answers_high_as_fast_and_says_so(desk: Desk) -> None:
    written(desk / "in.csv", tickets(3))
    manifest = desk.batch("in.csv", "out.csv", high=True)
    assert manifest["plan"]["high"] is False
    assert any("没有编码器" in words for words in desk.said)


@pytest.mark.parametrize(
    ("source", "out", "given", "words"),
    [
        ("in.csv", "in.csv", {}, "输出不能就是输入"),
        ("in.csv", "out.docx", {}, "不写这种文件"),
        ("in.csv", "out", {}, "没有"),
        ("none.csv", "out.csv", {}, "打不开"),
        ("in.csv", "out.xlsx", {"encoding": "gbk"}, "只用于 CSV"),
        ("in.csv", "out.csv", {"encoding": "klingon"}, "klingon"),
        ("in.csv", "out.csv", {"encoding": "utf-16"}, "utf-16"),
        ("in.csv", "out.csv", {"columns": {"text": ["没有的列"]}}, "没有的列"),
        ("in.csv", "nowhere/out.csv", {}, "不能建立"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_written(
    desk: Desk, source: str, out: str, given: dict[str, object], words: str
) -> None:
    written(desk / "in.csv", tickets(3))
    with pytest.raises(InputError, match=words) as refused:
        desk.batch(source, out, **given)
    assert refused.value.exit_code == 2
    assert desk.names == {"in.csv"}


def test_a_character_that_the_output_lacks_leaves_nothing_under_the_name(desk: Desk) -> None:
    written(desk / "in.csv", [["7", "好😀，楼上漏水"]], ["编号", "内容"])
    with pytest.raises(InputError, match="第 2 行"):
        desk.batch("in.csv", "out.csv", encoding="gbk")
    assert not (desk / "out.csv").exists()
    desk.batch("in.csv", "out.csv", encoding="gb18030", restart=True)
    assert read(desk / "out.csv", "gb18030")[1][1] == "好😀，楼上漏水"


def test_an_input_that_changes_while_it_is_read_gives_no_output(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    written(desk / "in.csv", tickets(30))
    whole = run.record

    def meddle(*given: object) -> None:
        with (desk / "in.csv").open("a", encoding="utf-8") as file:
            file.write("迟来的,一,行,,\n")
        whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "record", meddle)
    with pytest.raises(InputError, match="变了"):
        desk.batch("in.csv", "out.csv")
    assert not (desk / "out.csv").exists()
