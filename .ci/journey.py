"""Traces two requests through an unoptimised doorstep and lists the functions on their way.

Run by .ci/journey inside gdb.

A function of the crate is on a way when its code runs between the two ends on the thread that
serves: it is entered, or it was entered before the first end and is returned into (it has read the
request, say, and hands it on). What lies further out and only waits for the return, such as the
worker's loop, is not on the way.

- A function is its place in the source: file and line of its `fn`. Generic instances and repeated
  calls count once; `entries` has every call. A closure belongs to the function that it is written
  in.
- Only functions under src/ count: not those of std, and not what derives write, which has no `fn`
  in the source.
- Nothing hides: the build is unoptimised, and .ci/journey turns `inline(always)` into
  `inline(never)`. Merged files lower the number of files and not that of functions; both are
  bounded.
- The ends are system calls and `Handler::handle` of `Files`, a name of the public API, so that
  renames inside change nothing.

`target` is the first request for a file, on a new connection, just after one for another file: what
the process does once, or every 100 ms (whether the root is still the same folder), is not on the
way, nor is making the Date field, once a second. `body` is a later request for the same file, on a
new connection, answered from the cache without a system call on the file, from the handler's return
on; what happens inside the handler is listed before it as `cached`. The server runs with `--quiet`:
the access log is no part of any way. Other threads stand still while a way is traced.

Exits with 0 and a report, with 75 when the machine was too slow and another try may do, or with 1.
"""

import os
import re
import socket
import subprocess
import time
import traceback

import gdb

TREE = os.environ["JOURNEY_TREE"]
BINARY = os.environ["JOURNEY_BINARY"]
REPORT = os.environ["JOURNEY_REPORT"]

# System calls of x86-64.
READS = {0: "read", 19: "readv", 45: "recvfrom", 47: "recvmsg"}
WRITES = {1: "write", 20: "writev", 44: "sendto", 46: "sendmsg"}
OPENAT2 = 437
ON_FILES = {5: "fstat", 17: "pread64", 257: "openat", 262: "newfstatat", 332: "statx", OPENAT2: "openat2"}
ENOSYS = -38

TARGET = "/css/site.css"
OTHERS = ("/index.html", "/grüße.html", "/404.html")
# The second form is that of an impl in another module than its type.
HANDLER = re.compile(
    r"doorstep\.\.files\.\.[^$]*Files\$u20\$as\$u20\$doorstep\.\.handler\.\.[^$]*Handler\$GT\$6handle"
    r"|impl\$u20\$doorstep\.\.handler\.\.[^$]*Handler\$u20\$for\$u20\$doorstep\.\.files\.\.[^$]*Files\$GT\$6handle"
)
STOPS_MAX = 1000


class Failed(Exception):
    """Why there is no trace."""


class TooSlow(Exception):
    """Something was done that is done once in 100 ms, or once a second."""


# --- The source.


class Source:
    """The functions of a file, by their indentation, which rustfmt vouches for."""

    START = re.compile(r'^( *)(?:pub(?:\([^)]*\))? |const |async |unsafe |extern "[^"]*" )*fn (\w+)')

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        self.functions = []
        for number, line in enumerate(lines, 1):
            if found := self.START.match(line):
                self.functions.append((number, self.end(lines, number, found[1]), found[2]))

    @staticmethod
    def end(lines, first, indent):
        if lines[first - 1].endswith(("}", ";")):
            return first
        for number in range(first + 1, len(lines) + 1):
            line = lines[number - 1]
            if line.startswith(indent + "}") or line.startswith(indent + ")") and line.endswith(";"):
                return number
        raise Failed(f"a function without an end at line {first}")

    def around(self, line):
        """The innermost function that a line is in."""
        return max((function for function in self.functions if function[0] <= line <= function[1]), default=None)


sources = {}


def identify(symbol):
    """The function of the crate that a symbol belongs to, as (file, line, name), or None."""
    path = os.path.normpath(symbol.symtab.fullname())
    if not path.startswith(os.path.join(TREE, "src", "")):
        return None
    if path not in sources:
        sources[path] = Source(path)
    found = sources[path].around(symbol.line)
    return found and (os.path.relpath(path, TREE), found[0], found[2])


# --- The trace.


class Entry(gdb.Breakpoint):
    """At the entry of a function: notes it, and lets the program go on."""

    def __init__(self, address, symbol, trace):
        super().__init__(f"*{address:#x}", internal=True)
        self.function, self.trace = identify(symbol), trace
        self.is_closure = "{closure" in symbol.name

    def stop(self):
        self.trace.enter(self)
        return False


