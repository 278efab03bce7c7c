-- Deploy smsq:workers to pg

begin;
set local lock_timeout = '5s';

create table workers (
    epoch        bigint primary key check (epoch > 0),
    host         text not null,
    pid          integer not null,
    version      text not null,
    started_at   timestamptz not null default now(),
    heartbeat_at timestamptz not null default now(),
    dead_at      timestamptz
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 200);

comment on table workers is
    'One row per life of a worker; claims carry its epoch, so that those of a dead one are found';
comment on column workers.epoch is '63 random bits, taken at the start of each life';
comment on column workers.host is 'Host it runs on';
comment on column workers.pid is 'Its process number';
comment on column workers.version is 'Version of the program';
comment on column workers.started_at is 'When the life began';
comment on column workers.heartbeat_at is 'Latest sign of life';
comment on column workers.dead_at is 'When it was buried: from then on no beat counts; null = alive';

commit;
