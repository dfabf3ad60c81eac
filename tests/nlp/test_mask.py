"""Mask: nothing personal is left, however it was written; nothing else is touched."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.files import DATA, read_lines
from nlp.identifiers import ID_CHECKS, ID_WEIGHTS, is_bank_card, is_identity_card, long_number
from nlp.mask import LABELS, Masker
from nlp.normalise import Normaliser
from nlp.reader import Reader

# The hundred most common surnames (Ministry of Public Security, name report of 2020).
COMMON = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常"
)
FILLERS = [
    "小区楼道漏水",
    "物业一直不管",
    "半夜施工吵得睡不着",
    "路灯坏了没人修",
    "垃圾堆了好多天",
    "孩子上学过马路很危险",
]
NORMALISER, MASKER, READER = Normaliser(), Masker(), Reader()


def masked(text: str) -> str:
    """The text as sent, masked."""
    return READER.fields(["", text]).masked(1)


def seen(text: str) -> str:
    """What the features see of the text."""
    return READER.fields(["", text]).texts.strings[1]


def bare(text: str) -> str:
    """Only letters and digits, in one writing: what a person could still read out of a text."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text)).lower()


def with_check(digits: str) -> str:
    return digits + ID_CHECKS[sum(int(d) * w for d, w in zip(digits, ID_WEIGHTS, strict=True)) % 11].upper()


def with_luhn(digits: str) -> str:
    return next(digits + last for last in "0123456789" if is_bank_card(digits + last))


surnames = st.sampled_from(" ".join(read_lines(DATA / "surnames.txt")).split())
names = st.builds(str.__add__, surnames, st.text("伟芳娜敏静丽强磊军洋勇艳杰娟涛超秀霞刚桂", min_size=1, max_size=2))
mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
cards = st.from_regex(r"[1-6][1-9]01[0-9]{2}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9])[0-9]{3}", fullmatch=True)
banks = st.from_regex(r"62[0-9]{13,16}", fullmatch=True).map(with_luhn)
plates = st.from_regex(r"[京沪川浙粤苏鲁][A-HJ-NP-Z][0-9]{5}", fullmatch=True)
greens = st.from_regex(r"[京沪川浙粤苏鲁][A-HJ-NP-Z][DF][0-9]{5}", fullmatch=True)
mails = st.from_regex(r"[a-z]{3,9}(\.[a-z]{2,5})?@[a-z]{2,8}\.(com|cn|com\.cn)", fullmatch=True)
logins = st.from_regex(r"[a-z][a-z0-9_]{5,15}", fullmatch=True)
rooms = st.from_regex(r"[1-9]{1,2}-[1-6]-[1-9]0[1-4]", fullmatch=True)
planted = st.one_of(
    st.tuples(st.just("电话{}，"), mobiles),
    st.tuples(st.just("打{}没人接，"), mobiles),
    st.tuples(st.just("我的号码是{}，"), mobiles.map("+86{}".format)),
    st.tuples(st.just("身份证号{}，"), cards.map(with_check)),
    st.tuples(st.just("卡号{}，"), banks),
    st.tuples(st.just("座机{}，"), st.from_regex(r"0(10|28|571)-[2-8][0-9]{7}", fullmatch=True)),
    st.tuples(st.just("车牌{}，"), plates | greens),
    st.tuples(st.just("邮箱：{}，"), mails),
    st.tuples(st.just("微信号{}，"), logins),
    st.tuples(st.just("QQ：{}，"), st.from_regex(r"[1-9][0-9]{5,10}", fullmatch=True)),
    st.tuples(st.just("住在{}，"), rooms),
    st.tuples(st.just("我叫{}，"), names),
    st.tuples(st.just("联系人：{}，"), names),
    st.tuples(st.just("{}女士，"), names),
    st.tuples(st.just("{}先生反映，"), names),
)


@st.composite
def disguised(draw: st.DrawFn, text: str) -> str:
    """The same text in full-width forms, or with characters that nobody sees."""
    way = draw(st.integers(0, 3))
    if way == 1:
        return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    if way in (2, 3):
        return draw(st.sampled_from(["\u200b", "\u00ad", "\ufeff", "\x00"])).join(text)
    return text


