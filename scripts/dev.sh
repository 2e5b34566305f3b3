#!/usr/bin/env bash
# One tool on the private instance of `make run`. It uses the services that run, or starts them for as long as it
# lasts.
#
#   scripts/dev.sh psql [ARGUMENT...]        a shell on the database
#   scripts/dev.sh redis-cli [ARGUMENT...]   a shell on Redis
#   scripts/dev.sh migrate                   bring the database up to date
#   scripts/dev.sh demo [--items N]          load the demo shop, or a large catalogue
#   scripts/dev.sh backup [ARGUMENT...]      what scripts/backup.sh does; likewise backups, restore, verify
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

finish() {
    local status=$?
    trap '' INT TERM HUP
    set +e
    stop_group
    stop_services
    exit "$status"
}

# Joins the services of whoever holds the lock, or becomes the one who starts and stops them.
join_services() {
    if try_lock "scripts/dev.sh $1"; then
        trap finish EXIT
        trap 'exit 130' TERM HUP
        start_services
        return
    fi
    ensure_programs
    services_running || die "'$(cat "$INSTANCE_DIR/lock")' is starting or stopping the services: try again when it is done"
    export_addresses
}

# The shells handle Ctrl-C themselves; we must outlive it.
open_psql() {
    wants_postgres || die "DATABASE_URL is given: open a shell with your own psql"
    trap : INT
    private_psql "$@"
}

open_redis_cli() {
    wants_redis || die "REDIS_URL is given: open a shell with your own redis-cli"
    trap : INT
    REDISCLI_AUTH=$(recall redis-password) redis-cli -p "$(recall redis-port)" "$@" 9>&-
}

with_programs() {
    trap 'exit 130' INT
    build_programs
    set_surroundings
    "$@"
}

main() {
    local command=${1-}
    case $command in
    psql | redis-cli | migrate | demo | backup | backups | restore | verify) shift ;;
    *) die "usage: $0 psql|redis-cli|migrate|demo|backup|backups|restore|verify [ARGUMENT...]" ;;
    esac
    use_instance dev
    join_services "$command"
    case $command in
    psql) open_psql "$@" ;;
    redis-cli) open_redis_cli "$@" ;;
    migrate) with_programs migrate ;;
    demo) with_programs migrate && load_demo "$@" ;;
    backup | backups | restore | verify) with_programs backups "$command" "$@" ;;
    esac
}

main "$@"
