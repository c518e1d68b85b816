# What serve.sh and load.sh share: the servers and their settings, starting and ending them, one measurement, medians. Sourced
# from the root of the repository, under `set -euo pipefail`, by a script that has set `rounds` and `seconds`.
#
# Every server listens on 127.0.0.1, has one process or thread that serves, bound to the CPUs in `server_cpus`, writes no access
# log, and keeps its own defaults otherwise, save for limits that the connections of a scenario would meet. Whoever adds a
# setting to one of them gives the others what they have of the same kind.

export LC_ALL=C
server_cpus=0 client_cpus=1
open_files=16384
scratch='' # set by make_site
declare -A guard first serving port # by a server's key
declare -A package=([wrk]=wrk [nginx]=nginx-light [lighttpd]=lighttpd [h2o]=h2o [curl]=curl [taskset]=util-linux [cmp]=diffutils)

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# need COMMAND...: stops with the packages of those that are missing.
need() {
  local name missing=()
  for name in "$@"; do
    [ -n "$(type -P "$name")" ] || missing+=("${package[$name]}")
  done
  [ ${#missing[@]} = 0 ] || fail "missing packages; as root: apt-get install --no-install-recommends ${missing[*]}"
  [ "$(nproc)" -ge 2 ] || fail "needs two CPUs, one for the server and one for its clients"
  ulimit -n $open_files 2>/dev/null || fail "needs $open_files open files, and the limit is $(ulimit -Hn)"
}

finish() {
  local key
  for key in "${!guard[@]}"; do
    stop "$key"
  done
  [ -z "$scratch" ] || rm -rf "$scratch"
}

# A folder with the files that are served: page.html of 1 KiB, 100k.bin, 10m.bin.
make_site() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/doorstep-peers.XXXXXX")
  trap finish EXIT
  mkdir "$scratch/site"
  chmod 755 "$scratch" "$scratch/site" # workers of nginx and h2o that root started are another user
  head -c 1024 /dev/zero | tr '\0' 'x' >"$scratch/site/page.html"
  head -c 102400 /dev/urandom >"$scratch/site/100k.bin"
  head -c 10485760 /dev/urandom >"$scratch/site/10m.bin"
}

build_doorstep() {
  cargo build --release --quiet
  doorstep=${CARGO_TARGET_DIR:-target}/release/doorstep
}

# The programs of this folder.
build_tools() {
  cargo build --release --quiet --manifest-path benches/peers/Cargo.toml
  tools=${CARGO_TARGET_DIR:-benches/peers/target}/release
}

# The program and the server of handlers that block, of the checkout in BASE.
build_base() {
  local folder=$BASE/target/peers
  (cd "$BASE" && CARGO_TARGET_DIR=target cargo build --release --quiet --bin doorstep)
  base_doorstep=$BASE/target/release/doorstep
  mkdir -p "$folder"
  sed "s|path = \"../..\"|path = \"$BASE\"|" benches/peers/Cargo.toml >"$folder/Cargo.toml"
  cp benches/peers/Cargo.lock "$folder"
  ln -sfn "$PWD/benches/peers/src" "$PWD/benches/peers/benches" "$folder"
  CARGO_TARGET_DIR=$folder/target cargo build --release --quiet --manifest-path "$folder/Cargo.toml" --bin handlers
  base_tools=$folder/target/release
}

# print_versions SERVER...: of these, of wrk, and of the machine.
print_versions() {
  local server version
  for server in "$@" wrk; do
    case $server in
    doorstep) version=$("$doorstep" -V) ;;
    wrk) version=$(wrk -v 2>&1) || : ;; # its status is 1 even when it says its version
    *) version=$("$server" -v 2>&1) ;;
    esac
    version=${version%%$'\n'*}
    echo "${version%% Copyright*}"
  done
  echo "Linux $(uname -r), $(nproc) CPUs, $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $(rustc --version)"
}

