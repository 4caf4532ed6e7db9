/* SPDX-License-Identifier: Apache-2.0
 * What calls of AWS's query protocol share, which EC2, STS and IAM speak: the request is pairs of name and value
 * in the query or a form, and one of them names the action. */
#pragma once

#include "api/core/dispatch.h"
#include "api/query/request.h"
#include "auth/sigv4.h"
#include "base/xml.h"

/* Reads the pairs and finds the action, among those whose flags in `mask` are `flags`; e->action stays NULL when
 * there is none. Afterwards the caller's limits are asked. ERR_UNSUPPORTED: the method; ERR_THROTTLED; else as
 * request_parse(). */
RESULT query_find_action(struct api_call *e, unsigned mask, unsigned flags);
/* The pairs alone. ERR_UNSUPPORTED: the method; else as request_parse(). */
RESULT query_parse_call(struct api_call *e);
/* The entry of that action; NULL: there is none. */
const struct api_entry *query_find_entry(const struct api_call *e, unsigned mask, unsigned flags);

/* The answer and the error document that IAM and STS share; EC2 has its own. */

/* <NameResponse> with the result within it, if the action has one, and the request's id behind. */
RESULT query_write_answer(struct api_call *e, struct xml *x, struct str name_space,
			  RESULT (*write_result)(struct api_call *e, struct xml *x));
void query_write_problem(struct api_call *e, const struct api_problem *p, struct xml *x,
			 struct str name_space);
/* By enum sigv4_fault: for a refused signature. */
extern const struct api_error query_faults[SIGV4_SCOPE + 1];
