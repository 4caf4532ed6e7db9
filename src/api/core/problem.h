/* SPDX-License-Identifier: Apache-2.0
 * Failures, as callers are told of them. A face has const rows that lead from (kind of failure, kind of resource,
 * parameter at fault) to an HTTP status and its protocol's code, and writes the document (api_protocol.write_problem).
 * Which row it is, the message, the log's line about a fault of ours, and what is hidden of that are the same for
 * all faces. Any thread. */
#pragma once

#include "api/core/action.h"

struct api_error {
	enum err err;
	int kind; /* enum kind; 0: any */
	int status;
	const char *code;  /* the protocol's word or number; NULL: the status says it */
	const char *field; /* only for this parameter, or members of it; NULL: any */
	unsigned parts;    /* of the API: only for calls of one of them (api_call.part), a bit each; 0: all */
	/* The protocol's sentence, for faces that have it here; "*" stands for what the problem is about, "#" before it for
	 * the problem's total. One that ends in a space is followed by the problem's own message. NULL: that alone. */
	const char *says, *says_many;
};

/* The first row that fits counts. The last one is that of ERR_INTERNAL, and is for what no row fits. */
struct api_errors {
	const struct api_error *at;
	size_t count;
	const char *internal;  /* what is told of a fault of ours */
	const char *throttled; /* who asks too often is told, or whose work fills the lane */
	const char *unproved;  /* whose access key is unknown, or its secret not proved (api_prove_key()) */
	bool is_by_status;     /* the audit log has statuses, not codes */
};
#define API_ERRORS(rows, ...)                                                                                \
	{                                                                                                    \
		.at = (rows), .count = sizeof(rows) / sizeof(rows)[0], __VA_ARGS__                           \
	}

/* The field of rows for what the HTTP server refuses by itself (http_face.reject). */
#define API_WHOLE_REQUEST "(request)"

/* part 0: only rows for all parts. field: the parameter at fault, or empty. */
const struct api_error *api_find_error(const struct api_errors *errors, unsigned part, enum err err, int kind,
				       struct str field);

/* What the face is to write. */
struct api_problem {
	const struct api_error *error;
	enum err err;
	int status;
	struct str message;
	struct str refusal; /* of ERR_DENIED: the encoded reason (guard_explain_refusal()); empty: none */
	const char *content_type; /* the protocol's, unless the face writes something else */
};

/* The row's sentence about what the problem is about, and where that ends in a space the problem's own message,
 * which says more. Of several things only some rows speak. A row without one: the problem's message. */
struct str api_say_problem(const struct ctx *c, const struct api_problem *p);
/* Answers with the call's problem. result: what was returned, for the case that no problem was recorded. */
void api_answer_problem(struct api_call *e, struct result result);
/* The problem's code, as the caller is told, for the audit log. */
struct str api_problem_code(struct api_call *e, struct result result);
