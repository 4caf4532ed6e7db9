/* SPDX-License-Identifier: Apache-2.0
 * Private to auth/guard/. */
#pragma once

#include <pthread.h>

#include "auth/guard/guard.h"
#include "base/crypto.h"
#include "base/vec.h"
#include "engine/messaging/service_sender.h"
#include "engine/people/asker.h"
#include "engine/people/policy/policy.h"

enum { COMPILED_MAX = 1024, REFUSALS_MAX = 256, REQUEST_ID_SIZE = 40, WORDS_MAX = 2048 };

struct compiled {
	uuid version; /* none: free */
	uint64_t commit;
	struct policy_code *policy;
};

struct refusal {
	char request_id[REQUEST_ID_SIZE];
	char *json;
	size_t size;
};

/* Name of a permission in a face. */
struct word {
	struct str text;
	int permission;
};

struct guards {
	struct store *store;
	uint8_t key[SHA256_SIZE]; /* seals encoded refusal messages */
	char *region;
	RESULT (*write_role)(struct ctx *c, struct str permissions, struct str *ret_document);
	void (*hear)(int permission, enum kind kind);
	struct later_guard later;
	struct service_judge judge;
	struct word words[WORDS_MAX]; /* sorted */
	size_t word_count;
	pthread_mutex_t
		lock; /* guards the next three: calls on all threads compile policies and keep refusals */
	struct compiled compiled[COMPILED_MAX];
	struct refusal refusals[REFUSALS_MAX];
	size_t next_refusal;
};
_Static_assert((int) SHA256_SIZE == (int) MASTER_KEY_SIZE, "a digest is a key");

/* A row that the call's own action was decided on, and allowed. */
struct guard_asked {
	enum kind kind;
	uuid id;
};

/* State of a call's guard, for the callbacks in an operation; in the call's arena. */
struct guard_state {
	struct guard guard; /* must be the first member */
	struct guards *guards;
	struct call *call;
	struct guard_request request;
	int permission; /* PERMISSION_NONE: an action that is not ours, matched by name */
	struct guard_policies policies;
	struct str region;
	VEC(struct guard_asked) asked; /* rows that a change was asked about, for the links to their parts */
	bool is_open;                  /* rows are decided on later: the first step leaves open which */
	bool has_voice;                /* policies speak of the call's account; else roles alone decide */
	bool was_asked;                /* the guard decided on a row, or on the action for all rows */
	bool was_planned[KIND_COUNT];  /* asked of what was about to be made */
	bool is_over;                  /* the guard asks nothing more */
	bool is_later; /* the work runs after its call: keys of the request are not known (guard_later.c) */
	/* By an application credential with fewer roles than its user has: what none of its roles gives, the
	 * user's policies do not give it either. */
	bool is_narrowed;
	struct guard_asked shared; /* another account's row that the call may use, by the row's policy */
	struct str refusal;        /* reason as JSON; empty: no refusal */
	struct str refused;        /* message of a refused row; empty: none */
};

/* NULL: no policy applies to the caller; roles alone decide. */
static inline struct guard_state *guard_state_of(const struct ctx *c)
{
	return c->guard == &engine_guard_of_roles ? NULL : (struct guard_state *) c->guard;
}

/* An action on a resource, for which a decision is made. */
struct guard_subject {
	const struct guard_state *state;
	const struct tables *tables; /* NULL: no resource yet */
	enum kind kind;
	const struct row *row, *planned;
	uuid account;             /* account of IAM's ARNs; none: the call's */
	struct str absent;        /* the call's name of a row that does not exist; empty: it exists */
	struct str create_action; /* action that creates the tagged resource; empty: none */
	struct str passed_to;     /* service that a role is passed to; empty: none */
	/* guard_read_resource(): */
	const struct policy_code *resource; /* policy of the row; NULL: none */
	bool is_foreign;                    /* the row is another account's, and its policy must allow */
};

/* ---- guard.c ---- */

/* True if policies have a say. Tells a listening test of the question. */
static inline bool guard_must_ask(const struct guard_state *s, int permission, enum kind kind)
{
	if (s->guards->hear && permission != PERMISSION_NONE)
		s->guards->hear(permission, kind);
	return s->has_voice;
}

/* The question about the action on the subject's row; with no row on any. */
struct policy_question guard_make_question(const struct guard_subject *subject, struct arena *a,
					   int permission, struct str action);
/* Decides by roles, policies and boundary. ERR_DENIED. */
RESULT guard_decide(struct guard_state *s, struct ctx *c, struct policy_question *q, bool has_role,
		    bool *ret_is_allowed);
