#!/usr/bin/env bash
# `make test-docker`: the three environments in real containers. Every compose file is brought up and looked at; production is deployed,
# replaced under load, taken back by hand and by itself, backed up, restored, and gets new passwords. What was found is written to
# docs/operations/verified.md. It takes the better part of an hour, most of it compiling.
#
#   scripts/test-docker.sh [--report FILE]    root; --report - writes no file
#
#   BIN_DIR             put the programs in this folder into the images, instead of compiling them inside of one
#   DOCKER_DATA_ROOT    data of a Docker daemon that is started here (.local/docker); it stays, so that the next time is quicker
#
# Docker Engine and compose are installed from Debian's packages where they are missing. A daemon is started only where none runs, with a
# socket and data of its own, and stopped in the end; where it may not change the firewall, containers reach no network outside. Base
# images are pulled, or made from packages (scripts/base-images.sh). It works in a copy of the last commit, so that secrets and releases of this
# checkout stay as they are; and it refuses where containers or volumes of a goldshop are on the machine, or something has its ports.
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/checks.sh
source "$ROOT/scripts/lib/checks.sh"

readonly DEBIAN=debian:bookworm-slim RUST=rust:1.95-slim-bookworm
readonly URL=https://localhost
# How many seconds a deployment may take whose images are there, and how many megabytes an image of our programs.
readonly DEPLOY_MAX=90 IMAGE_MAX=120
# Images of ours beside those that compose files name.
readonly PROGRAMS_IMAGE=goldshop/test-programs:local BROKEN_IMAGE=goldshop/test-broken:local
PATH=$PATH:/usr/sbin:/sbin
export COMPOSE_PROJECT_NAME=goldshop DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1

REPORT=$ROOT/docs/operations/verified.md
WORK='' COPY='' DAEMON='' HAS_STARTED=0
RELEASES=()

finish() {
    local status=$? release name
    trap '' INT TERM HUP
    set +e
    stop_group
    if [[ -n $WORK ]]; then touch "$WORK/until"; fi
    if ((HAS_STARTED)); then
        take_down
        for release in "${RELEASES[@]}"; do
            for name in api worker migrate db redis nginx; do docker image rm "goldshop/$name:$release" >/dev/null 2>&1; done
        done
        docker image rm "$PROGRAMS_IMAGE" "$BROKEN_IMAGE" >/dev/null 2>&1
    fi
    stop_daemon
    if [[ -n $WORK ]]; then
        if ((status != 0)); then say "logs are in $WORK"; else rm -rf "$WORK"; fi
    fi
    exit "$status"
}

# --- Docker -----------------------------------------------------------------------------------------------------------

docker_answers() { docker info >/dev/null 2>&1; }
daemon_settled() { docker_answers || program_gone "$DAEMON"; }

# start_daemon OPTION...: fails when it does not come up.
start_daemon() {
    setsid dockerd --host "unix://$WORK/docker.sock" --data-root "$DATA" --exec-root "$WORK/exec" --pidfile "$WORK/docker.pid" "$@" >>"$WORK/dockerd.log" 2>&1 </dev/null 9>&- &
    DAEMON=$!
    export DOCKER_HOST=unix://$WORK/docker.sock
    wait_until 60 daemon_settled && docker_answers
}

stop_daemon() {
    [[ -n $DAEMON ]] || return 0
    kill -TERM "$DAEMON" 2>/dev/null || true
    wait_until 60 program_gone "$DAEMON" || kill -KILL "$DAEMON" 2>/dev/null || true
    DAEMON=
}

ensure_docker() {
    ensure_command docker docker.io
    if docker_answers; then return 0; fi
    ensure_command dockerd docker.io
    step "Starting a Docker daemon"
    DATA=${DOCKER_DATA_ROOT:-$LOCAL/docker}
    mkdir -p "$DATA"
    if start_daemon; then return 0; fi
    stop_daemon
    say "not with a firewall of its own; once more without"
    start_daemon --iptables=false || die_with_log "the Docker daemon does not start" "$WORK/dockerd.log"
    export DEPLOY_BUILD_NETWORK=host
}

