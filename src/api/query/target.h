/* SPDX-License-Identifier: Apache-2.0
 * Calls of AWS JSON 1.1: one path, a header X-Amz-Target that names the action, and a JSON object in the body. On the call's
 * thread. */
#pragma once

#include <jansson.h>

#include "api/core/dispatch.h"
#include "base/json_write.h"

struct target_service {
	const char *prefix; /* "AWSSupport_20130415." */
	const char *name;   /* in messages */
};

/* A call of such a face, and a row in its tables. */
struct target_call {
	API_CALL_BASE;
	json_t *body; /* until prepare has ended */
};
struct target_action {
	API_ACTION_BASE;
	RESULT (*prepare)(struct target_call *e, void *args);
	RESULT(*answer)
	(struct target_call *e, const void *args, struct json_writer *w); /* NULL: no members */
};
API_DEFINE_FACE(target)

/* Members of a face's struct api_protocol, beside its name, groups, errors and find(). */
#define TARGET_PROTOCOL TARGET_TRANSPORT, .prepare = target_prepare, .write_problem = target_write_problem
/* Those of a face that reads its args, or writes problems, in its own way. */
#define TARGET_TRANSPORT                                                                                     \
	.content_type = "application/x-amz-json-1.1", .call_size = sizeof(struct target_call),               \
	.end_request = target_end_request, .write = target_write_answer, .word_problem = target_word_problem

/* Words of the services with JSON about failures. */
#define TARGET_ERRORS(rows)                                                                                  \
	API_ERRORS(rows, .internal = "An internal error has occurred.", .throttled = "Rate exceeded",        \
		   .unproved = "The security token included in the request is invalid.")
/* Rows that end each table of errors: constraints that a request violates, callers, and failures of the region. internal: the
 * service's code for those. */
#define TARGET_COMMON_ERRORS(internal)                                                                       \
	{ERR_INVALID, 0, 400, "ValidationException"}, {ERR_MISSING, 0, 400, "ValidationException"},          \
		{ERR_UNKNOWN, 0, 400, "ValidationException"},                                                \
		{ERR_COMBINATION, 0, 400, "ValidationException"},                                            \
		{ERR_RANGE, 0, 400, "ValidationException"}, {ERR_TOO_LARGE, 0, 400, "ValidationException"},  \
		{ERR_UNAUTHENTICATED, 0, 400, "UnrecognizedClientException"},                                \
		{ERR_DENIED, 0, 400, "AccessDeniedException"},                                               \
		{ERR_THROTTLED, 0, 400, "ThrottlingException"}, {ERR_NO_MEMORY, 0, 500, internal},           \
		{ERR_AGAIN, 0, 503, "ServiceUnavailable"},                                                   \
	{                                                                                                    \
		ERR_INTERNAL, 0, 500, internal                                                               \
	}

/* True if the call's header claims a signature for the service. The signature itself is not verified here. */
bool target_is_for(const struct call *call, const char *service);
/* Authenticates the caller, selects the action and parses the body, which the caller frees also after a failure.
 * ERR_UNSUPPORTED with the field X-Amz-Target: no such action; ERR_MALFORMED: no JSON object. */
RESULT target_find(struct api_call *core, const struct target_service *service, json_t **ret_body);
/* Fills the call's args from the body by the action's table. */
RESULT target_read_args(struct api_call *core, const json_t *body);
RESULT target_prepare(struct api_call *core);
void target_end_request(struct api_call *core);
/* An action without members answers with an empty object. */
RESULT target_write_answer(struct api_call *core, struct buf *body);

extern const struct params_dialect target_dialect;
extern const struct api_error target_faults[]; /* by enum sigv4_fault */
/* "1 validation error detected: Value 'x' at 'field' failed to satisfy constraint: Member must …" */
RESULT target_fail_member(struct ctx *c, const char *field, struct str value, const char *must);

/* Checks that a list has 1 to max elements. */
RESULT target_check_count(struct ctx *c, const char *field, size_t count, size_t max);

/* Gives the problem its message. */
void target_word_problem(struct api_call *core, struct api_problem *p);
/* Writes the problem as {"__type", "message"}, and its code in x-amzn-ErrorType. */
RESULT target_write_problem(struct api_call *core, struct api_problem *p, struct buf *body);

/* Writes tags as a list of objects with Key and Value. */
void target_write_tags(struct json_writer *w, const char *name, struct tags tags);

/* Writes the actions with their parameters as a JSON list, for `dari dump`. */
void target_dump_actions(struct buf *out, const char *face, const struct api_groups *groups);
