-- Deploy smsq:switches_status to pg
-- A failure that the provider reports later turns its sender, or the account, off.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

grant insert, update on switches to smsq_status;

comment on column switches.state is
    'closed: flows; open: stopped by a worker, a probe closes it; off: stopped by a person, or by a failure reported later, and a person turns it on; on: emergency-only';

commit;
