#!/usr/bin/env bash
# The private PostgreSQL and Redis of this checkout.
#
#   scripts/services.sh ensure            find the programs, install what is missing
#   scripts/services.sh start [INSTANCE]  start both and leave them running
#   scripts/services.sh stop [INSTANCE]
#   scripts/services.sh status
#   scripts/services.sh env [INSTANCE]    print DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL, for:
#                                         eval "$(scripts/services.sh env)"
#
# INSTANCE is dev (the default), test, bench or drill.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

start_instance() {
    hold_lock "services.sh start"
    start_services
    print_status
}

stop_instance() {
    hold_lock "services.sh stop"
    stop_services
}

print_all_status() {
    local instance
    for instance in dev test bench drill; do
        [[ ! -d $LOCAL/$instance ]] || { use_instance "$instance" && print_status; }
    done
}

print_env() {
    services_running || die "the services of $INSTANCE do not run: scripts/services.sh start $INSTANCE"
    export_addresses
    printf 'export DATABASE_URL=%q\nexport DATABASE_OWNER_URL=%q\nexport REDIS_URL=%q\n' \
        "$DATABASE_URL" "$(owner_url)" "$REDIS_URL"
}

main() {
    local command=${1-}
    case $command in
    status) print_all_status && return ;;
    ensure | start | stop | env) use_instance "${2:-dev}" ;;
    *) die "usage: $0 ensure|start|stop|status|env [dev|test|bench|drill]" ;;
    esac
    case $command in
    ensure) ensure_programs ;;
    start) start_instance ;;
    stop) stop_instance ;;
    env) print_env ;;
    esac
}

main "$@"
