/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: what an action of a service is, and what a call of one carries, beyond what every
 * face's has (api/core/action.h).
 *
 *   prepare           what a table cannot say: turns words of OpenStack into the operation's wish. On an
 *                     HTTP thread, where decoding and digests belong. It holds no rule of the
 *                     cloud: those are the engine's
 *   answer            writes the answer's members, on an HTTP thread; may read a view's tables, where others may have
 *                     changed what a change made: rows of the kind that it `returns` are found as it left
 *                     them (os_find_returned)
 *
 * An action with a list instead of an answer shows the rows of one kind (list.h), one with both writes that
 * list in a form of its own. One that names a row (OS_SHOWS) shows that; with none of these there is no body. How to add an action: HACKING.md. */
#pragma once

#include "api/core/dispatch.h"
#include "api/openstack/core/openstack.h"
#include "api/openstack/core/params.h"
#include "auth/token/token.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/vec.h"
#include "engine/resolve.h"
#include "model/identity.h"

struct os_call;
struct os_listing;

enum os_service {
	OS_IDENTITY,
	OS_COMPUTE,
	OS_IMAGE,
	OS_NETWORK,
	OS_VOLUME,
	OS_PLACEMENT,
	OS_LOAD_BALANCER,
	OS_KEY_MANAGER,
	OS_ALARMING,
	OS_METRIC,
	OS_SERVICE_COUNT,
};

/*   OS_ADMIN      the role `admin`; an action that is API_WRITES needs the role `member` at least
 *   OS_UNSCOPED   also for tokens without a project; Identity's actions are always so
 *   OS_BULK       a body with the plural of wrap and a list creates many rows, all or none
 *   OS_RAW_BODY   the body is not JSON, or not an object: prepare reads call->body
 *   OS_UPLOAD     prepare runs after the headers, and receives the body (call_set_sink)
 *   OS_IN_PLACE   answer writes the whole answer, the braces too (a JSON list, say)
 *   OS_FILTERS    the query is a list's: unknown names are refused (core/unknown.h)
 *   OS_TOKEN_IF_SENT  with API_OPEN: a token in the request is verified, and its identity is the caller */
enum os_action_flag {
	OS_ADMIN = API_OF_FACE,
	OS_UNSCOPED = API_OF_FACE << 1,
	OS_BULK = API_OF_FACE << 2,
	OS_RAW_BODY = API_OF_FACE << 3,
	OS_UPLOAD = API_OF_FACE << 4,
	OS_IN_PLACE = API_OF_FACE << 5,
	OS_FILTERS = API_OF_FACE << 6,
	OS_TOKEN_IF_SENT = API_OF_FACE << 7,
};

/* The row that answers a call: a ref of the args names it, or the operation left its id there. */
struct os_shown_row {
	const struct os_listing *listing; /* writes the row; NULL: the action has another answer */
	size_t offset;                    /* offset of the ref or id in the args */
	bool is_id;
};
/* Member of an action, instead of .answer. `member` of the args is a struct ref or a uuid. */
#define OS_SHOWS(list, T, member)                                                                            \
	.shows = {&(list), offsetof(T, member), _Generic(((T *) 0)->member, uuid : true, struct ref : false)}

struct os_action {
	enum http_method method;
	const char *path; /* behind the service's prefix: "/servers/{server_id}/action" */
	const char *verb; /* of several actions on one path the body's only member: "os-start"; NULL */
	API_ACTION_BASE;  /* permit: the service's policy name, "os_compute_api:servers:start" */
	int since, until; /* microversions that have it: 26 is 2.26; 0: from the first, to the last */
	int open_until; /* the last microversion that ignores members of the body which no row has; 0: none */
	int status;     /* of success; 0: 200 */
	const char *wrap; /* the body's member that holds the parameters: "server"; NULL: the body itself */
	const char
		*sibling; /* a member beside wrap that the service has and Dari does not: null or {} alone */
	const char *item; /* the answer's members are within this one; NULL: at the top */
	RESULT (*prepare)(struct os_call *e, void *args);
	RESULT (*answer)(struct os_call *e, const void *args, struct json_writer *w);
	struct os_shown_row shows;
	const struct os_listing *list;
};

struct os_actions {
	enum os_service service;
	const struct os_action *at;
	size_t count;
};

/* A call of an action; in the call's arena. */
struct os_call {
	API_CALL_BASE; /* args: one struct, or with OS_BULK a list of them */
	enum os_service service;
	struct str path;     /* behind the service's prefix */
	struct str base_url; /* "https://cloud.example.com": URL by which the client reached us */
	struct token token;  /* token that authenticated the caller */
	struct os_request request;
	json_t *body;     /* owner of request.body, until prepare ends */
	int64_t revision; /* required revision of the row (If-Match) */
	bool has_revision;
	bool is_bulk;   /* the body has a list of new rows */
	bool is_legacy; /* Compute's version 2.0: no microversions, and unknown members are ignored */
	struct os_pattern
		*patterns; /* compiled patterns of the query's filters (api/openstack/core/pattern.h) */
};

API_DEFINE_FACE(os)

/* The row that the call names, as its change left it, else as it is now: only what the caller may see, deleted
 * volumes, snapshots and backups until they are forgotten (os_words.lingers). ERR_NOT_FOUND. */
RESULT os_find(struct os_call *e, enum kind kind, const struct ref *ref, const struct row **ret_row);

/* True if the caller has the role of administrators. */
static inline bool os_is_admin(const struct os_call *e)
{
	return identity_is_admin(e->c->who);
}

/* ERR_DENIED in the services' words, which name the policy, unless the caller is an administrator. */
static inline RESULT os_check_admin(const struct os_call *e, const char *policy)
{
	return os_is_admin(e)
		       ? OK
		       : ctx_fail(e->c, ERR_DENIED, "Policy doesn't allow %s to be performed.", policy);
}

/* "https://cloud.example.com/compute/v2.1": where the service is found, as its catalog entry says. */
struct str os_service_url(const struct os_call *e, enum os_service service);
/* The headers that every answer of the service has: request id, microversion. Once. */
void os_set_headers(struct os_call *e);

/* ---- all arrays of actions, for openstack.c ---- */

#define GROUP(name) extern const struct os_actions os_##name##_actions;
#include "api/openstack/core/action_groups.def"
#undef GROUP

#define OS_ACTIONS(service, rows)                                                                            \
	{                                                                                                    \
		(service), (rows), sizeof(rows) / sizeof(rows)[0]                                            \
	}