ensure_compose() {
    if command -v docker-compose >/dev/null; then
        COMPOSE=(docker-compose)
    elif docker compose version >/dev/null 2>&1; then
        COMPOSE=(docker compose)
    else
        ensure_command docker-compose docker-compose
        COMPOSE=(docker-compose)
    fi
}

refuse_others() {
    local port
    [[ -z $(docker ps --all --quiet --filter name=goldshop) ]] || die "there are containers of a goldshop here: docker ps --all --filter name=goldshop"
    [[ -z $(docker volume ls --quiet --filter name=goldshop) ]] || die "there are volumes of a goldshop here: docker volume ls --filter name=goldshop"
    for port in 80 443 5432 6379 8000 8080 8443; do
        ! port_in_use "$port" || die "something listens on port $port, which a compose file publishes"
    done
}

has_image() { docker image inspect "$1" >/dev/null 2>&1; }
pulls() { has_image "$1" || timeout 300 docker pull --quiet "$1" >/dev/null 2>&1; }

ensure_base_images() {
    local name needed=("$DEBIAN")
    [[ -n ${BIN_DIR-} ]] || needed+=("$RUST")
    step "Getting the images that all begin with"
    for name in "${needed[@]}"; do
        pulls "$name" || { logged base-images scripts/base-images.sh && return; } || die_with_log "there is no $name" "$WORK/base-images.log"
    done
}

# Programs that were built elsewhere, in an image that has nothing else.
pack_programs() {
    local program
    [[ -n ${BIN_DIR-} ]] || return 0
    mkdir "$WORK/programs"
    for program in api worker migration; do objcopy --strip-debug "$BIN_DIR/$program" "$WORK/programs/$program"; done
    printf 'FROM scratch\nCOPY api worker migration /out/\n' >"$WORK/programs/Dockerfile"
    logged programs docker build --tag "$PROGRAMS_IMAGE" "$WORK/programs" || die_with_log "the programs cannot be packed" "$WORK/programs.log"
    export DEPLOY_PROGRAMS=$PROGRAMS_IMAGE
}

# A release whose api does not start, for there is nothing else by which one sees that it is taken back.
pack_broken() {
    mkdir -p "$WORK/broken"
    cat >"$WORK/broken/Dockerfile" <<DOCKERFILE
FROM $DEBIAN
COPY --from=goldshop/worker:${RELEASES[0]} /usr/local/bin/worker /out/worker
COPY --from=goldshop/migrate:${RELEASES[0]} /usr/local/bin/migration /out/migration
RUN printf '#!/bin/sh\nexit 1\n' >/out/api && chmod 755 /out/api
DOCKERFILE
    logged broken docker build --tag "$BROKEN_IMAGE" "$WORK/broken" || wrong "$(tail -n 3 "$WORK/broken.log")"
}

# --- what is done -----------------------------------------------------------------------------------------------------

# logged NAME COMMAND...: what it says goes into a file.
logged() {
    local log=$WORK/$1.log
    shift
    "$@" >>"$log" 2>&1 </dev/null 8>&- 9>&-
}

# in_copy NAME COMMAND...: likewise, in the copy of the checkout; it says the end of it when it fails.
in_copy() { logged "$1" env --chdir="$COPY" "${@:2}" || wrong "$(tail -n 4 "$WORK/$1.log")"; }

compose() { env --chdir="$COPY" DEPLOY_RELEASE="$(current)" "${COMPOSE[@]}" --file docker-compose.prod.yml "$@" 8>&- 9>&-; }
current() { cat "$COPY/.local/deploy/current" 2>/dev/null || echo latest; }

take_down() {
    local file
    [[ -n $COPY ]] || return 0
    for file in docker-compose.yml docker-compose.prod.yml; do
        logged down env --chdir="$COPY" "${COMPOSE[@]}" --file "$file" down --volumes --remove-orphans
    done
    logged down env --chdir="$COPY" COMPOSE_PROJECT_NAME=goldshop_test "${COMPOSE[@]}" --file docker-compose.test.yml down --volumes --remove-orphans
}

