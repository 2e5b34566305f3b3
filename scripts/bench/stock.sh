# shellcheck shell=bash
# Stock. What is posted is measured in a shop that is made anew each time: goods that leave, by sixteen clients, beside a function of
# PostgreSQL that writes the same rows (stock_plain.sql); and receipts of many serials. What is read is measured in a shop with two years of
# history (stock_history.sql), which stays for the next time. The worker is at work all the while.
#
#   MOVEMENTS=10000000   how many movements the history has at least

readonly MOVEMENTS=${MOVEMENTS:-10000000}
# Items of the shop with a history: a hundred movements each, beside those that have very many.
readonly HISTORY_ITEMS=$((MOVEMENTS / 100 < 100000 ? MOVEMENTS / 100 : 100000))
readonly CROWD=16
readonly CROWD_ITEMS=100

# open_shop NAME ITEMS: a database with a demo shop of as many generated items, with an api and a worker whose jobs are done.
open_shop() {
    stop_worker
    stop_api
    use_database "$1"
    migrate
    if (($(generated_items) < $2)); then
        load_demo --items "$2"
        # Not the tables of stock, which are empty: nothing does that in a new shop, and plans for empty tables are no good.
        sql 'VACUUM ANALYZE item, category'
    fi
    start_api
    start_worker
    finish_jobs
    make_token
}

drop_shop() {
    stop_worker
    stop_api
    POSTGRES_DATABASE=goldshop
    PGOPTIONS='-c client_min_messages=warning' private_psql --quiet --dbname postgres --command "DROP DATABASE IF EXISTS $1" >/dev/null
}

# global_id TYPE: makes ids as clients know them of the uuids on standard input.
global_id() {
    local id
    while read -r id; do printf '%s:%s' "$1" "${id//-/}" | base64 --wrap 0 | tr '+/' '-_' | tr -d '='; echo; done
}

# A location and a hundred items in it, of each more than will ever leave: into stock_items.cases, as post.lua reads it. They come in through
# the front door.
stock_crowd() {
    local receive
    sql "INSERT INTO location (id, number, path, code, name, kind, position, created_at, updated_at) OVERRIDING SYSTEM VALUE
         SELECT gen_random_uuid(), n, n::text::ltree, 'CROWD', '{\"en\": \"Crowd\"}', 'storage', 100, now(), now()
         FROM nextval(pg_get_serial_sequence('location', 'number')) n ON CONFLICT DO NOTHING"
    {
        sql "SELECT id FROM location WHERE code = 'CROWD'" | global_id Location
        sql "SELECT i.id FROM item i JOIN unit_of_measure u ON u.id = i.unit_id
             WHERE i.external_reference LIKE 'demo:generated:%' AND i.tracking = 'none' AND NOT i.is_template AND i.kind = 'goods'
             ORDER BY i.id LIMIT $CROWD_ITEMS" | global_id Item
    } >"$WORK/stock_items.cases"
    (($(wc -l <"$WORK/stock_items.cases") == CROWD_ITEMS + 1)) || die "the shop has too few items"
    receive=$(jq --raw-input --slurp --arg key "$(now_us)" 'split("\n")[:-1] | .[0] as $place | {input: {reason: "PURCHASED", idempotencyKey: $key,
        lines: [.[1:][] | {itemId: ., toId: $place, quantity: 10000000, unitCost: "7.5"}]}}' "$WORK/stock_items.cases")
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    ask 'mutation($input: StockReceiveInput!) { stockReceive(input: $input) { entry { id } userErrors { code path } } }' "$receive" \
        '.data.stockReceive.entry.id' >/dev/null
    sql 'ANALYZE stock_level'
}

