/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/desk/: requests to a desk, by libcurl: without redirects and proxies, bounded in time and size. What its
 * statuses mean is here, once: 401, 403, 4xx: refused; 408, 425, 429, 5xx: not now. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "drivers/desk.h"

enum { DESK_ANSWER_CAP = 64 * 1024, DESK_LIST_CAP = 8 << 20, DESK_FILE_CAP = 40 << 20, DESK_HEADERS_MAX = 8 };

struct desk_part { /* of multipart/form-data */
	const char *name, *file_name, *type;
	struct str content;
};

struct desk_request {
	const char *method;
	struct str path;        /* behind the desk's URL; or a whole URL */
	const char *media_type; /* of the body; NULL: there is none */
	struct str body;
	const struct desk_part *parts; /* instead of a body */
	size_t part_count;
	const char *headers[DESK_HEADERS_MAX]; /* "Name: value"; NULL-ended */
	size_t cap_size;                       /* of the answer; 0: DESK_ANSWER_CAP */
	bool takes_404;                        /* it is an answer like any other: status says it */
	bool takes_412;
	bool is_basic; /* the secret is a password, for login; else a bearer's, unless token_word says another word */
	const char *token_word;
	bool is_signed; /* instead: the body is signed with it (drivers/desk_signature.h) */
};

struct desk_answer {
	int status;
	struct str body, etag, location, total; /* Location's; X-Total-Count's */
};

/* A failure's words: which desk, the status, and up to 512 bytes of what it said. */
RESULT desk_call(struct ctx *c, struct desk_place *place, const struct desk_request *request,
		 struct desk_answer *ret_answer);
/* The same, and reads JSON; the caller releases it. ret_json NULL where the answer has none. ERR_INVALID: it is none. */
RESULT desk_call_json(struct ctx *c, struct desk_place *place, const struct desk_request *request,
		      struct desk_answer *ret_answer, json_t **ret_json);

/* A member's text, in c's arena: also of a number. Empty: it is not there. */
struct str desk_text(struct ctx *c, const json_t *object, const char *name);
/* "[dari:UUID]", by which a message is found again. */
struct str desk_marker(struct ctx *c, uuid id);
/* The text without the lines of such markers, and without a mail's quoted tail. */
struct str desk_clean_text(struct ctx *c, struct str text);
static inline void json_release(json_t **json)
{
	json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_release))) json_t *
