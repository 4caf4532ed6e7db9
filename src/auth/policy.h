/* SPDX-License-Identifier: Apache-2.0
 * IAM's policy language. A document is compiled once, into a block without pointers that may be
 * copied as it is, and then answers questions in microseconds. Actions become sets of permissions
 * (model/permission.h), patterns are split, operators' values are parsed. Source: IAM User Guide,
 * "IAM JSON policy reference": grammar, elements, evaluation logic. Pure; any thread. */
#pragma once

#include "base/ctx.h"
#include "base/vec.h"
#include "model/permission.h"

struct policy_code; /* compiled */

enum {
	POLICY_DOCUMENT_MAX = 128 * 1024, /* characters, with white space */
	POLICY_STATEMENTS_MAX = 256,
	POLICY_VALUES_MAX = 1024, /* in one list */
	POLICY_TEXT_MAX = 2048,   /* of one value */
};

enum policy_form {
	POLICY_OF_IDENTITY, /* what its principal may do; it has no Principal */
	POLICY_OF_TRUST,    /* who may take a role; it has a Principal and no Resource */
};

/* Compiles a document into c's arena. ERR_INVALID, in IAM's words for what is wrong with it. */
RESULT policy_compile(struct ctx *c, struct str document, enum policy_form form,
		      const struct policy_code **ret_policy);
/* A place in a document: line and column from 1 on. */
struct policy_place {
	int64_t line, column;
};
/* Where a document is at fault: the statement that is wrong, or the place where it is no JSON. Line 0: it is the whole. */
struct policy_fault {
	struct policy_place start, end;
};
/* The same, and says where what is wrong stands. */
RESULT policy_check(struct ctx *c, struct str document, enum policy_form form,
		    const struct policy_code **ret_policy, struct policy_fault *ret_fault);
/* Refuses what IAM takes in no new policy, in IAM's order; the caller compiles the document afterwards. is_managed: it has to say
 * the newest version. ERR_INVALID, in IAM's words. */
RESULT policy_check_new(struct ctx *c, struct str document, enum policy_form form, bool is_managed);
/* Checks that the principals of a trust policy exist: accounts, users, roles, OpenID Connect providers; and that services have
 * names of AWS's form. Reads a document that policy_compile() takes. ERR_INVALID, in IAM's words. */
struct tables;
RESULT policy_check_principals(struct ctx *c, const struct tables *t, struct str trust);
/* The size of the block in bytes. It may be copied by memcpy() to an address that 8 divides. */
size_t policy_size(const struct policy_code *p);
/* How many characters count against IAM's limits: all but white space. */
size_t policy_count_characters(struct str document);

/* Whether each action that it names is of that vendor, such as "sts". */
bool policy_is_of_vendor(const struct policy_code *p, struct str vendor);

/* ---- questions ---- */

enum policy_known {
	POLICY_ABSENT,  /* the request has no such key */
	POLICY_PRESENT, /* the values are given; a key may have none of them */
	POLICY_NOT_YET, /* unknown until the resource is known */
};

/* What is asked about one request. */
struct policy_question {
	struct str action; /* "ec2:RunInstances" */
	int permission;    /* the action as a permission; PERMISSION_NONE: it is none */
	/* An ARN or "*". Empty: it is not known yet, and every resource that a statement names
	 * matches. */
	struct str resource;
	bool is_by_name; /* only statements count whose Resource is more than "*" */
	struct strs
		/* Who asks, for a trust policy: "AWS:arn…", "AWS:123456789012", "Service:…". */
		principals;
	/* Finds the values of a condition key, which is in lower case up to its first '/'. */
	enum policy_known (*find)(const struct policy_question *q, struct str key, struct strs *ret_values);
	const void *request; /* find()'s */
	struct arena *arena;
};

enum policy_effect { POLICY_SILENT, POLICY_ALLOWS, POLICY_DENIES };

/* What one policy says, and by which statement: the first that denies, else the first that
 * allows. */
enum policy_effect policy_ask(const struct policy_code *p, const struct policy_question *q,
			      size_t *ret_statement);

/* The Sid of a statement, or empty. */
struct str policy_statement_id(const struct policy_code *p, size_t statement);

/* Of a document; they are numbered from 0 on. */
size_t policy_count_statements(const struct policy_code *p);
/* Whether a statement is about the action and the resource, whatever its conditions say. */
bool policy_concerns(const struct policy_code *p, const struct policy_question *q, size_t statement);
/* What one statement says. */
enum policy_effect policy_ask_statement(const struct policy_code *p, const struct policy_question *q,
					size_t statement);

/* Where a statement of a document that compiled begins and ends, as IAM's policy simulator has it: behind the brace,
 * bracket or statement before it, and behind its own brace. False: there is no such statement. */
bool policy_find_place(struct str document, size_t statement, struct policy_place *ret_start,
		       struct policy_place *ret_end);

/* Condition keys, each once in any letter case. */
struct policy_keys {
	VEC(struct str) names;
};
/* Adds those that a document which compiled asks for: of its conditions, and its variables. */
RESULT policy_list_keys(struct ctx *c, struct str document, struct policy_keys *keys);
/* The same of each statement: as many keys as there are statements. */
RESULT policy_list_keys_of_each(struct ctx *c, struct str document, struct policy_keys *keys);

/* ---- decisions ---- */

/* All that speaks of a caller. */
struct policy_set {
	const struct policy_code *const *identity; /* the caller's own policies, and those of its groups */
	size_t identity_count;
	bool has_role; /* a role allows it; counts like a policy that allows */
	/* The caller is a restricted session: one of these must allow, of which there may be none. */
	bool has_session;
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
	enum policy_decider by; /* who denied or allowed it; POLICY_SILENT: who would have had to allow it */
	size_t policy, statement; /* of that decider; without meaning if POLICY_SILENT */
};

/* Decides. An explicit Deny anywhere wins. Else boundary and session must include the request. Else
 * something must allow it. */
void policy_decide(const struct policy_set *set, const struct policy_question *q,
		   struct policy_decision *ret_decision);
