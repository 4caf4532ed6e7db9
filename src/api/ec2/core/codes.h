/* SPDX-License-Identifier: Apache-2.0
 * The codes that EC2's API Reference lists for failures: in which actions their case can happen, and which are
 * answered. For the documentation and the tests. Any thread. */
#pragma once

#include "api/ec2/core/action.h"
#include "base/json_write.h"

struct ec2_code {
	const char *code;
	const char *actions; /* patterns between bars; NULL: actions that name one of the kind */
	enum kind kind;
};

/* All, by the alphabet. */
const struct ec2_code *ec2_list_codes(size_t *ret_count);
/* Whether an answer of EC2's can have the code. */
bool ec2_is_answered_code(const char *code);
/* Why none has it; NULL: no reason is given. */
const char *ec2_why_no_code(const char *code);
/* Whether the code's case can happen in the action. */
bool ec2_concerns_code(const struct ec2_action *action, const struct ec2_code *code);

/* Members of a JSON object: "codes" and "codes_left_out", those of the action; NULL: those of all actions. */
void ec2_dump_codes(struct json_writer *w, const struct ec2_action *action);
/* The member "left_out_codes", a list of objects: why, and the codes. */
void ec2_dump_left_out_codes(struct json_writer *w);
