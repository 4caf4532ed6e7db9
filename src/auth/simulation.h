/* SPDX-License-Identifier: Apache-2.0
 * The policy simulator: what policies say of what nobody has asked for, by which statement, and which condition keys
 * they would have to know. It decides as the guard does (policy_decide), on policies of a principal, and on such
 * that are only written down. What is made lies in the context's arena. */
#pragma once

#include "auth/policy.h"
#include "base/uuid.h"
#include "engine/people/policy.h"

/* A condition key of the request that is imagined. */
struct simulation_key {
	struct str key;
	struct strs values;
};

/* A policy that counts. Of each statement: where it stands, once that was asked (before, its line is 0), and the keys
 * that it asks for, after simulation_read_statements(). */
struct simulated_policy {
	struct str name,
		document; /* a managed one goes by its name, an inline one by its owner's, too: "user_ann_own" */
	uuid policy;      /* its row; none: one that is only written down */
	const struct policy_code *code;
	struct policy_place *starts, *ends;
	struct policy_keys *keys;
};

struct simulation {
	struct ctx *c;
	const struct simulation_key *keys; /* lent */
	size_t key_count;
	VEC(struct simulated_policy) policies; /* all but the boundary */
	struct str boundary_name;
	struct policy_set set;
};

/* All of a user, a group or a role that is its account's: its policies, those of its groups, its boundary; and whether
 * a role lets a user do what changes. field: the parameter that is at fault. ERR_QUOTA: too many. */
RESULT simulation_add_principal(struct simulation *s, const struct tables *t, uuid account,
				const struct policy_principal *principal, const char *field);
/* ERR_INVALID: it does not compile. */
RESULT simulation_add_document(struct simulation *s, struct str name, struct str document, const char *field);
RESULT simulation_set_boundary(struct simulation *s, struct str document, const char *field);
/* When all were added. */
RESULT simulation_begin(struct simulation *s);
/* Where statements stand, and what they ask for: for the functions below simulation_decide(). */
RESULT simulation_read_statements(struct simulation *s);

/* resource: an ARN or "*". The question is for the functions below. */
void simulation_decide(struct simulation *s, struct str action, struct str resource,
		       struct policy_question *ret_question, struct policy_decision *ret_decision);
/* "allowed", "explicitDeny", "implicitDeny". */
const char *simulation_word(const struct policy_decision *d);

/* A statement that says what was decided. Begins with zeroes. */
struct simulation_match {
	size_t policy, statement;           /* of s->policies */
	struct policy_place start, end;     /* line 0: unknown */
	size_t next_policy, next_statement; /* private */
};
/* False: there is no other. */
bool simulation_next_match(struct simulation *s, const struct policy_question *q,
			   const struct policy_decision *d, struct simulation_match *m);
/* Condition keys that statements about the action ask for, and nobody gave. */
RESULT simulation_find_missing(struct simulation *s, const struct policy_question *q,
			       struct policy_keys *missing);
/* Whether the boundary allows it; *ret_has: there is one. */
bool simulation_boundary_allows(const struct simulation *s, const struct policy_question *q, bool *ret_has);
