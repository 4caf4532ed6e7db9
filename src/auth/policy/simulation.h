/* SPDX-License-Identifier: Apache-2.0
 * The policy simulator: evaluates policies for a hypothetical request, and tells which statements decide and
 * which condition keys they would need. It decides like the guard (policy_decide()), with policies of a
 * principal and with documents given in the request. Results are in the context's arena. */
#pragma once

#include "auth/policy/policy.h"
#include "base/uuid.h"
#include "engine/people/policy/policy.h"

/* A condition key of the hypothetical request. */
struct simulation_key {
	struct str key;
	struct strs values;
};

/* A policy to evaluate, with arrays per statement: positions, determined on demand (line 0: not yet), and
 * condition keys, set by simulation_read_statements(). */
struct simulated_policy {
	struct str name,
		document; /* name of a managed policy; an inline policy has its owner's too: "user_ann_own" */
	uuid policy;      /* its row; none: a document from the request */
	const struct policy_code *code;
	struct policy_place *starts, *ends;
	struct policy_keys *keys;
};

struct simulation {
	struct ctx *c;
	const struct simulation_key *keys; /* borrowed */
	size_t key_count;
	VEC(struct simulated_policy) policies; /* without the boundary */
	struct str boundary_name;
	struct policy_set set;
};

/* Adds the policies of a user, group or role of the account, those of its groups, its boundary, and whether a
 * role lets a user make changes. field: parameter to blame in an error. ERR_QUOTA: too many policies. */
RESULT simulation_add_principal(struct simulation *s, const struct tables *t, uuid account,
				const struct policy_principal *principal, const char *field);
/* ERR_INVALID: the document does not compile. */
RESULT simulation_add_document(struct simulation *s, struct str name, struct str document, const char *field);
RESULT simulation_set_boundary(struct simulation *s, struct str document, const char *field);
/* To be called after all policies were added. */
RESULT simulation_begin(struct simulation *s);
/* Reads positions and keys of statements, which the functions below simulation_decide() need. */
RESULT simulation_read_statements(struct simulation *s);

/* resource: an ARN or "*". *ret_question is the argument of the functions below. */
void simulation_decide(struct simulation *s, struct str action, struct str resource,
		       struct policy_question *ret_question, struct policy_decision *ret_decision);
/* "allowed", "explicitDeny" or "implicitDeny". */
const char *simulation_word(const struct policy_decision *d);

/* Iterator over the statements that agree with a decision; starts zeroed. */
struct simulation_match {
	size_t policy, statement;           /* index in s->policies */
	struct policy_place start, end;     /* line 0: unknown */
	size_t next_policy, next_statement; /* private */
};
/* False: no further statement. */
bool simulation_next_match(struct simulation *s, const struct policy_question *q,
			   const struct policy_decision *d, struct simulation_match *m);
/* Adds condition keys that statements about the action need and the request lacks. */
RESULT simulation_find_missing(struct simulation *s, const struct policy_question *q,
			       struct policy_keys *missing);
/* True if the boundary allows it; *ret_has: a boundary exists. */
bool simulation_boundary_allows(const struct simulation *s, const struct policy_question *q, bool *ret_has);
