#include "rate_card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MICROS = 1000000, PLACES = 6 };

struct rate_card {
    struct rate **rows;  // sorted by compare_keys
    size_t count, room;
};

struct rate_card *rate_card_new(void)
{
    return xcalloc(1, sizeof(struct rate_card));
}

void rate_card_free(struct rate_card *card)
{
    if (!card)
        return;
    for (size_t i = 0; i < card->count; i++)
        free(card->rows[i]);
    free(card->rows);
    free(card);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool rate_card_parse_micros(const char *text, size_t len, int64_t *out)
{
    int64_t value = 0;
    size_t i = 0;

    for (; i < len && is_digit(text[i]) && value <= RATE_PRICE_MAX_MICROS; i++)
        value = value * 10 + (text[i] - '0');
    if (i == 0 || value > RATE_PRICE_MAX_MICROS / MICROS)
        return false;

    bool has_point = i < len && text[i] == '.';
    size_t first = has_point ? i + 1 : i;
    if (len - first > PLACES || (has_point && first == len))
        return false;
    for (size_t place = 0; place < PLACES; place++) {
        char c = first + place < len ? text[first + place] : '0';
        if (!is_digit(c) || (!has_point && first < len))
            return false;
        value = value * 10 + (c - '0');
    }
    if (value > RATE_PRICE_MAX_MICROS)
        return false;
    *out = value;
    return true;
}

void rate_card_format_micros(char out[RATE_TEXT_BYTES], int64_t micros)
{
    uint64_t size = micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros;
    int len = snprintf(out, RATE_TEXT_BYTES, "%s%llu.%06llu", micros < 0 ? "-" : "",
                       (unsigned long long)(size / MICROS),
                       (unsigned long long)(size % MICROS));

    while (out[len - 1] == '0')
        out[--len] = '\0';
    if (out[len - 1] == '.')
        out[--len] = '\0';
}

static int compare_keys(const struct rate *a, const struct rate *b)
{
    int order = strcmp(a->country, b->country);

    if (!order)
        order = strcmp(a->sender_type, b->sender_type);
    if (!order)
        order = strcmp(a->channel, b->channel);
    return order ? order : strcmp(a->direction, b->direction);
}

// The place of the first row that is not below key.
static size_t place_of(const struct rate_card *card, const struct rate *key)
{
    size_t low = 0, high = card->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(card->rows[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words && strcmp(*words, text) != 0)
        words++;
    return *words != NULL;
}

static bool is_date(const char *text)
{
    static const char form[] = "dddd-dd-dd";

    for (size_t i = 0; i < sizeof(form); i++) {
        if (form[i] == 'd' ? !is_digit(text[i]) : text[i] != form[i])
            return false;
    }
    int month = (text[5] - '0') * 10 + text[6] - '0';
    int day = (text[8] - '0') * 10 + text[9] - '0';
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool is_country(const char *text)
{
    return strcmp(text, "*") == 0 ||
           (is_capital(text[0]) && is_capital(text[1]) && text[2] == '\0');
}

static bool is_currency(const char *text)
{
    return is_capital(text[0]) && is_capital(text[1]) && is_capital(text[2]) &&
           text[3] == '\0';
}

static bool is_price(int64_t micros)
{
    return micros >= 0 && micros <= RATE_PRICE_MAX_MICROS;
}

static enum outcome check(const struct rate *rate, struct err *err)
{
    static const char *const sender_types[] = { "number", "messaging_service",
                                                "short_code", "alphanumeric", NULL };
    static const char *const channels[] = { "sms", NULL };
    static const char *const directions[] = { "outbound", "inbound", NULL };

    if (!is_country(rate->country))
        return err_set(err, OUTCOME_REJECT, "country \"%s\" is not two capitals or *",
                       rate->country);
    if (!is_one_of(rate->sender_type, sender_types))
        return err_set(err, OUTCOME_REJECT, "sender_type \"%s\" is unknown",
                       rate->sender_type);
    if (!is_one_of(rate->channel, channels))
        return err_set(err, OUTCOME_REJECT, "channel \"%s\" is unknown", rate->channel);
    if (!is_one_of(rate->direction, directions))
        return err_set(err, OUTCOME_REJECT, "direction \"%s\" is unknown",
                       rate->direction);
    if (!is_currency(rate->currency))
        return err_set(err, OUTCOME_REJECT, "currency \"%s\" is not three capitals",
                       rate->currency);
    if (!is_date(rate->as_of))
        return err_set(err, OUTCOME_REJECT, "as_of \"%s\" is not YYYY-MM-DD",
                       rate->as_of);
    if (!is_price(rate->price_micros) || !is_price(rate->carrier_fee_micros))
        return err_set(err, OUTCOME_REJECT, "a price is out of range");
    return OUTCOME_OK;
}

enum outcome rate_card_add(struct rate_card *card, const struct rate *rate,
                           struct err *err)
{
    enum outcome rc = check(rate, err);
    if (rc)
        return rc;

    size_t place = place_of(card, rate);
    if (place < card->count && compare_keys(card->rows[place], rate) == 0)
        return err_set(err, OUTCOME_REJECT, "%s, %s, %s, %s is there already",
                       rate->country, rate->sender_type, rate->channel, rate->direction);
    if (card->count == card->room) {
        card->room = card->room ? 2 * card->room : 16;
        card->rows = xrealloc(card->rows, card->room * sizeof(struct rate *));
    }
    memmove(card->rows + place + 1, card->rows + place,
            (card->count - place) * sizeof(struct rate *));
    card->rows[place] = xcalloc(1, sizeof(*rate));
    *card->rows[place] = *rate;
    card->count++;
    return OUTCOME_OK;
}

static const struct rate *find_exactly(const struct rate_card *card,
                                       const struct rate *key)
{
    size_t place = place_of(card, key);

    if (place == card->count || compare_keys(card->rows[place], key) != 0)
        return NULL;
    return card->rows[place];
}

static bool copy_word(char *out, size_t room, const char *text)
{
    return snprintf(out, room, "%s", text) < (int)room;
}

const struct rate *rate_card_find(const struct rate_card *card, const char *country,
                                  const char *sender_type, const char *channel,
                                  const char *direction, bool *is_default)
{
    struct rate key = { 0 };
    const struct rate *found = NULL;

    if (!copy_word(key.sender_type, sizeof(key.sender_type), sender_type) ||
        !copy_word(key.channel, sizeof(key.channel), channel) ||
        !copy_word(key.direction, sizeof(key.direction), direction))
        return NULL;
    if (country && copy_word(key.country, sizeof(key.country), country))
        found = find_exactly(card, &key);
    *is_default = !found || strcmp(key.country, "*") == 0;
    if (found)
        return found;
    (void)copy_word(key.country, sizeof(key.country), "*");
    return find_exactly(card, &key);
}

int64_t rate_card_estimate(const struct rate *rate, int32_t segments)
{
    return segments * (rate->price_micros + rate->carrier_fee_micros);
}

size_t rate_card_count(const struct rate_card *card)
{
    return card->count;
}

const struct rate *rate_card_at(const struct rate_card *card, size_t i)
{
    return card->rows[i];
}
