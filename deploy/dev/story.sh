# shellcheck shell=bash
# story.sh: sends one message through the whole stack and tells what happened to it.

story_number=+14155550123

story() {
    local id status

    if story_would_be_real; then
        say "Twilio's credentials are set, so this stack sends for real: no message is sent" \
            "as a demonstration."
        return
    fi
    say "Sending one message to $story_number, which the simulator answers."
    id=$(smsq send "$story_number" --message "Hello from smsq, all the way round." |
        grep -oE -m 1 '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}') ||
        fail "\"smsq send\" gave no message id; its message stands above."
    status=$(story_wait "$id")
    printf '\nThe story of message %s:\n\n' "$id"
    psql -XqAt -d "$(database_url)" -v id="$id" -f deploy/dev/story.sql
    [[ $status == delivered ]] || fail "The message is \"$status\" after 20 s instead of" \
        "delivered. \"./dev logs\" tells where it is; the stack keeps running."
}

story_would_be_real() {
    local test_mode=${TWILIO_TEST_MODE:-${SMSQ_TWILIO_TEST_MODE:-false}}
    [[ -n ${TWILIO_ACCOUNT_SID:-}${SMSQ_TWILIO_ACCOUNT_SID:-}${TWILIO_ACCOUNT_SID_FILE:-} ]] &&
        [[ ! ${test_mode,,} =~ ^(true|yes|on|1)$ ]]
}

# story_wait ID writes the status once it is final, or the last one after 20 s.
story_wait() {
    local deadline=$((SECONDS + 20)) status=unknown answer

    while ((SECONDS < deadline)); do
        answer=$(curl -sS -m 5 -H "Authorization: Bearer $(<"$run/token")" \
            "$(url_of SMSQ_DEV_API_PORT)/sms/status/$1") || true
        status=$(jq -r '.status // "unknown"' <<<"$answer" 2>/dev/null) || true
        [[ $status =~ ^(delivered|failed|undelivered|expired|canceled)$ ]] && break
        sleep 0.1
    done
    printf '%s' "${status:-unknown}"
}
