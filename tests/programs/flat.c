/* Connects and disconnects many times, and prints the cost at the start and at the end: a process that runs for months
 * must not grow or get slower. Linked with the driver manager, with the library, or with the target itself.
 *
 *     flat <connects, in thousands> <connection string>
 *
 * It prints by how many KiB the process has grown, and the processor time of a connect, in nanoseconds, in the first
 * thousands and in the last. Of each five thousands it takes the one with the lowest median, because other programs may be
 * running. One thousand before these does not count. It stops when a connect takes three times as long as at the start,
 * because a program that gets slower may never end. */
#include "client.h"
#include <limits.h>
#include <time.h>

static long resident(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    HOLD(file && fscanf(file, "%*s %ld", &pages) == 1, "no /proc/self/statm");
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE) / 1024;
}

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static int compare(const void *one, const void *other) {
    long a = *(const long *)one, b = *(const long *)other;
    return (a > b) - (a < b);
}

static long thousand(struct client client, struct wide string) {
    static long times[1000];
    for (int i = 0; i < 1000; i++) {
        long start = now();
        SQLRETURN code = client_connect(client, string);
        HOLD(SQL_SUCCEEDED(code), "%s", first_record(SQL_HANDLE_DBC, client.connection).text);
        SQLDisconnect(client.connection);
        times[i] = now() - start;
    }
    qsort(times, 1000, sizeof *times, compare);
    return times[500];
}

int main(int count, char **arguments) {
    HOLD(count == 3, "%d", count);
    int thousands = atoi(arguments[1]), done;
    struct wide string = wide("%s", arguments[2]);
    struct client client = client_new();
    thousand(client, string);
    long before = resident(), first = LONG_MAX, last = LONG_MAX, latest[5];
    for (done = 0; done < thousands && (done < 10 || last < 3 * first); done++) {
        latest[done % 5] = thousand(client, string);
        last = LONG_MAX;
        for (int i = 0; i < 5 && i <= done; i++) last = latest[i] < last ? latest[i] : last;
        if (done < 5) first = last;
    }
    printf("%ld %ld %ld %d\n", resident() - before, first, last, done);
    client_free(client);
    return 0;
}
