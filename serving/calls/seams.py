"""Seams: personal data that is spoken over the border of two turns, or digit by digit.

What is stored of a call is masked at once, so that nobody can put a number together later from its parts. A stretch of
digits at either end of a turn may go on in the next one: from four digits on, counted over the borders, every part of
it gives way to a label. So the store never holds more than three digits of a number, however it was cut.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from nlp.files import DATA, read_lines
from nlp.mask import LABELS
from nlp.reader import Reader
from nlp.text import Edit

LABEL = LABELS["long"]
OPEN = (LABELS["long"], LABELS["phone"])  # labels behind which more digits of the same number may come
MOST = 3  # digits that stay: no identifier is so short
SPOKEN = "零〇幺一二三四五六七八九"  # recognisers without inverse text normalisation write what they hear
READ_OUT = {True: 7, False: 11}  # digits that are a number for certain: in words, in figures
FILLERS = " .…,，、。;；!！?？—-嗯啊呃哦哎呢吧"
DIGIT, JOINT = rf"[\d{SPOKEN}]", "[-—–.·,，、。… 嗯啊呃哦]{0,3}"
RUN = re.compile(rf"{DIGIT}(?:{JOINT}{DIGIT}){{6,}}")
OPENED = "|".join(map(re.escape, OPEN))
PIECE = re.compile(rf"(?:{OPENED}|{DIGIT})(?:{JOINT}(?:{OPENED}|{DIGIT}))*")
# What is said between two parts of a number; the last word may be half recognised.
PADDING = rf"(?:[{re.escape(FILLERS)}]|然后?|那个?|就是?|对|是)*"
LEAD, TRAIL = re.compile(PADDING), re.compile(PADDING + "$")
AMOUNT = re.compile(r"\d+[年元块万千百平米人户亩吨斤度]")  # a turn that begins so does not go on with a number
LOGIN = re.compile(r"[A-Za-z0-9_-]+")
SURNAME = "[姓]"  # stands for a name of which only the surname was said so far
NAMED = re.compile(rf"(?:我叫|名叫|姓名|联系人)[是叫为]?[: ]*([\u3400-\u9fff]{{1,2}})[{re.escape(FILLERS)}]*$")
WITHIN = 24  # code points at the end of a turn
STAND_IN = "我叫王"
SPACES = re.compile(r"\s+")
JOINED = ("", " ")  # how turns are read as one text: as if spoken in one breath, and as they are decided


class Part(NamedTuple):
    """A stretch `start:end` of a turn that may be a part of a number."""

    turn: int
    start: int
    end: int


class Seams:
    """Masks the turns of a caller, each alone and all together."""

    def __init__(self) -> None:
        self._reader = Reader()
        self._surnames = frozenset(" ".join(read_lines(DATA / "surnames.txt")).split())

    def masked(self, turns: Sequence[str]) -> list[str]:
        """The turns without personal data, as many as there were; masking them again changes nothing."""
        texts = self._alone([self._named(SPACES.sub(" ", text).strip()) for text in turns])
        texts = chained(self._continued([RUN.sub(_read_out, text) for text in texts]))
        if any(self._found([joint.join(texts) for joint in JOINED])):  # rarely: most is found turn by turn
            for joint in JOINED:
                texts = self._together(texts, joint)
        return texts

    def _alone(self, texts: Sequence[str]) -> list[str]:
        reading = self._reader.fields(list(texts))
        return [reading.masked(turn).strip() for turn in range(len(texts))]

    def _named(self, text: str) -> str:
        """A turn that ends with a surname and no more: the rest of the name may come in the next one."""
        start = max(0, len(text) - WITHIN)
        found = NAMED.search(text[start:])
        if not found or found[1] not in self._surnames:
            return text
        return text[: start + found.start(1)] + SURNAME + text[start + found.end(1) :]

    def _continued(self, texts: Sequence[str]) -> list[str]:
        """The turns without what goes on with a name or a login that the turn before began."""
        pieces, ends = list(texts), [text.rstrip(FILLERS) for text in texts]
        after = [turn for turn in range(1, len(texts)) if ends[turn - 1].endswith(SURNAME)]
        for turn, edits in zip(after, self._found([STAND_IN + texts[turn] for turn in after]), strict=True):
            eaten = max((edit.end for edit in edits if edit.start < len(STAND_IN)), default=0) - len(STAND_IN)
            if eaten > 0:
                pieces[turn] = LABELS["name"] + texts[turn][eaten:]
        for turn in range(1, len(texts)):
            found = LOGIN.match(texts[turn]) if ends[turn - 1].endswith(LABELS["account"]) else None
            if found:
                pieces[turn] = LABELS["account"] + texts[turn][found.end() :]
        return pieces

    def _together(self, texts: Sequence[str], joint: str) -> list[str]:
        """The turns without what is only seen when they are read as one; the label goes to where it begins."""
        starts = list(accumulate((len(text) + len(joint) for text in texts), initial=0))
        pieces = list(texts)
        for edit in reversed(self._found([joint.join(texts)])[0]):
            first, last = bisect_right(starts, edit.start) - 1, bisect_right(starts, edit.end - 1) - 1
            for turn in range(last, first - 1, -1):
                left, right = max(0, edit.start - starts[turn]), max(0, edit.end - starts[turn])
                label = edit.text if turn == first else ""
                pieces[turn] = pieces[turn][:left] + label + pieces[turn][right:]
        return [piece.strip() for piece in pieces] if pieces != texts else pieces

    def _found(self, texts: Sequence[str]) -> list[list[Edit]]:
        """What is to be masked in each text: sorted, apart."""
        personal = self._reader.fields(list(texts)).personal if texts else {}
        return [_apart(personal.get(number, [])) for number in range(len(texts))]


def _apart(found: Sequence[Edit]) -> list[Edit]:
    """Of edits that overlap the first and longest."""
    edits: list[Edit] = []
    for edit in sorted(found, key=lambda edit: (edit.start, -edit.end)):
        if not edits or edit.start >= edits[-1].end:
            edits.append(edit)
    return edits


def chained(texts: Sequence[str]) -> list[str]:
    """The turns without numbers that run over their borders, or may."""
    pieces = list(texts)
    hidden = [chain for chain in _chains(texts) if _weight(texts, chain) > MOST]
    for turn, start, end in sorted((part for chain in hidden for part in chain), reverse=True):
        if texts[turn][start:end] not in OPEN:
            pieces[turn] = pieces[turn][:start] + LABEL + pieces[turn][end:]
    return pieces


def _chains(texts: Sequence[str]) -> Iterator[list[Part]]:
    """The parts that stand together when nothing but fillers lies between them."""
    chain: list[Part] = []
    for turn, text in enumerate(texts):
        lead, end = _core(text)
        found = [Part(turn, *match.span()) for match in PIECE.finditer(text)]
        head = found[0] if found and found[0].start <= lead else None
        tail = found[-1] if found and found[-1].end == end else None
        if head and (chain or not AMOUNT.match(text, head.start)):
            chain.append(head)
        if lead < len(text) and (head is None or head is not tail):  # something else was said
            yield chain
            chain = [tail] if tail else []
    yield chain


def _core(text: str) -> tuple[int, int]:
    """Where a turn begins and ends without padding."""
    lead, trail = LEAD.match(text), TRAIL.search(text, max(0, len(text) - WITHIN))
    return lead.end() if lead else 0, trail.start() if trail else len(text)


def _weight(texts: Sequence[str], chain: Sequence[Part]) -> int:
    """How many digits a chain has; a label counts as too many."""
    said = "".join(texts[turn][start:end] for turn, start, end in chain)
    return _digits(said) + (MOST + 1) * sum(said.count(label) for label in OPEN)


def _digits(text: str) -> int:
    return sum(sign.isdecimal() or sign in SPOKEN for sign in text)


def _read_out(match: re.Match[str]) -> str:
    """A label for a run of digits that is a number for certain, else the run."""
    said = match.group()
    in_words = any(sign in SPOKEN for sign in said)
    return LABEL if _digits(said) >= READ_OUT[in_words] else said
