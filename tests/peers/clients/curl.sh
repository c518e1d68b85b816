# curl: every file, kept connections, HTTP/1.0, content by length and in chunks, 100 Continue, refusals that can be read; downloads
# that go on where they ended, and files that have not changed.
set -euo pipefail
. tests/peers/check.sh

version() {
  need_curl
  probe "curl lacks options" curl ends_with 7 curl -sS --no-progress-meter --noproxy '*' --parallel-max 2 --expect100-timeout 1 \
    --etag-compare /dev/null $nowhere
  probe "curl does not print fields" curl prints_fields
  curl --version
}

# Where it does not know `%header`, it prints the name.
prints_fields() { [ -z "$(curl -s --noproxy '*' -w '%header{etag}' $nowhere)" ]; }

# ask SECONDS ARGUMENT...: standard error tells what went wrong; so does the status, which `got` shows.
ask() { curl -sS --no-progress-meter --noproxy '*' --max-time "$1" "${@:2}"; }

# got ARGUMENT...: what ask prints, or the status with which it fails.
got() { ask 60 "$@" || echo "status $?"; }

encoded() { echo "${1// /%20}"; }

files() {
  local size sum crc name
  while read -r size sum crc name; do
    is "GET $name" "$sum" "$(got "$FILES/$(encoded "$name")" | sha256)"
    is "HEAD $name" "200 $size 0" "$(got -I -o "$SCRATCH/head" -w '%{http_code} %header{content-length} %{size_download}' "$FILES/$(encoded "$name")")"
    is "HTTP/1.0 GET $name" "$sum" "$(got -0 "$FILES/$(encoded "$name")" | sha256)"
  done <"$MANIFEST"
  fields() { tr -d '\r' | grep -vi '^date:' | sort; }
  is "fields of HEAD and GET" "$(got -D - -o "$SCRATCH/body" "$FILES/1023.bin" | fields)" "$(got -I "$FILES/1023.bin" | fields)"
}

# Every file in one run, over one connection; then all of them eight times, over several at once.
kept() {
  local size sum crc name round all=() wanted='' parallel=()
  while read -r size sum crc name; do
    all+=(-o "$SCRATCH/$name" "$FILES/$(encoded "$name")")
    wanted+="$sum "
    for round in 1 2 3 4 5 6 7 8; do
      [ "$size" -gt 2000000 ] || parallel+=(-o "$SCRATCH/$round $name" "$FILES/$(encoded "$name")")
    done
  done <"$MANIFEST"
  is "one connection for all files" 1 "$(got -w '%{num_connects}\n' "${all[@]}" | awk '{ sum += $1 } END { print sum }')"
  is "all files over one connection" "$wanted" "$(while read -r size sum crc name; do sha256 <"$SCRATCH/$name"; done <"$MANIFEST" | tr '\n' ' ')"
  got -Z --parallel-max 16 "${parallel[@]}"
  is "files fetched sixteen at a time" "" "$(
    while read -r size sum crc name; do
      for round in 1 2 3 4 5 6 7 8; do
        [ "$size" -gt 2000000 ] || [ "$(sha256 <"$SCRATCH/$round $name")" = "$sum" ] || echo "$round $name differs"
      done
    done <"$MANIFEST"
  )"
}

content() {
  local size sum crc name file
  while read -r size sum crc name; do
    file="$SITE/$name"
    # The address behind the two figures is another one each time.
    is "upload of $name by length" "$size $crc" "$(got -T "$file" "$CHECKSUM/" | cut -d ' ' -f 1-2)"
    is "upload of $name in chunks" "$size $crc" "$(got -T - "$CHECKSUM/" <"$file" | cut -d ' ' -f 1-2)"
    [ "$size" -le 1048576 ] || continue
    is "POST $name by length comes back" "$sum" "$(got -H 'Expect:' --data-binary @"$file" "$ECHO/" | sha256)"
    is "POST $name in chunks comes back" "$sum" "$(got -X POST -T - "$ECHO/" <"$file" | sha256)"
    # Without a 100 it would wait for longer than it is given.
    is "100 Continue before $name" "$sum" "$(got -H 'Expect: 100-continue' --expect100-timeout 600 --data-binary @"$file" "$ECHO/" | sha256)"
  done <"$MANIFEST"
}

