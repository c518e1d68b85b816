#!/usr/bin/env bash
# Other people's clients against doorstep, directly and through other people's proxies, every body compared by its hash.
#   tests/peers/run.sh                  everything
#   tests/peers/run.sh CLIENT...        only these files of clients/, by name without ending, and restarts.py by `restarts`
# UPLOAD_BYTES (1000000000) in the environment is the length of the long uploads, RESTARTS (50) how often a server is restarted.
#
# It prints the version of each peer, a line for each check, `ok name: what` or `FAILED name: what: why`, a line
# `SKIPPED name: why` for a peer that is not installed or lacks what is asked of it, and a line of counts. It exits with 1 when a check failed.
#
# A client is one file in clients/, a program of any language:
#   FILE version    prints its version, of which the first line is shown; or says what is not installed, or lacks a module, an
#                   option or the like, and ends with status 77.
#   FILE check      runs its checks and prints the lines above, for the name in NAME; a status other than 0 is a failure more.
# It finds in its environment: ROUTE (direct, haproxy or nginx: what stands between it and the servers); FILES, ECHO and CHECKSUM,
# the addresses of the program doorstep and of the two examples, `http://127.0.0.1:PORT`; SITE, the folder that FILES serves;
# MANIFEST, a line `size sha256 crc32 name` for each of its files; OWN, an empty folder in it to fill, which is $FILES/own/; LOG,
# where FILES writes a line for each request; SCRATCH, a folder of its own that nobody serves; UPLOAD_BYTES.
# check.sh, check.py and check.mjs are what clients of a language share.
#
# A proxy is a file of settings in proxies/, in which `start_proxy` below puts ports and paths.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/peers/check.sh
export UPLOAD_BYTES=${UPLOAD_BYTES:-1000000000} RESTARTS=${RESTARTS:-50}
export PYTHONPATH=tests/peers PYTHONDONTWRITEBYTECODE=1 # no __pycache__ in the checkout
export CARGO_TERM_COLOR=never

client_seconds=600 # what one client may take on one route
run_seconds=3600   # what a server may live for
growth_most=4096   # KiB by which uploads may raise the peak of the server's memory

scratch=$(mktemp -d "${TMPDIR:-/tmp}/doorstep peers.XXXXXX") # with a space, for whoever forgets to quote
chmod 755 "$scratch"                                          # workers of an nginx that root started are another user
log="$scratch/log"
declare -A guard url # of a server by its name: the process of timeout(1) that ends it, and its address
client=''

