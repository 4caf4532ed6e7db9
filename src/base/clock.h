/* SPDX-License-Identifier: Apache-2.0
 * Time, behind a seam: everything in Dari asks here, and a test moves it by hand. Wall-clock UTC
 * microseconds since 1970 in int64_t; one scale for deadlines too (a test's clock never jumps
 * back; a real one that does only shifts deadlines). Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define MICROSECOND INT64_C(1)
#define MILLISECOND INT64_C(1000)
#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

int64_t clock_now_us(void); /* UTC, since 1970 */
/* Monotonic, for measuring durations only. */
int64_t clock_monotonic_us(void);
/* The processor time that the calling thread has used, in nanoseconds; never frozen. */
int64_t clock_thread_ns(void);
/* Freezes time at now_us (both clocks); 0 gives it back to the system. Tests and simulation. */
void clock_set_us(int64_t now_us);
bool clock_is_frozen(void);
void clock_advance_us(int64_t by_us); /* a running clock is frozen first */
/* Lets that much pass: a frozen clock is moved on at once, a running one waited for. */
void clock_sleep_us(int64_t us);
/* The system's monotonic clock, also while time is frozen: to wait for what is outside of it, as
 * pthread_cond_clockwait() and poll() do. */
int64_t clock_system_us(void);

enum { CLOCK_TEXT_SIZE = 32 };
/* ISO 8601 UTC. "2016-11-15T10:00:00.000Z" with milliseconds. */
char *clock_write_ms(int64_t time_us, char out[static CLOCK_TEXT_SIZE]);
char *clock_write_s(int64_t time_us, char out[static CLOCK_TEXT_SIZE]);     /* without fraction */
char *clock_write_basic(int64_t time_us, char out[static CLOCK_TEXT_SIZE]); /* 20161115T100000Z */
/* ISO 8601 extended, fraction and offset optional, and the basic form above. ERR_INVALID. */
RESULT clock_parse(struct str s, int64_t *ret_time_us);
/* RFC 9110 IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT". ERR_INVALID. */
RESULT clock_parse_http(struct str s, int64_t *ret_time_us);
char *clock_write_http(int64_t time_us, char out[static CLOCK_TEXT_SIZE]);
