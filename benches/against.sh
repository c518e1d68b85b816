#!/usr/bin/env bash
# What this checkout costs beside a commit: each figure old, new, and new divided by old.
#   benches/against.sh [COMMIT] [--figure NAME]    76dfc58, and every figure but `tests`
# Exits 1 when a bound is broken. Takes 5 minutes on a quiet machine. The figures:
#   instructions   per request, of the thread that serves, by callgrind          at most 1.01
#   calls          system calls per request, of the same thread, by strace       not more
#   memory         of an idle connection, and the size of the stripped program   not more
#   time           processor time of the server, median of nine ratios           at most 1.02
#   tests          wall time of `cargo test`, built before, least of two runs    at most 1.10
# The requests are for 1 KiB of a cached file (keep-alive, 16 pipelined, `Connection: close`), and
# for "hello" through the library. Instructions and calls are the difference of a run of 3,072
# requests and one of 1,024, divided; each request is sent when all threads of the server sleep.
# The least of three runs counts, because noise only adds: the cache looks at a file again every
# 100 ms, whatever the number of requests. `time` starts both servers anew in each of its nine
# rounds, in which they take turns of about 5 ms; a round's ratio is the median of its turns.
# Needs valgrind, strace, taskset, strip, two CPUs and 8,192 open files, and no root. Builds below
# target/against, which is kept (UPDATE_OLD=1 builds the commit anew). Servers listen on 127.0.0.1
# and are bounded in time.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
export LC_ALL=C CARGO_TERM_COLOR=never
commit=76dfc58
figures=(instructions calls memory time)
work=$PWD/target/against
scratch='' guard='' server='' port='' path='' broken=0

fail() {
  echo "against: $*" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
  --figure)
    [[ " instructions calls memory time tests " == *" ${2:-} "* ]] || fail "--figure takes instructions, calls, memory, time or tests"
    figures=("$2")
    shift 2
    ;;
  -*) fail "usage: $0 [COMMIT] [--figure NAME]" ;;
  *)
    commit=$1
    shift
    ;;
  esac
done

finish() {
  [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || :
  [ -z "$guard" ] || kill -KILL "$guard" 2>/dev/null || :
  [ -z "$scratch" ] || rm -rf "$scratch"
}

need() {
  local name missing=()
  for name in "$@"; do
    [ -n "$(type -P "$name")" ] || missing+=("$name")
  done
  [ ${#missing[@]} = 0 ] || fail "missing: ${missing[*]} (Debian: valgrind strace util-linux binutils git cargo)"
}

# --- Building: `old` is the commit's tree in a folder of its own, `new` is this checkout as it
# stands.

hello='use doorstep::Server;
fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).expect("an address");
    Server::bind(address.as_str())?.workers(1).serve(|_| "hello")
}'

build() {
  local which id
  id=$(git rev-parse --verify --quiet "$commit^{commit}") || fail "no commit $commit"
  declare -gA tree=([old]=$work/tree-${id:0:12} [new]=$PWD)
  [ -z "${UPDATE_OLD:-}" ] || rm -rf "${tree[old]}"
  if [ ! -d "${tree[old]}" ]; then
    mkdir -p "${tree[old]}.part"
    git archive "$id" | tar -x -C "${tree[old]}.part"
    mv "${tree[old]}.part" "${tree[old]}"
  fi
  for which in old new; do
    (cd "${tree[$which]}" && CARGO_TARGET_DIR=$work/$which cargo build --release --quiet --bin doorstep) || fail "$which does not build"
    mkdir -p "$work/hello-$which/src"
    printf '%s\n' "$hello" >"$work/hello-$which/src/main.rs"
    cat >"$work/hello-$which/Cargo.toml" <<TOML
[package]
name = "hello"
version = "0.0.0"
edition = "2024"
[workspace]
[dependencies]
doorstep = { path = "${tree[$which]}" }
[profile.release]
lto = "fat"
codegen-units = 1
TOML
    (cd "$work/hello-$which" && CARGO_TARGET_DIR=$work/$which cargo build --release --quiet) || fail "hello does not build against $which"
  done
  CARGO_TARGET_DIR=$work/tools cargo build --release --quiet --manifest-path benches/peers/Cargo.toml --bin fetch --bin idle
  fetch=$work/tools/release/fetch idle=$work/tools/release/idle
  echo "old: $commit"
  echo "new: $(git describe --always --dirty --abbrev=7)"
  echo "$(rustc --version), Linux $(uname -r), $(nproc) CPUs"
  printf "$row" figure old new ratio bound ''
}

row='%-38s %13s %13s %8s %6s  %s\n'
# compare FIGURE OLD NEW BOUND DIGITS: one row; says and remembers when the ratio is above the
# bound.
compare() {
  local verdict=ok
  if awk -v old="$2" -v new="$3" -v bound="$4" 'BEGIN { exit !(new > old * bound) }'; then
    verdict=BROKEN
    broken=$((broken + 1))
  fi
  show "$1" "$2" "$3" "$4" "$5" "$verdict"
}

# not_more FIGURE OLD NEW TOLERANCE DIGITS: the same where the bound is what was, within what two
# runs of one program differ by.
not_more() {
  local verdict=ok
  if awk -v old="$2" -v new="$3" -v more="$4" 'BEGIN { exit !(new > old + more) }'; then
    verdict=BROKEN
    broken=$((broken + 1))
  fi
  show "$1" "$2" "$3" 1 "$5" "$verdict"
}

show() {
  local ratio
  ratio=$(awk -v old="$2" -v new="$3" 'BEGIN { if (old > 0) printf "%.4f", new / old; else printf "-" }')
  printf "$row" "$1" "$(printf "%.$5f" "$2")" "$(printf "%.$5f" "$3")" "$ratio" "$4" "$6"
}

# --- Servers.

# arguments_of KIND WHICH: sets `command`, for the current port.
arguments_of() {
  case $1 in
  files) command=("$work/$2/release/doorstep" -q --threads 1 -p "$port" "$scratch/site") path=/page.html ;;
  hello) command=("$work/$2/release/hello" "127.0.0.1:$port") path=/ ;;
  esac
}

