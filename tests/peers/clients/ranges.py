"""Ranges and conditions by hand, over one connection with several requests on their way at once: every part of an answer is compared
with the file, and what was asked for is there. What is not understood of an answer is a failure. A plain socket."""

import email
import email.policy
import itertools
import platform
import random
import re
import socket

from check import SECONDS, check, main, manifest, same, server, sha256

AT_ONCE = 12  # requests that are sent before the first answer is read


class Answer:
    """Reads one answer. Content is delimited by Content-Length alone, and a 304 and the answer to a HEAD have none."""

    def __init__(self, file, method):
        line = file.readline()
        if not re.fullmatch(rb"HTTP/1\.1 \d{3} [ -~]*\r\n", line):
            raise AssertionError(f"no status line: {line!r:.200}")
        self.status = int(line[9:12])
        self.fields = {}
        while (line := file.readline()) != b"\r\n":
            match = re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*\r\n", line)
            if not match:
                raise AssertionError(f"no field line: {line!r:.200}")
            name = match[1].decode().lower()
            if name in self.fields and name != "vary":
                raise AssertionError(f"{name} twice")
            self.fields[name] = match[2].decode("latin-1")
        self.content = b""
        if method != "HEAD" and self.status != 304:
            length = int(self.fields["content-length"])
            self.content = file.read(length)
            same(length, len(self.content), "length of the content")

    def __getitem__(self, name):
        return self.fields.get(name)


def ask(requests):
    """All of them over one connection, a few at a time; the answers in order. A request is its method, path and fields."""
    with socket.create_connection(server("FILES"), timeout=SECONDS) as stream:
        file = stream.makefile("rb")
        for start in range(0, len(requests), AT_ONCE):
            batch = requests[start : start + AT_ONCE]
            octets = b""
            for method, path, fields in batch:
                lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
                octets += f"{method} {path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode()
            stream.sendall(octets)
            for method, _, _ in batch:
                yield Answer(file, method)


def content_range(value, size):
    """First and last of a Content-Range."""
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", value or "")
    if not match:
        raise AssertionError(f"no Content-Range: {value!r}")
    first, last, length = map(int, match.groups())
    same(size, length, "length in Content-Range")
    if not first <= last < size:
        raise AssertionError(f"Content-Range is {value}, and the file has {size} octets")
    return first, last


def parts_of(answer):
    """Octets behind octets as RFC 2046 has them: (Content-Range, content) of each part of a multipart/byteranges."""
    match = re.fullmatch(r'multipart/byteranges; ?boundary=("?)([^"; ]{1,70})\1', answer["content-type"] or "")
    if not match:
        raise AssertionError(f"Content-Type is {answer['content-type']!r}")
    delimiter = b"\r\n--" + match[2].encode()
    body = b"\r\n" + answer.content  # the line end before the first may be left out
    preamble, *parts, epilogue = body.split(delimiter)
    same((b"", b"--"), (preamble.strip(), epilogue.strip()), "around the parts")
    for part in parts:
        head, end, content = part.partition(b"\r\n\r\n")
        same(b"\r\n\r\n", end, "end of a part's head")
        same(b"\r\n", head[:2], "end of a delimiter")
        fields = dict(line.lower().split(b": ", 1) for line in head[2:].split(b"\r\n"))
        if b"content-length" in fields:
            same(len(content), int(fields[b"content-length"]), "Content-Length of a part")
        yield fields.get(b"content-range", b"").decode(), content


def parts_by_email(answer):
    """The same by Python's own parser, which knows nothing of HTTP."""
    head = f"Content-Type: {answer['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + answer.content, policy=email.policy.HTTP)
    same([], message.defects, "defects")
    for part in message.get_payload():
        yield part["content-range"], part.get_payload(decode=True)


def is_right(answer, whole, asked):
    """The answer to a GET of `asked`, pairs of first and last octet, each of them in the file: nothing but what the file has there,
    each octet that was asked for, and hardly any other."""
    size = len(whole)
    same(206, answer.status, "status")
    if answer["content-range"]:
        got = [(*content_range(answer["content-range"], size), answer.content)]
    else:
        got = [(*content_range(value, size), content) for value, content in parts_of(answer)]
        if len(asked) == 1:
            raise AssertionError("one range was asked for, and the answer has parts")
        if size < 100_000:
            by_email = [(*content_range(value, size), content) for value, content in parts_by_email(answer)]
            same([sha256(content) for *_, content in got], [sha256(content) for *_, content in by_email], "Python's email")
    for first, last, content in got:
        if content != whole[first : last + 1]:
            raise AssertionError(f"not the octets {first} to {last}: {len(content)} octets that begin with {content[:20]!r}")
    for first, last in asked:
        if not any(start <= first and last <= end for start, end, _ in got):
            raise AssertionError(f"{first} to {last} is missing in {[(start, end) for start, end, _ in got]!r:.200}")
    # Ranges may be joined over a gap that is no more than the head of a part.
    most = sum(last - first + 1 + 300 for first, last in asked)
    if sum(len(content) for *_, content in got) > most:
        raise AssertionError("more octets than were asked for")


