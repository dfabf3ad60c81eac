"""A batch from what was asked for to what is written: source, plan, workers and run are put together here, once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from corpora.rows.row import Row, Source
from nlp.errors import InputError
from nlp.former import Former
from nlp.model import read_manifest
from nlp.taxonomy import Taxonomy
from serving.backlog import former
from serving.backlog.asked import Asked, is_url
from serving.backlog.begin import CHUNK, Means, Wish, already, begun, check_profile, model_folder, planned
from serving.backlog.crew import decided_by_processes
from serving.backlog.finish import REJECTED, REPORT, Order
from serving.backlog.folder import Begun, Folder, holding
from serving.backlog.manifest import DRY, ENDING, FILE
from serving.backlog.plan import Plan
from serving.backlog.progress import showing
from serving.backlog.run import Engine, run
from serving.backlog.sinks.open import open_sink
from serving.backlog.spark.opening import decided_on
from serving.backlog.spark.session import Cluster
from serving.backlog.target import Target
from serving.backlog.workers import Bench, decided_here, decider_at
from serving.secret import open_secret
from serving.settings import Settings

FORMER = "former.json"
"""In the work folder: what the old labels say."""


@dataclass(frozen=True)
class Manner:
    """How a batch is done; what comes out does not depend on it. cluster: where, under `spark`."""

    workers: int = 1
    spark: bool = False
    quiet: bool = False
    cluster: Cluster = Cluster()


@dataclass(frozen=True)
class Wanted:
    """What is to decide, and what is to be told. report: a folder; none where nobody named one."""

    model: Path | None = None
    high: bool = False
    chunk: int = CHUNK
    report: Path | None = None


def batch(
    settings: Settings, asked: Asked, wanted: Wanted, wish: Wish, manner: Manner, say: Callable[[str], None]
) -> dict[str, Any]:
    """Do a batch, or the rest of one, and return its manifest; raises `JiesuError`. say: tells people what happens."""
    check_profile(settings)
    check_apply(asked, wish)
    source = asked.opened(manner.cluster)
    chosen = asked.chosen(source)
    say(chosen.shown())
    folder = model_folder(settings, wanted.model)
    high = wanted.high and "encoder" in read_manifest(folder)
    if wanted.high and not high:
        say("这个模型没有编码器，按 --accuracy fast 作答")
    means = Means(settings, folder, chosen.roles, high, wanted.chunk, asked.reading, asked.writing(source))
    report = wanted.report or (asked.place.with_name(asked.place.name + REPORT) if wish.dry else None)
    taxonomy = Taxonomy.from_dict(orjson.loads((folder / "taxonomy.json").read_bytes()), folder)
    order = Order(source, asked.place, open_secret(settings), taxonomy, report=report, quiet=manner.quiet)
    manifest = _done(asked, order, means, wish, manner)
    say(summary(manifest, order))
    return manifest


def _done(asked: Asked, order: Order, means: Means, wish: Wish, manner: Manner) -> dict[str, Any]:
    bare = planned(order.source, means, "")

    def plan(now: str) -> Plan:
        return replace(bare, now=now)

    with told(order.out), holding(order.out) as folder:
        done = already(order, wish, plan) if wish.resume else None
        if done:
            folder.clear()
            return done
        what = begun(folder, wish, None if is_url(asked.out) else order.out, plan, means.settings.now)
        what, known = weighed(folder, what, order.source, means, quiet=manner.quiet)
        into = None if what.dry else target(asked, what.plan, order.source, overwrite=wish.overwrite)
        order = replace(order, former=known, more=into.more if into else dict)
        held = {"plan": what.plan.as_dict(), "dry": what.dry} | ({"former": known.as_dict()} if known else {})
        bench = Bench(held, means.folder, means.settings.rules)
        return run(folder, what, order, into.sink if into else None, engine(bench, manner))


def target(asked: Asked, plan: Plan, source: Source, *, overwrite: bool) -> Target:
    """Where answers go; raises `InputError`, before anything is decided, for what cannot be written."""
    if not is_url(asked.out):
        return Target(open_sink(plan))
    from serving.backlog.tables import table_target  # noqa: PLC0415 - loads SQLAlchemy and Alembic

    return table_target(asked, plan, source, overwrite=overwrite)


def check_apply(asked: Asked, wish: Wish) -> None:
    """A table is changed in place only where somebody says so; raises `InputError`."""
    if asked.in_place and not (asked.tables.apply or wish.dry):
        raise InputError(place=asked.out, reason="就是读的那张表；先用 --dry-run 看会改什么，再用 --apply 就地修改")
    if asked.tables.apply and not asked.in_place:
        raise InputError(place="--apply", reason="只用于就地修改：IN 和 OUT 是同一个数据库的同一张表")


def summary(manifest: Mapping[str, Any], order: Order) -> str:
    """What a run came to, in a few lines."""
    counts = manifest["counts"]
    lines = [
        f"读了 {counts['read']} 行：直接作答 {counts['decided']}，需人工 {counts['human']}，不能读 {counts['rejected']}"
    ]
    if counts["unread"]:
        lines.append(f"有 {counts['unread']} 行的受理时间读不懂，照样作答，截止为空")
    if manifest["kind"] == DRY:
        lines.append(f"没有写 {order.out}；变更报告在 {order.report}，打开 change.html 看")
        return "\n".join(lines)
    if counts["rejected"]:
        lines.append(f"不能读的行和原因在 {order.beside(REJECTED)}")
    if manifest.get("left", {}).get("rows"):
        lines.append(f"有 {manifest['left']['rows']} 行读过以后被改了，没有写，列在 {manifest['left']['name']}")
    where = order.out if manifest["kind"] == FILE else manifest["place"]
    lines.append(f"写到了 {where}；要撤销：jiesu undo {order.beside(ENDING)}")
    return "\n".join(lines)


def weighed(folder: Folder, what: Begun, source: Source, means: Means, *, quiet: bool) -> tuple[Begun, Former | None]:
    """The plan with what the old labels say, which is learned once and kept in the work folder; and what they say."""
    kept = folder.path / FORMER
    if what.plan.former:
        return what, former.opened(kept)
    if not what.plan.roles.get("category"):
        return what, None
    decider = decider_at(means.folder, means.settings.rules)
    with showing(source, 0, quiet=quiet, words="学旧标签") as bar:
        known = former.learned(source, what.plan, decider, bar.advance)
    if known:
        former.save(known, kept)
        what = Begun(replace(what.plan, former=known.digest), what.dry)
        folder.settle(what)
    return what, known


def engine(bench: Bench, manner: Manner) -> Engine:
    """What decides: this process, several, or a cluster."""

    def decided(chunks: Iterable[tuple[int, Sequence[Row]]]) -> Generator[tuple[int, bytes], None, None]:
        if manner.spark:
            yield from decided_on(manner.cluster, bench, chunks)
        elif manner.workers > 1:
            yield from decided_by_processes(bench, chunks, manner.workers)
        else:
            yield from decided_here(bench, chunks)

    return decided


@contextmanager
def told(out: Path) -> Iterator[None]:
    """What the system says against reading or writing, as an error that says what to do."""
    try:
        yield
    except OSError as error:
        reason = f"读写失败（{error.strerror or error}）；做完的都在，排除以后用同样的命令加 --resume 接着做"
        raise InputError(place=error.filename or out, reason=reason) from error
