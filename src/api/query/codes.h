/* SPDX-License-Identifier: Apache-2.0
 * The codes that the API Reference of IAM or STS lists for failures: which are answered, and why others never are. For
 * the documentation and the tests. Any thread. */
#pragma once

#include "api/core/problem.h"
#include "base/json_write.h"

struct query_code {
	const char *code;
	const char *actions; /* built ones that it is listed for, between bars; "*": all */
};
struct query_code_reason {
	const char *code, *why;
};
struct query_codes {
	const struct query_code *at; /* by the alphabet */
	size_t count;
	const struct query_code_reason *reasons;
	size_t reason_count;
	const struct api_errors *errors;
};

/* Whether a row of the table of errors, or a refused signature, has it. */
bool query_is_answered_code(const struct query_codes *codes, const char *code);
/* Why none has it; NULL: no reason is given. */
const char *query_why_no_code(const struct query_codes *codes, const char *code);

/* Members of a JSON object: "codes" and "codes_left_out", those of the action; NULL: those of all actions. */
void query_dump_codes(struct json_writer *w, const struct query_codes *codes, const char *action);
/* The same as a table of Markdown: the actions of the groups, and the reasons. */
void query_write_codes(struct buf *out, const struct query_codes *codes, const struct api_groups *groups);
/* The reasons alone, as rows of a table. */
void query_write_code_reasons(struct buf *out, const struct query_codes *codes);
