"""The office's rules: read with the model's taxonomy, and put in force anew when their files change."""

from __future__ import annotations

import logging
from pathlib import Path

from nlp.decider import Decider
from nlp.errors import JiesuError
from nlp.route.rulebase import PLAIN, Rulebase, Shelf
from serving.default import open_model
from serving.settings import Settings

log = logging.getLogger(__name__)


def open_decider(settings: Settings, folder: Path | None = None) -> Decider:
    """A decider with the model and the rules of the settings; raises `JiesuError`."""
    model = open_model(settings, folder)
    return Decider(model, rules=Rulebase.read(model.taxonomy, settings.rules))


class Office:
    """Looks after the rules of a decider: what is broken stays out, and what was in force stays in."""

    def __init__(self, decider: Decider, folder: Path | None, profile: str = PLAIN) -> None:
        self._decider = decider
        self._folder = folder
        self._profile = profile
        self._stamp = Shelf(folder).stamp
        self.refused = ""
        """Why the files as they are now are not in force; empty where they are."""

    def refresh(self) -> bool:
        """Put changed files in force as a whole; whether other rules are in force now."""
        stamp = Shelf(self._folder).stamp
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            rules = Rulebase.read(self._decider.model.taxonomy, self._folder)
            rules.profile(self._profile)
            self._decider.put_in_force(rules)
        except (JiesuError, OSError) as error:
            self.refused = str(error)
            log.warning("rules_refused", extra={"reason": self.refused})
            return False
        self.refused = ""
        log.info("rules_in_force", extra={"catalogue": self._decider.router.rules.catalogue.source})
        return True
