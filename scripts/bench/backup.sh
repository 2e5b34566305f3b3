# shellcheck shell=bash
# A backup of the whole shop by `worker backup`, beside `pg_dump` of its database in the same format with the same compression, in turns. Both read from
# memory what fits into it, and wait for the disk at their end. The worker makes SQL, Redis' file and the archive of the shop's files as well.

readonly BACKUP_ROUNDS=3

# What worker/src/backup/database.rs asks of pg_dump.
dump_options() {
    printf '%s\n' --format=custom
    if (($(postgres_major "$PG_BIN") >= 16)); then echo --compress=zstd; fi
}

# dump_database OPTION...: as the owner, without a password on the command line.
dump_database() {
    PGPASSFILE=$INSTANCE_DIR/pgpass "$PG_BIN/pg_dump" --host 127.0.0.1 --port "$(recall postgres-port)" --username goldshop "$@" "$POSTGRES_DATABASE" 9>&-
}

# The folder of files is one for all shops that are measured. In $WORK/files is what this shop refers to, as it would be in a folder of its own.
take_files() {
    rm -rf "$WORK/files"
    mkdir -p "$WORK/files"
    (cd "$INSTANCE_DIR/media" && find . -type f -printf '%P\n') >"$WORK/files.all"
    private_psql --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 >"$WORK/files.own" <<SQL
CREATE TEMPORARY TABLE file (key text);
\copy file FROM '$WORK/files.all'
SELECT blob_referenced(ARRAY(SELECT key FROM file));
SQL
    (cd "$INSTANCE_DIR/media" && xargs --delimiter '\n' --no-run-if-empty cp --link --parents --target-directory "$WORK/files" <"$WORK/files.own")
}

# seconds_of COMMAND...: how long it takes.
seconds_of() {
    local started
    started=$(now_us)
    "$@" >"$WORK/backup.out" 2>&1 || die "$(tail -n 5 "$WORK/backup.out")"
    awk "BEGIN { printf \"%.2f\\n\", ($(now_us) - $started) / 1000000 }"
}

# note_memory PID FILE: the most memory that a process and its children ever had, in kB, as long as it lives: a line a look with the name of the program.
note_memory() {
    local each
    while kill -0 "$1" 2>/dev/null; do
        for each in "$1" $(pgrep --parent "$1"); do
            awk '/^Name:/ { name = $2 } /^VmHWM:/ { print name, $2 }' "/proc/$each/status" 2>/dev/null || true
        done
        sleep 0.5
    done >>"$2"
}

# The same folder each time, and the same programs as the yardstick's.
back_up() {
    local pid watch status=0
    rm -rf "$WORK/backups"
    PATH=$PG_BIN:$PATH GOLDSHOP_BLOB__ROOT=$WORK/files GOLDSHOP_BACKUP__DIRECTORY=$WORK/backups DATABASE_BACKUP_URL=$(postgres_backup_url) "$BIN_DIR/worker" backup --json 9>&- &
    pid=$!
    note_memory "$pid" "$WORK/backup.memory" 9>&- &
    watch=$!
    wait "$pid" || status=$?
    wait "$watch"
    return "$status"
}

dump() {
    local options
    rm -f "$WORK/dump.backup"
    mapfile -t options < <(dump_options)
    dump_database "${options[@]}" --file "$WORK/dump.backup"
}

# program_peak NAME: in MB.
program_peak() { awk -v name="$1" '$1 == name && $2 > most { most = $2 } END { printf "%.0f", most / 1024 }' "$WORK/backup.memory"; }

# middle_of FILE: its middle line.
middle_of() { sort --general-numeric-sort "$1" | sed -n "$((BACKUP_ROUNDS / 2 + 1))p"; }

report_backup() {
    local ours theirs ratio items part
    items=$(sql 'SELECT count(*) FROM item')
    ours=$(middle_of "$WORK/backup.seconds")
    theirs=$(middle_of "$WORK/dump.seconds")
    paste "$WORK/backup.seconds" "$WORK/dump.seconds" | awk '{ printf "%.3f\n", $1 / $2 }' >"$WORK/backup.ratios"
    ratio=$(middle_of "$WORK/backup.ratios")
    report_fact "pg_dump $(dump_options | paste --serial --delimiters ' ') of $items items, $(sql 'SELECT round(pg_database_size(current_database()) / 1e9, 1)') GB: $(($(stat --format %s "$WORK/dump.backup") / 1000000)) MB" "$theirs" s
    for part in "$WORK/backups"/*/*; do printf '%s %d MB\n' "${part##*/}" "$(($(stat --format %s "$part") / 1000000))"; done >"$WORK/backup.parts"
    report_fact "worker backup of the same: $(grep --invert-match ' 0 MB' "$WORK/backup.parts" | paste --serial --delimiters ',' | sed 's/,/, /g')" "$ours" s
    report_line "a backup's time to that of pg_dump, middle of $BACKUP_ROUNDS" "$ratio" "≤ 1.15" "$(compare "$ratio <= 1.15")"
    report_limit "worker: most memory while backing up" "$(program_peak worker)" MB 100
    report_fact "pg_dump and pg_restore beside it: most memory" "$(program_peak pg_dump) and $(program_peak pg_restore)" MB
}

measure_backup() {
    local round
    stop_worker
    stop_api
    use_database goldshop
    prepare_shop
    stop_worker
    stop_api
    take_files
    report_begin "Backups: the shop at rest, $(wc -l <"$WORK/files.own") files."
    step "Backing up"
    rm -f "$WORK"/{backup,dump}.seconds "$WORK/backup.memory"
    # Once for the memory of the machine.
    dump_database --format=plain >/dev/null
    for ((round = 0; round < BACKUP_ROUNDS; round++)); do
        seconds_of dump >>"$WORK/dump.seconds"
        seconds_of back_up >>"$WORK/backup.seconds"
    done
    report_backup
    rm -rf "$WORK/backups" "$WORK/files" "$WORK/dump.backup"
    report_end
}
