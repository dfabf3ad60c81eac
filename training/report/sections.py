"""The sections of the page: each begins with what it means and what to do, for people who label data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from corpora.markup import absent, folded, lead, percent, section, span, table, told
from nlp.drift import LITTLE, MUCH
from nlp.taxonomy import TASK_NAMES
from training.report.excerpts import Excerpt
from training.report.figures import OTHERS, bins, confusion_table, confusions, coverage, label_scores
from training.report.material import Material
from training.report.pictures import certainty_picture, confusion_picture, cost_picture, curve_picture, drift_picture
from training.scores import TaskScore
from training.suspects import Suspect

SUSPECTS = 50  # that the page shows
STEPS = (500, 1000, 2000, 5000)  # rows that might be labelled next
NOTHING = "没有带标签的行，无从计算。"


def scores(given: Material) -> str:
    """What was measured on what."""
    report = given.report
    rows = [
        [
            TASK_NAMES[task],
            len(score.labels),
            percent(score.accuracy),
            span(score.interval),
            f"{score.macro_f1:.3f}",
            "{:.3f}–{:.3f}".format(*given.intervals[task]),
            percent(score.among(3)),
            f"{score.calibration_error:.3f}",
        ]
        for task, score in report.tasks.items()
    ]
    head = ["任务", "条数", "准确率", "95% 区间", "宏平均 F1", "95% 区间", "前三之内", "校准误差"]
    return section(
        "scores",
        "一、测了什么，成绩如何",
        lead(
            "准确率：每百条答对几条。宏平均 F1：每个标签不论多少同等看待，小类答不好它就低。",
            "区间表示换一批同样的数据，成绩大致会落在哪里；两次成绩的区间若大部分重叠，不要急于说谁好。",
        ),
        told(f"怎样留出：{given.extras.held_out or '模型直接回答这份数据；若其中有训练用过的行，成绩会偏高。'}"),
        table(head, rows) if rows else absent(NOTHING),
        told(f"不需人工即可答复的占 {percent(report.coverage)}{given.error_alone}。"),
    )


def confused(given: Material) -> str:
    """Which labels are taken for which others."""
    parts = [_confused(given, task, score) for task, score in given.report.tasks.items()]
    return section(
        "confusions",
        "二、哪些标签容易混",
        lead(
            "图中每一行是数据里的一种标签，横着看模型把它答成了什么：蓝色是答对，红色是答错，颜色越深占比越高。",
            "红格深的两种标签，请先看下面的例子：若定义分不清，改定义；若是标错，改标签；若都对，就再多标一些。",
        ),
        *(parts or [absent(NOTHING)]),
    )


def _confused(given: Material, task: str, score: TaskScore) -> str:
    name, (shown, counts) = TASK_NAMES[task], confusion_table(score)
    names = [_others(score, shown) if column == OTHERS else given.names[task][column] for column in shown]
    note = told(f"只单列条数最多的 {len(shown) - 1} 种，其余并为一行一列。") if OTHERS in shown else ""
    rows = []
    for one in confusions(score):
        examples = [given.judged[given.rows[task][row]] for row in one.examples]
        rows.append([
            given.label(task, one.given), given.label(task, one.answered), _quoted(examples), one.count
        ])  # fmt: skip
    worst = (
        table(["应为", "答为", "例子（行号与脱敏后的开头）", "次数"], rows, words=3) if rows else told("没有答错的行。")
    )
    content = confusion_picture(names, counts, name) + note + f"<h3>{name}：最多的混淆</h3>" + worst
    return f"<h3>{name}</h3>{content}" if task == given.first else folded(f"{name}（点开）", content)


def _quoted(examples: list[Excerpt]) -> str:
    return "\n".join(f"第 {one.line} 行：{one.text}" for one in examples)


def _others(score: TaskScore, shown: list[int]) -> str:
    return f"其余 {len(score.f1) - len(shown) + 1} 种"


def labels(given: Material) -> str:
    """How well each label is answered."""
    head = ["标签", "名称", "条数", "答出", "精确率", "召回率", "F1"]
    parts = []
    for task, score in given.report.tasks.items():
        rows = [
            [given.codes[task][one.column], given.names[task][one.column], one.rows, one.answered,
             percent(one.precision), percent(one.recall), f"{one.f1:.3f}"]
            for one in label_scores(score)
        ]  # fmt: skip
        content = table(head, rows, sortable=True, words=2)
        name = TASK_NAMES[task]
        parts.append(f"<h3>{name}</h3>{content}" if task == given.first else folded(f"{name}（点开）", content))
    return section(
        "labels",
        "三、每个标签的成绩",
        lead(
            "精确率低：别的东西被答成了它；召回率低：它被答成了别的。条数少于 30 的标签，数字只能参考。",
            "点表头可以排序；请先给 F1 低而条数少的标签补标。",
        ),
        *(parts or [absent(NOTHING)]),
    )


def certainty(given: Material) -> str:
    """Whether the model's confidence can be believed, and what the threshold buys."""
    tasks = given.report.tasks
    title = "四、模型说有把握时，可信吗"
    if not given.first:
        return section("certainty", title, absent(NOTHING))
    known = given.report.known[given.first]
    alone = given.report.alone[known]
    now = (float(alone.mean()), given.report.error_alone(given.first))
    picture = certainty_picture(
        {TASK_NAMES[task]: bins(score) for task, score in tasks.items()}, coverage(tasks[given.first]),
        now, TASK_NAMES[given.first],
    )  # fmt: skip
    limit = given.extras.threshold
    force = f"现行阈值 {limit:.3f}：" if limit is not None and limit <= 1 else "现行规则（阈值、红线、过长等）下："
    return section(
        "certainty",
        title,
        lead(
            "左图：线贴着虚线，模型说八成就是八成；线在虚线下面，它过于自信。",
            "右图：直接答复得越多，错得也越多；圆点是现在的位置。错误率高过能接受的，就把阈值调高，交给人工的会多一些。",
        ),
        picture,
        told(f"{force}直接答复 {percent(now[0])}，其中{TASK_NAMES[given.first]}答错 {percent(now[1])}。"),
    )