def pair(chance, size, most=300_000):
    first = chance.randrange(size)
    return first, min(size - 1, first + chance.choice([0, 1, chance.randrange(most)]))


def single(chance, size):
    """What to ask for, and the one range that it is."""
    first, last = pair(chance, size)
    kind = chance.randrange(5)
    if kind == 0:
        return f"bytes={first}-{last}", (first, last)
    if kind == 1:  # one that ends behind the file
        first = max(first, size - 300_000)
        return f"bytes={first}-{size + chance.randrange(1000)}", (first, size - 1)
    if kind == 2:
        first = max(first, size - 300_000)
        return f"bytes={first}-", (first, size - 1)
    if kind == 3:
        length = chance.randrange(1, min(size, 300_000) + 1)
        return f"bytes=-{length}", (size - length, size - 1)
    if size <= 300_000:  # more than there is
        return f"bytes=-{size + chance.randrange(10**18)}", (0, size - 1)
    return f"BYTES={first}-{last}", (first, last)


def several(chance, size):
    """Ranges that do not overlap, in the order of the file or not; perhaps with one among them that lies behind the file."""
    cuts = sorted({chance.randrange(size) for _ in range(2 * chance.randrange(2, 8))})
    ranges = list(zip(cuts[0::2], cuts[1::2]))
    ranges = [(first, min(last, first + 100_000)) for first, last in ranges]
    if chance.random() < 0.3:
        chance.shuffle(ranges)
    words = [f"{first}-{last}" for first, last in ranges]
    if chance.random() < 0.3:
        words.insert(chance.randrange(len(words) + 1), f"{size + chance.randrange(100)}-")
    return "bytes=" + chance.choice([",", ", ", " ,\t"]).join(words), ranges


