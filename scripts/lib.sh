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
    local keep=() name
    # Rust's folders, what the tests read, and the way to the network.
    for name in CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN CARGO_TARGET_DIR PROPTEST_CASES "${!LOOPBACK_ODBC_@}" "${!DIFFERENTIAL_@}" \
        http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        # Of those that scripts/env exports, it makes the same again.
        case $name in DIFFERENTIAL | DIFFERENTIAL_SPY) continue ;; esac
        [ -z "${!name:-}" ] || keep+=("$name=${!name}")
    done
    exec sudo -- env "${keep[@]}" "$0" "$@"
}

# Rust, no older than Cargo.toml asks for.
need_cargo() {
    local wanted found
    command -v cargo >/dev/null ||
        fail "cargo was not found on PATH, nor in ~/.cargo/bin${SUDO_USER:+ of $SUDO_USER}. Install Rust from https://rustup.rs"
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$PROJECT/Cargo.toml")
    # rustup without a toolchain fails here, and says why.
    found=$(rustc --version) || fail "rustc does not run. With rustup: rustup default stable"
    found=$(awk '{ print $2 }' <<<"$found")
    [ "$(printf '%s\n' "$wanted" "${found%%-*}" | sort -V | head -n 1)" = "$wanted" ] ||
        fail "Rust $found ($(command -v rustc)) is too old: $wanted or newer is needed. With rustup: rustup update stable." \
            "Otherwise install Rust from https://rustup.rs"
}

# How many megabytes of disk the project's folders take with everything built, and the packages that are installed.
SPACE_DEMO=(700 600)
SPACE_TESTS=(5000 900)
SPACE_WINDOWS=(4000 1100)
SPACE_DIST=(6500 1200)

# Fails if this machine cannot run what the caller is going to do, before anything is installed. Each message says what to do. Goes on as
# root. OPTION is that of scripts/setup, or --windows or --dist. Call it as: need_machine OPTION "$@"
need_machine() {
    local option=$1 folder space=("${SPACE_DEMO[@]}") free packages_free
    shift
    [ "$(uname -sm)" = 'Linux x86_64' ] ||
        fail "this machine is $(uname -sm): Microsoft's driver comes from PyPI for Linux on x86-64. Use such a machine"
    command -v apt-get >/dev/null ||
        fail "apt-get was not found: this installs packages of Debian or Ubuntu. Use such a machine, or build alone: make build"
    need_cargo
    [ "$option" != --windows ] || space=("${SPACE_WINDOWS[@]}")
    [ "$option" != --dist ] || space=("${SPACE_DIST[@]}")
    if [ "$option" = --tests ]; then
        space=("${SPACE_TESTS[@]}")
        cargo fmt --version >/dev/null 2>&1 || fail "cargo fmt is missing. With rustup: rustup component add rustfmt"
        cargo clippy --version >/dev/null 2>&1 || fail "cargo clippy is missing. With rustup: rustup component add clippy"
    fi
    [ "$EUID" -eq 0 ] || command -v sudo >/dev/null ||
        fail "root is needed to install packages and to make namespaces, and sudo was not found. Run this as root"
    need_root "$@"
    unshare --mount --net --pid --ipc --fork --mount-proc true 2>/dev/null ||
        fail "namespaces cannot be made here. Scripts run in them as SQL Server runs scripts. In a container, start it with --privileged"

    # What is there already takes no more.
    for folder in "$PROJECT/build" "$TARGET_DIR"; do
        [ ! -e "$folder" ] || space[0]=$((space[0] - $(du -sxm "$folder" | cut -f1)))
    done
    [ ! -s "$PROJECT/build/installed-packages" ] || space[1]=0
    free=$(free_megabytes "$PROJECT")
    packages_free=$(free_megabytes /usr)
    [ "$(stat -c %d "$PROJECT")" != "$(stat -c %d /usr)" ] || space[0]=$((space[0] + space[1]))
    [ "$free" -ge "${space[0]}" ] ||
        fail "$PROJECT has $free MB of free disk space, and ${space[0]} MB are needed. Free some, or clone the project onto a larger disk"
    [ "$packages_free" -ge "${space[1]}" ] ||
        fail "/usr has $packages_free MB of free disk space, and ${space[1]} MB are needed for packages. Free some"
}

