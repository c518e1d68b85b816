//! Helpers that the tests share.

use crate::support::temporary::Temporary;
use doorstep::internals::sys::{Backend, Poller, Source};
use doorstep::os::raise_open_files;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than anything here takes: later than that, it is lost.
pub const LOST: Duration = Duration::from_secs(30);

/// Runs a test on each backend.
pub fn on_each_backend(test: impl Fn(&dyn Poller)) {
    for &backend in Backend::ALL {
        println!("backend {backend:?}");
        test(&*backend.open().expect("a poller"));
    }
}

/// Two ends of a TCP connection over loopback, non-blocking.
pub fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("a connection");
    let (server, _) = listener.accept().expect("a connection");
    for end in [&client, &server] {
        end.set_nonblocking(true).expect("an option");
        end.set_nodelay(true).expect("an option");
    }
    (client, server)
}

/// What a poller watches of a socket.
#[cfg(unix)]
pub fn source(socket: &impl std::os::fd::AsFd) -> Source<'_> {
    Source::Descriptor(socket.as_fd())
}

/// What a poller watches of a socket.
#[cfg(windows)]
pub fn source(socket: &impl std::os::windows::io::AsSocket) -> Source<'_> {
    Source::Descriptor(socket.as_socket())
}

/// Whether the process may open this many files; says SKIPPED if not.
pub fn may_open(files: u64, test: &str) -> bool {
    match raise_open_files(files) {
        Ok(Some(limit)) if limit < files => {
            println!("SKIPPED {test}: only {limit} open files of {files}");
            false
        }
        Ok(_) => true,
        Err(error) => panic!("the open-file limit: {error}"),
    }
}

/// A folder for one test, with a space in its name, removed when it is dropped.
pub struct Tree {
    path: Temporary,
}

impl Tree {
    pub fn plant() -> Tree {
        Tree {
            path: Temporary::folder(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub fn folder(&self, name: &str) -> &Tree {
        std::fs::create_dir_all(self.at(name)).expect("a folder");
        self
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> &Tree {
        std::fs::create_dir_all(self.at(name).parent().expect("a name")).expect("a folder");
        std::fs::write(self.at(name), text).expect("a file");
        self
    }

    #[cfg(unix)]
    pub fn link(&self, name: &str, target: impl AsRef<Path>) -> &Tree {
        std::fs::create_dir_all(self.at(name).parent().expect("a name")).expect("a folder");
        std::os::unix::fs::symlink(target, self.at(name)).expect("a symlink");
        self
    }
}

/// Runs one test of this program in a process of its own, where it may change what belongs to the
/// whole process.
#[cfg(unix)]
pub fn child(test: &str) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
    // One thread, so that the test runs on the process's first one, where signals arrive.
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(CHILD, "yes");
    command
}

/// Set in a process that [`child`] made.
#[cfg(unix)]
pub const CHILD: &str = "DOORSTEP_TEST_CHILD";

/// Whether this process was made by [`child`]. If not, the test is the child's half of another one,
/// which makes that process and judges it.
#[cfg(unix)]
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}
