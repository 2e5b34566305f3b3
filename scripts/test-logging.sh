#!/usr/bin/env bash
# `make test-logging`: the real syslog-ng with the configuration that is shipped reads files as Docker's json-file driver writes
# them. syslog-ng is installed when missing; it ends within half a minute. It prints passed or failed for each check.
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/checks.sh
source "$ROOT/scripts/lib/checks.sh"

PATH=$PATH:/usr/sbin
SCRATCH=
COLLECTOR=

finish() {
    local status=$?
    trap '' INT TERM HUP
    set +e
    stop_program "$COLLECTOR"
    if ((status != 0)) && [[ -n $SCRATCH ]]; then say "logs are in $SCRATCH"; else rm -rf "$SCRATCH"; fi
    exit "$status"
}

# put CONTAINER LINE: as Docker writes what a container has said.
put() {
    python3 -c 'import json, sys; print(json.dumps({"log": sys.argv[2] + "\n", "stream": "stdout", "attrs": {"tag": sys.argv[1]}, "time": "2026-11-28T10:00:00.123456789Z"}))' \
        "$1" "$2" >>"$SCRATCH/containers/abc/abc-json.log"
}

start_collector() {
    mkdir -p "$SCRATCH/containers/abc" "$SCRATCH/logs/aggregated"
    touch -d '31 days ago' "$SCRATCH/logs/aggregated/goldshop.old.log"
    touch -d '29 days ago' "$SCRATCH/logs/aggregated/goldshop.young.log"
    put goldshop_nginx '{"service":"goldshop-nginx","request_id":"r1","status":502,"duration":0.004,"user_agent":"a\"b"}'
    put goldshop_backend '{"level":"INFO","service":"goldshop-api","request_id":"r1","n":{"a":[1,2]},"message":"سلام"}'
    put goldshop_db 'FATAL:  said "so"'
    put goldshop_db '{"cut":"aaa'
    put elsewhere 'of another project'
    LOGGING_CONTAINERS=$SCRATCH/containers LOGGING_DIR=$SCRATCH/logs LOGGING_RUN=$SCRATCH/run logging/entrypoint.sh 2>"$SCRATCH/said" &
    COLLECTOR=$!
}

has() { cat "$SCRATCH"/logs/aggregated/goldshop.2*.log 2>/dev/null | grep --quiet --fixed-strings -- "$1"; }

comes() { wait_until 15 has "$1" || wrong "it does not come: $(tail -n 3 "$SCRATCH/said")"; }

comes_from_a_new_file() {
    mv "$SCRATCH/containers/abc/abc-json.log" "$SCRATCH/containers/abc/abc-json.log.1"
    put goldshop_db 'after a rotation'
    comes 'after a rotation'
}

thirty_days_are_kept() {
    [[ ! -e $SCRATCH/logs/aggregated/goldshop.old.log ]] || wrong "a file of 31 days is still there" || return
    [[ -e $SCRATCH/logs/aggregated/goldshop.young.log ]] || wrong "a file of 29 days is gone"
}

# lines FILES EXPRESSION: whether it is true of the collected lines.
lines() {
    python3 - "$SCRATCH/logs/$1" "$2" <<'PYTHON'
import glob, json, sys
lines = [json.loads(line) for file in sorted(glob.glob(f"{sys.argv[1]}.2*.log")) for line in open(file)]
if not eval(sys.argv[2]):
    sys.exit(f"there is {lines}")
PYTHON
}

main() {
    ensure_command syslog-ng syslog-ng-core
    ensure_command python3 python3
    SCRATCH=$(mktemp -d)
    trap finish EXIT
    trap 'exit 130' INT TERM HUP
    start_collector
    check "lines: they are collected" comes '{\"cut'
    check "lines: of a file that begins anew, too" comes_from_a_new_file
    check "lines: each once, none of other projects" lines aggregated/goldshop 'len(lines) == 5'
    check "nginx: service, request and container" lines aggregated/goldshop \
        '(lines[0]["service"], lines[0]["request_id"], lines[0]["container"]) == ("goldshop-nginx", "r1", "goldshop_nginx")'
    check "nginx: its fields, quotation marks included" lines aggregated/goldshop 'lines[0]["entry"]["status"] == 502 and lines[0]["entry"]["user_agent"] == "a\"b"'
    check "api: what is nested, and Persian" lines aggregated/goldshop 'lines[1]["entry"]["n"] == {"a": [1, 2]} and lines[1]["entry"]["message"] == "سلام"'
    check "plain lines: as they are" lines aggregated/goldshop 'lines[2]["message"] == "FATAL:  said \"so\""'
    check "cut lines: no fields are made up" lines aggregated/goldshop '"entry" not in lines[3]'
    check "errors: in files of their own" lines errors/goldshop_errors '[line["container"] for line in lines] == ["goldshop_nginx", "goldshop_db"]'
    check "age: thirty days are kept" thirty_days_are_kept
    step "$PASSED passed, $FAILED failed, after $SECONDS s"
    ((FAILED == 0))
}

main "$@"
