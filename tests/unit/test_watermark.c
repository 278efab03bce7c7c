// The offset to commit moves only over records that are done without a gap.
#include "watermark.h"

#include "test.h"

#include <stdlib.h>

enum { ROOM = 4 };

static void done_in_order_moves_one_by_one(void **state)
{
    struct watermark w;

    (void)state;
    watermark_init(&w, ROOM);
    assert_int_equal(watermark_at(&w), -1);
    for (int64_t offset = 100; offset < 120; offset++) {
        uint32_t place = watermark_add(&w, offset);
        assert_int_equal(watermark_at(&w), offset);
        assert_true(watermark_done(&w, place, offset));
        assert_int_equal(w.next, offset + 1);
        assert_int_equal(watermark_at(&w), offset + 1);
    }
    watermark_free(&w);
}

static void a_record_that_is_not_done_holds_back_those_behind_it(void **state)
{
    struct watermark w;
    uint32_t place[ROOM];

    (void)state;
    watermark_init(&w, ROOM);
    for (int i = 0; i < ROOM; i++)
        place[i] = watermark_add(&w, 10 + i * 7);  // holes between offsets do not matter
    assert_true(watermark_is_full(&w));
    assert_false(watermark_done(&w, place[2], 24));
    assert_false(watermark_done(&w, place[1], 17));
    assert_int_equal(w.next, -1);
    assert_true(watermark_is_full(&w));
    assert_true(watermark_done(&w, place[0], 10));
    assert_int_equal(w.next, 25);
    assert_int_equal(watermark_at(&w), 31);
    assert_false(watermark_is_full(&w));
    watermark_free(&w);
}

static void repeats_and_strangers_are_ignored(void **state)
{
    struct watermark w;

    (void)state;
    watermark_init(&w, ROOM);
    assert_false(watermark_done(&w, 0, 0));  // an empty ring holds zeros: no offset 0
    uint32_t first = watermark_add(&w, 0);
    uint32_t second = watermark_add(&w, 1);
    assert_false(watermark_done(&w, second, 0));
    assert_false(watermark_done(&w, ROOM, 0));
    assert_false(watermark_done(&w, WATERMARK_NOWHERE, 0));
    assert_true(watermark_done(&w, first, 0));
    assert_false(watermark_done(&w, first, 0));
    assert_int_equal(w.next, 1);
    assert_true(watermark_done(&w, second, 1));
    assert_false(watermark_done(&w, second, 1));
    assert_int_equal(w.next, 2);
    assert_int_equal(w.count, 0);
    watermark_free(&w);
}

// A slow model of the same thing: a list of offsets and a flag for each.
static void random_work_agrees_with_a_plain_list(void **state)
{
    enum { COUNT = 20000 };
    struct item {
        int64_t offset;
        uint32_t place;
        bool done;
    } *items = xcalloc(COUNT, sizeof(*items));
    struct watermark w;
    size_t added = 0, passed = 0;
    int64_t offset = 0;

    (void)state;
    watermark_init(&w, 64);
    while (passed < COUNT) {
        if (added < COUNT && !watermark_is_full(&w) && random_below(2)) {
            offset += 1 + (int64_t)random_below(3);
            items[added++] = (struct item){ offset, watermark_add(&w, offset), false };
        } else if (added > passed) {
            struct item *item = &items[passed + random_below(added - passed)];
            bool moves = item == &items[passed];
            assert_int_equal(watermark_done(&w, item->place, item->offset), moves);
            item->done = true;
            while (passed < added && items[passed].done)
                passed++;
            assert_int_equal(w.next, passed ? items[passed - 1].offset + 1 : -1);
        }
        assert_int_equal(w.count, added - passed);
    }
    watermark_free(&w);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(done_in_order_moves_one_by_one),
        cmocka_unit_test(a_record_that_is_not_done_holds_back_those_behind_it),
        cmocka_unit_test(repeats_and_strangers_are_ignored),
        cmocka_unit_test(random_work_agrees_with_a_plain_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
