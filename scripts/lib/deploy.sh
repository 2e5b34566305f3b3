# shellcheck shell=bash
# What deploying and going back have in common: compose, waiting for containers, and replacing them one after the other.

# Whatever is on the machine; 1.29 builds with BuildKit only when it is told to.
export DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1 COMPOSE_PROJECT_NAME=goldshop
readonly STATE=$ROOT/.local/deploy
FILE=docker-compose.prod.yml

find_compose() {
    if command -v docker-compose >/dev/null; then
        COMPOSE=(docker-compose)
    elif docker compose version >/dev/null 2>&1; then
        COMPOSE=(docker compose)
    else
        die "neither docker-compose nor docker compose is here: apt-get install docker.io docker-compose"
    fi
}

# What the containers' programs share is mounted from this checkout, so there is one deployment of it at a time.
one_at_a_time() {
    mkdir -p "$STATE"
    exec 8>>"$STATE/lock"
    flock --nonblock 8 || die "somebody else is deploying from this checkout"
}

compose() { "${COMPOSE[@]}" --file "$ROOT/$FILE" "$@" 8>&-; }

# compose_of RELEASE ARGUMENT...: with the images of another release.
compose_of() {
    local -x DEPLOY_RELEASE=$1
    compose "${@:2}"
}

require_docker() {
    command -v docker >/dev/null || die "docker is missing: apt-get install docker.io docker-compose"
    docker info >/dev/null 2>&1 || die "the Docker daemon cannot be reached (is it running, and may you use it?)"
    find_compose
}

require_room() {
    local free
    free=$(df --output=avail --block-size=1M "$ROOT" | tail -n 1 | tr -d ' ')
    ((free >= ${1:-4096})) || die "only $free MB are free; it takes ${1:-4096}"
}

# The release that images are called after: the commit, and `-changed` where the checkout is something else.
release_of_checkout() {
    local id
    id=$(git rev-parse --short=12 HEAD)
    [[ -z $(git status --porcelain --untracked-files=no) ]] || id+=-changed
    printf '%s' "$id"
}

# What images are told of the release besides, for their labels: the same of the same commit, so that they stay the same images.
describe_release() {
    DEPLOY_VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml" | head -n 1)
    DEPLOY_CREATED=$(git show --no-patch --format=%cI HEAD)
    export DEPLOY_VERSION DEPLOY_CREATED
}

current_release() { cat "$STATE/current" 2>/dev/null || true; }
previous_release() { cat "$STATE/previous" 2>/dev/null || true; }

# remember_release RELEASE: the one before it is where rollback.sh goes.
remember_release() {
    local current
    current=$(current_release)
    [[ $current == "$1" ]] || printf '%s\n' "$current" >"$STATE/previous"
    printf '%s\n' "$1" >"$STATE/current"
    printf '%s %s\n' "$(date --utc --iso-8601=seconds)" "$1" >>"$STATE/history"
}

containers_of() { compose ps --quiet "$@" 2>/dev/null; }

health_of() { docker inspect --format '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}' "$1" 2>/dev/null; }

# all_healthy SERVICE...
all_healthy() {
    local id found=0
    for id in $(containers_of "$@"); do
        [[ $(health_of "$id") == 'running healthy' ]] || return 1
        found=1
    done
    ((found))
}

# wait_healthy SECONDS SERVICE...: fails with the last words of what is not well.
wait_healthy() {
    local seconds=$1
    shift
    wait_until "$seconds" all_healthy "$@" && return
    say "not healthy after $seconds s: $*"
    compose logs --tail 20 "$@" >&2 || true
    return 1
}

nginx_runs() { [[ $(health_of goldshop_nginx) == running* ]]; }

# Where nginx reaches these containers.
addresses_of() {
    local id
    for id in $(containers_of "$@"); do
        docker inspect --format "{{with index .NetworkSettings.Networks \"${COMPOSE_PROJECT_NAME}_inner\"}}{{.IPAddress}}{{end}}" "$id"
    done
}

nginx_asks_none_of() {
    local address
    for address in "$@"; do
        ! docker exec goldshop_nginx grep --quiet --fixed-strings "server $address:" /run/goldshop-nginx/backend.conf || return 1
    done
}

# drain [ADDRESS...]: nginx asks these nothing any more (nginx/entrypoint.sh); none, and it asks all.
drain() {
    nginx_runs || return 0
    # shellcheck disable=SC2016 # expanded in there
    docker exec goldshop_nginx bash -c 'printf "%s\n" "$@" >/run/goldshop-nginx/drained' bash "$@"
    if (($# > 0)); then
        wait_until 15 nginx_asks_none_of "$@" || say "nginx still asks one of: $*"
        # Its old workers have begun nothing new since.
        sleep 1
    fi
}

# replace SERVICE: its containers become those of DEPLOY_RELEASE, without a request that fails as long as others serve.
replace() {
    local addresses=()
    mapfile -t addresses < <(addresses_of "$1")
    if ((${#addresses[@]} > 0)); then drain "${addresses[@]}"; fi
    compose up --detach --no-deps --no-build "$1" || return
    wait_healthy 90 "$1" || return
    drain
}

image_of() { docker image inspect --format '{{.Id}}' "$1" 2>/dev/null; }
runs_image() { docker inspect --format '{{.Image}}' "$1" 2>/dev/null; }

# replace_if_other SERVICE IMAGE CONTAINER: servers that are the same stay as they are, whatever the release is called.
replace_if_other() {
    if [[ $(runs_image "$3") == "$(image_of "$2:$DEPLOY_RELEASE")" && $(health_of "$3") == running* ]]; then return 0; fi
    compose up --detach --no-deps --no-build "$1" || return
    wait_healthy 90 "$1"
}

# Everything but the servers that hold data, which come before the migration.
replace_programs() {
    local service
    for service in backend backend_replica; do
        [[ $service == backend || ${BACKEND_REPLICAS:-1} != 0 ]] || continue
        step "Replacing $service"
        replace "$service" || return
    done
    step "Replacing worker, backup and nginx"
    compose up --detach --no-deps --no-build worker backup || return
    wait_healthy 90 worker || return
    replace_if_other nginx goldshop/nginx goldshop_nginx
}

# From outside, as people see it.
smoke_test() {
    local options=(--containers)
    step "Looking from outside"
    if [[ ${DEPLOY_SELF_SIGNED:-1} == 1 ]]; then options+=(--insecure); fi
    "$ROOT/scripts/test-infrastructure.sh" "${options[@]}" "https://${DEPLOY_DOMAIN:-localhost}" >"$STATE/smoke-test.txt" && return
    grep --invert-match '^passed' "$STATE/smoke-test.txt" >&2
    return 1
}
