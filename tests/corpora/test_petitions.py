"""The project's own petitions: valid, labelled, and not written with a stencil."""

from __future__ import annotations

import json
import lzma
import random
from collections import Counter
from itertools import islice
from pathlib import Path
from statistics import mean

import pytest

from corpora.petitions import Row, corpus_hash, read_rows
from nlp.errors import InputError
from nlp.taxonomy import TASKS, Taxonomy

ROW = {"id": "x-1", "title": "", "text": "路灯不亮", "category": "leak", "tier": "community", "clock": "general",
       "type": "help"}  # fmt: skip


@pytest.fixture(scope="module")
def texts(corpus: list[Row]) -> list[str]:
    return [row.text for row in corpus]


def grams(text: str, size: int) -> set[str]:
    return {text[start : start + size] for start in range(len(text) - size + 1)}


def test_every_row_has_labels_of_the_taxonomy_and_something_to_read(corpus: list[Row], taxonomy: Taxonomy) -> None:
    known = {task: set(taxonomy.codes(task)) for task in TASKS}
    wrong = [row.id for row in corpus if any(getattr(row, task) not in known[task] for task in TASKS)]
    assert wrong == []
    assert [row.id for row in corpus if not row.text.strip() or not row.id.strip()] == []


def test_every_number_stands_for_one_row(corpus: list[Row]) -> None:
    assert [number for number, count in Counter(row.id for row in corpus).items() if count > 1] == []


def test_no_text_stands_twice(texts: list[str]) -> None:
    assert [text for text, count in Counter(texts).items() if count > 1] == []


def test_every_category_has_a_hundred_rows(corpus: list[Row], taxonomy: Taxonomy) -> None:
    counts = Counter(row.category for row in corpus)
    assert {code: counts[code] for code in taxonomy.codes("category") if counts[code] < 100} == {}


@pytest.mark.parametrize("task", TASKS)
def test_every_label_has_rows(corpus: list[Row], taxonomy: Taxonomy, task: str) -> None:
    counts = Counter(getattr(row, task) for row in corpus)
    assert [code for code in taxonomy.codes(task) if counts[code] < 20] == []


def alike(texts: list[str], size: int, limit: float) -> list[tuple[int, int]]:
    """The pairs of texts whose runs of `size` characters have a Jaccard index of `limit` or more.

    Two such sets share one of the rarest runs of each: of n runs the n - ceil(limit · n) + 1 rarest are enough.
    """
    sets = [grams(text, size) for text in texts]
    frequency = Counter(gram for each in sets for gram in each)
    holders: dict[str, list[int]] = {}
    found = []
    for number, each in enumerate(sets):
        rarest = sorted(each, key=lambda gram: (frequency[gram], gram))
        near: set[int] = set()
        for gram in rarest[: len(each) - -(-int(limit * 100) * len(each) // 100) + 1]:
            if frequency[gram] > 1:
                near.update(holders.setdefault(gram, []))
                holders[gram].append(number)
        found += [(other, number) for other in near if len(each & sets[other]) >= limit * len(each | sets[other])]
    return found


def test_the_search_for_like_texts_finds_what_comparing_all_finds() -> None:
    draw = random.Random(5)  # noqa: S311
    texts = ["".join(draw.choices("水电气路灯噪音", k=draw.randint(4, 9))) for _ in range(120)]
    texts += [text[:-1] + "了" for text in texts[:40]]
    sets = [grams(text, 2) for text in texts]
    slow = {
        (first, second) for second in range(len(texts)) for first in range(second)
        if len(sets[first] & sets[second]) >= 0.35 * len(sets[first] | sets[second])
    }  # fmt: skip
    assert slow
    assert set(alike(texts, 2, 0.35)) == slow


def test_no_two_rows_are_alike(corpus: list[Row], texts: list[str]) -> None:
    assert [(corpus[first].id, corpus[second].id) for first, second in alike(texts, 4, 0.35)] == []


def test_no_opening_is_used_often(texts: list[str]) -> None:
    counts = Counter(text[:6] for text in texts)
    assert {opening: count for opening, count in counts.items() if count > 0.005 * len(texts)} == {}


def test_no_long_run_is_used_often(texts: list[str]) -> None:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(grams(text, 12))
    assert {run: count for run, count in counts.items() if count > 0.003 * len(texts)} == {}


def test_the_text_does_not_compress_like_a_stencil(texts: list[str]) -> None:
    shares = []
    for seed in range(5):
        draw = random.Random(seed)  # noqa: S311
        order = draw.sample(texts, len(texts))
        drawn = "".join(islice((letter for text in order for letter in text), 40_000)).encode()
        shares.append(len(lzma.compress(drawn, preset=9)) / len(drawn))
    assert mean(shares) >= 0.38


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "Expecting"),
        ("[]", ""),
        (json.dumps({**ROW, "colour": "red"}), "colour"),
        (json.dumps({key: value for key, value in ROW.items() if key != "tier"}), "tier"),
        (json.dumps({**ROW, "category": "dragons"}), "dragons"),
        (json.dumps({**ROW, "clock": ["general"]}), "clock"),
        ("", ""),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    good = json.dumps({**ROW, "category": "leak"})
    (tmp_path / "a.jsonl").write_text(f"{good}\n{line}\n{good}\n", encoding="utf-8")
    with pytest.raises(InputError, match="第 2 行") as error:
        read_rows(tmp_path)
    assert str(tmp_path / "a.jsonl") in str(error.value)
    assert reason in str(error.value)


def test_rows_come_by_file_name_and_line(tmp_path: Path) -> None:
    for name in "ba":
        rows = [{**ROW, "category": "leak", "id": f"{name}{number}"} for number in (2, 1)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a row", encoding="utf-8")
    assert [row.id for row in read_rows(tmp_path)] == ["a2", "a1", "b2", "b1"]


def test_the_hash_knows_every_byte_and_every_name(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"{}")
    first = corpus_hash(tmp_path)
    assert corpus_hash(tmp_path) == first
    (tmp_path / "a.jsonl").write_bytes(b"{} ")
    second = corpus_hash(tmp_path)
    (tmp_path / "a.jsonl").rename(tmp_path / "b.jsonl")
    assert len({first, second, corpus_hash(tmp_path)}) == 3
