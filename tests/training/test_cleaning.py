"""Cleaning loses nothing unsaid: what is dropped, merged and grouped adds up to what was given."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.petition import Petition
from training.cleaning import Cleaned, clean, is_chinese, majority
from training.dataset import Dataset

LEAK = "云溪区柳树巷八号楼的楼顶一到下雨天就漏水，雨水顺着墙往下流，家里的天花板已经发黄发霉，物业来看过两次都没有修好"
NOISE = "夜里十一点以后楼下的烧烤店还在放音乐，吵得老人和孩子都睡不着觉，希望有人去管一管"
TEXTS = [
    LEAK,
    NOISE,
    LEAK + "，盼尽快",
    NOISE.replace("烧烤店", "歌厅"),
    "",
    "   ",
    "The lift is broken again",
    "12345",
]


def labelled(*rows: tuple[str, str], groups: tuple[str, ...] = (), tier: tuple[str, ...] = ()) -> Dataset:
    labels = {"category": [label for _, label in rows]} | ({"tier": list(tier)} if tier else {})
    petitions = [Petition(str(number), text) for number, (text, _) in enumerate(rows)]
    return Dataset(petitions, labels, "工单.csv", "0", groups, lines=range(2, len(rows) + 2))


def found(cleaned: Cleaned) -> list[tuple[str, int, list[int]]]:
    return [(finding.kind, finding.count, list(finding.lines)) for finding in cleaned.findings]


def test_clean_data_stay_as_they_are() -> None:
    dataset = labelled((LEAK, "leak"), (NOISE, "noise"))
    cleaned = clean(dataset)
    assert found(cleaned) == []
    assert cleaned.dataset.petitions == dataset.petitions
    assert not cleaned.dataset.groups


@pytest.mark.parametrize(
    ("text", "label", "kind"),
    [
        ("", "leak", "dropped"),
        (" \n\u3000", "leak", "dropped"),
        ("请尽快处理。谢谢", "leak", "dropped"),
        ("！！……😡", "leak", "dropped"),
        (NOISE, "", "dropped"),
        ("The lift in building 3 is broken again", "leak", "not_chinese"),
        ("水 is leaking from the roof of our house", "leak", "not_chinese"),
    ],
)
def test_rows_that_teach_nothing_are_left_out_with_their_line(text: str, label: str, kind: str) -> None:
    cleaned = clean(labelled((LEAK, "leak"), (text, label)))
    assert found(cleaned) == [(kind, 1, [3])]
    assert list(cleaned.kept) == [0]


@pytest.mark.parametrize("text", ["小区wifi坏了", "12345", "3-2-501", "龘靐齉", "〇𠮷", "！？", ""])
def test_what_has_enough_han_or_no_letters_is_chinese(text: str) -> None:
    assert is_chinese(text)


@pytest.mark.parametrize("text", ["hello", "となりがうるさくてこまります", "水abcde", "привет"])
def test_what_has_too_few_han_is_not(text: str) -> None:
    assert not is_chinese(text)


def test_the_same_text_with_the_same_label_is_one() -> None:
    dataset = labelled((LEAK, "leak"), (f"您好，{LEAK.replace('，', ',')}", "leak"), (NOISE, "noise"))
    cleaned = clean(dataset)
    assert found(cleaned) == [("duplicate", 1, [3])]
    assert list(cleaned.kept) == [0, 2]


def test_texts_that_differ_in_personal_data_only_are_the_same() -> None:
    one, other = (f"{LEAK}，电话{number}" for number in ("13800001111", "13900002222"))
    assert len(clean(labelled((one, "leak"), (other, "leak"))).dataset) == 1


def test_the_majority_settles_a_conflict() -> None:
    cleaned = clean(labelled((LEAK, "noise"), (LEAK, "leak"), (NOISE, "noise"), (LEAK, "leak")))
    assert cleaned.dataset.labels == {"category": ["leak", "noise"]}
    assert ("conflict", 1, [2, 3, 5]) in found(cleaned)
    (conflict,) = cleaned.conflicts
    assert (conflict.lines, conflict.labels, conflict.kept) == ([2, 3, 5], {"'leak'": 2, "'noise'": 1}, "'leak'")
    assert "第 2、3、5 行，类别：'leak' 2 次、'noise' 1 次；按多数取 'leak'" in conflict.told
    assert "漏水" not in conflict.told


def test_a_tie_leaves_no_label_and_without_any_the_row_goes() -> None:
    rows = ((LEAK, "noise"), (LEAK, "leak"), (NOISE, "noise"))
    alone = clean(labelled(*rows))
    assert [petition.id for petition in alone.dataset.petitions] == ["2"]
    assert ("dropped", 1, [2]) in found(alone)
    assert not alone.conflicts[0].kept
    with_tier = clean(labelled(*rows, tier=("grid", "", "")))
    assert with_tier.dataset.labels == {"category": ["", "noise"], "tier": ["grid", ""]}


def test_near_duplicates_are_one_group() -> None:
    near = LEAK.replace("八号楼", "九号楼")
    cleaned = clean(labelled((LEAK, "leak"), (NOISE, "noise"), (near, "leak")))
    numbers = cleaned.dataset.group_numbers
    assert numbers[0] == numbers[2] != numbers[1]
    assert ("duplicate", 2, [2, 4]) in found(cleaned)


def test_groups_of_the_data_join_those_of_near_duplicates() -> None:
    rows = (
        (LEAK, "leak"),
        (NOISE, "noise"),
        (LEAK.replace("八", "九"), "leak"),
        ("井盖丢了一个", "road"),
        ("灯坏", "light"),
    )
    cleaned = clean(labelled(*rows, groups=("甲", "乙", "乙", "丙", "丁")))
    numbers = cleaned.dataset.group_numbers.tolist()
    assert numbers[0] == numbers[1] == numbers[2]
    assert len(set(numbers)) == 3


def test_a_merged_row_joins_the_groups_of_both() -> None:
    rows = ((LEAK, "leak"), (LEAK, "leak"), (NOISE, "noise"), ("井盖丢了一个没人管", "road"))
    cleaned = clean(labelled(*rows, groups=("甲", "乙", "乙", "丙")))
    numbers = cleaned.dataset.group_numbers.tolist()
    assert numbers[0] == numbers[1] != numbers[2]


def test_times_and_lines_go_with_their_rows() -> None:
    dataset = labelled(("", "leak"), (NOISE, "noise"))
    day = datetime(2024, 3, 5, tzinfo=UTC)
    timed = Dataset(dataset.petitions, dataset.labels, "a", "0", times=[None, day], lines=[2, 7])
    cleaned = clean(timed).dataset
    assert (cleaned.times, cleaned.lines) == ([day], [7])


def test_at_most_twenty_lines_are_named() -> None:
    cleaned = clean(labelled(*[("", "leak")] * 50))
    assert found(cleaned) == [("dropped", 50, list(range(2, 22)))]
    assert len(cleaned.dataset) == 0
    assert cleaned.dataset.labels == {}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from(["", "a", "b"])), max_size=14))
def test_nothing_is_lost_unsaid(rows: list[tuple[str, str]]) -> None:
    cleaned = clean(labelled(*rows))
    gone = [f for f in cleaned.findings if f.kind in ("dropped", "not_chinese") or "合成" in f.told]
    assert len(cleaned.dataset) + sum(finding.count for finding in gone) == len(rows)
    assert [rows[row][0] for row in cleaned.kept] == [petition.text for petition in cleaned.dataset.petitions]
    assert all(any(given) for given in zip(*cleaned.dataset.labels.values(), strict=True))
    assert found(clean(cleaned.dataset)) == [each for each in found(clean(cleaned.dataset)) if each[0] == "duplicate"]


@given(st.lists(st.sampled_from("abc")))
def test_the_majority_is_one_that_nobody_matches(votes: list[str]) -> None:
    counts = Counter(votes)
    best = majority(counts)
    others = [count for label, count in counts.items() if label != best]
    assert all(counts[best] > count for count in others) if best else len(set(counts.values())) < 2 or len(others) > 2


@pytest.mark.parametrize("text", ["13800138000", "123 456", "2024-03-05", "工单 张三"])
def test_numbers_alone_teach_nothing(text: str) -> None:
    cleaned = clean(labelled((text, "灯"), ("路口红绿灯坏了两天", "灯")))
    assert len(cleaned.dataset) == (2 if "工单" in text else 1)
