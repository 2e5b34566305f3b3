# shellcheck shell=bash
# Jobs that do nothing (`queue.probe`), from the commit of their rows to the state `succeeded`, in a shop of their own: how many a second, and how long
# one that is alone waits. Beside them BullMQ with the same promises (jobs_yardstick/bullmq.mjs), on the same PostgreSQL and Redis, in turns.
#
#   PROBES=20000   how many jobs are a round

readonly PROBES=${PROBES:-20000}
readonly PROBE_CLIENTS=16
# How many jobs a worker does at the same time, in the rounds.
readonly PROBES_AT_ONCE=64
readonly PROBE_ROUNDS=3
# How many jobs come alone.
readonly LONE_PROBES=200

readonly BULLMQ=bullmq@6.7.0 IOREDIS=ioredis@5.9.2 NODE_PG=pg@8.23.1
readonly BULLMQ_HOME=$LOCAL/tools/bullmq-6.7.0
# The process of its worker.
YARDSTICK=

# Installed beside our data, once.
ensure_bullmq() {
    ensure_command node nodejs
    if [[ -e $BULLMQ_HOME/complete ]]; then return 0; fi
    ensure_command npm npm
    step "Installing $BULLMQ into .local/tools (once)"
    rm -rf "$BULLMQ_HOME"
    mkdir -p "$BULLMQ_HOME"
    in_own_group npm install --silent --no-save --prefix "$BULLMQ_HOME" "$BULLMQ" "$IOREDIS" "$NODE_PG" >/dev/null
    touch "$BULLMQ_HOME/complete"
}

# The row that the application writes for a job (domain/src/job/new.rs), in a transaction of its own. Ids are of version 7, as there.
write_probe_script() {
    cat >"$WORK/probe.pgbench" <<'SQL'
INSERT INTO job (id, kind, queue, payload, state, attempts, max_attempts, progress, version, priority, created_at)
SELECT (substr(t.hex, 1, 8) || '-' || substr(t.hex, 9) || '-7' || substr(gen_random_uuid()::text, 16))::uuid,
       'queue.probe', 'codes', '{"kind": "queue.probe"}', 'queued', 0, 14, 0, 1, 0, t.at
FROM (SELECT c.at, lpad(to_hex((extract(epoch FROM c.at) * 1000)::bigint), 12, '0') AS hex FROM (SELECT clock_timestamp() AS at) c) t;
SQL
}

# Sets INSERT_RATE. The first commit is told of, as an api does a few milliseconds after a commit; then the worker's own commits tell of the rest.
insert_probes() {
    local output
    { sleep 0.1 && sql "SELECT pg_notify('goldshop_job', '')" >/dev/null; } &
    output=$(PGPASSFILE=$INSTANCE_DIR/pgpass "$PG_BIN/pgbench" --host 127.0.0.1 --port "$(recall postgres-port)" --username goldshop \
        --no-vacuum --protocol prepared --client "$PROBE_CLIENTS" --jobs 2 --transactions "$((PROBES / PROBE_CLIENTS))" \
        --file "$WORK/probe.pgbench" "$POSTGRES_DATABASE" 2>&1 9>&-) || die "pgbench failed: $output"
    grep --quiet '^number of failed transactions: 0 ' <<<"$output" || die "pgbench failed: $output"
    INSERT_RATE=$(sed -n 's/^tps = \([0-9]*\.[0-9]\).*/\1/p' <<<"$output")
}

# await_success TABLE FROM: until none of the jobs since then waits or runs. Looks seldom, for looking takes a part of the machine.
await_success() {
    local deadline=$((SECONDS + 600))
    until [[ $(sql "SELECT count(*) FROM $1 WHERE created_at >= '$2' AND state <> 'succeeded'") == 0 ]]; do
        ((SECONDS < deadline)) || die "the jobs in $1 do not end"
        sleep 1
    done
}

# rate_since TABLE FROM: jobs a second from the first insertion, a little before its commit, to the last success; all of them, at the first attempt.
rate_since() {
    local count rate
    IFS='|' read -r count rate < <(sql "SELECT count(*) FILTER (WHERE attempts = 1), round((count(*) / extract(epoch FROM max(finished_at) - min(created_at)))::numeric, 1)
                                        FROM $1 WHERE created_at >= '$2'")
    ((count == PROBES / PROBE_CLIENTS * PROBE_CLIENTS)) || die "of $PROBES jobs in $1 $count were done, at the first attempt"
    printf '%s' "$rate"
}

# waits_since TABLE FROM: how long jobs waited until they began, in ms: middle, 95th and 99th percentile.
waits_since() {
    sql "SELECT round(p[1]::numeric, 1) || ' ' || round(p[2]::numeric, 1) || ' ' || round(p[3]::numeric, 1)
         FROM (SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM started_at - created_at) * 1000) AS p
               FROM $1 WHERE created_at >= '$2') waited"
}

commits() { sql "SELECT pg_stat_get_db_xact_commit(oid) FROM pg_database WHERE datname = current_database()"; }

# Sets PROBE_RATE, and how many transactions a job was.
run_probes() {
    local since before
    since=$(sql 'SELECT clock_timestamp()')
    before=$(commits)
    insert_probes
    await_success job "$since"
    PROBE_RATE=$(rate_since job "$since")
    # Processes tell of what they have done after a second, or when they are idle.
    sleep 2
    PROBE_COMMITS=$(awk "BEGIN { printf \"%.2f\", ($(commits) - $before) / $PROBES }")
}

