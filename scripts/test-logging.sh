#!/usr/bin/env bash
# `make test-logging`: the real syslog-ng with the configuration that is shipped reads files as Docker's json-file driver writes
# them. syslog-ng is installed when missing; it ends within half a minute.
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH=$PATH:/usr/sbin
COLLECTOR=

clean_up() {
    if [[ -n $COLLECTOR ]]; then kill -TERM "$COLLECTOR" 2>/dev/null || true; wait "$COLLECTOR" || true; fi
    rm -rf "$SCRATCH"
}

# put CONTAINER LINE: as Docker writes what a container has said.
put() {
    python3 -c 'import json, sys; print(json.dumps({"log": sys.argv[2] + "\n", "stream": "stdout", "attrs": {"tag": sys.argv[1]}, "time": "2026-11-28T10:00:00.123456789Z"}))' \
        "$1" "$2" >>"$SCRATCH/containers/abc/abc-json.log"
}

everything() { cat "$SCRATCH"/logs/aggregated/goldshop.2*.log 2>/dev/null; }
has() { everything | grep --quiet --fixed-strings -- "$1"; }

ensure_command syslog-ng syslog-ng-core
ensure_command python3 python3
SCRATCH=$(mktemp -d)
trap clean_up EXIT
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
wait_until 15 has '{\"cut' || die_with_log "nothing is collected" "$SCRATCH/said"
mv "$SCRATCH/containers/abc/abc-json.log" "$SCRATCH/containers/abc/abc-json.log.1"
put goldshop_db 'after a rotation'
wait_until 10 has 'after a rotation' || die "a rotated file is not followed"
[[ ! -e $SCRATCH/logs/aggregated/goldshop.old.log && -e $SCRATCH/logs/aggregated/goldshop.young.log ]] || die "not thirty days are kept"
python3 - "$SCRATCH/logs" <<'PYTHON'
import glob, json, sys
def read(name): return [json.loads(line) for file in glob.glob(f"{sys.argv[1]}/{name}.2*.log") for line in open(file)]
lines, errors = read("aggregated/goldshop"), read("errors/goldshop_errors")
assert len(lines) == 5, lines
nginx, api = lines[:2]
assert (nginx["service"], nginx["request_id"], nginx["container"]) == ("goldshop-nginx", "r1", "goldshop_nginx"), nginx
assert nginx["entry"]["status"] == 502 and nginx["entry"]["user_agent"] == 'a"b', nginx
assert api["entry"]["n"] == {"a": [1, 2]} and api["entry"]["message"] == "سلام", api
assert lines[2]["message"] == 'FATAL:  said "so"' and "entry" not in lines[3], lines
assert [line["container"] for line in errors] == ["goldshop_nginx", "goldshop_db"], errors
PYTHON
printf '1 passed, 0 failed\n'
