-- Verify smsq:workers on pg

begin;

select epoch, host, pid, version, started_at, heartbeat_at, dead_at from workers where false;

rollback;
