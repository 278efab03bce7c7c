-- Verify smsq:cost_entries on pg

begin;

select message_id, created_at, amount_micros, total_micros, seq, twilio_sid, kind,
       currency, rate_note, mode
  from cost_entries where false;
do $$
begin
    assert (select count(*) from pg_inherits where inhparent = 'cost_entries'::regclass) >= 15,
           'cost_entries has too few partitions';
end
$$;

rollback;
