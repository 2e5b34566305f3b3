# shellcheck shell=bash
# The books. What is posted is measured in a shop that is made anew each time: entries of six lines on accounts that are as hot as can be, by
# sixteen clients, beside a function of PostgreSQL that writes the same rows (books_plain.sql); and a thousand entries at a time. What is
# read is measured in books of two years (books_history.sql), which are made anew each time, too, for a period of theirs is closed.
#
#   ENTRIES=1000000     how many entries the books have
#   BULK_SECONDS=60     how long entries are posted a thousand at a time

readonly ENTRIES=${ENTRIES:-1000000}
readonly BULK_SECONDS=${BULK_SECONDS:-60}
readonly BULK=1000

account_ids() {
    sql "SELECT id FROM account WHERE NOT is_group AND archived_at IS NULL AND commodity IS NULL AND subsidiary_kind IS NULL ORDER BY code LIMIT 6" | global_id Account
}

# A chart of accounts, a fiscal year for today, and six accounts to post to: into journal_accounts.
open_books() {
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    ask 'mutation($input: AccountTemplateApplyInput!) { accountTemplateApply(input: $input) { accounts { id } userErrors { code path } } }' \
        "{\"input\": {\"template\": \"GENERAL_RETAIL\", \"idempotencyKey\": \"$(now_us)\"}}" '.data.accountTemplateApply.accounts[0].id' >/dev/null
    # shellcheck disable=SC2016
    ask 'mutation($input: FiscalYearCreateInput!) { fiscalYearCreate(input: $input) { fiscalYear { id } userErrors { code path } } }' \
        "$(jq --null-input --arg from "$(date --utc +%Y)-01-01" --arg until "$(date --utc +%Y)-12-31" --arg key "$(now_us)" \
            '{input: {name: "Bench", startsOn: $from, endsOn: $until, idempotencyKey: $key}}')" '.data.fiscalYearCreate.fiscalYear.id' >/dev/null
    account_ids >"$WORK/journal_accounts"
    (($(wc -l <"$WORK/journal_accounts") == 6)) || die "the chart has too few accounts"
}

# run_journal CLIENTS ENTRIES SECONDS [check]: sets LOADED as run_load does, and POSTED to the entries that are there because of it.
run_journal() {
    local run output wrong failed name=journal_post
    if (($2 > 1)); then name=journal_post_bulk; fi
    run=bench-$(now_us)
    output=$(wrk --threads "$(($1 < 2 ? 1 : 2))" --connections "$1" --duration "$3s" --timeout 20s --script "$ROOT/scripts/bench/journal.lua" "$URL" -- \
        "$ROOT/scripts/bench/documents/$name.graphql" "$WORK/journal_accounts" "$(date --utc +%F)" "$2" "$run" "${@:4}" 9>&-)
    read -r wrong failed LOADED < <(sed -n 's/^result //p' <<<"$output") || die "wrk failed: $output"
    # Those that were asked when the time was up are written, and not counted by wrk.
    wait_until 20 nothing_is_posted || die "posting does not end"
    POSTED=$(($2 * $(sql "SELECT count(*) FROM idempotency WHERE key LIKE '$run-%' AND answer IS NOT NULL")))
    ((${LOADED%% *} > 0 && wrong == 0 && failed == 0 && POSTED >= $2 * ${LOADED%% *} && POSTED <= $2 * (${LOADED%% *} + $1))) ||
        die "of ${LOADED%% *} answers $wrong were wrong and $failed failed, and there are $POSTED entries: $output"
}

nothing_is_posted() { [[ $(sql "SELECT count(*) FROM pg_stat_activity WHERE usename = 'goldshop_app' AND state <> 'idle' AND query LIKE '%journal%'") == 0 ]]; }

measure_single_posts() {
    local round rounds=() title="journal entry of 6 lines, always on the same 6 accounts"
    step "$title"
    printf 'SELECT plain.post(gen_random_uuid()::text);\n' >"$WORK/plain_journal"
    run_journal "$CROWD" 1 "$CHECKED" check
    for ((round = 0; round < ROUNDS; round++)); do
        run_journal "$CROWD" 1 "$SECONDS_PER_ROUND"
        plain_posts plain_journal
        rounds+=("$(describe_round)")
    done
    run_journal "$CROWD" 1 "$CHECKED" check
    read -r RATIO RATE P50 P95 P99 PGBENCH_RATE < <(printf '%s\n' "${rounds[@]}" | middle)
    report_row "$title" "$CROWD" "$RATE" "$P50" "$P95" "$P99" "$(resident "$API")" "$PGBENCH_RATE" "$RATIO" ratio:0.35 "$(verdict ratio:0.35)"
}

