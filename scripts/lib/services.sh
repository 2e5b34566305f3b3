# shellcheck shell=bash
# PostgreSQL and Redis together. A DATABASE_URL or REDIS_URL given from outside means "use mine, start none"; with the
# former comes DATABASE_OWNER_URL, for whoever migrates.

wants_postgres() { [[ -z $GIVEN_DATABASE_URL ]]; }
wants_redis() { [[ -z $GIVEN_REDIS_URL ]]; }

# Tests stop and start servers of their own, whatever is given from outside.
needs_postgres() { wants_postgres || [[ $INSTANCE == test ]]; }
needs_redis() { wants_redis || [[ $INSTANCE == test ]]; }

# The version of PostgreSQL that wrote this instance's data; nothing when there is none yet.
data_version() { cat "$(postgres_dir)/PG_VERSION" 2>/dev/null || true; }

# Finds the servers, has missing ones installed, and sets PG_BIN and REDIS_SERVER.
ensure_programs() {
    local missing=()
    if needs_postgres && ! find_postgres "$(data_version)"; then missing+=(postgresql); fi
    if needs_redis && ! find_redis; then missing+=(redis-server); fi
    if ((${#missing[@]} > 0)); then install_packages "${missing[@]}"; fi
    if needs_postgres; then require_postgres; fi
    if needs_redis; then find_redis || die "no Redis $REDIS_AT_LEAST or newer here, and apt has none"; fi
}

require_postgres() {
    local version
    version=$(data_version)
    if find_postgres "$version"; then return 0; fi
    if [[ -n $version ]] && find_postgres; then
        die "the data in .local is PostgreSQL $version's: install that version, or start afresh with 'make clean-data'"
    fi
    die "no PostgreSQL $POSTGRES_AT_LEAST or newer with contrib here, and apt has none (see https://apt.postgresql.org)"
}

services_running() {
    { ! wants_postgres || postgres_running; } && { ! wants_redis || redis_running; }
}

# What a killed test run left behind was never promised to be whole.
discard_old_test_data() {
    [[ $INSTANCE == test ]] || return 0
    if ! postgres_running && ! redis_running; then rm -rf "$DATA_DIR"; fi
}

# A database of one's own has two roles, as ours has.
require_owner_url() {
    wants_postgres || [[ -n $GIVEN_OWNER_URL ]] ||
        die "DATABASE_URL is given, and DATABASE_OWNER_URL is not: the first is the application's role, the second the one" \
            "that owns the database (docs/operations/run.md)"
    wants_postgres || [[ $GIVEN_OWNER_URL != "$GIVEN_DATABASE_URL" ]] ||
        die "DATABASE_URL and DATABASE_OWNER_URL are the same: the application's role must own nothing (docs/operations/run.md)"
}

# Starts what is not given from outside, and exports the addresses for the programs.
start_services() {
    require_owner_url
    ensure_programs
    discard_old_test_data
    make_data_dir # once more: a package may have brought the service user
    if wants_postgres; then start_postgres; fi
    if wants_redis; then start_redis; fi
    export_addresses
}

export_addresses() {
    DATABASE_URL=${GIVEN_DATABASE_URL:-$(postgres_url)}
    REDIS_URL=${GIVEN_REDIS_URL:-$(redis_url)}
    export DATABASE_URL REDIS_URL
}

# The address of the same database for the role that owns it. It is exported to nobody who does not ask.
owner_url() { if wants_postgres; then postgres_owner_url; else printf '%s' "$GIVEN_OWNER_URL"; fi; }

# Stops what runs here, whoever started it. The data of tests goes with its services.
stop_services() {
    if [[ -n $(data_version) ]] && find_postgres "$(data_version)"; then stop_postgres; fi
    stop_redis
    if [[ $INSTANCE == test ]]; then rm -rf "$DATA_DIR"; fi
}

print_status() {
    local name
    for name in postgres redis; do
        if "${name}_running"; then
            echo "$INSTANCE: $name runs on 127.0.0.1:$(recall "$name-port"), data in $("${name}_dir")"
        else
            echo "$INSTANCE: $name does not run"
        fi
    done
}
