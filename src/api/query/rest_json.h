/* SPDX-License-Identifier: Apache-2.0
 * Calls of AWS's REST protocol with JSON: method and path select the action, parameters are in path, query or a JSON object, and problems are
 * JSON objects. On the call's thread. */
#pragma once

#include <jansson.h>

#include "api/core/dispatch.h"
#include "api/core/rest.h"
#include "api/query/target.h"
#include "base/json_write.h"

/* A call of such a face, and a row in its tables. */
struct rest_json_call {
	API_CALL_BASE;
	json_t *input; /* parameters of path, query and body; until prepare has ended */
};
struct rest_json_action {
	REST_ACTION_BASE;
	RESULT (*prepare)(struct rest_json_call *e, void *args);
	RESULT(*answer)
	(struct rest_json_call *e, const void *args, struct json_writer *w); /* NULL: no members */
};
API_DEFINE_FACE(rest_json)

/* Members of a face's struct api_protocol, beside its name, errors and find(). */
#define REST_JSON_PROTOCOL                                                                                   \
	.content_type = "application/json", .call_size = sizeof(struct rest_json_call),                      \
	.prepare = rest_json_prepare, .end_request = rest_json_end_request, .write = rest_json_write_answer, \
	.word_problem = target_word_problem, .write_problem = rest_json_write_problem

/* For find(): authenticates the caller, selects the action, and joins the call's parameters into the call's input.
 * ERR_UNSUPPORTED with the field path: no such action; ERR_MALFORMED: no JSON object. service: in that message. */
RESULT rest_json_find(struct api_call *core, const struct rest_table *table, const char *service);
RESULT rest_json_prepare(struct api_call *core);
void rest_json_end_request(struct api_call *core);
RESULT rest_json_write_answer(struct api_call *core, struct buf *body);
/* Writes the problem as {"Message", "Code"}, and its code in x-amzn-ErrorType. */
RESULT rest_json_write_problem(struct api_call *core, struct api_problem *p, struct buf *body);

/* Writes tags as an object whose members are their keys. */
void rest_json_write_map(struct json_writer *w, const char *name, struct tags tags);
/* Writes the actions with their parameters as a JSON list, for `dari dump`. */
void rest_json_dump_actions(const struct rest_table *table, const char *face, struct buf *out);

/* ---- parts, for a face whose calls differ ---- */

/* The first half of rest_json_find(). path: the call's, in the form that the table has. */
RESULT rest_json_choose(struct api_call *core, const struct rest_table *table, const char *service,
			struct str path, struct pairs *ret_variables);
/* Parses the body, which the caller frees also after a failure; an empty body is an empty object. ERR_MALFORMED. */
RESULT rest_json_read_body(struct api_call *core, json_t **ret_body);
/* Writes the problem with a second member; value NULL: without one. */
RESULT rest_json_write_problem_with(struct api_call *core, struct api_problem *p, const char *member,
				    const char *value, struct buf *body);
