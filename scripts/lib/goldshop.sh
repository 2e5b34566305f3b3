# shellcheck shell=bash
# goldshop's own programs: building them, and the surroundings in which `make run` and its relatives start them.

# Cargo's folder for what it builds, wherever the user's configuration puts it.
target_dir() {
    cargo metadata --locked --no-deps --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# Builds every program and sets BIN_DIR. PROFILE=release builds what is shipped; the default is quicker to build.
# BIN_DIR names programs built elsewhere: nothing is built then.
build_programs() {
    local profile=${PROFILE:-dev}
    [[ -z ${BIN_DIR-} ]] || return 0
    ensure_build_tools
    step "Building (profile $profile; the first time takes some minutes)"
    in_own_group cargo build --workspace --bins --locked --profile "$profile" || die "the build failed"
    if [[ $profile == dev ]]; then profile=debug; fi
    BIN_DIR=$(target_dir)/$profile
}

# What the programs need to know beside DATABASE_URL and REDIS_URL. Whatever is set already stays.
set_surroundings() {
    export ENVIRONMENT=${ENVIRONMENT:-development}
    export GOLDSHOP_BLOB__ROOT=${GOLDSHOP_BLOB__ROOT:-$INSTANCE_DIR/media}
    export GOLDSHOP_BACKUP__DIRECTORY=${GOLDSHOP_BACKUP__DIRECTORY:-$INSTANCE_DIR/backups}
}

# Runs a command that may make backups and prove them. Whoever brings a PostgreSQL gives these addresses, too.
with_backup_role() {
    local backup=${DATABASE_BACKUP_URL-} scratch=${DATABASE_SCRATCH_URL-}
    if wants_postgres; then
        backup=${backup:-$(postgres_backup_url)}
        scratch=${scratch:-$(postgres_backup_url)}
    fi
    DATABASE_BACKUP_URL=$backup DATABASE_SCRATCH_URL=$scratch "$@"
}

# backups COMMAND [ARGUMENT...]: the worker's command line for backups. Only a restore logs in as the owner.
backups() {
    local owner=
    if [[ $1 == restore ]]; then owner=$(owner_url); fi
    DATABASE_OWNER_URL=$owner with_backup_role in_own_group "$BIN_DIR/worker" "$@"
}

# Sets where the api listens, unless that is given. It comes right before the start, so that the port is still free.
choose_address() {
    if [[ -z ${GOLDSHOP_HTTP__ADDRESS-} ]]; then
        claim_port http-port 8000
        GOLDSHOP_HTTP__ADDRESS=127.0.0.1:$(recall http-port)
        export GOLDSHOP_HTTP__ADDRESS
        export GOLDSHOP_HTTP__PUBLIC_URL=${GOLDSHOP_HTTP__PUBLIC_URL:-http://$GOLDSHOP_HTTP__ADDRESS}
    fi
}

migrate() {
    step "Migrating the database"
    DATABASE_OWNER_URL=$(owner_url) in_own_group "$BIN_DIR/migration" up || die "the migration failed"
}

# load_demo [--items N]: loads the demo shop, or finds it loaded. The password of its owner is made here, once, and
# reaches the program through the environment only. In a database where the owner exists already, a password made just
# now is not theirs: it is forgotten again.
# shellcheck disable=SC2120 # make run gives no arguments, make demo does
load_demo() {
    local is_known=1
    step "Loading the demo shop"
    [[ -s $INSTANCE_DIR/demo-password ]] || is_known=0
    ensure_secret demo-password 9
    # shellcheck disable=SC2016 # the inner bash expands these
    DEMO_PASSWORD=$(recall demo-password) in_own_group bash -c \
        'set -o pipefail; "$@" | tee "$0" | grep --line-buffered -v "^password:" || exit "${PIPESTATUS[0]}"' \
        "$INSTANCE_DIR/demo.out" "$BIN_DIR/worker" demo "$@" || die "the demo shop could not be loaded"
    remember demo-login "$(sed -n 's/^login: *//p' "$INSTANCE_DIR/demo.out")"
    if ((!is_known)) && grep --quiet 'the password is unchanged' "$INSTANCE_DIR/demo.out"; then
        rm -f "$INSTANCE_DIR/demo-password"
    fi
    rm -f "$INSTANCE_DIR/demo.out"
}
