-- Revert smsq:receipts_signer from pg

begin;
set local role smsq_owner;
set local lock_timeout = '5s';

alter table receipts_unmatched drop column simulated;
alter table receipts drop column simulated;

commit;
