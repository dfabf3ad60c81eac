"""The vocabulary holds what stands in enough petitions, weighted as scikit-learn weighs it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from nlp.features import Features, FeatureSettings, Tokens
from nlp.reader import Reader
from nlp.segment import open_segmenter
from nlp.text import Texts
from training.vocabulary import choose

FIELDS = [
    "路灯不亮", "小区路灯坏了，路灯没人修", "", "路灯坏了半个月", "漏水", "楼上漏水了没人修",
    "", "Wi-Fi 信号差，路灯也坏了", "漏水", "物业不管漏水",
]  # fmt: skip


def tokens_of(texts: Texts) -> Tokens:
    settings = FeatureSettings()
    return Features(settings, open_segmenter(settings.segmenter)).tokens(texts)


def strings(texts: Texts, tokens: Tokens) -> list[list[tuple[bool, str]]]:
    """For each petition its words (false) and runs of characters (true)."""
    held: list[list[tuple[bool, str]]] = [[] for _ in range(len(texts) // 2)]
    for number, (start, end, row) in enumerate(zip(tokens.start, tokens.end, tokens.row, strict=True)):
        held[row].append((number >= tokens.words, texts.whole[start:end]))
    return held


@pytest.mark.parametrize("rare", [1, 2, 3, 99])
def test_features_and_weights_are_those_of_scikit_learn(rare: int) -> None:
    texts = Reader().fields(FIELDS).texts
    tokens = tokens_of(texts)
    vocabulary, idf = choose(texts, tokens, rare)
    documents = strings(texts, tokens)
    known = {feature for document in documents for feature in document}
    common = {feature for feature in known if sum(feature in document for document in documents) >= rare}
    assert set(vocabulary.words) == {text for is_gram, text in common if not is_gram}
    assert set(vocabulary.grams) == {text for is_gram, text in common if is_gram}
    if common:
        reference = TfidfVectorizer(analyzer=lambda document: document, min_df=rare).fit(documents)
        ordered = [(False, word) for word in vocabulary.words] + [(True, gram) for gram in vocabulary.grams]
        assert idf == pytest.approx([reference.idf_[reference.vocabulary_[feature]] for feature in ordered], rel=1e-6)


def test_the_order_does_not_depend_on_the_order_of_the_petitions() -> None:
    reader = Reader()
    turned = [field for pair in zip(FIELDS[-2::-2], FIELDS[::-2], strict=True) for field in pair]
    chosen = [choose(texts, tokens_of(texts)) for texts in (reader.fields(f).texts for f in (FIELDS, turned))]
    (first, idf), (second, same) = chosen
    assert (first.words, first.grams) == (second.words, second.grams)
    assert list(first.words) == sorted(first.words)
    assert list(first.grams) == sorted(first.grams)
    assert np.array_equal(idf, same)


def test_every_feature_finds_its_own_column() -> None:
    texts = Reader().fields(FIELDS).texts
    tokens = tokens_of(texts)
    vocabulary, idf = choose(texts, tokens)
    columns = vocabulary.table.columns(tokens.key)
    names = [*vocabulary.words, *vocabulary.grams]
    for start, end, column in zip(tokens.start, tokens.end, columns, strict=True):
        assert column < 0 or names[column] == texts.whole[start:end]
    assert sorted(set(columns[columns >= 0].tolist())) == list(range(len(idf)))
