/* SPDX-License-Identifier: Apache-2.0
 * Authorisation of calls: the one place where policies, boundaries and roles are combined, for every face. It
 * decides in two steps:
 *  1. The action, as soon as it is known (guard_check_action()).
 *  2. Each row, when it is found. Step 1 leaves a struct guard (engine/operation.h) in the call's context;
 *     the engine's finders (engine/resolve.h) and operations (engine_permit()) ask it, so that no face has
 *     to.
 *
 * A permission defines on which kinds of rows it is decided (model/permission.h). On these a policy must
 * allow it. On other rows named by a call only a Deny with the row's ARN counts. Each version of a policy is
 * compiled once and cached; a call works on copies of its own. Any thread. */
#pragma once

#include "auth/policy/policy.h"
#include "engine/operation.h"
#include "engine/people/policy/arm_rights.h"
#include "http/server.h"

struct guards;

struct guards_config {
	struct store *store;
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; not kept after the call */
	struct str region;         /* name of the region; copied */
	/* Converts the permissions of an Azure role (JSON) to an IAM policy (engine/people/policy/arm_rights.h).
	 * NULL: Azure roles grant nothing. ERR_INVALID, ERR_NO_MEMORY. */
	RESULT (*write_role)(struct ctx *c, struct str permissions, struct str *ret_document);
	/* Tells a test of each question about a row, whether or not policies have a say. NULL: no test listens. */
	void (*hear)(int permission, enum kind kind);
};

/* Copies what it needs of config, except the store. ERR_NO_MEMORY. */
RESULT guards_new(struct ctx *c, const struct guards_config *config, struct guards **ret_guards);
void guards_free(struct guards *g); /* ignores NULL */
/* Guard of work that runs later (engine/people/asker.h); valid as long as g. NULL if g is NULL. */
struct later_guard;
struct later_guard *guards_later(struct guards *g);
DEFINE_AUTO(guards)

enum guard_words { GUARD_OF_EC2, GUARD_OF_IAM, GUARD_OF_OPENSTACK, GUARD_OF_DARI };

/* An authorisation request. Lives in the call's arena, or longer. */
struct guard_request {
	struct str action;      /* name in the face's terms: "ec2:RunInstances",
				 * "os_compute_api:servers:create" */
	enum guard_words words; /* selects the wording of a refusal */
	bool is_change;         /* an operation follows, which finds the rows */
	bool has_role;          /* the caller's roles allow the action */
	struct str resource;    /* ARN of the resource, if no operation finds a row; empty: unknown */
	struct arm_place place; /* Azure scope of the action, as far as the call names it */
	/* Finds condition keys of the request itself; keys are in lower case up to '/'. NULL: none. */
	enum policy_known (*find)(const void *arg, struct str key, struct strs *ret_values);
	const void *arg;
};

/* Step 1. g NULL: roles alone decide. ERR_DENIED. */
RESULT guard_check_action(struct guards *g, struct call *call, const struct guard_request *request);
/* Step 1 for an action that needs no permission: allows it, and leaves the guard for step 2, so that rows
 * named by the call are still checked. request.has_role is true. */
RESULT guard_admit(struct guards *g, struct call *call, const struct guard_request *request);
/* Makes the user the caller of a call that carries no token, after the call has proved the user's password, and
 * admits the action as above. Call it before an operation that acts for the user. A user who is gone or
 * disabled leaves the caller a stranger. ERR_NO_MEMORY. */
RESULT guard_admit_proved(struct guards *g, struct call *call, struct store *store, uuid user,
			  const struct guard_request *request);
/* For each of the caller's requests, tells whether step 1 would permit it; changes nothing. ERR_NO_MEMORY. */
RESULT guard_ask_actions(struct guards *g, struct call *call, const struct guard_request *requests,
			 size_t count, bool *ret_are_permitted);
/* To be called after an operation or read has succeeded. If no row was checked, checks the action for all
 * rows. Afterwards the guard permits everything, because what follows only shows what was permitted.
 * ERR_DENIED. */
