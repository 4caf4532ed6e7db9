/* SPDX-License-Identifier: Apache-2.0
 * Time, for all of Dari, replaceable by tests. Times are microseconds since 1970 (UTC) in an int64_t;
 * deadlines use the same scale. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define MICROSECOND INT64_C(1)
#define MILLISECOND INT64_C(1000)
#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

int64_t clock_now_us(void); /* the wall clock */
/* The clock for deadlines kept in memory. It follows the wall clock, but never goes back: if the wall clock
 * is set back, it continues from where it was. */
int64_t clock_steady_us(void);
/* A clock that never jumps, for measuring durations only. */
int64_t clock_monotonic_us(void);
/* CPU time used by the calling thread, in nanoseconds. Never frozen. */
int64_t clock_thread_ns(void);
/* Freezes both clocks at now_us; 0 unfreezes them. For tests and the simulation. */
void clock_set_us(int64_t now_us);
bool clock_is_frozen(void);
void clock_advance_us(int64_t by_us); /* freezes a running clock first */
/* Simulates that the running wall clock was set, by this total offset; for tests. */
void clock_set_wall_us(int64_t by_us);
/* Lets that much time pass: advances a frozen clock immediately, or sleeps. */
void clock_sleep_us(int64_t us);
/* The system's monotonic clock, even while time is frozen: for waiting for external events with
 * pthread_cond_clockwait() or poll(). */
int64_t clock_system_us(void);
/* A clock that never jumps and also counts while the machine sleeps: for deadlines that another machine keeps, too. */
int64_t clock_boot_us(void);

/* Converts a date to days since 1970 and back; for the years 0000 to 9999. */
struct clock_date {
	int64_t year;
	unsigned month, day; /* from 1 */
};
int64_t clock_count_days(int64_t year, unsigned month, unsigned day);
struct clock_date clock_date_of(int64_t days);

enum { CLOCK_TEXT_SIZE = 32 };
/* Writes ISO 8601 in UTC with milliseconds, "2016-11-15T10:00:00.000Z". Each writer returns out. */
char *clock_write_ms(int64_t time_us, char out[static CLOCK_TEXT_SIZE]);
char *clock_write_s(int64_t time_us, char out[static CLOCK_TEXT_SIZE]);     /* without a fraction */
char *clock_write_basic(int64_t time_us, char out[static CLOCK_TEXT_SIZE]); /* "20161115T100000Z" */
/* Parses ISO 8601's extended form, with or without fraction and offset, and the basic form above.
 * ERR_INVALID. */
RESULT clock_parse(struct str s, int64_t *ret_time_us);
/* Parses and writes RFC 9110's IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT". ERR_INVALID. */
RESULT clock_parse_http(struct str s, int64_t *ret_time_us);
char *clock_write_http(int64_t time_us, char out[static CLOCK_TEXT_SIZE]);
