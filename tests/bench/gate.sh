#!/usr/bin/env bash
# What a request costs that goes through the gate, beside doing nothing and beside nginx: tests/bench/gate.sh
#
# On core 1: wrk and a trivial upstream. On core 0, in turn:
#   floor      a bare axum server that answers itself
#   nginx      proxy_pass with kept-alive connections to the upstream, one worker, no log
#   asking     the same nginx, which asks before each request whether it may (auth_request), over kept-alive connections: what
#              the least forward-auth server would cost there, on the same core, that decides and records nothing
#   anonymous  cedargate: a route open to everyone; decided, durably recorded, then carried to the same upstream
#   signed-in  cedargate: the same behind a session and a grant to a group, with identity headers and assertion
# Rounds are interleaved; the best of them counts. The gate is held to half of what nginx does that decides and records
# nothing, to 1.2 of it where it asks, and to five times its p99. "In sync" is the share of time in which the disk makes commits durable, estimated: commits times the median of a sync. Ratios and CPU time per request can be compared between machines,
# requests per second can't. The search index is filed in what the others leave of the core, all but its reading of the log; "unfiled" is how far it was
# behind when the load ended. Everything listens on 127.0.0.1, and only what was started here is ended.
#
# Variables: SECONDS_EACH (4), ROUNDS (3), CONNECTIONS ("64 256"), PORT (18200: this and the next 12),
# GATE and HELPER (programs built before: cedargate, and the bench target `upstream`).
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${SECONDS_EACH:-4}
rounds=${ROUNDS:-3}
connections=${CONNECTIONS:-64 256}
port=${PORT:-18200}
upstream_port=$port floor_port=$((port + 1)) nginx_port=$((port + 2)) asking_port=$((port + 3)) gate_port=$((port + 10))
targets="floor nginx asking anonymous signed-in"

fail() { echo "gate.sh: $*" >&2; exit 2; }

for tool in cargo taskset wrk nginx curl sqlite3 ss awk; do
    command -v "$tool" >/dev/null || fail "\`$tool\` is missing (Debian packages: wrk nginx curl sqlite3 util-linux iproute2 mawk)"
done
[ "$(getconf _NPROCESSORS_ONLN)" -ge 2 ] || fail "two cores are needed: one for the server, one for the load"
[ -z "$(ss -Hltn "( sport >= :$port and sport <= :$((port + 12)) )")" ] || fail "a port from $port to $((port + 12)) is taken; set PORT"

mkdir -p target
dir=$(mktemp -d "$PWD/target/bench-gate.XXXXXX")
started=()
cleanup() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# start NAME CORE COMMAND...: leaves the pid in $pid.
start() {
    local name=$1 core=$2
    shift 2
    taskset -c "$core" "$@" >"$dir/$name.log" 2>&1 &
    pid=$!
    started+=("$pid")
}

