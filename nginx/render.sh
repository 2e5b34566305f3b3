#!/usr/bin/env bash
# Writes the configuration of nginx for one machine.
#
#   nginx/render.sh FOLDER    copies nginx.conf and snippets/ into FOLDER and writes the four files that they include
#
# Then `nginx -c FOLDER/nginx.conf -t` says whether it is sound. It may be repeated: the same settings give the same
# files. What it is told by the environment, and takes for granted without:
#
#   NGINX_BACKENDS       backend:8000     host:port of each api, with spaces between
#   NGINX_NAMES          _                names that people use; _ takes any (not in production)
#   NGINX_HTTP           80               port, or address:port, of plain HTTP; several with spaces between
#   NGINX_HTTPS          443              the same for TLS
#   NGINX_HTTPS_PORT     443              the port that people see, if it is another one
#   NGINX_CERTIFICATE    /etc/goldshop/tls/fullchain.pem
#   NGINX_CERTIFICATE_KEY  /etc/goldshop/tls/privkey.pem
#   NGINX_WWW            /usr/share/goldshop/www    static files
#   NGINX_FALLBACK       =404             what is served instead of a page that is not there: /index.html for a frontend
#                                         that has its addresses to itself
#   NGINX_ACME           /var/lib/goldshop/acme     where certbot leaves its answers
#   NGINX_RUN            /run/goldshop-nginx        pid and temporary files
#   NGINX_ACCESS_LOG     /dev/stdout      NGINX_ERROR_LOG  /dev/stderr      NGINX_LOG_LEVEL  warn
#   NGINX_USER           www-data         of the workers, where the master is root
#   NGINX_WORKERS        auto             NGINX_SHUTDOWN   300s  for how long old workers serve what they have begun
#   NGINX_INTERNAL       127.0.0.1 ::1    who may see /nginx_status and /api/metrics
#   NGINX_TRUSTED_PROXIES                 addresses of our own proxies in front of this one; they name the client
#   NGINX_MAX_BODY       258m             a little more than http.upload_limit_bytes and http.body_limit_bytes together
#   NGINX_SESSION_COOKIE __Host-goldshop_session    without __Host- where the api runs as ENVIRONMENT=development
#   NGINX_CONNECTIONS    20               requests of one address at the same time, subscriptions included
#   NGINX_API_RATE       10r/s            NGINX_API_BURST      50
#   NGINX_AUTH_RATE      5r/m             NGINX_AUTH_BURST     10
#   NGINX_GENERAL_RATE   30r/s            NGINX_GENERAL_BURST  150
set -euo pipefail

SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly SOURCE
readonly MODULES=${NGINX_MODULES:-/usr/lib/nginx/modules}

die() {
    printf 'render.sh: %s\n' "$*" >&2
    exit 1
}

# What stands for @NAME@ in the templates.
declare -A VALUES

# setting VARIABLE DEFAULT PATTERN: its value, which must look like one. Nothing that ends a directive gets through.
setting() {
    local value=${!1-}
    value=${value:-$2}
    [[ $value =~ ^($3)$ ]] || die "$1 is not what it should be: $value"
    printf '%s' "$value"
}

# each PREFIX SUFFIX WORD...: a directive for each word.
each() {
    local prefix=$1 suffix=$2 word
    shift 2
    for word in "$@"; do printf '%s%s%s\n' "$prefix" "$word" "$suffix"; done
}

modules() {
    local name
    for name in ngx_http_brotli_filter_module ngx_http_brotli_static_module; do
        [[ ! -e $MODULES/$name.so ]] || printf 'load_module %s/%s.so;\n' "$MODULES" "$name"
    done
}

# HTTP/2 is said of a listening address by older versions, and of a server since 1.25.1, where the other way is a warning.
has_http2_directive() {
    local version
    version=$(nginx -v 2>&1 | sed -n 's|^nginx version: nginx/\([0-9.]*\).*|\1|p')
    [[ -n $version && $(printf '%s\n' 1.25.1 "$version" | sort --version-sort | head -n 1) == 1.25.1 ]]
}

readonly WORD='[A-Za-z0-9._:/-]+'
readonly WORDS="$WORD( $WORD)*"
readonly ADDRESSES='[0-9A-Fa-f.:/]+( [0-9A-Fa-f.:/]+)*'
readonly LISTEN='[][0-9A-Fa-f.:*]+( [][0-9A-Fa-f.:*]+)*'

read_main() {
    VALUES[MODULES]=$(modules)
    VALUES[BROTLI]=
    if [[ -n ${VALUES[MODULES]} ]]; then VALUES[BROTLI]='include snippets/brotli.conf;'; fi
    VALUES[USER]=
    if ((EUID == 0)); then VALUES[USER]="user $(setting NGINX_USER www-data "$WORD");"; fi
    VALUES[WORKERS]=$(setting NGINX_WORKERS auto 'auto|[0-9]+')
    VALUES[SHUTDOWN]=$(setting NGINX_SHUTDOWN 300s '[0-9]+[smh]')
    VALUES[RUN]=$(setting NGINX_RUN /run/goldshop-nginx "/$WORD")
    VALUES[ERROR_LOG]=$(setting NGINX_ERROR_LOG /dev/stderr "/$WORD")
    VALUES[ACCESS_LOG]=$(setting NGINX_ACCESS_LOG /dev/stdout "/$WORD")
    VALUES[LOG_LEVEL]=$(setting NGINX_LOG_LEVEL warn 'debug|info|notice|warn|error|crit')
}

