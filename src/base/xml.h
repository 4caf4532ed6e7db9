/* SPDX-License-Identifier: Apache-2.0
 * An XML 1.0 writer to a buf, with sticky failures. Text is escaped; element names are literals. It builds no
 * tree: each xml_open needs its xml_close, asserted by depth in debug builds. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct xml {
	struct buf *out;
	int depth;
};

void xml_begin(struct xml *x, struct buf *out);                      /* writes the XML declaration */
void xml_open_ns(struct xml *x, const char *name, struct str xmlns); /* with an xmlns attribute */
RESULT xml_end(struct xml *x);                                       /* reports any earlier failure */

/* Elements by name with its length. */
void xml_open_named(struct xml *x, struct str name);
void xml_close_named(struct xml *x, struct str name);
void xml_empty_named(struct xml *x, struct str name);
void xml_text_named(struct xml *x, struct str name, struct str text);
void xml_plain_named(struct xml *x, struct str name,
		     struct str text); /* for text that needs no escaping: ids, numbers */
void xml_int_named(struct xml *x, struct str name, int64_t value);
void xml_time_ms_named(struct xml *x, struct str name, int64_t time_us);

/* Writes the text alone, escaped. */
void xml_escape(struct buf *out, struct str text);

/* True if the text is written as it is, without escapes. */
bool xml_is_plain(struct str text);

/* Likewise by name only. Inline, so that the compiler computes the length of literals, which nearly all names
 * are; otherwise strlen took a tenth of a long answer's time. */
static inline void xml_open(struct xml *x, const char *name)
{
	xml_open_named(x, str_from(name));
}
static inline void xml_close(struct xml *x, const char *name)
{
	xml_close_named(x, str_from(name));
}
static inline void xml_empty(struct xml *x, const char *name) /* <name/> */
{
	xml_empty_named(x, str_from(name));
}
static inline void xml_text(struct xml *x, const char *name, struct str text) /* <name>text</name> */
{
	xml_text_named(x, str_from(name), text);
}
static inline void xml_text_opt(struct xml *x, const char *name, struct str text) /* nothing when empty */
{
	if (text.n)
		xml_text_named(x, str_from(name), text);
}
static inline void xml_z(struct xml *x, const char *name, const char *text)
{
	xml_text_named(x, str_from(name), str_from(text));
}
static inline void xml_int(struct xml *x, const char *name, int64_t value)
{
	xml_int_named(x, str_from(name), value);
}
static inline void xml_bool(struct xml *x, const char *name, bool value)
{
	xml_plain_named(x, str_from(name), value ? STR("true") : STR("false"));
}
static inline void xml_time_ms(struct xml *x, const char *name,
			       int64_t time_us) /* 2016-11-15T10:00:00.000Z */
{
	xml_time_ms_named(x, str_from(name), time_us);
}
