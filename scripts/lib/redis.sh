# shellcheck shell=bash
# The private Redis of an instance: loopback only, with a password.

redis_dir() { printf '%s/redis' "$DATA_DIR"; }

redis_running() { runs_in "$(redis_dir)/redis.pid" "$(redis_dir)"; }

redis_url() { printf 'redis://:%s@127.0.0.1:%s/0' "$(recall redis-password)" "$(recall redis-port)"; }

redis_persistence() { if [[ $INSTANCE == test ]]; then echo no; else echo yes; fi; }

# The password is in this file and nowhere else on the server's side, so only the service user may read it.
write_redis_conf() {
    as_service mkdir -p "$(redis_dir)"
    write_for_service "$(redis_dir)/redis.conf" <<CONF
# Written by scripts/lib/redis.sh at each start.
bind 127.0.0.1
port $(recall redis-port)
requirepass $(recall redis-password)
dir "$(redis_dir)"
daemonize no
pidfile "$(redis_dir)/redis.pid"
logfile "$DATA_DIR/redis.log"
appendonly $(redis_persistence)
save ""
maxmemory 1gb
maxmemory-policy noeviction
CONF
}

# Speaks to Redis directly, because redis-cli is a package of its own on some systems.
redis_accepts() {
    local reply
    exec 3<>"/dev/tcp/127.0.0.1/$(recall redis-port)" || return 1
    printf 'AUTH %s\r\nPING\r\n' "$(recall redis-password)" >&3
    read -r -t 2 reply <&3 && read -r -t 2 reply <&3
    exec 3>&-
    [[ $reply == +PONG* ]]
}

redis_ready() { redis_running && (redis_accepts) 2>/dev/null; }

# True when Redis is ready, or has given up.
redis_settled() { redis_ready || [[ ! -d /proc/$1 ]]; }

# Redis is a child in a session of its own rather than its own daemon, so that an early end is seen at once. It may
# take a while to read a large append-only file.
launch_redis() {
    rm -f "$(redis_dir)/redis.pid"
    exec_as_service setsid "$REDIS_SERVER" "$(redis_dir)/redis.conf" >/dev/null 2>&1 </dev/null &
    wait_until 60 redis_settled "$!" && redis_ready
}

start_redis() {
    local log=$DATA_DIR/redis.log
    ensure_secret redis-password 24
    if redis_running; then return 0; fi
    fresh_log "$log"
    claim_port redis-port
    write_redis_conf
    if ! launch_redis; then
        claim_port redis-port
        write_redis_conf
        launch_redis || die_with_log "Redis does not start" "$log"
    fi
}

redis_gone() { ! redis_running; }

# SIGTERM makes Redis write what it holds and leave.
stop_redis() {
    local pid
    redis_running || return 0
    read -r pid <"$(redis_dir)/redis.pid"
    kill -TERM "$pid"
    wait_until 20 redis_gone || kill -KILL "$pid"
}
