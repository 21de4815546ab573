/* A target that does what no real driver does when asked to: it connects asynchronously, has few functions while it claims
 * to have all, and tells who passes it a handle that is not its own. It is for what Microsoft's driver cannot show. */
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is behind a handle; MAGIC is how a handle is known as ours. */
#define MAGIC 0x6661726573ULL
struct handle {
    unsigned long long magic;
    int calls;               /* of SQLDriverConnectW */
    SQLWCHAR *string;        /* that the first of them was given */
    const char *state, *text; /* the one record */
    SQLRETURN code;
};

static struct handle *mine(SQLHANDLE handle) {
    /* The absent target's handles are small numbers. */
    if ((size_t)handle < 65536 || ((struct handle *)handle)->magic != MAGIC) {
        fprintf(stderr, "foreign handle %p\n", handle);
        abort();
    }
    return handle;
}

static void copy(SQLWCHAR *to, const char *from) {
    while (to && (*to++ = (unsigned char)*from++)) {
    }
}

static int contains(const SQLWCHAR *string, const char *word) {
    for (; *string; string++) {
        size_t same = 0;
        while (word[same] && string[same] == (SQLWCHAR)word[same]) same++;
        if (!word[same]) return 1;
    }
    return 0;
}

SQLRETURN SQLAllocHandle(SQLSMALLINT type, SQLHANDLE input, SQLHANDLE *output) {
    struct handle *handle = calloc(1, sizeof *handle);
    if (type != SQL_HANDLE_ENV) mine(input);
    handle->magic = MAGIC;
    *output = handle;
    return SQL_SUCCESS;
}

SQLRETURN SQLFreeHandle(SQLSMALLINT type, SQLHANDLE handle) {
    (void)type;
    mine(handle)->magic = 0;
    free(handle);
    return SQL_SUCCESS;
}

SQLRETURN SQLSetEnvAttr(SQLHENV environment, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length) {
    (void)attribute, (void)value, (void)length;
    mine(environment);
    return SQL_SUCCESS;
}

static SQLRETURN finish(struct handle *connection, const char *state, const char *text, SQLRETURN code) {
    connection->state = state;
    connection->text = text;
    return connection->code = code;
}

SQLRETURN SQLDriverConnectW(SQLHDBC handle, SQLHWND window, SQLWCHAR *string, SQLSMALLINT length, SQLWCHAR *out,
                            SQLSMALLINT capacity, SQLSMALLINT *out_length, SQLUSMALLINT completion) {
    struct handle *connection = mine(handle);
    (void)window, (void)length, (void)out, (void)capacity, (void)out_length, (void)completion;
    if (contains(string, "APP=fail")) return finish(connection, "28000", "[fake] no", SQL_ERROR);
    if (!contains(string, "APP=async")) return finish(connection, "01000", "[fake] hello", SQL_SUCCESS_WITH_INFO);
    if (!connection->calls++) connection->string = string;
    if (connection->string != string) return finish(connection, "HY000", "[fake] the string has moved", SQL_ERROR);
    if (connection->calls < 3) return finish(connection, NULL, NULL, SQL_STILL_EXECUTING);
    return finish(connection, NULL, NULL, SQL_SUCCESS);
}

SQLRETURN SQLGetDiagRecW(SQLSMALLINT type, SQLHANDLE handle, SQLSMALLINT number, SQLWCHAR *state, SQLINTEGER *native,
                         SQLWCHAR *text, SQLSMALLINT capacity, SQLSMALLINT *length) {
    struct handle *connection = mine(handle);
    (void)type, (void)capacity;
    if (number != 1 || !connection->state) return SQL_NO_DATA;
    copy(state, connection->state);
    copy(text, connection->text);
    if (native) *native = 7;
    if (length) *length = (SQLSMALLINT)strlen(connection->text);
    return SQL_SUCCESS;
}

SQLRETURN SQLGetDiagFieldW(SQLSMALLINT type, SQLHANDLE handle, SQLSMALLINT number, SQLSMALLINT field, SQLPOINTER value,
                           SQLSMALLINT capacity, SQLSMALLINT *length) {
    struct handle *connection = mine(handle);
    (void)type, (void)capacity, (void)length;
    if (number != 0) return SQL_NO_DATA;
    if (field == SQL_DIAG_NUMBER) *(SQLINTEGER *)value = connection->state != NULL;
    if (field == SQL_DIAG_RETURNCODE) *(SQLRETURN *)value = connection->code;
    return SQL_SUCCESS;
}

SQLRETURN SQLGetInfoW(SQLHDBC connection, SQLUSMALLINT type, SQLPOINTER value, SQLSMALLINT capacity, SQLSMALLINT *length) {
    (void)type, (void)capacity;
    finish(mine(connection), NULL, NULL, SQL_SUCCESS);
    copy(value, "");
    if (length) *length = 0;
    return SQL_SUCCESS;
}

/* Claims to have everything. */
SQLRETURN SQLGetFunctions(SQLHDBC connection, SQLUSMALLINT function, SQLUSMALLINT *supported) {
    mine(connection);
    size_t words = function == SQL_API_ODBC3_ALL_FUNCTIONS ? 250 : function == SQL_API_ALL_FUNCTIONS ? 100 : 1;
    for (size_t word = 0; word < words; word++)
        supported[word] = function == SQL_API_ODBC3_ALL_FUNCTIONS ? 0xffff : SQL_TRUE;
    return SQL_SUCCESS;
}

SQLRETURN SQLDisconnect(SQLHDBC connection) {
    mine(connection);
    return SQL_SUCCESS;
}
