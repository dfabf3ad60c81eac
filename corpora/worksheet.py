"""The XML of a worksheet: how far its cells reach, and which formulas were saved without their value."""

from __future__ import annotations

import re

# A cell that begins with a formula, and the first byte of its value: the order that the format prescribes.
FORMULA = re.compile(
    rb"<(?:\w+:)?c\b(?P<cell>[^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|.*?</(?:\w+:)?f>)\s*(?P<value><(?:\w+:)?v\b[^>]*>[^<])?",
    re.DOTALL,
)
PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d+)"')
TEXT = re.compile(rb'\bt="str"')
# How far a sheet reaches: its rows and columns, quickly and with what is in a text too, and as they are.
LIKELY = (re.compile(rb"""r=["'](\d+)["']"""), re.compile(rb"""r=["']([A-Z]{1,3})\d"""))
CERTAIN = (
    re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br=["'](\d+)["']"""),
    re.compile(rb"""<(?:\w+:)?c\b[^>]*?\br=["']([A-Z]{1,3})\d"""),
)


def reach(xml: bytes, most: int) -> tuple[int, int]:
    """The last row and column of a sheet, both from 1; too high, maybe, as long as their product is at most `most`."""
    rows = columns = 0
    for row, cell in (LIKELY, CERTAIN):
        rows = max(map(int, row.findall(xml)), default=0)
        columns = max(map(column_of, set(cell.findall(xml))), default=-1) + 1
        if rows * columns <= most:
            break
    return rows, columns


def without_value(xml: bytes) -> list[tuple[int, int]]:
    """The cells (row, column, from 0) with a formula and no value; an empty text is a value."""
    found: list[tuple[int, int]] = []
    if b"<f" not in xml and b":f" not in xml:
        return found
    for match in FORMULA.finditer(xml):
        place = PLACE.search(match["cell"])
        if place and not match["value"] and not TEXT.search(match["cell"]):
            found.append((int(place[2]) - 1, column_of(place[1])))
    return found


def column_of(letters: bytes) -> int:
    """`A` → 0, `AA` → 26."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def cell_name(row: int, column: int) -> str:
    """(0, 26) → `AA1`."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"
