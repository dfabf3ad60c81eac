"""What old labels say is learned in one pass, the same each time, and weighed by every decision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from corpora.petitions import Row as Written
from corpora.rows.row import Row
from nlp.decider import Decider
from nlp.errors import InputError
from nlp.former import Former
from nlp.taxonomy import Taxonomy
from serving.backlog import former
from serving.backlog.deciding import Deciding
from serving.backlog.former import learned, opened, save
from tests.serving.backlog.backlog import Listed, decided, plan_of, row_of


@pytest.fixture(scope="module")
def source(corpus: list[Written], taxonomy: Taxonomy) -> Listed:
    """Letters that the small model has hardly learned, under the parents of their categories."""
    rows = [row_of(number, one, taxonomy.paths[one.category][0]) for number, one in enumerate(corpus[-900:], 2)]
    rows[3] = Row(5, (), "列数不对")
    rows[4] = row_of(6, corpus[0], "")
    rows[5] = row_of(7, corpus[0], "偶见")
    return Listed(rows)


@pytest.fixture(scope="module")
def known(source: Listed, decider: Decider) -> Former:
    found = learned(source, plan_of(), decider)
    assert found is not None
    return found


def test_it_is_learned_in_one_pass_and_the_same_each_time(source: Listed, decider: Decider, known: Former) -> None:
    again, told = Listed(source.held), list[int]()
    found = learned(again, plan_of(), decider, told.append)
    assert found is not None
    assert found.digest == known.digest
    assert again.read == 1
    assert sum(told) == 900
    assert "偶见" not in known


def test_rows_are_drawn_where_there_are_many(
    source: Listed, decider: Decider, known: Former, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(former, "MOST", 300)
    first, second = (learned(Listed(source.held), plan_of(), decider) for _ in range(2))
    assert first is not None
    assert second is not None
    assert sum(first.counts) <= 300 < sum(known.counts)
    assert first.digest == second.digest


def test_without_old_labels_nothing_is_learned(source: Listed, decider: Decider) -> None:
    unread = Listed(source.held)
    assert learned(unread, plan_of(without="category"), decider) is None
    assert unread.read == 0
    assert learned(Listed([]), plan_of(), decider) is None
    assert learned(Listed([Row(1, (), "坏")]), plan_of(), decider) is None


def test_decisions_weigh_the_old_label(source: Listed, decider: Decider, known: Former, corpus: list[Written]) -> None:
    rows = [row for row in source.held if not row.reason and row.cells[3] not in ("", "偶见")]
    true = {one.id: one.category for one in corpus[-900:]}

    def right(answers: list) -> float:  # type: ignore[type-arg]
        return sum(one.decision.category.code == true[one.row.cells[0]] for one in answers) / len(answers)

    text, both = decided(decider, rows), Deciding(plan_of(), decider, known).answered(rows)
    assert right(both) > right(text) + 0.05
    lone = [row for row in source.held if not row.reason and row.cells[3] in ("", "偶见")]
    assert Deciding(plan_of(), decider, known).answered(lone) == decided(decider, lone)


def test_it_is_kept_as_the_same_bytes(known: Former, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.json", "b.json")]
    save(known, paths[0])
    save(replace(known), paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert opened(paths[0]).digest == known.digest


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"labels": 3, "categories": [], "counts": []}'])
def test_a_broken_file_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "former.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"former\.json"):
        opened(path)
    with pytest.raises(InputError, match="打不开"):
        opened(tmp_path / "none.json")