deadlocks() { sql "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"; }

# Ticks of the processors that a program and its children have used, also those of them that have ended.
used_by() {
    local pid
    for pid in "$1" $(pgrep --parent "$1"); do
        sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null || true
    done | awk 'NR == 1 { used = $14 + $15 } { used += $12 + $13 } END { printf "%d", used }'
}

postmaster() { as_service head --lines 1 "$(postgres_dir)/postmaster.pid"; }

# per_entry TICKS: how many µs that is of each entry that was posted.
per_entry() { calculate "1000000 * $1 / $(getconf CLK_TCK) / $POSTED"; }

# Everything that the programs do meanwhile is counted: PostgreSQL also seals what was posted before, and gives events their positions.
measure_bulk_posts() {
    local before postmaster server api worker
    step "$BULK entries at a time, for $BULK_SECONDS s"
    before=$(deadlocks)
    postmaster=$(postmaster)
    server=$(used_by "$postmaster") api=$(used_by "$API") worker=$(used_by "$WORKER")
    run_journal 2 "$BULK" "$BULK_SECONDS" check
    server=$(($(used_by "$postmaster") - server)) api=$(($(used_by "$API") - api)) worker=$(($(used_by "$WORKER") - worker))
    report_line "entries of 6 lines, $BULK at a time, by 2 clients, for $BULK_SECONDS s" "$(calculate "$POSTED / $BULK_SECONDS") /s" "≥ 8000 /s" \
        "$(compare "$POSTED / $BULK_SECONDS >= 8000")"
    report_fact "processor's time of PostgreSQL for such an entry, with sealing" "$(per_entry "$server")" µs
    report_fact "processor's time of the api for such an entry" "$(per_entry "$api")" µs
    report_fact "processor's time of the worker for such an entry" "$(per_entry "$worker")" µs
    report_line "deadlocks meanwhile" "$(($(deadlocks) - before))" "0" "$(compare "$(deadlocks) == $before")"
}

# The middle of fifteen statements, without the first five.
measure_guards() {
    local round
    step "What triggers take"
    for ((round = 0; round < 20; round++)); do
        private_psql --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --file "$ROOT/scripts/bench/books_guards.sql" | jq '[.[0].Triggers[].Time] | add'
    done | tail -n 15 >"$WORK/guards"
    report_limit "triggers for an entry of 6 lines, of 1,000 in a statement: guards and turnovers, middle of 15" "$(median <"$WORK/guards")" µs 25
}

verify_ledger() {
    local answer
    answer=$(graphql '{ ledgerVerify { kind subject } }' '{}' --write-out ' %{time_total}' --max-time 600)
    [[ ${answer% *} == '{"data":{"ledgerVerify":[]}}' ]] || die "the books are wrong: ${answer:0:300}"
    printf '%s\n' "${answer##* }"
}

# The same of books that take longer than a request may.
verify_large_ledger() {
    local started output
    started=$(now_us)
    output=$("$BIN_DIR/worker" ledger-verify) || die "the books are wrong: ${output:0:300}"
    calculate "($(now_us) - $started) / 1000000"
}

open_books_history() {
    local started
    drop_shop goldshop_books
    open_shop goldshop_books 1
    step "Writing $ENTRIES entries"
    started=$SECONDS
    private_psql --quiet --set ON_ERROR_STOP=1 --set "entries=$ENTRIES" --file "$ROOT/scripts/bench/books_history.sql" >/dev/null
    report_fact "writing $ENTRIES entries straight into the tables" "$((SECONDS - started))" s
}

write_books_cases() {
    local row
    step "Asking plain SQL what the answers are"
    private_psql --quiet --set ON_ERROR_STOP=1 --file "$ROOT/scripts/bench/books_cases.sql" >/dev/null
    for row in trial_balance balance_sheet profit_and_loss profit_of_cost_center ageing ageing_totals general_ledger; do
        write_sampled_cases "$row"
        (($(wc -l <"$WORK/$row.cases") >= 50)) || die "the books have too few cases of '$row'"
    done
}

measure_reports() {
    measure_list trial_balance "trial balance at the end of any day ($ENTRIES entries)" p95:100
    measure_list balance_sheet "balance sheet at the end of any day" p95:200
    measure_list profit_and_loss "profit and loss of any days" p95:200
    measure_list profit_of_cost_center "profit and loss of any days for one of 20 cost centres" ""
    measure_list ageing "20 receivables or payables of 5,000 parties by age at the end of any day" p95:200
    measure_list ageing_totals "receivables or payables of 5,000 parties by age at the end of any day, added up" p95:200
    measure_list general_ledger "20 lines anywhere in the ledger of an account, with what there was after each" p95:50
}

