-- Verify smsq:messages on pg

begin;

select message_id, claimed_epoch, claimed_at, accepted_at, send_at, expires_at, sent_at,
       delivered_at, estimate_micros, client, turn, shown_turn, error_code, campaign_row,
       campaign_id, tries, rank, segments, status, class, lane, channel, mode, sender_type,
       sender, country, to_hint, currency, rate_note, reason, twilio_sid, template_ref,
       reference, traceparent, to_hash, sealed
  from messages where false;
do $$
begin
    assert (select count(*) from pg_inherits where inhparent = 'messages'::regclass) >= 15,
           'messages has too few partitions';
end
$$;

rollback;
