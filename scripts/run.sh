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

# start_program NAME: in a session of its own, so that Ctrl-C reaches it through us and in order. Should we be killed
# with no chance to clean up, the kernel tells it to stop.
start_program() {
    local log=$INSTANCE_DIR/log/$1.log
    fresh_log "$log"
    setpriv --pdeathsig TERM setsid "$BIN_DIR/$1" >"$log" 2>&1 </dev/null 9>&- &
}

program_gone() { ! kill -0 "$1" 2>/dev/null; }

# stop_program PID: asks politely, and waits as long as a job may take to finish.
stop_program() {
    [[ -n $1 ]] || return 0
    kill -TERM "$1" 2>/dev/null || true
    wait_until 30 program_gone "$1" || kill -KILL "$1" 2>/dev/null || true
}

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

# The address to look at, whatever address the server listens on.
local_address() { sed -e 's/^0\.0\.0\.0:/127.0.0.1:/' -e 's/^\[::\]:/127.0.0.1:/' <<<"$GOLDSHOP_HTTP__ADDRESS"; }

# http_status PATH: the status of one GET request, in plain bash because a fresh machine has no curl.
http_status() {
    local address version status
    address=$(local_address)
    (
        exec 3<>"/dev/tcp/${address%:*}/${address##*:}" || exit 1
        printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
        read -r -t 5 version status <&3 && printf '%s' "${version:+${status%% *}}"
    ) 2>/dev/null
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
    start_program worker
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
    say "    Pictures     $address/media/"
    if [[ -n $(recall demo-login) ]]; then
        say "    Login        $(recall demo-login)"
        say "    Password     $(recall demo-password)"
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
