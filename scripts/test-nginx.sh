#!/usr/bin/env bash
# `make test-nginx`: nginx with the configuration that is shipped, in front of two real api, with PostgreSQL and Redis as they
# are shipped. Only ports, paths and addresses are others. It looks from outside by scripts/test-infrastructure.sh, and
# then at what takes more than a look: what arrives behind nginx, streams, uploads, failures and reloads.
#
#   BIN_DIR    use the programs in this directory, build nothing
#
# Everything is private to this checkout (the instance `test`) and gone afterwards. nginx and curl are installed when missing.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/checks.sh
source "$ROOT/scripts/lib/checks.sh"

readonly PASSWORD_COOKIE=__Host-goldshop_session
readonly UPLOAD_LIMIT=8388608
# Whom we are for nginx: not the machine itself, which may see more.
readonly CLIENT=127.0.0.2 PROXY=127.0.0.3

PATH=$PATH:/usr/sbin:/sbin
PIDS=()
declare -A API

stop_everything() {
    local status=$? pid
    trap '' INT TERM HUP
    set +e
    stop_group
    if nginx_running; then front -s stop 2>/dev/null; fi
    for pid in "${PIDS[@]}" "${API[@]}"; do
        kill -CONT "$pid" 2>/dev/null
        kill -TERM "$pid" 2>/dev/null
    done
    for pid in "${PIDS[@]}" "${API[@]}"; do stop_program "$pid"; done
    if ((status != 0)); then say "logs are in $SAID"; else rm -rf "$SAID"; fi
    rm -rf "$DATA_DIR"
    exit "$status"
}

# --- what is started -------------------------------------------------------------------------------------------------

# The shipped files go where the services' user can read them; the checkout may be in root's home.
copy_what_is_shipped() {
    mkdir -p "$DATA_DIR/shipped" "$DATA_DIR/secrets" "$DATA_DIR/front" "$DATA_DIR/media" "$DATA_DIR/backups" "$DATA_DIR/acme/.well-known/acme-challenge"
    cp -R postgres redis "$DATA_DIR/shipped/"
    cp -R nginx/www "$DATA_DIR/www"
    mkdir "$DATA_DIR/www/.git"
    printf 'secret\n' | tee "$DATA_DIR/www/.env" "$DATA_DIR/www/.git/config" "$DATA_DIR/www/backup.sql" >/dev/null
    head -c 20000 /dev/zero | tr '\0' 'a' >"$DATA_DIR/www/app-1a2b3c4d5e.js"
    printf 'challenge' >"$DATA_DIR/acme/.well-known/acme-challenge/token"
    local name
    for name in db_password db_app_password db_readonly_password db_backup_password redis_password; do
        (umask 077 && random_secret 24 >"$DATA_DIR/secrets/$name")
    done
    if ((EUID == 0)); then chown -R "$(service_user):" "$DATA_DIR"; fi
}

secret() { cat "$DATA_DIR/secrets/$1"; }

# start NAME COMMAND...: in the background, as the services' user, with what it says in a log.
start() {
    local log=$SAID/$1.log
    shift
    exec_as_service setpriv --pdeathsig TERM setsid "$@" >"$log" 2>&1 </dev/null &
    PIDS+=($!)
}

start_services_as_shipped() {
    claim_port postgres-port
    claim_port redis-port
    # The test's data is thrown away: nothing needs to reach the disk.
    start postgres env "PGDATA=$DATA_DIR/postgres" "PGSOCKETS=$DATA_DIR/run" "POSTGRES_SECRETS=$DATA_DIR/secrets" "PG_BIN=$PG_BIN" \
        "$DATA_DIR/shipped/postgres/entrypoint.sh" -c "port=$(recall postgres-port)" -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=64MB
    mkdir -p "$DATA_DIR/redis"
    if ((EUID == 0)); then chown "$(service_user):" "$DATA_DIR/redis"; fi
    start redis env "REDIS_PASSWORD_FILE=$DATA_DIR/secrets/redis_password" "REDIS_DATA=$DATA_DIR/redis" "REDIS_ACL=$DATA_DIR/redis/users.acl" \
        "$DATA_DIR/shipped/redis/entrypoint.sh" --bind 127.0.0.1 --port "$(recall redis-port)" --maxmemory 24mb
    wait_until 30 postgres_answers || die_with_log "PostgreSQL does not start" "$SAID/postgres.log"
    wait_until 10 redis_answers || die_with_log "Redis does not start" "$SAID/redis.log"
}

