//! The rows: what hangs, and what has to work meanwhile.

use crate::fuse::opcode::{FLUSH, GETATTR, LOOKUP, OPEN, OPENDIR, READ, READDIR};
use crate::fuse::{self, Disk, FILES, HUGE, Hang, LARGE_FILES, large, small};
use crate::program::{Program, Setup, doorstep};
use crate::support::client::{Answer, Broken, Client, get};
use crate::support::temporary::Temporary;
use crate::support::{self, PATIENCE};
use doorstep::os::{Signals, raise_open_files};
use doorstep::{Files, Server, Timeouts};
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

struct Row {
    name: &'static str,
    hang: Hang,
    /// Seconds from the last good request to the hang: a listing is kept for five at most, and a
    /// file that nobody asks for stays open for ten.
    after: u64,
    /// Seconds that it hangs for.
    lasts: u64,
    /// How many clients ask for files of the disk that hangs.
    clients: usize,
    /// The path that a client with this number asks for.
    path: fn(usize) -> String,
    by: Served,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    /// The program, with its timeouts of 10 s for a head and 30 s for a response.
    Program,
    /// A server with timeouts of a second, in a process of its own.
    Library,
}

const EVERYTHING: Hang = Hang::Answers(&[LOOKUP, GETATTR, OPEN, OPENDIR, READ, READDIR, FLUSH]);

#[rustfmt::skip]
static ROWS: [Row; 13] = [
    Row { name: "lookup", hang: Hang::Answers(&[LOOKUP]), ..PROGRAM },
    Row { name: "open", hang: Hang::Answers(&[OPEN, OPENDIR]), ..PROGRAM },
    Row { name: "attributes", hang: Hang::Answers(&[GETATTR]), ..PROGRAM },
    Row { name: "read", hang: Hang::Answers(&[READ]), ..PROGRAM },
    Row { name: "content", hang: Hang::Answers(&[READ]), path: large_file, ..PROGRAM },
    Row { name: "listing", hang: Hang::Answers(&[READDIR]), after: 6, ..PROGRAM },
    Row { name: "close", hang: Hang::Answers(&[FLUSH]), ..PROGRAM },
    Row { name: "close, after a rest", hang: Hang::Answers(&[FLUSH]), after: 12, ..PROGRAM },
    Row { name: "close, nobody asks", hang: Hang::Answers(&[FLUSH]), clients: 0, lasts: 14, ..PROGRAM },
    Row { name: "all", hang: EVERYTHING, lasts: 13, ..PROGRAM },
    Row { name: "daemon", hang: Hang::Reads, ..PROGRAM },
    Row { name: "read, short timeouts", hang: Hang::Answers(&[READ]), ..LIBRARY },
    Row { name: "all, short timeouts", hang: EVERYTHING, ..LIBRARY },
];

const PROGRAM: Row = Row {
    name: "",
    hang: EVERYTHING,
    after: 0,
    lasts: 6,
    clients: 300,
    path: any_file,
    by: Served::Program,
};
const LIBRARY: Row = Row {
    by: Served::Library,
    ..PROGRAM
};

/// How many of them may keep a worker: a quarter of the most workers.
const SHARE: usize = 64;
/// How long a request to the folder that works may take on a busy machine.
const GOOD_WITHIN: Duration = Duration::from_secs(3);
const GRACE_S: u64 = 1;
/// From the signal to the end: the grace and a second, and what a busy machine takes.
const END_WITHIN: Duration = Duration::from_millis(2_900);
/// Whatever happens, a row ends so long after its hang should have ended.
const ROW_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn a_disk_that_hangs_costs_the_others_nothing() {
    run("a_disk_that_hangs_costs_the_others_nothing", None);
}

#[test]
#[ignore = "a minute and a half"]
fn a_disk_that_hangs_for_a_minute_costs_the_others_nothing() {
    let name = "a_disk_that_hangs_for_a_minute_costs_the_others_nothing";
    run(name, Some(65));
}

