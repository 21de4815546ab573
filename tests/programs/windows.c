/* A Windows program that uses Windows' driver manager, for tests/windows.rs. It prints UTF-8.
 *
 *     windows connect STRING                         the result of a connect, and the recording target's string, if that is the target
 *     windows conformance STRING                     the answers of a driver that its registration repeats
 *     windows queries STRING                         statements with parameters, NULLs, errors and transactions
 *     windows login SOURCE USER PASSWORD             the result of an SQLConnect, with all records
 *     windows source REQUEST DRIVER ATTRIBUTE...     SQLConfigDataSource
 *     windows driver REQUEST DRIVER ARGUMENT         SQLConfigDriver
 */
#include <windows.h>

#include <odbcinst.h>
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
#include <stdio.h>
#include <stdlib.h>

static void say(const char *what, const WCHAR *text) {
    char bytes[8192];
    WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, sizeof bytes, NULL, NULL);
    printf("%s%s\n", what, bytes);
}

static void say_records(SQLSMALLINT type, SQLHANDLE handle) {
    WCHAR state[6], text[1024], line[1200];
    SQLINTEGER native;
    for (SQLSMALLINT number = 1; SQL_SUCCEEDED(SQLGetDiagRecW(type, handle, number, state, &native, text, 1024, NULL)); number++) {
        _snwprintf(line, 1200, L"%ls %ld %ls", state, (long)native, text);
        say("record: ", line);
    }
}

/* Ends the program if a call has failed. */
static void hold(SQLRETURN code, const char *what, SQLSMALLINT type, SQLHANDLE handle) {
    if (SQL_SUCCEEDED(code)) return;
    printf("%s: %d\n", what, code);
    say_records(type, handle);
    exit(1);
}

static SQLHENV environment;
static SQLHDBC connection;

static void allocate_connection(void) {
    hold(SQLAllocHandle(SQL_HANDLE_ENV, NULL, &environment), "environment", SQL_HANDLE_ENV, NULL);
    hold(SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0), "version", SQL_HANDLE_ENV, environment);
    hold(SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection), "connection", SQL_HANDLE_ENV, environment);
}

static void free_connection(void) {
    SQLDisconnect(connection);
    SQLFreeHandle(SQL_HANDLE_DBC, connection);
    SQLFreeHandle(SQL_HANDLE_ENV, environment);
}

static void open_connection(WCHAR *string) {
    WCHAR completed[1024];
    allocate_connection();
    hold(SQLDriverConnectW(connection, NULL, string, SQL_NTS, completed, 1024, NULL, SQL_DRIVER_NOPROMPT), "connect", SQL_HANDLE_DBC,
         connection);
    say("completed: ", completed);
}

/* The string that the recording target received, if that is the target. */
static void say_what_was_given(void) {
    typedef size_t (*given_t)(WCHAR *, size_t);
    WCHAR string[4096];
    HMODULE target = GetModuleHandleW(L"recordingtarget.dll");
    given_t given = target ? (given_t)(void *)GetProcAddress(target, "recording_connection_string") : NULL;
    if (given) {
        string[given(string, 4095)] = 0;
        say("given: ", string);
    }
}

static void say_information(const char *what, SQLUSMALLINT information) {
    WCHAR text[256];
    hold(SQLGetInfoW(connection, information, text, sizeof text, NULL), what, SQL_HANDLE_DBC, connection);
    say(what, text);
}

/* The values that belong into a driver's registry key, as the driver itself reports them (Driver Specification
 * Subkeys). */
static void conformance(void) {
    SQLUINTEGER sql = 0;
    SQLUSMALLINT api = 0, file = 0;
    /* In the numbering of ODBC 2, which the key uses: 2 is what SQL_ODBC_INTERFACE_CONFORMANCE calls SQL_OIC_LEVEL2. */
    SQLGetInfoW(connection, SQL_ODBC_API_CONFORMANCE, &api, 0, NULL);
    SQLGetInfoW(connection, SQL_SQL_CONFORMANCE, &sql, 0, NULL);
    SQLGetInfoW(connection, SQL_FILE_USAGE, &file, 0, NULL);
    printf("APILevel=%u\nSQLLevel=%lu\nFileUsage=%u\n", api, (unsigned long)sql, file);
    say_information("DriverODBCVer=", SQL_DRIVER_ODBC_VER);
}

static SQLHSTMT statement(void) {
    SQLHSTMT statement;
    hold(SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement), "statement", SQL_HANDLE_DBC, connection);
    return statement;
}

static void run(const WCHAR *sql) {
    SQLHSTMT s = statement();
    hold(SQLExecDirectW(s, (SQLWCHAR *)sql, SQL_NTS), "run", SQL_HANDLE_STMT, s);
    SQLFreeHandle(SQL_HANDLE_STMT, s);
}

/* Inserts a row with two parameters, the second of which may be NULL. */
static void insert(SQLINTEGER id, const WCHAR *note) {
    SQLHSTMT s = statement();
    SQLLEN size = note ? SQL_NTS : SQL_NULL_DATA;
    hold(SQLPrepareW(s, (SQLWCHAR *)L"INSERT INTO dbo.Notes VALUES (?, ?)", SQL_NTS), "prepare", SQL_HANDLE_STMT, s);
    SQLBindParameter(s, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL);
    SQLBindParameter(s, 2, SQL_PARAM_INPUT, SQL_C_WCHAR, SQL_WVARCHAR, 40, 0, (SQLPOINTER)note, 0, &size);
    hold(SQLExecute(s), "insert", SQL_HANDLE_STMT, s);
    SQLFreeHandle(SQL_HANDLE_STMT, s);
}

