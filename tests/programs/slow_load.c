/* Makes the target that it is linked into be still loading when forks.c forks: it goes on when there is a child, or, should
 * the fork wait for it, after a second. */
#include <unistd.h>

extern volatile int loading, forked;

__attribute__((constructor)) static void wait_for_fork(void) {
    loading = 1;
    for (int i = 0; i < 1000 && !forked; i++) usleep(1000);
}
