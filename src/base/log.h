/* SPDX-License-Identifier: Apache-2.0
 * The structured log: one line per event in logfmt ("time=… level=info event=host-up host=hv1 …") to standard
 * error, in one write(2). Values are quoted and escaped as needed. If the reader of standard error is too
 * slow, lines are dropped, and counted by event=log-lines-dropped. Any thread. */
#pragma once

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Sets the minimum level of events to write; initially LOG_INFO. */
void log_set_level(enum log_level level);
/* event: a literal of a few words with dashes. format writes "key=value" pairs; pass text values through
 * log_quote(): log_event(LOG_INFO, "host-up", "host=%s vcpus=%d", log_quote(name), n). */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Quotes a value for a log line, truncated to 1,000 bytes. Returns one of the thread's eight buffers, valid
 * until the eighth following call. */
const char *log_quote(struct str value);
