// metric_words.h: counters or histograms of one name whose last label is a word that is
// known only when it comes: a reason, a code, a currency. The number of words is bounded;
// what comes beyond it, or is no plain word, is counted as "other".
#ifndef METRIC_WORDS_H
#define METRIC_WORDS_H

#include "base.h"

struct metric;
struct metric_words;
struct metrics;

enum { METRIC_WORD_BYTES = 48, METRIC_WORDS_MAX = 64 };

struct metric_words_settings {
    const char *name;    // of the metric; borrowed, as all here
    const char *labels;  // further labels, in front of the word's; NULL = none
    const char *label;   // name of the word's label
    const char *help;
    size_t max;  // words, METRIC_WORDS_MAX at most
    // Shown from the start, with 0: a rate needs something to begin with. NULL-ended.
    const char *const *first;
    // Makes the series: metrics_counter or metrics_latencies.
    struct metric *(*declare)(struct metrics *m, const char *name, const char *labels,
                              const char *help);
};

// metric_words_new copies set; its texts and m must live longer. metric_words_free
// accepts NULL and leaves the series to m.
struct metric_words *metric_words_new(struct metrics *m,
                                      const struct metric_words_settings *set);
void metric_words_free(struct metric_words *w);

// metric_words_find returns the series of word, which is copied at its first coming.
struct metric *metric_words_find(struct metric_words *w, const char *word);

// metric_words_number is the same for a number: an HTTP status, an error code.
struct metric *metric_words_number(struct metric_words *w, int number);

#endif
