-- What happened to one message, hop by hop: psql -v id=UUID -f story.sql
with hop as (
    select accepted_at as at, 1 as place, 'accepted' as what,
           format('producer: in Kafka, class %s, to %s', class, to_hint) as detail
      from messages where message_id = :'id'
    union all
    select claimed_at, 2, 'claimed',
           format('worker: turn %s, %s segment(s)', turn, segments)
      from messages where message_id = :'id'
    union all
    select answered_at, 3, 'posted',
           format('worker: %s, HTTP %s, %s', outcome, http_status, twilio_sid)
      from attempts where message_id = :'id'
    union all
    select created_at, 4, 'cost',
           format('%s of %s %s', kind, to_char(amount_micros / 1e6, 'FM9990.000000'), currency)
      from cost_entries where message_id = :'id'
    union all
    select received_at, 5, 'callback',
           format('webhook-receiver: signature is right, "%s"', word)
      from receipts where message_id = :'id'
    union all
    select recorded_at, 6, 'published',
           format('Kafka: sms.status, partition %s, offset %s, "%s"', part, off, word)
      from receipts where message_id = :'id'
)
select format('  +%s ms  %s %s',
              lpad(to_char(extract(epoch from at - min(at) over ()) * 1000, 'FM999990.0'), 8),
              rpad(what, 10), detail)
  from hop where at is not null order by at, place;

select format('  status %s, cost %s', m.status,
              coalesce((select string_agg(sum, ' and ')
                          from (select to_char(sum(amount_micros) / 1e6, 'FM9990.000000')
                                       || ' ' || currency as sum
                                  from cost_entries where message_id = m.message_id
                                 group by currency) by_currency), 'nothing'))
  from messages m where message_id = :'id';
