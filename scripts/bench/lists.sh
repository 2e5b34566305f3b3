# shellcheck shell=bash
# Lists that are narrowed down, searches with a typo and facets: on the catalogue, and on one of 10,000 items beside it. One
# connection, for the numbers are what a single person waits for. The yardstick is the same question in plain SQL, planned with its
# values as the api's is; of a search with a typo there is none.

readonly LISTS=(filtered typo facets)
readonly SMALL=10000

# use_database NAME: from now on this one of the instance's databases is meant. It is made when it is not there.
use_database() {
    if [[ $(private_psql --quiet --tuples-only --no-align --command "SELECT count(*) FROM pg_database WHERE datname = '$1'") == 0 ]]; then
        private_psql --quiet --command "CREATE DATABASE $1" >/dev/null
    fi
    POSTGRES_DATABASE=$1
    DATABASE_URL=$(postgres_url)
    export DATABASE_URL
}

# write_list_cases PART: the facets are to be counted of this many items.
write_list_cases() {
    local list
    step "Asking plain SQL what the answers are"
    private_psql --quiet --set ON_ERROR_STOP=1 --set "small_part=$1" --file "$ROOT/scripts/bench/lists.sql" >/dev/null
    for list in "${LISTS[@]}"; do
        write_sampled_cases "$list"
        (($(wc -l <"$WORK/$list.cases") >= 5)) || die "the catalogue has too few cases of '$list'"
    done
    write_plain_filtered
    write_plain_facets
}

# Quoted in the database, for pgbench puts texts into statements as they are.
pick() { printf '\\set place random(1, %d)\nSELECT %s FROM bench.%s WHERE n = :place \\gset\n' "$(wc -l <"$WORK/$1.cases")" "$2" "$1"; }

write_plain_filtered() {
    {
        pick filtered "quote_literal(path) AS path, quote_literal(jsonb_build_object('colour', colour)) AS colour, low, high"
        echo "SELECT i.*, p.* FROM item i LEFT JOIN item_image p ON p.id = i.primary_image_id
            WHERE i.category_id IN (SELECT id FROM category WHERE path <@ :path::ltree) AND i.attributes @> :colour
              AND i.price_amount BETWEEN :low AND :high AND i.archived_at IS NULL ORDER BY i.price_amount, i.id LIMIT 21;" | tr -s ' \n' ' '
    } >"$WORK/filtered.plain"
}

# A statement a facet.
write_plain_facets() {
    local value
    {
        pick facets "quote_literal(path) AS path, quote_literal(colours::text) AS colours"
        for value in "i.attributes->>'material'" "i.attributes->>'brand'" "i.attributes->>'warranty_months'" \
            "width_bucket(i.price_amount, 0, 2000000000, 20)" "i.attributes->>'colour'"; do
            printf 'SELECT %s, count(*) FROM item i WHERE i.archived_at IS NULL ' "$value"
            [[ $value == *colour* ]] || printf "AND i.attributes->>'colour' = ANY (:colours::text[]) "
            printf 'AND i.category_id IN (SELECT id FROM category WHERE path <@ :path::ltree) GROUP BY 1 ORDER BY 2 DESC LIMIT 20;\n'
        done
    } >"$WORK/facets.plain"
}

# plain_rate LIST: sets PGBENCH_RATE.
plain_rate() {
    local output
    output=$(PGPASSFILE=$INSTANCE_DIR/pgpass PGOPTIONS='-c jit=off -c random_page_cost=1.1' "$PG_BIN/pgbench" --host 127.0.0.1 \
        --port "$(recall postgres-port)" --username goldshop --no-vacuum --protocol simple --client 1 --time "$SECONDS_PER_ROUND" \
        --file "$WORK/$1.plain" "$POSTGRES_DATABASE" 2>&1 9>&-) || die "pgbench failed: $output"
    grep --quiet '^number of failed transactions: 0 ' <<<"$output" || die "pgbench failed: $output"
    PGBENCH_RATE=$(sed -n 's/^tps = \([0-9.]*\) .*/\1/p' <<<"$output")
}

# measure_list NAME TITLE TARGET: as measure_row. Sets P50 and P95.
measure_list() {
    local round rounds=()
    step "$2"
    run_load "$1" 1 "$CHECKED" check
    for ((round = 0; round < ROUNDS; round++)); do
        run_load "$1" 1 "$SECONDS_PER_ROUND"
        PGBENCH_RATE=
        if [[ -f $WORK/$1.plain ]]; then plain_rate "$1"; fi
        rounds+=("$(describe_list_round)")
    done
    run_load "$1" 1 "$CHECKED" check
    read -r P95 RATE P50 P99 PGBENCH_RATE RATIO < <(printf '%s\n' "${rounds[@]}" | middle)
    report_row "$2" 1 "$RATE" "$P50" "$P95" "$P99" "$(resident "$API")" "${PGBENCH_RATE:-}" "${RATIO:-}" "$3" "$(verdict "$3")"
}

# p95, requests a second, p50, p99, and where there is plain SQL its rate and the ratio.
describe_list_round() {
    local requests seconds p50 p95 p99
    read -r requests seconds p50 p95 p99 <<<"$LOADED"
    awk -v rate="$(calculate "$requests / $seconds")" -v p50="$p50" -v p95="$p95" -v p99="$p99" -v plain="$PGBENCH_RATE" \
        'BEGIN { printf "%s %s %s %s", p95, rate, p50, p99; if (plain != "") printf " %s %.2f", plain, rate / plain; print "" }'
}

# The statements of one request, each with its plan.
explain_lists() {
    local list
    step "Capturing the statements of lists"
    set_logging all
    for list in filtered facets; do
        capture "$list" 1
        # The look at what is expected is a plan already.
        sed -i '/^EXPLAIN/d' "$WORK/$list.statements"
        explain "$list"
    done
    set_logging none
}

# measure_lists SIZE: SIZE is for the titles. Sets FILTERED_P50.
measure_lists() {
    measure_list filtered "20 of a subtree, with a colour and within prices, by price ($1 items)" p95:60
    FILTERED_P50=$P50
    measure_list typo "20 found by two words, one mistyped ($1 items)" p95:120
    measure_list facets "5 facets of a subtree with some colours, a twentieth of the items ($1 items)" p95:150
}

# On the catalogue, and then on the small one, whose api is another.
measure_catalogue_lists() {
    local large
    step "Vacuuming, as autovacuum would in a while"
    sql 'VACUUM ANALYZE item'
    write_list_cases "$((ITEMS / 20))"
    explain_lists
    measure_lists "$ITEMS"
    large=$FILTERED_P50
    open_database goldshop_small "$SMALL"
    write_list_cases "$((SMALL / 20))"
    measure_lists "$SMALL"
    report_line "a filtered page: its median of $ITEMS items to that of $SMALL" "$(awk "BEGIN { printf \"%.3f\", $large / $FILTERED_P50 }")" \
        "≤ 3" "$(compare "$large <= 3 * $FILTERED_P50")"
}

# open_database NAME ITEMS: a shop of its own, with an api on it.
open_database() {
    stop_api
    use_database "$1"
    migrate
    if (($(generated_items) < $2)); then
        load_demo --items "$2"
        sql 'VACUUM ANALYZE'
    fi
    start_api
    make_token
    sample
}
