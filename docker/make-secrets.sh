#!/usr/bin/env bash
# Makes the secrets of a development or test stack inside a volume, the first time; production has files (scripts/deploy.sh).
#
#   docker/make-secrets.sh [FOLDER]    /run/secrets unless one is named
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
case ${1-} in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//; /^set /d; p }' "$0" && exit ;; esac
export SECRETS_DIR=${1:-/run/secrets} SECRETS_SUFFIX=
# Beside this script in the image, in scripts/ of a checkout.
LIB=$HERE/lib
[[ -d $LIB ]] || LIB=$HERE/../scripts/lib
# shellcheck source=../scripts/lib/common.sh
source "$LIB/common.sh"
# shellcheck source=../scripts/lib/secrets.sh
source "$LIB/secrets.sh"
ensure_secrets
