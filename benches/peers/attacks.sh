# The figure `attacks` of load.sh, which sources this: clients that take more than their share, and
# the good client beside them. A good client counts only with 200 and the whole body.
#
# Each row has a fresh server with default settings, and with BASE a second one of that commit. All
# CPUs are shared by the server, the attack and the good client. Memory and threads are read again
# AFTER_SECONDS (60) after the last load: they have to be within a tenth, or 1 MiB, of what they were
# after as many ordinary clients, apart from the 16 MiB that the file cache may hold. Memory is RssAnon: what an attack pages in of
# the program's file is not held.

attack_rows=(accept_500 accept_2000 accept_listing heads_listing heads_folder reset_once reset_listing unread_listing
  unread_files unread_descriptors unread_multipart unread_targets unread_made unread_all unread_log multipart mounts polls
  slots_active slots_heads slots_bodies)
after_seconds=${AFTER_SECONDS:-60}

# describe NAME: sets what a row consists of. `clients` are those of the attack; a load is a kind of `attack` with its
# arguments, or of `drip` where it begins with "drip"; the good client begins `later` seconds after them. Bounds: `keeps` percent
# of the rate alone, p99 at most `times` that alone, `burns` ms of processor time within two seconds after the load (0: any), peak
# memory of 128 MiB and 1 KiB a client.
describe() {
  clients=300 server=doorstep options=() open_limit='' loads=() way=beside keeps=80 times=10 burns=0 cached=0 settles='' later=0 log='' server_cpus=0-$(($(nproc) - 1)) client_cpus=0-$(($(nproc) - 1))
  local ranges=0-999999 start
  for ((start = 1000; start < 64000; start += 1000)); do
    ranges+=,$((1000000 + start))-$((1000000 + start))
  done
  case $1 in
  accept_500) way=accept clients=500 ;;
  accept_2000) way=accept clients=2000 ;;
  accept_listing) way=accept clients=100 loads=("loop --clients 100 --method HEAD --target /d/") ;;
  heads_listing) loads=("burst --clients 300 --times 20 --method HEAD --target /d/") ;;
  heads_folder) clients=64 loads=("burst --clients 64 --every 100 --method HEAD --target /many/") ;;
  reset_once) clients=1 burns=50 keeps=0 times=0 loads=("burst --clients 1 --times 64 --every 1000000 --reset-after 200 --method HEAD --target /many/") ;;
  reset_listing) clients=30 burns=50 loads=("burst --clients 30 --times 64 --every 200 --reset-after 200 --method HEAD --target /many/") ;;
  unread_listing) loads=("unread --clients 300 --target /many/") ;;
  unread_files) settles=yes clients=8000 cached=18 loads=("unread --clients 8000 --times 8 --target /f/#.bin") ;;
  unread_descriptors) clients=600 open_limit=1024 loads=("unread --clients 600 --target /10m.bin") ;;
  unread_multipart) settles=yes clients=8000 loads=("unread --clients 8000 --target /10m.bin --header Range:bytes=$ranges") ;;
  unread_targets) settles=yes clients=8000 loads=("unread --clients 8000 --target /10m.bin --pad 8000") ;;
  unread_made) server=handlers loads=("unread --clients 300 --target /made") ;;
  unread_all)
    settles=yes clients=6300 cached=18
    loads=("unread --clients 300 --target /many/" "unread --clients 2000 --times 8 --target /f/#.bin"
      "unread --clients 2000 --target /10m.bin --header Range:bytes=$ranges" "unread --clients 2000 --target /10m.bin --pad 8000")
    ;;
  # Lines of 8 KiB, into a pipe that nobody reads.
  unread_log) way=log clients=100 log=pipe loads=("burst --clients 100 --every 100 --target /page.html --pad 8000") ;;
  multipart) way=multipart loads=("loop --clients 300 --target /10m.bin --header Range:bytes=${ranges//0-999999/0-0}") ;;
  mounts)
    clients=150 open_limit=256 cached=1 way=mounts loads=("held --clients 150 --target /page.html")
    for start in 0 1 2 3 4 5 6 7; do
      options+=(--mount "/m$start=$scratch/m$start")
    done
    ;;
  polls) way=polls clients=500 server=handlers loads=("polls --clients 500 --target /poll") ;;
  slots_active) way=slots clients=100 options=(--max-conns 50) ;;
  # A half head has a second before it may be closed for another connection: until then the others get 503.
  slots_heads) clients=2000 later=1 options=(--max-conns 2000) loads=("drip --clients 2000 heads") ;;
  # On a CPU of its own, as `beside` of load.sh.
  slots_bodies) way=crowd clients=2000 server=handlers keeps=90 server_cpus=0 client_cpus=1 loads=("drip --clients 2000 pulled") ;;
  esac
}

