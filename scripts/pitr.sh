#!/usr/bin/env bash
# Recovery of PostgreSQL to any moment (docs/operations/backup.md). It needs nothing but PostgreSQL's own programs and
# gzip, and is called by PostgreSQL itself.
#
#   scripts/pitr.sh archive ARCHIVE PATH NAME     archive_command: keeps a segment of the log, whole, and once
#   scripts/pitr.sh fetch ARCHIVE NAME PATH       restore_command: gives one back
#   scripts/pitr.sh base ARCHIVE                  makes a base backup of the server that PGHOST, PGPORT and PGUSER name
#   scripts/pitr.sh recover ARCHIVE DATA [TIME]   fills the empty folder DATA, so that a server started on it becomes what the
#                                                 other one was at TIME (such as '2026-11-28 08:30:00+00'), or as late as it goes
#
# ARCHIVE is a folder that PostgreSQL's user may write, best on another machine's disk.
set -euo pipefail

die() {
    printf 'pitr.sh: %s\n' "$*" >&2
    exit 1
}

# Renamed when it is on the disk: what has its name is whole.
archive() {
    local kept=$1/wal/$3.gz new
    mkdir -p "$1/wal"
    if [[ -e $kept ]]; then
        # PostgreSQL asks again when it has not heard of the first time.
        gzip --decompress --stdout "$kept" | cmp --silent - "$2" || die "$kept is there already, and is something else"
        return 0
    fi
    new=$(mktemp "$1/wal/.$3.XXXXXX")
    # shellcheck disable=SC2064 # the name is known now
    trap "rm -f '$new'" EXIT
    gzip -1 --stdout "$2" >"$new"
    sync "$new"
    mv "$new" "$kept"
    sync "$1/wal"
}

fetch() {
    [[ -e $1/wal/$2.gz ]] || exit 1
    gzip --decompress --stdout "$1/wal/$2.gz" >"$3"
}

# Named by the time of its end: it can be recovered to any moment from then on.
base() {
    local new
    mkdir -p "$1"
    new=$(mktemp --directory "$1/.base.XXXXXX")
    # shellcheck disable=SC2064 # the name is known now
    trap "rm -rf '$new'" EXIT
    pg_basebackup --no-password --pgdata="$new" --format=tar --gzip --wal-method=none --checkpoint=fast
    sync "$new"/*
    mv "$new" "$1/base-$(date --utc +%Y%m%dT%H%M%SZ)"
    sync "$1"
}

# newest_base ARCHIVE LIMIT: the last one that was finished by then.
newest_base() {
    local path found=
    for path in "$1"/base-*Z; do
        if [[ -d $path && ! ${path##*/base-} > $2 ]]; then found=$path; fi
    done
    printf '%s' "$found"
}

recover() {
    local archive data=$2 time=${3-} limit=9 base self
    archive=$(cd "$1" && pwd -P)
    self=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/pitr.sh
    [[ $archive$self$time != *"'"* ]] || die "no path and no time may have a quote in it"
    if [[ -n $time ]]; then limit=$(date --utc --date "$time" +%Y%m%dT%H%M%SZ) || die "'$time' is no time"; fi
    base=$(newest_base "$archive" "$limit")
    [[ -n $base ]] || die "$archive has no base backup that was finished by then"
    mkdir -p "$data"
    [[ -z $(ls -A "$data") ]] || die "$data is not empty"
    tar --extract --gzip --file "$base/base.tar.gz" --directory "$data"
    chmod 700 "$data"
    {
        printf "\n# Written by scripts/pitr.sh recover.\n"
        printf "restore_command = 'bash \"%s\" fetch \"%s\" \"%%f\" \"%%p\"'\n" "$self" "$archive"
        if [[ -n $time ]]; then printf "recovery_target_time = '%s'\nrecovery_target_action = 'promote'\n" "$time"; fi
        # The recovered server must not add to the archive of the other one.
        printf "archive_mode = off\n"
    } >>"$data/postgresql.auto.conf"
    touch "$data/recovery.signal"
    printf 'pitr.sh: %s is ready, from %s: give it to PostgreSQL and start the server\n' "$data" "${base##*/}" >&2
}

case ${1-}:$# in
archive:4 | fetch:4 | base:2 | recover:3 | recover:4) "$@" ;;
-h:1 | --help:1) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" ;;
*) die "usage: $0 archive ARCHIVE PATH NAME | fetch ARCHIVE NAME PATH | base ARCHIVE | recover ARCHIVE DATA [TIME]" ;;
esac
