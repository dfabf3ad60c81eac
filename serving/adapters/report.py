"""Reports: what an Open311 client sends, checked whole, so that it hears of every fault at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from nlp.petition import Petition

CHANNEL = "Open311"
ATTRIBUTE = re.compile(r"attribute\[([^\]]{1,64})\](?:\[\])?")  # with a second pair of brackets: one of several values
WEB = re.compile(r"https?://\S{1,2000}", re.IGNORECASE)
PLACES = ("lat", "long", "address_string", "address_id")


def degree(most: int) -> BeforeValidator:
    """A check for a coordinate between `-most` and `most` degrees."""

    def check(written: object) -> float | None:
        if written is None:
            return None
        try:
            value = float(str(written))
        except ValueError:
            value = float("nan")
        if not abs(value) <= most:  # NaN is not either
            raise PydanticCustomError("degree", "须是 {low} 到 {high} 之间的数", {"low": -most, "high": most})
        return value

    return BeforeValidator(check)


class Report(BaseModel):
    """The fields of `POST requests` that count; name, e-mail, device and account of a resident are never read.

    lat, long: degrees of WGS 84. media_url: checked for its form and never fetched. attributes: name and value of each
    `attribute[…]`, in order.
    """

    model_config = ConfigDict(extra="ignore", validate_default=True, frozen=True)

    service_code: str = ""
    description: str = ""
    lat: Annotated[float | None, degree(90)] = None
    long: Annotated[float | None, degree(180)] = None
    address_id: str = ""
    address_string: str = ""
    phone: str = ""
    media_url: str = ""
    attributes: Annotated[list[tuple[str, str]], Field(max_length=50)] = []

    @field_validator("service_code", "description")
    @classmethod
    def _there(cls, text: str) -> str:
        if not text.strip():
            raise PydanticCustomError("missing", "没有填")
        return text

    @field_validator("address_string")
    @classmethod
    def _somewhere(cls, text: str, info: ValidationInfo) -> str:
        """One of the three ways to say where; a coordinate that is wrong has a fault of its own already."""
        pair = [info.data.get(name, 0.0) for name in ("lat", "long")]
        if not text.strip() and not info.data["address_id"].strip() and None in pair:
            raise PydanticCustomError("missing", "须有 lat 和 long、address_string、address_id 之一")
        return text

    @field_validator("media_url")
    @classmethod
    def _link(cls, link: str) -> str:
        if link and not WEB.fullmatch(link):
            raise PydanticCustomError("link", "须是 http 或 https 网址，不超过 2000 字")
        return link

    @classmethod
    def of(cls, fields: Sequence[tuple[str, str]]) -> Report:
        """The report that a form makes; blank fields count as absent. Raises `ValidationError` with all faults."""
        filled = [(name, value) for name, value in fields if value.strip()]
        attributes = [(match[1], value) for name, value in filled if (match := ATTRIBUTE.fullmatch(name))]
        plain = {name: value for name, value in filled if name in cls.model_fields and name != "attributes"}
        return cls.model_validate({**plain, "attributes": attributes})

    @property
    def petition(self) -> Petition:
        """The petition: what a form asked beside the description stands below it, a line each, and is masked too."""
        text = "\n".join([self.description, *(f"{name}：{value}" for name, value in self.attributes)])
        return Petition("", text, channel=CHANNEL, location=self.address_string, phone=self.phone)
