# shellcheck shell=bash
# One row of the table: load by wrk and the same SQL by pgbench, in turns, for the machine is not as fast at one minute as
# at the next. What is told is the round whose ratio is in the middle.

readonly ROWS=(item page page_by_sku tree_1000 tree_all)
readonly CHECKED=3
readonly ROUNDS=5
readonly SECONDS_PER_ROUND=${SECONDS_PER_ROUND:-6}

document_name() {
    case $1 in
    tree*) echo tree ;;
    stock_card*) echo stock_card ;;
    stock_levels*) echo stock_levels ;;
    stock_series*) echo stock_series ;;
    *) echo "$1" ;;
    esac
}

# Values of the first line of each sample, which is what is captured: row.column to value.
declare -A SAMPLED

sample() { private_psql --quiet --set ON_ERROR_STOP=1 --file "$ROOT/scripts/bench/sample.sql" >/dev/null; }

# write_sampled_cases ROW: what the sample has of it.
write_sampled_cases() {
    private_psql --quiet --tuples-only --no-align --field-separator $'\t' \
        --command "SELECT variables, expected FROM bench.$1_cases ORDER BY n" >"$WORK/$1.cases"
}

# Writes what the rows ask for, and what the answers must contain.
write_cases() {
    local row column
    sample
    for row in item page page_by_sku; do
        write_sampled_cases "$row"
        for column in id sku categories; do SAMPLED[$row.$column]=$(sample_value "$row" "$column"); done
    done
    write_tree_cases tree_1000 1000
    write_tree_cases tree_all 20000
}

# A tree's answer is right when it has the last of its categories and is as long as it was when it was counted.
write_tree_cases() {
    local answer
    answer=$(graphql "$(document "$1")" "{\"limit\": $2}")
    check_tree "$1" "$2" "$answer"
    printf '{"limit":%d}\t%s\n' "$2" "$(jq --raw-output '.data.categoryTree[-1] | "\"id\":\"\(.id)\""' <<<"$answer")" \
        >"$WORK/$1.cases"
}

# check_tree ROW LIMIT ANSWER: every node once, parents in front of their children, and as many as the database has.
check_tree() {
    local in_use
    in_use=$(private_psql --quiet --tuples-only --no-align --command 'SELECT count(*) FROM category WHERE archived_at IS NULL')
    jq --exit-status --argjson wanted "$((in_use < $2 ? in_use : $2))" '
        .data.categoryTree as $tree | ($tree | length) == $wanted and ([$tree[].id] | unique | length) == $wanted
        and (reduce $tree[] as $node ({seen: {}, right: true};
            .right = (.right and ($node.parentId == null or .seen[$node.parentId])) | .seen[$node.id] = true) | .right)
        ' <<<"$3" >/dev/null || die "the answer of '$1' is not the tree"
}

# run_wrk ROW CONNECTIONS SECONDS [check|pause]: prints what load.lua says in the end. A load that pauses stands for people at machines of
# their own, and takes a fiftieth of a core: where we may, it goes ahead of everything, or it would measure how long it waits for a core.
run_wrk() {
    local threads=2 ahead=()
    (($2 > 1)) || threads=1
    if [[ ${4:-} == pause ]] && chrt --fifo 1 true 2>/dev/null; then ahead=(chrt --fifo 1); fi
    "${ahead[@]}" wrk --threads "$threads" --connections "$2" --duration "$3s" --timeout 10s --script "$ROOT/scripts/bench/load.lua" \
        "$URL" -- "$ROOT/scripts/bench/documents/$(document_name "$1").graphql" "$WORK/$1.cases" "${@:4}" 9>&-
}

# run_load ROW CONNECTIONS SECONDS [check|pause]: sets LOADED to requests, seconds, p50, p95 and p99.
run_load() {
    local output wrong failed
    output=$(run_wrk "$@")
    read -r wrong failed LOADED < <(sed -n 's/^result //p' <<<"$output") || die "wrk failed: $output"
    [[ ${LOADED%% *} -gt 0 && $wrong == 0 && $failed == 0 ]] ||
        die "row '$1': of ${LOADED%% *} answers $wrong were wrong and $failed failed: $output"
}

calculate() { awk "BEGIN { printf \"%.1f\", $1 }"; }

# pgbench_rate ROW CONNECTIONS: sets PGBENCH_RATE, in requests a second.
pgbench_rate() {
    local definitions per_run=1 threads=2 output
    (($2 > 1)) || threads=1
    mapfile -t definitions < <(pgbench_definitions "$1")
    if has_sample "$1"; then per_run=$PICKED; fi
    output=$(PGPASSFILE=$INSTANCE_DIR/pgpass "$PG_BIN/pgbench" --host 127.0.0.1 --port "$(recall postgres-port)" \
        --username goldshop --no-vacuum --protocol prepared --client "$2" --jobs "$threads" --time "$SECONDS_PER_ROUND" \
        "${definitions[@]}" --file "$WORK/$1.pgbench" goldshop 2>&1 9>&-) || die "pgbench failed: $output"
    grep --quiet '^number of failed transactions: 0 ' <<<"$output" || die "pgbench failed: $output"
    PGBENCH_RATE=$(sed -n 's/^tps = \([0-9.]*\) .*/\1/p' <<<"$output")
    PGBENCH_RATE=$(calculate "$PGBENCH_RATE * $per_run")
}

# measure_row NAME TITLE CONNECTIONS TARGET: one line of the table. TARGET is ratio:0.40, rate:150 or p50:120. Under the
# same load before and after, every answer is read: a wrong or failed one ends the benchmark.
measure_row() {
    local round rounds=()
    step "$2"
    run_load "$1" "$3" "$CHECKED" check
    for ((round = 0; round < ROUNDS; round++)); do
        run_load "$1" "$3" "$SECONDS_PER_ROUND"
        pgbench_rate "$1" "$3"
        rounds+=("$(describe_round)")
    done
    run_load "$1" "$3" "$CHECKED" check
    read -r RATIO RATE P50 P95 P99 PGBENCH_RATE < <(printf '%s\n' "${rounds[@]}" | middle)
    report_row "$2" "$3" "$RATE" "$P50" "$P95" "$P99" "$(resident "$API")" "$PGBENCH_RATE" "$RATIO" "$4" "$(verdict "$4")"
}

# Ratio, requests a second, p50, p95, p99, and pgbench's rate.
describe_round() {
    local requests seconds p50 p95 p99
    read -r requests seconds p50 p95 p99 <<<"$LOADED"
    awk -v rate="$(calculate "$requests / $seconds")" -v times="$p50 $p95 $p99" -v pgbench="$PGBENCH_RATE" \
        'BEGIN { printf "%.3f %s %s %s\n", rate / pgbench, rate, times, pgbench }'
}

# The middle one of the lines, ordered by their first number.
middle() { sort --general-numeric-sort | sed -n "$((ROUNDS / 2 + 1))p"; }

verdict() {
    case $1 in
    ratio:*) compare "$RATIO >= ${1#*:}" ;;
    rate:*) compare "$RATE >= ${1#*:}" ;;
    p50:*) compare "$P50 < ${1#*:}" ;;
    p95:*) compare "$P95 < ${1#*:}" ;;
    esac
}

# compare EXPRESSION: met or MISSED.
compare() { if awk "BEGIN { exit !($1) }"; then echo met; else echo MISSED; fi; }
