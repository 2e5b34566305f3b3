#!/usr/bin/env bash
# `make test-previous`: the release before this one works on while the database is migrated for this one, and beside it afterwards
# (docs/adr/0040-releases-side-by-side.md). The commit of that release is in .ci/previous-release.
#
#   scripts/test-previous.sh
#
#   BIN_DIR            this release's programs; they are built unless it is given
#   PREVIOUS_BIN_DIR   the previous release's; likewise
#
# A shop is made and filled by the previous release. People work in it while this release's migrations come in, and then both releases
# serve it side by side: each does everything, works off the other's jobs, and tells its listeners of what the other has changed. In the end
# both prove that stock, books and trail are whole. PostgreSQL and Redis are private (the instance `test`) and gone afterwards. It prints
# passed or failed for each check, and ends with 1 when one has failed. Where nothing has changed of what `migration up` does, it says so.
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/checks.sh
source "$ROOT/scripts/lib/checks.sh"

readonly PINNED=.ci/previous-release
readonly KEPT=$LOCAL/previous
# Crates of ours; all others are the same for both releases, or called otherwise.
readonly OURS=(api domain entity migration platform tests worker)
# How long people work before and after the migration, and how long it may take at most.
readonly AROUND=8 MIGRATION_MAX=120

SAID=
declare -A BIN PID

finish() {
    local status=$? name
    trap '' INT TERM HUP
    set +e
    stop_group
    [[ -z $SAID ]] || touch "$SAID/until"
    for name in "${!PID[@]}"; do kill -TERM "${PID[$name]}" 2>/dev/null; done
    for name in "${!PID[@]}"; do stop_program "${PID[$name]}"; done
    if [[ -n $SAID ]]; then
        stop_services
        # Not before the workers have ended, which write there.
        rm -rf "$INSTANCE_DIR/side-by-side"
        if ((status != 0)); then say "logs are in $SAID"; else rm -rf "$SAID"; fi
    fi
    exit "$status"
}

# --- which release, and what it is about ------------------------------------------------------------------------------

has_history() { [[ $(git rev-parse --is-shallow-repository 2>/dev/null) == false ]]; }

# Sets PREVIOUS. A clone without history gets it, where it can.
read_previous() {
    PREVIOUS=$(sed '/^#/d' "$PINNED" | tr -d '[:space:]')
    [[ $PREVIOUS =~ ^[0-9a-f]{40}$ ]] || die "$PINNED names no commit in full: $PREVIOUS"
    if ! git cat-file -e "$PREVIOUS^{commit}" 2>/dev/null && [[ $(git rev-parse --is-shallow-repository) == true ]]; then
        timeout 300 git fetch --quiet --unshallow || true
    fi
    if ! git cat-file -e "$PREVIOUS^{commit}" 2>/dev/null; then
        has_history && die "commit $PREVIOUS of $PINNED is not in the history"
        say "NOT TESTED: the previous release $PREVIOUS is not in this copy of the sources, which comes without history"
        exit 0
    fi
    git merge-base --is-ancestor "$PREVIOUS" HEAD || die "commit $PREVIOUS of $PINNED is no ancestor of this checkout"
}

registered() { sed -n 's/^ *Box::new(\(m[0-9a-z_]*\)::Migration),$/\1/p'; }
migrations_before() { git show "$PREVIOUS:migration/src/lib.rs" | registered; }
migrations_now() { registered <migration/src/lib.rs; }
migrations_since() { grep --invert-match --line-regexp --fixed-strings --file <(migrations_before) <(migrations_now) || true; }

# Whatever `migration up` does is written there: migrations, and what it grants and has kept after them.
nothing_has_changed() { git diff --quiet "$PREVIOUS" -- migration/src; }

landed_is_frozen() {
    local changed gone
    changed=$(git diff --name-only --diff-filter=MDR "$PREVIOUS" -- 'migration/src/m2*.rs' migration/src/sql)
    [[ -z $changed ]] || wrong "changed: $changed" || return
    gone=$(grep --invert-match --line-regexp --fixed-strings --file <(migrations_now) <(migrations_before) || true)
    [[ -z $gone ]] || wrong "not registered any more: $gone"
}

# --- building ---------------------------------------------------------------------------------------------------------

# share_dependencies TARGET: what the main build has compiled of other people's crates is used again. Cargo finds it by its fingerprints, in
# which the folder does not occur. Libraries are linked, not copied: their files are replaced and never written to. Fingerprints and what
# build scripts leave are written in place, so they are copied. Nothing of ours comes along: crates of ours have the same names in both releases.
share_dependencies() {
    local main name
    main=$(target_dir)/debug
    [[ -d $main/.fingerprint ]] || return 0
    mkdir -p "$1/debug"
    cp -a "$main/.fingerprint" "$main/build" "$1/debug/"
    cp -al "$main/deps" "$1/debug/" 2>/dev/null || cp -a "$main/deps" "$1/debug/"
    for name in "${OURS[@]}"; do
        rm -rf "$1/debug"/{.fingerprint,build,deps}/"$name"-[0-9a-f]* "$1/debug/deps/lib$name"-[0-9a-f]*
    done
}

