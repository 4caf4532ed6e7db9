/* SPDX-License-Identifier: Apache-2.0
 * Actions of listeners and rules. */
#pragma once

#include "api/elb/internal.h"

struct listener_rule;

/* A target group of an action. */
struct action_group {
	struct str arn;
	int64_t weight;
	bool has_weight;
};
struct action_groups {
	struct action_group *at;
	size_t count;
};
struct action_arg {
	struct str type, arn;
	struct action_groups groups;
	int64_t order, sticky_s;
	enum choice is_sticky;
	struct str protocol, port, host, path, query, redirect_status;
	bool has_query;
	struct str status, content_type, body;
};
struct action_args {
	struct action_arg *at;
	size_t count;
};
extern const struct params elb_action_params;

/* Reads the one action of a list. */
RESULT elb_read_action(struct elb_call *e, const struct action_args *actions, const char *field,
		       struct rule_action *ret_action);
/* A rule's action, as a list with that name. */
void elb_write_rule_action(struct elb_call *e, struct xml *x, const char *list,
			   const struct listener_rule *r);
/* True if the text consists of printable ASCII. */
bool elb_is_printable(struct str text, bool has_spaces);
