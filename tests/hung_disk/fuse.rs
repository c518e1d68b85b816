//! A FUSE file system of one flat folder, answered by a thread of the test, that hangs on demand.
//!
//! It is mounted in a mount namespace of the thread that mounts it: no other test sees it, and the
//! kernel removes it with the last process in that namespace.

use crate::support::temporary::Temporary;
use std::ffi::{CStr, CString, c_char, c_ulong};
use std::fs::{File, OpenOptions};
use std::io::{self, Error, ErrorKind, Read, Write};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr::null;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, spawn};

/// The requests of the kernel, by their opcode in `linux/fuse.h`.
pub mod opcode {
    pub const LOOKUP: u32 = 1;
    pub const FORGET: u32 = 2;
    pub const GETATTR: u32 = 3;
    pub const OPEN: u32 = 14;
    pub const READ: u32 = 15;
    pub const STATFS: u32 = 17;
    pub const RELEASE: u32 = 18;
    pub const FLUSH: u32 = 25;
    pub const INIT: u32 = 26;
    pub const OPENDIR: u32 = 27;
    pub const READDIR: u32 = 28;
    pub const RELEASEDIR: u32 = 29;
    pub const INTERRUPT: u32 = 36;
    pub const DESTROY: u32 = 38;
    pub const BATCH_FORGET: u32 = 42;
}
use opcode::*;

/// What the file system does not do any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hang {
    /// It takes requests with these opcodes, and does not answer them: a daemon whose server is
    /// gone.
    Answers(&'static [u32]),
    /// It takes no request: a daemon that is stopped.
    Reads,
}

const NO_HANG: Hang = Hang::Answers(&[]);

/// A mounted file system. Dropping it ends it: every request, whether answered or not, fails then.
pub struct Disk {
    mount: Arc<Mount>,
    thread: Option<JoinHandle<()>>,
    path: Temporary,
}

/// The part that other threads use.
pub struct Mount {
    path: CString,
    device: File,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    hang: Hang,
    /// Requests that were taken and not answered.
    held: Vec<Vec<u8>>,
    taken: u64,
    has_ended: bool,
}

#[repr(C)]
struct PollFd {
    fd: i32,
    events: i16,
    revents: i16,
}

#[allow(unsafe_code, reason = "a declaration of what libc has")]
unsafe extern "C" {
    safe fn unshare(flags: i32) -> i32;
    fn mount(
        source: *const c_char,
        target: *const c_char,
        kind: *const c_char,
        flags: c_ulong,
        data: *const c_char,
    ) -> i32;
    fn umount2(target: *const c_char, flags: i32) -> i32;
    fn poll(fds: *mut PollFd, count: c_ulong, timeout: i32) -> i32;
}

const CLONE_NEWNS: i32 = 0x0002_0000;
const MS_NOSUID_NODEV: c_ulong = 2 | 4;
const MS_PRIVATE_REC: c_ulong = 1 << 18 | 1 << 14;
const MNT_FORCE_DETACH: i32 = 1 | 2;
const POLLIN: i16 = 1;
const O_NONBLOCK: i32 = 0o4000;

