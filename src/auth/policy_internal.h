/* SPDX-License-Identifier: Apache-2.0
 * Private to auth/policy*.c: the compiled form. All of it is one block; places in it are offsets from its
 * beginning. */
#pragma once

#include "auth/policy.h"
#include "base/ip.h"

/* A list or a text in the block. */
struct piece {
	uint32_t at, count;
};

enum { ARN_PARTS = 6 };

/* With wildcards as str_matches() takes them: a backslash takes away a special meaning. */
struct pattern {
	struct piece text;
	bool is_any;       /* "*" alone */
	bool is_matched;   /* by str_matches(); else it is compared as it is */
	bool has_wildcard; /* of what is matched: there is something to match */
	bool has_variable; /* "${…}" is filled in before it is matched */
	bool has_parts;    /* an ARN's, which end at these colons; then it has no variables */
	uint16_t parts[ARN_PARTS - 1];
};

enum condition_type {
	CONDITION_STRING,
	CONDITION_STRING_NOCASE,
	CONDITION_LIKE,
	CONDITION_NUMBER,
	CONDITION_DATE,
	CONDITION_BOOL,
	CONDITION_BINARY,
	CONDITION_IP,
	CONDITION_ARN,
	CONDITION_NULL,
};

enum condition_order { ORDER_EQUAL, ORDER_LESS, ORDER_LESS_EQUAL, ORDER_GREATER, ORDER_GREATER_EQUAL };

enum condition_scope { SCOPE_SINGLE, SCOPE_ANY_VALUE, SCOPE_ALL_VALUES };

struct condition_value {
	struct pattern pattern; /* strings and ARNs; of others the text as given */
	union {
		double number;
		int64_t time_us;
		bool is_true;
		struct cidr cidr;
	};
};

struct policy_condition {
	struct piece key; /* in lower case up to its first '/' */
	uint8_t type, order, scope;
	bool is_negated, if_exists;
	struct piece values; /* of struct condition_value */
};

struct policy_statement {
	struct permission_set permissions; /* that its (Not)Action names; NotAction: those that it does not */
	struct piece id;
	struct piece actions, resources, principals; /* of struct pattern */
	struct piece conditions;                     /* of struct policy_condition */
	bool is_deny, not_action, not_resource, not_principal;
};

struct policy_code {
	uint32_t size;
	bool has_variables; /* Version 2012-10-17 */
	struct piece statements;
};

static inline const void *policy_at(const struct policy_code *p, struct piece piece)
{
	return (const char *) p + piece.at;
}
static inline struct str policy_text(const struct policy_code *p, struct piece piece)
{
	return (struct str){(const char *) p + piece.at, piece.count};
}

/* ---- policy_build.c: the block while it grows ---- */

struct policy_builder {
	struct ctx *c;
	char *block;
	size_t size, capacity;
	bool has_variables;
	bool of_trust;
	size_t statement; /* that is read, counted from 1; 0: none */
};

/* Room for count things of that size, zeroed; their place. A full arena is told at the end. */
struct piece policy_reserve(struct policy_builder *b, size_t count, size_t size);
/* Its bytes. */
struct piece policy_add_text(struct policy_builder *b, struct str text);
/* The n-th of a list that was reserved. */
void policy_set_item(struct policy_builder *b, struct piece list, size_t n, const void *item, size_t size);
/* A pattern in the block: variables are known where they may stand. ERR_INVALID: a variable that is not
 * closed. */
RESULT policy_add_pattern(struct policy_builder *b, struct str text, bool may_have_variables,
			  bool has_wildcards, struct pattern *ret_pattern);

/* Where the parts of an ARN without variables end. */
void policy_note_parts(const struct policy_builder *b, struct pattern *pattern);

/* ---- policy_condition.c ---- */

/* "ForAnyValue:StringLikeIfExists". ERR_INVALID. */
RESULT policy_read_operator(struct ctx *c, struct str name, struct policy_condition *ret_condition);
/* One of the operator's values. ERR_INVALID: it is not of its type. */
RESULT policy_read_value(struct policy_builder *b, const struct policy_condition *condition, struct str text,
			 struct condition_value *ret_value);

enum truth { TRUTH_NO, TRUTH_YES, TRUTH_NOT_YET };
/* Whether the request fulfils it. */
enum truth policy_check_condition(const struct policy_code *p, const struct policy_condition *condition,
				  const struct policy_question *q);

/* ---- policy_variable.c ---- */

/* The pattern with its variables filled in, in q's arena. What is filled in matches as it is. POLICY_ABSENT:
 * one has no value and no default. */
enum policy_known policy_fill(const struct policy_code *p, const struct pattern *pattern,
			      const struct policy_question *q, struct str *ret_pattern);

/* "arn:partition:service:region:account:resource". */
struct policy_arn {
	struct str at[ARN_PARTS];
	bool is_split, has_more; /* more: colons in the resource's part */
};
/* What has fewer parts is left empty, and not split. */
void policy_split_arn(struct str arn, struct policy_arn *ret_arn);
/* Part by part: a wildcard reaches over no colon but the resource's own. */
bool policy_match_arn(const struct policy_arn *arn, const struct policy_arn *pattern);
/* As Resource has it: a star at the end of a part may reach over colons. It can only where the ARN has more
 * of them than five; any other is matched part by part. */
bool policy_match_resource(const struct policy_arn *arn, struct str whole, struct str pattern);
/* The same for a pattern that has_parts, and an ARN that has no more. */
bool policy_match_noted(const struct policy_code *p, const struct pattern *pattern,
			const struct policy_arn *arn);
/* '*' and '?', in any letter case. */
bool policy_match_action(struct str action, struct str pattern);
