// process.h: what a program says about itself: its metrics and its first log line.
#ifndef PROCESS_H
#define PROCESS_H

#include "base.h"

struct metrics;
struct process;

// process_new declares smsq_build_info and the names that Prometheus' own clients give
// every process: process_… (memory, CPU time, open file descriptors, start time), read
// afresh at each rendering. Free it after the metrics.
struct process *process_new(struct metrics *m, const char *program);
void process_free(struct process *p);

// process_raise_limits allows as many open files as the system lets us have: a shell
// gives 1024, and connections may be more.
void process_raise_limits(void);

// process_hide_memory forbids core dumps and other users' debuggers.
void process_hide_memory(void);

// process_log_up writes process_up: version, versions of the libraries, admin port.
void process_log_up(const char *admin_address, int admin_port);

#endif
