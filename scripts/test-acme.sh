#!/usr/bin/env bash
# `make test-acme`: scripts/generate-ssl.sh --acme with the real certbot, the shipped nginx, and an authority of its own (pebble, of
# those who make Let's Encrypt's), which asks nginx for the answers to its challenges as Let's Encrypt would.
#
# It needs neither PostgreSQL nor programs of ours: backends that do not answer are no matter here. Everything listens on the
# loopback interface alone, and is gone afterwards. certbot, pebble, nginx, curl and openssl are installed when missing.
set -euo pipefail
case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/checks.sh
source "$ROOT/scripts/lib/checks.sh"

PATH=$PATH:/usr/sbin:/sbin
PIDS=()
SCRATCH=
# Names that nobody has: the authority is told by a DNS server of its own that they are here.
readonly NAME=shop.goldshop.test OTHER=other.goldshop.test

stop_everything() {
    local status=$? pid
    trap '' INT TERM HUP
    set +e
    if [[ -s $SCRATCH/front/nginx.pid ]]; then front -s stop 2>/dev/null; fi
    for pid in "${PIDS[@]}"; do stop_program "$pid"; done
    if ((status != 0)); then say "logs are in $SCRATCH"; else rm -rf "$SCRATCH"; fi
    exit "$status"
}

# --- what is started -------------------------------------------------------------------------------------------------

# start NAME COMMAND...: in the background, with what it says in a log.
start() {
    local log=$SCRATCH/$1.log
    shift
    setpriv --pdeathsig TERM setsid "$@" >"$log" 2>&1 </dev/null 9>&- &
    PIDS+=($!)
}

# What the authority's own address shows: a certificate from somebody whom this machine does not trust.
make_authority_certificate() {
    local folder=$SCRATCH/authority
    mkdir "$folder"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=goldshop test authority' \
        -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' -keyout "$folder/ca-key.pem" -out "$folder/ca.pem" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=localhost' -keyout "$folder/key.pem" -out "$folder/request.pem" 2>/dev/null
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' >"$folder/extensions"
    openssl x509 -req -in "$folder/request.pem" -CA "$folder/ca.pem" -CAkey "$folder/ca-key.pem" -CAcreateserial -days 2 \
        -extfile "$folder/extensions" -out "$folder/cert.pem" 2>/dev/null
}

# ask_authority PATH: of its own administration.
ask_authority() { curl --silent --fail --max-time 10 --cacert "$SCRATCH/authority/ca.pem" "https://127.0.0.1:$(recall acme-manage-port)$1"; }
authority_answers() { ask_authority /roots/0 >"$SCRATCH/root.pem" 2>/dev/null; }

# One nonce in twenty is refused, as pebble does by itself, so that whoever asks has to try again. Each certificate is asked for by a
# challenge anew: an old one would hide that nginx does not answer. (Waiting is all that PEBBLE_VA_NOSLEEP leaves out.)
start_authority() {
    claim_port acme-dns-port
    claim_port acme-port
    claim_port acme-manage-port
    claim_port acme-unused-port
    make_authority_certificate
    cat >"$SCRATCH/authority/pebble.json" <<JSON
{ "pebble": {
    "listenAddress": "127.0.0.1:$(recall acme-port)", "managementListenAddress": "127.0.0.1:$(recall acme-manage-port)",
    "certificate": "$SCRATCH/authority/cert.pem", "privateKey": "$SCRATCH/authority/key.pem",
    "httpPort": $(recall front-http-port), "tlsPort": $(recall acme-unused-port),
    "ocspResponderURL": "", "externalAccountBindingRequired": false } }
JSON
    start dns pebble-challtestsrv -dns01 "127.0.0.1:$(recall acme-dns-port)" -defaultIPv4 127.0.0.1 -defaultIPv6 '' -http01 '' -https01 '' -tlsalpn01 '' -management ''
    start pebble env PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=5 PEBBLE_AUTHZREUSE=0 \
        pebble -strict -config "$SCRATCH/authority/pebble.json" -dnsserver "127.0.0.1:$(recall acme-dns-port)"
    wait_until 15 authority_answers || die_with_log "the authority does not start" "$SCRATCH/pebble.log"
}

front() { nginx -e "$SCRATCH/nginx.log" -c "$SCRATCH/front/nginx.conf" "$@"; }

