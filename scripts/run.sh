#!/usr/bin/env bash
# `make run`: everything from nothing to a running shop, and everything stopped again at Ctrl-C.
#
#   PROFILE=release    build with optimisation (slower to build, faster to run)
#   DEMO=0             do not load the demo shop
#   BIN_DIR            use the programs in this directory, build nothing
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

API=
WORKER=
TAIL=
# How a signal ends us: as an interruption until the shop is open, as the normal end from then on.
ON_SIGNAL=130

stop_all() {
    local status=$?
    trap '' INT TERM HUP
    set +e
    step "Stopping"
    stop_group
    [[ -z $TAIL ]] || kill "$TAIL" 2>/dev/null
    stop_program "$API"
    stop_program "$WORKER"
    stop_services
    say "Stopped. The data stays; 'make run' continues, 'make clean-data' starts afresh."
    exit "$status"
}

ready_or_dead() {
    [[ $(http_status /api/health/readiness) == 200 ]] || program_gone "$API" || program_gone "$WORKER"
}

# Says which program ended, with the end of its log, and fails.
report_death() {
    local name pid
    for name in api:$API worker:$WORKER; do
        pid=${name#*:}
        name=${name%%:*}
        program_gone "$pid" || continue
        say "$name ended unexpectedly. Its last words ($INSTANCE_DIR/log/$name.log):"
        tail -n 30 "$INSTANCE_DIR/log/$name.log" >&2
    done
    exit 1
}

start_programs() {
    step "Starting api and worker"
    choose_address
    with_backup_role start_program worker
    WORKER=$!
    start_program api
    API=$!
    wait_until 60 ready_or_dead || die_with_log "the api does not get ready" "$INSTANCE_DIR/log/api.log"
    if program_gone "$API" || program_gone "$WORKER"; then report_death; fi
}

print_welcome() {
    local address
    address=http://$(local_address)
    step "goldshop is ready after $SECONDS s"
    say "    Playground   $address/api/graphql"
    say "    Health       $address/api/health/detailed"
    if [[ -n $(recall demo-login) ]]; then
        say "    Login        $(recall demo-login)"
        say "    Password     $(recall demo-password | grep . || echo 'the one that this database was given first')"
    fi
    say ""
    say "Ctrl-C stops it. The logs follow; they are also in $INSTANCE_DIR/log."
}

# Shows the logs until a program ends or a signal comes.
watch_programs() {
    setpriv --pdeathsig TERM tail -n 0 -q -F "$INSTANCE_DIR/log/api.log" "$INSTANCE_DIR/log/worker.log" 2>/dev/null 9>&- &
    TAIL=$!
    ON_SIGNAL=0
    wait -n "$API" "$WORKER" || true
    kill "$TAIL"
    report_death
}

main() {
    use_instance dev
    hold_lock "make run"
    trap stop_all EXIT
    trap 'exit "$ON_SIGNAL"' INT TERM HUP
    step "Starting PostgreSQL and Redis"
    start_services
    build_programs
    set_surroundings
    migrate
    # shellcheck disable=SC2119 # no arguments: the demo shop as it is
    if [[ ${DEMO:-1} != 0 ]]; then load_demo; fi
    start_programs
    print_welcome
    watch_programs
}

main "$@"
