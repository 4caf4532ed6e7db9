/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: what an action of a service is, and what a call of one carries.
 *
 * A call goes through some of these, which the action's const row names:
 *   args              the table that fills a struct of args.size bytes from path, query and body (params.h)
 *   prepare           what a table cannot say: turns words of OpenStack into the operation's wish. On an
 *                     HTTP thread, where decoding and digests belong. It holds no rule of the
 *                     cloud: those are the engine's
 *   operation         a change: the engine's own, on the committer, with the call parked. Its wish stands at
 *                     the beginning of the args struct
 *   work              what takes its time before the operation, or before the answer where there is none:
 *                     with files of the image store, or hashing. Off the HTTP threads, the call parked
 *   look              an observe action: reads from a host, on that host's thread, the call parked
 *   answer            writes the answer's members, on an HTTP thread; may walk a view, where others may have
 *                     changed what a change made: rows of the kind that it `shows` are found as it left
 *                     them (os_find_shown)
 *
 * An action with a list instead of an answer shows the rows of one kind (list.h), one with both writes that
 * list in a form of its own; with neither there is no body. How to add an action: HACKING.md. */
#pragma once

#include "api/face.h"
#include "api/openstack/core/openstack.h"
#include "api/openstack/core/params.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/vec.h"
#include "engine/resolve.h"
#include "model/identity.h"

struct os_call;
struct os_listing;
struct face_answers;

enum os_service {
	OS_IDENTITY,
	OS_COMPUTE,
	OS_IMAGE,
	OS_NETWORK,
	OS_VOLUME,
	OS_PLACEMENT,
	OS_SERVICE_COUNT,
};

enum os_action_flag {
	OS_WRITES = 1 << 0,   /* changes something: the role `member` at least; has an operation, mostly */
	OS_ADMIN = 1 << 1,    /* the role `admin` */
	OS_OPEN = 1 << 2,     /* nobody needs to be proved */
	OS_UNSCOPED = 1 << 3, /* a token without a project will do; identity's all do */
	OS_BULK = 1 << 4,     /* a body with "<wrap>s" and a list asks for many at once, all or none */
	OS_RAW_BODY = 1 << 5, /* the body is not JSON, or not an object: prepare reads call->body */
	OS_UPLOAD = 1 << 7, /* prepare runs when the headers are there, and takes the body (call_set_sink) */
	OS_IN_PLACE = 1 << 6, /* answer writes the whole answer, the braces too (a JSON list, say) */
};

struct os_action {
	enum http_method method;
	const char *path;   /* behind the service's prefix: "/servers/{server_id}/action" */
	const char *name;   /* of several actions on one path the body's only member: "os-start"; NULL */
	const char *permit; /* the service's policy name, "os_compute_api:servers:start"; static, also the
			       change's */
	unsigned flags;
	int since, until; /* microversions that have it: 26 is 2.26; 0: from the first, to the last */
	int status;       /* of success; 0: 200 */
	struct os_params args;
	const char *wrap; /* the body's member that holds the parameters: "server"; NULL: the body itself */
	const char *item; /* the answer's members are within this one; NULL: at the top */
	RESULT (*prepare)(struct os_call *e, void *args);
	op_run operation;
	RESULT (*look)(struct observation *o, const struct compute_driver *driver, struct compute_host *h);
	RESULT(*work)
	(struct work_item *w); /* before the operation; on e->lane, or for e->image; arg: the os_call */
	RESULT (*answer)(struct os_call *e, const void *args, struct json_writer *w);
	/* a change's answer: the kind of rows that it shows, or that it shows none which another call may
	 * delete meanwhile, but tells what was asked for and made, or of all that there is */
	enum kind shows;
	bool tells;
	const struct os_listing *list;
	const char *doc;
};

struct os_actions {
	enum os_service service;
	const struct os_action *at;
	size_t count;
};

/* One call of an action; in the call's arena. */
struct os_call {
	struct call *call;
	struct ctx *c; /* the call's */
	const struct openstack_config *config;
	struct face_answers *answers; /* the face's */
	enum os_service service;
	const struct os_action *action;
	const struct audited *audited; /* what the audit log says of it; NULL: nothing */
	struct audit_call *audit;      /* NULL: it is not recorded */
	struct str path;               /* behind the service's prefix */
	struct str base_url;           /* "https://cloud.example.com": how the client found us */
	struct token token;            /* that proved who asks */
	struct os_request request;
	void *args; /* one struct, or with OS_BULK a list of them */
	size_t arg_count;
	bool is_bulk; /* many were asked for, in a list */
	struct face_change change;
	struct lane *lane; /* set by prepare: where work() is done; NULL: where hashes are made */
	uuid image;        /* likewise: on a thread of this image's instead */
	uuid asker;        /* set by prepare: for whom, on the lane; none: the token's user */
	bool skips_work;   /* set by prepare: there is nothing to do for it */
	int file;          /* set by prepare: the answer is this file, whose size is below; 0: none */
	int64_t file_size;
	uuid host;        /* set by prepare: where look() looks; none: nowhere, the answer knows */
	int status;       /* set by prepare or answer where it differs from the action's; 0 */
	bool has_no_body; /* likewise: the answer ends with its headers */
	enum kind shows;  /* set by prepare where it depends on the call; KIND_NONE: the action's */
	bool is_as_asked; /* set by prepare: all is as the operation would make it, which is left out */
	bool has_headers; /* they are set */
	struct view view; /* open from os_walk() to the end of the answer */
};

/* The tables of a view that walks; opened at the first call, closed after the answer (and after prepare:
 * a call is not parked with a view). */
const struct tables *os_walk(struct os_call *e);
void os_stop_walking(struct os_call *e);
/* This one is to be recorded (AUDIT_WHEN_SAID): from prepare, or an answer. */
void os_audit(struct os_call *e);

/* A row of the kind that the action shows: as its change left it, else (it put nothing) as it is now.
 * ERR_NOT_FOUND when it is gone. In answers. */
RESULT os_find_shown(struct os_call *e, uuid id, const struct row **ret_row);

/* The same by what names it, for reads as well: only what the caller may see. ERR_NOT_FOUND. */
RESULT os_find(struct os_call *e, enum kind kind, const struct ref *ref, const struct row **ret_row);

/* Of the caller. */
static inline bool os_is_admin(const struct os_call *e)
{
	return identity_is_admin(e->c->who);
}

/* "https://cloud.example.com/compute/v2.1": where the service is found, as its catalog entry says. */
struct str os_service_url(const struct os_call *e, enum os_service service);
/* A call's own struct, its service and path set: for openstack.c and errors.c. NULL: no memory. */
struct os_call *os_call_new(struct openstack_face *face, struct call *call);
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
