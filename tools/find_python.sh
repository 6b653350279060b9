#!/usr/bin/env bash
# Prints the path of a CPython of one of the versions given, preferring the first; by
# default those that TensorFlow 2.15 runs on, the newest first, then those that need a
# later one. Looks at $PYTHON (for the default), the PATH, pyenv's installations and the
# usual prefixes.
set -u

[ $# -gt 0 ] && PYTHON="" || set -- 3.11 3.10 3.9 3.13 3.12
export FITTING="$*"

is_fitting() {
  [ -n "$1" ] && command -v "$1" >/dev/null 2>&1 && "$1" - 2>/dev/null <<'PY'
import os, platform, sys
ok = platform.python_implementation() == "CPython" and "%d.%d" % sys.version_info[:2] in os.environ["FITTING"].split()
try:
    import ensurepip, venv
except ImportError:
    ok = False
sys.exit(not ok)
PY
}

if [ -n "${PYTHON:-}" ]; then
  if is_fitting "$PYTHON"; then command -v "$PYTHON"; exit 0; fi
  echo "PYTHON=$PYTHON is not a CPython 3.9 to 3.13 with venv." >&2
  exit 1
fi

for version in "$@"; do
  candidates=("python$version")
  for root in "${PYENV_ROOT:-}" "$HOME/.pyenv" /opt/pyenv /usr/local/pyenv; do
    [ -n "$root" ] && candidates+=("$root"/versions/$version*/bin/python)
  done
  candidates+=("/usr/local/bin/python$version" "/usr/bin/python$version" "/opt/python$version/bin/python")
  for candidate in "${candidates[@]}"; do
    if is_fitting "$candidate"; then
      # A pyenv shim depends on the working directory: name what is behind it.
      "$candidate" -c 'import sys; print(sys.executable)'
      exit 0
    fi
  done
done
for candidate in python3 python; do
  if is_fitting "$candidate"; then "$candidate" -c 'import sys; print(sys.executable)'; exit 0; fi
done

echo "No fitting Python found: CPython $* (with venv) is needed." >&2
echo "Install one of them (for example: pyenv install $1); for .venv you can also say where it is: make PYTHON=/path/to/python$1" >&2
exit 1
