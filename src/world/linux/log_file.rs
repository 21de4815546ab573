//! Where the log goes. The program that has loaded this library writes it, and must not be affected: the log must not
//! block it, not send it a signal, and not write into one of its own files.

use crate::world::linux::uncancelled;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A file opened for the log, or standard error.
pub struct LogFile {
    descriptor: RawFd,
    /// Device and inode of the opened file; none for standard error.
    opened: Option<(libc::dev_t, libc::ino_t)>,
    /// Whether the wait for the last line timed out.
    is_stuck: AtomicBool,
}

/// How long a line waits for the reader, in milliseconds. A busy reader responds within this time; a dead one costs it
/// only once.
const PATIENCE: libc::c_int = 100;

impl LogFile {
    /// Opens a file to append lines to. It is never closed.
    ///
    /// # Errors
    /// The system's error; for a FIFO without a reader, that there is no such device.
    pub fn open(path: &Path) -> io::Result<LogFile> {
        let mut options = std::fs::OpenOptions::new();
        options.append(true).create(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = options.open(path)?;
        // The descriptor must not be that of a standard stream that the program has closed: what the program writes
        // there must not go to the log.
        // SAFETY: it takes a descriptor and returns a new one, or -1.
        let descriptor = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, libc::STDERR_FILENO + 1) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made, and nothing else uses it.
        let file = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let status = status(descriptor).ok_or_else(io::Error::last_os_error)?;
        let opened = Some((status.st_dev, status.st_ino));
        Ok(LogFile { descriptor: file.into_raw_fd(), opened, is_stuck: AtomicBool::new(false) })
    }

    pub fn standard_error() -> LogFile {
        LogFile { descriptor: libc::STDERR_FILENO, opened: None, is_stuck: AtomicBool::new(false) }
    }

    /// Appends a line with one write, or drops it. A failure cannot be reported anywhere.
    pub fn add(&self, line: &[u8]) {
        // The calls below are cancellation points, and Rust cannot unwind from them.
        uncancelled(|| {
            if self.is_ours() && self.has_room() {
                without_signals(|| write(self.descriptor, line));
            }
        });
    }

    /// Whether the descriptor still refers to the log. At any time a program may close any descriptor and open a file
    /// of its own in its place.
    fn is_ours(&self) -> bool {
        let Some(status) = status(self.descriptor) else { return false };
        match self.opened {
            Some(opened) => opened == (status.st_dev, status.st_ino),
            None => is_standard_error(self.descriptor, status.st_mode),
        }
    }

    /// Whether it can take a line now or soon: a pipe may be full.
    fn has_room(&self) -> bool {
        let mut poll = libc::pollfd { fd: self.descriptor, events: libc::POLLOUT, revents: 0 };
        let patience = if self.is_stuck.load(Relaxed) { 0 } else { PATIENCE };
        // SAFETY: one structure is passed, and its count is 1.
        let has_room = unsafe { libc::poll(&raw mut poll, 1, patience) == 1 && poll.revents & libc::POLLOUT != 0 };
        self.is_stuck.store(!has_room, Relaxed);
        has_room
    }
}

fn status(descriptor: RawFd) -> Option<libc::stat> {
    let mut status = MaybeUninit::uninit();
    // SAFETY: it fills `status`, or returns a value other than 0.
    unsafe { (libc::fstat(descriptor, status.as_mut_ptr()) == 0).then(|| status.assume_init()) }
}

/// Whether this is a standard stream, rather than a file that the program opened for itself. Inherited descriptors stay
/// open when a program is executed; most that programs open do not. A regular file may only be appended to, so nothing
/// is overwritten.
fn is_standard_error(descriptor: RawFd, mode: libc::mode_t) -> bool {
    // SAFETY: both only read the descriptor's state, and return -1 on failure.
    let (inherited, flags) =
        unsafe { (libc::fcntl(descriptor, libc::F_GETFD) == 0, libc::fcntl(descriptor, libc::F_GETFL)) };
    inherited
        && match mode & libc::S_IFMT {
            libc::S_IFCHR | libc::S_IFIFO => true,
            libc::S_IFREG => flags & libc::O_APPEND != 0,
            libc::S_IFSOCK => domain(descriptor) == Some(libc::AF_UNIX),
            _ => false,
        }
}

/// A socket's address family.
fn domain(socket: RawFd) -> Option<i32> {
    let mut domain = 0;
    let mut length = size_of_val(&domain) as libc::socklen_t;
    // SAFETY: the pointers lead to an integer and its size.
    let code = unsafe {
        let value = (&raw mut domain).cast();
        libc::getsockopt(socket, libc::SOL_SOCKET, libc::SO_DOMAIN, value, &raw mut length)
    };
    (code == 0).then_some(domain)
}

/// Runs code that may send signals to this thread, and removes those that it sent: SIGPIPE for a reader that has gone,
/// SIGXFSZ for a file at its size limit. SIGTTOU, which would stop a background program, is not sent while it is
/// blocked.
fn without_signals(action: impl FnOnce()) {
    const SENT: [libc::c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];
    // SAFETY: the sets are initialised before they are read, and all calls affect only this thread.
    unsafe {
        let set = |signals: &[libc::c_int]| {
            let mut set = MaybeUninit::uninit();
            libc::sigemptyset(set.as_mut_ptr());
            for &signal in signals {
                libc::sigaddset(set.as_mut_ptr(), signal);
            }
            set.assume_init()
        };
        let pending = || {
            let mut pending = set(&[]);
            libc::sigpending(&raw mut pending);
            SENT.map(|signal| libc::sigismember(&raw const pending, signal) == 1)
        };
        let (blocked, mut before) = (set(&[SENT[0], SENT[1], libc::SIGTTOU]), set(&[]));
        if libc::pthread_sigmask(libc::SIG_BLOCK, &raw const blocked, &raw mut before) != 0 {
            return;
        }
        // A signal that was already pending, blocked by the program, belongs to the program.
        let earlier = pending();
        action();
        for (index, signal) in SENT.into_iter().enumerate() {
            if pending()[index] && !earlier[index] {
                let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
                libc::sigtimedwait(&set(&[signal]), std::ptr::null_mut(), &raw const at_once);
            }
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
    }
}

fn write(descriptor: RawFd, line: &[u8]) {
    // SAFETY: the bytes are the line's. A signal before the first byte makes the result -1.
    while unsafe { libc::write(descriptor, line.as_ptr().cast(), line.len()) } < 0
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
}
