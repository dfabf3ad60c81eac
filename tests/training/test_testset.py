"""The frozen test set: drawn once, read as it was written, left out of every training."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from nlp.errors import InputError
from nlp.petition import Petition
from training import testset
from training.dataset import Dataset
from training.testset import Draw

STREETS = [f"{a}{b}{c}路" for a in "东西南北上下" for b in "云水山石林" for c in "安平和顺昌"]


def made(count: int = 150, **more: object) -> Dataset:
    petitions = [
        Petition(f"n{n}", f"{STREETS[n]}的路灯连着好几晚都不亮，老人出门看不清路。", "路灯") for n in range(count)
    ]
    codes = [("lamp", "leak", "noise")[n % 3] for n in range(count)]
    return replace(Dataset(petitions, {"category": codes}, "工单.csv", "0" * 64), **more)  # type: ignore[arg-type]


def test_what_was_frozen_is_read_as_it_was(tmp_path: Path) -> None:
    dataset = made()
    manifest = testset.freeze(dataset, tmp_path)
    assert (manifest["of"], manifest["by"]) == (150, "category")
    assert 27 <= manifest["rows"] <= 30
    read = testset.read(tmp_path)
    assert read.hash == manifest["hash"]
    there = {petition.id: (petition, code) for petition, code in zip(*_pairs(dataset), strict=True)}
    assert len(read) == manifest["rows"]
    for petition, code in zip(*_pairs(read), strict=True):
        assert there[petition.id] == (petition, code)
    assert manifest["classes"]["category"] == {
        c: read.labels["category"].count(c) for c in manifest["classes"]["category"]
    }


def _pairs(dataset: Dataset) -> tuple[list[Petition], list[str]]:
    return list(dataset.petitions), list(dataset.labels["category"])


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    testset.freeze(made(), tmp_path)
    folder = testset.folder_of(tmp_path)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert [path.name for path in tmp_path.iterdir()] == ["test-set"]


def test_the_same_data_draws_the_same_rows(tmp_path: Path) -> None:
    first, second = (testset.freeze(made(), tmp_path / name) for name in "ab")
    assert first["hash"] == second["hash"]


def test_groups_stay_whole_and_the_size_is_kept(tmp_path: Path) -> None:
    groups = [str(n // 7) for n in range(150)]
    manifest = testset.freeze(made(groups=groups), tmp_path, Draw(at_most=25))
    assert 20 <= manifest["rows"] <= 25
    drawn = {int(petition.id[1:]) for petition in testset.read(tmp_path).petitions}
    for group in {groups[n] for n in drawn}:
        assert {n for n in range(150) if groups[n] == group} <= drawn


def test_where_times_are_known_the_latest_are_drawn(tmp_path: Path) -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    times = [None if n % 10 == 0 else day + timedelta(days=n * 7 % 150) for n in range(150)]
    manifest = testset.freeze(made(times=times), tmp_path)
    assert (manifest["by"], "按时间" in manifest["drawn"]) == ("time", True)
    drawn = {int(petition.id[1:]) for petition in testset.read(tmp_path).petitions}
    known = [(times[n], n in drawn) for n in range(150) if times[n]]
    assert min(time for time, inside in known if inside) > max(time for time, inside in known if not inside)


def test_a_second_freeze_needs_a_reason_and_is_remembered(tmp_path: Path) -> None:
    first = testset.freeze(made(), tmp_path)
    with pytest.raises(InputError, match="--again"):
        testset.freeze(made(), tmp_path)
    with pytest.raises(InputError, match="--reason"):
        testset.freeze(made(), tmp_path, Draw(again=True, reason=" 换 "))
    assert testset.read(tmp_path).hash == first["hash"]
    second = testset.freeze(made(), tmp_path, Draw(again=True, reason="分类体系换了"))
    assert second["hash"] != first["hash"]
    assert [earlier["hash"] for earlier in second["before"]] == [first["hash"]]
    assert testset.read(tmp_path).hash == second["hash"]


@pytest.mark.parametrize(
    ("draw", "named"),
    [(Draw(share=0), "--share"), (Draw(share=1), "--share"), (Draw(share=-1), "--share"),
     (Draw(share=float("nan")), "--share"), (Draw(at_most=3), "--at-most"), (Draw(share=0.05), "工单.csv")],
)  # fmt: skip
def test_a_draw_that_makes_no_test_set_is_refused(tmp_path: Path, draw: Draw, named: str) -> None:
    with pytest.raises(InputError, match=named):
        testset.freeze(made(), tmp_path, draw)
    assert list(tmp_path.iterdir()) == []


def test_rows_without_a_label_are_not_drawn(tmp_path: Path) -> None:
    codes = ["lamp" if n % 2 else "" for n in range(150)]
    manifest = testset.freeze(made(labels={"category": codes}), tmp_path, Draw(share=0.5))
    assert manifest["of"] == 75
    assert "" not in testset.read(tmp_path).labels["category"]


def test_without_a_test_set_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="jiesu test-set freeze"):
        testset.read(tmp_path)
    dataset = made()
    assert testset.without(dataset, tmp_path) == (dataset, [])


@pytest.mark.parametrize("name", ["rows.jsonl", "manifest.json"])
def test_a_test_set_that_was_changed_or_broken_is_refused(tmp_path: Path, name: str) -> None:
    testset.freeze(made(), tmp_path)
    path = testset.folder_of(tmp_path) / name
    path.write_bytes(path.read_bytes()[:-40])
    for asked in (lambda: testset.read(tmp_path), lambda: testset.without(made(), tmp_path)):
        with pytest.raises(InputError, match=name):
            asked()
    path.unlink()
    with pytest.raises(InputError, match=name):
        testset.read(tmp_path)


def test_training_gets_what_is_not_frozen(tmp_path: Path) -> None:
    dataset = made()
    testset.freeze(dataset, tmp_path)
    frozen = {petition.id for petition in testset.read(tmp_path).petitions}
    rest, out = testset.without(dataset, tmp_path)
    assert {dataset.petitions[row].id for row in out} == frozen
    assert {petition.id for petition in rest.petitions}.isdisjoint(frozen)
    assert len(rest) + len(out) == len(dataset)


def test_what_reads_the_same_is_left_out_however_it_is_written(tmp_path: Path) -> None:
    testset.freeze(made(), tmp_path)
    first, *_ = testset.read(tmp_path).petitions
    twins = [
        replace(first, id="a", text=first.text.replace("，", ",") + "  "),
        replace(first, id="b", text="市民来电反映：" + first.text, title="别的标题"),
        replace(first, id="c", text="".join(chr(ord(c) + 0xFEE0) if "0" <= c <= "9" else c for c in first.text)),
    ]
    other = Petition("d", "三号楼的水管裂了，水流到了楼道里。")
    dataset = Dataset([*twins, other], {"category": ["leak"] * 4}, "t", "")
    rest, out = testset.without(dataset, tmp_path)
    assert (out, [petition.id for petition in rest.petitions]) == ([0, 1, 2], ["d"])


def test_the_group_of_a_frozen_row_is_left_out_with_it(tmp_path: Path) -> None:
    testset.freeze(made(), tmp_path)
    first, *_ = testset.read(tmp_path).petitions
    near = Petition("b", first.text.replace("好几晚", "许多晚"))
    other = Petition("c", "三号楼的水管裂了，水流到了楼道里。")
    dataset = Dataset([first, near, other], {"category": ["lamp"] * 3}, "t", "", ["1", "1", "2"])
    assert testset.without(dataset, tmp_path)[1] == [0, 1]


def test_a_short_text_is_told_apart_by_its_title() -> None:
    short = [Petition("1", "同上", "路灯不亮"), Petition("2", "同上", "水管漏水"), Petition("3", "同上", "路灯不亮")]
    first, second, third = testset.keys(short)
    assert first == third != second


def test_the_keys_are_many_and_quick() -> None:
    assert len(set(testset.keys(made().petitions))) == 150


def test_the_manifest_holds_no_text(tmp_path: Path) -> None:
    testset.freeze(made(), tmp_path)
    told = json.loads((testset.folder_of(tmp_path) / "manifest.json").read_text(encoding="utf-8"))
    assert not any(street in json.dumps(told, ensure_ascii=False) for street in STREETS)
    assert np.sum(list(told["classes"]["category"].values())) == told["rows"]
