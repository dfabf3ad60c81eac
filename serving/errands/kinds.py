"""All kinds of errands; each desk brings its own."""

from __future__ import annotations

from collections.abc import Mapping

from serving.desk.backlog.errands import KINDS as BACKLOG
from serving.desk.data.errands import KINDS as DATA
from serving.errands.kind import Kind

KINDS: Mapping[str, Kind] = {**DATA, **BACKLOG}
