#include "sim_phone.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 1 << 14, BLOCK_DIGITS = 3 };

// Twilio reads a number without country code as one of the account's own country; its
// home region is the United States.
static const char home_country[] = "US";

// The numbers of a block differ in their last three digits only; they share length,
// possibility and country: no numbering plan divides finer.
struct place {
    char block[PHONE_E164_BYTES];
    uint8_t len;  // of the whole number
    char country[3];
};

struct sim_phone_memory {
    struct place places[PLACES];
};

struct sim_phone_memory *sim_phone_memory_new(void)
{
    return xcalloc(1, sizeof(struct sim_phone_memory));
}

void sim_phone_memory_free(struct sim_phone_memory *m)
{
    free(m);
}

static struct place *place_of(struct sim_phone_memory *m, const char *e164, size_t len)
{
    uint32_t hash = (uint32_t)len;

    for (size_t i = 1; i < len - BLOCK_DIGITS; i++)
        hash = (hash ^ (unsigned char)e164[i]) * 16777619u;
    return &m->places[(hash ^ hash >> 15) % PLACES];
}

enum outcome sim_phone_read(struct phone *out, struct sim_phone_memory *m,
                            const char *text, size_t len)
{
    struct phone phone = { 0 };

    if (len >= PHONE_E164_BYTES)
        return phone_parse(out, text, len, home_country, NULL);
    memcpy(phone.e164, text, len);
    if (!phone_is_e164(phone.e164))
        return phone_parse(out, text, len, home_country, NULL);

    struct place *place = place_of(m, phone.e164, len);
    size_t block_len = len - BLOCK_DIGITS;
    if (place->len == len && memcmp(place->block, phone.e164, block_len) == 0) {
        memcpy(phone.country, place->country, sizeof(phone.country));
        *out = phone;
        return OUTCOME_OK;
    }
    enum outcome rc = phone_parse(out, text, len, home_country, NULL);
    if (!rc && strcmp(out->e164, phone.e164) == 0) {
        *place = (struct place){ .len = (uint8_t)len };
        memcpy(place->block, phone.e164, block_len);
        memcpy(place->country, out->country, sizeof(place->country));
    }
    return rc;
}