# until_true SECONDS WHAT COMMAND...
until_true() {
    local tries=$(($1 * 10)) what=$2
    shift 2
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { tail -n 20 "$dir"/*.log >&2; fail "gave up waiting for $what"; }
        sleep 0.1
    done
}

gate=${GATE:-} helper=${HELPER:-}
if [ -z "$gate" ] || [ -z "$helper" ]; then
    echo "building..."
    # As the image is built (Dockerfile). Both in one go: built apart, they would not share what they are made of.
    export LIBSQLITE3_FLAGS="-DHAVE_FDATASYNC=1 -DSQLITE_DEFAULT_MEMSTATUS=0"
    cargo build --profile dist --locked --quiet --bin cedargate --bench upstream --message-format=json >"$dir/built.json" || fail "the build failed"
    executable() { sed -n 's/.*"name":"'"$1"'".*"executable":"\([^"]*\)".*/\1/p' "$dir/built.json" | tail -n 1; }
    gate=${gate:-$(executable cedargate)} helper=${helper:-$(executable upstream)}
fi
[ -x "$gate" ] || fail "there is no gate at '$gate'"
[ -x "$helper" ] || fail "there is no upstream at '$helper'"

# ---- servers -------------------------------------------------------------------------------------------------------
start upstream 1 "$helper" serve "127.0.0.1:$upstream_port"
start floor 0 "$helper" serve "127.0.0.1:$floor_port"
floor_pid=$pid

cat >"$dir/nginx.conf" <<CONF
daemon off;
worker_processes 1;
pid $dir/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path $dir/body; proxy_temp_path $dir/proxy; fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi; scgi_temp_path $dir/scgi;
    keepalive_requests 100000000;
    upstream asked { server 127.0.0.1:$floor_port; keepalive 512; keepalive_requests 100000000; }
    upstream app { server 127.0.0.1:$upstream_port; keepalive 512; keepalive_requests 100000000; }
    server {
        listen 127.0.0.1:$nginx_port;
        location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
    server {
        listen 127.0.0.1:$asking_port;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / { auth_request /asked; proxy_pass http://app; }
        location = /asked {
            internal;
            proxy_pass http://asked/asked;
            proxy_pass_request_body off;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
        }
    }
}
CONF
start nginx 0 nginx -c "$dir/nginx.conf" -e stderr
nginx_master=$pid

data=$dir/data
mkdir "$data"
start cedargate 0 "$gate" demo --listen "127.0.0.1:$gate_port" --data "$data"
gate_pid=$pid

app=http://app.localhost:$gate_port
ok() { [ "$(curl -s -m 2 "$@" || true)" = ok ]; }
answers() { curl -s -m 2 -o "$dir/answer" "$@"; }
until_true 10 "the upstream" ok "http://127.0.0.1:$upstream_port/"
until_true 10 "the floor" ok "http://127.0.0.1:$floor_port/"
until_true 10 nginx ok "http://127.0.0.1:$nginx_port/"
until_true 10 "nginx, asking" ok "http://127.0.0.1:$asking_port/"
until_true 20 "the gate" answers "$app/"
nginx_pid=$(awk '{ print $1 }' "/proc/$nginx_master/task/$nginx_master/children")

# ---- sign in as Uma, who is in Finance --------------------------------------------------------------------------------
jar=$dir/jar
browser=(curl -s -L -m 10 -o "$dir/page" -w '%{url_effective}' -c "$jar" -b "$jar"
    -H 'Accept: text/html' -H 'Sec-Fetch-Mode: navigate' -H 'Sec-Fetch-Dest: document')
picker=$("${browser[@]}" "$app/finance/summary")
case $picker in *"/authorize?"*) ;; *) fail "signing in led to $picker" ;; esac
person=$(sed -n 's/.*name="person" value="\(uma[^"]*\)".*/\1/p' "$dir/page" | head -n 1)
[ -n "$person" ] || fail "Uma is not on the sign-in page"
arrived=$("${browser[@]}" --data-urlencode "person=$person" "$picker")
[ "$arrived" = "$app/finance/summary" ] || fail "signing in ended at $arrived"
session=$(awk -F '\t' '$6 == "gate_session" && $1 ~ /app\.localhost/ { print $7 }' "$jar")
[ -n "$session" ] || fail "there is no session cookie for the app"

# ---- the same rules, with the trivial upstream behind the app -----------------------------------------------------------
export CEDARGATE_PUBLIC_URL=http://localhost:$gate_port CEDARGATE_DATABASE_URL=sqlite://$data/cedargate.db \
    CEDARGATE_AUDIT__DATABASE_URL=sqlite://$data/audit.db CEDARGATE_KEYS__DIRECTORY=$data/keys \
    CEDARGATE_ENTRA__TENANT=11111111-2222-3333-4444-555555555555 CEDARGATE_ENTRA__MFA_CONTEXT=c1 \
    CEDARGATE_ENTRA__CLIENT_ID=66666666-7777-8888-9999-000000000000 CEDARGATE_ENTRA__CLIENT_SECRET=unused
rules=$dir/rules
"$gate" rules export "$rules" >/dev/null
sed -i "s|^upstream = .*|upstream = \"http://127.0.0.1:$upstream_port\"|" "$rules/routes.toml"
"$gate" rules import "$rules" --publish --note "The benchmark's upstream" >/dev/null
rule_count=$(grep -c '^\[\[grant\]\]' "$rules/grants.toml")
cookie="Cookie: gate_session=$session"
until_true 5 "the new rules" ok "$app/"
ok -H "$cookie" "$app/finance/summary" || fail "the signed-in route does not answer ok"

metrics_url=
for address in $(ss -Hltnp | awk -v pid="pid=$gate_pid," 'index($0, pid) { print $4 }'); do
    if curl -s -m 2 "http://$address/metrics" | grep -q audit_commits; then metrics_url=http://$address/metrics; fi
done
[ -n "$metrics_url" ] || fail "the gate's metrics are not reachable"
metric() { curl -s -m 5 "$metrics_url" | awk -v name="$1" '$1 ~ name "_total$" { print $2 }'; }

# ---- measuring ---------------------------------------------------------------------------------------------------------
ticks=$(getconf CLK_TCK)
cpu() { for pid in "$@"; do cat "/proc/$pid/stat"; done | awk '{ sub(/.*\) /, ""); spent += $12 + $13 } END { print spent }'; }
# Records that the search index does not know yet.
unfiled() {
    sqlite3 -readonly "$data/audit.db" "ATTACH '$data/audit-search.db' AS search;
        SELECT COUNT(*) FROM record WHERE place >= (SELECT next FROM search.progress)"
}
place() { sqlite3 -readonly "$data/audit.db" "SELECT MAX(place) FROM record"; }
# recorded PLACE: decisions behind it
recorded() {
    sqlite3 -readonly "$data/audit.db" \
        "SELECT COUNT(*) FROM record WHERE place > $1 AND instr(substr(body, 1, 128), CAST(',\"kind\":\"decision\",' AS BLOB)) > 0"
}

# one TARGET CONNECTIONS: a line of results into $dir/results
one() {
    local target=$1 conns=$2 server header="X-Bench: 1" url before_cpu before_place=0 before_records=0 before_commits=0
    case $target in
        floor) server=$floor_pid url=http://127.0.0.1:$floor_port/ ;;
        nginx) server=$nginx_pid url=http://127.0.0.1:$nginx_port/ ;;
        asking) server="$nginx_pid $floor_pid" url=http://127.0.0.1:$asking_port/ ;;
        anonymous) server=$gate_pid url=http://127.0.0.1:$gate_port/ ;;
        signed-in) server=$gate_pid url=http://127.0.0.1:$gate_port/finance/summary header=$cookie ;;
    esac
    local gated=no
    case $target in anonymous | signed-in) gated=yes ;; esac
    local host="Host: app.localhost:$gate_port"
    if [ $gated = yes ]; then
        before_place=$(place) before_records=$(metric audit_records) before_commits=$(metric audit_commits)
    fi
    before_cpu=$(cpu $server)
    taskset -c 1 wrk -t 1 -c "$conns" -d "${seconds}s" --latency -H "$host" -H "$header" "$url" >"$dir/wrk"
    local spent=$(($(cpu $server) - before_cpu))
    ! grep -E 'Non-2xx|Socket errors' "$dir/wrk" || fail "$target gave wrong answers at $conns connections"
    local answered rows=- commits=- per_commit=- unfiled=-
    answered=$(awk '/requests in/ { print $1 }' "$dir/wrk")
    if [ $gated = yes ]; then
        unfiled=$(unfiled)
        sleep 0.2
        rows=$(recorded "$before_place")
        # wrk leaves requests unanswered when its time is up: up to one for each connection.
        [ "$rows" -ge "$answered" ] && [ "$rows" -le $((answered + conns)) ] ||
            fail "$target: $answered requests were answered, but $rows decisions recorded"
        commits=$(($(metric audit_commits) - before_commits))
        per_commit=$(awk -v r=$(($(metric audit_records) - before_records)) -v c="$commits" 'BEGIN { printf "%.1f", r / c }')
    fi
    awk -v target="$target" -v conns="$conns" -v cpu="$spent" -v ticks="$ticks" -v rows="$rows" -v per_commit="$per_commit" -v commits="$commits" -v unfiled="$unfiled" '
        function ms(text) { unit = text; sub(/[0-9.]+/, "", unit); return text * (unit == "us" ? 0.001 : unit == "s" ? 1000 : 1) }
        $1 == "50%" { p50 = ms($2) } $1 == "99%" { p99 = ms($2) } /requests in/ { answered = $1 } /^Requests\/sec/ { rate = $2 }
        END { print target, conns, rate, p50, p99, cpu / ticks * 1e6 / answered, answered, rows, per_commit, commits, unfiled }
    ' "$dir/wrk" >>"$dir/results"
}

