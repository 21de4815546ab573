/* Ways in which a process ends without waiting for ODBC:
 *     exits return     from main, while threads connect
 *     exits exit       called by one thread while others connect
 *     exits unfreed    with connected handles, and one that has a record of the library */
#include "client.h"

enum { THREADS = 4 };
static volatile int rounds[THREADS];

static void *work(void *round) {
    for (;;) {
        struct client client = client_new();
        client_refused(client, wide("DSN=Loopback;TargetDriver=other"), "HY024", "other");
        client_open(client, wide("DSN=Loopback"));
        client_close(client);
        ++*(volatile int *)round;
    }
    return NULL;
}

static void wait_until_all_work(void) {
    for (int i = 0; i < THREADS; i++)
        while (!rounds[i]) usleep(100);
}

static void *end(void *unused) {
    wait_until_all_work();
    exit(0);
    return unused;
}

int main(int count, char **arguments) {
    HOLD(count == 2, "%d arguments", count);
    pthread_t thread;
    if (!strcmp(arguments[1], "unfreed")) {
        for (int i = 0; i < 3; i++) client_open(client_new(), wide("DSN=Loopback"));
        client_refused(client_new(), wide("DSN=Loopback;TargetDriver=other"), "HY024", "other");
        return 0;
    }
    /* If the first connects of several threads come at the same time, unixODBC 2.3.12 sometimes finds no data source (IM002). */
    struct client first = client_new();
    client_open(first, wide("DSN=Loopback"));
    client_close(first);
    for (int i = 0; i < THREADS; i++) pthread_create(&thread, NULL, work, (void *)&rounds[i]);
    if (!strcmp(arguments[1], "return")) return wait_until_all_work(), 0;
    pthread_create(&thread, NULL, end, NULL);
    pthread_join(thread, NULL);
    return 1;
}
