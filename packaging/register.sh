# The beginning of every scriptlet. It registers and unregisters what the package contains, for the whole machine.

# The caller's own ODBC configuration is not meant.
unset ODBCSYSINI ODBCINSTINI ODBCINI

# registration install|uninstall: 1 is success with warnings. A failure must not leave the package manager with a package that it can
# neither configure nor remove, so it is only reported.
registration() {
    status=0
    /usr/bin/loopback-odbc "$1" || status=$?
    case $status:$1 in
    0:* | 1:*) ;;
    *:install)
        echo "loopback-odbc: the registration has failed, for the reason above. The package's files are in order. When you have removed" >&2
        echo "the reason, run: sudo /usr/bin/loopback-odbc install" >&2
        ;;
    *)
        echo "loopback-odbc: the registration stays, for the reason above. Remove [SQL Server Loopback] from /etc/odbcinst.ini and" >&2
        echo "[Loopback] from /etc/odbc.ini" >&2
        ;;
    esac
}

# Removes the files of an earlier installation without a package, by `loopback-odbc install` or `make install`. Their registrations stay, and
# are brought up to date.
take_over() {
    folder=/usr/lib/loopback-odbc
    [ -s "$folder/package" ] || return 0
    if [ -e "$folder/bin/loopback-odbc" ] || [ -e "$folder/libloopbackodbc.so" ]; then
        echo "loopback-odbc: this package replaces the copy that was installed without a package"
    fi
    rm -f "$folder/bin/loopback-odbc" "$folder/libloopbackodbc.so" "$folder/folders" /usr/share/man/man1/loopback-odbc.1 \
        /usr/share/man/man1/loopback-odbc-*.1
    rm -f "$folder/bin/.made-by-loopback-odbc" "$(dirname "$(cat "$folder/package")")/.made-by-loopback-odbc"
    [ ! -d "$folder/bin" ] || rmdir --ignore-fail-on-non-empty "$folder/bin"
}

