"""A thousand requests in one segment, and cut into odd pieces: a thousand answers in order, each with its content. A plain socket.

What fits into the first segment of a connection over lo is half of its first window: 32 KiB, where a window begins with 64.
"""

import platform
import random
import socket
import struct

from check import SECONDS, check, main, manifest, pieces, same, server, sha256

COUNT = 1000


class Answers:
    """Reads answers from a socket: what they are is known, so only Content-Length is understood."""

    def __init__(self, stream):
        self.file = stream.makefile("rb")

    def next(self, method="GET"):
        status = self.file.readline()
        if not status.startswith(b"HTTP/1.1 ") or not status.endswith(b"\r\n"):
            raise AssertionError(f"no status line: {status!r:.200}")
        length = None
        while (line := self.file.readline()) != b"\r\n":
            name, colon, value = line.partition(b":")
            if not colon:
                raise AssertionError(f"no field line: {line!r:.200}")
            if name.lower() == b"content-length":
                length = int(value)
        if length is None:
            raise AssertionError("no Content-Length")
        content = b"" if method == "HEAD" else self.file.read(length)
        if method != "HEAD":
            same(length, len(content), "length of the content")
        return int(status[9:12]), content

    def ended(self):
        same(b"", self.file.read(1), "behind the last answer")


def connect(name):
    stream = socket.create_connection(server(name), timeout=SECONDS)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def segments(stream):
    """Segments with data that were sent: tcpi_data_segs_out of struct tcp_info, since Linux 4.6."""
    info = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160)
    return struct.unpack_from("I", info, 156)[0] if len(info) >= 160 else None


def gets(files):
    """GET and HEAD of files with short names in turn, the last of which ends the connection. 28 octets each."""
    small = [file for file in files if len(file.name) == 1]
    for number in range(COUNT):
        file = small[number % len(small)]
        method = "HEAD" if number % 5 == 4 else "GET"
        last = "Connection: close\r\n" if number == COUNT - 1 else ""
        wanted = sha256(b"") if method == "HEAD" else file.sha256
        yield f"{method} {file.path} HTTP/1.1\r\nHost:a\r\n{last}\r\n".encode(), method, wanted


def posts(_files):
    """Content that no two requests share, by length and in chunks in turn; what looks like a request is none."""
    for number in range(COUNT):
        content = b"GET /%d" % number
        last = b"Connection: close\r\n" if number == COUNT - 1 else b""
        if number % 2:
            head = b"Content-Length: %d\r\n" % len(content)
            body = content
        else:
            head = b"Transfer-Encoding: chunked\r\n"
            body = b"3\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (content[:3], len(content) - 3, content[3:])
        yield b"POST / HTTP/1.1\r\nHost:a\r\n" + head + last + b"\r\n" + body, "POST", sha256(content)


def ask(name, requests, cut):
    """Sends all of it, whole or in pieces, and compares every answer. Returns the number of segments."""
    octets = b"".join(request for request, _, _ in requests)
    with connect(name) as stream:
        if cut:
            for piece in pieces(octets, random.Random(4), cut):
                stream.sendall(piece)
        else:
            same(len(octets), stream.send(octets), "octets taken by one send(2)")
        answers = Answers(stream)
        for number, (_, method, wanted) in enumerate(requests):
            status, content = answers.next(method)
            same((200, wanted), (status, sha256(content)), f"answer {number}")
        answers.ended()
        return len(octets), segments(stream)


def checks():
    files = manifest()
    @check(f"{COUNT} requests (GET and HEAD) in one segment")
    def _():
        length, sent = ask("FILES", list(gets(files)), cut=None)
        if sent not in (1, None):
            raise AssertionError(f"the {length} octets went in {sent} segments: is the MTU of lo not 65536?")

    for name, what, make in [("FILES", "GET and HEAD", gets), ("ECHO", "POST by length and in chunks", posts)]:
        requests = list(make(files))

        @check(f"{COUNT} requests ({what}) in one send(2)")
        def _():
            ask(name, requests, cut=None)

        for cut in (3, 40, 5000):

            @check(f"{COUNT} requests ({what}) in pieces of 1 to {cut} octets")
            def _():
                ask(name, requests, cut)


main(lambda: f"sockets of Python {platform.python_version()}", checks)
