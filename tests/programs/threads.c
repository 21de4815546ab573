/* Threads that connect, query, fail and disconnect in parallel. Each checks its own results:
 *     threads THREADS ROUNDS real
 *     threads THREADS ROUNDS alone
 *     threads THREADS ROUNDS RECORDING-TARGET
 * `DSN=Loopback` leads to Microsoft's driver and a server, or to the recording target. With `alone`, DSN=Direct is Microsoft's driver
 * without the library, for comparison; the environment variables CLIENT_USER and CLIENT_PASSWORD are the login. */
#include "client.h"

static int rounds, alone;

/* The recording target's own functions; null with the real driver. */
static void *recording;
static void (*tell)(const char *, SQLRETURN);
static void (*tell_record)(const char *, SQLINTEGER, const char *);
static size_t (*connection_string)(SQLWCHAR *, size_t);

static SQLHSTMT statement_of(struct client client) {
    SQLHSTMT statement;
    HOLD(SQLAllocHandle(SQL_HANDLE_STMT, client.connection, &statement) == SQL_SUCCESS, "no statement");
    return statement;
}

/* Executes a statement, which must fail with a record that has this state and contains this word. */
static void fails(SQLHSTMT statement, struct wide query, const char *state, const char *word) {
    SQLRETURN code = SQLExecDirectW(statement, query.units, SQL_NTS);
    struct record record = first_record(SQL_HANDLE_STMT, statement);
    HOLD(code == SQL_ERROR && !strncmp(record.text, state, 5) && strstr(record.text, word), "%d %s, not %s %s", code,
         record.text, state, word);
}

static void use_recorded(struct client client, const char *name) {
    SQLWCHAR units[1024] = {0};
    char given[1024];
    HOLD(connection_string(units, 1023) < 1024, "too long");
    narrow(given, units);
    HOLD(strstr(given, name), "the target was given %s, not %s", given, name);

    SQLHSTMT statement = statement_of(client);
    SQLLEN rows = -1;
    HOLD(SQLExecDirectW(statement, wide("SELECT 1").units, SQL_NTS) == SQL_SUCCESS, "no query");
    HOLD(SQLRowCount(statement, &rows) == SQL_SUCCESS && rows == 0, "%ld", (long)rows);
    tell("SQLExecDirectW", SQL_ERROR);
    tell_record("42S02", 208, name);
    fails(statement, wide("SELECT 2"), "42S02", name);
    HOLD(SQLFreeHandle(SQL_HANDLE_STMT, statement) == SQL_SUCCESS, "the statement stays");
}

static void use_real(struct client client, const char *name, SQLINTEGER number) {
    SQLHSTMT statement = statement_of(client);
    struct wide given = wide("%s", name);
    SQLLEN number_length = 0, given_length = SQL_NTS;
    HOLD(SQL_SUCCEEDED(SQLBindParameter(statement, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, &number_length)) &&
             SQL_SUCCEEDED(SQLBindParameter(statement, 2, SQL_PARAM_INPUT, SQL_C_WCHAR, SQL_WVARCHAR, 40, 0, given.units, 0,
                                            &given_length)),
         "%s", first_record(SQL_HANDLE_STMT, statement).text);
    SQLRETURN code = SQLExecDirectW(statement, wide("SELECT ? + 1, ?").units, SQL_NTS);
    HOLD(SQL_SUCCEEDED(code), "%s", first_record(SQL_HANDLE_STMT, statement).text);
    SQLINTEGER sum = 0;
    SQLWCHAR units[64] = {0};
    char back[64];
    HOLD(SQLFetch(statement) == SQL_SUCCESS, "no row");
    HOLD(SQL_SUCCEEDED(SQLGetData(statement, 1, SQL_C_SLONG, &sum, 0, NULL)) && sum == number + 1, "%d", (int)sum);
    HOLD(SQL_SUCCEEDED(SQLGetData(statement, 2, SQL_C_WCHAR, units, sizeof units, &given_length)), "no text");
    narrow(back, units);
    HOLD(!strcmp(back, name), "%s came back for %s", back, name);
    HOLD(SQLFetch(statement) == SQL_NO_DATA, "a second row");
    HOLD(SQL_SUCCEEDED(SQLFreeStmt(statement, SQL_CLOSE)) && SQL_SUCCEEDED(SQLFreeStmt(statement, SQL_RESET_PARAMS)), "not closed");
    fails(statement, wide("RAISERROR('missing %s', 16, 1)", name), "42000", name);
    HOLD(SQLFreeHandle(SQL_HANDLE_STMT, statement) == SQL_SUCCESS, "the statement stays");
}

/* The connection string of Microsoft's driver, with a name for the session. */
static struct wide direct(const char *name) {
    char password[256], *to = password;
    for (const char *from = getenv("CLIENT_PASSWORD"); *from; from++) {
        HOLD(to < password + sizeof password - 3, "a long password");
        if (*from == '}') *to++ = '}';
        *to++ = *from;
    }
    *to = 0;
    return wide("DSN=Direct;APP=%s;UID={%s};PWD={%s}", name, getenv("CLIENT_USER"), password);
}

static void *work(void *argument) {
    int thread = (int)(size_t)argument;
    for (int round = 0; round < rounds; round++) {
        char name[40];
        snprintf(name, sizeof name, "name-%d-%d-", thread, round);
        struct client client = client_new();
        if (!alone) client_refused(client, wide("DSN=Loopback;TargetDriver=%s", name), "HY024", name);
        /* A record of the library in addition to the target's answer. */
        SQLRETURN code = client_connect(client, alone ? direct(name) : wide("DSN=Loopback;APP=%s;WSID={%s", name, name));
        struct record record = first_record(SQL_HANDLE_DBC, client.connection);
        HOLD(SQL_SUCCEEDED(code), "%d %s", code, record.text);
        if (recording) {
            HOLD(code == SQL_SUCCESS_WITH_INFO, "%d", code);
            HOLD(!strncmp(record.text, "01S00", 5) && strstr(record.text, "read only up to character"), "%s", record.text);
            use_recorded(client, name);
        } else {
            use_real(client, name, thread * rounds + round);
        }
        client_close(client);
    }
    return NULL;
}

int main(int count, char **arguments) {
    HOLD(count == 4, "%d arguments", count);
    int threads = atoi(arguments[1]);
    rounds = atoi(arguments[2]);
    alone = !strcmp(arguments[3], "alone");
    if (!alone && strcmp(arguments[3], "real")) {
        recording = dlopen(arguments[3], RTLD_NOW);
        HOLD(recording, "%s", dlerror());
        tell = (void (*)(const char *, SQLRETURN))dlsym(recording, "recording_tell");
        tell_record = (void (*)(const char *, SQLINTEGER, const char *))dlsym(recording, "recording_tell_record");
        connection_string = (size_t(*)(SQLWCHAR *, size_t))dlsym(recording, "recording_connection_string");
    }
    pthread_t thread[64];
    HOLD(threads > 0 && threads <= 64 && rounds > 0, "%d threads", threads);
    for (int i = 0; i < threads; i++) HOLD(!pthread_create(&thread[i], NULL, work, (void *)(size_t)i), "no thread");
    for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
    printf("%d connections\n", threads * rounds);
    return 0;
}
