#include "metric_words.h"

#include "buf.h"
#include "metrics.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS_MAX_BYTES = 512, NUMBER_BYTES = 12 };

struct word {
    char text[METRIC_WORD_BYTES];
    struct metric *series;
};

struct metric_words {
    struct metrics *metrics;
    struct metric_words_settings set;
    size_t count;
    int last_number;  // most come many times in a row
    struct metric *last_series;
    struct word words[METRIC_WORDS_MAX + 1];  // the last may be "other"
};

static bool is_plain(const char *word)
{
    size_t len = strlen(word);

    return len > 0 && len < METRIC_WORD_BYTES &&
           strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "_-.") == len;
}

static struct metric *find(const struct metric_words *w, const char *word)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->words[i].text, word) == 0)
            return w->words[i].series;
    return NULL;
}

static struct metric *add(struct metric_words *w, const char *text)
{
    struct word *word = &w->words[w->count++];
    struct buf labels = BUF_INIT(LABELS_MAX_BYTES);

    (void)snprintf(word->text, sizeof(word->text), "%s", text);
    buf_addf(&labels, "%s%s%s=\"%s\"", w->set.labels ? w->set.labels : "",
             w->set.labels ? "," : "", w->set.label, word->text);
    assert(!labels.failed);
    word->series =
        w->set.declare(w->metrics, w->set.name, buf_text(&labels), w->set.help);
    buf_free(&labels);
    return word->series;
}

struct metric *metric_words_find(struct metric_words *w, const char *word)
{
    struct metric *series = find(w, word);

    if (series)
        return series;
    if (w->count >= w->set.max || !is_plain(word))
        word = "other";
    series = find(w, word);
    return series ? series : add(w, word);
}

struct metric_words *metric_words_new(struct metrics *m,
                                      const struct metric_words_settings *set)
{
    struct metric_words *w = xcalloc(1, sizeof(*w));

    assert(set->max <= METRIC_WORDS_MAX);
    w->metrics = m;
    w->set = *set;
    for (const char *const *word = set->first; word && *word; word++)
        (void)metric_words_find(w, *word);
    return w;
}

void metric_words_free(struct metric_words *w)
{
    free(w);
}

struct metric *metric_words_number(struct metric_words *w, int number)
{
    char text[NUMBER_BYTES];

    if (w->last_series && w->last_number == number)
        return w->last_series;
    (void)snprintf(text, sizeof(text), "%d", number);
    w->last_number = number;
    w->last_series = metric_words_find(w, text);
    return w->last_series;
}
