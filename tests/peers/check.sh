# What run.sh and the clients written in shell share. Sourced from the root of the repository, under `set -euo pipefail`.

export LC_ALL=C

missing=77 # the status of a client's `version` when something is not installed

# need COMMAND PACKAGE: ends with that status, and with the Debian package that it is in, when there is no such command.
need() {
  [ -n "$(type -P "$1")" ] || { echo "$1 is not installed (Debian package $2)" && exit $missing; }
}

# probe WHAT PACKAGE COMMAND...: ends in the same way when the command fails. The command tries a
# module, a protocol or an option that the client needs. It asks nothing of doorstep: a fault of
# doorstep must never skip a check.
probe() {
  "${@:3}" >/dev/null 2>&1 </dev/null || { echo "$1 (Debian package $2)" && exit $missing; }
}

# Nothing listens there: a client that says so speaks HTTP.
nowhere=http://127.0.0.1:1/

# ends_with STATUS COMMAND...
ends_with() {
  local status=0
  timeout 60 "${@:2}" || status=$?
  [ $status = "$1" ]
}

need_curl() {
  need curl curl
  probe "curl speaks no HTTP" curl ends_with 7 curl -sS --noproxy '*' $nowhere
}

# is_python COMMAND: it is 3.9 or later with the whole standard library, unlike python3-minimal.
is_python() {
  "$1" -c 'import email.policy, html.parser, http.server, json, random, zipfile, zlib; random.randbytes(1)'
}

# need_python COMMAND
need_python() {
  need "$1" python3
  probe "$1 is older than 3.9 or lacks modules of its own" python3 is_python "$1"
}

# is_named NAME WHAT WANTED GOT: one line, whatever is in them.
is_named() {
  if [ "$3" = "$4" ]; then
    echo "ok $1: $2"
  else
    echo "FAILED $1: $2: wanted '${3//$'\n'/ }' and got '${4//$'\n'/ }'"
  fi
}

# is WHAT WANTED GOT: one check of a client.
is() { is_named "$NAME" "$@"; }

sha256() { sha256sum | cut -d ' ' -f 1; }

# The CRC-32 of standard input, from the last eight octets of what gzip makes of it.
crc32() { gzip -1 | tail -c 8 | od -An -N 4 -t x4 --endian=little | tr -d ' '; }

# parts SIZE: of how many octets what is there of a file of this size may be: one for a long file, for there is only so much time.
parts() {
  if [ "$1" -gt 2000000 ]; then
    echo $(($1 / 3))
  elif [ "$1" -gt 1 ]; then
    printf '%s\n' 1 $(($1 / 3)) $(($1 - 1)) | sort -nu | grep -vx 0
  fi
}

# What FILES says of a request comes after its answer: `mark` before the request, and then `status_of 'METHOD /TARGET'`, the status of
# the last such request since.
mark() { marked=$(stat -c %s "$LOG"); }

since_mark() { tail -c "+$((marked + 1))" "$LOG"; }

status_of() {
  local try line=''
  for ((try = 0; try < 200; try++)); do
    line=$(since_mark | grep -F " $1 " | tail -n 1) && break
    sleep 0.05
  done
  cut -d ' ' -f 2 <<<"$line"
}
