# shellcheck shell=bash
# The tables that `make bench` prints, in Markdown, so that docs/performance.md can take them as they are.

# report_begin WHAT: on what is measured.
report_begin() {
    {
        report_head "$1"
        printf '| row | connections | requests/s | p50 ms | p95 ms | p99 ms | api MB | pgbench/s | ratio | target | |\n'
        printf '|---|--:|--:|--:|--:|--:|--:|--:|--:|---|---|\n'
    } >"$WORK/rows.md"
    report_singles
}

# report_begin_singles WHAT: for numbers that have no row.
report_begin_singles() {
    report_head "$1" >"$WORK/rows.md"
    report_singles
}

report_head() {
    printf '%s, %s, commit %s%s\n\n' "$(date --utc +'%Y-%m-%d %H:%M UTC')" "$(describe_machine)" \
        "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" "$(git diff --quiet HEAD 2>/dev/null || echo ' with changes')"
    printf '%s\n\n' "$1"
}

report_singles() { printf '| what | measured | target | |\n|---|--:|---|---|\n' >"$WORK/singles.md"; }

describe_machine() {
    printf '%s cores (%s), %s GB, Linux %s, %sload before: %s' "$(nproc)" \
        "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
        "$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" "$(uname -r)" "$(describe_services)" "$LOAD_BEFORE"
}

# Nothing when none were started.
describe_services() {
    [[ -n ${PG_BIN-} && -n ${REDIS_SERVER-} ]] || return 0
    printf 'PostgreSQL %s, %s, ' "$("$PG_BIN/postgres" --version | sed 's/.*) \([0-9.]*\).*/\1/')" \
        "$("$REDIS_SERVER" --version | sed 's/ server v=\([0-9.]*\).*/ \1/')"
}

# report_row TITLE CONNECTIONS RATE P50 P95 P99 MB PGBENCH RATIO TARGET VERDICT
report_row() {
    printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "${@:1:9}" \
        "$(describe_target "${10}")" "${11}" | tee -a "$WORK/rows.md" >&2
}

describe_target() {
    case $1 in
    ratio:*) echo "ratio ≥ ${1#*:}" ;;
    rate:*) echo "≥ ${1#*:}/s" ;;
    p50:*) echo "p50 < ${1#*:} ms" ;;
    p95:*) echo "p95 < ${1#*:} ms" ;;
    esac
}

# report_limit WHAT NUMBER UNIT LIMIT: a number that must stay below its limit.
report_limit() { report_line "$1" "$2 $3" "< $4 $3" "$(compare "$2 < $4")"; }

# report_at_least WHAT NUMBER UNIT LEAST: a number that must not stay below what is demanded.
report_at_least() { report_line "$1" "$2 $3" "≥ $4 $3" "$(compare "$2 >= $4")"; }

# report_fact WHAT NUMBER UNIT: a number that nothing was demanded of.
report_fact() { report_line "$1" "$2 $3" "" ""; }

report_line() { printf '| %s | %s | %s | %s |\n' "$@" | tee -a "$WORK/singles.md" >&2; }

report_end() {
    { cat "$WORK/rows.md" && echo && cat "$WORK/singles.md"; } | tee -a "$WORK/report.md"
    say ""
    say "Also in $WORK/report.md; the statements' plans are in $WORK/*.plan"
}