/// Runs all rows, each for this many seconds instead of its own.
fn run(test: &str, lasts: Option<u64>) {
    // In a thread of its own, as each row: this one stays in its mount namespace.
    let probe = thread::spawn(|| Disk::mount().map(drop));
    let probe = probe.join().expect("no panic");
    if let Err(error) = probe {
        return support::skipped(test, &format!("FUSE cannot be mounted: {error}"));
    }
    let limit = raise_open_files(8 * 1024).ok().flatten().unwrap_or(1024);
    // Each row has a connection for each client, and some files.
    let at_once = (limit as usize / (2 * PROGRAM.clients)).max(1);
    let mut failed = Vec::new();
    for rows in ROWS.chunks(at_once) {
        thread::scope(|scope| {
            let run = |row: &'static Row| {
                let lasts = Duration::from_secs(lasts.unwrap_or(row.lasts));
                (row.name, scope.spawn(move || run_row(row, lasts)))
            };
            let threads: Vec<_> = rows.iter().map(run).collect();
            for (name, thread) in threads {
                match thread.join() {
                    Ok(Ok(())) => {}
                    Ok(Err(text)) => failed.push(format!("{name}: {text}")),
                    Err(_) => failed.push(format!("{name}: a panic, see above")),
                }
            }
        });
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

/// A disk, a server of it, and a thread that ends both when the row does not. In this order they
/// are dropped: a process cannot be ended while a thread of it waits for the disk.
struct Scene {
    disk: Disk,
    program: Program,
    _watchdog: Sender<()>,
    _good: Temporary,
    address: SocketAddr,
}

fn run_row(row: &Row, lasts: Duration) -> Result<(), String> {
    let mut scene = Scene::start(row.by, lasts)?;
    let result = scene
        .one_hangs(row, lasts)
        .and_then(|()| scene.both_work("after the hang"))
        .and_then(|()| scene.stops(row));
    // From here on the kernel can end the threads that waited.
    drop(scene.disk);
    let outcome = match result.is_ok() {
        true => scene.program.wait(),
        false => scene.program.kill(),
    };
    let usual = [" 200 ", " 503 "];
    let is_usual = |line: &&str| usual.iter().any(|status| line.contains(status));
    let log = outcome.err.lines().filter(|line| !is_usual(line));
    let log = log.take(20).collect::<Vec<&str>>().join("\n");
    match (result, outcome.status) {
        (Ok(()), Some(0)) => Ok(()),
        (Ok(()), status) => Err(format!("it ended with {status:?}:\n{log}")),
        (Err(text), _) => Err(format!("{text}; in the log:\n{log}")),
    }
}

impl Scene {
    fn start(by: Served, lasts: Duration) -> Result<Scene, String> {
        let good = Temporary::folder();
        for (name, content) in good_files() {
            fs::write(good.join(name), content).expect("a file");
        }
        let disk = Disk::mount().map_err(|error| format!("mount: {error}"))?;
        let mut program = by.setup(&good, disk.path()).spawn();
        // The test harness writes lines of its own.
        while program.has_line() && !program.line().contains("http://") {}
        let address = program.address();
        let (watchdog, row) = channel();
        let (handle, id) = (disk.handle(), program.id());
        thread::spawn(move || {
            let waited = row.recv_timeout(lasts + ROW_WITHIN);
            if waited == Err(RecvTimeoutError::Timeout) {
                handle.end();
                kill(id as i32, SIGKILL);
            }
        });
        Ok(Scene {
            disk,
            program,
            _watchdog: watchdog,
            _good: good,
            address,
        })
    }

    fn asks(&self, path: &str) -> Client {
        let mut client = Client::connect(self.address);
        client.send(get(path));
        client
    }

    /// A request on a connection of its own.
    fn get(&self, path: &str) -> Result<Answer, Broken> {
        self.asks(path).try_answer()
    }

    /// Each request on a connection of its own. Returns the longest time that one took.
    fn good_works(&self, when: &str) -> Result<Duration, String> {
        let mut longest = Duration::ZERO;
        let folder = ("", None);
        let files = good_files().map(|(name, content)| (name, Some(content)));
        for (name, content) in files.into_iter().chain([folder]) {
            let begin = Instant::now();
            let answer = self.get(&format!("/{name}"));
            let took = begin.elapsed();
            let answer =
                answer.map_err(|broken| format!("{when}: /{name}: {broken} ({took:?})"))?;
            let is_whole = match &content {
                Some(content) => answer.content == *content,
                None => answer.text().contains("page.txt"),
            };
            if answer.status != 200 || !is_whole || took > GOOD_WITHIN {
                let status = answer.status;
                return Err(format!("{when}: /{name}: {status} after {took:?}"));
            }
            longest = longest.max(took);
        }
        Ok(longest)
    }

    fn both_work(&self, when: &str) -> Result<(), String> {
        self.good_works(when)?;
        // All large files, whose descriptors stay open, and some of each kind.
        let paths = (0..LARGE_FILES).map(large_file);
        for path in paths.chain((0..30).map(any_file)) {
            let answer = self.get(&path);
            if is_busy(&path, answer).map_err(|text| format!("{when}: {text}"))? {
                return Err(format!("{when}: {path}: 503"));
            }
        }
        Ok(())
    }

    fn one_hangs(&self, row: &Row, lasts: Duration) -> Result<(), String> {
        self.both_work("before the hang")?;
        let mut stalled: Vec<Client> = (0..3).map(|_| self.asks(&slow(HUGE))).collect();
        stalled.iter().for_each(Client::await_bytes);
        self.wait_for_full_sockets();
        sleep(Duration::from_secs(row.after));

        self.disk.hang(row.hang);
        let begin = Instant::now();
        let mut half = Client::connect(self.address);
        half.send("GET /page.txt HTTP/1.1\r\nHost:");
        let mut clients: Vec<(String, Client)> = (0..row.clients)
            .map(row.path)
            .map(|path| (path.clone(), self.asks(&path)))
            .collect();
        if row.clients == 0 {
            // A descriptor that nobody has asked for is closed after ten seconds.
            sleep(Duration::from_secs(12));
        }
        let silent = || clients.iter().filter(|(_, one)| !one.is_readable()).count();
        let is_over = |hung| hung >= lasts && silent() <= SHARE || hung > lasts + PATIENCE;
        let mut rounds = 0;
        let mut longest = Duration::ZERO;
        while !is_over(begin.elapsed()) {
            let took = self.good_works(&format!("after {:?} of the hang", begin.elapsed()))?;
            longest = longest.max(took);
            rounds += 1;
            // Other rows run beside this one.
            sleep(Duration::from_millis(20));
        }
        let (silent, hanging) = (silent(), self.disk.hanging());
        // Nobody need close a file while nobody asks.
        let hangs = hanging > 0 || row.clients == 0;
        if silent > SHARE || !hangs {
            return Err(format!("{silent} clients wait for {hanging} requests"));
        }
        self.timeouts_hold(row.by, lasts, half, &mut stalled)?;

        self.disk.resume();
        if lasts < row.by.write_timeout() {
            clients.extend(stalled.into_iter().map(|reader| (slow(HUGE), reader)));
        }
        let mut busy = 0;
        for (path, mut client) in clients {
            match client.try_answer() {
                // It had begun before the disk hung.
                Err(Broken::Cut) if path.ends_with(".bin") && lasts > row.by.write_timeout() => {}
                answer => busy += usize::from(is_busy(&path, answer)?),
            }
        }
        println!(
            "{}: {rounds} rounds of the good folder, {longest:?} the longest request; {silent} \
             clients wait for {hanging} requests, {busy} get 503",
            row.name
        );
        Ok(())
    }

    /// Waits until the readers that read nothing hold up the server.
    fn wait_for_full_sockets(&self) {
        let mut taken = u64::MAX;
        while taken != self.disk.taken() {
            taken = self.disk.taken();
            sleep(Duration::from_millis(300));
        }
    }

    /// Another's head and response end by their timeouts, if the hang took longer.
    fn timeouts_hold(
        &self,
        by: Served,
        lasts: Duration,
        mut half: Client,
        stalled: &mut [Client],
    ) -> Result<(), String> {
        if lasts > by.head_timeout() {
            let answer = half.try_answer().map(|answer| answer.status);
            if answer != Ok(408) {
                return Err(format!("half a head: {answer:?}"));
            }
        }
        if lasts > by.write_timeout() {
            let ends = stalled.iter_mut().map(Client::rest);
            let ends: Vec<(u64, Broken)> = ends.collect();
            // A worker that waits for the disk has its connection: it may read ahead of the reader.
            let may_wait = self.disk.hangs_in(HUGE);
            let is_right = |(length, end): &(u64, Broken)| {
                *length < 10 << 20 && (*end != Broken::TimedOut || may_wait)
            };
            if !ends.iter().all(is_right) {
                return Err(format!("readers that did not read: {ends:?}"));
            }
        }
        Ok(())
    }

    /// A signal while the disk hangs again ends the program.
    fn stops(&mut self, row: &Row) -> Result<(), String> {
        self.disk.hang(row.hang);
        let mut clients = Vec::new();
        let end = Instant::now() + PATIENCE;
        // Some of them get what is kept for a while.
        while clients.len() < 100 || self.disk.hanging() == 0 {
            if Instant::now() > end {
                return Err("nothing hung the second time".to_string());
            }
            clients.push(self.asks(&(row.path)(clients.len())));
            sleep(Duration::from_millis(if clients.len() < 100 {
                0
            } else {
                20
            }));
        }
        let begin = Instant::now();
        self.program.signal("TERM");
        while !self.has_ended() {
            if begin.elapsed() > END_WITHIN + PATIENCE {
                return Err(format!("no end after the signal: {}", self.threads()));
            }
            sleep(Duration::from_millis(5));
        }
        let took = begin.elapsed();
        println!("{}: it ended after {took:?}; {}", row.name, self.threads());
        if took > END_WITHIN {
            return Err(format!("it ended {took:?} after the signal"));
        }
        if Client::try_connect(self.address).is_ok() {
            return Err("it still listens".to_string());
        }
        drop(clients);
        Ok(())
    }

    /// Whether the main thread is about to end, has ended, or has been reaped.
    fn has_ended(&mut self) -> bool {
        if !self.program.runs() {
            return true;
        }
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.program.id()));
        let stat = stat.unwrap_or_default();
        // The name, the second field, may hold spaces and parentheses: proc_pid_stat(5).
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let mut fields = fields.split_whitespace();
        let state = fields.next();
        let flags = fields.nth(5).and_then(|flags| flags.parse().ok());
        state == Some("Z") || flags.unwrap_or(0) & PF_EXITING != 0
    }

    /// The threads that are left, and the kernel functions that they wait in.
    fn threads(&self) -> String {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.program.id()));
        let tasks = tasks.into_iter().flatten().flatten();
        let waits = tasks.map(|task| fs::read_to_string(task.path().join("wchan")));
        let waits: Vec<String> = waits.map(Result::unwrap_or_default).collect();
        let functions: BTreeSet<&String> = waits.iter().collect();
        format!("{} threads are left, in {functions:?}", waits.len())
    }
}

