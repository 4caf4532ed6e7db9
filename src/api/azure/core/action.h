/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/: what a call's row is, and what a call carries, beyond what every face's has
 * (api/core/action.h).
 *
 *   .shows     an object of the one row that .subject leads to
 *   .listing   {"value": […]} of rows of one kind; the args begin with a struct az_list_args
 *   .answer    the members that a function writes
 *   none       no body
 *
 * A call about one resource says its .kind and in .names which variables of the path make up its name; the core finds the
 * row before the call's own prepare. Of a DELETE what is not there is 204. A PUT (AZ_PUT) makes the resource or changes it: its
 * operation leaves the row's id where .subject says, and the core gives that row its name, its tags, and what .keeps says.
 *
 * A change with .outcome answers 202, with the address of an operation that tells what came of it (operations.c). A PUT of one
 * answers 201 or 200 and leads there, too. */
#pragma once

#include "api/azure/core/azure.h"
#include "api/azure/core/types.h"
#include "api/core/dispatch.h"
#include "api/core/listing.h"
#include "auth/token/bearer.h"
#include "base/json_write.h"
#include "engine/job.h"
#include "engine/people/policy/arm_rights.h"
#include "engine/resource_group.h"

struct az_call;
struct deployer;

/*   AZ_SIGNIN    of the sign-in: its own errors, no version of the API
 *   AZ_FORM      the body is a form
 *   AZ_TENANT    about no subscription: who asks need not get into one
 *   AZ_IN_PLACE  .answer writes the whole document, the braces too
 *   AZ_PUT       makes the resource of that name, or replaces what is said of it
 *   AZ_PATCH     changes parts of what is said of it
 *   AZ_IS_200    a new one answers 200: Azure's specification of the call has no 201, and its SDKs fail on one
 *   AZ_IS_202    a new one answers 202, for clients that take 201 for an error
 *   AZ_RAW       the body is read by the call itself
 *   AZ_SIGNED    of an address that proves itself (access.c): no version of the API */
enum az_action_flag {
	AZ_SIGNIN = API_OF_FACE,
	AZ_FORM = API_OF_FACE << 1,
	AZ_TENANT = API_OF_FACE << 2,
	AZ_IN_PLACE = API_OF_FACE << 3,
	AZ_PUT = API_OF_FACE << 4,
	AZ_PATCH = API_OF_FACE << 5,
	AZ_IS_202 = API_OF_FACE << 6,
	AZ_RAW = API_OF_FACE << 7,
	AZ_SIGNED = API_OF_FACE << 8,
	AZ_IS_200 = API_OF_FACE << 9,
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
	/* Writes a failure of a page for people as HTML; NULL: failures are JSON. */
	void (*write_page_problem)(struct az_call *e, struct str message, struct buf *body);
	enum kind kind;         /* of the row that the path names */
	enum kind subject_kind; /* of what .subject leads to, where that is another */
	const char *
		names; /* "virtualNetworkName/subnetName": the variables that make up its name; NULL: it names none */
	enum az_types names_type; /* of what .names names, where that is another than .type: a list's whole */
	/* Of a PUT: members of the body that no row has and that are shown as they were said:
	 * "sku|properties.storageProfile.osDisk.caching". */
	const char *keeps;
	/* Of a PUT or PATCH: members of the body that a change must say as they are shown, or not at all; with what Azure calls
	 * them in its answer, PropertyChangeNotAllowed: "zones:zones|properties.osProfile.windowsConfiguration.winRM:winRM". */
	const char *fixed;
	/* Of a PUT: lists of parts, whose names are unique: "properties.subnets|properties.virtualNetworkPeerings". */
	const char *parts;
	/* Of a call that reads its body itself: which members it may have (AZ_SHAPE), or that all of it is read. */
	const struct params *shape;
	bool reads_body;
	/* Query parameters that the call reads itself, with their values where it knows few: "$filter|$expand=instanceView,userData" */
	const char *query;
	size_t subject; /* where in the args the id of the row is that the call is about, + 1 (AZ_SUBJECT); 0: .names says it */
};
#define AZ_SUBJECT(T, member) .subject = offsetof(T, member) + 1

/* Members of bodies that have no row of their own for a reason. */
#define AZ_READ_ONLY(names)                                                                                  \
	PASSED_OVER(names,                                                                                   \
		    "The REST reference marks them read-only: the service passes them over, and clients "    \
		    "send back what they were shown.")
