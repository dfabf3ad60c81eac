"""Segment: the fast segmenter cuts as the reference does, and keeps its words to itself."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.petitions import Row
from nlp.files import read_lines
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.segment import LEXICON, SEGMENTERS, FastSegmenter, ReferenceSegmenter, Segmenter, lexicon_hash, open_segmenter

WORDS = ["玺岸名邸物业", "加装电梯公示", "第一时间机制"]  # in no dictionary


@pytest.fixture(scope="module")
def reference() -> Segmenter:
    return open_segmenter("jieba")


@pytest.fixture(scope="module")
def fast() -> Segmenter:
    return open_segmenter()


def spans(words: list[str]) -> set[tuple[int, int]]:
    ends = list(accumulate(map(len, words)))
    return set(zip([0, *ends], ends, strict=False))


def test_both_segmenters_find_the_same_words_in_petitions(
    corpus: list[Row], fast: Segmenter, reference: Segmenter
) -> None:
    rows = corpus[:: len(corpus) // 300][:300]
    texts = Reader().read([Petition(row.id, row.text) for row in rows]).texts.strings[1::2]
    shared = cut = 0
    for text in texts:
        one, other = spans(fast.cut(text)), spans(reference.cut(text))
        shared += len(one & other)
        cut += len(one) + len(other)
    assert len(texts) == 300
    assert 2 * shared / cut >= 0.995


@given(st.text(max_size=40))
def test_the_words_of_the_fast_segmenter_join_to_the_text(fast: Segmenter, text: str) -> None:
    assert "".join(fast.cut(text)) == text


@pytest.mark.parametrize("name", list(SEGMENTERS))
def test_words_join_to_the_text_and_blanks_stay(name: str, fast: Segmenter, reference: Segmenter) -> None:
    segmenter = {"rjieba": fast, "jieba": reference}[name]
    text = "a 漏水,\n3.5元 [手机号] 50% c++\ufffd😀"
    assert "".join(segmenter.cut(text)) == text
    assert (segmenter.name, bool(segmenter.version)) == (name, True)


@pytest.mark.parametrize("word", WORDS)
def test_words_of_the_dictionary_are_cut_whole_by_both(tmp_path: Path, word: str) -> None:
    path = tmp_path / "lexicon.txt"
    path.write_text("# 领域词典\n" + "\n".join(WORDS) + "\n", encoding="utf-8")
    cuts = [open_segmenter(name, path).cut(f"关于{word}的投诉") for name in SEGMENTERS]
    assert all(word in cut for cut in cuts)
    assert cuts[0] == cuts[1]


def test_words_of_the_shipped_dictionary_are_cut_alike(fast: Segmenter, reference: Segmenter) -> None:
    different = [word for word in read_lines(LEXICON) if fast.cut(word) != reference.cut(word)]
    assert different == []


@pytest.mark.parametrize("kind", [FastSegmenter, ReferenceSegmenter])
def test_instances_do_not_share_their_words(kind: type[FastSegmenter] | type[ReferenceSegmenter]) -> None:
    taught, plain = kind(WORDS), kind([])
    assert WORDS[0] in taught.cut(WORDS[0])
    assert WORDS[0] not in plain.cut(WORDS[0])


def test_the_hash_of_the_dictionary_is_that_of_its_words(tmp_path: Path) -> None:
    one, other = tmp_path / "one.txt", tmp_path / "other.txt"
    one.write_text("# 注释\n漏水\n\n", encoding="utf-8")
    other.write_text("漏水\n", encoding="utf-8")
    assert lexicon_hash(one) == lexicon_hash(other)
    other.write_text("停电\n", encoding="utf-8")
    assert lexicon_hash(one) != lexicon_hash(other)
