/* A target without a lock of its own, for processes that fork: it connects, and that is all. */
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
#include <stdlib.h>

#define DOES_NOTHING(result, name, ...) \
    SQLRETURN name(__VA_ARGS__) { return result; }

SQLRETURN SQLAllocHandle(SQLSMALLINT type, SQLHANDLE input, SQLHANDLE *output) {
    (void)type, (void)input;
    *output = malloc(1);
    return SQL_SUCCESS;
}

SQLRETURN SQLFreeHandle(SQLSMALLINT type, SQLHANDLE handle) {
    (void)type;
    free(handle);
    return SQL_SUCCESS;
}

/* It passes for Microsoft's driver, so that the library has its say about certificates. */
SQLRETURN SQLGetInfoW(SQLHDBC connection, SQLUSMALLINT type, SQLPOINTER value, SQLSMALLINT capacity, SQLSMALLINT *length) {
    const char *text = type == SQL_DRIVER_NAME ? "libmsodbcsql-18.0.so" : type == SQL_DRIVER_VER ? "18.00.0000" : "";
    (void)connection, (void)length;
    for (SQLWCHAR *to = value; capacity >= 2; capacity -= 2)
        if (!(*to++ = (unsigned char)*text++)) break;
    return SQL_SUCCESS;
}

#pragma GCC diagnostic ignored "-Wunused-parameter"
DOES_NOTHING(SQL_SUCCESS, SQLSetEnvAttr, SQLHENV environment, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length)
DOES_NOTHING(SQL_SUCCESS, SQLDriverConnectW, SQLHDBC connection, SQLHWND window, SQLWCHAR *string, SQLSMALLINT length,
             SQLWCHAR *out, SQLSMALLINT capacity, SQLSMALLINT *out_length, SQLUSMALLINT completion)
DOES_NOTHING(SQL_NO_DATA, SQLGetDiagRecW, SQLSMALLINT type, SQLHANDLE handle, SQLSMALLINT number, SQLWCHAR *state,
             SQLINTEGER *native, SQLWCHAR *text, SQLSMALLINT capacity, SQLSMALLINT *length)
DOES_NOTHING(SQL_NO_DATA, SQLGetDiagFieldW, SQLSMALLINT type, SQLHANDLE handle, SQLSMALLINT number, SQLSMALLINT field,
             SQLPOINTER value, SQLSMALLINT capacity, SQLSMALLINT *length)
DOES_NOTHING(SQL_SUCCESS, SQLDisconnect, SQLHDBC connection)
