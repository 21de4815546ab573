/* A process that forks while its other threads are inside connects; the children then use ODBC:
 *     forks CHILDREN SECONDS target     benches/target.c is the target
 *     forks CHILDREN SECONDS absent     there is no target
 *     forks 1 SECONDS loading           the target, linked with slow_load.c, is being loaded at the fork
 * A child that has not finished after SECONDS hangs. The program is linked with the library, and no connect reads
 * odbc.ini, so the driver manager and its installer library, which have locks of their own, are not involved. */
#include "client.h"
#include <signal.h>
#include <sys/wait.h>

/* slow_load.c reads these. */
volatile int loading, forked;

static int is_absent;
static volatile int enough;

static void use_once(void) {
    struct client client = client_new();
    if (is_absent) {
        client_refused(client, wide("Server=s;UID=u;PWD=p"), "IM003", "cannot be loaded");
        client_free(client);
    } else {
        client_refused(client, wide("Server=s;ClientKey=file:/k.pem"), "08001", "A key is configured");
        client_open(client, wide("Server=s;UID=u;PWD=p"));
        client_close(client);
    }
}

static void *work(void *unused) {
    while (!enough) use_once();
    return unused;
}

static void *load(void *unused) {
    use_once();
    return unused;
}

int main(int count, char **arguments) {
    HOLD(count == 4, "%d arguments", count);
    int children = atoi(arguments[1]), seconds = atoi(arguments[2]), is_loading = !strcmp(arguments[3], "loading");
    is_absent = !strcmp(arguments[3], "absent");
    pthread_t threads[4];
    int used = is_loading ? 1 : 4;
    struct client kept;
    if (is_loading) {
        pthread_create(&threads[0], NULL, load, NULL);
        while (!loading) usleep(100);
    } else {
        /* From before the fork. Without a target, a live handle also prevents any attempt to load one. */
        kept = client_new();
        client_connect(kept, wide("Server=s;ClientKey=file:/k.pem"));
        for (int i = 0; i < used; i++) pthread_create(&threads[i], NULL, work, NULL);
    }
    for (int i = 0; i < children; i++) {
        pid_t child = fork();
        HOLD(child >= 0, "no fork");
        if (child == 0) {
            alarm((unsigned)seconds);
            if (!is_loading) {
                struct record record = first_record(SQL_HANDLE_DBC, kept.connection);
                HOLD(!strncmp(record.text, is_absent ? "IM003" : "08001", 5), "the parent's record is %s", record.text);
                client_free(kept);
            }
            for (int round = 0; round < 3; round++) use_once();
            _exit(0);
        }
        forked = 1;
        int status;
        HOLD(waitpid(child, &status, 0) == child, "no child");
        HOLD(!(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM), "child %d hangs", i);
        HOLD(status == 0, "child %d ended with %d", i, status);
        use_once();
    }
    enough = 1;
    for (int i = 0; i < used; i++) pthread_join(threads[i], NULL);
    if (!is_loading) client_free(kept);
    printf("%d children\n", children);
    return 0;
}
