/* The C interface of loopback-odbc, beside the ODBC functions that the library exports. */
#ifndef LOOPBACK_ODBC_H
#define LOOPBACK_ODBC_H

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version: a static, NUL-terminated string such as "0.1.0". Never fails. */
const char *loopback_odbc_version(void);

#ifdef __cplusplus
}
#endif

#endif
