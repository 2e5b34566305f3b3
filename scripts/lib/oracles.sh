# shellcheck shell=bash
# Programs of others that the tests compare our books with.

readonly BEANCOUNT=beancount==3.2.3 BEANQUERY=beanquery==0.2.0
readonly BEANCOUNT_HOME=$LOCAL/tools/beancount-3.2.3

# What reads our journals and tells whether it sees the same: hledger and beancount. The latter is installed beside our data, once.
ensure_ledger_oracles() {
    ensure_command hledger hledger
    export BEANCOUNT_BIN=$BEANCOUNT_HOME/bin
    if [[ -e $BEANCOUNT_HOME/complete ]]; then return 0; fi
    step "Installing $BEANCOUNT and $BEANQUERY into .local/tools (once)"
    python3 -m venv --help >/dev/null 2>&1 || install_packages python3-venv
    rm -rf "$BEANCOUNT_HOME"
    in_own_group python3 -m venv "$BEANCOUNT_HOME" || {
        install_packages python3-venv
        in_own_group python3 -m venv "$BEANCOUNT_HOME"
    }
    in_own_group "$BEANCOUNT_BIN/pip" install --quiet --disable-pip-version-check "$BEANCOUNT" "$BEANQUERY"
    touch "$BEANCOUNT_HOME/complete"
}
