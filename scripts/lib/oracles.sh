# shellcheck shell=bash
# Programs of others that the tests compare our books with, and the benchmark our pictures.

readonly BEANCOUNT=beancount==3.2.3 BEANQUERY=beanquery==0.2.0
readonly BEANCOUNT_HOME=$LOCAL/tools/beancount-3.2.3
readonly PILLOW=pillow==13.0.0
readonly PILLOW_HOME=$LOCAL/tools/pillow-13.0.0

# What reads our journals and tells whether it sees the same: hledger and beancount.
ensure_ledger_oracles() {
    ensure_command hledger hledger
    export BEANCOUNT_BIN=$BEANCOUNT_HOME/bin
    ensure_python "$BEANCOUNT_HOME" "$BEANCOUNT" "$BEANQUERY"
}

# What makes pictures smaller, as others do.
ensure_picture_makers() {
    ensure_command vipsthumbnail libvips-tools
    ensure_python "$PILLOW_HOME" "$PILLOW"
}

# ensure_python FOLDER PACKAGE...: a Python of its own with these, beside our data, once.
ensure_python() {
    if [[ -e $1/complete ]]; then return 0; fi
    step "Installing ${*:2} into .local/tools (once)"
    python3 -m venv --help >/dev/null 2>&1 || install_packages python3-venv
    rm -rf "$1"
    in_own_group python3 -m venv "$1" || {
        install_packages python3-venv
        in_own_group python3 -m venv "$1"
    }
    in_own_group "$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}"
    touch "$1/complete"
}
