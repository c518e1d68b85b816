# The figure `handlers` of load.sh, which sources this: 200 clients whose handlers block, and a quick
# request beside them. Server and clients share all CPUs: the table says who has used how much of them.

handler_servers=(${HANDLER_SERVERS:-handlers handlers_threads handlers_rouille handlers_axum})
handler_cases=(sleep/1 sleep/5 sleep/20 sleep/50 sleep/200 compute/1 compute/10 alone mix)

handlers() {
  local round server case
  seconds=${ROUND_SECONDS:-3} rounds=${ROUNDS:-1}
  server_cpus=0-$(($(nproc) - 1)) client_cpus=0-$(($(nproc) - 1))
  [ -z "${BASE:-}" ] || handler_servers=(base_handlers "${handler_servers[@]}")
  echo "handlers: 200 clients whose handlers sleep or compute, and a quick request beside them each 5 ms; $rounds rounds of $seconds s"
  build_other_servers
  for ((round = 0; round < rounds; round++)); do
    for server in "${handler_servers[@]}"; do
      start "$server" "$server"
      for case in "${handler_cases[@]}"; do
        handler_case "$server" "$case"
      done
      stop "$server"
    done
  done
  handler_table
}

build_other_servers() {
  [[ "${handler_servers[*]}" == *_rouille* || "${handler_servers[*]}" == *_axum* ]] || return 0
  cargo build --release --quiet --manifest-path benches/peers/Cargo.toml --features others --bin handlers_rouille --bin handlers_axum
}

# handler_case SERVER CASE: `alone` and `mix` are 100 clients that sleep 50 ms, without and with 100 that compute 10 ms.
handler_case() {
  local key=$1 case=$2 loads=() clients=200 number rate line first before after TIMEFORMAT='%U %S'
  case $case in
  alone) loads=(sleep/50) clients=100 ;;
  mix) loads=(sleep/50 compute/10) clients=100 ;;
  *) loads=("$case") ;;
  esac
  most "$key" >/dev/null
  for number in "${!loads[@]}"; do
    { time timeout $((seconds + 30)) wrk -t 1 -c $clients -d "$((seconds + 1))s" --timeout 10s "$(url "$key" "/${loads[$number]}")" \
      >"$scratch/wrk.$number" 2>&1; } 2>"$scratch/times.$number" &
    running[$number]=$!
  done
  sleep 0.5 # the pool has grown
  first=$(most "$key") before="$EPOCHREALTIME $(ticks "$key")"
  { time timeout $((seconds + 30)) "$tools/attack" good --seconds "$seconds" --pause 5 --target /quick "127.0.0.1:${port[$key]}" \
    >"$scratch/good"; } 2>"$scratch/times.good"
  after="$(most "$key") $EPOCHREALTIME $(ticks "$key")"
  line=$(<"$scratch/good")
  set -- $line # good RATE p50 N p99 N losses N of N…
  handler_figure p99 "$(awk -v us="$6" 'BEGIN { print us / 1000 }')"
  handler_figure losses "$8"
  for number in "${!loads[@]}"; do
    wait "${running[$number]}" || :
    rate=$(awk '/^Requests\/sec:/ { rate = $2 } /Non-2xx or 3xx/ { bad = $NF } / requests in / { all = $1 }
      END { printf "%.0f", all ? rate * (1 - bad / all) : 0 }' "$scratch/wrk.$number")
    handler_figure "rate$number" "$rate"
    line+="; ${loads[$number]} $rate/s$(awk '/Non-2xx|Socket errors/ { $1 = $1; printf ", %s", $0 }' "$scratch/wrk.$number")"
  done
  handler_cpus $before $after
  handler_figure first "${first% *}"
  echo "  $key $case: $line"
  finish_handlers "$key"
}

# finish_handlers KEY: waits until the server has done with requests whose clients have ended.
finish_handlers() {
  local try before
  for ((try = 0; try < 100; try++)); do
    before=$(ticks "$1")
    sleep 0.2
    [ "$(ticks "$1")" != "$before" ] || return 0
  done
}

# most KEY: how many handlers have computed at once, and their milliseconds of processor time, since this was asked last.
most() { curl -s --noproxy '*' --max-time 10 "$(url "$1" /most)" || echo - 0; }

