/* SPDX-License-Identifier: Apache-2.0
 * Whether a call may be: the one place where policies, boundaries and roles are put together, for every face.
 * In two steps. The action is decided when it is known (guard_check_action). Each row is decided where it is
 * found: the first step leaves a struct guard (engine/operation.h) in the call's context, and the engine's
 * finders (engine/resolve.h) and operations (engine_permit) ask it, so that no face has to. A permission says
 * on which kinds of rows it is decided (model/permission.h): those a policy must allow; of others that a call
 * names, a Deny that names the row's ARN counts. Policies are compiled once a version and kept; a call works
 * with copies of its own. */
#pragma once

#include "auth/policy.h"
#include "engine/operation.h"
#include "http/server.h"

struct guards;

struct guards_config {
	struct store *store;
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; not kept */
	struct str region;         /* its name; copied */
};

/* config is not kept. ERR_NO_MEMORY. */
RESULT guards_new(struct ctx *c, const struct guards_config *config, struct guards **ret_guards);
void guards_free(struct guards *g); /* NULL: nothing */
DEFINE_AUTO(guards)

enum guard_words { GUARD_OF_EC2, GUARD_OF_IAM, GUARD_OF_OPENSTACK };

/* What is asked. In the call's arena, or longer lived. */
struct guard_request {
	struct str action; /* as the face calls it: "ec2:RunInstances", "os_compute_api:servers:create" */
	enum guard_words words; /* for a refusal */
	bool is_change;         /* an operation follows, which finds what it is about */
	bool has_role;          /* the caller's roles give it */
	struct str resource;    /* what it is on, of what no operation looks up; empty: nothing said */
	/* The request's own condition keys, in lower case up to '/'; NULL: it has none. */
	enum policy_known (*find)(const void *arg, struct str key, struct strs *ret_values);
	const void *arg;
};

/* g NULL: roles alone decide. ERR_DENIED. */
RESULT guard_check_action(struct guards *g, struct call *call, const struct guard_request *request);
/* After an operation or a read that was done: had it found no row to decide on, the action is decided for
 * all. From then on nothing is asked: what follows shows what was permitted. ERR_DENIED. */
RESULT guard_check_rest(struct ctx *c);
/* Likewise, in an operation that was done: decides on each row that it made and did not ask about before. */
RESULT guard_check_made(struct op *op);
/* Rows decide whether the call may be: its answer is nobody else's, and not known by its parameters. */
bool guard_awaits_rows(const struct ctx *c);

/* The taking of a role, by request.action on request.resource, which is its ARN. */
struct guard_trust {
	struct guard_request request; /* its words and has_role are not looked at */
	uuid account;                 /* the role's */
	struct str trust;             /* its trust policy; empty: there is no such role */
};
/* g as above. ERR_DENIED. */
RESULT guard_check_trust(struct guards *g, struct call *call, const struct guard_trust *t);

/* Whether a trust policy lets whom an OpenID Connect provider, by its ARN, vouches for take its role.
 * Condition keys are the request's own, and of the principal's none. As above, but nothing is said of a
 * refusal. */
RESULT guard_ask_federated(struct guards *g, struct call *call, const struct guard_trust *t,
			   struct str provider, bool *ret_is_trusted);

/* Whether a trust policy lets a service of AWS's take its role: "ec2.amazonaws.com". No condition key is
 * known of it. ERR_NO_MEMORY. */
RESULT guard_ask_service(struct ctx *c, struct str trust, struct str service, bool *ret_is_trusted);

/* "arn:aws:iam::111122223333:user/division/ann" of the caller; of a role's session
 * "arn:aws:sts::111122223333:assumed-role/deploy/ann". */
struct str guard_write_principal(const struct identity *who, struct arena *a);
/* The same, but of a role's session the role's own. */
struct str guard_write_holder(const struct identity *who, struct arena *a);
/* "AIDA…"; of a role's session "AROA…:ann", of an account's owner the account's number. */
struct str guard_write_id(const struct identity *who, struct arena *a);

/* ---- refusals ---- */

/* Of a call that failed with ERR_DENIED: keeps why for a while under its request id, and gives it sealed, for
 * DecodeAuthorizationMessage. Empty: no policy was asked, or none refused it. */
struct str guard_tell_refusal(struct ctx *c);
/* As JSON. ERR_INVALID: it is none of the caller's account's. */
RESULT guard_decode_refusal(struct guards *g, struct ctx *c, struct str encoded, struct str *ret_json);
/* One of the last refusals, as JSON; empty: it is not among them. */
struct str guard_find_refusal(struct guards *g, struct arena *a, struct str request_id);

/* ---- simulation ---- */

/* What speaks of a user in the caller's account, compiled; in c's arena. */
struct guard_policies {
	const struct policy_code **at;
	struct str *names; /* "arn:aws:iam::…:policy/x", "inline x" */
	size_t count;
	const struct policy_code *boundary; /* NULL: none */
	struct str boundary_name;
	bool has_session; /* what the session was taken with bounds it */
	const struct policy_code **session;
	size_t session_count;
};
RESULT guard_gather(struct guards *g, struct ctx *c, uuid user, uuid account,
		    struct guard_policies *ret_policies);
