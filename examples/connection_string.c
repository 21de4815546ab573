/* Prints the loopback connection string of this session, for programs that do not connect by ODBC. In the project's folder, after
   `make build`:
       cc -Iinclude -o target/connection_string examples/connection_string.c target/release/libloopbackodbc.so \
           -Wl,-rpath,$PWD/target/release
       target/connection_string [DATABASE [DRIVER]]
   Without SQL Server, as root after `make demo`: scripts/satellite --script target/connection_string \
       --env LD_LIBRARY_PATH=/opt/mssql-extensibility/lib:/opt/mssql-extensibility/stage/unixodbc/usr/lib/x86_64-linux-gnu -- ./connection_string Sales */
#include <loopback_odbc.h>
#include <stdio.h>

int main(int count, char **arguments) {
    char text[4096];
    int length = sizeof text;
    int needed = loopback_odbc_connection_string(count > 1 ? arguments[1] : "", count > 2 ? arguments[2] : "", text, &length);
    if (needed >= (int)sizeof text || -needed >= (int)sizeof text) {
        fprintf(stderr, "%d bytes are needed\n", needed);
        return 2;
    }
    fprintf(needed < 0 ? stderr : stdout, "%s\n", text);
    return needed < 0;
}
