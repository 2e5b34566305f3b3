# shellcheck shell=bash
# The secrets of a deployment: a folder that only its owner may enter, a value a file. Docker hands each file to those
# services that compose names, and the programs read them by variables that end in _FILE.
#
#   db_password.txt            goldshop_user, who owns the database and migrates it
#   db_app_password.txt        goldshop_app, api and worker
#   db_readonly_password.txt   goldshop_readonly, people with reports of their own
#   db_backup_password.txt     goldshop_backup
#   redis_password.txt         goldshop in Redis
#   grafana_password.txt       admin of Grafana (monitoring); nothing else is made of it, and it is not rotated with the others
#   *_url.txt                  the addresses that are made of these

readonly SECRET_PASSWORDS=(db_password db_app_password db_readonly_password db_backup_password redis_password)

# Made like the others, and told to nobody but Grafana, which reads it when it starts.
readonly SECRET_MONITORING=grafana_password

# Whom the programs run as inside containers (docker/Dockerfile): Docker mounts the files as they are, so that this
# user must be able to read them.
readonly SECRETS_OWNER=10001

secrets_dir() { printf '%s' "${SECRETS_DIR:-$ROOT/secrets}"; }

# The seed's names end in .txt; inside containers they have no such end.
secret_file() { printf '%s/%s%s' "$(secrets_dir)" "$1" "${SECRETS_SUFFIX-.txt}"; }

recall_secret() { tr -d '\r\n' <"$(secret_file "$1")"; }

# write_secret NAME: standard input becomes the secret, for its owner only, at once and whole. It is written into the
# same file when there is one: Docker has mounted that, and would not see another.
write_secret() {
    local file
    file=$(secret_file "$1")
    (umask 077 && cat >"$file.new")
    if [[ -e $file ]]; then
        cat "$file.new" >"$file"
        rm "$file.new"
    else
        mv "$file.new" "$file"
    fi
    chmod 600 "$file"
}

# new_password NAME: makes one, or another one.
new_password() { random_secret 24 | write_secret "$1"; }

# Where the services are seen from each other.
write_urls() {
    local db=@db:5432 redis=@redis:6379
    printf 'postgres://goldshop_user:%s%s/goldshop\n' "$(recall_secret db_password)" "$db" | write_secret database_owner_url
    printf 'postgres://goldshop_app:%s%s/goldshop\n' "$(recall_secret db_app_password)" "$db" | write_secret database_url
    printf 'postgres://goldshop_backup:%s%s/goldshop\n' "$(recall_secret db_backup_password)" "$db" | write_secret database_backup_url
    printf 'postgres://goldshop_backup:%s%s/postgres\n' "$(recall_secret db_backup_password)" "$db" | write_secret database_scratch_url
    printf 'redis://goldshop:%s%s/0\n' "$(recall_secret redis_password)" "$redis" | write_secret redis_url
}

# Inside containers nobody is root. Root hands the files over; anybody else has to be that user already.
hand_over_secrets() {
    if ((EUID == 0)); then
        chown "$SECRETS_OWNER:$SECRETS_OWNER" "$(secrets_dir)"/*.txt
    elif ((EUID != SECRETS_OWNER)); then
        say "The files in $(secrets_dir) must belong to user $SECRETS_OWNER, as whom containers run:"
        say "    sudo chown $SECRETS_OWNER: $(secrets_dir)/*.txt"
    fi
}

# Makes what is missing, and leaves what is there.
ensure_secrets() {
    local name folder
    folder=$(secrets_dir)
    (umask 077 && mkdir -p "$folder")
    chmod 700 "$folder"
    for name in "${SECRET_PASSWORDS[@]}" "$SECRET_MONITORING"; do
        [[ -s $(secret_file "$name") ]] || new_password "$name"
    done
    write_urls
    hand_over_secrets
}