# run_posts LINES SECONDS [check]: sets LOADED as run_load does. Each good answer has written an entry, whether or not it was read.
run_posts() {
    local run output wrong failed entries
    run=bench-$(now_us)
    output=$(wrk --threads 2 --connections "$CROWD" --duration "$2s" --timeout 10s --script "$ROOT/scripts/bench/post.lua" "$URL" -- \
        "$ROOT/scripts/bench/documents/stock_issue.graphql" "$WORK/stock_items.cases" "$1" "$run" "${@:3}" 9>&-)
    read -r wrong failed LOADED < <(sed -n 's/^result //p' <<<"$output") || die "wrk failed: $output"
    # Those that were asked when the time was up are written, and not counted by wrk.
    sleep 1
    entries=$(sql "SELECT count(*) FROM idempotency k JOIN stock_entry e ON e.id = (k.answer->>'id')::uuid
                   WHERE k.key LIKE '$run-%' AND e.lines = $1")
    ((${LOADED%% *} > 0 && wrong == 0 && failed == 0 && entries >= ${LOADED%% *} && entries <= ${LOADED%% *} + CROWD)) ||
        die "of ${LOADED%% *} answers $wrong were wrong and $failed failed, and there are $entries entries: $output"
}

# write_plain_posts LINES: for pgbench, the same choice of items as post.lua's.
write_plain_posts() {
    local part items=() size=$((CROWD_ITEMS / $1))
    for ((part = 0; part < $1; part++)); do
        if (($1 == 1)); then printf '\\set item_0 1\n'; else printf '\\set item_%d random(%d, %d)\n' "$part" "$((part * size + 1))" "$(((part + 1) * size))"; fi
        items+=("plain.id(:item_$part)")
    done >"$WORK/plain_choice"
    {
        cat "$WORK/plain_choice"
        printf 'SELECT plain.issue(gen_random_uuid()::text, ARRAY[%s]);\n' "$(IFS=,; printf '%s' "${items[*]}")"
    } >"$WORK/plain_posts_$1"
    {
        cat "$WORK/plain_choice"
        printf 'SELECT plain.issue_alone(ARRAY[%s]);\n' "$(IFS=,; printf '%s' "${items[*]}")"
    } >"$WORK/plain_posts_alone_$1"
}

# plain_posts SCRIPT: sets PGBENCH_RATE.
plain_posts() {
    local output
    output=$(PGPASSFILE=$INSTANCE_DIR/pgpass PGOPTIONS='-c jit=off' "$PG_BIN/pgbench" --host 127.0.0.1 --port "$(recall postgres-port)" \
        --username goldshop --no-vacuum --protocol prepared --client "$CROWD" --jobs 2 --time "$SECONDS_PER_ROUND" \
        --file "$WORK/$1" "$POSTGRES_DATABASE" 2>&1 9>&-) || die "pgbench failed: $output"
    grep --quiet '^number of failed transactions: 0 ' <<<"$output" || die "pgbench failed: $output"
    PGBENCH_RATE=$(sed -n 's/^tps = \([0-9.]*\) .*/\1/p' <<<"$output")
}

# measure_posts LINES TITLE TARGET: as measure_row.
measure_posts() {
    local round rounds=()
    step "$2"
    write_plain_posts "$1"
    run_posts "$1" "$CHECKED" check
    for ((round = 0; round < ROUNDS; round++)); do
        run_posts "$1" "$SECONDS_PER_ROUND"
        plain_posts "plain_posts_$1"
        rounds+=("$(describe_round)")
    done
    run_posts "$1" "$CHECKED" check
    read -r RATIO RATE P50 P95 P99 PGBENCH_RATE < <(printf '%s\n' "${rounds[@]}" | middle)
    report_row "$2" "$CROWD" "$RATE" "$P50" "$P95" "$P99" "$(resident "$API")" "$PGBENCH_RATE" "$RATIO" "$3" "$(verdict "$3")"
}

# How fast the function would be if it wrote nothing but the entry, its movements and the levels.
report_plain_alone() {
    plain_posts plain_posts_alone_3
    report_fact "the function for 3 items, without the trail, the event and the answer that is kept" "$PGBENCH_RATE" /s
}

# receive_serials ITEM LOCATION COUNT: prints the seconds that the client waited.
receive_serials() {
    local answer variables
    variables=$(jq --null-input --arg item "$1" --arg place "$2" --arg first "S$(now_us)-00001" --argjson count "$3" --arg key "$(now_us)" \
        '{input: {reason: "PURCHASED", idempotencyKey: $key, lines: [{itemId: $item, toId: $place, unitCost: "5", serialRange: {first: $first, count: $count}}]}}')
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    answer=$(graphql 'mutation($input: StockReceiveInput!) { stockReceive(input: $input) { entry { lines } userErrors { code } } }' \
        "$variables" --write-out ' %{time_total}')
    [[ ${answer% *} == '{"data":{"stockReceive":{"entry":{"lines":'"$3"'},"userErrors":[]}}}' ]] || die "unexpected answer: $answer"
    printf '%s\n' "${answer##* }"
}

serial_item() {
    local category unit
    category=$(sql 'SELECT category_id FROM item ORDER BY id LIMIT 1' | global_id Category)
    unit=$(sql "SELECT id FROM unit_of_measure WHERE code = 'piece'" | global_id UnitOfMeasure)
    # shellcheck disable=SC2016
    ask 'mutation($input: ItemCreateInput!) { itemCreate(input: $input) { item { id } userErrors { code path } } }' \
        "$(jq --null-input --arg sku "SERIAL-$(now_us)" --arg category "$category" --arg unit "$unit" '{input: {sku: $sku, kind: "GOODS",
            tracking: "SERIAL", name: [{language: "en", text: "Benchmark"}], categoryId: $category, unitId: $unit}}')" '.data.itemCreate.item.id'
}

