# shellcheck shell=bash
# Shared by scripts/setup, scripts/demo and scripts/test. Source it after scripts/env.

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

heading() {
    printf '\n==== %s\n' "$*"
}

# Runs the calling script again through sudo if it was not started as root, which apt-get and the namespaces of the
# satellite setting require. Call it as: need_root "$@"
need_root() {
    [ "$EUID" -ne 0 ] || return 0
    command -v sudo >/dev/null ||
        fail "needs root (it installs packages and makes network namespaces), and there is no sudo here: run it as root"
    local keep=() name
    for name in CARGO_HOME RUSTUP_HOME CARGO_TARGET_DIR; do
        [ -z "${!name:-}" ] || keep+=("$name=${!name}")
    done
    exec sudo -- env "${keep[@]}" "$0" "$@"
}

need_cargo() {
    command -v cargo >/dev/null ||
        fail "Rust is needed, and there is no cargo on PATH${SUDO_USER:+, nor in the .cargo folder of $SUDO_USER}: see https://rustup.rs"
}

# Under sudo everything runs as root. Gives the files that it made to the user who called sudo, who could not delete
# them otherwise. Use as: trap give_back EXIT
give_back() {
    [ "${SUDO_UID:-0}" -ne 0 ] || return 0
    local folder
    for folder in "$PROJECT/build" "$TARGET_DIR" "$PROJECT/Cargo.lock" "${CARGO_HOME:-}" "${RUSTUP_HOME:-}"; do
        if [ -e "$folder" ]; then
            find "$folder" -xdev -user root -exec chown -h "$SUDO_UID:$SUDO_GID" {} +
        fi
    done
}

# The start of scripts/demo, scripts/test and scripts/bench: root, Rust, and what scripts/setup installs with this
# option, or with none. Call it as: begin OPTION "$@"
begin() {
    local option=$1
    shift
    need_root "$@"
    need_cargo
    trap give_back EXIT
    cd "$PROJECT" || exit
    scripts/setup ${option:+"$option"}
    # shellcheck source=scripts/env
    . scripts/env # now that everything is there
}

# Prints one line with a checksum for each file of the system-wide ODBC configuration and of the caller's own. The
# output must be the same before and after.
system_odbc_configuration() {
    local path
    for path in /etc/odbc.ini /etc/odbcinst.ini /etc/ODBCDataSources ~/.odbc.ini ~/.odbcinst.ini; do
        if [ -e "$path" ]; then
            find "$path" -exec stat -c '%n %F %a %U:%G' {} \; -type f -exec sha256sum {} \;
        else
            echo "$path absent"
        fi
    done
}

# Fails if the system-wide ODBC configuration has changed since the given output of system_odbc_configuration.
same_system_odbc_configuration() {
    local now
    now=$(system_odbc_configuration)
    [ "$1" = "$now" ] ||
        fail "the ODBC configuration has changed, which nothing here may do. Before: $1. Now: $now"
}
