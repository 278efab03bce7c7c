// Phone numbers: two bytes of region, then the number. What is accepted is E.164; a valid
// one reads as the same number again (of others libphonenumber may strip a carrier's code
// twice).
#include "fuzz.h"

#include "phone.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct phone phone = { 0 }, again = { 0 };
    char hint[PHONE_HINT_BYTES];
    struct err err;

    if (size < 2)
        return 0;
    const char region[] = { (char)('A' + data[0] % 26), (char)('A' + data[1] % 26),
                            '\0' };
    char *text = fuzz_text(data + 2, size - 2);
    if (!phone_parse(&phone, text, size - 2, region, &err)) {
        CHECK(phone_is_e164(phone.e164));
        bool is_read = !phone_parse(&again, phone.e164, strlen(phone.e164), "US", &err);
        CHECK(!phone.valid || (is_read && strcmp(phone.e164, again.e164) == 0));
        phone_hint(hint, phone.country, phone.e164);
        CHECK(strlen(hint) < sizeof(hint) && utf8_is_valid(hint, strlen(hint)));
    } else {
        CHECK(err.text[0]);
    }
    free(text);
    return 0;
}
