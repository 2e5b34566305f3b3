# shellcheck shell=bash
# The api and the worker of a benchmark: starting with a stopwatch, memory, and asking over GraphQL.

API=
WORKER=

# Microseconds since 1970.
now_us() { printf '%s' "${EPOCHREALTIME//[.,]/}"; }

# As operators run it: logs in JSON, secure cookies.
set_bench_surroundings() {
    export ENVIRONMENT=production
    set_surroundings
    choose_address
    URL=http://$(local_address)/api/graphql
    export URL
}

api_ready() { [[ $(http_status /api/health/readiness) == 200 ]]; }

# What the health page says of the worker: healthy or unhealthy.
worker_health() {
    curl --silent --max-time 5 "http://$(local_address)/api/health/detailed" | jq --raw-output '.components.worker.status'
}

worker_ready() { [[ $(worker_health) == healthy ]]; }

# poll COMMAND...: as wait_until, but a hundred times a second.
poll() {
    local deadline=$((SECONDS + 30))
    until "$@"; do
        ((SECONDS < deadline)) || die "waited in vain: $*"
        sleep 0.01
    done
}

# Prints how many milliseconds it took until the program was ready. PID in API.
start_api() {
    local started
    started=$(now_us)
    start_program api
    API=$!
    poll api_ready
    API_READY_MS=$((($(now_us) - started) / 1000))
}

# The api must run: it is who tells that the worker is there.
start_worker() {
    local started
    poll worker_away
    started=$(now_us)
    start_program worker
    WORKER=$!
    poll worker_ready
    WORKER_READY_MS=$((($(now_us) - started) / 1000))
}

worker_away() { ! worker_ready; }

stop_api() { stop_program "$API" && API=; }
stop_worker() { stop_program "$WORKER" && WORKER=; }

# resident PID: its memory in MB, as Linux counts it now.
resident() { awk '/^VmRSS:/ { printf "%d", $2 / 1024 }' "/proc/$1/status"; }

# graphql DOCUMENT VARIABLES [CURL ARGUMENT...]: prints the answer; both arguments as JSON and GraphQL without line breaks.
# The token is in a file of curl's own format, so that no process list shows it.
graphql() {
    local document=$1 variables=$2
    shift 2
    curl --silent --show-error --fail-with-body --max-time 60 --config "$WORK/curl-token" \
        --header 'Content-Type: application/json' "$@" \
        --data-binary "$(jq --null-input --compact-output --arg query "$document" --argjson variables "$variables" \
            '{query: $query, variables: $variables}')" "$URL"
}

# ask DOCUMENT VARIABLES FILTER: the part of a faultless answer that jq's filter chooses.
ask() {
    local answer
    answer=$(graphql "$1" "$2")
    jq --exit-status --raw-output "if has(\"errors\") or ([.data[]? | .userErrors? // [] | .[]] | length > 0)
        then error(tostring) else $3 end" <<<"$answer" || die "unexpected answer: ${answer:0:500}"
}

# Logs in as the demo shop's owner and makes a token that may do what the benchmark does.
make_token() {
    local cookie expires
    : >"$WORK/curl-token"
    chmod 600 "$WORK/curl-token"
    cookie=$(LOGIN=$(recall demo-login) PASSWORD=$(recall demo-password) jq --null-input '{
        query: "mutation($input: LoginInput!) { login(input: $input) { userErrors { code } } }",
        variables: {input: {email: env.LOGIN, password: env.PASSWORD}}}' |
        curl --silent --header 'Content-Type: application/json' --data-binary @- --dump-header - --output /dev/null "$URL" |
        sed -n 's/^[Ss]et-[Cc]ookie: *\([^;]*\);.*/\1/p')
    [[ -n $cookie ]] || die "the demo shop's owner cannot log in"
    printf 'header = "Cookie: %s"\n' "$cookie" >"$WORK/curl-token"
    expires=$(date --utc --date '+1 day' +%Y-%m-%dT%H:%M:%SZ)
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    BENCH_TOKEN=$(ask 'mutation($input: ApiTokenCreateInput!) { apiTokenCreate(input: $input) { secret userErrors { code } } }' \
        "{\"input\": {\"name\": \"benchmark\", \"permissions\": [\"books.manage\", \"books.post\", \"books.read\", \"catalogue.read\", \"catalogue.write\", \"job.manage\", \"job.read\", \"period.close\", \"stock.read\", \"stock.write\"], \"expiresAt\": \"$expires\"}}" \
        '.data.apiTokenCreate.secret')
    export BENCH_TOKEN
    printf 'header = "Authorization: Bearer %s"\n' "$BENCH_TOKEN" >"$WORK/curl-token"
}
