"""Features: counted right, weighted as scikit-learn does, the same alone and in a batch."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer

from corpora.petitions import Row
from nlp.features import CUT_AT, Counts, Features, FeatureSettings, cut, weighted
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.segment import open_segmenter

READER, SEGMENTER = Reader(), open_segmenter()


def counts_of(model: Model, fields: list[str]) -> Counts:
    texts = READER.fields(fields).texts
    features = Features(model.features, SEGMENTER)
    tokens = features.tokens(texts)
    columns = model.vocabulary.table.columns(tokens.key)
    return features.counts(tokens, columns, len(texts) // 2, len(model.vocabulary))


def is_wordy(text: str) -> bool:
    return all(c.isalnum() for c in text)


def counted(model: Model, title: str, text: str) -> dict[int, float]:
    """The same counts in plain Python."""
    words = {word: column for column, word in enumerate(model.vocabulary.words)}
    grams = {gram: len(words) + column for column, gram in enumerate(model.vocabulary.grams)}
    sums: Counter[int] = Counter()
    for field, weight in ((title, model.features.title_weight), (text, 1)):
        found = [words.get(word) for word in SEGMENTER.cut(field) if word and is_wordy(word[0] + word[-1])]
        found += [grams.get(field[at : at + 2]) for at in range(len(field) - 1)]
        for column in found:
            if column is not None:
                sums[column] += weight  # type: ignore[assignment]
    return dict(sums)


def test_counts_are_those_of_plain_python(model: Model, petitions: list[Row]) -> None:
    for row in petitions[::20]:
        title, text = READER.read([Petition(row.id, row.text, row.title)]).texts.strings
        counts = counts_of(model, [row.title, row.text])
        assert dict(zip(counts.columns.tolist(), counts.values.tolist(), strict=True)) == counted(model, title, text)


def test_weights_are_those_of_scikit_learn(model: Model, petitions: list[Row]) -> None:
    counts = counts_of(model, [field for row in petitions for field in (row.title, row.text)])
    plain = csr_matrix((counts.values, counts.columns, counts.ends), (len(petitions), counts.width))
    transformer = TfidfTransformer(sublinear_tf=True, smooth_idf=True, norm="l2").fit(plain)
    np.testing.assert_allclose(model.idf, transformer.idf_, rtol=1e-6)
    theirs = transformer.transform(plain).toarray()
    np.testing.assert_allclose(weighted(counts, model.idf).toarray(), theirs, atol=1e-6)


def test_a_row_is_the_same_bit_for_bit_alone_and_in_a_batch(model: Model, petitions: list[Row]) -> None:
    fields = [field for row in petitions for field in (row.title, row.text)]
    batch = weighted(counts_of(model, fields), model.idf)
    for number in range(0, len(petitions), 7):
        alone = weighted(counts_of(model, fields[2 * number : 2 * number + 2]), model.idf)
        assert alone.indices.tolist() == batch[number].indices.tolist()
        assert alone.data.tobytes() == batch[number].data.tobytes()
        assert model.heads.log_odds(alone).tobytes() == model.heads.log_odds(batch)[number].tobytes()


@settings(max_examples=30)
@given(st.lists(st.text(max_size=30), min_size=2, max_size=6).filter(lambda fields: len(fields) % 2 == 0))
def test_tokens_are_stretches_of_their_own_petition(fields: list[str]) -> None:
    texts = READER.fields(fields).texts
    tokens = Features(FeatureSettings(grams=(2, 3)), SEGMENTER).tokens(texts)
    for start, end, row, titled in zip(tokens.start, tokens.end, tokens.row, tokens.titled, strict=True):
        number = texts.field(int(start))
        assert (number >> 1, number % 2 == 0) == (row, titled)
        assert "\n" not in texts.whole[start:end]
        assert is_wordy(texts.whole[start]) or ord(texts.whole[start]) > 0x7F
    sizes = tokens.end[tokens.words :] - tokens.start[tokens.words :]
    assert set(sizes.tolist()) <= {2, 3}


def test_texts_are_cut_alike_across_calls_of_the_segmenter(petitions: list[Row]) -> None:
    texts = READER.read([Petition(row.id, row.text, row.title) for row in petitions]).texts
    assert len(texts.whole) > 2 * CUT_AT
    alone = [word for text in texts.strings for word in [*SEGMENTER.cut(text), "\n"]]
    assert [word for word in cut(texts, SEGMENTER) if word] == alone


@pytest.mark.parametrize("text", ["漏" * (CUT_AT + 1), "漏" * CUT_AT, "漏" * (CUT_AT - 1), ""])
def test_a_text_as_long_as_a_call_is_cut_whole(text: str) -> None:
    texts = READER.fields(["标题", text, "", "停电"]).texts
    assert "".join(cut(texts, SEGMENTER)) == texts.whole


def test_rows_without_features_are_empty_and_not_divided_by_nothing(model: Model) -> None:
    matrix = weighted(counts_of(model, ["", "", "漏水", "😀", "", "\u200b"]), model.idf)
    assert np.diff(matrix.indptr).tolist() == [0, int(matrix.indptr[2]), 0]
    assert np.isfinite(matrix.data).all()
