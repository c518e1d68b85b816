#!/usr/bin/env bash
# Processor time per request and requests per second for one file of 1 KiB, over 64 connections that stay open: doorstep beside
# nginx (one worker, sendfile, open_file_cache, no access log), in alternating rounds. CPU 0 is the server's, CPU 1 is wrk's.
#   benches/peers/serve.sh                  both servers
#   benches/peers/serve.sh --server NAME    only doorstep, or only nginx
# ROUNDS (5) and ROUND_SECONDS (5) in the environment make it longer. Processor time is what /proc says of the process that
# serves, divided by the requests that wrk counted.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.."
rounds=${ROUNDS:-5} seconds=${ROUND_SECONDS:-5}
connections=64

fail() {
  echo "serve.sh: $*" >&2
  exit 1
}

servers=(doorstep nginx)
if [ $# -gt 0 ]; then
  [ $# = 2 ] && [ "$1" = --server ] || fail "usage: $0 [--server doorstep|nginx]"
  [[ " ${servers[*]} " == *" $2 "* ]] || fail "unknown server '$2': there are ${servers[*]}"
  servers=("$2")
fi
missing=()
for pair in wrk=wrk nginx=nginx-light taskset=util-linux curl=curl cmp=diffutils; do
  command -v "${pair%=*}" >/dev/null || missing+=("${pair#*=}")
done
[ ${#missing[@]} = 0 ] || fail "missing packages; as root: apt-get install --no-install-recommends ${missing[*]}"
[ "$(nproc)" -ge 2 ] || fail "needs two CPUs, one for the server and one for wrk"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/doorstep-serve.XXXXXX")
declare -A guard serving url
finish() {
  for name in "${!guard[@]}"; do
    if kill -TERM "${guard[$name]}" 2>/dev/null; then
      wait "${guard[$name]}" || echo "serve.sh: $name ended with status $?" >&2
    fi
  done
  rm -rf "$scratch"
}
trap finish EXIT

mkdir "$scratch/site"
chmod 755 "$scratch" "$scratch/site" # nginx's worker is another user
head -c 1024 /dev/zero | tr '\0' 'x' >"$scratch/site/page.html"

# nginx_conf PORT
nginx_conf() {
  cat <<CONF
daemon off;
worker_processes 1;
pid $scratch/nginx.pid;
error_log $scratch/nginx.log;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  access_log off;
  sendfile on;
  open_file_cache max=1000;
  open_file_cache_valid 60s;
  keepalive_requests 1000000000;
  client_body_temp_path $scratch/body;
  proxy_temp_path $scratch/proxy;
  fastcgi_temp_path $scratch/fastcgi;
  uwsgi_temp_path $scratch/uwsgi;
  scgi_temp_path $scratch/scgi;
  server { listen 127.0.0.1:$1 backlog=4096; root $scratch/site; }
}
CONF
}

first_child() {
  local children
  children=$(<"/proc/$1/task/$1/children")
  [ -n "$children" ] || fail "process $1 has no child"
  echo "${children%% *}"
}

# Starts a server on a free port, bounded in time by timeout(1), and waits until it answers with the file.
start() {
  local name=$1 port try wait command
  for try in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 10000))
    url[$name]=http://127.0.0.1:$port/page.html
    if [ "$name" = nginx ]; then
      nginx_conf $port >"$scratch/nginx.conf"
      command=(nginx -c "$scratch/nginx.conf" -e "$scratch/nginx.log")
    else
      command=(target/release/doorstep -q -p $port "$scratch/site")
    fi
    timeout -k 5 $((rounds * seconds * 4 + 60)) taskset -c 0 "${command[@]}" 2>"$scratch/$name.stderr" &
    guard[$name]=$!
    for ((wait = 0; wait < 100; wait++)); do
      kill -0 "${guard[$name]}" 2>/dev/null || continue 2 # the port was taken
      if curl -s --noproxy '*' --max-time 2 -o "$scratch/got" "${url[$name]}"; then
        cmp "$scratch/got" "$scratch/site/page.html"
        serving[$name]=$(first_child "${guard[$name]}")
        [ "$name" != nginx ] || serving[$name]=$(first_child "${serving[$name]}")
        return
      fi
      sleep 0.05
    done
  done
  fail "$name did not start: $(cat "$scratch/$name.stderr")"
}

# Clock ticks that a process has spent, in itself and for it in the kernel.
ticks() {
  local stat
  stat=$(<"/proc/$1/stat")
  stat=${stat##*) } # the name may hold spaces; what follows starts with field 3
  set -- $stat
  echo $((${12} + ${13}))
}

# measure NAME SECONDS: "requests requests/s microseconds/request"
measure() {
  local name=$1 before after report
  before=$(ticks "${serving[$name]}")
  report=$(timeout $(($2 + 30)) taskset -c 1 wrk -t 1 -c $connections -d "$2s" "${url[$name]}")
  after=$(ticks "${serving[$name]}")
  if grep -E 'Non-2xx|Socket errors' <<<"$report" >&2; then
    fail "$name did not answer every request"
  fi
  awk -v ticks=$((after - before)) -v hertz="$(getconf CLK_TCK)" '
    / requests in / { requests = $1 }
    /^Requests\/sec:/ { rate = $2 }
    END { if (!requests) exit 1; printf "%d %.0f %.3f\n", requests, rate, ticks / hertz * 1e6 / requests }' <<<"$report"
}

# median NAME COLUMN
median() {
  awk -v name="$1" -v column="$2" '$2 == name { print $column }' "$scratch/rows" | sort -g |
    awk '{ value[NR] = $1 } END { printf "%.3f", (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

if [[ " ${servers[*]} " == *" doorstep "* ]]; then
  cargo build --release --quiet
  target/release/doorstep -V
fi
nginx -v 2>&1
if version=$(wrk -v 2>&1); then :; fi # its status is 1 even when it says its version
echo "${version%% Copyright*}"
echo "Linux $(uname -r), $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $(rustc --version)"
echo "$rounds rounds of $seconds s, $connections connections, 1024 octets"

for name in "${servers[@]}"; do
  start "$name"
  measure "$name" 1 >/dev/null # warms caches and branch predictors
done
printf '%5s  %-8s %10s %12s %12s\n' round server requests requests/s us/request
for ((round = 1; round <= rounds; round++)); do
  order=("${servers[@]}")
  if [ ${#order[@]} = 2 ] && [ $((round % 2)) = 0 ]; then
    order=("${order[1]}" "${order[0]}")
  fi
  for name in "${order[@]}"; do
    row=$(measure "$name" "$seconds")
    echo "$round $name $row" >>"$scratch/rows"
    printf '%5s  %-8s %10s %12s %12s\n' "$round" "$name" $row
  done
done
echo
for name in "${servers[@]}"; do
  printf 'median %-8s %12.0f requests/s %8.3f us of processor time per request\n' \
    "$name" "$(median "$name" 4)" "$(median "$name" 5)"
done
if [ ${#servers[@]} = 2 ]; then
  awk -v rate="$(median doorstep 4) $(median nginx 4)" -v cost="$(median doorstep 5) $(median nginx 5)" 'BEGIN {
    split(rate, r, " "); split(cost, c, " ")
    printf "doorstep to nginx: %.2f of the requests per second, %.2f of the processor time per request\n", r[1] / r[2], c[1] / c[2] }'
fi
