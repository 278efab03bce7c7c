// kafka_group.h: for tests of kafka_in: one topic on mock brokers, and up to two members
// of one group that remember what they were given.
#ifndef KAFKA_GROUP_H
#define KAFKA_GROUP_H

#include "kafka_in.h"
#include "kafka_mock.h"

enum { PARTITIONS = 3, SEEN_MAX = 256 };

extern const char group_topic[], group_name[];

struct member {
    struct kafka_in *in;
    size_t ready_calls;
    size_t unacked_max;
    bool reads_when_ready, acks;  // acks: each record at once
    struct kafka_record seen[SEEN_MAX];
    size_t count, wanted;
};

struct fixture {
    struct kafka_mock mock;
    struct metrics *metrics;
    struct member a, b;
};

// For cmocka: the state is a struct fixture without members.
int kafka_group_setup(void **state);
int kafka_group_teardown(void **state);

// put_numbers adds "0", "1", ... with a key; assert_value compares with one of them.
void put_numbers(struct fixture *f, int32_t partition, int count);
void assert_value(const struct kafka_record *rec, int number);

void member_join(struct fixture *f, struct member *m);
void member_close(struct member *m);

// member_forget gives all records back; the member may be closed already.
void member_forget(struct member *m);

// member_read takes what is here now; member_read_until waits for exactly so many in
// all, and reads on whenever more come.
void member_read(struct member *m);
void member_read_until(struct fixture *f, struct member *m, size_t wanted);

bool member_is_assigned(void *member);

// member_nth is the n-th record, from 0, that the member got from the partition.
struct kafka_record *member_nth(struct member *m, int32_t partition, size_t n);
size_t member_count_of(const struct member *m, int32_t partition);

// group_committed is the group's offset of the partition.
int64_t group_committed(struct fixture *f, int32_t partition);

#endif
