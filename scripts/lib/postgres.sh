# shellcheck shell=bash
# The private PostgreSQL of an instance. It listens on the loopback interface only, for three roles with a password each:
# goldshop owns the database and migrates it, goldshop_app is who api and worker log in as, and goldshop_backup reads
# everything and creates databases, for backups and their proofs. Unix sockets are off (their paths may be at most 107
# bytes long, and nothing here needs them).

# Which of its databases is meant.
POSTGRES_DATABASE=goldshop

postgres_dir() { printf '%s/postgres' "$DATA_DIR"; }

postgres_running() { runs_in "$(postgres_dir)/postmaster.pid" "$(postgres_dir)"; }

# postgres_url_of ROLE PASSWORD
postgres_url_of() { printf 'postgres://%s:%s@127.0.0.1:%s/%s' "$1" "$2" "$(recall postgres-port)" "$POSTGRES_DATABASE"; }

postgres_url() { postgres_url_of goldshop_app "$(recall postgres-app-password)"; }
postgres_backup_url() { postgres_url_of goldshop_backup "$(recall postgres-backup-password)"; }
postgres_owner_url() { postgres_url_of goldshop "$(recall postgres-password)"; }

# Where psql and its relatives look for the password, which thereby stays off every command line.
write_pgpass() { remember pgpass "127.0.0.1:$(recall postgres-port):*:goldshop:$(recall postgres-password)"; }

# psql on the instance, as the role that owns the database.
private_psql() {
    PGPASSFILE=$INSTANCE_DIR/pgpass "$PG_BIN/psql" --host 127.0.0.1 --port "$(recall postgres-port)" \
        --username goldshop --dbname "$POSTGRES_DATABASE" "$@" 9>&-
}

postgres_accepts() { private_psql --no-password --quiet --tuples-only --command 'SELECT 1' >/dev/null 2>&1; }

# in_single_user_mode DIRECTORY LOG: executes standard input, one statement a line. Roles are made so: no other role can
# ever log in, and no password is on a command line.
in_single_user_mode() { as_service "$PG_BIN/postgres" --single -D "$1" postgres >>"$2" 2>&1; }

# Creates the cluster beside its final place, so that an interrupted creation leaves nothing half done. The owner sees and
# ends the application's connections, as those to a database that it drops: therefore it is a member of that role.
create_postgres() {
    local new=$DATA_DIR/postgres.new log=$INSTANCE_DIR/log/initdb.log options=(--auth reject --no-instructions)
    [[ ! -d $(postgres_dir) ]] || return 0
    say "Creating a PostgreSQL $(postgres_major "$PG_BIN") database cluster in $(postgres_dir)"
    rm -rf "$new"
    if [[ $INSTANCE == test ]]; then options+=(--no-sync); fi
    as_service "$PG_BIN/initdb" --pgdata "$new" --username postgres --encoding UTF8 --locale C.UTF-8 \
        "${options[@]}" >"$log" 2>&1 || die_with_log "could not create the PostgreSQL cluster" "$log"
    in_single_user_mode "$new" "$log" <<SQL
CREATE ROLE goldshop LOGIN CREATEDB PASSWORD '$(recall postgres-password)';
CREATE ROLE goldshop_app LOGIN PASSWORD '$(recall postgres-app-password)';
GRANT goldshop_app TO goldshop;
CREATE DATABASE goldshop OWNER goldshop;
CREATE ROLE goldshop_backup LOGIN CREATEDB PASSWORD '$(recall postgres-backup-password)';
GRANT pg_read_all_data TO goldshop_backup;
GRANT CONNECT ON DATABASE goldshop TO goldshop_backup;
$(postgres_replication_role)
SQL
    mv "$new" "$(postgres_dir)"
}

# The role that copies the whole server, where that is drilled.
postgres_replication_role() {
    [[ $INSTANCE == drill ]] || return 0
    printf "CREATE ROLE goldshop_replication LOGIN REPLICATION PASSWORD '%s';" "$(recall postgres-replication-password)"
}

# A cluster from before the application had a role of its own gets one, if need be between two starts. The password is
# kept when the role has it, so that an interrupted attempt is made again.
ensure_app_role() {
    local password
    [[ -z $(recall postgres-app-password) ]] || return 0
    password=$(random_secret 24)
    if [[ -d $(postgres_dir) ]]; then
        stop_postgres
        remove_foreign_pid_file
        in_single_user_mode "$(postgres_dir)" "$INSTANCE_DIR/log/initdb.log" <<SQL || die "could not make the role goldshop_app"
CREATE ROLE goldshop_app LOGIN;
ALTER ROLE goldshop_app PASSWORD '$password';
GRANT goldshop_app TO goldshop;
SQL
    fi
    remember postgres-app-password "$password"
}

# The same for a cluster from before there were backups.
ensure_backup_role() {
    local password
    [[ -z $(recall postgres-backup-password) ]] || return 0
    password=$(random_secret 24)
    if [[ -d $(postgres_dir) ]]; then
        stop_postgres
        remove_foreign_pid_file
        in_single_user_mode "$(postgres_dir)" "$INSTANCE_DIR/log/initdb.log" <<SQL || die "could not make the role goldshop_backup"
CREATE ROLE goldshop_backup LOGIN CREATEDB;
ALTER ROLE goldshop_backup PASSWORD '$password';
GRANT pg_read_all_data TO goldshop_backup;
GRANT CONNECT ON DATABASE goldshop TO goldshop_backup;
SQL
    fi
    remember postgres-backup-password "$password"
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

# A drill keeps the log in an archive, as docs/operations/backup.md says.
postgres_archive() {
    [[ $INSTANCE == drill ]] || return 0
    cat <<CONF
wal_level = replica
archive_mode = on
archive_timeout = ${ARCHIVE_TIMEOUT:-60}
archive_command = 'bash "$DATA_DIR/pitr.sh" archive "$(postgres_dir).archive" "%p" "%f"'
CONF
}

postgres_hba() {
    echo "host all goldshop,goldshop_app,goldshop_backup 127.0.0.1/32 scram-sha-256"
    [[ $INSTANCE != drill ]] || echo "host replication goldshop_replication 127.0.0.1/32 scram-sha-256"
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
$(postgres_archive)
CONF
    postgres_hba | write_for_service "$(postgres_dir)/pg_hba.conf"
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
    ensure_app_role
    ensure_backup_role
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
