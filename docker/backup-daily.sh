#!/usr/bin/env bash
# Makes a backup each day at BACKUP_AT (02:00), in the time of TZ (UTC), as long as it runs. What a backup says is in the
# container's log; one that fails is tried again the next day, and the api's page of health and `worker verify` tell the rest.
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

# Told to stop, it does not wait for the night.
trap 'exit 0' TERM INT

while true; do
    now=$(date +%s)
    next=$(date --date "today ${BACKUP_AT:-02:00}" +%s)
    ((next > now)) || next=$(date --date "tomorrow ${BACKUP_AT:-02:00}" +%s)
    sleep $((next - now)) &
    wait "$!"
    worker backup --note "daily" --json || printf 'the backup of %s has failed\n' "$(date --iso-8601)" >&2
done
