"""The sections of the page, each of which begins with what it means and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corpora.markup import absent, folded, lead, percent, section, table, told
from serving.backlog.flows import total
from serving.backlog.report.material import NOWHERE, Material, mean, share
from serving.backlog.report.sankey import Flow, sankey
from serving.backlog.sample import CHANGED, Drawn
from serving.backlog.tally import BINS, SAME

SHOWN, FIRST = 200, 30  # rows of a table, and those that are not folded
HIGH, MIDDLE = 0.7, 0.4
LEVELS = ((HIGH, "高"), (MIDDLE, "中"), (0.0, "低"))


def long(head: Sequence[str], rows: Sequence[Sequence[object]], words: int = 1) -> str:
    """A table whose first rows are shown, more at a click, and very many only in the workbook."""
    shown = table(head, rows[:FIRST], words=words)
    if len(rows) > FIRST:
        shown += folded(f"再看 {min(len(rows), SHOWN) - FIRST} 行", table(head, rows[FIRST:SHOWN], words=words))
    return shown + (told(f"共 {len(rows):,} 行，其余在 review.xlsx 里。") if len(rows) > SHOWN else "")


def changes(given: Material) -> str:
    """Old label → category, as a picture and as a table."""
    if not given.labelled:
        plain = [(one.name, f"{one.rows:,}", f"{one.human:,}", percent(one.confidence)) for one in given.changes]
        return section("changes", "各类别", lead("数据里没有旧标签列，这里是新类别各有多少行。"),
                       long(("类别", "行", "需人工", "平均把握"), plain))  # fmt: skip
    short = {label.code: label.name for label in given.taxonomy.categories}
    same = len(given.moved) < len(given.changes)
    flows = [Flow(one.old or NOWHERE, short.get(one.code, one.code), one.rows) for one in given.moved]
    rows = [
        (one.old or NOWHERE, one.name, f"{one.rows:,}", f"{one.human:,}", percent(one.confidence),
         "不变" if one.same else "变")
        for one in given.changes
    ]  # fmt: skip
    head = ("旧标签", "新类别", "行", "需人工", "平均把握", "变否")
    return section(
        "changes", "旧标签去了哪里",
        lead("左边是旧标签，右边是新类别，带子越宽行数越多。先看最宽的几条对不对，再看意想不到的。",
             "没有改动的行不画。" if same else ""),
        sankey(flows, "旧标签到新类别的流向") if flows else absent("没有改动的行。"),
        long(head, rows, words=2),
    )  # fmt: skip


def certainty(given: Material) -> str:
    """With how much confidence what would change."""
    if not given.answered:
        return section("certainty", "把握", absent("没有判定的行。"))
    rows = [
        (f"{place / BINS:.1f}–{(place + 1) / BINS:.1f}", f"{moved:,}", f"{others:,}",
         percent(share(moved + others, given.answered)))
        for place, (moved, others) in enumerate(given.bins)
    ][::-1]  # fmt: skip
    return section(
        "certainty", "把握有多大",
        lead("把握 0.9 就是说：这样的行，每十行大约有九行是对的。估计准不准，要靠抽样核对来定。"),
        told(f"有改动的行平均把握 {percent(mean(given.moved))}。") if given.moved else absent("没有改动的行。"),
        table(("把握", "有改动的行", "其他行", "占全部"), rows),
    )  # fmt: skip


def human(given: Material) -> str:
    """What needs a human, and why."""
    tally = given.tally
    if not tally.human:
        return section("human", "需人工", absent("没有需人工的行。"))
    reasons = [(reason, sum(n[0] for n in targets.values())) for reason, targets in tally.reasons.items()]
    rows = [(reason, f"{count:,}") for reason, count in sorted(reasons, key=lambda one: (-one[1], one[0]))]
    return section(
        "human", "需人工的行",
        lead(f"{tally.human:,} 行（{percent(share(tally.human, given.answered))}）请人看过再定；"
             "输出里“接诉_需人工”为是。一行可以有几条理由。"),
        long(("理由", "行"), rows),
    )  # fmt: skip


def units(given: Material) -> str:
    """The rows by unit, and what goes to another one than before."""
    rows = [(unit, f"{count:,}", f"{needs:,}") for unit, count, needs in given.units]
    moves = [(old, new, f"{count:,}") for (old, new), count in given.handed]
    before = total(given.tally.units) - total({"": given.tally.units.get("", {})})
    away = sum(count for _, count in given.handed)
    compared = (
        told(f"与原承办单位相比，{before:,} 行里有 {away:,} 行换了单位：")
        + long(("原单位", "新单位", "行"), moves, words=2)
        if moves
        else ""
    )
    return section("units", "承办单位", lead("各单位会收到多少行；忽然多出很多的单位，请先知会。"),
                   long(("单位", "行", "需人工"), rows), compared)  # fmt: skip


def deadlines(given: Material) -> str:
    """The rows by clock and by month in which they are due, and against the old deadlines."""
    clocks = [(clock, f"{count:,}") for clock, count in given.by_clock]
    parts = [lead("时限从受理时间算起；没有受理时间的行不算截止。"), table(("时限", "行"), clocks)]
    if given.months:
        late = f"其中 {given.overdue:,} 行按本次时间 {given.plan.now[:10]} 已经过了截止。"
        parts += [told(late), long(("截止的月份", "行"), [(month, f"{count:,}") for month, count in given.months])]
    if given.tally.unread:
        parts.append(told(f"{given.tally.unread:,} 行的受理时间读不懂，没有算截止。"))
    if given.tally.deadlines:
        told_apart = [(lie, f"{total({'': targets}):,}") for lie, targets in sorted(given.tally.deadlines.items())]
        parts += [told(f"与原截止日相比（同一天算{SAME}）："), table(("新截止", "行"), told_apart)]
    return section("deadlines", "时限与截止", *parts)


def crosswalk(given: Material) -> str:
    """What each old label stands for, and how reliable it proves."""
    if not given.crossings:
        why = "旧标签太少，学不出对照，各行只凭正文判定。" if given.labelled else "没有旧标签列，各行只凭正文判定。"
        return section("crosswalk", "新旧对照", absent(why))
    rows = [
        (one.old, "、".join(f"{name} {percent(part)}" for name, part in one.likely if part >= 0.005),
         f"{one.rows:,}", f"{level(one.reliability)} {one.reliability:.2f}")
        for one in given.crossings
    ]  # fmt: skip
    return section(
        "crosswalk", "新旧对照：每个旧标签相当于什么",
        lead("对照是从正文和旧标签一起学来的。“可靠”是知道旧标签能去掉多少疑问：1 是看了旧标签就知道新类别，0 是旧标签"
             "什么也没说。可靠低的旧标签几乎不影响结果。"),
        long(("旧标签", "多半是", "行", "可靠"), rows, words=2),
    )  # fmt: skip


def level(reliability: float) -> str:
    """A reliability in one word."""
    return next(word for least, word in LEVELS if reliability >= least)


def unknown(given: Material) -> str:
    """Old labels that nothing is known about."""
    if not given.unknown:
        return section("unknown", "不认识的旧标签", absent("没有。"))
    rows = [(old, f"{count:,}") for old, count in given.unknown]
    return section("unknown", "不认识的旧标签",
                   lead("这些旧标签分类体系里没有，行数又太少学不出对照；有这些标签的行只凭正文判定，没有丢。"),
                   long(("旧标签", "行"), rows))  # fmt: skip


def rejects(given: Material) -> str:
    """Rows that could not be read."""
    rows = [
        (reason, sheet, f"{numbers[0]:,}")
        for reason, targets in sorted(given.tally.rejects.items())
        for sheet, numbers in sorted(targets.items())
    ]
    if not rows:
        return section("rejects", "读不了的行", absent("没有。"))
    return section("rejects", "读不了的行", lead("行号和原因在退回文件里；改好后可以单独再跑。"),
                   long(("原因", "工作表", "行"), rows, words=2))  # fmt: skip


def sample(given: Material) -> str:
    """The rows for review."""
    tally = given.tally
    if not (tally.sample or tally.kept):
        return section("sample", "抽样核对", absent("没有可抽的行。"))
    what = "有改动的行" if given.labelled else "全部判定的行"
    kept = f"，另从没有改动的行里抽出 {len(tally.kept):,} 行" if tally.kept else ""
    return section(
        "sample", "抽样核对",
        lead(f"从{what}（{tally.changed:,} 行）里随机抽出 {len(tally.sample):,} 行{kept}。"
             "请在 review.xlsx 里逐行填“对”或“错”，"
             f"再运行 jiesu review review.xlsx，得出对的比例和 95% 区间；填满 {CHANGED} 行时区间不宽于 ±5 个百分点。"),
        _drawn(tally.sample, "有改动" if given.labelled else "抽出"), _drawn(tally.kept, "没有改动"),
    )  # fmt: skip


def _drawn(rows: Sequence[Drawn], what: str) -> str:
    if not rows:
        return ""
    head = ("旧标签", "新类别", "脱敏后的正文", "工单", "把握")
    cells = [(one.old or NOWHERE, one.name, one.text, one.id, percent(one.confidence)) for one in rows]
    return folded(f"{what}的 {len(rows)} 行", table(head, cells, words=4))


SECTIONS: tuple[Callable[[Material], str], ...] = (
    changes, certainty, human, units, deadlines, crosswalk, unknown, rejects, sample,
)  # fmt: skip