# Behind nginx is nobody, and rates are such that a load meets none.
start_nginx() {
    mkdir -p "$SCRATCH/front"
    cp -R nginx/www "$SCRATCH/www"
    NGINX_BACKENDS=127.0.0.1:9 NGINX_HTTP="127.0.0.1:$(recall front-http-port)" NGINX_HTTPS="127.0.0.1:$(recall front-https-port)" \
        NGINX_NAMES="$NAME $OTHER" NGINX_CERTIFICATE=$SCRATCH/tls/fullchain.pem NGINX_CERTIFICATE_KEY=$SCRATCH/tls/privkey.pem \
        NGINX_WWW=$SCRATCH/www NGINX_ACME=$SCRATCH/acme NGINX_RUN=$SCRATCH/front NGINX_ACCESS_LOG=$SCRATCH/access.log \
        NGINX_ERROR_LOG=$SCRATCH/nginx.log NGINX_USER=$(service_user) NGINX_WORKERS=2 NGINX_GENERAL_RATE=9000r/s nginx/render.sh "$SCRATCH/front"
    front -t 2>"$SCRATCH/nginx-test.log" || die_with_log "the configuration is not sound" "$SCRATCH/nginx-test.log"
    front
}

# --- asking ----------------------------------------------------------------------------------------------------------

# ssl [VARIABLE=VALUE...] -- ARGUMENT...: scripts/generate-ssl.sh as docs/operations/deploy.md has it, but for the authority.
ssl() {
    local surroundings=()
    while [[ $1 != -- ]]; do surroundings+=("$1") && shift; done
    shift
    env TLS_DIR="$SCRATCH/tls" ACME_DIR="$SCRATCH/acme" ACME_STATE_DIR="$SCRATCH/state" ACME_CA_BUNDLE="$SCRATCH/authority/ca.pem" \
        ACME_SERVER="https://127.0.0.1:$(recall acme-port)/dir" TLS_OWNER="$(service_user)" \
        TLS_RELOAD="nginx -e $SCRATCH/nginx.log -c $SCRATCH/front/nginx.conf -s reload" "${surroundings[@]}" scripts/generate-ssl.sh "$@"
}

# acme [--force] NAME...
acme() {
    local force=()
    if [[ $1 == --force ]]; then force=(--force) && shift; fi
    ssl -- --acme "${force[@]}" shop@goldshop.test "$@" >"$SCRATCH/said" 2>&1 || wrong "$(tail -n 5 "$SCRATCH/said")"
}

# What nginx shows whoever asks for a name.
shown() { openssl s_client -connect "127.0.0.1:$(recall front-https-port)" -servername "$NAME" -showcerts </dev/null 2>/dev/null; }
shown_serial() { shown | openssl x509 -noout -serial; }
file_serial() { openssl x509 -in "$SCRATCH/tls/fullchain.pem" -noout -serial; }
shows_the_file() { [[ $(shown_serial) == "$(file_serial)" ]]; }
orders() { grep --count 'Issued certificate' "$SCRATCH/pebble.log" || true; }

# serves_new OLD-SERIAL: nginx shows another certificate than before, the one of the file.
serves_new() {
    [[ $(file_serial) != "$1" ]] || wrong "it is the old certificate" || return
    wait_until 10 shows_the_file || wrong "nginx still shows another one"
}

# --- checks ----------------------------------------------------------------------------------------------------------

begins_self_signed() {
    ssl TLS_RELOAD= -- "$NAME" >"$SCRATCH/said" 2>&1 || wrong "$(cat "$SCRATCH/said")" || return
    [[ $(openssl x509 -in "$SCRATCH/tls/fullchain.pem" -noout -issuer) == *'O = goldshop'* ]] || wrong "it is not ours"
}

comes_from_the_authority() {
    local old
    old=$(file_serial)
    acme "$NAME" || return
    serves_new "$old" || return
    (($(orders) == 1)) || wrong "the authority has issued $(orders)"
}