impl Served {
    /// What a sweep after the timeout has closed.
    fn head_timeout(self) -> Duration {
        match self {
            Served::Program => Duration::from_secs(10 + 2),
            Served::Library => Duration::from_secs(1 + 2),
        }
    }

    /// Twice: a full socket may take a few bytes more when it is tried once more.
    fn write_timeout(self) -> Duration {
        match self {
            Served::Program => Duration::from_secs(2 * 30 + 2),
            Served::Library => Duration::from_secs(2 + 2),
        }
    }

    fn setup(self, good: &Path, slow: &Path) -> Setup {
        let slow = slow.to_str().expect("a path of UTF-8");
        match self {
            Served::Program => {
                let (mount, grace) = (format!("/slow={slow}"), GRACE_S.to_string());
                doorstep(good, ["-p0", "--grace", &grace, "--mount", &mount])
            }
            Served::Library => {
                let this = std::env::current_exe().expect("the path of this test");
                let mut command = Command::new(this);
                command.args(["--exact", "rows::serves_with_short_timeouts", "--nocapture"]);
                command.env(SLOW_FOLDER, slow);
                Setup::of(command, good)
            }
        }
    }
}

/// The folder of the disk that hangs, for the process of [`Served::Library`].
const SLOW_FOLDER: &str = "DOORSTEP_TEST_SLOW_FOLDER";

