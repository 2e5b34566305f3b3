# shellcheck shell=bash
# Programs of ours that run in the background: starting, asking, stopping.

# start_program NAME: in a session of its own, so that Ctrl-C reaches it through us and in order. Should we be killed
# with no chance to clean up, the kernel tells it to stop.
start_program() {
    local log=$INSTANCE_DIR/log/$1.log
    fresh_log "$log"
    setpriv --pdeathsig TERM setsid "$BIN_DIR/$1" >"$log" 2>&1 </dev/null 9>&- &
}

program_gone() { ! kill -0 "$1" 2>/dev/null; }

# stop_program PID: asks politely, and waits as long as a job may take to finish.
stop_program() {
    [[ -n $1 ]] || return 0
    kill -TERM "$1" 2>/dev/null || true
    wait_until 30 program_gone "$1" || kill -KILL "$1" 2>/dev/null || true
}

# The address to look at, whatever address the server listens on.
local_address() { sed -e 's/^0\.0\.0\.0:/127.0.0.1:/' -e 's/^\[::\]:/127.0.0.1:/' <<<"$GOLDSHOP_HTTP__ADDRESS"; }

# http_status PATH: the status of one GET request, in plain bash because a fresh machine has no curl.
http_status() {
    local address version status
    address=$(local_address)
    (
        exec 3<>"/dev/tcp/${address%:*}/${address##*:}" || exit 1
        printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
        read -r -t 5 version status <&3 && printf '%s' "${version:+${status%% *}}"
    ) 2>/dev/null
}
