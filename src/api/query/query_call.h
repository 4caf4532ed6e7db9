/* SPDX-License-Identifier: Apache-2.0
 * Calls of AWS's query protocol, which EC2, STS and IAM use: a request consists of pairs of name and value in the query or a
 * form, and the pair "Action" names the action. */
#pragma once

#include "api/core/dispatch.h"
#include "api/query/request.h"
#include "auth/key/sigv4.h"
#include "base/xml.h"

/* True if the call's header or query claims a signature for the service. The signature itself is not verified here. */
bool query_is_for(const struct call *call, const char *service);
/* Reads the pairs, finds the action among those whose flags in `mask` are `flags`, and checks the caller's rate limits. e->action
 * stays NULL if there is no such action. ERR_UNSUPPORTED: the method; ERR_THROTTLED; else as
 * request_parse(). */
RESULT query_find_action(struct api_call *e, unsigned mask, unsigned flags);
/* Reads only the pairs. ERR_UNSUPPORTED: the method; else as request_parse(). */
RESULT query_parse_call(struct api_call *e);
/* Entry of the action that the pairs name; NULL: no such action. */
const struct api_entry *query_find_entry(const struct api_call *e, unsigned mask, unsigned flags);

/* Refuses a call after query_find_action(): without an action, with one that the service does not have, or with another
 * version of the API. SQS takes calls without a version. Words: those of AWS's services; MissingAction is one of the
 * errors that each API reference lists as common, its message is a guess. */
RESULT query_check_action(struct api_call *e, bool may_lack_version);
/* Does so for an action of another version than the face's: EC2's face has the actions of STS, too. */
RESULT query_check_version(struct api_call *e, const char *version, bool may_lack_version);
/* Value of the pair "Version" of a call that was not parsed yet, as sent; empty: none. */
struct str query_find_version(const struct call *call);

/* The answer and the error document that IAM, STS and others share; EC2 has its own. */

/* Writes <NameResponse> with the result, if the action has one, then the request's id. */
RESULT query_write_answer(struct api_call *e, struct xml *x, struct str name_space,
			  RESULT (*write_result)(struct api_call *e, struct xml *x));
void query_write_problem(struct api_call *e, const struct api_problem *p, struct xml *x,
			 struct str name_space);
/* Write the answer, or the problem, as a whole document. */
RESULT query_write_answer_document(struct api_call *e, struct buf *body, struct str name_space,
				   RESULT (*write_result)(struct api_call *e, struct xml *x));
RESULT query_write_problem_document(struct api_call *e, const struct api_problem *p, struct buf *body,
				    struct str name_space);
/* Gives a problem the message of its error's row, with nothing of the face's own. */
void query_word_problem(struct api_call *e, struct api_problem *p);
/* The document that `dari dump` prints of a face. service: its name in the scope of signatures. */
void query_dump_actions(struct buf *out, const char *face, const char *service,
			const struct api_groups *groups);
/* Errors for refused signatures, by enum sigv4_fault. */
extern const struct api_error query_faults[SIGV4_SCOPE + 1];

/* Words of the query protocol's services about failures. */
#define QUERY_ERRORS(rows)                                                                                   \
	API_ERRORS(rows, .internal = "An internal error has occurred.", .throttled = "Rate exceeded")
/* Row of requests that the HTTP server refuses for their size. */
#define QUERY_TOO_LARGE                                                                                      \
	{                                                                                                    \
		ERR_TOO_LARGE, 0, 413, "RequestEntityTooLarge", API_WHOLE_REQUEST                            \
	}
/* Rows of requests whose parameters violate a constraint. */
#define QUERY_INVALID(code)                                                                                  \
	{ERR_INVALID, 0, 400, code}, {ERR_MISSING, 0, 400, code}, {ERR_UNKNOWN, 0, 400, code},               \
		{ERR_MALFORMED, 0, 400, code}, QUERY_TOO_LARGE,                                              \
	{                                                                                                    \
		ERR_TOO_LARGE, 0, 400, code                                                                  \
	}
/* Rows that end a table of errors: unknown callers, and failures of the region with the service's code. */
#define QUERY_UNAVAILABLE(internal)                                                                          \
	{ERR_UNAUTHENTICATED, 0, 403, "InvalidClientTokenId"},                                               \
		{ERR_NO_MEMORY, 0, 503, "ServiceUnavailable"}, {ERR_AGAIN, 0, 503, "ServiceUnavailable"},    \
		{ERR_GONE, 0, 503, "ServiceUnavailable"}, {ERR_TIMEOUT, 0, 503, "ServiceUnavailable"},       \
	{                                                                                                    \
		ERR_INTERNAL, 0, 500, internal                                                               \
	}