refusals() {
  local long status='%{http_code}' number fields=()
  head -c 3000000 /dev/zero >"$SCRATCH/large"
  is "413 that can be read, by length" 413 "$(got -H 'Expect:' --data-binary @"$SCRATCH/large" -o "$SCRATCH/body" -w "$status" "$ECHO/")"
  is "413 that can be read, in chunks" 413 "$(got -X POST -T - -o "$SCRATCH/body" -w "$status" "$ECHO/" <"$SCRATCH/large")"
  is "413 in place of 100 Continue" 413 "$(got -H 'Expect: 100-continue' --expect100-timeout 600 --data-binary @"$SCRATCH/large" -o "$SCRATCH/body" -w "$status" "$ECHO/")"
  long=$(head -c 9000 /dev/zero | tr '\0' a)
  is "414 for a target of 9,000 octets" 414 "$(got -o "$SCRATCH/body" -w "$status" "$FILES/$long")"
  for ((number = 0; number < 110; number++)); do
    fields+=(-H "X-Field-$number: value")
  done
  is "431 for 110 fields" 431 "$(got "${fields[@]}" -o "$SCRATCH/body" -w "$status" "$FILES/1.bin")"
  is "431 for a field of 18,000 octets" 431 "$(got -H "X-Long: $long$long" -o "$SCRATCH/body" -w "$status" "$FILES/1.bin")"
  is "404" 404 "$(got -o "$SCRATCH/body" -w "$status" "$FILES/no/such/file")"
  is "405 with Allow, whose request has content" "405 GET, HEAD, OPTIONS" "$(got -T "$SITE/1024.bin" -X POST -o "$SCRATCH/body" -w "$status %header{allow}" "$FILES/1.bin")"
  is "OPTIONS says what is allowed" "200 GET, HEAD, OPTIONS" "$(got -X OPTIONS -o "$SCRATCH/body" -w "$status %header{allow}" "$FILES/1.bin")"
  # nginx sees to Expect itself and does not pass it on.
  [ "$ROUTE" = nginx ] || is "417 for another expectation" 417 "$(got -H 'Expect: a-parrot' --data-binary x -o "$SCRATCH/body" -w "$status" "$ECHO/")"
}

# A download that ended early goes on behind what is there; one that is complete is left as it is, by a 416.
resumed() {
  local size sum crc name part url code='%{http_code} %{size_download}' tag
  while read -r size sum crc name; do
    url="$FILES/$(encoded "$name")"
    for part in $(parts "$size"); do
      head -c "$part" "$SITE/$name" >"$SCRATCH/part"
      is "-C - behind $part octets of $name" "206 $((size - part)) $sum" "$(got -C - -o "$SCRATCH/part" -w "$code" "$url") $(sha256 <"$SCRATCH/part")"
    done
    [ "$size" -gt 0 ] || continue
    cp "$SITE/$name" "$SCRATCH/part"
    is "-C - behind all of $name" "416 $sum" "$(got -C - -o "$SCRATCH/part" -w '%{http_code}' "$url") $(sha256 <"$SCRATCH/part")"
  done <"$MANIFEST"

  read -r size sum crc name < <(grep ' 65537.bin$' "$MANIFEST")
  url="$FILES/$name"
  tag=$(got -I -o "$SCRATCH/head" -w '%header{etag}' "$url")
  head -c 1000 "$SITE/$name" >"$SCRATCH/part"
  is "If-Range with another tag: nothing is put behind the file (status 33)" "status 33 1000" "$(got -C - -H 'If-Range: "another"' -o "$SCRATCH/part" "$url" 2>/dev/null) $(stat -c %s "$SCRATCH/part")"
  is "If-Range with the tag of the file" "206 $sum" "$(got -C - -H "If-Range: $tag" -o "$SCRATCH/part" -w '%{http_code}' "$url") $(sha256 <"$SCRATCH/part")"
}

# What has been fetched before is not fetched again.
unchanged() {
  local size sum crc name url code='%{http_code} %{size_download} %{num_connects}'
  while read -r size sum crc name; do
    [ "$size" -le 1048576 ] || continue
    url="$FILES/$(encoded "$name")"
    got -R --etag-save "$SCRATCH/tag" -o "$SCRATCH/got" "$url"
    is "--etag-compare of $name" "304 0 1" "$(got --etag-compare "$SCRATCH/tag" -w "$code" -o "$SCRATCH/none" "$url")"
    # The second uses the connection of the first: a 304 ends without content, whatever its Content-Length says.
    is "If-None-Match of $name, twice" "304 0 1 304 0 0 " "$(got -H "If-None-Match: $(<"$SCRATCH/tag")" -w "$code " -o "$SCRATCH/none" "$url" -o "$SCRATCH/none" "$url")"
    is "-z of $name" "304 0 1" "$(got -z "$SCRATCH/got" -w "$code" -o "$SCRATCH/none" "$url")"
    is "-z a day before $name" "200 $size 1 $sum" "$(got -z "$(date -R -d "$(stat -c %y "$SITE/$name") 1 day ago")" -w "$code" -o "$SCRATCH/got" "$url") $(sha256 <"$SCRATCH/got")"
  done <"$MANIFEST"
}

check() {
  files
  kept
  content
  refusals
  resumed
  unchanged
}

"$1"
