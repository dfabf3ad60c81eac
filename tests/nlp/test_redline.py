"""The mechanism of the red lines, on rules made for the test, and each emergency of the shipped file."""

from pathlib import Path

import pytest

from nlp.errors import RefusedData
from nlp.reader import Reader
from nlp.redline import RedLine, RedLines

RULES = """
near = 6
long = 40
brief = 20
unless = ["past"]
overrides = ["now"]
decoys = ["decoy"]
calls = ["call"]
waived = ["soon"]
[before]
fear = 2
[words]
fire = ["起火", "[着烧]了"]
place = ["楼", "车"]
tank = ["罐体"]
spill = ["漏油"]
leak = ["漏气"]
past = ["去年"]
now = ["正在"]
fear = ["万一"]
decoy = ["烧了心"]
call = ["快派"]
soon = ["马上"]
[[rules]]
kind = "fire"
name = "起火"
groups = ["fire", "place"]
[[rules]]
kind = "poison"
name = "漏油"
groups = ["spill"]
anywhere = ["tank", "soon"]
[[rules]]
kind = "gas"
name = "漏气"
groups = ["leak"]
unless = []
clear = ["past"]
within = 12
"""


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def shipped() -> RedLines:
    return RedLines()


def written(folder: Path, text: str) -> RedLines:
    path = folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return RedLines(path)


def found(lines: RedLines, reader: Reader, text: str, title: str = "") -> RedLine | None:
    return lines.find(reader.fields([title, text]).texts).get(0)


SMALL = {
    "楼里起火": ("楼", "起火"),
    "车烧了": ("车", "烧了"),
    "楼里什么东西都没有起火": None,  # further apart than `near`
    "楼里。起火": None,  # in two sentences
    "去年楼里起火": None,
    "去年修过，正在楼里起火": ("楼", "起火"),
    "万一起火楼": None,
    "车上吃饭烧了心": None,
    "罐体翻了漏油": ("漏油",),
    "漏油": None,  # `anywhere` does not hold
    "罐体停在国道边的加油站前面。漏油了，味道很大": None,  # longer than `brief`
    "罐体停在国道边的加油站前面。漏油了，马上要来人": ("漏油",),
    "楼里起火" + "，我们几户人家住在这里已经许多年了" * 3: None,  # longer than `long`
    "楼里起火，快派人" + "，我们几户人家住在这里已经许多年了" * 3: ("楼", "起火"),
    "漏气了": ("漏气",),
    "漏气了，去年": None,  # a word of `clear`
    "去年的事。漏气了": None,  # even in another sentence
    "漏气了，门口有人": ("漏气",),
    "漏气了，门口站着好几个老邻居": None,  # longer than `within`
}


@pytest.mark.parametrize(("text", "words"), SMALL.items())
def test_the_mechanism(tmp_path: Path, reader: Reader, text: str, words: tuple[str, ...] | None) -> None:
    line = found(written(tmp_path, RULES), reader, text)
    assert (line.words if line else None) == words


def test_a_batch_is_numbered_by_petition_and_a_title_counts(tmp_path: Path, reader: Reader) -> None:
    texts = reader.fields(["楼里起火", "路灯不亮", "路灯不亮", "没有水", "", "车着了"]).texts
    lines = written(tmp_path, RULES).find(texts)
    assert {row: line.words for row, line in lines.items()} == {0: ("楼", "起火"), 2: ("车", "着了")}
    assert lines[0].reason == "红线规则 fire（起火）：“楼…起火”，时限升为紧急"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('["fire", "place"]', '["fire", "nowhere"]', "没有这些词组：nowhere"),
        ('overrides = ["now"]', 'overrides = ["lost"]', "没有这些词组：lost"),
        ('fire = ["起火"', 'fire = ["火"', "至少两个字：火"),
        ("near = 6", "", "缺少字段 'near'"),
        ("[words]", "[words", "rules.toml"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    with pytest.raises(RefusedData, match=reason):
        written(tmp_path, RULES.replace(old, new))


EMERGENCIES = {
    "gas": "西街十号厨房的煤气软管脱了，嘶嘶往外漏气",
    "fire": "布店二楼着火了，里面有人喊",
    "collapse": "后山的护坡正在往下垮，砸到了鸡舍",
    "wire": "高压线断了掉在地上，冒火花",
    "main": "自来水主管爆裂，水灌进地下车库",
    "trapped": "两个工人被困电梯，门打不开",
    "violence": "有人持刀追砍保安，快来",
    "suicide": "一名女子坐在天台边上要跳楼",
    "crowd": "两伙人拿着钢管在夜市打起来了",
    "poison": "食堂午饭后三十多个学生呕吐腹泻",
    "flood": "孩子掉进鱼塘，还没捞上来",
    "unconscious": "老人倒在地上叫不醒，嘴唇发紫",
    "blocked": "救护车被货车堵住进不来，病人昏迷",
    "animal": "一条狼狗正在追咬小孩，已经流血",
    "hotcar": "婴儿被锁在车里，太阳暴晒，满脸通红",
    "explosive": "工地挖出一枚疑似炮弹，工人不敢动",
}


@pytest.mark.parametrize(("kind", "text"), EMERGENCIES.items())
def test_every_emergency_of_the_guide_is_found(shipped: RedLines, reader: Reader, kind: str, text: str) -> None:
    line = found(shipped, reader, text)
    assert line is not None
    assert line.kind == kind
    assert all(word in text for word in line.words)


@pytest.mark.parametrize(
    "text",
    [
        "去年布店二楼着火了，烧掉两间屋",
        "布店没有着火",
        "万一布店着火了往哪里跑",
        "消防演练：布店二楼着火了",
        "请问布店二楼着火了找哪家保险公司",
        "电影里布店二楼着火了",
        "布店二楼着火了要赔偿",
        "布店二楼着火了，已扑灭，虚惊一场",
        "感谢消防员，布店二楼着火了救得快",
        "落水管坏了，水滴到孩子头上",
    ],
)
def test_what_is_no_emergency(shipped: RedLines, reader: Reader, text: str) -> None:
    assert found(shipped, reader, text) is None


def test_what_happens_now_undoes_an_excuse(shipped: RedLines, reader: Reader) -> None:
    assert found(shipped, reader, "去年布店二楼着火了，现在还在烧，快来人") is not None
