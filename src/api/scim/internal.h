/* SPDX-License-Identifier: Apache-2.0
 * Private to api/scim/: calls, the rows of their tables, and functions that users and groups share. */
#pragma once

#include "api/core/dispatch.h"
#include "api/core/rest.h"
#include "api/scim/filter.h"
#include "api/scim/scim.h"
#include "base/json_write.h"
#include "engine/operation.h"
#include "store/store.h"

enum {
	SCIM_PAGE_MAX = 200,               /* resources on a page */
	SCIM_OPERATIONS_MAX = 100,         /* in a patch */
	SCIM_MEMBERS_MAX = 1000,           /* named in one request */
	SCIM_VALUES_MAX = 50,              /* in the list of an attribute */
	SCIM_TEXT_MAX = 1024,              /* bytes in a value */
	SCIM_BODY_MAX = 512 * 1024,        /* bytes in a request */
	SCIM_WORK_MAX = 256 * 1024 * 1024, /* bytes that the filter of a list compares */
};

struct scim_call {
	API_CALL_BASE;
	struct pairs path, query;
	json_t *body;    /* valid until prepare has ended */
	uuid domain;     /* the caller's own */
	struct str base; /* the region's URL; empty until a location is written */
	struct scim_shown shown;
};

struct scim_action {
	REST_ACTION_BASE;             /* path: behind /scim/v2/ */
	const struct scim_type *type; /* NULL: a discovery document */
	RESULT (*prepare)(struct scim_call *e, void *args);
	RESULT (*answer)(struct scim_call *e, const void *args, struct json_writer *w); /* NULL: 204 */
};

API_DEFINE_FACE(scim)

extern const struct api_actions scim_user_actions, scim_group_actions, scim_discovery_actions;
extern const struct rest_table scim_actions; /* all of them */

/* A variable of the path, or a value of the query; empty: absent. */
struct str scim_path_value(const struct scim_call *e, const char *name);
struct str scim_query_value(const struct scim_call *e, const char *name);
static inline const struct scim_type *scim_type_of(const struct scim_call *e)
{
	return scim_action_of(e)->type;
}

static inline void scim_free_json(json_t **json)
{
	json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(scim_free_json))) json_t

/* ---- resource.c: rows as resources ---- */

/* Keystone's form of an id: 32 hex digits. */
struct str scim_write_id(struct arena *a, uuid id);
/* Finds the row that the path names, in the caller's domain, and asks the guard. ERR_NOT_FOUND, ERR_DENIED. */
RESULT scim_find_row(struct scim_call *e, const struct row **ret_row);
/* True for a live user or group of the caller's domain. */
bool scim_is_reachable(const struct scim_call *e, enum kind kind, const struct row *row);

/* A row within a view: what filters and answers read. */
struct scim_reader {
	struct scim_call *e;
	const struct tables *tables;
	const struct row *row;
	json_t *values; /* attributes of this row that a filter has read; NULL: they are not kept */
	size_t work;    /* bytes that filters have compared so far, roughly */
};
/* scim_read_value for a scim_reader. */
json_t *scim_read_row(void *arg, const struct scim_place *place);
/* The attributes of the row that a client may write, without a password and a group's members; NULL: out of memory. */
json_t *scim_make_document(struct scim_reader *r);
RESULT scim_write_resource(struct scim_reader *r, struct json_writer *w);
/* W/"3": changes with the row's wanted values. */
struct str scim_write_version(struct arena *a, const struct row *row);
/* Sets ETag, and Location for a new resource. */
void scim_set_headers(struct scim_call *e, const struct row *row);
/* ERR_CONFLICT: If-Match names another version; or the call is not a GET, and If-None-Match names this one (RFC 9110, 13.1).
 * row NULL: the path has no version, such as a list's. */
RESULT scim_check_version(const struct scim_call *e, struct ctx *c, const struct row *row);
/* Answers a GET with 304 if If-None-Match names the version. False: it does not. */
bool scim_end_unchanged(struct scim_call *e, const struct row *row);
/* The row as the change left it; as it is, if there was nothing to change. */
RESULT scim_find_left(struct scim_call *e, uuid id, const struct row **ret_row);
/* The answer of a change. */
RESULT scim_answer_row(struct scim_call *e, uuid id, struct json_writer *w);
/* Answers the resource that the path names. */
RESULT scim_answer_one(struct scim_call *e, const void *args, struct json_writer *w);

/* ---- document.c: what a client sends ---- */

/* A copy of a resource that a client sent, with the schema's names, without unknown and read-only attributes. ERR_INVALID. */
RESULT scim_take_resource(struct scim_call *e, json_t *body, json_t **ret_document);
/* A copy of the value that an attribute is to get; NULL for null. ERR_INVALID. */
RESULT scim_take_value(struct ctx *c, const struct scim_attribute *a, const json_t *value,
		       json_t **ret_value);
/* The same for one value of a list. */
RESULT scim_take_one(struct ctx *c, const struct scim_attribute *a, const json_t *value, json_t **ret_value);
/* JSON text, in the arena. */
RESULT scim_dump(struct ctx *c, const json_t *value, struct str *ret_text);
/* Extra attributes of the row that differ between two documents; an empty value removes one. */
RESULT scim_list_changed(struct scim_call *e, const json_t *before, const json_t *after,
			 struct tags *ret_extra);

/* ---- patch.c ---- */

/* Applies one operation on a group's members; path NULL: the operation named no path. */
typedef RESULT (*scim_patch_members)(struct scim_call *e, void *arg, struct str op,
				     const struct scim_path *path, const json_t *value);
/* Applies the body's operations to the document. `members` takes those on a group's members; NULL: the type has none. */
RESULT scim_patch(struct scim_call *e, json_t *document, scim_patch_members members, void *arg);

/* ---- list.c ---- */

struct scim_list_args {
	const struct scim_filter *filter; /* NULL: none */
	int64_t start, count;
	/* results: */
	int64_t total, shown;
	struct str page; /* JSON list of the resources */
};
RESULT scim_prepare_list(struct scim_call *e, void *args);
/* POST …/.search: the parameters are in the body. */
RESULT scim_prepare_search(struct scim_call *e, void *args);
/* The parameters "attributes" and "excludedAttributes" of the query. ERR_TOO_LARGE. */
RESULT scim_read_shown(struct scim_call *e);
/* Walks the domain's rows on a lane, since most filters have no index. */
RESULT scim_list_work(struct work_item *w);
RESULT scim_answer_list(struct scim_call *e, const void *args, struct json_writer *w);
