/* A thread that is cancelled inside the library or its target ends, the process continues, and the next thread connects.
 * Linked with the library.
 *
 *     cancelled <mode> <the slow target> <deferred or asynchronous> */
#include "client.h"
#include <sched.h>

static const char *mode;
static int asynchronous;

static void *work(void *nothing) {
    int before;
    pthread_setcanceltype(asynchronous ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED, &before);
    if (!strcmp(mode, "loading")) {
        /* Cancelled at the first cancellation point, which may be outside the library. Asynchronously, the thread
         * ends here. */
        pthread_cancel(pthread_self());
        struct client client = client_new();
        client_connect(client, wide("DSN=Loopback"));
    } else if (!strcmp(mode, "discovery")) {
        struct client client = client_new();
        pthread_cancel(pthread_self());
        client_connect(client, wide("DSN=Loopback"));
    } else if (!strcmp(mode, "refused")) {
        struct client client = client_new();
        pthread_cancel(pthread_self());
        client_connect(client, wide("Driver=x;TargetDriver=Another"));
        first_record(SQL_HANDLE_DBC, client.connection);
    } else if (!strcmp(mode, "connect")) {
        client_connect(client_new(), wide("Driver=x;Server=s;UID=u;PWD=p;Database=Slow"));
    } else if (!strcmp(mode, "execute")) {
        struct client client = client_new();
        SQLHSTMT statement;
        client_open(client, wide("Driver=x;Server=s;UID=u;PWD=p"));
        HOLD(SQLAllocHandle(SQL_HANDLE_STMT, client.connection, &statement) == SQL_SUCCESS, "no statement");
        struct wide text = wide("Slow");
        SQLExecDirectW(statement, text.units, SQL_NTS);
    } else {
        HOLD(0, "no such mode: %s", mode);
    }
    pthread_testcancel();
    HOLD(0, "not cancelled");
    return nothing;
}

static void *connects(void *nothing) {
    struct client client = client_new();
    client_open(client, wide("Driver=x;Server=s;UID=u;PWD=p"));
    client_close(client);
    return nothing;
}

static void *joined(pthread_t thread) {
    void *result;
    HOLD(!pthread_join(thread, &result), "join");
    return result;
}

int main(int count, char **arguments) {
    pthread_t thread;
    HOLD(count == 4, "%d", count);
    mode = arguments[1];
    asynchronous = !strcmp(arguments[3], "asynchronous");
    alarm(30); /* instead of waiting for ever */
    for (int times = 1; times <= 3; times++) {
        HOLD(!pthread_create(&thread, NULL, work, NULL), "no thread");
        if (!strcmp(mode, "connect") || !strcmp(mode, "execute")) {
            /* The file that the library loads as well. */
            int *waits = dlsym(dlopen(arguments[2], RTLD_NOW), "slow_target_waits");
            while (__atomic_load_n(waits, __ATOMIC_SEQ_CST) < times) sched_yield();
            pthread_cancel(thread);
        }
        HOLD(joined(thread) == PTHREAD_CANCELED, "it has another result");
        HOLD(!pthread_create(&thread, NULL, connects, NULL), "no thread");
        HOLD(joined(thread) == NULL, "it has another result");
    }
    puts("cancelled");
    return 0;
}