verifies() {
    local said
    said=$(openssl s_client -connect "127.0.0.1:$(recall front-https-port)" -servername "$NAME" -CAfile "$SCRATCH/root.pem" -no-CApath -no-CAstore \
        -verify_hostname "$NAME" -verify_return_error -showcerts </dev/null 2>&1) || wrong "$(tail -n 3 <<<"$said")" || return
    [[ $said == *'Verify return code: 0 (ok)'* ]] || wrong "no chain to the root" || return
    (($(grep --count 'BEGIN CERTIFICATE' <<<"$said") >= 2)) || wrong "nginx does not show the certificate between" || return
    [[ $(shown | openssl x509 -noout -issuer) == *Pebble* ]] || wrong "it is somebody else's: $(shown | openssl x509 -noout -issuer)" || return
    # The same question, where it has to be answered with no.
    ! openssl s_client -connect "127.0.0.1:$(recall front-https-port)" -servername "$NAME" -CAfile "$SCRATCH/authority/ca.pem" -no-CApath -no-CAstore \
        -verify_return_error </dev/null >/dev/null 2>&1 || wrong "any root would do"
}

files_are_guarded() {
    local owner
    owner=$(service_user)
    [[ $(stat --format '%a %U' "$SCRATCH/tls/privkey.pem") == "600 $owner" ]] || wrong "the key: $(stat --format '%a %U' "$SCRATCH/tls/privkey.pem")" || return
    [[ $(stat --format '%a %U' "$SCRATCH/tls/fullchain.pem") == "644 $owner" ]] || wrong "the certificate" || return
    ! find "$SCRATCH/state" -name 'privkey*' -type f -perm /077 | grep . || wrong "others may read certbot's keys" || return
    [[ -z $(find "$SCRATCH/acme" -type f) ]] || wrong "answers to challenges are left over"
}

check_says_until_when() { [[ $(ssl -- --check) == *"DNS:$NAME"*notAfter=* ]] || wrong "it does not name the certificate"; }

# Who the authority itself is decides the bundle, not whoever answers.
distrusts_others() {
    ! ssl ACME_CA_BUNDLE="$SCRATCH/root.pem" -- --acme --force shop@goldshop.test "$NAME" >"$SCRATCH/said" 2>&1 || wrong "anybody is taken for the authority" || return
    grep --quiet --ignore-case 'certificate verify failed' "$SCRATCH/said" || wrong "for another reason: $(tail -n 3 "$SCRATCH/said")"
}

does_nothing_when_not_due() {
    local old issued
    old=$(file_serial) issued=$(orders)
    ssl TLS_RELOAD="touch $SCRATCH/reloaded" -- --acme shop@goldshop.test "$NAME" >"$SCRATCH/said" 2>&1 || wrong "$(tail -n 5 "$SCRATCH/said")" || return
    [[ $(file_serial) == "$old" && $(orders) == "$issued" ]] || wrong "there is a new certificate" || return
    [[ ! -e $SCRATCH/reloaded ]] || wrong "nginx was reloaded for nothing"
}

# certbot itself is told that a certificate is due earlier than it would be: this one holds for years.
renews_when_due() {
    local old
    old=$(file_serial)
    sed -i 's/^#* *renew_before_expiry.*/renew_before_expiry = 9999 days/' "$SCRATCH/state/renewal/goldshop.conf"
    grep --quiet '^renew_before_expiry' "$SCRATCH/state/renewal/goldshop.conf" || wrong "certbot cannot be told" || return
    acme "$NAME" || return
    serves_new "$old" || return
    sed -i '/^renew_before_expiry/d' "$SCRATCH/state/renewal/goldshop.conf"
}

