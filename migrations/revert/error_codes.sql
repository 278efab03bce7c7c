-- Revert smsq:error_codes from pg

begin;
set local lock_timeout = '5s';

revoke insert on delayed from smsq_status;
revoke update (turn, tries) on messages from smsq_status;
drop table error_codes;

commit;
