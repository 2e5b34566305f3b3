# shellcheck shell=bash
# An instance is one private pair of PostgreSQL and Redis: `dev` for make run, `test` for make test, `bench` for
# make bench, `drill` for scripts/drill.sh. Here is where its files live, which ports it has, and who uses it now.
#
#   .local/<instance>/           ports, passwords, lock, media, logs: owned by whoever runs make
#   .local/<instance>/services/  data of PostgreSQL and Redis: owned by the service user

readonly LOCAL=$ROOT/.local

# The words that, put before a command, run it as another account, without any of root's rights.
change_to() { printf '%s\n' setpriv "--reuid=$1" "--regid=$(id -g "$1")" --clear-groups --; }

# PostgreSQL refuses to run as root, so root lends its services to an account without rights.
service_user() {
    if ((EUID != 0)); then
        id -un
    elif id postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

# Becomes a command of the service user, inside DATA_DIR and with an almost empty environment. The lock is not
# inherited: a daemon would hold it for ever.
exec_as_service() {
    local change_user=()
    if ((EUID == 0)); then mapfile -t change_user < <(change_to "$(service_user)"); fi
    cd "$DATA_DIR" || exit 1
    exec env -i "PATH=$PATH" "HOME=$DATA_DIR" LC_ALL=C "${change_user[@]}" "$@" 9>&-
}

as_service() { (exec_as_service "$@"); }

# Writes standard input to a file that only the service user may read.
write_for_service() {
    (umask 077 && cat >"$1")
    if ((EUID == 0)); then chown "$(service_user):" "$1"; fi
}

# Where the data goes when the service user cannot enter the checkout, as in root's home.
fallback_root() { printf '/var/lib/goldshop-dev/%s' "$(hash_of "$ROOT")"; }

service_user_can_enter() {
    local change_user
    mapfile -t change_user < <(change_to "$(service_user)")
    "${change_user[@]}" test -x "$1"
}

# Prints the directory for the services' data. A fallback once taken stays: the data is there.
choose_data_dir() {
    local fallback
    fallback=$(fallback_root)
    if ((EUID == 0)) && { [[ -d $fallback/$INSTANCE ]] || ! service_user_can_enter "$INSTANCE_DIR"; }; then
        mkdir -p "$fallback"
        chmod 755 "$(dirname "$fallback")" "$fallback"
        ln -sfn "$fallback" "$LOCAL/services-are-in"
        printf '%s' "$fallback/$INSTANCE"
    else
        printf '%s' "$INSTANCE_DIR/services"
    fi
}

# use_instance NAME: creates its folders and sets INSTANCE, INSTANCE_DIR, DATA_DIR and what is given from outside.
use_instance() {
    case $1 in dev | test | bench | drill) ;; *) die "unknown instance '$1': dev, test, bench or drill" ;; esac
    INSTANCE=$1
    INSTANCE_DIR=$LOCAL/$INSTANCE
    [[ ! -e $LOCAL || -O $LOCAL ]] || die ".local belongs to $(stat -c %U "$LOCAL"): run make as that user"
    mkdir -p "$INSTANCE_DIR/log"
    chmod 755 "$LOCAL" "$INSTANCE_DIR"
    if [[ $INSTANCE == dev ]]; then load_env_file "$ROOT/.env"; fi
    GIVEN_DATABASE_URL=${DATABASE_URL-}
    GIVEN_OWNER_URL=${DATABASE_OWNER_URL-}
    # Only migration and the tests get it: api and worker must not know how to log in as the owner.
    unset DATABASE_OWNER_URL
    GIVEN_REDIS_URL=${REDIS_URL-}
    make_data_dir
}

make_data_dir() {
    DATA_DIR=$(choose_data_dir)
    mkdir -p "$DATA_DIR"
    chmod 700 "$DATA_DIR"
    if ((EUID == 0)); then chown "$(service_user):" "$DATA_DIR"; fi
}

# One value per file, so that reading one needs no parser and writing one is atomic.
recall() { cat "$INSTANCE_DIR/$1" 2>/dev/null || true; }

remember() {
    (umask 077 && printf '%s\n' "$2" >"$INSTANCE_DIR/$1.new")
    mv "$INSTANCE_DIR/$1.new" "$INSTANCE_DIR/$1"
}

# ensure_secret NAME BYTES: makes the secret the first time it is needed.
ensure_secret() { [[ -s $INSTANCE_DIR/$1 ]] || remember "$1" "$(random_secret "$2")"; }

# claim_port NAME [FIRST]: keeps the remembered port, or takes the first free one from FIRST on. Without FIRST the
# search begins at a place that depends on the checkout, so that two checkouts rarely meet; below 32768, where the
# system takes ports for outgoing connections.
claim_port() {
    local port
    port=$(recall "$1")
    [[ -n $port ]] || port=${2:-$((20000 + $(hash_of "$ROOT $INSTANCE $1") % 12000))}
    while port_in_use "$port"; do port=$((port + 1)); done
    remember "$1" "$port"
}

# runs_in PIDFILE DIRECTORY: true when that process lives and works there. The number alone proves nothing: after a
# reboot it may belong to any program.
runs_in() {
    local pid
    read -r pid 2>/dev/null <"$1" || return 1
    [[ $(as_service readlink "/proc/$pid/cwd" 2>/dev/null) == "$2" ]]
}

# Keeps the log of the previous start, and no older one.
fresh_log() { [[ ! -e $1 ]] || mv "$1" "$1.old"; }

# hold_lock PURPOSE: one user of an instance at a time, known to others by its purpose.
hold_lock() {
    try_lock "$1" ||
        die "'$(cat "$INSTANCE_DIR/lock")' is already using $INSTANCE in this checkout; stop it first (Ctrl-C there)"
}

try_lock() {
    exec 9>>"$INSTANCE_DIR/lock"
    flock --nonblock 9 || return 1
    printf '%s, process %d\n' "$1" "$$" >"$INSTANCE_DIR/lock"
}
