"""Read petitions the one way that training and serving share: fold, mask, strip."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nlp.mask import Masker
from nlp.normalise import Normaliser
from nlp.petition import Petition
from nlp.text import REPLACEMENT, SourceEdits, Texts, replaced

READ_AT_MOST = 20_000  # code points of a text that are read for the answer; all of it is masked
SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Reading:
    """A batch of petitions, ready for the features: titles and texts in turn.

    sources: the fields as they were sent. texts: their normalised, masked form.
    """

    sources: list[str]
    texts: Texts
    personal: SourceEdits

    @property
    def shortened(self) -> frozenset[int]:
        """The petitions that were too long to be read to their end."""
        return frozenset(number >> 1 for number, source in enumerate(self.sources) if len(source) > READ_AT_MOST)

    def masked(self, number: int) -> str:
        """Field `number` as it was sent, personal data and markup replaced, fit for any encoding."""
        source = self.sources[number]
        edits = self.personal.get(number)
        safe = replaced(source, edits) if edits else source
        try:
            safe.encode()
        except UnicodeEncodeError:
            return SURROGATES.sub(REPLACEMENT, safe)
        return safe


class Reader:
    """Turns petitions into what the features see."""

    def __init__(self) -> None:
        self._normaliser = Normaliser()
        self._masker = Masker()

    def read(self, petitions: Sequence[Petition]) -> Reading:
        """Read a batch of petitions."""
        return self.fields([field for petition in petitions for field in (petition.title, petition.text)])

    def fields(self, sources: list[str]) -> Reading:
        """Read titles and texts in turn."""
        cleaned, personal = self._normaliser.clean(sources)
        masked = self._masker(cleaned, personal)
        return Reading(sources, self._normaliser.strip(masked).head(READ_AT_MOST), personal)
