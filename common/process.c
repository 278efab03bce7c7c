#include "process.h"

#include "buf.h"
#include "log.h"
#include "metrics.h"

#include <curl/curl.h>
#include <dirent.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LABELS_MAX = 256, STATM_MAX = 128, VERSION_MAX = 32 };

struct process {
    struct metric *resident, *virtual, *cpu, *fds, *fds_max;
};

// Sets both from the first two numbers of /proc/self/statm, which are pages.
static void measure_memory(struct process *p)
{
    char text[STATM_MAX] = "";
    char *rest;
    const double page = (double)sysconf(_SC_PAGESIZE);

    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (got <= 0)
        return;
    metric_set(p->virtual, (double)strtoull(text, &rest, 10) * page);
    metric_set(p->resident, (double)strtoull(rest, NULL, 10) * page);
}

static double cpu_seconds(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) < 0)
        return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double open_fds(void)
{
    double count = -1;  // the directory itself

    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            count++;
    closedir(dir);
    return count;
}

static void measure(void *arg)
{
    struct process *p = arg;

    struct rlimit files;

    measure_memory(p);
    metric_set(p->cpu, cpu_seconds());
    metric_set(p->fds, open_fds());
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        metric_set(p->fds_max, (double)files.rlim_cur);
}

struct process *process_new(struct metrics *m, const char *program)
{
    struct process *p = xcalloc(1, sizeof(*p));
    struct buf labels = BUF_INIT(LABELS_MAX);

    buf_addf(&labels, "program=\"%s\",version=\"%s\"", program, SMSQ_VERSION);
    metric_set(metrics_gauge(m, "smsq_build_info", buf_text(&labels),
                             "What runs here; always 1."),
               1);
    metric_set(metrics_gauge(m, "process_start_time_seconds", NULL,
                             "Start of the process since 1970, in seconds."),
               (double)clock_wall_us() / 1e6);
    p->resident = metrics_gauge(m, "process_resident_memory_bytes", NULL,
                                "Memory in use, in bytes.");
    p->virtual = metrics_gauge(m, "process_virtual_memory_bytes", NULL,
                               "Address space in use, in bytes.");
    p->cpu = metrics_counter(m, "process_cpu_seconds_total", NULL,
                             "CPU time of all threads, in seconds.");
    p->fds = metrics_gauge(m, "process_open_fds", NULL, "Open file descriptors.");
    p->fds_max = metrics_gauge(m, "process_max_fds", NULL,
                               "File descriptors that may be open at a time.");
    metrics_before_render(m, measure, p);
    buf_free(&labels);
    return p;
}

void process_free(struct process *p)
{
    free(p);
}

void process_raise_limits(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == files.rlim_max)
        return;
    files.rlim_cur = files.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &files);  // without it we have what we had
}

void process_hide_memory(void)
{
    const struct rlimit none = { 0, 0 };

    // The limit does not count where cores go to a pipe.
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void process_log_up(const char *admin_address, int admin_port)
{
    char libpq[VERSION_MAX];
    const int pq = PQlibVersion();

    (void)snprintf(libpq, sizeof(libpq), "%d.%d", pq / 10000, pq % 10000);
    log_line(LOG_LEVEL_INFO, "process_up", LOG_T("version", SMSQ_VERSION),
             LOG_I("pid", getpid()), LOG_T("admin_address", admin_address),
             LOG_I("admin_port", admin_port), LOG_T("librdkafka", rd_kafka_version_str()),
             LOG_T("libcurl", curl_version_info(CURLVERSION_NOW)->version),
             LOG_T("libpq", libpq),
             LOG_T("openssl", OpenSSL_version(OPENSSL_VERSION_STRING)));
}
