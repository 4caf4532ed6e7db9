/* SPDX-License-Identifier: Apache-2.0
 * Parses a form with a file (multipart/form-data, RFC 7578 and RFC 2046) while it arrives. Returns only the
 * first file's content; fields and further files are skipped. Buffers only one part's headers. One thread at
 * a time. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

enum {
	MULTIPART_BOUNDARY_MAX = 70, /* limit of RFC 2046 */
	MULTIPART_HEAD_MAX = 4096,   /* bytes of a part's headers */
	MULTIPART_PARTS_MAX = 64,
};

struct multipart { /* private */
	char delimiter[sizeof "\r\n--" + MULTIPART_BOUNDARY_MAX];
	size_t delimiter_size;
	size_t matched; /* length of the partial delimiter at the end of the input so far */
	enum { MULTIPART_BEFORE, MULTIPART_HEAD, MULTIPART_FIELD, MULTIPART_FILE, MULTIPART_END } at;
	char head[MULTIPART_HEAD_MAX];
	size_t head_size;
	int parts;
	bool has_file;
};

/* Receives the file's next bytes, valid until it returns. */
typedef RESULT multipart_take(void *arg, struct str bytes);

/* False: the Content-Type is not multipart/form-data, or has no valid boundary. */
bool multipart_begin(struct multipart *m, struct str content_type);
/* Parses more input. ERR_INVALID: malformed, or over the limits; otherwise take()'s result. */
RESULT multipart_add(struct multipart *m, struct str bytes, multipart_take *take, void *arg);
/* True if the form is complete and contained a file. */
bool multipart_has_file(const struct multipart *m);
