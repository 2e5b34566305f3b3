#!/usr/bin/env bash
# `make bench`: how fast goldshop answers, beside pgbench executing the same SQL on the same database. Release build, a
# private PostgreSQL and Redis that keep every promise, a generated catalogue that stays for the next time. Lists are measured on a
# second catalogue of 10,000 items, too; the whole catalogue is written into a file, and imported into a third database.
# The api and the worker log in as the application's role. psql and pgbench are the owner: they keep samples in a schema of
# their own, which is no business of the application's.
#
#   scripts/bench.sh [PART]   catalogue, stock, books, codes, jobs, pictures, backup or nginx; or of stock posting, history or series alone, of the books journal or ledger alone; everything
#                            without (also as PART=stock make bench)
#
#   ITEMS=1000000        size of the generated catalogue (100,000 unless given; one that is larger stays)
#   MOVEMENTS=10000000   size of the history of stock (bench/stock.sh)
#   ENTRIES=1000000      size of the books (bench/books.sh)
#   PROBES=20000         size of a round of jobs (bench/jobs.sh)
#   SECONDS_PER_ROUND=6  how long each row is measured, ten times: five for goldshop and five for pgbench
#   BIN_DIR              use the programs in this directory, build nothing
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=bench/programs.sh
source "$ROOT/scripts/bench/programs.sh"
# shellcheck source=bench/rows.sh
source "$ROOT/scripts/bench/rows.sh"
# shellcheck source=bench/statements.sh
source "$ROOT/scripts/bench/statements.sh"
# shellcheck source=bench/single.sh
source "$ROOT/scripts/bench/single.sh"
# shellcheck source=bench/lists.sh
source "$ROOT/scripts/bench/lists.sh"
# shellcheck source=bench/files.sh
source "$ROOT/scripts/bench/files.sh"
# shellcheck source=bench/stock.sh
source "$ROOT/scripts/bench/stock.sh"
# shellcheck source=bench/stock_series.sh
source "$ROOT/scripts/bench/stock_series.sh"
# shellcheck source=bench/books.sh
source "$ROOT/scripts/bench/books.sh"
# shellcheck source=bench/codes.sh
source "$ROOT/scripts/bench/codes.sh"
# shellcheck source=bench/jobs.sh
source "$ROOT/scripts/bench/jobs.sh"
# shellcheck source=bench/pictures.sh
source "$ROOT/scripts/bench/pictures.sh"
# shellcheck source=bench/backup.sh
source "$ROOT/scripts/bench/backup.sh"
# shellcheck source=bench/nginx.sh
source "$ROOT/scripts/bench/nginx.sh"
# shellcheck source=bench/report.sh
source "$ROOT/scripts/bench/report.sh"

readonly ITEMS=${ITEMS:-100000}
readonly PART=${1:-${PART:-all}}

finish() {
    local status=$?
    trap '' INT TERM HUP
    set +e
    stop_group
    stop_front
    stop_program "$API"
    stop_program "$WORKER"
    stop_program "$YARDSTICK"
    stop_services
    exit "$status"
}

ensure_tools() {
    ensure_command wrk wrk
    ensure_command curl curl
    ensure_command jq jq
}

sql() { private_psql --quiet --tuples-only --no-align --command "$1"; }

generated_items() { sql "SELECT count(*) FROM item WHERE external_reference LIKE 'demo:generated:%'"; }

# The catalogue of an earlier run is used again. LOAD_SECONDS stays empty then.
load_catalogue() {
    local started=$SECONDS
    LOAD_SECONDS=
    if (($(generated_items) >= ITEMS)); then return 0; fi
    load_demo --items "$ITEMS"
    LOAD_SECONDS=$((SECONDS - started))
    step "Vacuuming, as autovacuum would in a while"
    PGOPTIONS='-c client_min_messages=error' sql 'VACUUM ANALYZE'
}

jobs_are_done() { [[ $(sql "SELECT count(*) FROM job WHERE state IN ('queued', 'running', 'failed')") == 0 ]]; }

finish_jobs() {
    step "Letting the worker finish the demo shop's pictures and codes"
    wait_until 900 jobs_are_done || die "the jobs do not end"
}

# The report says how busy the machine was before we were.
LOAD_BEFORE=$(cut -d ' ' -f 1-3 /proc/loadavg)

