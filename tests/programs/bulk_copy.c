/* Bulk copy over a connection of the driver manager: ARGV = a connection string, or
 * $CONNECTION_STRING. Like programs that use Microsoft's
 * bcp_ functions, it loads them from the real driver's own library ($MSODBCSQL), and passes them the driver manager's
 * handle. */
#include <dlfcn.h>
#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* msodbcsql.h */
enum { SQL_COPT_SS_BCP = 1219, SQL_BCP_ON = 1, DB_IN = 1, SUCCEED = 1, SQL_VARLEN_DATA = -10 };
enum { SQLINT4 = 0x38, SQLFLT8 = 0x3e, SQLINT8 = 0x7f, SQLDATEN = 0x28, SQLDATETIME2N = 0x2a, SQLDECIMALN = 0x6a,
       SQLBIGVARBINARY = 0xa5, SQLNVARCHAR = 0xe7 };
static int (*bcp_initA)(SQLHDBC, const char *, const char *, const char *, int);
static int (*bcp_initW)(SQLHDBC, const SQLWCHAR *, const SQLWCHAR *, const SQLWCHAR *, int);
static int (*bcp_bind)(SQLHDBC, const void *, int, int, const void *, int, int, int);
static int (*bcp_sendrow)(SQLHDBC);
static int (*bcp_batch)(SQLHDBC);
static int (*bcp_done)(SQLHDBC);

static SQLHENV environment;
static SQLHDBC connection;
static SQLHSTMT statement;

/* The bound row; values that may be NULL are preceded by their length. */
static struct {
    SQLINTEGER id;
    struct { SQLINTEGER length; SQLBIGINT value; } __attribute__((packed)) big;
    struct { SQLINTEGER length; SQLDOUBLE value; } __attribute__((packed)) ratio;
    struct { SQLINTEGER length; SQL_NUMERIC_STRUCT value; } __attribute__((packed)) price;
    struct { SQLINTEGER length; SQLWCHAR value[40]; } __attribute__((packed)) name;
    struct { SQLINTEGER length; SQLCHAR value[64]; } __attribute__((packed)) data;
    struct { SQLINTEGER length; SQL_TIMESTAMP_STRUCT value; } __attribute__((packed)) made;
    struct { SQLINTEGER length; SQL_DATE_STRUCT value; } __attribute__((packed)) day;
    struct { SQLLEN length; SQLWCHAR value[5000]; } note;
} row;

/* Prints UTF-16 as ASCII. */
static void print_text(const SQLWCHAR *text) {
    for (; *text; text++) printf(*text < 0x7f ? "%c" : "\\u%04X", *text);
}

static void print_records(SQLSMALLINT kind, SQLHANDLE handle) {
    SQLWCHAR state[6], message[1000];
    SQLINTEGER native;
    for (SQLSMALLINT at = 1; SQL_SUCCEEDED(SQLGetDiagRecW(kind, handle, at, state, &native, message, 1000, NULL)); at++) {
        printf("  ");
        print_text(state);
        printf(" %d ", native);
        print_text(message);
        puts("");
    }
}

static void hold(int well, const char *what, SQLSMALLINT kind, SQLHANDLE handle) {
    if (well) return;
    printf("failed: %s\n", what);
    print_records(kind, handle);
    exit(1);
}
#define HOLD_ODBC(call, kind, handle) hold(SQL_SUCCEEDED(call), #call, kind, handle)
#define HOLD_BCP(call) hold((call) == SUCCEED, #call, SQL_HANDLE_DBC, connection)

