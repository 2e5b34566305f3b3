#!/usr/bin/env bash
# `make check`: everything a machine can say about the code without running it. The quick checks come first.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/tools.sh
source "$ROOT/scripts/lib/tools.sh"

readonly CARGO_DENY_VERSION=0.20.2

check_format() {
    step "Formatting"
    in_own_group cargo fmt --all --check || die "mend it with: make fmt"
}

check_scripts() {
    step "Shell scripts"
    ensure_command shellcheck shellcheck
    shellcheck --check-sourced --external-sources scripts/*.sh docker/*.sh logging/*.sh nginx/*.sh postgres/*.sh redis/*.sh .ci/run
}

check_manifests() {
    step "Manifests for Kubernetes"
    in_own_group scripts/check-kubernetes.sh
}

# Known vulnerabilities are looked up in a database on the network. A machine that cannot reach it still gets every
# other check.
check_advisories() {
    if in_own_group timeout 20 cargo-deny --log-level off --locked fetch db >/dev/null 2>&1; then
        in_own_group cargo-deny --locked --offline check --hide-inclusion-graph advisories
    else
        say "not checked: the database of known vulnerabilities cannot be reached from here"
    fi
}

# Licences, origins, and who may use whom (deny.toml). A crate that could use another but does not is no fault.
check_dependencies() {
    step "Dependencies"
    ensure_cargo_tool cargo-deny "$CARGO_DENY_VERSION" --debug
    in_own_group cargo-deny --locked check --allow unused-wrapper bans licenses sources
    check_advisories
}

check_clippy() {
    step "Clippy"
    in_own_group cargo clippy --workspace --all-targets --locked -- -D warnings
}

check_documentation() {
    step "Documentation"
    RUSTDOCFLAGS="-D warnings" in_own_group cargo doc --workspace --no-deps --document-private-items --locked
}

check_generated() {
    step "Generated files"
    in_own_group scripts/generated.sh check
}

main() {
    trap stop_group EXIT
    trap 'exit 130' INT TERM HUP
    ensure_build_tools
    check_format
    check_scripts
    check_manifests
    check_dependencies
    check_clippy
    check_documentation
    check_generated
    step "All checks passed"
}

main "$@"
