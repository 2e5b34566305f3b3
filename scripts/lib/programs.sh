# shellcheck shell=bash
# Finds PostgreSQL, Redis and the small tools, and has missing ones installed.

readonly POSTGRES_AT_LEAST=15
readonly REDIS_AT_LEAST=7

# Directories that may hold PostgreSQL's server programs, newest version first.
postgres_candidates() {
    {
        ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null || true
        if command -v postgres >/dev/null; then dirname "$(readlink -f "$(command -v postgres)")"; fi
    } | sort --version-sort --reverse --unique
}

postgres_major() { "$1/postgres" --version | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p'; }

# True when the extension that our migrations create is installed beside this PostgreSQL.
postgres_has_contrib() {
    local share
    share=$("$1/pg_config" --sharedir 2>/dev/null) || return 1
    [[ -f $share/extension/ltree.control ]]
}

# usable_postgres DIRECTORY [MAJOR]: new enough, complete, and of that major version if one is asked for.
usable_postgres() {
    local program major
    for program in initdb postgres pg_ctl psql pg_config; do
        [[ -x $1/$program ]] || return 1
    done
    major=$(postgres_major "$1")
    [[ -n $major ]] && ((major >= POSTGRES_AT_LEAST)) || return 1
    [[ -z ${2-} || $major == "$2" ]] || return 1
    postgres_has_contrib "$1"
}

# find_postgres [MAJOR]: sets PG_BIN.
find_postgres() {
    local directory
    while read -r directory; do
        if usable_postgres "$directory" "${1-}"; then
            PG_BIN=$directory
            return 0
        fi
    done < <(postgres_candidates)
    return 1
}

# Valkey is the same server under another name; every version of it is new enough.
usable_redis() {
    case $("$1" --version 2>/dev/null) in
    "Valkey server"*) return 0 ;;
    "Redis server v="*) (($("$1" --version | sed 's/^Redis server v=\([0-9]*\).*/\1/') >= REDIS_AT_LEAST)) ;;
    *) return 1 ;;
    esac
}

# Sets REDIS_SERVER.
find_redis() {
    local name
    for name in redis-server valkey-server; do
        if command -v "$name" >/dev/null && usable_redis "$name"; then
            REDIS_SERVER=$(command -v "$name")
            return 0
        fi
    done
    return 1
}

# Prints how a person with the right to do so installs the packages, and stops.
die_missing_packages() {
    say "These Debian packages are missing and could not be installed from here: $*"
    say "As root, run"
    say ""
    say "    $ROOT/scripts/install-packages.sh $*"
    say ""
    say "which runs"
    say ""
    say "    apt-get update"
    say "    apt-get install --yes --no-install-recommends $*"
    say ""
    say "without letting the packages start services of their own. Then try again."
    exit 1
}

# sudo may only ask for a password where somebody can answer.
can_use_sudo() { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; }

# Installs Debian packages as root or through sudo.
install_packages() {
    command -v apt-get >/dev/null ||
        die "please install with your package manager (there is no apt-get here): $*"
    local become_root=()
    if ((EUID != 0)); then
        can_use_sudo || die_missing_packages "$@"
        become_root=(sudo)
    fi
    step "Installing packages: $*"
    "${become_root[@]}" "$ROOT/scripts/install-packages.sh" "$@" 9>&- || die_missing_packages "$@"
}

# ensure_command COMMAND PACKAGE...: installs the packages unless the command is there.
ensure_command() {
    local name=$1
    shift
    command -v "$name" >/dev/null || install_packages "$@"
    command -v "$name" >/dev/null || die "$name is still missing after installing: $*"
}

# Sets PGBOUNCER. Debian keeps it where only root looks.
find_pgbouncer() {
    local program
    for program in "$(command -v pgbouncer || true)" /usr/sbin/pgbouncer; do
        if [[ -x $program ]]; then
            # shellcheck disable=SC2034 # scripts/test.sh hands it to the tests
            PGBOUNCER=$program
            return 0
        fi
    done
    return 1
}

# The pooler that the tests put in front of PostgreSQL.
ensure_pgbouncer() {
    find_pgbouncer || install_packages pgbouncer
    find_pgbouncer || die "pgbouncer is still missing after installing its package"
}

# What shows the tests a printed page or a drawing: onto pixels, into text, and what a scanner reads of it; and what opens archives.
ensure_page_readers() {
    ensure_command pdftoppm poppler-utils
    ensure_command zbarimg zbar-tools
    ensure_command rsvg-convert librsvg2-bin
    ensure_command unzip unzip
}

# Rust's linker driver, and the C compiler of the crates that contain C.
ensure_build_tools() {
    command -v cargo >/dev/null || die "cargo is missing: install Rust from https://rustup.rs"
    ensure_command cc gcc libc6-dev
}
