#!/bin/sh
# hello.sh: makes an API token, once, sends one message to the simulator and tells what became
# of it. With real credentials nothing is sent.
set -eu
umask 077
token=/run/smsq/token
export SMSQ_DATABASE_URL_FILE=/run/smsq/database.url.admin SMSQ_TOKEN_FILE=$token

if [ ! -s "$token" ]; then
    SMSQ_TOKEN_FILE='' smsq token create --client compose --scope send_sms \
        --scope view_sms_history >"$token.new"
    mv "$token.new" "$token"
fi
echo "API token: docker compose run --rm hello cat $token"

case ${TWILIO_ACCOUNT_SID:+real}:${TWILIO_TEST_MODE:-} in
real:true | real:TRUE | real:True | real:yes | real:on | real:1 | :*) ;;
*)
    echo "Twilio's credentials are set: no message is sent as a demonstration."
    exit 0
    ;;
esac

echo "Sending one message to +14155550123, which the simulator answers."
answer=$(smsq send +14155550123 --message "Hello from smsq, all the way round." --json) || {
    echo "Not accepted: $answer"
    exit 1
}
id=$(printf '%s' "$answer" | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p')

tries=0
until smsq status "$id" | grep -q delivered; do
    tries=$((tries + 1))
    [ "$tries" -lt 40 ] || { smsq status "$id" && echo "Not delivered after 20 s." && exit 1; }
    sleep 0.5
done
smsq status "$id"
