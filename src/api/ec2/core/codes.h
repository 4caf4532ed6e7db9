/* SPDX-License-Identifier: Apache-2.0
 * Error codes of EC2's API Reference: the actions in which a code's case can happen, and the codes that this face answers
 * with. Used by the documentation and the tests. Any thread. */
#pragma once

#include "api/ec2/core/action.h"
#include "base/json_write.h"

struct ec2_code {
	const char *code;
	const char *actions; /* patterns separated by '|'; NULL: actions that name a row of the kind */
	enum kind kind;
};

/* All codes in alphabetical order. */
const struct ec2_code *ec2_list_codes(size_t *ret_count);
/* True if an answer can have the code. */
bool ec2_is_answered_code(const char *code);
/* Reason why no answer has the code; NULL: no reason is known. */
const char *ec2_why_no_code(const char *code);
/* True if the code's case can happen in the action. */
bool ec2_concerns_code(const struct ec2_action *action, const struct ec2_code *code);

/* Writes "codes" and "codes_left_out" of the action; NULL: codes of all actions. */
void ec2_dump_codes(struct json_writer *w, const struct ec2_action *action);
/* Writes "left_out_codes", a list of objects: a reason, and the codes. */
void ec2_dump_left_out_codes(struct json_writer *w);
