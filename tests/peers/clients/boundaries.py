"""Many clients at once with requests that no two share: each gets its own answer, whoever else is on the same connection behind a
proxy. Content looks like requests, so that an octet of it which is read as a head is seen."""

import http.client
import os
import platform
import random
import threading
import zlib

from check import SECONDS, check, main, manifest, pieces, same, server, sha256

CLIENTS = 8
REQUESTS = 150  # of each client


def bait(chance, unique, most):
    """Content that begins with what nobody else sends, and goes on with requests."""
    request = b"GET /%b HTTP/1.1\r\nHost: a\r\nX-Bait: 0\r\n\r\n0\r\n\r\n" % unique
    return (unique + request * (most // len(request) + 1))[: chance.randint(len(unique), most)]


class Client:
    def __init__(self, number, files):
        self.chance = random.Random(number)
        self.number = number
        self.files = files
        self.connections = {}

    def ask(self, name, method, path, body=None, chunked=False, close=False):
        connection = self.connections.get(name)
        if connection is None:
            connection = http.client.HTTPConnection(*server(name), timeout=SECONDS)
        headers = {"Transfer-Encoding": "chunked"} if chunked else {}
        if close:
            headers["Connection"] = "close"
        if chunked:
            body = pieces(body, self.chance, self.chance.choice([2, 100, 20000]))
        connection.request(method, path, body=body, headers=headers, encode_chunked=chunked)
        answer = connection.getresponse()
        content = answer.read()
        self.connections[name] = None if close else connection
        return answer.status, content

    def turn(self, number):
        chance = self.chance
        unique = b"client-%d-request-%d-" % (self.number, number)
        close, chunked = chance.random() < 0.1, chance.random() < 0.5
        file = chance.choice(self.files)
        kind = chance.choice(["echo", "checksum", "file", "head", "missing", "unread", "get"])
        if kind == "echo":
            content = bait(chance, unique, 70000)
            status, got = self.ask("ECHO", "POST", "/" + unique.decode(), content, chunked, close)
            same((200, sha256(content)), (status, sha256(got)), "echo")
        elif kind in ("checksum", "get"):
            # Content of a GET has no meaning, and is read all the same.
            content = bait(chance, unique, 70000 if kind == "checksum" else 2000)
            method = "PUT" if kind == "checksum" else "GET"
            status, got = self.ask("CHECKSUM", method, "/" + unique.decode(), content, chunked, close)
            wanted = f"{len(content)} {zlib.crc32(content):08x}"
            same((200, wanted), (status, got.decode().rsplit(" ", 1)[0]), kind)
        elif kind == "file":
            status, got = self.ask("FILES", "GET", file.path, close=close)
            same((200, file.sha256), (status, sha256(got)), file.name)
        elif kind == "head":
            status, got = self.ask("FILES", "HEAD", file.path, close=close)
            same((200, b""), (status, got), file.name)
        elif kind == "missing":
            status, _ = self.ask("FILES", "GET", "/" + unique.decode(), close=close)
            same(404, status, "missing")
        else:
            # Content that the handler leaves unread: with the framing of its chunks no more than is dropped to keep a connection.
            status, _ = self.ask("FILES", "POST", file.path, bait(chance, unique, 10000), chunked, close)
            same(405, status, "unread")
            # A proxy that passes on an answer before it has all of the content may end its client's connection behind it.
            if os.environ["ROUTE"] != "direct":
                if connection := self.connections.pop("FILES"):
                    connection.close()


def checks():
    files = [file for file in manifest() if file.size <= 100_000]

    @check(f"{CLIENTS * REQUESTS} different requests of {CLIENTS} clients at once: each gets its own answer")
    def _():
        failures = []

        def run(number):
            client = Client(number, files)
            try:
                for turn in range(REQUESTS):
                    client.turn(turn)
            except Exception as error:
                failures.append(f"client {number}, request {turn}: {type(error).__name__}: {error}")

        threads = [threading.Thread(target=run, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        same([], failures)

    if os.environ["ROUTE"] != "direct":

        @check("a hundred connections of clients, one after the other, use ten of the proxy at most")
        def _():
            addresses = set()
            for number in range(100):
                client = Client(number, files)
                status, got = client.ask("CHECKSUM", "PUT", "/", b"content", close=True)
                same(200, status)
                addresses.add(got.decode().split()[2])
            if len(addresses) > 10:
                raise AssertionError(f"{len(addresses)} connections came to the server")


main(lambda: f"http.client of Python {platform.python_version()}", checks)
