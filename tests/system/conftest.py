"""The system tests: some are there only where the packages are that `make test-system` installs."""

from __future__ import annotations

from importlib.util import find_spec

NEEDED = {"test_encoder.py": "torch", "test_spark.py": "pyspark", "desk": "playwright"}
collect_ignore = [test for test, package in NEEDED.items() if not find_spec(package)]
