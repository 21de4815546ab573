/* A target that does nothing, except that a connect or a statement that contains "Slow" waits, and can be cancelled. */
#include <poll.h>
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

#define SQLDriverConnectW quick_connect
#define SQLExecDirectW quick_execute
#include "../../benches/target.c"
#undef SQLDriverConnectW
#undef SQLExecDirectW

/* The number of calls that wait. */
int slow_target_waits;

static void wait_if_slow(const SQLWCHAR *text) {
    for (; *text; text++) {
        if (text[0] != 'S' || text[1] != 'l' || text[2] != 'o' || text[3] != 'w') continue;
        __atomic_add_fetch(&slow_target_waits, 1, __ATOMIC_SEQ_CST);
        poll(NULL, 0, 60 * 1000);
    }
}

SQLRETURN SQLDriverConnectW(SQLHDBC connection, SQLHWND window, SQLWCHAR *string, SQLSMALLINT length, SQLWCHAR *out,
                            SQLSMALLINT capacity, SQLSMALLINT *out_length, SQLUSMALLINT completion) {
    wait_if_slow(string);
    return quick_connect(connection, window, string, length, out, capacity, out_length, completion);
}

SQLRETURN SQLExecDirectW(SQLHSTMT statement, SQLWCHAR *text, SQLINTEGER length) {
    wait_if_slow(text);
    return quick_execute(statement, text, length);
}
