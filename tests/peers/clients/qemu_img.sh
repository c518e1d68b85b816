# qemu-img: a disk image behind an address, read by ranges wherever a disk is read.
set -euo pipefail
. tests/peers/check.sh

version() {
  need qemu-img qemu-utils
  probe "qemu-img has no http driver" qemu-block-extra has_driver
  qemu-img --version
}

# The driver is a module, which is loaded when it is asked for. It fails to connect, and says so in its name.
has_driver() { [[ $(timeout 60 qemu-img info "$(image $nowhere raw 4096)" 2>&1) == *CURL:* ]]; }

# image ADDRESS FORMAT READAHEAD: one that is read in requests of so many octets or more.
image() { echo "json:{\"driver\":\"$2\",\"file\":{\"driver\":\"http\",\"url\":\"$1\",\"readahead\":$3,\"timeout\":60}}"; }

run() {
  local status=0
  env -u http_proxy -u HTTP_PROXY timeout 60 qemu-img "$@" >"$SCRATCH/output" 2>&1 || status=$?
  echo "$status$([ $status = 0 ] || echo " $(tail -n 2 "$SCRATCH/output")")"
}

# converted IMAGE: the status, and the hash of what is in it.
converted() {
  rm -f "$SCRATCH/disk.img"
  # One request at a time: this is about octets, and not about how qemu-img waits for several.
  echo "$(run convert -m 1 -O raw "$1" "$SCRATCH/disk.img") $(sha256 <"$SCRATCH/disk.img")"
}

check() {
  local number readahead sum marked
  # Octets with holes between them.
  truncate -s 20000256 "$OWN/disk.img"
  for ((number = 0; number < 20; number++)); do
    head -c 50000 /dev/urandom | dd of="$OWN/disk.img" conv=notrunc bs=512 seek=$((number * 2000)) status=none
  done
  truncate -s 20000256 "$OWN/disk.img"
  sum=$(sha256 <"$OWN/disk.img")
  is "make an image" 0 "$(run convert -f raw -O qcow2 -c "$OWN/disk.img" "$OWN/disk.qcow2")"
  touch -d '1 day ago' "$OWN"/*
  for readahead in 4096 262144; do
    mark
    is "convert a raw image, readahead $readahead" "0 $sum" "$(converted "$(image "$FILES/own/disk.img" raw $readahead)")"
    is "it came in ranges, readahead $readahead" "206" "$(status_of "GET /own/disk.img")"
    is "convert a compressed image, readahead $readahead" "0 $sum" "$(converted "$(image "$FILES/own/disk.qcow2" qcow2 $readahead)")"
  done
  is "compare the two images, each behind its address" "0" "$(run compare "$FILES/own/disk.img" "$FILES/own/disk.qcow2")"
  is "check the image" "0" "$(run check "$FILES/own/disk.qcow2")"
}

"$1"
