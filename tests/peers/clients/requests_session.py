"""Python's requests: a Session that keeps its connection, uploads from a generator, streaming reads."""

import os
import platform

from check import LongContent, SECONDS, check, main, manifest, need, same, sha256, upload_bytes

requests = need("requests", "python3-requests")
FILES, ECHO, CHECKSUM = (os.environ.get(name, "") for name in ("FILES", "ECHO", "CHECKSUM"))


def session():
    one = requests.Session()
    one.trust_env = False  # no proxy from the environment
    one.headers["Accept-Encoding"] = "identity"
    return one


def connections(one):
    """How many it has made."""
    pools = one.get_adapter("http://").poolmanager.pools
    return sum(pools[key].num_connections for key in pools.keys())


def checks():
    files = manifest()

    @check("GET and HEAD of every file, three times, over one connection")
    def _():
        one = session()
        for _ in range(3):
            for file in files:
                answer = one.get(FILES + file.path, timeout=SECONDS)
                same((200, file.sha256), (answer.status_code, sha256(answer.content)), file.name)
                answer = one.head(FILES + file.path, timeout=SECONDS)
                same((200, str(file.size), b""), (answer.status_code, answer.headers["Content-Length"], answer.content), file.name)
        same(1, connections(one))

    @check("an answer read as it comes, in pieces of 777 octets")
    def _():
        file = next(file for file in files if file.size == 1048576)
        with session().get(FILES + file.path, stream=True, timeout=SECONDS) as answer:
            same(file.sha256, sha256(b"".join(answer.iter_content(777))))

    @check("content by length and from a generator comes back, over one connection")
    def _():
        one = session()
        for file in files:
            if file.size > 1048576:
                continue
            for body in (file.read(), file.pieces()):
                answer = one.post(ECHO + "/", data=body, timeout=SECONDS)
                same((200, file.sha256), (answer.status_code, sha256(answer.content)), file.name)
        same(1, connections(one))

    @check("404 and 405 keep the connection")
    def _():
        one = session()
        same(404, one.get(FILES + "/no/such/file", timeout=SECONDS).status_code)
        same(405, one.post(FILES + "/1.bin", data=b"not wanted", timeout=SECONDS).status_code)
        same(200, one.get(FILES + "/1.bin", timeout=SECONDS).status_code)
        same(1, connections(one))

    @check("413 can be read after all of the content was sent")
    def _():
        same(413, session().post(ECHO + "/", data=bytes(3_000_000), timeout=SECONDS).status_code)

    if os.environ["ROUTE"] == "direct":

        @check(f"an upload of {upload_bytes()} octets from a generator")
        def _():
            content = LongContent(upload_bytes(), seed=3)
            answer = session().put(CHECKSUM + "/long", data=iter(content), timeout=SECONDS)
            same(content.wanted(), answer.text.rsplit(" ", 1)[0])


main(lambda: f"requests {requests.__version__} with Python {platform.python_version()}", checks)
