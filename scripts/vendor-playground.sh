#!/usr/bin/env bash
# Recreates api/assets/playground from npm: GraphiQL and React at fixed versions, checked against SHA256SUMS.
# Run it after changing a version below; `--update` writes new checksums. The result is checked in, so that no
# build and no browser needs the network.
set -euo pipefail

graphiql=4.1.2
react=18.3.1

root=$(cd "$(dirname "$0")/.." && pwd)
target=$root/api/assets/playground
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch <package> <version>: unpacks the package into $work/<package>
fetch() {
    local archive
    archive=$(cd "$work" && npm pack --silent "$1@$2")
    mkdir -p "$work/$1"
    tar -xzf "$work/$archive" -C "$work/$1" --strip-components=1
}

# take <package> <path in package> <name>: copies a file without its reference to a source map we do not ship
take() {
    sed -e '/^\/\/# sourceMappingURL=/d' -e 's|//# sourceMappingURL=[^ ]*$||' "$work/$1/$2" >"$target/$3"
}

fetch graphiql "$graphiql"
fetch react "$react"
fetch react-dom "$react"

mkdir -p "$target/licences"
rm -f "$target"/graphiql-* "$target"/react-*
take graphiql graphiql.min.js "graphiql-$graphiql.min.js"
take graphiql graphiql.min.css "graphiql-$graphiql.min.css"
take react umd/react.production.min.js "react-$react.min.js"
take react-dom umd/react-dom.production.min.js "react-dom-$react.min.js"
cp "$work/graphiql/LICENSE" "$target/licences/graphiql.txt"
cp "$work/react/LICENSE" "$target/licences/react.txt"

cd "$target"
if [[ ${1:-} == --update ]]; then
    sha256sum graphiql-* react-* >SHA256SUMS
fi
sha256sum --check --quiet --strict SHA256SUMS
echo "api/assets/playground holds GraphiQL $graphiql and React $react"