make_yardstick() {
    private_psql --quiet --set ON_ERROR_STOP=1 >/dev/null <<'SQL'
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS yardstick CASCADE;
CREATE SCHEMA yardstick;
CREATE TABLE yardstick.job (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL,
    payload     jsonb NOT NULL,
    state       text NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL,
    started_at  timestamptz,
    finished_at timestamptz
);
CREATE INDEX job_unfinished ON yardstick.job (created_at) WHERE state <> 'succeeded';
SQL
}

# bullmq ROLE NUMBER...
bullmq() { YARDSTICK_DATABASE_URL=$(postgres_owner_url) in_own_group node "$ROOT/scripts/bench/jobs_yardstick/bullmq.mjs" "$BULLMQ_HOME" "$@"; }

yardstick_works() { grep --quiet --no-messages 'at work' "$INSTANCE_DIR/log/bullmq.log"; }

start_yardstick() {
    fresh_log "$INSTANCE_DIR/log/bullmq.log"
    YARDSTICK_DATABASE_URL=$(postgres_owner_url) setpriv --pdeathsig TERM setsid node "$ROOT/scripts/bench/jobs_yardstick/bullmq.mjs" "$BULLMQ_HOME" \
        work "$PROBES_AT_ONCE" >"$INSTANCE_DIR/log/bullmq.log" 2>&1 </dev/null 9>&- &
    YARDSTICK=$!
    poll yardstick_works
}

stop_yardstick() { stop_program "$YARDSTICK" && YARDSTICK=; }

# Sets BULLMQ_RATE.
run_bullmq() {
    local since
    since=$(sql 'SELECT clock_timestamp()')
    start_yardstick
    bullmq enqueue "$((PROBES / PROBE_CLIENTS * PROBE_CLIENTS))" "$PROBE_CLIENTS"
    await_success yardstick.job "$since"
    stop_yardstick
    BULLMQ_RATE=$(rate_since yardstick.job "$since")
}

ask_for_probe() {
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    ask 'mutation($input: JobEnqueueInput!) { jobEnqueue(input: $input) { job { id } userErrors { code path } } }' \
        '{"input": {"errand": "PROBE_QUEUE"}}' '.data.jobEnqueue.job.id' >/dev/null
}

# One at a time through the front door, a random 50 to 250 ms after the one before was answered.
measure_lone_probes() {
    local since number p50 p95 p99
    step "Jobs that come alone"
    since=$(sql 'SELECT clock_timestamp()')
    for ((number = 0; number < LONE_PROBES; number++)); do
        sleep "0.$(printf '%03d' $((50 + RANDOM % 200)))"
        ask_for_probe
    done
    await_success job "$since"
    read -r p50 p95 p99 < <(waits_since job "$since")
    report_limit "a job that is alone, from the beginning of the transaction that asks for it to its own: median of $LONE_PROBES" "$p50" ms 20
    report_fact "the same, p95" "$p95" ms
    report_fact "the same, p99" "$p99" ms
}

measure_lone_bullmq() {
    local since p50 p95 p99
    step "Jobs of BullMQ that come alone"
    since=$(sql 'SELECT clock_timestamp()')
    start_yardstick
    bullmq idle "$LONE_PROBES"
    await_success yardstick.job "$since"
    stop_yardstick
    read -r p50 p95 p99 < <(waits_since yardstick.job "$since")
    report_fact "$BULLMQ the same: median, p95 and p99" "$p50, $p95, $p99" ms
}

# Our worker and BullMQ's take turns; the other one does not run meanwhile.
measure_probe_rounds() {
    local round rounds=()
    step "Jobs that come in crowds"
    for ((round = 0; round < PROBE_ROUNDS; round++)); do
        GOLDSHOP_WORKER__CODE_CONCURRENCY=$PROBES_AT_ONCE start_worker
        run_probes
        stop_worker
        run_bullmq
        rounds+=("$PROBE_RATE $BULLMQ_RATE $INSERT_RATE $PROBE_COMMITS")
        say "${rounds[-1]}"
    done
    read -r PROBE_RATE BULLMQ_RATE INSERT_RATE PROBE_COMMITS < <(printf '%s\n' "${rounds[@]}" | sort --general-numeric-sort | sed -n "$((PROBE_ROUNDS / 2 + 1))p")
    report_line "$PROBES jobs by $PROBE_CLIENTS clients, $PROBES_AT_ONCE at a time, from the first commit to the last success, middle of $PROBE_ROUNDS" \
        "$PROBE_RATE /s" "≥ 1500 /s" "$(compare "$PROBE_RATE >= 1500")"
    report_fact "$BULLMQ in the same round" "$BULLMQ_RATE" /s
    report_fact "ratio" "$(awk "BEGIN { printf \"%.2f\", $PROBE_RATE / $BULLMQ_RATE }")" ""
    report_fact "jobs asked for meanwhile, as long as that took" "$INSERT_RATE" /s
    report_fact "transactions of PostgreSQL a job, the one that asks for it included" "$PROBE_COMMITS" ""
}

measure_probes() {
    ensure_bullmq
    drop_shop goldshop_probes
    open_shop goldshop_probes 1
    make_yardstick
    write_probe_script
    report_begin "Jobs: a new shop, with an api. Redis: appendonly yes, appendfsync everysec, for both."
    measure_lone_probes
    stop_worker
    measure_lone_bullmq
    measure_probe_rounds
    report_end
}
