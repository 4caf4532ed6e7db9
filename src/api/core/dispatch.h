/* SPDX-License-Identifier: Apache-2.0
 * A call from request to answer, for every face: who asks and which action (find), whether they may, its
 * parameters (prepare), its work, operation or look while the call is parked, its answer. The core holds no
 * rule of a protocol: it asks the face's struct api_protocol. */
#pragma once

#include "api/core/face.h"
#include "api/core/problem.h"
#include "auth/guard/guard.h"
#include "auth/key/key_owner.h"

/* What a face provides. `e` points at the face's own call, which begins with a struct api_call. Members that
 * say "optional" may be NULL. */
struct api_protocol {
	const char *name;                /* "iam": in the log and the audit log */
	const char *content_type;        /* of answers */
	bool keys_keep_admin;            /* a key gives its user's role admin, too: there are calls for it */
	size_t face_size, call_size;     /* of the face's own struct, and of its call's; 0: the core's */
	const struct api_groups *groups; /* its actions, if they are found by name; NULL: they are not */
	const struct api_errors *errors;
	/* Without a prepare(): how the call's pairs are read, into the action's args. */
	const struct pairs_rules *pairs;
	const struct params_dialect *dialect;

	/* Optional: makes what the face's own struct has besides, and lets go of it; false: no memory. */
	bool (*open)(struct api_face *face);
	void (*close)(struct api_face *face);
	/* Optional: fills in what the face's own call begins with. Nothing was read so far. */
	void (*begin)(struct api_call *e);
	/* Reads as much of the request as says who asks and which action: sets c->who (but for an action that
	 * is API_OPEN) and calls api_choose_action(). It asks the limits itself (api_check_limits()), as soon as
	 * it knows whom they count. */
	RESULT (*find)(struct api_call *e);
	/* Optional: what the guard is to be asked: words (else EC2's), find, and has_role where a role gives another
	 * right than this: a reader's role gives what changes nothing, a member's the rest. ERR_DENIED: roles
	 * alone forbid it. */
	RESULT (*describe_permission)(struct api_call *e, struct guard_request *request);
	/* Optional: reads the parameters into args (api_new_args()), and calls the action's own prepare. */
	RESULT (*prepare)(struct api_call *e);
	/* Optional: after prepare, or the failure before it: lets go of what the request was read with. */
	void (*end_request)(struct api_call *e);
	/* Optional: on the committer, before the call's operation: true: it is not run now, for the face sees to it. */
	RESULT (*begin_change)(struct api_call *e, struct op *op, bool *ret_is_deferred);
	/* Optional: on the committer, after the call's operation and in the same change. */
	RESULT (*end_change)(struct api_call *e, struct op *op);
	/* Optional: sets the headers that every answer has, unless has_headers. */
	void (*set_headers)(struct api_call *e);
	/* Optional: the answer's cache key, RESPONSE_DIGEST_SIZE characters over all that it follows from
	 * besides the rows and the caller's account; empty: this answer is not cached. NULL: none is. */
	struct str (*digest)(struct api_call *e);
	/* Writes the whole answer. When it fails, the half-written one is dropped. */
	RESULT (*write)(struct api_call *e, struct buf *body);
	/* Optional: sends the answer in a way of the face's own, and takes the buffer's memory; false: it is
	 * to be sent as every other. */
	bool (*send)(struct api_call *e, struct buf *body, struct result *ret_result);
	/* Optional: after the answer was written: lets go of what it was written from. */
	void (*end_answer)(struct api_call *e);

	/* Optional: changes what the caller is told of a problem: its message, say. */
	void (*word_problem)(struct api_call *e, struct api_problem *problem);
	/* Writes the document of a problem. It may come before find(), and without memory for the call. */
	RESULT (*write_problem)(struct api_call *e, struct api_problem *problem, struct buf *body);
	/* Optional: whether a failure leaves no audit record. NULL: each does. */
	bool (*is_unrecorded)(struct result result);
	/* Optional: the access key id that a refused request names, for the audit record; empty: none. */
	struct str (*find_claimed_key)(const struct api_call *e);
	/* Optional: adds to the call's new audit record what it is about. */
	void (*describe_audit)(struct api_call *e);
	/* Optional: the view was opened. */
	void (*view_opened)(struct api_call *e);
	/* Optional: whether a request of that method, of which only the headers came so far, is an upload: prepare()
	 * then says where its body goes (call_set_sink()). */
	enum http_method uploads_by;
	bool (*is_upload)(struct api_call *e);
};

/* ---- for the face's find() ---- */

/* entry NULL: there is no such action. */
void api_choose_action(struct api_call *e, const struct api_entry *entry);
/* ERR_DENIED with `refusal`: the call did not come by TLS, nor from this machine. For calls that bring a secret itself. */
RESULT api_check_wire(const struct api_call *e, const char *refusal);
/* Checks an AWS signature, which sets c->who. faults: the face's rows by enum sigv4_fault, of which e->error becomes the one that
 * applies. ERR_UNAUTHENTICATED: refused; ERR_THROTTLED. */
RESULT api_check_signature(struct api_call *e, const struct api_error *faults);
/* Sets c->who to the owner of the access key, if check() finds that the request proves its secret.
 * ERR_UNAUTHENTICATED: it does not, or the key is unknown or closed. */
RESULT api_prove_key(struct api_call *e, struct str key_id, key_check check, const void *arg);
/* Takes one from what the caller may ask for, who is a stranger until c->who is set. ERR_THROTTLED: there is
 * none, which the limits log in sum, so that this call is not logged. Else so_far: what came of finding out who
 * asks. */
RESULT api_check_limits(struct api_call *e, const struct api_action *action, struct result so_far);

/* Fills in what every call of the face begins with, in zeroed memory. */
void api_call_begin(struct api_call *e, struct api_face *face, struct call *call);
