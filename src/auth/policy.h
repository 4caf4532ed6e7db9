/* SPDX-License-Identifier: Apache-2.0
 * IAM's policy language: a document is compiled once, into a block without pointers that may be copied as it
 * is, and then answers questions in microseconds. Actions are sets of canonical permissions
 * (model/permission.h), patterns are split and marked, operators' values are parsed. Pure; any thread.
 * Source: IAM User Guide, "IAM JSON policy reference": grammar, elements, evaluation logic. */
#pragma once

#include "base/ctx.h"
#include "model/permission.h"

struct policy_code; /* compiled */

enum {
	POLICY_DOCUMENT_MAX = 128 * 1024, /* characters, with white space */
	POLICY_STATEMENTS_MAX = 256,
	POLICY_VALUES_MAX = 1024, /* in one list */
	POLICY_TEXT_MAX = 2048,   /* of one value */
};

enum policy_form {
	POLICY_OF_IDENTITY, /* what its holder may: without Principal */
	POLICY_OF_TRUST,    /* who may take a role: with Principal, without Resource */
};

/* Into c's arena. ERR_INVALID with IAM's words for what is wrong with it. */
RESULT policy_compile(struct ctx *c, struct str document, enum policy_form form,
		      const struct policy_code **ret_policy);
/* Of the block, which may be copied with memcpy() to where 8 divides the address. */
size_t policy_size(const struct policy_code *p);
/* How many characters count against IAM's limits: white space does not. */
size_t policy_count_characters(struct str document);

/* ---- questions ---- */

enum policy_known {
	POLICY_ABSENT,  /* the request has no such key */
	POLICY_PRESENT, /* values are given; of some keys there may be none */
	POLICY_NOT_YET, /* it cannot be said before the resource is known */
};

/* What is asked of one request. */
struct policy_question {
	struct str action;   /* "ec2:RunInstances" */
	int permission;      /* the same as a permission; PERMISSION_NONE: it is none of ours */
	struct str resource; /* an ARN or "*"; empty: not known yet, any that a statement names counts */
	bool is_by_name;     /* only statements count whose Resource is more than "*" */
	struct strs
		principals; /* to a trust policy: who asks, as "AWS:arn…", "AWS:123456789012", "Service:…" */
	/* The values of a condition key, which is in lower case up to its first '/'. */
	enum policy_known (*find)(const struct policy_question *q, struct str key, struct strs *ret_values);
	const void *request; /* find()'s */
	struct arena *arena;
};

enum policy_effect { POLICY_SILENT, POLICY_ALLOWS, POLICY_DENIES };

/* What one policy says, and by which statement (the first that denies, else the first that allows). */
enum policy_effect policy_ask(const struct policy_code *p, const struct policy_question *q,
			      size_t *ret_statement);

/* The Sid of a statement, or empty. */
struct str policy_statement_id(const struct policy_code *p, size_t statement);

/* ---- decisions ---- */

/* All that speaks of somebody. */
struct policy_set {
	const struct policy_code *const *identity; /* what they have by themselves and by their groups */
	size_t identity_count;
	bool has_role;    /* a role gives it: as a policy that allows */
	bool has_session; /* of a session: one of these must allow, which may be none at all */
	const struct policy_code *const *session;
	size_t session_count;
	const struct policy_code *boundary; /* must allow; NULL: there is none */
};

enum policy_decider {
	POLICY_BY_NOBODY,
	POLICY_BY_IDENTITY,
	POLICY_BY_ROLE,
	POLICY_BY_BOUNDARY,
	POLICY_BY_SESSION
};

struct policy_decision {
	enum policy_effect effect; /* POLICY_SILENT: nothing allows it */
	enum policy_decider
		by; /* who denied or allowed it; of a silent one, who would have had to allow it */
	size_t policy, statement; /* of that decider's; without meaning for a silent one */
};

/* An explicit Deny anywhere; else what boundary and session do not include; else what is allowed. */
void policy_decide(const struct policy_set *set, const struct policy_question *q,
		   struct policy_decision *ret_decision);