measure_closing() {
    local id answer lines
    step "Closing a period"
    read -r id lines < <(sql "SELECT p.id || ' ' || (SELECT count(*) FROM journal_line l WHERE l.date BETWEEN p.starts_on AND p.ends_on)
                              FROM period p ORDER BY p.starts_on LIMIT 1")
    id=$(global_id Period <<<"$id")
    # shellcheck disable=SC2016
    answer=$(graphql 'mutation($input: PeriodCloseInput!) { periodClose(input: $input) { period { closedAt } userErrors { code } } }' \
        "{\"input\": {\"id\": \"$id\"}}" --write-out ' %{time_total}' --max-time 60)
    [[ $answer == *'"closedAt":"2'* ]] || die "unexpected answer: $answer"
    report_limit "closing a period of $lines lines" "${answer##* }" s 10
}

# The worker seals behind writing.
everything_is_sealed() {
    [[ $(sql "SELECT (SELECT COALESCE(sum(rows), 0) FROM trail_seal WHERE stream = 'journal')
                     = (SELECT count(*) FROM journal_line) + (SELECT count(*) FROM journal_entry)") == t ]]
}

measure_trail() {
    local started=$SECONDS rows seconds output
    step "Letting the worker seal"
    wait_until 900 everything_is_sealed || die "the books are not sealed"
    report_fact "sealing the rest of the books" "$((SECONDS - started))" s
    rows=$(sql "SELECT sum(rows) FROM trail_seal")
    started=$(now_us)
    output=$("$BIN_DIR/worker" audit-verify) || die "the trail is not whole: $output"
    seconds=$(awk "BEGIN { printf \"%.1f\", ($(now_us) - $started) / 1000000 }")
    report_line "verifying the trail: $rows sealed rows, and all kept ones, in $seconds s" "$(awk "BEGIN { printf \"%.0f\", $rows / $seconds }") rows/s" \
        "≥ 100000 rows/s" "$(compare "$rows / $seconds >= 100000")"
}

# A life of 26 years that beancount makes up: 9,567 transactions with 29,584 postings.
measure_journal_import() {
    local id seconds name=$WORK/life.beancount
    step "Importing a journal"
    ensure_ledger_oracles
    "$BEANCOUNT_BIN/bean-example" --date-begin 2000-01-01 --date-end 2026-01-01 --date-birth 1980-05-05 -s 42 >"$name" 2>/dev/null
    drop_shop goldshop_life
    open_shop goldshop_life 1
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    id=$(curl --silent --show-error --fail-with-body --max-time 60 --config "$WORK/curl-token" --header 'graphql-require-preflight: 1' \
        --form 'operations={"query": "mutation($input: JournalImportCreateInput!) { journalImportCreate(input: $input) { journalImport { id } userErrors { code } } }", "variables": {"input": {"file": null, "format": "BEANCOUNT", "createAccounts": true, "createCommodities": true, "createFiscalYears": true}}}' \
        --form 'map={"0": ["variables.input.file"]}' --form "0=@$name;type=text/plain" "$URL" |
        jq --exit-status --raw-output '.data.journalImportCreate.journalImport.id') || die "the journal was refused"
    finish_job journalImport "$id" journal.import >/dev/null
    seconds=$(sql "SELECT round(extract(epoch FROM finished_at - started_at), 2) FROM job WHERE kind = 'journal.import'")
    [[ $(sql "SELECT state || ' ' || posted FROM journal_import") == 'done 9567' ]] || die "not all was imported"
    report_limit "importing beancount's example of 29,584 postings" "$seconds" s 3
}

measure_books_posting() {
    drop_shop goldshop_journal
    open_shop goldshop_journal 1
    open_books
    private_psql --quiet --set ON_ERROR_STOP=1 --file "$ROOT/scripts/bench/books_plain.sql" >/dev/null
    measure_single_posts
    measure_bulk_posts
    measure_guards
    report_fact "proving these books with ledgerVerify" "$(verify_ledger)" s
    measure_journal_import
}

measure_books_history() {
    open_books_history
    write_books_cases
    measure_reports
    report_fact "proving the books of $ENTRIES entries with worker ledger-verify" "$(verify_large_ledger)" s
    measure_trail
    measure_closing
}