postgres_url_as() { printf 'postgres://%s:%s@127.0.0.1:%s/goldshop' "$1" "$(secret "$2")" "$(recall postgres-port)"; }
postgres_answers() { as_role goldshop_user db_password --command 'SELECT 1' >/dev/null 2>&1; }
redis_as() { REDISCLI_AUTH=$(secret redis_password) redis-cli -p "$(recall redis-port)" --no-auth-warning --user goldshop "$@"; }
redis_answers() { [[ $(redis_as PING 2>/dev/null) == PONG ]]; }

# as_role ROLE PASSWORD [OPTION...]: psql.
as_role() {
    PGPASSWORD=$(secret "$2") "$PG_BIN/psql" --no-psqlrc --quiet --no-align --tuples-only --host 127.0.0.1 --port "$(recall postgres-port)" \
        --username "$1" --dbname goldshop "${@:3}"
}

# The surroundings of a deployment, as far as they fit on one machine.
set_up_programs() {
    export ENVIRONMENT=production LOG_LEVEL=info
    DATABASE_URL=$(postgres_url_as goldshop_app db_app_password)
    REDIS_URL=redis://goldshop:$(secret redis_password)@127.0.0.1:$(recall redis-port)/0
    export DATABASE_URL REDIS_URL
    export GOLDSHOP_HTTP__PUBLIC_URL=$BASE GOLDSHOP_HTTP__TRUSTED_PROXY_HOPS=1 GOLDSHOP_HTTP__UPLOAD_LIMIT_BYTES=$UPLOAD_LIMIT
    export GOLDSHOP_IMPORT__MAX_BYTES=$UPLOAD_LIMIT GOLDSHOP_IMAGE__MAX_BYTES=$UPLOAD_LIMIT
    export GOLDSHOP_BLOB__ROOT=$DATA_DIR/media GOLDSHOP_BACKUP__DIRECTORY=$DATA_DIR/backups GOLDSHOP_BACKUP__PROGRAMS=
    DATABASE_OWNER_URL=$(postgres_url_as goldshop_user db_password) "$BIN_DIR/migration" up 2>"$SAID/migration.log" ||
        die_with_log "the migration failed" "$SAID/migration.log"
    as_role goldshop_user db_password --file postgres/readonly.sql --output /dev/null
}

start_api() {
    GOLDSHOP_HTTP__ADDRESS=127.0.0.1:$(recall "api-$1-port") setpriv --pdeathsig TERM setsid "$BIN_DIR/api" >>"$SAID/api-$1.log" 2>&1 </dev/null 9>&- &
    API[$1]=$!
    # It is killed on purpose, which is nothing to talk about.
    disown
}

api_ready() { curl --silent --fail --output /dev/null "http://127.0.0.1:$(recall "api-$1-port")/api/health/readiness"; }

start_programs() {
    claim_port api-1-port
    claim_port api-2-port
    start_api 1
    start_api 2
    setpriv --pdeathsig TERM setsid "$BIN_DIR/worker" >"$SAID/worker.log" 2>&1 </dev/null 9>&- &
    PIDS+=($!)
    wait_until 30 api_ready 1 || die_with_log "the api does not get ready" "$SAID/api-1.log"
    wait_until 30 api_ready 2 || die_with_log "the second api does not get ready" "$SAID/api-2.log"
}

front() { nginx -c "$DATA_DIR/front/nginx.conf" "$@"; }
nginx_running() { [[ -s $DATA_DIR/front/nginx.pid ]]; }

# render [VARIABLE=VALUE...]: the shipped configuration for this machine.
render() {
    env NGINX_BACKENDS="127.0.0.1:$(recall api-1-port) 127.0.0.1:$(recall api-2-port)" NGINX_HTTP="127.0.0.1:$(recall front-http-port)" \
        NGINX_HTTPS="127.0.0.1:$(recall front-https-port)" NGINX_CERTIFICATE="$DATA_DIR/tls/fullchain.pem" \
        NGINX_CERTIFICATE_KEY="$DATA_DIR/tls/privkey.pem" NGINX_WWW="$DATA_DIR/www" NGINX_ACME="$DATA_DIR/acme" NGINX_RUN="$DATA_DIR/front" \
        NGINX_ACCESS_LOG="$SAID/access.log" NGINX_ERROR_LOG="$SAID/nginx.log" NGINX_USER="$(service_user)" NGINX_WORKERS=2 NGINX_MAX_BODY=10m \
        "$@" nginx/render.sh "$DATA_DIR/front"
}