finish() {
  local name
  [ -z "$client" ] || kill -TERM "$client" 2>/dev/null || :
  for name in "${!guard[@]}"; do
    stop "$name"
  done
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

stop() {
  kill -TERM "${guard[$1]}" 2>/dev/null || :
  wait "${guard[$1]}" 2>/dev/null || :
  unset "guard[$1]"
}

say() { echo "$*" | tee -a "$log"; }

# launch NAME COMMAND...: in the background, bounded in time, its process in NAME.pid and what it prints in NAME.out and NAME.err.
launch() {
  local name=$1
  shift
  timeout --foreground -k 5 $run_seconds bash -c 'echo $$ >"$1"; shift; exec "$@"' launch "$scratch/$name.pid" "$@" \
    >"$scratch/$name.out" 2>"$scratch/$name.err" &
  guard[$name]=$!
}

# await NAME COMMAND...: until the command succeeds, for 30 s; not longer than the server lives.
await() {
  local name=$1 try
  shift
  for ((try = 0; try < 600; try++)); do
    if "$@"; then
      return
    fi
    kill -0 "${guard[$name]}" 2>/dev/null || return 1
    sleep 0.05
  done
  return 1
}

# start_server NAME COMMAND...: a server that prints its address, as doorstep and the examples do.
start_server() {
  local name=$1
  launch "$@"
  await "$name" grep -qs 'http://.*/' "$scratch/$name.out" || { cat "$scratch/$name.err" >&2; exit 1; }
  url[$name]=$(grep -o 'http://[0-9.:]*' "$scratch/$name.out")
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# put_settings SETTINGS PORT: with paths, the servers, and this port and the next two.
put_settings() {
  sed -e "s|@SCRATCH@|$scratch|g" \
    -e "s|@FILES@|$2|; s|@ECHO@|$(($2 + 1))|; s|@CHECKSUM@|$(($2 + 2))|" \
    -e "s|@FILES_SERVER@|${url[files]#http://}|; s|@ECHO_SERVER@|${url[echo]#http://}|" \
    -e "s|@CHECKSUM_SERVER@|${url[checksum]#http://}|" "tests/peers/proxies/$1" >"$scratch/$1"
}

# start_proxy NAME SETTINGS COMMAND...: three free ports in front of the three servers; other ports when one of them was taken.
start_proxy() {
  local name=$1 settings=$2 first try server
  shift 2
  for ((try = 0; try < 20; try++)); do
    first=$((20000 + RANDOM % 10000))
    if listens $first || listens $((first + 1)) || listens $((first + 2)); then
      continue
    fi
    put_settings "$settings" $first
    launch "$name" "$@"
    if await "$name" listens $((first + 2)) && listens $first && listens $((first + 1)); then
      url[files via $name]=http://127.0.0.1:$first
      url[echo via $name]=http://127.0.0.1:$((first + 1))
      url[checksum via $name]=http://127.0.0.1:$((first + 2))
      return
    fi
    stop "$name"
  done
  cat "$scratch/$name.err" >&2
  say "FAILED $name: start: it did not listen on any ports"
  return 1
}

# Files of the sizes where something changes: nothing, one octet, a buffer, what is kept in memory, what goes by sendfile(2).
make_site() {
  local size
  mkdir "$scratch/site"
  for size in 0 1 1023 1024 16383 16385 65535 65536 65537 1048576 104857600; do
    head -c $size /dev/urandom >"$scratch/site/$size.bin"
  done
  head -c 3000 /dev/urandom >"$scratch/site/a name with spaces"
  for size in 3 50 500; do
    head -c $size /dev/urandom >"$scratch/site/${#size}" # a short name, for many requests in little room
  done
  touch -d '1 day ago' "$scratch"/site/* # a file that has just been written gets a weak tag
  for size in "$scratch"/site/*; do
    echo "$(stat -c %s "$size") $(sha256 <"$size") $(crc32 <"$size") ${size##*/}"
  done >"$scratch/manifest"
}

# peak NAME: KiB of resident memory that the server has had at most.
peak() { awk '$1 == "VmHWM:" { print $2 }' "/proc/$(<"$scratch/$1.pid")/status"; }

# command_of FILE: what runs it, in `command`, and of which package that is, in `needed`. Python is Debian's, unless another one has
# what the client asks for.
command_of() {
  local python
  case $1 in
  *.sh) needed=(bash bash) command=(bash "$1") ;;
  *.mjs) needed=(node nodejs) command=(node "$1") ;;
  *.py)
    needed=(python3 python3) command=(python3 "$1")
    for python in /usr/bin/python3 python3; do
      if "$python" "$1" version >/dev/null 2>&1; then
        command=("$python" "$1")
        return
      fi
    done
    ;;
  esac
}

# version_of NAME COMMAND...: says the version; otherwise why there is none, and returns 1.
version_of() {
  local name=$1 text status=0
  shift
  text=$("$@" 2>&1) || status=$?
  case $status in
  0) say "version $name: ${text%%$'\n'*}" && return ;;
  "$missing") say "SKIPPED $name: $text" ;;
  *) say "FAILED $name: version: status $status: $text" ;;
  esac
  return 1
}

# proxy_version NAME PACKAGE SETTINGS CHECK...: the check says whether the proxy takes the settings.
proxy_version() {
  local said
  need "$1" "$2"
  put_settings "$3" 20000
  said=$("${@:4}" "$scratch/$3" 2>&1) || { echo "$1 does not take $3: $(grep -E 'ALERT|emerg' <<<"$said")" && exit $missing; }
  "$1" -v
}

client_version() {
  need "${needed[@]}"
  case ${needed[0]} in
  node)
    probe "node has no fetch, streams or AbortSignal.timeout" nodejs \
      node -e '[fetch, ReadableStream, AbortSignal.timeout].map((f) => f.name)'
    ;;
  python3) need_python "${command[0]}" ;;
  esac
  "${command[@]}" version
}

