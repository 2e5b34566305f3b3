# shellcheck shell=bash
# The shop of a drill: opening it, its backups, and those who write.

# Process ids of those who write.
CLERKS=()
CATEGORY=
UNIT=
BACKUP=

# Where the log of the cluster that is lost is archived.
archive_dir() { printf '%s/postgres.archive' "$DATA_DIR"; }

open_shop() {
    PLACE=postgres
    make_data_dir
    mkdir -p "$WORK"
    ensure_secret postgres-replication-password 24
    # PostgreSQL calls it, whose account may not be able to enter the checkout.
    cp "$ROOT/scripts/pitr.sh" "$DATA_DIR/pitr.sh"
    chmod 755 "$DATA_DIR/pitr.sh"
    step "Opening a shop"
    start_services
    export ENVIRONMENT=production
    set_surroundings
    migrate
    hire_owner
    choose_own_address
    start_api
    if program_gone "$API"; then die_with_log "the api has ended" "$INSTANCE_DIR/log/api.log"; fi
    with_backup_role start_worker
    say "The api is ready after $API_READY_MS ms, the worker after $WORKER_READY_MS ms."
    make_token
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    CATEGORY=$(ask 'mutation($input: CategoryCreateInput!) { categoryCreate(input: $input) { category { id } userErrors { code } } }' \
        '{"input": {"name": [{"language": "en", "text": "Drill"}]}}' .data.categoryCreate.category.id)
    UNIT=$(ask '{ unitsOfMeasure { id code } }' '{}' '.data.unitsOfMeasure[] | select(.code == "piece") | .id')
}

# A port that nobody else looks for, right before the start: what is written must reach no other shop.
choose_own_address() {
    claim_port http-port
    GOLDSHOP_HTTP__ADDRESS=127.0.0.1:$(recall http-port)
    export GOLDSHOP_HTTP__ADDRESS
    set_bench_surroundings
}

# The demo shop with its owner, or the owner alone.
hire_owner() {
    if ((DEMO)); then
        if ((ITEMS > 0)); then load_demo --items "$ITEMS" >&2; else load_demo >&2; fi
        return
    fi
    ensure_secret demo-password 9
    recall demo-password | "$BIN_DIR/worker" user create --email owner@drill.example --name Owner >"$INSTANCE_DIR/demo.out" 9>&- ||
        die "the owner could not be made"
    remember demo-login "$(sed -n 's/^login: *//p' "$INSTANCE_DIR/demo.out")"
    rm -f "$INSTANCE_DIR/demo.out"
}

# What is there each night: a backup, and a base for the archive of the log.
back_up() {
    step "Making the backup of the night, and a base for the archive, while people write"
    wait_until 30 test -s "$WORK/written.1" || die "nobody writes"
    BACKUP=$(backups backup --json | jq --exit-status --raw-output .backup) || die "the backup failed"
    printf '127.0.0.1:%s:*:goldshop_replication:%s\n' "$(recall postgres-port)" "$(recall postgres-replication-password)" |
        write_for_service "$DATA_DIR/pgpass-replication"
    as_service env PGHOST=127.0.0.1 "PGPORT=$(recall postgres-port)" PGUSER=goldshop_replication \
        "PGPASSFILE=$DATA_DIR/pgpass-replication" bash "$DATA_DIR/pitr.sh" base "$(archive_dir)" >&2 || die "the base backup failed"
}

# create_item SKU: true when the api has said that it is there.
create_item() {
    local answer
    answer=$(curl --silent --max-time 10 --config "$WORK/curl-token" --header 'Content-Type: application/json' --data-binary \
        "{\"query\": \"mutation(\$input: ItemCreateInput!) { itemCreate(input: \$input) { item { id } userErrors { code } } }\",
          \"variables\": {\"input\": {\"sku\": \"$1\", \"name\": [{\"language\": \"en\", \"text\": \"$1\"}],
                                      \"categoryId\": \"$CATEGORY\", \"unitId\": \"$UNIT\"}}}" "$URL") || return
    [[ $answer == *'"itemCreate":{"item":{"id":'* ]]
}

# clerk NUMBER: creates one item after the other, and writes down each of which it was told that it is there, with the moment.
clerk() {
    local count=0
    while [[ ! -e $WORK/closed ]]; do
        count=$((count + 1))
        if create_item "DRILL-$1-$count"; then printf '%s DRILL-%d-%d\n' "$(now_us)" "$1" "$count" >>"$WORK/written.$1"; fi
    done
}

start_writers() {
    local number
    rm -f "$WORK/closed"
    for ((number = 1; number <= WRITERS; number++)); do
        clerk "$number" 9>&- &
        CLERKS+=("$!")
    done
}

stop_writers() {
    [[ ! -d $WORK ]] || touch "$WORK/closed"
    ((${#CLERKS[@]} == 0)) || wait "${CLERKS[@]}" 2>/dev/null || true
    CLERKS=()
}
