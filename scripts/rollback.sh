#!/usr/bin/env bash
# Lets an earlier release serve again, whose images are still there. The database stays as it is: each release works with the
# schema of the next (docs/operations/deploy.md).
#
#   scripts/rollback.sh             the release before this one
#   scripts/rollback.sh RELEASE     this one
#   scripts/rollback.sh --list      what has served here, and what serves now
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/deploy.sh
source "$ROOT/scripts/lib/deploy.sh"

list() {
    cat "$STATE/history" 2>/dev/null || true
    printf 'now %s\n' "$(current_release)"
}

main() {
    local release=${1-}
    if [[ $release == --list ]]; then list && return; fi
    load_env_file "$ROOT/.env"
    require_docker
    one_at_a_time
    release=${release:-$(previous_release)}
    [[ -n $release ]] || die "there is no release before this one"
    [[ $release =~ ^[0-9a-f]{7,40}(-changed)?$ ]] || die "that is no release: $release"
    local name
    for name in api worker; do
        [[ -n $(image_of "goldshop/$name:$release") ]] || die "the image goldshop/$name:$release is not here any more"
    done
    # nginx of that time may be gone, and then the one that runs is as good.
    [[ -n $(image_of "goldshop/nginx:$release") ]] || docker tag "$(runs_image goldshop_nginx)" "goldshop/nginx:$release"
    export DEPLOY_RELEASE=$release
    step "Going back to $release (now: $(current_release))"
    replace_programs || die "$release is not well"
    smoke_test || die "$release does not look as it should"
    remember_release "$release"
    step "$release serves, after $SECONDS s"
}

main "$@"
