/* Threads that allocate and free environments while the target appears: ARGV = the library, the target's path, and
 * the path that it must have. The fake target aborts if it ever sees a handle of the absent target. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <unistd.h>

static SQLRETURN (*allocate)(SQLSMALLINT, SQLHANDLE, SQLHANDLE *);
static SQLRETURN (*release)(SQLSMALLINT, SQLHANDLE);
static SQLRETURN (*set)(SQLHENV, SQLINTEGER, SQLPOINTER, SQLINTEGER);
static volatile int enough;

static void *hammer(void *unused) {
    while (!enough) {
        SQLHANDLE environment;
        if (allocate(SQL_HANDLE_ENV, NULL, &environment) != SQL_SUCCESS) return "allocate";
        if (set(environment, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0) != SQL_SUCCESS) return "set";
        if (release(SQL_HANDLE_ENV, environment) != SQL_SUCCESS) return "release";
    }
    return unused;
}

int main(int count, char **arguments) {
    pthread_t threads[3];
    void *library = count == 4 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (!library) return puts(dlerror()), 2;
    allocate = (SQLRETURN(*)(SQLSMALLINT, SQLHANDLE, SQLHANDLE *))dlsym(library, "SQLAllocHandle");
    release = (SQLRETURN(*)(SQLSMALLINT, SQLHANDLE))dlsym(library, "SQLFreeHandle");
    set = (SQLRETURN(*)(SQLHENV, SQLINTEGER, SQLPOINTER, SQLINTEGER))dlsym(library, "SQLSetEnvAttr");
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, hammer, NULL);
    usleep(5000);
    if (rename(arguments[2], arguments[3])) return perror("rename"), 2;
    usleep(20000);
    enough = 1;
    for (int i = 0; i < 3; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        if (failed) return printf("%s failed\n", (char *)failed), 1;
    }
    return 0;
}