workers() { pgrep --parent "$(cat "$DATA_DIR/front/nginx.pid")" | sort | tr '\n' ' '; }
has_other_workers() { [[ -n $(comm -13 <(tr ' ' '\n' <<<"$1" | sort) <(workers | tr ' ' '\n' | sort)) ]]; }

# reload [VARIABLE=VALUE...]: with another configuration; returns when new workers are there.
reload() {
    local before
    before=$(workers)
    render "$@"
    front -s reload 2>>"$SAID/nginx.log"
    wait_until 10 has_other_workers "$before"
}

start_nginx() {
    TLS_DIR=$DATA_DIR/tls scripts/generate-ssl.sh localhost 127.0.0.1 >/dev/null
    render
    front -t 2>"$SAID/nginx-test.log" || die_with_log "the configuration is not sound" "$SAID/nginx-test.log"
    [[ ! -s $SAID/nginx-test.log ]] || ! grep --quiet warn "$SAID/nginx-test.log" || die_with_log "the configuration has warnings" "$SAID/nginx-test.log"
    front 2>"$SAID/nginx-start.log" || die_with_log "nginx does not start" "$SAID/nginx-start.log"
}

# --- asking ----------------------------------------------------------------------------------------------------------

ask() { curl --silent --insecure --max-time 20 --interface "$CLIENT" --cookie "$SAID/cookies" "$@"; }

# graphql QUERY [VARIABLES] [OPTION...]
graphql() {
    local variables=${2:-null}
    ask --header 'Content-Type: application/json' --data "$(python3 -c 'import json, sys; print(json.dumps({"query": sys.argv[1], "variables": json.loads(sys.argv[2])}))' "$1" "$variables")" \
        "${@:3}" "$BASE/api/graphql"
}

cookie() { sed -n "s/.*\t\($PASSWORD_COOKIE\)\t\(.*\)/\1=\2/p" "$SAID/cookies"; }

log_in() {
    local password
    password=$(random_secret 12)
    printf '%s' "$password" | "$BIN_DIR/worker" user create --email front@example.com --name Front >"$SAID/user.log" 2>&1
    : >"$SAID/cookies"
    # shellcheck disable=SC2016 # GraphQL's variables, not ours
    graphql 'mutation($i: LoginInput!) { login(input: $i) { userErrors { code } } }' \
        "{\"i\": {\"email\": \"front@example.com\", \"password\": \"$password\"}}" --cookie-jar "$SAID/cookies" >"$SAID/login.json"
    [[ -n $(cookie) ]] || die_with_log "nobody can log in" "$SAID/login.json"
}

# --- checks ----------------------------------------------------------------------------------------------------------

look_from_outside() {
    local line
    while read -r line; do
        case $line in
        passed*) passed "${line#passed  }" ;;
        failed*) failed "${line#failed  }" ;;
        esac
    done < <(scripts/test-infrastructure.sh --insecure --limits --from "$CLIENT" --http "http://localhost:$(recall front-http-port)" "$BASE")
}

inside_may_see() {
    curl --silent --insecure --interface 127.0.0.1 "$BASE/nginx_status" | grep --quiet 'Active connections' || wrong "no nginx_status from this machine"
}

inside_may_see_metrics() {
    local port said
    said=$(curl --silent --insecure --compressed --interface 127.0.0.1 "$BASE/api/metrics")
    [[ $said == *$'\ngoldshop_build_info{'* ]] || wrong "no metrics from this machine" || return
    # The api refuses by itself, whoever lets others through.
    port=$(recall api-1-port)
    [[ $(curl --silent --output /dev/null --write-out '%{http_code}' --header 'X-Forwarded-For: 203.0.113.7' "http://127.0.0.1:$port/api/metrics") == 403 ]] ||
        wrong "the api tells of metrics to those outside"
}

serves_challenges() { [[ $(curl --silent "http://localhost:$(recall front-http-port)/.well-known/acme-challenge/token") == challenge ]]; }

