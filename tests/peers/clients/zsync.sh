# zsync: what differs between an old file and the one that is served is fetched, many ranges in each request.
set -euo pipefail
. tests/peers/check.sh

version() {
  need zsync zsync
  need zsyncmake zsync
  zsync -V
}

check() {
  local number status=0 marked
  head -c 8000000 /dev/urandom >"$OWN/disk.img"
  # The old file lacks some of it, has it elsewhere, and has other octets in sixty places.
  { tail -c 3000000 "$OWN/disk.img"; head -c 4500000 "$OWN/disk.img"; } >"$SCRATCH/old"
  for ((number = 1; number <= 60; number++)); do
    head -c $((number * 40)) /dev/urandom | dd of="$SCRATCH/old" conv=notrunc bs=1 seek=$((number * 120000)) status=none
  done
  zsyncmake -b 2048 -u "$FILES/own/disk.img" -o "$OWN/disk.zsync" "$OWN/disk.img" >"$SCRATCH/output" 2>&1
  touch -d '1 day ago' "$OWN"/*
  mark
  (
    cd "$SCRATCH"
    env -u http_proxy -u HTTP_PROXY HOME="$SCRATCH" timeout 120 zsync -i old -o new "$FILES/own/disk.zsync"
  ) >"$SCRATCH/output" 2>&1 </dev/null || status=$?
  is "the new file" "0 $(sha256 <"$OWN/disk.img")" "$status $(sha256 <"$SCRATCH/new")"
  is "it came in ranges" 206 "$(status_of "GET /own/disk.img")"
  local used fetched
  read -r used fetched < <(sed -n 's/.*used \([0-9]*\) local, fetched \([0-9]*\).*/\1 \2/p' "$SCRATCH/output")
  is "most of it was there" yes "$([ "${used:-0}" -gt 6000000 ] && [ "$fetched" -lt 2000000 ] && echo yes)"
}

"$1"
