# shellcheck shell=bash
# Checks that are told one a line, passed or failed, and counted. Where CHECKS names a file, they are written into it as well.

PASSED=0 FAILED=0

tell() {
    printf '%s\n' "$1"
    [[ -z ${CHECKS-} ]] || printf '%s\n' "$1" >>"$CHECKS"
}

passed() {
    PASSED=$((PASSED + 1))
    tell "passed  $1"
}

failed() {
    FAILED=$((FAILED + 1))
    tell "failed  $*"
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
