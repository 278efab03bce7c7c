-- Revert smsq:operators_read from pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

revoke select on messages, receipts, attempts, cost_entries, delayed, workers from smsq_admin;

commit;
