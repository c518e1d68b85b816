"""Python's http.client: one kept connection for everything that does not end it, content in chunks, answers read in pieces."""

import http.client
import os
import platform

from check import LongContent, SECONDS, check, main, manifest, same, server, sha256, upload_bytes


def connect(name):
    connection = http.client.HTTPConnection(*server(name), timeout=SECONDS)
    connection.connect()
    return connection


def ask(connection, method, path, body=None, headers=(), chunked=False):
    """Status and content; the connection must be the one that it was."""
    before = connection.sock
    connection.request(method, path, body=body, headers=dict(headers), encode_chunked=chunked)
    answer = connection.getresponse()
    content = answer.read()
    if connection.sock is not before:
        raise AssertionError(f"the connection ended with {method} {path}")
    return answer, content


CHUNKED = {"Transfer-Encoding": "chunked"}.items()


def checks():
    files = manifest()

    @check("GET and HEAD of every file, three times, over one connection")
    def _():
        connection = connect("FILES")
        for _ in range(3):
            for file in files:
                answer, content = ask(connection, "GET", file.path)
                same((200, file.sha256), (answer.status, sha256(content)), file.name)
                answer, content = ask(connection, "HEAD", file.path)
                same((200, str(file.size), b""), (answer.status, answer.headers["Content-Length"], content), file.name)

    @check("an answer read in pieces of 1 to 9,000 octets")
    def _():
        connection = connect("FILES")
        file = next(file for file in files if file.size == 1048576)
        connection.request("GET", file.path)
        answer, got, length = connection.getresponse(), b"", 1
        while piece := answer.read(length):
            got += piece
            length = length * 7 % 9001
        same(file.sha256, sha256(got))

    @check("content by length and in chunks comes back, over one connection")
    def _():
        connection = connect("ECHO")
        for file in files:
            if file.size > 1048576:
                continue
            _, content = ask(connection, "POST", "/by/length", file.read())
            same(file.sha256, sha256(content), file.name)
            _, content = ask(connection, "POST", "/in/chunks", file.pieces(), CHUNKED, chunked=True)
            same(file.sha256, sha256(content), file.name)

    @check("uploads in chunks of 1 to 300 octets, over one connection")
    def _():
        connection = connect("CHECKSUM")
        addresses = set()
        for file in files:
            if file.size > 1048576:
                continue
            _, content = ask(connection, "PUT", file.path, file.pieces(most=300), CHUNKED, chunked=True)
            length, crc, address = content.decode().split()
            same((str(file.size), file.crc32), (length, crc), file.name)
            addresses.add(address)
        if os.environ["ROUTE"] == "direct":
            same({"%s:%s" % connection.sock.getsockname()}, addresses)

    @check("404, 405 and OPTIONS keep the connection")
    def _():
        connection = connect("FILES")
        file = next(file for file in files if file.size == 1023)
        for method, path, body, wanted in [
            ("GET", "/no/such/file", None, 404),
            ("POST", file.path, b"not wanted", 405),
            ("OPTIONS", file.path, None, 200),
            ("GET", file.path, b"content of a GET", 200),
        ]:
            answer, content = ask(connection, method, path, body)
            same(wanted, answer.status, f"{method} {path}")
            if (method, wanted) == ("GET", 200):
                same(file.sha256, sha256(content))

    @check("413 can be read after all of the content was sent")
    def _():
        connection = connect("ECHO")
        connection.request("POST", "/", body=bytes(3_000_000))
        answer = connection.getresponse()
        same(413, answer.status)
        same(int(answer.headers["Content-Length"]), len(answer.read()))

    if os.environ["ROUTE"] == "direct":

        @check(f"an upload of {upload_bytes()} octets in chunks")
        def _():
            content = LongContent(upload_bytes(), seed=2)
            _, answer = ask(connect("CHECKSUM"), "PUT", "/long", content, CHUNKED, chunked=True)
            same(content.wanted(), answer.decode().rsplit(" ", 1)[0])


main(lambda: f"http.client of Python {platform.python_version()}", checks)
