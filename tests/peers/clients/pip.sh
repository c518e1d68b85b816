# pip from a simple index: the pages that it asks for end with a slash, which those that it follows may lack; a wheel of which it reads
# no more than the list of what it needs, by ranges; what it has already is asked for and not sent again.
set -euo pipefail
. tests/peers/check.sh

version() {
  need_python python3
  probe "pip is not installed" python3-pip python3 -m pip --version
  probe "pip cannot read a part of a wheel" python3-pip python3 -m pip download --use-feature=fast-deps --help
  python3 -m pip --version
}

# site FOLDER: two wheels, the first of which needs the second, and an index.
site() {
  python3 - "$1" <<'END'
import hashlib, os, random, sys, zipfile

root = sys.argv[1]
os.makedirs(root + "/packages")
os.makedirs(root + "/simple")


def wheel(name, needs, length):
    path = f"{root}/packages/{name}-1.0-py3-none-any.whl"
    info = name + "-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        files = [(name + "/__init__.py", b"answer = 42\n"), (name + "/content", random.randbytes(length))]
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + "".join(f"Requires-Dist: {need}\n" for need in needs)
        files += [(info + "/METADATA", metadata.encode())]
        files += [(info + "/WHEEL", b"Wheel-Version: 1.0\nGenerator: a\nRoot-Is-Purelib: true\nTag: py3-none-any\n")]
        files += [(info + "/RECORD", "".join(f"{name},,\n" for name, _ in files).encode() + f"{info}/RECORD,,\n".encode())]
        for file, content in files:
            archive.writestr(file, content)
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


for name, needs, length in [("doorone", ["doortwo"], 3_000_000), ("doortwo", [], 1000)]:
    sum = wheel(name, needs, length)
    os.makedirs(f"{root}/simple/{name}")
    with open(f"{root}/simple/{name}/index.html", "w") as page:
        file = f"{name}-1.0-py3-none-any.whl"
        page.write(f'<!DOCTYPE html><title>{name}</title><a href="../../packages/{file}#sha256={sum}">{file}</a>')
END
  find "$1" -exec touch -d '1 day ago' {} +
}

# pip ARGUMENT...: without settings of the machine's. Prints its status.
pip() {
  local status=0
  PIP_CONFIG_FILE=/dev/null timeout 120 python3 -m pip --isolated --disable-pip-version-check --no-python-version-warning \
    --no-input --retries 0 --timeout 60 --cache-dir "$SCRATCH/cache" --trusted-host 127.0.0.1 "$@" >"$SCRATCH/output" 2>&1 || status=$?
  echo $status
}

sums() { (cd "$1" && sha256sum ./*.whl); }

# unzip_sum ARCHIVE NAME: the hash of what is in it under this name.
unzip_sum() {
  python3 -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' "$@" | sha256
}

whole() {
  mark
  is "install" 0 "$(pip install --index-url "$FILES/own/pip/simple/" --no-compile --target "$SCRATCH/installed" doorone)"
  is "what is installed" "$(unzip_sum "$OWN/pip/packages/$wheel" doorone/content)" "$(sha256 <"$SCRATCH/installed/doorone/content")"
  is "and what it needs" 84 "$(PYTHONPATH="$SCRATCH/installed" python3 -c 'import doorone, doortwo; print(doorone.answer + doortwo.answer)')"
  is "a wheel is fetched whole" 200 "$(status_of "GET /own/pip/packages/$wheel")"

  mark
  is "download of what is in the cache" 0 "$(pip download --index-url "$FILES/own/pip/simple" -d "$SCRATCH/got" doorone)"
  is "what is in the cache" "$(sums "$OWN/pip/packages")" "$(sums "$SCRATCH/got")"
  is "the page is not sent again" 304 "$(status_of "GET /own/pip/simple/doorone/")"
  is "nor is the wheel" 304 "$(status_of "GET /own/pip/packages/$wheel")"

  # A page without its slash: links are beside it only behind the redirect.
  mark
  rm -rf "$SCRATCH/got" "$SCRATCH/cache"
  is "download from a page without its slash" 0 \
    "$(pip download --no-index --no-deps --find-links "$FILES/own/pip/simple/doorone" -d "$SCRATCH/got" doorone)"
  is "the wheel behind the redirect" "$(sha256 <"$OWN/pip/packages/$wheel")" "$(sha256 <"$SCRATCH/got/$wheel")"
  is "the page and its slash" "308 200" "$(status_of "GET /own/pip/simple/doorone") $(status_of "GET /own/pip/simple/doorone/")"
}

check() {
  local marked wheel=doorone-1.0-py3-none-any.whl
  unset "${!PIP_@}"
  site "$OWN/pip"

  [ "$ROUTE" != direct ] || whole

  mark
  rm -rf "$SCRATCH/got" "$SCRATCH/cache"
  is "download that begins with the end of a wheel" 0 \
    "$(pip download --use-feature=fast-deps --index-url "$FILES/own/pip/simple/" -d "$SCRATCH/got" doorone)"
  is "every wheel" "$(sums "$OWN/pip/packages")" "$(sums "$SCRATCH/got")"
  is "the end of a wheel" yes "$(since_mark | grep "^[^ ]* 206 GET /own/pip/packages/$wheel " >"$SCRATCH/output" && echo yes)"
}

"$1"
