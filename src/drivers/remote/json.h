/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: requests to clouds that answer with JSON, and reading members by their paths. */
#pragma once

#include <jansson.h>

#include "base/json_write.h"
#include "drivers/remote/draft.h"
#include "drivers/remote/http.h"

/* Values of an answer: bounds the memory of a hostile document to some 100 MiB. */
enum { REMOTE_JSON_VALUES_MAX = 1000000 };

struct remote_json {
	int status;
	json_t *root;      /* NULL: the answer has no body, or an error page that is no JSON */
	struct str header; /* the wanted one */
};
void remote_json_release(struct remote_json *answer);
#define AUTO_ANSWER __attribute__((cleanup(remote_json_release))) struct remote_json

/* Sends the request. OK for every status except 3xx. ERR_IO: a success whose body is no JSON object (or list, if the
 * request takes one), or breaks a limit. */
RESULT remote_ask_json(struct ctx *c, struct remote *r, const struct remote_request *request,
		       struct remote_json *ret_answer);
/* A failure with the cloud's own words: the first member "message" or "errortext", or the status. Without such words
 * ERR_NOT_FOUND, ERR_INVALID, ERR_STATE, ERR_UNAUTHENTICATED and ERR_DENIED become ERR_IO: the answer is a
 * proxy's. */
RESULT remote_refuse(struct ctx *c, const struct remote *r, const struct remote_json *answer, enum err err);
/* Parses an answer's text. ERR_IO: no JSON object, or too many values. */
RESULT remote_parse_json(struct ctx *c, struct str text, json_t **ret_root);
/* Parses an answer's text, which may be a list. ERR_IO: neither an object nor a list of JSON, or too many values. */
RESULT remote_parse_json_list(struct ctx *c, struct str text, json_t **ret_root);

/* The value at a path of members, "flavor/vcpus"; NULL: none. A number selects an element of a list. */
const json_t *remote_json_at(const json_t *root, const char *path);
/* The text at the path, in the arena, cut to 4 KiB; integers are written as text. Empty: none. */
struct str remote_json_text(struct ctx *c, const json_t *root, const char *path);
/* The time at the path, with or without a zone; 0: none that can be read. */
int64_t remote_json_time(struct ctx *c, const json_t *root, const char *path);

/* Maps a member of an answer to a member of struct machine_draft. */
struct remote_place {
	const char *path;
	enum { PLACE_TEXT, PLACE_TIME, PLACE_INT, PLACE_IP, PLACE_ID } how;
	size_t offset;
	size_t most; /* bytes of a text, members of a list */
};
#define PLACE(path, how, member, most)                                                                       \
	{                                                                                                    \
		path, how, offsetof(struct machine_draft, member), most                                      \
	}
/* Reads the members of an object into the draft. Values of a wrong type count as absent. */
void remote_read_places(struct ctx *c, const json_t *object, const struct remote_place *places, size_t count,
			struct machine_draft *d);

/* A request's body that is being written. Ends with body_end(), which returns the text in the arena. */
struct remote_body {
	struct buf text;
	struct json_writer json;
};
void remote_body_begin(struct remote_body *b);
RESULT remote_body_end(struct ctx *c, struct remote_body *b, struct str *ret_text);
