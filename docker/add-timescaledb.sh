#!/usr/bin/env bash
# Adds TimescaleDB (community edition) from its makers' repository to the image of PostgreSQL that is being built.
#
#   docker/add-timescaledb.sh VERSION    such as 2.27.1~debian12-1518, which is for PostgreSQL 15 from 15.18 on
#
# Their key is accepted by its fingerprint alone; apt then verifies what it signs. postgres/entrypoint.sh loads what is there.
set -euo pipefail

readonly REPOSITORY=https://packagecloud.io/timescale/timescaledb
readonly FINGERPRINT=1005FB68604CE9B8F6879CF759F18EDF47F24417
readonly KEY=/usr/share/keyrings/timescaledb.asc
readonly LIST=/etc/apt/sources.list.d/timescaledb.list
readonly POSTGRES=15

die() {
    printf 'add-timescaledb.sh: %s\n' "$*" >&2
    exit 1
}

install() { apt-get install --yes --no-install-recommends "$@"; }

# fingerprints FILE: of all keys in it, one a line; not of their parts, which they vouch for.
fingerprints() {
    local home
    home=$(mktemp -d)
    gpg --homedir "$home" --batch --show-keys --with-colons "$1" | awk -F: '$1 == "pub" { key = 1 } $1 == "fpr" && key { print $10; key = 0 }'
    rm -rf "$home"
}

fetch_key() {
    local found
    curl --fail --silent --show-error --location --proto '=https' --max-time 60 --retry 3 --output "$KEY" "$REPOSITORY/gpgkey"
    found=$(fingerprints "$KEY")
    [[ $found == "$FINGERPRINT" ]] || die "the key of $REPOSITORY is not the one that is known, but: ${found//$'\n'/ }"
    chmod 644 "$KEY"
}

main() {
    case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && return ;; esac
    [[ ${1-} =~ ^[0-9]+(\.[0-9]+)+~debian[0-9]+(-[0-9]+)?$ ]] || die "usage: $0 VERSION (see --help)"
    local codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    install curl gpg
    fetch_key
    printf 'deb [signed-by=%s] %s/debian/ %s main\n' "$KEY" "$REPOSITORY" "$codename" >"$LIST"
    apt-get update
    install "timescaledb-2-loader-postgresql-$POSTGRES=$1" "timescaledb-2-postgresql-$POSTGRES=$1"
    apt-get purge --yes --auto-remove curl gpg
    rm -rf "$LIST" /var/lib/apt/lists/* /var/cache/apt/* /var/log/* /var/cache/debconf/*
}

main "$@"
