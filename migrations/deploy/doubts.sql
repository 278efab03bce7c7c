-- Deploy smsq:doubts to pg
-- What is asked about messages in doubt, and how far the sweeps for missing statuses and
-- prices have come.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

create table doubts (
    message_id    uuid primary key,
    since         timestamptz not null,
    next_look_at  timestamptz not null,
    last_empty_at timestamptz,
    turn          integer not null,
    looks         integer not null default 0,
    empty_lists   integer not null default 0,
    is_ambiguous  boolean not null default false,
    class         text not null,
    note          text
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 1000);

comment on table doubts is
    'Messages of which nobody knows whether the provider took them, and what was asked about them. Goes when the doubt ends';
comment on column doubts.message_id is 'Message in doubt';
comment on column doubts.since is 'When its POST ended without an answer that says anything, as far as is known';
comment on column doubts.next_look_at is 'When it is judged, or looked for, next';
comment on column doubts.last_empty_at is 'When the latest list came that proved nothing; null = none yet';
comment on column doubts.turn is 'Turn that is in doubt';
comment on column doubts.looks is 'How often the provider''s list was asked for';
comment on column doubts.empty_lists is 'How many of those lists came and proved nothing';
comment on column doubts.is_ambiguous is 'The latest list shows messages that may be it or another''s';
comment on column doubts.class is 'Class of the message: decides when and how the doubt ends';
comment on column doubts.note is 'What the latest look told, for people';

create table sweeps (
    name       text primary key,
    message_id uuid not null,
    turn       integer not null,
    moved_at   timestamptz not null default now()
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 200);

comment on table sweeps is
    'How far each sweep for missing statuses and prices has come; ids are in time order';
comment on column sweeps.name is 'Sweep: status or price, and the age of what it looks at';
comment on column sweeps.message_id is 'Everything up to here was looked at';
comment on column sweeps.turn is 'Turn of that message';
comment on column sweeps.moved_at is 'When it moved last';

create table sweep_late (
    message_id uuid primary key,
    next_at    timestamptz not null,
    stage      smallint not null default 0
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_threshold = 1000);
create index sweep_late_next_at on sweep_late (next_at);

comment on table sweep_late is
    'Messages that had not gone out when the first sweep passed their ids: scheduled, held, tried again. They are looked at by their own time';
comment on column sweep_late.message_id is 'Message to look at';
comment on column sweep_late.next_at is 'When to look at it next';
comment on column sweep_late.stage is 'How many looks at it are done since it went out';

grant select, insert, update, delete on doubts, sweeps, sweep_late to smsq_status;
grant update (turn, tries) on messages to smsq_status;
grant select, insert on delayed to smsq_status;
grant select on cost_entries, rate_card to smsq_status;

-- smsq doubt: people see and close what is left to them.
grant select on doubts, sweeps, decisions to smsq_admin;
grant select (message_id, claimed_at, accepted_at, expires_at, client, turn, shown_turn,
              tries, rank, status, class, lane, mode, sender, sender_type, to_hint, reason,
              reference, twilio_sid, estimate_micros, currency, rate_note, claimed_epoch,
              on_doubt),
      update (turn, status, rank, shown_turn, claimed_epoch, twilio_sid, error_code, reason,
              sent_at)
   on messages to smsq_admin;
grant select, insert, update on attempts to smsq_admin;
grant insert on cost_entries to smsq_admin;
grant select, insert on delayed to smsq_admin;
grant select on doubts, sweeps, sweep_late to smsq_analyst;

commit;
