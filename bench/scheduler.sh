#!/usr/bin/env bash
# scheduler.sh: how fast due rows go from the table delayed to their lane. Needs a stack of its
# own (SMSQ_RUN, ports) that ./dev up started, and spoils it: the messages that it makes up
# cannot be opened by a worker. It stops the workers. Prints one line of figures.
#
#   bench/scheduler.sh [ROWS]     default 200000
set -euo pipefail
cd "$(dirname "$0")/.."
rows=${1:-200000}

say() { printf '%s\n' "$*" >&2; }
status() { ./dev status --json; }
pid_of() { status | jq -r ".[] | select(.name == \"$1\") | .pid"; }
# User and system time of a process so far, in clock ticks.
ticks() { awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }
postgres_ticks() {
    local pid sum=0
    for pid in $(pgrep -P "$(pid_of postgres)"); do
        sum=$((sum + $(ticks "$pid" 2>/dev/null || echo 0)))
    done
    echo "$sum"
}
moved() {
    curl -sf "http://127.0.0.1:$admin/metrics" | awk '/^smsq_delayed_moved_total/ { n += $2 } END { printf "%d", n }'
}
for name in $(status | jq -r '.[] | select(.pid != null and (.name | startswith("worker"))) | .name'); do
    kill -TERM "$(pid_of "$name")"
done
scheduler=$(pid_of scheduler)
admin=$(status | jq -r '.[] | select(.name == "scheduler") | .ports[0]')

say "Making $rows messages that are due, while somebody else has the lease of their lane."
./dev psql -q -v rows="$rows" <<'SQL'
insert into leases values ('mover.normal', 1, 'bench/scheduler.sh', 'infinity')
    on conflict (name) do update set holder = 1, held_by = excluded.held_by, expires_at = 'infinity';
select pg_sleep(1);
insert into messages (message_id, client, turn, status, rank, class, lane, channel, mode,
                      sender_type, sender, country, to_hint, currency, segments,
                      estimate_micros, to_hash, sealed, accepted_at, expires_at)
select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '7'
        || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid,
       1, 2, 'waiting', 0, 'transactional', 'normal', 'sms', 'simulate', 'number',
       '+15005550006', 'US', 'US …123', 'USD', 1, 7900, decode(h, 'hex'),
       decode(repeat(h, 10), 'hex'), now(), now() + interval '1 day'
  from (select md5(n::text || random()) as h from generate_series(1, :rows) n) x;
insert into delayed (message_id, turn, due, lane, kind)
select message_id, turn, now(), lane, 'retry' from messages where status = 'waiting' and turn = 2;
vacuum analyze messages, delayed;
checkpoint;
SQL

before=$(moved)
scheduler_before=$(ticks "$scheduler")
postgres_before=$(postgres_ticks)
./dev psql -q -c "delete from leases where holder = 1"
first=0
while :; do
    now=$(($(moved) - before))
    if ((first == 0 && now > 0)); then
        first=$(date +%s%N)
        first_count=$now
    fi
    ((now >= rows)) && break
    sleep 0.05
done
ended=$(date +%s%N)

awk -v n="$rows" -v c=$((now - first_count)) -v ns=$((ended - first)) -v hz="$(getconf CLK_TCK)" \
    -v scheduler=$(($(ticks "$scheduler") - scheduler_before)) -v pg=$(($(postgres_ticks) - postgres_before)) \
    -v rss="$(awk '/VmHWM/ { print $2 }' "/proc/$scheduler/status")" 'BEGIN {
    us = 1e6 / hz
    printf "%d rows: %.0f rows/s; CPU per row: scheduler %.1f us, PostgreSQL %.1f us; scheduler peak memory %.1f MB\n",
        n, c / (ns / 1e9), scheduler * us / n, pg * us / n, rss / 1024
}'