nginx_conf() {
  cat <<CONF
daemon off;
worker_processes 1;
worker_rlimit_nofile $open_files;
pid $scratch/nginx.pid;
error_log $scratch/nginx.log;
events { worker_connections 8192; }
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

# 65535 is the most that its requests per connection can be set to.
lighttpd_conf() {
  cat <<CONF
server.bind = "127.0.0.1"
server.port = $1
server.document-root = "$scratch/site"
server.errorlog = "$scratch/lighttpd.log"
server.upload-dirs = ( "$scratch" )
server.network-backend = "sendfile"
server.listen-backlog = 4096
server.max-fds = $open_files
server.max-connections = 8192
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 75
mimetype.assign = ( ".html" => "text/html", ".bin" => "application/octet-stream" )
CONF
}

h2o_conf() {
  cat <<CONF
num-threads: 1
max-connections: 8192
http1-request-timeout: 75
listen:
  host: 127.0.0.1
  port: $1
hosts:
  default:
    paths:
      /:
        file.dir: $scratch/site
CONF
}

# command_of KIND PORT ARGUMENT...: puts it into `command`; block_server and handlers are of this folder. `quiet` may be empty for
# a doorstep that writes its log, and `log` the descriptor that it writes to.
command_of() {
  local kind=$1 port=$2
  shift 2
  case $kind in
  doorstep) command=("$doorstep" ${quiet--q} -p "$port" "$@" "$scratch/site") ;;
  block_server | handlers | handlers_*) command=("$tools/$kind" --port "$port" "$@") ;;
  base_doorstep) command=("$base_doorstep" ${quiet--q} -p "$port" "$@" "$scratch/site") ;;
  base_handlers) command=("$base_tools/handlers" --port "$port" "$@") ;;
  nginx) command=(nginx -c "$scratch/nginx.conf" -e "$scratch/nginx.log") ;;
  lighttpd) command=(lighttpd -D -f "$scratch/lighttpd.conf") ;;
  h2o) command=(h2o -c "$scratch/h2o.conf") ;;
  esac
  if [ "$(type -t "${kind}_conf")" = function ]; then
    "${kind}_conf" "$port" >"$scratch/$kind.conf"
  fi
  [ -z "${open_limit:-}" ] || command=(prlimit "--nofile=$open_limit" "${command[@]}")
}

# start KEY KIND ARGUMENT...: starts a server on a free port, bounded in time by timeout(1), and waits until it answers.
start() {
  local key=$1 kind=$2 try wait command taken
  shift 2
  taken=" ${port[*]} " # another server would answer in its place
  for try in 1 2 3 4 5; do
    port[$key]=$((20000 + RANDOM % 10000))
    while [[ $taken == *" ${port[$key]} "* ]]; do
      port[$key]=$((20000 + RANDOM % 10000))
    done
    command_of "$kind" "${port[$key]}" "$@"
    timeout -k 5 ${lifetime:-$((rounds * (seconds + 5) * 12 + 300))} taskset -c $server_cpus "${command[@]}" >"$scratch/$key.out" 2>&"${log:-1}" &
    guard[$key]=$!
    for ((wait = 0; wait < 200; wait++)); do
      if ! kill -0 "${guard[$key]}" 2>/dev/null; then # the port was taken
        unset "guard[$key]"
        continue 2
      fi
      if curl -s --noproxy '*' --max-time 2 -o "$scratch/got" "$(url "$key" /page.html)"; then
        find_serving "$key"
        return
      fi
      sleep 0.05
    done
  done
  fail "$key did not start: $(cat "$scratch/$key.out")"
}

# stop KEY: asks the server itself, because timeout(1) passes a signal on twice, and the second one may mean "at once".
stop() {
  local guarding=${guard[$1]} status=0
  unset "guard[$1]"
  kill -TERM "${first[$1]:-$guarding}" 2>/dev/null || echo "${0##*/}: $1 had ended before it was asked to" >&2
  unset "first[$1]"
  wait "$guarding" || status=$?
  [ $status = 0 ] || [[ $status:$1 == 143:handlers_* ]] || echo "${0##*/}: $1 ended with status $status" >&2
}

url() { echo "http://127.0.0.1:${port[$1]}$2"; }

# Finds the server's first process and those that serve: its children that run the same program (nginx has a worker, h2o a helper
# of another kind), or itself when it has none.
find_serving() {
  local child program
  first[$1]=$(first_child "${guard[$1]}")
  program=$(readlink "/proc/${first[$1]}/exe")
  serving[$1]=''
  for child in $(children_of "${first[$1]}"); do
    if [ "$(readlink "/proc/$child/exe")" = "$program" ]; then
      serving[$1]+="$child "
    fi
  done
  serving[$1]=${serving[$1]:-${first[$1]}}
}

children_of() { cat "/proc/$1/task/$1/children"; }

first_child() {
  local children
  children=$(children_of "$1")
  [ -n "$children" ] || fail "process $1 has no child"
  echo "${children%% *}"
}

# same_file KEY FILE [curl's arguments]: what the server answers is this file of the site, octet for octet.
same_file() {
  local key=$1 file=$2
  shift 2
  curl -sS -f --noproxy '*' --max-time 10 "$@" -o "$scratch/got" "$(url "$key" "/$file")" || fail "$key does not serve $file"
  cmp "$scratch/got" "$scratch/site/$file" || fail "$key serves another $file"
}

