#!/usr/bin/env bash
# simulator.sh: how many creates one simulator takes over keep-alive, without callbacks and
# with two each: per second of the clock, per second of CPU, and the memory of a message.
# The simulator has one core to itself, wrk and the receiver of callbacks the other; what
# else runs on the machine takes from both, so the best of several runs counts.
#
#   bench/simulator.sh [SECONDS [RUNS]]   default 10 seconds, 3 runs of each
#   SMSQ_BIN=FOLDER                       of the binary; default build/release/bin
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10} runs=${2:-3}
work=$(mktemp -d)
simulator='' sink=''
trap '[[ -z $simulator$sink ]] || kill $simulator $sink; rm -rf "$work"' EXIT

start_simulator() {
    : >"$work/log"
    taskset -c 0 "${SMSQ_BIN:-build/release/bin}/smsq-twilio-simulator" --simulator.port=0 \
        2>"$work/log" &
    simulator=$!
    until port=$(grep -oP '"simulator_started".*"port":\K[0-9]+' "$work/log"); do
        kill -0 "$simulator"
        sleep 0.05
    done
}

start_sink() {
    cc -O2 -D_GNU_SOURCE -o "$work/sink" bench/sink.c
    : >"$work/sink.out"
    taskset -c 1 "$work/sink" >"$work/sink.out" &
    sink=$!
    until sink_port=$(grep -oE '^[0-9]+' "$work/sink.out"); do sleep 0.05; done
}

# User and system time of the simulator so far, in clock ticks.
ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$simulator/stat"; }
memory_kb() { awk '/VmRSS/ { print $2 }' "/proc/$simulator/status"; }
ledger() { curl -sS "http://127.0.0.1:$port/_sim/ledger"; }
post_all() {
    SMSQ_BENCH_CALLBACK=$1 taskset -c 1 wrk -t1 -c64 -d"${2}s" --latency \
        -s bench/simulator.lua "http://127.0.0.1:$port"
}

# One run on a simulator of its own; $1 is the base of the callback address, or nothing.
run() {
    start_simulator
    post_all "$1" 1 >/dev/null
    until [[ $(ledger | jq .callbacks_pending) == 0 ]]; do sleep 0.05; done
    local before=() after
    before=("$(ledger | jq .creates)" "$(ticks)" "$(memory_kb)")
    post_all "$1" "$seconds" >"$work/wrk"
    until [[ $(ledger | jq .callbacks_pending) == 0 ]]; do sleep 0.05; done
    after=$(ledger)
    awk -v rate="$(awk '/Requests\/sec/ { print $2 }' "$work/wrk")" \
        -v n=$(($(jq .creates <<<"$after") - before[0])) \
        -v cpu=$(($(ticks) - before[1])) -v hz="$(getconf CLK_TCK)" \
        -v kb=$(($(memory_kb) - before[2])) -v sent="$(jq .callbacks_sent <<<"$after")" \
        -v failed="$(jq .callbacks_failed <<<"$after")" 'BEGIN {
        printf "%6.0f creates/s; %.1f us of CPU each = %.0f/s of one core; ",
            rate, cpu * 1e6 / hz / n, n * hz / cpu
        printf "%.0f bytes each; callbacks: %d answered, %d failed\n",
            kb * 1024 / n, sent, failed
    }'
    kill "$simulator"
    wait "$simulator" || true
    simulator=''
}

echo "without callbacks"
for ((i = 0; i < runs; i++)); do run ''; done
start_sink
echo "with two callbacks each"
for ((i = 0; i < runs; i++)); do run "http://127.0.0.1:$sink_port"; done