measure_serials() {
    local item place small large number
    step "Receiving serials"
    item=$(serial_item)
    place=$(head -n 1 "$WORK/stock_items.cases")
    for ((number = 0; number < 3; number++)); do receive_serials "$item" "$place" 10000; done >"$WORK/serials_small"
    for ((number = 0; number < 3; number++)); do receive_serials "$item" "$place" 50000; done >"$WORK/serials_large"
    small=$(sort -g "$WORK/serials_small" | sed -n 2p)
    large=$(sort -g "$WORK/serials_large" | sed -n 2p)
    report_limit "receiving 10,000 serials in one mutation, middle of 3" "$small" s 5
    report_limit "receiving 50,000 serials in one mutation, middle of 3" "$large" s 30
    report_fact "time for a serial of 50,000 to that of 10,000" "$(awk "BEGIN { printf \"%.2f\", $large / 5 / $small }")" ""
}

movements() { sql 'SELECT count(*) FROM stock_movement'; }

# A history of an earlier run is used again.
open_history() {
    local started
    open_shop goldshop_history "$HISTORY_ITEMS"
    if (($(movements) < MOVEMENTS)); then
        if (($(movements) > 0)); then
            drop_shop goldshop_history
            open_shop goldshop_history "$HISTORY_ITEMS"
        fi
        step "Writing $MOVEMENTS movements"
        started=$SECONDS
        private_psql --quiet --set ON_ERROR_STOP=1 --set "movements=$MOVEMENTS" --file "$ROOT/scripts/bench/stock_history.sql" >/dev/null
        report_fact "writing $(movements) movements straight into the tables" "$((SECONDS - started))" s
    fi
}

write_history_cases() {
    local row
    step "Asking plain SQL what the answers are"
    private_psql --quiet --set ON_ERROR_STOP=1 --file "$ROOT/scripts/bench/stock_cases.sql" >/dev/null
    for row in stock_card stock_card_deep stock_levels_there stock_levels_of stock_levels_hot; do
        write_sampled_cases "$row"
        (($(wc -l <"$WORK/$row.cases") >= 50)) || die "the history has too few cases of '$row'"
    done
}

# Less than a thousand movements are not worth a look.
weeks_are_made() { [[ $(sql 'SELECT m.looked = m.number AND s.last_value < m.number + 1000 FROM stock_week_mark m, stock_movement_number_seq s') == t ]]; }

