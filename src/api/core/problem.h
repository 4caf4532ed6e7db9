/* SPDX-License-Identifier: Apache-2.0
 * Maps failures to the error documents that callers see. A face has const rows that lead from (error, kind of
 * resource, parameter) to an HTTP status and its protocol's code, and writes the document
 * (api_protocol.write_problem). The core finds the row and the message for all faces; it logs an internal error and
 * hides its details from the caller. Any thread. */
#pragma once

#include "api/core/action.h"

struct api_error {
	enum err err;
	int kind; /* enum kind; 0: any */
	int status;
	const char *code;  /* the protocol's word or number; NULL: the protocol has the status only */
	const char *field; /* applies to this parameter and its members; NULL: to any */
	unsigned
		parts; /* applies to calls of these parts of the API (api_call.part), a bit each; 0: to all */
	/* The protocol's sentence for one subject and for many. "*" stands for the problem's subject, and "#" before it for the
	 * problem's total. The problem's own message follows a sentence that ends in a space. NULL: that message alone. */
	const char *says, *says_many;
};

/* Rows of a face; the first that applies is used. The last one, of ERR_INTERNAL, is for failures without a row. */
struct api_errors {
	const struct api_error *at;
	size_t count;
	const char *internal; /* message of an internal error */
	const char *
		throttled; /* message when a caller's rate limit is reached, or its share of a lane is full */
	const char *
		unproved; /* message when an access key is unknown or its secret is wrong (api_prove_key()) */
	bool is_by_status; /* audit records contain the status, not the code */
};
#define API_ERRORS(rows, ...)                                                                                \
	{                                                                                                    \
		.at = (rows), .count = sizeof(rows) / sizeof(rows)[0], __VA_ARGS__                           \
	}

/* Field of the rows for requests that the HTTP server itself refuses (http_face.reject). */
#define API_WHOLE_REQUEST "(request)"

/* Finds a failure's row. part 0: only rows for all parts. field: the parameter at fault, or empty. */
const struct api_error *api_find_error(const struct api_errors *errors, unsigned part, enum err err, int kind,
				       struct str field);

/* A problem for the face to write. */
struct api_problem {
	const struct api_error *error;
	enum err err;
	int status;
	struct str message;
	struct str refusal;       /* ERR_DENIED: the encoded reason (guard_explain_refusal()); empty: none */
	const char *content_type; /* the protocol's, unless the face writes something else */
};

/* The message: the row's sentence with the problem's subjects, and after a final space the problem's own message. A row
 * without a sentence for this number of subjects: the problem's message alone. */
struct str api_say_problem(const struct ctx *c, const struct api_problem *p);
/* Answers with the call's problem. result: the failure, which is used when no problem was recorded. */
void api_answer_problem(struct api_call *e, struct result result);
/* The code that the caller sees, for the audit log. */
struct str api_problem_code(struct api_call *e, struct result result);
