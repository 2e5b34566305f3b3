#!/usr/bin/env bash
# A certificate for nginx: self-signed, from Let's Encrypt, or one that is there already.
#
#   scripts/generate-ssl.sh [--days N] [NAME...]    a self-signed one for these names and addresses (localhost), unless
#                                                   there is one that holds for a month yet; --force for a new one anyhow
#   scripts/generate-ssl.sh --install CERT KEY      takes this one, if certificate and key belong together
#   scripts/generate-ssl.sh --acme [--force] EMAIL NAME...
#                                                   one from Let's Encrypt by certbot, which must be installed: nginx must be
#                                                   reachable by these names on port 80. Again for its renewal, which is due
#                                                   in its last month, with other names, or with another server; --force for
#                                                   a new one anyhow. What is there stays when none can be had
#   scripts/generate-ssl.sh --check                 says until when it holds; fails in its last two weeks
#
#   TLS_DIR      where fullchain.pem and privkey.pem are: tls/ of the checkout, /etc/goldshop/tls in a container
#   ACME_DIR     what nginx serves as /.well-known/acme-challenge/ (NGINX_ACME): acme/ beside it
#   ACME_SERVER  the directory of another authority than Let's Encrypt's, such as its staging one
#   ACME_CA_BUNDLE  certificates to trust that server by, where the machine does not (an authority within the house)
#   ACME_STATE_DIR  account, keys and logs of certbot: its own folders (/etc/letsencrypt and two more), or all of it in here
#   TLS_OWNER    whom the files shall belong to, where root makes them (the user of nginx's container)
#   TLS_RELOAD   a command that tells nginx, such as 'docker exec goldshop_nginx nginx -s reload'
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly HERE
TLS_DIR=${TLS_DIR:-$HERE/tls}
ACME_DIR=${ACME_DIR:-$(dirname "$TLS_DIR")/acme}
ACME_SERVER=${ACME_SERVER:-https://acme-v02.api.letsencrypt.org/directory}
# So long may an authority take at most, with everything that certbot tries again.
readonly ACME_SECONDS=300

die() {
    printf 'generate-ssl.sh: %s\n' "$*" >&2
    exit 1
}

# What nginx was not told, for it was not there or did not want to, is made good the next time.
tell_nginx() {
    [[ -n ${TLS_RELOAD-} ]] || return 0
    # It may be root's, from the last time.
    rm -f "$TLS_DIR/.untold"
    : >"$TLS_DIR/.untold"
    $TLS_RELOAD || die "the certificate is there, but nginx does not take it: $TLS_RELOAD"
    rm -f "$TLS_DIR/.untold"
}

# What is there is good enough; does nginx know?
keep() {
    if [[ -e $TLS_DIR/.untold ]]; then tell_nginx; fi
    check
}

# Both files change before anybody is told, and neither is ever half written.
put() {
    umask 077
    mkdir -p "$TLS_DIR"
    cp "$1" "$TLS_DIR/.fullchain.pem"
    cp "$2" "$TLS_DIR/.privkey.pem"
    chmod 644 "$TLS_DIR/.fullchain.pem"
    chmod 600 "$TLS_DIR/.privkey.pem"
    if ((EUID == 0)) && [[ -n ${TLS_OWNER-} ]]; then
        chown "$TLS_OWNER:" "$TLS_DIR" "$TLS_DIR/.fullchain.pem" "$TLS_DIR/.privkey.pem"
    fi
    mv "$TLS_DIR/.fullchain.pem" "$TLS_DIR/fullchain.pem"
    mv "$TLS_DIR/.privkey.pem" "$TLS_DIR/privkey.pem"
    tell_nginx
}

holds_for() { openssl x509 -in "$TLS_DIR/fullchain.pem" -noout -checkend "$1" >/dev/null 2>&1; }

# belong_together CERT KEY
belong_together() { [[ $(openssl x509 -in "$1" -noout -pubkey 2>/dev/null) == "$(openssl pkey -in "$2" -pubout 2>/dev/null)" ]]; }

# An address is an address also in a certificate.
alternative_names() {
    local name list=()
    for name in "$@"; do
        if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then list+=("IP:$name"); else list+=("DNS:$name"); fi
    done
    local IFS=,
    printf '%s' "${list[*]}"
}

self_signed() {
    local days=365 force=0 scratch
    while [[ ${1-} == --* ]]; do
        case $1 in
        --days) days=$2 && shift 2 ;;
        --force) force=1 && shift ;;
        *) die "unknown option $1 (see --help)" ;;
        esac
    done
    (($# > 0)) || set -- localhost 127.0.0.1 ::1
    if ((!force)) && holds_for $((30 * 86400)) && belong_together "$TLS_DIR/fullchain.pem" "$TLS_DIR/privkey.pem"; then
        keep
        return
    fi
    scratch=$(mktemp -d)
    # shellcheck disable=SC2064 # the name is known now
    trap "rm -rf '$scratch'" EXIT
    (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -sha256 -days "$days" \
        -subj "/O=goldshop/CN=$1" -addext "subjectAltName=$(alternative_names "$@")" -addext "keyUsage=digitalSignature" \
        -addext "extendedKeyUsage=serverAuth" -keyout "$scratch/key" -out "$scratch/cert" 2>"$scratch/said") ||
        { cat "$scratch/said" >&2 && die "openssl could not make a certificate"; }
    put "$scratch/cert" "$scratch/key"
    check
}

install_given() {
    [[ -r ${1-} && -r ${2-} ]] || die "usage: $0 --install CERT KEY"
    belong_together "$1" "$2" || die "$2 is not the key of $1"
    openssl x509 -in "$1" -noout -checkend 0 >/dev/null || die "$1 has expired"
    put "$1" "$2"
    check
}

# What is not to be kept until it expires: one of another server (certbot itself would keep a staging one).
must_be_new() {
    local server
    ((!$1)) || return 0
    server=$(sed -n 's/^server = //p' "$2/renewal/goldshop.conf" 2>/dev/null) || true
    [[ -n $server && $server != "$ACME_SERVER" ]]
}

# certbot keeps its account, and what it renews, in its own folders; a second time it renews, when it is due.
acme() {
    local force=0 email state=${ACME_STATE_DIR:-/etc/letsencrypt} options=() name
    if [[ ${1-} == --force ]]; then force=1 && shift; fi
    [[ $# -ge 2 && $1 != -* ]] || die "usage: $0 --acme [--force] EMAIL NAME..."
    command -v certbot >/dev/null || die "certbot is missing: apt-get install certbot"
    email=$1
    shift
    mkdir -p "$ACME_DIR"
    chmod 755 "$ACME_DIR"
    for name in "$@"; do options+=(--domain "$name"); done
    if [[ -n ${ACME_STATE_DIR-} ]]; then options+=(--config-dir "$state" --work-dir "$state/work" --logs-dir "$state/log"); fi
    if must_be_new "$force" "$state"; then options+=(--force-renewal); else options+=(--keep-until-expiring); fi
    if [[ -n ${ACME_CA_BUNDLE-} ]]; then export REQUESTS_CA_BUNDLE=$ACME_CA_BUNDLE; fi
    timeout "$ACME_SECONDS" certbot certonly --non-interactive --agree-tos --email "$email" --server "$ACME_SERVER" \
        --webroot --webroot-path "$ACME_DIR" --preferred-challenges http --cert-name goldshop --key-type ecdsa --renew-with-new-domains "${options[@]}" ||
        die "no certificate from $ACME_SERVER; the one in $TLS_DIR stays as it is"
    take_from "$state/live/goldshop"
}

# take_from FOLDER: what certbot has, unless we have it already.
take_from() {
    if ! cmp --silent "$1/fullchain.pem" "$TLS_DIR/fullchain.pem" || ! belong_together "$TLS_DIR/fullchain.pem" "$TLS_DIR/privkey.pem"; then
        install_given "$1/fullchain.pem" "$1/privkey.pem"
        return
    fi
    keep
}

check() {
    [[ -s $TLS_DIR/fullchain.pem ]] || die "there is no certificate in $TLS_DIR"
    openssl x509 -in "$TLS_DIR/fullchain.pem" -noout -subject -ext subjectAltName -enddate
    holds_for $((14 * 86400)) || die "it expires within two weeks"
}

case ${1-} in
-h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" ;;
--install) shift && install_given "$@" ;;
--acme) shift && acme "$@" ;;
--check) check ;;
*) self_signed "$@" ;;
esac
