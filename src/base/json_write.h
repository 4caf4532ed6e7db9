/* SPDX-License-Identifier: Apache-2.0
 * A JSON writer (RFC 8259) to a buf, with sticky failures. Text is escaped, and invalid UTF-8 becomes U+FFFD.
 * Keys are literals; NULL for list elements and at the top level. It builds no tree: each open needs its
 * close, asserted by depth in debug builds. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"

struct json_writer {
	struct buf *out;
	int depth;
	bool needs_comma;
};

/* Starts a text. Nothing is written yet. */
void json_write_begin(struct json_writer *w, struct buf *out);
void json_write_open(struct json_writer *w, const char *key); /* { */
void json_write_close(struct json_writer *w);
void json_write_open_list(struct json_writer *w, const char *key); /* [ */
void json_write_close_list(struct json_writer *w);
/* Writes a member's key that is not a literal, such as a tag's. Write the value next, with key NULL. */
void json_write_key(struct json_writer *w, struct str key);
/* Values: with a key an object's member, otherwise a list's element. */
void json_write_text(struct json_writer *w, const char *key, struct str text);
void json_write_text_or_null(struct json_writer *w, const char *key, struct str text); /* null when empty */
void json_write_z(struct json_writer *w, const char *key, const char *text);           /* NULL: null */
void json_write_uuid(struct json_writer *w, const char *key, uuid id);
void json_write_uuid_or_null(struct json_writer *w, const char *key, uuid id); /* null when none */
void json_write_int(struct json_writer *w, const char *key, int64_t value);
void json_write_real(struct json_writer *w, const char *key, double value);
void json_write_bool(struct json_writer *w, const char *key, bool value);
void json_write_null(struct json_writer *w, const char *key);
/* Writes an already encoded JSON value. */
void json_write_raw(struct json_writer *w, const char *key, struct str json);
RESULT json_write_end(struct json_writer *w); /* reports any earlier failure */
