/* A target that does nothing, as fast as possible and without a lock of its own: to measure calls through the library
 * alone, and for processes that fork. */
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
#include <stdlib.h>
#include <string.h>

#define DOES_NOTHING(name, ...) \
    SQLRETURN name(__VA_ARGS__) { return SQL_SUCCESS; }

SQLRETURN SQLAllocHandle(SQLSMALLINT type, SQLHANDLE input, SQLHANDLE *output) {
    *output = malloc(1);
    return SQL_SUCCESS;
}

SQLRETURN SQLFreeHandle(SQLSMALLINT type, SQLHANDLE handle) {
    free(handle);
    return SQL_SUCCESS;
}

SQLRETURN SQLNumResultCols(SQLHSTMT statement, SQLSMALLINT *columns) {
    *columns = 1; /* so the driver manager allows rows to be fetched */
    return SQL_SUCCESS;
}

SQLRETURN SQLGetFunctions(SQLHDBC connection, SQLUSMALLINT function, SQLUSMALLINT *supported) {
    if (function != SQL_API_ODBC3_ALL_FUNCTIONS) return SQL_ERROR;
    memset(supported, 0xff, SQL_API_ODBC3_ALL_FUNCTIONS_SIZE * sizeof *supported);
    return SQL_SUCCESS;
}

SQLRETURN SQLGetDiagRecW(SQLSMALLINT type, SQLHANDLE handle, SQLSMALLINT number, SQLWCHAR *state, SQLINTEGER *native,
                         SQLWCHAR *text, SQLSMALLINT capacity, SQLSMALLINT *length) {
    return SQL_NO_DATA;
}

/* It claims to be Microsoft's driver, so the library discovers server and certificate. */
SQLRETURN SQLGetInfoW(SQLHDBC connection, SQLUSMALLINT type, SQLPOINTER value, SQLSMALLINT capacity, SQLSMALLINT *length) {
    const char *text = type == SQL_DRIVER_NAME ? "libmsodbcsql-18.0.so" : type == SQL_DRIVER_VER ? "18.00.0000" : "";
    for (SQLWCHAR *to = value; capacity >= 2; capacity -= 2)
        if (!(*to++ = (unsigned char)*text++)) break;
    return SQL_SUCCESS;
}

DOES_NOTHING(SQLDisconnect, SQLHDBC connection)
DOES_NOTHING(SQLSetEnvAttr, SQLHENV environment, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length)
DOES_NOTHING(SQLDriverConnectW, SQLHDBC connection, SQLHWND window, SQLWCHAR *string, SQLSMALLINT length, SQLWCHAR *out,
             SQLSMALLINT capacity, SQLSMALLINT *out_length, SQLUSMALLINT completion)
DOES_NOTHING(SQLGetDiagFieldW, SQLSMALLINT type, SQLHANDLE handle, SQLSMALLINT number, SQLSMALLINT field, SQLPOINTER value,
             SQLSMALLINT capacity, SQLSMALLINT *length)
DOES_NOTHING(SQLExecDirectW, SQLHSTMT statement, SQLWCHAR *text, SQLINTEGER length)
DOES_NOTHING(SQLFetch, SQLHSTMT statement)
DOES_NOTHING(SQLGetData, SQLHSTMT statement, SQLUSMALLINT column, SQLSMALLINT type, SQLPOINTER value, SQLLEN capacity,
             SQLLEN *length)
DOES_NOTHING(SQLBindParameter, SQLHSTMT statement, SQLUSMALLINT number, SQLSMALLINT direction, SQLSMALLINT c_type,
             SQLSMALLINT sql_type, SQLULEN size, SQLSMALLINT digits, SQLPOINTER value, SQLLEN capacity, SQLLEN *length)
