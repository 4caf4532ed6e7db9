/* SPDX-License-Identifier: Apache-2.0
 * A sticky XML 1.0 writer onto a buf. Text is escaped; element names are literals of ours. The
 * writer builds no tree: each xml_open needs its xml_close, which debug builds assert by depth. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct xml {
	struct buf *out;
	int depth;
};

void xml_begin(struct xml *x, struct buf *out); /* writes the XML declaration */
void xml_open(struct xml *x, const char *name);
void xml_open_ns(struct xml *x, const char *name, struct str xmlns); /* with an xmlns attribute */
void xml_close(struct xml *x, const char *name);
void xml_empty(struct xml *x, const char *name);                     /* <name/> */
void xml_text(struct xml *x, const char *name, struct str text);     /* <name>text</name> */
void xml_text_opt(struct xml *x, const char *name, struct str text); /* nothing when empty */
void xml_z(struct xml *x, const char *name, const char *text);
void xml_int(struct xml *x, const char *name, int64_t value);
void xml_bool(struct xml *x, const char *name, bool value);
void xml_time_ms(struct xml *x, const char *name, int64_t time_us); /* 2016-11-15T10:00:00.000Z */
RESULT xml_end(struct xml *x);                                      /* the one place that reports a failure */