# Of what is committed: that is what is released.
copy_checkout() {
    COPY=$WORK/goldshop
    git clone --quiet --no-hardlinks "$ROOT" "$COPY"
    [[ -z $(git status --porcelain --untracked-files=no) ]] || say "what is not committed is not tried"
    RELEASES=("$(git -C "$COPY" rev-parse --short=12 HEAD)")
}

# The same sources under the name of another release: what is tried is the replacing.
next_release() {
    git -C "$COPY" -c user.name=test-docker -c user.email=test-docker@localhost commit --quiet --allow-empty --message "another release"
    RELEASES+=("$(git -C "$COPY" rev-parse --short=12 HEAD)")
}

fact() { tell "measured  $1: $2"; }

# timed NAME SECONDS_MAX COMMAND...: a check, with how long it took and how long it may take; 0 for as long as it likes.
timed() {
    local name=$1 most=$2 started=$SECONDS before=$FAILED
    shift 2
    check "$name" "$@"
    ((FAILED == before)) || return 0
    fact "$name" "$((SECONDS - started)) s"
    if ((most > 0)); then check "$name: in less than $most s" test $((SECONDS - started)) -lt "$most"; fi
}

# looks_well NAME OPTION...: every check of test-infrastructure.sh, from this machine.
looks_well() {
    local name=$1
    shift
    in_copy "$name" scripts/test-infrastructure.sh --insecure "$@" "$URL" || { grep '^failed' "$WORK/$name.log" && return 1; }
}

count_checks() { grep --count '^passed' "$WORK/$1.log" || true; }

config_is_clean() {
    local said
    said=$(env --chdir="$COPY" DEPLOY_RELEASE=latest "${COMPOSE[@]}" --file "$1" config --quiet 2>&1) || wrong "$said" || return
    [[ -z $said ]] || wrong "$said"
}

# Five requests a second by somebody who waits for each, until the file `until` is there: their statuses.
ask_steadily() {
    rm -f "$WORK/until" "$WORK/statuses"
    while [[ ! -e $WORK/until ]]; do
        curl --silent --insecure --max-time 10 --output /dev/null --write-out '%{http_code}\n' "$URL/api/health" >>"$WORK/statuses" || true
        sleep 0.2
    done 9>&- &
    ASKER=$!
}

# none_failed NAME: ends what ask_steadily began.
none_failed() {
    local all failed
    touch "$WORK/until"
    wait "$ASKER" || true
    all=$(wc -l <"$WORK/statuses")
    failed=$(grep --count --invert-match --line-regexp 200 "$WORK/statuses" || true)
    fact "$1: requests meanwhile" "$all, of which $failed failed"
    check "$1: no request fails" test "$all" -gt 20 -a "$failed" -eq 0
}

serves() { [[ $(current) == "$1" ]] || wrong "$(current) serves"; }

psql_value() { docker exec --interactive goldshop_db psql --no-psqlrc --quiet --tuples-only --no-align --username goldshop_user --dbname goldshop --command "$1"; }

add_user() {
    random_secret 12 >"$WORK/password"
    compose run --rm --no-deps -T worker user create --email "$1@example.com" --name "$1" <"$WORK/password" >>"$WORK/users.log" 2>&1 ||
        wrong "$(tail -n 3 "$WORK/users.log")"
}

backs_up() {
    docker exec goldshop_backup worker backup --json >"$WORK/backup.json" 2>"$WORK/backup.log" || wrong "$(tail -n 3 "$WORK/backup.log")" || return
    docker exec goldshop_backup worker verify >"$WORK/verify.log" 2>&1 || wrong "$(tail -n 3 "$WORK/verify.log")"
}

newest_backup() { docker exec goldshop_backup worker backups --json | python3 -c 'import json, sys; print(max(one["backup"] for one in json.load(sys.stdin)["backups"]))'; }