/* The same for a row on which AWS does not decide the action: only a Deny that names the row counts. */
RESULT guard_decide_by_name(struct guard_state *s, struct ctx *c, struct policy_question *q,
			    bool *ret_is_allowed);

/* The principal whose policies apply. */
uuid guard_principal(const struct identity *who);
bool guard_has_voice(const struct guard_policies *p);
/* Decides by roles alone, if no policy applies to the caller. ERR_DENIED. */
RESULT guard_check_role(struct ctx *c, const struct guard_request *r);
/* Creates the guard that the engine's finders and operations ask, and puts it into the call's context. NULL: out
 * of memory. */
struct guard_state *guard_new_state(struct guards *g, struct call *call, const struct guard_request *request,
				    int permission, const struct guard_policies *policies);

/* ---- guard_endpoint.c ---- */

/* A decider beside those of policy_decide(). */
#define GUARD_BY_ENDPOINT ((enum policy_decider)(POLICY_BY_RESOURCE + 1))

/* Reads the policy of the endpoint through which the call came, once. ERR_NO_MEMORY. */
RESULT guard_read_endpoint(struct guards *g, struct call *call);
/* True if the endpoint has a policy, or is gone. */
bool guard_has_endpoint_policy(const struct call *call);
/* Turns a decision that allows into one that does not, if the endpoint's policy does not allow. */
void guard_ask_endpoint(const struct guard_state *s, const struct policy_question *q,
			struct policy_decision *d);
/* The policy of a call's endpoint, which has denied. */
const struct policy_code *guard_endpoint_policy(const struct call *call);

/* ---- guard_later.c ---- */

extern const struct later_guard guard_later;

/* ---- guard_links.c ---- */

/* Asks about the rows that the change has joined or parted: struct op_visit_changed()'s visitor, arg is the op. */
RESULT guard_check_links(void *arg, enum kind kind, const struct row *before, const struct row *after);

/* ---- guard_policies.c ---- */

/* Permission of a face's action; PERMISSION_NONE: none. */
int guard_find_permission(const struct guards *g, struct str action);
/* Compiles a resource's policy once for each version. ERR_INTERNAL, ERR_NO_MEMORY. */
RESULT guard_take_resource(struct guards *g, struct ctx *c, uuid version, struct str document,
			   const struct policy_code **ret_policy);
/* Works like guard_gather(), for tables that the caller reads. */
RESULT guard_gather_in(struct guards *g, struct ctx *c, const struct tables *t, uuid principal, uuid account,
		       struct guard_policies *ret_policies);
/* Adds the policies that restrict a session; NULL: none. */
RESULT guard_gather_session(struct guards *g, struct ctx *c, const struct tables *t,
			    const struct session *session, struct guard_policies *out);

/* ---- guard_refusal.c ---- */

/* Fails with ERR_DENIED in the face's wording, and stores the reason in s. */
RESULT guard_refuse(struct guard_state *s, struct ctx *c, const struct policy_question *q,
		    const struct policy_decision *d);
/* Frees all stored refusals. */
void guard_refusals_done(struct guards *g);

/* ---- guard_resource.c ---- */

/* True if policies of resources decide on the action. */
bool guard_is_of_resource(int permission);
/* Reads the policy of the subject's row, if the action is one that such policies decide on. ERR_NO_MEMORY. */
RESULT guard_read_resource(const struct guard_state *s, struct ctx *c, int permission,
			   struct guard_subject *subject);
/* True if the subject's policy lets the caller of another account in, whatever the caller's own policies say. */
bool guard_is_shared(const struct guard_state *s, const struct guard_subject *subject,
		     const struct policy_question *q);
/* Admits services by the policies of queues and topics (engine/messaging/service_sender.h). */
extern const struct service_judge guard_service_judge;

/* ---- guard_trust.c ---- */

enum { GUARD_PRINCIPALS_MAX = 3 };
/* Lists the caller's principals as struct policy_question has them, the account first. */
size_t guard_list_principals(const struct identity *who, struct arena *a,
			     struct str out[static GUARD_PRINCIPALS_MAX]);

/* ---- guard_keys.c ---- */

/* Finds condition keys for struct policy_question; q->request is a struct guard_subject. */
enum policy_known guard_find_key(const struct policy_question *q, struct str key, struct strs *ret_values);
/* For example "arn:aws:ec2:us-east-1:111122223333:instance/i-0123456789abcdef0"; the form depends on the service whose action the
 * permission is. */
struct str guard_write_arn(const struct guard_subject *s, struct arena *a, int permission);
/* Name of the region; g NULL: empty. */
struct str guard_region(const struct guards *g);
/* Condition keys that are included in a refusal. */
extern const char *const guard_explained_keys[]; /* NULL-terminated */
