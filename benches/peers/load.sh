#!/usr/bin/env bash
# What doorstep does under load that is not ordinary: idle, slow, blocking, and with several threads.
#   benches/peers/load.sh                   every figure
#   benches/peers/load.sh --figure NAME     one of idle beside blocking threads handlers attacks; `beside` takes about 5 minutes
# ROUNDS (5) and ROUND_SECONDS (5) in the environment make it longer; doorstep gives a head 10 s, so that only longer rounds of
# `beside` see slow heads given up and opened again. Prints medians over the rounds:
#   idle      resident memory per keep-alive connection with 10,000 of them, and the time of a fresh request beside them
#   beside    throughput (1 KiB, 64 connections) beside 2,000 slow clients of one kind, to that without them, in alternating rounds
#   blocking  latency and throughput (1 KiB, 64 connections) with a handler that blocks 50 ms on 5 % of requests
#   threads   throughput (1 KiB, 64 connections) with --threads 1, 2 and 8, on one CPU, and on all together with wrk
#   handlers  200 clients whose handlers sleep or compute, beside other servers (see handlers.sh); 2 minutes, only when named
#   attacks   good clients beside clients that take more than their share (see attacks.sh); 8 minutes, only when named
# Those two take 1 round of 3 s by default, and have bounds: a row outside is MISSED, and makes the exit status 1. With BASE=FOLDER
# in the environment, a checkout of another commit, they measure that one beside this. ATTACK_ROWS and HANDLER_SERVERS pick some.
# A figure that cannot be had is a line that begins with FAILED and says why, and makes the exit status 1.
set -euo pipefail
cd "$(dirname "$0")/../.."
rounds=${ROUNDS:-5} seconds=${ROUND_SECONDS:-5}
. benches/peers/servers.sh
. benches/peers/attacks.sh
. benches/peers/handlers.sh

figures=(idle beside blocking threads)
case $#:${1:-} in
0:) ;;
2:--figure)
  figures+=(handlers attacks)
  [[ " ${figures[*]} " == *" $2 "* ]] || fail "unknown figure '$2': there are ${figures[*]}"
  figures=("$2")
  ;;
*) fail "usage: $0 [--figure NAME]" ;;
esac

failures=0
failed() {
  echo "FAILED $*"
  failures=$((failures + 1))
}

# number ROWS KEY COLUMN FORMAT: a median, or a dash when there was no such measurement.
number() {
  if grep -q "^$2 " "$scratch/$1.rows" 2>/dev/null; then
    printf "$4" "$(median "$1" "$2" "$3")"
  else
    echo -
  fi
}

# take ROWS KEY FIGURE SERVER PATH [wrk's arguments]: one measurement over 64 connections, kept.
take() {
  local row
  if row=$(measure "$4" "$5" "$seconds" 64 "${@:6}" 2>"$scratch/why"); then
    keep "$1" "$2" "$row"
  else
    failed "$3: $(cat "$scratch/why")"
  fi
}

idle() {
  local round
  echo "idle: 10,000 keep-alive connections, each after one request; $rounds rounds, each with a new server"
  for ((round = 0; round < rounds; round++)); do
    start idle doorstep
    # Two hundred fresh requests, ten thousand, and two hundred: seconds of work on a quiet machine.
    if timeout 120 taskset -c $client_cpus "$tools/idle" --path /page.html "127.0.0.1:${port[idle]}" "${serving[idle]}" \
      >"$scratch/idle" 2>"$scratch/why"; then
      sed 's/^/  /' "$scratch/idle"
      # The last number of the line on memory; the first two of a line on fresh requests; how many were still open.
      awk '/octets per connection/ { octets = $(NF - 3) }
        /^fresh request alone/ { alone = $5; alone99 = $8 }
        /^fresh request beside/ { beside = $6; beside99 = $9 }
        /^still open/ { open = $6 }
        END { print "idle", octets, alone, alone99, beside, beside99, open }' "$scratch/idle" >>"$scratch/idle.rows"
    else
      failed "$(cat "$scratch/why")"
    fi
    stop idle
  done
  local row='%-28s %12s %12s %12s %12s %12s %12s\n'
  printf "$row" medians "octets each" "alone us" "alone p99" "beside us" "beside p99" "still open"
  printf "$row" "10,000 keep-alive" "$(number idle idle octets %.0f)" "$(number idle idle alone %.0f)" \
    "$(number idle idle alone99 %.0f)" "$(number idle idle beside %.0f)" "$(number idle idle beside99 %.0f)" \
    "$(number idle idle open %.0f)"
}
column+=([octets]=1 [alone]=2 [alone99]=3 [beside]=4 [beside99]=5 [open]=6)

