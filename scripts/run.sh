#!/usr/bin/env bash
# Brings Sealpost up on a fresh Debian or Ubuntu machine and shows it work: a private PostgreSQL, the
# program, a receiver, one endpoint, one event inserted by SQL, and its verified delivery.
#
#   scripts/run.sh          builds, shows the delivery, then runs until Ctrl-C
#   scripts/run.sh --once   exits after the delivery
#
# Data stays in SEALPOST_DATA_DIR (default ./sealpost-data) and is used again by the next run.
# Addresses: SEALPOST_LISTEN and SEALPOST_METRICS_LISTEN, as docs/CONFIGURATION.md says.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/common.sh
. scripts/common.sh

once=no
case "${1-}" in
  '') ;;
  --once) once=yes ;;
  -h | --help)
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  *) fail "unknown argument $1; use --once or nothing" ;;
esac

install_packages "${RUN_PACKAGES[@]}"
build release --target sealpost
sealpost=$PWD/build/release/sealpost

# PostgreSQL does not run as root, and the user it runs as must be able to reach the data.
data_dir=${SEALPOST_DATA_DIR:-$PWD/sealpost-data}
if [ -z "${SEALPOST_DATA_DIR-}" ] && [ "$(id -u)" -eq 0 ] && ! runuser -u postgres -- test -x "$PWD"; then
  data_dir=/var/lib/sealpost
  say "the user postgres cannot reach $PWD; data goes to $data_dir"
fi
mkdir -p "$data_dir"
demo=$data_dir/demo
mkdir -p "$demo"
chmod 0700 "$demo"

serve_pid='' listen_pid=''
# shellcheck disable=SC2317  # called by the traps
stop() {
  trap - EXIT
  trap '' INT TERM HUP  # a second Ctrl-C would leave the programs running
  [ -z "$serve_pid$listen_pid" ] || say "stopping"
  [ -z "$serve_pid" ] || kill "$serve_pid" 2>/dev/null || true
  [ -z "$serve_pid" ] || wait "$serve_pid" 2>/dev/null || true
  [ -z "$listen_pid" ] || kill "$listen_pid" 2>/dev/null || true
  [ -z "$listen_pid" ] || wait "$listen_pid" 2>/dev/null || true
}
trap stop EXIT
trap 'stop; exit 0' INT TERM HUP

# Waits up to $1 seconds for a line of file $3 that has $4, as long as process $2 lives; prints the line.
wait_for_line() {
  local deadline=$((SECONDS + $1)) line
  while [ $SECONDS -lt $deadline ]; do
    line=$(grep -m1 -F -- "$4" "$3" || true)
    if [ -n "$line" ]; then
      printf '%s\n' "$line"
      return 0
    fi
    kill -0 "$2" 2>/dev/null || return 1
    sleep 0.02
  done
  return 1
}

# The value of a string or number in a line of JSON.
field() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }

# Each in a session of its own: Ctrl-C must reach this script only, which then stops them in order.
start_listen() { # PORT, 0 for any: sets listen_pid and port; fails if the port is taken
  setsid "$sealpost" listen --port "$1" --secret-file "$demo/secret" --json >"$demo/listen.log" 2>"$demo/listen.err" &
  listen_pid=$!
  port=$(wait_for_line 10 "$listen_pid" "$demo/listen.err" 'listening on' | sed 's/.*:\([0-9]*\)\/ .*/\1/') || true
  [ -n "$port" ]
}

api() { # METHOD PATH [BODY]: prints the answer, fails unless it is a 2xx
  local body=()
  [ -z "${3-}" ] || body=(--header 'Content-Type: application/json' --data-binary @-)
  printf '%s' "${3-}" | curl --silent --show-error --fail-with-body --max-time 10 --request "$1" \
    --header "@$demo/authorization" ${body[@]+"${body[@]}"} "$api_url$2"
}

say "starting sealpost serve (data in $data_dir, log in $demo/serve.log)"
: >"$demo/serve.log"
default_port() { if [ $once = yes ]; then echo 127.0.0.1:0; else echo "127.0.0.1:$1"; fi; }
# Plain HTTP to this machine is for the demo's receiver; the defaults refuse both.
SEALPOST_DATA_DIR=$data_dir SEALPOST_ALLOW_HTTP=true SEALPOST_ALLOW_RANGES=127.0.0.0/8 SEALPOST_LOG_FORMAT=json \
  SEALPOST_LISTEN=${SEALPOST_LISTEN:-$(default_port 8025)} \
  SEALPOST_METRICS_LISTEN=${SEALPOST_METRICS_LISTEN:-$(default_port 8026)} \
  setsid "$sealpost" serve 2>"$demo/serve.log" &
serve_pid=$!
if ! ready=$(wait_for_line 180 "$serve_pid" "$demo/serve.log" '"event":"serve.ready"'); then
  tail -n 5 "$demo/serve.log" >&2
  fail "sealpost serve did not start; what it said is above"
