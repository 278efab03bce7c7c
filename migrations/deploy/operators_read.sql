-- Deploy smsq:operators_read to pg
-- What smsq status and smsq explain show: the ways of messages, never a number, a text, a
-- keyed hash or the raw form of a callback.

begin;
set local lock_timeout = '5s';
set local role smsq_owner;

grant select (message_id, claimed_epoch, claimed_at, accepted_at, send_at, expires_at, sent_at,
              delivered_at, estimate_micros, client, turn, shown_turn, error_code,
              campaign_row, campaign_id, tries, rank, segments, status, class, lane, channel,
              mode, sender_type, sender, country, to_hint, currency, rate_note, reason,
              twilio_sid, template_ref, reference)
   on messages to smsq_admin;
grant select (recorded_at, off, part, turn, message_id, received_at, error_code, rank,
              twilio_sid, word, simulated)
   on receipts to smsq_admin;
grant select on attempts, cost_entries, delayed, workers to smsq_admin;

commit;