# The programs stay for the next time; what they were built of and in goes.
build_previous() {
    local target source=$KEPT/source program
    if [[ -n ${PREVIOUS_BIN_DIR-} ]]; then BIN[previous]=$PREVIOUS_BIN_DIR && return; fi
    BIN[previous]=$KEPT/$PREVIOUS
    [[ ! -x ${BIN[previous]}/migration ]] || return 0
    step "Building the previous release, ${PREVIOUS:0:12}"
    target=$(target_dir)/previous
    rm -rf "$KEPT" "$target"
    mkdir -p "$source" "${BIN[previous]}" "$target"
    git archive "$PREVIOUS" | tar --extract --directory "$source"
    share_dependencies "$target"
    in_own_group env --chdir="$source" CARGO_TARGET_DIR="$target" CARGO_INCREMENTAL=0 cargo build --workspace --bins --locked ||
        die "the previous release cannot be built"
    for program in api worker migration; do cp "$target/debug/$program" "${BIN[previous]}/$program.new"; done
    for program in api worker migration; do mv "${BIN[previous]}/$program.new" "${BIN[previous]}/$program"; done
    rm -rf "$source" "$target"
}

# --- running ----------------------------------------------------------------------------------------------------------

url_of() { printf 'http://127.0.0.1:%s' "$(recall "$1-http-port")"; }
log_of() { printf '%s/%s-%s.log' "$SAID" "$1" "$2"; }

# start RELEASE PROGRAM: as start_program, but of which release.
start() {
    GOLDSHOP_HTTP__ADDRESS=127.0.0.1:$(recall "$1-http-port") GOLDSHOP_HTTP__PUBLIC_URL=$(url_of "$1") \
        setpriv --pdeathsig TERM setsid "${BIN[$1]}/$2" >>"$(log_of "$1" "$2")" 2>&1 </dev/null 9>&- &
    PID[$1-$2]=$!
    disown
}

