# Long uploads in chunks by curl: one, then four different ones at once. The figures of run.sh tell what memory they take.
set -euo pipefail
. tests/peers/check.sh

version() {
  need_curl
  need_python python3
  echo "$(python3 --version) before $(curl --version)"
}

# upload SEED: what the server says of it, and what it should say.
upload() {
  python3 tests/peers/octets.py "$UPLOAD_BYTES" "$1" "$SCRATCH/wanted $1" |
    curl -sS --noproxy '*' --max-time 250 -T - "$CHECKSUM/" 2>&1 | cut -d ' ' -f 1-2 >"$SCRATCH/got $1" || :
}

check() {
  local seed uploads=()
  upload 10
  is "an upload of $UPLOAD_BYTES octets in chunks" "$(<"$SCRATCH/wanted 10")" "$(<"$SCRATCH/got 10")"
  for seed in 11 12 13 14; do
    upload $seed &
    uploads+=($!)
  done
  wait "${uploads[@]}"
  for seed in 11 12 13 14; do
    is "the upload $seed of four at once" "$(<"$SCRATCH/wanted $seed")" "$(<"$SCRATCH/got $seed")"
  done
}

"$1"
