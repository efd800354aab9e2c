#!/bin/sh
# Resolve setup.cfg into the lock files, changing as little as possible; arguments go to uv:
#   sh tools/lock.sh --upgrade
set -eu
cd "$(dirname "$0")/.."
python=$(sh tools/find-python.sh)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check uv
compile() {
    "$folder/bin/uv" pip compile --quiet --universal --python-version 3.12 --generate-hashes \
        --no-header setup.cfg "$@"
}
compile "$@" --output-file requirements.lock
compile "$@" --extra test --constraint requirements.lock --output-file requirements-test.lock
compile "$@" --extra test --extra bench --constraint requirements-test.lock \
    --output-file requirements-bench.lock
