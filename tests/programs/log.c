/* Sets up its descriptors, limits and signals in one of many ways, and then connects. The log must not affect any of them,
 * nor its own files. It prints its observations on descriptor 1. Linked with the library.
 *
 *     log <mode> <its file> */
#include "client.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const char *file;

/* Lines of the log begin with this. */
static void connect_once(void) {
    struct client client = client_new();
    client_open(client, wide("Driver=x;Server=s;UID=u;PWD=p"));
    client_close(client);
}

/* So many lines that waiting for each would be noticed. */
static void connect_often(void) {
    for (int i = 0; i < 200; i++) connect_once();
}

/* Replaces a descriptor with another. */
static void put(int from, int to) {
    if (from == to) return;
    HOLD(dup2(from, to) == to, "dup2");
    close(from);
}

/* Opens the program's own file as descriptor 2, as happens in a program that has closed that descriptor. */
static void own_file_as_2(int flags) {
    close(2);
    HOLD(open(file, O_RDWR | O_CREAT | flags, 0600) == 2, "not 2");
}

static int is_pending(int signal) {
    sigset_t set;
    sigpending(&set);
    return sigismember(&set, signal);
}

/* Reads what a pipe contains, and returns the number of lines. */
static int lines(int descriptor) {
    static char text[1 << 20];
    int count = 0;
    ssize_t length = read(descriptor, text, sizeof text);
    for (ssize_t i = 0; i < length; i++) count += text[i] == '\n';
    return count;
}

static int size_of(const char *path) {
    struct stat status;
    return stat(path, &status) ? -1 : (int)status.st_size;
}

