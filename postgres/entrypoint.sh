#!/usr/bin/env bash
# Starts PostgreSQL with postgresql.conf, makes the cluster the first time, and sees to it that the roles are there.
#
#   postgres/entrypoint.sh [OPTION...]    options of postgres, which win over the file
#
#   PGDATA             /var/lib/postgresql/data
#   PGSOCKETS          /run/postgresql             where the socket is, for whoever is on this machine
#   POSTGRES_SECRETS   /run/secrets                files db_password, db_app_password, db_readonly_password and
#                                                  db_backup_password, a password each
#   PG_BIN             the newest one of Debian's
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly HERE
readonly DATA=${PGDATA:-/var/lib/postgresql/data}
readonly SOCKETS=${PGSOCKETS:-/run/postgresql}
readonly SECRETS=${POSTGRES_SECRETS:-/run/secrets}
PG_BIN=${PG_BIN:-$(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort | tail -n 1)}

# Options of a PostgreSQL that has TimescaleDB beside it (docker/add-timescaledb.sh); else none.
WITH_TIMESCALE=()

die() {
    printf 'postgres/entrypoint.sh: %s\n' "$*" >&2
    exit 1
}

check_secrets() {
    local name
    for name in db_password db_app_password db_readonly_password db_backup_password; do
        [[ -s $SECRETS/$name ]] || die "there is no password in $SECRETS/$name"
    done
}

# Beside its final place, so that an interrupted beginning leaves nothing half done.
create_cluster() {
    [[ ! -e $DATA/PG_VERSION ]] || return 0
    rm -rf "$DATA/.new"
    mkdir -p "$DATA/.new"
    "$PG_BIN/initdb" --pgdata "$DATA/.new" --username postgres --encoding UTF8 --locale C.UTF-8 --data-checksums \
        --auth-local trust --auth-host reject --no-instructions
    # The file that says that it is a cluster comes last.
    find "$DATA/.new" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$DATA" {} +
    mv "$DATA/.new/PG_VERSION" "$DATA/"
    rmdir "$DATA/.new"
}

# It has to be loaded at the start, beside what postgresql.conf loads, and gets as many processes more as its jobs need. What it would
# tell its makers once a day stays here.
find_timescale() {
    [[ -e $("$PG_BIN/pg_config" --pkglibdir)/timescaledb.so ]] || return 0
    WITH_TIMESCALE=(-c "shared_preload_libraries=pg_stat_statements,timescaledb" -c max_worker_processes=16
        -c timescaledb.max_background_workers=4 -c timescaledb.telemetry_level=off)
}

# A server that only this machine can reach makes the roles; the one that others reach starts with them.
make_roles() {
    local status=0
    "$PG_BIN/pg_ctl" start --silent --wait --pgdata "$DATA" --log "$SOCKETS/roles.log" \
        --options "-c config_file=$HERE/postgresql.conf -c hba_file=$HERE/pg_hba.conf -c data_directory=$DATA -c listen_addresses= -c unix_socket_directories=$SOCKETS -c shared_buffers=64MB ${WITH_TIMESCALE[*]}" ||
        { cat "$SOCKETS/roles.log" >&2 && die "PostgreSQL does not start"; }
    "$PG_BIN/psql" --no-psqlrc --quiet --output /dev/null --host "$SOCKETS" --username postgres --dbname postgres \
        --set "secrets=$SECRETS" --file "$HERE/roles.sql" || status=$?
    "$PG_BIN/pg_ctl" stop --silent --wait --mode fast --pgdata "$DATA"
    ((status == 0)) || die "the roles could not be made"
}

main() {
    case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && return ;; esac
    check_secrets
    find_timescale
    # Files that nobody names (pg_ident.conf) are looked for there.
    export PGDATA=$DATA
    umask 077
    mkdir -p "$DATA" "$SOCKETS"
    create_cluster
    make_roles
    exec "$PG_BIN/postgres" -c "config_file=$HERE/postgresql.conf" -c "hba_file=$HERE/pg_hba.conf" -c "data_directory=$DATA" \
        -c "unix_socket_directories=$SOCKETS" "${WITH_TIMESCALE[@]}" "$@"
}

main "$@"