free_megabytes() {
    df -Pm "$1" | awk 'NR == 2 { print $4 }'
}

# --- Packages of the distribution ---

# Reads what `apt-cache show postgresql` prints, and gives the package of the server itself, which has the version in its name. Debian 13
# names debconf there as well.
postgresql_server() {
    sed -n 's/^Depends: //p' | tr -s ', ' '\n' | grep -x 'postgresql-[0-9]*'
}

# Reads what `apt-cache show` prints of packages that are unpacked, and gives the names of the libraries that they depend on, and of the
# time zones. Of alternatives it gives the first. Without the driver manager's libraries, which are unpacked, and PostgreSQL's compiler of
# queries, which is not used.
linked_libraries() {
    sed -n 's/^\(Pre-\)\?Depends: //p' | tr ',' '\n' | awk '$1 ~ /^lib/ || $1 == "tzdata" { print $1 }' |
        grep -v -e '^libodbc' -e '^libllvm' | sort -u
}

# Updates apt's lists, once. One source of several that cannot be reached is no reason to stop: a package that is then missing is.
apt_update() {
    [ -z "${apt_is_updated:-}" ] || return 0
    apt_is_updated=yes
    heading "apt-get update"
    apt-get -qq update || echo "apt-get update has failed. The package lists that are here are used."
}

