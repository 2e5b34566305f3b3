#!/usr/bin/env bash
# Starts Redis with redis.conf and users of its own.
#
#   redis/entrypoint.sh [OPTION...]    options of redis-server, which come after the file
#
#   REDIS_PASSWORD_FILE   /run/secrets/redis_password    the password of goldshop, alone in a file
#   REDIS_CONFIG          redis.conf beside this script
#   REDIS_ACL             /run/redis/users.acl
#   REDIS_DATA            /data
#   REDIS_KEY_PREFIX      goldshop    what the names of all keys begin with (redis.key_prefix)
set -euo pipefail

CONFIG=${REDIS_CONFIG:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/redis.conf}
readonly CONFIG
readonly ACL=${REDIS_ACL:-/run/redis/users.acl}
readonly DATA=${REDIS_DATA:-/data}
readonly PREFIX=${REDIS_KEY_PREFIX:-goldshop}
readonly PASSWORD_FILE=${REDIS_PASSWORD_FILE:-/run/secrets/redis_password}

die() {
    printf 'redis/entrypoint.sh: %s\n' "$*" >&2
    exit 1
}

# Of a random password of some length the plain hash is enough.
password_hash() { tr -d '\r\n' <"$PASSWORD_FILE" | sha256sum | cut -d ' ' -f 1; }

# goldshop reaches its own keys and channels (a queue's are in braces), and nothing that concerns the server; of what is
# called dangerous only what backups need: INFO, a copy of everything, and putting keys back. `health` may ask whether
# anybody is there.
write_users() {
    cat <<ACL
user default off
user health on nopass sanitize-payload -@all +ping
user goldshop on #$(password_hash) sanitize-payload ~$PREFIX:* ~{$PREFIX:* &$PREFIX:* &{$PREFIX:* +@all -@admin -@dangerous +info +restore +sync +psync +replconf
ACL
}

main() {
    case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && return ;; esac
    [[ -s $PASSWORD_FILE ]] || die "there is no password in $PASSWORD_FILE"
    [[ $PREFIX =~ ^[A-Za-z0-9._-]+$ ]] || die "REDIS_KEY_PREFIX is no prefix: $PREFIX"
    umask 077
    mkdir -p "$(dirname "$ACL")"
    write_users >"$ACL"
    exec redis-server "$CONFIG" --dir "$DATA" --aclfile "$ACL" "$@"
}

main "$@"
