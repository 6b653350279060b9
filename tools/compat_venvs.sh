#!/usr/bin/env bash
# Makes .venvs/tf115, tf218py312, tf221 and tf221py313, each with a real TensorFlow of
# that version, .venvs/torch with PyTorch and .venvs/browser with playwright. Where no
# Python for one can be found, or its packages cannot be installed, it says so, and
# `make compat` goes on without it. Arguments: the only ones to make.
set -euo pipefail
cd "$(dirname "$0")/.."
WANTED=" $* "

make_venv() { # directory, packages, Python versions
  local directory=".venvs/$1" packages="$2" python
  shift 2
  [[ "$WANTED" = "  " || "$WANTED" = *" ${directory#.venvs/} "* ]] || return 0
  [ "$(cat "$directory/.installed" 2>/dev/null)" = "$packages" ] && return 0
  if ! python="$(bash tools/find_python.sh "$@")"; then
    echo "Left out: $packages" >&2
    return 0
  fi
  echo "Making $directory with $packages ($python)"
  "$python" -m venv "$directory"
  # shellcheck disable=SC2086
  if ! "$directory/bin/python" -m pip install --quiet --disable-pip-version-check $packages; then
    echo "Left out: $packages" >&2
    rm -rf "$directory"
    return 0
  fi
  echo "$packages" > "$directory/.installed"
}

make_venv tf115 "tensorflow==1.15.5 protobuf==3.20.3 numpy==1.18.5" 3.7
# With Keras 3 and tf-keras, and with what the package and its tests need.
make_venv tf221 "tensorflow-cpu==2.21.0 tf-keras==2.21.0 crc32c PyYAML pytest" 3.11 3.12 3.10
# tf.estimator through the runtime: on the newest Python, with the tf-keras of that
# TensorFlow, and on 3.12, with the tf-keras that the extra [estimator] brings.
make_venv tf221py313 "tensorflow-cpu==2.21.0 tf-keras==2.21.0 tensorflow-estimator==2.15.0 cramjam crc32c PyYAML rich scikit-learn pytest" 3.13 3.12
make_venv tf218py312 "--constraint constraints-tf2.18.txt tensorflow-cpu tensorflow-estimator tf-keras absl-py cramjam crc32c ml_dtypes PyYAML rich scikit-learn pytest" 3.12
# PyTorch, what reads its files, and models to load what we export into; no TensorFlow.
make_venv torch "torch==2.13.0+cpu torchvision==0.28.0 transformers==4.57.3 numpy==2.4.6 safetensors==0.8.0" 3.11 3.12 3.13
# Keras 3 on its other backends, where there is no TensorFlow at all.
make_venv keras3 "keras==3.15.1 torch==2.13.0+cpu jax==0.10.2 h5py numpy==2.4.6 crc32c PyYAML rich pytest" 3.11 3.12
# What drives the distribution's Chromium (apt-get install chromium), to look at reports.
make_venv browser "playwright==1.65.2" 3.11 3.12 3.13 3.10
