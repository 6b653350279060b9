#!/usr/bin/env bash
# Checks dist/: the wheel and the source archive as an index checks them, and that each
# installs without TensorFlow and without a warning. `make dist` builds them first.
set -euo pipefail
cd "$(dirname "$0")/.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# Where a machine's pip has sources of packages that it cannot use, it says so each time.
noise="WARNING: Location .* is ignored"

python="$(bash tools/find_python.sh)"
"$python" -m venv "$work/tools"
"$work/tools/bin/python" -m pip install --quiet --disable-pip-version-check \
  twine==6.2.0 check-wheel-contents==0.6.1 2> >(grep -v "$noise" >&2 || true)
"$work/tools/bin/python" -m twine check --strict dist/*
"$work/tools/bin/check-wheel-contents" dist/*.whl

for file in dist/*.whl dist/*.tar.gz; do
  "$python" -m venv "$work/venv"
  if ! "$work/venv/bin/python" -m pip install --disable-pip-version-check "$file" \
    > "$work/log" 2>&1; then
    cat "$work/log" >&2
    exit 1
  fi
  if grep -v "$noise" "$work/log" | grep -E "WARNING|DEPRECATION|Warning:" >&2; then
    echo "$file: installing it warns" >&2
    exit 1
  fi
  "$work/venv/bin/python" -W error -m estimator_ckpt verify tests/testdata/digits
  "$work/venv/bin/estimator-ckpt" inspect tests/testdata/digits \
    --report="$work/report.html" --overwrite > /dev/null
  "$work/venv/bin/estimator-ckpt" completion bash | bash -n
  says="tf.estimator needs tensorflow, which is not installed"
  if ! ("$work/venv/bin/estimator-ckpt" doctor 2>&1 || true) | grep -q "^$says"; then
    echo "$file: doctor does not say that $says" >&2
    exit 1
  fi
  if "$work/venv/bin/python" -c 'import tensorflow' 2> /dev/null; then
    echo "$file: TensorFlow was installed along" >&2
    exit 1
  fi
  echo "$file: installs without TensorFlow, without a warning"
  rm -rf "$work/venv"
done
