"""The media types of doorstep beside the lists of mime-db (npm) and of Debian's package media-types, which hold the registered ones.

An extension is agreed on when both lists know it by one type, whatever its case. Each of these is known here, but for at most 5% that
lists/media_types.txt leaves out with a reason, and has their type, but for those that it names with another reason. Its sections are
lines `EXTENSION... : reason` below `left out` and `differs`; a line that is needless is a failure too.
"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

import check

MIME_DB = "mime-db@1.54.0"
DEBIAN = "/etc/mime.types"
LIST = "tests/peers/lists/media_types.txt"
UNKNOWN = "application/octet-stream"
LEFT_OUT_MOST = 0.05
MISSING = 77


def missing(why):
    print(why)
    sys.exit(MISSING)


def fetch(folder):
    """mime-db from the registry: {extension: types}."""
    command = ["npm", "pack", "--silent", "--pack-destination", folder, MIME_DB]
    name = subprocess.run(command, check=True, capture_output=True, text=True, timeout=check.SECONDS).stdout.split()[-1]
    with tarfile.open(os.path.join(folder, name)) as archive:
        types = json.load(archive.extractfile("package/db.json"))
    found = {}
    for name, entry in types.items():
        for extension in entry.get("extensions", []):
            found.setdefault(extension, set()).add(name.lower())
    return found


def debian():
    found = {}
    with open(DEBIAN, encoding="utf-8") as lines:
        for line in lines:
            name, *extensions = line.split("#")[0].split() or [""]
            for extension in extensions:
                found.setdefault(extension.lower(), set()).add(name.lower())
    return found


def reasons():
    sections, current = {}, None
    with open(LIST, encoding="utf-8") as lines:
        for line in map(str.strip, lines):
            if line and " : " not in line:
                current = sections.setdefault(line, {})
            elif line:
                extensions, reason = line.split(" : ", 1)
                current.update((extension, reason) for extension in extensions.split())
    return sections["left out"], sections["differs"]


def ours(extensions):
    """The type without its parameters that doorstep sends for an empty file with each extension."""
    found = {}
    connection = http.client.HTTPConnection(*check.server("FILES"), timeout=check.SECONDS)
    for extension in extensions:
        name = f"x.{extension}"
        with open(os.path.join(os.environ["OWN"], name), "wb"):
            pass
        connection.request("GET", f"/own/{name}")
        answer = connection.getresponse()
        answer.read()
        check.same(200, answer.status, name)
        found[extension] = answer.getheader("Content-Type").split(";")[0].lower()
    return found


def version():
    if not shutil.which("npm"):
        missing("npm is not installed (Debian package npm)")
    if not os.path.exists(DEBIAN):
        missing(f"{DEBIAN} is not there (Debian package media-types)")
    with tempfile.TemporaryDirectory() as folder:
        try:
            fetch(folder)
        except (OSError, subprocess.SubprocessError):
            missing(f"the registry of npm does not give {MIME_DB}")
    print(f"{MIME_DB}, {DEBIAN} with {len(debian())} extensions")


def run():
    theirs, registered = fetch(os.environ["SCRATCH"]), debian()
    agreed = {extension: theirs[extension] & registered.get(extension, set()) for extension in sorted(theirs)}
    agreed = {extension: types for extension, types in agreed.items() if types}
    left_out, differs = reasons()
    found = ours(agreed)

    @check.check(f"{len(agreed)} extensions that both lists agree on are known")
    def _():
        unknown = {extension for extension, types in agreed.items() if found[extension] == UNKNOWN and UNKNOWN not in types}
        unknown -= set(differs)
        check.same([], sorted(unknown - set(left_out)), "left out without a reason:")
        check.same([], sorted(set(left_out) - unknown), "needless lines `left out`:")
        share = len(left_out) / len(agreed)
        check.same(True, share <= LEFT_OUT_MOST, f"{share:.1%} are left out:")

    @check.check("they have the same types, but for those with a reason")
    def _():
        other = {extension for extension, types in agreed.items() if found[extension] not in types} - set(left_out)
        for extension in sorted(other & set(differs)):
            wanted = " or ".join(sorted(agreed[extension]))
            print(f"note .{extension}: {found[extension]}, not {wanted}: {differs[extension]}")
        check.same([], sorted(other - set(differs)), "another type without a reason:")
        check.same([], sorted(set(differs) - other), "needless lines `differs`:")


if __name__ == "__main__":
    version() if sys.argv[1] == "version" else run()