status_of() { curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' "$(url_of "$1")/api/health/$2"; }
is_ready() { [[ $(status_of "$1" readiness) == 200 ]]; }
is_alive() { [[ $(status_of "$1" liveness) == 200 ]]; }
at_work() { (($(grep --count 'at work' "$(log_of "$1" worker)") > $2)); }

start_worker() {
    local before
    before=$(grep --count 'at work' "$(log_of "$1" worker)" 2>/dev/null || true)
    start "$1" worker
    wait_until 30 at_work "$1" "${before:-0}" || die_with_log "the $1 worker does not begin" "$(log_of "$1" worker)"
}

stop_worker() {
    stop_program "${PID[$1-worker]}"
    unset "PID[$1-worker]"
}

client() { timeout 300 scripts/release-client.py "$@"; }

# Everything of a shop by the previous release alone, as it is before anybody thinks of another one.
open_shop() {
    step "Making a shop by the previous release"
    BIN_DIR=${BIN[previous]} migrate
    # shellcheck disable=SC2119 # no generated items
    BIN_DIR=${BIN[previous]} load_demo
    claim_port previous-http-port
    start previous api
    wait_until 30 is_ready previous || die_with_log "the previous api does not get ready" "$(log_of previous api)"
    start_worker previous
    LOGIN=$(recall demo-login) PASSWORD=$(recall demo-password) client prepare "$(url_of previous)" "$SAID/state" >"$SAID/prepare" ||
        die_with_log "the shop cannot be opened" "$SAID/prepare"
}

# --- checks -----------------------------------------------------------------------------------------------------------

# A new program that comes too early says so, and waits.
waits_for_migrations() {
    wait_until 30 is_alive this || wrong "it does not get alive" || return
    ! is_ready this || wrong "it says that it is ready"
}

migrates() {
    local started=$SECONDS
    DATABASE_OWNER_URL=$(owner_url) timeout "$MIGRATION_MAX" "${BIN[this]}/migration" up >"$SAID/migration.log" 2>&1 ||
        wrong "after $((SECONDS - started)) s: $(tail -n 3 "$SAID/migration.log")"
}

# The program that applies is not the one that waits: both have to be of one opinion.
is_ready_soon() { wait_until 10 is_ready "$1" || wrong "it says $(curl --silent "$(url_of "$1")/api/health/detailed")"; }

start_load() {
    local release=$1
    client load "$(url_of "$release")" "$SAID/state" "$SAID/until" "$2" >"$SAID/load-$release" 2>&1 9>&- &
    PID[load-$release]=$!
}

load_went_well() {
    local told
    told=$(cat "$SAID/load-$1")
    [[ $told == '{'*'"failed": 0,'* && $told != *'"never"'* ]] || wrong "$told"
}

# finish_load RELEASE...
finish_load() {
    local release
    for release in "$@"; do
        wait "${PID[load-$release]}" || true
        unset "PID[load-$release]"
        say "$release: $(cat "$SAID/load-$release")"
    done
}

migrate_under_load() {
    step "Migrating while people work with the previous release"
    start_load previous $((2 * AROUND + MIGRATION_MAX))
    sleep "$AROUND"
    check "migration: all of them come in" migrates
    sleep "$AROUND"
    touch "$SAID/until"
    finish_load previous
    rm -f "$SAID/until"
    check "migration: nothing fails meanwhile" load_went_well previous
    check "health: the previous api stays ready" is_ready_soon previous
    check "health: this one's gets ready" is_ready_soon this
}

work_together() {
    step "Both at work in one shop"
    rm -f "$SAID/until"
    start_load previous "$AROUND"
    start_load this "$AROUND"
    finish_load previous this
    check "together: nothing fails with the previous release" load_went_well previous
    check "together: nor with this one" load_went_well this
}

# One's jobs are for the other as long as its own worker is away.
trade_jobs() {
    stop_worker previous
    check "jobs: asked for by the previous release, done by this one" client job "$(url_of previous)" "$SAID/state"
    start_worker previous
    stop_worker this
    check "jobs: asked for by this release, done by the previous one" client job "$(url_of this)" "$SAID/state"
    start_worker this
}

# The previous release cannot say of a table that it does not know whether changes of it are kept. That is all that it may miss.
trail_is_whole() {
    local told
    told=$("${BIN[$1]}/worker" audit-verify 2>&1) && return
    [[ $1 == previous && $told == *'not everything is covered'* ]] || wrong "$(tail -n 5 <<<"$told")" || return
    ! grep '^MISSING ' <<<"$told" | grep --quiet --invert-match ': unknown_table$' || wrong "$(grep '^MISSING ' <<<"$told")"
}

# Each of them at the same data, while nobody changes it.
prove() {
    local release
    local -A whose=([previous]="the previous release" [this]="this release")
    step "Proving"
    for release in previous this; do
        check "proofs: stock and books, asked of ${whose[$release]}" client prove "$(url_of "$release")" "$SAID/state"
        check "proofs: books, by the worker of ${whose[$release]}" "${BIN[$release]}/worker" ledger-verify
        check "proofs: the trail, by the worker of ${whose[$release]}" trail_is_whole "$release"
    done
}

nobody_panicked() {
    local found
    found=$(grep --no-filename 'panicked' "$SAID"/*.log | head -n 3 || true)
    [[ -z $found ]] || wrong "$found"
}

# Of those that somebody asked for: a schedule may want what this machine has not, such as a source of rates.
no_job_failed() {
    local found
    found=$(private_psql --quiet --tuples-only --no-align --command "SELECT kind, state, error FROM job WHERE schedule_id IS NULL AND state IN ('dead', 'failed') LIMIT 3")
    [[ -z $found ]] || wrong "$found"
}

side_by_side() {
    local release
    step "Side by side"
    start_worker this
    for release in previous this; do
        check "changes: everything by the $release release" client day "$(url_of "$release")" "$SAID/state"
    done
    work_together
    trade_jobs
    check "events: of the previous release, heard at this one" client hears "$(url_of previous)" "$(url_of this)" "$SAID/state"
    check "events: of this release, heard at the previous one" client hears "$(url_of this)" "$(url_of previous)" "$SAID/state"
}

try() {
    SAID=$(mktemp -d)
    step "Starting PostgreSQL and Redis"
    start_services
    rm -rf "$INSTANCE_DIR/side-by-side"
    mkdir -p "$INSTANCE_DIR/side-by-side/media" "$INSTANCE_DIR/side-by-side/backups"
    export GOLDSHOP_BLOB__ROOT=$INSTANCE_DIR/side-by-side/media GOLDSHOP_BACKUP__DIRECTORY=$INSTANCE_DIR/side-by-side/backups
    export LOG_LEVEL=info
    set_surroundings
    open_shop
    claim_port this-http-port
    start this api
    if [[ -n $SINCE ]]; then
        check "health: this release's api waits for its migrations" waits_for_migrations
    fi
    migrate_under_load
    side_by_side
    prove
    check "jobs: none has failed" no_job_failed
    check "logs: nobody panicked" nobody_panicked
}

main() {
    read_previous
    [[ -z ${DATABASE_URL-}${DATABASE_OWNER_URL-}${REDIS_URL-} ]] ||
        die "it uses services of its own: unset DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL"
    SINCE=$(migrations_since)
    check "history: what has landed is as it was" landed_is_frozen
    if nothing_has_changed; then
        say "nothing to try: no migration since ${PREVIOUS:0:12}, and nothing else that \`migration up\` does"
    else
        say "since ${PREVIOUS:0:12}: ${SINCE:-no migration, but something else that \`migration up\` does}"
        use_instance test
        hold_lock "make test-previous"
        trap finish EXIT
        trap 'exit 130' INT TERM HUP
        ensure_command curl curl
        ensure_command python3 python3
        build_programs
        BIN[this]=$BIN_DIR
        build_previous
        try
    fi
    step "$PASSED passed, $FAILED failed, after $SECONDS s"
    ((FAILED == 0))
}

main "$@"
