/* Shared by the C programs of tests/processes.rs: an ODBC client that checks what it sees, and ends the process if
 * that is wrong. Linked with -lodbc it uses the driver manager; linked with the library it calls that directly. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not exit: other threads are running, and may be in the middle of anything. */
#define HOLD(condition, ...)                                                                                               \
    do {                                                                                                                   \
        if (!(condition)) {                                                                                                \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                                                \
            fprintf(stderr, __VA_ARGS__);                                                                                  \
            fputc('\n', stderr);                                                                                           \
            _exit(1);                                                                                                      \
        }                                                                                                                  \
    } while (0)

/* ASCII only, in and out. */
struct wide {
    SQLWCHAR units[1024];
};

__attribute__((unused, format(printf, 1, 2))) static struct wide wide(const char *format, ...) {
    char text[1024];
    struct wide wide;
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    for (size_t i = 0; i == 0 || text[i - 1]; i++) wide.units[i] = (unsigned char)text[i];
    return wide;
}

static void narrow(char *to, const SQLWCHAR *from) {
    while ((*to++ = (char)*from++)) {
    }
}

/* A handle's first record as "STATE text"; empty if there is none. */
struct record {
    char text[1100];
};

static struct record first_record(SQLSMALLINT type, SQLHANDLE handle) {
    struct record record = {""};
    SQLWCHAR state[6] = {0}, text[1024] = {0};
    SQLINTEGER native;
    SQLSMALLINT length;
    SQLRETURN code = SQLGetDiagRecW(type, handle, 1, state, &native, text, 1024, &length);
    if (code == SQL_NO_DATA) return record;
    HOLD(SQL_SUCCEEDED(code), "%d", code);
    narrow(record.text, state);
    record.text[5] = ' ';
    narrow(record.text + 6, text);
    return record;
}

struct client {
    SQLHENV environment;
    SQLHDBC connection;
};

static struct client client_new(void) {
    struct client client;
    HOLD(SQLAllocHandle(SQL_HANDLE_ENV, NULL, &client.environment) == SQL_SUCCESS, "no environment");
    SQLSetEnvAttr(client.environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    HOLD(SQLAllocHandle(SQL_HANDLE_DBC, client.environment, &client.connection) == SQL_SUCCESS, "no connection");
    struct record record = first_record(SQL_HANDLE_DBC, client.connection);
    HOLD(!record.text[0], "a new connection has somebody else's record: %s", record.text);
    return client;
}

static void client_free(struct client client) {
    HOLD(SQLFreeHandle(SQL_HANDLE_DBC, client.connection) == SQL_SUCCESS, "the connection stays");
    HOLD(SQLFreeHandle(SQL_HANDLE_ENV, client.environment) == SQL_SUCCESS, "the environment stays");
}

static SQLRETURN client_connect(struct client client, struct wide string) {
    return SQLDriverConnectW(client.connection, NULL, string.units, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
}

/* Connects, which must succeed. */
__attribute__((unused)) static void client_open(struct client client, struct wide string) {
    SQLRETURN code = client_connect(client, string);
    HOLD(SQL_SUCCEEDED(code), "%s", first_record(SQL_HANDLE_DBC, client.connection).text);
}

/* Connects, which must fail with a first record that has this state and contains these words. */
__attribute__((unused)) static void client_refused(struct client client, struct wide string, const char *state, const char *words) {
    SQLRETURN code = client_connect(client, string);
    struct record record = first_record(SQL_HANDLE_DBC, client.connection);
    HOLD(code == SQL_ERROR && !strncmp(record.text, state, 5) && strstr(record.text, words), "%d %s, not %s %s", code,
         record.text, state, words);
}

__attribute__((unused)) static void client_close(struct client client) {
    HOLD(SQL_SUCCEEDED(SQLDisconnect(client.connection)), "%s", first_record(SQL_HANDLE_DBC, client.connection).text);
    client_free(client);
}