caches_static() {
    local headers
    headers=$(ask --head "$BASE/app-1a2b3c4d5e.js")
    grep --quiet --ignore-case '^cache-control: public, max-age=31536000, immutable' <<<"$headers" || wrong "a built file: $headers" || return
    headers=$(ask --head "$BASE/")
    grep --quiet --ignore-case '^cache-control: no-cache' <<<"$headers" || wrong "a page: $headers" || return
    headers=$(ask --head --header 'Accept-Encoding: gzip' "$BASE/app-1a2b3c4d5e.js")
    grep --quiet --ignore-case '^content-encoding: gzip' <<<"$headers" || wrong "not compressed"
}

hides_what_lies_around() {
    local path
    for path in .env .git/config backup.sql; do
        [[ $(ask --output /dev/null --write-out '%{http_code}' "$BASE/$path") == 404 ]] || wrong "$path can be read" || return
    done
}

# logged ID FILE...: the lines of logs that are about this request.
logged() { grep --no-filename "\"request_id\":\"$1\"" "${@:2}"; }
# api_heard FIELD ID
api_heard() { logged "$2" "$SAID"/api-*.log | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1; }

# The address that the api has for a request from FROM with a header that lies.
client_of() {
    local id
    id=client-$RANDOM$RANDOM
    curl --silent --insecure --interface "$1" --output /dev/null --header "X-Request-Id: $id" --header "X-Forwarded-For: $2" \
        --header "X-Real-IP: $2" --header "Forwarded: for=$2" --header 'Content-Type: application/json' --cookie "$(cookie)" \
        --data '{"query":"{ __typename }"}' "$BASE/api/graphql"
    wait_until 3 logged "$id" "$SAID/api-1.log" "$SAID/api-2.log" >/dev/null
    api_heard client "$id"
}

expect_client() {
    local client
    client=$(client_of "$1" "$2")
    [[ $client == "$3" ]] || wrong "the api took $client for the client"
}

same_id_in_both_logs() {
    local id
    id=$(ask --output /dev/null --dump-header - "$BASE/api/nothing" | tr -d '\r' | sed -n 's/^x-request-id: //ip')
    wait_until 3 logged "$id" "$SAID/access.log" >/dev/null || wrong "nginx did not write $id down" || return
    logged "$id" "$SAID"/api-*.log >/dev/null || wrong "the api did not write $id down"
}

access_log_is_json() {
    python3 - "$SAID/access.log" <<'PYTHON'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert len(lines) > 100, len(lines)
assert all("?" not in line["path"] and isinstance(line["status"], int) for line in lines)
assert not any("query=" in json.dumps(line) for line in lines)
PYTHON
}

# Without a rate for addresses that are made up.
spoofing_does_not_help() {
    local refused
    refused=$(seq 80 | xargs --max-procs 16 -I '{}' curl --silent --insecure --interface "$CLIENT" --output /dev/null --write-out '%{http_code}\n' \
        --header 'X-Forwarded-For: 10.0.0.{}' "$BASE/api/nothing" | grep --count 429)
    ((refused > 5)) || wrong "only $refused of 80 were refused"
}

# What makes the api overlook a cookie must not make nginx see one.
bad_cookie_counts_as_none() {
    local refused
    # The rate for everybody out of the way, and that of logins as it was: reached.
    reload "${FAST[@]}" NGINX_AUTH_RATE=5r/m
    [[ $(graphql '{ __typename }') == *'"data"'* ]] || wrong "a session counts as none" || return
    refused=$(seq 20 | xargs --max-procs 10 -I '{}' curl --silent --insecure --interface "$CLIENT" --output /dev/null --write-out '%{http_code}\n' \
        --header $'Cookie: '"$PASSWORD_COOKIE"$'=a\xff' --header 'Content-Type: application/json' --data '{"query":"{ __typename }"}' "$BASE/api/graphql" | grep --count 429)
    ((refused >= 18)) || wrong "$refused of 20 were refused"
}

has_line() { grep --quiet -- "$1" "$2" 2>/dev/null; }
readonly TREE='subscription { categoryTreeChanged { action category { name } } }'

make_category() {
    # shellcheck disable=SC2016 # GraphQL's variables, not ours
    graphql 'mutation($i: CategoryCreateInput!) { categoryCreate(input: $i) { userErrors { code } } }' \
        "{\"i\": {\"name\": [{\"language\": \"en\", \"text\": \"$1\"}]}}" >"$SAID/category.json"
    grep --quiet '"userErrors":\[\]' "$SAID/category.json" || { cat "$SAID/category.json" && return 1; }
}

