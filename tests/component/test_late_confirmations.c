// Kafka confirms a request's record while the program closes already: its sender still
// hears of it, and what answers is still there.
#include "buf.h"
#include "kafka_mock.h"
#include "keys.h"
#include "log.h"
#include "pg.h"
#include "producer.h"
#include "raw_http.h"
#include "reactor.h"
#include "receiver.h"
#include "token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HEX64      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TOKEN      "00000000000000000000000000000002"
#define PUBLIC_URL "https://sms.example.org"
#define T(text)    ((char *)(uintptr_t)(text))

enum { PRODUCE_API = 0, LATE_MS = 2500, DEADLINE_US = 300000, PATIENCE_MS = 10000 };

static const struct account_settings account = {
    .test_mode = true,
    .base_url = T("https://api.twilio.com"),
    .simulator_url = T("http://127.0.0.1:1"),
    .simulator_account_sid = T("AC00000000000000000000000000000001"),
    .simulator_auth_token = T(TOKEN),
    .public_url = T(PUBLIC_URL),
};
static const struct keys_settings keys_set = { T(HEX64), T("1:" HEX64) };
static const struct service_settings service = {
    .admin_address = T("127.0.0.1"),
    .log_level = T("error"),
    .stop_deadline_us = DEADLINE_US,
};

static int free_port(void)
{
    int port, fd = raw_listen(&port);
    close(fd);
    return port;
}

// Sends the request, again while it is answered 503: Kafka's client is new.
static int send_until_taken(int port, const char *request)
{
    for (int i = 0; i < PATIENCE_MS / 20; i++) {
        int fd = raw_dial(port);
        if (fd >= 0 && raw_say(fd, request)) {
            struct timeval soon = { .tv_usec = 200000 };
            char byte;
            (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
            if (recv(fd, &byte, 1, MSG_PEEK) < 0) {
                raw_deadline(fd);
                return fd;  // no answer: it waits for Kafka
            }
        }
        if (fd >= 0)
            close(fd);
        (void)usleep(20000);
    }
    fail_msg("the request is never taken");
    return -1;
}

static void assert_answer(int fd, int status)
{
    struct raw_message m;

    assert_true(raw_read(fd, &m, true));
    print_message("%d %s\n", m.status, m.body);
    assert_int_equal(m.status, status);
    raw_free(&m);
    close(fd);
}

static void delay_confirmations(struct kafka_mock *mock)
{
    for (int i = 0; i < 2; i++)
        rd_kafka_mock_broker_push_request_error_rtts(mock->cluster, MOCK_BROKER,
                                                     PRODUCE_API, 1,
                                                     RD_KAFKA_RESP_ERR_NO_ERROR, LATE_MS);
}

static void *run_receiver(void *arg)
{
    struct err err = { 0 };
    assert_int_equal(receiver_run(arg, &err), OUTCOME_FATAL);
    return NULL;
}

// X-Twilio-Signature: HMAC-SHA1 over the URL and the sorted parameters.
static void sign(struct buf *out, const char *text)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    HMAC(EVP_sha1(), TOKEN, (int)strlen(TOKEN), (const unsigned char *)text, strlen(text),
         mac, &len);
    buf_add_base64(out, mac, len);
}

