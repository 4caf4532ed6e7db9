/* SPDX-License-Identifier: Apache-2.0
 * A server with a face of its own for tests of http/. The face's paths:
 *   /echo    method, path, query, body size, tag and a header, line by line
 *   /big     as many bytes as the query says
 *   /read    as many letters as the query says, written as they are sent
 *   /park    parks, and a second thread wakes it after the query's milliseconds
 *   /early   is woken before it parks
 *   /again   parks twice
 *   /sink    its body is counted as it comes; one with a '!' is not liked
 *   /refused answers before its body comes
 *   /file    the beginning of a file
 *   /toil    uses the processor for as many milliseconds as the query says; /toil-late: once it is woken
 *   /hold    parks until fixture_release() */
#pragma once

#include "../base/test_base.h"

#include "base/clock.h"
#include "client.h"
#include "http/server.h"

struct fixture {
	struct ctx *ctx;
	struct arena *arena;
	struct http_server *server;
	struct http_listener *listener;
	uint16_t port;
};

extern const struct http_face fixture_face;
enum { FIXTURE_BODY_CAP = 100 * 1000, FIXTURE_SINK_CAP = 1000 * 1000 };

/* config may be NULL: short waits, two threads. */
void fixture_start(struct fixture *f, const struct http_config *config);
void fixture_end(struct fixture *f);
struct http_listener *fixture_listen(struct fixture *f, const struct http_face *face, void *tag);
unsigned fixture_held_count(void);
unsigned fixture_sinks_ended(void);
unsigned fixture_reads_ended(void);
static inline char fixture_letter(uint64_t at) /* of /read */
{
	return (char) ('a' + at % 23);
}
void fixture_release(void); /* wakes every call that /hold has parked */
struct http_figures fixture_figures(const struct fixture *f);
/* Waits until the expression is true; ten minutes of looks bound a hang. */
#define WAIT_UNTIL(expression)                                                                               \
	do {                                                                                                 \
		for (int wait_ = 0; !(expression) && wait_ < 120000; wait_++)                                \
			fixture_sleep_ms(5);                                                                 \
		assert_true(expression);                                                                     \
	} while (0)
void fixture_sleep_ms(int ms);