#define AZ_CORE_READS(names) PASSED_OVER(names, "Read by the core, or by the call itself.")
#define AZ_KEPT(names) PASSED_OVER(names, "Kept and shown (.keeps).")
/* What the body of each resource may have besides, and of each part of one. */
#define AZ_RESOURCE AZ_CORE_READS("location|tags"), AZ_READ_ONLY("id|name|type|etag|systemData|kind")
#define AZ_PART AZ_READ_ONLY("id|type|etag")
#define AZ_NAMED_PART AZ_READ_ONLY("id|name|type|etag|location|tags")

/* A table that reads nothing: its rows say which members there may be. */
struct az_nothing {
	char nothing;
};
#define AZ_SHAPE(rows, ...) PARAMS(struct az_nothing, rows, __VA_ARGS__)
#define AZ_SHAPE_OBJECT(name, table)                                                                         \
	{                                                                                                    \
		.wire = (name), .type = PARAM_STRUCT, .sub = &(table), .doc = "Read by the call itself."     \
	}

#define AZ_SUBSCRIPTION "/subscriptions/{subscriptionId}"
#define AZ_GROUP AZ_SUBSCRIPTION "/resourceGroups/{resourceGroupName}"
#define AZ_COMPUTE "/providers/Microsoft.Compute"
#define AZ_NETWORK "/providers/Microsoft.Network"

/* What a PUT or PATCH says of any resource. In the arena. */
struct az_put {
	struct str name, definition;
	bool has_tags;
	struct tags tags;
};

struct az_call {
	API_CALL_BASE;
	struct str base_url; /* "https://cloud.example.com": how the client found us */
	struct bearer bearer;
	struct pairs path, query; /* variables of the path; the query's pairs, decoded */
	json_t *body;             /* until prepare has ended */
	struct pairs form;        /* of AZ_FORM */
	uuid group;               /* the resource group that the path names; none: dari-default */
	uuid target;              /* the row that .names found; none: there is no such */
	struct az_put put;
	bool is_conditional; /* it has If-Match or If-None-Match */
	uuid job;            /* that the change made; none */
	bool asks_existence; /* a HEAD of what has a GET: 204, or the GET's failure */
	struct str outer;    /* of a failure with a detail: the message around it */
	const char *detail;  /* of a failure: see az_fail_format(); NULL: it has no details */
	json_t *said;        /* see az_said() */
	uuid said_of;
};

API_DEFINE_FACE(az)

/* ---- requests ---- */

/* Of the query of a call from inside: what would have succeeded is undone. */
#define AZ_TRIES "dari-tries"

/* A variable of the path; empty: it has none of that name. */
struct str az_path_value(const struct az_call *e, const char *name);
/* A value of the query, whose names are in any case: "$expand". */
struct str az_query_value(const struct az_call *e, const char *name);

/* ---- groups and names (names.c) ---- */

/* What other faces made has no group of its own: it is shown in this one, and called by its EC2 id. */
#define AZ_DEFAULT_GROUP "dari-default"
/* Finds e->group. ERR_NOT_FOUND: the path names a group that there is not. OK where it names none. */
RESULT az_find_group(struct az_call *e);
/* The name of the group that a row is in. */
struct str az_group_of(struct az_call *e, uuid id);
/* What the path's variables make up, "vm1" or "vnet1/default". */
struct str az_path_name(struct az_call *e, const char *variables);
/* In Azure's words where the call happens, as far as its path leads: roles may be assigned there alone. */
void az_find_place(struct az_call *e, struct arm_place *ret_place);
/* What a row is called, with what it is a part of: "vm1", "vnet1/default". */
struct str az_name_of(struct az_call *e, enum az_types type, enum kind kind, uuid id);
/* Whether another face made it: it is called by its EC2 id, even when Azure's users have said something of it. */
bool az_is_made_elsewhere(struct az_call *e, enum kind kind, uuid id);
/* "default" of "vnet1/default", or of an id. */
struct str az_last_word(struct str name);
/* "Microsoft.Compute/virtualMachines" */
struct str az_full_type(struct arena *a, enum az_types type);
/* "/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachines/vm1" */
struct str az_id_of(struct az_call *e, enum az_types type, enum kind kind, uuid id);
/* The same of what the path's variables name, whether it is there or not; the letters are the path's. */
struct str az_named_id(struct az_call *e, enum az_types type, const char *variables);
/* The row that the path's variables name ("vmName"), which the caller sees. ERR_NOT_FOUND. */
RESULT az_find_named(struct az_call *e, enum az_types type, enum kind kind, const char *variables,
		     const struct row **ret_row);
