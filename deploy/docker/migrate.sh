#!/bin/sh
# migrate.sh: brings the database to the newest migration, gives each program's role its
# password, makes missing topics, loads the rate card. Everything may be done again.
#
#   /run/smsq/owner.url         PostgreSQL address of a superuser, or of a member of smsq_owner
#   /run/smsq/password.ROLE     password of smsq_ROLE; a role without a file keeps its own
#   /run/smsq/database.url.admin  address for the role smsq_admin
set -eu
folder=/run/smsq
owner=$(cat "$folder/owner.url")

echo "Bringing the database to the newest migration."
export HOME=/tmp SQITCH_FULLNAME=smsq SQITCH_EMAIL=smsq@localhost
cd /usr/share/smsq/migrations
sqitch deploy --verify "db:pg:${owner#postgresql:}"

for role in producer worker status scheduler admin; do
    [ -s "$folder/password.$role" ] || continue
    echo "Setting the password of smsq_$role."
    psql -Xq -v ON_ERROR_STOP=1 -d "$owner" <<SQL
\set password \`cat $folder/password.$role\`
alter role smsq_$role login password :'password';
SQL
done

echo "Making missing partitions and topics, loading the rate card."
psql -XqAt -v ON_ERROR_STOP=1 -d "$owner" -c 'select make_partitions(13)' >/dev/null
smsq topics create
SMSQ_DATABASE_URL_FILE=$folder/database.url.admin smsq rates load /usr/share/smsq/rate_card.csv
echo "Done."
