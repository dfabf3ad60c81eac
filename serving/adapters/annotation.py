"""Annotations: what Label Studio tells of its tasks, and a finished annotation as feedback on a decision."""

from __future__ import annotations

import logging
import re
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select
from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from nlp.errors import InputError
from nlp.petition import Petition
from nlp.taxonomy import TASKS, Taxonomy
from serving.access.who import Who
from serving.adapters.choices import question, questions
from serving.feedback import ULID, Given, Kept, UnknownDecision, give
from serving.service import Service
from serving.store.tables import decisions

CHANNEL = "labelstudio"
FINISHED = {"ANNOTATION_CREATED", "ANNOTATION_UPDATED"}
Config = Annotated[str, Field(max_length=200_000)]
Number = Annotated[int, Field(ge=0, lt=2**63)]
Name = Annotated[str, Field(max_length=200)]
log = logging.getLogger(__name__)


class Task(BaseModel):
    """A task; the number of the decision that it was made from may stand in its meta or its data as `decision_id`."""

    model_config = ConfigDict(extra="ignore")

    id: Number | Name | None = None
    data: dict[str, Any]
    meta: dict[str, Any] | None = None

    @property
    def decision_id(self) -> str:
        """The number of that decision; empty where there is none."""
        found = (self.meta or {}).get("decision_id") or self.data.get("decision_id")
        return found if isinstance(found, str) and re.fullmatch(ULID, found) else ""

    def petition(self, field: str, number: int) -> Petition:
        """The petition in a field of the data, `a.b` being `b` in `a`; raises `InputError` where there is no text."""
        text: Any = self.data
        for name in field.split("."):
            text = text[name] if isinstance(text, dict) and name in text else 0
        if not isinstance(text, str | None):
            raise InputError(place=f"tasks[{number}].data.{field}", reason="没有这个字段，或者不是文字")
        title = self.data.get("title")
        name = ulid_now() if self.id is None else str(self.id)
        return Petition(name, text or "", title if isinstance(title, str) and field != "title" else "", CHANNEL)


class Region(BaseModel):
    """One answer of an annotation."""

    model_config = ConfigDict(extra="ignore")

    from_name: str = ""
    type: str = ""
    value: dict[str, Any] = {}

    @property
    def choice(self) -> str:
        """The choice that was made; empty where it was none, or several."""
        choices = self.value.get("choices") if self.type == "choices" else None
        one = choices[0] if isinstance(choices, list) and len(choices) == 1 else ""
        return one if isinstance(one, str) else ""


class Annotation(BaseModel):
    """A finished annotation; who made it comes as a number, or with more about the person, which is not read."""

    model_config = ConfigDict(extra="ignore")

    result: Annotated[list[Region], Field(max_length=1000)] = []
    was_cancelled: bool | None = None
    completed_by: Number | dict[str, Any] | None = None

    @property
    def operator(self) -> str:
        """Who annotated, by the number that Label Studio gave."""
        by = self.completed_by.get("id") if isinstance(self.completed_by, dict) else self.completed_by
        return f"{CHANNEL}:{by}" if isinstance(by, int) else CHANNEL


class Project(BaseModel):
    """The project of an annotation."""

    model_config = ConfigDict(extra="ignore")

    label_config: Config | None = None


class Webhook(BaseModel):
    """What Label Studio tells of something that happened; only finished annotations are read."""

    model_config = ConfigDict(extra="ignore")

    action: str = ""
    annotation: Annotation | None = None
    task: Task | None = None
    project: Project | Name | Number | None = None

    def codes(self, taxonomy: Taxonomy) -> dict[str, str]:
        """Task → the code that was chosen; raises `InputError` for a configuration that cannot be read."""
        config = self.project.label_config if isinstance(self.project, Project) else None
        asked = {one.name: one for one in questions(config or "<View/>", taxonomy)}
        codes = {}
        for region in self.annotation.result if self.annotation else ():
            choice = region.choice
            one = asked.get(region.from_name) or question(region.from_name, "", "", [{"value": choice}], taxonomy)
            code = one.code(choice) if one else None
            if one and code:
                codes[one.task] = code
        return codes


async def take(service: Service, who: Who, told: Webhook) -> Kept | str:
    """A finished annotation as feedback, or why it is none; raises `UnknownDecision`, `StoreDown`."""
    codes = told.codes(service.office.decider.model.taxonomy)
    ignored = _ignored(told, codes)
    if ignored or told.task is None or told.annotation is None:
        log.info("annotation_ignored", extra={"reason": ignored})
        return ignored
    decision = told.task.decision_id
    decided = await run_in_threadpool(service.journal.read, partial(_decided, decision))
    agreed = all(decided[task] == code for task, code in codes.items())
    said: dict[str, Any] = {"verdict": "accepted"} if agreed else {"verdict": "corrected", **codes}
    return await give(service, who, Given(decision_id=decision, operator=told.annotation.operator, **said))


def _ignored(told: Webhook, codes: dict[str, str]) -> str:
    """Why nothing is to be kept; empty where something is."""
    if told.action not in FINISHED:
        return "只收 ANNOTATION_CREATED 和 ANNOTATION_UPDATED"
    if told.annotation is None or told.annotation.was_cancelled:
        return "没有完成的标注"
    if told.task is None or not told.task.decision_id:
        return "任务的 meta 和 data 里都没有 decision_id"
    return "" if codes else "没有选中本服务的编码或名称"


def _decided(decision: str, connection: Connection) -> dict[str, str]:
    """Task → the code that was decided; raises `UnknownDecision`."""
    query = select(*(decisions.c[task] for task in TASKS)).where(decisions.c.id == decision)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise UnknownDecision(decision=decision)
    return dict(found._mapping)