/* The row of a resource's id, which stands in a body at that field. ERR_INVALID: it is no id, or another type's.
 * ERR_NOT_FOUND: there is no such resource. */
RESULT az_find_id(struct az_call *e, const char *field, struct str text, enum az_types type, enum kind kind,
		  const struct row **ret_row);
/* To the row that .names found, for an operation of the engine. */
struct ref az_target_ref(struct az_call *e);
/* What the path's variables name of another type: of what the call's own resource is a part. ERR_NOT_FOUND. */
RESULT az_find_whole(struct az_call *e, enum az_types type, enum kind kind, const char *variables,
		     const struct row **ret_row);
/* What has that name in the call's group, without a word where there is nothing: NULL then. */
RESULT az_look_up(struct az_call *e, enum az_types type, enum kind kind, struct str name,
		  const struct row **ret_row);
/* Whether the name of a resource, or of a part of one, may be so. */
bool az_is_name(struct str name);
/* The path by which messages name a row; a row without a name in Azure goes by its EC2 id. t: the head, or an open view. */
struct str az_write_row_id(struct arena *a, const struct tables *t, enum kind kind, uuid id);
/* {"id": …} of a row, as a member of that name; nothing, where there is none. */
void az_write_ref(struct az_call *e, struct json_writer *w, const char *name, enum az_types type,
		  enum kind kind, uuid id);
/* "koreacentral": the region's name, of small letters and digits alone. */
struct str az_location(struct az_call *e);
/* "koreacentral" of "Korea Central". */
struct str az_fold_location(struct az_call *e, struct str text);
/* ERR_MISSING, ERR_INVALID: the body says another location, or none. */
RESULT az_check_location(struct az_call *e);
/* The body's tags, into e->put. ERR_INVALID. */
RESULT az_read_tags(struct az_call *e);
/* Refuses one name twice, whatever the letters' case; field: for the failure. */
RESULT az_check_tag_names(struct az_call *e, const struct tags *tags, const char *field);
/* id, name, type, location and tags, which most objects begin with. */
void az_write_head(struct az_call *e, struct json_writer *w, enum az_types type, enum kind kind,
		   const struct row *row);
/* Times look as "2024-01-02T03:04:05.000000Z"; nothing of 0. */
void az_write_time(struct json_writer *w, const char *name, int64_t time_us);

/* ---- PUT and PATCH (put.c) ---- */

/* Before the call's own prepare: its row, its tags, what is kept of it. ERR_NOT_FOUND: a GET, POST or PATCH of what is not
 * there, a group that there is not. ERR_STATE: the group is being deleted. */
RESULT az_prepare_target(struct az_call *e);
/* The location that a PUT's body says, once its members have the right types: the same failures as az_check_location()'s. */
RESULT az_check_place(struct az_call *e);
/* ERR_STATE: the group that az_find_group() found is being deleted. */
RESULT az_check_group_stays(struct az_call *e);
/* W/"…", another one whenever something else is wanted of the row. */
struct str az_etag_of(struct az_call *e, const struct row *row);
/* As protocol.begin_change. ERR_CONFLICT: the row is another one than If-Match says. */
RESULT az_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred);
/* On the committer, behind the operation of a PUT or PATCH: names the row, and gives it its tags. */
RESULT az_name_target(struct az_call *e, struct op *op);
/* For PATCH of a resource whose tags alone can be changed so: .prepare, .operation, over a struct tags_wish. */
RESULT az_prepare_tags(struct az_call *e, void *args);
/* What was kept of a row's last PUT: an object whose keys are .keeps' paths. Until it is asked about another row, or the answer
 * ends. NULL: nothing. */
const json_t *az_said(struct az_call *e, uuid id);
/* What a body says of those members ("properties.a|properties.b"), over what was kept of the target before; empty: nothing. */
RESULT az_keep(struct az_call *e, uuid target, const json_t *body, const char *keeps,
	       struct str *ret_definition);
/* Writes what was kept at that path as a member; else the text otherwise (NULL: nothing). */
void az_write_said(struct az_call *e, struct json_writer *w, uuid id, const char *path, const char *name,
		   const char *otherwise);
/* Whether a list that is asked of a group has the row; and as .matches of a listing. */
bool az_is_in_group(struct az_call *e, const struct row *row);
bool az_matches(struct api_call *core, const void *args, const struct row *row);

/* ---- lists (list.c) ---- */

