#!/usr/bin/env bash
# Looks at a goldshop from outside: does everything that stands in front of it keep its promises?
#
#   scripts/test-infrastructure.sh [OPTION...] [URL]    URL is https://localhost unless one is given
#
#   --insecure       the certificate is self-signed: do not ask who made it
#   --http URL       where plain HTTP is, if it is not the same host's port 80
#   --from ADDRESS   ask from this address of ours; the machine itself may see more than others
#   --limits         trip the rate limits, too, and wait until they forget: ten seconds (logins
#                    take two minutes). Not for a busy shop
#   --containers     look at the containers on this machine, too
#
# It prints passed or failed for each check, and ends with 0 when all have passed, with 1 when not, with 2 when it is
# called in a wrong way. It changes nothing, and needs curl and openssl.
set -euo pipefail

BASE=https://localhost HTTP='' LIMITS=0 CONTAINERS=0
CURL=(curl --silent --show-error --max-time 10)
PASSED=0 FAILED=0
SCRATCH=

readonly QUERY='{"query":"{ __typename }"}'

# The headers of every answer, in the seed's words (Content-Security-Policy is looked at by itself).
readonly HEADERS=(
    'x-frame-options: SAMEORIGIN'
    'x-content-type-options: nosniff'
    'x-xss-protection: 1; mode=block'
    'strict-transport-security: max-age=31536000; includeSubDomains'
    'referrer-policy: strict-origin-when-cross-origin'
)

# verdict NAME COMMAND...: what the command says about its failure is shown.
verdict() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        PASSED=$((PASSED + 1))
        printf 'passed  %s\n' "$name"
    else
        FAILED=$((FAILED + 1))
        printf 'failed  %s%s\n' "$name" "${said:+: ${said//$'\n'/; }}"
    fi
}

wrong() {
    printf '%s\n' "$*"
    return 1
}

# ask PATH [OPTION...]: the status; headers (in lower case names) and body are left in files.
ask() {
    local path=$1
    shift
    "${CURL[@]}" --output "$SCRATCH/body" --dump-header "$SCRATCH/raw" --write-out '%{http_code}' "$@" "$BASE$path" || return 1
    tr -d '\r' <"$SCRATCH/raw" | sed 's/^\([A-Za-z-]*\):/\L\1:/' >"$SCRATCH/headers"
}

header() { sed -n "s/^$1: *//p" "$SCRATCH/headers"; }

expect() {
    local status
    status=$(ask "${@:2}") || wrong "no answer: $status" || return
    [[ $status =~ ^($1)$ ]] || wrong "status $status, not $1"
}

healthy() {
    expect 200 "$1" || return
    grep --quiet "\"status\":\"$2\"" "$SCRATCH/body" || wrong "it says $(head -c 200 "$SCRATCH/body")"
}

# headers_of STATUS PATH [OPTION...]: each header once, and a policy under which no script may stand in a page.
headers_of() {
    local line policy
    expect "$@" || return
    for line in "${HEADERS[@]}"; do
        [[ $(grep --count --fixed-strings --line-regexp "$line" "$SCRATCH/headers") == 1 ]] || wrong "no (or not one) $line" || return
        [[ $(grep --count "^${line%%:*}:" "$SCRATCH/headers") == 1 ]] || wrong "${line%%:*} is there twice" || return
    done
    policy=$(header content-security-policy)
    [[ -n $policy && $policy != *$'\n'* ]] || wrong "not one Content-Security-Policy" || return
    [[ $policy == *"default-src 'none'"* || $policy == *"default-src 'self'"* ]] || wrong "the policy begins with nothing" || return
    ! grep --quiet "script-src[^;]*unsafe\|default-src[^;]*unsafe" <<<"$policy" || wrong "scripts may be unsafe: $policy" || return
    [[ $(header x-request-id) =~ ^[A-Za-z0-9._:-]+$ ]] || wrong "no X-Request-Id" || return
    [[ $(header server) =~ ^(nginx)?$ ]] || wrong "it tells its version: $(header server)"
}

redirects() {
    local location
    location=$("${CURL[@]}" --output "$SCRATCH/body" --write-out '%{http_code} %{redirect_url}' "$HTTP/some/page?a=b") || return
    [[ $location == "301 $BASE/some/page?a=b" ]] || wrong "$location"
}

answers_json() {
    expect 200 /api/graphql --header 'Content-Type: application/json' --data "$QUERY" || return
    grep --quiet '"__typename"' "$SCRATCH/body" || wrong "$(head -c 200 "$SCRATCH/body")"
}

