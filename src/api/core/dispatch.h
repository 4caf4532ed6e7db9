/* SPDX-License-Identifier: Apache-2.0
 * Takes a call of any face from request to answer: finds caller and action, asks for permission, reads the
 * parameters (prepare), parks the call during its work, its operation or a look at a host, and writes the answer.
 * Rules of a protocol are in the face's struct api_protocol, not here. */
#pragma once

#include "api/core/face.h"
#include "api/core/problem.h"
#include "auth/guard/guard.h"
#include "auth/key/key_owner.h"

/* A face's protocol. `e` points at the face's own call, which begins with a struct api_call. Members that say
 * "optional" may be NULL. */
struct api_protocol {
	const char *name;         /* "iam": in the log and the audit log */
	const char *content_type; /* of answers */
	const char *version;      /* of the API, in calls of the query protocol; NULL: none, or several */
	bool keys_keep_admin; /* an access key also carries its user's role admin, because the API has calls for administrators */
	size_t face_size, call_size;     /* sizes of the face's own structs; 0: it uses the core's */
	const struct api_groups *groups; /* its actions, if they are found by name; NULL: they are not */
	const struct api_errors *errors;
	/* For a face without a prepare(): the rules by which pairs are read into the action's args. */
	const struct pairs_rules *pairs;
	const struct params_dialect *dialect;

	/* Optional: initialises the face's own members, and frees them; false: no memory. */
	bool (*open)(struct api_face *face);
	void (*close)(struct api_face *face);
	/* Optional: initialises the call's own members, before anything of the request is read. */
	void (*begin)(struct api_call *e);
	/* Reads the part of the request that names the caller and the action: sets c->who (except for an API_OPEN
	 * action) and calls api_choose_action(). It calls api_check_limits() itself, as soon as it knows whose
	 * limit applies. */
	RESULT (*find)(struct api_call *e);
	/* Optional: fills in the question to the guard: words (by default EC2's), find, and has_role. By default a
	 * reader's role permits reads, and a member's permits changes. ERR_DENIED: roles alone forbid the call. */
	RESULT (*describe_permission)(struct api_call *e, struct guard_request *request);
	/* Optional: reads the parameters into args (api_new_args()), and calls the action's own prepare. */
	RESULT (*prepare)(struct api_call *e);
	/* Optional: frees the parsed request, after prepare or after a failure before it. */
	void (*end_request)(struct api_call *e);
	/* Optional: on the committer, before the call's operation. *ret_is_deferred: the face runs it later itself. */
	RESULT (*begin_change)(struct api_call *e, struct op *op, bool *ret_is_deferred);
	/* Optional: on the committer, after the call's operation and in the same change. */
	RESULT (*end_change)(struct api_call *e, struct op *op);
	/* Optional: sets the headers that every answer has, unless has_headers. */
	void (*set_headers)(struct api_call *e);
	/* Optional: the answer's cache key, RESPONSE_DIGEST_SIZE characters. It covers everything that the answer
	 * depends on besides the rows and the caller's account. Empty: this answer is not cached. NULL: none is. */
	struct str (*digest)(struct api_call *e);
	/* Writes the whole answer. When it fails, the half-written one is dropped. */
	RESULT (*write)(struct api_call *e, struct buf *body);
	/* Optional: sends the answer in the face's own way, and takes the buffer's memory. False: the core sends it
	 * as usual. */
	bool (*send)(struct api_call *e, struct buf *body, struct result *ret_result);
	/* Optional: frees the data that the answer was written from. */
	void (*end_answer)(struct api_call *e);

	/* Optional: changes the problem that the caller sees, such as its message. */
	void (*word_problem)(struct api_call *e, struct api_problem *problem);
	/* Writes the document of a problem. It may be called before find(), and when there is no memory for the call. */
	RESULT (*write_problem)(struct api_call *e, struct api_problem *problem, struct buf *body);
	/* Optional: true for a failure that leaves no audit record. NULL: each failure leaves one. */
	bool (*is_unrecorded)(struct result result);
	/* Optional: the access key id that a refused request names, for the audit record; empty: none. */
	struct str (*find_claimed_key)(const struct api_call *e);
	/* Optional: adds the subject of the call to its new audit record. */
	void (*describe_audit)(struct api_call *e);
	/* Optional: called after the view was opened. */
	void (*view_opened)(struct api_call *e);
	/* Optional: true if a request of that method is an upload. Only its headers have arrived; prepare() then
	 * directs the body with call_set_sink(). */
	enum http_method uploads_by;
	bool (*is_upload)(struct api_call *e);
};

/* ---- for the face's find() ---- */

/* Selects the call's action; entry NULL: the name is unknown. */
void api_choose_action(struct api_call *e, const struct api_entry *entry);
/* For a face's find(): takes the caller of an internal call, which needs no proof. False: a client's call. */
bool api_take_internal_caller(struct api_call *e);
/* ERR_DENIED with `refusal`: the call came neither by TLS nor from this machine. For calls whose request contains a
 * secret. */
RESULT api_check_wire(const struct api_call *e, const char *refusal);
/* Checks an AWS signature and sets c->who. faults: the face's error rows by enum sigv4_fault; a failure sets e->error to
 * its row. ERR_UNAUTHENTICATED; ERR_THROTTLED. */
RESULT api_check_signature(struct api_call *e, const struct api_error *faults);
/* Sets c->who to the owner of the access key, if check() finds that the request proves its secret.
 * ERR_UNAUTHENTICATED: it does not, or the key is unknown or closed. */
RESULT api_prove_key(struct api_call *e, struct str key_id, key_check check, const void *arg);
/* Counts the call in the caller's rate limit; a caller without c->who counts as a stranger. ERR_THROTTLED: the limit is
 * reached; such calls are logged as a sum and not one by one. Otherwise returns so_far, the result of
 * authentication. */
RESULT api_check_limits(struct api_call *e, const struct api_action *action, struct result so_far);

/* Initialises the core's members of a call, in zeroed memory. */
void api_call_begin(struct api_call *e, struct api_face *face, struct call *call);
