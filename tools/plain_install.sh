#!/usr/bin/env bash
# Installs the package without extras into an environment of its own, and runs the
# commands there: they must work without TensorFlow.
set -euo pipefail
cd "$(dirname "$0")/.."
repository="$PWD"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"$(bash tools/find_python.sh)" -m venv "$work/venv"
constraints="$("$work/venv/bin/python" -c 'import sys; print("constraints-tf2.21.txt" if sys.version_info >= (3, 12) else "constraints.txt")')"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  --constraint "$constraints" .
cd "$work"
command="venv/bin/estimator-ckpt"
"$command" convert "$repository/tests/testdata/digits" new/ --to=dual
"$command" inspect new/model.ckpt-300 --values > /dev/null
"$command" verify new/model.ckpt-300
"$command" diff "$repository/tests/testdata/digits" new/model.ckpt-300
PYTHONPATH="$repository" venv/bin/python -m tests.bundle.compressed \
  "$repository/tests/testdata/digits/model.ckpt-300" snappy.ckpt
"$command" verify snappy.ckpt
"$command" diff "$repository/tests/testdata/digits" snappy.ckpt
if "$work/venv/bin/python" -c 'import tensorflow' 2> /dev/null; then
  echo "TensorFlow was installed along" >&2
  exit 1
fi
echo "The commands work without TensorFlow"
