# shellcheck shell=bash
# Speaking, failing, waiting, process groups, ports and random secrets.

# Messages go to standard error, so that standard output stays free for data.
say() { printf '%s\n' "$*" >&2; }

# A headline of the progress shown to a person.
step() {
    if [[ -t 2 ]]; then printf '\e[1m==> %s\e[0m\n' "$*" >&2; else printf '==> %s\n' "$*" >&2; fi
}

die() {
    say "error: $*"
    exit 1
}

# wait_until SECONDS COMMAND...: tries ten times a second until the command succeeds or the time is up.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# The process group that in_own_group waits for; empty when there is none.
GROUP=

# Runs a command in a process group of its own. Bash handles a signal at once while it waits (it would not during a
# plain foreground command), and stop_group then reaches the command with all its children.
in_own_group() {
    local status=0
    setsid "$@" 9>&- &
    GROUP=$!
    wait "$GROUP" || status=$?
    GROUP=
    return "$status"
}

group_gone() { ! kill -0 -- "-$1" 2>/dev/null; }

stop_group() {
    [[ -n $GROUP ]] || return 0
    kill -TERM -- "-$GROUP" 2>/dev/null || true
    wait_until 10 group_gone "$GROUP" || kill -KILL -- "-$GROUP" 2>/dev/null || true
    GROUP=
}

# True when something listens on this port of the loopback interface.
port_in_use() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# random_secret BYTES: in hexadecimal, which is safe in a URL, in SQL quotes and in redis.conf without escaping.
random_secret() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# A number below 2^32 that is always the same for the same text.
hash_of() { printf '%s' "$*" | cksum | cut -d ' ' -f 1; }

# Exports the NAME=value lines of a file; what is already in the environment wins. Nothing is evaluated.
load_env_file() {
    local name value
    [[ -f $1 ]] || return 0
    while IFS='=' read -r name value || [[ -n $name ]]; do
        [[ $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ && -z ${!name+set} ]] || continue
        export "$name=$value"
    done <"$1"
}