impl Disk {
    /// Mounts it.
    ///
    /// # Errors
    /// Where FUSE cannot be mounted: the process is not root, or the machine has no FUSE.
    pub fn mount() -> io::Result<Disk> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).custom_flags(O_NONBLOCK);
        let device = options.open("/dev/fuse")?;
        succeeded(unshare(CLONE_NEWNS))?;
        call_mount(None, Path::new("/"), None, MS_PRIVATE_REC, "")?;
        let path = Temporary::folder();
        let fd = device.as_raw_fd();
        let data = format!("fd={fd},rootmode=40000,user_id=0,group_id=0");
        call_mount(Some(c"hung"), &path, Some(c"fuse"), MS_NOSUID_NODEV, &data)?;
        let mount = Arc::new(Mount {
            path: c_path(&path),
            device,
            state: Mutex::new(State {
                hang: NO_HANG,
                held: Vec::new(),
                taken: 0,
                has_ended: false,
            }),
            changed: Condvar::new(),
        });
        let serving = mount.clone();
        let thread = Some(spawn(move || serving.serve()));
        Ok(Disk {
            mount,
            thread,
            path,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// For a thread that may have to [`end`](Mount::end) it.
    pub fn handle(&self) -> Arc<Mount> {
        self.mount.clone()
    }

    pub fn hang(&self, hang: Hang) {
        // sendfile(2) reads through the kernel's cache, whatever DIRECT_IO says.
        (0..FILES.len()).for_each(|place| self.mount.forget_content(place));
        self.mount.lock().hang = hang;
    }

    /// Ends the hang: the requests that were taken are answered, and those that come.
    pub fn resume(&self) {
        self.mount.resume();
    }

    /// How many requests it has taken so far.
    pub fn taken(&self) -> u64 {
        self.mount.lock().taken
    }

    /// Whether a read of this file was taken and hangs.
    pub fn hangs_in(&self, name: &str) -> bool {
        let state = self.mount.lock();
        state.held.iter().any(|request| {
            let is_read = u32_at(request, 4) == READ;
            is_read && matches!(file(u64_at(request, 16)), Ok((one, _)) if one == name)
        })
    }

    /// The number of requests that hang; one stands for all that were not taken.
    pub fn hanging(&self) -> usize {
        let state = self.mount.lock();
        let untaken = state.hang == Hang::Reads && self.mount.has_request(0);
        state.held.len() + usize::from(untaken)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.mount.end();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Mount {
    /// Unmounts it, and makes every request fail.
    pub fn end(&self) {
        // MNT_FORCE aborts the connection (fuse_umount_begin in fs/fuse/inode.c): all requests end
        // with ECONNABORTED, and reads of the device with ENODEV.
        #[allow(unsafe_code, reason = "a system call")]
        // SAFETY: the path ends with NUL.
        unsafe {
            umount2(self.path.as_ptr(), MNT_FORCE_DETACH)
        };
        self.lock().has_ended = true;
        self.resume();
    }

    fn resume(&self) {
        let mut state = self.lock();
        state.hang = NO_HANG;
        for request in state.held.drain(..) {
            self.answer(&request);
        }
        self.changed.notify_all();
    }

    /// Answers requests until the file system ends.
    fn serve(&self) {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            // With a bound, to see the end wherever the mount could not be undone.
            let has_request = self.has_request(100);
            let mut state = self.lock();
            while state.hang == Hang::Reads {
                let waited = self.changed.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
            }
            if state.has_ended {
                return;
            }
            if !has_request {
                continue;
            }
            let count = match (&self.device).read(&mut buffer) {
                Ok(count) => count,
                // ENOENT: the request was interrupted meanwhile.
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::NotFound => {
                        continue;
                    }
                    _ => return,
                },
            };
            state.taken += 1;
            let request = &buffer[..count];
            match state.hang {
                Hang::Answers(kinds) if kinds.contains(&u32_at(request, 4)) => {
                    state.held.push(request.to_vec());
                }
                _ => self.answer(request),
            }
        }
    }

    /// Whether the kernel has a request for the file system, or an error.
    fn has_request(&self, wait_ms: i32) -> bool {
        let mut one = PollFd {
            fd: self.device.as_raw_fd(),
            events: POLLIN,
            revents: 0,
        };
        #[allow(unsafe_code, reason = "a system call")]
        // SAFETY: one descriptor is given.
        let count = unsafe { poll(&mut one, 1, wait_ms) };
        count == 1
    }

    fn answer(&self, request: &[u8]) {
        let Some(result) = respond(request) else {
            return;
        };
        let (error, content) = match result {
            Ok(content) => (0, content),
            Err(number) => (-number, Vec::new()),
        };
        self.send(error, u64_at(request, 8), &content);
    }

    /// Has the kernel drop its copy of a file.
    fn forget_content(&self, place: usize) {
        // The inode, the offset, and the length, which is all.
        let words = [place as u64 + FIRST_NODE, 0, 0].map(u64::to_ne_bytes);
        self.send(INVALIDATE_INODE, 0, &words.concat());
    }

    fn send(&self, error: i32, request: u64, content: &[u8]) {
        let mut message = ((16 + content.len()) as u32).to_ne_bytes().to_vec();
        message.extend(error.to_ne_bytes());
        message.extend(request.to_ne_bytes());
        message.extend(content);
        // An error: nobody waits for it any more, or the kernel does not know the inode.
        let _ = (&self.device).write(&message);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names of the files, in the order of their inodes, with their lengths.
pub static FILES: LazyLock<Vec<(String, u64)>> = LazyLock::new(|| {
    let small = (0..SMALL_FILES).map(|number| (small(number), 1_000));
    let large = (0..LARGE_FILES).map(|number| (large(number), 200 << 10));
    let huge = (HUGE.to_string(), 10 << 20);
    small.chain(large).chain([huge]).collect()
});

pub const SMALL_FILES: usize = 400;
pub const LARGE_FILES: usize = 20;
pub const HUGE: &str = "huge.bin";

pub fn small(number: usize) -> String {
    format!("small-{number}.txt")
}

pub fn large(number: usize) -> String {
    format!("large-{number}.bin")
}

/// The content of a file: its name, again and again.
pub fn content(name: &str, range: Range<u64>) -> Vec<u8> {
    let line = format!("this is {name}\n").into_bytes();
    let skipped = (range.start % line.len() as u64) as usize;
    let wanted = (range.end - range.start) as usize;
    let lines = line.repeat((skipped + wanted).div_ceil(line.len()));
    lines[skipped..skipped + wanted].to_vec()
}

/// The answer to one request, or an errno. `None`: it has none.
fn respond(request: &[u8]) -> Option<Result<Vec<u8>, i32>> {
    let (node, arguments) = (u64_at(request, 16), &request[40..]);
    Some(match u32_at(request, 4) {
        FORGET | BATCH_FORGET | INTERRUPT => return None,
        INIT => Ok(init(arguments)),
        LOOKUP => look_up(arguments),
        GETATTR => attributes(node).map(|attributes| {
            let mut reply = vec![0; 16];
            reply.extend(attributes);
            reply
        }),
        OPEN => Ok(opened(DIRECT_IO | KEEP_CACHE)),
        OPENDIR => Ok(opened(0)),
        READ => read(node, arguments),
        READDIR => Ok(read_dir(arguments)),
        STATFS => Ok(vec![0; 80]),
        FLUSH | RELEASE | RELEASEDIR | DESTROY => Ok(Vec::new()),
        _ => Err(ENOSYS),
    })
}

fn init(arguments: &[u8]) -> Vec<u8> {
    let minor = u32_at(arguments, 4).min(31);
    let (read_ahead, write_max) = (0, 4096);
    let mut reply = Vec::new();
    // Two u16 that are left at the kernel's defaults stand between the flags and the longest write.
    for word in [7, minor, read_ahead, PARALLEL_DIROPS, 0, write_max] {
        reply.extend(u32::to_ne_bytes(word));
    }
    reply.resize(64, 0);
    reply
}

fn look_up(arguments: &[u8]) -> Result<Vec<u8>, i32> {
    let name = arguments.split(|byte| *byte == 0).next().unwrap_or(&[]);
    let place = FILES.iter().position(|(one, _)| one.as_bytes() == name);
    let node = place.ok_or(ENOENT)? as u64 + FIRST_NODE;
    // The entry and its attributes are valid for no time: the kernel asks again each time.
    let mut reply = node.to_ne_bytes().to_vec();
    reply.resize(40, 0);
    reply.extend(attributes(node)?);
    Ok(reply)
}

fn attributes(node: u64) -> Result<Vec<u8>, i32> {
    let (mode, length) = match node {
        ROOT => (0o040_755, 0),
        _ => (0o100_644, file(node)?.1),
    };
    let mut reply = Vec::new();
    // Node, length, blocks, and the times of access, of modification and of change.
    for word in [node, length, length / 512, MODIFIED, MODIFIED, MODIFIED] {
        reply.extend(word.to_ne_bytes());
    }
    // Three times nanoseconds, the mode, and one link.
    for word in [0, 0, 0, mode, 1] {
        reply.extend(u32::to_ne_bytes(word));
    }
    reply.resize(88, 0);
    Ok(reply)
}

fn opened(flags: u32) -> Vec<u8> {
    let mut reply = vec![0; 8];
    reply.extend(flags.to_ne_bytes());
    reply.resize(16, 0);
    reply
}

fn read(node: u64, arguments: &[u8]) -> Result<Vec<u8>, i32> {
    let (name, length) = file(node)?;
    let offset = u64_at(arguments, 8).min(length);
    let end = length.min(offset + u64::from(u32_at(arguments, 16)));
    Ok(content(name, offset..end))
}

fn read_dir(arguments: &[u8]) -> Vec<u8> {
    let (offset, most) = (u64_at(arguments, 8), u32_at(arguments, 16) as usize);
    let mut reply = Vec::new();
    for (place, (name, _)) in FILES.iter().enumerate().skip(offset as usize) {
        if reply.len() + 24 + name.len() + 8 > most {
            break;
        }
        let place = place as u64;
        reply.extend((place + FIRST_NODE).to_ne_bytes());
        reply.extend((place + 1).to_ne_bytes());
        reply.extend((name.len() as u32).to_ne_bytes());
        reply.extend(DT_REG.to_ne_bytes());
        reply.extend(name.as_bytes());
        reply.resize(reply.len().next_multiple_of(8), 0);
    }
    reply
}

fn file(node: u64) -> Result<(&'static str, u64), i32> {
    let place = node.checked_sub(FIRST_NODE).ok_or(ENOENT)?;
    let file = FILES.get(place as usize).ok_or(ENOENT)?;
    Ok((&file.0, file.1))
}

const ROOT: u64 = 1;
const FIRST_NODE: u64 = 2;
/// 2025-01-01.
const MODIFIED: u64 = 1_735_689_600;
/// Reads bypass the kernel's cache.
const DIRECT_IO: u32 = 1;
/// Otherwise open(2) drops the kernel's copy, and waits for the reads that fill it.
const KEEP_CACHE: u32 = 2;
/// Without it, the kernel lets one lookup wait for the other.
const PARALLEL_DIROPS: u32 = 1 << 18;
/// The code of a notification, in the place of an errno: `FUSE_NOTIFY_INVAL_INODE`.
const INVALIDATE_INODE: i32 = 2;
const DT_REG: u32 = 8;
const ENOENT: i32 = 2;
const ENOSYS: i32 = 38;

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn call_mount(
    source: Option<&CStr>,
    target: &Path,
    kind: Option<&CStr>,
    flags: c_ulong,
    data: &str,
) -> io::Result<()> {
    let pointer = |text: Option<&CStr>| text.map_or(null(), CStr::as_ptr);
    let (target, data) = (c_path(target), CString::new(data)?);
    #[allow(unsafe_code, reason = "a system call")]
    // SAFETY: each text ends with NUL, or is null, which mount(2) allows for the first and third.
    let done = unsafe {
        mount(
            pointer(source),
            target.as_ptr(),
            pointer(kind),
            flags,
            data.as_ptr(),
        )
    };
    succeeded(done)
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).expect("a path without NUL")
}

fn succeeded(result: i32) -> io::Result<()> {
    match result {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}
