#!/usr/bin/env bash
# Makes the two images that docker/Dockerfile begins with where no registry can be reached: Debian by debootstrap from Debian's
# packages, and Rust from the toolchain of this machine. They get the names that are used otherwise.
#
#   scripts/base-images.sh [--mirror URL]    root; needs docker and debootstrap, which is installed when missing
#
#   DEPLOY_BUILD_NETWORK=host   where containers reach no network of their own, here and in scripts/deploy.sh
#
# An image that is there already stays: remove it to have it made anew.
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly DEBIAN=debian:bookworm-slim RUST=rust:1.95-slim-bookworm
MIRROR=
SCRATCH=

image_is_there() { docker image inspect "$1" >/dev/null 2>&1; }

# The mirror that this machine itself uses.
own_mirror() {
    {
        sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null
        sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\).*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null
    } | grep --invert-match security | head -n 1
}

make_debian() {
    step "Making $DEBIAN from $MIRROR"
    ensure_command debootstrap debootstrap
    debootstrap --variant=minbase --include=ca-certificates bookworm "$SCRATCH/debian" "$MIRROR" >"$SCRATCH/log" 2>&1 || die_with_log "debootstrap failed" "$SCRATCH/log"
    rm -rf "$SCRATCH"/debian/var/cache/apt/* "$SCRATCH"/debian/var/lib/apt/lists/* "$SCRATCH"/debian/usr/share/{doc,man,locale}/*
    tar --directory "$SCRATCH/debian" --create . | docker import - "$DEBIAN" >/dev/null
}

# The toolchain that rust-toolchain.toml names, as rustup has it here, with a C compiler for the crates that contain C.
make_rust() {
    step "Making $RUST from this machine's toolchain"
    local toolchain
    toolchain=$(rustc --print sysroot)
    mkdir "$SCRATCH/rust"
    cp -aL "$toolchain" "$SCRATCH/rust/toolchain"
    # Documentation for people, larger than the compiler.
    rm -rf "$SCRATCH/rust/toolchain/share"
    cat >"$SCRATCH/rust/Dockerfile" <<DOCKERFILE
FROM $DEBIAN
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
COPY toolchain /usr/local/rust
ENV PATH=/usr/local/rust/bin:\$PATH CARGO_HOME=/usr/local/cargo
DOCKERFILE
    DOCKER_BUILDKIT=1 docker build --network "${DEPLOY_BUILD_NETWORK:-default}" --tag "$RUST" "$SCRATCH/rust"
}

main() {
    [[ ${1-} != --mirror ]] || MIRROR=$2
    ((EUID == 0)) || die "debootstrap has to be root"
    docker info >/dev/null 2>&1 || die "the Docker daemon cannot be reached"
    MIRROR=${MIRROR:-$(own_mirror)}
    SCRATCH=$(mktemp -d)
    trap 'rm -rf "$SCRATCH"' EXIT
    image_is_there "$DEBIAN" || make_debian
    image_is_there "$RUST" || make_rust
    docker image ls
}

main "$@"