@st.composite
def letters_with_data(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A petition in which personal data stand, and these data."""
    text, data = draw(st.sampled_from(FILLERS)) + "，", []
    for frame, value in draw(st.lists(planted, min_size=1, max_size=4)):
        data.append(value)
        text += frame.format(draw(disguised(value))) + draw(st.sampled_from(FILLERS)) + "，"
    return text, data


@given(letters_with_data())
def test_nothing_planted_survives(case: tuple[str, list[str]]) -> None:
    text, data = case
    for result in (bare(masked(text)), bare(seen(text))):
        assert [value for value in data if bare(value) in result] == []


@given(letters_with_data())
def test_the_rest_of_a_petition_stays_as_it_was_sent(case: tuple[str, list[str]]) -> None:
    parts = re.split("|".join(map(re.escape, LABELS.values())), masked(case[0]))
    assert len(parts) > len(case[1])
    assert all(part in case[0] for part in parts)


TRICKY = [
    *"0123456789 -:.@x王李张\n",
    "138",
    "1381234",
    "微信",
    "qq",
    "女士",
    "先生",
    "我叫",
    "姓名",
    "联系人",
    "川a",
    "室",
    "栋",
    "单元",
    "电话",
    "手机",
    "[姓名]",
    "@a.cn",
    "86",
    "010",
    "漏水",
    "我姓",
    "房",
    "abc",
]


@given(st.lists(st.sampled_from(TRICKY), max_size=25).map("".join))
def test_masking_twice_changes_nothing(text: str) -> None:
    once = MASKER(NORMALISER.clean([text])[0], {}).strings
    assert MASKER(NORMALISER.clean(once)[0], {}).strings == once


@given(st.lists(st.one_of(st.characters(), st.sampled_from(TRICKY)), max_size=25).map("".join))
def test_any_text_can_be_masked_and_encoded(text: str) -> None:
    assert isinstance(masked(text).encode(), bytes)


@pytest.mark.parametrize(
    "writing",
    [
        "13812345678",
        "１３８１２３４５６７８",
        "138 1234 5678",
        "138-1234-5678",
        "138　1234　5678",
        "138\u200b1234\u200b5678",
        "１３８－１２３４－５６７８",
        "+86 13812345678",
        "+8613812345678",
        "86-138-1234-5678",
        "(+86)13812345678",
        "①③⑧①②③④⑤⑥⑦⑧",
        "138<b>1234</b>5678",
        "138&nbsp;1234&nbsp;5678",
        "13<em>8</em>12345678",
        "138<em>12</em>345678",
        "1<i>3812345678</i>",
        "138.1234.5678",
        "138—1234—5678",
        "138 123 45678",
        "1 3 8 1 2 3 4 5 6 7 8",
    ],
)
@pytest.mark.parametrize("frame", ["请回电{}谢谢", "手机{}", "{}"])
def test_mobile_numbers_go(frame: str, writing: str) -> None:
    assert re.sub(r"\D", "", masked(frame.format(writing))) in ("", "86")


@pytest.mark.parametrize(
    "writing",
    [
        "028-87654321",
        "02887654321",
        "0571-88886666",
        "057188886666",
        "010-65529988",
        "028 87654321",
        "０２８－８７６５４３２１",
        "0571-88886666-801",
        "(028)87654321",
        "（０２８）８７６５４３２１",
        "028—87654321",
        "028 8765 4321",
    ],
)
def test_landline_numbers_go(writing: str) -> None:
    assert not re.search(r"\d", masked(f"座机{writing}，请回电"))
    assert not re.search(r"\d", masked(f"打{writing}没人接"))


@pytest.mark.parametrize("text", ["联系电话87654321", "电话：8765 4321", "我的电话是8765-4321", "号码87654321"])
def test_local_numbers_after_the_word_telephone_go(text: str) -> None:
    assert not re.search(r"\d", masked(text))


@pytest.mark.parametrize(
    "writing",
    [
        "11010519491231002X",
        "11010519491231002x",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105\u200b19491231\u200b002X",
        "440524188001010014",
        "110105 19491231 002X",
        "110105-19491231-002X",
        "110105<b>19491231</b>002X",
        "110105194912310021",
    ],
)
def test_identity_cards_go_even_with_a_wrong_check(writing: str) -> None:
    result = masked(f"身份证号{writing}，请查")
    assert not re.search(r"\d|x", result, re.IGNORECASE)


@pytest.mark.parametrize(
    "writing",
    [
        "6222021234567890128",
        "6222 0212 3456 7890 128",
        "6222-0212-3456-7890-128",
        "4111 1111 1111 1111",
        "６２２２０２１２３４５６７８９０１２８",
    ],
)
def test_bank_cards_go(writing: str) -> None:
    assert masked(f"卡号{writing}被冻结") == "卡号[银行卡号]被冻结"


@pytest.mark.parametrize(
    "writing",
    [
        "川A12345",
        "川a12345",
        "川A·12345",
        "川Ａ１２３４５",
        "川AD12345",
        "粤Z1234港",
        "京A1234学",
        "川A 12345",
        "川\u200bA12345",
        "川A<b>12345</b>",
        "川 A12345",
        "川<b>A12345</b>",
        "浙B7K88L",
    ],
)
def test_plates_go(writing: str) -> None:
    assert masked(f"车牌{writing}占道").replace(" ", "") == "车牌[车牌号]占道"


@pytest.mark.parametrize(
    "writing",
    [
        "zhang.san@example.com.cn",
        "ＺＨＡＮＧ＠example.com",
        "12345678@qq.com",
        "a_b-c+d@mail.example.org",
        "13812345678@163.com",
        "li13812345678@163.com",
        "zhang\u200bsan@example.com",
    ],
)
def test_mail_addresses_go_whole(writing: str) -> None:
    result = bare(masked(f"邮箱：{writing}，请回复"))
    assert not any(part in result for part in ("zhang", "san", "12345", "example", "li1", "lili", "163", "abc"))
    assert "请回复" in result


def test_two_mail_addresses_near_each_other_both_go() -> None:
    assert masked("邮箱zhang@a.com或者lisi@b.cn") == "邮箱[邮箱]或者[邮箱]"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("微信号abc_12345", "微信号[账号]"),
        ("微信：zhangsan_88", "微信：[账号]"),
        ("QQ：123456789", "QQ：[账号]"),
        ("QQ号是12345678", "QQ号是[账号]"),
        ("ＱＱ１２３４５６７８", "ＱＱ[账号]"),
        ("加我vx：lisi2020", "加我vx：[账号]"),
        ("V信lisi2020", "V信[账号]"),
        ("扣扣号码为12345678", "扣扣号码为[账号]"),
        ("微信13812345678", "微信[账号]"),
        ("微信\u200b号：zhang\u200bsan88", "微信\u200b号：[账号]"),
        ("WeChat: abc12345", "WeChat: [账号]"),
    ],
)
def test_account_names_go(text: str, result: str) -> None:
    assert masked(text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("3栋2单元501室", "3栋2单元[房号]"),
        ("住3-2-501", "住[房号]"),
        ("住3栋501", "住3栋[房号]"),
        ("3号楼1203房", "3号楼[房号]"),
        ("12幢1单元1501，漏水", "12幢1单元[房号]，漏水"),
        ("住在201室", "住在[房号]"),
        ("３栋２单元５０１室", "３栋２单元[房号]"),
        ("1单元501号", "1单元[房号]"),
        ("A座1203", "A座[房号]"),
        ("3栋2单元5\u200b01室", "3栋2单元[房号]"),
    ],
)
def test_room_numbers_go(text: str, result: str) -> None:
    assert masked(text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("我叫张三，住在城南", "我叫[姓名]，住在城南"),
        ("联系人：李小明", "联系人：[姓名]"),
        ("联系人李小明，电话", "联系人[姓名]，电话"),
        ("姓名：诸葛亮", "姓名：[姓名]"),
        ("王女士反映", "[姓名]女士反映"),
        ("李小明先生来电", "[姓名]先生来电"),
        ("欧阳先生", "[姓名]先生"),
        ("我姓欧阳", "我姓[姓名]"),
        ("本人姓王", "本人姓[姓名]"),
        ("我叫張國榮，漏水", "我叫[姓名]，漏水"),
        ("聯繫人：李小明", "聯繫人：[姓名]"),
        ("张\u200b三丰先生", "[姓名]先生"),
        ("她名叫王芳", "她名叫[姓名]"),
        ("名字叫王芳", "名字叫[姓名]"),
        ("免贵姓王", "免贵姓[姓名]"),
        ("联系人：张　伟，急", "联系人：[姓名]，急"),
        ("李<b>小明</b>先生", "[姓名] 先生"),
    ],
)
def test_names_after_and_before_their_cues_go(text: str, result: str) -> None:
    assert masked(text) == result


def test_the_hundred_most_common_surnames_are_known() -> None:
    assert [name for name in COMMON if masked(f"{name}女士来电") != "[姓名]女士来电"] == []


harmless = st.one_of(
    st.integers(1949, 2035).map("{}年建成".format),
    st.dates().filter(lambda day: day.year >= 1949).map(lambda day: f"{day.year}年{day.month}月{day.day}日"),
    st.dates().filter(lambda day: day.year >= 1949).map(str),
    st.integers(1, 9_999_999).map("交了{}元".format),
    st.integers(1, 99_999).map("补偿{}万元".format),
    st.floats(0, 9999, allow_nan=False).map("{:.2f}元".format),
    st.integers(1, 999).map("坐{}路公交".format),
    st.integers(1, 9999).map("建设路{}号".format),
    st.integers(1, 3000).map("一共{}人".format),
    st.integers(1, 200).map("面积{}平方米".format),
    st.integers(1, 40).map("住在{}楼".format),
    st.integers(1, 40).map("第{}栋".format),
    st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda time: f"{time[0]:02}:{time[1]:02}"),
    st.sampled_from(
        ["拨打12345", "打110报警", "120急救", "G108国道", "10-15元", "20:30-22:00", "3-4楼", "8%", "pm2.5", "5G信号"]
    ),
)


@given(st.lists(harmless, min_size=1, max_size=5))
def test_numbers_of_public_life_stay(numbers: list[str]) -> None:
    text = "，".join(numbers) + "，请处理"
    assert masked(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "2栋2023年加装电梯",
        "3栋1200元",
        "10栋1000多户",
        "工期20230101-20231231",
        "2019 2020 2021三年",
        "微信支付",
        "微信群里说",
        "女士优先",
        "那位先生",
        "请先生们让一让",
        "微信同号",
        "编号20240512",
        "邮编610000",
        "价格1000-2000元",
        "500房贷",
        "我叫了保安",
        "联系人一直不接",
        "京东快递",
        "苏宁易购",
        "3号楼1楼大厅",
    ],
)
def test_what_looks_like_personal_data_and_is_not_stays(text: str) -> None:
    assert masked(text) == text


def test_identity_cards_are_checked_by_their_sum() -> None:
    assert is_identity_card("11010519491231002x")  # the examples of GB 11643-1999
    assert is_identity_card("440524188001010014")
    assert not is_identity_card("110105194912310021")
    assert not is_identity_card("11010519491231002")
    assert not is_identity_card("1101051949123100xx")


@given(cards, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_breaks_an_identity_card(digits: str, place: int, change: int) -> None:
    number = with_check(digits).lower()
    wrong = number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :]
    assert is_identity_card(number)
    assert not is_identity_card(wrong)


@pytest.mark.parametrize(
    "number", ["4111111111111111", "5500005555555559", "6011111111111117", "378282246310005", "4111 1111-11111111"]
)
def test_bank_cards_are_checked_by_luhn(number: str) -> None:
    assert is_bank_card(number)
    assert not is_bank_card(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_a_number_too_short_or_too_long_is_no_bank_card() -> None:
    assert not is_bank_card("79927398713")  # Luhn holds, eleven digits
    assert not is_bank_card("0" * 20)


@pytest.mark.parametrize(
    ("number", "kind"), [("11010519491231002x", "identity"), ("4111111111111111", "card"), ("4111111111111112", "long")]
)
def test_long_numbers_are_named_by_their_checks(number: str, kind: str) -> None:
    assert long_number(number) == kind
