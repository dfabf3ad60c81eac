"""The system tests: those of the encoder are there where torch is, which `make test-system` installs."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["test_encoder.py"]
