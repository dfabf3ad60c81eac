"""Matters: stretches of sentences, the best path over them, and what a petition of several is answered."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corpora.petitions import Row
from nlp.decider import Decider, Options
from nlp.decision import Decision
from nlp.features import Features, Tokens
from nlp.files import DATA, read_toml
from nlp.heads import Matrix
from nlp.matters import LEAST, Cut, MatterRules, Matters, Stretch, pieced
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.segment import open_segmenter
from nlp.taxonomy import Taxonomy

OPTIONS = Options(now=datetime(2026, 11, 23, 9, 12, 3, tzinfo=timezone(timedelta(hours=8))))
RULES = MatterRules.of(read_toml(DATA / "matters.toml"))


@pytest.fixture(scope="module")
def joined(petitions: list[Row]) -> list[Petition]:
    """Petitions of two and of three categories, each after a cue, with odd characters among them."""
    asked: list[Petition] = []
    count = len(petitions)
    for number, row in enumerate(petitions):
        others = [petitions[(number + step) % count] for step in (7, 19)]
        if len({row.category, *(other.category for other in others)}) == 3:
            texts = [one.text.rstrip("。") for one in (row, *others[: 1 + number % 2])]
            asked.append(Petition(row.id, "。另外，".join(texts) + ("\u200b。😀" if number % 3 else "。"), row.title))
    return asked


@pytest.fixture(scope="module")
def decided(decider: Decider, joined: list[Petition]) -> list[Decision]:
    return decider.decide(joined, OPTIONS)


@pytest.fixture(scope="module")
def matters(model: Model) -> Matters:
    return Matters(model)


def content(decision: Decision) -> dict[str, Any]:
    return {key: value for key, value in asdict(decision).items() if key != "decision_id"}


def test_petitions_of_several_matters_are_told_apart(decided: list[Decision]) -> None:
    """What follows is checked on many of them, and on some of three."""
    counts = [len(decision.matters) for decision in decided]
    assert sum(count > 1 for count in counts) > len(counts) / 2
    assert max(counts) >= 3


def test_the_first_matter_is_the_one_the_petition_is_answered_by(decided: list[Decision]) -> None:
    for decision in decided:
        first = decision.matters[0]
        assert (first.category, first.tier, first.clock) == (
            decision.category.code, decision.tier.code, decision.clock.code,
        )  # fmt: skip
        assert first.route == decision.route


def test_every_matter_has_a_category_of_its_own(decided: list[Decision], taxonomy: Taxonomy) -> None:
    for decision in decided:
        categories = [matter.category for matter in decision.matters]
        assert len(set(categories)) == len(categories)
        assert set(categories) <= set(taxonomy.codes("category"))
        assert all(matter.tier in taxonomy.codes("tier") for matter in decision.matters)
        assert all(matter.clock in taxonomy.codes("clock") for matter in decision.matters)
        assert all(matter.route.unit and matter.route.due for matter in decision.matters)


def test_spans_lie_inside_the_text_and_apart(decided: list[Decision], joined: list[Petition]) -> None:
    for petition, decision in zip(joined, decided, strict=True):
        spans = sorted((matter.start, matter.end) for matter in decision.matters)
        assert all(0 <= start < end <= len(petition.text) for start, end in spans)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
        if len(spans) == 1:
            assert spans == [(0, len(petition.text))]


def test_a_span_begins_and_ends_where_a_sentence_or_a_cue_does(decided: list[Decision], joined: list[Petition]) -> None:
    """Or where the text does that is read, without the phrases of the hotline."""
    cues = tuple(read_toml(DATA / "matters.toml")["cues"])
    texts = Reader().read(joined).texts
    for number, decision in enumerate(decided):
        text = joined[number].text
        edges = texts.source(int(texts.bounds[2 * number + 1]), int(texts.bounds[2 * number + 2]) - 1)
        for place in {place for matter in decision.matters for place in (matter.start, matter.end)}:
            mark = text[:place].rstrip("\u200b \n")[-1:] in tuple("。！？；!?;…")
            assert place in (0, len(text), *edges) or mark or text.startswith(cues, place), (decision.id, place)


def test_the_matters_after_the_first_come_in_the_order_of_the_text(
    matters: Matters, decider: Decider, joined: list[Petition]
) -> None:
    found = stretches(matters, decider, joined)
    assert found
    for held in found.values():
        firsts = [stretch.pieces[0] for stretch in held[1:]]
        assert firsts == sorted(firsts)
        assert all(list(stretch.pieces) == sorted(stretch.pieces) for stretch in held)
        assert len({stretch.category for stretch in held}) == len(held) > 1


def stretches(matters: Matters, decider: Decider, petitions: list[Petition]) -> dict[int, list[Stretch]]:
    features = Features(decider.model.features, open_segmenter())
    texts = Reader().read(petitions).texts
    tokens = features.tokens(texts)
    columns = decider.model.vocabulary.table.columns(tokens.key)
    likely = np.full((len(petitions), len(decider.model.taxonomy.codes("category"))), 0.02)
    for row, decision in enumerate(decider.decide(petitions, OPTIONS)):
        for matter in decision.matters:
            likely[row, decider.model.taxonomy.codes("category").index(matter.category)] = 0.4
    return matters.find(texts, tokens, columns, likely)


def test_a_petition_is_divided_alike_alone_and_in_a_batch(
    decider: Decider, joined: list[Petition], decided: list[Decision]
) -> None:
    for petition, decision in list(zip(joined, decided, strict=True))[::5]:
        assert content(decider.decide([petition], OPTIONS)[0]) == content(decision)
    backwards = decider.decide(joined[::-1], OPTIONS)[::-1]
    assert [content(one) for one in backwards] == [content(one) for one in decided]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "。",
        "漏水",
        "漏水。",
        "漏水。停电。",
        "另外",
        "另外，另外，另外",
        "。。。。。。",
        "😀。😀。😀",
        "\ud800。\ud800",
        "1。2。3。4。5。6。",
    ],
)
def test_a_short_or_empty_text_is_one_matter(decider: Decider, text: str) -> None:
    (decision,) = decider.decide([Petition("1", text)], OPTIONS)
    (matter,) = decision.matters
    assert (matter.start, matter.end, matter.category) == (0, len(text), decision.category.code)


def test_a_sentence_without_an_end_is_one_matter(decider: Decider, petitions: list[Row]) -> None:
    texts = [row.text.translate(str.maketrans("。！？；!?;", "，，，，，，，")) for row in petitions[:60]]
    cues = tuple(read_toml(DATA / "matters.toml")["cues"])
    whole = [Petition("1", text) for text in texts if not any(cue in text for cue in cues)]
    assert whole
    assert all(len(decision.matters) == 1 for decision in decider.decide(whole, OPTIONS))


def test_a_title_is_no_matter_of_its_own(decider: Decider, joined: list[Petition]) -> None:
    bare = [Petition(petition.id, "楼道漏水", petition.text) for petition in joined[:40]]
    for decision in decider.decide(bare, OPTIONS):
        assert [(matter.start, matter.end) for matter in decision.matters] == [(0, 4)]


def test_a_reason_says_where_the_main_matter_is_not_what_the_petition_looked_like(
    decided: list[Decision],
) -> None:
    said = [decision for decision in decided if any("主次请核对" in reason for reason in decision.reasons)]
    assert said
    assert all(len(decision.matters) > 1 and decision.needs_human for decision in said)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_the_longest_run_of_a_stretch_is_told(sizes: list[int], gaps: list[bool]) -> None:
    pieces: list[tuple[int, int]] = []
    place = 0
    for size, gap in zip(sizes, gaps, strict=False):
        place += 3 * gap
        pieces.append((place, place + size))
        place += size
    stretch = Stretch(0, tuple(pieces))
    held = {position for start, end in pieces for position in range(start, end)}
    runs = [
        (start, end) for start, _ in pieces for _, end in pieces if start < end and held.issuperset(range(start, end))
    ]
    assert stretch.longest in runs
    assert stretch.longest[1] - stretch.longest[0] == max(end - start for start, end in runs)


def score(probabilities: Matrix, sizes: list[int], cued: list[bool], path: tuple[int, ...]) -> float:
    """What a path is worth by the docstring: log-probabilities by length, less the cost of every change."""
    worth = 0.0
    for number, place in enumerate(path):
        worth += np.log(max(probabilities[number, place], LEAST)) * min(sizes[number] / RULES.full, 1)
        worth += RULES.whole * (place == 0)
        if number and path[number - 1] != place:
            worth -= RULES.cued if cued[number] else RULES.change
    return worth


petition = st.lists(
    st.tuples(st.integers(1, 60), st.booleans(), st.lists(st.floats(0, 1), min_size=3, max_size=3)),
    min_size=1,
    max_size=6,
)


@given(st.lists(petition, min_size=1, max_size=3))
def test_of_all_paths_the_best_is_taken(matters: Matters, asked: list[Any]) -> None:
    pieces = [piece for one in asked for piece in one]
    lengths = [len(one) for one in asked]
    size = np.array([piece[0] for piece in pieces])
    end = size.cumsum()
    cut = Cut(
        rows=np.arange(len(asked)), ends=np.concatenate(([0], np.cumsum(lengths))), start=end - size, end=end,
        cued=np.array([piece[1] for piece in pieces]), likely=np.tile(np.arange(3), (len(asked), 1)),
    )  # fmt: skip
    probabilities = np.array([piece[2] for piece in pieces])
    paths = matters._paths(cut, probabilities)
    assert [len(path) for path in paths] == lengths
    for number, path in enumerate(paths):
        mine = slice(cut.ends[number], cut.ends[number + 1])
        told = (probabilities[mine], size[mine].tolist(), cut.cued[mine].tolist())
        best = max(score(*told, way) for way in product(range(3), repeat=lengths[number]))
        assert score(*told, tuple(path)) == pytest.approx(best)


@given(st.lists(st.tuples(st.integers(0, 39), st.integers(1, 5)), max_size=20), st.data())
def test_tokens_go_to_the_pieces_that_hold_them_whole(spans: list[tuple[int, int]], data: st.DataObject) -> None:
    """Tokens are shorter than pieces, which have at least `short` characters."""
    spans = [(start, min(start + size, 40)) for start, size in spans]
    cuts = [4 * number for number in sorted(data.draw(st.sets(st.integers(0, 10), max_size=8)))]
    groups: list[list[tuple[int, int]]] = [[], []]
    for piece in pairwise(cuts):
        number = data.draw(st.sampled_from([0, 1, 2]))
        if number < 2:
            groups[number].append(piece)
    assume(any(groups))
    words = data.draw(st.integers(0, len(spans)))
    start, end = (np.array([span[side] for span in spans], np.int64) for side in (0, 1))
    zeros = np.zeros(len(spans), np.int64)
    tokens = Tokens(np.arange(len(spans), dtype=np.uint64), start, end, zeros, zeros.astype(bool), words)
    chosen, columns = pieced(tokens, np.arange(len(spans), dtype=np.int32), groups, 40)
    expected = [
        (number, group)
        for number, (first, last) in enumerate(spans)
        for group, pieces in enumerate(groups)
        if inside(first, last, pieces)
    ]
    assert list(zip(columns.tolist(), chosen.row.tolist(), strict=True)) == expected
    assert chosen.key.tolist() == columns.tolist()
    assert [(chosen.start[n], chosen.end[n]) for n in range(len(expected))] == [spans[n] for n, _ in expected]
    assert chosen.words == sum(number < words for number, _ in expected)


def inside(first: int, last: int, pieces: list[tuple[int, int]]) -> bool:
    """Whether one group's pieces hold all of a token."""
    held = {place for start, end in pieces for place in range(start, end)}
    return held.issuperset(range(first, last))
