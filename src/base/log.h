/* SPDX-License-Identifier: Apache-2.0
 * Structured log: one line an event, logfmt ("time=… level=info event=host-up host=hv1 …"), to
 * standard error. Programs and daemons log; libraries below them return errors and do not.
 * Values are quoted and escaped as needed. Any thread; one write(2) a line. */
#pragma once

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* What is below it is not written; LOG_INFO at first. */
void log_set_level(enum log_level level);
/* event: a few-words-with-dashes literal; format makes "key=value" pairs written with LOG_STR for
 * text: log_event(LOG_INFO, "host-up", "host=%s vcpus=%d", log_quote(name), n). */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Quotes a value for the line in one of a few per-thread buffers (8); cut at 1,000 bytes. */
const char *log_quote(struct str value);
