#!/usr/bin/env bash
# What pages of the console weigh and take in front of a large rule book: tests/bench/pages.sh
#
# Starts the demo on a folder of its own, publishes ROUTES routes more, signs Olive in, and opens every place of the
# console ROUNDS times. A page is held to 60 kB on the wire and to 10 ms of rendering; the time is the whole answer's, the
# durable record of the visit included. Pages that work out something of all routes at once, such as the draft with a
# change of each, are held to their weight alone. Everything listens on 127.0.0.1, and only what was started here is ended.
#
# With RECORDS, the log first takes that many decisions (some 15,000 a second), and the search index catches up with them.
#
# Variables: ROUTES (10000), RECORDS (0), ROUNDS (20), PORT (18300: this and the next), GATE (a program built before).
set -euo pipefail
cd "$(dirname "$0")/../.."

routes=${ROUTES:-10000} records=${RECORDS:-0} rounds=${ROUNDS:-20} port=${PORT:-18300}
base=http://localhost:$port

fail() { echo "pages.sh: $*" >&2; exit 2; }

command -v curl >/dev/null || fail "\`curl\` is missing"
[ "$records" -eq 0 ] || for tool in wrk sqlite3; do
    command -v "$tool" >/dev/null || fail "\`$tool\` is missing, which RECORDS needs"
done
gate=${GATE:-}
if [ -z "$gate" ]; then
    cargo build --release --locked --quiet
    gate=${CARGO_TARGET_DIR:-target}/release/cedargate
fi

folder=$(mktemp -d)
demo=
cleanup() {
    [ -z "$demo" ] || { kill "$demo" 2>/dev/null; wait "$demo" 2>/dev/null; } || true
    rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

"$gate" demo --listen "127.0.0.1:$port" --data "$folder/data" >"$folder/out" 2>&1 &
demo=$!
for _ in $(seq 100); do grep -q "  3\." "$folder/out" && break; sleep 0.1; done
grep -q "  3\." "$folder/out" || fail "the demo did not start: $(cat "$folder/out")"

# The rule book as an operator sees it: exported, made longer, and published.
settings() {
    env CEDARGATE_PUBLIC_URL="$base" CEDARGATE_DATABASE_URL="sqlite://$folder/data/cedargate.db" \
        CEDARGATE_AUDIT__DATABASE_URL="sqlite://$folder/data/audit.db" CEDARGATE_KEYS__DIRECTORY="$folder/data/keys" \
        CEDARGATE_ENTRA__TENANT=c0de0000-7e4a-4000-8000-00000000c0de CEDARGATE_ENTRA__MFA_CONTEXT=c1 \
        CEDARGATE_ENTRA__CLIENT_ID=ca7e0000-0001-4000-8000-0000000000a1 CEDARGATE_ENTRA__CLIENT_SECRET=unused "$gate" "$@"
}
settings rules export "$folder/rules"
awk -v count="$routes" 'BEGIN { for (n = 0; n < count; n++)
    printf "\n[[app.route]]\nname = \"case-%05d\"\npattern = \"/cases/%d/%d\"\ntitle = \"Case %d\"\n", n, n / 100, n % 100, n }' \
    >>"$folder/rules/routes.toml"
awk -v count="$routes" 'BEGIN { for (n = 0; n < count; n++)
    printf "\n[[grant]]\nid = \"case-%05d\"\nwho = \"signed_in\"\nwhat = \"read\"\nroute = \"intranet/case-%05d\"\n", n, n }' \
    >>"$folder/rules/grants.toml"
settings rules import "$folder/rules" --publish --note "Many routes" >/dev/null

jar=$folder/cookies
ask() { curl --silent --show-error --location --cookie "$jar" --cookie-jar "$jar" --header "Accept: text/html" "$@"; }
picker=$(ask --output "$folder/page" --write-out '%{url_effective}' "$base/console/routes")
person=$(sed -n 's/.*name="person" value="\(olive[^"]*\)".*/\1/p' "$folder/page" | head -n 1)
[ -n "$person" ] || fail "Olive is not on the sign-in page"
ask --output /dev/null --data-urlencode "person=$person" --header "Origin: $(cut -d/ -f1-3 <<<"$picker")" "$picker"

# Decisions about a route that is open to everyone, until there are enough.
log=$folder/data/audit.db
# One writer, so places follow one another.
held() { sqlite3 -readonly "$log" "SELECT IFNULL(MAX(place) - MIN(place) + 1, 0) FROM record"; }
unfiled() {
    sqlite3 -readonly "$log" "ATTACH '$folder/data/audit-search.db' AS search;
        SELECT COUNT(*) FROM record WHERE place >= (SELECT next FROM search.progress)"
}
while [ "$(held)" -lt "$records" ]; do
    wrk -t 1 -c 128 -d 10s -H "Host: app.localhost:$port" "http://127.0.0.1:$port/" >/dev/null
done
tries=600
while [ "$records" -gt 0 ] && [ "$(unfiled)" -gt 0 ]; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "the search index did not catch up"
    sleep 1
done
[ "$records" -eq 0 ] || echo "The log holds $(held) records."

# Every place that the navigation leads to.
places=$(ask "$base/console/routes" | grep -o '<li><a href="/console/[^"]*"' | cut -d'"' -f2 || true)
[ -n "$places" ] || fail "Olive could not sign in, or the console's menu leads nowhere"
# measure MS ROUNDS PLACE...: the median of the rounds, held to MS.
measure() {
    local most=$1 times=$2 place
    shift 2
    for place in "$@"; do
        for _ in $(seq "$times"); do
            ask --output /dev/null --write-out '%{size_download} %{time_total}\n' "$base$place"
        done | sort -k2 -n | awk -v place="$place" -v most="$most" '{ bytes = $1; took[NR] = $2 * 1000 }
            END { ms = took[int((NR + 1) / 2)]; met = bytes < 60000 && ms < most ? "PASS" : "FAIL"
                printf "%s  %-46s %9d %9.1f\n", met, place, bytes, ms }'
    done
}

printf '      %-46s %9s %9s\n' place bytes ms
# Word splitting is wanted: each place is one word.
# shellcheck disable=SC2086
measure 10 "$rounds" $places "/console/decisions?q=effect%3Aallow" "/console/routes?page=100" "/console/routes?q=cases%2F42" /console/routes/intranet/case-00042
slow=60000
measure "$slow" 2 "/console/explore/what?user=olive" "/console/explore/what?user=olive&page=100" \
    /console/policies/no-guests-in-admin /console/new-policy \
    "/console/releases/1...2" "/console/releases/1...2?page=100&cedar=100"

# A draft that changes each of the routes.
sed -i 's/^title = "Case /title = "The case /' "$folder/rules/routes.toml"
sed -i '/^id = "case-/{n;s/signed_in/everyone/}' "$folder/rules/grants.toml"
settings rules import "$folder/rules" >/dev/null
measure "$slow" 2 /console/draft "/console/draft?page=100&cedar=100" /console/draft/discard /console/policies
