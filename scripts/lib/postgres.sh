# shellcheck shell=bash
# The private PostgreSQL of an instance. It listens on the loopback interface only, for one role with a password;
# Unix sockets are off (their paths may be at most 107 bytes long, and nothing here needs them).

# Which of its databases is meant.
POSTGRES_DATABASE=goldshop

postgres_dir() { printf '%s/postgres' "$DATA_DIR"; }

postgres_running() { runs_in "$(postgres_dir)/postmaster.pid" "$(postgres_dir)"; }

postgres_url() {
    printf 'postgres://goldshop:%s@127.0.0.1:%s/%s' "$(recall postgres-password)" "$(recall postgres-port)" "$POSTGRES_DATABASE"
}

# Where psql and its relatives look for the password, which thereby stays off every command line.
write_pgpass() { remember pgpass "127.0.0.1:$(recall postgres-port):*:goldshop:$(recall postgres-password)"; }

# psql on the instance, as the role that owns the database.
private_psql() {
    PGPASSFILE=$INSTANCE_DIR/pgpass "$PG_BIN/psql" --host 127.0.0.1 --port "$(recall postgres-port)" \
        --username goldshop --dbname "$POSTGRES_DATABASE" "$@" 9>&-
}

postgres_accepts() { private_psql --no-password --quiet --tuples-only --command 'SELECT 1' >/dev/null 2>&1; }

# Creates the cluster beside its final place, so that an interrupted creation leaves nothing half done. The role is
# created in single-user mode: no other role can ever log in, and the password is on no command line.
create_postgres() {
    local new=$DATA_DIR/postgres.new log=$INSTANCE_DIR/log/initdb.log options=(--auth reject --no-instructions)
    [[ ! -d $(postgres_dir) ]] || return 0
    say "Creating a PostgreSQL $(postgres_major "$PG_BIN") database cluster in $(postgres_dir)"
    rm -rf "$new"
    if [[ $INSTANCE == test ]]; then options+=(--no-sync); fi
    as_service "$PG_BIN/initdb" --pgdata "$new" --username postgres --encoding UTF8 --locale C.UTF-8 \
        "${options[@]}" >"$log" 2>&1 || die_with_log "could not create the PostgreSQL cluster" "$log"
    as_service "$PG_BIN/postgres" --single -D "$new" postgres >>"$log" 2>&1 <<SQL
CREATE ROLE goldshop LOGIN CREATEDB PASSWORD '$(recall postgres-password)';
CREATE DATABASE goldshop OWNER goldshop;
SQL
    mv "$new" "$(postgres_dir)"
}

die_with_log() {
    tail -n 20 "$2" >&2 || true
    die "$1 (see $2)"
}

# What differs between data to keep and data to throw away.
postgres_durability() {
    if [[ $INSTANCE == test ]]; then
        cat <<'CONF'
# Thrown away after the tests: nothing here needs to survive a crash.
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
max_connections = 400
CONF
    else
        echo "max_connections = 200"
    fi
}

# A benchmark's server has what its machine has to give; the others share it with a build.
postgres_size() {
    local shared=256 wal=2
    if [[ $INSTANCE == bench ]]; then
        shared=$(awk '/^MemTotal:/ { size = int($2 / 1024 / 8); print size < 2048 ? size : 2048 }' /proc/meminfo)
        wal=8
    fi
    printf "shared_buffers = '%dMB'\nmax_wal_size = '%dGB'\n" "$shared" "$wal"
}

# The whole configuration, written at each start: nothing hides in a longer file.
write_postgres_conf() {
    write_for_service "$(postgres_dir)/postgresql.conf" <<CONF
# Written by scripts/lib/postgres.sh at each start.
listen_addresses = '127.0.0.1'
port = $(recall postgres-port)
unix_socket_directories = ''
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d '
lc_messages = 'C'
$(postgres_size)
$(postgres_durability)
CONF
    echo "host all goldshop 127.0.0.1/32 scram-sha-256" | write_for_service "$(postgres_dir)/pg_hba.conf"
}

# A pid file that another program's process now answers to would keep PostgreSQL from starting.
remove_foreign_pid_file() {
    local file pid
    file=$(postgres_dir)/postmaster.pid
    [[ -f $file ]] && read -r pid <"$file" || return 0
    if [[ -d /proc/$pid ]]; then rm -f "$file"; fi
}

launch_postgres() {
    as_service "$PG_BIN/pg_ctl" start --silent --wait --timeout 60 --pgdata "$(postgres_dir)" \
        --log "$DATA_DIR/postgres.log" >/dev/null 2>&1 </dev/null
}

# Starts PostgreSQL unless it runs. Should another program take the port between our look and the start, the next
# try takes another one.
start_postgres() {
    local log=$DATA_DIR/postgres.log
    ensure_secret postgres-password 24
    create_postgres
    if ! postgres_running; then
        remove_foreign_pid_file
        fresh_log "$log"
        claim_port postgres-port
        write_postgres_conf
        if ! launch_postgres; then
            claim_port postgres-port
            write_postgres_conf
            launch_postgres || die_with_log "PostgreSQL does not start" "$log"
        fi
    fi
    write_pgpass
    wait_until 10 postgres_accepts || die_with_log "PostgreSQL refuses the role goldshop" "$log"
}

stop_postgres() {
    local mode=fast
    postgres_running || return 0
    [[ $INSTANCE != test ]] || mode=immediate
    as_service "$PG_BIN/pg_ctl" stop --silent --wait --timeout 30 --mode "$mode" --pgdata "$(postgres_dir)" ||
        as_service "$PG_BIN/pg_ctl" stop --silent --wait --timeout 10 --mode immediate --pgdata "$(postgres_dir)"
}