measure_idle() {
    step "Idle"
    stop_worker
    stop_api
    start_api
    start_worker
    sleep 10
    report_limit "api: start to ready" "$API_READY_MS" ms 1500
    report_limit "worker: start to its first sign of life" "$WORKER_READY_MS" ms 1500
    report_limit "api: resident when idle" "$(resident "$API")" MB 80
    report_limit "worker: resident when idle" "$(resident "$WORKER")" MB 60
}

measure_rows() {
    measure_row item "item by id with its category" 16 ratio:0.40
    measure_row page "20 items with category and image, by creation" 16 ratio:0.40
    measure_row page_by_sku "20 items with category and image, by SKU" 16 ratio:0.40
    measure_row tree_1000 "tree of 1,000 categories" 16 rate:150
    measure_row tree_all "tree of all categories" 16 ""
    measure_row tree_all "tree of all categories, alone" 1 p50:120
}

# No worker is at work meanwhile, so the statements on the catalogue in PostgreSQL's log are those of our requests.
capture_statements() {
    step "Capturing the statements"
    set_logging all
    capture_all
    set_logging none
}

# Everything that the parts share.
prepare() {
    ensure_tools
    PROFILE=release build_programs
    step "Starting PostgreSQL and Redis"
    start_services
    set_bench_surroundings
}

# Everything up to a running shop whose jobs are done.
prepare_shop() {
    allow_large_files
    migrate
    load_catalogue
    start_api
    start_worker
    finish_jobs
}

prepare_catalogue() {
    prepare_shop
    make_token
    sample
}

measure_catalogue() {
    prepare_catalogue
    report_begin "Catalogue: $(sql 'SELECT count(*) FROM item') items, $(sql 'SELECT count(*) FROM category') categories."
    report_loading
    measure_idle
    measure_jobs
    measure_export
    stop_worker
    write_cases
    capture_statements
    measure_rows
    measure_moves
    measure_catalogue_lists
    measure_import
    report_end
}

# measure_stock COMMAND...: each a part of it.
measure_stock() {
    local part
    report_begin "Stock: a new shop for what is posted, and one with a history of two years for what is read."
    for part in "$@"; do "$part"; done
    report_end
}

# measure_books COMMAND...: each a part of it.
measure_books() {
    local part
    report_begin "Books: a new shop for what is posted, and one with two fiscal years of books for what is read."
    for part in "$@"; do "$part"; done
    report_end
}

measure() {
    : >"$WORK/report.md"
    if [[ $PART == all || $PART == catalogue ]]; then measure_catalogue; fi
    if [[ $PART == all || $PART == stock ]]; then measure_stock measure_posting measure_history measure_series; fi
    if [[ $PART == all || $PART == jobs ]]; then measure_probes; fi
    if [[ $PART == all || $PART == pictures ]]; then measure_pictures; fi
    if [[ $PART == all || $PART == backup ]]; then measure_backup; fi
    if [[ $PART == all || $PART == nginx ]]; then measure_front; fi
    case $PART in
    all | books) measure_books measure_books_posting measure_books_history ;;
    posting) measure_stock measure_posting ;;
    history) measure_stock measure_history ;;
    series) measure_stock measure_series_alone ;;
    journal) measure_books measure_books_posting ;;
    ledger) measure_books measure_books_history ;;
    esac
    if [[ $PART == all || $PART == codes ]]; then measure_codes; fi
}

report_loading() {
    [[ -n $LOAD_SECONDS ]] || return 0
    if ((ITEMS == 1000000)); then
        report_limit "loading the demo shop and 1,000,000 generated items" "$LOAD_SECONDS" s 300
    else
        report_fact "loading the demo shop and $ITEMS generated items" "$LOAD_SECONDS" s
    fi
}

main() {
    [[ $PART =~ ^(all|catalogue|stock|posting|history|series|books|journal|ledger|codes|jobs|pictures|backup|nginx)$ ]] ||
        die "unknown part '$PART': catalogue, stock, posting, history, series, books, journal, ledger, codes, jobs, pictures, backup or nginx"
    [[ -z ${DATABASE_URL-}${DATABASE_OWNER_URL-}${REDIS_URL-} ]] ||
        die "the benchmark uses services of its own: unset DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL"
    use_instance bench
    hold_lock "make bench"
    trap finish EXIT
    trap 'exit 130' INT TERM HUP
    WORK=$INSTANCE_DIR/bench
    mkdir -p "$WORK"
    # Codes are made without a database.
    if [[ $PART != codes ]]; then prepare; fi
    measure
}

main
