/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: actions and calls, beyond the members that all faces share (api/core/action.h).
 *
 *   prepare   on an HTTP thread, work that no table can express: ids of new rows, secrets, decoding. Rules of the
 *             cloud stay in the engine
 *   target, targets   offset in the args for the path's {id}, + 1 (NATIVE_AT): a struct ref, or struct refs
 *   write     writes an answer that is not JSON, with content_type
 *   tell      writes further results of a change, after its rows, and in the answer to ?dry=1
 *   answer    writes the answer's members; NULL: a change answers with the rows that it `returns`, as it left them
 *
 * Actions that read a kind have no rows here: kinds.c makes them from model/shown.h when the face is created. */
#pragma once

#include "api/core/dispatch.h"
#include "api/native/native.h"
#include "auth/policy/policy.h"
#include "auth/token/token.h"
#include "base/json_write.h"
#include "engine/resolve.h"
#include "model/shown.h"

struct native_call;
struct feed;
struct passkey_question;

/* A row of a change of many rows. */
struct native_part {
	struct ref ref;
	void *args;
	struct result result;
	struct problem problem; /* reason of the failure */
};
struct native_bulk {
	struct native_part *at;
	size_t count;
};

/*   NATIVE_ADMIN      for administrators alone
 *   NATIVE_UNSCOPED   also for callers without an account
 *   NATIVE_LISTS      lists rows of .kind
 *   NATIVE_READS      shows one row of .kind
 *   NATIVE_BULK       also takes many rows: {"ids": […]} at the path without the id
 *   NATIVE_RAW_BODY   the body is not JSON: prepare reads call->body
 *   NATIVE_UPLOAD     the body is data (NATIVE_DATA_TYPE), written as they arrive: prepare runs after the headers
 *   NATIVE_STREAMS    the answer does not end (stream.c)
 *   NATIVE_BROWSER    a browser navigates there: a failure redirects (303) to the sign-in page, which shows e->why
 *   NATIVE_MANY       the row for many, which routes.c derives from one with NATIVE_BULK */
enum native_flag {
	NATIVE_ADMIN = API_OF_FACE,
	NATIVE_UNSCOPED = API_OF_FACE << 1,
	NATIVE_LISTS = API_OF_FACE << 2,
	NATIVE_READS = API_OF_FACE << 3,
	NATIVE_BULK = API_OF_FACE << 4,
	NATIVE_RAW_BODY = API_OF_FACE << 5,
	NATIVE_STREAMS = API_OF_FACE << 6,
	NATIVE_MANY = API_OF_FACE << 7,
	NATIVE_BROWSER = API_OF_FACE << 8,
	NATIVE_UPLOAD = API_OF_FACE << 9,
};
#define NATIVE_DATA_TYPE "application/octet-stream"
enum { NATIVE_PARTS_MAX = 1000 };

struct native_action {
	enum http_method method;
	const char *path; /* behind the prefix: "/instances/{id}/stop" */
	API_ACTION_BASE;
	enum kind kind; /* kind of the row that {id} names */
	int status;     /* status of a success; 0: 200, or 202 for a change */
	uint16_t target, targets;
	RESULT (*prepare)(struct native_call *e, void *args);
	void (*tell)(struct native_call *e, const void *args, struct json_writer *w);
	RESULT (*answer)(struct native_call *e, const void *args, struct json_writer *w);
	const char *content_type; /* type of an answer that is not JSON; write then writes the whole answer */
	RESULT (*write)(struct native_call *e, const void *args, struct buf *body);
	const char *query; /* names in the query that the action's functions read: "from|to" */
};
#define NATIVE_AT(T, member) (offsetof(struct T, member) + 1)

struct native_call {
	API_CALL_BASE;
	struct pairs path, query;
	json_t *body;             /* until prepare has ended */
	struct token token;       /* token of the caller; without one: zero */
	struct ref target;        /* row that the path's {id} names */
	struct native_bulk *bulk; /* parts of a change of many rows, or NULL */
	struct dry *dry;          /* result of a change with ?dry=1, or NULL */
	struct native_room *room; /* room for a launch, in its args; NULL */
	struct listing *list;     /* parameters of a list, after they were read */
	struct str match;         /* If-Match: required gen of the row; empty: any */
	struct feed_wish *wish;   /* parameters of a stream */
	struct str etag;
	struct policy_fault fault; /* position of a fault in a policy document, for the problem */
	const char *why;           /* message on the sign-in page about a failure; NULL: a general one */
	const struct passkey_question
		*question; /* challenge for passkeys, with a failed sign-in; NULL: none */
	const char *need;  /* further factor that a sign-in needs, as a member of the problem; NULL: none */
};

API_DEFINE_FACE(native)

enum { NATIVE_ROUTES_MAX = 860, NATIVE_VARIABLES_MAX = 3, NATIVE_READS_MAX = 5 * KIND_COUNT };

struct native_route {
	size_t segment_count;
	struct api_entry entry;
};

struct native_face {
	struct api_face core;
	struct native_action reads[NATIVE_READS_MAX]; /* made from model/shown.h */
	size_t read_count;
	char (*paths)[64];                             /* their paths */
	struct native_route routes[NATIVE_ROUTES_MAX]; /* by segments, words before variables */
	size_t route_count;
	int64_t started_us; /* distinguishes this process from an earlier one */
	struct feed *feed;
	struct lane *leftovers;      /* searches for leftovers; NULL: they are not searched for */
	struct replay_cache *spents; /* used responses of identity providers */
};

