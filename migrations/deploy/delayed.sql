-- Deploy smsq:delayed to pg

begin;
set local lock_timeout = '5s';

create table delayed (
    message_id uuid not null,
    turn       integer not null check (turn >= 1),
    due        timestamptz not null,
    lane       text not null check (lane in ('urgent', 'normal', 'bulk')),
    kind       text not null check (kind in (
        'schedule', 'retry', 'released', 'doubt', 'hold')),
    primary key (message_id, turn)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 1);

create index delayed_due on delayed (lane, due);

comment on table delayed is
    'What waits for its time; the mover publishes it to its lane and deletes it. Alive only while the message waits at this turn';
comment on column delayed.message_id is 'Message that waits';
comment on column delayed.turn is 'Turn that the published record will carry';
comment on column delayed.due is 'When to publish it';
comment on column delayed.lane is 'Lane to publish it to: urgent, normal or bulk';
comment on column delayed.kind is 'Why it waits: schedule, retry, released (its worker never began), doubt (sent again), hold';

commit;