def growth(given: Material) -> str:
    """What more labelled rows would be worth."""
    title, curve = "五、再标多少还有用", given.extras.curve
    if curve is None:
        return section("growth", title, absent("学习曲线要反复训练，只在训练时画；这是对现成模型的评估，所以没有。"))
    if curve.law is None:
        return section("growth", title, absent("带标签的行太少，或只有一种标签，画不出学习曲线；请先多标一些。"))
    rows = [[f"再标 {more} 条", *_reached(*curve.reached(curve.total + more))] for more in STEPS]
    value, spread = curve.reached(curve.total + 1000)
    return section(
        "growth",
        title,
        lead(
            f"再标 1,000 条，类别的宏平均 F1 大约会到 {value:.3f}（± {spread:.3f}）。",
            "曲线还陡，就继续标；已经平了，再标同样的数据用处不大，不如清理错标、补标小类。",
        ),
        curve_picture(curve),
        table(["打算", "宏平均 F1 大约到", "±"], [["现有的全部", *_reached(*curve.reached(curve.total))], *rows]),
        told(
            f"做法：用 {'、'.join(map(str, curve.rows))} 条各训练一次，在留出的 {curve.held} 条上打分，"
            "按 a − b·n^−c 推算；"
            "为了快，只训练分类器，不含校准和联合解码，所以比第一节的成绩略低。± 只算了留出行的偶然，推得越远越不可靠。"
        ),
    )


def _reached(value: float, spread: float) -> tuple[str, str]:
    return f"{value:.3f}", f"{spread:.3f}"


def change(given: Material) -> str:
    """How far these petitions are from those of the live model."""
    title, drift = "六、与在用模型的数据有多不同", given.extras.drift
    if drift is None:
        return section("drift", title, absent("没有可比的在用模型，或它没有留下自己数据的概况，所以不比较。"))
    before, after = drift.before, drift.after
    rows: list[list[object]] = [
        ["条数", before.rows, after.rows],
        ["在用模型不认识的词和字串", percent(before.unknown), percent(after.unknown)],
        ["平均长度（字）", f"{before.length:.0f}", f"{after.length:.0f}"],
        ["在用模型的平均把握", percent(before.sureness), percent(after.sureness)],
    ]
    names = dict(zip(given.codes["category"], given.names["category"], strict=True))
    return section(
        "drift",
        title,
        lead(
            _verdict(drift.stability, drift.confidence),
            "图中灰色是在用模型学过的，蓝色是这份数据；某类突然变多，先问是真的多了，还是登记口径变了。",
        ),
        drift_picture(drift, names),
        table(["", "在用模型的数据", "这份数据"], rows),
        told(
            f"类别构成：PSI {drift.stability:.3f}，总变差 {percent(drift.distance)}（要挪动这么多行，两边才一样）；"
            f"把握：PSI {drift.confidence:.3f}。PSI 低于 {LITTLE} 为小，高于 {MUCH} 为大（Siddiqi 2006）。"
        ),
    )


