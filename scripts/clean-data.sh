#!/usr/bin/env bash
# `make clean-data`: removes the databases, pictures, logs and passwords of this checkout. Built tools stay.
set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

clean_instance() {
    use_instance "$1"
    hold_lock "make clean-data"
    stop_services
    rm -rf "$DATA_DIR" "$INSTANCE_DIR"
}

main() {
    local instance
    for instance in dev test bench drill; do
        [[ ! -d $LOCAL/$instance ]] || clean_instance "$instance"
    done
    rm -f "$LOCAL/services-are-in"
    rmdir "$(fallback_root)" 2>/dev/null || true
    say "This checkout has no data any more; 'make run' makes new."
}

main "$@"
