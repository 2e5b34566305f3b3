#!/usr/bin/env bash
# New passwords for PostgreSQL and Redis in production, one at a time, with a backup of the old ones until all is well.
#
#   scripts/rotate-secrets.sh [NAME...]    all of them, or these: db_password, db_app_password, db_readonly_password,
#                                          db_backup_password, redis_password
#   scripts/rotate-secrets.sh --dry-run    says what it would do
#
# PostgreSQL keeps connections that are open; programs that open a new one need the new password, so api and worker are
# replaced one after the other. Redis is started anew, which takes a second; sessions and jobs stay. No password is printed, or is on
# a command line. When something fails, the old ones are put back.
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/secrets.sh
source "$ROOT/scripts/lib/secrets.sh"
# shellcheck source=lib/deploy.sh
source "$ROOT/scripts/lib/deploy.sh"

NAMES=() DRY=0 KEPT=

read_arguments() {
    local name
    for name in "$@"; do
        if [[ $name == --dry-run ]]; then DRY=1 && continue; fi
        [[ " ${SECRET_PASSWORDS[*]} " == *" $name "* ]] || die "unknown secret '$name': ${SECRET_PASSWORDS[*]}"
        NAMES+=("$name")
    done
    ((${#NAMES[@]} > 0)) || NAMES=("${SECRET_PASSWORDS[@]}")
}

keep_old() {
    KEPT=$(secrets_dir)/.before
    rm -rf "$KEPT"
    (umask 077 && mkdir "$KEPT" && cp -p "$(secrets_dir)"/*.txt "$KEPT/")
}

# The roles are told what the files say, the old or the new.
apply() {
    docker exec --interactive goldshop_db psql --no-psqlrc --quiet --output /dev/null --username postgres --dbname postgres \
        --set secrets=/run/secrets --file /opt/goldshop/postgres/roles.sql || return
    if [[ " ${NAMES[*]} " == *' redis_password '* ]]; then
        compose restart redis || return
        wait_healthy 60 redis || return
    fi
    compose up --detach --no-deps --no-build --force-recreate backend || return
    wait_healthy 90 backend || return
    compose up --detach --no-deps --no-build --force-recreate backend_replica worker backup || return
    wait_healthy 90 backend_replica worker
}

put_back() {
    local file
    say "$1: the old passwords are put back"
    for file in "$KEPT"/*.txt; do cat "$file" >"$(secrets_dir)/${file##*/}"; done
    apply || die "and that failed as well; the old ones are in $KEPT"
    rm -rf "$KEPT"
    die "$1; nothing has changed"
}

main() {
    local name
    read_arguments "$@"
    if ((DRY)); then
        say "would change ${NAMES[*]} in $(secrets_dir), tell PostgreSQL and Redis, and replace api and worker"
        return
    fi
    load_env_file "$ROOT/.env"
    require_docker
    one_at_a_time
    [[ -s $(secret_file db_password) ]] || die "there are no secrets in $(secrets_dir) yet: scripts/deploy.sh production makes them"
    DEPLOY_RELEASE=$(current_release)
    export DEPLOY_RELEASE
    [[ -n $DEPLOY_RELEASE ]] || die "nothing is deployed here"
    keep_old
    for name in "${NAMES[@]}"; do new_password "$name"; done
    write_urls
    hand_over_secrets
    apply || put_back "the new passwords could not be put to use"
    smoke_test || put_back "the shop does not look as it should"
    rm -rf "$KEPT"
    step "changed: ${NAMES[*]}"
}

main "$@"
