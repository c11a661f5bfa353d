#!/usr/bin/env bash
# Takes the disk from the audit log while the gate runs, and holds the gate to its word: tests/disk.sh
#
# The log's volume is full, read-only, does not sync (EIO), or hangs; or another program has the file locked, for a second or
# for ten. For each:
#   during   nothing is let in, from the first request on: 503 within two seconds and a half; `/readyz` says no; whoever may
#            not go in still does not
#   after    people are let in again within five seconds, without a restart
#   at last  every allow that was answered is on record, and the log verifies
# A lock of a second costs waiting only: no request is refused. A gate that waits for a lock does not spin.
# At the start, a log that can't be written is refused in one line that names it.
#
# The faults are those of tests/fault.c, loaded into the gate. Where the machine allows a mount namespace (this script calls
# itself again with `unshare`), the volume is a small tmpfs that is also really filled, and really mounted read-only.
#
# Variables: GATE (a built cedargate, linked dynamically). Needs a C compiler.
# Everything listens on 127.0.0.1, and only what was started here is ended.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cc >/dev/null || { echo "disk.sh: \`cc\` is missing" >&2; exit 2; }
if [ -z "${APART:-}" ]; then
    namespaces=(--mount)
    [ "$(id -u)" = 0 ] || namespaces+=(--user --map-root-user)
    APART=yes
    unshare "${namespaces[@]}" true 2>/dev/null || { APART=no; namespaces=(); }
    export APART
    [ $APART = no ] || exec unshare "${namespaces[@]}" "$0"
fi
script=disk.sh
. tests/crash.bash
cc -O2 -Wall -Wextra -shared -fPIC -o "$dir/fault.so" tests/fault.c -ldl

volume=$dir/volume word=$dir/word ready=http://127.0.0.1:$ops_port/readyz
mkdir "$volume"
if [ $APART = yes ]; then
    mount -t tmpfs -o size=16m none "$volume"
    trap 'cleanup; umount -l "$volume"; rm -rf "$dir"' EXIT
else
    echo "disk.sh: this machine allows no mount namespace: no real volume is filled"
fi
mv "$data"/audit.db* "$volume"
export CEDARGATE_AUDIT__DATABASE_URL=sqlite://$volume/audit.db CEDARGATE_OPS_LISTEN=127.0.0.1:$ops_port
preload=("LD_PRELOAD=$dir/fault.so" "FAULT_DIR=$volume" "FAULT_FILE=$word")

name=0
: >"$dir/allowed"
# One request: its status in $status, its milliseconds in $waited. What is let in is noted.
ask() {
    local begun
    begun=$(now_ms)
    name=$((name + 1))
    status=$(curl -s -m 10 -o /dev/null -w '%{http_code}' -H "Cookie: gate_session=$session" "$app/finance/n$name" || true)
    waited=$(($(now_ms) - begun))
    [ "$status" != 404 ] || echo "/finance/n$name" >>"$dir/allowed"
}
let_in() { [ "$status" = 404 ]; }

# A request of somebody who may not go in.
ask_denied() { status=$(curl -s -m 10 -o /dev/null -w '%{http_code}' -H "Cookie: gate_session=$session" "$app/admin/n" || true); }

# Fails unless the gate, right now, lets nobody in.
refuses() {
    for _ in 1 2 3; do
        ask
        [ "$status" = 503 ] || fail "$1: answered $status instead of 503"
        [ "$waited" -le 2500 ] || fail "$1: refused after $waited ms only"
    done
    ask_denied
    case $status in 403 | 503) ;; *) fail "$1: who may not go in was answered $status" ;; esac
    [ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$ready")" = 503 ] || fail "$1: the gate says that it is ready"
}

# Fails unless the gate lets people in again soon. Leaves in $took after how many milliseconds.
recovers() {
    local begun
    begun=$(now_ms)
    until ask && let_in; do
        [ $(($(now_ms) - begun)) -le 5000 ] || fail "$1: not let in again after 5 s"
    done
    took=$(($(now_ms) - begun))
    echo "disk.sh: $1: refused while it lasted, let in again after $took ms"
}

# Holds the log's file locked for so many seconds.
lock() {
    { printf 'BEGIN IMMEDIATE;\n.system touch %s/locked\n' "$dir"; sleep "$1"; } | sqlite3 "$volume/audit.db" &
    locker=$!
    until [ -e "$dir/locked" ]; do sleep 0.02; done
    rm "$dir/locked"
}

# Seconds of CPU, in hundredths, that the gate has used.
used() { awk '{ print $14 + $15 }' "/proc/$gate_pid/stat"; }

begin serve
ask
let_in || fail "before anything happened: answered $status"

if [ $APART = yes ]; then
    head -c 64M /dev/zero >"$volume/filler" 2>/dev/null || true
    # The last pages that are left may hold a record or two: those are on record, so they may be answered.
    for _ in $(seq 200); do ask; let_in || break; done
    refuses "a full volume"
    rm "$volume/filler"
    recovers "a full volume"
fi

for fault in full readonly sync stall; do
    echo "$fault" >"$word"
    refuses "a disk that answers $fault"
    rm "$word"
    recovers "a disk that answers $fault"
done

lock 1
for _ in $(seq 20); do ask; let_in || fail "a lock of a second: answered $status"; done
wait "$locker"
lock 10
before=$(used) since=$(now_ms)
refuses "a locked file"
spent=$((($(used) - before) * 1000 / ($(now_ms) - since)))
# Who spins takes all of it; an unoptimised build that answers and writes its own log took up to a fifth.
[ "$spent" -lt 50 ] || fail "a locked file: the gate spent $spent % of a core on waiting"
wait "$locker"
recovers "a locked file"
[ "$took" -le 2500 ] || fail "a locked file: let in again only after $took ms"

sort -o "$dir/allowed" "$dir/allowed"
recorded "$volume/audit.db" >"$dir/recorded"
missing=$(comm -23 "$dir/allowed" "$dir/recorded" | head -n 3)
[ -z "$missing" ] || fail "answered and not on record: $missing"
kill "$gate_pid"
wait "$gate_pid" || fail "the gate did not end well"
"$gate" audit verify --checkpoint "$data/keys/log.mark" >"$dir/verdict" 2>&1 || { cat "$dir/verdict" >&2; fail "the log does not hold"; }

if [ $APART = yes ]; then mount -o remount,ro "$volume"; else echo readonly >"$word"; fi
if env "${preload[@]}" "$gate" serve >"$dir/refusal" 2>&1; then fail "the gate started on a log that it can't write"; fi
grep -q "audit.db.*read-only" "$dir/refusal" || { cat "$dir/refusal" >&2; fail "the refusal does not name the read-only log"; }
echo "PASS disk.sh: full, read-only, not syncing, hanging, locked; $(wc -l <"$dir/allowed") answered allows all on record; $(head -n 1 "$dir/verdict")"
