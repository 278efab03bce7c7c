// token.h: the form of an API token,
//
//     smsq_MODE_KEYID_SECRETCHECK
//
// MODE is simulate, listed or live. KEYID are 12 characters of 0-9 A-Z a-z that name the
// token in public. The secret are 43 such characters: more than 256 random bits. CHECK
// are the last six, the CRC-32 (that of zlib) of all in front of them: a token that was
// mistyped is refused without being looked up, and scanners for secrets know what they
// found.
#ifndef TOKEN_H
#define TOKEN_H

#include "account.h"
#include "base.h"

enum {
    TOKEN_KEY_ID_LEN = 12,
    TOKEN_SECRET_LEN = 43,
    TOKEN_CHECK_LEN = 6,
    TOKEN_TEXT_BYTES =
        sizeof("smsq_simulate__") + TOKEN_KEY_ID_LEN + TOKEN_SECRET_LEN + TOKEN_CHECK_LEN,
};

struct token_name {
    enum account_mode mode;
    char key_id[TOKEN_KEY_ID_LEN + 1];
};

// token_make writes a new random token of this mode, and its name.
void token_make(char out[TOKEN_TEXT_BYTES], struct token_name *name,
                enum account_mode mode);

// token_parse reads the name of a token. False: the text has not the form, or its check
// sum is wrong.
MUST_CHECK bool token_parse(struct token_name *out, const char *text, size_t len);

#endif
