// trace.h: W3C Trace Context, https://www.w3.org/TR/trace-context/ (Recommendation of 23
// November 2021): the identity that a caller's tracing gives a request. It goes along in
// the job's record and the callback's address, so that each hop logs the same trace_id.
// tracestate is not passed on.
#ifndef TRACE_H
#define TRACE_H

#include "base.h"

enum {
    TRACE_ID_DIGITS = 32,
    TRACE_PARENT_BYTES = 56,  // "00-<32>-<16>-01" and a NUL
};

// trace_continue writes the traceparent that we hand on for the one we got: version 00,
// the same trace id and sampled flag, a parent id of our own. What the specification
// calls invalid (wrong form, capital letters, all zero, version ff) is replaced by a new
// trace.
void trace_continue(char out[TRACE_PARENT_BYTES], const char *received);

// trace_is_valid says whether text is a traceparent by the specification. Of a version
// above 00 only the parts that 00 has are looked at.
MUST_CHECK bool trace_is_valid(const char *text);

// trace_id_of returns where the trace id begins in a valid traceparent, TRACE_ID_DIGITS
// digits without a NUL behind them; NULL of NULL.
const char *trace_id_of(const char *traceparent);

// trace_id_is_valid: 32 small hexadecimal digits, not all zero, and nothing else.
MUST_CHECK bool trace_id_is_valid(const char *text);

#endif
