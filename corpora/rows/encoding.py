"""Encodings: which one a text file is in, told by reading it, and its text with what is in another one marked.

A byte that is not in the encoding becomes a lone surrogate (U+DC80 to U+DCFF, as PEP 383 has it): no text holds one.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from corpora.rows.file import File
from nlp.errors import InputError

UTF8, GB, BIG5 = "utf-8", "gb18030", "big5hkscs"
MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDER = {"gb2312": GB, "gbk": GB, "cp936": GB, "hz": "", "big5": BIG5, "cp950": BIG5, "utf-8-sig": UTF8}
SPOKEN = {UTF8: "UTF-8", GB: "GB18030", BIG5: "Big5", "utf-16": "UTF-16"}
SAMPLE = 5000  # lines with more than ASCII that are looked at where a file is not all UTF-8
# What stands in nearly every petition, in both scripts; text read in the wrong encoding holds next to none of it.
COMMON = frozenset(
    "，。、：；（）的一是不了在有人我他她这這个個们們来來到说說上下大中没沒为為和也就要去会會都能对對请請问問电電话話"
    "时時间間年月日号號路市区區县縣街小水车車工业業内內容标標题題编編类類别別处處理"
)
LONE = re.compile("[\udc80-\udcff]+")
SURROGATE = re.compile("[\ud800-\udfff]")
CHINESE = re.compile(rb"[\xe3-\xe9\xef][\x80-\xbf]{2}")
CHINESE_UTF8 = re.compile(rb"(?:[\xe3-\xe9\xef][\x80-\xbf]{2}){3}")


def named(encoding: str) -> str:
    """The codec for an encoding that somebody named, its largest variant; empty for none.

    Raises `InputError` for one that is unknown, or does not write ASCII as ASCII (but UTF-16 and UTF-32).
    """
    if not encoding:
        return ""
    try:
        name = codecs.lookup(encoding).name
        name = WIDER.get(name, name)
        usable = is_wide(name) or "a,\n".encode(name) == b"a,\n"
    except (LookupError, UnicodeError, ValueError, TypeError):
        usable = False
    if not usable:
        raise InputError(place=f"编码 {encoding}", reason="不认识；可用：utf-8、gb18030、big5、utf-16 等")
    return name


def is_wide(encoding: str) -> bool:
    """Whether line feeds take more than one byte."""
    return encoding.startswith(("utf-16", "utf-32"))


def spoken(encoding: str) -> str:
    """The encoding as people call it."""
    return SPOKEN.get(encoding, encoding.upper())


def told(file: File) -> str:
    """The encoding of a file: by its mark, else UTF-8 if all of it is; else what most of its lines are.

    Raises `InputError` when that is neither UTF-8 nor GB18030 nor Big5.
    """
    start = file.head(4)
    marked = next((name for mark, name in MARKS if start.startswith(mark)), "")
    if marked:
        return marked
    whole = all(_is_in(UTF8, block) for block in file.blocks())
    lines = list(islice(_telling(file), SAMPLE))
    if whole and not _is_short_gb(lines):
        return UTF8
    if not whole and 2 * sum(_is_in(UTF8, line) for line in lines) >= len(lines):
        return UTF8
    best = max((GB, BIG5), key=lambda name: _likeness(name, lines))
    if 2 * sum(_is_in(best, line) for line in lines) < len(lines):
        raise InputError(place=file.path, reason="既不是 UTF-8 也不是 GB18030、Big5 编码，请另存为 UTF-8")
    return best


def texts(file: File, encoding: str) -> Iterator[tuple[str, bool]]:
    """A file in pieces of whole lines without its mark, each with whether it holds lone surrogates."""
    if is_wide(encoding):
        for piece in file.wide(encoding):
            yield piece, bool(SURROGATE.search(piece))
        return
    blocks = file.blocks()
    for block in islice(blocks, 1):
        yield decoded(block.removeprefix(codecs.BOM_UTF8), encoding)
    for block in blocks:
        yield decoded(block, encoding)


def decoded(block: bytes, encoding: str) -> tuple[str, bool]:
    """The text of whole lines, and whether a line is not in the encoding: its bytes then stand as lone surrogates."""
    try:
        text = block.decode(encoding)
    except UnicodeDecodeError:
        pass
    else:
        if encoding == UTF8 or not CHINESE_UTF8.search(block):
            return text, False
    lines = [_line(line, encoding) for line in block.splitlines(keepends=True)]
    text = "".join(lines)
    return text, bool(LONE.search(text))


def mended(text: str) -> str:
    """A text without lone surrogates: as UTF-8 or GB18030 where their bytes are, else byte by byte in hexadecimal."""
    if text.isascii():
        return text
    return SURROGATE.sub("\ufffd", LONE.sub(lambda run: _guessed(run[0]), text))


def _guessed(run: str) -> str:
    raw = run.encode("ascii", "surrogateescape")
    return next((raw.decode(name) for name in (UTF8, GB) if _is_in(name, raw)), raw.decode("ascii", "backslashreplace"))


def _line(line: bytes, encoding: str) -> str:
    """Chinese in UTF-8 amid GB18030 or Big5 would be read as other Chinese: it is marked like what is unreadable."""
    foreign = encoding != UTF8 and CHINESE_UTF8.search(line) and _is_in(UTF8, line)
    if not foreign and _is_in(encoding, line):
        return line.decode(encoding)
    return line.decode("ascii", "surrogateescape")


def _is_in(encoding: str, raw: bytes) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _telling(file: File) -> Iterator[bytes]:
    """The lines that tell an encoding: those with more than ASCII."""
    return (line for block in file.blocks() for line in block.splitlines() if not line.isascii())


def _is_short_gb(lines: Sequence[bytes]) -> bool:
    """Whether lines in UTF-8 without a Chinese character make sense as GB18030: a few words, as 联通, are both."""
    return not any(map(CHINESE.search, lines)) and all(_is_in(GB, line) for line in lines) and _likeness(GB, lines) > 0


def _likeness(encoding: str, lines: Sequence[bytes]) -> int:
    """How many of the most usual characters the lines hold when they are read in an encoding."""
    return sum(letter in COMMON for line in lines for letter in line.decode(encoding, "ignore"))
