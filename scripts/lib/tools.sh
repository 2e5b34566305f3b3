# shellcheck shell=bash
# Tools of cargo's in .local/tools, each in the version that its user pins.

readonly TOOLS=$LOCAL/tools

# Some tell their version, of the others cargo keeps a list.
has_cargo_tool() {
    [[ $("$1" --version 2>/dev/null) == "$1 $2" ]] ||
        { [[ -x $TOOLS/bin/$1 ]] && grep --quiet --fixed-strings "\"$1 $2 " "$TOOLS/.crates.toml" 2>/dev/null; }
}

# ensure_cargo_tool NAME VERSION [OPTION...]: has it compiled, once, beside our data; nothing of the machine is touched. The version is
# pinned, so that a new release cannot fail a change that has nothing to do with it. Afterwards it is found by its name.
ensure_cargo_tool() {
    PATH=$TOOLS/bin:$PATH
    if has_cargo_tool "$1" "$2"; then return 0; fi
    step "Installing $1 $2 into .local/tools (a minute or two, once)"
    in_own_group cargo install "$1" --version "$2" --locked --quiet --root "$TOOLS" "${@:3}"
    has_cargo_tool "$1" "$2" || die "$1 $2 does not run"
}
