// http_target.h: the request target: which are clean, and what path they mean. Pure.
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "base.h"

struct buf;

// http_target_check returns NULL when the target is a clean path and query, else a
// sentence about what is wrong with it.
const char *http_target_check(const char *target);

// http_target_path appends the decoded path of a clean target; false when it is not
// UTF-8.
MUST_CHECK bool http_target_path(const char *target, struct buf *path);

// http_target_query returns the raw query of target, "" without one.
const char *http_target_query(const char *target);

// http_is_authority says whether text may be a host and port, as in the Host field.
bool http_is_authority(const char *text, size_t len);

#endif