load_before=$(cut -d ' ' -f 1-3 /proc/loadavg)
sync_before=$("$helper" fdatasync "$dir")
for conns in $connections; do
    for target in $targets; do seconds_kept=$seconds seconds=1; one "$target" "$conns"; seconds=$seconds_kept; done
done
rm "$dir/results"
for ((round = 1; round <= rounds; round++)); do
    for conns in $connections; do
        for target in $targets; do one "$target" "$conns"; done
    done
done
sync_after=$("$helper" fdatasync "$dir")

# ---- the table -----------------------------------------------------------------------------------------------------------
echo
echo "Best of $rounds interleaved rounds of $seconds s; $rule_count grants; Cedargate decides, records durably, and then forwards."
echo "Absolute figures are of this machine at this moment; only ratios within one run and CPU per request travel."
echo "Load average before: $load_before (the cores should be idle; other work on them makes every figure worse)."
echo "fdatasync of 4 KiB, p50 and p99 in us: before $sync_before, after $sync_after."
echo
awk -v targets="$targets" -v seconds="$seconds" -v sync="${sync_after%% *}" '
    function verdict(name, found, bound, met) { printf "%s  %s: %.2f (target: %s)\n", met ? "PASS" : "FAIL", name, found, bound }
    {
        key = $2 " " $1
        if (!(key in rate) || $3 > rate[key]) { rate[key] = $3; p50[key] = $4; p99[key] = $5; answered[key] = $7; rows[key] = $8; batch[key] = $9; commits[key] = $10; unfiled[key] = $11 }
        if (!(key in cpu) || $6 < cpu[key]) cpu[key] = $6
        if (!($2 in seen)) { seen[$2] = 1; order[++sizes] = $2 }
    }
    END {
        print "| connections | what | req/s | / floor | / nginx | CPU us/req | CPU / nginx | p50 ms | p99 ms | answered | recorded | CPU us/record | rows/commit | in sync | unfiled |"
        print "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
        count = split(targets, name, " ")
        for (i = 1; i <= sizes; i++) for (j = 1; j <= count; j++) {
            key = order[i] " " name[j]; floor = order[i] " floor"; nginx = order[i] " nginx"
            # What a commit waits for is a sync of about a page, and one follows the other.
            gated = rows[key] != "-"
            own = gated ? sprintf("%.1f | %s | %.0f %% | %s", cpu[key] * answered[key] / rows[key], batch[key], commits[key] / seconds * sync / 1e4, unfiled[key]) : "- | - | - | -"
            printf "| %s | %s | %.0f | %.2f | %.2f | %.1f | %.2f | %.2f | %.2f | %s | %s | %s |\n", order[i], name[j], rate[key],
                rate[key] / rate[floor], rate[key] / rate[nginx], cpu[key], cpu[key] / cpu[nginx], p50[key], p99[key], answered[key], rows[key], own
        }
        print ""
        for (i = 1; i <= sizes; i++) for (j = 1; j <= count; j++) {
            key = order[i] " " name[j]; nginx = order[i] " nginx"; asking = order[i] " asking"
            if (rows[key] == "-") continue
            what = name[j] " at " order[i] " connections"
            verdict("requests a second over nginx, " what, rate[key] / rate[nginx], "at least 0.5", rate[key] >= 0.5 * rate[nginx])
            verdict("requests a second over nginx that asks, " what, rate[key] / rate[asking], "at least 1.2", rate[key] >= 1.2 * rate[asking])
            verdict("p99 over that of nginx, " what, p99[key] / p99[nginx], "at most 5", p99[key] <= 5 * p99[nginx])
        }
    }
' "$dir/results"
# Whoever has more threads gets more of a core that others want too: the gate has several, nginx one.
awk -v load="${load_before%% *}" 'BEGIN { if (load > 0.5) print "\nThe machine was busy (load " load "): what PASS and FAIL say here counts for nothing; CPU / nginx does." }'
if [ -n "${KEEP:-}" ]; then cp "$dir/results" "$KEEP"; fi
