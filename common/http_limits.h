// http_limits.h: what outsiders may take of an HTTP server, as settings.
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

#include "base.h"

// Times are absolute: no byte that comes moves them. A server reads them at each use, so
// they may change while it runs.
struct http_limits {
    int64_t header_timeout_us;  // http.header_timeout: to send a head, then 408
    int64_t body_timeout_us;    // http.body_timeout: to send a body, then 408
    int64_t idle_timeout_us;    // http.idle_timeout: between requests, then closed
    int64_t write_timeout_us;   // http.write_timeout: to take an answer, then closed
    int64_t requests_per_connection;  // http.requests_per_connection, then closed
    int64_t connections_per_address;  // http.connections_per_address, 0 = any; then 503
    int64_t bodies_max_bytes;         // http.bodies_max, of all requests; then 503
};

// For servers that are not open to strangers; no limit per address.
extern const struct http_limits http_limits_default;

#define HTTP_LIMIT(base, field) ((base) + offsetof(struct http_limits, field))
#define HTTP_SETTINGS(base)                                                              \
    { "http.header_timeout",                                                             \
      SETTING_US | SETTING_LIVE,                                                         \
      HTTP_LIMIT(base, header_timeout_us),                                               \
      "5s",                                                                              \
      100000,                                                                            \
      600000000,                                                                         \
      NULL,                                                                              \
      "how long the head of a request may take to come, however it drips; then 408" },   \
        { "http.body_timeout",                                                           \
          SETTING_US | SETTING_LIVE,                                                     \
          HTTP_LIMIT(base, body_timeout_us),                                             \
          "15s",                                                                         \
          100000,                                                                        \
          600000000,                                                                     \
          NULL,                                                                          \
          "how long the body of a request may take to come; then 408" },                 \
        { "http.idle_timeout",                                                           \
          SETTING_US | SETTING_LIVE,                                                     \
          HTTP_LIMIT(base, idle_timeout_us),                                             \
          "75s",                                                                         \
          100000,                                                                        \
          86400000000,                                                                   \
          NULL,                                                                          \
          "how long a connection may be idle between requests; longer than in a proxy "  \
          "in front" },                                                                  \
        { "http.write_timeout",                                                          \
          SETTING_US | SETTING_LIVE,                                                     \
          HTTP_LIMIT(base, write_timeout_us),                                            \
          "15s",                                                                         \
          100000,                                                                        \
          600000000,                                                                     \
          NULL,                                                                          \
          "how long a client may take to read an answer; then it is cut off" },          \
        { "http.requests_per_connection",                                                \
          SETTING_COUNT | SETTING_LIVE,                                                  \
          HTTP_LIMIT(base, requests_per_connection),                                     \
          "10000",                                                                       \
          1,                                                                             \
          1000000000,                                                                    \
          NULL,                                                                          \
          "requests on one connection; the last is answered with Connection: close" },   \
        { "http.connections_per_address",                                                \
          SETTING_COUNT | SETTING_LIVE,                                                  \
          HTTP_LIMIT(base, connections_per_address),                                     \
          "2500",                                                                        \
          0,                                                                             \
          100000,                                                                        \
          NULL,                                                                          \
          "connections from one address (IPv6: one /64) at a time, then 503; 0 = no "    \
          "limit, for a server behind a proxy" },                                        \
    {                                                                                    \
        "http.bodies_max", SETTING_COUNT | SETTING_LIVE,                                 \
            HTTP_LIMIT(base, bodies_max_bytes), "268435456", 1, 1099511627776, NULL,     \
            "bytes that the bodies of all requests in hand may take together; then 503"  \
    }

#endif
