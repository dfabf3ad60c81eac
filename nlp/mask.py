"""Mask: personal data give way to a word in brackets that says what stood there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from nlp.files import DATA, read_lines
from nlp.hashing import Codes, Table, keys_of
from nlp.identifiers import cluster, identifiers
from nlp.text import Edit, SourceEdits, Texts

HAN = "\u3400-\u9fff"
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
GIVEN_STOPS = "在住是今来有因为从和的家也都就,.;:!? "

# What personal data begin with or stand beside; digits are looked for by the run.
NAME_AFTER = ("我叫", "名叫", "名字叫", "姓名", "联系人", "联络人", "我姓", "贵姓", "本人姓")
NAME_BEFORE = ("女士", "先生", "小姐")
LOGIN_AFTER = ("微信", "wechat", "qq", "vx", "wx", "v信", "扣扣")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LOCAL = frozenset(LETTERS + "0123456789._+-")
LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
DIGITS = 3  # digits in a row that may belong to an identifier
PLATE = rf"[{PROVINCES}] ?[a-z][·. ]?(?=[a-z]?\d|\d[a-z])[a-z0-9]{{4,5}}[a-z0-9挂学警港澳](?![a-z0-9])"
ACCOUNT = (
    r"(?:微信|wechat|qq|[vw]x|v信|扣扣)号?(?:码?)(?:是|为)?[: ]*"
    r"(?P<value>[a-z][a-z0-9_-]{4,19}|\d(?:[ -]?\d){4,11})(?![a-z0-9])"
)
DOMAIN = r"@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}"  # RFC 1035, 2.3.4
GIVEN = rf"(?:[{HAN}]?(?:(?![{GIVEN_STOPS}])[{HAN}])?(?![ ][{HAN}](?![{HAN}]))|[ ][{HAN}]{{1,2}}(?![{HAN}]))"
LABELS = {
    "identity": "[身份证号]", "card": "[银行卡号]", "long": "[号码]", "mobile": "[手机号]", "landline": "[电话]",
    "phone": "[电话]", "room": "[房号]", "plate": "[车牌号]", "email": "[邮箱]", "account": "[账号]", "name": "[姓名]",
}  # fmt: skip
Finder = Callable[[str, int], Iterator[Edit]]


class Masker:
    """Finds personal data in one pass over all texts: whole arrays for triggers, a closer look at each."""

    def __init__(self) -> None:
        surnames = " ".join(read_lines(DATA / "surnames.txt")).split()
        family = "|".join(sorted(surnames, key=len, reverse=True))
        self._surnames = frozenset(surnames)
        self._plate = re.compile(PLATE)
        self._account = re.compile(ACCOUNT)
        self._domain = re.compile(DOMAIN)
        self._after = re.compile(rf"(?:{'|'.join(NAME_AFTER)})(?:是|叫|为)?[: ]*(?P<name>(?:{family}){GIVEN})")
        self._before = re.compile(rf"[{HAN}](?: ?[{HAN}]){{0,3}} ?$")
        self._finders: dict[str, Finder] = {
            **dict.fromkeys((word[:2] for word in NAME_AFTER), self._names_after),
            **dict.fromkeys(NAME_BEFORE, self._names_before),
            **dict.fromkeys((word[:2] for word in LOGIN_AFTER), self._logins),
            **{"@" + letter: self._mails for letter in LETTERS + "0123456789"},
            **{province + letter: self._plates for province in PROVINCES for letter in LETTERS + " "},
        }
        self._table = Table(keys_of(list(self._finders)))

    def __call__(self, texts: Texts, notes: SourceEdits) -> Texts:
        """Cleaned texts without personal data, each find added to `notes`; twice changes nothing."""
        edits = self._edits(texts)
        while edits:
            changed = sorted({texts.field(edit.start) for edit in edits})
            texts.note(edits, notes)
            texts = texts.edited(edits)
            edits = self._again(texts, changed)
        return texts

    def _again(self, texts: Texts, numbers: list[int]) -> list[Edit]:
        """What is to be masked now in the texts that changed."""
        part = texts.part(numbers)
        moved = texts.bounds[numbers] - part.bounds[:-1]
        edits = []
        for start, end, label in self._edits(part):
            shift = int(moved[part.field(start)])
            edits.append(Edit(start + shift, end + shift, label))
        return edits

    def _edits(self, texts: Texts) -> list[Edit]:
        edits: list[Edit] = []
        for edit in sorted(self._found(texts), key=lambda edit: (edit.start, -edit.end)):
            if not edits or edit.start >= edits[-1].end:
                edits.append(edit)
        return edits

    def _found(self, texts: Texts) -> Iterator[Edit]:
        whole = texts.whole
        for at in (self._table.columns(texts.hashes.grams(2)) >= 0).nonzero()[0].tolist():
            yield from self._finders[whole[at : at + 2]](whole, at)
        end = 0
        for at in runs_of_digits(texts.codes, DIGITS):
            if at >= end:
                start, end = cluster(whole, at)
                yield from (
                    Edit(found.start, found.end, LABELS[found.kind]) for found in identifiers(whole, start, end)
                )

    def _plates(self, whole: str, at: int) -> Iterator[Edit]:
        match = self._plate.match(whole, at)
        if match:
            yield Edit(*match.span(), LABELS["plate"])

    def _logins(self, whole: str, at: int) -> Iterator[Edit]:
        match = self._account.match(whole, at)
        if match:
            yield Edit(*match.span("value"), LABELS["account"])

    def _mails(self, whole: str, at: int) -> Iterator[Edit]:
        start = at
        while start > max(0, at - LOCAL_PART) and whole[start - 1] in LOCAL:
            start -= 1
        match = self._domain.match(whole, at)
        if match and start < at:
            yield Edit(start, match.end(), LABELS["email"])

    def _names_before(self, whole: str, at: int) -> Iterator[Edit]:
        """A name before 女士 or 先生: the longest that begins with a surname."""
        match = self._before.search(whole, max(0, at - 8), at)
        places = [] if match is None else [place for place in range(*match.span()) if whole[place] != " "]
        for length in (4, 3, 2, 1):
            name = "".join(whole[place] for place in places[-length:])
            if len(name) == length and self._is_name(name):
                yield Edit(places[-length], places[-1] + 1, LABELS["name"])
                return

    def _is_name(self, name: str) -> bool:
        return name[:2] in self._surnames or (name[0] in self._surnames and len(name) < 4)

    def _names_after(self, whole: str, at: int) -> Iterator[Edit]:
        match = self._after.match(whole, at)
        if match:
            yield Edit(*match.span("name"), LABELS["name"])


def runs_of_digits(codes: Codes, count: int) -> list[int]:
    """Where at least `count` ASCII digits stand in a row, or with one code point between each."""
    digit = (codes >= ord("0")) & (codes <= ord("9"))
    run, spaced = digit.copy(), digit.copy()
    for step, row in ((1, run), (2, spaced)):
        for offset in range(step, count * step, step):
            row[:-offset] &= digit[offset:]
            row[-offset:] = False
        row[step:] &= ~digit[:-step]
    return (run | spaced).nonzero()[0].tolist()
