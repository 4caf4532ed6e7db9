/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/: what a call's row is, and what a call carries, beyond what every face's has
 * (api/core/action.h).
 *
 *   .shows     an object of the one row that .subject leads to
 *   .listing   {"value": […]} of rows of one kind; the args begin with a struct az_list_args
 *   .answer    the members that a function writes
 *   none       no body
 *
 * A change with .outcome answers 202, with the address of an operation that tells what came of it (operations.c). */
#pragma once

#include "api/azure/core/azure.h"
#include "api/core/dispatch.h"
#include "api/core/listing.h"
#include "auth/bearer.h"
#include "base/json_write.h"
#include "engine/job.h"

struct az_call;

/* A type of resources, and which versions of the API it is spoken in: from the first to the last, which are dates, and
 * some between them with a suffix. */
struct az_type {
	const char *space, *name; /* "Microsoft.Compute", "virtualMachines" */
	const char *versions;     /* those that /providers lists, the newest last: "2015-06-15|2020-06-01" */
	bool is_global;           /* it has no location */
};
enum az_types {
#define TYPE(symbol, space, name, versions, is_global) AZ_##symbol,
#include "api/azure/core/types.def"
#undef TYPE
	AZ_TYPE_COUNT
};
extern const struct az_type az_types[AZ_TYPE_COUNT];

/*   AZ_SIGNIN    of the sign-in: its own errors, no version of the API
 *   AZ_FORM      the body is a form
 *   AZ_TENANT    about no subscription: who asks need not get into one
 *   AZ_IN_PLACE  .answer writes the whole document, the braces too */
enum az_action_flag {
	AZ_SIGNIN = API_OF_FACE,
	AZ_FORM = API_OF_FACE << 1,
	AZ_TENANT = API_OF_FACE << 2,
	AZ_IN_PLACE = API_OF_FACE << 3,
};

struct az_action {
	enum http_method method;
	/* "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"; letter case does not matter */
	const char *path;
	API_ACTION_BASE;
	enum az_types type; /* whose versions the call takes */
	RESULT (*prepare)(struct az_call *e, void *args);
	RESULT (*answer)(struct az_call *e, const void *args, struct json_writer *w);
	const struct api_listing *shows;
	enum async_job_outcome outcome;
	size_t subject; /* where in the args the id of the row is that the call is about, + 1 (AZ_SUBJECT) */
};
#define AZ_SUBJECT(T, member) .subject = offsetof(T, member) + 1

#define AZ_SUBSCRIPTION "/subscriptions/{subscriptionId}"
#define AZ_GROUP AZ_SUBSCRIPTION "/resourceGroups/{resourceGroupName}"
#define AZ_COMPUTE "/providers/Microsoft.Compute"
#define AZ_NETWORK "/providers/Microsoft.Network"

struct az_call {
	API_CALL_BASE;
	struct str base_url; /* "https://cloud.example.com": how the client found us */
	struct bearer bearer;
	struct pairs path, query; /* variables of the path; the query's pairs, decoded */
	json_t *body;             /* until prepare has ended */
	struct pairs form;        /* of AZ_FORM */
	uuid job;                 /* that the change made; none */
};

API_DEFINE_FACE(az)

/* ---- requests ---- */

/* A variable of the path; empty: it has none of that name. */
struct str az_path_value(const struct az_call *e, const char *name);
/* A value of the query, whose names are in any case: "$expand". */
struct str az_query_value(const struct az_call *e, const char *name);

/* ---- groups and names (names.c) ---- */

/* What other faces made has no group of its own: it is shown in this one. */
#define AZ_DEFAULT_GROUP "dari-default"
/* ERR_NOT_FOUND: the path names a group that there is not. OK where it names none. */
RESULT az_check_group(struct az_call *e);
/* What a row is called: its EC2 id, which nobody can change. */
struct str az_name_of(struct az_call *e, enum kind kind, uuid id);
/* "/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachines/i-0123456789abcdef0" */
struct str az_id_of(struct az_call *e, enum az_types type, enum kind kind, uuid id);
/* The row that the path's variable names, which the caller sees. ERR_NOT_FOUND. */
RESULT az_find_named(struct az_call *e, enum kind kind, const char *variable, const struct row **ret_row);
/* {"id": …} of a row, as a member of that name; nothing, where there is none. */
void az_write_ref(struct az_call *e, struct json_writer *w, const char *name, enum az_types type,
		  enum kind kind, uuid id);
/* "koreacentral": the region's name, of small letters and digits alone. */
struct str az_location(struct az_call *e);
/* id, name, type, location and tags, which most objects begin with. */
void az_write_head(struct az_call *e, struct json_writer *w, enum az_types type, enum kind kind,
		   const struct row *row);
/* Times look as "2024-01-02T03:04:05.000000Z"; nothing of 0. */
void az_write_time(struct json_writer *w, const char *name, int64_t time_us);

/* ---- lists (list.c) ---- */

/* {"value": [...], "nextLink": ...} by the action's .listing. */
RESULT az_write_list(struct az_call *e, struct json_writer *w);

/* ---- operations (operations.c) ---- */

/* The row that the call is about, by its args. */
uuid az_subject_of(const struct az_call *e);
/* As protocol.end_change. */
RESULT az_end_change(struct api_call *core, struct op *op);
/* Sets the headers that lead to the change's operation. */
void az_set_operation(struct az_call *e);

/* ---- failures (errors.c) ---- */

enum az_part { AZ_OF_ARM = 1, AZ_OF_SIGNIN = 2 };
#define az_fail(e, parameter, ...) ctx_fail_field((e)->c, ERR_INVALID, str_from(parameter), __VA_ARGS__)
/* As in struct api_protocol. */
void az_word_problem(struct api_call *core, struct api_problem *problem);
RESULT az_write_problem(struct api_call *core, struct api_problem *problem, struct buf *body);
extern const struct params_dialect az_dialect;
extern const struct kind_words az_words;
extern const struct api_error az_unknown_space, az_unknown_type, az_no_subscription, az_no_group,
	az_no_version, az_no_provider, az_bad_version;

/* ---- routes (routes.c) ---- */

struct az_route {
	size_t segment_count;
	struct api_entry entry;
};
enum { AZ_ROUTES_MAX = 320 };
struct az_face {
	struct api_face core;
	struct az_route routes[AZ_ROUTES_MAX];
	size_t route_count;
};
static inline const struct az_face *az_face_of(const struct az_call *e)
{
	return (const struct az_face *) e->face;
}
/* As api_protocol.open. */
bool az_sum_routes(struct api_face *core);
/* The route of the request's path and method, whose variables become e->path. NULL: there is none, or (has_path) none with
 * this method. */
const struct az_route *az_find_route(struct az_call *e, bool *ret_has_path);
/* Whether the version that the query says is one of the type's. ERR_MISSING, ERR_INVALID. */
RESULT az_check_version(struct az_call *e, const struct az_type *type);
/* Why there is no route: which word of the path is unknown. */
RESULT az_fail_path(struct az_call *e);

/* ---- all tables of calls ---- */

#define GROUP(name) extern const struct api_actions az_##name##_actions;
#include "api/azure/core/action_groups.def"
#undef GROUP
