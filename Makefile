# jiesu: every target works from a bare checkout with Python 3.11–3.13 and make.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# Compiled files are made when a module is first used: most never are, and they were a fifth of what was installed.
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile
HOST ?= 127.0.0.1
PORT ?= 8000
LETTERS ?= ../shared/gold/dev.jsonl
export PIP_NO_INPUT := 1
unexport PYTHONDONTWRITEBYTECODE # tests start hundreds of processes: each took four seconds where nothing compiled was kept

.PHONY: setup run test test-system bench quality profiles soak fit model lock format clean

setup: $(VENV)/.setup  ## install what running and fit need

# A virtual environment whose Python is gone, or of a version no longer supported, is made anew.
$(VENV)/.setup: requirements/build.lock requirements/train.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "jiesu 需要 Python 3.11–3.13，没有找到" >&2; exit 2; }
	@$(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	  || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@echo "安装依赖到 $(VENV)/ …" >&2
	@$(PIP) --require-hashes -r requirements/build.lock
	@$(PIP) --require-hashes --no-build-isolation -r requirements/train.lock
	@$(PIP) --no-deps --no-build-isolation --editable . --config-settings editable_mode=compat
	@touch $@

$(VENV)/.test: $(VENV)/.setup requirements/test.lock
	@$(PIP) --require-hashes --no-build-isolation -r requirements/test.lock
	@touch $@

$(VENV)/.encoder: $(VENV)/.setup requirements/encoder.txt
	@$(PIP) -r requirements/encoder.txt
	@touch $@

$(VENV)/.spark: $(VENV)/.setup requirements/spark.txt
	@$(PIP) -r requirements/spark.txt
	@touch $@

$(VENV)/.browser: $(VENV)/.setup requirements/browser.txt
	@$(PIP) -r requirements/browser.txt
	@touch $@

run: setup  ## serve on 127.0.0.1:8000; the default model is fitted once
	@$(BIN)/jiesu serve --host $(HOST) --port $(PORT) --insecure --sample

test: $(VENV)/.test  ## format, lint, types, layers, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --dist loadfile

test-system: $(VENV)/.test $(VENV)/.encoder $(VENV)/.spark $(VENV)/.browser  ## the parts that need system packages, or minutes
	@tests/system/install.sh
	$(BIN)/python -m pytest -m system

bench: $(VENV)/.test  ## one JSON object a line
	@$(BIN)/python -m benchmarks

quality: $(VENV)/.test  ## what the default model reaches on the letters of ../shared/gold, into docs/quality.md
	@$(BIN)/python -m benchmarks.quality $(LETTERS) --write

profiles: setup  ## the same petitions under every profile, into docs/profiles.md
	@$(BIN)/jiesu route compare docs/profiles.jsonl > docs/.profiles && { sed '/^<!-- begin -->/q' docs/profiles.md; \
	  cat docs/.profiles; echo '<!-- end -->'; } > docs/.new && mv docs/.new docs/profiles.md && rm docs/.profiles

soak: $(VENV)/.test  ## the long repetitions: growth, load, backlogs, rounds of each fault; writes benchmarks/results/
	@tests/system/install.sh
	@$(BIN)/python -m benchmarks --soak
	@$(BIN)/python -m benchmarks load
	FAULT_ROUNDS=20 FAULT_RESULTS=benchmarks/results/faults.jsonl $(BIN)/python -m pytest -m system tests/system/test_faults.py
	FAULT_ROUNDS=50 FAULT_RESULTS=benchmarks/results/faults.jsonl $(BIN)/python -m pytest -m system tests/system/test_backlog.py -k killed

fit: setup  ## the linear default from the corpus
	@$(BIN)/jiesu fit --corpus --out var/models/default

model: $(VENV)/.encoder  ## the shipped model: linear heads, static vectors and an encoder; an hour and more, and goes on where it was killed
	@$(BIN)/jiesu fit --corpus --encoder "$$($(BIN)/jiesu encoder get)" --distil 6 --out models/default

lock:  ## renew the lock files (needs uv)
	requirements/lock.sh

format: $(VENV)/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) var *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
