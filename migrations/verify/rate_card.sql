-- Verify smsq:rate_card on pg

begin;

select country, sender_type, channel, direction, price_micros, carrier_fee_micros, currency,
       source, as_of, loaded_at
  from rate_card where false;

rollback;
