#!/usr/bin/env bash
# access.sh: what tokens, limits and metrics cost POST /sms/send: the producer as it is
# against one without them, turn by turn. Needs a stack of its own (SMSQ_RUN, ports) that
# ./dev up started; its workers are stopped meanwhile.
#
#   bench/access.sh [ROUNDS [SECONDS]]    default 8 rounds of 2 s twice for each of both
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-8} seconds=${2:-2}
run=${SMSQ_RUN:-.run}
folder=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT

eval "$(./dev env)"
cmake --build build/release --target smsq-producer-open >/dev/null
# A limit that is reckoned each time and never reached.
SMSQ_TOKEN=$("$SMSQ_BIN/smsq" token create --client bench --scope send_sms --rate 1000000 2>/dev/null)
export SMSQ_TOKEN
./dev status --json | jq -r '.[] | select(.name | test("worker|scheduler")) | .pid // empty' |
    xargs -r kill -TERM

# start NAME BINARY sets port[NAME] and pid[NAME].
declare -A port pid
start() {
    env -u SMSQ_DATABASE_URL SMSQ_DATABASE_URL_FILE="$run/secrets/url_smsq_producer" \
        "$2" --producer.port=0 --producer.admin_port=0 --log.level=error \
        >"$folder/$1.log" 2>&1 &
    pid[$1]=$!
    pids+=("$!")
    until port[$1]=$(ss -Hltnp | grep "pid=${pid[$1]}," | awk '{ sub(/.*:/, "", $4); print $4 }' |
        while read -r p; do curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$p/sms/send" |
            grep -q 405 && echo "$p" || true; done) && [[ -n ${port[$1]} ]] &&
        curl -fs -o /dev/null "http://127.0.0.1:${port[$1]}/readyz"; do
        kill -0 "${pid[$1]}"
        sleep 0.1
    done
}
# User and system time of a process so far, in clock ticks.
ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }
# measure NAME writes requests, requests per second, and microseconds of CPU for each.
measure() {
    local before figures
    before=$(ticks "${pid[$1]}")
    figures=$(wrk -t1 -c64 -d"${seconds}s" -s bench/send.lua "http://127.0.0.1:${port[$1]}")
    ! grep -q 'Non-2xx' <<<"$figures" || { echo "$figures" >&2 && exit 1; }
    awk -v cpu=$(($(ticks "${pid[$1]}") - before)) -v hz="$(getconf CLK_TCK)" '
        /requests in/ { n = $1 } /Requests\/sec/ { rate = $2 }
        END { printf "%d %.0f %.2f\n", n, rate, cpu * 1e6 / hz / n }' <<<"$figures"
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

start on "$SMSQ_BIN/smsq-producer"
start off "build/release/bin/smsq-producer-open"
for name in on off; do measure "$name" >/dev/null; done
for ((i = 0; i < rounds; i++)); do
    for name in on off off on; do measure "$name" >>"$folder/$name"; done
done
# The least of many is what a run costs when nobody else disturbs it.
least() { sort -n | head -n 1; }
most() { sort -n | tail -n 1; }
column() { cut -d' ' -f"$2" "$folder/$1"; }
for name in on off; do
    printf '%-3s  %d runs: median %s requests/s, best %s; CPU of each: median %s us, least %s us\n' \
        "$name" $((2 * rounds)) "$(column $name 2 | median)" "$(column $name 2 | most)" \
        "$(column $name 3 | median)" "$(column $name 3 | least)"
done
awk -v on="$(column on 2 | median)" -v off="$(column off 2 | median)" \
    -v best_on="$(column on 2 | most)" -v best_off="$(column off 2 | most)" \
    -v cpu_on="$(column on 3 | least)" -v cpu_off="$(column off 3 | least)" 'BEGIN {
    printf "throughput lost: %.1f %% (median), %.1f %% (best); least CPU: %.1f %% more\n",
        100 * (1 - on / off), 100 * (1 - best_on / best_off), 100 * (cpu_on / cpu_off - 1) }'
