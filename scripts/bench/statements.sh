# shellcheck shell=bash
# The SQL behind each row, taken from PostgreSQL's log while the api answers one request, and made into scripts for
# pgbench. So pgbench executes what the api executes, whatever that is by now.

# set_logging all|none: for as long as statements are captured.
set_logging() {
    write_postgres_conf
    printf "log_statement = '%s'\n" "$1" | as_service tee -a "$(postgres_dir)/postgresql.conf" >/dev/null
    as_service "$PG_BIN/pg_ctl" reload --silent --pgdata "$(postgres_dir)"
    poll logging_is "$1"
}

logging_is() { [[ $(private_psql --quiet --tuples-only --no-align --command 'SHOW log_statement') == "$1" ]]; }

# Reads the log of PostgreSQL from a byte on: each statement on the catalogue in one line, and after a tab each of its
# parameters as name=value.
statements_since() {
    tail -c "+$1" "$DATA_DIR/postgres.log" | awk '
        function flush() { if (text ~ /FROM (item|category)/) print text parameters; text = ""; parameters = "" }
        /^[0-9-]+ [0-9:.]+ UTC \[/ { inside = 0 }
        /LOG:  execute / { flush(); sub(/.*LOG:  execute [^:]*: /, ""); text = $0; inside = 1; next }
        /DETAIL:  parameters: / {
            sub(/.*DETAIL:  parameters: /, "")
            while (match($0, /^\$[0-9]+ = (NULL|\x27[^\x27]*\x27)/)) {
                part = substr($0, 2, RLENGTH - 1); gsub(/\x27/, "", part); sub(/ = /, "=", part)
                parameters = parameters "\t" part; $0 = substr($0, RLENGTH + 3)
            }
            next
        }
        inside && /^\t/ { sub(/^\t+/, " "); text = text $0 }
        END { flush() }'
}

# capture ROW LINE: sends the request of that line of the row's cases, and keeps what it executed.
capture() {
    local row=$1 position variables
    variables=$(sed -n "$2p" "$WORK/$row.cases" | cut -f 1)
    ask "$(document "$row")" "$variables" '.data | keys | length' >/dev/null
    position=$(($(stat --format %s "$DATA_DIR/postgres.log") + 1))
    ask "$(document "$row")" "$variables" '.data | keys | length' >/dev/null
    statements_since "$position" >"$WORK/$row.statements"
    [[ -s $WORK/$row.statements ]] || die "no statement of '$row' in the log of PostgreSQL"
}

# The GraphQL document of a row, without line breaks.
document() { tr -s ' \n' ' ' <"$ROOT/scripts/bench/documents/$(document_name "$1").graphql"; }

# A page whose cursor is in the sample gets what varies from there; all else stays as it was captured.
capture_all() {
    local row
    for row in "${ROWS[@]}"; do
        capture "$row" 1
        write_pgbench_script "$row"
        explain "$row"
    done
}

# How many requests one run of a script stands for: the statement that picks their ids is thereby a small part.
readonly PICKED=25

# What was bound in the captured request, by the name of the sample's column.
sample_value() {
    private_psql --quiet --tuples-only --no-align --command "SELECT $2 FROM bench.$1 WHERE n = 1"
}

has_sample() { [[ $1 != tree* ]]; }

write_pgbench_script() {
    local row=$1 number
    if has_sample "$row"; then
        {
            picker "$row"
            for ((number = 1; number <= PICKED; number++)); do parametrised "$row" "$number"; done
        } >"$WORK/$row.pgbench"
    else
        parametrised "$row" 1 >"$WORK/$row.pgbench"
    fi
}

# Chooses a random stretch of the sample, and keeps its values as id_1, sku_1, categories_1, id_2 ...
picker() {
    local number columns=()
    for ((number = 1; number <= PICKED; number++)); do
        columns+=("id[$number] AS id_$number, sku[$number] AS sku_$number, categories[$number] AS categories_$number")
    done
    printf '\\set place random(1, %d)\n' "$(($(wc -l <"$WORK/$1.cases") - PICKED))"
    printf 'SELECT %s FROM (SELECT array_agg(id) AS id, array_agg(sku) AS sku, array_agg(categories) AS categories' \
        "$(IFS=,; printf '%s' "${columns[*]}")"
    printf ' FROM bench.%s WHERE n BETWEEN :place AND :place + %d) s \\gset\n' "$1" "$((PICKED - 1))"
}

# parametrised ROW NUMBER: the row's statements with pgbench's variables for the values that the sample knows, and
# variables with fixed values for the others.
parametrised() {
    local row=$1 number=$2 line text index parameters
    while IFS= read -r line; do
        IFS=$'\t' read -r -a parameters <<<"$line"
        text=${parameters[0]}
        for ((index = ${#parameters[@]} - 1; index > 0; index--)); do
            text=${text//"\$$index"/$(variable_for "$row" "$number" "${parameters[index]#*=}")}
        done
        printf '%s;\n' "$text"
    done <"$WORK/$row.statements"
}

# A value that the sample does not know becomes the variable fixed_<value>, given to pgbench by pgbench_definitions.
variable_for() {
    local column
    if has_sample "$1"; then
        for column in id sku categories; do
            if [[ $3 == "${SAMPLED[$1.$column]}" ]]; then
                printf ':%s_%d' "$column" "$2"
                return
            fi
        done
    fi
    [[ $3 =~ ^[A-Za-z0-9]+$ ]] || die "the value '$3' of row '$1' is not part of the sample"
    printf ':fixed_%s' "$3"
}

pgbench_definitions() {
    grep --only-matching --no-filename ':fixed_[A-Za-z0-9]*' "$WORK/$1.pgbench" | sort --unique |
        sed 's/^:fixed_\(.*\)/--define=fixed_\1=\1/'
}

# The plan of each statement with the captured values.
explain() {
    local line text index parameters
    while IFS= read -r line; do
        IFS=$'\t' read -r -a parameters <<<"$line"
        text=${parameters[0]}
        for ((index = ${#parameters[@]} - 1; index > 0; index--)); do
            text=${text//"\$$index"/"'${parameters[index]#*=}'"}
        done
        printf '\n%s\n' "$text"
        private_psql --quiet --tuples-only --no-align --command \
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, BUFFERS, SUMMARY) $text"
    done <"$WORK/$1.statements" >"$WORK/$1.plan"
}
