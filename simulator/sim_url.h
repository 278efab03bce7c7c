// sim_url.h: what the simulator reads in a StatusCallback address: is it one, its query,
// and the fragment with Twilio's connection overrides ("#rc=5&rp=all").
#ifndef SIM_URL_H
#define SIM_URL_H

#include "sim_message.h"

enum {
    SIM_URL_RETRY_4XX = 1,
    SIM_URL_RETRY_5XX = 2,
    SIM_URL_RETRY_CONNECT = 4,  // "ct": no connection
    SIM_URL_RETRY_READ = 8,     // "rt": no answer in time
    SIM_URL_RETRY_ALL = 15,
};

struct sim_url_overrides {
    int retries;         // rc: 0 to 5, default 1
    unsigned kinds;      // rp: SIM_URL_RETRY_..., default connect
    int64_t total_us;    // tt: for all tries together, default and most 15 s
    int64_t connect_us;  // ct: until a connection stands, default 5 s, most 10 s
    int64_t read_us;     // rt: for the first packet and between packets, default 15 s
};

// sim_url_is_callback: http or https, a host without underscores, nothing that may not
// stand in an address.
bool sim_url_is_callback(struct sim_text url);

// sim_url_sent_len is the length without the fragment: what is called and signed.
size_t sim_url_sent_len(const char *url);

// sim_url_query returns the first value of that name as it is written, or empty.
struct sim_text sim_url_query(const char *url, const char *name);

// sim_url_read_overrides reads the fragment; values out of range keep the default.
struct sim_url_overrides sim_url_read_overrides(const char *url);

// sim_url_may_try_again says whether a call that failed that way after so many tries is
// tried once more; elapsed_us runs from the first try to the next.
bool sim_url_may_try_again(const struct sim_url_overrides *o, int tries, unsigned failure,
                           int64_t elapsed_us);

// sim_url_left_us is what tt leaves for a try that begins so long after the first one;
// at least 1 ms.
int64_t sim_url_left_us(const struct sim_url_overrides *o, int64_t elapsed_us);

#endif
