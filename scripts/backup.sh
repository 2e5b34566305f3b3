#!/usr/bin/env bash
# Makes a backup of everything: the database, Redis, files and settings (docs/operations/backup.md).
#
#   scripts/backup.sh [--incremental] [--note TEXT] [--json]
#
#   --incremental   leave out files that the last backup has
#   --note TEXT     why it is made
#   --json          say what was made as one line of JSON
#
# Without DATABASE_URL and REDIS_URL, in the environment or .env, it is about the private services of this checkout. With
# them, DATABASE_BACKUP_URL is needed, too. BIN_DIR names the folder of the program worker; without it, it is built.
# Exit codes: 0 made, 1 failed, 2 wrong arguments, 3 not begun because another one is being made or a setting is missing.
set -euo pipefail

case ${1-} in
-h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" ;;
*) exec "$(dirname "${BASH_SOURCE[0]}")/dev.sh" backup "$@" ;;
esac
