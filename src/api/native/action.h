/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: what an action is, and what a call of one carries, beyond what every face's has
 * (api/core/action.h).
 *
 *   prepare   what a table cannot say, on an HTTP thread: ids of what is made, secrets, decoding. It holds no rule of
 *             the cloud: those are the engine's
 *   target, targets   where in the args the path's {id} goes, + 1 (NATIVE_AT): a struct ref, or struct refs
 *   write     writes an answer that is no JSON, of the type content_type
 *   tell      of a change: writes what the operation found besides, behind its rows and in what a ?dry=1 says
 *   answer    writes the answer's members; NULL: of a change the rows that it `returns`, as it left them
 *
 * The reads of kinds have no rows of their own: kinds.c makes them of model/shown.h when the face is made. */
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

/* One of many that a change is asked of. */
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

/*   NATIVE_ADMIN      administrators alone
 *   NATIVE_UNSCOPED   whoever asks for no account may call it, too
 *   NATIVE_LISTS      a list of rows of .kind
 *   NATIVE_READS      one row of .kind
 *   NATIVE_BULK       may be asked of many: {"ids": […]} at the path without the id
 *   NATIVE_RAW_BODY   the body is not JSON: prepare reads call->body
 *   NATIVE_UPLOAD     its body is data (NATIVE_DATA_TYPE) that are taken as they come: prepare runs when the headers are there
 *   NATIVE_STREAMS    its answer does not end (stream.c)
 *   NATIVE_BROWSER    a browser goes there by itself: what fails leads to the sign-in page (303), which has words for e->why
 *   NATIVE_MANY       the row of a change of many, which routes.c makes of one that says NATIVE_BULK */
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
	enum kind kind; /* whose rows it is about; {id} is one of its ids */
	int status;     /* of success; 0: 200, or of a change 202 */
	uint16_t target, targets;
	RESULT (*prepare)(struct native_call *e, void *args);
	void (*tell)(struct native_call *e, const void *args, struct json_writer *w);
	RESULT (*answer)(struct native_call *e, const void *args, struct json_writer *w);
	const char *content_type; /* of an answer that is no JSON: then write makes the whole of it */
	RESULT (*write)(struct native_call *e, const void *args, struct buf *body);
	const char *query; /* names in the query that the read's own functions look up: "from|to" */
};
#define NATIVE_AT(T, member) (offsetof(struct T, member) + 1)

struct native_call {
	API_CALL_BASE;
	struct pairs path, query;
	json_t *body;             /* until prepare has ended */
	struct token token;       /* that proved who asks; none: zero */
	struct ref target;        /* what the path's {id} names */
	struct native_bulk *bulk; /* parts of a change of many rows, or NULL */
	struct dry *dry;          /* outcome of a change that is only tried, or NULL */
	struct native_room *room; /* of a launch, in its args; NULL */
	struct listing *list;     /* of a list, once it is read */
	struct str match;         /* If-Match: the gen that the row must have; empty: any */
	struct feed_wish *wish;   /* of a stream */
	struct str etag;
	struct policy_fault fault; /* where a document of policies is at fault: of a problem */
	const char *why;           /* what the sign-in page says of a failure; NULL: that it failed */
	const struct passkey_question *question; /* and what their passkeys are asked; NULL: nothing */
	const char *need; /* what somebody who signs in is asked for besides: a problem's member; NULL */
};

API_DEFINE_FACE(native)

enum { NATIVE_ROUTES_MAX = 720, NATIVE_VARIABLES_MAX = 3, NATIVE_READS_MAX = 5 * KIND_COUNT };

struct native_route {
	size_t segment_count;
	struct api_entry entry;
};

