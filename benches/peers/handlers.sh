# The figure `handlers` of load.sh, which sources this: 200 clients whose handlers block, and a quick
# request beside them. Server and clients share all CPUs.

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
  cargo build --release --quiet --manifest-path benches/peers/Cargo.toml --features others --bin handlers_rouille --bin handlers_axum
}

# handler_case SERVER CASE: `alone` and `mix` are 100 clients that sleep 50 ms, without and with 100 that compute 10 ms.
handler_case() {
  local key=$1 case=$2 loads=() clients=200 number path rate line
  case $case in
  alone) loads=(sleep/50) clients=100 ;;
  mix) loads=(sleep/50 compute/10) clients=100 ;;
  *) loads=("$case") ;;
  esac
  curl -s --noproxy '*' --max-time 10 -o /dev/null "$(url "$key" /most)" || :
  for number in "${!loads[@]}"; do
    timeout $((seconds + 30)) wrk -t 1 -c $clients -d "$((seconds + 1))s" --timeout 10s "$(url "$key" "/${loads[$number]}")" \
      >"$scratch/wrk.$number" 2>&1 &
    running[$number]=$!
  done
  sleep 0.5 # the pool has grown
  line=$(timeout $((seconds + 30)) "$tools/attack" good --seconds "$seconds" --pause 5 --target /quick "127.0.0.1:${port[$key]}")
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
  handler_figure most "$(curl -s --noproxy '*' --max-time 10 "$(url "$key" /most)" || echo -)"
  echo "  $key $case: $line"
}

# handler_figure FIGURE VALUE of this server and case.
handler_figure() { echo "$key-$case $1 $2" >>"$scratch/attacks.rows"; }

handler_table() {
  local show='%-18s %-12s %10s %12s %12s %8s %10s  %s\n' server case key verdict
  echo
  printf "$show" server handler requests/s "CPUs used" "quick p99 ms" losses "computing" verdict
  for case in "${handler_cases[@]}"; do
    for server in "${handler_servers[@]}"; do
      key=$server-$case verdict=''
      if [ "$server" = handlers ]; then
        verdict=$(handler_verdict)
        [[ $verdict == MISSED* ]] && failures=$((failures + 1))
      fi
      printf "$show" "$server" "$case" "$(figure "$key" rate0)$([ "$case" != mix ] || echo "+$(figure "$key" rate1)")" "$(computed)" \
        "$(figure "$key" p99)" "$(figure "$key" losses)" "$(figure "$key" most)" "$verdict"
    done
  done
}

# computed: the processors that handlers which compute have kept busy.
computed() {
  case $case in
  compute/*) awk -v rate="$(figure "$key" rate0)" -v each="${case#*/}" 'BEGIN { printf "%.2f", rate * each / 1000 }' ;;
  mix) awk -v rate="$(figure "$key" rate1)" 'BEGIN { printf "%.2f", rate * 10 / 1000 }' ;;
  *) echo - ;;
  esac
}

handler_verdict() {
  local missed=() bounds=() cpus
  cpus=$(nproc)
  # within WHAT FIGURE COMPARISON BOUND
  within() {
    bounds+=("$1 $3 $4")
    awk -v figure="$2" -v bound="$4" 'BEGIN { exit !(figure != "-" && figure + 0 '"$3"' bound + 0) }' || missed+=("$1")
  }
  local enough
  enough=$(awk -v cpus="$cpus" 'BEGIN { print 0.95 * cpus }')
  case $case in
  sleep/5) within rate "$(figure "$key" rate0)" '>=' 20000 ;;
  sleep/50) within rate "$(figure "$key" rate0)" '>=' 3700 ;;
  # As many as a thread for each gives.
  sleep/200) within rate "$(figure "$key" rate0)" '>=' "$(awk -v rate="$(figure handlers_threads-sleep/200 rate0)" 'BEGIN { printf "%.0f", 0.95 * rate }')" ;;
  compute/*) within CPUs "$(computed)" '>=' "$enough" ;;
  mix)
    within sleepers "$(figure "$key" rate0)" '>=' "$(awk -v rate="$(figure handlers-alone rate0)" 'BEGIN { printf "%.0f", 0.9 * rate }')"
    within CPUs "$(computed)" '>=' "$enough"
    within computing "$(figure "$key" most)" '<=' $((cpus + 1))
    ;;
  esac
  case $case in
  sleep/* | alone) within p99 "$(figure "$key" p99)" '<=' 5 ;;
  esac
  within losses "$(figure "$key" losses)" '<=' 0
  [ ${#missed[@]} = 0 ] && echo "ok: ${bounds[*]}" || echo "MISSED ${missed[*]}: ${bounds[*]}"
}
