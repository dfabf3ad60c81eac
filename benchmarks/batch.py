"""`decide` in batches of 1,024, against the usual pipeline and against cutting words alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jieba
import rjieba
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks.measure import figure, rates, tell
from benchmarks.petitions import decider, letters, options, own
from corpora.petitions import read_rows
from nlp.petition import Petition
from nlp.taxonomy import TASKS

TRAINING = 2000  # rows for the usual pipeline: enough for a vocabulary of its usual size


def usual(petitions: Sequence[Petition]) -> Callable[[], object]:
    """The usual pipeline: jieba, TfidfVectorizer, LogisticRegression, four heads."""
    rows = read_rows()[:: max(1, len(read_rows()) // TRAINING)]
    vectoriser = TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None, lowercase=False)
    matrix = vectoriser.fit_transform([row.title + "。" + row.text for row in rows])
    heads = [
        LogisticRegression(max_iter=20, tol=0.1).fit(matrix, [getattr(row, task) for row in rows]) for task in TASKS
    ]
    texts = [petition.title + "。" + petition.text for petition in petitions]

    def work() -> object:
        features = vectoriser.transform(texts)
        return [head.predict_proba(features) for head in heads]

    return work


def run() -> None:
    """Print the ratios on letters and on our own petitions."""
    ready = decider()
    cutter = rjieba.Jieba()
    for name, petitions in (("letters", letters()), ("own", own())):
        texts = [petition.title + "。" + petition.text for petition in petitions]
        found = rates(
            {
                "decide": lambda petitions=petitions: ready.decide(petitions, options(evidence=False)),
                "evidence": lambda petitions=petitions: ready.decide(petitions, options(evidence=True)),
                "cut": lambda texts=texts: [cutter.cut(text) for text in texts],
            },
            len(petitions),
        )
        slow = rates({"usual": usual(petitions), "cut": lambda texts=texts: [cutter.cut(text) for text in texts]},
                     len(petitions), rounds=2)  # fmt: skip
        mean = sum(map(len, texts)) / len(texts)
        tell(figure(f"batch.{name}.characters", mean, "characters a petition"))
        tell(figure(f"batch.{name}.decide_over_cut", found["decide"], "petitions/s", found["cut"]))
        tell(figure(f"batch.{name}.decide_over_usual", found["decide"], "petitions/s", slow["usual"]))
        tell(figure(f"batch.{name}.evidence_over_cut", found["evidence"], "petitions/s", found["cut"]))
