/* SPDX-License-Identifier: Apache-2.0
 * Whether a call is permitted: the one place where policies, boundaries and roles are combined, for
 * every face. It decides in two steps.
 *
 * 1. The action, as soon as it is known (guard_check_action()).
 * 2. Each row, where it is found. Step 1 leaves a struct guard (engine/operation.h) in the call's
 *    context. The engine's finders (engine/resolve.h) and operations (engine_permit()) ask it, so
 *    that no face has to.
 *
 * A permission says on which kinds of rows it is decided (model/permission.h). On those a policy
 * must allow it. On other rows that a call names, only a Deny counts that names the row's ARN. Each
 * version of a policy is compiled once, and the result is cached; a call works with copies of its
 * own. Any thread. */
#pragma once

#include "auth/policy.h"
#include "engine/operation.h"
#include "engine/people/arm_rights.h"
#include "http/server.h"

struct guards;

struct guards_config {
	struct store *store;
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; not kept after the call */
	struct str region;         /* its name; copied */
	/* Writes what a role of Azure's allows as a policy of IAM's, from the role's JSON (engine/people/arm_rights.h).
	 * NULL: such roles give nothing. ERR_INVALID, ERR_NO_MEMORY. */
	RESULT (*write_role)(struct ctx *c, struct str permissions, struct str *ret_document);
	/* Tells a test of each question about a row, whether or not policies have a say. NULL: no test listens. */
	void (*hear)(int permission, enum kind kind);
};

/* Nothing that config points at is kept, except the store. ERR_NO_MEMORY. */
RESULT guards_new(struct ctx *c, const struct guards_config *config, struct guards **ret_guards);
void guards_free(struct guards *g); /* NULL: nothing */
DEFINE_AUTO(guards)

enum guard_words { GUARD_OF_EC2, GUARD_OF_IAM, GUARD_OF_OPENSTACK, GUARD_OF_DARI };

/* What is asked. It is in the call's arena, or lives longer. */
struct guard_request {
	struct str action;      /* in the face's words: "ec2:RunInstances", "os_compute_api:servers:create" */
	enum guard_words words; /* whose words a refusal is in */
	bool is_change;         /* an operation follows, which finds the rows */
	bool has_role;          /* the caller's roles allow it */
	struct str resource;    /* the resource's ARN, where no operation finds a row; empty: not said */
	struct arm_place place; /* in Azure's words where it happens, as far as the call says it */
	/* The condition keys of the request itself, in lower case up to '/'. NULL: it has none. */
	enum policy_known (*find)(const void *arg, struct str key, struct strs *ret_values);
	const void *arg;
};

/* Step 1. g NULL: roles alone decide. ERR_DENIED. */
RESULT guard_check_action(struct guards *g, struct call *call, const struct guard_request *request);
/* Step 1 of an action that needs no permission: asks nothing, and leaves the guard for step 2, so that the
 * rows that the call names are decided on all the same. request.has_role is true. */
RESULT guard_admit(struct guards *g, struct call *call, const struct guard_request *request);
/* Of each of the requests, which are the caller's, whether step 1 would permit it. Nothing of it is kept. ERR_NO_MEMORY. */
RESULT guard_ask_actions(struct guards *g, struct call *call, const struct guard_request *requests,
			 size_t count, bool *ret_are_permitted);
/* Call it after an operation or a read that succeeded. If no row was found to decide on, the action
 * is decided for all rows. From then on the guard is asked nothing, because what follows shows what
 * was permitted. ERR_DENIED. */
RESULT guard_check_rest(struct ctx *c);
/* A part of what was asked was refused, and the call goes on without it: what is refused from now on counts. */
void guard_drop_refusal(struct ctx *c);
/* The same at the end of a successful operation: decides on each row that it made and did not ask
 * about before, and on both ends of each reference that it made, changed or ended. ERR_DENIED. */
RESULT guard_check_made(struct op *op);
/* Whether rows decide on this call. Its answer must then not be given to another caller, and not be
 * found by its parameters alone. */
bool guard_awaits_rows(const struct ctx *c);

/* Somebody wants to take a role: request.action on request.resource, which is the role's ARN. */
struct guard_trust {
	struct guard_request request; /* its words and has_role are ignored */
	uuid account;                 /* that the role belongs to */
	struct str trust;             /* the role's trust policy; empty: there is no such role */
};
/* Whether the caller may take the role. g as above. ERR_DENIED. */
RESULT guard_check_trust(struct guards *g, struct call *call, const struct guard_trust *t);

/* Whether a trust policy lets somebody take the role for whom an OpenID Connect provider vouches,
 * given by its ARN. Condition keys are those of the request; the principal has none. The same as
 * above, but the reason of a refusal is not kept. */
RESULT guard_ask_federated(struct guards *g, struct call *call, const struct guard_trust *t,
			   struct str provider, bool *ret_is_trusted);

/* Whether a trust policy lets a service of AWS, such as "ec2.amazonaws.com", take its role. No
 * condition key is known of a service. ERR_NO_MEMORY. */
RESULT guard_ask_service(struct ctx *c, struct str trust, struct str service, bool *ret_is_trusted);

/* How ARNs of EC2 name the rows of a kind that IAM has not. */
struct guard_arn_form {
	enum kind kind;
	const char *type;              /* "network-interface" */
	bool has_no_account, is_named; /* is_named: the ARN ends with the row's name, not with an id */
};
struct guard_arn_form guard_find_arn_form(enum kind kind);

/* The caller's ARN, "arn:aws:iam::111122223333:user/division/ann"; for a role's session
 * "arn:aws:sts::111122223333:assumed-role/deploy/ann". */
struct str guard_write_principal(const struct identity *who, struct arena *a);
/* The same, but for a role's session the ARN of the role. */
struct str guard_write_policy_principal(const struct identity *who, struct arena *a);
/* The caller's unique id, "AIDA…"; for a role's session "AROA…:ann", for an account's owner the
 * account's number. */
struct str guard_write_id(const struct identity *who, struct arena *a);

/* ---- refusals ---- */

/* For a call that failed with ERR_DENIED: stores the reason for a while under its request id, and
 * returns it sealed, for DecodeAuthorizationMessage. Empty: no policy was asked, or none refused
 * it. */
struct str guard_explain_refusal(struct ctx *c);
/* Opens a sealed reason, as JSON. ERR_INVALID: it is not one of the caller's account. */
RESULT guard_decode_refusal(struct guards *g, struct ctx *c, struct str encoded, struct str *ret_json);
/* The stored reason of one of the last refusals, as JSON. Empty: it is not among them. */
struct str guard_find_refusal(struct guards *g, struct arena *a, struct str request_id);

/* ---- simulation ---- */

/* All policies that speak of a user in the caller's account, compiled, in c's arena. */
struct guard_policies {
	const struct policy_code **at;
	struct str *names; /* "arn:aws:iam::…:policy/x", "inline x" */
	const struct arm_place
		*places; /* where each of them holds; NULL: all hold everywhere in the account */
	size_t count;
	const struct policy_code *boundary; /* NULL: none */
	struct str boundary_name;
	bool has_session; /* policies that were passed when the session was taken restrict it */
	const struct policy_code **session;
	size_t session_count;
};
RESULT guard_gather(struct guards *g, struct ctx *c, uuid user, uuid account,
		    struct guard_policies *ret_policies);