# start KIND WHICH [WRAPPER...]: a server on a free port, below timeout(1) and the wrapper. Sets
# `guard` and `server`, their process ids: of timeout, and of the server, which is the last in the
# line of children.
start() {
  local kind=$1 which=$2 try wait command child
  shift 2
  for try in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 10000))
    arguments_of "$kind" "$which"
    timeout -k 5 300 "$@" "${command[@]}" >"$scratch/server.log" 2>&1 &
    guard=$!
    for ((wait = 0; wait < 400; wait++)); do
      kill -0 "$guard" 2>/dev/null || continue 2 # the port was taken
      if "$fetch" --requests 20 --path "$path" keep-alive "127.0.0.1:$port" 2>/dev/null; then
        server=$guard
        while child=$(cat "/proc/$server/task/$server/children") && [ -n "$child" ]; do
          server=${child%% *}
        done
        return
      fi
      sleep 0.05
    done
    kill -KILL "$guard"
  done
  fail "$kind of $which does not start: $(cat "$scratch/server.log")"
}

# The server alone gets the signal: timeout(1) would send it twice, and the second one means "at
# once".
stop() {
  kill -TERM "$server"
  wait "$guard" || :
  guard='' server=''
}

# A folder with one page that is old enough to be cached at once.
make_site() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/against.XXXXXX")
  trap finish EXIT
  mkdir "$scratch/site"
  head -c 1024 /dev/zero | tr '\0' x >"$scratch/site/page.html"
  touch -d 2020-01-01 "$scratch/site/page.html"
}

ways=("files keep-alive" "files pipelined" "files close" "hello keep-alive")
label() { case $1 in files) echo "1 KiB $2" ;; hello) echo "hello through the library" ;; esac }

# least COMMAND...: the least of each number that three runs of the command print.
least() {
  local try
  for try in 1 2 3; do
    "$@" || fail "$* failed"
  done | awk '{ for (i = 1; i <= NF; i++) if (NR == 1 || $i < least[i]) least[i] = $i }
    END { for (i = 1; i <= NF; i++) printf "%s%d", (i > 1 ? " " : ""), least[i] }'
}

# per_request RUN KIND WAY WHICH: what RUN says of 3,072 requests and not of 1,024, by one.
per_request() {
  local few many
  few=$(least "$1" 1024 "${@:2}")
  many=$(least "$1" 3072 "${@:2}")
  awk -v few="$few" -v many="$many" 'BEGIN {
    split(few, less)
    for (i = 1; i <= split(many, more); i++) printf "%s%.3f", (i > 1 ? " " : ""), (more[i] - less[i]) / 2048
  }'
}

# --- The figures.

# instructions_of REQUESTS KIND WAY WHICH: of the thread that serves, the busiest, in a whole run
# with n requests.
instructions_of() {
  local failed=
  rm -f "$scratch"/profile*
  start "$2" "$4" valgrind --tool=callgrind --separate-threads=yes --callgrind-out-file="$scratch/profile" --log-file="$scratch/valgrind"
  "$fetch" --requests "$1" --path "$path" --idle-of "$server" "$3" "127.0.0.1:$port" || failed=1
  stop
  [ -z "$failed" ] || return 1
  sed -n 's/^totals: //p' "$scratch"/profile* | sort -n | tail -n 1 | grep .
}

figure_instructions() {
  local way old new
  for way in "${ways[@]}"; do
    old=$(per_request instructions_of $way old)
    new=$(per_request instructions_of $way new)
    compare "instructions, $(label $way)" "$old" "$new" 1.01 1
  done
}

