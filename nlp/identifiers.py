"""Identifiers made of digits: phone, identity and bank card numbers, rooms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, 4.2
ID_CHECKS = "10x98765432"
JOINTS = " -—.·"  # what people put between the digits of one number
REACH = 14  # code points behind a cluster that may still belong to a number: “(028)87654321”, “501室”
NUMBER = re.compile(
    r"""
(?P<mobile>(?<!\d)(?:86[- ]?)?1[3-9]\d[-—.· ]?\d{4}[-—.· ]?\d{4}(?!\d))
|(?P<long>(?<!\d)(?:\d{11,}x?|(?!(?:19|20)\d\d[- ])\d{4}(?:[- ]\d{4}){3}(?:[- ]?\d{1,3})?)(?!\d))
|(?P<landline>(?<!\d)0(?:10|2\d|[3-9]\d{2})\)?[-—. ]?[2-8]\d{2,3}[- ]?\d{4}(?:-\d{1,4})?(?!\d))
|(?P<phone>(?:(?<=话)|(?<=机)|(?<=致电)|(?<=号码)|(?<=[话机码]:)|(?<=[话码]是))[ ]?\d[\d -]{5,14}\d(?!\d))
|(?P<room>(?<![\d.-])\d{1,3}-\d{1,2}-\d{3,4}(?![\d-])
  |(?:(?<=单元)|(?<=号楼)|(?<=[栋幢座]))[- ]?\d{3,4}(?:[室房户号]|(?![\d年元米平月日多路万人]))
  |(?<!\d)\d{3,4}(?:室|房(?![价源贷租产屋款管])))
""",
    re.VERBOSE,
)
MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
IDENTITY = re.compile(r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dx]")


class Found(NamedTuple):
    """A stretch `start:end` of a text and the kind of identifier that stands there."""

    start: int
    end: int
    kind: str


def is_identity_card(number: str) -> bool:
    """Check an 18-place number by the ISO 7064 MOD 11-2 sum of GB 11643-1999."""
    if len(number) != 18 or not number[:17].isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, ID_WEIGHTS, strict=False))
    return ID_CHECKS[total % 11] == number[17]


def is_bank_card(number: str) -> bool:
    """Check 13 to 19 digits by the Luhn sum (ISO/IEC 7812-1, annex B)."""
    digits = [int(digit) for digit in number if digit.isdigit()][::-1]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return 13 <= len(digits) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def long_number(number: str) -> str:
    """The kind of a number of eleven digits or more: too long to be anything but an identifier."""
    if is_identity_card(number):
        return "identity"
    return "card" if is_bank_card(number) else "long"


def cluster(whole: str, at: int) -> tuple[int, int]:
    """The digits around a digit, with single joints between them: `start:end`, a closing x included."""
    start = end = at
    while start and is_part(whole, start - 1):
        start -= 1
    while is_part(whole, end):
        end += 1
    while not whole[start].isdigit():
        start += 1
    while not whole[end - 1].isdigit():
        end -= 1
    return start, end + (whole[end] == "x")


def is_part(whole: str, at: int) -> bool:
    """Whether a position belongs to a cluster: a digit, or one joint between two digits."""
    here = whole[at]
    if "0" <= here <= "9":
        return True
    return here in JOINTS and at > 0 and whole[at - 1].isdigit() and whole[at + 1].isdigit()


def identifiers(whole: str, start: int, end: int) -> Iterator[Found]:
    """What the cluster `start:end` holds: one identifier written with joints, or several."""
    digits = "".join(c for c in whole[start:end] if c.isdigit() or c == "x")
    if MOBILE.fullmatch(digits.rstrip("x")):
        yield Found(start, end - (whole[end - 1] == "x"), "mobile")
    elif IDENTITY.fullmatch(digits):
        yield Found(start, end, "identity")
    else:
        for match in NUMBER.finditer(whole, start, end + REACH):
            if match.start() < end:
                kind = match.lastgroup or ""
                yield Found(*match.span(), long_number(match.group()) if kind == "long" else kind)
