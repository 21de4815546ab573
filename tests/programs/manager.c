/* An ODBC program that runs the commands in its arguments, through the driver manager that it was linked with, and prints
 * every return code and every diagnostic record. With UNICODE defined it uses wide characters, otherwise narrow ones
 * (sqlucode.h maps the functions' names). Arguments and output are UTF-8.
 *
 *     connect STRING                    SQLDriverConnect
 *     connect-counted STRING            the same, with the string's length instead of SQL_NTS
 *     source NAME USER PASSWORD         SQLConnect
 *     query SQL                         SQLExecDirect, and every row of every result
 *     info                              what SQLGetInfo returns about the data source and the driver manager
 *     disconnect
 *     run COMMAND                       a shell command */
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
#include <iconv.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHARACTERS 2048
static SQLHENV environment;
static SQLHDBC connection;

#ifdef UNICODE
/* Converts a text with its NUL. */
static void convert(const char *to, const char *from, const void *text, size_t bytes, void *result, size_t capacity) {
    iconv_t converter = iconv_open(to, from);
    char *in = (char *)text, *out = result;
    if (iconv(converter, &in, &bytes, &out, &capacity) == (size_t)-1) puts("?");
    iconv_close(converter);
}
static const char *wide = sizeof(SQLWCHAR) == 2 ? "UTF-16LE" : "UTF-32LE";
static size_t length_of(const SQLTCHAR *text) {
    size_t length = 0;
    while (text[length]) length++;
    return length;
}
#else
#define length_of(text) strlen((const char *)(text))
#endif

/* An argument in the driver manager's encoding, kept until the end. */
static SQLTCHAR *in(const char *text) {
    SQLTCHAR *result = calloc(CHARACTERS, sizeof *result);
#ifdef UNICODE
    convert(wide, "UTF-8", text, strlen(text) + 1, result, CHARACTERS * sizeof *result);
#else
    strncpy((char *)result, text, CHARACTERS - 1);
#endif
    return result;
}

/* A text from the driver manager for printing; the next call overwrites it. */
static const char *out(const SQLTCHAR *text) {
#ifdef UNICODE
    static char result[4 * CHARACTERS];
    memset(result, 0, sizeof result);
    convert("UTF-8", wide, text, (length_of(text) + 1) * sizeof *text, result, sizeof result);
    return result;
#else
    return (const char *)text;
#endif
}

static SQLRETURN told(const char *what, SQLSMALLINT type, SQLHANDLE handle, SQLRETURN code) {
    SQLTCHAR state[6], text[CHARACTERS] = {0};
    SQLINTEGER native;
    SQLSMALLINT length;
    printf("%s: %d\n", what, code);
    for (SQLSMALLINT number = 1; code && code != SQL_NO_DATA && code != SQL_INVALID_HANDLE; number++) {
        SQLRETURN found = SQLGetDiagRec(type, handle, number, state, &native, text, CHARACTERS, &length);
        if (!SQL_SUCCEEDED(found)) break;
        printf("  [%s] %d ", out(state), native);
        printf("%s%s\n", out(text), length_of(text) == (size_t)length ? "" : " (not its whole length)");
    }
    return code;
}

static void query(const char *sql) {
    SQLHSTMT statement;
    SQLTCHAR value[16];
    SQLLEN length;
    SQLSMALLINT columns;
    if (SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement) != SQL_SUCCESS) {
        puts("query: no statement");
        return;
    }
    SQLRETURN code = SQLExecDirect(statement, in(sql), SQL_NTS);
    told("query", SQL_HANDLE_STMT, statement, code);
    /* A result may be an error, followed by another result. Limited, because it never ends on a broken connection. */
    for (int results = 0; results < 5 && code != SQL_NO_DATA && code != SQL_INVALID_HANDLE; results++) {
        columns = 0;
        if (SQL_SUCCEEDED(code)) SQLNumResultCols(statement, &columns);
        while (columns && SQL_SUCCEEDED(told("row", SQL_HANDLE_STMT, statement, SQLFetch(statement))))
            for (SQLSMALLINT column = 1; column <= columns; column++)
                /* Long values come in pieces, each except the last with 01004. */
                do {
                    code = SQLGetData(statement, column, SQL_C_TCHAR, value, sizeof value, &length);
                    if (SQL_SUCCEEDED(told("value", SQL_HANDLE_STMT, statement, code)))
                        printf("  %ld \"%s\"\n", (long)length, length == SQL_NULL_DATA ? "" : out(value));
                } while (code == SQL_SUCCESS_WITH_INFO);
        code = SQLMoreResults(statement);
        told("more", SQL_HANDLE_STMT, statement, code);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, statement);
}

static void information(const char *what, SQLUSMALLINT type) {
    SQLTCHAR value[100] = {0};
    SQLSMALLINT length = 0;
    if (told(what, SQL_HANDLE_DBC, connection, SQLGetInfo(connection, type, value, sizeof value, &length)) == SQL_SUCCESS)
        printf("  \"%s\" of %d bytes\n", out(value), length);
}

static void allocate(void) {
    SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection);
    /* If a server refuses, Microsoft's driver keeps trying until the timeout. */
    SQLSetConnectAttr(connection, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER)2, 0);
}

static void release(void) {
    SQLFreeHandle(SQL_HANDLE_DBC, connection);
    connection = SQL_NULL_HDBC;
}

static SQLRETURN connected(SQLRETURN code) {
    told("connect", SQL_HANDLE_DBC, connection, code);
    if (!SQL_SUCCEEDED(code)) release();
    return code;
}

int main(int count, char **arguments) {
    char **end = arguments + count;
    setlocale(LC_ALL, "");
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
    SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    for (char **next = arguments + 1; next < end;) {
        const char *what = *next++;
        SQLTCHAR completed[CHARACTERS] = {0};
        SQLSMALLINT length = 0;
        if (!strncmp(what, "connect", 7)) {
            SQLTCHAR *string = in(*next++);
            SQLSMALLINT string_length = strcmp(what, "connect") ? (SQLSMALLINT)length_of(string) : SQL_NTS;
            allocate();
            SQLRETURN code = SQLDriverConnect(
                connection, NULL, string, string_length, completed, CHARACTERS, &length, SQL_DRIVER_NOPROMPT);
            if (SQL_SUCCEEDED(connected(code))) printf("  %s\n", out(completed));
        } else if (!strcmp(what, "source")) {
            SQLTCHAR *source = in(next[0]), *user = in(next[1]), *password = in(next[2]);
            next += 3;
            allocate();
            connected(SQLConnect(connection, source, SQL_NTS, user, SQL_NTS, password, SQL_NTS));
        } else if (!strcmp(what, "run")) {
            printf("run: %d\n", system(*next++));
        } else if (!connection) {
            /* Like a program that could not connect. */
            next += !strcmp(what, "query");
            printf("%s: not connected\n", what);
        } else if (!strcmp(what, "query")) {
            query(*next++);
        } else if (!strcmp(what, "info")) {
            information("data source", SQL_DATA_SOURCE_NAME);
            information("driver manager", SQL_DM_VER);
        } else if (!strcmp(what, "disconnect")) {
            told("disconnect", SQL_HANDLE_DBC, connection, SQLDisconnect(connection));
            release();
        } else {
            return fprintf(stderr, "%s?\n", what), 2;
        }
        fflush(stdout);
    }
    SQLFreeHandle(SQL_HANDLE_ENV, environment);
    return 0;
}