# Back to what the backup has: somebody who came later is gone again.
restores() {
    local name
    name=$(newest_backup) || wrong "no backup is listed" || return
    add_user later || return
    [[ $(psql_value 'SELECT count(*) FROM app_user') == 2 ]] || wrong "there are not two users" || return
    {
        compose stop backend backend_replica worker backup &&
            compose run --rm --no-deps -T --volume "$COPY/secrets/database_owner_url.txt:/run/secrets/database_owner_url:ro" \
                -e DATABASE_OWNER_URL_FILE=/run/secrets/database_owner_url worker restore "$name" --part database --overwrite &&
            compose run --rm --no-deps -T migrate &&
            compose up --detach --no-deps --no-build backend backend_replica worker backup
    } >"$WORK/restore.log" 2>&1 </dev/null || wrong "$(tail -n 4 "$WORK/restore.log")" || return
    wait_until 90 is_well || wrong "it does not get well again" || return
    [[ $(psql_value 'SELECT string_agg(email, $$,$$) FROM app_user') == early@example.com ]] || wrong "users: $(psql_value 'SELECT count(*) FROM app_user')"
}

is_well() { [[ $(curl --silent --insecure --max-time 5 --output /dev/null --write-out '%{http_code}' "$URL/api/health/readiness") == 200 ]]; }

goes_back_by_itself() {
    ! logged broken-deploy env --chdir="$COPY" DEPLOY_PROGRAMS="$BROKEN_IMAGE" scripts/deploy.sh production || wrong "it was taken for well" || return
    serves "$1" || return
    is_well || wrong "nobody serves"
}

images_are_small() {
    local name size
    for name in api worker migrate; do
        size=$(($(docker image inspect --format '{{.Size}}' "goldshop/$name:${RELEASES[0]}") / 1000000))
        fact "image $name" "$size MB"
        check "image $name: under $IMAGE_MAX MB" test "$size" -lt "$IMAGE_MAX"
        check "image $name: says what it is" image_says "$name"
    done
}

