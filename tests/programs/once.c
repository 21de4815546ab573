/* One call to the library that it is linked with, on no handle. */
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

int main(void) {
    return SQLDriverConnectW(0, 0, 0, 0, 0, 0, 0, SQL_DRIVER_NOPROMPT) == SQL_SUCCESS ? 0 : 1;
}
