/* Threads that are cancelled while each function of the target waits. Linked with the library. The target is made from
 * the same file, compiled with -DTARGET, and has the functions in FUNCTIONS.
 *
 *     cancelled_anywhere <the target> <function>... */
#ifdef TARGET
#include <poll.h>
#include <sql.h>
#include <stdlib.h>
#include <string.h>

/* The function that waits, and whether a call is waiting. */
const char *target_waits_in;
int target_waits;

static SQLRETURN act(const char *name) {
    if (target_waits_in && !strcmp(name, target_waits_in)) {
        __atomic_store_n(&target_waits, 1, __ATOMIC_SEQ_CST);
        poll(NULL, 0, 60 * 1000);
    }
    return strncmp(name, "SQLGetDiag", 10) ? SQL_SUCCESS : SQL_NO_DATA;
}

SQLRETURN SQLAllocHandle(SQLSMALLINT type, SQLHANDLE input, SQLHANDLE *output) {
    act("SQLAllocHandle");
    *output = malloc(1);
    return SQL_SUCCESS;
}

/* Takes any arguments: the C name differs, so the headers declare no arguments for it. */
#define FUNCTION(name)                             \
    SQLRETURN target_##name(void) __asm__(#name); \
    SQLRETURN target_##name(void) { return act(#name); }
FUNCTIONS

#else
#include "client.h"
#include <time.h>

static const char **waits_in;
static int *waits;
static const char *name;

static int is(const char *other) { return !strcmp(name, other); }

static void *work(void *nothing) {
    struct client client = client_new();
    struct wide string = wide("Driver=x;Server=s;UID=u;PWD=p"), source = wide("Loopback");
    SQLRETURN (*function)() = dlsym(RTLD_DEFAULT, name);
    SQLHANDLE handle = strstr(name, "EnvAttr") ? client.environment : client.connection;
    /* Room for whatever a function writes, and nothing for it to read. */
    static char room[4096];
    HOLD(function, "there is no %s", name);
    *waits_in = is("SQLBrowseConnectW") || is("SQLConnectW") ? "SQLDriverConnectW" : name;
    if (is("SQLAllocHandle"))
        SQLAllocHandle(SQL_HANDLE_DBC, client.environment, (SQLHANDLE *)room);
    else if (is("SQLDriverConnectW"))
        client_connect(client, string);
    else if (is("SQLBrowseConnectW"))
        SQLBrowseConnectW(handle, string.units, SQL_NTS, NULL, 0, NULL);
    else if (is("SQLConnectW"))
        SQLConnectW(handle, source.units, SQL_NTS, NULL, 0, NULL, 0);
    else if (is("SQLCancelHandle") || is("SQLEndTran") || is("SQLFreeHandle") || is("SQLGetDiagFieldW") || is("SQLGetDiagRecW"))
        function((long)SQL_HANDLE_DBC, handle, 1L, room, room, room, 0L, room);
    else
        function(handle, 0L, room, 0L, room, room, room, room, room, room, room, room);
    HOLD(0, "%s came back", name);
    return nothing;
}

int main(int count, char **arguments) {
    void *target = dlopen(arguments[1], RTLD_NOW);
    waits_in = dlsym(target, "target_waits_in");
    waits = dlsym(target, "target_waits");
    for (int i = 2; i < count; i++) {
        pthread_t thread;
        void *result;
        struct timespec until;
        name = arguments[i];
        HOLD(!pthread_create(&thread, NULL, work, NULL), "no thread");
        while (!__atomic_load_n(waits, __ATOMIC_SEQ_CST)) usleep(100);
        pthread_cancel(thread);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 10;
        HOLD(!pthread_timedjoin_np(thread, &result, &until), "%s goes on", name);
        HOLD(result == PTHREAD_CANCELED, "%s ended otherwise", name);
        *waits_in = NULL;
        *waits = 0;
    }
    printf("%d functions\n", count - 2);
    return 0;
}

#endif
