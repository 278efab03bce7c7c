-- Revert smsq:claim_batches from pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

drop view messages_held;
drop table claim_batches;
create index messages_claimed_epoch on messages (claimed_epoch)
    where claimed_epoch is not null;

commit;