keeps_request_id() {
    expect 404 /api/nothing --header 'X-Request-Id: looked-at.from:outside_1' || return
    [[ $(header x-request-id) == looked-at.from:outside_1 ]] || wrong "X-Request-Id is $(header x-request-id)" || return
    expect 404 /api/nothing --header 'X-Request-Id: not an "id"' || return
    [[ $(header x-request-id) =~ ^[A-Za-z0-9._:-]+$ ]] || wrong "X-Request-Id is $(header x-request-id)"
}

refuses_large() {
    expect 413 /api/graphql --header 'Content-Type: application/json' --header 'Content-Length: 99999999999' --header 'Expect:' --data x || return
    grep --quiet '"errors"' "$SCRATCH/body" || wrong "it is not in JSON"
}

compresses() {
    expect 200 /api/playground/assets/graphiql-4.1.2.min.css --header "Accept-Encoding: $1" || return
    [[ $(header content-encoding) == "$1" ]] || wrong "content-encoding: $(header content-encoding)"
}

upgrades() {
    local status
    status=$("${CURL[@]}" --http1.1 --max-time 2 --output /dev/null --write-out '%{http_code}' --header 'Connection: Upgrade' \
        --header 'Upgrade: websocket' --header 'Sec-WebSocket-Version: 13' --header 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' \
        --header 'Sec-WebSocket-Protocol: graphql-transport-ws' "$BASE/api/graphql" 2>/dev/null || true)
    [[ $status == 101 ]] || wrong "status $status"
}

# authority: host:port of BASE.
authority() {
    local authority=${BASE#https://}
    authority=${authority%%/*}
    [[ $authority =~ :[0-9]+$ ]] || authority+=:443
    printf '%s' "$authority"
}

# handshake OPTION...: what openssl says about it. The level of security is lowered on our side, so that the server is who refuses.
handshake() { openssl s_client -connect "$(authority)" -cipher 'ALL:@SECLEVEL=0' "$@" </dev/null 2>&1; }

speaks() { handshake "-$1" | grep --quiet "Protocol *: $2\|New, $2" || wrong "no $2"; }
silent() { ! handshake "-$1" | grep --quiet 'Cipher is [A-Z0-9]' || wrong "$1 is spoken"; }
refuses_ciphers() {
    openssl ciphers "$1:@SECLEVEL=0" >/dev/null || wrong "openssl itself does not know $1" || return
    ! handshake -tls1_2 -cipher "$1:@SECLEVEL=0" | grep --quiet 'Cipher is [A-Z0-9]' || wrong "$1 is taken"
}

trusted() { "${CURL[@]}" --output /dev/null "$BASE/api/health/liveness"; }

# flood COUNT PATH [OPTION...]: the statuses of that many requests, as quickly as they can be made, each with Retry-After.
flood() {
    "${CURL[@]}" --parallel --parallel-max 15 --output /dev/null --write-out '%{http_code} %header{retry-after}\n' "${@:3}" \
        "$BASE$2?[1-$1]" 2>/dev/null
}

trips() {
    local statuses
    statuses=$(flood "$@")
    grep --quiet '^429 [1-9]' <<<"$statuses" || wrong "of $1 none was refused with 429 and Retry-After: $(sort <<<"$statuses" | uniq -c | tr -s '\n ' ' ')"
}

# After a flood of what could log somebody in, which is forgotten in minutes.
throttled() {
    headers_of 429 /api/graphql --header 'Content-Type: application/json' --data "$QUERY" || return
    [[ $(header retry-after) =~ ^[1-9][0-9]*$ ]] || wrong "no Retry-After" || return
    grep --quiet '"code":"THROTTLED"' "$SCRATCH/body" || wrong "$(head -c 200 "$SCRATCH/body")"
}

# As a browser opens a page with pictures: 40 requests at once, over few connections.
page_load() {
    local statuses
    statuses=$("${CURL[@]}" --parallel --parallel-max 6 --output /dev/null --write-out '%{http_code}\n' "$BASE/robots.txt?[1-40]" 2>/dev/null | sort | uniq -c | tr -s ' \n' ' ')
    [[ $statuses == ' 40 200 ' ]] || wrong "statuses:$statuses"
}

# Running and healthy; or over and done with, for one that does its work and ends.
container_is_well() {
    local state
    state=$(docker inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.HostConfig.RestartPolicy.Name}} {{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}' "$1") || return
    [[ $state == 'running 0 '*' healthy' || $state =~ ^exited\ 0\ (no)?\  ]] || wrong "$state"
}

check_health() {
    verdict "health: basic" healthy /api/health healthy
    verdict "health: detailed" healthy /api/health/detailed healthy
    verdict "health: readiness" healthy /api/health/readiness ready
    verdict "health: liveness" healthy /api/health/liveness alive
}

check_tls() {
    verdict "tls: 1.2 is spoken" speaks tls1_2 TLSv1.2
    verdict "tls: 1.3 is spoken" speaks tls1_3 TLSv1.3
    verdict "tls: 1.1 is not" silent tls1_1
    verdict "tls: 1.0 is not" silent tls1
    verdict "tls: nothing without forward secrecy" refuses_ciphers 'kRSA'
    verdict "tls: nothing without authenticated encryption" refuses_ciphers 'AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA384'
    verdict "tls: no anonymous, empty or broken ciphers" refuses_ciphers 'aNULL:eNULL:3DES:RC4:DES:MD5'
    if [[ " ${CURL[*]} " != *' --insecure '* ]]; then verdict "tls: the certificate is trusted" trusted; fi
    verdict "http: leads to https" redirects
}

check_headers() {
    verdict "headers: page" headers_of 200 /
    verdict "headers: static file" headers_of 200 /robots.txt
    verdict "headers: a page that is not there" headers_of 404 /nothing
    verdict "headers: a method that is not allowed" headers_of 405 / --request DELETE
    verdict "headers: api" headers_of 200 /api/health
    verdict "headers: playground" headers_of 200 /api/graphql --header 'Accept: text/html'
    verdict "headers: api, not found" headers_of 404 /api/nothing
    verdict "headers: api, bad request" headers_of 400 /api/graphql
    verdict "headers: api, too large" headers_of 413 /api/graphql --header 'Content-Type: application/json' --header 'Content-Length: 99999999999' --header 'Expect:' --data x
    verdict "headers: picture that is not there" headers_of 404 /media/code/nothing.svg
    verdict "headers: what nobody may see" headers_of 404 /.env
}

check_api() {
    verdict "api: answers in JSON" answers_json
    verdict "api: keeps a request id, and makes one" keeps_request_id
    verdict "api: too large is said in JSON" refuses_large
    verdict "api: brotli" compresses br
    verdict "api: gzip" compresses gzip
    verdict "api: WebSocket" upgrades
}

check_access() {
    local path
    for path in /.env /.git/config /.git/HEAD /.htaccess /.hidden/file /%2e%65nv /static/.env.production /backup.sql /shop.sql.gz /index.html~ \
        /index.html.bak /docker-compose.yml /secrets/db_password.txt /config.toml /dump.rdb /privkey.pem /api/.env /media/../.env; do
        verdict "blocked: $path" expect '403|404' "$path" --path-as-is
    done
    verdict "internal: /api/metrics" expect 403 /api/metrics
    verdict "internal: /nginx_status" expect 403 /nginx_status
    verdict "internal: /api//metrics" expect 403 /api//metrics
    verdict "internal: an address that is made up" expect 403 /nginx_status --header 'X-Forwarded-For: 127.0.0.1' --header 'X-Real-IP: 127.0.0.1'
}

check_limits() {
    verdict "limits: a page with pictures trips none" page_load
    verdict "limits: authentication" trips 25 /api/graphql --header 'Content-Type: application/json' --data "$QUERY"
    verdict "limits: said in JSON, with all headers" throttled
    verdict "limits: api" trips 120 /api/nothing
    verdict "limits: general" trips 400 /robots.txt
    # Until what came too fast is forgotten; logins take two minutes.
    sleep 6
}

check_containers() {
    local name
    for name in $(docker ps --all --filter name=goldshop_ --format '{{.Names}}' | sort); do
        verdict "container: $name" container_is_well "$name"
    done
}

read_arguments() {
    while (($# > 0)); do
        case $1 in
        -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;;
        --insecure) CURL+=(--insecure) ;;
        --http) HTTP=$2 && shift ;;
        --from) CURL+=(--interface "$2") && shift ;;
        --limits) LIMITS=1 ;;
        --containers) CONTAINERS=1 ;;
        https://*) BASE=${1%/} ;;
        *) printf 'usage: %s [OPTION...] [https://HOST[:PORT]] (see --help)\n' "$0" >&2 && exit 2 ;;
        esac
        shift
    done
    HTTP=${HTTP:-http://$(authority | sed 's/:[0-9]*$//')}
}

main() {
    read_arguments "$@"
    SCRATCH=$(mktemp -d)
    trap 'rm -rf "$SCRATCH"' EXIT
    check_health
    check_tls
    check_headers
    check_api
    check_access
    if ((LIMITS)); then check_limits; fi
    if ((CONTAINERS)); then check_containers; fi
    printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
    ((FAILED == 0))
}

main "$@"