start_listening() {
    scripts/front-client.py listen "$BASE/api/graphql" "$(cookie)" "$TREE" >"$SAID/socket.txt" 2>&1 9>&- &
    PIDS+=($!)
    ask --max-time 120 --no-buffer --header 'Accept: text/event-stream' --header 'Content-Type: application/json' \
        --data "{\"query\":\"$TREE\"}" "$BASE/api/graphql" >"$SAID/events.txt" 9>&- &
    PIDS+=($!)
    wait_until 10 has_line '^ready' "$SAID/socket.txt" || die_with_log "no WebSocket through nginx" "$SAID/socket.txt"
    sleep 0.5
}

# An event has a second from the change to the listener.
events_arrive() {
    make_category "$1" || return
    wait_until 2 has_line "$1" "$SAID/socket.txt" || wrong "not over the WebSocket: $(tail -n 3 "$SAID/socket.txt")" || return
    wait_until 2 has_line "$1" "$SAID/events.txt" || wrong "not as an event: $(tail -n 3 "$SAID/events.txt")"
}

# upload BYTES [OPTION...]: a picture of an item that is not there.
upload() {
    local size=$1
    shift
    [[ -e $SAID/$size.jpg ]] || head -c "$size" /dev/zero >"$SAID/$size.jpg"
    # shellcheck disable=SC2016 # GraphQL's variables, not ours
    ask --header 'GraphQL-Preflight: 1' --dump-header "$SAID/upload.headers" --output "$SAID/upload.json" --write-out '%{http_code}' \
        --form-string 'operations={"query":"mutation($i: ItemImageUploadInput!) { itemImageUpload(input: $i) { userErrors { code } } }","variables":{"i":{"itemId":"SXRlbTowMTkzMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDBhYmNkZWY","file":null}}}' \
        --form-string 'map={"0":["variables.i.file"]}' --form "0=@$SAID/$size.jpg;type=image/jpeg" "$@" "$BASE/api/graphql"
}

upload_is_judged_by() {
    local status
    status=$(upload "$1") || true
    [[ $status == "$2" ]] || wrong "status $status: $(cat "$SAID/upload.json")" || return
    grep --quiet "$3" "$SAID/upload.json" || wrong "$(cat "$SAID/upload.json")"
}

# How many bytes of files without a name an api holds open in its folder for files in transit.
in_transit() {
    local pid
    for pid in "${API[@]}"; do
        find "/proc/$pid/fd" -lname '/tmp/*(deleted)' -printf '%p\n' 2>/dev/null | xargs --no-run-if-empty stat --dereference --format %s
    done | awk '{ sum += $1 } END { print sum + 0 }'
}

arrives_meanwhile() { (($(in_transit) > 500000)); }

uploads_are_streamed() {
    local kept pid
    upload 6000000 --limit-rate 3M >/dev/null 9>&- &
    pid=$!
    wait_until 4 arrives_meanwhile || wrong "the api has nothing of an upload that is under way" || return
    kept=$(find "$DATA_DIR/front/body" -type f | wc -l)
    wait "$pid"
    ((kept == 0)) || wrong "nginx wrote it to its disk"
}

# load SECONDS MEANWHILE...: no request fails while that is done.
survives() {
    local seconds=$1 report pid
    shift
    scripts/front-client.py load "$BASE/api/graphql?query=%7B__typename%7D" "$seconds" 6 "$(cookie)" >"$SAID/load.json" 2>&1 9>&- &
    pid=$!
    sleep 1
    "$@"
    wait "$pid" || true
    report=$(cat "$SAID/load.json")
    [[ $report == *'"failed": 0,'* ]] || wrong "$report"
}

reload_often() {
    local i
    for i in 1 2 3; do
        reload "${FAST[@]}" NGINX_SHUTDOWN="30${i}s"
        sleep 0.3
    done
}

kill_one_api() {
    kill -KILL "${API[1]}"
}

comes_back() {
    local before after
    start_api 1
    wait_until 30 api_ready 1 || wrong "the first api does not start again" || return
    before=$(wc -l <"$SAID/api-1.log")
    # It is left alone for five seconds after it has failed.
    sleep 5.5
    survives 2 true || return
    after=$(wc -l <"$SAID/api-1.log")
    ((after > before + 10)) || wrong "the first api is not asked any more"
}

