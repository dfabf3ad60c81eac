"""Rising words: what is new is found, what chance makes is not, and a sample stands for all."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sqlalchemy import Engine

from serving.desk.overview import words
from serving.desk.overview.words import SHOWN, risen_of, rising, score
from serving.store.engine import reading
from tests.serving.desk.overview.conftest import Book, asked


def test_the_score_is_that_of_the_books() -> None:
    """Against G² of scipy's contingency test, an implementation that is not ours."""
    from scipy.stats import chi2_contingency

    table = [[30, 970], [10, 1490]]
    found = chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert score(30, 1000, 10, 1500) == pytest.approx(found**0.5)
    assert score(10, 1500, 30, 1000) == pytest.approx(-(found**0.5))
    assert score(10, 100, 20, 200) == pytest.approx(0)


def test_what_nobody_said_before_is_news() -> None:
    assert score(30, 80_000, 0, 80_000) > 6


def test_chance_is_not_told() -> None:
    """Two samples of the same town, 200 times: by the bound, about one in twenty tells anything."""
    random = np.random.default_rng(1)
    shares = random.dirichlet(np.ones(400)) * 3
    told = 0
    for _ in range(200):
        now, before = (Counter(dict(enumerate(random.binomial(500, shares)))) for _ in range(2))
        told += bool(risen_of({str(w): c for w, c in now.items()}, {str(w): c for w, c in before.items()}, 500, 500))  # type: ignore[arg-type]
    assert told <= 20


def test_words_and_places_are_counted_once_a_ticket(engine: Engine, book: Book) -> None:
    for number in range(20):
        book.decide("11-20", words=["停水", "停水", "水"], places=["清泉路"] if number % 2 else [])
        book.decide("10-10", words=["路灯"])
    with reading(engine) as connection:
        found = rising(connection, asked())
    assert [(one.text, one.now, one.before) for one in found.risen["word"]] == [("停水", 20, 0)]
    assert [(one.text, one.now, one.before) for one in found.risen["place"]] == [("清泉路", 10, 0)]
    assert (found.read, found.held, found.sampled) == ((20, 20), (20, 20), False)


def test_a_filter_holds_for_words_too(engine: Engine, book: Book) -> None:
    for _ in range(20):
        book.decide("11-20", words=["停水"], category="water")
        book.decide("10-10", words=["路灯"], category="water")
    with reading(engine) as connection:
        assert rising(connection, asked(category="leak")).risen["word"] == []
        assert len(rising(connection, asked(category="water")).risen["word"]) == 1


def test_a_sample_is_even_and_always_the_same(engine: Engine, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(200):
        book.decide("11-20", words=["停水"])
    monkeypatch.setattr(words, "SAMPLE", 50)
    with reading(engine) as connection:
        first, second = (rising(connection, asked()) for _ in range(2))
    assert first == second
    assert first.sampled
    assert 20 < first.read[0] < 90


def test_only_the_highest_are_told() -> None:
    now = Counter({f"词{number}": 50 + number for number in range(40)})
    found = risen_of(now, Counter(), 100, 100)
    assert len(found) == SHOWN
    assert found[0].text == "词39"
