/* SPDX-License-Identifier: Apache-2.0
 * The structured log: one line for each event, in logfmt ("time=… level=info event=host-up host=hv1
 * …"), to standard error by one write(2). Values are quoted and escaped as needed. A line that whoever
 * reads standard error leaves no room for is dropped, and counted by event=log-lines-dropped. Any thread. */
#pragma once

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Events below this level are not written. It is LOG_INFO at first. */
void log_set_level(enum log_level level);
/* event is a literal of a few words with dashes. format makes "key=value" pairs; text values go
 * through log_quote(): log_event(LOG_INFO, "host-up", "host=%s vcpus=%d", log_quote(name), n). */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Quotes a value for a log line, and cuts it at 1,000 bytes. The result is in one of the thread's
 * eight buffers, and is valid until the eighth call after this one. */
const char *log_quote(struct str value);
