#!/usr/bin/env bash
# The manifests in kubernetes/, part of `make check`: strictly against the schemas of the oldest and the newest Kubernetes that
# they are for; what schemas do not say (scripts/kubernetes/rules.py); and that these checks notice what is broken on purpose.
# Where there is a kubectl, it renders base, production and the variant, and what comes out is judged as well. No cluster is
# asked. It takes seconds, and may be repeated at any time.
set -euo pipefail
case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The package brings the schemas.
readonly VALIDATE=kubernetes-validate==1.37.0
readonly VALIDATE_HOME=$LOCAL/tools/kubernetes-validate-1.37.0
# docs/operations/kubernetes.md says the first one.
readonly VERSIONS=1.32,1.37

SCRATCH=
RENDERINGS=()

leave() {
    stop_group
    [[ -z $SCRATCH ]] || rm -rf "$SCRATCH"
}

# render NAME FOLDER: what kustomize makes of it. It reaches for nothing outside.
render() {
    timeout 60 kubectl kustomize "$2" >"$SCRATCH/$1.yaml" || die "kubectl cannot render $2"
}

# The variant is a component: it is part of production or nothing.
variant() {
    mkdir "$SCRATCH/variant"
    printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [%s]\ncomponents: [%s]\n' \
        "$(realpath --relative-to "$SCRATCH/variant" kubernetes/production)" \
        "$(realpath --relative-to "$SCRATCH/variant" kubernetes/uploads-volume)" >"$SCRATCH/variant/kustomization.yaml"
}

render_all() {
    if ! kubectl kustomize --help >/dev/null 2>&1; then
        say "NOT TESTED: rendering, as there is no kubectl here; files were judged as they are written"
        return 0
    fi
    variant
    render base kubernetes/base
    render base-migrate kubernetes/base/migrate
    render production kubernetes/production
    render production-migrate kubernetes/production/migrate
    render production-volume "$SCRATCH/variant"
    RENDERINGS=("base=$SCRATCH/base.yaml,$SCRATCH/base-migrate.yaml"
        "production=$SCRATCH/production.yaml,$SCRATCH/production-migrate.yaml"
        "production-volume=$SCRATCH/production-volume.yaml,$SCRATCH/production-migrate.yaml")
}

main() {
    trap leave EXIT
    trap 'exit 130' INT TERM HUP
    ensure_python "$VALIDATE_HOME" "$VALIDATE"
    mkdir -p "$LOCAL"
    SCRATCH=$(mktemp --directory "$LOCAL/kubernetes-XXXXXX")
    render_all
    PYTHONDONTWRITEBYTECODE=1 in_own_group "$VALIDATE_HOME/bin/python" scripts/kubernetes/check.py "$VERSIONS" "${RENDERINGS[@]}"
}

main "$@"