class Trace:
    """What runs on one thread from `start` to `stop`: functions in order, each with its depth."""

    def __init__(self):
        self.symbols = entries_of_the_crate()
        self.breakpoints = []

    def start(self):
        self.frames = crate_frames()
        self.entered = {}
        self.entries = 0
        if not self.breakpoints:
            gdb.execute("set scheduler-locking on")
            self.breakpoints = [Entry(address, symbol, self) for address, symbol in self.symbols]

    def enter(self, entry):
        self.entries += not entry.is_closure
        if entry.function not in self.entered:
            self.entered[entry.function] = (len(crate_frames()), "")

    def stop(self):
        there = set(crate_frames())
        returned = {}
        # Innermost first, up to the one from which the way went on.
        for depth, frame in zip(range(len(self.frames), 0, -1), self.frames):
            returned[frame[1]] = (depth, "returned into")
            if frame in there:
                break
        return merged(dict(reversed(returned.items())), self.entered)

    def release(self):
        """Lets the program run at its own speed again."""
        for breakpoint in self.breakpoints:
            breakpoint.delete()
        self.breakpoints = []
        gdb.execute("set scheduler-locking off")


def merged(first, second):
    """Both ways in one, the first row of each function."""
    return first | {function: row for function, row in second.items() if function not in first}


def entries_of_the_crate():
    """Address and symbol of each function under src/, generic instances and closures included."""
    table = subprocess.run(["nm", "--defined-only", BINARY], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in table.splitlines()]
    loaded_at = int(gdb.parse_and_eval("(unsigned long)&main")) - next(int(row[0], 16) for row in rows if row[2] == "main")
    found = []
    for address in sorted({int(row[0], 16) + loaded_at for row in rows if row[1] in "tTwW"}):
        block = gdb.block_for_pc(address)
        while block is not None and block.function is None:
            block = block.superblock
        if block is not None and block.start == address and identify(block.function):
            found.append((address, block.function))
    if len(found) < 100:
        raise Failed(f"only {len(found)} functions of the crate have an entry")
    return found


def crate_frames():
    """The crate's frames of this thread, innermost first: the caller's stack pointer, the function."""
    frames = []
    frame = gdb.newest_frame()
    while (older := frame.older()) is not None:
        function = frame.function() and identify(frame.function())
        if function:
            frames.append((int(older.read_register("rsp")), function))
        frame = older
    return frames


