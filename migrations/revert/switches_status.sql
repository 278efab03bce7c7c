-- Revert smsq:switches_status from pg

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

revoke insert, update on switches from smsq_status;

comment on column switches.state is
    'closed: flows; open: stopped by a worker, a probe closes it; off: stopped by a person; on: emergency-only';

commit;
