/* SPDX-License-Identifier: Apache-2.0
 * A call from request to answer, for every face: who asks and which action (find), whether they may, its
 * parameters (prepare), its work, operation or look while the call is parked, its answer. The core holds no
 * rule of a protocol: it asks the face's struct api_protocol. */
#pragma once

#include "api/core/action.h"
#include "api/core/response_cache.h"
#include "auth/guard.h"

struct limits;

/* What a face provides. `e` points at the face's own call, which begins with a struct api_call. Members that
 * say "optional" may be NULL. */
struct api_protocol {
	const char *name;         /* "iam": in the audit log */
	const char *content_type; /* of answers */
	size_t call_size;         /* of the face's own call */

	/* Optional: fills in what the face's own call begins with. Nothing was read so far. */
	void (*begin)(struct api_call *e);
	/* Reads as much of the request as says who asks and which action: sets c->who (but for an action that
	 * is API_OPEN) and calls api_choose_action(). It asks the limits itself (api_is_within_limits()), as
	 * soon as it knows whom they count. */
	RESULT (*find)(struct api_call *e);
	/* What the guard is to be asked: words, has_role, find. ERR_DENIED: roles alone forbid it. */
	RESULT (*describe_permission)(struct api_call *e, struct guard_request *request);
	/* Reads the parameters into args (api_new_args()), and calls the action's own prepare. */
	RESULT (*prepare)(struct api_call *e);
	/* Optional: after prepare, or the failure before it: lets go of what the request was read with. */
	void (*end_request)(struct api_call *e);
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

	/* Answers with the context's problem. result: what was returned, if no problem was recorded. */
	void (*answer_problem)(struct api_call *e, struct result result);
	/* The problem's code, as the caller is told, for the audit log. */
	struct str (*find_code)(struct api_call *e, struct result result);
	/* The words for somebody who asks too often, or whose work fills the lane. */
	const char *(*say_throttled)(struct api_call *e);
	/* Optional: adds to the call's new audit record what it is about. */
	void (*describe_audit)(struct api_call *e);
	/* Optional: the view was opened. */
	void (*view_opened)(struct api_call *e);
	/* Optional: whether a request, of which only the headers came so far, is an upload: prepare() then
	 * says where its body goes (call_set_sink()). */
	bool (*is_upload)(struct api_call *e);
};

/* An action, and what the audit log says of it (NULL: nothing). */
struct api_entry {
	const struct api_action *action;
	const struct audited *audited;
};
struct api_entry api_entry_of(const struct api_action *action);

enum { API_ACTIONS_MAX = 256 };

/* A face's own struct begins with this. */
struct api_face {
	const struct api_protocol *protocol;
	const struct http_face *http;
	struct store *store;
	struct guards *guards;         /* NULL: roles alone decide */
	struct limits *limits;         /* NULL: callers may ask as often as they like */
	struct reconciler *reconciler; /* NULL: no host can be asked */
	struct lane *lane;             /* where work is done when prepare says nothing */
	struct response_cache *cache;  /* NULL: no answer is cached */
	/* Actions that are found by their names, sorted by them. */
	struct api_entry entries[API_ACTIONS_MAX];
	size_t entry_count;
};

/* For faces whose actions have names: in any order, no name twice; then once sorted. */
void api_add_action(struct api_face *face, const struct api_action *action);
void api_sort_actions(struct api_face *face);
/* NULL: there is none of that name. */
const struct api_entry *api_find_action(const struct api_face *face, struct str name);

/* ---- for the face's find() ---- */

/* entry NULL: there is no such action. */
void api_choose_action(struct api_call *e, const struct api_entry *entry);
/* Takes one from what the caller may ask for, who is a stranger until c->who is set. */
bool api_is_within_limits(struct api_call *e, const struct api_action *action);
/* After that: ERR_THROTTLED, in the face's words. The limits log a flood in sum, so this call is not
 * logged. */
RESULT api_refuse_flood(struct api_call *e);

/* ---- for the face's struct http_face, whose self is the struct api_face ---- */

/* As http_face.handle. */
void api_handle_call(void *self, struct call *call);
/* As http_face.begin, for a face that has uploads. */
void api_begin_call(void *self, struct call *call);
/* The face's own call, begun; call->face_data is it. NULL: no memory. */
struct api_call *api_call_new(struct api_face *face, struct call *call);
