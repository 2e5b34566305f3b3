# shellcheck shell=bash
# The whole catalogue into a file, and from there into another shop, while somebody asks its api for single items.

# The load beside an import: four connections that pause between 5 and 15 ms.
readonly PATIENT=4

# What a catalogue of a million items with all its columns needs.
allow_large_files() {
    export GOLDSHOP_IMPORT__MAX_BYTES=1073741824 GOLDSHOP_HTTP__UPLOAD_LIMIT_BYTES=1073741824
}

# job_state QUERY ID: what has become of the job of an export or import.
job_state() { ask "query(\$id: ID!) { it: $1(id: \$id) { job { state } } }" "{\"id\": \"$2\"}" '.data.it.job.state'; }

job_has_ended() { [[ $(job_state "$1" "$2") =~ ^(SUCCEEDED|DEAD)$ ]]; }

# finish_job QUERY ID KIND: waits for it, and prints the seconds from its beginning to its end. Asks seldom, for that takes a core.
finish_job() {
    local deadline=$((SECONDS + 1200))
    until job_has_ended "$1" "$2"; do
        ((SECONDS < deadline)) || die "'$1' does not end"
        sleep 2
    done
    [[ $(job_state "$1" "$2") == SUCCEEDED ]] || die "'$1' has failed"
    sql "SELECT round(extract(epoch FROM finished_at - started_at)) FROM job WHERE kind = '$3' ORDER BY id DESC LIMIT 1"
}

# The most memory that the worker ever had, in MB.
worker_peak() { awk '/^VmHWM:/ { printf "%d", $2 / 1024 }' "/proc/$WORKER/status"; }

# Into $WORK/items.csv.
measure_export() {
    local id seconds url
    step "Exporting the catalogue"
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    id=$(ask 'mutation($input: ItemExportCreateInput!) { itemExportCreate(input: $input) { itemExport { id } userErrors { code } } }' \
        '{"input": {"locale": "en"}}' '.data.itemExportCreate.itemExport.id')
    seconds=$(finish_job itemExport "$id" item.export)
    report_limit "exporting $(sql 'SELECT row_count FROM item_export ORDER BY id DESC LIMIT 1') items" "$seconds" s 60
    report_limit "worker: most memory while exporting" "$(worker_peak)" MB 200
    # shellcheck disable=SC2016
    url=$(ask 'query($id: ID!) { itemExport(id: $id) { job { files { url } } } }' "{\"id\": \"$id\"}" '.data.itemExport.job.files[0].url')
    curl --silent --show-error --fail --max-time 300 --config "$WORK/curl-token" --output "$WORK/items.csv" "http://$(local_address)/${url#*://*/}"
}

# begin_import FILE: prints the import's id.
begin_import() {
    # shellcheck disable=SC2016 # GraphQL's dollar, not the shell's
    curl --silent --show-error --fail-with-body --max-time 300 --config "$WORK/curl-token" --header 'graphql-require-preflight: 1' \
        --form 'operations={"query": "mutation($input: ItemImportCreateInput!) { itemImportCreate(input: $input) { itemImport { id } userErrors { code } } }", "variables": {"input": {"file": null}}}' \
        --form 'map={"0": ["variables.input.file"]}' --form "0=@$1;type=text/csv" "$URL" |
        jq --exit-status --raw-output '.data.itemImportCreate.itemImport.id' || die "the file was refused"
}

# Sets LOADED. A load that has been stopped tells what it has seen until then.
read_load() {
    local wrong failed
    read -r wrong failed LOADED < <(sed -n 's/^result //p' "$1") || die "wrk failed: $(<"$1")"
    [[ ${LOADED%% *} -gt 0 && $wrong == 0 && $failed == 0 ]] || die "of ${LOADED%% *} answers $failed failed: $(<"$1")"
}

# As docs/operations/imports.md advises for an api that shares its cores with imports; where we may.
let_api_go_first() { chrt --all-tasks --rr --pid 1 "$API" 2>/dev/null || step "The api has no real-time priority: only root may give it"; }

# The rows of the file become items of a shop that has only the demo's.
measure_import() {
    local id seconds idle wrk
    [[ $(head -n 1 "$WORK/items.csv") == *sku* ]] || die "there is nothing to import"
    private_psql --quiet --dbname postgres --command 'DROP DATABASE IF EXISTS goldshop_import' >/dev/null
    open_database goldshop_import 1
    start_worker
    finish_jobs
    write_sampled_cases item
    let_api_go_first
    step "Importing $(($(wc -l <"$WORK/items.csv") - 1)) lines"
    run_load item "$PATIENT" 20 pause
    idle=$(cut -d ' ' -f 5 <<<"$LOADED")
    run_wrk item "$PATIENT" 1800 pause >"$WORK/beside" &
    wrk=$!
    id=$(begin_import "$WORK/items.csv")
    seconds=$(finish_job itemImport "$id" item.import)
    pkill -INT -P "$wrk" wrk || kill -INT "$wrk"
    wait "$wrk" || true
    read_load "$WORK/beside"
    report_limit "importing $(sql "SELECT created || ' new and ' || updated + unchanged || ' known' FROM item_import ORDER BY id DESC LIMIT 1") items" \
        "$seconds" s 300
    report_limit "worker: most memory while importing" "$(worker_peak)" MB 200
    report_fact "item by id, $PATIENT patient connections, nothing else: p99" "$idle" ms
    report_limit "the same while importing: p99" "$(cut -d ' ' -f 5 <<<"$LOADED")" ms "$(calculate "2 * $idle")"
    [[ $(sql 'SELECT failed FROM item_import ORDER BY id DESC LIMIT 1') == 0 ]] || die "rows were refused"
    stop_worker
}
