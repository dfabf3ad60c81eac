"""The errands of the data desk: retrain, promote, roll back, freeze a test set, find what to label next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from serving.desk.data.folder import Folder
from serving.errands.errand import Errand
from serving.errands.kind import Command, Kind
from serving.settings import Settings

FIT, PROMOTE, ROLLBACK, FREEZE, NEXT = "fit", "promote", "rollback", "freeze", "next"


def options(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Columns by role as options of a command, like `--text 诉求内容`."""
    return [f"--{role}={column}" for role, chosen in columns.items() for column in chosen]


def upload_of(settings: Settings, errand: Errand) -> Path:
    """The upload that an errand is about."""
    return Folder.of(settings).upload(errand.asked["upload"], errand.asked["suffix"])


def _names(settings: Settings, errand: Errand) -> Mapping[str, str]:
    """The upload under the name that its sender knows."""
    return {str(upload_of(settings, errand)): errand.name} if "upload" in errand.asked else {}


def _fit(settings: Settings, errand: Errand) -> Sequence[Command]:
    folder, asked = Folder.of(settings), errand.asked
    words = [
        "fit",
        str(upload_of(settings, errand)),
        *options(asked["columns"]),
        *(["--quick"] if asked["quick"] else []),
    ]
    out = ["--out", str(folder.model(errand.id)), "--report", str(folder.report(errand.id))]
    return [Command([*words, *out])]


def _promote(settings: Settings, errand: Errand) -> Sequence[Command]:
    asked: Mapping[str, Any] = errand.asked
    wanted = str(Folder.of(settings).model(asked["fit"])) if "fit" in asked else str(asked["version"])
    force = ["--force"] if asked["force"] else []
    return [Command(["models", "promote", wanted, *force, f"--reason={asked['reason']}"])]


def _rollback(_settings: Settings, errand: Errand) -> Sequence[Command]:
    return [Command(["models", "rollback", f"--reason={errand.asked['reason']}"])]


def _freeze(settings: Settings, errand: Errand) -> Sequence[Command]:
    asked, upload = errand.asked, str(upload_of(settings, errand))
    again = ["--again"] if asked["again"] else []
    return [Command(["test-set", "freeze", upload, *options(asked["columns"]), *again, f"--reason={asked['reason']}"])]


def _next(settings: Settings, errand: Errand) -> Sequence[Command]:
    asked, out = errand.asked, str(Folder.of(settings).list(errand.id))
    columns = {role: chosen for role, chosen in asked["columns"].items() if role in {"text", "title", "id"}}
    words = ["label", "next", str(upload_of(settings, errand)), "--out", out, f"--n={asked['count']}", "--masked"]
    return [Command([*words, *options(columns)])]


KINDS: Mapping[str, Kind] = {
    FIT: Kind("重新训练", _fit, names=_names),
    PROMOTE: Kind("换上模型", _promote, once=True),
    ROLLBACK: Kind("退回上一个模型", _rollback, once=True),
    FREEZE: Kind("冻结测试集", _freeze, once=True, names=_names),
    NEXT: Kind("挑下一批要标的", _next, names=_names),
}
