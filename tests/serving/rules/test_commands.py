"""The commands of the rules, as an official calls them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nlp.files import RULES

NOW = "2026-11-23T09:12:03+08:00"
LEAK = {
    "id": "L1", "text": "楼上卫生间一直往我家滴水，找物业说让我们自己协商，电话13800138000。",
    "category": "leak", "tier": "community", "clock": "general", "type": "help", "received_at": NOW,
}  # fmt: skip
STALLS = {
    **LEAK,
    "id": "S1",
    "text": "路口有摊贩占道，人行道走不了人。",
    "category": "street_vending",
    "tier": "street",
}
Run = Callable[..., Any]
Lines = Callable[[list[dict[str, Any]]], bytes]


@pytest.fixture
def file(tmp_path: Path, lines: Lines) -> Path:
    path = tmp_path / "petitions.jsonl"
    path.write_bytes(lines([LEAK, STALLS]))
    return path


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return Path(shutil.copy(RULES / "catalogue.csv", tmp_path / "catalogue.csv"))


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_explain_tells_each_rule_and_what_came_of_it(run: Run, file: Path) -> None:
    done = run("route", "explain", file, "--id", "L1", "--profile", "wenjiang")
    assert done.returncode == 0
    for told in (
        "漏水渗水",
        "社区·村",
        "leak-05",
        "社区党委",
        "群众自治协商",
        "2026-11-30T09:12:03+08:00",
        "街道党工委",
    ):
        assert told in done.stdout
    assert "13800138000" not in done.stdout


def test_explain_reads_a_decision_as_it_was_given(run: Run, decide: Run, file: Path, tmp_path: Path) -> None:
    (tmp_path / "decided.jsonl").write_text(decide(file).stdout, encoding="utf-8")
    decision = json.loads((tmp_path / "decided.jsonl").read_text(encoding="utf-8").splitlines()[0])
    done = run("route", "explain", tmp_path / "decided.jsonl", "--id", "L1")
    assert done.returncode == 0
    assert decision["category"]["name"] in done.stdout
    assert decision["route"]["unit"] in done.stdout


def test_explain_decides_a_petition_without_codes(run: Run, tmp_path: Path, lines: Lines, model_folder: Path) -> None:
    (tmp_path / "plain.jsonl").write_bytes(lines([{"id": "P1", "text": LEAK["text"]}]))
    done = run("route", "explain", tmp_path / "plain.jsonl", "--id", "P1", "--model", model_folder, "--now", NOW)
    assert done.returncode == 0
    assert "认定：" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--id", "nobody"), "没有编号为 nobody 的诉求"),
        (("--id", "L1", "--profile", "atlantis"), "atlantis"),
        (("--id", "L1", "--now", "yesterday"), "ISO 8601"),
    ],
)
def test_explain_names_what_it_cannot_do(run: Run, file: Path, arguments: tuple[str, ...], reason: str) -> None:
    done = run("route", "explain", file, *arguments)
    assert done.returncode == 2
    assert reason in done.stderr


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b'{"id": "1"}', b'{"id": 1, "text": "x"}', b'{"decision_id": "x", "id": "1"}']
)
def test_a_line_that_cannot_be_read_is_named(run: Run, tmp_path: Path, lines: Lines, line: bytes) -> None:
    (tmp_path / "bad.jsonl").write_bytes(lines([LEAK]) + line + b"\n")
    done = run("route", "explain", tmp_path / "bad.jsonl", "--id", "L1")
    assert done.returncode == 2
    assert "bad.jsonl 第 2 行" in done.stderr


def test_replay_shows_what_a_new_catalogue_changes_and_nothing_else(run: Run, file: Path, catalogue: Path) -> None:
    same = run("route", "replay", file, "--catalogue", catalogue)
    assert same.returncode == 0
    assert "2 件诉求，0 件事的派单会变" in same.stdout
    change(
        catalogue,
        "street_vending-04,1,street_vending,,,,,,综合行政执法队",
        "street_vending-04,2,street_vending,,,,,,社区建设办",
    )
    done = run("route", "replay", file, "--catalogue", catalogue, "--out", catalogue.with_name("changes.jsonl"))
    assert "1 件事的派单会变" in done.stdout
    assert "街道（社区建设办）" in done.stdout
    written = [json.loads(row) for row in catalogue.with_name("changes.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["id"], row["before"]["unit"], row["after"]["unit"]) for row in written] == [
        ("S1", "街道（综合行政执法队）", "街道（社区建设办）")
    ]  # fmt: skip


def test_a_returned_ticket_goes_to_somebody_else(run: Run, file: Path) -> None:
    unit = "街道（综合行政执法队）"
    done = run("route", "return", file, "--id", "S1", "--unit", unit, "--reason", "需上级支持，我队无法解决")
    assert done.returncode == 0
    assert "区县部门（城市管理局）" in done.stdout
    assert "应报督办" in done.stdout
    assert "不重新起算" in done.stdout


def test_every_return_needs_its_reason(run: Run, file: Path) -> None:
    done = run("route", "return", file, "--id", "S1", "--unit", "甲", "--unit", "乙", "--reason", "不归我管")
    assert done.returncode == 2
    assert "--reason" in done.stderr


def test_compare_puts_all_nine_systems_side_by_side(run: Run, file: Path) -> None:
    done = run("route", "compare", file)
    assert done.returncode == 0
    heads = [line for line in done.stdout.splitlines() if line.startswith("| | ")]
    assert len(heads) == 2
    assert all(head.count("`") == 18 for head in heads)


def test_the_shipped_catalogue_has_no_fault(run: Run) -> None:
    done = run("catalogue", "check", "--now", NOW)
    assert (done.returncode, done.stdout) == (0, "")
    assert "0 处问题" in done.stderr


def test_faults_of_a_catalogue_are_told_with_their_lines(run: Run, catalogue: Path) -> None:
    rows = catalogue.read_text(encoding="utf-8").splitlines()
    line = next(number for number, row in enumerate(rows, 1) if row.startswith("leak-05"))
    rows.insert(line, "leak-06,1,leak,,community,,,,属地,,,,,,,2026-01-01,")
    rows.insert(line + 1, "leak-07,1,leak,,,,,屋顶,属地,,,,,,,2025-01-01,2025-12-31")
    catalogue.write_text("\n".join(row for row in rows if not row.startswith("noise-")) + "\n", encoding="utf-8")
    done = run("catalogue", "check", catalogue, "--now", NOW)
    assert done.returncode == 2
    assert f"第 {line + 1} 行：不可达：leak-06" in done.stdout
    assert f"第 {line + 2} 行：过期：leak-07" in done.stdout
    assert "缺口：noise（噪音扰民）" in done.stdout


def test_a_broken_catalogue_is_refused_with_line_and_column(run: Run, catalogue: Path) -> None:
    change(catalogue, "leak-02,1,leak,,city", "leak-02,1,leak,,metropolis")
    done = run("catalogue", "check", catalogue)
    assert done.returncode == 2
    assert "第 3 行" in done.stderr
    assert "层级条件" in done.stderr
    assert "metropolis" in done.stderr


def test_codes_of_a_city_are_looked_up_and_unknown_ones_named(run: Run) -> None:
    done = run("catalogue", "codes", "yuncheng", "0406", "9999")
    assert done.stdout.split() == ["0406", "street_vending", "占道经营"]
    assert done.returncode == 2
    assert "9999" in done.stderr
    assert run("catalogue", "codes", "cjt214").returncode == 0
    assert "yuncheng" in run("catalogue", "codes", "nowhere").stderr


@pytest.mark.parametrize("profile", sorted(path.stem for path in (RULES / "profiles").glob("*.toml")))
def test_decide_routes_under_every_profile(decide: Run, file: Path, profile: str) -> None:
    done = decide(file, "--profile", profile)
    assert (done.returncode, done.stderr) == (0, "")
    for line in done.stdout.splitlines():
        route = json.loads(line)["route"]
        assert route["profile"] == profile
        assert all(route[field] for field in ("start", "unit", "chain", "mode", "way", "steps", "due", "rule"))


def test_rules_of_the_office_go_before_the_shipped_ones(
    decide: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "office").mkdir()
    own = "名称,类型,社区,街道,区县\n人民路,道路,航天社区,永宁街道,温江区\n"
    (tmp_path / "office" / "gazetteer.csv").write_text(own, encoding="utf-8")
    monkeypatch.setenv("JIESU_RULES", str(tmp_path / "office"))
    petition = {"id": "1", "text": "人民路有摊贩占道", "received_at": NOW}
    done = decide(stdin=json.dumps(petition, ensure_ascii=False).encode())
    place = json.loads(done.stdout)["places"][0]
    assert (place["text"], place["unit"]) == ("人民路", "航天社区")


def test_a_broken_rule_file_of_the_office_is_named(
    decide: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "office" / "profiles").mkdir(parents=True)
    text = (RULES / "profiles" / "plain.toml").read_text(encoding="utf-8")
    broken = text.replace('unit = "街道"', 'untt = "街道"')
    (tmp_path / "office" / "profiles" / "plain.toml").write_text(broken, encoding="utf-8")
    monkeypatch.setenv("JIESU_RULES", str(tmp_path / "office"))
    done = decide(file)
    line = next(number for number, row in enumerate(broken.splitlines(), 1) if "untt" in row)
    assert done.returncode == 2
    assert f"plain.toml 第 {line} 行" in done.stderr
    assert done.stdout == ""


def test_replay_may_write_over_what_it_reads_only_when_it_has_read_it(run: Run, file: Path, catalogue: Path) -> None:
    done = run("route", "replay", file, "--catalogue", catalogue, "--out", file)
    assert done.returncode == 0
    assert "2 件诉求" in done.stdout
    nowhere = run("route", "replay", file, "--catalogue", catalogue, "--out", file.parent / "no" / "folder.jsonl")
    assert nowhere.returncode == 2
    assert "folder.jsonl" in nowhere.stderr


def test_a_code_that_nobody_knows_is_named_with_its_line(run: Run, tmp_path: Path, lines: Lines) -> None:
    (tmp_path / "codes.jsonl").write_bytes(lines([LEAK, {**LEAK, "id": "L2", "tier": "galaxy"}]))
    done = run("route", "explain", tmp_path / "codes.jsonl", "--id", "L2")
    assert done.returncode == 2
    assert "第 2 行，tier" in done.stderr
    assert "galaxy" in done.stderr


def test_codes_of_a_line_hold_beside_lines_without_codes(
    run: Run, tmp_path: Path, lines: Lines, model_folder: Path
) -> None:
    bare = {"id": "P1", "text": "路灯坏了", "received_at": NOW}
    (tmp_path / "mixed.jsonl").write_bytes(lines([{**LEAK, "category": "finance", "tier": "city"}, bare]))
    done = run("route", "explain", tmp_path / "mixed.jsonl", "--id", "L1", "--model", model_folder)
    assert "金融集资" in done.stdout


def test_compare_masks_titles_too(run: Run, tmp_path: Path, lines: Lines) -> None:
    (tmp_path / "title.jsonl").write_bytes(lines([{**LEAK, "title": "投诉\n电话13800138000"}]))
    done = run("route", "compare", tmp_path / "title.jsonl")
    assert done.returncode == 0
    assert "13800138000" not in done.stdout
    assert "## 投诉" in done.stdout


@pytest.mark.parametrize("wanted", ["[/b]1", "[red]x"])
def test_brackets_in_numbers_and_units_are_no_markup(run: Run, tmp_path: Path, lines: Lines, wanted: str) -> None:
    (tmp_path / "odd.jsonl").write_bytes(lines([{**STALLS, "id": wanted}]))
    done = run(
        "route", "return", tmp_path / "odd.jsonl", "--id", wanted, "--unit", "执法队[/b]", "--reason", "不归我管"
    )
    assert done.returncode == 0
    assert run("route", "explain", tmp_path / "odd.jsonl", "--id", wanted).returncode == 0


def test_the_main_code_of_a_category_is_told(run: Run) -> None:
    assert run("catalogue", "codes", "yuncheng", "street_vending").stdout.split() == [
        "0406",
        "street_vending",
        "占道经营",
    ]
