"""Mask: personal data give way to a word in brackets that says what stood there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np

from nlp.files import DATA, read_lines
from nlp.hashing import Codes, Table, keys_of
from nlp.text import Edit, SourceEdits, Texts

ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, 4.2
ID_CHECKS = "10x98765432"
HAN = "\u3400-\u9fff"
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
GIVEN_STOPS = "在住是今来有因为从和的家也都就,.;:!? "

# What personal data begin with or stand beside; digits are looked for by the run.
NAME_AFTER = ("我叫", "名叫", "姓名", "联系人", "我姓", "本人姓")
NAME_BEFORE = ("女士", "先生", "小姐")
LOGIN_AFTER = ("微信", "qq", "vx", "wx", "v信", "扣扣")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = 3  # digits in a row that may be an identifier
BEFORE = 20  # code points before a run of digits that may belong to the number
NUMBER = r"""
(?P<mobile>(?<!\d)(?:86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d))
|(?P<long>(?<!\d)(?:\d{11,}x?|\d{4}(?:[- ]?\d{4}){2,3}(?:[- ]?\d{1,7})?)(?!\d))
|(?P<landline>(?<!\d)0(?:10|2\d|[3-9]\d{2})[- ]?[2-8]\d{6,7}(?:-\d{1,4})?(?!\d))
|(?P<phone>(?:(?<=话)|(?<=机)|(?<=致电)|(?<=号码)|(?<=[话机码]:)|(?<=[话码]是))[ ]?\d[\d -]{5,14}\d(?!\d))
|(?P<room>(?<![\d.-])\d{1,3}-\d{1,2}-\d{3,4}(?![\d-])
  |(?:(?<=单元)|(?<=号楼)|(?<=[栋幢座]))[- ]?\d{3,4}(?:[室房户号]|(?![\d年元米平月日多路万人]))
  |(?<!\d)\d{3,4}(?:室|房(?![价源贷租产屋款管])))
"""
PLATE = rf"[{PROVINCES}][a-z][·. ]?(?=[a-z]?\d|\d[a-z])[a-z0-9]{{4,5}}[a-z0-9挂学警港澳](?![a-z0-9])"
ACCOUNT = r"(?:微信|qq|[vw]x|v信|扣扣)号?(?:码?)(?:是|为)?[: ]*(?P<value>[a-z][a-z0-9_-]{4,19}|\d{5,12})(?![a-z0-9])"
LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
EMAIL = r"[a-z0-9._+-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+"
GIVEN = rf"[{HAN}]?(?:(?![{GIVEN_STOPS}])[{HAN}])?"
LABELS = {
    "identity": "[身份证号]", "card": "[银行卡号]", "long": "[号码]", "mobile": "[手机号]", "landline": "[电话]",
    "phone": "[电话]", "room": "[房号]", "plate": "[车牌号]", "email": "[邮箱]", "account": "[账号]", "name": "[姓名]",
}  # fmt: skip


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


Finder = Callable[[str, int], Iterator[Edit]]


class Masker:
    """Finds personal data in one pass over all texts: whole arrays for triggers, a closer look at each."""

    def __init__(self) -> None:
        surnames = " ".join(read_lines(DATA / "surnames.txt")).split()
        family = "|".join(sorted(surnames, key=len, reverse=True))
        self._surnames = frozenset(surnames)
        self._number = re.compile(NUMBER, re.VERBOSE)
        self._plate = re.compile(PLATE)
        self._account = re.compile(ACCOUNT)
        self._email = re.compile(EMAIL)
        self._after = re.compile(rf"(?:{'|'.join(NAME_AFTER)})(?:是|叫)?[: ]*(?P<name>(?:{family}){GIVEN})")
        self._finders: dict[str, Finder] = {
            **dict.fromkeys((word[:2] for word in NAME_AFTER), self._names_after),
            **dict.fromkeys(NAME_BEFORE, self._names_before),
            **dict.fromkeys(LOGIN_AFTER, self._logins),
            **{"@" + letter: self._mails for letter in LETTERS + "0123456789"},
            **{province + letter: self._plates for province in PROVINCES for letter in LETTERS},
        }
        self._table = Table(keys_of(list(self._finders)))

    def __call__(self, texts: Texts, notes: SourceEdits) -> Texts:
        """Cleaned texts without personal data, each find added to `notes`; twice changes nothing."""
        edits: list[Edit] = []
        for edit in sorted(self._found(texts), key=lambda edit: (edit.start, -edit.end)):
            if not edits or edit.start >= edits[-1].end:
                edits.append(edit)
        if not edits:
            return texts
        texts.note(edits, notes)
        return texts.edited(edits)

    def _found(self, texts: Texts) -> Iterator[Edit]:
        whole = texts.whole
        for at in np.flatnonzero(self._table.columns(texts.hashes.grams(2)) >= 0).tolist():
            yield from self._finders[whole[at : at + 2]](whole, at)
        for at in runs_of_digits(texts.codes, DIGITS):
            yield from self._numbers(whole, at)

    def _numbers(self, whole: str, at: int) -> Iterator[Edit]:
        start, end = at, at + DIGITS
        while start > max(0, at - BEFORE) and whole[start - 1] in "0123456789- ":
            start -= 1
        while whole[end] in "0123456789- ":
            end += 1
        for match in self._number.finditer(whole, start, end + 2):
            if match.start() < end:
                kind = match.lastgroup if match.lastgroup != "long" else long_number(match.group())
                yield Edit(*match.span(), LABELS[kind or ""])

    def _plates(self, whole: str, at: int) -> Iterator[Edit]:
        match = self._plate.match(whole, at)
        if match:
            yield Edit(*match.span(), LABELS["plate"])

    def _logins(self, whole: str, at: int) -> Iterator[Edit]:
        match = self._account.match(whole, at)
        if match:
            yield Edit(*match.span("value"), LABELS["account"])

    def _mails(self, whole: str, at: int) -> Iterator[Edit]:
        match = self._email.search(whole, max(0, at - LOCAL_PART))
        if match and match.start() < at:
            yield Edit(*match.span(), LABELS["email"])

    def _names_before(self, whole: str, at: int) -> Iterator[Edit]:
        """A name before 女士 or 先生: the longest that begins with a surname."""
        for length in (4, 3, 2, 1):
            name = whole[max(0, at - length) : at]
            if len(name) == length and self._is_name(name):
                yield Edit(at - length, at, LABELS["name"])
                return

    def _is_name(self, name: str) -> bool:
        if not all("\u3400" <= c <= "\u9fff" for c in name):
            return False
        return name[:2] in self._surnames or (name[0] in self._surnames and len(name) < 4)

    def _names_after(self, whole: str, at: int) -> Iterator[Edit]:
        match = self._after.match(whole, at)
        if match:
            yield Edit(*match.span("name"), LABELS["name"])


def runs_of_digits(codes: Codes, count: int) -> list[int]:
    """Where runs of at least `count` ASCII digits begin."""
    digit = (codes >= ord("0")) & (codes <= ord("9"))
    run = digit.copy()
    for offset in range(1, count):
        run[:-offset] &= digit[offset:]
        run[-offset:] = False
    run[1:] &= ~digit[:-1]
    return np.flatnonzero(run).tolist()
