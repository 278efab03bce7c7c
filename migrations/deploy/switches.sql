-- Deploy smsq:switches to pg
-- What holds messages back: breakers of accounts and senders, which workers open and close,
-- and what operators switch.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

create table switches (
    name        text primary key,
    scope       text not null check (scope in ('account', 'sender', 'class')),
    state       text not null check (state in ('closed', 'open', 'off', 'on')),
    since       timestamptz not null default now(),
    probe_at    timestamptz,
    prober      bigint,
    probes      smallint not null default 0,
    code        integer,
    http_status smallint,
    reason      text,
    changed_by  text not null,
    constraint switches_scope_state
        check (state = 'closed' or (scope = 'class') = (state = 'on')),
    constraint switches_probe_at check ((probe_at is not null) = (state = 'open'))
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 200);

comment on table switches is
    'What holds messages back; without a row nothing does. Every worker reads it each second';
comment on column switches.name is 'account/twilio, account/simulator, sender/<From or Messaging Service SID>, emergency_only';
comment on column switches.scope is 'What it holds: all of an account, all of a sender, all classes but emergency';
comment on column switches.state is 'closed: flows; open: stopped by a worker, a probe closes it; off: stopped by a person; on: emergency-only';
comment on column switches.since is 'When the state began';
comment on column switches.probe_at is 'Open: from then on one worker may post one message to find out';
comment on column switches.prober is 'Random bits of the worker that asked for the probe; it is the only one until probe_at';
comment on column switches.probes is 'How often it opened or a probe failed without five good minutes between; the wait doubles with it';
comment on column switches.code is 'Provider''s error code that opened it; null = none';
comment on column switches.http_status is 'HTTP status that opened it; null = no answer, or another reason';
comment on column switches.reason is 'Why, a sentence for people';
comment on column switches.changed_by is 'Program and its host, or the person behind a command';

grant select, insert, update on switches to smsq_worker;
grant select, insert, update on switches to smsq_admin;
grant select on switches to smsq_producer, smsq_status, smsq_scheduler, smsq_analyst;

commit;
