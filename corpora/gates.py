"""The gates of the corpus: large, spread and varied enough, and never written with a stencil."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any

from corpora.petitions import HERE, Row, topics
from corpora.readings import Readings, unsettled
from corpora.variety import alike, grams, packed
from nlp.files import read_toml
from nlp.joint import JOINED, Table
from nlp.taxonomy import Taxonomy

LIMITS = HERE / "gates.toml"
DRAWS = 5  # random parts that are packed
Limits = Mapping[str, Any]


@dataclass(frozen=True)
class Gate:
    """One demand on the corpus: what was measured, what was wanted, and what stands in the way."""

    name: str
    measured: str
    wanted: str
    offenders: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether the corpus passes."""
        return not self.offenders


@dataclass(frozen=True)
class Corpus:
    """The rows with their readings and the taxonomy of their labels."""

    rows: list[Row]
    readings: Readings
    taxonomy: Taxonomy

    @cached_property
    def written(self) -> list[Row]:
        """The rows that somebody wrote: noise made of them does not count."""
        return [row for row in self.rows if not row.generated]

    @cached_property
    def texts(self) -> list[str]:
        """Their texts."""
        return [row.text for row in self.written]

    def shares(self, field: str) -> dict[str, float]:
        """The share of the written rows for each value of a field, largest first."""
        counts = Counter(str(getattr(row, field)) for row in self.written)
        return {value: count / len(self.written) for value, count in counts.most_common()}


def read_limits(path: Path = LIMITS) -> dict[str, Any]:
    """The limits, from their file."""
    return dict(read_toml(path))


def size(corpus: Corpus, limits: Limits) -> Gate:
    """Enough rows."""
    count, least = len(corpus.written), limits["rows"]
    return Gate("条数", f"{count}", f"≥ {least}", (f"缺 {least - count} 条",) if count < least else ())


def unique(corpus: Corpus, _limits: Limits) -> Gate:
    """Every number and every text once, and no text empty."""
    numbers, texts = (Counter(values) for values in zip(*((row.id, row.text) for row in corpus.rows), strict=True))
    wrong = {row.id for row in corpus.rows if numbers[row.id] > 1 or texts[row.text] > 1 or not row.text.strip()}
    return Gate("编号与正文唯一、不空", f"{len(wrong)} 条不合", "0", tuple(sorted(wrong)))


def categories(corpus: Corpus, limits: Limits) -> Gate:
    """Enough rows of each category."""
    counts, more = Counter(row.category for row in corpus.written), limits["per_category_more"]
    wanted = {code: more.get(code, limits["per_category"]) for code in corpus.taxonomy.codes("category")}
    few = tuple(f"{code} {counts[code]}（要 {least}）" for code, least in wanted.items() if counts[code] < least)
    rarest = min(wanted, key=lambda code: counts[code])
    return Gate("每类条数", f"最少 {rarest} {counts[rarest]}", f"≥ {limits['per_category']}，核心三类更多", few)


def topical(corpus: Corpus, limits: Limits) -> Gate:
    """Every topic often enough."""
    counts, least = Counter(row.topic for row in corpus.written), limits["per_topic"]
    few = tuple(f"{topic} {counts[topic]}" for topic in topics() if counts[topic] < least)
    return Gate("每个主题条数", f"{len(topics()) - len(few)} 个主题够数，共 {len(topics())}", f"各 ≥ {least}", few)


def tiers(corpus: Corpus, limits: Limits) -> Gate:
    """Every tier well filled."""
    return _filled("层级分布", corpus.shares("tier"), limits["least"]["tier"])


def clocks(corpus: Corpus, limits: Limits) -> Gate:
    """Every clock well filled."""
    return _filled("时限分布", corpus.shares("clock"), limits["least"]["clock"])


def _filled(name: str, shares: Mapping[str, float], least: Mapping[str, float]) -> Gate:
    have = {code: shares.get(code, 0.0) for code in least}
    low = tuple(f"{code} {have[code]:.1%}（要 {wanted:.0%}）" for code, wanted in least.items() if have[code] < wanted)
    measured = " ".join(f"{code} {share:.1%}" for code, share in have.items())
    return Gate(name, measured, " ".join(f"{wanted:.0%}" for wanted in least.values()), low)


