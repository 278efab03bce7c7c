// terminal.h: what is printed for people: text that cannot command their terminal,
// colours only where somebody sees them, and progress of what takes longer than a second.
#ifndef TERMINAL_H
#define TERMINAL_H

#include "base.h"

#include <stdio.h>

struct buf;

// terminal_add appends text with everything that is no printable UTF-8 escaped: "\n",
// "\u001b", "\u202e" for controls and for characters that turn the direction of writing,
// "\xff" for bytes that are no UTF-8. JSON stays the same JSON. terminal_print writes it
// to a stream.
void terminal_add(struct buf *out, const char *text, size_t len);
void terminal_print(FILE *to, const char *text, size_t len);

enum terminal_colour { TERMINAL_PLAIN, TERMINAL_GREEN, TERMINAL_RED, TERMINAL_YELLOW };

// terminal_colour prints text like terminal_print, in a colour if the stream is a
// terminal, NO_COLOR is not set or empty, and TERM is not "dumb".
void terminal_colour(FILE *to, enum terminal_colour colour, const char *text);

// A bar on standard error: nothing is shown unless that is a terminal, and before one
// second is over. All zero: not begun.
struct progress {
    const char *what;  // "replayed"
    uint64_t total;
    int64_t began_us, shown_us;
    bool is_shown;
};

// progress_begin keeps what, a literal. progress_at says how many are done; progress_end
// wipes the bar.
void progress_begin(struct progress *p, const char *what, uint64_t total);
void progress_at(struct progress *p, uint64_t done);
void progress_end(struct progress *p);

#endif
