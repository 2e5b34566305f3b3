#!/usr/bin/env bash
# `make sbom`: what our programs are made of, as a bill of materials in CycloneDX 1.5 (JSON) for each: crates with versions, licences,
# checksums, and which needs which. docker/Dockerfile calls it as well, and each image has its own, as
# /usr/share/doc/goldshop/sbom.cdx.json.
#
#   scripts/sbom.sh [FOLDER]    writes FOLDER/api.cdx.json, worker.cdx.json and migration.cdx.json (target/sbom)
#
# Nothing of ours is compiled for it; cargo-cyclonedx is, the first time. With SOURCE_DATE_EPOCH (the commit's time, where there is
# one) the same commit gives the same files.
set -euo pipefail
case ${1-} in
-h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;;
-*) printf 'usage: %s [FOLDER]\n' "$0" >&2 && exit 2 ;;
esac
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/tools.sh
source "$ROOT/scripts/lib/tools.sh"

# Its authors are CycloneDX's; it reads what cargo itself has resolved.
readonly CYCLONEDX_VERSION=0.5.9
readonly PROGRAMS=(api worker migration)

# It writes one beside each Cargo.toml of the workspace.
clean_up() {
    stop_group
    rm -f "$ROOT"/*/sbom.cdx.json
}

# Without debug assertions, as it is meant to run, but compiled as quickly as with them.
ensure_tool() {
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 ensure_cargo_tool cargo-cyclonedx "$CYCLONEDX_VERSION"
}

set_time() {
    local time
    [[ -z ${SOURCE_DATE_EPOCH-} ]] || return 0
    unset SOURCE_DATE_EPOCH
    time=$(git log -1 --format=%ct 2>/dev/null) || return 0
    export SOURCE_DATE_EPOCH=$time
}

# NAME@VERSION of each crate that cargo says is in a program. What follows a + in a version means nothing to cargo.
crates_of() { cargo tree --locked --package "$1" --edges normal --prefix none --format '{p}' | sed -n 's/^\([^ ]*\) v\([^ +]*\).*/\1@\2/p' | sort --unique; }
crates_in() { grep --only-matching '"pkg:cargo/[^"]*"' "$1" | sed -n 's|^"pkg:cargo/\([^@]*@[^?+%"]*\).*|\1|p' | sort --unique; }

# check PROGRAM FILE: is it one, and is everything in it? (More may be in it: features that only another program asks for.)
check() {
    local missing
    grep --quiet '"bomFormat": *"CycloneDX"' "$2" || die "$2 is no bill of materials"
    missing=$(comm -23 <(crates_of "$1") <(crates_in "$2"))
    [[ -z $missing ]] || die "the bill of materials of $1 lacks: ${missing//$'\n'/ }"
    (($(crates_in "$2" | wc -l) > 50)) || die "the bill of materials of $1 has next to nothing in it"
}

main() {
    local folder program
    folder=$(realpath --canonicalize-missing "${1:-$ROOT/target/sbom}")
    trap clean_up EXIT
    trap 'exit 130' INT TERM HUP
    ensure_build_tools
    ensure_tool
    set_time
    # The tool itself would mend a Cargo.lock that does not fit, and say nothing.
    cargo metadata --locked --format-version 1 >/dev/null
    step "Writing bills of materials"
    in_own_group cargo cyclonedx --quiet --format json --spec-version 1.5 --no-build-deps --override-filename sbom.cdx
    for program in "${PROGRAMS[@]}"; do
        check "$program" "$program/sbom.cdx.json"
        install -D --mode 644 "$program/sbom.cdx.json" "$folder/$program.cdx.json"
        say "$folder/$program.cdx.json: $(crates_in "$program/sbom.cdx.json" | wc -l) crates"
    done
}

main "$@"