def checks():
    files = [file for file in manifest() if file.size]
    whole = {file.name: file.read() for file in files}

    @check("every file: one range: from, to, open, the last, in any case, past the end")
    def _():
        chance = random.Random(10)
        asked = [(file, *single(chance, file.size)) for file in files for _ in range(25)]
        answers = ask([("GET", file.path, {"Range": value}) for file, value, _ in asked])
        for (file, value, wanted), answer in itertools.zip_longest(asked, answers):
            try:
                is_right(answer, whole[file.name], [wanted])
                same(f"bytes {wanted[0]}-{wanted[1]}/{file.size}", answer["content-range"], "Content-Range")
            except AssertionError as error:
                raise AssertionError(f"{file.name}, {value}: {error}") from None

    @check("every file of more than 1,000 octets: several ranges, in any order")
    def _():
        chance = random.Random(11)
        asked = [(file, *several(chance, file.size)) for file in files if file.size > 1000 for _ in range(25)]
        answers = ask([("GET", file.path, {"Range": value}) for file, value, _ in asked])
        for (file, value, wanted), answer in itertools.zip_longest(asked, answers):
            try:
                is_right(answer, whole[file.name], wanted)
            except AssertionError as error:
                raise AssertionError(f"{file.name}, {value}: {error}") from None

    @check("every file: ranges that nothing is in, and what is no range")
    def _():
        asked = []
        for file in files:
            for value in (f"{file.size}-", f"{file.size + 10}-{file.size + 20}", "-0", "18446744073709551615-", f"{file.size}-,-0"):
                asked.append((file, "bytes=" + value, 416))
            for value in ("bytes=5-2", "bytes=a-b", "bytes=-", "bytes=1", "octets=0-0", "bytes 0-0", "bytes=0-0,x"):
                if file.size <= 1048576:
                    asked.append((file, value, 200))
        answers = ask([("GET", file.path, {"Range": value}) for file, value, _ in asked])
        for (file, value, status), answer in itertools.zip_longest(asked, answers):
            wanted = (416, f"bytes */{file.size}") if status == 416 else (200, None)
            same(wanted, (answer.status, answer["content-range"]), f"{file.name}, {value}:")
            if status == 200:
                same(file.sha256, sha256(answer.content), f"{file.name}, {value}:")

    @check("a thousand ranges that overlap cost no more than the file, and a HEAD has no range")
    def _():
        for file in files:
            if 1000 < file.size <= 1048576:
                many = "bytes=" + ",".join(f"{number % 7}-" for number in range(1000))
                one, two = ask([("GET", file.path, {"Range": many}), ("HEAD", file.path, {"Range": "bytes=0-0"})])
                if one.status not in (200, 206, 416) or len(one.content) > 2 * file.size + 1000:
                    raise AssertionError(f"{file.name}: {one.status} with {len(one.content)} octets")
                same((200, str(file.size), None), (two.status, two["content-length"], two["content-range"]), file.name)

    tags, times = {}, {}

    @check("every file has a strong tag and a time, which no two requests tell differently")
    def _():
        for method in ("HEAD", "GET", "HEAD"):
            small = [file for file in files if method == "HEAD" or file.size <= 1048576]
            for file, answer in zip(small, ask([(method, file.path, {}) for file in small])):
                same((200, "bytes"), (answer.status, answer["accept-ranges"]), file.name)
                if not re.fullmatch(r'"[!#-~]*"', answer["etag"] or "") or not answer["last-modified"]:
                    raise AssertionError(f"{file.name}: ETag {answer['etag']}, Last-Modified {answer['last-modified']}")
                same(answer["etag"], tags.setdefault(file.name, answer["etag"]), file.name)
                same(answer["last-modified"], times.setdefault(file.name, answer["last-modified"]), file.name)
        same(len(files), len(set(tags.values())), "different tags")

    @check("every file: a condition that does not hold: 304 without content, or 412")
    def _():
        asked = []
        for file in files:
            tag, time = tags[file.name], times[file.name]
            for fields in (
                {"If-None-Match": tag},
                {"If-None-Match": "W/" + tag},
                {"If-None-Match": f'"other", W/"a,b" ,{tag}'},
                {"If-None-Match": "*"},
                {"If-Modified-Since": time},
                {"If-None-Match": tag, "If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
                {"If-None-Match": tag, "Range": "bytes=0-0"},
                {"If-Match": tag, "If-None-Match": tag},
            ):
                asked += [("GET", file, fields, 304), ("HEAD", file, fields, 304)]
            for fields in (
                {"If-Match": '"other"'},
                {"If-Match": "W/" + tag},
                {"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
                {"If-Match": '"other"', "If-None-Match": tag, "Range": "bytes=0-0"},
            ):
                asked += [("GET", file, fields, 412), ("HEAD", file, fields, 412)]
        answers = ask([(method, file.path, fields) for method, file, fields, _ in asked])
        for (method, file, fields, status), answer in itertools.zip_longest(asked, answers):
            same(status, answer.status, f"{method} {file.name}, {fields}:")
            if status == 304:
                same(tags[file.name], answer["etag"], f"{method} {file.name}, {fields}:")
                same(str(file.size), answer["content-length"] or str(file.size), f"{method} {file.name}, {fields}:")

    @check("every file: a condition that holds, and one that is not to be looked at")
    def _():
        asked = []
        for file in files:
            tag, time = tags[file.name], times[file.name]
            for fields in (
                {"If-None-Match": '"other"'},
                {"If-None-Match": '"other"', "If-Modified-Since": time},
                {"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
                {"If-Modified-Since": "yesterday"},
                {"If-Match": tag},
                {"If-Match": f'"other" , {tag}'},
                {"If-Match": "*"},
                {"If-Match": tag, "If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
                {"If-Unmodified-Since": time},
            ):
                asked.append((file, fields))
        answers = ask([("GET", file.path, {**fields, "Range": "bytes=0-99"}) for file, fields in asked])
        for (file, fields), answer in itertools.zip_longest(asked, answers):
            try:
                is_right(answer, whole[file.name], [(0, min(file.size, 100) - 1)])
            except AssertionError as error:
                raise AssertionError(f"{file.name}, {fields}: {error}") from None

    @check("every file: If-Range: the range of the same file, otherwise all of it")
    def _():
        chance = random.Random(12)
        asked = []
        for file in files:
            tag, time = tags[file.name], times[file.name]
            for value, holds in [(tag, 1), (time, 1), ('"other"', 0), ("W/" + tag, 0), ("Sat, 01 Jan 2000 00:00:00 GMT", 0)]:
                if holds or file.size <= 1048576:
                    asked.append((file, value, holds, *single(chance, file.size)))
        requests = [("GET", file.path, {"If-Range": value, "Range": range}) for file, value, _, range, _ in asked]
        for (file, value, holds, range, wanted), answer in itertools.zip_longest(asked, ask(requests)):
            try:
                if holds:
                    is_right(answer, whole[file.name], [wanted])
                else:
                    same((200, file.sha256), (answer.status, sha256(answer.content)))
            except AssertionError as error:
                raise AssertionError(f"{file.name}, If-Range: {value}, {range}: {error}") from None


main(lambda: f"sockets of Python {platform.python_version()}", checks)
