#!/usr/bin/env bash
# `make test`: the whole suite on PostgreSQL and Redis of its own, which are gone afterwards.
#
#   scripts/test.sh [FILTER]   runs the tests whose name contains FILTER
#   KEEP_SERVICES=1            leaves PostgreSQL and Redis running for the next time
#   PROFILE=soak               tests quicker programs, which take longer to build
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

finish() {
    local status=$?
    trap '' INT TERM HUP
    set +e
    stop_group
    if [[ ${KEEP_SERVICES:-0} == 1 ]]; then
        say "PostgreSQL and Redis stay: 'scripts/services.sh stop test' ends them"
    else
        stop_services
    fi
    exit "$status"
}

main() {
    use_instance test
    hold_lock "make test"
    trap finish EXIT
    trap 'exit 130' INT TERM HUP
    ensure_build_tools
    ensure_page_readers
    ensure_command age age
    ensure_command zstd zstd
    ensure_ledger_oracles
    ensure_pgbouncer
    # First the programs: the tests start the real api and worker.
    step "Building"
    local profile=${PROFILE:-dev}
    in_own_group cargo build --workspace --bins --locked --profile "$profile"
    in_own_group cargo test --workspace --locked --profile "$profile" --no-run
    step "Starting PostgreSQL and Redis"
    start_services
    DATABASE_OWNER_URL=$(owner_url)
    export DATABASE_OWNER_URL PG_BIN REDIS_SERVER PGBOUNCER
    # Threads as api has them (api/src/main.rs).
    export RUST_MIN_STACK=$((8 << 20))
    step "Testing"
    in_own_group cargo test --workspace --locked --profile "$profile" -- "$@"
}

main "$@"