def possible(corpus: Corpus, _limits: Limits) -> Gate:
    """No combination of labels that cannot be."""
    allowed = Table(corpus.taxonomy).allowed
    codes = {task: corpus.taxonomy.codes(task) for task in JOINED}
    cells = {row.id: tuple(codes[task].index(getattr(row, task)) for task in JOINED) for row in corpus.rows}
    wrong = tuple(number for number, cell in cells.items() if not allowed[cell])
    return Gate("不可能的组合", f"{len(wrong)} 条", "0", wrong)


def settled(corpus: Corpus, _limits: Limits) -> Gate:
    """Every row read twice, and its labels what the readings come to."""
    wrong = tuple(unsettled(corpus.written, corpus.readings))
    return Gate("两次阅读、分歧已裁定", f"{len(corpus.written) - len(wrong)} 条", "全部", wrong)


def names(corpus: Corpus, limits: Limits) -> Gate:
    """A category is told by what people see: each of its own names stands in few of its rows."""
    most, shares = limits["names"]["share"], {}
    for code, own in limits["names"]["of"].items():
        texts = [row.title + row.text for row in corpus.written if row.category == code]
        for name in own:
            shares[f"{code} “{name}”"] = sum(name in text for text in texts) / max(1, len(texts))
    often = tuple(f"{name} {share:.0%}" for name, share in shares.items() if share > most)
    first = max(shares, key=lambda name: shares[name])
    return Gate("写出类别自己名称的条", f"最多 {first} {shares[first]:.0%}", f"≤ {most:.0%}", often)


def pairs(corpus: Corpus, limits: Limits) -> Gate:
    """Hard pairs of categories written on both sides, each with the words of the other."""
    least, counts = limits["pairs"]["least"], {}
    for pair in limits["pairs"]["of"]:
        for code, words in zip(pair["codes"], reversed(pair["words"]), strict=True):
            rows = [row for row in corpus.written if row.category == code]
            counts[f"{code} 带“{words[0]}”等词"] = sum(any(word in row.text for word in words) for row in rows)
    few = tuple(f"{side} {count} 条" for side, count in counts.items() if count < least)
    return Gate("相邻类别两边都有", f"每边至少 {min(counts.values())} 条", f"≥ {least}", few)


def unlike(corpus: Corpus, limits: Limits) -> Gate:
    """No two rows that share too many runs of four characters."""
    limit, rows = limits["repetition"]["alike"], corpus.written
    found = tuple(f"{rows[one].id} 与 {rows[other].id}" for one, other in alike(corpus.texts, 4, limit))
    return Gate("近似的两条", f"{len(found)} 对", f"四字片段 Jaccard < {limit}", found)


def openings(corpus: Corpus, limits: Limits) -> Gate:
    """No six characters that many rows begin with."""
    most = limits["repetition"]["opening"] * len(corpus.texts)
    return _rare("重复的开头六字", (text[:6] for text in corpus.texts), most)


def runs(corpus: Corpus, limits: Limits) -> Gate:
    """No twelve characters that many rows hold."""
    most = limits["repetition"]["run"] * len(corpus.texts)
    return _rare("重复的十二字", (run for text in corpus.texts for run in grams(text, 12)), most)


def _rare(name: str, parts: Iterable[str], limit: float) -> Gate:
    counts = Counter(parts)
    most, count = counts.most_common(1)[0]
    often = tuple(f"“{part}” {times}" for part, times in counts.items() if times > limit)
    return Gate(name, f"最多 {count} 条（“{most}”）", f"≤ {limit:.0f} 条", often)


def dense(corpus: Corpus, limits: Limits) -> Gate:
    """Text that does not pack like a stencil."""
    share, least = mean(packed(corpus.texts, seed) for seed in range(DRAWS)), limits["repetition"]["packed"]
    return Gate("LZMA 压缩后", f"{share:.3f}", f"≥ {least}", () if share >= least else ("文字像模板",))


GATES: tuple[Callable[[Corpus, Limits], Gate], ...] = (
    size, unique, categories, topical, tiers, clocks, possible, settled, names, pairs, unlike, openings, runs, dense,
)  # fmt: skip
