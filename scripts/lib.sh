# shellcheck shell=bash
# Loads what the scripts share. Each file in lib/ is about one thing.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly ROOT
# The pinned toolchain and cargo's settings are found from the current directory.
cd "$ROOT" || exit 1

# shellcheck source=lib/common.sh
source "$ROOT/scripts/lib/common.sh"
# shellcheck source=lib/programs.sh
source "$ROOT/scripts/lib/programs.sh"
# shellcheck source=lib/instance.sh
source "$ROOT/scripts/lib/instance.sh"
# shellcheck source=lib/oracles.sh
source "$ROOT/scripts/lib/oracles.sh"
# shellcheck source=lib/postgres.sh
source "$ROOT/scripts/lib/postgres.sh"
# shellcheck source=lib/redis.sh
source "$ROOT/scripts/lib/redis.sh"
# shellcheck source=lib/services.sh
source "$ROOT/scripts/lib/services.sh"
# shellcheck source=lib/goldshop.sh
source "$ROOT/scripts/lib/goldshop.sh"
# shellcheck source=lib/running.sh
source "$ROOT/scripts/lib/running.sh"