# While others ask, on connections that are kept, none of them fails.
renews_under_load() {
    local pid report old
    old=$(file_serial)
    scripts/front-client.py load "https://127.0.0.1:$(recall front-https-port)/" 15 4 >"$SCRATCH/load.json" 2>&1 9>&- &
    pid=$!
    acme --force "$NAME" || return
    serves_new "$old" || return
    kill -0 "$pid" 2>/dev/null || wrong "the load ended before the renewal" || return
    wait "$pid" || true
    report=$(cat "$SCRATCH/load.json")
    [[ $report == *'"failed": 0,'* && $report =~ \"requests\":\ [0-9]{3,} ]] || wrong "$report"
}

takes_another_name() {
    local old
    old=$(file_serial)
    acme "$NAME" "$OTHER" || return
    serves_new "$old" || return
    [[ $(ssl -- --check) == *"DNS:$OTHER"* ]] || wrong "the other name is not in it"
}

takes_another_server() {
    local old
    old=$(file_serial)
    ssl ACME_SERVER="https://localhost:$(recall acme-port)/dir" -- --acme shop@goldshop.test "$NAME" "$OTHER" >"$SCRATCH/said" 2>&1 || wrong "$(tail -n 5 "$SCRATCH/said")" || return
    serves_new "$old"
}

# fails_and_keeps VARIABLE=VALUE SAYING: nothing is replaced, and whoever asked hears of it.
fails_and_keeps() {
    local before after
    before=$(cat "$SCRATCH/tls/fullchain.pem" "$SCRATCH/tls/privkey.pem" | sha256sum)
    ! ssl "$1" -- --acme --force shop@goldshop.test "$NAME" "$OTHER" >"$SCRATCH/said" 2>&1 || wrong "it says that all is well" || return
    after=$(cat "$SCRATCH/tls/fullchain.pem" "$SCRATCH/tls/privkey.pem" | sha256sum)
    [[ $before == "$after" ]] || wrong "the old certificate is gone" || return
    grep --quiet "$2" "$SCRATCH/said" || wrong "it does not say why: $(tail -n 5 "$SCRATCH/said")" || return
    grep --quiet "stays as it is" "$SCRATCH/said" || wrong "it does not say that the old one stays" || return
    shows_the_file || wrong "nginx shows another certificate" || return
    ssl -- --check >/dev/null || wrong "--check fails"
}

# Whoever was interrupted between the two files, or replaced one by hand.
mends_files() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$SCRATCH/tls/privkey.pem" 2>/dev/null
    acme "$NAME" "$OTHER" || return
    cmp --silent "$SCRATCH/state/live/goldshop/privkey.pem" "$SCRATCH/tls/privkey.pem" || wrong "a key that does not belong to the certificate stays"
}

# A reload that did not work is made good the next time, although there is no new certificate then.
tells_nginx_later() {
    local old
    old=$(shown_serial)
    ! ssl TLS_RELOAD=false -- --acme --force shop@goldshop.test "$NAME" "$OTHER" >"$SCRATCH/said" 2>&1 || wrong "nobody hears that nginx was not told" || return
    [[ $(shown_serial) == "$old" ]] || wrong "nginx was told after all" || return
    acme "$NAME" "$OTHER" || return
    serves_new "$old"
}

main() {
    use_instance test
    hold_lock "make test-acme"
    SCRATCH=$(mktemp -d)
    chmod 755 "$SCRATCH"
    trap stop_everything EXIT
    trap 'exit 130' INT TERM HUP
    ensure_command nginx nginx libnginx-mod-http-brotli-filter libnginx-mod-http-brotli-static
    ensure_command curl curl
    ensure_command openssl openssl
    ensure_command python3 python3
    ensure_command certbot certbot
    ensure_command pebble pebble
    claim_port front-http-port
    claim_port front-https-port
    mkdir "$SCRATCH/acme" "$SCRATCH/elsewhere"
    step "Starting an authority, its DNS server, and nginx with a certificate of our own"
    start_authority
    check "a certificate of our own, to begin with" begins_self_signed
    start_nginx
    step "Asking the authority"
    check "one from the authority, and nginx shows it" comes_from_the_authority
    check "its chain holds, to that root alone" verifies
    check "key and certificate are guarded" files_are_guarded
    check "--check says until when" check_says_until_when
    check "again: nothing, while it is not due" does_nothing_when_not_due
    check "again: a new one when it is due" renews_when_due
    check "forced, under load: no request fails" renews_under_load
    check "another name" takes_another_name
    check "another server" takes_another_server
    step "Failing"
    check "nginx does not show the answers: the old one stays" fails_and_keeps ACME_DIR="$SCRATCH/elsewhere" unauthorized
    check "the authority does not answer: the old one stays" fails_and_keeps ACME_SERVER="https://127.0.0.1:$(recall acme-unused-port)/dir" 'Connection refused'
    check "an authority that nobody vouches for: refused" distrusts_others
    check "nginx was not told: it is the next time" tells_nginx_later
    check "a key of something else: replaced" mends_files
    check "its chain still holds" verifies
    step "$PASSED passed, $FAILED failed, after $SECONDS s"
    ((FAILED == 0))
}

main "$@"