/// Does nothing unless another test has started it, in a process of its own.
#[test]
fn serves_with_short_timeouts() {
    let Some(slow) = std::env::var_os(SLOW_FOLDER) else {
        return;
    };
    let files = |path: &Path| Files::new(path).expect("a folder");
    let files = files(Path::new(".")).mount("/slow", files(Path::new(&slow)));
    let mut timeouts = Timeouts::default();
    timeouts.head = Duration::from_secs(1);
    timeouts.write = Duration::from_secs(1);
    let server = Server::bind("127.0.0.1:0")
        .expect("a port")
        .timeouts(timeouts);
    let mut signals = Signals::install().expect("signals");
    println!("http://{}/", server.local_addr().expect("an address"));
    let running = server.spawn(files).expect("a thread");
    signals.wait().expect("a signal");
    let ended = running.shutdown(Duration::from_secs(GRACE_S));
    ended.expect("an end without an error");
    // The threads that are left are not waited for.
    std::process::exit(0);
}

/// What the clients ask for, each its own: listings, large files and small ones.
fn any_file(number: usize) -> String {
    match number % 10 {
        0 => format!("/slow/?{number}"),
        1 => large_file(number / 10),
        _ => slow(&small(number)),
    }
}

fn large_file(number: usize) -> String {
    slow(&large(number % LARGE_FILES))
}