# image_says NAME: which release it is, and what it is made of, unless its programs were built elsewhere.
image_says() {
    local image=goldshop/$1:${RELEASES[0]} label container said
    for label in title description version revision created; do
        said=$(docker image inspect --format "{{index .Config.Labels \"org.opencontainers.image.$label\"}}" "$image")
        [[ -n $said && $said != unknown ]] || wrong "no $label" || return
    done
    [[ -z ${BIN_DIR-} ]] || return 0
    container=$(docker create "$image")
    said=$(docker cp "$container:/usr/share/doc/goldshop/sbom.cdx.json" - 2>&1 | tar --extract --to-stdout 2>&1) || true
    docker rm "$container" >/dev/null
    [[ $said =~ \"bomFormat\":\ *\"CycloneDX\" ]] || wrong "no bill of materials: ${said:0:200}"
}

# From the start of its container, on a database that is migrated.
starts_in_time() {
    local ready
    docker restart goldshop_backend >/dev/null
    ready=$SECONDS
    wait_until 3 docker exec goldshop_backend /usr/local/bin/api healthcheck >/dev/null 2>&1 || wrong "not ready after $((SECONDS - ready)) s"
}

try_testing() {
    step "docker-compose.test.yml"
    timed "testing: deployed, looked at, taken down" 0 in_copy testing scripts/deploy.sh testing
    fact "testing: checks that passed" "$(count_checks testing)"
}

try_development() {
    step "docker-compose.yml"
    timed "development: deployed" 0 in_copy development scripts/deploy.sh development
    check "development: looked at, limits included" looks_well development-look --limits --containers
    fact "development: checks that passed" "$(count_checks development-look)"
    take_down
}

try_production() {
    step "docker-compose.prod.yml"
    timed "production: deployed the first time, images built and all" 0 in_copy production scripts/deploy.sh production
    images_are_small
    check "production: looked at" looks_well production-look --containers
    fact "production: checks that passed" "$(count_checks production-look)"
    check "production: an api is ready within 3 s of its start" starts_in_time
    check "production: somebody is made a user" add_user early
    next_release
    ask_steadily
    timed "production: another release, images warm" "$DEPLOY_MAX" in_copy second scripts/deploy.sh production
    none_failed "production: another release"
    check "production: it serves" serves "${RELEASES[1]}"
    ask_steadily
    timed "production: taken back by hand" 0 in_copy rollback scripts/rollback.sh
    none_failed "production: taken back by hand"
    check "production: the one before serves" serves "${RELEASES[0]}"
    timed "production: backed up, and the backup proved" 0 backs_up
    timed "production: restored" 0 restores
    timed "production: new passwords" 0 in_copy secrets scripts/rotate-secrets.sh
    check "production: looked at, with new passwords" looks_well production-again --containers
    check "production: a release is made that does not start" pack_broken
    next_release
    ask_steadily
    timed "production: a release that does not start is taken back by itself" 0 goes_back_by_itself "${RELEASES[0]}"
    none_failed "production: a release that does not start"
    take_down
}

# --- the report -------------------------------------------------------------------------------------------------------

versions() {
    printf 'Docker %s, compose %s, %s, Linux %s, %s cores, %s GB' "$(docker version --format '{{.Server.Version}}')" "$("${COMPOSE[@]}" version --short)" \
        "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)" "$(uname -r)" "$(nproc)" "$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)"
}

origin_of_programs() {
    if [[ -n ${BIN_DIR-} ]]; then echo "built outside of images, without what debuggers read"; else echo "compiled inside an image"; fi
}

report() {
    local line
    # shellcheck disable=SC2016 # Markdown's backticks, not the shell's
    printf '# What containers were seen to do\n\nWritten by `make test-docker`, which tries all of this by itself. By hand: [deploy.md](deploy.md).\n\n'
    printf '%s, commit %s, after %d minutes. %s. Programs: %s. %s.\n\n%d passed, %d failed.\n\n| what | |\n|---|---|\n' \
        "$(date --utc +'%Y-%m-%d %H:%M UTC')" "${RELEASES[0]}" "$((SECONDS / 60))" "$(versions)" "$(origin_of_programs)" \
        "$(if [[ ${DEPLOY_BUILD_NETWORK-} == host ]]; then echo "Containers reached no network outside"; else echo "Containers reached the network"; fi)" "$PASSED" "$FAILED"
    while IFS= read -r line; do
        line=${line//|/\\|}
        case $line in
        'passed  '*) printf '| %s | passed |\n' "${line#passed  }" ;;
        'failed  '*) printf '| %s | FAILED |\n' "${line#failed  }" ;;
        'measured  '*)
            line=${line#measured  }
            printf '| %s | %s |\n' "${line%: *}" "${line##*: }"
            ;;
        esac
    done <"$CHECKS" | tr '`' "'"
}

main() {
    local file
    if [[ ${1-} == --report ]]; then REPORT=${2:?--report names a file}; fi
    ((EUID == 0)) || die "it has to be root: it starts a Docker daemon, and secrets belong to another user"
    mkdir -p "$LOCAL"
    exec 9>>"$LOCAL/test-docker.lock"
    flock --nonblock 9 || die "make test-docker is running in this checkout already"
    WORK=$(mktemp -d)
    CHECKS=$WORK/checks
    trap finish EXIT
    trap 'exit 130' INT TERM HUP
    ensure_command curl curl
    ensure_command python3 python3
    [[ -z ${BIN_DIR-} ]] || ensure_command objcopy binutils
    ensure_docker
    ensure_compose
    refuse_others
    ensure_base_images
    pack_programs
    copy_checkout
    HAS_STARTED=1
    for file in docker-compose.yml docker-compose.test.yml docker-compose.prod.yml; do check "config: $file is clean" config_is_clean "$file"; done
    try_testing
    try_development
    try_production
    if [[ $REPORT != - ]]; then report >"$WORK/report" && cp "$WORK/report" "$REPORT"; fi
    step "$PASSED passed, $FAILED failed, after $SECONDS s"
    ((FAILED == 0))
}

main "$@"