# beside_kind KIND SERVER PATH [the server's arguments]: rounds of wrk without and with 2,000 slow clients of this kind.
beside_kind() {
  local kind=$1 server=$2 path=$3 round drip line
  shift 3
  start "$kind" "$server" "$@"
  measure "$kind" /page.html 1 64 >/dev/null || failed "beside $kind: the first second, alone"
  for ((round = 0; round < rounds; round++)); do
    take beside "$kind-alone" "beside $kind, without them" "$kind" /page.html
    # They go on for two seconds after wrk has ended.
    exec 4< <(exec timeout $((seconds + 60)) taskset -c $client_cpus "$tools/drip" --clients 2000 --seconds $((seconds + 2)) \
      --path "$path" "$kind" "127.0.0.1:${port[$kind]}" 2>"$scratch/drip.why")
    drip=$!
    if read -r -t 60 line <&4 && [[ $line == ready* ]]; then
      take beside "$kind" "beside $kind" "$kind" /page.html
      read -r -t 60 line <&4 || line="nothing"
      echo "  $kind: $line"
      # "open on average N of M, opened again K, …"
      awk -v kind="$kind" '/^open on average/ { gsub(",", ""); print kind, $4, $9 }' <<<"$line" >>"$scratch/drip.rows"
    fi
    exec 4<&-
    wait $drip || failed "beside $kind: the slow clients: $(cat "$scratch/drip.why")"
  done
  stop "$kind"
}
column+=([held]=1 [again]=2)

beside() {
  local kind
  echo "beside: 2,000 slow clients of one kind on the CPU of wrk; $rounds rounds of $seconds s without and with them"
  beside_kind heads doorstep /page.html
  beside_kind bodies block_server / --every 0
  beside_kind pulled block_server / --every 0
  beside_kind readers doorstep /10m.bin
  local row='%-28s %12s %12s %12s %12s %12s %12s %12s %12s %12s\n'
  printf "$row" medians "alone /s" "beside /s" kept "alone p99 ms" "beside p99" "us/req alone" "us/req" "held open" "peak MiB"
  for kind in heads bodies pulled readers; do
    printf "$row" "2,000 $kind" "$(number beside $kind-alone rate %.0f)" "$(number beside $kind rate %.0f)" "$(kept $kind)" \
      "$(number beside $kind-alone p99 %.2f)" "$(number beside $kind p99 %.2f)" \
      "$(number beside $kind-alone cost %.2f)" "$(number beside $kind cost %.2f)" \
      "$(number drip $kind held %.0f)" "$(number beside $kind peak %.1f)"
  done
}

kept() {
  local alone with
  alone=$(number beside "$1-alone" rate %.0f) with=$(number beside "$1" rate %.0f)
  if [ "$alone" = - ] || [ "$with" = - ]; then
    echo -
  else
    ratio "$with" "$alone"
  fi
}

print_latency() {
  local row='%-28s %12s %12s %12s %12s %12s %12s\n' label
  printf "$row" medians requests/s us/request "p50 ms" "p90 ms" "p99 ms" "server %"
  for label in "${@:2}"; do
    printf "$row" "${label//_/ }" "$(number "$1" "$label" rate %.0f)" "$(number "$1" "$label" cost %.2f)" \
      "$(number "$1" "$label" p50 %.2f)" "$(number "$1" "$label" p90 %.2f)" "$(number "$1" "$label" p99 %.2f)" \
      "$(number "$1" "$label" server %.0f)"
  done
}

blocking() {
  local round
  echo "blocking: a handler in memory that sleeps 50 ms on every 20th request, beside one that never does; $rounds rounds of $seconds s"
  start never block_server --every 0
  start every_20th block_server --every 20
  for ((round = 0; round < rounds; round++)); do
    take blocking never "blocking: never" never /page.html
    take blocking every_20th "blocking: every 20th" every_20th /page.html
  done
  stop never
  stop every_20th
  print_latency blocking never every_20th
}

threads() {
  local counts=(1 2 8) placements=(one_CPU all_CPUs) placement round number count
  echo "threads: doorstep --threads N on a CPU of its own, and on all CPUs together with wrk; $rounds rounds of $seconds s"
  for placement in "${placements[@]}"; do
    if [ $placement = all_CPUs ]; then
      server_cpus=0-$(($(nproc) - 1)) client_cpus=0-$(($(nproc) - 1))
    fi
    for count in "${counts[@]}"; do
      start "$count" doorstep --threads "$count"
      measure "$count" /page.html 1 64 >/dev/null || failed "threads: the first second of $count"
    done
    for ((round = 0; round < rounds; round++)); do
      for ((number = 0; number < ${#counts[@]}; number++)); do
        count=${counts[(round + number) % ${#counts[@]}]}
        take threads "--threads_${count}_$placement" "threads: $count, $placement" "$count" /page.html
      done
    done
    for count in "${counts[@]}"; do
      stop "$count"
    done
  done
  server_cpus=0 client_cpus=1
  print_latency threads --threads_{1,2,8}_one_CPU --threads_{1,2,8}_all_CPUs
}

need wrk curl taskset
build_doorstep
build_tools
[ -z "${BASE:-}" ] || build_base
print_versions doorstep
make_site
for figure in "${figures[@]}"; do
  echo
  "$figure"
done
[ $failures = 0 ] || fail "$failures failed or missed"
