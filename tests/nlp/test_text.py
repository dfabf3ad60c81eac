"""Many texts in one buffer: edits, alignment, and the way back to the source."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nlp.folding import folding
from nlp.normalise import folded
from nlp.text import NEWLINE, Edit, SourceEdits, Texts, code_points, replaced

letters = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=12)
Edited = tuple[list[str], list[list[Edit]]]


def texts_of(strings: list[str]) -> Texts:
    """Strings without newlines as a buffer, each code point standing for itself."""
    codes = code_points("\n".join([*strings, ""]))
    lengths = [len(string) + 1 for string in strings]
    start = np.concatenate([np.arange(length) for length in lengths])
    return Texts(codes, start, start + 1, np.concatenate(([0], np.cumsum(lengths))))


@st.composite
def edited_strings(draw: st.DrawFn) -> Edited:
    """Strings, and for each some edits that do not overlap."""
    strings = draw(st.lists(letters, min_size=1, max_size=5))
    edits = []
    for string in strings:
        cuts = sorted(draw(st.sets(st.integers(0, len(string)), max_size=6)))
        spans = list(pairwise(cuts))[:: draw(st.integers(1, 2))]
        edits.append([Edit(start, end, draw(letters)) for start, end in spans])
    return strings, edits


def moved(texts: Texts, edits: list[list[Edit]]) -> list[Edit]:
    return [
        Edit(int(bound) + start, int(bound) + end, text)
        for bound, several in zip(texts.bounds, edits, strict=False)
        for start, end, text in several
    ]


def test_code_points_pass_lone_surrogates() -> None:
    assert code_points("a\ud800漏").tolist() == [0x61, 0xD800, 0x6F0F]


@given(st.lists(letters, min_size=1))
def test_the_strings_of_a_buffer_are_those_it_was_made_of(strings: list[str]) -> None:
    texts = texts_of(strings)
    assert texts.strings == strings
    assert len(texts) == len(strings)


@given(edited_strings())
def test_editing_the_buffer_is_editing_each_string(case: Edited) -> None:
    strings, edits = case
    assume(any(edits))  # an empty list of edits is no edit
    texts = texts_of(strings)
    result = texts.edited(moved(texts, edits))
    assert result.strings == [replaced(*pair) for pair in zip(strings, edits, strict=True)]
    assert (result.codes[result.bounds[1:] - 1] == NEWLINE).all()


@given(edited_strings())
def test_an_edit_stands_for_the_span_that_it_replaced(case: Edited) -> None:
    strings, edits = case
    assume(any(edits))  # an empty list of edits is no edit
    texts = texts_of(strings)
    result = texts.edited(moved(texts, edits))
    for number, several in enumerate(edits):
        position = int(result.bounds[number])
        past = 0
        for start, end, text in several:
            position += start - past
            if text:
                assert result.source(position, position + len(text)) == (start, end)
            position, past = position + len(text), end


@given(edited_strings())
def test_a_buffer_knows_which_text_holds_a_position(case: Edited) -> None:
    texts = texts_of(case[0])
    owners = [number for number, string in enumerate(case[0]) for _ in range(len(string) + 1)]
    assert [texts.field(position) for position in range(len(texts.codes))] == owners


@given(edited_strings())
def test_notes_replayed_on_the_sources_give_the_edited_texts(case: Edited) -> None:
    strings, edits = case
    assume(any(edits))
    texts = texts_of(strings)
    notes: SourceEdits = {}
    everything = moved(texts, edits)
    texts.note(everything, notes)
    again = [replaced(string, notes.get(number, [])) for number, string in enumerate(strings)]
    assert again == texts.edited(everything).strings


@given(st.lists(letters, min_size=1), st.integers(0, 8))
def test_the_head_of_texts_is_the_head_of_each(strings: list[str], limit: int) -> None:
    assert texts_of(strings).head(limit).strings == [string[:limit] for string in strings]


@given(st.lists(letters, min_size=1))
def test_kept_code_points_stay_aligned(strings: list[str]) -> None:
    texts = texts_of(strings)
    keep = (np.arange(len(texts.codes)) % 3 > 0) | (texts.codes == NEWLINE)
    result = texts.kept(keep)
    for number, string in enumerate(result.strings):
        first = int(result.bounds[number])
        sources = [strings[number][result.start[first + place]] for place in range(len(string))]
        assert "".join(sources) == string


@pytest.mark.parametrize(
    ("edits", "result"),
    [
        ([], "abcdef"),
        ([Edit(0, 2, "X"), Edit(4, 6, "Y")], "XcdY"),
        ([Edit(1, 4, "X"), Edit(2, 6, "Y")], "aXef"),
        ([Edit(1, 2, "Y"), Edit(1, 4, "X")], "aXef"),
        ([Edit(2, 4, "Y"), Edit(0, 2, "X")], "XYef"),
    ],
)
def test_of_overlapping_edits_the_longer_earlier_one_holds(edits: list[Edit], result: str) -> None:
    assert replaced("abcdef", edits) == result


def test_plain_code_points_are_those_with_one_of_the_source_alone_behind_them() -> None:
    texts = texts_of(["王先生漏水"]).edited([Edit(0, 1, "[姓名]")])
    assert texts.plain[:8].tolist() == [False] * 4 + [True] * 4
    assert folded(["漏㎡水"], folding()).plain[:4].tolist() == [True, False, False, True]


def test_neighbouring_texts_do_not_share_a_source() -> None:
    texts = texts_of(["漏", "水", "", "管"])
    assert texts.plain.all()
