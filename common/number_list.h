// number_list.h: a set of telephone numbers in E.164 form, from a setting.
#ifndef NUMBER_LIST_H
#define NUMBER_LIST_H

#include "base.h"

struct number_list;

// number_list_open reads numbers that are divided by commas; blanks around them are not
// part of them, an empty text is an empty list.
//   OUTCOME_REJECT  names the first that is none by its place, not by its digits.
MUST_CHECK enum outcome number_list_open(struct number_list **out, const char *text,
                                         struct err *err);
void number_list_close(struct number_list *list);  // NULL is fine

size_t number_list_count(const struct number_list *list);
bool number_list_has(const struct number_list *list, const char *e164);

#endif
