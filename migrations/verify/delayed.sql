-- Verify smsq:delayed on pg

begin;

select message_id, turn, due, lane, kind from delayed where false;

rollback;