/* Prints the rows of a query with two columns and, if given, a parameter. */
static void select_rows(const WCHAR *sql, WCHAR *parameter) {
    SQLHSTMT s = statement();
    SQLLEN size = SQL_NTS;
    if (parameter) SQLBindParameter(s, 1, SQL_PARAM_INPUT, SQL_C_WCHAR, SQL_WVARCHAR, 40, 0, parameter, 0, &size);
    hold(SQLExecDirectW(s, (SQLWCHAR *)sql, SQL_NTS), "select", SQL_HANDLE_STMT, s);
    while (SQL_SUCCEEDED(SQLFetch(s))) {
        SQLINTEGER id;
        SQLLEN length;
        WCHAR note[64], line[128];
        SQLGetData(s, 1, SQL_C_SLONG, &id, 0, NULL);
        hold(SQLGetData(s, 2, SQL_C_WCHAR, note, sizeof note, &length), "note", SQL_HANDLE_STMT, s);
        _snwprintf(line, 128, L"%ld %ls", (long)id, length == SQL_NULL_DATA ? L"NULL" : note);
        say("row: ", line);
    }
    SQLFreeHandle(SQL_HANDLE_STMT, s);
}

static void set_autocommit(SQLULEN value) {
    hold(SQLSetConnectAttrW(connection, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)value, 0), "autocommit", SQL_HANDLE_DBC, connection);
}

static void end_transaction(SQLSMALLINT completion) {
    hold(SQLEndTran(SQL_HANDLE_DBC, connection, completion), "end of transaction", SQL_HANDLE_DBC, connection);
}

static void queries(void) {
    /* Characters of several scripts, one of them outside the BMP. */
    WCHAR note[] = L"Bj\u00f8rn \u65e5\u672c \u03a9 \U0001f600";
    run(L"CREATE TABLE dbo.Notes (id int NOT NULL PRIMARY KEY, note nvarchar(40))");
    insert(1, note);
    insert(2, NULL);
    select_rows(L"SELECT id, note FROM dbo.Notes ORDER BY id", NULL);
    puts("with that note:");
    select_rows(L"SELECT id, note FROM dbo.Notes WHERE note = ?", note);
    SQLHSTMT s = statement();
    printf("missing table: %d\n", SQLExecDirectW(s, (SQLWCHAR *)L"SELECT * FROM dbo.Missing", SQL_NTS));
    say_records(SQL_HANDLE_STMT, s);
    SQLFreeHandle(SQL_HANDLE_STMT, s);
    set_autocommit(SQL_AUTOCOMMIT_OFF);
    insert(3, L"rolled back");
    end_transaction(SQL_ROLLBACK);
    insert(4, L"committed");
    end_transaction(SQL_COMMIT);
    set_autocommit(SQL_AUTOCOMMIT_ON);
    puts("after both transactions:");
    select_rows(L"SELECT id, note FROM dbo.Notes WHERE id > 2", NULL);
}

static void say_installer_errors(void) {
    WCHAR text[1024], line[1100];
    DWORD code;
    for (WORD number = 1; SQL_SUCCEEDED(SQLInstallerErrorW(number, &code, text, 1024, NULL)); number++) {
        _snwprintf(line, 1100, L"%lu %ls", (unsigned long)code, text);
        say("installer: ", line);
    }
}

int wmain(int count, WCHAR **arguments) {
    if (count >= 4 && !wcscmp(arguments[1], L"source")) {
        WCHAR list[2048] = {0}, *end = list;
        for (int index = 4; index < count; index++) end += wcslen(wcscpy(end, arguments[index])) + 1;
        printf("done: %d\n", SQLConfigDataSourceW(NULL, (WORD)_wtoi(arguments[2]), arguments[3], list));
        say_installer_errors();
        return 0;
    }
    if (count == 5 && !wcscmp(arguments[1], L"driver")) {
        WCHAR message[64];
        WORD length;
        printf("done: %d\n",
               SQLConfigDriverW(NULL, (WORD)_wtoi(arguments[2]), arguments[3], arguments[4], message, 64, &length));
        say_installer_errors();
        return 0;
    }
    if (count == 5 && !wcscmp(arguments[1], L"login")) {
        allocate_connection();
        hold(SQLConnectW(connection, arguments[2], SQL_NTS, arguments[3], SQL_NTS, arguments[4], SQL_NTS), "connect", SQL_HANDLE_DBC,
             connection);
        say_records(SQL_HANDLE_DBC, connection);
        say_information("data source: ", SQL_DATA_SOURCE_NAME);
        say_information("database: ", SQL_DATABASE_NAME);
        free_connection();
        return 0;
    }
    if (count != 3) return 2;
    open_connection(arguments[2]);
    say_what_was_given();
    if (!wcscmp(arguments[1], L"conformance")) conformance();
    if (!wcscmp(arguments[1], L"queries")) {
        say_information("data source: ", SQL_DATA_SOURCE_NAME);
        say_information("driver: ", SQL_DRIVER_NAME);
        say_information("database: ", SQL_DATABASE_NAME);
        queries();
    }
    free_connection();
    return 0;
}
