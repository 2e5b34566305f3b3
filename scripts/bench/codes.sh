# shellcheck shell=bash
# How many QR codes one core makes in a second, in a release build. Nothing else takes part: no database, no network.

readonly CODES_RATE=2000

measure_codes() {
    local rates what rate
    step "Building what makes QR codes"
    cargo build --quiet --release --package platform --example code_rate
    step "Making QR codes on one core"
    rates=$(one_core cargo run --quiet --release --package platform --example code_rate -- "$SECONDS_PER_ROUND")
    report_begin_singles "QR codes of items' addresses, each another one, from text to finished file, on one core."
    while IFS=$'\t' read -r what rate; do
        case $what in
        "QR as SVG" | "QR as PNG") report_at_least "$what" "$rate" "a second" "$CODES_RATE" ;;
        *) report_fact "$what" "$rate" "a second" ;;
        esac
    done <<<"$rates"
    report_end
}

# one_core COMMAND...: on the first core that we may use.
one_core() {
    local cores
    cores=$(taskset --cpu-list --pid $$ | sed 's/.*: //')
    taskset --cpu-list "${cores%%[,-]*}" "$@"
}
