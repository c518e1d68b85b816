# aria2: one file over eight connections at once, each with a range of it.
set -euo pipefail
. tests/peers/check.sh

version() {
  need aria2c aria2
  probe "aria2c lacks options" aria2 aria2c --no-conf --no-netrc --all-proxy= --file-allocation=none -x8 -s8 -k1M --version
  aria2c --version
}

fetch() {
  local status=0
  aria2c --no-conf --no-netrc --all-proxy= --quiet --file-allocation=none --allow-overwrite=true --max-tries=1 --timeout=60 \
    --log="$SCRATCH/log" --log-level=info -d "$SCRATCH" "$@" || status=$?
  echo $status
}

# answers STATUS: how many of them it saw.
answers() { grep -c "^HTTP/1.1 $1 " "$SCRATCH/log" || :; }

# It asks for the whole file first, takes what is its first range of it, and asks for the others.
in_ranges() { [ "$(answers 206)" -ge 7 ] && echo yes || cat "$SCRATCH/log" >&2; }

check() {
  local size sum crc name
  while read -r size sum crc name; do
    rm -f "$SCRATCH/log"
    is "-x8 of $name" "0 $sum" "$(fetch -x8 -s8 -k1M -o got "$FILES/${name// /%20}") $(sha256 <"$SCRATCH/got")"
    if [ "$size" -ge 100000000 ]; then
      is "$name came in ranges" yes "$(in_ranges)"
      rm -f "$SCRATCH/got" "$SCRATCH/log"
      head -c 30000001 "$SITE/$name" >"$SCRATCH/got"
      is "-c behind 30,000,001 octets of $name" "0 $sum" "$(fetch -c -x8 -s8 -k1M -o got "$FILES/$name") $(sha256 <"$SCRATCH/got")"
      is "what was missing came in ranges" yes "$(in_ranges)"
    fi
  done <"$MANIFEST"
}

"$1"
