"""What the operator's desk sends: a petition as it is being written, what is said of it, what was shown unmasked."""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from nlp.petition import Petition
from nlp.reader import READ_AT_MOST
from serving.feedback import Right, Verdict
from serving.schema import PetitionIn

Number = Annotated[str, Field(max_length=200, description="工单号")]
Hidden = Literal["title", "text", "location", "phone"]


class Spoken(PetitionIn):
    """A petition as far as it is written; its number may still be missing."""

    id: Number = ""

    def petition(self, zone: tzinfo) -> Petition:
        """The petition, its time in the office's zone: a browser tells times in that of Greenwich."""
        found = super().petition(zone)
        return replace(found, received_at=found.received_at.astimezone(zone) if found.received_at else None)

    def begun(self, zone: tzinfo) -> Petition:
        """As much of it as would be read, so that whoever types never waits for the rest of a huge text."""
        found = self.petition(zone)
        return replace(found, text=found.text[: READ_AT_MOST + 1], title=found.title[: READ_AT_MOST + 1])


class Asked(Spoken):
    """What a suggestion is asked for. right: what the operator has corrected so far."""

    right: Right = Right()


class Settling(BaseModel):
    """How a petition is settled. seen: the codes that the page showed; anyway: though somebody else has settled it."""

    model_config = ConfigDict(extra="forbid")

    petition: Spoken
    verdict: Verdict
    right: Right = Right()
    seen: Right = Right()
    reason: Annotated[str, Field(max_length=2000)] = ""
    unit: Annotated[str, Field(max_length=200)] = ""
    anyway: bool = False


class Revealed(BaseModel):
    """Which fields of what was typed are shown as they are, and of which ticket."""

    model_config = ConfigDict(extra="forbid")

    id: Number = ""
    fields: Annotated[list[Hidden], Field(min_length=1, max_length=4)]
