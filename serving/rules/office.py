"""The office's rules and its model: put in force anew when their files change, while the service goes on."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from corpora.default import default_folder
from nlp.decider import Decider, Options
from nlp.errors import JiesuError
from nlp.model import load, read_manifest
from nlp.petition import Petition
from nlp.registry import Stamp, current, stamp
from nlp.route.rulebase import PLAIN, Rulebase, Shelf
from serving.default import open_model
from serving.settings import Settings

WARM = Petition("warm", "小区门口的路灯不亮，晚上看不见路。", "路灯不亮")
log = logging.getLogger(__name__)


def open_decider(settings: Settings, folder: Path | None = None) -> Decider:
    """A decider with the model and the rules of the settings; raises `JiesuError`."""
    model = open_model(settings, folder)
    return Decider(model, rules=Rulebase.read(model.taxonomy, settings.rules))


class Office:
    """Looks after the rules and the model in use: what is broken stays out, and what was in force stays in.

    home: where the registry of models stands; none where the model is set by hand and never changes.
    """

    def __init__(self, decider: Decider, folder: Path | None, profile: str = PLAIN, home: Path | None = None) -> None:
        self.decider = decider
        """The decider in force; another one may stand here at any time, so hold it for one request only."""
        self._folder = folder
        self._profile = profile
        self._home = home
        self._stamp = Shelf(folder).stamp
        # Not the registry's present stamp: a model may have been promoted while this one was loading.
        self._seen: tuple[Stamp, object] = ((), self._stamp)
        self.refused = ""
        """Why the files as they are now are not in force; empty where they are."""
        self.refused_model = ""
        """Why the model that the registry names is not in force; empty where it is."""

    def refresh(self) -> bool:
        """Put changed files in force as a whole; whether other rules are in force now."""
        stamp = Shelf(self._folder).stamp
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            rules = Rulebase.read(self.decider.model.taxonomy, self._folder)
            rules.profile(self._profile)
            self.decider.put_in_force(rules)
        except (JiesuError, OSError) as error:
            self.refused = str(error)
            log.warning("rules_refused", extra={"reason": self.refused})
            return False
        self.refused = ""
        log.info("rules_in_force", extra={"catalogue": self.decider.router.rules.catalogue.source})
        return True

    def refresh_model(self) -> bool:
        """Put the model in force that the registry names; whether it is another one than before.

        A refused model is tried again when the registry, its manifest or the rules change.
        """
        seen = (stamp(self._home) if self._home else (), self._stamp)
        if not self._home or seen == self._seen:
            return False
        self._seen = seen
        before = self.decider.model.name
        try:
            self._change_model(self._home)
        except Exception as error:  # whatever is wrong with a new model, the service goes on with the old one
            self.refused_model = str(error) if isinstance(error, JiesuError) else type(error).__name__
            log.warning("model_refused", extra={"reason": self.refused_model, "model": before})
            return False
        self.refused_model = ""
        changed = self.decider.model.name != before
        if changed:
            log.info("model_in_force", extra={"model": self.decider.model.name, "before": before})
        return changed

    def _change_model(self, home: Path) -> None:
        """Build, try and put in force a decider of the model that the registry names, if it is another one."""
        if not stamp(home):
            return  # nothing was ever promoted: the model that the service began with stays
        folder = current(home) or default_folder(home)
        manifest, model = read_manifest(folder), self.decider.model
        if manifest["name"] == model.name and manifest["scores"] == model.scores and manifest["card"] == model.card:
            return
        new = load(folder)
        same = new.taxonomy.hash == model.taxonomy.hash  # then the rules in force fit, whatever the files hold now
        decider = Decider(new, rules=self.decider.router.rules if same else Rulebase.read(new.taxonomy, self._folder))
        decider.decide([WARM], Options(datetime.now(UTC), self._profile))
        self.decider = decider