read_limits() {
    VALUES[MAX_BODY]=$(setting NGINX_MAX_BODY 258m '[0-9]+[kmg]?')
    VALUES[SESSION_COOKIE]=$(setting NGINX_SESSION_COOKIE __Host-goldshop_session '[A-Za-z0-9._-]+')
    # In a pattern a dot would be any character.
    VALUES[SESSION_COOKIE]=${VALUES[SESSION_COOKIE]//./\\.}
    VALUES[CONNECTIONS]=$(setting NGINX_CONNECTIONS 20 '[1-9][0-9]*')
    VALUES[API_RATE]=$(setting NGINX_API_RATE 10r/s '[1-9][0-9]*r/[sm]')
    VALUES[API_BURST]=$(setting NGINX_API_BURST 50 '[0-9]+')
    VALUES[AUTH_RATE]=$(setting NGINX_AUTH_RATE 5r/m '[1-9][0-9]*r/[sm]')
    VALUES[AUTH_BURST]=$(setting NGINX_AUTH_BURST 10 '[0-9]+')
    VALUES[GENERAL_RATE]=$(setting NGINX_GENERAL_RATE 30r/s '[1-9][0-9]*r/[sm]')
    VALUES[GENERAL_BURST]=$(setting NGINX_GENERAL_BURST 150 '[0-9]+')
}

read_addresses() {
    local backends internal trusted
    read -ra backends <<<"$(setting NGINX_BACKENDS backend:8000 "$WORDS")"
    # One failure may be chance; what fails three times is left alone for a while. With one alone there is no choice.
    VALUES[BACKENDS]=$(each '    server ' ' max_fails=3 fail_timeout=5s;' "${backends[@]}")
    read -ra internal <<<"$(setting NGINX_INTERNAL '127.0.0.1 ::1' "$ADDRESSES")"
    VALUES[INTERNAL]=$(each '        allow ' ';' "${internal[@]}")$'\n        deny all;'
    VALUES[REAL_IP]=
    [[ -n ${NGINX_TRUSTED_PROXIES-} ]] || return 0
    read -ra trusted <<<"$(setting NGINX_TRUSTED_PROXIES '' "$ADDRESSES")"
    VALUES[REAL_IP]=$(each 'set_real_ip_from ' ';' "${trusted[@]}")$'\nreal_ip_header X-Forwarded-For;\nreal_ip_recursive on;'
}

read_files() {
    VALUES[CERTIFICATE]=$(setting NGINX_CERTIFICATE /etc/goldshop/tls/fullchain.pem "/$WORD")
    VALUES[CERTIFICATE_KEY]=$(setting NGINX_CERTIFICATE_KEY /etc/goldshop/tls/privkey.pem "/$WORD")
    VALUES[WWW]=$(setting NGINX_WWW /usr/share/goldshop/www "/$WORD")
    VALUES[FALLBACK]=$(setting NGINX_FALLBACK =404 '=404|/[A-Za-z0-9._/-]+')
    VALUES[ACME]=$(setting NGINX_ACME /var/lib/goldshop/acme "/$WORD")
}

# With names of its own, whoever asks for another one meets a server that is only there for that.
read_sites() {
    local names http https port default=' default_server' http2=' http2' directive=
    if has_http2_directive; then http2='' directive=$'\n    http2 on;'; fi
    names=$(setting NGINX_NAMES _ '_|[A-Za-z0-9.*-]+( [A-Za-z0-9.*-]+)*')
    read -ra http <<<"$(setting NGINX_HTTP 80 "$LISTEN")"
    read -ra https <<<"$(setting NGINX_HTTPS 443 "$LISTEN")"
    port=$(setting NGINX_HTTPS_PORT "${https[0]##*:}" '[0-9]+')
    VALUES[HTTPS_PORT]=:$port
    if [[ $port == 443 ]]; then VALUES[HTTPS_PORT]=; fi
    VALUES[STRANGERS]=
    VALUES[NAMES]=$names
    if [[ $names != _ ]]; then
        VALUES[NAMES]="$names localhost 127.0.0.1 [::1]"
        VALUES[STRANGERS_HTTP]=$(each '    listen ' ' default_server;' "${http[@]}")
        VALUES[STRANGERS_HTTPS]=$(each '    listen ' " ssl$http2 default_server;" "${https[@]}")$directive
        VALUES[STRANGERS]=$(fill "$SOURCE/templates/strangers.conf.template")
        default=
    fi
    VALUES[LISTEN_HTTP]=$(each '    listen ' "$default;" "${http[@]}")
    VALUES[LISTEN_HTTPS]=$(each '    listen ' " ssl$http2$default;" "${https[@]}")$directive
}

# fill TEMPLATE: prints it with its values. One that has none is a mistake of ours.
fill() {
    local text name
    text=$(<"$1")
    for name in "${!VALUES[@]}"; do text=${text//"@$name@"/"${VALUES[$name]}"}; done
    [[ ! $text =~ @[A-Z_]+@ ]] || die "${1##*/}: nothing stands for ${BASH_REMATCH[0]}"
    printf '%s\n' "$text"
}

# Through a second file: a reload that comes in between sees the one or the other.
write() {
    fill "$SOURCE/templates/$1.template" >"$2/$1.new"
    mv "$2/$1.new" "$2/$1"
}

main() {
    local folder file
    case ${1-} in
    -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && return ;;
    '' | -*) die "usage: $0 FOLDER (see --help)" ;;
    esac
    folder=$1
    read_main
    read_limits
    read_addresses
    read_files
    read_sites
    mkdir -p "$folder/snippets"
    cp "$SOURCE/nginx.conf" "$folder/"
    cp "$SOURCE"/snippets/*.conf "$folder/snippets/"
    for file in main.conf values.conf backend.conf sites.conf; do write "$file" "$folder"; done
}

main "$@"
