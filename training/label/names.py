"""Names: the labels of a taxonomy as people write them, by code, name or path."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches

from nlp.errors import InputError
from nlp.taxonomy import TASK_NAMES, TASKS, Taxonomy
from training.dataset import shown

HELP = "请改正后再读；若是你们自己的分类，用 --taxonomy 指定分类体系"


class Names:
    """Looks labels up: each has its code, its path like 甲/乙, and its name where no other has the same."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self._told: dict[str, dict[str, str]] = {}
        self._codes: dict[str, dict[str, str]] = {}
        for task in TASKS:
            labels = taxonomy.labels(task)
            count = Counter(label.name for label in labels)
            paths = {label.code: "/".join(taxonomy.paths.get(label.code, [label.name])) for label in labels}
            told = {label.code: label.name if count[label.name] == 1 else paths[label.code] for label in labels}
            self._told[task] = told
            ways = (paths, told, {code: code for code in told})  # a code has the last word over a name like it
            self._codes[task] = {written.strip(): code for way in ways for code, written in way.items()}

    def told(self, task: str, code: str) -> str:
        """The name that people choose, or the path where the name alone is not enough."""
        return self._told[task][code]

    def all(self, task: str) -> list[str]:
        """The names of one task, in the order of the taxonomy."""
        return list(self._told[task].values())

    def knows(self, task: str, written: str) -> bool:
        """Whether a task has a label that is written so."""
        return written.strip() in self._codes[task]

    def code(self, task: str, written: str, place: str) -> str:
        """The code of a label; raises `InputError` with the place, the nearest name and what to do."""
        known = self._codes[task]
        code = known.get(written.strip())
        if code is None:
            nearest = get_close_matches(written.strip()[:100], [*self.all(task), *self.taxonomy.codes(task)], 1, 0.3)
            near = f"，最接近的是“{nearest[0]}”" if nearest else ""
            reason = f"{TASK_NAMES[task]}标签 {shown(written.strip())} 不在分类体系里{near}；{HELP}"
            raise InputError(place=place, reason=reason)
        return code
