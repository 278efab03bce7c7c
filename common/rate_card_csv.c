// The CSV form of a rate card, through libcsv.
#include "rate_card.h"

#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum column {
    COUNTRY,
    SENDER_TYPE,
    CHANNEL,
    DIRECTION,
    PRICE,
    CARRIER_FEE,
    CURRENCY,
    SOURCE,
    AS_OF,
    COLUMN_COUNT
};

static const char *const names[COLUMN_COUNT] = {
    "country",     "sender_type", "channel", "direction", "price",
    "carrier_fee", "currency",    "source",  "as_of",
};

struct parser {
    struct rate_card *card;
    struct rate rate;  // of the row that is being read
    size_t line;       // 1 = the header
    size_t column;     // next of the row
    bool header_read;
    enum outcome rc;  // of the first thing that is wrong
    struct err *err;
};

static void refuse(struct parser *p, const char *column, const char *what)
{
    if (!p->rc)
        p->rc = err_set(p->err, OUTCOME_REJECT, "line %zu: %s%s%s", p->line, column,
                        column[0] ? " " : "", what);
}

static void read_name(struct parser *p, const char *text, size_t len)
{
    const char *name = names[p->column];

    if (strlen(name) != len || memcmp(name, text, len) != 0)
        refuse(p, name, "is missing in the header");
}

static void read_text(struct parser *p, char *out, size_t room, const char *text,
                      size_t len)
{
    if (len == 0 || len >= room)
        refuse(p, names[p->column], len ? "is too long" : "is empty");
    else if (!utf8_is_valid(text, len))
        refuse(p, names[p->column], "is not UTF-8 text");
    else
        memcpy(out, text, len + 1);
}

static void read_money(struct parser *p, int64_t *out, const char *text, size_t len)
{
    if (!rate_card_parse_micros(text, len, out))
        refuse(p, names[p->column], "is not a decimal with up to six places in range");
}

static void read_field(struct parser *p, const char *text, size_t len)
{
    struct rate *r = &p->rate;

    switch ((enum column)p->column) {
    case COUNTRY:
        read_text(p, r->country, sizeof(r->country), text, len);
        break;
    case SENDER_TYPE:
        read_text(p, r->sender_type, sizeof(r->sender_type), text, len);
        break;
    case CHANNEL:
        read_text(p, r->channel, sizeof(r->channel), text, len);
        break;
    case DIRECTION:
        read_text(p, r->direction, sizeof(r->direction), text, len);
        break;
    case PRICE:
        read_money(p, &r->price_micros, text, len);
        break;
    case CARRIER_FEE:
        read_money(p, &r->carrier_fee_micros, text, len);
        break;
    case CURRENCY:
        read_text(p, r->currency, sizeof(r->currency), text, len);
        break;
    case SOURCE:
        read_text(p, r->source, sizeof(r->source), text, len);
        break;
    case AS_OF:
        read_text(p, r->as_of, sizeof(r->as_of), text, len);
        break;
    case COLUMN_COUNT:
        break;
    }
}

// libcsv calls it for each field; with CSV_APPEND_NULL a NUL stands behind it.
static void on_field(void *field, size_t len, void *arg)
{
    struct parser *p = arg;

    if (p->rc)
        return;
    if (p->column == COLUMN_COUNT)
        refuse(p, "the row", "has too many fields");
    else if (p->header_read)
        read_field(p, field, len);
    else
        read_name(p, field, len);
    p->column++;
}

static void on_row(int terminator, void *arg)
{
    struct parser *p = arg;

    (void)terminator;
    if (!p->rc && p->column < COLUMN_COUNT)
        refuse(p, names[p->column],
               p->header_read ? "and what follows is missing"
                              : "is missing in the header");
    if (!p->rc && p->header_read) {
        struct err why = { 0 };
        if (rate_card_add(p->card, &p->rate, &why))
            refuse(p, "", why.text);
    }
    p->header_read = true;
    p->column = 0;
    p->rate = (struct rate){ 0 };
}

// Lines go in one by one, so that every complaint knows its line.
static void parse_lines(struct parser *p, struct csv_parser *csv, const char *bytes,
                        size_t len)
{
    const char *end = bytes + len;

    while (bytes < end && !p->rc) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t line_len = (size_t)((newline ? newline + 1 : end) - bytes);

        p->line++;
        if (csv_parse(csv, bytes, line_len, on_field, on_row, p) != line_len)
            refuse(p, "quotes", csv_strerror(csv_error(csv)));
        bytes += line_len;
    }
    if (!p->rc && csv_fini(csv, on_field, on_row, p))
        refuse(p, "a quote", "is not closed");
    if (!p->rc && !p->header_read)
        refuse(p, "the header", "is missing");
}

enum outcome rate_card_parse(struct rate_card **out, const char *bytes, size_t len,
                             struct err *err)
{
    struct csv_parser csv;
    struct parser p = { .card = rate_card_new(), .err = err };

    if (csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL))
        abort();  // libcsv: only for a NULL parser
    parse_lines(&p, &csv, bytes, len);
    csv_free(&csv);
    if (p.rc) {
        rate_card_free(p.card);
        return p.rc;
    }
    *out = p.card;
    return OUTCOME_OK;
}

enum outcome rate_card_load(struct rate_card **out, const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");

    if (!file)
        return err_set(err, OUTCOME_REJECT, "cannot read %s: %s", path, strerror(errno));

    char *bytes = xcalloc(1, RATE_FILE_MAX_BYTES + 1);
    size_t len = fread(bytes, 1, RATE_FILE_MAX_BYTES + 1, file);
    enum outcome rc = OUTCOME_OK;

    if (ferror(file))
        rc = err_set(err, OUTCOME_REJECT, "cannot be read: %s", strerror(errno));
    else if (len > RATE_FILE_MAX_BYTES)
        rc = err_set(err, OUTCOME_REJECT, "is larger than %d bytes", RATE_FILE_MAX_BYTES);
    else
        rc = rate_card_parse(out, bytes, len, err);
    if (rc)
        err_context(err, path);
    (void)fclose(file);
    free(bytes);
    return rc;
}
