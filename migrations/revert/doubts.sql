-- Revert smsq:doubts from pg

begin;
set local lock_timeout = '5s';

revoke update (turn, tries) on messages from smsq_status;
revoke select on cost_entries, rate_card from smsq_status;
revoke select, insert, update on attempts from smsq_admin;
revoke all on messages, cost_entries, delayed from smsq_admin;
drop table doubts, sweeps, sweep_late;

commit;
