/* SPDX-License-Identifier: Apache-2.0
 * Calls of AWS JSON 1.1: one path, a header X-Amz-Target that names the action, and a JSON object in the body. On the call's
 * thread. */
#pragma once

#include <jansson.h>

#include "api/core/dispatch.h"

struct target_service {
	const char *prefix; /* "AWSSupport_20130415." */
	const char *name;   /* in messages */
};

/* Authenticates the caller, selects the action and parses the body, which the caller frees also after a failure.
 * ERR_UNSUPPORTED with the field X-Amz-Target: no such action; ERR_MALFORMED: no JSON object. */
RESULT target_find(struct api_call *core, const struct target_service *service, json_t **ret_body);
/* Fills the call's args from the body by the action's table. */
RESULT target_read_args(struct api_call *core, const json_t *body);

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

/* Writes the actions with their parameters as a JSON list, for `dari dump`. */
void target_dump_actions(struct buf *out, const char *face, const struct api_groups *groups);
