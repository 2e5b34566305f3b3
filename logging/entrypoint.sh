#!/usr/bin/env bash
# Collects the logs of all containers of goldshop into files a day (logging/syslog-ng.conf) and removes those that are older
# than LOGGING_KEEP_DAYS.
#
#   LOGGING_CONTAINERS   /var/lib/docker/containers   what Docker keeps
#   LOGGING_DIR          /var/log/goldshop            aggregated/ and errors/
#   LOGGING_STATE        $LOGGING_DIR/state           how far has been read
#   LOGGING_RUN          /run/goldshop-logging        pid and control socket
#   LOGGING_KEEP_DAYS    30
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly HERE
export LOGGING_CONTAINERS=${LOGGING_CONTAINERS:-/var/lib/docker/containers}
export LOGGING_DIR=${LOGGING_DIR:-/var/log/goldshop}
readonly STATE=${LOGGING_STATE:-$LOGGING_DIR/state} RUN=${LOGGING_RUN:-/run/goldshop-logging} KEEP=${LOGGING_KEEP_DAYS:-30}
COLLECTOR=""
PAUSE=""

[[ $KEEP =~ ^[1-9][0-9]{0,3}$ ]] || { echo "LOGGING_KEEP_DAYS is no number of days: $KEEP" >&2 && exit 2; }

# It has written down how far it was before it ends.
leave() {
    trap '' TERM INT
    kill -TERM "$COLLECTOR" $PAUSE 2>/dev/null || true
    wait "$COLLECTOR" || true
    exit 0
}

remove_old() { find "$LOGGING_DIR/aggregated" "$LOGGING_DIR/errors" -type f -name 'goldshop*.log' -mtime "+$((KEEP - 1))" -delete; }

umask 027
mkdir -p "$LOGGING_DIR/aggregated" "$LOGGING_DIR/errors" "$STATE" "$RUN"
syslog-ng --foreground --stderr --no-caps --cfgfile "$HERE/syslog-ng.conf" --persist-file "$STATE/persist" \
    --pidfile "$RUN/pid" --control "$RUN/control" &
COLLECTOR=$!
trap leave TERM INT
while kill -0 "$COLLECTOR" 2>/dev/null; do
    remove_old
    # An hour, or as long as the collector lives.
    sleep 3600 &
    PAUSE=$!
    wait -n "$COLLECTOR" "$PAUSE" || true
done
kill "$PAUSE" 2>/dev/null || true
wait "$COLLECTOR"
