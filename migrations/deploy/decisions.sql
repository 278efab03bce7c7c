-- Deploy smsq:decisions to pg
-- Why a message took any other way than the straight one. A row is inserted by the
-- statement that makes the change it explains, from the rows that it changed.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

create table decisions (
    message_id uuid not null,
    decided_at timestamptz not null default clock_timestamp(),
    due        timestamptz,
    turn       integer not null,
    kind       text not null,
    reason     text,
    decided_by text not null
) partition by range (message_id);

create index decisions_message_id on decisions (message_id);

comment on table decisions is
    'One row per decision about a message that is not the straight way: waits, doubts, what was found, ends by us, what people asked for';
comment on column decisions.message_id is 'Message it is about';
comment on column decisions.decided_at is 'When it was decided';
comment on column decisions.due is 'When the message goes on; null = says nothing about that';
comment on column decisions.turn is 'Turn of the message that it was about';
comment on column decisions.kind is 'What was decided: schedule, retry, hold, release, in_doubt, found, not_found, resend, expired, unknown, failed, canceled, rescheduled, timed_out, late_truth, adopted, closed';
comment on column decisions.reason is 'Why, in a word or a sentence';
comment on column decisions.decided_by is 'Program, or person behind a command';

insert into partitioned_tables (name, by_id, settings) values
    ('decisions', true, 'autovacuum_vacuum_insert_scale_factor = 0.1,'
     ' autovacuum_vacuum_cost_delay = 1');
do $$ begin perform make_partitions(13); end $$;

grant select on decisions to smsq_producer, smsq_status, smsq_admin, smsq_analyst;
grant insert on decisions to smsq_producer, smsq_worker, smsq_status, smsq_scheduler,
                             smsq_admin;

commit;
