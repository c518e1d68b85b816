# apt-get from a folder of packages, with nothing of the system's apt: an update, a second one that fetches nothing, packages whole
# and the rest of one, and what has changed on the server. No rights are needed.
set -euo pipefail
. tests/peers/check.sh
packages=12

version() {
  need apt-get apt
  need dpkg-deb dpkg
  need dpkg-scanpackages dpkg-dev
  probe "apt has no method for http" apt has_method
  probe "dpkg-deb lacks options" dpkg dpkg-deb --root-owner-group -Zxz -z0 --version
  probe "dpkg-scanpackages lacks modules" libdpkg-perl dpkg-scanpackages --version
  apt-get --version
}

# A method says what it can do before it is asked for anything.
has_method() {
  local methods
  eval "$(apt-config shell methods Dir::Bin::methods/d)"
  [[ $("$methods/http" </dev/null) == "100 Capabilities"* ]]
}

# package NUMBER VERSION: in the folder that is served, with random content of some length.
package() {
  local tree="$SCRATCH/tree $1"
  mkdir -p "$tree/DEBIAN" "$tree/usr/share/doc/door-$1"
  cat >"$tree/DEBIAN/control" <<END
Package: door-$1
Version: $2
Architecture: all
Maintainer: A <a@example.org>
Description: a test
END
  head -c $(($1 * $1 * 3000)) /dev/urandom >"$tree/usr/share/doc/door-$1/content"
  dpkg-deb --root-owner-group -Zxz -z0 -b "$tree" "$OWN/debian/door-${1}_$2_all.deb" >"$SCRATCH/output"
}

# index: the lists of what is there, as long ago as all of it. `Packages.gz` is both a file to fetch and a sidecar of `Packages`.
index() {
  local file
  (
    cd "$OWN/debian"
    dpkg-scanpackages -m . >"$SCRATCH/Packages" 2>"$SCRATCH/output"
    mv "$SCRATCH/Packages" .
    gzip -9nkf Packages
    {
      printf 'Suite: test\nDate: %s\nSHA256:\n' "$(date -Ru)"
      for file in Packages Packages.gz; do
        echo " $(sha256 <$file) $(stat -c %s $file) $file"
      done
    } >Release
    touch -d "$1" ./*
  )
  sleep 0.2 # what the server has in memory is as old as a tenth of a second
}

# get ARGUMENT...: apt-get, whose output goes to SCRATCH/output. Prints its status.
get() {
  local status=0
  (cd "$SCRATCH/got" && APT_CONFIG="$SCRATCH/apt.conf" timeout 120 apt-get -q -y "$@") >"$SCRATCH/output" 2>&1 || status=$?
  echo $status
}

# lines WORD: what apt says of each address: `Get`, `Hit` (304), `Ign` or `Err`, without the number.
lines() { sed -n "s|^$1:[0-9]* $FILES/own/debian ||p" "$SCRATCH/output" | cut -d ' ' -f 1-2 | sort | tr '\n' ' '; }

sums() { (cd "$1" && sha256sum ./*.deb); }

settings() {
  mkdir -p "$SCRATCH"/{got,apt/etc/apt.conf.d,apt/etc/preferences.d,apt/state/lists/partial,apt/cache/archives/partial,apt/log}
  : >"$SCRATCH/apt/status"
  echo "deb [trusted=yes] $FILES/own/debian ./" >"$SCRATCH/apt/etc/sources.list"
  cat >"$SCRATCH/apt.conf" <<END
Dir::Etc "$SCRATCH/apt/etc";
Dir::State "$SCRATCH/apt/state";
Dir::State::status "$SCRATCH/apt/status";
Dir::Cache "$SCRATCH/apt/cache";
Dir::Log "$SCRATCH/apt/log";
APT::Sandbox::User "$(id -un)";
Acquire::http::Proxy "DIRECT";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "60";
END
}

# fetched: the status, and the hash of the last package, which is put where those to install are.
fetched() { echo "$(get -d install door-$packages) $(sha256 <"$SCRATCH/apt/cache/archives/$deb")"; }

check() {
  local number names=() deb size marked
  settings
  mkdir "$OWN/debian"
  for ((number = 1; number <= packages; number++)); do
    package $number 1
    names+=("door-$number")
  done
  index '2 days ago'

  is "update" 0 "$(get update)"
  is "update fetches the lists" "./ Packages ./ Release " "$(lines Get)"
  is "a second update" 0 "$(get update)"
  is "a second update has nothing to fetch (304)" "./ Release " "$(lines Hit)"
  is "the list of packages" "$(sha256 <"$OWN/debian/Packages")" "$(sha256 < <(cat "$SCRATCH"/apt/state/lists/*_Packages))"

  # Several requests are on their way at once, over one connection.
  is "download of $packages packages" 0 "$(get download "${names[@]}")"
  is "every package" "$(sums "$OWN/debian")" "$(sums "$SCRATCH/got")"

  # With If-Range and the time of what there is of it.
  deb=door-${packages}_1_all.deb
  size=$(stat -c %s "$OWN/debian/$deb")
  for number in 1 $((size / 2)) $((size - 1)); do
    rm -f "$SCRATCH"/apt/cache/archives/*.deb
    head -c $number "$OWN/debian/$deb" >"$SCRATCH/apt/cache/archives/partial/$deb"
    touch -r "$OWN/debian/$deb" "$SCRATCH/apt/cache/archives/partial/$deb"
    mark
    is "the rest of a package behind $number octets" "0 $(sha256 <"$OWN/debian/$deb")" "$(fetched)"
    is "and nothing but the rest" "206" "$(status_of "GET /own/debian/$deb")"
  done

  # What there is of it is of another file: it is fetched from its beginning.
  rm -f "$SCRATCH"/apt/cache/archives/*.deb
  head -c 1000 /dev/zero >"$SCRATCH/apt/cache/archives/partial/$deb"
  touch -d '3 days ago' "$SCRATCH/apt/cache/archives/partial/$deb"
  mark
  is "a package that has changed since" "0 $(sha256 <"$OWN/debian/$deb")" "$(fetched)"
  is "and all of it" "200" "$(status_of "GET /own/debian/$deb")"

  rm "$SCRATCH"/got/* "$OWN/debian/door-1_1_all.deb"
  package 1 2
  index '1 day ago'
  is "update after a change" 0 "$(get update)"
  is "update after a change fetches the lists" "./ Packages ./ Release " "$(lines Get)"
  is "download of what is new" 0 "$(get download door-1)"
  is "the new package" "$(sha256 <"$OWN/debian/door-1_2_all.deb")" "$(cat "$SCRATCH"/got/door-1_2_*.deb | sha256)"
}

"$1"