def register(name):
    value = int(gdb.newest_frame().read_register(name)) & (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def memory(address, length):
    return gdb.selected_inferior().read_memory(address, length).tobytes()


def system_call():
    """Of the stop: number and result of the system call, which has none at its entry."""
    number, result = register("orig_rax"), register("rax")
    return number, None if result == ENOSYS else result


def go_on_to(what, is_there):
    for _ in range(STOPS_MAX):
        gdb.execute("continue", to_string=True)
        if not gdb.selected_inferior().pid:
            raise Failed(f"the server ended before {what}")
        if is_there():
            return
    raise Failed(f"not found: {what}")


# --- The server and its client.


class Server:
    def __init__(self):
        command = ["timeout", "120", BINARY, "--quiet", "--threads", "1", "-p", "0", os.path.join(TREE, "html")]
        self.guard = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.clients = []
        self.port = None
        deadline = time.monotonic() + 20
        while self.port is None:
            if time.monotonic() > deadline:
                raise Failed("the server does not listen")
            time.sleep(0.05)
            self.look()

    def look(self):
        """Finds the server below timeout(1), and the port of its one TCP listener."""
        try:
            with open(f"/proc/{self.guard.pid}/task/{self.guard.pid}/children", encoding="ascii") as file:
                self.pid = int(file.read().split()[0])
            descriptors = [os.readlink(f"/proc/{self.pid}/fd/{name}") for name in os.listdir(f"/proc/{self.pid}/fd")]
            with open(f"/proc/{self.pid}/net/tcp", encoding="ascii") as file:
                rows = [line.split() for line in file.readlines()[1:]]
        except (OSError, IndexError):
            return
        for row in rows:
            if row[3] == "0A" and f"socket:[{row[9]}]" in descriptors:
                self.port = int(row[1].split(":")[1], 16)

    def ask(self, path):
        """Sends a request on a new connection, which stays open, and returns the connection."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.sendall(request(path))
        self.clients.append(client)
        return client

    def end(self):
        self.guard.terminate()
        self.guard.wait()


def request(path):
    path = "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in path.encode())
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def is_read(path):
    """Whether this stop is the return of the system call that reads the request."""
    number, result = system_call()
    return number in READS and result == len(request(path)) and memory(register("rsi"), result) == request(path)


def is_opened(path):
    """Whether this stop is the entry of the openat2 of the file."""
    number, result = system_call()
    if number in ON_FILES and number != OPENAT2:
        raise TooSlow(ON_FILES[number])
    path = path[1:].encode() + b"\0"
    return number == OPENAT2 and result is None and memory(register("rsi"), len(path)) == path


def is_sent():
    """Whether this stop is the entry of the system call that sends a response."""
    number, result = system_call()
    status = b"HTTP/1.1 200 "
    if number not in WRITES or result is not None:
        return False
    if WRITES[number] in ("write", "sendto"):
        return register("rdx") >= len(status) and memory(register("rsi"), len(status)) == status
    return WRITES[number] in ("writev", "sendmsg")


def is_from_memory():
    """Whether this stop is none at a system call on a file."""
    if (number := system_call()[0]) in ON_FILES:
        raise TooSlow(ON_FILES[number])
    return True


# --- The two ways.


def main(report):
    gdb.execute("set pagination off")
    gdb.execute("set confirm off")
    gdb.execute("set breakpoint always-inserted on")
    gdb.execute(f"file {BINARY}", to_string=True)
    server = Server()
    try:
        for path in OTHERS * 2:
            if not server.ask(path).recv(65536).startswith(b"HTTP/1.1 200 "):
                raise Failed(f"{path} is not served")
        gdb.execute(f"attach {server.pid}", to_string=True)
        measure(server, report)
    finally:
        if gdb.selected_inferior().pid:
            gdb.execute("detach", to_string=True)
        server.end()


def measure(server, report):
    trace = Trace()
    handlers = [address for address, symbol in trace.symbols if HANDLER.search(symbol.linkage_name)]
    if len(handlers) != 1:
        raise Failed(f"{len(handlers)} functions are `Handler::handle` of `Files`")
    numbers = " ".join(str(number) for number in [*READS, *WRITES, *ON_FILES])
    gdb.execute(f"catch syscall {numbers}", to_string=True)

    server.ask(OTHERS[0])
    go_on_to("a response", is_sent)
    server.ask(TARGET)
    go_on_to("the read of the request", lambda: is_read(TARGET))
    trace.start()
    go_on_to("the openat2 of the file", lambda: is_opened(TARGET))
    write_way(report, "target: from the read of the request to the openat2 of its file", trace.stop(), trace.entries)
    trace.release()

    go_on_to("the response", is_sent)
    # The Date field is written once a second.
    time.sleep(1 - time.time() % 1)
    second = int(time.time())
    server.ask(TARGET)
    go_on_to("the response", is_sent)
    server.ask(TARGET)
    handler = gdb.Breakpoint(f"*{handlers[0]:#x}", internal=True)
    go_on_to("the handler", lambda: gdb.newest_frame().pc() == handlers[0])
    handler.delete()
    if int(time.time()) != second:
        raise TooSlow("a new second began")
    trace.start()
    caller = gdb.newest_frame().older()
    back = gdb.Breakpoint(f"*{caller.pc():#x}", internal=True)
    go_on_to("the handler's return", lambda: is_from_memory() and gdb.newest_frame() == caller)
    back.delete()
    write_way(report, "cached: from the handler's call to its return, for a file in its cache", trace.stop(), trace.entries)
    trace.start()
    go_on_to("the response", lambda: is_from_memory() and is_sent())
    write_way(report, "body: from the handler's return to the send of the response", trace.stop(), trace.entries)
    trace.release()


def write_way(report, title, functions, entries):
    name = title.split(":")[0]
    report.write(f"\n{title}\n")
    least = min(depth for depth, _ in functions.values())
    for number, ((path, line, function), (depth, how)) in enumerate(functions.items(), 1):
        report.write(f"{number:4} {'. ' * (depth - least)}{function}  {path}:{line}{how and f'  ({how})'}\n")
    files = dict.fromkeys(path for path, _, _ in functions)
    report.write(f"files: {' '.join(files)}\n")
    report.write(f"count {name} functions {len(functions)}\n")
    report.write(f"count {name} files {len(files)}\n")
    report.write(f"count {name} entries {entries}\n")


status = 0
try:
    with open(REPORT, "w", encoding="utf-8") as file:
        main(file)
except TooSlow as why:
    print(f"journey: too slow ({why})")
    status = 75
except Exception:
    traceback.print_exc()
    status = 1
gdb.execute(f"quit {status}")