static void run(const char *mode) {
    int ends[2];
    if (!strcmp(mode, "plain")) {
        connect_once();
    } else if (!strcmp(mode, "refused")) {
        /* Prints the error, or that it is connected. */
        struct client client = client_new();
        SQLRETURN code = client_connect(client, wide("Driver=x;Server=s;UID=u;PWD=p"));
        printf("%d %s\n", code, first_record(SQL_HANDLE_DBC, client.connection).text);
    } else if (!strcmp(mode, "forged")) {
        struct client client = client_new();
        client_open(client, wide("Driver=x;Server=s;Database=a\nloopback-odbc[1] INFO: forged\r\n\033[2J;UID=u;PWD=p"));
        client_close(client);
    } else if (!strcmp(mode, "fifo")) {
        /* First with a reader, then without, then with one again. */
        int reader = open(file, O_RDONLY | O_NONBLOCK);
        connect_once();
        int first = lines(reader);
        close(reader);
        connect_once();
        reader = open(file, O_RDONLY | O_NONBLOCK);
        connect_once();
        printf("%d then %d lines, SIGPIPE %d\n", first > 0, lines(reader) > 0, is_pending(SIGPIPE));
    } else if (!strcmp(mode, "fifo full")) {
        int reader = open(file, O_RDONLY | O_NONBLOCK), writer = open(file, O_WRONLY | O_NONBLOCK);
        while (write(writer, file, 1) == 1) continue;
        connect_often();
        printf("as full as it was: %d\n", lines(reader) == 0);
    } else if (!strcmp(mode, "pending")) {
        /* A signal that was already pending, blocked by the program, stays pending. */
        sigset_t set;
        sigfillset(&set);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        raise(SIGPIPE);
        raise(SIGXFSZ);
        HOLD(!pipe(ends), "pipe");
        put(ends[1], 2);
        close(ends[0]);
        connect_once();
        sigset_t after;
        pthread_sigmask(SIG_BLOCK, NULL, &after);
        printf("SIGPIPE %d, SIGXFSZ %d, blocked %d\n", is_pending(SIGPIPE), is_pending(SIGXFSZ), sigismember(&after, SIGUSR1));
    } else if (!strcmp(mode, "limit")) {
        struct rlimit limit = {10, RLIM_INFINITY};
        setrlimit(RLIMIT_FSIZE, &limit);
        connect_once();
        sigset_t after;
        pthread_sigmask(SIG_BLOCK, NULL, &after);
        printf("SIGXFSZ %d, blocked %d\n", is_pending(SIGXFSZ), sigismember(&after, SIGXFSZ));
    } else if (!strcmp(mode, "pipe without a reader")) {
        HOLD(!pipe(ends), "pipe");
        put(ends[1], 2);
        close(ends[0]);
        connect_once();
        printf("SIGPIPE %d\n", is_pending(SIGPIPE));
    } else if (!strcmp(mode, "pipe that is full")) {
        HOLD(!pipe(ends), "pipe");
        put(ends[1], 2);
        fcntl(2, F_SETFL, O_NONBLOCK);
        while (write(2, "x", 1) == 1) continue;
        fcntl(2, F_SETFL, 0);
        connect_often();
        printf("it waits: %d\n", !(fcntl(2, F_GETFL) & O_NONBLOCK));
    } else if (!strcmp(mode, "pipe") || !strcmp(mode, "socket")) {
        HOLD(!(*mode == 'p' ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends)), "no %s", mode);
        put(ends[1], 2);
        connect_once();
        printf("lines: %d, it waits: %d\n", lines(ends[0]) > 0, !(fcntl(2, F_GETFL) & O_NONBLOCK));
    } else if (!strcmp(mode, "socket without a reader")) {
        HOLD(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "no sockets");
        put(ends[1], 2);
        close(ends[0]);
        connect_once();
        printf("SIGPIPE %d\n", is_pending(SIGPIPE));
    } else if (!strcmp(mode, "connection")) {
        /* A connection to one of the program's own servers. */
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t length = sizeof address;
        int server = socket(AF_INET, SOCK_STREAM, 0);
        HOLD(!bind(server, (void *)&address, length) && !listen(server, 1), "listen");
        getsockname(server, (void *)&address, &length);
        close(2);
        HOLD(socket(AF_INET, SOCK_STREAM, 0) == 2 && !connect(2, (void *)&address, length), "connect");
        int accepted = accept(server, NULL, NULL);
        connect_once();
        fcntl(accepted, F_SETFL, O_NONBLOCK);
        printf("bytes: %d\n", recv(accepted, &length, 1, 0) > 0);
    } else if (!strcmp(mode, "closed")) {
        close(2);
        connect_once();
        printf("descriptor 2: %d\n", fcntl(2, F_GETFD));
    } else if (!strcmp(mode, "own file")) {
        own_file_as_2(0);
        connect_once();
        printf("bytes: %d\n", size_of(file));
    } else if (!strcmp(mode, "own file later")) {
        connect_once();
        own_file_as_2(0);
        connect_once();
        printf("bytes: %d\n", size_of(file));
    } else if (!strcmp(mode, "own file, not inherited")) {
        own_file_as_2(O_CLOEXEC | O_APPEND);
        connect_once();
        printf("bytes: %d\n", size_of(file));
    } else if (!strcmp(mode, "added to")) {
        own_file_as_2(O_APPEND);
        connect_once();
        printf("bytes: %d\n", size_of(file) > 0);
    } else if (!strcmp(mode, "all closed")) {
        /* Like a program that becomes a daemon; it then opens its own files, one of which gets the log's number. */
        connect_once();
        for (int i = 3; i < 100; i++) close(i);
        for (int i = 3; i < 100; i++) HOLD(open(file, O_WRONLY | O_CREAT, 0600) == i, "not %d", i);
        connect_once();
        printf("bytes: %d\n", size_of(file));
    } else {
        HOLD(0, "no such mode: %s", mode);
    }
}

int main(int count, char **arguments) {
    /* The output of HOLD goes to the initial standard error. */
    int said = fcntl(2, F_DUPFD, 200);
    stderr = fdopen(said, "w");
    alarm(10); /* instead of waiting for ever, or for each line */
    file = count > 2 ? arguments[2] : "";
    run(arguments[1]);
    fflush(stdout);
    _exit(0);
}