static inline struct native_face *native_face_of(const struct native_call *e)
{
	return (struct native_face *) e->face;
}
static inline bool native_is_admin(const struct native_call *e)
{
	return identity_is_admin(e->c->who);
}

/* ---- routes.c ---- */

bool native_sum_routes(struct native_face *face); /* false: no memory */
size_t native_count_groups(void);
const struct api_actions *native_group_at(size_t k);
/* A face with its reads alone, for dumps; NULL: no memory. */
struct native_face *native_face_for_dumps(void);
void native_free_dumped(struct native_face *face);
/* Finds the route, and sets e->path. NULL: there is none; *ret_has_path: the path exists with another method. */
const struct native_route *native_find_route(struct native_call *e, bool *ret_has_path);

/* ---- authenticate.c ---- */

/* Authenticates the caller by the request's credential of any kind, and sets c->who. ERR_UNAUTHENTICATED. */
RESULT native_authenticate(struct native_call *e);

/* ---- kinds.c ---- */

struct params_reader;
struct params_value;

/* The kind that the word of a path names; KIND_NONE: none. */
enum kind native_kind_of(struct str name);
/* Reads the {id} of a path: an id, an EC2 id, or a name if the kind has names. */
struct ref native_read_ref(struct str text, enum kind kind, struct str field);
/* Reads a flag of the query, 1 or true, 0 or false; absent: false. ERR_INVALID. */
RESULT native_read_flag(struct native_call *e, const char *name, bool *ret_is_set);
/* The dialect's read_id. */
RESULT native_read_id(const struct params_reader *r, const struct params_value *v, struct ref *out);
/* The row that the path names, if the caller sees it and the guard permits. ERR_NOT_FOUND. */
RESULT native_find_row(struct native_call *e, enum kind kind, const struct ref *ref,
		       const struct row **ret_row);
/* The row that an id of any kind names, or a name of a host or an account. ERR_NOT_FOUND. */
RESULT native_find_anything(struct native_call *e, struct str text, enum kind *ret_kind,
			    const struct row **ret_row);
/* True if the caller sees the row in this face. */
bool native_sees(const struct ctx *c, const struct tables *t, enum kind kind, const struct row *row);
/* True for an internal note of a ticket, and for a file of the operator's desk: administrators alone see them. */
bool native_is_of_desk(enum kind kind, const struct row *row);
/* The action's name in IAM policies for a permission. */
const char *native_permit(const char *permission);
/* Adds the reads of all kinds to face->reads. */
bool native_make_reads(struct native_face *face);

/* ---- list.c, rows_read.c ---- */

/* .prepare and .answer of actions that read rows of a->kind. */
RESULT native_prepare_list(struct native_call *e, void *args);
RESULT native_answer_list(struct native_call *e, const void *args, struct json_writer *w);
RESULT native_prepare_row(struct native_call *e, void *args);
RESULT native_answer_row(struct native_call *e, const void *args, struct json_writer *w);
RESULT native_prepare_events(struct native_call *e, void *args);
RESULT native_answer_events(struct native_call *e, const void *args, struct json_writer *w);
/* Sets the answer's ETag: a digest of the request, the caller and the last change of rows of these kinds. If the client
 * sent the same one, the answer is 304 without a body. */
RESULT native_set_etag(struct native_call *e, const enum kind *kinds, size_t count);
/* True if the caller may list the kind. */
RESULT native_may_read(struct native_call *e, enum kind kind, bool *ret_may);
/* Writes a row as its GET shows it, as a member `key`; NULL: its members go into the open object. */
void native_write_row(struct native_call *e, struct json_writer *w, const char *key, enum kind kind,
		      const struct row *row);

/* ---- change.c ---- */

/* Refuses parameters that a read would ignore: unknown names in the query, and If-Match. */
RESULT native_check_read(struct native_call *e);
/* The common parts of changes: the path's row, many rows, If-Match, ?dry=1. */
RESULT native_prepare_change(struct native_call *e, const struct params_request *request);
/* The protocol's begin_change and end_change. */
RESULT native_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred);
RESULT native_end_change(struct api_call *core, struct op *op);
/* Writes {"batch", "items"}, or for many rows {"batch", "done", "failed"}. */
RESULT native_answer_change(struct native_call *e, struct json_writer *w);
/* Writes the result of a successful ?dry=1. */
void native_write_would(struct native_call *e, struct json_writer *w);
/* Writes the present row after a 412. */
void native_write_present(struct native_call *e, struct json_writer *w);

/* ---- stream.c ---- */

/* .prepare of streams. */
RESULT native_prepare_stream(struct native_call *e, void *args);
/* The protocol's send. */
bool native_send_stream(struct api_call *core, struct buf *body, struct result *ret_result);

/* ---- describe.c ---- */

/* .answer: a description of all kinds and actions, in our form and as OpenAPI 3.1. */
RESULT native_answer_schema(struct native_call *e, const void *args, struct json_writer *w);
RESULT native_answer_openapi(struct native_call *e, const void *args, struct json_writer *w);

/* ---- errors.c ---- */

extern const struct api_errors native_errors;
extern const struct params_dialect native_dialect;
extern const struct kind_words native_words;
/* The protocol's functions of these names. */
RESULT native_write_problem(struct api_call *core, struct api_problem *p, struct buf *body);
void native_word_problem(struct api_call *core, struct api_problem *p);
/* Writes the members of a problem, also for each failed row of many. */
void native_write_problem_members(struct json_writer *w, struct ctx *c, const struct api_problem *p,
				  const struct problem *problem);

/* ---- the tables of actions ---- */

#define GROUP(name) extern const struct api_actions native_##name##_actions;
#include "api/native/action_groups.def"
#undef GROUP
