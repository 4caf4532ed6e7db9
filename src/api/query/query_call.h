/* SPDX-License-Identifier: Apache-2.0
 * What calls of AWS's query protocol share, which EC2, STS and IAM speak: the request is pairs of name and value
 * in the query or a form, and one of them names the action. */
#pragma once

#include "api/core/dispatch.h"
#include "api/query/request.h"
#include "auth/key/sigv4.h"
#include "base/xml.h"

/* True if the call says that it is signed for the service, in its header or its query. No signature is checked. */
bool query_is_for(const struct call *call, const char *service);
/* Reads the pairs and finds the action, among those whose flags in `mask` are `flags`; e->action stays NULL when
 * there is none. Afterwards the caller's limits are asked. ERR_UNSUPPORTED: the method; ERR_THROTTLED; else as
 * request_parse(). */
RESULT query_find_action(struct api_call *e, unsigned mask, unsigned flags);
/* The pairs alone. ERR_UNSUPPORTED: the method; else as request_parse(). */
RESULT query_parse_call(struct api_call *e);
/* The entry of that action; NULL: there is none. */
const struct api_entry *query_find_entry(const struct api_call *e, unsigned mask, unsigned flags);

/* Refuses a call whose action the face does not have. version: the face's newest, named if the call names none. */
RESULT query_fail_no_action(struct api_call *e, const char *version);

/* The answer and the error document that IAM, STS and others share; EC2 has its own. */

/* <NameResponse> with the result within it, if the action has one, and the request's id behind. */
RESULT query_write_answer(struct api_call *e, struct xml *x, struct str name_space,
			  RESULT (*write_result)(struct api_call *e, struct xml *x));
void query_write_problem(struct api_call *e, const struct api_problem *p, struct xml *x,
			 struct str name_space);
/* The same two as whole documents. */
RESULT query_write_answer_document(struct api_call *e, struct buf *body, struct str name_space,
				   RESULT (*write_result)(struct api_call *e, struct xml *x));
RESULT query_write_problem_document(struct api_call *e, const struct api_problem *p, struct buf *body,
				    struct str name_space);
/* Gives a problem the message of its error's row, with nothing of the face's own. */
void query_word_problem(struct api_call *e, struct api_problem *p);
/* The document that `dari dump` prints of a face. service: its name in the scope of signatures. */
void query_dump_actions(struct buf *out, const char *face, const char *service,
			const struct api_groups *groups);
/* By enum sigv4_fault: for a refused signature. */
extern const struct api_error query_faults[SIGV4_SCOPE + 1];
