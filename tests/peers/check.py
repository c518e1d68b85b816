"""What the clients in Python share: the addresses and files that run.sh names, and the lines that it counts."""

import hashlib
import importlib
import os
import random
import sys
import traceback
import zlib
from urllib.parse import quote, urlsplit

SECONDS = 60  # what one answer may take


class Entry:
    """A file of the site: its name, path in a URL, size and sums."""

    def __init__(self, line):
        size, self.sha256, self.crc32, self.name = line.rstrip("\n").split(" ", 3)
        self.size = int(size)
        self.path = "/" + quote(self.name)

    def read(self):
        with open(os.path.join(os.environ["SITE"], self.name), "rb") as file:
            return file.read()

    def pieces(self, seed=1, most=100_000):
        """Its octets in pieces of odd lengths."""
        return pieces(self.read(), random.Random(seed), most)


def pieces(octets, chance, most):
    start = 0
    while start < len(octets):
        length = chance.randint(1, most)
        yield octets[start : start + length]
        start += length


def manifest():
    with open(os.environ["MANIFEST"], encoding="utf-8") as lines:
        return [Entry(line) for line in lines]


def server(name):
    """Host and port of FILES, ECHO or CHECKSUM."""
    parts = urlsplit(os.environ[name])
    return parts.hostname, parts.port


def sha256(octets):
    return hashlib.sha256(octets).hexdigest()


def same(wanted, got, what=""):
    if wanted != got:
        raise AssertionError(f"{what} wanted {wanted!r:.200} and got {got!r:.200}".strip())


def check(what):
    """Runs the function that stands below it, at once."""

    def run(function):
        name = os.environ["NAME"]
        try:
            function()
        except Exception as error:  # whatever it is, it is a failure, and the next check has its turn
            if not isinstance(error, AssertionError):
                traceback.print_exc()
            text = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAILED {name}: {what}: {text}", flush=True)
        else:
            print(f"ok {name}: {what}", flush=True)
        return function

    return run


class LongContent:
    """Octets without end that are cheap to make and the same nowhere: a counter and a seed before each block."""

    def __init__(self, length, seed, block=65521):
        self.length, self.seed, self.block = length, seed, block
        self.crc = 0

    def __iter__(self):
        tail = random.Random(self.seed).randbytes(self.block - 16)
        left, number = self.length, 0
        while left > 0:
            octets = (number.to_bytes(8, "big") + self.seed.to_bytes(8, "big") + tail)[:left]
            self.crc = zlib.crc32(octets, self.crc)
            left -= len(octets)
            number += 1
            yield octets

    def wanted(self):
        """What CHECKSUM says of all that was taken, without the address."""
        return f"{self.length} {self.crc:08x}"


def upload_bytes():
    return int(os.environ["UPLOAD_BYTES"])


def need(module, package):
    """Imports it, or ends as run.sh wants it of a client that is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        print(f"{module} is not installed (Debian package {package})")
        sys.exit(77)


def main(version, checks):
    """`version` returns a line; `checks` is a function whose checks run as they are defined."""
    if sys.argv[1:] == ["version"]:
        print(version())
    else:
        checks()
