-- Verify smsq:receipts_signer on pg

begin;

select simulated from receipts where false;
select simulated from receipts_unmatched where false;

rollback;
