/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/desk/: requests to a desk by libcurl, without redirects and proxies, bounded in time and
 * size. Maps status codes: 401, 403, 4xx: refused; 408, 425, 429, 5xx: retry later. */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "drivers/desk.h"

enum { DESK_ANSWER_CAP = 64 * 1024, DESK_LIST_CAP = 8 << 20, DESK_FILE_CAP = 40 << 20, DESK_HEADERS_MAX = 8 };

struct desk_part { /* for multipart/form-data */
	const char *name, *file_name, *type;
	struct str content;
};

struct desk_request {
	const char *method;
	struct str path;        /* appended to the desk's URL; or a full URL */
	const char *media_type; /* type of the body; NULL: none */
	struct str body;
	const struct desk_part *parts; /* instead of a body */
	size_t part_count;
	const char *headers[DESK_HEADERS_MAX]; /* "Name: value"; NULL-terminated */
	size_t cap_size;                       /* maximum answer size; 0: DESK_ANSWER_CAP */
	bool takes_404;                        /* 404 is a normal answer, to be read from status */
	bool takes_412;
	bool is_basic; /* the secret is login's password; otherwise a bearer token, or token_word instead
		        * of "Bearer" */
	const char *token_word;
	bool is_signed; /* instead, the body is signed with the secret (drivers/desk_signature.h) */
};

struct desk_answer {
	int status;
	struct str body, etag, location, total; /* from the headers Location and X-Total-Count */
};

/* On failure, the message names the desk, the status, and up to 512 bytes of the answer. */
RESULT desk_call(struct ctx *c, struct desk_place *place, const struct desk_request *request,
		 struct desk_answer *ret_answer);
/* Likewise, and parses the JSON, which the caller releases. ret_json NULL: no content. ERR_INVALID: not
 * JSON. */
RESULT desk_call_json(struct ctx *c, struct desk_place *place, const struct desk_request *request,
		      struct desk_answer *ret_answer, json_t **ret_json);

/* A member's text, in c's arena; numbers are converted. Empty: absent. */
struct str desk_text(struct ctx *c, const json_t *object, const char *name);
/* "[dari:UUID]", for finding a message again. */
struct str desk_marker(struct ctx *c, uuid id);
/* Removes lines with such markers and quoted mail tails. */
struct str desk_clean_text(struct ctx *c, struct str text);
static inline void json_release(json_t **json)
{
	json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_release))) json_t *
