/* Calls functions of a driver with 1, 6 and 10 arguments very often; of benches/target.c, directly and through the
 * library.
 *
 *     calls count LIBRARY FUNCTION TIMES    calls it in repeat(), whose instructions callgrind can count
 *     calls time DIRECT THROUGH             nanoseconds per call of two libraries, in turns, each also through the driver
 *                                           manager, where they are registered as [direct] and [through]; prints lines
 *                                           with FUNCTION, WAY, median, lower and upper quartile */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 201, BATCH = 20000, WAYS = 4, FUNCTIONS = 3 };
static const char *const FUNCTION[FUNCTIONS] = {"SQLFetch", "SQLGetData", "SQLBindParameter"};

static void check(int good, const char *what) {
    if (good) return;
    fprintf(stderr, "calls: %s failed: %s\n", what, dlerror());
    exit(1);
}

/* A way to call: a library's functions, and their arguments. */
struct way {
    const char *name;
    void *library;
    SQLHENV environment;
    SQLHSTMT statement;
    SQLRETURN (*fetch)(SQLHSTMT);
    SQLRETURN (*get_data)(SQLHSTMT, SQLUSMALLINT, SQLSMALLINT, SQLPOINTER, SQLLEN, SQLLEN *);
    SQLRETURN (*bind_parameter)(SQLHSTMT, SQLUSMALLINT, SQLSMALLINT, SQLSMALLINT, SQLSMALLINT, SQLULEN, SQLSMALLINT,
                                SQLPOINTER, SQLLEN, SQLLEN *);
};

static void *symbol(struct way *way, const char *name) {
    void *found = dlsym(way->library, name);
    check(found != NULL, name);
    return found;
}

static SQLHANDLE allocate(struct way *way, SQLSMALLINT type, SQLHANDLE parent) {
    SQLRETURN (*allocate)(SQLSMALLINT, SQLHANDLE, SQLHANDLE *) = symbol(way, "SQLAllocHandle");
    SQLHANDLE handle = NULL;
    check(allocate(type, parent, &handle) == SQL_SUCCESS, "SQLAllocHandle");
    return handle;
}

/* Allocating the environment makes the library load its target. */
static struct way open_library(const char *name, const char *path) {
    struct way way = {.name = name, .library = dlopen(path, RTLD_NOW | RTLD_LOCAL)};
    check(way.library != NULL, path);
    way.fetch = symbol(&way, FUNCTION[0]);
    way.get_data = symbol(&way, FUNCTION[1]);
    way.bind_parameter = symbol(&way, FUNCTION[2]);
    way.environment = way.statement = allocate(&way, SQL_HANDLE_ENV, NULL);
    return way;
}

/* The driver manager, connected, with a row to fetch. */
static struct way open_manager(const char *name, const char *string) {
    struct way way = open_library(name, "libodbc.so.2");
    SQLRETURN (*set)(SQLHENV, SQLINTEGER, SQLPOINTER, SQLINTEGER) = symbol(&way, "SQLSetEnvAttr");
    SQLRETURN (*connect)(SQLHDBC, SQLHWND, SQLCHAR *, SQLSMALLINT, SQLCHAR *, SQLSMALLINT, SQLSMALLINT *, SQLUSMALLINT) =
        symbol(&way, "SQLDriverConnect");
    SQLRETURN (*execute)(SQLHSTMT, SQLCHAR *, SQLINTEGER) = symbol(&way, "SQLExecDirect");
    check(set(way.environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0) == SQL_SUCCESS, "SQLSetEnvAttr");
    SQLHDBC connection = allocate(&way, SQL_HANDLE_DBC, way.environment);
    SQLRETURN code = connect(connection, NULL, (SQLCHAR *)string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    check(SQL_SUCCEEDED(code), string);
    way.statement = allocate(&way, SQL_HANDLE_STMT, connection);
    check(execute(way.statement, (SQLCHAR *)"SELECT 1", SQL_NTS) == SQL_SUCCESS, "SQLExecDirect");
    check(way.fetch(way.statement) == SQL_SUCCESS, "SQLFetch");
    return way;
}

/* Must be compiled as written and keep its name, for callgrind. */
__attribute__((noipa)) static SQLRETURN repeat(const struct way *way, int function, long times) {
    static char value[8];
    static SQLLEN length;
    SQLRETURN code = SQL_SUCCESS;
    switch (function) {
    case 0:
        while (times--) code |= way->fetch(way->statement);
        break;
    case 1:
        while (times--) code |= way->get_data(way->statement, 1, SQL_C_CHAR, value, sizeof value, &length);
        break;
    case 2:
        while (times--)
            code |= way->bind_parameter(way->statement, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, sizeof value, 0, value,
                                        sizeof value, &length);
    }
    return code;
}

static int ascending(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

static double nanoseconds(const struct way *way, int function) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    SQLRETURN code = repeat(way, function, BATCH);
    clock_gettime(CLOCK_MONOTONIC, &end);
    check(code == SQL_SUCCESS, FUNCTION[function]);
    return ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / BATCH;
}

int main(int count, char **argument) {
    if (count == 5 && !strcmp(argument[1], "count")) {
        struct way way = open_library("", argument[2]);
        int function = 0;
        while (function < FUNCTIONS && strcmp(argument[3], FUNCTION[function])) function++;
        check(function < FUNCTIONS, argument[3]);
        check(repeat(&way, function, atol(argument[4])) == SQL_SUCCESS, argument[3]);
        return 0;
    }
    check(count == 4 && !strcmp(argument[1], "time"), "reading the arguments");
    struct way ways[WAYS] = {open_library("direct", argument[2]), open_library("through", argument[3]),
                             open_manager("manager, direct", "DRIVER={direct}"),
                             open_manager("manager, through", "DRIVER={through};Server=s;UID=u")};
    static double times[FUNCTIONS][WAYS][ROUNDS];
    for (int round = 0; round < ROUNDS; round++)
        for (int function = 0; function < FUNCTIONS; function++)
            for (int turn = 0; turn < WAYS; turn++) {
                int way = round % 2 ? WAYS - 1 - turn : turn;
                times[function][way][round] = nanoseconds(&ways[way], function);
            }
    for (int function = 0; function < FUNCTIONS; function++)
        for (int way = 0; way < WAYS; way++) {
            double *sorted = times[function][way];
            qsort(sorted, ROUNDS, sizeof *sorted, ascending);
            printf("%s\t%s\t%.2f\t%.2f\t%.2f\n", FUNCTION[function], ways[way].name, sorted[ROUNDS / 2], sorted[ROUNDS / 4],
                   sorted[ROUNDS - 1 - ROUNDS / 4]);
        }
    return 0;
}
