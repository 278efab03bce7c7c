// loop_thread.h: a reactor that turns in a thread of its own, so that a component test
// can play the other side with blocking calls. What belongs to the loop is touched by
// jobs.
#ifndef LOOP_THREAD_H
#define LOOP_THREAD_H

#include "base.h"

#include <pthread.h>
#include <semaphore.h>

struct reactor;

struct loop_thread {
    struct reactor *reactor;
    int wake_fd;
    void (*job)(void *arg);
    void *job_arg;
    sem_t job_done;
    pthread_t thread;
    bool turns;
};

void loop_open(struct loop_thread *loop);
void loop_start(struct loop_thread *loop);

// loop_do runs job(arg) on the loop's thread and waits until it is done; before
// loop_start it runs here.
void loop_do(struct loop_thread *loop, void (*job)(void *arg), void *arg);

// loop_close comes when all that uses the reactor is closed.
void loop_close(struct loop_thread *loop);

#endif