# run_client FILE NAME ROUTE: one client on one route, then the memory of the server that takes uploads.
run_client() {
  local file=$1 name=$2 route=$3 command needed status=0 shown grown via=''
  [ "$route" = direct ] || { via=" via $route" && name+=$via; }
  rm -rf "$scratch/own" "$scratch/site/own"
  mkdir "$scratch/own" "$scratch/site/own"
  command_of "$file"
  exec 4> >(tee -a "$log")
  shown=$!
  NAME=$name ROUTE=$route SITE="$scratch/site" MANIFEST="$scratch/manifest" OWN="$scratch/site/own" LOG="$scratch/files.err" \
    SCRATCH="$scratch/own" FILES=${url[files$via]} ECHO=${url[echo$via]} CHECKSUM=${url[checksum$via]} \
    timeout -k 5 $client_seconds "${command[@]}" check >&4 2>&1 &
  client=$!
  exec 4>&-
  wait $client || status=$?
  client=''
  wait $shown # so that its last line stands before ours
  [ $status = 0 ] || say "FAILED $name: run: it ended with status $status"
  grep -q "^[a-zA-Z]* $name: " "$log" || say "FAILED $name: run: it checked nothing"
  if ! grown=$(($(peak checksum) - peak_at_start)); then
    say "FAILED $name: memory: the server that takes uploads has ended"
  elif [ $grown -le $growth_most ]; then
    say "ok $name: the peak of the server's memory is $grown KiB above that at its start"
  else
    say "FAILED $name: memory: the peak is $grown KiB above that at the server's start, and $growth_most KiB are allowed"
  fi
}

# Restarts behind HAProxy, beside nginx.
check_restarts() {
  local said
  if ! said=$(need haproxy haproxy && need nginx nginx-light && need_python python3); then
    say "SKIPPED restarts: $said"
    return
  fi
  mkdir "$scratch/restarts"
  timeout -k 60 $client_seconds python3 tests/peers/restarts.py "$built/doorstep" "$scratch/restarts" 2>&1 | tee -a "$log" ||
    say "FAILED restarts: run: it did not end well"
}

# What the servers have to say for themselves at the end.
check_servers() {
  local name status
  for name in files echo checksum; do
    status=0
    if ! kill -0 "${guard[$name]}" 2>/dev/null; then
      wait "${guard[$name]}" || status=$?
      say "FAILED $name: alive at the end: it ended with status $status: $(tail -n 3 "$scratch/$name.err")"
    elif grep -q panicked "$scratch/$name.err"; then
      say "FAILED $name: no panic: $(grep -m 1 -A 1 panicked "$scratch/$name.err" | tr '\n' ' ')"
    else
      say "ok $name: alive at the end, without a panic"
    fi
  done
  kill -TERM "$(<"$scratch/files.pid")" 2>/dev/null || :
  status=0
  wait "${guard[files]}" || status=$?
  unset "guard[files]"
  is_named files "status after SIGTERM" 0 $status | tee -a "$log"
}

# The dev-dependencies, of which nothing is in the programs, without optimising them.
cargo build --release --quiet --config 'profile.release.package."*".opt-level=0' --bin doorstep --example echo --example checksum
built=${CARGO_TARGET_DIR:-target}/release
say "version doorstep: $("$built/doorstep" -V)"
make_site
start_server files "$built/doorstep" -p 0 "$scratch/site"
start_server echo "$built/examples/echo" 0
start_server checksum "$built/examples/checksum" 0
peak_at_start=$(peak checksum)

routes=(direct)
if version_of haproxy proxy_version haproxy haproxy haproxy.cfg haproxy -c -f &&
  start_proxy haproxy haproxy.cfg haproxy -db -f "$scratch/haproxy.cfg"; then
  routes+=(haproxy)
fi
if version_of nginx proxy_version nginx nginx-light nginx.conf nginx -t -e "$scratch/nginx.log" -c &&
  start_proxy nginx nginx.conf nginx -c "$scratch/nginx.conf" -e "$scratch/nginx.log"; then
  routes+=(nginx)
fi

asked=("$@")
for file in tests/peers/clients/*; do
  name=${file##*/}
  name=${name%.*}
  if [ ${#asked[@]} -gt 0 ] && [[ " ${asked[*]} " != *" $name "* ]]; then
    continue
  fi
  command_of "$file"
  version_of "$name" client_version || continue
  for route in "${routes[@]}"; do
    run_client "$file" "$name" "$route"
  done
done
if [ ${#asked[@]} = 0 ] || [[ " ${asked[*]} " == *" restarts "* ]]; then
  check_restarts
fi
check_servers

echo
count() { grep -c "^$1 " "$log" || :; }
failed=$(count FAILED)
grep '^SKIPPED ' "$log" || :
grep '^FAILED ' "$log" || :
echo "$(count ok) ok, $failed failed, $(count SKIPPED) skipped, $SECONDS s"
[ "$failed" = 0 ]
