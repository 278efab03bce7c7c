#!/usr/bin/env bash
# simulator.sh: how many creates one simulator takes over keep-alive, the CPU time of each,
# and the memory of a message. Starts a simulator of its own on a free port.
#
#   bench/simulator.sh [SECONDS]    default 10
#   SMSQ_BIN=FOLDER                 of the binary; default build/release/bin
#   SMSQ_BENCH_CALLBACK=http://…    creates ask for callbacks there
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}
log=$(mktemp)

"${SMSQ_BIN:-build/release/bin}/smsq-twilio-simulator" --simulator.port=0 2>"$log" &
pid=$!
trap 'kill "$pid"; rm -f "$log"' EXIT
until port=$(grep -oP '"simulator_started".*"port":\K[0-9]+' "$log"); do
    kill -0 "$pid"
    sleep 0.05
done

# User and system time of the simulator so far, in clock ticks.
ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$pid/stat"; }
memory_kb() { awk '/VmRSS/ { print $2 }' "/proc/$pid/status"; }
creates() { curl -sS "http://127.0.0.1:$port/_sim/ledger" | jq .creates; }

wrk -t1 -c64 -d1s -s bench/simulator.lua "http://127.0.0.1:$port" >/dev/null
curl -sS -X POST "http://127.0.0.1:$port/_sim/reset"
ticks_before=$(ticks)
memory_before=$(memory_kb)
wrk -t1 -c64 -d"${seconds}s" --latency -s bench/simulator.lua "http://127.0.0.1:$port" |
    grep -E 'Requests/sec|99%|Non-2xx' || true
awk -v n="$(creates)" -v cpu=$(($(ticks) - ticks_before)) -v hz="$(getconf CLK_TCK)" \
    -v kb=$(($(memory_kb) - memory_before)) -v peak="$(memory_kb)" 'BEGIN {
    printf "%d creates: %.1f us of CPU and %.0f bytes each; resident in the end: %.0f MB\n",
        n, cpu * 1e6 / hz / n, kb * 1024 / n, peak / 1024
}'
curl -sS "http://127.0.0.1:$port/_sim/ledger"
