// raw_http.h: blocking sockets that speak HTTP byte by byte, for component tests.
#ifndef RAW_HTTP_H
#define RAW_HTTP_H

#include <stdbool.h>
#include <stddef.h>

enum { RAW_WAIT_S = 10, RAW_HEADER_BYTES = 32768 };

// An answer or a request as it came. Free with raw_free.
struct raw_message {
    char header[RAW_HEADER_BYTES];  // with the first line, up to the empty line
    char *body;                     // NUL-terminated
    size_t body_len;
    int status;  // of an answer, else 0
};

// raw_listen takes any free port of 127.0.0.1; raw_dial returns -1 when nobody listens;
// raw_take accepts one connection, -1 when none comes in RAW_WAIT_S. All reads and writes
// of these sockets end after that time too (raw_deadline sets it). raw_knock dials too,
// and does not wait until somebody answers.
int raw_listen(int *port);
int raw_dial(int port);
int raw_knock(int port);
int raw_take(int listen_fd);
void raw_deadline(int fd);

bool raw_send(int fd, const char *bytes, size_t len);
bool raw_say(int fd, const char *text);

// raw_read reads one message; false when the line ends before it does. has_body is false
// for an answer to HEAD.
bool raw_read(int fd, struct raw_message *m, bool has_body);
void raw_free(struct raw_message *m);

// raw_field returns the value of a header field, or NULL. Overwritten by the next call.
const char *raw_field(const struct raw_message *m, const char *name);

// raw_is_closed says whether the other side ended the line, by FIN or RST, and sent
// nothing before.
bool raw_is_closed(int fd);

// raw_end closes fd, with RST instead of FIN if asked.
void raw_end(int fd, bool with_reset);

#endif
