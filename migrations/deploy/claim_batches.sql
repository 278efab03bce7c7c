-- Deploy smsq:claim_batches to pg
-- What is claimed or in doubt is found by the batch in which it was claimed, and by no index
-- on messages any more: the result of a POST is a heap-only update.
--
-- Workers of before do not write these rows: stop them first.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

create table claim_batches (
    epoch       bigint not null,
    number      bigint not null check (number >= 0),
    claimed_at  timestamptz not null default now(),
    message_ids uuid[] not null check (cardinality(message_ids) > 0),
    primary key (epoch, number)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
alter table claim_batches alter column message_ids set storage external;

comment on table claim_batches is
    'One row per batch of claims: every message that is claimed or in doubt stands in one of its epoch. Goes when none of its messages is any more';
comment on column claim_batches.epoch is 'Worker epoch that claimed them (workers.epoch)';
comment on column claim_batches.number is
    'Number of the batch in its epoch; 0 = all that was held when this table was made';
comment on column claim_batches.claimed_at is 'When it was claimed';
comment on column claim_batches.message_ids is 'Messages that were won by this claim';

insert into claim_batches (epoch, number, claimed_at, message_ids)
select claimed_epoch, 0, min(claimed_at), array_agg(message_id)
  from messages where claimed_epoch is not null group by claimed_epoch;
drop index messages_claimed_epoch;

-- By "offset 0" each message is looked up by its key, in its own partition.
create view messages_held as
select b.message_id, m.turn, b.epoch as claimed_epoch, m.claimed_at, m.class, m.lane, m.status
  from (select distinct epoch, unnest(message_ids) as message_id from claim_batches) b
 cross join lateral (
       select turn, claimed_at, class, lane, status from messages
        where message_id = b.message_id and claimed_epoch = b.epoch offset 0) m;

comment on view messages_held is
    'Messages that are claimed or in doubt: under way, or of a worker that died with them';
comment on column messages_held.message_id is 'UUIDv7 given at acceptance';
comment on column messages_held.turn is 'Turn that is claimed or in doubt';
comment on column messages_held.claimed_epoch is 'Worker epoch that holds it';
comment on column messages_held.claimed_at is
    'When it was claimed or its claim was renewed last';
comment on column messages_held.class is 'otp, emergency, transactional or marketing';
comment on column messages_held.lane is 'Lane of its class';
comment on column messages_held.status is 'claimed or in_doubt';

grant select, insert, update, delete on claim_batches to smsq_worker;
grant select, delete on claim_batches to smsq_status;
grant select on messages_held to smsq_worker, smsq_status, smsq_scheduler, smsq_admin,
    smsq_analyst;
grant select on claim_batches to smsq_admin, smsq_analyst;

commit;
