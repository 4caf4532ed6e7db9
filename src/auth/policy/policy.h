/* SPDX-License-Identifier: Apache-2.0
 * IAM's policy language. A document is compiled once into a relocatable block (offsets in place of pointers,
 * so memcpy() copies it), which then answers questions in microseconds: actions become sets of permissions
 * (model/permission.h), patterns are split, operators' values parsed. Source: IAM User Guide, "IAM JSON
 * policy reference": grammar, elements, evaluation logic. Pure functions; any thread. */
#pragma once

#include "base/ctx.h"
#include "base/vec.h"
#include "model/permission.h"

struct policy_code; /* a compiled policy */

enum {
	POLICY_DOCUMENT_MAX = 128 * 1024, /* characters, including white space */
	POLICY_STATEMENTS_MAX = 256,
	POLICY_VALUES_MAX = 1024, /* in one list */
	POLICY_TEXT_MAX = 2048,   /* bytes of one value */
};

enum policy_form {
	POLICY_OF_IDENTITY, /* permissions of its principal; has no Principal */
	POLICY_OF_TRUST,    /* who may assume a role; has a Principal and no Resource */
};

/* Compiles a document into c's arena. ERR_INVALID, with IAM's message. */
RESULT policy_compile(struct ctx *c, struct str document, enum policy_form form,
		      const struct policy_code **ret_policy);
/* Position in a document; line and column start at 1. */
struct policy_place {
	int64_t line, column;
};
/* Position of an error: the invalid statement, or where the JSON is malformed. Line 0: the whole document. */
struct policy_fault {
	struct policy_place start, end;
};
/* Compiles, and returns the position of an error. */
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
/* Characters that count against IAM's limits: all except white space. */
size_t policy_count_characters(struct str document);

/* True if every action has the vendor prefix, for example "sts". */
bool policy_is_of_vendor(const struct policy_code *p, struct str vendor);

/* ---- questions ---- */

enum policy_known {
	POLICY_ABSENT,  /* the request has no such key */
	POLICY_PRESENT, /* values are returned; the list may be empty */
	POLICY_NOT_YET, /* unknown until the resource is known */
};

/* A question about one request. */
struct policy_question {
	struct str action; /* for example "ec2:RunInstances" */
	int permission;    /* the action's permission, or PERMISSION_NONE */
	/* ARN or "*". Empty: not known yet; every Resource matches. */
	struct str resource;
	bool is_by_name; /* only statements whose Resource is narrower than "*" count */
	struct strs
		/* The caller, for policies with a Principal: "AWS:123456789012", "AWS:arn…", "Service:…". For
		 * policy_ask_resource() in this order: the account, the session if there is one, the user or role. */
		principals;
	bool is_service; /* an AWS service asks for one of its resources: "*" matches it, too */
	/* Finds the values of a condition key, given in lower case up to its first '/'. */
	enum policy_known (*find)(const struct policy_question *q, struct str key, struct strs *ret_values);
	const void *request; /* argument of find() */
	struct arena *arena;
};

enum policy_effect { POLICY_SILENT, POLICY_ALLOWS, POLICY_DENIES };

/* Evaluates one policy. *ret_statement: the first statement that denies, else the first that allows. */
enum policy_effect policy_ask(const struct policy_code *p, const struct policy_question *q,
			      size_t *ret_statement);

/* Form in which an allowing statement names the caller, from the weakest to the strongest. */
enum policy_grant {
	POLICY_GRANTS_NOBODY,
	POLICY_GRANTS_ACCOUNT, /* by the account alone, whose own policies decide who of it */
	POLICY_GRANTS_ANYBODY, /* by "*" or NotPrincipal */
	POLICY_GRANTS_ENTITY,  /* by the user's or the role's ARN */
	POLICY_GRANTS_SESSION, /* by the session's ARN */
};
struct resource_verdict {
	enum policy_effect effect;
	enum policy_grant grant; /* the highest, if it allows */
	size_t statement;
};
/* Evaluates a resource's policy, stricter than policy_ask(): a condition that is not known yet lets a Deny hold and no Allow, and a Deny
 * with NotPrincipal spares only a caller whose account, session, and user or role are all named, as IAM documents. */
void policy_ask_resource(const struct policy_code *p, const struct policy_question *q,
			 struct resource_verdict *ret_verdict);

/* Sid of a statement; may be empty. */
struct str policy_statement_id(const struct policy_code *p, size_t statement);

/* Number of statements, which are numbered from 0. */
size_t policy_count_statements(const struct policy_code *p);
/* True if a statement matches action and resource, regardless of its conditions. */
bool policy_concerns(const struct policy_code *p, const struct policy_question *q, size_t statement);
/* Evaluates one statement. */
enum policy_effect policy_ask_statement(const struct policy_code *p, const struct policy_question *q,
					size_t statement);

/* Position of a statement in a document that compiles, in the convention of IAM's policy simulator: starts
 * behind the preceding bracket, brace or statement, ends behind its own brace. False: no such statement. */
bool policy_find_place(struct str document, size_t statement, struct policy_place *ret_start,
		       struct policy_place *ret_end);

/* Condition keys, each once, compared ignoring case. */
struct policy_keys {
	VEC(struct str) names;
};
/* Adds the condition keys and variables that a document refers to. The document must compile. */
RESULT policy_list_keys(struct ctx *c, struct str document, struct policy_keys *keys);
/* The same per statement; keys points to as many elements as there are statements. */
RESULT policy_list_keys_of_each(struct ctx *c, struct str document, struct policy_keys *keys);

/* ---- decisions ---- */

/* All policies that apply to a caller. */
struct policy_set {
	const struct policy_code *const *identity; /* policies of the caller and of its groups */
	size_t identity_count;
	bool has_role; /* a role allows the action; counts like a policy that allows it */
	/* The caller is a restricted session: one of these policies, if any exist, must allow. */
	bool has_session;
	const struct policy_code *const *session;
	size_t session_count;
	const struct policy_code *boundary; /* must allow; NULL: none */
	const struct policy_code *resource; /* policy of the resource; NULL: none */
	bool is_foreign;                    /* the resource belongs to another account than the caller */
	bool is_user;                       /* the caller is a user, without or with a session of its own */
};

enum policy_decider {
	POLICY_BY_NOBODY,
	POLICY_BY_IDENTITY,
	POLICY_BY_ROLE,
	POLICY_BY_BOUNDARY,
	POLICY_BY_SESSION,
	POLICY_BY_RESOURCE
};

struct policy_decision {
	enum policy_effect effect; /* POLICY_SILENT: nothing allows it */
	enum policy_decider by;   /* who denied or allowed; with POLICY_SILENT, who would have had to allow */
	size_t policy, statement; /* of that decider; undefined with POLICY_SILENT */
};

/* Decides: an explicit Deny anywhere wins; otherwise boundary and session must include the request; otherwise
 * something must allow it. In another account the resource's policy must allow it, too. In the caller's own account
 * it suffices that the resource's policy allows it, and how it names the caller decides what else counts:
 *   the session's ARN   nothing else
 *   the user's ARN      nothing else; for a federated session boundary and session policies must include the request
 *   the role's ARN, "*" boundary and session policies must include the request
 *   the account         the account's own policies must allow it
 * Source: IAM User Guide, "Policy evaluation logic" and "AWS JSON policy elements: Principal". */
void policy_decide(const struct policy_set *set, const struct policy_question *q,
		   struct policy_decision *ret_decision);
