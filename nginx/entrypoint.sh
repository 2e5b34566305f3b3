#!/usr/bin/env bash
# nginx in a container: writes its configuration (nginx/render.sh), makes a certificate where there is none, and follows
# the backends. Those that answer to the name are asked for every two seconds, and when they have changed nginx is
# reloaded, which costs no request.
#
#   NGINX_BACKEND_NAME   backend    the name of all of them        NGINX_BACKEND_PORT   8000
#   TLS_NAMES            localhost  names for a self-signed certificate
#
# An address alone on a line of $NGINX_RUN/drained is asked nothing any more (scripts/deploy.sh writes it before it stops
# that one). What nginx/render.sh is told by the environment holds here, too.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly HERE
export TLS_DIR=${TLS_DIR:-/etc/goldshop/tls}
export NGINX_RUN=${NGINX_RUN:-/run/goldshop-nginx}
readonly NAME=${NGINX_BACKEND_NAME:-backend} PORT=${NGINX_BACKEND_PORT:-8000}
readonly CONFIG=$NGINX_RUN/nginx.conf
NGINX=

# The backends that are there and not drained, sorted. Where there is none nginx has to have an address all the same: of
# nobody, so that it says 502 until there is one.
backends() {
    local found
    found=$(getent ahostsv4 "$NAME" | awk '{ print $1 }' | sort --unique) || true
    if [[ -s $NGINX_RUN/drained ]]; then found=$(grep --invert-match --fixed-strings --line-regexp --file "$NGINX_RUN/drained" <<<"$found") || true; fi
    if [[ -z $found ]]; then
        printf '127.0.0.1:9'
    else
        awk -v "port=$PORT" '{ printf "%s%s:%s", separator, $1, port; separator = " " }' <<<"$found"
    fi
}

render() { NGINX_BACKENDS=$1 "$HERE/render.sh" "$NGINX_RUN"; }

leave() {
    trap '' TERM QUIT INT
    kill -QUIT "$NGINX" 2>/dev/null || true
    wait "$NGINX" || true
    exit 0
}

# A configuration that is not sound is not taken: nginx goes on with the one that it has.
follow() {
    local known=$1 now
    while kill -0 "$NGINX" 2>/dev/null; do
        sleep 2 &
        wait "$!" || true
        now=$(backends)
        [[ $now != "$known" ]] || continue
        if render "$now" && nginx -e stderr -q -t -c "$CONFIG"; then
            kill -HUP "$NGINX"
            printf '{"service":"goldshop-nginx","message":"backends: %s"}\n' "$now"
            known=$now
        fi
    done
    wait "$NGINX"
}

main() {
    local known names
    case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && return ;; esac
    if [[ ! -s $TLS_DIR/fullchain.pem ]]; then
        read -ra names <<<"${TLS_NAMES:-localhost 127.0.0.1}"
        TLS_RELOAD='' generate-ssl.sh "${names[@]}"
    fi
    mkdir -p "$NGINX_RUN"
    known=$(backends)
    render "$known"
    nginx -e stderr -c "$CONFIG" -g 'daemon off;' &
    NGINX=$!
    trap leave TERM QUIT INT
    follow "$known"
}

main "$@"