/* Of a $filter that is read from its beginning: takes a word, in any case, or "eq 'value'"; false: something else stands there. */
bool az_take_word(struct str *rest, struct str word);
bool az_take_value(struct str *rest, struct str *ret_value);

/* {"value": [...], "nextLink": ...} by the action's .listing. */
RESULT az_write_list(struct az_call *e, struct json_writer *w);

/* ---- operations (operations.c) ---- */

/* The row that the call is about, by its args. */
uuid az_subject_of(const struct az_call *e);
/* As protocol.end_change. */
RESULT az_end_change(struct api_call *core, struct op *op);
/* Sets the headers that lead to the change's operation. */
void az_set_operation(struct az_call *e);

/* ---- addresses that prove themselves (access.c) ---- */

/* "https://cloud.example.com/azure/disks/{id}?se=…&sig=…", which leads whoever has it there until then. */
struct str az_sign_address(struct az_call *e, const char *what, uuid id, int64_t until_us);
/* Whether the request came by one: what it is about, by the path's {id}. ERR_UNAUTHENTICATED. */
RESULT az_check_address(struct az_call *e, const char *what, uuid *ret_id);

/* ---- failures (errors.c) ---- */

enum az_part { AZ_OF_ARM = 1, AZ_OF_SIGNIN = 2 };
#define az_fail(e, parameter, ...) ctx_fail_field((e)->c, ERR_INVALID, str_from(parameter), __VA_ARGS__)
/* ERR_STATE, PropertyChangeNotAllowed: what a PUT or a PATCH says of the property ("osDisk.name") is not what is so. */
RESULT az_fail_change(struct az_call *e, const char *property);
/* ERR_INVALID, InvalidRequestFormat, whose one detail has that code and message. In the arena: detail is static. */
RESULT az_fail_format(struct az_call *e, const char *detail, const char *field, struct str message);
/* The same unless nothing is said, or what is shown. */
RESULT az_check_unchanged(struct az_call *e, const char *property, struct str said, struct str shown);
/* As in struct api_protocol. */
void az_word_problem(struct api_call *core, struct api_problem *problem);
RESULT az_write_problem(struct api_call *core, struct api_problem *problem, struct buf *body);
/* What a call is in role definitions: "Microsoft.Compute/virtualMachines/start/action". In the arena. */
struct str az_operation_of(struct arena *a, const struct az_action *action);
extern const struct params_dialect az_dialect;
extern const struct kind_words az_words;
extern const struct api_error az_unknown_space, az_unknown_type, az_no_subscription, az_no_group,
	az_no_version, az_no_provider, az_bad_version, az_no_method, az_bad_name, az_bad_id, az_no_location,
	az_other_location, az_no_whole, az_group_goes, az_no_reference, az_no_token, az_bad_signature,
	az_wrong_audience, az_wrong_tenant, az_changed;

/* ---- routes (routes.c) ---- */

struct az_route {
	size_t segment_count;
	struct api_entry entry;
};
enum { AZ_ROUTES_MAX = 640 };
struct az_face {
	struct api_face core;
	struct az_route routes[AZ_ROUTES_MAX];
	size_t route_count;
	struct deployer *deployer; /* NULL: nobody carries deployments out */
};

/* Work of a folder in the background, from when the face opens until it closes. The core knows no folder that is built on
 * it, so that the folder defines the row. */
struct az_background {
	bool (*open)(struct az_face *face); /* false: no memory */
	void (*close)(struct az_face *face);
};
extern const struct az_background az_deployer; /* deployments/deployer.c */
static inline const struct az_face *az_face_of(const struct az_call *e)
{
	return (const struct az_face *) e->face;
}
void az_sum_routes(struct az_face *face);
/* The route of the request's path and method, whose variables become e->path. A HEAD of what has a GET is that. NULL: there is none, or (has_path) none with
 * this method. */
const struct az_route *az_find_route(struct az_call *e, bool *ret_has_path);
/* Whether the version that the query says is one of the type's. ERR_MISSING, ERR_INVALID. */
RESULT az_check_version(struct az_call *e, const struct az_type *type);
/* Why there is no route: which word of the path is unknown. */
RESULT az_fail_path(struct az_call *e);

/* ---- all tables of calls (routes.c) ---- */

extern const struct api_actions *const az_groups[];
extern const size_t az_group_count;

#define GROUP(name) extern const struct api_actions az_##name##_actions;
#include "api/azure/core/action_groups.def"
#undef GROUP