struct native_face {
	struct api_face core;
	struct native_action reads[NATIVE_READS_MAX]; /* made of model/shown.h */
	size_t read_count;
	char (*paths)[64];                             /* of those */
	struct native_route routes[NATIVE_ROUTES_MAX]; /* by segments, words before variables */
	size_t route_count;
	int64_t started_us; /* tells this process from the one before */
	struct feed *feed;
	struct lane *leftovers;      /* where they are looked for; NULL: nowhere */
	struct replay_cache *spents; /* sign-ins by providers that came back */
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
/* With its reads alone, for what tells of tables; NULL: no memory. */
struct native_face *native_face_for_dumps(void);
void native_free_dumped(struct native_face *face);
/* NULL: none; has_path: only with another method. Sets e->path. */
const struct native_route *native_find_route(struct native_call *e, bool *ret_has_path);

/* ---- authenticate.c ---- */

/* Proves who asks, by whatever the request brings, and sets c->who. ERR_UNAUTHENTICATED. */
RESULT native_authenticate(struct native_call *e);

/* ---- kinds.c ---- */

struct params_reader;
struct params_value;

/* The kind that the word of a path names; KIND_NONE: none. */
enum kind native_kind_of(struct str name);
/* In a kind's path an id, an id of EC2's, or a name where the kind has names. */
struct ref native_read_ref(struct str text, enum kind kind, struct str field);
/* Reads a flag of the query, 1 or true, 0 or false; absent: false. ERR_INVALID. */
RESULT native_read_flag(struct native_call *e, const char *name, bool *ret_is_set);
/* As params_dialect.read_id. */
RESULT native_read_id(const struct params_reader *r, const struct params_value *v, struct ref *out);
/* What the path names, which the caller sees; the guard is asked. ERR_NOT_FOUND. */
RESULT native_find_row(struct native_call *e, enum kind kind, const struct ref *ref,
		       const struct row **ret_row);
/* The row that an id of any kind names, or a name of a host or an account. ERR_NOT_FOUND. */
RESULT native_find_anything(struct native_call *e, struct str text, enum kind *ret_kind,
			    const struct row **ret_row);
/* Whether the caller sees the row in this face. */
bool native_sees(const struct ctx *c, const struct tables *t, enum kind kind, const struct row *row);
/* A note that no customer sees, or a file that the operator's desk alone has: for administrators. */
bool native_is_of_desk(enum kind kind, const struct row *row);
/* The action that IAM's policies know the permission by. */
const char *native_permit(const char *permission);
/* Adds the reads of all kinds to face->reads. */
bool native_make_reads(struct native_face *face);

/* ---- list.c, rows_read.c ---- */

/* A list and one row, of a->kind. */
RESULT native_prepare_list(struct native_call *e, void *args);
RESULT native_answer_list(struct native_call *e, const void *args, struct json_writer *w);
RESULT native_prepare_row(struct native_call *e, void *args);
RESULT native_answer_row(struct native_call *e, const void *args, struct json_writer *w);
RESULT native_prepare_events(struct native_call *e, void *args);
RESULT native_answer_events(struct native_call *e, const void *args, struct json_writer *w);
/* Sets the answer's ETag, over what is asked, who asks, and when rows of these kinds were changed last. The client has
 * it already: the answer has no body, and status 304. */
RESULT native_set_etag(struct native_call *e, const enum kind *kinds, size_t count);
/* Whether the caller may list the kind: as its list asks. */
RESULT native_may_read(struct native_call *e, enum kind kind, bool *ret_may);
/* A row as its GET shows it: a member, or with NULL the object's own. */
void native_write_row(struct native_call *e, struct json_writer *w, const char *key, enum kind kind,
		      const struct row *row);

/* ---- change.c ---- */

/* Refuses what a read would drop: names in the query that neither its rows nor .query have, and If-Match. */
RESULT native_check_read(struct native_call *e);
/* What the rows of changes do before and after their own functions: the path's row, many, If-Match, ?dry=1. */
RESULT native_prepare_change(struct native_call *e, const struct params_request *request);
/* As api_protocol.begin_change and end_change. */
RESULT native_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred);
RESULT native_end_change(struct api_call *core, struct op *op);
/* {"batch", "items"}, or of many {"batch", "done", "failed"}. */
RESULT native_answer_change(struct native_call *e, struct json_writer *w);
/* Of a change that was only tried, and would have succeeded. */
void native_write_would(struct native_call *e, struct json_writer *w);
/* Of one that a 412 refuses: the row as it is now. */
void native_write_present(struct native_call *e, struct json_writer *w);

/* ---- stream.c ---- */

/* As native_action.prepare. */
RESULT native_prepare_stream(struct native_call *e, void *args);
/* As api_protocol.send. */
bool native_send_stream(struct api_call *core, struct buf *body, struct result *ret_result);

/* ---- describe.c ---- */

/* All kinds and all actions; and the same as OpenAPI 3.1. */
RESULT native_answer_schema(struct native_call *e, const void *args, struct json_writer *w);
RESULT native_answer_openapi(struct native_call *e, const void *args, struct json_writer *w);

/* ---- errors.c ---- */

extern const struct api_errors native_errors;
extern const struct params_dialect native_dialect;
extern const struct kind_words native_words;
/* As api_protocol's. */
RESULT native_write_problem(struct api_call *core, struct api_problem *p, struct buf *body);
void native_word_problem(struct api_call *core, struct api_problem *p);
/* The members of a problem, for the failed ones of many, too. */
void native_write_problem_members(struct json_writer *w, struct ctx *c, const struct api_problem *p,
				  const struct problem *problem);

/* ---- all groups of changes, and of reads that are no kind's ---- */

#define GROUP(name) extern const struct api_actions native_##name##_actions;
#include "api/native/action_groups.def"
#undef GROUP