# install_packages PACKAGE...: installs them and what they need, and says before how much that is. build/installed-packages keeps the
# names of all that was not there before.
install_packages() {
    local plan new size log=$PROJECT/build/apt.log
    plan=$(LC_ALL=C apt-get -s --no-install-recommends --no-upgrade install "$@" 2>&1) || fail "apt-get cannot install $*: $plan"
    # "Inst NAME (VERSION": with the old version in brackets before it, NAME is upgraded.
    mapfile -t new < <(awk '$1 == "Inst" && $3 ~ /^\(/ { sub(/:.*/, "", $2); print $2 }' <<<"$plan")
    [ ${#new[@]} -gt 0 ] || return 0
    size=$(apt-cache show --no-all-versions "${new[@]}" |
        awk '$1 == "Size:" { s += $2 } $1 == "Installed-Size:" { i += $2 }
            END { printf "%d MB to download, %d MB on disk", s / 1e6 + 0.5, i * 1024 / 1e6 + 0.5 }')
    heading "Installing ${#new[@]} packages: $size"
    # Of those that were asked for, the ones that are new.
    echo "$(printf '%s\n' "$@" | grep -Fx "$(printf '%s\n' "${new[@]}")" | tr '\n' ' ')and what they depend on"
    printf '%s\n' "${new[@]}" >>"$PROJECT/build/installed-packages"
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends --no-upgrade install "$@" >"$log" 2>&1 ||
        fail "apt-get has failed: $(tail -n 20 "$log")"
    packages_were_installed=yes
}

# After install_packages: how to take back what it has done.
say_how_to_remove() {
    [ -n "${packages_were_installed:-}" ] || return 0
    # shellcheck disable=SC2016 # for the reader's shell
    printf '\nTo remove again what was installed, before "make clean":\n    %s\n' \
        'sudo apt-get purge $(cat build/installed-packages)'
}

# Under sudo everything runs as root. Gives the files that it made to the user who called sudo, who could not delete
# them otherwise. Root folders of other systems, and Wine's, stay root's: their owner means something. Use as: trap give_back EXIT
give_back() {
    [ "${SUDO_UID:-0}" -ne 0 ] || return 0
    local folder
    for folder in "$PROJECT/build" "$TARGET_DIR" "$PROJECT/Cargo.lock" "${CARGO_HOME:-}" "${RUSTUP_HOME:-}"; do
        if [ -e "$folder" ]; then
            find "$folder" -xdev \( -path "$PROJECT/build/roots" -o -path "$PROJECT/build/windows" \) -prune -o \
                -user root -exec chown -h "$SUDO_UID:$SUDO_GID" {} +
        fi
    done
}

# The start of scripts/demo, scripts/test and scripts/bench: root, Rust, and what scripts/setup installs with this
# option, or with none. Call it as: begin OPTION "$@"
begin() {
    local option=$1
    need_machine "$@"
    trap give_back EXIT
    cd "$PROJECT" || exit
    scripts/setup ${option:+"$option"}
    # shellcheck source=scripts/env
    . scripts/env # now that everything is there
}

# microsofts_driver PLATFORM FOLDER: unpacks PyPI's package with Microsoft's driver for another platform into FOLDER.
microsofts_driver() {
    heading "Downloading Microsoft's ODBC driver for $1"
    cat <<NOTICE
The package mssql-python-odbc is now downloaded from PyPI. It contains Microsoft ODBC Driver 18 for SQL Server, which is Microsoft's
software, not ours, under its own licence; by using it you accept its terms, which are in the package. It is used for the tests only,
stays below build/, and is never redistributed with this project.

NOTICE
    /usr/bin/python3 -m venv "$2.venv"
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore "$2.venv/bin/pip" install --quiet --no-cache-dir --no-deps \
        --only-binary :all: --platform "$1" --python-version 3.12 --target "$2" \
        --requirement <(grep '^mssql-python-odbc' "$PROJECT/scripts/requirements.txt")
    rm -rf "$2.venv"
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

# --- What a release is of ---

# Whether the project is a git repository of its own. Another user may own it.
is_repository() {
    [ "$(git -c safe.directory='*' -C "$PROJECT" rev-parse --show-toplevel 2>/dev/null)" = "$(realpath "$PROJECT")" ]
}

# Prints the files of the project, each with a NUL: those of git, or, without git, all that were not built here.
project_files() {
    if is_repository; then
        git -c safe.directory='*' -C "$PROJECT" ls-files -z
    else
        (cd "$PROJECT" && find . \( -path ./build -o -path ./dist -o -path ./target -o -path ./fuzz/target \) -prune -o -type f -print0)
    fi
}

# Sets and exports SOURCE_DATE_EPOCH and LOOPBACK_ODBC_COMMIT, if the caller has not: the time and the name of the commit, or, without git,
# the date of the newest version in the changelog, and no name. Warns if this is no release.
identify_release() {
    # Without the locks: status would write the index again, as root, and the user could not read it any more.
    local version git=(git --no-optional-locks -c safe.directory='*' -C "$PROJECT")
    [ -z "${LOOPBACK_ODBC_COMMIT+set}" ] || return 0
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$PROJECT/Cargo.toml")
    if ! is_repository; then
        SOURCE_DATE_EPOCH=$(date -u -d "$(sed -n 's/^## \[[0-9.]*\] - //p' "$PROJECT/CHANGELOG.md" | head -n 1)" +%s)
        LOOPBACK_ODBC_COMMIT=''
        echo "warning: this is no git repository. The files name no commit, and this is not a release." >&2
    else
        SOURCE_DATE_EPOCH=$("${git[@]}" log -1 --format=%ct)
        LOOPBACK_ODBC_COMMIT=$("${git[@]}" rev-parse --short=12 HEAD)
        if [ -n "$("${git[@]}" status --porcelain --untracked-files=no)" ]; then
            LOOPBACK_ODBC_COMMIT+=-dirty
            echo "warning: there are changes that are not committed. This is not a release." >&2
        elif [ "$("${git[@]}" describe --exact-match --tags 2>/dev/null)" != "v$version" ]; then
            echo "warning: the commit $LOOPBACK_ODBC_COMMIT has no tag v$version. This is not a release." >&2
        fi
    fi
    export SOURCE_DATE_EPOCH LOOPBACK_ODBC_COMMIT
}
