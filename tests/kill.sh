#!/usr/bin/env bash
# Kills the gate at random instants under load, and holds it to its word: tests/kill.sh
#
# Every request carries a name of its own, and every answer is noted before the next request is sent. After each kill:
#   C1  every allow that was answered is on record, as an allow
#   C2  no decision id is there twice; C3 numbers have no gaps; and nothing was changed: `audit verify`, with the mark
#   C4  every release that a decision names exists
#   and the gate is ready again within two seconds, without anybody's help; the session that was open still is.
#
# The demo signs somebody in; what is killed and started again is `serve`, with Entra gone and a trivial app behind it.
#
# Variables: ROUNDS (200), WORKERS (8), READY_MS (2000), GATE (a built cedargate).
# Everything listens on 127.0.0.1, and only what was started here is ended.
set -euo pipefail
cd "$(dirname "$0")/.."

script=kill.sh rounds=${ROUNDS:-200} ready_ms=${READY_MS:-2000}
. tests/crash.bash
begin serve

slowest=0 answered=0
for ((round = 1; round <= rounds; round++)); do
    struck "$round" "0.$((RANDOM % 900 + 100))"
    begin serve
    [ "$took" -le "$ready_ms" ] || fail "round $round: ready after $took ms"
    [ "$took" -le "$slowest" ] || slowest=$took
    recorded "$data/audit.db" >"$dir/recorded"
    missing=$(comm -23 "$dir/allowed" "$dir/recorded" | head -n 3)
    [ -z "$missing" ] || fail "C1, round $round: answered and not on record: $missing"
    answered=$((answered + $(wc -l <"$dir/allowed")))
    twice=$(sqlite3 -readonly "$data/audit.db" "SELECT COUNT(*) - COUNT(DISTINCT json_extract(CAST(body AS TEXT), '\$.id')) FROM record")
    [ "$twice" = 0 ] || fail "C2, round $round: $twice ids are there twice"
    releases=$(sqlite3 -readonly "$data/audit.db" "ATTACH '$data/cedargate.db' AS main_db; SELECT COUNT(*) FROM record
        WHERE json_extract(CAST(body AS TEXT), '\$.kind') = 'decision' AND json_extract(CAST(body AS TEXT), '\$.release') NOT IN (SELECT number FROM main_db.release)")
    [ "$releases" = 0 ] || fail "C4, round $round: $releases decisions name a release that does not exist"
    "$gate" audit verify --checkpoint "$data/keys/log.mark" >"$dir/verdict" 2>&1 || { cat "$dir/verdict" >&2; fail "C3, round $round: the log does not hold"; }
    status=$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H "Cookie: gate_session=$session" "$app/finance/summary")
    [ "$status" = 404 ] || fail "round $round: the session did not survive: $status"
done
[ "$answered" -gt 0 ] || fail "nothing was answered, so nothing was tested"
echo "PASS kill.sh: $rounds kills, $answered answered allows all on record, slowest start $slowest ms; $(head -n 1 "$dir/verdict")"
