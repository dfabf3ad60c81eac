"""All the rules together: an office's files go before the shipped ones, and a broken one is refused whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from corpora.petitions import default_taxonomy
from nlp.errors import RefusedData, UnknownProfile
from nlp.files import RULES
from nlp.route.catalogue import COLUMNS
from nlp.route.facts import Facts
from nlp.route.rulebase import Rulebase, Shelf
from nlp.taxonomy import Taxonomy

TAXONOMY = default_taxonomy()
SHIPPED = Rulebase.read(TAXONOMY)
PROFILES = [
    "beicai", "hongguanjia", "jingdezhen", "panlong", "plain", "putuo", "taicang", "traffic_police", "wenjiang",
]  # fmt: skip
CLOCKS = 'name = "here"\ntitle = "本市"\nsource = "自编"\n[limits]\ngeneral = "3 工作日"\n'
CATALOGUE = f"{','.join(COLUMNS)}\nown-1,1,,,,,,,某局,district,,,,,,2026-01-01,\n"
GUARDS = '[[guards]]\nname = "own"\nwhy = "本市"\ncategory = ["noise"]\nraised = "street"\n'
HOLIDAYS = '[[years]]\nyear = 2028\nsource = "通知"\nholidays = [2028-01-03]\n'
RETURNS = 'steps = ["核"]\nmost = 1\n[[reasons]]\nname = "本市理由"\nanswer = "review"\nmode = "核"\n'


def shipped(name: str) -> str:
    return (RULES / name).read_text(encoding="utf-8-sig")


PLAIN = shipped("profiles/plain.toml")


def put(office: Path, name: str, text: str | bytes) -> Path:
    path = office / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(office: Path) -> str:
    with pytest.raises(RefusedData) as caught:
        Rulebase.read(TAXONOMY, office)
    return str(caught.value)


def test_the_shipped_rules_hold_every_profile_and_every_table() -> None:
    assert list(SHIPPED.profiles) == PROFILES
    assert list(SHIPPED.clocks) == ["jiyuan", "yuncheng"]
    assert list(SHIPPED.crosswalks) == ["cjt214", "yuncheng"]
    assert SHIPPED.guards
    assert SHIPPED.catalogue.rows
    assert all(profile.name == name for name, profile in SHIPPED.profiles.items())


def test_the_shipped_rules_hold_for_this_taxonomy_as_strictly_as_an_offices_own(tmp_path: Path) -> None:
    for path in sorted(path for path in RULES.rglob("*") if path.is_file()):
        put(tmp_path, str(path.relative_to(RULES)), path.read_bytes())
    assert Rulebase.read(TAXONOMY, tmp_path).profiles == SHIPPED.profiles


def test_the_shipped_rules_can_be_read_for_another_taxonomy() -> None:
    data = TAXONOMY.as_dict()
    data["nodes"] = [node for node in data["nodes"] if node["code"] not in {"leak", "finance"}]
    other = Rulebase.read(Taxonomy.from_dict(data))
    assert list(other.profiles) == PROFILES


def test_an_empty_office_changes_nothing(tmp_path: Path) -> None:
    assert Rulebase.read(TAXONOMY, tmp_path).profiles == SHIPPED.profiles
    assert Rulebase.read(TAXONOMY, tmp_path).catalogue == SHIPPED.catalogue


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere") == f"规则文件 {tmp_path / 'nowhere'} 不能使用：没有这个文件夹"
    assert "没有这个文件夹" in refusal(put(tmp_path, "file", ""))


def test_an_offices_profile_goes_before_the_shipped_one_and_leaves_the_others(tmp_path: Path) -> None:
    put(tmp_path, "profiles/plain.toml", PLAIN.replace('title = "通用五级"', 'title = "本市五级"'))
    rules = Rulebase.read(TAXONOMY, tmp_path)
    assert rules.profile("plain").title == "本市五级"
    assert {name for name in PROFILES if rules.profiles[name] != SHIPPED.profiles[name]} == {"plain"}


def test_an_office_may_add_a_profile_with_a_table_and_a_list_of_its_own(tmp_path: Path) -> None:
    ways = '[[ways]]\nparent = ["本市清单"]\nmode = "一"\nway = "二"\n'
    mine = PLAIN.replace('name = "plain"', 'name = "mine"\nclocks = "here"\nlists = "mine"').replace(
        "[[ways]]", f"{ways}[[ways]]", 1
    )
    put(tmp_path, "profiles/mine.toml", mine)
    put(tmp_path, "clocks/here.toml", CLOCKS)
    put(tmp_path, "lists/mine.csv", "类别,清单,来源\nnoise,本市清单,x\n".encode("gb18030"))
    rules = Rulebase.read(TAXONOMY, tmp_path)
    assert list(rules.profiles) == sorted([*PROFILES, "mine"])
    assert rules.profile("mine").clocks == "here"
    assert rules.profile("mine").ways[0].category == ("noise",)
    found = rules.clocks["here"].limit(Facts("noise", "grid", "general", "help"))
    assert found is not None
    assert str(found[0]) == "3 工作日"


def test_every_other_file_of_an_office_goes_before_the_shipped_one(tmp_path: Path) -> None:
    put(tmp_path, "catalogue.csv", CATALOGUE.encode("gb18030"))
    put(tmp_path, "guards.toml", GUARDS)
    put(tmp_path, "holidays.toml", HOLIDAYS)
    put(tmp_path, "returns.toml", RETURNS)
    put(tmp_path, "clocks/jiyuan.toml", CLOCKS.replace("here", "jiyuan"))
    put(tmp_path, "crosswalks/cjt214.csv", "编码,名称,类别,主\n7701,漏,leak,是\n")
    put(tmp_path, "lists/taicang.csv", "类别,清单,来源\nleak,履职清单,x\nnoise,协助清单,x\n")
    put(tmp_path, "gazetteer.csv", "名称,网格\n航天路,第3网格\n".encode("utf-8-sig"))
    rules = Rulebase.read(TAXONOMY, tmp_path)
    assert [row.number for row in rules.catalogue.rows] == ["own-1"]
    assert [guard.name for guard in rules.guards] == ["own"]
    assert not rules.calendar.is_workday(date(2028, 1, 3))
    assert rules.calendar.is_workday(date(2027, 1, 1))  # the file is the office's as a whole
    assert rules.returns.reason("异议").name == "本市理由"
    assert rules.clocks["jiyuan"].title == "本市"
    assert rules.crosswalks["cjt214"].category("7701") == "leak"
    assert rules.crosswalks["cjt214"].category("0101") == ""
    assert rules.crosswalks["yuncheng"] == SHIPPED.crosswalks["yuncheng"]
    assert rules.profile("taicang") != SHIPPED.profile("taicang")
    assert "航天路" in rules.gazetteer.by_name


def test_a_catalogue_that_is_named_goes_before_the_offices(tmp_path: Path) -> None:
    put(tmp_path, "catalogue.csv", CATALOGUE)
    named = put(tmp_path, "other/named.csv", CATALOGUE.replace("own-1", "named-1"))
    rules = Rulebase.read(TAXONOMY, tmp_path, named)
    assert [row.number for row in rules.catalogue.rows] == ["named-1"]
    assert [row.number for row in Rulebase.read(TAXONOMY, None, named).catalogue.rows] == ["named-1"]
    named.write_text(CATALOGUE.replace("某局", ""), encoding="utf-8")
    with pytest.raises(RefusedData, match=r"named\.csv 第 2 行 不能使用：列“承办单位”：不能空"):
        Rulebase.read(TAXONOMY, tmp_path, named)
    with pytest.raises(RefusedData, match=r"nowhere\.csv"):
        Rulebase.read(TAXONOMY, tmp_path, tmp_path / "nowhere.csv")


def test_an_offices_catalogue_may_use_the_codes_of_its_own_crosswalk(tmp_path: Path) -> None:
    put(tmp_path, "crosswalks/here.csv", "编码,名称,类别,主\n7701,漏,leak,是\n")
    put(tmp_path, "catalogue.csv", CATALOGUE.replace("own-1,1,,", "own-1,1,here:7701,"))
    assert Rulebase.read(TAXONOMY, tmp_path).catalogue.rows[0].category == ("leak",)


BROKEN = {
    "catalogue": ("catalogue.csv", CATALOGUE.replace("2026-01-01", "一月"), "第 2 行"),
    "unknown category in the catalogue": ("catalogue.csv", CATALOGUE.replace("own-1,1,", "own-1,1,leek"), "第 2 行"),
    "empty catalogue": ("catalogue.csv", "", "第 1 行"),
    "crosswalk": ("crosswalks/cjt214.csv", "编码,名称,类别,主\n01,漏,leek,是\n", "第 2 行"),
    "clocks": ("clocks/jiyuan.toml", CLOCKS.replace("工作日", "周"), "第 5 行"),
    "guards": ("guards.toml", GUARDS.replace("raised", "rised"), "第 5 行"),
    "holidays": ("holidays.toml", HOLIDAYS.replace("2028-01-03", '"新年"'), "第 4 行"),
    "returns": ("returns.toml", RETURNS.replace('"review"', '"ask"'), "第 5 行"),
    "gazetteer": ("gazetteer.csv", "名称,网格\n航天路,\n", "第 2 行"),
    "list": ("lists/taicang.csv", "类别,清单\nleak,甲\n", "第 1 行"),
    "syntax": ("profiles/wenjiang.toml", "name = \n", "line 1,"),
    "empty profile": ("profiles/wenjiang.toml", "", "第 1 行"),
}


@pytest.mark.parametrize(("name", "text", "line"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_of_an_office_is_refused_whole_and_never_passed_over(
    tmp_path: Path, name: str, text: str, line: str
) -> None:
    path = put(tmp_path, name, text)
    told = refusal(tmp_path)
    assert str(path) in told
    assert line in told


# Codes that the taxonomy does not hold never say anything in an office's own files: they are told.
UNKNOWN = {
    "category of a guard": ("guards.toml", GUARDS.replace("noise", "nose"), 4, "nose"),
    "tier that a guard raises to": ("guards.toml", GUARDS.replace('"street"', '"stret"'), 5, "stret"),
    "clock of a table": ("clocks/here.toml", CLOCKS.replace("general", "generel"), 5, "generel"),
    "category of a table": (
        "clocks/here.toml", CLOCKS + '[[items]]\ncategory = ["nose"]\nlimit = "1 小时"\n', 6, "nose",
    ),
    "category of a list": ("lists/taicang.csv", "类别,清单,来源\nleak,履职清单,x\nnose,协助清单,x\n", 3, "nose"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "line", "code"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_code_that_the_taxonomy_does_not_hold_is_refused_in_every_file_of_an_office(
    tmp_path: Path, name: str, text: str, line: int, code: str
) -> None:
    path = put(tmp_path, name, text)
    told = refusal(tmp_path)
    assert str(path) in told
    assert any(f"第 {number} 行" in told for number in range(line - 3, line + 1))  # the key or its table
    assert code in told


def lines_with(text: str, content: str) -> Iterator[int]:
    return (number for number, line in enumerate(text.split("\n"), 1) if line == content)


PROFILE = {
    "unknown key": ('name = "plain"', 'name = "plain"\ncolour = "红"', 'colour = "红"', "colour：没有这个字段"),
    "unknown key of a seat": (
        'tier = ["street"]', 'tear = ["street"]', 'tear = ["street"]', "seats.3.tear：没有这个字段",
    ),
    "wrong type": ('title = "通用五级"', "title = 5", "title = 5", "title：须是文字"),
    "text for a list": ('tier = ["city"]', 'tier = "city"', 'tier = "city"', "seats.5.tier：须是列表"),
    "missing key": ('title = "通用五级"\n', "", None, "title：缺少字段"),
    "missing name": ('name = "plain"\n', "", None, "name：缺少字段"),
    "missing source": (
        'source = "governance.md：The five tiers in each profile；国办函〔2025〕66号"\n', "", None, "source：缺少字段",
    ),
    "another name": ('name = "plain"', 'name = "plane"', 'name = "plane"', "文件名与 name 不同：plane"),
    "unknown table of lists": (
        'title = "通用五级"', 'title = "通用五级"\nlists = "mine"', 'lists = "mine"', "没有名为 mine 的清单",
    ),
    "unknown tier": ('tier = ["grid"]', 'tier = ["grid", "village"]', "[[seats]]", "分类体系里没有 village"),
    "unknown level": ('unit = "街道"', 'unit = "镇"', 'unit = "镇"', "“镇”不是这个体系的层级"),
    "unknown step up": ('to = "街道"', 'to = "镇"', 'to = "镇"', "“镇”不是这个体系的层级"),
    "unknown scope": (
        'title = "通用五级"', 'title = "通用五级"\nscope = ["leek"]', 'scope = ["leek"]', "分类体系里没有 leek",
    ),
    "a last way with a condition": (
        'mode = "按时限办理"\nway = "部门办理"', 'type = ["help"]\nmode = "按时限办理"\nway = "部门办理"', "LAST WAY",
        "最后一条 ways 须不带条件",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "begins", "reason"), PROFILE.values(), ids=PROFILE)
def test_a_broken_profile_is_refused_by_file_and_line(
    tmp_path: Path, old: str, new: str, begins: str | None, reason: str
) -> None:
    assert old in PLAIN
    text = PLAIN.replace(old, new, 1)
    path = put(tmp_path, "profiles/plain.toml", text)
    if begins is None:
        line = 1
    elif begins == "LAST WAY":
        line = list(lines_with(text, "[[ways]]"))[-1]
    else:
        line = next(lines_with(text, begins))
    assert refusal(tmp_path).startswith(f"规则文件 {path} 第 {line} 行 不能使用：{reason}")


def test_a_seat_without_a_unit_is_told_by_the_line_of_its_table(tmp_path: Path) -> None:
    text = PLAIN.replace('start = "街道"\nunit = "街道"\n', 'start = "街道"\n')
    path = put(tmp_path, "profiles/plain.toml", text)
    line = list(lines_with(text, "[[seats]]"))[2]
    assert refusal(tmp_path) == f"规则文件 {path} 第 {line} 行 不能使用：seats.3.unit：缺少字段"


def test_an_unknown_group_is_told_by_the_line_of_its_rule(tmp_path: Path) -> None:
    text = PLAIN.replace('type = ["consult"]', 'parent = ["没有这一类"]')
    path = put(tmp_path, "profiles/plain.toml", text)
    line = list(lines_with(text, "[[ways]]"))[1]
    told = refusal(tmp_path)
    assert told.startswith(f"规则文件 {path} 第 ")
    assert told.endswith("分类体系里没有 没有这一类")
    assert f"第 {line} 行" in told or f"第 {line + 1} 行" in told


def test_a_profile_that_names_an_unknown_clock_table_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "profiles/plain.toml", f'clocks = "nowhere"\n{PLAIN}')
    told = refusal(tmp_path)
    assert str(path) in told
    assert "没有名为 nowhere 的时限表" in told


@pytest.mark.parametrize("tier", TAXONOMY.codes("tier"))
@pytest.mark.parametrize("condition", [None, 'clock = ["urgent"]', 'words = ["水管"]', 'place = ["某区"]'])
def test_a_profile_with_a_tier_without_an_unconditional_seat_is_refused(
    tmp_path: Path, tier: str, condition: str | None
) -> None:
    seat = f'[[seats]]\ntier = ["{tier}"]\n'
    head, _, rest = PLAIN.partition(seat)
    start, _, others = rest.partition("\n\n")
    kept = f"{seat}{condition}\n{start}\n\n" if condition else ""
    path = put(tmp_path, "profiles/plain.toml", head + kept + others)
    told = refusal(tmp_path)
    assert str(path) in told
    assert told.endswith(f"这些层级没有不带其他条件的 seats：{tier}")


def test_a_profile_that_is_not_known_is_told_with_those_that_are() -> None:
    with pytest.raises(UnknownProfile, match=r"没有名为“nowhere”.*beicai、.*plain、.*wenjiang"):
        SHIPPED.profile("nowhere")


def test_all_conditions_are_told() -> None:
    told = list(SHIPPED.conditions())
    count = len(SHIPPED.guards) + len(SHIPPED.catalogue.rows)
    count += sum(len(list(profile.rules())) for profile in SHIPPED.profiles.values())
    count += sum(len(table.items) for table in SHIPPED.clocks.values())
    assert len(told) == count
    assert not any(rule.parent for rule in told)


def test_the_shelf_tells_whose_a_file_is(tmp_path: Path) -> None:
    own = put(tmp_path, "guards.toml", GUARDS)
    new = put(tmp_path, "profiles/mine.toml", "")
    shelf = Shelf(tmp_path)
    assert shelf.file("guards.toml") == (own, True)
    assert shelf.file("returns.toml") == (RULES / "returns.toml", False)
    files = {name: (path, mine) for name, path, mine in shelf.files("profiles", ".toml")}
    assert files["mine"] == (new, True)
    assert files["plain"] == (RULES / "profiles/plain.toml", False)
    assert list(files) == sorted([*PROFILES, "mine"])
    assert [name for name, _, _ in Shelf().files("profiles", ".toml")] == PROFILES


def test_the_stamp_changes_with_the_files(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    empty = shelf.stamp
    path = put(tmp_path, "guards.toml", GUARDS)
    put(tmp_path, "profiles/mine.toml", "")
    first = shelf.stamp
    assert first != empty
    assert shelf.stamp == first
    path.write_text(GUARDS + "#", encoding="utf-8")
    longer = shelf.stamp
    assert longer != first
    os.utime(path, ns=(1, 1))
    touched = shelf.stamp
    assert touched != longer
    (tmp_path / "profiles/mine.toml").unlink()
    assert shelf.stamp != touched
