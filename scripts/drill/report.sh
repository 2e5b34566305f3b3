# shellcheck shell=bash
# What a drill has measured.

# lost_of WAY: how many of the writes that were acknowledged are not there any more, how many there were, and how many milliseconds before
# the last of them the last one was made that is there.
lost_of() {
    awk 'FILENAME == ARGV[1] { found[$1] = 1; next }
        { if (!count) first = $1; last = $1; count++; if ($2 in found) kept = $1; else lost++ }
        END { if (!lost) kept = last; if (kept == "") kept = first; printf "%d %d %d\n", lost, count, (last - kept) / 1000 }' \
        "$WORK/found.$1" "$WORK/written"
}

# results_as_json: one object for each way.
results_as_json() {
    local way ready written lost count age
    while read -r way ready written; do
        read -r lost count age <"$WORK/lost.$way"
        jq --null-input --compact-output --arg way "$way" --argjson ready "$ready" --argjson written "$written" --argjson lost "$lost" \
            --argjson count "$count" --argjson age "$age" \
            '{way: $way, writes: $count, lostWrites: $lost, rpoMilliseconds: $age, rtoMilliseconds: $ready, firstWriteMilliseconds: $written}'
    done <"$WORK/times" | jq --slurp --compact-output --argjson seconds "$DURATION" --argjson archiveTimeout "$ARCHIVE_TIMEOUT" \
        --argjson databaseBytes "$(database_bytes)" \
        '{seconds: $seconds, archiveTimeout: $archiveTimeout, databaseBytes: $databaseBytes, results: .}'
}

database_bytes() { private_psql --quiet --tuples-only --no-align --command 'SELECT pg_database_size(current_database())'; }

tell_results() {
    local json
    json=$(results_as_json)
    if ((JSON)); then
        printf '%s\n' "$json"
        return
    fi
    jq --raw-output '["WAY", "WRITES", "LOST", "RPO S", "RTO S", "FIRST WRITE S"],
        (.results[] | [({log: "archive of the log", backup: "backup of the night"}[.way]), .writes, .lostWrites,
                       .rpoMilliseconds / 1000, .rtoMilliseconds / 1000, .firstWriteMilliseconds / 1000]) | @tsv' <<<"$json" |
        awk -F '\t' '{ printf "%-20s %8s %8s %8s %8s %14s\n", $1, $2, $3, $4, $5, $6 }'
    jq --raw-output '"People wrote for \(.seconds) s; archive_timeout is \(.archiveTimeout) s; the database has \(.databaseBytes / 1000000 | floor) MB."' <<<"$json"
}
