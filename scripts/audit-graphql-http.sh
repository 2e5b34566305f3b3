#!/usr/bin/env bash
# Audits a running server against the GraphQL-over-HTTP specification.
# Usage: scripts/audit-graphql-http.sh [URL]; needs node and, the first time, npm.
set -euo pipefail

version=1.23.1
url=${1:-http://127.0.0.1:8000/api/graphql}

root=$(cd "$(dirname "$0")/.." && pwd)
tools=$root/.local/graphql-http-$version
if [[ ! -d $tools/node_modules/graphql-http ]]; then
    mkdir -p "$tools"
    npm install --silent --no-save --prefix "$tools" "graphql-http@$version" graphql@16 >/dev/null
fi
node "$root/scripts/audit-graphql-http.mjs" "$url" "$tools"
