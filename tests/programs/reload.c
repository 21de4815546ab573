/* Loads and unloads the library, directly and through the driver manager for each connection, and checks that nothing
 * grows; memory may grow by KILOBYTES:
 *     reload LIBRARY ROUNDS KILOBYTES
 * `DSN=Loopback` leads to the recording target. */
#include "client.h"
#include <dirent.h>
#include <time.h>

/* unixODBC's installer library caches what it reads for 20 seconds, some of it once per read, and so it grows during
 * that time. This function makes a minute pass at each call. */
time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    static time_t called;
    time_t seconds = now.tv_sec + 60 * ++called;
    if (to) *to = seconds;
    return seconds;
}

/* The state of this process. */
struct state {
    long kilobytes;
    int descriptors, mappings;
};

static struct state state_now(const char *library) {
    struct state state = {0, 0, 0};
    char line[4096];
    FILE *file = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, file)) sscanf(line, "VmRSS: %ld", &state.kilobytes);
    fclose(file);
    /* A library's first mapping has offset 0 in its file. */
    file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, file)) state.mappings += strstr(line, library) && strstr(line, " 00000000 ");
    fclose(file);
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder)) state.descriptors++;
    closedir(folder);
    return state;
}

static void load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    HOLD(library, "%s", dlerror());
    SQLRETURN (*allocate)(SQLSMALLINT, SQLHANDLE, SQLHANDLE *) =
        (SQLRETURN(*)(SQLSMALLINT, SQLHANDLE, SQLHANDLE *))dlsym(library, "SQLAllocHandle");
    SQLRETURN (*release)(SQLSMALLINT, SQLHANDLE) = (SQLRETURN(*)(SQLSMALLINT, SQLHANDLE))dlsym(library, "SQLFreeHandle");
    SQLHANDLE environment;
    HOLD(allocate(SQL_HANDLE_ENV, NULL, &environment) == SQL_SUCCESS, "no environment");
    HOLD(release(SQL_HANDLE_ENV, environment) == SQL_SUCCESS, "the environment stays");
    HOLD(!dlclose(library), "%s", dlerror());
}

/* The driver manager loads the driver for a connection and unloads it afterwards. */
static void connect_once(const char *unused) {
    (void)unused;
    struct client client = client_new();
    client_refused(client, wide("DSN=Loopback;TargetDriver=other"), "HY024", "other");
    client_open(client, wide("DSN=Loopback"));
    client_close(client);
}

static void repeat(const char *what, void (*action)(const char *), const char *library, int rounds, long kilobytes) {
    for (int round = 0; round < 50; round++) action(library);
    struct state before = state_now(library);
    for (int round = 0; round < rounds; round++) action(library);
    struct state after = state_now(library);
    HOLD(before.mappings == 1 && after.mappings == 1, "%d, %d mappings", before.mappings, after.mappings);
    HOLD(after.descriptors == before.descriptors, "%d, %d descriptors", before.descriptors, after.descriptors);
    HOLD(after.kilobytes - before.kilobytes <= kilobytes, "%ld, %ld KiB", before.kilobytes, after.kilobytes);
    printf("%s: %d times, %ld KiB before, %ld KiB after\n", what, rounds, before.kilobytes, after.kilobytes);
}

int main(int count, char **arguments) {
    HOLD(count == 4, "%d arguments", count);
    repeat("loaded and unloaded", load, arguments[1], atoi(arguments[2]), atol(arguments[3]));
    repeat("connected", connect_once, arguments[1], atoi(arguments[2]), atol(arguments[3]));
    return 0;
}
