/* Runs a program, and a command just before the program's Nth system call that may change something; $PID is the
 * program:
 *     at_call N COMMAND PROGRAM [ARGUMENT...]
 * The exit status is the program's, 137 if it was killed, and 255 if it makes fewer such calls. Calls that only read
 * are skipped, because a kill before and after them leaves the same state. A call that is not known to only read
 * counts. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const long LOOKING[] = {
    SYS_brk, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_read, SYS_pread64, SYS_readv, SYS_close, SYS_lseek,
    SYS_fstat, SYS_newfstatat, SYS_statx, SYS_fstatfs, SYS_statfs, SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_getcwd,
    SYS_getdents64, SYS_flistxattr, SYS_fgetxattr, SYS_getrandom, SYS_futex, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_sigaltstack, SYS_set_tid_address, SYS_set_robust_list, SYS_rseq, SYS_prlimit64, SYS_sched_getaffinity, SYS_sched_yield,
    SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getpid, SYS_gettid, SYS_getppid, SYS_uname, SYS_fcntl, SYS_ioctl,
    SYS_flock, SYS_clock_nanosleep, SYS_clock_gettime, SYS_sysinfo, SYS_ppoll, SYS_socket, SYS_connect, SYS_umask,
#ifdef __x86_64__
    SYS_arch_prctl, SYS_access, SYS_readlink, SYS_stat, SYS_lstat, SYS_poll,
#endif
};

static int may_change(const struct __ptrace_syscall_info *call) {
    if (call->entry.nr == SYS_openat) return (call->entry.args[2] & (O_CREAT | O_TRUNC)) != 0;
#ifdef __x86_64__
    if (call->entry.nr == SYS_open) return (call->entry.args[1] & (O_CREAT | O_TRUNC)) != 0;
#endif
    for (size_t i = 0; i < sizeof LOOKING / sizeof *LOOKING; i++)
        if (call->entry.nr == (unsigned long)LOOKING[i]) return 0;
    return 1;
}

int main(int count, char **arguments) {
    if (count < 4) return 254;
    long left = atol(arguments[1]);
    umask(0); /* the program must not rely on it */
    pid_t program = fork();
    if (program == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvp(arguments[3], arguments + 3);
        perror(arguments[3]);
        _exit(254);
    }
    int status;
    waitpid(program, &status, 0);
    if (!WIFSTOPPED(status)) return 254;
    ptrace(PTRACE_SETOPTIONS, program, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    int signal = 0;
    while (left > 0) {
        if (ptrace(PTRACE_SYSCALL, program, NULL, signal) < 0) return 254;
        waitpid(program, &status, 0);
        if (!WIFSTOPPED(status)) return 255;
        signal = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
        struct __ptrace_syscall_info call;
        if (signal == 0 && ptrace(PTRACE_GET_SYSCALL_INFO, program, sizeof call, &call) > 0 &&
            call.op == PTRACE_SYSCALL_INFO_ENTRY && may_change(&call))
            left--;
    }
    char number[20];
    snprintf(number, sizeof number, "%d", program);
    setenv("PID", number, 1);
    if (system(arguments[2]) != 0) return 254;
    ptrace(PTRACE_DETACH, program, NULL, NULL);
    waitpid(program, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