/* Runs a statement and prints its rows. */
static void execute(const SQLWCHAR *sql) {
    SQLSMALLINT columns;
    HOLD_ODBC(SQLExecDirectW(statement, (SQLWCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, statement);
    HOLD_ODBC(SQLNumResultCols(statement, &columns), SQL_HANDLE_STMT, statement);
    while (columns && SQL_SUCCEEDED(SQLFetch(statement))) {
        for (SQLUSMALLINT at = 1; at <= columns; at++) {
            static SQLWCHAR text[20000];
            SQLLEN length;
            HOLD_ODBC(SQLGetData(statement, at, SQL_C_WCHAR, text, sizeof text, &length), SQL_HANDLE_STMT, statement);
            printf(at == 1 ? "" : " | ");
            if (length == SQL_NULL_DATA) printf("NULL");
            else print_text(text);
        }
        puts("");
    }
    SQLFreeStmt(statement, SQL_CLOSE);
}

static void bind_row(void) {
    const int length = sizeof(SQLINTEGER);
    HOLD_BCP(bcp_bind(connection, &row.id, 0, SQL_VARLEN_DATA, NULL, 0, SQLINT4, 1));
    HOLD_BCP(bcp_bind(connection, &row.big, length, SQL_VARLEN_DATA, NULL, 0, SQLINT8, 2));
    HOLD_BCP(bcp_bind(connection, &row.ratio, length, SQL_VARLEN_DATA, NULL, 0, SQLFLT8, 3));
    HOLD_BCP(bcp_bind(connection, &row.price, length, SQL_VARLEN_DATA, NULL, 0, SQLDECIMALN, 4));
    HOLD_BCP(bcp_bind(connection, &row.name, length, SQL_VARLEN_DATA, NULL, 0, SQLNVARCHAR, 5));
    HOLD_BCP(bcp_bind(connection, &row.data, length, SQL_VARLEN_DATA, NULL, 0, SQLBIGVARBINARY, 6));
    HOLD_BCP(bcp_bind(connection, &row.made, length, SQL_VARLEN_DATA, NULL, 0, SQLDATETIME2N, 7));
    HOLD_BCP(bcp_bind(connection, &row.day, length, SQL_VARLEN_DATA, NULL, 0, SQLDATEN, 8));
    HOLD_BCP(bcp_bind(connection, &row.note, sizeof(SQLLEN), SQL_VARLEN_DATA, NULL, 0, SQLNVARCHAR, 9));
}

/* The row with this number; tests/common/bulk_copy.rs generates the same. Microseconds, because Babelfish has no more digits. */
static void fill(int i) {
    row.id = i;
    row.big.length = i % 13 ? (SQLINTEGER)sizeof row.big.value : SQL_NULL_DATA;
    row.big.value = i * -1000000007LL;
    row.ratio.length = i % 17 ? (SQLINTEGER)sizeof row.ratio.value : SQL_NULL_DATA;
    row.ratio.value = i / 8.0;
    row.price.length = i % 19 ? (SQLINTEGER)sizeof row.price.value : SQL_NULL_DATA;
    memset(&row.price.value, 0, sizeof row.price.value);
    row.price.value.precision = 12;
    row.price.value.scale = 3;
    row.price.value.sign = i % 2;
    memcpy(row.price.value.val, (int[]){i * 125}, sizeof(int));

    row.name.length = 0;
    for (const SQLWCHAR *from = u"Größe 😀 "; *from; from++) row.name.value[row.name.length++] = *from;
    for (int digit = 10000; digit; digit /= 10) row.name.value[row.name.length++] = u'0' + i / digit % 10;
    row.name.length = i % 7 ? row.name.length * (SQLINTEGER)sizeof(SQLWCHAR) : SQL_NULL_DATA;

    row.data.length = i % 11 ? i % 64 : SQL_NULL_DATA;
    memset(row.data.value, i % 256, sizeof row.data.value);

    row.made.length = i % 29 ? (SQLINTEGER)sizeof row.made.value : SQL_NULL_DATA;
    row.made.value = (SQL_TIMESTAMP_STRUCT){2026, 1 + i % 12, 1 + i % 28, i % 24, i % 60, i * 7 % 60, i * 1000};
    row.day.length = i % 23 ? (SQLINTEGER)sizeof row.day.value : SQL_NULL_DATA;
    row.day.value = (SQL_DATE_STRUCT){1 + i % 9999, 1 + i % 12, 1 + i % 28};

    /* Never empty: for an empty value of a max type, the driver (18.6) sends the 65,535 bytes from its address on. */
    row.note.length = i % 3 ? (1 + i % 5000) * (SQLLEN)sizeof(SQLWCHAR) : SQL_NULL_DATA;
    for (int at = 0; at < 5000; at++) row.note.value[at] = u'あ' + i % 80;
}

static void load(void) {
    execute(u"CREATE TABLE dbo.[Läufe] (id int NOT NULL PRIMARY KEY, big bigint, ratio float, price decimal(12,3), name nvarchar(40),"
            u" data varbinary(64), made datetime2(6), day date, note nvarchar(max))");
    HOLD_BCP(bcp_initW(connection, u"dbo.[Läufe]", NULL, NULL, DB_IN));
    bind_row();
    for (int i = 1; i <= 10000; i++) {
        fill(i);
        HOLD_BCP(bcp_sendrow(connection));
        if (i % 4000 == 0) printf("batch: %d\n", bcp_batch(connection));
    }
    printf("done: %d\n", bcp_done(connection));
    execute(u"SELECT COUNT(*), SUM(CAST(id AS bigint)), COUNT(big), SUM(big), COUNT(ratio), SUM(ratio), COUNT(price), SUM(price)"
            u" FROM dbo.[Läufe]");
    execute(u"SELECT COUNT(name), COUNT(DISTINCT name), COUNT(data), SUM(DATALENGTH(data)), COUNT(note),"
            u" SUM(CAST(LEN(note) AS bigint)) FROM dbo.[Läufe]");
    execute(u"SELECT COUNT(made), CAST(MIN(made) AS datetime2(6)), CAST(MAX(made) AS datetime2(6)), COUNT(day), MIN(day),"
            u" MAX(day) FROM dbo.[Läufe]");
    execute(u"SELECT id, big, ratio, price, name, data, made, day, LEN(note), LEFT(note, 1), RIGHT(note, 1) FROM dbo.[Läufe]"
            u" WHERE id % 1000 = 0 ORDER BY id");
}

/* A row for each of these numbers; number 0 has no name. */
static void load_strictly(const char *what, const int *ids) {
    HOLD_BCP(bcp_initA(connection, "dbo.strict", NULL, NULL, DB_IN));
    HOLD_BCP(bcp_bind(connection, &row.id, 0, SQL_VARLEN_DATA, NULL, 0, SQLINT4, 1));
    HOLD_BCP(bcp_bind(connection, &row.name, sizeof(SQLINTEGER), SQL_VARLEN_DATA, NULL, 0, SQLNVARCHAR, 2));
    for (; *ids >= 0; ids++) {
        fill(*ids);
        if (*ids == 0) row.name.length = SQL_NULL_DATA;
        HOLD_BCP(bcp_sendrow(connection));
    }
    int done = bcp_done(connection);
    printf("%s: %d\n", what, done);
    if (done < 0) print_records(SQL_HANDLE_DBC, connection);
    execute(u"SELECT COUNT(*), MAX(id) FROM dbo.strict");
}

int main(int arguments, char **values) {
    const char *path = getenv("MSODBCSQL");
    char *string = arguments == 2 ? values[1] : getenv("CONNECTION_STRING");
    void *driver = path && string ? dlopen(path, RTLD_NOW) : NULL;
    if (!driver) return puts("Wanted: a connection string, and the path of Microsoft's driver in MSODBCSQL"), 2;
    *(void **)&bcp_initA = dlsym(driver, "bcp_initA");
    *(void **)&bcp_initW = dlsym(driver, "bcp_initW");
    *(void **)&bcp_bind = dlsym(driver, "bcp_bind");
    *(void **)&bcp_sendrow = dlsym(driver, "bcp_sendrow");
    *(void **)&bcp_batch = dlsym(driver, "bcp_batch");
    *(void **)&bcp_done = dlsym(driver, "bcp_done");

    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &environment);
    SQLSetEnvAttr(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    HOLD_ODBC(SQLAllocHandle(SQL_HANDLE_DBC, environment, &connection), SQL_HANDLE_ENV, environment);
    HOLD_ODBC(SQLSetConnectAttr(connection, SQL_COPT_SS_BCP, (SQLPOINTER)SQL_BCP_ON, SQL_IS_INTEGER), SQL_HANDLE_DBC, connection);
    HOLD_ODBC(SQLDriverConnect(connection, NULL, (SQLCHAR *)string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT),
              SQL_HANDLE_DBC, connection);
    HOLD_ODBC(SQLAllocHandle(SQL_HANDLE_STMT, connection, &statement), SQL_HANDLE_DBC, connection);
    load();
    execute(u"CREATE TABLE dbo.strict (id int NOT NULL PRIMARY KEY, name nvarchar(40) NOT NULL)");
    load_strictly("strictly", (int[]){1, 2, 3, -1});
    load_strictly("a duplicate", (int[]){4, 5, 2, 6, -1});
    load_strictly("a NULL", (int[]){4, 5, 0, 6, -1});
    load_strictly("strictly", (int[]){4, 5, 6, -1});

    SQLFreeHandle(SQL_HANDLE_STMT, statement);
    SQLDisconnect(connection);
    SQLFreeHandle(SQL_HANDLE_DBC, connection);
    SQLFreeHandle(SQL_HANDLE_ENV, environment);
    return 0;
}