fi
api_url=$(field api <<<"$ready")
database_url=$(cat "$data_dir/database-url")
(
  umask 077
  printf 'Authorization: Bearer %s\n' "$(cat "$data_dir/admin-token")" >"$demo/authorization"
  [ -s "$demo/secret" ] || printf 'whsec_%s\n' "$(head -c 30 /dev/urandom | base64 -w0)" >"$demo/secret"
)

say "starting a receiver (sealpost listen)"
start_listen "$(cat "$demo/port" 2>/dev/null || echo 0)" || start_listen 0 || fail "the receiver did not start: $(cat "$demo/listen.err")"

endpoint_url=http://127.0.0.1:$port/webhooks
if endpoint=$(cat "$demo/endpoint" 2>/dev/null) && api GET "/v1/webhook-endpoints/$endpoint" >"$demo/answer"; then
  say "using the endpoint of the last run, $endpoint"
  if [ "$port" != "$(cat "$demo/port")" ]; then
    api PATCH "/v1/webhook-endpoints/$endpoint" "{\"url\": \"$endpoint_url\"}" >"$demo/answer"
  fi
else
  say "registering an endpoint, POST $api_url/v1/webhook-endpoints"
  api POST /v1/webhook-endpoints "{\"url\": \"$endpoint_url\", \"enabled_events\": [\"demo.*\"],
    \"description\": \"scripts/run.sh\", \"secret\": \"$(cat "$demo/secret")\"}" >"$demo/answer" ||
    fail "the API refused the endpoint: $(cat "$demo/answer")"
  endpoint=$(grep -o 'we_[0-9A-Z]\{26\}' "$demo/answer" | head -n 1)
  printf '%s\n' "$endpoint" >"$demo/endpoint"
fi
printf '%s\n' "$port" >"$demo/port"

say "inserting one event that is rolled back, and one that is committed"
answer=$(psql -XAtq -v ON_ERROR_STOP=1 "$database_url" <<'SQL'
BEGIN;
INSERT INTO sealpost.outbox (type, payload) VALUES ('demo.rolled_back', '{"sent": "never"}') RETURNING id;
ROLLBACK;
BEGIN;
INSERT INTO sealpost.outbox (type, payload) VALUES ('demo.greeting', '{"hello": "world"}') RETURNING id;
COMMIT;
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
SQL
)
{ read -r rolled_back && read -r event && read -r committed_us; } <<<"$answer"

arrived=$(wait_for_line 30 "$listen_pid" "$demo/listen.log" "$event") || {
  tail -n 5 "$demo/serve.log" "$demo/listen.err" >&2
  fail "event $event did not arrive within 30 s"
}
[ "$(field verified <<<"$arrived")" = true ] || fail "the signature did not verify: $arrived"
if grep -q -F "$rolled_back" "$demo/listen.log"; then fail "the rolled back event $rolled_back was sent"; fi
for _ in $(seq 100); do
  api GET "/v1/deliveries?event_id=$event&state=delivered" >"$demo/answer" || fail "$(cat "$demo/answer")"
  delivery=$(grep -o 'dlv_[0-9A-Z]\{26\}' "$demo/answer" | head -n 1) || true
  [ -z "$delivery" ] || break
  sleep 0.05
done
[ -n "$delivery" ] || fail "the delivery of $event is not recorded as delivered: $(cat "$demo/answer")"
# The statement that took the time ran after the commit, so a fast delivery may even come before it.
elapsed_us=$(($(field received_unix_us <<<"$arrived") - committed_us))
[ $elapsed_us -ge 0 ] || elapsed_us=0

cat <<TEXT

  event     $event
  delivery  $delivery
  signature verified ($(field profile <<<"$arrived")), rolled back event $rolled_back was not sent
  $((elapsed_us / 1000)).$(printf '%03d' $((elapsed_us % 1000))) ms from commit to arrival

  API       $api_url   (described at $api_url/openapi.json)
  token     $(cat "$data_dir/admin-token")
  metrics   $(field metrics <<<"$ready")/metrics
  receiver  $endpoint_url, its lines are in $demo/listen.log

  Insert another event:
    psql '$database_url' -c "INSERT INTO sealpost.outbox (type, payload) VALUES ('demo.greeting', '{\"n\": 2}')"
  See what came of it:
    curl -H "Authorization: Bearer \$(cat $data_dir/admin-token)" '$api_url/v1/deliveries'

TEXT

if [ $once = yes ]; then exit 0; fi
say "running until Ctrl-C"
while kill -0 "$serve_pid" 2>/dev/null; do
  wait "$serve_pid" || true
done
serve_pid=''
tail -n 5 "$demo/serve.log" >&2
fail "sealpost serve ended by itself; what it said is above"