nobody_answers() {
    local status
    kill -KILL "${API[1]}" "${API[2]}"
    status=$(ask --header 'Content-Type: application/json' --data '{"query":"{ __typename }"}' --dump-header "$SAID/down.headers" --output "$SAID/down.json" --write-out '%{http_code}' "$BASE/api/graphql")
    [[ $status == 502 ]] || wrong "status $status" || return
    grep --quiet '"code":"SERVICE_UNAVAILABLE"' "$SAID/down.json" || wrong "$(cat "$SAID/down.json")" || return
    local name
    for name in x-frame-options x-content-type-options x-xss-protection strict-transport-security content-security-policy referrer-policy x-request-id retry-after; do
        grep --quiet --ignore-case "^$name: ." "$SAID/down.headers" || wrong "no $name" || return
    done
}

strangers_are_refused() {
    [[ $(ask --output /dev/null --write-out '%{http_code}' --header 'Host: evil.example' "$BASE/") == 421 ]] || wrong "over TLS" || return
    [[ $(ask --output /dev/null --write-out '%{http_code}' --header 'Host: evil.example' "http://localhost:$(recall front-http-port)/") == 421 ]] || wrong "over HTTP" || return
    [[ $(ask --output /dev/null --write-out '%{http_code}' --header 'Host: shop.example' "$BASE/") == 200 ]] || wrong "its own name"
}

redis_refuses() {
    local command words said
    for command in FLUSHALL FLUSHDB 'CONFIG GET maxmemory' 'KEYS *' SHUTDOWN 'DEBUG SLEEP 0' 'ACL LIST' 'CLIENT LIST' 'REPLICAOF NO ONE' 'MODULE LIST' 'SET elsewhere 1'; do
        read -ra words <<<"$command"
        said=$(redis_as "${words[@]}" 2>&1)
        [[ $said == *NOPERM* || $said == *"not allowed"* ]] || wrong "$command: $said" || return
    done
    said=$(redis-cli -p "$(recall redis-port)" PING 2>&1)
    [[ $said == NOAUTH* ]] || wrong "without a password: $said"
}

# Full, Redis refuses what is written and keeps what it has.
redis_keeps_everything() {
    local said
    redis_as SET goldshop:test:kept 1 >/dev/null
    redis_as SET goldshop:test:session 1 EX 600 >/dev/null
    said=$(for i in $(seq 30); do printf 'SET goldshop:test:big:%d %01000000d\n' "$i" 0; done | redis_as 2>&1 | sort | uniq -c)
    [[ $said == *OOM* ]] || wrong "it was never full" || return
    [[ $(redis_as EXISTS goldshop:test:kept goldshop:test:session goldshop:test:big:1) == 3 ]] || wrong "something is gone"
    redis_as EVAL "for i = 1, 30 do redis.call('DEL', 'goldshop:test:big:' .. i) end" 0 >/dev/null
}

roles_may_what_they_need() {
    local said
    said=$(as_role goldshop_readonly db_readonly_password --command 'SELECT count(*) FROM item')
    [[ $said =~ ^[0-9]+$ ]] || wrong "readonly cannot read" || return
    local statement
    for statement in 'SELECT * FROM app_user' 'SELECT * FROM api_token' 'DELETE FROM item' 'CREATE TABLE mine ()' 'SET default_transaction_read_only = off; DELETE FROM item'; do
        ! as_role goldshop_readonly db_readonly_password --set ON_ERROR_STOP=1 --command "$statement" >/dev/null 2>&1 || wrong "readonly: $statement" || return
    done
    for statement in 'CREATE TABLE mine ()' 'DROP TABLE item' 'TRUNCATE audit' 'DELETE FROM audit'; do
        ! as_role goldshop_app db_app_password --set ON_ERROR_STOP=1 --command "$statement" >/dev/null 2>&1 || wrong "app: $statement" || return
    done
    ! PGPASSWORD=wrong "$PG_BIN/psql" --host 127.0.0.1 --port "$(recall postgres-port)" --username postgres --dbname goldshop --command 'SELECT 1' >/dev/null 2>&1 || wrong "a superuser comes over the network"
}

# As containers ask: without another program, on whatever address is listened.
healthchecks_tell() {
    GOLDSHOP_HTTP__ADDRESS=0.0.0.0:$(recall api-1-port) "$BIN_DIR/api" healthcheck || wrong "of an api that is well" || return
    ! GOLDSHOP_HTTP__ADDRESS=127.0.0.1:9 "$BIN_DIR/api" healthcheck 2>/dev/null || wrong "of an api that is not there" || return
    "$BIN_DIR/worker" healthcheck || wrong "of a worker that is well" || return
    ! GOLDSHOP_REDIS__KEY_PREFIX=nobody "$BIN_DIR/worker" healthcheck 2>/dev/null || wrong "of a worker that is not there"
}

