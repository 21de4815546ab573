/* Delays the loading of a target that is linked with it until forks.c has forked. It continues when there is a child
 * or, if the fork waits for it, after a second. */
#include <unistd.h>

extern volatile int loading, forked;

__attribute__((constructor)) static void wait_for_fork(void) {
    loading = 1;
    for (int i = 0; i < 1000 && !forked; i++) usleep(1000);
}
