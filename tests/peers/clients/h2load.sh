# h2load in HTTP/1.1: very many requests over many connections, also several at a time on each; every octet is counted.
set -euo pipefail
. tests/peers/check.sh

version() {
  need h2load nghttp2-client
  probe "h2load has no HTTP/1.1" nghttp2-client h2load --h1 --version
  need_curl
  h2load --version
}

# load WHAT REQUESTS CLIENTS URL ARGUMENT...: what h2load reports, beside what one answer is to curl.
load() {
  local what=$1 requests=$2 clients=$3 url=$4 one wanted got
  shift 4
  # Octets of the head, and of the content.
  one=$(curl -sS --noproxy '*' --max-time 10 -o "$SCRATCH/body" -w '%{size_header} %{size_download}' "${content[@]}" "$url")
  timeout 120 h2load --h1 -n "$requests" -c "$clients" "$@" "$url" >"$SCRATCH/report" || echo "status $?" >>"$SCRATCH/report"
  wanted="$requests total, $requests started, $requests done, $requests succeeded, 0 failed, 0 errored, 0 timeout"
  wanted+="; status codes: $requests 2xx, 0 3xx, 0 4xx, 0 5xx"
  wanted+="; $((requests * (${one% *} + ${one#* }))) total, $((requests * ${one#* })) data"
  got=$(sed -n 's/^requests: //p' "$SCRATCH/report"); got+="; $(grep '^status codes:' "$SCRATCH/report")"
  got+="; $(sed -n 's/^traffic: [^(]*(\([0-9]*\)) total, .* (\([0-9]*\)) data$/\1 total, \2 data/p' "$SCRATCH/report")"
  is "$what" "$wanted" "$got"
}

check() {
  local content=()
  load "20,000 requests of 1 KiB over 64 connections" 20000 64 "$FILES/1024.bin"
  load "20,000 requests of 1 KiB over 64 connections, 16 at a time on each" 20000 64 "$FILES/1024.bin" -m 16
  load "1,000 requests of 64 KiB over 16 connections" 1000 16 "$FILES/65536.bin"
  load "100 requests of 1 MiB over 8 connections" 100 8 "$FILES/1048576.bin"
  content=(--data-binary @"$SITE/16383.bin" -H Expect:)
  load "5,000 uploads of 16 KiB that come back over 32 connections" 5000 32 "$ECHO/" -d "$SITE/16383.bin"
}

"$1"
