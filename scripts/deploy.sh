#!/usr/bin/env bash
# Puts this checkout to work in containers (docs/operations/deploy.md).
#
#   scripts/deploy.sh development    docker-compose.yml: everything on this machine, ports open on the loopback interface
#   scripts/deploy.sh testing        docker-compose.test.yml: looks at a stack that is thrown away; ends with the checks' status
#   scripts/deploy.sh production     docker-compose.prod.yml: backs up, migrates, replaces one after the other, looks at the
#                                    result, and goes back to the release before when it is not well
#
#   DEPLOY_PROGRAMS   an image that has the programs in /out, instead of building them
#   SKIP_BUILD=1     the images of this release are there already
#   SKIP_BACKUP=1    no backup before the migration (production)
#
# It may be run again at any time: what is as it should be stays. Settings are read from .env.
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/secrets.sh
source "$ROOT/scripts/lib/secrets.sh"
# shellcheck source=lib/deploy.sh
source "$ROOT/scripts/lib/deploy.sh"

# The two that all begin with; where they cannot be pulled they are made (scripts/base-images.sh).
build_images() {
    [[ ${SKIP_BUILD:-0} == 1 ]] && return
    step "Building"
    compose build || die "an image could not be built"
}

development() {
    FILE=docker-compose.yml
    unset DEPLOY_DOMAIN
    require_room 8192
    build_images
    step "Starting"
    compose up --detach || die "not everything starts: docker-compose logs"
    wait_healthy 120 db redis backend worker nginx || die "not everything is well"
    smoke_test || die "it does not look as it should"
    say "goldshop is at https://localhost, the playground at https://localhost/api/graphql"
}

testing() {
    local status=0
    FILE=docker-compose.test.yml
    export COMPOSE_PROJECT_NAME=goldshop_test
    require_room 8192
    compose down --volumes --remove-orphans >/dev/null 2>&1 || true
    build_images
    step "Testing"
    compose run --rm tests || status=$?
    compose down --volumes --remove-orphans >/dev/null 2>&1 || true
    if ((status == 0)); then step "All checks passed"; else say "failed with status $status"; fi
    exit "$status"
}

# What would fail later, said before anything is touched.
check_production() {
    require_room 8192
    [[ -n ${DEPLOY_DOMAIN-} ]] || say "DEPLOY_DOMAIN is not set: people reach the shop as localhost only"
    ((EUID == 0 || EUID == SECRETS_OWNER)) || [[ $(stat -c %u "$(secrets_dir)/db_password.txt" 2>/dev/null) == "$SECRETS_OWNER" ]] ||
        die "run it as root the first time: secrets have to belong to user $SECRETS_OWNER, as whom containers run"
    if ((EUID == 0 || EUID == SECRETS_OWNER)); then ensure_secrets; fi
    compose config --quiet || die "docker-compose.prod.yml does not fit the settings in .env"
}

has_data() { [[ -n $(current_release) ]]; }

back_up() {
    has_data || return 0
    [[ ${SKIP_BACKUP:-0} != 1 ]] || { say "no backup, as was asked for" && return; }
    step "Backing up"
    # By the programs that made what is there.
    compose_of "$(current_release)" run --rm --no-deps worker backup --note "before $DEPLOY_RELEASE" ||
        die "there is no backup, so nothing was changed"
}

go_back() {
    say "$1"
    compose ps >&2 || true
    [[ -n $BEFORE && $BEFORE != "$DEPLOY_RELEASE" ]] || die "there is no release before this one to go back to"
    step "Going back to $BEFORE"
    export DEPLOY_RELEASE=$BEFORE
    replace_programs || die "going back to $BEFORE failed as well"
    die "$1; $BEFORE serves again. The database keeps what was migrated, which $BEFORE can live with"
}

production() {
    check_production
    DEPLOY_RELEASE=$(release_of_checkout)
    describe_release
    BEFORE=$(current_release)
    export DEPLOY_RELEASE
    step "Deploying $DEPLOY_RELEASE${BEFORE:+ (now: $BEFORE)}"
    build_images
    step "Starting PostgreSQL and Redis"
    replace_if_other db goldshop/db goldshop_db || die "PostgreSQL is not well"
    replace_if_other redis goldshop/redis goldshop_redis || die "Redis is not well"
    back_up
    step "Migrating"
    compose run --rm --no-deps migrate || die "the migration failed; what ran before still runs"
    docker exec --interactive goldshop_db psql --quiet --no-psqlrc --output /dev/null --username goldshop_user --dbname goldshop \
        --file /opt/goldshop/postgres/readonly.sql || die "goldshop_readonly could not be given what it reads"
    replace_programs || go_back "$DEPLOY_RELEASE is not well"
    smoke_test || go_back "$DEPLOY_RELEASE does not look as it should"
    remember_release "$DEPLOY_RELEASE"
    step "$DEPLOY_RELEASE serves, after $SECONDS s"
}

load_env_file "$ROOT/.env"
case ${1-} in
development | testing | production)
    require_docker
    one_at_a_time
    "$1"
    ;;
*) die "usage: $0 development|testing|production (see --help)" ;;
esac
