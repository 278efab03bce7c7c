// http_refusal.h: why the HTTP server answers a request by itself, without a handler.
#ifndef HTTP_REFUSAL_H
#define HTTP_REFUSAL_H

enum http_refusal {
    HTTP_REFUSAL_NONE,
    HTTP_REFUSAL_OPTIONS,      // 204, not an error: it asked what it may do
    HTTP_REFUSAL_MALFORMED,    // 400
    HTTP_REFUSAL_PATH,         // 404
    HTTP_REFUSAL_METHOD,       // 405
    HTTP_REFUSAL_LATE,         // 408
    HTTP_REFUSAL_BODY,         // 413
    HTTP_REFUSAL_TARGET,       // 414
    HTTP_REFUSAL_MEDIA,        // 415
    HTTP_REFUSAL_EXPECT,       // 417
    HTTP_REFUSAL_HEADER,       // 431
    HTTP_REFUSAL_CONNECTIONS,  // 503
    HTTP_REFUSAL_MEMORY,       // 503
    HTTP_REFUSAL_VERSION,      // 505
};

// What is wrong with a request; zeroed when nothing is.
struct http_fault {
    enum http_refusal refusal;
    const char *complaint;  // a literal, for MALFORMED
};

#endif
