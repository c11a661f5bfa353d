#!/usr/bin/env bash
# Takes the power from the gate at random instants under load, and holds it to its word: tests/power.sh
#
# A killed process leaves what it wrote; a machine without power leaves what its disk had promised to keep. tests/power.c,
# loaded into the gate, keeps an image of its data in which every file is as it was when it was last synced. At a random
# instant the gate is killed, and the image takes the place of the data: in every other round as it is, in the others with
# any part of what was not synced, sector by sector and in no order, as a disk may have written it. Then:
#   C1  every allow that was answered is on record, as an allow
#   C3  nothing was changed: `audit verify`, with the mark; and the gate starts on it without anybody's help
# The control does the same with a disk on which syncs of the write-ahead log do nothing, as SQLite does not ask for them
# with `synchronous=NORMAL`. It must lose an allow that was answered: else nothing was tested. The program has no switch
# for that.
#
# What this does not show: a disk that lies about its syncs; and names of files are there at once, as a journaling file
# system has them.
#
# Variables: ROUNDS (50), CONTROLS (5: at most so many rounds of the control), WORKERS (8), GATE (a built cedargate, linked
# dynamically). Needs a C compiler. Everything listens on 127.0.0.1, and only what was started here is ended.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cc >/dev/null || { echo "power.sh: \`cc\` is missing" >&2; exit 2; }
script=power.sh rounds=${ROUNDS:-50} controls=${CONTROLS:-5}
. tests/crash.bash
cc -O2 -Wall -Wextra -shared -fPIC -o "$dir/power.so" tests/power.c -ldl -lpthread
image=$dir/image

# Lets a random half of the sectors that were written and not synced reach the image.
scatter() {
    python3 - "$data" "$image" <<'END'
import os, random, sys
sector = 512
data, image = sys.argv[1:]
for folder, _, names in os.walk(image):
    for name in names:
        kept = os.path.join(folder, name)
        written = os.path.join(data, os.path.relpath(kept, image))
        if name.endswith("-shm") or not os.path.exists(written):
            continue
        with open(written, "rb") as now, open(kept, "r+b") as then:
            for at in range(0, os.path.getsize(written), sector):
                now.seek(at), then.seek(at)
                block = now.read(sector)
                if block != then.read(sector) and random.random() < 0.5:
                    then.seek(at)
                    then.write(block)
END
}

# One round: the power goes $2 seconds after the gate is ready; what was not synced is $3: `lost` or `scattered`.
# Leaves in $missing what was answered and is not on record.
round() {
    rm -rf "$image"
    cp -a "$data" "$image"
    preload=("LD_PRELOAD=$dir/power.so" "POWER_DIR=$data" "POWER_IMAGE=$image" "POWER_LIE=$lie")
    begin serve
    struck "$1" "$2"
    [ "$3" = lost ] || scatter
    rm -rf "$data"
    cp -a "$image" "$data"
    recorded "$data/audit.db" >"$dir/recorded"
    missing=$(comm -23 "$dir/allowed" "$dir/recorded" | head -n 3)
    answered=$((answered + $(wc -l <"$dir/allowed")))
}

lie= answered=0
for ((number = 1; number <= rounds; number++)); do
    round "$number" "0.$((RANDOM % 900 + 100))" "$([ $((number % 2)) = 1 ] && echo lost || echo scattered)"
    [ -z "$missing" ] || fail "C1, round $number: answered and not on record: $missing"
    "$gate" audit verify --checkpoint "$data/keys/log.mark" >"$dir/verdict" 2>&1 || { cat "$dir/verdict" >&2; fail "C3, round $number: the log does not hold"; }
done
[ "$answered" -gt 0 ] || fail "nothing was answered, so nothing was tested"
kept=$answered
cp -a "$data" "$dir/good"

lie=-wal lost=
for ((number = 1; number <= controls; number++)); do
    rm -rf "$data"
    cp -a "$dir/good" "$data"
    round "c$number" 0.9 lost
    [ -z "$missing" ] || { lost=$missing; break; }
done
[ -n "$lost" ] || fail "the control lost nothing in $controls rounds, so nothing was tested"
echo "PASS power.sh: $rounds losses of power, $kept answered allows all on record; the control lost $(echo "$lost" | head -n 1); $(head -n 1 "$dir/verdict")"