backup_works() {
    DATABASE_BACKUP_URL=$(postgres_url_as goldshop_backup db_backup_password) DATABASE_SCRATCH_URL=$(postgres_url_as goldshop_backup db_backup_password) \
        PATH=$PG_BIN:$PATH "$BIN_DIR/worker" backup >"$SAID/backup.log" 2>&1 || wrong "$(tail -n 3 "$SAID/backup.log")"
}

# Rates that a load does not meet; those of the limits are looked at before.
readonly FAST=(NGINX_API_RATE=9000r/s NGINX_GENERAL_RATE=9000r/s NGINX_AUTH_RATE=9000r/s)

main() {
    use_instance test
    hold_lock "make test-nginx"
    SAID=$(mktemp -d)
    chmod 755 "$SAID"
    trap stop_everything EXIT
    trap 'exit 130' INT TERM HUP
    ensure_command nginx nginx libnginx-mod-http-brotli-filter libnginx-mod-http-brotli-static
    ensure_command curl curl
    ensure_command openssl openssl
    ensure_command python3 python3
    ensure_programs
    ensure_command redis-cli redis-tools
    build_programs
    step "Starting PostgreSQL, Redis, two api, a worker and nginx"
    rm -rf "$DATA_DIR"
    make_data_dir
    copy_what_is_shipped
    start_services_as_shipped
    claim_port front-http-port
    claim_port front-https-port
    BASE=https://localhost:$(recall front-https-port)
    set_up_programs
    start_programs
    start_nginx
    log_in
    step "Looking from outside"
    start_listening
    check "streams: events arrive at once" events_arrive First
    look_from_outside
    check "static: cached by what it is, and compressed" caches_static
    check "blocked: what lies around" hides_what_lies_around
    check "http: challenges of certbot" serves_challenges
    check "internal: this machine may see nginx_status" inside_may_see
    check "internal: this machine may see /api/metrics" inside_may_see_metrics
    check "limits: addresses that are made up share one rate" spoofing_does_not_help
    check "limits: a cookie that the api overlooks is none" bad_cookie_counts_as_none
    step "Looking behind"
    reload "${FAST[@]}"
    check "client: an address that is made up changes nothing" expect_client "$CLIENT" 6.6.6.6 "$CLIENT"
    check "client: several neither" expect_client "$CLIENT" '6.6.6.6, 7.7.7.7' "$CLIENT"
    check "log: one request id in both" same_id_in_both_logs
    check "uploads: up to the api's limit" upload_is_judged_by 6000000 200 '"userErrors":\[{"code"'
    check "uploads: above it, the api explains" upload_is_judged_by 9000000 413 '"TOO_LARGE"'
    check "uploads: far above it, nginx does" upload_is_judged_by 12000000 413 '"TOO_LARGE"'
    check "uploads: streamed" uploads_are_streamed
    check "redis: refuses what endangers it" redis_refuses
    check "redis: full, it loses nothing" redis_keeps_everything
    check "postgres: roles may what they need" roles_may_what_they_need
    check "health: as containers ask" healthchecks_tell
    check "backup: with the roles as they are shipped" backup_works
    step "Failing"
    check "reload: no request fails" survives 4 reload_often
    check "streams: over a reload" events_arrive Second
    check "failover: one api is killed, no request fails" survives 3 kill_one_api
    check "failover: it is asked again when it is back" comes_back
    check "nobody: 502 in JSON, with all headers" nobody_answers
    reload "${FAST[@]}" NGINX_NAMES=shop.example NGINX_TRUSTED_PROXIES=$PROXY
    check "names: strangers are refused" strangers_are_refused
    start_api 1
    wait_until 30 api_ready 1 || true
    check "client: named by a proxy of ours" expect_client "$PROXY" '6.6.6.6, 9.9.9.9' 9.9.9.9
    check "client: not by anybody else" expect_client "$CLIENT" 9.9.9.9 "$CLIENT"
    check "log: JSON, without query strings" access_log_is_json
    step "$PASSED passed, $FAILED failed, after $SECONDS s"
    ((FAILED == 0))
}

main "$@"
