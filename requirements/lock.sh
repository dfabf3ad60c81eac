#!/usr/bin/env bash
# Renew the lock files: names, versions and hashes for Python 3.11–3.13, no host.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header "$@"; }
echo "setuptools==84.2.1" | compile - -o requirements/build.lock
compile pyproject.toml -o requirements/core.lock
compile pyproject.toml --extra train -c requirements/core.lock -o requirements/train.lock
compile pyproject.toml --extra backlog --extra high --extra postgres --extra mysql --extra oidc --extra otel -c requirements/train.lock -o requirements/serve.lock
compile pyproject.toml --extra train --extra postgres --extra mysql --extra oidc --extra otel --extra test -c requirements/train.lock -o requirements/test.lock
