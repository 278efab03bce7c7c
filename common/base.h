// base.h: the few words every file uses: outcomes, error texts, allocation, time.
#ifndef BASE_H
#define BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define COUNT_OF(array)        (sizeof(array) / sizeof((array)[0]))

// An outcome tells the caller what to do next; causes are text, in struct err.
enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_RETRY,   // the same input may work later
    OUTCOME_REJECT,  // the same input never works
    OUTCOME_FATAL,   // this process cannot go on
};

enum { ERR_TEXT_BYTES = 512 };

// The text is written by the lowest layer that understands the failure; it is lower
// case, without a full stop, complete enough to print as it is. Zero-initialise it.
struct err {
    char text[ERR_TEXT_BYTES];
};

// err_set writes the text, cut to fit, and returns rc. err may be NULL.
enum outcome err_set(struct err *err, enum outcome rc, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

// err_context puts "what: " in front of the text that is there already.
void err_context(struct err *err, const char *what);

// xcalloc, xstrdup and friends stop the process when memory is out.
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xmemdup0(const void *bytes, size_t len);  // adds a NUL behind len bytes

// clock_wall_us is UTC in microseconds since 1970; clock_boot_us never goes back and
// counts while the machine sleeps (CLOCK_BOOTTIME).
int64_t clock_wall_us(void);
int64_t clock_boot_us(void);

// random_bytes fills from getrandom(2); random_below is uniform in [0, limit), limit > 0.
void random_bytes(void *out, size_t len);
uint64_t random_below(uint64_t limit);

// hex_encode writes 2 * len digits and a NUL. hex_decode wants exactly 2 * len digits,
// upper or lower case, and returns false otherwise.
void hex_encode(char *out, const void *bytes, size_t len);
MUST_CHECK bool hex_decode(void *out, size_t len, const char *hex, size_t hex_len);

// utf8_is_valid accepts well-formed UTF-8 without NUL (RFC 3629: no surrogates, no
// overlong forms).
bool utf8_is_valid(const char *text, size_t len);

#endif