def _verdict(mix: float, sure: float) -> str:
    worst = max(mix, sure)
    if worst > MUCH:
        return "变化大：在用模型是在很不一样的数据上学的，应当重新训练，并抽查它近来的答复。"
    if worst > LITTLE:
        return "有些变化：暂时可以用，请留意变化最大的几类。"
    return "变化小：两边的数据很像。"


def found(given: Material) -> str:
    """What was noticed about the data."""
    title, findings = "七、数据里发现的问题", given.extras.findings
    if findings is None:
        return section("findings", title, absent("清理和查重在训练时做；这是对现成模型的评估，没有动过数据。"))
    if not findings:
        return section("findings", title, absent("没有发现重复、冲突、泄漏或学不了的标签。"))
    rows = [[one.title, one.told, one.where, one.count] for one in findings]
    return section(
        "findings",
        title,
        lead(
            "这些行没有按原样用于训练，或者会让成绩失真。请按行号回到原表里改，再训练一次；",
            "同样的文字有两种标签时，先定下哪一种对。",
        ),
        table(["问题", "说明", "在哪里", "数量"], rows, words=3),
    )


def doubted(given: Material) -> str:
    """The labels that are likely wrong."""
    title, lists = "八、可能标错的行", given.extras.suspects
    if lists is None:
        return section(
            "suspects", title, absent("要由没见过每一行的模型来怀疑它，只有训练时的交叉验证才有；所以没有。")
        )
    parts = list(_suspected(given, lists))
    return section(
        "suspects",
        title,
        lead(
            "每一行都由没见过它的模型来答；越不相信现有标签的，排得越前。请从上往下看，连着十几行都没标错就可以停。",
            "标签不一定错：模型也会错。要改的在 suspects.xlsx 的“改为”一列填上，再并回原表。",
        ),
        *(parts or [absent("没有可以怀疑的行。")]),
    )


def _suspected(given: Material, lists: Mapping[str, Sequence[Suspect]]) -> Iterator[str]:
    head = ["行", "现标签", "建议", "脱敏后的开头", "现标签的把握", "建议的把握"]
    for task, ranked in lists.items():
        excerpts = given.learned
        rows: list[list[object]] = [
            [excerpts[one.row].line, given.label(task, one.given), given.label(task, one.suggested),
             excerpts[one.row].text, percent(one.confidence), percent(one.instead)]
            for one in ranked[:SUSPECTS]
        ]  # fmt: skip
        many = sum(one.doubted for one in ranked)
        name = TASK_NAMES[task]
        note = told(
            f"{name}：共 {len(ranked)} 行，其中 {many} 行的建议比现标签更可信；这里列出最前面的 {len(rows)} 行。"
        )
        content = note + table(head, rows, words=4)
        if rows:
            yield content if task == next(iter(lists)) else folded(f"{name}（点开）", content)


def dear(given: Material) -> str:
    """What asking the encoder more often costs, and what it is worth."""
    title, weighed = "九、编码器：问得越多，准多少", given.extras.cascade
    if not weighed:
        return section("cascade", title, absent("这个模型没有编码器，只有线性模型作答，没有花费可比。"))
    never, always, now = (
        percent(weighed[key]) for key in ("accuracy_never_asked", "accuracy_always_asked", "accuracy")
    )
    return section(
        "cascade",
        title,
        lead(
            f"accuracy=high 时，线性模型没把握的才问编码器：现在问 {percent(weighed['share_asked'])}，"
            f"类别准确率 {now}；从不问是 {never}，总是问是 {always}。",
            "编码器比线性模型慢一两个数量级，横轴就是花费；红点是现行的阈值，取比总是问少不到半个百分点里最省的。",
        ),
        cost_picture(weighed["points"], (weighed["share_asked"], weighed["accuracy"])),
        told(f"在两个模型都没有学过的 {weighed['rows']} 行上量；混合的权重和阈值也定在这些行上，所以略微偏高。"),
    )


SECTIONS = (scores, confused, labels, certainty, growth, change, found, doubted, dear)


def weakest(score: TaskScore) -> list[int]:
    """The three labels with at least ten rows that are answered worst."""
    kept = [one for one in label_scores(score) if one.rows >= 10]
    return [one.column for one in sorted(kept, key=lambda one: one.f1)[:3]]
