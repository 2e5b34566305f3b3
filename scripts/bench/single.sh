# shellcheck shell=bash
# What is not a matter of load: the move of a subtree, and a job from commit to event.

readonly MOVES=10
readonly JOBS=50

# The middle of the numbers on standard input, one a line.
median() { sort --numeric-sort | awk '{ all[NR] = $1 } END { printf "%.1f", NR % 2 ? all[(NR + 1) / 2] : (all[NR / 2] + all[NR / 2 + 1]) / 2 }'; }
largest() { sort --numeric-sort | tail -n 1; }

# Prints, tab separated: the id, the parent's id or null, and the size of the subtree that is just above a thousand; then
# the id of a root elsewhere.
choose_subtree() {
    private_psql --quiet --tuples-only --no-align --field-separator $'\t' --command "
        WITH size AS (SELECT c.id, c.parent_id, subpath(c.path, 0, 1) AS root, count(*) AS size
                      FROM category c JOIN category d ON d.path <@ c.path GROUP BY c.id)
        SELECT bench.global_id('Category', s.id), COALESCE('\"' || bench.global_id('Category', s.parent_id) || '\"', 'null'), s.size,
               (SELECT bench.global_id('Category', r.id) FROM category r WHERE r.parent_id IS NULL AND r.path <> s.root ORDER BY r.number LIMIT 1)
        FROM size s WHERE s.size >= 1000 ORDER BY s.size LIMIT 1"
}

# move ID PARENT_AS_JSON: prints the milliseconds that the client waited.
move() {
    local document answer
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    document='mutation($input: CategoryMoveInput!) { categoryMove(input: $input) { category { id } userErrors { code } } }'
    answer=$(graphql "$document" "{\"input\": {\"id\": \"$1\", \"parentId\": $2}}" --write-out ' %{time_total}')
    [[ ${answer% *} == '{"data":{"categoryMove":{"category":{"id":"'"$1"'"},"userErrors":[]}}}' ]] ||
        die "unexpected answer: $answer"
    awk "BEGIN { printf \"%.1f\n\", ${answer##* } * 1000 }"
}

measure_moves() {
    local id parent size other number
    step "Moving a subtree"
    IFS=$'\t' read -r id parent size other < <(choose_subtree)
    for ((number = 0; number < MOVES; number++)); do
        move "$id" "\"$other\""
        move "$id" "$parent"
    done >"$WORK/moves"
    report_limit "moving a subtree of $size categories: median of $((2 * MOVES)), as the client sees it" \
        "$(median <"$WORK/moves")" ms 250
    report_fact "the slowest of these moves" "$(largest <"$WORK/moves")" ms
}

# Follows itemChanged by server-sent events, and writes the time at which each drawn code was heard of.
listen() {
    local line sku
    # shellcheck disable=SC2016
    graphql 'subscription { itemChanged { action item { sku } } }' '{}' --no-buffer --max-time 300 \
        --header 'Accept: text/event-stream' 2>/dev/null |
        while IFS= read -r line; do
            [[ $line == *'"action":"item.code_rendered"'* ]] || continue
            sku=${line##*'"sku":"'}
            printf '%s\t%s\n' "${sku%%'"'*}" "$(now_us)" >>"$WORK/heard"
        done
}

create_item() {
    # shellcheck disable=SC2016
    ask 'mutation($input: ItemCreateInput!) { itemCreate(input: $input) { item { id } userErrors { code path } } }' \
        "$(jq --null-input --arg sku "$1" --arg category "$2" --arg unit "$3" '{input: {sku: $sku, kind: "GOODS",
            name: [{language: "en", text: "Benchmark"}], categoryId: $category, unitId: $unit}}')" \
        '.data.itemCreate.item.id' >/dev/null
}

heard() { grep --quiet --fixed-strings "$1	" "$WORK/heard"; }

# For each item: from the beginning of the transaction that creates it (a little before its commit) until the event that
# its code is drawn has reached a subscriber.
measure_jobs() {
    local number category unit listener run
    step "Jobs, from commit to event"
    category=$(private_psql --quiet --tuples-only --no-align --command \
        "SELECT bench.global_id('Category', category_id) FROM item ORDER BY id LIMIT 1")
    unit=$(private_psql --quiet --tuples-only --no-align --command \
        "SELECT bench.global_id('UnitOfMeasure', id) FROM unit_of_measure WHERE code = 'piece'")
    run=BENCH-$(now_us)
    : >"$WORK/heard"
    listen 9>&- &
    listener=$!
    sleep 1
    for ((number = 1; number <= JOBS; number++)); do
        create_item "$run-$number" "$category" "$unit"
        poll heard "$run-$number"
    done
    stop_children "$listener"
    report_jobs
}

# The listener's curl would otherwise go on until its time is up.
stop_children() { pkill -TERM -P "$1" || true; kill -TERM "$1" 2>/dev/null || true; }

report_jobs() {
    private_psql --quiet --tuples-only --no-align --field-separator $'\t' --command "
        SELECT i.sku, (extract(epoch FROM j.created_at) * 1000000)::bigint FROM job j
        JOIN item i ON i.id::text = j.payload ->> 'item_id' WHERE i.sku LIKE 'BENCH-%'" >"$WORK/committed"
    awk -F '\t' 'NR == FNR { committed[$1] = $2; next } { printf "%.1f\n", ($2 - committed[$1]) / 1000 }' \
        "$WORK/committed" "$WORK/heard" >"$WORK/latencies"
    report_limit "QR job of a new item: median of $JOBS, from the beginning of the creating transaction to the subscriber" \
        "$(median <"$WORK/latencies")" ms 50
    report_fact "the slowest of these jobs" "$(largest <"$WORK/latencies")" ms
}
