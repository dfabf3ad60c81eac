"""Every word of the domain dictionary earns its place: petitions use it, and jieba alone would cut it up."""

from __future__ import annotations

from collections import Counter

from corpora.petitions import Row
from nlp.files import read_lines
from nlp.segment import LEXICON, FastSegmenter, open_segmenter

FEWEST = 3  # petitions


def test_petitions_use_every_word(corpus: list[Row]) -> None:
    segmenter = open_segmenter()
    counts: Counter[str] = Counter()
    for row in corpus:
        counts.update(set(segmenter.cut(f"{row.title}\n{row.text}")))
    assert [word for word in read_lines(LEXICON) if counts[word] < FEWEST] == []


def test_without_the_dictionary_every_word_would_be_cut_up() -> None:
    plain = FastSegmenter([])
    assert [word for word in read_lines(LEXICON) if plain.cut(word) == [word]] == []