# calls_of REQUESTS KIND WAY WHICH: of the thread that serves, in a whole run: those that are not
# futex(2), and those that are.
calls_of() {
  local failed=
  start "$2" "$4" strace -f -q -o "$scratch/calls"
  "$fetch" --requests "$1" --path "$path" --idle-of "$server" "$3" "127.0.0.1:$port" || failed=1
  stop
  [ -z "$failed" ] || return 1
  awk '/ resumed>/ { next }
    { calls[$1]++ }
    $2 ~ /^futex\(/ { futexes[$1]++ }
    $2 ~ /^send/ && ++sent[$1] > sent[worker] { worker = $1 }
    END { print calls[worker] - futexes[worker], futexes[worker] + 0 }' "$scratch/calls"
}

figure_calls() {
  local way old new
  for way in "${ways[@]}"; do
    old=$(per_request calls_of $way old)
    new=$(per_request calls_of $way new)
    not_more "calls, $(label $way)" "${old% *}" "${new% *}" 0.05 2
    not_more "futex calls, $(label $way)" "${old#* }" "${new#* }" 0.2 2
  done
}

# idle_of WHICH: bytes of memory per connection.
idle_of() {
  start files "$1"
  "$idle" --connections 4000 --path /page.html "127.0.0.1:$port" "$server" >"$scratch/idle" || : # without a figure, `grep` fails
  stop
  awk '/per connection$/ { print $(NF - 3) }' "$scratch/idle" | grep .
}

figure_memory() {
  local old new which
  old=$(least idle_of old)
  new=$(least idle_of new)
  not_more "bytes of memory per idle connection" "$old" "$new" 16 0
  for which in old new; do
    strip -o "$scratch/stripped-$which" "$work/$which/release/doorstep"
  done
  old=$(stat -c %s "$scratch/stripped-old")
  new=$(stat -c %s "$scratch/stripped-new")
  not_more "bytes of the stripped program" "$old" "$new" 0 0
}

# time_of WAY CONNECTIONS REQUESTS: nine rounds, each with servers of its own, which take 81 turns
# of n requests.
time_of() {
  local round which old new ratio
  local -A servers guards ports
  : >"$scratch/rounds"
  for ((round = 0; round < 9; round++)); do
    for which in old new; do
      start files "$which" taskset -c 0
      servers[$which]=$server guards[$which]=$guard ports[$which]=$port
    done
    taskset -c 1 "$fetch" --turns 81 --requests "$3" --connections "$2" --path /page.html "$1" \
      "127.0.0.1:${ports[old]}" "${servers[old]}" "127.0.0.1:${ports[new]}" "${servers[new]}" >>"$scratch/rounds"
    for which in old new; do
      guard=${guards[$which]} server=${servers[$which]}
      stop
    done
  done
  sort -g -k 3 "$scratch/rounds" >"$scratch/sorted"
  read -r old new ratio < <(sed -n 5p "$scratch/sorted")
  # What is compared is the median of ratios, which is not the ratio of medians.
  compare "us of processor time, 1 KiB $1" "$old" "$(awk -v old="$old" -v ratio="$ratio" 'BEGIN { print old * ratio }')" 1.02 3
  echo "  ratios of the nine rounds: $(awk '{ printf "%s%.3f", (NR > 1 ? " " : ""), $3 }' "$scratch/sorted")"
}

figure_time() {
  time_of keep-alive 64 640
  time_of pipelined 16 3840
  time_of close 1 100
}

figure_tests() {
  local which round started
  local -A best=([old]=999999 [new]=999999)
  for which in old new; do
    (cd "${tree[$which]}" && CARGO_TARGET_DIR=$work/tests-$which cargo test --no-run --quiet) || fail "the tests of $which do not build"
  done
  for which in old new new old; do
    started=$(date +%s%N)
    (cd "${tree[$which]}" && CARGO_TARGET_DIR=$work/tests-$which cargo test --quiet) >"$scratch/tests" 2>&1 ||
      fail "a test of $which failed: $(tail -n 20 "$scratch/tests")"
    started=$((($(date +%s%N) - started) / 1000000))
    [ $started -ge "${best[$which]}" ] || best[$which]=$started
  done
  compare "ms of cargo test" "${best[old]}" "${best[new]}" 1.1 0
}

need valgrind strace taskset strip git cargo
ulimit -n 8192 2>/dev/null || fail "needs 8,192 open files, and the limit is $(ulimit -Hn)"
[ "$(nproc)" -ge 2 ] || fail "needs two CPUs, one for the server and one for its clients"
make_site
build
for figure in "${figures[@]}"; do
  "figure_$figure"
done
[ $broken = 0 ] || {
  echo "$broken bounds are broken"
  exit 1
}