RESULT guard_check_rest(struct ctx *c);
/* Forgets a refusal of a part that the call goes on without. */
void guard_drop_refusal(struct ctx *c);
/* The same at the end of a successful operation: decides on each row that it made and did not ask
 * about before, and on both ends of each reference that it made, changed or ended. ERR_DENIED. */
RESULT guard_check_made(struct op *op);
/* True if the answer depends on rows: then it must not be given to another caller or be cached by parameters
 * alone. */
bool guard_awaits_rows(const struct ctx *c);

/* A request to assume a role: request.action on request.resource, the role's ARN. */
struct guard_trust {
	struct guard_request request; /* its words and has_role are ignored */
	uuid account;                 /* account of the role */
	struct str trust;             /* trust policy of the role; empty: no such role */
};
/* Checks that the caller may assume the role. g NULL: as above. ERR_DENIED. */
RESULT guard_check_trust(struct guards *g, struct call *call, const struct guard_trust *t);

/* Tells whether a trust policy lets an identity of an OpenID Connect provider (given by its ARN) assume the
 * role. Condition keys are those of the request. The reason of a refusal is not stored. */
RESULT guard_ask_federated(struct guards *g, struct call *call, const struct guard_trust *t,
			   struct str provider, bool *ret_is_trusted);

/* Tells whether a trust policy lets an AWS service such as "ec2.amazonaws.com" assume the role. A service has
 * no condition keys. ERR_NO_MEMORY. */
RESULT guard_ask_service(struct ctx *c, struct str trust, struct str service, bool *ret_is_trusted);
/* The same for a request that comes later: a condition on its keys, such as aws:SourceAccount, may hold then. */
RESULT guard_ask_service_later(struct ctx *c, struct str trust, struct str service, bool *ret_is_trusted);

/* Form of an EC2 ARN for a kind that is not IAM's. */
struct guard_arn_form {
	enum kind kind;
	const char *type;              /* resource type, for example "network-interface" */
	bool has_no_account, is_named; /* is_named: the ARN ends with the row's name in place of its id */
};
struct guard_arn_form guard_find_arn_form(enum kind kind);

/* ARN of the caller: "arn:aws:iam::111122223333:user/division/ann"; for a role session
 * "arn:aws:sts::111122223333:assumed-role/deploy/ann"; for a federated session
 * "arn:aws:sts::111122223333:federated-user/guest". */
struct str guard_write_principal(const struct identity *who, struct arena *a);
/* ARN of the user or the role, also for a session. */
struct str guard_write_policy_principal(const struct identity *who, struct arena *a);

/* ---- refusals ---- */

/* For a call that failed with ERR_DENIED: stores the reason under its request id for a while, and returns the
 * reason sealed, for DecodeAuthorizationMessage. Empty: no policy was involved. */
struct str guard_explain_refusal(struct ctx *c);
/* Opens a sealed reason, as JSON. ERR_MALFORMED: not a message for the caller's account. */
RESULT guard_decode_refusal(struct guards *g, struct ctx *c, struct str encoded, struct str *ret_json);
/* Reason of a recent refusal, as JSON. Empty: not among the last ones. */
struct str guard_find_refusal(struct guards *g, struct arena *a, struct str request_id);

/* ---- simulation ---- */

/* The compiled policies that apply to a principal in an account, in c's arena. */
struct guard_policies {
	const struct policy_code **at;
	struct str *names; /* "arn:aws:iam::…:policy/x", "inline policy x" */
	const struct arm_place
		*places; /* place at which each policy applies; NULL: all apply in the whole account */
	size_t count;
	const struct policy_code *boundary; /* NULL: none */
	struct str boundary_name;
	bool has_session; /* policies passed when the session was created restrict it */
	const struct policy_code **session;
	size_t session_count;
};
RESULT guard_gather(struct guards *g, struct ctx *c, uuid user, uuid account,
		    struct guard_policies *ret_policies);