make_attack_site() {
  local site=$scratch/site mount
  mkdir "$site/d" "$site/many" "$site/f"
  (cd "$site/d" && seq -f file-%g.txt 1000 | xargs touch)
  (cd "$site/many" && seq -f "%06.0f-$(printf 'n%.0s' {1..237}).txt" 100000 | xargs touch)
  (cd "$site/f" && head -c $((8000 * 65536)) /dev/urandom | split -b 65536 -a 5 -d --additional-suffix=.bin - '')
  for mount in 0 1 2 3 4 5 6 7; do
    mkdir "$scratch/m$mount"
    (cd "$scratch/m$mount" && seq -f %.0f.bin 10 49 | xargs truncate -s 100000)
  done
  # What has not changed for long is trusted longer.
  find "$site" "$scratch"/m? -exec touch -d 2025-01-01 {} +
}

attacks() {
  local round row which key whose=(new)
  seconds=${ROUND_SECONDS:-3} rounds=${ROUNDS:-1}
  lifetime=$((rounds * (seconds + 10) * ${#attack_rows[@]} * 6 + after_seconds))
  : >"$scratch/attacks.rows"
  [ -z "${BASE:-}" ] || whose=(base new)
  echo "attacks: good clients (GET of 1 KiB, a fresh connection each) alone and beside an attack; $rounds rounds of $seconds s"
  make_attack_site
  for ((round = 0; round < rounds; round++)); do
    for row in ${ATTACK_ROWS:-${attack_rows[@]}}; do
      for which in "${whose[@]}"; do
        attack_row "$row" "$which" "$row-$which-$round"
      done
    done
  done
  echo "  waiting until $after_seconds s after the last load"
  local left=$((after_seconds - SECONDS + last_load))
  [ $left -le 0 ] || sleep $left
  for key in "${attacked[@]}"; do
    after_load "$key"
  done
  attack_table "${whose[@]}"
}

# keep_figure KEY FIGURE VALUE, where KEY is ROW-WHICH-ROUND: rows of "row-which figure value".
keep_figure() { echo "${1%-*} $2 $3" >>"$scratch/attacks.rows"; }
# figure ROW-WHICH FIGURE: its median over the rounds, or a dash.
figure() {
  awk -v key="$1" -v figure="$2" '$1 == key && $2 == figure { print $3 }' "$scratch/attacks.rows" | sort -g |
    awk '{ value[NR] = $1 } END { if (NR) print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2; else print "-" }'
}

attacked=() last_load=0
declare -A was_threads was_resident

# attack_row NAME new|base KEY
attack_row() {
  local name=$1 key=$3 before server_cpus client_cpus clients server options open_limit loads way keeps times burns cached settles later log quiet=-q
  describe "$name"
  [ "$2" = new ] || server=base_$server
  [ -z "$log" ] || begin_log
  start "$key" "$server" ${options[@]+"${options[@]}"}
  # As many ordinary clients first: what the server keeps for them is not the attack's.
  attack "$key" held --clients $clients --seconds 0 --target /page.html >/dev/null
  attack "$key" good --seconds 1 --target /page.html >/dev/null
  sleep 0.2
  was_threads[$key]=$(thread_count "$key")
  was_resident[$key]=$(memory "$key" RssAnon)
  "way_$way"
  if kill -0 "${first[$key]}" 2>/dev/null; then
    before=$(ticks "$key")
    sleep 2
    keep_figure "$key" burnt $((($(ticks "$key") - before) * 1000 / $(getconf CLK_TCK)))
    keep_figure "$key" peak "$(memory "$key" VmHWM)"
  fi
  last_load=$SECONDS
  if [ "$(figure "${key%-*}" burnt)" = - ] || awk -v burnt="$(figure "${key%-*}" burnt)" 'BEGIN { exit !(burnt > 200) }'; then
    # It would disturb the rows that follow.
    echo "  $key: is busy, or has ended, two seconds after the load: killed"
    kill -KILL "${first[$key]}" 2>/dev/null || :
    wait "${guard[$key]}" 2>/dev/null || :
    unset "guard[$key]" "first[$key]"
  else
    attacked+=("$key")
  fi
}

after_load() {
  if ! kill -0 "${first[$1]}" 2>/dev/null; then
    failed "$1 has ended"
    return
  fi
  keep_figure "$1" threads_was "${was_threads[$1]}"
  keep_figure "$1" threads "$(thread_count "$1")"
  keep_figure "$1" resident_was "${was_resident[$1]}"
  keep_figure "$1" resident "$(memory "$1" RssAnon)"
  stop "$1"
}

thread_count() { ls "/proc/${serving[$1]% }/task" | wc -l; }

# attack KEY KIND ARGUMENT...: runs one load against a server to its end.
attack() {
  timeout $((seconds + 90)) taskset -c $client_cpus "$tools/attack" "${@:2}" "127.0.0.1:${port[$1]}"
}

# good alone|beside [ARGUMENT...]: keeps what the good client sees, and puts the number of its requests into `asked`.
good() {
  local line
  line=$(attack "$key" good --seconds "$seconds" --target /page.html "${@:2}")
  echo "  $key, $1: $line"
  set -- "$1" $line # good RATE p50 N p99 N losses N of N…
  keep_figure "$key" "$1" "$3"
  keep_figure "$key" "$1-p50" "$(awk -v us="$5" 'BEGIN { print us / 1000 }')"
  keep_figure "$key" "$1-p99" "$(awk -v us="$7" 'BEGIN { print us / 1000 }')"
  keep_figure "$key" "$1-losses" "$9"
  asked=${11%,}
}

# begin_loads [SECONDS]: starts them, so much longer than the good client, and waits until they are up.
begin_loads() {
  local load number=0 line program longer=${1:-1}
  running=()
  rm -f "$scratch/ends"
  for load in "${loads[@]}"; do
    set -- $load
    program=attack
    if [ "$1" = drip ]; then
      program=drip
      shift
    elif [ -n "$settles" ]; then
      set -- "$@" --until "$scratch/ends"
    fi
    timeout $((seconds + 90)) taskset -c $client_cpus "$tools/$program" --seconds $((seconds + longer)) "$@" "127.0.0.1:${port[$key]}" \
      >"$scratch/load.$number" 2>&1 &
    running+=($!)
    number=$((number + 1))
  done
  for ((number = 0; number < ${#loads[@]}; number++)); do
    for ((line = 0; line < 400; line++)); do
      ! grep -q . "$scratch/load.$number" || break
      sleep 0.1
    done
  done
}

# settle: waits until the server has dealt with what thousands of clients ask at once, each for one turn; 20 s at most.
settle() {
  local begin now calm=0
  begin=$(date +%s%N)
  while [ $calm -lt 3 ] && [ $(($(date +%s%N) - begin)) -lt 20000000000 ]; do
    now=$(ticks "$key")
    sleep 0.3
    [ $(($(ticks "$key") - now)) -le 3 ] && calm=$((calm + 1)) || calm=0 # clock ticks: hundredths of a second
  done
  keep_figure "$key" settled $((($(date +%s%N) - begin) / 1000000))
}

# end_loads: waits until they end, and puts what they saw into `seen`.
end_loads() {
  local number
  seen=''
  touch "$scratch/ends"
  for ((number = 0; number < ${#loads[@]}; number++)); do
    wait "${running[$number]}" || failed "$key: $(cat "$scratch/load.$number")"
    seen+="$(tail -n 1 "$scratch/load.$number"); "
  done
  seen=${seen%; }
  echo "  $key: $seen"
}

way_beside() {
  good alone
  begin_loads $((${settles:+20} + later + 1))
  [ -z "$settles" ] || settle
  sleep $later
  good beside
  end_loads
}

# The same with 64 good clients in place of one.
way_crowd() {
  crowd alone
  begin_loads
  crowd beside
  end_loads
}

crowd() {
  local line
  if line=$(measure "$key" /page.html "$seconds" 64); then
    echo "  $key, $1: $line"
    set -- "$1" $line # requests, rate, cost, p50, p90, p99, …
    keep_figure "$key" "$1" "$3"
    keep_figure "$key" "$1-p99" "$7"
  fi
}

# Connections that come together, beside clients that are busy: they wait about one round. The server runs a quarter of the time,
# so that all of its clients are ready whenever it runs.
way_accept() {
  local busy line rate
  if [ ${#loads[@]} = 0 ]; then
    timeout $((seconds + 30)) taskset -c $client_cpus wrk -t 1 -c $clients -d "$((seconds + 2))s" "$(url "$key" /page.html)" >"$scratch/wrk" 2>&1 &
    busy=$!
  else
    begin_loads 2
  fi
  line=$(attack "$key" fresh --clients 50 --turns 3 --seconds $((seconds + 2)) --quarter-of "${first[$key]}" --target /page.html)
  echo "  $key: $line"
  if [ ${#loads[@]} = 0 ]; then
    wait $busy || :
    rate=$(awk '/^Requests\/sec:/ { print $2 }' "$scratch/wrk")
  else
    end_loads
    set -- $seen
    rate=$2 # answers N a second
  fi
  set -- $line # fresh N last MS ms middle MS ms losses N
  keep_figure "$key" last "$4"
  keep_figure "$key" round "$(awk -v clients=$clients -v rate="${rate:-0}" 'BEGIN { print (rate > 0 ? clients / rate * 1000 : 0) }')"
  keep_figure "$key" beside-losses "${10}"
}

way_multipart() {
  way_beside
  set -- $seen
  keep_figure "$key" answers "$2"
  keep_figure "$key" round "$(awk -v clients=$clients -v rate="$2" 'BEGIN { print (rate > 0 ? clients / rate * 1000 : 0) }')"
}

# Fills what each folder keeps, then looks who of the idle is left.
way_mounts() {
  local mount number folders
  good alone
  begin_loads
  for mount in 0 1 2 3 4 5 6 7; do
    for number in {10..49}; do
      echo "url = $(url "$key" "/m$mount/$number.bin")"
      echo "output = /dev/null"
    done
  done >"$scratch/folders"
  while timeout "$seconds" curl -s --noproxy '*' --max-time "$seconds" -K "$scratch/folders"; do :; done &
  folders=$!
  good beside
  kill $folders 2>/dev/null || :
  wait $folders 2>/dev/null || :
  end_loads
  set -- $seen # open N of N
  keep_figure "$key" open "$2"
}

# begin_log: the server's log goes into a pipe of its own, which is read until end_log.
begin_log() {
  quiet=''
  mkfifo "$scratch/$key.log"
  exec {log}<>"$scratch/$key.log"
  cat <&"$log" >/dev/null &
  reader=$!
}

end_log() {
  sleep 0.5 # for the last lines
  kill $reader
  wait $reader 2>/dev/null || :
}

# Each request has its line, or is counted as lost. A server without a log shows what the good client gets alone: a reader would
# take part of the processors.
way_log() {
  local count noisy=${port[$key]}
  end_log
  log='' quiet=-q start quiet "$server"
  port[$key]=${port[quiet]}
  good alone
  stop quiet
  port[$key]=$noisy
  begin_loads
  good beside
  end_loads
  timeout 2 cat <&"$log" >"$scratch/log" || :
  count=$(awk '/ GET / { lines++ } / lines of the log were lost/ { lost += $2 } END { print lines + 0, lost + 0 }' "$scratch/log")
  echo "  $key: log lines and lost ones $count"
  set -- $seen $count # bursts …, 200 N LINES LOST
  keep_figure "$key" lost "${@: -1}"
  keep_figure "$key" logged $((${@: -1} + ${@: -2:1}))
  keep_figure "$key" requests $((${@: -3:1} + asked))
}

way_polls() {
  way_beside
  set -- $seen # wake STATUS MS ms; polls …
  keep_figure "$key" wake "$3"
}

# More active clients than slots, to as many as slots.
way_slots() {
  local count line
  for count in 50 100; do
    line=$(attack "$key" loop --clients $count --seconds "$seconds" --target /page.html | tail -n 1)
    echo "  $key, $count clients: $line"
    set -- $line # answers N a second, …
    keep_figure "$key" "answers-$count" "$2"
  done
  # Those that were closed between two requests, of a hundred clients.
  keep_figure "$key" cut "$(awk '{ for (at = 1; at < NF; at++) if ($at == "closed" || $at == "reset") sum += $(at + 1) } END { print sum + 0 }' <<<"${line//,/}")"
}

# attack_table new|base...: all rows; those of `new` against their bounds.
attack_table() {
  local show='%-20s %-5s %9s %8s %9s %9s %7s %6s %8s %7s %9s %13s  %s\n' row which key
  local server_cpus client_cpus clients server options open_limit loads way keeps times burns cached settles later log
  echo
  printf "$show" attack which alone/s "p99 ms" beside/s "p99 ms" losses "kept%" "peak MiB" "CPU ms" threads "memory MiB" verdict
  for row in ${ATTACK_ROWS:-${attack_rows[@]}}; do
    describe "$row"
    for which in "$@"; do
      key=$row-$which
      local verdict
      verdict=$(attack_verdict)
      printf "$show" "$row" "$which" "$(figure "$key" alone)" "$(figure "$key" alone-p99)" "$(figure "$key" beside)" \
        "$(figure "$key" beside-p99)" "$(figure "$key" beside-losses)" "$(percent "$(figure "$key" beside)" "$(figure "$key" alone)")" \
        "$(figure "$key" peak)" "$(figure "$key" burnt)" "$(figure "$key" threads_was)>$(figure "$key" threads)" \
        "$(figure "$key" resident_was)>$(figure "$key" resident)" "$verdict"
      [ "$which" = base ] || [[ $verdict == ok* ]] || failures=$((failures + 1))
    done
  done
  echo "CPU: of the server in the two seconds after the load. Threads and memory: before, and $after_seconds s after."
}

percent() { awk -v of="$1" -v to="$2" 'BEGIN { if (to > 0) printf "%.0f", 100 * of / to; else print "-" }'; }

# attack_verdict: `ok` or `MISSED` and the bounds that were, and figures of the row's own.
attack_verdict() {
  local missed=() own=()
  # holds WHAT FIGURE COMPARISON BOUND: a figure that is not there does not hold.
  holds() {
    awk -v figure="$2" -v bound="$4" 'BEGIN { exit !(figure != "-" && bound != "-" && figure + 0 '"$3"' bound + 0) }' || missed+=("$1")
  }
  of() { figure "$key" "$1"; }
  times_of() { awk -v number="$1" -v by="$2" 'BEGIN { print (number == "-" ? "-" : number * by) }'; }
  case $way in
  accept)
    own+=("last of 50 $(of last) ms, a round $(of round) ms")
    holds last "$(of last)" '<=' "$(awk -v round="$(of round)" 'BEGIN { print 4 * round + 20 }')"
    holds losses "$(of beside-losses)" '<=' 0
    ;;
  multipart)
    own+=("$(of answers) answers/s, p50 $(of beside-p50) ms, a round $(of round) ms")
    holds p50 "$(of beside-p50)" '<=' "$(times_of "$(of round)" 4)"
    if [ -n "${BASE:-}" ]; then
      holds answers "$(of answers)" '>=' "$(times_of "$(figure multipart-base answers)" 3)"
    fi
    ;;
  slots)
    own+=("$(of answers-50)/s of 50 clients, $(of answers-100)/s of 100, $(of cut) cut")
    holds kept "$(of answers-100)" '>=' "$(times_of "$(of answers-50)" 0.8)"
    holds cut "$(of cut)" '<=' 0
    ;;
  *)
    if [ $keeps -gt 0 ]; then
      holds kept "$(of beside)" '>=' "$(times_of "$(of alone)" "0.$keeps")"
      holds p99 "$(of beside-p99)" '<=' "$(times_of "$(of alone-p99)" $times)"
    fi
    ;;
  esac
  [ -z "$settles" ] || own+=("settled after $(of settled) ms")
  case $way in
  mounts)
    own+=("$(of open) of 150 idle open")
    holds open "$(of open)" '>=' 150
    ;;
  log)
    own+=("$(of lost) of $(of logged) lines lost, of $(of requests) requests")
    holds lost "$(of lost)" '>' 0
    holds logged "$(of logged)" '>=' "$(of requests)"
    # Requests under way when the clients end have lines as well.
    holds logged "$(of logged)" '<=' $(($(of requests) + clients))
    holds log "$(of peak)" '<=' "$(awk -v was="$(of resident_was)" 'BEGIN { print was + 4 }')"
    ;;
  polls)
    own+=("POST after $(of wake) ms")
    holds wake "$(of wake)" '<=' 1000
    ;;
  esac
  [ $burns = 0 ] || holds CPU "$(of burnt)" '<=' $burns
  holds peak "$(of peak)" '<=' $((128 + clients / 1024))
  holds threads "$(of threads)" '<=' "$(times_of "$(of threads_was)" 1.1)"
  holds memory "$(of resident)" '<=' "$(awk -v was="$(of resident_was)" -v cached=$cached 'BEGIN { print (was == "-" ? "-" : (was > 10 ? was * 1.1 : was + 1) + cached) }')"
  if [ ${#missed[@]} = 0 ]; then
    echo "ok${own[*]:+: ${own[*]}}"
  else
    echo "MISSED ${missed[*]}${own[*]:+: ${own[*]}}"
  fi
}
