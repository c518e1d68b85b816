# wget: downloads that go on where they ended, files that have not changed, and a folder followed through its listing.
set -euo pipefail
. tests/peers/check.sh

version() {
  need wget wget
  probe "wget speaks no HTTP or lacks options" wget ends_with 4 wget --no-config --no-proxy -nv -S --tries=1 --reject-regex x \
    --restrict-file-names=nocontrol -O /dev/null $nowhere
  wget --version
}

# fetch ARGUMENT...: into SCRATCH/got, with the heads that it sees in SCRATCH/heads. Prints its status.
fetch() {
  local status=0
  wget --no-config --no-proxy -nv -S --tries=1 --timeout=60 -P "$SCRATCH/got" "$@" 2>"$SCRATCH/heads" || status=$?
  echo $status
}

# answered: the statuses that it saw.
answered() { sed -n 's|^ *HTTP/1.1 \([0-9]*\).*|\1|p' "$SCRATCH/heads" | tr '\n' ' '; }

resumed() {
  local size sum crc name part
  while read -r size sum crc name; do
    for part in 0 $(parts "$size") "$size"; do
      # An empty one is fetched from its beginning; behind all of it there is nothing, and a 416 says so.
      case $part in
      0) wanted="0 200 $sum" ;;
      "$size") wanted="0 416 $sum" ;;
      *) wanted="0 206 $sum" ;;
      esac
      mkdir -p "$SCRATCH/got"
      head -c "$part" "$SITE/$name" >"$SCRATCH/got/$name"
      is "-c behind $part octets of $name" "$wanted" "$(fetch -c "$FILES/$name") $(answered)$(sha256 <"$SCRATCH/got/$name")"
    done
  done <"$MANIFEST"
}

unchanged() {
  local size sum crc name
  rm -rf "$SCRATCH/got"
  while read -r size sum crc name; do
    [ "$size" -le 1048576 ] || continue
    is "-N of $name" "0 200 $sum" "$(fetch -N "$FILES/$name") $(answered)$(sha256 <"$SCRATCH/got/$name")"
    is "-N of $name again" "0 304 $sum" "$(fetch -N "$FILES/$name") $(answered)$(sha256 <"$SCRATCH/got/$name")"
  done <"$MANIFEST"
}

# The links of a listing lead to the files. Names with a % before two digits are not among them: wget takes these for escaped.
mirrored() {
  local name folder
  for folder in "" "a folder/" "a folder/b#c/" "100%/"; do
    mkdir -p "$OWN/tree/$folder"
    for name in plain.txt "a b" "q?x=1&y=2" "<b>&amp;" "it's" '"quoted"' "x:y" "ünïcödé" ";semi" "plus+" "=" "~"; do
      echo "$folder$name" >"$OWN/tree/$folder$name"
    done
  done
  is "-r of a listing" 0 "$(fetch -e robots=off -r -l 9 -np -nH --cut-dirs=2 --restrict-file-names=nocontrol \
    -R 'index.html*' --reject-regex '[?&](sort|order)=' "$FILES/own/tree/")"
  is "every file behind the listing, and nothing else" "" "$(diff -r "$OWN/tree" "$SCRATCH/got" 2>&1)"
}

check() {
  resumed
  unchanged
  rm -rf "$SCRATCH/got"
  mirrored
}

"$1"
