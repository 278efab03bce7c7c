#include "loop_thread.h"

#include "reactor.h"

#include <stdlib.h>
#include <unistd.h>

static void on_wake(void *arg)
{
    struct loop_thread *loop = arg;
    loop->job(loop->job_arg);
    sem_post(&loop->job_done);
}

static void *turn(void *arg)
{
    struct loop_thread *loop = arg;
    reactor_run(loop->reactor);
    return NULL;
}

void loop_open(struct loop_thread *loop)
{
    *loop = (struct loop_thread){ 0 };
    sem_init(&loop->job_done, 0, 0);
    if (reactor_open(&loop->reactor, NULL) ||
        reactor_eventfd(&loop->wake_fd, loop->reactor, on_wake, loop, NULL))
        abort();
}

void loop_start(struct loop_thread *loop)
{
    if (pthread_create(&loop->thread, NULL, turn, loop))
        abort();
    loop->turns = true;
}

void loop_do(struct loop_thread *loop, void (*job)(void *arg), void *arg)
{
    const uint64_t one = 1;

    if (!loop->turns) {
        job(arg);
        return;
    }
    loop->job = job;
    loop->job_arg = arg;
    if (write(loop->wake_fd, &one, sizeof(one)) != sizeof(one))
        abort();
    sem_wait(&loop->job_done);
}

static void end(void *arg)
{
    struct loop_thread *loop = arg;
    reactor_stop(loop->reactor);
}

void loop_close(struct loop_thread *loop)
{
    if (loop->turns) {
        loop_do(loop, end, loop);
        pthread_join(loop->thread, NULL);
    }
    reactor_eventfd_close(loop->reactor, loop->wake_fd);
    reactor_close(loop->reactor);
    sem_destroy(&loop->job_done);
}
