#!/usr/bin/env bash
# Logs of a deployment, readable, of one request or of everything.
#
#   scripts/logs.sh [OPTION...] [SERVICE...]    nginx, backend, worker, db, redis...; all of them unless some are named
#
#   --environment NAME   development (the default), testing or production
#   --follow             goes on
#   --since WHEN         such as 10m, 2h or 2026-11-28T08:00:00
#   --tail N             the last lines of each container: 200
#   --request ID         what nginx, api and worker say about one request (X-Request-Id)
#   --errors             errors and warnings, and answers of nginx from 500 on
set -euo pipefail

case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac

# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=lib/deploy.sh
source "$ROOT/scripts/lib/deploy.sh"

OPTIONS=() SERVICES=() TAIL=200 PATTERN=.
FILE=docker-compose.yml

choose_environment() {
    case $1 in
    development) FILE=docker-compose.yml ;;
    testing) FILE=docker-compose.test.yml COMPOSE_PROJECT_NAME=goldshop_test ;;
    production) FILE=docker-compose.prod.yml ;;
    *) die "unknown environment '$1': development, testing or production" ;;
    esac
}

while (($# > 0)); do
    case $1 in
    --environment) choose_environment "$2" && shift ;;
    --follow) OPTIONS+=(--follow) ;;
    --since) OPTIONS+=(--since "$2") && shift ;;
    --tail) TAIL=$2 && shift ;;
    --request)
        [[ $2 =~ ^[A-Za-z0-9._:-]{1,128}$ ]] || die "that is no request id: $2"
        PATTERN="\"request_id\":\"${2//./\\.}\"" TAIL=all && shift
        ;;
    --errors) PATTERN='"level":"(ERROR|WARN)"|"status":5[0-9][0-9]|\b(ERROR|FATAL|PANIC|WARN)\b|\[(error|crit|alert|emerg)\]' ;;
    -*) die "unknown option $1 (see --help)" ;;
    *) SERVICES+=("$1") ;;
    esac
    shift
done
require_docker
# Nothing that fits is no failure.
compose logs --no-color --timestamps --tail "$TAIL" "${OPTIONS[@]}" "${SERVICES[@]}" | grep --extended-regexp --line-buffered "$PATTERN" || true
