-- Revert smsq:roles from pg
-- A role that another database of the server uses stays.

begin;
set local lock_timeout = '5s';

reassign owned by smsq_owner to current_user;
do $$
declare
    name text;
begin
    foreach name in array array['smsq_owner', 'smsq_producer', 'smsq_worker', 'smsq_status',
                                'smsq_scheduler', 'smsq_admin', 'smsq_analyst'] loop
        execute format('drop owned by %I', name);
        execute format('alter role %I in database %I reset all', name, current_database());
        begin
            execute format('drop role %I', name);
        exception when dependent_objects_still_exist then
            null;
        end;
    end loop;
    execute format('grant connect, temporary on database %I to public', current_database());
end
$$;
grant usage on schema public to public;

commit;
