#!/usr/bin/env bash
# worker.sh: how fast one worker takes a preloaded topic to recorded results. Needs a stack of
# its own (SMSQ_RUN, ports) that ./dev up started; prints one line of figures per run.
#
#   bench/worker.sh [MESSAGES]     default 100000; BENCH_CALLBACKS=yes: with two callbacks each
set -euo pipefail
cd "$(dirname "$0")/.."
messages=${1:-100000}

say() { printf '%s\n' "$*" >&2; }
pid_of() { ./dev status --json | jq -r ".[] | select(.name == \"$1\") | .pid"; }
# User and system time of a process so far, in clock ticks.
ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }
# All backends of PostgreSQL together.
postgres_ticks() {
    local pid sum=0
    for pid in $(pgrep -P "$(pid_of postgres)"); do
        sum=$((sum + $(ticks "$pid" 2>/dev/null || echo 0)))
    done
    echo "$sum"
}
# Results that PostgreSQL has committed, as the worker itself counts: asking the table would
# be a load of its own.
written() {
    curl -sf "http://127.0.0.1:$admin/metrics" | awk '
        /^smsq_posts_total/ { posts += $2 } /^smsq_results_unwritten/ { unwritten = $2 }
        END { printf "%d", posts - unwritten }'
}

eval "$(./dev env)"
export SMSQ_TOKEN

say "Stopping the worker, preloading $messages jobs through the API."
kill -TERM "$(pid_of worker)"
while [[ $(pid_of worker) != null ]]; do sleep 0.2; done
loaded=0
while ((loaded < messages)); do
    accepted=$(wrk -t1 -c64 -d2s -s bench/send.lua "$SMSQ_API_URL" | awk '/requests in/ { print $1 }')
    loaded=$((loaded + accepted))
done

delay=86400s
[[ ${BENCH_CALLBACKS:-no} == yes ]] && delay=50ms
curl -sf "$SMSQ_SIM_URL/_sim/delays" -d "sent_delay=$delay" -d "delivered_delay=$delay" >/dev/null

say "Starting the worker on $loaded jobs."
began=$(date +%s%N)
./dev up --no-demo >/dev/null
worker=$(pid_of worker)
admin=$(./dev status --json | jq -r '.[] | select(.name == "worker") | .ports[0]')
postgres_before=$(postgres_ticks)
simulator=$(pid_of simulator)
simulator_before=$(ticks "$simulator")
first=0
while :; do
    now=$(written)
    if ((first == 0 && now > 0)); then
        first=$(date +%s%N)
        first_count=$now
    fi
    ((now >= loaded)) && break
    sleep 0.1
done
ended=$(date +%s%N)

hz=$(getconf CLK_TCK)
counted=$((now - first_count))
awk -v n="$loaded" -v c="$counted" -v ns=$((ended - first)) -v hz="$hz" \
    -v worker="$(ticks "$worker")" -v pg=$(($(postgres_ticks) - postgres_before)) \
    -v sim=$(($(ticks "$simulator") - simulator_before)) \
    -v rss="$(awk '/VmHWM/ { print $2 }' "/proc/$worker/status")" \
    -v all=$((ended - began)) 'BEGIN {
    us = 1e6 / hz
    printf "%d jobs: %.0f messages/s; CPU per message: worker %.1f us, PostgreSQL %.1f us, simulator %.1f us; worker peak memory %.1f MB; %.1f s with start-up\n",
        n, c / (ns / 1e9), worker * us / n, pg * us / n, sim * us / n, rss / 1024, all / 1e9
}'
