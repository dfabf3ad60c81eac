"""Tensors: petitions as the Open Inference Protocol sends them, and decisions as it wants them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictStr
from ulid_transform import ulid_now

from nlp.decision import Decision
from nlp.errors import InputError
from nlp.petition import Petition
from nlp.taxonomy import TASKS
from serving.schema import MOST_PETITIONS, Accuracy

CHANNEL = "kserve"
BYTES = "BYTES"
INPUTS = ("text", "title", "id")
LONGEST = {"id": 200}  # code points of an input's elements
Size = Annotated[int, Field(strict=True, ge=0)]
Read = Callable[[Decision, bytes], object]


def _of_task(task: str) -> dict[str, tuple[str, Read]]:
    return {
        task: (BYTES, lambda decision, _: getattr(decision, task).code),
        f"{task}_confidence": ("FP64", lambda decision, _: getattr(decision, task).confidence),
    }


OUTPUTS: Mapping[str, tuple[str, Read]] = {
    **{name: output for task in TASKS for name, output in _of_task(task).items()},
    "needs_human": ("BOOL", lambda decision, _: decision.needs_human),
    "decision": (BYTES, lambda _, content: content.decode()),
}
"""Name → datatype, and where the value comes from: a decision and its JSON."""


class Tensor(BaseModel):
    """An input: n texts, one below the other."""

    model_config = ConfigDict(extra="ignore")

    name: str
    shape: Annotated[list[Size], Field(min_length=1, max_length=2)]
    datatype: str
    data: Annotated[list[StrictStr | list[StrictStr]], Field(max_length=MOST_PETITIONS)]

    def texts(self, place: str) -> list[str]:
        """The elements; raises `InputError` for another datatype or shape."""
        if self.datatype != BYTES:
            raise InputError(place=f"{place}.datatype", reason=f"须为 {BYTES}")
        texts = [text for row in self.data for text in ([row] if isinstance(row, str) else row)]
        flat = self.shape[1:] in ([], [1]) and len(texts) == len(self.data) == prod(self.shape)
        if not flat:
            raise InputError(place=f"{place}.shape", reason=f"须为 [n] 或 [n, 1]，n 是 data 的个数 {len(self.data)}")
        if any(len(text) > LONGEST.get(self.name, len(text)) for text in texts):
            raise InputError(place=f"{place}.data", reason=f"长于 {LONGEST[self.name]} 字")
        return texts


class Parameters(BaseModel):
    """How to decide; further parameters are allowed and ignored."""

    model_config = ConfigDict(extra="ignore")

    profile: str = ""
    accuracy: Accuracy = Accuracy.fast
    evidence: bool = True


class Wanted(BaseModel):
    """An output that is asked for."""

    model_config = ConfigDict(extra="ignore")

    name: str


class InferRequest(BaseModel):
    """A request for inference."""

    model_config = ConfigDict(extra="ignore")

    id: StrictStr | None = None
    parameters: Parameters = Parameters()
    inputs: Annotated[list[Tensor], Field(min_length=1, max_length=len(INPUTS))]
    outputs: Annotated[list[Wanted], Field(max_length=100)] = []

    @property
    def names(self) -> list[str]:
        """The outputs asked for, all where none is named; raises `InputError` for one that is not there."""
        names = list(dict.fromkeys(wanted.name for wanted in self.outputs)) or list(OUTPUTS)
        for number, name in enumerate(names):
            if name not in OUTPUTS:
                raise InputError(place=f"outputs[{number}].name", reason=f"没有这个输出，可用：{'、'.join(OUTPUTS)}")
        return names

    def petitions(self) -> list[Petition]:
        """The petitions in the inputs; raises `InputError` for inputs that are unknown, twice there, or not as long."""
        columns: dict[str, list[str]] = {}
        for number, tensor in enumerate(self.inputs):
            if tensor.name not in INPUTS or tensor.name in columns:
                raise InputError(place=f"inputs[{number}].name", reason=f"须为 {'、'.join(INPUTS)} 之一，各至多一次")
            columns[tensor.name] = tensor.texts(f"inputs[{number}]")
        if "text" not in columns:
            raise InputError(place="inputs", reason="缺少名为 text 的输入")
        texts = columns["text"]
        if any(len(column) != len(texts) for column in columns.values()):
            raise InputError(place="inputs", reason="各个输入须一样长")
        titles, names = columns.get("title") or [""] * len(texts), columns.get("id") or [ulid_now() for _ in texts]
        return [Petition(name, text, title, CHANNEL) for name, text, title in zip(names, texts, titles, strict=True)]


def output(name: str, decisions: Sequence[Decision], contents: Sequence[bytes]) -> dict[str, Any]:
    """One output tensor of (n,)."""
    kind, read = OUTPUTS[name]
    data = [read(decision, content) for decision, content in zip(decisions, contents, strict=True)]
    return {"name": name, "datatype": kind, "shape": [len(data)], "data": data}
