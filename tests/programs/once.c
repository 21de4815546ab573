/* Calls the library that it is linked with once, without a handle, in this process and in a child. */
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int status = 0;
    pid_t child = fork();
    if (child < 0 || SQLDriverConnectW(0, 0, 0, 0, 0, 0, 0, SQL_DRIVER_NOPROMPT) != SQL_SUCCESS) return 1;
    return child != 0 && (wait(&status) != child || status != 0);
}
