#!/usr/bin/env bash
# doorstep beside nginx, lighttpd and h2o: the same files under wrk, in alternating rounds, one CPU for the servers and one for wrk.
#   benches/peers/serve.sh                                     every scenario
#   benches/peers/serve.sh --scenario NAME                     one of 1k 100k 10m 4000 close pipelined; about 2 minutes each
#   benches/peers/serve.sh --server NAME [--scenario NAME]     only doorstep, nginx, lighttpd or h2o
# ROUNDS (5) and ROUND_SECONDS (5) in the environment make it longer. For each scenario it prints every round, the medians, and
# what doorstep's are to the others': requests per second; processor time per request, which is what /proc says of the processes
# that serve, divided by the requests that wrk counted; latency as wrk saw it; memory. `server %` and `wrk %` are processor time
# of each in percent of one CPU: where wrk has all of its own and the server has not, the requests per second are wrk's.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${ROUNDS:-5} seconds=${ROUND_SECONDS:-5}
. benches/peers/servers.sh

servers=(doorstep nginx lighttpd h2o)
scenarios=(1k 100k 10m 4000 close pipelined)
while [ $# -gt 0 ]; do
  case $1 in
  --server | --scenario)
    [ $# -ge 2 ] || fail "$1 needs a name"
    unset -n chosen
    declare -n chosen=${1#--}s
    [[ " ${chosen[*]} " == *" $2 "* ]] || fail "unknown ${1#--} '$2': there are ${chosen[*]}"
    chosen=("$2")
    shift 2
    ;;
  *) fail "usage: $0 [--server NAME] [--scenario NAME]" ;;
  esac
done

# Sets what wrk asks for, over how many connections, in which way.
describe() {
  file=page.html connections=64 way=() counted_by=0
  case $1 in
  1k) what="1 KiB" ;;
  100k) what="100 KiB" file=100k.bin ;;
  10m) what="10 MiB" file=10m.bin counted_by=10485760 ;;
  4000) what="1 KiB" connections=4000 ;;
  close) what="1 KiB, Connection: close" way=(-H "Connection: close") ;;
  pipelined) what="1 KiB, 16 requests in each write" way=(-s benches/peers/pipelined.lua) ;;
  esac
}

check() {
  same_file "$2" "$file"
  case $1 in
  close) same_file "$2" "$file" -H "Connection: close" ;;
  pipelined) same_page_pipelined "$2" ;;
  esac
}

show='%-9s %11s %11s %9s %9s %9s %9s %7s %9s %9s\n'
names=(rate cost p50 p90 p99 server client resident peak)
declare -A form=([rate]=%.0f [cost]=%.3f [p50]=%.3f [p90]=%.3f [p99]=%.3f [server]=%.0f [client]=%.0f [resident]=%.1f [peak]=%.1f)
# show_row NAME FIGURES: as `measure` has them, without the count of requests.
show_row() { printf "$show" "$1" "${@:3}"; }

summarise() {
  local scenario=$1 server name figures
  local -A of
  echo "medians"
  for server in "${servers[@]}"; do
    figures=()
    for name in "${names[@]}"; do
      of[$server $name]=$(median "$scenario" "$server" "$name")
      figures+=("$(printf "${form[$name]}" "${of[$server $name]}")")
    done
    printf "$show" "$server" "${figures[@]}"
  done
  [ ${#servers[@]} -gt 1 ] || return 0
  echo "doorstep's divided by those of"
  for server in "${servers[@]:1}"; do
    figures=()
    for name in "${names[@]}"; do
      case $name in
      server | client) figures+=("") ;; # a share of a CPU: more is neither better nor worse
      *) figures+=("$(ratio "${of[doorstep $name]}" "${of[$server $name]}")") ;;
      esac
    done
    printf "$show" "$server" "${figures[@]}"
  done
}

run() {
  local scenario=$1 server round number figures
  describe "$scenario"
  echo
  echo "$scenario: $what, $connections connections, $rounds rounds of $seconds s"
  for server in "${servers[@]}"; do
    start "$server" "$server"
    check "$scenario" "$server"
    # Warms caches and branch predictors; on a busy machine no request may be through within this second.
    measure "$server" "/$file" 1 $connections ${way[@]+"${way[@]}"} >/dev/null || [ $? = 2 ] || fail "$scenario: $server failed"
  done
  printf "$show" server requests/s us/request "p50 ms" "p90 ms" "p99 ms" "server %" "wrk %" "RSS MiB" "peak MiB"
  for ((round = 0; round < rounds; round++)); do
    for ((number = 0; number < ${#servers[@]}; number++)); do
      server=${servers[(round + number) % ${#servers[@]}]}
      figures=$(measure "$server" "/$file" "$seconds" $connections ${way[@]+"${way[@]}"}) || fail "$scenario: $server failed"
      keep "$scenario" "$server" "$figures"
      show_row "$server" $figures
    done
  done
  for server in "${servers[@]}"; do
    stop "$server"
  done
  summarise "$scenario"
}

need wrk curl taskset cmp
for server in "${servers[@]}"; do
  case $server in
  doorstep) build_doorstep ;;
  *) need "$server" ;;
  esac
done
print_versions "${servers[@]}"
make_site
for scenario in "${scenarios[@]}"; do
  run "$scenario"
done
