# shellcheck shell=bash
# nginx as it is shipped, with TLS and kept connections, in front of two api: an item by its id through it and straight to an api, in turns. And how
# long an api takes from its start until it is ready. The load tool, nginx, both api, PostgreSQL and Redis share the machine's cores: on two of them
# nginx takes from the api what it needs itself, which it does not do on a machine of its own.
#
# The configuration is rendered as scripts/test-nginx.sh does. Of its limits, those of one address are raised by the settings that are there for
# it: the whole load comes from one.

readonly FRONT_RATE=1000000r/s FRONT_STARTS=5

API_2=

front_dir() { printf '%s/nginx' "$DATA_DIR"; }
front() { nginx -c "$(front_dir)/nginx.conf" "$@" 9>&-; }
front_running() { [[ -s $(front_dir)/nginx.pid ]]; }
front_gone() { ! front_running; }

render_front() {
    NGINX_BACKENDS="$(local_address) 127.0.0.1:$(recall api-2-port)" NGINX_HTTP=127.0.0.1:$(recall front-http-port) \
        NGINX_HTTPS=127.0.0.1:$(recall front-https-port) NGINX_CERTIFICATE=$(front_dir)/tls/fullchain.pem \
        NGINX_CERTIFICATE_KEY=$(front_dir)/tls/privkey.pem NGINX_WWW=$(front_dir)/www NGINX_ACME=$(front_dir)/acme NGINX_RUN=$(front_dir) \
        NGINX_ACCESS_LOG=$(front_dir)/access.log NGINX_ERROR_LOG=$(front_dir)/error.log NGINX_USER=$(service_user) \
        NGINX_API_RATE=$FRONT_RATE NGINX_AUTH_RATE=$FRONT_RATE NGINX_GENERAL_RATE=$FRONT_RATE "$ROOT/nginx/render.sh" "$(front_dir)"
}

front_answers() { [[ $(curl --silent --insecure --max-time 5 --output /dev/null --write-out '%{http_code}' "$FRONT/api/health/readiness") == 200 ]]; }

start_front() {
    PATH=$PATH:/usr/sbin:/sbin
    ensure_command nginx nginx libnginx-mod-http-brotli-filter libnginx-mod-http-brotli-static
    ensure_command openssl openssl
    claim_port front-http-port
    claim_port front-https-port
    FRONT=https://localhost:$(recall front-https-port)
    rm -rf "$(front_dir)"
    mkdir -p "$(front_dir)/acme"
    cp -R "$ROOT/nginx/www" "$(front_dir)/www"
    TLS_DIR=$(front_dir)/tls "$ROOT/scripts/generate-ssl.sh" localhost 127.0.0.1 >/dev/null
    if ((EUID == 0)); then chown -R "$(service_user):" "$(front_dir)"; fi
    render_front
    front 2>"$WORK/nginx.log" || die_with_log "nginx does not start" "$WORK/nginx.log"
    poll front_answers
}

stop_front() {
    stop_program "$API_2" && API_2=
    [[ -n ${DATA_DIR-} ]] && front_running || return 0
    front -s stop 2>/dev/null
    wait_until 10 front_gone
    rm -rf "$(front_dir)"
}

# The second api, as the first one but for its address and its log.
start_second_api() {
    local address
    claim_port api-2-port
    address=127.0.0.1:$(recall api-2-port)
    GOLDSHOP_HTTP__ADDRESS=$address setpriv --pdeathsig TERM setsid "$BIN_DIR/api" >"$INSTANCE_DIR/log/api-2.log" 2>&1 </dev/null 9>&- &
    API_2=$!
    GOLDSHOP_HTTP__ADDRESS=$address poll api_ready
}

# Each start is on a database that has had all migrations; before and after nobody else is at work.
measure_starts() {
    local number
    step "Starting an api $FRONT_STARTS times"
    for ((number = 0; number < FRONT_STARTS; number++)); do
        stop_api
        start_api
        printf '%s\n' "$API_READY_MS"
    done >"$WORK/starts"
    report_limit "api: start to ready on a migrated database, the slowest of $FRONT_STARTS" "$(largest <"$WORK/starts")" ms 3000
}

# front_load CONNECTIONS SECONDS [check]: the same load as a direct one, through nginx.
front_load() { URL=$FRONT/api/graphql run_load item "$@"; }

# describe_front CONNECTIONS: one round of either. Prints the ratio of the rates, what nginx adds to the p50, and then of each its requests, seconds, p50,
# p95 and p99, without rounding.
describe_front() {
    local direct through
    run_load item "$1" "$SECONDS_PER_ROUND"
    direct=$LOADED
    front_load "$1" "$SECONDS_PER_ROUND"
    through=$LOADED
    awk -v direct="$direct" -v through="$through" 'BEGIN {
        split(direct, d); split(through, t)
        printf "%.6f %.6f %s %s\n", (t[1] / t[2]) / (d[1] / d[2]), t[3] - d[3], direct, through
    }'
}

# front_rounds CONNECTIONS: every answer of both ways is read before and after, as in every row.
front_rounds() {
    local round
    : >"$WORK/front-$1"
    run_load item "$1" "$CHECKED" check
    front_load "$1" "$CHECKED" check
    for ((round = 0; round < ROUNDS; round++)); do describe_front "$1" >>"$WORK/front-$1"; done
    front_load "$1" "$CHECKED" check
    run_load item "$1" "$CHECKED" check
}

# report_way TITLE REQUESTS SECONDS P50 P95 P99
report_way() { report_fact "$1" "$(awk "BEGIN { printf \"%.1f/s, p50 %s ms, p95 %s, p99 %s\", $2 / $3, $4, $5, $6 }")" ms; }

measure_front_crowd() {
    local ratio added direct through
    step "An item by its id through nginx, 16 connections"
    front_rounds 16
    read -r ratio added direct < <(middle <"$WORK/front-16")
    read -ra through <<<"$direct"
    report_way "item by id, 16 connections, straight to an api" "${through[@]:0:5}"
    report_way "item by id, 16 connections, through nginx with TLS to two api" "${through[@]:5:5}"
    report_fact "what that adds to the p50 then" "$(awk "BEGIN { printf \"%.2f\", $added }")" ms
    report_line "rate through nginx to that straight to an api, middle of $ROUNDS" "$(awk "BEGIN { printf \"%.3f\", $ratio }")" "≥ 0.6" "$(compare "$ratio >= 0.6")"
}

measure_front_alone() {
    local added
    step "An item by its id through nginx, 1 connection"
    front_rounds 1
    added=$(awk '{ print $2 }' "$WORK/front-1" | middle)
    report_line "what nginx adds to the p50 of one connection, middle of $ROUNDS" "$(awk "BEGIN { printf \"%.2f\", $added }") ms" "< 1 ms" "$(compare "$added < 1")"
}

measure_front() {
    stop_worker
    stop_api
    use_database goldshop
    prepare_shop
    make_token
    sample
    write_sampled_cases item
    stop_worker
    report_begin_singles "nginx as it is shipped, with TLS and kept connections, in front of two api; $(sql 'SELECT count(*) FROM item') items. The load tool, nginx, both api and PostgreSQL share $(nproc) cores: of what nginx takes here, a machine of its own would take nothing from the api. Limits of one address are raised."
    export GOLDSHOP_HTTP__TRUSTED_PROXY_HOPS=1
    measure_starts
    start_second_api
    start_front
    measure_front_crowd
    measure_front_alone
    stop_front
    unset GOLDSHOP_HTTP__TRUSTED_PROXY_HOPS
    report_end
}
