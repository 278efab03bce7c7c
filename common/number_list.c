#include "number_list.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_MIN_BYTES = 8, NUMBER_MAX_BYTES = 16 };  // '+' and 7 to 15 digits

struct number_list {
    size_t count;
    char (*numbers)[NUMBER_MAX_BYTES + 1];  // sorted
};

static int compare_numbers(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool is_number(const char *text, size_t len)
{
    return len >= NUMBER_MIN_BYTES && len <= NUMBER_MAX_BYTES && text[0] == '+' &&
           text[1] != '0' && strspn(text + 1, "0123456789") >= len - 1;
}

static enum outcome add(struct number_list *list, const char *text, size_t len,
                        struct err *err)
{
    for (; len > 0 && text[0] == ' '; text++)
        len--;
    while (len > 0 && text[len - 1] == ' ')
        len--;
    if (!is_number(text, len))
        return err_set(err, OUTCOME_REJECT, "number %zu is not like +15551234567",
                       list->count + 1);
    list->numbers = xrealloc(list->numbers, (list->count + 1) * sizeof(*list->numbers));
    memcpy(list->numbers[list->count], text, len);
    list->numbers[list->count++][len] = '\0';
    return OUTCOME_OK;
}

enum outcome number_list_open(struct number_list **out, const char *text, struct err *err)
{
    struct number_list *list = xcalloc(1, sizeof(*list));

    while (*text) {
        size_t len = strcspn(text, ",");
        if (add(list, text, len, err)) {
            number_list_close(list);
            return OUTCOME_REJECT;
        }
        text += len + (text[len] == ',');
    }
    if (list->count > 0)
        qsort(list->numbers, list->count, sizeof(*list->numbers), compare_numbers);
    *out = list;
    return OUTCOME_OK;
}

void number_list_close(struct number_list *list)
{
    if (!list)
        return;
    free(list->numbers);
    free(list);
}

size_t number_list_count(const struct number_list *list)
{
    return list->count;
}

bool number_list_has(const struct number_list *list, const char *e164)
{
    return list->count > 0 && bsearch(e164, list->numbers, list->count,
                                      sizeof(*list->numbers), compare_numbers) != NULL;
}
