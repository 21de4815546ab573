//! Where the log goes. It is written by whatever program has loaded us, and must do nothing to that: not hold it up, not
//! send it a signal, not write into a file of its own.

use crate::world::linux::uncancelled;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A file that was opened for the log, or standard error.
pub struct LogFile {
    descriptor: RawFd,
    /// Device and inode of the file that was opened; none for standard error.
    opened: Option<(libc::dev_t, libc::ino_t)>,
    /// Whether the last line was waited for in vain.
    is_stuck: AtomicBool,
}

/// How long a line waits for whoever reads, in milliseconds: a busy reader comes back in this time, and one that is gone for good
/// costs it once.
const PATIENCE: libc::c_int = 100;

impl LogFile {
    /// Opens a file to add lines to. It is never closed.
    ///
    /// # Errors
    /// The system's; for a FIFO that nobody reads, that there is no such device.
    pub fn open(path: &Path) -> io::Result<LogFile> {
        let mut options = std::fs::OpenOptions::new();
        options.append(true).create(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = options.open(path)?;
        // Not in the place of a standard stream that the program has closed: what it says there is not for our log.
        // SAFETY: it takes a descriptor and gives a new one, or -1.
        let descriptor = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, libc::STDERR_FILENO + 1) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just made, and nobody else has it.
        let file = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let status = status(descriptor).ok_or_else(io::Error::last_os_error)?;
        let opened = Some((status.st_dev, status.st_ino));
        Ok(LogFile { descriptor: file.into_raw_fd(), opened, is_stuck: AtomicBool::new(false) })
    }

    pub fn standard_error() -> LogFile {
        LogFile { descriptor: libc::STDERR_FILENO, opened: None, is_stuck: AtomicBool::new(false) }
    }

    /// Adds a line, with one write, or passes over it. There is nobody to tell of a failure.
    pub fn add(&self, line: &[u8]) {
        // What follows can be cancelled, and Rust cannot be unwound from there.
        uncancelled(|| {
            if self.is_ours() && self.has_room() {
                without_signals(|| write(self.descriptor, line));
            }
        });
    }

    /// Whether the descriptor is still what it is taken for: a program may close any, and open a file of its own in its
    /// place, any time.
    fn is_ours(&self) -> bool {
        let Some(status) = status(self.descriptor) else { return false };
        match self.opened {
            Some(opened) => opened == (status.st_dev, status.st_ino),
            None => is_standard_error(self.descriptor, status.st_mode),
        }
    }

    /// Whether it takes a line at once, or soon: it may be a pipe that is full.
    fn has_room(&self) -> bool {
        let mut poll = libc::pollfd { fd: self.descriptor, events: libc::POLLOUT, revents: 0 };
        let patience = if self.is_stuck.load(Relaxed) { 0 } else { PATIENCE };
        // SAFETY: there is one.
        let has_room = unsafe { libc::poll(&raw mut poll, 1, patience) == 1 && poll.revents & libc::POLLOUT != 0 };
        self.is_stuck.store(!has_room, Relaxed);
        has_room
    }
}

fn status(descriptor: RawFd) -> Option<libc::stat> {
    let mut status = MaybeUninit::uninit();
    // SAFETY: it fills `status`, or says with another value than 0 that it did not.
    unsafe { (libc::fstat(descriptor, status.as_mut_ptr()) == 0).then(|| status.assume_init()) }
}

/// Whether this is a standard stream, and not a file that the program has opened for itself. What is inherited stays open
/// when a program is executed; most that programs open does not. A file may be added to, but nothing written over.
fn is_standard_error(descriptor: RawFd, mode: libc::mode_t) -> bool {
    // SAFETY: both look at the descriptor, and give -1 where they cannot.
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

/// A socket's family of addresses.
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

/// Runs what may send signals to this very thread, and takes back those that it sent: SIGPIPE for a reader that has gone,
/// SIGXFSZ for a file that may not grow. SIGTTOU, which would stop a program in the background, is not sent while blocked.
fn without_signals(action: impl FnOnce()) {
    const SENT: [libc::c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];
    // SAFETY: the sets are initialised before they are read, and all calls are for this thread.
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
        // One that the program has blocked and not yet taken is its own.
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
    // SAFETY: the bytes are the line's. A signal that comes before the first byte makes it -1.
    while unsafe { libc::write(descriptor, line.as_ptr().cast(), line.len()) } < 0
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
}