# As the worker does by itself in a shop that has just got its weeks: an earlier run has left them.
finish_weeks() {
    local started=$SECONDS
    if weeks_are_made; then return 0; fi
    step "Letting the worker make weeks"
    wait_until 600 weeks_are_made || die "weeks are not made"
    report_fact "making $(sql 'SELECT count(*) FROM stock_week') weeks of $(sql 'SELECT count(*) FROM stock_week_item') items that move often" \
        "$((SECONDS - started))" s
}

measure_history_reads() {
    local size
    size=$(movements)
    measure_list stock_card "stock card, its newest 20 lines ($size movements)" p95:50
    measure_list stock_card_deep "stock card of an item with $(hot_movements) movements, 20 lines anywhere in it" p95:50
    measure_list stock_levels_there "20 levels of a location as of a moment in two years" p95:50
    measure_list stock_levels_of "levels of an item as of a moment in two years" p95:50
    measure_hot_levels
}

# One after the other by curl, for they take seconds.
measure_hot_levels() {
    local variables expected answer
    step "Levels of an item that moves very often"
    head -n 5 "$WORK/stock_levels_hot.cases" | while IFS=$'\t' read -r variables expected; do
        answer=$(graphql "$(document stock_levels_hot)" "$variables" --write-out ' %{time_total}')
        [[ $answer == *"$expected"* ]] || die "unexpected answer: ${answer:0:300}"
        awk "BEGIN { printf \"%.1f\\n\", ${answer##* } * 1000 }"
    done >"$WORK/hot_levels"
    report_limit "20 levels of an item with $(hot_movements) movements as of a moment in two years, middle of 5" "$(median <"$WORK/hot_levels")" ms 50
}

hot_movements() { sql 'SELECT count(*) FROM stock_movement m JOIN bench.stocked s ON s.id = m.item_id WHERE s.n = 1'; }

measure_reconcile() {
    local id seconds counts levels counted differences
    step "Reconciling"
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    id=$(ask 'mutation($input: StockReconcileInput!) { stockReconcile(input: $input) { reconciliation { id } userErrors { code } } }' \
        "{\"input\": {\"idempotencyKey\": \"reconcile-$(now_us)\"}}" '.data.stockReconcile.reconciliation.id')
    seconds=$(finish_job stockReconciliation "$id" stock.reconcile)
    # shellcheck disable=SC2016
    counts=$(ask 'query($id: ID!) { stockReconciliation(id: $id) { levelCount movementCount differenceCount } }' "{\"id\": \"$id\"}" \
        '.data.stockReconciliation | "\(.levelCount) \(.movementCount) \(.differenceCount)"')
    read -r levels counted differences <<<"$counts"
    [[ $differences == 0 && $counted == "$(movements)" ]] || die "the reconciliation found: $counts"
    report_limit "reconciling $levels levels with $counted movements, no differences" "$seconds" s 60
}

# The first row once more, beside all that has happened.
measure_posts_beside_history() {
    step "Posting beside the history"
    stock_crowd
    run_posts 3 "$CHECKED" check
    run_posts 3 "$((3 * SECONDS_PER_ROUND))"
    report_fact "issues of 3 lines by $CROWD clients, with $(movements) movements" \
        "$(awk '{ printf "%.1f/s, p50 %s ms, p95 %s", $1 / $2, $3, $4 }' <<<"$LOADED")" ms
}

measure_posting() {
    drop_shop goldshop_stock
    open_shop goldshop_stock 1000
    stock_crowd
    private_psql --quiet --set ON_ERROR_STOP=1 --file "$ROOT/scripts/bench/stock_plain.sql" >/dev/null
    measure_posts 3 "issue of 3 lines, of 100 items" ratio:0.40
    measure_posts 1 "issue of 1 line, all of one item" ratio:0.50
    report_plain_alone
    measure_serials
}

measure_history() {
    open_history
    finish_weeks
    measure_reconcile
    write_history_cases
    measure_history_reads
    measure_posts_beside_history
}
