# shellcheck shell=bash
# How long days take to be made, and to be read: a year of them, of the history that stock.sh has opened. Part of it, or alone as PART=series.

days_are_made() { [[ $(sql 'SELECT k.number = s.last_value FROM stock_series_mark k, stock_movement_number_seq s') == t ]]; }

# As the worker does by itself, but nothing else meanwhile, and from the beginning.
make_days() {
    local started
    step "Making days"
    stop_worker
    sql 'SELECT stock_series_rebuild()' >/dev/null
    sql 'SELECT stock_series_bound()' >/dev/null
    started=$(now_us)
    sql 'DO $$ BEGIN WHILE stock_series_add(20000) LOOP COMMIT; END LOOP; END $$'
    days_are_made || die "days are not made"
    report_fact "adding $(movements) movements to $(sql 'SELECT count(*) FROM stock_flow_day') days of items and places" \
        "$(calculate "($(now_us) - $started) / 1000000")" s
    report_fact "on the disk, of it" "$(sql "SELECT round(sum(pg_total_relation_size(inhrelid)) / 1000000) FROM pg_inherits
        WHERE inhparent IN ('stock_flow_day'::regclass, 'stock_level_day'::regclass)")" MB
    started=$(now_us)
    [[ $(sql 'SELECT count(*) FROM stock_series_differences()') == 0 ]] || die "days are not what movements say"
    report_fact "proving these days (stock_series_differences)" "$(calculate "($(now_us) - $started) / 1000000")" s
    step "Vacuuming, as autovacuum would in a while"
    PGOPTIONS='-c client_min_messages=error' sql 'VACUUM ANALYZE stock_flow_day, stock_level_day, stock_flow_total'
    start_worker
}

measure_series() {
    local row
    make_days
    step "Asking plain SQL what the answers are"
    private_psql --quiet --set ON_ERROR_STOP=1 --file "$ROOT/scripts/bench/stock_series.sql" >/dev/null
    for row in item hot place category all; do write_sampled_cases "stock_series_$row"; done
    measure_list stock_series_item "a year of an item by day" p95:50
    measure_list stock_series_hot "a year of an item with $(hot_movements) movements by day" p95:200
    measure_list stock_series_place "a year of a location by day" p95:200
    measure_list stock_series_category "a year of a category by month" p95:1000
    measure_list stock_series_all "a year of the whole shop by day" p95:500
}

# Alone, with the history of an earlier run or a new one.
measure_series_alone() {
    open_history
    measure_series
}
