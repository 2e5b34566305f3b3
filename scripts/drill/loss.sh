# shellcheck shell=bash
# Losing PostgreSQL with all its data, and getting it back, with a stopwatch.

# The moment of the last loss, in microseconds.
LOST=
# How long it may take until the api is there again, in seconds, after PostgreSQL is.
readonly PATIENCE=900

# Kills PostgreSQL with all its processes, at once and by their numbers, and removes its data.
lose_postgres() {
    local master workers
    postgres_running || die "PostgreSQL does not run"
    read -r master <"$(postgres_dir)/postmaster.pid"
    read -r -a workers <"/proc/$master/task/$master/children" || true
    LOST=$(now_us)
    kill -KILL "$master" "${workers[@]}" 2>/dev/null || true
    wait_until 10 postmaster_gone "$master" || die "PostgreSQL does not die"
    rm -rf "$(postgres_dir)"
}

postmaster_gone() { [[ ! -d /proc/$1 ]] || grep --quiet '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

write_and_lose() {
    step "People go on writing for $DURATION s, and then PostgreSQL is lost"
    sleep "$DURATION"
    lose_postgres
    stop_writers
    sort --numeric-sort "$WORK"/written.* >"$WORK/written" 2>/dev/null || true
    [[ -s $WORK/written ]] || die "nobody has written anything"
}

# milliseconds_since_loss
milliseconds_since_loss() { printf '%d' "$((($(now_us) - LOST) / 1000))"; }

PROBES=0

# True when the api takes a write again.
takes_writes() {
    PROBES=$((PROBES + 1))
    create_item "PROBE-$PLACE-$PROBES"
}

# measure WAY: waits until the api is ready and takes a write, and keeps what was measured.
measure() {
    local ready written
    wait_until "$PATIENCE" api_ready || die "the api does not get ready again"
    ready=$(milliseconds_since_loss)
    wait_until "$PATIENCE" takes_writes || die "the api takes no writes again"
    written=$(milliseconds_since_loss)
    private_psql --quiet --tuples-only --no-align --command "SELECT sku FROM item WHERE sku LIKE 'DRILL-%'" >"$WORK/found.$1"
    lost_of "$1" >"$WORK/lost.$1"
    printf '%s %s %s\n' "$1" "$ready" "$written" >>"$WORK/times"
}

# From the last base and what was archived of the log, on another folder.
recover_from_log() {
    step "Getting it back from the archive of the log"
    PLACE=recovered
    as_service bash "$DATA_DIR/pitr.sh" recover "$(archive_dir)" "$(postgres_dir)" >&2 || die "the archive cannot be recovered"
    start_postgres
    measure log
    lose_postgres
}

# From the backup of the night, into a new cluster.
recover_from_backup() {
    step "Getting it back from the backup of the night"
    PLACE=restored
    start_postgres
    backups restore "$BACKUP" --part database --json >&2 || die "the backup cannot be restored"
    migrate
    measure backup
}
