/* Prints the loopback connection string of this session. Link with -lloopbackodbc. */
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
