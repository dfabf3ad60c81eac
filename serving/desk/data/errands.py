"""The errands of the data desk: retrain, promote, roll back, freeze a test set, find what to label next."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from nlp.errors import JiesuError
from nlp.registry import current
from serving.desk.data.folder import Folder
from serving.errands.errand import Errand
from serving.errands.kind import Command, Kind
from serving.settings import Settings
from serving.times import moment

FIT, PROMOTE, ROLLBACK, FREEZE, NEXT = "fit", "promote", "rollback", "freeze", "next"
OPTIONS = ("text", "title", "category", "tier", "clock", "type", "time", "group")  # columns that fit and freeze take
LISTED = ("text", "title", "id")  # that `label next` takes
ODD = re.compile(r"[^\w-]+")
LONGEST = 40  # characters of a name that stands in a path
ONLY = "--"  # after which no word is taken for an option, whatever it begins with


class NoModel(JiesuError):
    """这次训练的模型已经删去，没有可换的"""


def _options(asked: Mapping[str, Sequence[str]], taken: Sequence[str]) -> list[str]:
    """Columns by role as options of a command, like `--text=诉求内容`."""
    return [f"--{role}={column}" for role in taken for column in asked.get(role, ())]


def _upload(settings: Settings, errand: Errand) -> Path:
    return Folder.of(settings).upload(errand.asked["upload"], errand.asked["suffix"])


def rows_of(settings: Settings, errand: Errand) -> Path:
    """What a retraining learns from: reports and models are called by the name of this file."""
    stem = ODD.sub("_", errand.name.rpartition(".")[0])[:LONGEST] or "upload"
    return Folder.of(settings).rows(errand.id) / f"{stem}.jsonl"


def model_of(settings: Settings, errand: Errand) -> Path:
    """Where a retraining puts its model; it is called by the time when it was asked for."""
    name = f"{moment(errand.at, settings.zone):%Y%m%d-%H%M}"
    return Folder.of(settings).models(errand.id) / name


def _names(settings: Settings, errand: Errand) -> Mapping[str, str]:
    """Files under the names that people know."""
    names = {str(rows_of(settings, errand).parent): "", str(rows_of(settings, errand)): errand.name}
    return names | ({str(_upload(settings, errand)): errand.name} if errand.asked.get("upload") else {})


def _made(settings: Settings, errand: Errand) -> Path:
    """What an errand learns from, in a folder that is there."""
    Folder.of(settings).make()
    rows = rows_of(settings, errand)
    rows.parent.mkdir(mode=0o700, exist_ok=True)
    return rows


def _columns(errand: Errand) -> str:
    return f"--columns={orjson.dumps(errand.asked['columns']).decode()}"


def _gathered(settings: Settings, errand: Errand, more: Sequence[Path] = ()) -> Command:
    """The command that puts together what is learned from: the upload, with what people settled of it."""
    settled = Folder.of(settings).settled(errand.asked["upload"])
    words = ["desk", "gather", "--out", str(_made(settings, errand)), _columns(errand), f"--settled={settled}"]
    return Command([*words, *(f"--more={path}" for path in more), ONLY, str(_upload(settings, errand))])


def _fit(settings: Settings, errand: Errand) -> Sequence[Command]:
    folder, asked, rows = Folder.of(settings), errand.asked, rows_of(settings, errand)
    said, more = _said(settings, errand)
    gathering = _gathered(settings, errand, [*more, *(folder.all_answers() if asked["answers"] else [])])
    report, quick = str(folder.report(errand.id)), ["--quick"] if asked["quick"] else []
    fitting = ["fit", "--out", str(model_of(settings, errand)), "--report", report, *quick]
    fitting += [*_options(asked["columns"], OPTIONS), ONLY, str(rows)]
    doubting = ["desk", "suspects", "--report", report, "--out", str(folder.suspects(errand.id)), _columns(errand)]
    return [*said, gathering, Command(fitting), Command([*doubting, ONLY, str(rows)])]


def _said(settings: Settings, errand: Errand) -> tuple[list[Command], list[Path]]:
    """The commands that make rows of what operators corrected, where that is wanted, and where these rows stand."""
    if not errand.asked["corrections"]:
        return [], []
    place, live = rows_of(settings, errand).parent, current(settings.home)
    feedback, rows = place / "feedback.jsonl", place / "corrections.jsonl"
    model = ["--model", str(live)] if live else []
    reading = ["label", "corrections", "--out", str(rows), *model, ONLY, str(feedback)]
    return [Command(["corrections", ONLY, str(feedback)]), Command(reading)], [rows]


def _promote(settings: Settings, errand: Errand) -> Sequence[Command]:
    asked = errand.asked
    wanted = _fitted(settings, asked["fit"]) if asked["fit"] else str(asked["version"])
    force = ["--force"] if asked["force"] else []
    return [Command(["models", "promote", *force, f"--reason={asked['reason']}", ONLY, wanted])]


def _fitted(settings: Settings, fit: str) -> str:
    """The model of a retraining; raises `NoModel` where it was removed."""
    found = sorted(Folder.of(settings).models(fit).glob("*"))
    if not found:
        raise NoModel
    return str(found[0])


def _rollback(_settings: Settings, errand: Errand) -> Sequence[Command]:
    return [Command(["models", "rollback", f"--reason={errand.asked['reason']}"])]


def _freeze(settings: Settings, errand: Errand) -> Sequence[Command]:
    asked, again = errand.asked, ["--again"] if errand.asked["again"] else []
    columns = _options(asked["columns"], OPTIONS)
    words = ["test-set", "freeze", *columns, *again, f"--reason={asked['reason']}"]
    return [_gathered(settings, errand), Command([*words, ONLY, str(rows_of(settings, errand))])]


def _next(settings: Settings, errand: Errand) -> Sequence[Command]:
    folder, asked, live = Folder.of(settings), errand.asked, current(settings.home)
    rows = _made(settings, errand)
    begun = [] if asked["upload"] else [Command(["desk", "undecided", "--out", str(rows)])]
    source = _upload(settings, errand) if asked["upload"] else rows
    words = ["label", "next", "--out", str(folder.listed(errand.id)), f"--n={asked['count']}", "--masked"]
    words += [*_options(asked["columns"], LISTED), *(["--model", str(live)] if live else [])]
    return [*begun, Command([*words, ONLY, str(source)])]


def _tidy(settings: Settings, errand: Errand) -> None:
    """Remove what was put together for an errand that is over."""
    shutil.rmtree(rows_of(settings, errand).parent, ignore_errors=True)


KINDS: Mapping[str, Kind] = {
    FIT: Kind("重新训练", _fit, names=_names, after=_tidy),
    PROMOTE: Kind("换上模型", _promote, once=True),
    ROLLBACK: Kind("退回上一个模型", _rollback, once=True),
    FREEZE: Kind("冻结测试集", _freeze, once=True, names=_names, after=_tidy),
    NEXT: Kind("挑下一批要标的", _next, names=_names, after=_tidy),
}
