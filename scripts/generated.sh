#!/usr/bin/env bash
# The files that a program of ours writes: the GraphQL schema and the list of settings.
#
#   scripts/generated.sh write   bring them up to date (make schema)
#   scripts/generated.sh check   fail when one is stale (make check)
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The file and the api's subcommand that prints it.
readonly GENERATED=("schema.graphql schema" ".env.example env-example")

SCRATCH=

finish() {
    stop_group
    [[ -z $SCRATCH ]] || rm -rf "$SCRATCH"
}

# generate COMMAND FILE: through a second file, so that a failure leaves the first as it was.
generate() {
    "$BIN_DIR/api" "$1" >"$2.new" || { rm -f "$2.new"; die "'api $1' failed"; }
    mv "$2.new" "$2"
}

# compare COMMAND FILE: shows what would change.
compare() {
    generate "$1" "$SCRATCH/fresh"
    diff --unified --label "$2 (checked in)" --label "$2 (fresh)" "$2" "$SCRATCH/fresh" >&2
}

write_all() {
    local entry
    for entry in "${GENERATED[@]}"; do generate "${entry#* }" "${entry% *}"; done
}

check_all() {
    local entry stale=()
    SCRATCH=$(mktemp -d)
    for entry in "${GENERATED[@]}"; do
        compare "${entry#* }" "${entry% *}" || stale+=("${entry% *}")
    done
    ((${#stale[@]} == 0)) || die "stale: ${stale[*]}. Mend with: make schema"
}

main() {
    case ${1-} in write | check) ;; *) die "usage: $0 write|check" ;; esac
    trap finish EXIT
    trap 'exit 130' INT TERM HUP
    build_programs
    # The settings of this shell must not leak into the defaults that are printed.
    unset DATABASE_URL REDIS_URL LOG_LEVEL CORS_ORIGINS ENVIRONMENT "${!GOLDSHOP_@}"
    "${1}_all"
}

main "$@"
