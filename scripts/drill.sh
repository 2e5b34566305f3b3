#!/usr/bin/env bash
# The drill (docs/operations/disaster-recovery.md): a shop loses its PostgreSQL while people write, and is got back, once from the
# archive of the log and once from the backup of the night. It measures what is lost (RPO) and how long it takes (RTO).
#
#   scripts/drill.sh [OPTION]...
#
#   --seconds N           how long people write between the backups and the loss (120)
#   --archive-timeout N   after how many seconds a segment of the log is archived that is not full yet (60)
#   --writers N           how many write at once (4)
#   --items N             a catalogue of so many items beside the demo shop (0)
#   --without-demo        no demo shop, only its owner: quicker
#   --json                the result as one line of JSON
#
# The shop is made for it, with a PostgreSQL and a Redis of its own in .local/drill, and removed again. No address and no setting is
# taken from the environment or from .env, so that no other database, bucket or folder is ever touched. BIN_DIR names the folder of the
# programs; without it, they are built (PROFILE=release for what is shipped).
# Exit codes: 0 all came back that had to, 1 something failed, 2 wrong arguments.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=bench/programs.sh
source "$ROOT/scripts/bench/programs.sh"
# shellcheck source=drill/shop.sh
source "$ROOT/scripts/drill/shop.sh"
# shellcheck source=drill/loss.sh
source "$ROOT/scripts/drill/loss.sh"
# shellcheck source=drill/report.sh
source "$ROOT/scripts/drill/report.sh"

DURATION=120
ARCHIVE_TIMEOUT=60
WRITERS=4
ITEMS=0
DEMO=1
JSON=0

# Which of the instance's clusters is meant: the one that is lost, or one of those that take its place.
PLACE=postgres
postgres_dir() { printf '%s/%s' "$DATA_DIR" "$PLACE"; }

usage() { sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0"; }

wrong() {
    say "error: $*"
    usage >&2
    exit 2
}

# take NAME OPTION TEXT LEAST: sets the variable to a number.
take() {
    if [[ ! $3 =~ ^[0-9]{1,7}$ ]] || ((10#$3 < $4)); then wrong "$2 takes a number from $4 on"; fi
    printf -v "$1" '%d' "$((10#$3))"
}

read_arguments() {
    while (($# > 0)); do
        case $1 in
        --seconds) take DURATION "$1" "${2-}" 1 && shift ;;
        --archive-timeout) take ARCHIVE_TIMEOUT "$1" "${2-}" 1 && shift ;;
        --writers) take WRITERS "$1" "${2-}" 1 && shift ;;
        --items) take ITEMS "$1" "${2-}" 0 && shift ;;
        --without-demo) DEMO=0 ;;
        --json) JSON=1 ;;
        -h | --help) usage && exit 0 ;;
        *) wrong "unknown option $1" ;;
        esac
        shift
    done
}

# Nothing of somebody else's: neither addresses nor where backups and files are kept.
forget_surroundings() {
    local name
    while read -r name; do
        case $name in
        PG_BIN) ;;
        GOLDSHOP_* | DATABASE_* | REDIS_* | PG*) unset "$name" ;;
        esac
    done < <(compgen -e)
}

stop_clusters() {
    for PLACE in postgres recovered restored; do
        stop_services
    done
}

remove_shop() {
    rm -rf "${DATA_DIR:?}" "${INSTANCE_DIR:?}/media" "${INSTANCE_DIR:?}/backups" "${WORK:?}"
    rm -f "$INSTANCE_DIR/demo-password" "$INSTANCE_DIR/demo-login"
}

finish() {
    local status=$?
    trap '' INT TERM HUP
    set +e
    stop_writers
    stop_group
    stop_program "$API"
    stop_program "$WORKER"
    stop_clusters
    remove_shop
    exit "$status"
}

main() {
    read_arguments "$@"
    forget_surroundings
    use_instance drill
    hold_lock "scripts/drill.sh"
    WORK=$INSTANCE_DIR/work
    ensure_command curl curl
    ensure_command jq jq
    ensure_programs
    export PATH=$PG_BIN:$PATH
    stop_clusters
    remove_shop
    trap finish EXIT
    trap 'exit 130' INT TERM HUP
    build_programs
    open_shop
    start_writers
    back_up
    write_and_lose
    recover_from_log
    recover_from_backup
    tell_results
}

main "$@"
