"""Mask: personal data give way to a word in brackets that says what stood there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from nlp.files import DATA, read_lines
from nlp.text import Edit, SourceEdits, Texts

ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, 4.2
ID_CHECKS = "10x98765432"
HAN = "\u3400-\u9fff"
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
NAME_STOPS = "在住是今来有因为从和的家也都就,.;:!? "

# Every alternative begins with a literal, so that the scan skips all other characters by one look.
TRIGGER = "|".join(
    [f"{digit}[0-9 -]{{2,}}" for digit in range(10)]
    + [f"{province}[a-z]" for province in PROVINCES]
    + ["女士", "先生", "小姐", "我叫", "名叫", "姓名", "联系人", "我姓", "本人姓", "@"]
    + ["微信", "qq", "vx", "wx", "v信", "扣扣"]
)
NUMBER = r"""
(?P<mobile>(?<!\d)(?:86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d))
|(?P<long>(?<!\d)(?:\d{11,}x?|\d{4}(?:[- ]?\d{4}){2,3}(?:[- ]?\d{1,7})?)(?!\d))
|(?P<landline>(?<!\d)0(?:10|2\d|[3-9]\d{2})[- ]?[2-8]\d{6,7}(?:-\d{1,4})?(?!\d))
|(?P<phone>(?:(?<=话)|(?<=机)|(?<=致电)|(?<=号码)|(?<=话:)|(?<=机:)|(?<=码:)|(?<=码是)|(?<=话是))[ ]?\d[\d -]{5,14}\d(?!\d))
|(?P<room>(?<![\d.-])\d{1,3}-\d{1,2}-\d{3,4}(?![\d-])
  |(?:(?<=单元)|(?<=号楼)|(?<=[栋幢座]))[- ]?\d{3,4}(?:[室房户号]|(?![\d年元米平月日多路万人]))
  |(?<!\d)\d{3,4}(?:室|房(?![价源贷租产屋款管])))
"""
PLATE = rf"[{PROVINCES}][a-z][·. ]?(?=[a-z]?\d|\d[a-z])[a-z0-9]{{4,5}}[a-z0-9挂学警港澳](?![a-z0-9])"
ACCOUNT = r"(?:微信|qq|[vw]x|v信|扣扣)号?(?:码?)(?:是|为)?[: ]*(?P<value>[a-z][a-z0-9_-]{4,19}|\d{5,12})(?![a-z0-9])"
EMAIL = r"[a-z0-9._+-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+"
LABELS = {
    "identity": "[身份证号]", "card": "[银行卡号]", "long": "[号码]", "mobile": "[手机号]", "landline": "[电话]", "phone": "[电话]",
    "room": "[房号]", "plate": "[车牌号]", "email": "[邮箱]", "account": "[账号]", "name": "[姓名]",
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


Finder = Callable[[re.Match[str]], Iterator[Edit]]


class Masker:
    """Finds personal data in one pass over all texts: a scan for triggers, a closer look at each."""

    def __init__(self) -> None:
        surnames = " ".join(read_lines(DATA / "surnames.txt")).split()
        family = "|".join(sorted(surnames, key=len, reverse=True))
        self._surnames = frozenset(surnames)
        self._trigger = re.compile(TRIGGER)
        self._number = re.compile(NUMBER, re.VERBOSE)
        self._plate = re.compile(PLATE)
        self._account = re.compile(ACCOUNT)
        self._email = re.compile(EMAIL)
        self._name = re.compile(rf"(?:是|叫)?[: ]*(?P<name>(?:{family})[{HAN}]?(?:(?![{NAME_STOPS}])[{HAN}])?)")
        finders = {"女士": self._before, "先生": self._before, "小姐": self._before, "@": self._mail}
        finders |= dict.fromkeys(("我叫", "名叫", "姓名", "联系人", "我姓", "本人姓"), self._after)
        finders |= dict.fromkeys(("微信", "qq", "vx", "wx", "v信", "扣扣"), self._login)
        self._finders: dict[str, Finder] = finders

    def __call__(self, texts: Texts, notes: SourceEdits) -> Texts:
        """Cleaned texts without personal data, each find added to `notes`; twice changes nothing."""
        edits: list[Edit] = []
        for match in self._trigger.finditer(texts.whole):
            finder = self._finders.get(match.group(), self._numbers if match.group()[0].isdigit() else self._car)
            edits += [edit for edit in finder(match) if not edits or edit.start >= edits[-1].end]
        if not edits:
            return texts
        texts.note(edits, notes)
        return texts.edited(edits)

    def _numbers(self, trigger: re.Match[str]) -> Iterator[Edit]:
        for match in self._number.finditer(trigger.string, trigger.start(), trigger.end() + 2):
            if match.start() < trigger.end():
                kind = match.lastgroup if match.lastgroup != "long" else long_number(match.group())
                yield Edit(*match.span(), LABELS[kind or ""])

    def _car(self, trigger: re.Match[str]) -> Iterator[Edit]:
        match = self._plate.match(trigger.string, trigger.start())
        if match:
            yield Edit(*match.span(), LABELS["plate"])

    def _login(self, trigger: re.Match[str]) -> Iterator[Edit]:
        match = self._account.match(trigger.string, trigger.start())
        if match:
            yield Edit(*match.span("value"), LABELS["account"])

    def _mail(self, trigger: re.Match[str]) -> Iterator[Edit]:
        match = self._email.search(trigger.string, max(0, trigger.start() - 64))
        if match and match.start() < trigger.start():
            yield Edit(*match.span(), LABELS["email"])

    def _before(self, trigger: re.Match[str]) -> Iterator[Edit]:
        """A name before 女士 or 先生: the longest that begins with a surname."""
        end = trigger.start()
        for length in (4, 3, 2, 1):
            name = trigger.string[max(0, end - length) : end]
            if len(name) == length and self._is_name(name):
                yield Edit(end - length, end, LABELS["name"])
                return

    def _is_name(self, name: str) -> bool:
        if not all("\u3400" <= c <= "\u9fff" for c in name):
            return False
        return name[:2] in self._surnames or (name[0] in self._surnames and len(name) < 4)

    def _after(self, trigger: re.Match[str]) -> Iterator[Edit]:
        match = self._name.match(trigger.string, trigger.end())
        if match:
            yield Edit(*match.span("name"), LABELS["name"])
