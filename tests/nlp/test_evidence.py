"""Evidence: words of the text as sent, with weights that add up, and nothing that was hidden."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.petitions import Row
from nlp.decider import Decider, Options
from nlp.decision import Evidence
from nlp.evidence import Explainer
from nlp.features import Features, weighted
from nlp.model import Model
from nlp.petition import Petition
from nlp.reader import Reader
from nlp.segment import open_segmenter
from nlp.taxonomy import TASKS

READER, SEGMENTER = Reader(), open_segmenter()
PIECES = [
    "小区楼顶漏水，",
    "物業公司不管。",
    "電梯壞了！",
    "<b>漏</b>水",
    "㎡",
    "漏\u200b水",
    "　",
    "\n",
    "\ud800",
    "😀",
    "ＡＢＣ",
    "噪音扰民",
    "&nbsp;",
    "50%",
    "c++",
    "3.5元",
    "13812345678",
    "１３８１２３４５６７８",
    "王小明先生",
    "联系人：李强，",
    "川A12345",
    "3栋2单元501室",
    "我叫张伟，",
    "微信号漏水abc123",
    "微信abc_12345",
    "拖欠工资",
    "停水停电",
    "谢谢！",
    "市民来电反映：",
]
SECRETS = ["13812345678", "１３８１２３４５６７８", "王小明", "李强", "A12345", "501", "张伟", "abc_12345"]
sent = st.lists(st.one_of(st.sampled_from(PIECES), st.characters()), max_size=15).map("".join)


def words_of(decider: Decider, petition: Petition) -> list[Evidence]:
    return decider.decide([petition], Options(now=datetime(2026, 1, 1, tzinfo=UTC)))[0].evidence


@settings(max_examples=60)
@given(title=sent, text=sent)
def test_evidence_is_found_where_it_says(decider: Decider, title: str, text: str) -> None:
    petition = Petition("1", text, title)
    for word in words_of(decider, petition):
        assert word.task in TASKS
        assert getattr(petition, word.field)[word.start : word.end] == word.text != ""
        assert word.weight >= 0


@settings(max_examples=60)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=15).map("，".join))
def test_evidence_never_quotes_what_was_masked(decider: Decider, text: str) -> None:
    reading = READER.fields(["", text])
    hidden = [(edit.start, edit.end) for edit in reading.personal.get(1, []) if edit.text.startswith("[")]
    for word in words_of(decider, Petition("1", text)):
        assert all(word.end <= start or end <= word.start for start, end in hidden)
        assert not any(secret in word.text for secret in SECRETS)


@pytest.mark.parametrize("extra", ["", "涨了50%、用c++写的3.5元ab+1", "㎡①" * 3, "13812345678 王先生", "漏水" * 40])
def test_the_weights_of_all_words_add_up_to_the_log_odds_less_the_bias(
    model: Model, petitions: list[Row], extra: str
) -> None:
    explainer = Explainer(model.heads, model.features.title_weight)
    features = Features(model.features, SEGMENTER)
    for row in petitions[::40]:
        texts = READER.fields([row.title, row.text + extra]).texts
        tokens = features.tokens(texts)
        columns = model.vocabulary.table.columns(tokens.key)
        matrix = weighted(features.counts(tokens, columns, 1, len(model.vocabulary)), model.idf)
        odds = model.heads.log_odds(matrix)
        best = {task: odds[:, model.heads.columns(task)].argmax(axis=1) for task in TASKS}
        places = [model.heads.columns(task).start + int(best[task][0]) for task in TASKS]
        weights = explainer.weights(texts, tokens, columns, matrix, best)
        np.testing.assert_allclose(weights.sum(axis=0), odds[0, places] - model.heads.bias[places], atol=1e-4)


def test_each_task_shows_its_heaviest_words_once(decider: Decider, petitions: list[Row]) -> None:
    shown = 0
    for row in petitions[::10]:
        words = words_of(decider, Petition(row.id, row.text, row.title))
        for task in TASKS:
            own = [word for word in words if word.task == task]
            weights = [word.weight for word in own]
            assert weights == sorted(weights, reverse=True)
            assert len(own) <= 4
            assert len({word.text for word in own}) == len(own)
            shown += len(own)
    assert shown > len(petitions[::10]) * len(TASKS)


def test_words_that_carry_the_category_are_shown(decider: Decider) -> None:
    words = words_of(decider, Petition("1", "楼上往下滴水，天花板滴水"))
    shown = {word.text for word in words if word.task == "category"}
    assert shown & {"楼上", "滴水", "天花板"}


def test_evidence_is_the_same_alone_and_in_a_batch(decider: Decider, petitions: list[Row]) -> None:
    options = Options(now=datetime(2026, 1, 1, tzinfo=UTC))
    several = [Petition(row.id, row.text, row.title) for row in petitions[:60]]
    batch = decider.decide(several, options)
    assert [decision.evidence for decision in batch] == [words_of(decider, petition) for petition in several]
