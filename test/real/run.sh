#!/bin/sh
# run.sh — tries build/a2o.jar with a real model, as ./build.sh real does; JAVA=path of a java, 21 or newer.
set -eu
cd "$(dirname "$0")"
[ -f ../../build/a2o.jar ] || { echo "run.sh: no build/a2o.jar; ./build.sh real makes it" >&2; exit 1; }
for python in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11 python3.10; do
    "$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || continue
    exec "$python" -B real.py "${JAVA:-java}" ../../build
done
echo "skipped: the model's server needs Python 3.10 or newer with its module venv"
echo "0 passed, 0 failed"
