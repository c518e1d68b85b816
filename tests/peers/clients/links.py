"""The links of a listing, read by Python's html.parser and followed as urllib.parse joins them, and the addresses in its JSON: every
file whose name may be asked for is found, with its octets, and nothing else."""

import html.parser
import http.client
import json
import os
import platform
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from check import SECONDS, check, main, same, server

# Names that may not be asked for: they are refused, and so they are in no listing.
REFUSED = [b".hidden", b"back\\slash", b"\\"]


def names():
    """Each octet that can stand in a name, alone and between others; and names that look like something else."""
    for octet in range(1, 256):
        one = bytes([octet])
        if one not in b"/\\":
            yield b"x" + one + b"y"
            if one != b".":
                yield one
    yield from [b"%41", b"%", b"%2f", b"a%00", b"&lt;", b"&#60;", b"<i>", b"\"><script>", b"' onclick='a"]
    yield from [b"x:y", b"http:a", b"javascript:1"]
    yield from [b"a b", b" a ", b"a?b=c", b"#a", b"~", b"x..", b"\xc3\xbc", b"\xff\xfe", b"\xe2\x80\xae", b"a" * 255]


def make(folder):
    """The tree on disk; its files by their path."""
    files = {}
    for inner in [b"", b"a folder/", b"b?c#d%2541/\xff/"]:
        os.makedirs(folder + inner, exist_ok=True)
        for name in dict.fromkeys([*names(), *REFUSED]):
            with open(folder + inner + name, "xb") as file:
                file.write(b"this is " + inner + name)
            if name not in REFUSED:
                files[inner + name] = b"this is " + inner + name
    return files


class Links(html.parser.HTMLParser):
    """The addresses of all elements `a`, as they are written."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.found.append(dict(attributes)["href"])


class Walk:
    """Follows every link from a folder downwards."""

    def __init__(self, accept):
        self.connection = http.client.HTTPConnection(*server("FILES"), timeout=SECONDS)
        self.accept = accept

    def get(self, path):
        self.connection.request("GET", path, headers={"Accept": self.accept, "Accept-Encoding": "identity"})
        answer = self.connection.getresponse()
        content = answer.read()
        same(200, answer.status, path)
        return answer.headers["Content-Type"], content

    def links(self, folder):
        kind, content = self.get(folder)
        same(self.accept, kind.partition(";")[0], folder)
        text = content.decode()
        found = Links(text).found if self.accept == "text/html" else [entry["href"] for entry in json.loads(text)["entries"]]
        for link in found:
            parts = urlsplit(urljoin(folder, link))
            # What leads elsewhere: the folders above, and this one in another order.
            if parts.netloc == "" and parts.path.startswith(folder) and parts.path != folder:
                same(("", ""), (parts.query, parts.fragment), link)
                yield parts.path
            elif self.accept != "text/html":
                raise AssertionError(f"{link!r} leads elsewhere")

    def files(self, folder, top):
        for path in self.links(folder):
            if path.endswith("/"):
                yield from self.files(path, top)
            else:
                yield unquote_to_bytes(path[len(top) :]), self.get(path)[1]


def checks():
    wanted = make(os.fsencode(os.environ["OWN"]) + b"/tree/")

    for accept in ["text/html", "application/json"]:

        @check(f"{len(wanted)} files of odd names behind the links of {accept}")
        def _():
            found = list(Walk(accept).files("/own/tree/", "/own/tree/"))
            same(sorted({*wanted} - {name for name, _ in found}), [], "not found:")
            same(sorted({name for name, _ in found} - {*wanted}), [], "found besides:")
            same(len(wanted), len(found), "each once:")
            same([name for name, content in found if content != wanted[name]], [], "with other octets:")


main(lambda: f"html.parser and urllib.parse of Python {platform.python_version()}", checks)
