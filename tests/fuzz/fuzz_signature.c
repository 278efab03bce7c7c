// Signature checks: a line with the header, one with the address, then the form or body.
// No input is signed with our token, so none is valid.
#include "fuzz.h"

#include "form.h"
#include "signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct signature_keys *keys;
    struct form form = { 0 };
    struct err err;

    if (!keys && signature_keys_open(&keys, "0123456789abcdef0123456789abcdef,old", &err))
        abort();
    const uint8_t *start = data;
    char *header = fuzz_text(start, fuzz_cut(&data, &size));
    start = data;
    char *target = fuzz_text(start, fuzz_cut(&data, &size));
    char *body = fuzz_text(data, size);
    bool is_form = !form_parse(&form, body, size, &err);
    struct signature_input in = { .base = "https://user:pass@sms.example.com:8443",
                                  .target = target,
                                  .form = is_form ? &form : NULL,
                                  .body = body,
                                  .body_len = size,
                                  .header = header };
    CHECK(!signature_is_valid(keys, &in));
    in.form = NULL;
    CHECK(!signature_is_valid(keys, &in));
    if (is_form)
        form_free(&form);
    free(header);
    free(target);
    free(body);
    return 0;
}
