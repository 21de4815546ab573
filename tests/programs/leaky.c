/* Tests the tests: a library with this library's name that leaks memory in a connect, and writes beyond its end. */
#include <sql.h>
#include <stdlib.h>

SQLRETURN SQLDriverConnectW(SQLHDBC connection, SQLHWND window, SQLWCHAR *string, SQLSMALLINT length, SQLWCHAR *out,
                            SQLSMALLINT capacity, SQLSMALLINT *out_length, SQLUSMALLINT completion) {
    (void)connection, (void)window, (void)string, (void)length, (void)out, (void)capacity, (void)out_length;
    volatile char *lost = calloc(1, 100 + completion);
    lost[100 + completion] = 1;
    return SQL_SUCCESS;
}
