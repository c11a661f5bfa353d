# What tests/kill.sh and tests/power.sh share: a gate with a session and a trivial app behind it, and requests that are
# noted with their answers. Sourced from the repository's folder; $script is whose it is.
# Leaves $dir, $data, $app, $gate, $session; `begin` starts the gate as $gate_pid, `load` asks until it is killed.

workers=${WORKERS:-8}
fail() { echo "FAIL $script: $*" >&2; exit 1; }
for tool in curl sqlite3 awk python3; do
    command -v "$tool" >/dev/null || { echo "$script: \`$tool\` is missing" >&2; exit 2; }
done
# Ports that the system hands out: the gate's, whose demo takes the two above it as well, one where nobody answers for Entra, the
# app's, the gate's own for operators.
read -r port entra_port app_port ops_port < <(python3 -c '
import socket
def taken(port):
    return socket.create_server(("127.0.0.1", port))
while True:
    try:
        port = taken(0).getsockname()[1]
        row = [taken(port + step) for step in range(3)]
        break
    except (OSError, OverflowError):
        pass
others = [taken(0) for _ in range(3)]
print(port, *(socket.getsockname()[1] for socket in others))')
gate=${GATE:-}
if [ -z "$gate" ]; then
    cargo build --release --quiet --bin cedargate
    gate=${CARGO_TARGET_DIR:-target}/release/cedargate
fi
[ -x "$gate" ] || fail "there is no gate at '$gate'"

dir=$(mktemp -d)
data=$dir/data
mkdir "$data"
gate_pid= app_pid= load_pids=() preload=()
cleanup() {
    for pid in $gate_pid $app_pid "${load_pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    # What is dying still holds its files.
    [ -z "$gate_pid" ] || wait "$gate_pid" 2>/dev/null || true
    rm -rf "$dir" 2>/dev/null || true
}
trap cleanup EXIT
trap 'exit 130' INT TERM

app=http://app.localhost:$port
export CEDARGATE_PUBLIC_URL=http://localhost:$port CEDARGATE_DATABASE_URL=sqlite://$data/cedargate.db \
    CEDARGATE_AUDIT__DATABASE_URL=sqlite://$data/audit.db CEDARGATE_KEYS__DIRECTORY=$data/keys \
    CEDARGATE_ENTRA__TENANT=11111111-2222-3333-4444-555555555555 CEDARGATE_ENTRA__MFA_CONTEXT=c1 \
    CEDARGATE_ENTRA__CLIENT_ID=66666666-7777-8888-9999-000000000000 CEDARGATE_ENTRA__CLIENT_SECRET=unused \
    CEDARGATE_ENTRA__AUTHORITY=http://127.0.0.1:$entra_port CEDARGATE_LISTEN=127.0.0.1:$port \
    CEDARGATE_OPS_LISTEN=127.0.0.1:0 CEDARGATE_LOG=warn

now_ms() { date +%s%3N; }

# Starts the gate (serve, or demo with its options) and leaves in $took how many milliseconds passed until it answered.
begin() {
    local begun
    begun=$(now_ms)
    env "${preload[@]}" "$gate" "$@" >"$dir/gate.log" 2>&1 &
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
python3 -m http.server --bind 127.0.0.1 --directory "$dir/app" "$app_port" >/dev/null 2>&1 &
app_pid=$!
disown "$app_pid"
"$gate" rules export "$dir/rules" >/dev/null
sed -i "s|^upstream = .*|upstream = \"http://127.0.0.1:$app_port\"|" "$dir/rules/routes.toml"
"$gate" rules import "$dir/rules" --publish --note "A trivial app" >/dev/null
kill -9 "$gate_pid"
wait "$gate_pid" 2>/dev/null || true


# Asks for so long (as `sleep` has it), kills the gate, and leaves in $dir/allowed the sorted paths that were let in.
struck() {
    load_pids=()
    for ((worker = 1; worker <= workers; worker++)); do
        load "$1" "$worker" &
        load_pids+=($!)
    done
    sleep "$2"
    kill -9 "$gate_pid"
    kill "${load_pids[@]}" 2>/dev/null || true
    { wait "$gate_pid" "${load_pids[@]}" || true; } 2>/dev/null
    # A short round may have no answer at all.
    { cat "$dir"/answers.* 2>/dev/null || true; } | awk '$2 >= 200 && $2 < 400 || $2 == 404 { print $1 }' | sort >"$dir/allowed"
    rm -f "$dir"/answers.*
}

# The sorted paths that the log in this file says were let in.
recorded() {
    sqlite3 -readonly "$1" "SELECT json_extract(CAST(body AS TEXT), '\$.path') FROM record
        WHERE json_extract(CAST(body AS TEXT), '\$.kind') = 'decision' AND json_extract(CAST(body AS TEXT), '\$.verdict') = 'allow'" | sort
}