fn slow(name: &str) -> String {
    format!("/slow/{name}")
}

/// The answer has to be the whole file or listing (false), or 503 with Retry-After (true).
fn is_busy(path: &str, answer: Result<Answer, Broken>) -> Result<bool, String> {
    let answer = answer.map_err(|broken| format!("{path}: {broken}"))?;
    let name = path.strip_prefix("/slow/").unwrap_or_default();
    let is_right = match FILES.iter().find(|(file, _)| file == name) {
        Some((_, length)) => answer.content == fuse::content(name, 0..*length),
        None => answer.text().contains(&small(17)) && !answer.text().contains("page.txt"),
    };
    match answer.status {
        200 if is_right => Ok(false),
        503 if answer.header_value("Retry-After").is_some() => Ok(true),
        status => Err(format!("{path}: {status}, {} bytes", answer.content.len())),
    }
}

/// The folder that works: a file that is kept in memory, and one that stays open.
fn good_files() -> [(&'static str, Vec<u8>); 2] {
    [
        ("page.txt", b"tea\n".repeat(100)),
        ("large.bin", b"good folder\n".repeat(20 * 1024)),
    ]
}

#[allow(unsafe_code, reason = "a declaration of what libc has")]
unsafe extern "C" {
    safe fn kill(process: i32, number: i32) -> i32;
}

const SIGKILL: i32 = 9;
/// "getting shut down", `include/linux/sched.h`.
const PF_EXITING: u32 = 4;
