#!/usr/bin/env bash
# A certificate for nginx: self-signed, from Let's Encrypt, or one that is there already.
#
#   scripts/generate-ssl.sh [--days N] [NAME...]    a self-signed one for these names and addresses (localhost), unless
#                                                   there is one that holds for a month yet; --force for a new one anyhow
#   scripts/generate-ssl.sh --install CERT KEY      takes this one, if certificate and key belong together
#   scripts/generate-ssl.sh --acme EMAIL NAME...    one from Let's Encrypt by certbot, which must be installed: nginx must be
#                                                   reachable by these names on port 80. Again for its renewal
#   scripts/generate-ssl.sh --check                 says until when it holds; fails in its last two weeks
#
#   TLS_DIR      where fullchain.pem and privkey.pem are: tls/ of the checkout, /etc/goldshop/tls in a container
#   ACME_DIR     what nginx serves as /.well-known/acme-challenge/ (NGINX_ACME): acme/ beside it
#   TLS_OWNER    whom the files shall belong to, where root makes them (the user of nginx's container)
#   TLS_RELOAD   a command that tells nginx, such as 'docker exec goldshop_nginx nginx -s reload'
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly HERE
TLS_DIR=${TLS_DIR:-$HERE/tls}
ACME_DIR=${ACME_DIR:-$(dirname "$TLS_DIR")/acme}

die() {
    printf 'generate-ssl.sh: %s\n' "$*" >&2
    exit 1
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
    if [[ -n ${TLS_RELOAD-} ]]; then $TLS_RELOAD; fi
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
        check
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

# certbot keeps its account, and what it renews, in its own folders; a second time it renews, when it is due.
acme() {
    local email=${1-} live options=()
    (($# >= 2)) || die "usage: $0 --acme EMAIL NAME..."
    command -v certbot >/dev/null || die "certbot is missing: apt-get install certbot"
    shift
    mkdir -p "$ACME_DIR"
    chmod 755 "$ACME_DIR"
    local name
    for name in "$@"; do options+=(--domain "$name"); done
    certbot certonly --non-interactive --agree-tos --email "$email" --webroot --webroot-path "$ACME_DIR" \
        --cert-name goldshop --key-type ecdsa --keep-until-expiring "${options[@]}"
    live=${CERTBOT_LIVE:-/etc/letsencrypt/live/goldshop}
    if cmp --silent "$live/fullchain.pem" "$TLS_DIR/fullchain.pem"; then
        check
    else
        install_given "$live/fullchain.pem" "$live/privkey.pem"
    fi
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
