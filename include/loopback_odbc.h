/* The C interface of loopback-odbc, in addition to the ODBC functions that the library exports.
 *
 * All text is UTF-8. Functions that fill a buffer take the buffer's size in bytes in *length. They return the size of
 * the text in bytes, without the NUL, and store it in *length. The value is positive for the requested text and
 * negative for the text of an error: the SQLSTATE, a colon and the reason, then one line for each place that was
 * checked. The text and a NUL are written if the whole text fits into the buffer; otherwise an empty text is written.
 * A text is never truncated. Call first without a buffer, or with a large one: 4096 bytes are enough for most texts.
 *
 * All arguments are pointers, so R can call the functions with .C(), with raw vectors and an integer.
 */
#ifndef LOOPBACK_ODBC_H
#define LOOPBACK_ODBC_H

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version: a static, NUL-terminated string such as "0.1.0". Never fails. */
const char *loopback_odbc_version(void);

/* The loopback connection string of this session, for a database and a driver. Both have the names that Microsoft's
 * functions rx_get_sql_loopback_connection_string() and rxGetSqlLoopbackConnectionString() take. Null or "" as the
 * database leaves the choice to the server. Null or "" as the driver selects the driver that the library would load.
 * The values come from the LOOPBACK_ODBC_ variables and from discovery in the session; sections of odbc.ini are not
 * read. */
int loopback_odbc_connection_string(const char *database, const char *driver, char *buffer, int *length);

/* What discovery checks and what it finds, one line each. Secrets are not shown. */
int loopback_odbc_report(char *buffer, int *length);

/* What a session shows to the people who work on this library, without anything that identifies a machine, a network
 * or a person: JSON, with a newline at its end. docs/confirming.md explains it. caller is the login that called the
 * script, official the string that Microsoft's function printed; null or "" if unknown. This opens a connection, so
 * call it once, with a buffer of 1 MiB. */
int loopback_odbc_confirmation(const char *caller, const char *official, char *buffer, int *length);

#ifdef __cplusplus
}
#endif

#endif