# same_page_pipelined KEY: sixteen requests in one write bring sixteen answers, each with the page.
same_page_pipelined() {
  local request=$'GET /page.html HTTP/1.1\r\nHost: localhost\r\n' requests='' number heads pages
  for ((number = 1; number < 16; number++)); do
    requests+=$request$'\r\n'
  done
  requests+=$request$'Connection: close\r\n\r\n'
  exec 3<>"/dev/tcp/127.0.0.1/${port[$1]}"
  printf %s "$requests" >&3
  timeout 10 cat <&3 >"$scratch/got" || fail "$1 does not end a connection with sixteen requests"
  exec 3>&-
  heads=$(grep -ao 'HTTP/1.1 200 OK' "$scratch/got" | wc -l)
  pages=$(grep -ao 'x\{1024\}' "$scratch/got" | wc -l)
  [ "$heads $pages" = "16 16" ] || fail "$1 answers sixteen requests in one write with $heads heads and $pages pages"
}

# Clock ticks that the server's processes have spent, in themselves and for them in the kernel.
ticks() {
  local process stat sum=0
  for process in ${serving[$1]}; do
    stat=$(<"/proc/$process/stat")
    stat=${stat##*) } # the name may hold spaces; what follows starts with field 3
    set -- $stat
    sum=$((sum + ${12} + ${13}))
  done
  echo $sum
}

# memory KEY FIELD: VmRSS, RssAnon or VmHWM of the server's processes, in MiB.
memory() {
  local process
  for process in ${serving[$1]}; do
    cat "/proc/$process/status"
  done | awk -v field="$2:" '$1 == field { sum += $2 } END { printf "%.1f", sum / 1024 }'
}

# measure KEY PATH SECONDS CONNECTIONS [wrk's arguments]: one run of wrk, as one line of figures, in this order:
declare -A column=([requests]=1 [rate]=2 [cost]=3 [p50]=4 [p90]=5 [p99]=6 [server]=7 [client]=8 [resident]=9 [peak]=10)
# requests; requests/s; microseconds of processor time per request; the 50th, 90th and 99th percentile of latency in ms; the
# processor time of server and client in percent of one CPU; VmRSS and VmHWM in MiB. Where the answers are so long that those
# which the end of the run cuts would matter, `counted_by` is the length of one, and what was read counts, not what was finished.
# Returns 1 when an answer was not 2xx or did not come, 2 when none was finished.
measure() {
  local key=$1 address before after report times TIMEFORMAT='%U %S'
  address=$(url "$key" "$2")
  before=$(ticks "$key")
  if ! { time timeout $(($3 + 30)) taskset -c $client_cpus wrk -t 1 -c "$4" -d "$3s" --latency --timeout 10s "${@:5}" "$address" \
    >"$scratch/report" 2>&1; } 2>"$scratch/times"; then
    echo "$key: wrk failed: $(cat "$scratch/report")" >&2
    return 1
  fi
  after=$(ticks "$key")
  if grep -E 'Non-2xx|Socket errors' "$scratch/report" >"$scratch/errors"; then
    echo "$key: not every request was answered: $(cat "$scratch/errors")" >&2
    return 1
  fi
  awk -v ticks=$((after - before)) -v hertz="$(getconf CLK_TCK)" -v counted_by="${counted_by:-0}" -v times="$(tail -n 1 "$scratch/times")" \
    -v resident="$(memory "$key" VmRSS)" -v peak="$(memory "$key" VmHWM)" '
    function milliseconds(text) {
      if (text ~ /us$/) return text / 1000
      if (text ~ /ms$/) return text + 0
      if (text ~ /s$/) return text * 1000
      return text * 60000
    }
    function octets(text) {
      return text * 1024 ^ index("KMGT", substr(text, length(text) - 1, 1))
    }
    $1 ~ /^[0-9]+%$/ && NF == 2 { latency[$1] = milliseconds($2) }
    / requests in / { requests = $1; read = octets($5) }
    /^Requests\/sec:/ { rate = $2 }
    END {
      if (!requests || !("99%" in latency)) exit 1
      split(times, spent, " ")
      wall = requests / rate
      if (counted_by > 0) {
        requests = read / counted_by
        rate = requests / wall
      }
      printf "%d %.0f %.3f %.3f %.3f %.3f %.0f %.0f %s %s\n", requests, rate, ticks / hertz * 1e6 / requests,
        latency["50%"], latency["90%"], latency["99%"], 100 * ticks / hertz / wall, 100 * (spent[1] + spent[2]) / wall,
        resident, peak
    }' "$scratch/report" && return
  echo "$key: wrk counted no request" >&2
  return 2
}

# keep ROWS KEY FIGURES: one more line of figures for the medians.
keep() { echo "$2 $3" >>"$scratch/$1.rows"; }

# median ROWS KEY COLUMN: over all that was kept.
median() {
  awk -v key="$2" -v column="$((column[$3] + 1))" '$1 == key { print $column }' "$scratch/$1.rows" | sort -g |
    awk '{ value[NR] = $1 } END { printf "%.3f", (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

# ratio OF TO
ratio() { awk -v of="$1" -v to="$2" 'BEGIN { if (to > 0) printf "%.2f", of / to; else printf "-" }'; }
