#!/bin/sh
# test/clients/run.sh [CLIENT ...] — tries build/a2o.jar with clients that others wrote; run.mjs says which. JAVA: a JDK's java.
set -eu
node -e 'process.exitCode = Number.parseInt(process.versions.node) < 20 ? 1 : 0' 2>/dev/null ||
    { echo "skip  all clients: no Node 20 or newer"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
exec node "$(dirname "$0")/run.mjs" "$@"
