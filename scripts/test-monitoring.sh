#!/usr/bin/env bash
# `make test-monitoring`: the shipped configuration of Prometheus and Grafana against a real Prometheus and the real programs. First what
# is in the files: rules, when each alert is raised and when not, headings of the runbook, names. Then a Prometheus asks api and worker.
#
#   scripts/test-monitoring.sh --files    only what is in the files: neither programs nor services are started
#   BIN_DIR                               use the programs in this directory, build nothing
#
# Everything is private to this checkout (the instance `test`) and gone afterwards. Prometheus is installed when missing.
set -euo pipefail
case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/checks.sh
source "$ROOT/scripts/lib/checks.sh"

PIDS=()
SCRATCH=

stop_everything() {
    local status=$? pid
    trap '' INT TERM HUP
    set +e
    stop_group
    for pid in "${PIDS[@]}"; do stop_program "$pid"; done
    if ((${#PIDS[@]} > 0)); then stop_services; fi
    if ((status != 0)); then say "logs are in $SCRATCH"; else rm -rf "$SCRATCH"; fi
    exit "$status"
}

# --- files -----------------------------------------------------------------------------------------------------------

# The anchors of a page's headings, as its readers' browsers make them.
anchors() { sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed -e 's/[^a-z0-9 _-]//g' -e 's/ /-/g'; }

alerts_lead_to_headings() {
    local page anchor count=0
    while IFS='#' read -r page anchor; do
        [[ -f $page ]] || wrong "there is no $page" || return
        [[ $'\n'$(anchors "$page")$'\n' == *$'\n'"$anchor"$'\n'* ]] || wrong "$page has no heading #$anchor" || return
        count=$((count + 1))
    done < <(sed -n 's/^ *runbook: *//p' monitoring/rules/*.yml)
    ((count == $(grep --count -h ' - alert:' monitoring/rules/goldshop.yml))) || wrong "not every alert leads to the runbook"
}

# Each alert is raised in one test at least, and silent in another.
alerts_are_tried() {
    local name
    while read -r name; do
        grep --quiet "alertname: $name, exp_alerts: \[\]" monitoring/tests/goldshop.yml || wrong "nobody tries when $name is silent" || return
        grep --quiet --line-regexp " *alertname: $name" monitoring/tests/goldshop.yml || wrong "nobody tries when $name is raised" || return
    done < <(sed -n 's/^ *- alert: *//p' monitoring/rules/goldshop.yml)
}

# Whatever rules and the dashboard ask for is something that the programs tell of.
names_are_told_of() {
    local name
    while read -r name; do
        grep --quiet --recursive --fixed-strings "\"$name\"" --include='*.rs' api/src worker/src platform/src || wrong "no program tells of $name" || return
    done < <(grep --only-matching --no-filename --extended-regexp '\b(goldshop|process)_[a-z_]+[a-z]' monitoring/rules/*.yml monitoring/grafana/dashboards/*.json |
        sed -E 's/_(bucket|sum|count)$//' | sort --unique)
}

dashboard_is_json() { python3 -m json.tool monitoring/grafana/dashboards/goldshop.json /dev/null; }

check_files() {
    step "Looking at the files"
    check "prometheus.yml and its rules" promtool check config monitoring/prometheus.yml
    check "rules: when they are raised, and when not" promtool test rules monitoring/tests/goldshop.yml
    check "rules: each is tried both ways" alerts_are_tried
    check "rules: each leads to a heading of the runbook" alerts_lead_to_headings
    check "rules and dashboard: names" names_are_told_of
    check "dashboard: JSON" dashboard_is_json
}

# --- a Prometheus that asks ------------------------------------------------------------------------------------------

start_programs() {
    build_programs
    step "Starting PostgreSQL, Redis, api and worker"
    start_services
    set_surroundings
    migrate
    claim_port metrics-api-port
    claim_port metrics-worker-port
    claim_port prometheus-port
    choose_address
    GOLDSHOP_METRICS__API_ADDRESS=127.0.0.1:$(recall metrics-api-port)
    GOLDSHOP_METRICS__WORKER_ADDRESS=127.0.0.1:$(recall metrics-worker-port)
    export GOLDSHOP_METRICS__API_ADDRESS GOLDSHOP_METRICS__WORKER_ADDRESS
    start_program api
    PIDS+=($!)
    start_program worker
    PIDS+=($!)
    wait_until 30 tells api || die "the api tells of nothing: $INSTANCE_DIR/log/api.log"
    wait_until 30 tells worker || die "the worker tells of nothing: $INSTANCE_DIR/log/worker.log"
}

told_by() { curl --silent --fail --max-time 10 "http://127.0.0.1:$(recall "metrics-$1-port")/metrics"; }
tells() { told_by "$1" >/dev/null; }

# The shipped configuration, where only names that lead to containers are addresses of this machine.
start_prometheus() {
    cp -R monitoring/rules "$SCRATCH/rules"
    sed -E -e "s|dns_sd_configs: \[\{names: \[backend\].*|static_configs: [{targets: ['127.0.0.1:$(recall metrics-api-port)']}]|" \
        -e "s|dns_sd_configs: \[\{names: \[worker\].*|static_configs: [{targets: ['127.0.0.1:$(recall metrics-worker-port)']}]|" \
        -e "s|localhost:9090|127.0.0.1:$(recall prometheus-port)|" -e 's/^( *(scrape|evaluation)_interval): 15s/\1: 1s/' \
        -e 's/^( *scrape_timeout): 10s/\1: 1s/' monitoring/prometheus.yml >"$SCRATCH/prometheus.yml"
    setpriv --pdeathsig TERM setsid prometheus --config.file="$SCRATCH/prometheus.yml" --storage.tsdb.path="$SCRATCH/data" \
        --web.listen-address="127.0.0.1:$(recall prometheus-port)" >"$SCRATCH/prometheus.log" 2>&1 </dev/null 9>&- &
    PIDS+=($!)
    wait_until 20 prometheus_ready || die "Prometheus does not start: $SCRATCH/prometheus.log"
}

prometheus_ready() { curl --silent --fail --output /dev/null "http://127.0.0.1:$(recall prometheus-port)/-/ready"; }

# number QUERY: the first value that Prometheus has for it.
number() {
    curl --silent --fail --get --data-urlencode "query=$1" "http://127.0.0.1:$(recall prometheus-port)/api/v1/query" |
        python3 -c 'import json, sys; found = json.load(sys.stdin)["data"]["result"]; print(found[0]["value"][1] if found else "nothing")'
}

is_number() { [[ $(number "$1") == "$2" ]]; }
comes_to() { wait_until 20 is_number "$1" "$2" || wrong "$1 is $(number "$1"), not $2"; }

# What Prometheus' own people object to in names and texts. Nothing is said of counts that no one has asked for yet.
is_good_style() {
    local said
    said=$(told_by "$1" | promtool check metrics 2>&1) || wrong "$said"
}

outside_is_refused() {
    local status
    status=$(curl --silent --output /dev/null --write-out '%{http_code}' --interface 127.0.0.1 --header 'X-Forwarded-For: 203.0.113.7' \
        "http://$(local_address)/api/metrics")
    [[ $status == 200 ]] || wrong "this machine gets $status" || return
    status=$(GOLDSHOP_METRICS__NETWORKS=203.0.113.0/24 refused_status)
    [[ $status == 403 ]] || wrong "an api that trusts others answers $status"
}

# Another api for a moment, with the networks that it is given.
refused_status() {
    local pid
    claim_port http-other-port
    GOLDSHOP_METRICS__API_ADDRESS='' GOLDSHOP_HTTP__ADDRESS=127.0.0.1:$(recall http-other-port) setpriv --pdeathsig TERM "$BIN_DIR/api" \
        >"$SCRATCH/other.log" 2>&1 </dev/null 9>&- &
    pid=$!
    wait_until 20 port_in_use "$(recall http-other-port)" || true
    curl --silent --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$(recall http-other-port)/api/metrics"
    stop_program "$pid"
}

check_programs() {
    step "Asking"
    check "api: promtool has no objection" is_good_style api
    check "worker: promtool has no objection" is_good_style worker
    check "api: /api/metrics is for this machine" outside_is_refused
    start_prometheus
    check "Prometheus: both are there" comes_to 'count(up{job=~"goldshop-.*"} == 1)' 2
    check "Prometheus: each says what it is" comes_to 'count(count by (program) (goldshop_build_info))' 2
    check "Prometheus: the worker is at work" comes_to 'max(goldshop_workers_alive)' 1
    check "Prometheus: everything can be seen" comes_to 'min(goldshop_source_up)' 1
    check "Prometheus: requests are counted" comes_to 'count(goldshop_http_requests_total{route="/api/metrics", status="2xx"}) > bool 0' 1
    check "Prometheus: nothing is wrong" comes_to 'count(ALERTS) or vector(0)' 0
}

main() {
    SCRATCH=$(mktemp -d)
    trap stop_everything EXIT
    trap 'exit 130' INT TERM HUP
    ensure_command promtool prometheus
    ensure_command python3 python3
    check_files
    if [[ ${1-} != --files ]]; then
        ensure_command curl curl
        use_instance test
        hold_lock "make test-monitoring"
        start_programs
        check_programs
    fi
    step "$PASSED passed, $FAILED failed, after $SECONDS s"
    ((FAILED == 0))
}

main "$@"
