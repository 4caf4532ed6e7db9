/* SPDX-License-Identifier: Apache-2.0
 * Private to auth/policy/policy*.c: the compiled form, one block with offsets from its start. */
#pragma once

#include "auth/policy/policy.h"
#include "base/ip.h"

/* A list or a string in the block. */
struct piece {
	uint32_t at, count;
};

enum { ARN_PARTS = 6 };

/* A string with wildcards in the syntax of str_matches(), where a backslash escapes. */
struct pattern {
	struct piece text;
	bool is_any;       /* exactly "*" */
	bool is_matched;   /* matched by str_matches(); else compared for equality */
	bool has_wildcard; /* contains wildcards or escapes */
	bool has_variable; /* contains "${…}", to be substituted before matching */
	bool has_parts;    /* an ARN without variables; parts[] are the positions of its colons */
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
	struct pattern pattern; /* strings and ARNs; for other types the original text */
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
	struct permission_set permissions; /* permissions matched by Action, or not matched by NotAction */
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
	bool of_trust, of_endpoint, of_resource; /* kind of policy; none of them: an identity's */
	size_t statement;                        /* number of the statement being read, from 1; 0: none */
};

/* Reserves zeroed space for count items of the size. A full arena is reported at the end. */
struct piece policy_reserve(struct policy_builder *b, size_t count, size_t size);
/* Appends the bytes. */
struct piece policy_add_text(struct policy_builder *b, struct str text);
/* Sets the n-th item of a reserved list. */
void policy_set_item(struct policy_builder *b, struct piece list, size_t n, const void *item, size_t size);
/* Appends a pattern. ERR_INVALID: a variable is not closed. */
RESULT policy_add_pattern(struct policy_builder *b, struct str text, bool may_have_variables,
			  bool has_wildcards, struct pattern *ret_pattern);

/* Notes the colons of an ARN without variables. */
void policy_note_parts(const struct policy_builder *b, struct pattern *pattern);

/* ---- policy_condition.c ---- */

/* Parses for example "ForAnyValue:StringLikeIfExists". ERR_INVALID. */
RESULT policy_read_operator(struct ctx *c, struct str name, struct policy_condition *ret_condition);
/* Parses a value of the operator. ERR_INVALID: wrong type. */
RESULT policy_read_value(struct policy_builder *b, const struct policy_condition *condition, struct str text,
			 struct condition_value *ret_value);

enum truth { TRUTH_NO, TRUTH_YES, TRUTH_NOT_YET };
/* Evaluates a condition for the request. */
enum truth policy_check_condition(const struct policy_code *p, const struct policy_condition *condition,
				  const struct policy_question *q);

/* ---- policy_variable.c ---- */

/* Substitutes variables, in q's arena; wildcards in substituted values are literal. POLICY_ABSENT: a variable
 * has neither value nor default. */
enum policy_known policy_fill(const struct policy_code *p, const struct pattern *pattern,
			      const struct policy_question *q, struct str *ret_pattern);

/* "arn:partition:service:region:account:resource". */
struct policy_arn {
	struct str at[ARN_PARTS];
	bool is_split, has_more; /* has_more: the resource part contains colons */
};
/* An ARN with fewer parts is left empty and not split. */
void policy_split_arn(struct str arn, struct policy_arn *ret_arn);
/* Matches part by part: a wildcard crosses no colon, except within the resource part. */
bool policy_match_arn(const struct policy_arn *arn, const struct policy_arn *pattern);
/* Matches as the Resource element does: a star at the end of a part may cross colons. That matters only for
 * ARNs with more than five colons; others are matched part by part. */
bool policy_match_resource(const struct policy_arn *arn, struct str whole, struct str pattern);
/* policy_match_resource() for a pattern with has_parts and an ARN without has_more. */
bool policy_match_noted(const struct policy_code *p, const struct pattern *pattern,
			const struct policy_arn *arn);
/* '*' and '?' match; case is ignored. */
bool policy_match_action(struct str action, struct str pattern);
