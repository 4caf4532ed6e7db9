/* SPDX-License-Identifier: Apache-2.0
 * Error codes that the API Reference of IAM or STS lists: codes that this face answers with, and the reasons why it never answers
 * with the others. Used by the documentation and the tests. Any thread. */
#pragma once

#include "api/core/problem.h"
#include "base/json_write.h"

struct query_code {
	const char *code;
	const char *actions; /* implemented actions that list the code, separated by '|'; "*": all */
};
struct query_code_reason {
	const char *code, *why;
};
struct query_codes {
	const struct query_code *at; /* in alphabetical order */
	size_t count;
	const struct query_code_reason *reasons;
	size_t reason_count;
	const struct api_errors *errors;
};

/* True if the table of errors or a signature fault answers with the code. */
bool query_is_answered_code(const struct query_codes *codes, const char *code);
/* Reason why nothing answers with the code; NULL: no reason is known. */
const char *query_why_no_code(const struct query_codes *codes, const char *code);

/* Writes "codes" and "codes_left_out" of the action; NULL: codes of all actions. */
void query_dump_codes(struct json_writer *w, const struct query_codes *codes, const char *action);
/* Writes the codes of the groups' actions and the reasons as a table of Markdown. */
void query_write_codes(struct buf *out, const struct query_codes *codes, const struct api_groups *groups);
/* Writes only the reasons, as rows of a table. */
void query_write_code_reasons(struct buf *out, const struct query_codes *codes);
