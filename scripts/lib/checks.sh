# shellcheck shell=bash
# Checks that are told one a line, passed or failed, and counted.

PASSED=0 FAILED=0

passed() {
    PASSED=$((PASSED + 1))
    printf 'passed  %s\n' "$1"
}

failed() {
    FAILED=$((FAILED + 1))
    printf 'failed  %s\n' "$*"
}

# check NAME COMMAND...: what the command says about its failure is shown. It runs in a shell of its own: what it sets is
# forgotten.
check() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then passed "$name"; else failed "$name:" "${said//$'\n'/; }"; fi
}

wrong() {
    printf '%s\n' "$*"
    return 1
}
