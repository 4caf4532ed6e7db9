/* SPDX-License-Identifier: Apache-2.0
 * A form with a file (multipart/form-data, RFC 7578 and RFC 2046), read as it arrives. Only the content of its first file
 * is given out; fields and further files are passed over. Nothing is held but the head of one part. One thread at a
 * time. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

enum {
	MULTIPART_BOUNDARY_MAX = 70, /* as RFC 2046 has it */
	MULTIPART_HEAD_MAX = 4096,   /* bytes of a part's headers */
	MULTIPART_PARTS_MAX = 64,
};

struct multipart { /* private */
	char delimiter[sizeof "\r\n--" + MULTIPART_BOUNDARY_MAX];
	size_t delimiter_size;
	size_t matched; /* how much of the delimiter stands at the end of what was read */
	enum { MULTIPART_BEFORE, MULTIPART_HEAD, MULTIPART_FIELD, MULTIPART_FILE, MULTIPART_END } at;
	char head[MULTIPART_HEAD_MAX];
	size_t head_size;
	int parts;
	bool has_file;
};

/* Takes the next bytes of the file; they are the caller's of multipart_add(), or m's, until it returns. */
typedef RESULT multipart_take(void *arg, struct str bytes);

/* False: the value of Content-Type is no such form's, or has no boundary that may be one. */
bool multipart_begin(struct multipart *m, struct str content_type);
/* Reads on. ERR_INVALID: the form is broken, or over the limits; else what take() returns. */
RESULT multipart_add(struct multipart *m, struct str bytes, multipart_take *take, void *arg);
/* The form is whole, and a file was in it. */
bool multipart_has_file(const struct multipart *m);
