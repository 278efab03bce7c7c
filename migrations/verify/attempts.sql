-- Verify smsq:attempts on pg

begin;

select message_id, turn, error_code, answered_at, rank, http_status, segments, twilio_sid,
       status, outcome
  from attempts where false;
do $$
begin
    assert (select count(*) from pg_inherits where inhparent = 'attempts'::regclass) >= 15,
           'attempts has too few partitions';
end
$$;

rollback;
