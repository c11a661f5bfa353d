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
# Variables: ROUNDS (200), WORKERS (8), PORT (18300: this and the next two), READY_MS (2000), GATE (a built cedargate).
# Everything listens on 127.0.0.1, and only what was started here is ended.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${ROUNDS:-200} workers=${WORKERS:-8} port=${PORT:-18300} ready_ms=${READY_MS:-2000}
fail() { echo "FAIL kill.sh: $*" >&2; exit 1; }
for tool in curl sqlite3 ss awk python3; do
    command -v "$tool" >/dev/null || { echo "kill.sh: \`$tool\` is missing" >&2; exit 2; }
done
[ -z "$(ss -Hltn "( sport >= :$port and sport <= :$((port + 2)) )")" ] || fail "a port is taken; set PORT"
gate=${GATE:-}
if [ -z "$gate" ]; then
    cargo build --release --quiet --bin cedargate
    gate=${CARGO_TARGET_DIR:-target}/release/cedargate
fi
[ -x "$gate" ] || fail "there is no gate at '$gate'"

dir=$(mktemp -d)
data=$dir/data
mkdir "$data"
gate_pid= app_pid= load_pids=()
cleanup() {
    for pid in $gate_pid $app_pid "${load_pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

app=http://app.localhost:$port
export CEDARGATE_PUBLIC_URL=http://localhost:$port CEDARGATE_DATABASE_URL=sqlite://$data/cedargate.db \
    CEDARGATE_AUDIT__DATABASE_URL=sqlite://$data/audit.db CEDARGATE_KEYS__DIRECTORY=$data/keys \
    CEDARGATE_ENTRA__TENANT=11111111-2222-3333-4444-555555555555 CEDARGATE_ENTRA__MFA_CONTEXT=c1 \
    CEDARGATE_ENTRA__CLIENT_ID=66666666-7777-8888-9999-000000000000 CEDARGATE_ENTRA__CLIENT_SECRET=unused \
    CEDARGATE_ENTRA__AUTHORITY=http://127.0.0.1:$((port + 1)) CEDARGATE_LISTEN=127.0.0.1:$port \
    CEDARGATE_OPS_LISTEN=127.0.0.1:0 CEDARGATE_LOG=warn

now_ms() { date +%s%3N; }

# Starts the gate (serve, or demo with its options) and leaves in $took how many milliseconds passed until it answered.
begin() {
    local begun
    begun=$(now_ms)
    "$gate" "$@" >"$dir/gate.log" 2>&1 &
    gate_pid=$!
    until curl -s -m 1 -o /dev/null "$app/"; do
        kill -0 "$gate_pid" 2>/dev/null || { cat "$dir/gate.log" >&2; fail "the gate did not start again"; }
        [ $(($(now_ms) - begun)) -lt 10000 ] || fail "the gate was not ready after 10 s"
        sleep 0.02
    done
    took=$(($(now_ms) - begun))
}

# One worker: requests one after the other, each noted with its answer: name, status.
load() {
    local name=0
    while :; do
        name=$((name + 1))
        status=$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H "Cookie: gate_session=$session" \
            "$app/finance/r$1-w$2-n$name" 2>/dev/null || true)
        echo "/finance/r$1-w$2-n$name $status" >>"$dir/answers.$2"
    done
}

begin demo --listen "127.0.0.1:$port" --data "$data"
jar=$dir/jar
browser=(curl -s -L -m 10 -o "$dir/page" -w '%{url_effective}' -c "$jar" -b "$jar"
    -H 'Accept: text/html' -H 'Sec-Fetch-Mode: navigate' -H 'Sec-Fetch-Dest: document')
picker=$("${browser[@]}" "$app/finance/summary")
person=$(sed -n 's/.*name="person" value="\(uma[^"]*\)".*/\1/p' "$dir/page" | head -n 1)
[ "$("${browser[@]}" --data-urlencode "person=$person" "$picker")" = "$app/finance/summary" ] || fail "Uma could not sign in"
session=$(awk -F '\t' '$6 == "gate_session" && $1 ~ /app\.localhost/ { print $7 }' "$jar")
[ -n "$session" ] || fail "there is no session"

mkdir "$dir/app"
python3 -m http.server --bind 127.0.0.1 --directory "$dir/app" $((port + 2)) >/dev/null 2>&1 &
app_pid=$!
"$gate" rules export "$dir/rules" >/dev/null
sed -i "s|^upstream = .*|upstream = \"http://127.0.0.1:$((port + 2))\"|" "$dir/rules/routes.toml"
"$gate" rules import "$dir/rules" --publish --note "A trivial app" >/dev/null
kill -9 "$gate_pid"
wait "$gate_pid" 2>/dev/null || true
begin serve

slowest=0 answered=0
for ((round = 1; round <= rounds; round++)); do
    load_pids=()
    for ((worker = 1; worker <= workers; worker++)); do
        load "$round" "$worker" &
        load_pids+=($!)
    done
    sleep "0.$((RANDOM % 900 + 100))"
    kill -9 "$gate_pid"
    kill "${load_pids[@]}" 2>/dev/null || true
    { wait "$gate_pid" "${load_pids[@]}" || true; } 2>/dev/null
    cat "$dir"/answers.* 2>/dev/null | awk '$2 >= 200 && $2 < 400 || $2 == 404 { print $1 }' | sort >"$dir/allowed"
    rm -f "$dir"/answers.*
    begin serve
    [ "$took" -le "$ready_ms" ] || fail "round $round: ready after $took ms"
    [ "$took" -le "$slowest" ] || slowest=$took
    sqlite3 -readonly "$data/audit.db" "SELECT json_extract(CAST(body AS TEXT), '\$.path') FROM record
        WHERE kind = 'decision' AND verdict = 'allow'" | sort >"$dir/recorded"
    missing=$(comm -23 "$dir/allowed" "$dir/recorded" | head -n 3)
    [ -z "$missing" ] || fail "C1, round $round: answered and not on record: $missing"
    answered=$((answered + $(wc -l <"$dir/allowed")))
    twice=$(sqlite3 -readonly "$data/audit.db" "SELECT COUNT(*) - COUNT(DISTINCT json_extract(CAST(body AS TEXT), '\$.id')) FROM record")
    [ "$twice" = 0 ] || fail "C2, round $round: $twice ids are there twice"
    releases=$(sqlite3 -readonly "$data/audit.db" "ATTACH '$data/cedargate.db' AS main_db; SELECT COUNT(*) FROM record
        WHERE kind = 'decision' AND json_extract(CAST(body AS TEXT), '\$.release') NOT IN (SELECT number FROM main_db.release)")
    [ "$releases" = 0 ] || fail "C4, round $round: $releases decisions name a release that does not exist"
    "$gate" audit verify --checkpoint "$data/keys/log.mark" >"$dir/verdict" 2>&1 || { cat "$dir/verdict" >&2; fail "C3, round $round: the log does not hold"; }
    status=$(curl -s -m 5 -o /dev/null -w '%{http_code}' -H "Cookie: gate_session=$session" "$app/finance/summary")
    [ "$status" = 404 ] || fail "round $round: the session did not survive: $status"
done
[ "$answered" -gt 0 ] || fail "nothing was answered, so nothing was tested"
echo "PASS kill.sh: $rounds kills, $answered answered allows all on record, slowest start $slowest ms; $(head -n 1 "$dir/verdict")"