# handler_cpus TIME TICKS MOST MILLISECONDS TIME TICKS: the CPUs that handlers have computed on between two times, that the rest of
# the server and the load have used, and that are left: idle, or used by other programs of the machine.
handler_cpus() {
  local figure value
  while read -r figure value; do
    handler_figure "$figure" "$value"
  done < <(cat "$scratch/times.good" $(printf "$scratch/times.%s " "${!loads[@]}") |
    awk -v from="$1" -v before="$2" -v most="$3" -v computed="$4" -v to="$5" -v after="$6" \
      -v seconds="$seconds" -v cpus="$(nproc)" -v hertz="$(getconf CLK_TCK)" '
      { load += ($1 + $2) / (NR == 1 ? seconds : seconds + 1) }
      END {
        computed /= 1000 * (to - from)
        rest = (after - before) / hertz / (to - from) - computed
        printf "most %s\ncomputed %.2f\nrest %.2f\nload %.2f\nleft %.2f\n", most, computed, rest, load, cpus - computed - rest - load
      }')
}

# handler_figure FIGURE VALUE of this server and case.
handler_figure() { echo "$key-$case $1 $2" >>"$scratch/attacks.rows"; }

handler_table() {
  local show='%-18s %-12s %10s %9s %9s %6s %6s %12s %8s %8s  %s\n' server case key verdict
  echo "CPUs that handlers compute on, that the rest of the server and the load use, and that are left; how many computed at once in the"
  echo "first half second, and afterwards"
  printf "$show" server handler requests/s computing "server" load left "quick p99 ms" losses "at once" verdict
  for case in "${handler_cases[@]}"; do
    for server in "${handler_servers[@]}"; do
      key=$server-$case verdict=''
      if [ "$server" = handlers ]; then
        verdict=$(handler_verdict)
        [[ $verdict == MISSED* ]] && failures=$((failures + 1))
      fi
      printf "$show" "$server" "$case" "$(figure "$key" rate0)$([ "$case" != mix ] || echo "+$(figure "$key" rate1)")" "$(figure "$key" computed)" \
        "$(figure "$key" rest)" "$(figure "$key" load)" "$(figure "$key" left)" "$(figure "$key" p99)" "$(figure "$key" losses)" \
        "$(figure "$key" first), $(figure "$key" most)" "$verdict"
    done
  done
}

handler_verdict() {
  local missed=() bounds=() cpus
  cpus=$(nproc)
  # within WHAT FIGURE COMPARISON BOUND
  within() {
    bounds+=("$1 $3 $4")
    awk -v figure="$2" -v bound="$4" 'BEGIN { exit !(figure != "-" && figure + 0 '"$3"' bound + 0) }' || missed+=("$1")
  }
  # The load shares the CPUs, and so does the work for handlers that sleep: as much as it takes without the others.
  local enough others=0
  [ "$case" != mix ] || others=$(figure handlers-alone rest)
  enough=$(awk -v cpus="$cpus" -v load="$(figure "$key" load)" -v others="$others" 'BEGIN { printf "%.2f", 0.95 * (cpus - load - others) }')
  case $case in
  sleep/5) within rate "$(figure "$key" rate0)" '>=' 20000 ;;
  sleep/50) within rate "$(figure "$key" rate0)" '>=' 3700 ;;
  # As many as a thread for each gives.
  sleep/200) within rate "$(figure "$key" rate0)" '>=' "$(awk -v rate="$(figure handlers_threads-sleep/200 rate0)" 'BEGIN { printf "%.0f", 0.95 * rate }')" ;;
  compute/*) within CPUs "$(figure "$key" computed)" '>=' "$enough" ;;
  mix)
    within sleepers "$(figure "$key" rate0)" '>=' "$(awk -v rate="$(figure handlers-alone rate0)" 'BEGIN { printf "%.0f", 0.9 * rate }')"
    within CPUs "$(figure "$key" computed)" '>=' "$enough"
    within first "$(figure "$key" first)" '<=' $((cpus + 1))
    within computing "$(figure "$key" most)" '<=' $((cpus + 1))
    ;;
  esac
  case $case in
  sleep/* | alone) within p99 "$(figure "$key" p99)" '<=' 5 ;;
  esac
  within losses "$(figure "$key" losses)" '<=' 0
  [ ${#missed[@]} = 0 ] && echo "ok: ${bounds[*]}" || echo "MISSED ${missed[*]}: ${bounds[*]}"
}
