#!/usr/bin/env bash
# Gets a backup back, or a part of it (docs/operations/backup.md).
#
#   scripts/restore.sh BACKUP [--from-s3] [--part database|redis|uploads]... [--into DATABASE] [--overwrite] [--json]
#   scripts/restore.sh --verify [BACKUP [--from-s3]] [--json]
#   scripts/restore.sh --list [--remote] [--json]
#
#   BACKUP            name of a backup, or its folder
#   --from-s3         fetch it out of the bucket that GOLDSHOP_BACKUP__COPY_BUCKET names first, with its parents
#   --part PART       only this part; everything, unless one is named
#   --into DATABASE   the database it is restored into; it is made when it is missing
#   --overwrite       replace what is there
#   --verify          prove that a backup can be restored, in a database that is dropped again; the last one, unless one is named
#   --list            say which backups there are; with --remote those in the bucket
#   --json            say what was done as one line of JSON
#
# Without DATABASE_URL and REDIS_URL, in the environment or .env, it is about the private services of this checkout. With
# them, DATABASE_OWNER_URL is needed, too; to verify, DATABASE_SCRATCH_URL. BIN_DIR names the folder of the program
# worker; without it, it is built. Stop api and worker first, and run `migration up` afterwards.
# Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 refused because something is there already, 4 the backup is not sound.
set -euo pipefail

case ${1-} in
-h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" ;;
--verify)
    shift
    exec "$(dirname "${BASH_SOURCE[0]}")/dev.sh" verify "$@"
    ;;
--list)
    shift
    exec "$(dirname "${BASH_SOURCE[0]}")/dev.sh" backups "$@"
    ;;
*) exec "$(dirname "${BASH_SOURCE[0]}")/dev.sh" restore "$@" ;;
esac
