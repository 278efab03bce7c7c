-- Verify smsq:receipts on pg

begin;

select recorded_at, off, part, turn, message_id, received_at, error_code, rank, twilio_sid,
       word, raw
  from receipts where false;
select recorded_at, off, part, turn, message_id, received_at, error_code, rank, twilio_sid,
       status
  from receipts_unmatched where false;
do $$
begin
    assert (select count(*) from pg_inherits where inhparent = 'receipts'::regclass) >= 15,
           'receipts has too few partitions';
end
$$;

rollback;
