# git over plain files, which it calls dumb HTTP: a bare repository is cloned, packed and loose objects, and what changes in it on
# the server is fetched.
set -euo pipefail
. tests/peers/check.sh
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 no_proxy='*'
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

version() {
  need git git
  probe "git has no helper for http" git has_helper
  probe "git has no helper for plain files" git test -x "$(git --exec-path)/git-http-fetch"
  probe "git init has no -b" git names_branch
  git --version
}

# The helper says what it can do before it connects.
has_helper() { [[ $(git remote-http origin $nowhere <<<capabilities) == *fetch* ]]; }

names_branch() { [[ $(git init -h) == *--initial-branch* ]]; }

# commits FIRST LAST: what git fast-import makes commits of, each with a file of its own and a change to one that all have.
commits() {
  local number
  for ((number = $1; number <= $2; number++)); do
    printf 'commit refs/heads/main\ncommitter A <a@example.org> %s +0000\n' $((1700000000 + number))
    printf 'data <<END\nCommit %s\nEND\n' $number
    [ $number != "$1" ] || [ $number = 1 ] || echo "from refs/heads/main^0"
    printf 'M 100644 inline folder %s/%s\ndata <<END\nfile %s\nEND\n' $((number % 20)) $number $number
    printf 'M 100644 inline common\ndata <<END\n%s\nEND\n' "$(seq $number $((number + 300)))"
  done
  # A file that does not get smaller, for a pack that is not a small file.
  printf 'M 100755 inline random-%s\ndata <<END\n%s\nEND\n' "$1" "$(head -c 300000 /dev/urandom | base64)"
}

# add FIRST LAST UNPACK: commits to the repository that is served: below UNPACK objects as loose ones, otherwise as a pack.
add() {
  commits "$1" "$2" | git -C "$OWN/repo.git" -c "fastimport.unpackLimit=$3" fast-import --quiet
  changed
}

changes=0
changed() {
  git -C "$OWN/repo.git" update-server-info
  # Long ago: what has been written just now is not kept in memory. Later than the last time, as it would be.
  changes=$((changes + 1))
  find "$OWN/repo.git" -type f -exec touch -d "@$((1700000000 + changes))" {} +
  sleep 0.2 # what the server has in memory is as old as a tenth of a second
}

# octets REPOSITORY: one hash of all its objects.
octets() { git -C "$1" cat-file --batch-all-objects --batch | sha256; }

count() { git -C "$1" count-objects -v | sed -n "s/^$2: //p"; }

# same WHAT: the clone has every object, whole, and the tree.
same() {
  run "$1: fsck" -C "$SCRATCH/clone" fsck --full --strict --no-progress --no-dangling
  is "$1: the tree" "$(git -C "$OWN/repo.git" rev-parse 'main^{tree}')" "$(git -C "$SCRATCH/clone" rev-parse 'origin/main^{tree}')"
  is "$1: every object" "$(octets "$OWN/repo.git")" "$(octets "$SCRATCH/clone")"
}

# run WHAT ARGUMENT...: git ends well.
run() {
  local what=$1 status=0
  shift
  timeout 120 git "$@" >"$SCRATCH/output" 2>&1 || status=$?
  is "$what" "0" "$([ $status = 0 ] && echo 0 || { echo "status $status" && tail -n 3 "$SCRATCH/output"; })"
}

check() {
  git init --quiet --bare -b main "$OWN/repo.git"
  add 1 250 1
  add 251 290 100000
  is "the repository has a pack" 1 "$(count "$OWN/repo.git" packs)"
  is "and loose objects" yes "$([ "$(count "$OWN/repo.git" count)" -gt 150 ] && echo yes)"
  run "clone" clone --quiet "$FILES/own/repo.git" "$SCRATCH/clone"
  same "clone"
  is "290 commits are there" 290 "$(git -C "$SCRATCH/clone" rev-list --count HEAD)"
  is "the last one is checked out" "" "$(git -C "$SCRATCH/clone" status --porcelain)"

  add 291 300 100000
  run "fetch of new loose objects" -C "$SCRATCH/clone" fetch --quiet
  same "fetch of new loose objects"

  # Loose objects are gone from where the client may look for them, and the list of packs is another one.
  commits 301 320 | git -C "$OWN/repo.git" fast-import --quiet
  git -C "$OWN/repo.git" repack -a -d --quiet
  changed
  run "fetch after all was packed anew" -C "$SCRATCH/clone" fetch --quiet
  same "fetch after all was packed anew"
  run "nothing new to fetch" -C "$SCRATCH/clone" fetch
  is "nothing was fetched" "" "$(<"$SCRATCH/output")"
}

"$1"