static void a_callback_gets_its_204_while_the_receiver_closes(void **state)
{
    static const char form[] =
        "MessageSid=SM0123456789abcdef0123456789abcdef&MessageStatus=sent";
    struct kafka_mock mock;
    struct receiver *receiver;
    struct buf signature = BUF_INIT(64), request = BUF_INIT(1024);
    struct err err = { 0 };
    pthread_t thread;

    (void)state;
    kafka_mock_open(&mock, TOPIC_STATUS, 1);
    const struct receiver_settings set = { .account = account,
                                           .kafka = mock.settings,
                                           .keys = keys_set,
                                           .service = service,
                                           .address = T("127.0.0.1"),
                                           .port = free_port(),
                                           .connections_max = 10,
                                           .limits = http_limits_default };
    sign(&signature, PUBLIC_URL "/sms/webhook/status"
                                "MessageSidSM0123456789abcdef0123456789abcdef"
                                "MessageStatussent");
    buf_addf(&request,
             "POST /sms/webhook/status HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: %s\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             signature.bytes, strlen(form), form);
    delay_confirmations(&mock);
    if (receiver_open(&receiver, &set, &err))
        fail_msg("%s", err.text);
    assert_int_equal(pthread_create(&thread, NULL, run_receiver, receiver), 0);
    int fd = send_until_taken((int)set.port, request.bytes);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    pthread_join(thread, NULL);
    receiver_close(receiver);
    assert_answer(fd, 204);
    kafka_mock_close(&mock);
    buf_free(&signature);
    buf_free(&request);
}

static void *run_producer(void *arg)
{
    struct err err = { 0 };
    assert_int_equal(producer_run(arg, &err), OUTCOME_FATAL);
    return NULL;
}

// Returns the token; static.
static const char *let_in(struct pg *pg)
{
    static char token[TOKEN_TEXT_BYTES];
    struct token_name name;
    struct keys keys;
    unsigned char hash[KEY_BYTES];
    char hex[2 * KEY_BYTES + 1];
    struct buf sql = BUF_INIT(1024);

    assert_int_equal(keys_open(&keys, &keys_set, NULL), OUTCOME_OK);
    token_make(token, &name, ACCOUNT_LIVE);
    keys_token_hash(&keys, token, strlen(token), hash);
    keys_close(&keys);
    hex_encode(hex, hash, sizeof(hash));
    buf_addf(&sql,
             "with c as (insert into clients (name) values ('test') returning client_id)"
             " insert into api_tokens (client_id, token_hash, key_id, shown_prefix,"
             "                         scopes)"
             " select client_id, '\\x%s', '%s', 'smsq_live', '{send_sms}' from c",
             hex, name.key_id);
    pg_exec(pg, sql.bytes);
    buf_free(&sql);
    pg_exec(pg, "insert into rate_card (country, sender_type, channel, direction,"
                " price_micros, carrier_fee_micros, currency, source, as_of)"
                " values ('*', 'number', 'sms', 'outbound', 1, 1, 'USD', 'x', now())");
    return token;
}

static void a_request_gets_its_202_while_the_producer_closes(void **state)
{
    static const char json[] = "{\"to\":\"+14155552671\",\"body\":\"Hi\"}";
    struct pg *pg = pg_start(PG_MIGRATED);
    struct kafka_mock mock;
    struct producer *producer;
    struct buf request = BUF_INIT(1024);
    struct err err = { 0 };
    pthread_t thread;

    (void)state;
    const char *token = let_in(pg);
    kafka_mock_open(&mock, TOPIC_JOBS_NORMAL, 1);
    const struct producer_settings set = {
        .account = account,
        .kafka = mock.settings,
        .db = { T(pg_url(pg)), 30000000 },
        .keys = keys_set,
        .service = service,
        .address = T("127.0.0.1"),
        .port = free_port(),
        .connections_max = 10,
        .limits = http_limits_default,
        .queue_max = 100,
        .default_region = T("US"),
        .useful_us = { 60000000, 60000000, 60000000, 60000000 },
    };
    buf_addf(&request,
             "POST /sms/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             token, strlen(json), json);
    delay_confirmations(&mock);
    if (producer_open(&producer, &set, &err))
        fail_msg("%s", err.text);
    assert_int_equal(pthread_create(&thread, NULL, run_producer, producer), 0);
    int fd = send_until_taken((int)set.port, request.bytes);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    pthread_join(thread, NULL);
    producer_close(producer);
    assert_answer(fd, 202);
    kafka_mock_close(&mock);
    buf_free(&request);
    pg_stop(pg);
}

static int prepare(void **state)
{
    (void)state;
    stop_install();
    log_level_set(LOG_LEVEL_ERROR);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_callback_gets_its_204_while_the_receiver_closes),
        cmocka_unit_test(a_request_gets_its_202_while_the_producer_closes),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
