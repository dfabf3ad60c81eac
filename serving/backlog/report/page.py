"""The page: one HTML file that opens offline, for officials who decide about the change."""

from __future__ import annotations

from collections.abc import Iterator

from corpora.markup import document, percent, safe
from serving.backlog.report.material import Material, mean, share
from serving.backlog.report.sections import HIGH, SECTIONS

TITLE = "变更报告"
TITLES = {"changes": "去向", "certainty": "把握", "human": "需人工", "units": "单位", "deadlines": "时限",
          "crosswalk": "新旧对照", "unknown": "不认识的", "rejects": "读不了的", "sample": "抽样"}  # fmt: skip


def page(given: Material) -> str:
    """The whole page; nothing in it is loaded from elsewhere."""
    plan = given.plan
    about = (
        f"数据 {plan.source}；模型 {plan.model}；分类体系 {given.taxonomy.name}；派单 {plan.profile}；"
        f"时间 {plan.now[:16].replace('T', ' ')}；计划 {plan.id[:12]}。"
    )
    points = "".join(f"<li>{safe(point)}</li>" for point in (*counted(given), *next_steps(given)))
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title in TITLES.items())
    body = "".join(write(given) for write in SECTIONS)
    head = f'<h1>{TITLE}</h1><p class="about">{safe(about)}</p><ul class="first">{points}</ul><nav>{links}</nav>'
    return document(TITLE, head + body)


def counted(given: Material) -> Iterator[str]:
    """How many rows change, and how sure that is."""
    tally = given.tally
    yield (
        f"共读 {tally.read:,} 行：自动判定 {tally.decided:,}，需人工 {tally.human:,}，读不了 {tally.rejected:,}；"
        "三项相加等于所读，一行不少。"
    )
    if given.labelled:
        part = percent(share(tally.changed, given.answered))
        why = "" if any(one.same for one in given.changes) else "（旧标签属于另一套分类，所以每一行都换）"
        yield f"{tally.changed:,} 行（{part}）的新类别与旧标签不同{why}，其中 {tally.changed_human:,} 行需人工。"
    if given.moved:
        yield f"模型对这些行的平均把握是 {percent(mean(given.moved))}，也就是估计大约有这么多是对的。"
    if given.crossings:
        sure = [one for one in given.crossings if one.reliability >= HIGH]
        part = percent(share(sum(one.rows for one in sure), given.answered))
        yield f"从正文学出了 {len(given.crossings):,} 个旧标签的对照，其中 {len(sure):,} 个可靠高（占 {part} 的行）。"


def next_steps(given: Material) -> Iterator[str]:
    """What to do now."""
    if given.tally.sample:
        yield (
            f"下一步：打开 review.xlsx，核对随机抽出的 {len(given.tally.sample):,} 行，填“对”或“错”，"
            "再运行 jiesu review review.xlsx 看对的比例。"
        )
    if given.unknown:
        rows = sum(count for _, count in given.unknown)
        yield f"有 {len(given.unknown):,} 个旧标签不认识（{rows:,} 行），只凭正文判定，见“不认识的”。"
    if given.tally.rejected:
        yield f"{given.tally.rejected:,} 行读不了，见“读不了的”；改好再跑。"
