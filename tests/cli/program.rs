//! The program as a child process, which never outlives its test.

use crate::support::client::{Answer, Client};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// The longest wait. Generous, because the machine may be busy with other tests.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// A program ready to start.
pub struct Setup(Command);

/// The result of a program that has ended.
#[derive(Debug)]
pub struct Outcome {
    pub status: Option<i32>,
    pub out: String,
    /// Without the warning below, which depends on who runs the tests.
    pub err: String,
    /// Whether it warned that it runs as root.
    #[cfg(unix)]
    pub warned_of_root: bool,
}

const ROOT: &str =
    "doorstep: warning: running as root: no file's permissions keep it from being served\n";

/// A running program. Dropping it kills it.
pub struct Program {
    child: Child,
    first_line: Option<String>,
    out: Receiver<String>,
    err: Option<JoinHandle<String>>,
}

/// Ends what `nohup`, or a shell's `&`, has had these tests ignore, and the program as their child.
#[cfg(unix)]
fn hear_signals() {
    const SIGHUP: i32 = 1;
    const SIGINT: i32 = 2;
    const SIG_DFL: usize = 0;
    #[allow(unsafe_code, reason = "a declaration of what libc has")]
    unsafe extern "C" {
        safe fn signal(number: i32, handler: usize) -> usize;
    }
    signal(SIGHUP, SIG_DFL);
    signal(SIGINT, SIG_DFL);
}

/// The program with these arguments in this folder, without environment variables that it reads.
pub fn doorstep<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Setup {
    #[cfg(unix)]
    hear_signals();
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorstep"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        let ours = name.to_string_lossy().starts_with("DOORSTEP_");
        if ours || name == "PORT" || name == "NO_COLOR" {
            command.env_remove(name);
        }
    }
    command.env("USER", "ana").env_remove("HOME");
    Setup::of(command, folder)
}

impl Setup {
    /// Any program, in this folder.
    pub fn of(mut command: Command, folder: &Path) -> Setup {
        command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Setup(command)
    }

    pub fn with(mut self, variable: &str, value: &str) -> Setup {
        self.0.env(variable, value);
        self
    }

    /// Started by another program, which takes it and its arguments as the last of its own.
    #[cfg(unix)]
    pub fn started_by(self, program: &str, arguments: &[&str]) -> Setup {
        let mut command = Command::new(program);
        command.args(arguments).arg(self.0.get_program());
        command.args(self.0.get_args());
        if let Some(folder) = self.0.get_current_dir() {
            command.current_dir(folder);
        }
        for (name, value) in self.0.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Setup(command)
    }

    /// Starts it and waits for its end.
    pub fn run(self) -> Outcome {
        self.spawn().wait()
    }

    /// Starts it and waits for the line that names its address.
    pub fn serve(self) -> Program {
        let mut program = self.spawn();
        if !program.has_line() {
            panic!("no line of output: {:?}", program.kill());
        }
        program
    }

    /// Starts it without waiting.
    pub fn spawn(mut self) -> Program {
        let mut child = self.0.spawn().expect("the program starts");
        let out = lines(child.stdout.take().expect("standard output is piped"));
        let mut errors = child.stderr.take().expect("standard error is piped");
        let err = spawn(move || {
            let mut text = Vec::new();
            let _ = errors.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Program {
            child,
            first_line: None,
            out,
            err: Some(err),
        }
    }
}

/// The lines of standard output as they arrive, with line ends.
fn lines(out: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    spawn(move || {
        let mut reader = BufReader::new(out);
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(count) if count > 0 && sender.send(line).is_ok() => {}
                _ => return,
            }
        }
    });
    receiver
}

impl Program {
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the line written before the first accept. `false` if the program ends without one.
    pub fn has_line(&mut self) -> bool {
        self.first_line = self.out.recv_timeout(TIMEOUT).ok();
        self.first_line.is_some()
    }

    /// The line written before the first accept.
    pub fn line(&self) -> &str {
        self.first_line.as_deref().expect("has_line() was called")
    }

    /// The address in that line.
    pub fn address(&self) -> SocketAddr {
        let url = self.line().split_once("http://").map(|(_, rest)| rest);
        let address = url
            .and_then(|rest| rest.split_once('/'))
            .map(|(address, _)| address);
        address
            .and_then(|text| text.parse().ok())
            .expect("an address in the line")
    }

    pub fn get(&self, path: &str) -> Answer {
        get(self.address(), path)
    }

    /// A request with this method and target and these headers, each with its line end.
    pub fn ask(&self, line: &str, fields: &str) -> Answer {
        ask(self.address(), line, fields)
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal by its name ("TERM"), with the shell's own `kill`.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.expect("sh runs").success(), "{kill}");
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Outcome {
        let begin = Instant::now();
        while self.runs() {
            if begin.elapsed() > TIMEOUT {
                panic!("it does not end: {:?}", self.kill());
            }
            sleep(Duration::from_millis(2));
        }
        self.outcome()
    }

    /// Kills it.
    pub fn kill(mut self) -> Outcome {
        let _ = self.child.kill();
        self.outcome()
    }

    fn outcome(mut self) -> Outcome {
        let status = self.child.wait().ok().and_then(|status| status.code());
        let mut out = self.first_line.take().unwrap_or_default();
        // Ends when the pipe closes with the process.
        while let Ok(line) = self.out.recv_timeout(TIMEOUT) {
            out.push_str(&line);
        }
        let err = self.err.take().and_then(|thread| thread.join().ok());
        let err = err.unwrap_or_default();
        Outcome {
            status,
            out,
            #[cfg(unix)]
            warned_of_root: err.contains(ROOT),
            err: err.replacen(ROOT, "", 1),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request on a new connection.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, &format!("GET {path}"), "")
}

fn ask(address: SocketAddr, line: &str, fields: &str) -> Answer {
    let mut client = Client::connect(address);
    client.send(format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n"
    ));
    let response = match line.starts_with("HEAD ") {
        true => client.head().into(),
        false => client.answer(),
    };
    client.ends();
    response
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT).expect("it listens");
    stream
        .set_read_timeout(Some(TIMEOUT))
        .expect("the stream takes a timeout");
    stream
        .set_write_timeout(Some(TIMEOUT))
        .expect("the stream takes a timeout");
    stream
}

/// A port that was free a moment ago, on both loopback addresses where there are two.
pub fn free_port() -> u16 {
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        if !has_ipv6() || TcpListener::bind(("::1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free on both loopback addresses");
}

pub fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}
