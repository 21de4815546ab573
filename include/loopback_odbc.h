/* The C interface of loopback-odbc, beside the ODBC functions that the library exports.
 *
 * Every text is UTF-8. The functions with a buffer take its size in bytes in *length. They give the size of the text in
 * bytes, without its NUL, in *length and as their value: positive for the text that was asked for, negative for that of an
 * error, which is the SQLSTATE, a colon and the reason, and further lines on what was looked at. The text and a NUL are
 * written if the buffer has room for all of it; if not, an empty text is, so that nothing is ever cut. Call first without
 * a buffer, or with a large one: 4096 bytes are enough for most.
 *
 * All arguments are pointers so that R can call the functions with .C(), as raw vectors and an integer.
 */
#ifndef LOOPBACK_ODBC_H
#define LOOPBACK_ODBC_H

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version: a static, NUL-terminated string such as "0.1.0". Never fails. */
const char *loopback_odbc_version(void);

/* The loopback connection string of this session, for a database and a driver as they are named in Microsoft's functions
 * rx_get_sql_loopback_connection_string() and rxGetSqlLoopbackConnectionString(). Null or "" as the database leaves it to
 * the server; as the driver it means the one that the library would load. The LOOPBACK_ODBC_ variables count, and what the
 * session shows; a section of odbc.ini does not. */
int loopback_odbc_connection_string(const char *database, const char *driver, char *buffer, int *length);

/* What discovery looks at and what it finds, in lines. No secrets are shown. */
int loopback_odbc_report(char *buffer, int *length);

#ifdef __cplusplus
}
#endif

#endif
