/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/: Azure's actions and calls, beyond the members that all faces share (api/core/action.h).
 *
 * An action's answer is one of
 *   .shows     an object: the row that .subject leads to
 *   .listing   {"value": […]}: rows of one kind; the args begin with a struct az_list_args
 *   .answer    members that a function writes
 *   none       no body
 *
 * An action about one resource has its .kind, and in .names the variables of the path that make up its name: the core
 * finds the row before the action's own prepare. A DELETE of an absent row is 204. A PUT (AZ_PUT) creates the resource
 * or changes it: its operation leaves the row's id at .subject, and the core stores the row's name, its tags, and the
 * members of .keeps.
 *
 * A change with .outcome answers 202 with the address of an operation to poll (operations.c). A PUT answers 201 or 200,
 * with that address, too. */
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

/*   AZ_SIGNIN    part of the sign-in: its own errors, no api-version
 *   AZ_FORM      the body is a form
 *   AZ_TENANT    concerns no subscription: the caller needs access to none
 *   AZ_IN_PLACE  .answer writes the whole document with its braces
 *   AZ_PUT       creates the resource of that name, or replaces its properties
 *   AZ_PATCH     changes some of its properties
 *   AZ_IS_200    a new one answers 200: Azure's specification of the call has no 201, and its SDKs fail on one
 *   AZ_IS_202    a new one answers 202, for clients that take 201 for an error
 *   AZ_RAW       the action reads the body itself
 *   AZ_SIGNED    the address is signed (access.c): no token, no api-version */
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
	enum az_types type; /* the type whose api-versions the call accepts */
	RESULT (*prepare)(struct az_call *e, void *args);
	RESULT (*answer)(struct az_call *e, const void *args, struct json_writer *w);
	const struct api_listing *shows;
	enum async_job_outcome outcome;
	/* Writes a failure of a page for people as HTML; NULL: failures are JSON. */
	void (*write_page_problem)(struct az_call *e, struct str message, struct buf *body);
	enum kind kind;         /* kind of the row that the path names */
	enum kind subject_kind; /* kind of the row at .subject, if another */
	const char *
		names; /* variables of the path that make up the row's name: "virtualNetworkName/subnetName"; NULL: none */
	enum az_types names_type; /* type of that row, if another than .type, such as a list's parent */
	/* PUT: members of the body that are stored and shown unchanged, because no row has a field for them:
	 * "sku|properties.storageProfile.osDisk.caching". */
	const char *keeps;
	/* PUT, PATCH: members of the body that may not change, each with its name in the error PropertyChangeNotAllowed:
	 * "zones:zones|properties.osProfile.windowsConfiguration.winRM:winRM". */
	const char *fixed;
	/* PUT: lists whose elements have unique names: "properties.subnets|properties.virtualNetworkPeerings". */
	const char *parts;
	/* An action that reads its body itself: the members that the body may have (AZ_SHAPE), or reads_body: any. */
	const struct params *shape;
	bool reads_body;
	/* Query parameters that the action reads itself, with their values if these are few: "$filter|$expand=instanceView,userData" */
	const char *query;
	size_t subject; /* offset of the row's id in the args, + 1 (AZ_SUBJECT); 0: the row of .names */
	/* A change of a part: the variables, the type and the kind of its whole (AZ_WHOLE). The core finds the whole before the
	 * action's own prepare, because policies on it hold for its parts, too. NULL: the row is no part. */
	const char *whole;
	enum az_types whole_type;
	enum kind whole_kind;
	size_t whole_at; /* offset of a struct ref in the args that receives the whole, + 1 (AZ_WHOLE_AT); 0: none */
	size_t target; /* offset of a struct ref in the args that receives the row of .names, + 1 (AZ_TARGET); 0: none */
};
#define AZ_SUBJECT(T, member) .subject = offsetof(T, member) + 1
#define AZ_WHOLE(variables, of, row_kind) .whole = (variables), .whole_type = (of), .whole_kind = (row_kind)
#define AZ_WHOLE_AT(T, member) .whole_at = offsetof(T, member) + 1
#define AZ_TARGET(T, member) .target = offsetof(T, member) + 1

/* Members of bodies without a row of their own, each with the reason. */
#define AZ_READ_ONLY(names)                                                                                  \
	PASSED_OVER(names, "Read-only in the REST reference: accepted and ignored, because clients send "    \
			   "back what they were shown.")
#define AZ_CORE_READS(names) PASSED_OVER(names, "Read by the core, or by the call itself.")
#define AZ_KEPT(names) PASSED_OVER(names, "Stored and shown (.keeps).")
/* Further members of the body of every resource, and of every part of one. */
#define AZ_RESOURCE AZ_CORE_READS("location|tags"), AZ_READ_ONLY("id|name|type|etag|systemData|kind")
#define AZ_PART AZ_READ_ONLY("id|type|etag")
#define AZ_NAMED_PART AZ_READ_ONLY("id|name|type|etag|location|tags")

/* A table that only lists permitted members, and reads none. */
struct az_nothing {
	char nothing;
};
#define AZ_SHAPE(rows, ...) PARAMS(struct az_nothing, rows, __VA_ARGS__)
#define AZ_SHAPE_OBJECT(name, table)                                                                         \
	{                                                                                                    \
		.wire = (name), .type = PARAM_STRUCT, .sub = &(table),                                       \
		.doc = "Members are read by the call itself."                                                \
	}

#define AZ_SUBSCRIPTION "/subscriptions/{subscriptionId}"
#define AZ_GROUP AZ_SUBSCRIPTION "/resourceGroups/{resourceGroupName}"
#define AZ_COMPUTE "/providers/Microsoft.Compute"
#define AZ_NETWORK "/providers/Microsoft.Network"

/* Members of a PUT or PATCH that all resources have. In the arena. */
struct az_put {
	struct str name, definition;
	bool has_tags;
	struct tags tags;
};

struct az_call {
	API_CALL_BASE;
	struct str base_url; /* URL by which the client reached us: "https://cloud.example.com" */
	struct bearer bearer;
	struct pairs path, query; /* variables of the path; the query's pairs, decoded */
	json_t *body;             /* until prepare has ended */
	struct pairs form;        /* AZ_FORM: the body */
	uuid group;               /* the resource group that the path names; none: dari-default */
	uuid target;              /* the row that .names names; none: it does not exist */
	struct az_put put;
	bool is_conditional; /* the request has If-Match or If-None-Match */
	uuid job;            /* the change's job; none */
	bool asks_existence; /* HEAD for an action that has a GET: 204, or the GET's failure */
	struct str outer;    /* outer message of a failure with a detail */
	const char *detail;  /* code of the failure's detail (az_fail_format()); NULL: it has none */
	json_t *said;        /* see az_said() */
	uuid said_of;
};

API_DEFINE_FACE(az)

/* ---- requests ---- */

/* Query parameter of internal calls: a success is undone. */
#define AZ_TRIES "dari-tries"

/* A variable of the path; empty: there is none of that name. */
struct str az_path_value(const struct az_call *e, const char *name);
/* A value of the query, "$expand"; letter case of the name does not matter. */
struct str az_query_value(const struct az_call *e, const char *name);

/* ---- groups and names (names.c) ---- */

/* Rows that other faces created have no resource group: they are shown in this one, and named by their EC2 ids. */
#define AZ_DEFAULT_GROUP "dari-default"
/* Sets e->group, if the path names a group. ERR_NOT_FOUND: there is no such group. */
RESULT az_find_group(struct az_call *e);
/* The name of the group that a row is in. */
struct str az_group_of(struct az_call *e, uuid id);
/* The name that the path's variables make up: "vm1", "vnet1/default". */
struct str az_path_name(struct az_call *e, const char *variables);
/* Scope of the call, as far as its path leads: roles may be assigned at this scope alone. */
void az_find_place(struct az_call *e, struct arm_place *ret_place);
/* Name of a row, after its parent's if it has one: "vm1", "vnet1/default". */
struct str az_name_of(struct az_call *e, enum az_types type, enum kind kind, uuid id);
/* True if another face created the row: it is named by its EC2 id, even after a change by this face. */
bool az_is_made_elsewhere(struct az_call *e, enum kind kind, uuid id);
/* Last segment of a name or an id: "default" of "vnet1/default". */
struct str az_last_word(struct str name);
/* "Microsoft.Compute/virtualMachines" */
struct str az_full_type(struct arena *a, enum az_types type);
/* "/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachines/vm1" */
struct str az_id_of(struct az_call *e, enum az_types type, enum kind kind, uuid id);
/* The same for the path's variables, whether the row exists or not; with the letter case of the path. */
struct str az_named_id(struct az_call *e, enum az_types type, const char *variables);
/* The row that the path's variables name ("vmName"), if the caller sees it. ERR_NOT_FOUND. */
RESULT az_find_named(struct az_call *e, enum az_types type, enum kind kind, const char *variables,
		     const struct row **ret_row);
/* The row of a resource's id in a body; field: for a failure. ERR_INVALID: no id, or one of another type. ERR_NOT_FOUND:
 * there is no such resource. */
RESULT az_find_id(struct az_call *e, const char *field, struct str text, enum az_types type, enum kind kind,
		  const struct row **ret_row);
/* Reference to the row that .names names, for an operation of the engine. */
struct ref az_target_ref(struct az_call *e);
/* Finds the whole that the action names, and stores it at .whole_at. ERR_NOT_FOUND. */
RESULT az_find_whole(struct az_call *e);
/* The row with that name in the call's group; NULL without a failure if there is none. */
RESULT az_look_up(struct az_call *e, enum az_types type, enum kind kind, struct str name,
		  const struct row **ret_row);
/* True if the text is a valid name of a resource or of a part of one. */
bool az_is_name(struct str name);
/* The id of a row for messages; a row without a name in Azure has its EC2 id there. t: the head, or an open view. */
struct str az_write_row_id(struct arena *a, const struct tables *t, enum kind kind, uuid id);
/* Writes {"id": …} as a member of that name; nothing if id is none. */
void az_write_ref(struct az_call *e, struct json_writer *w, const char *name, enum az_types type,
		  enum kind kind, uuid id);
/* "koreacentral": the region's name, reduced to small letters and digits. */
struct str az_location(struct az_call *e);
/* Reduces a location's name: "koreacentral" for "Korea Central". */
struct str az_fold_location(struct az_call *e, struct str text);
/* Checks the body's location. ERR_MISSING; ERR_INVALID: it is another one. */
RESULT az_check_location(struct az_call *e);
/* Reads the body's tags into e->put. ERR_INVALID. */
RESULT az_read_tags(struct az_call *e);
/* Refuses two tags whose names differ in letter case alone; field: for the failure. */
RESULT az_check_tag_names(struct az_call *e, const struct tags *tags, const char *field);
/* Writes id, name, type, location and tags, with which most objects begin. */
void az_write_head(struct az_call *e, struct json_writer *w, enum az_types type, enum kind kind,
		   const struct row *row);
/* Member of a listing: the head of a resource of the action's .type. */
void az_write_own_head(struct api_call *core, struct json_writer *w, const char *name, const struct row *row);
#define AZ_HEAD MEMBER_WRITTEN("id", az_write_own_head, .also = "name|type|location|tags")
/* Writes a time as "2024-01-02T03:04:05.000000Z"; nothing if it is 0. */
void az_write_time(struct json_writer *w, const char *name, int64_t time_us);

/* ---- PUT and PATCH (put.c) ---- */

/* Before the action's own prepare: finds its row, and reads its tags and the members of .keeps. ERR_NOT_FOUND: there is no
 * such group, or a GET, POST or PATCH names an absent row. ERR_STATE: the group is being deleted. */
RESULT az_prepare_target(struct az_call *e);
/* Checks the location in a PUT's body after the types of its members, with az_check_location()'s failures. */
RESULT az_check_place(struct az_call *e);
/* ERR_STATE: the group that az_find_group() found is being deleted. */
RESULT az_check_group_stays(struct az_call *e);
/* W/"…", which changes with each change of the row's wanted state. */
struct str az_etag_of(struct az_call *e, const struct row *row);
/* The protocol's begin_change. ERR_CONFLICT: the row does not match If-Match. */
RESULT az_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred);
/* On the committer, after the operation of a PUT or PATCH: stores the row's name and its tags. */
RESULT az_name_target(struct az_call *e, struct op *op);
/* .prepare of a PATCH that changes tags alone; the args are a struct tags_wish. */
RESULT az_prepare_tags(struct az_call *e, void *args);
/* The members that a row's last PUT stored by .keeps: an object with a key for each path. Valid until the next call about
 * another row, or the end of the answer. NULL: there are none. */
const json_t *az_said(struct az_call *e, uuid id);
/* Merges the body's members of `keeps` ("properties.a|properties.b") into those stored for the target; empty: there are
 * none. */
RESULT az_keep(struct az_call *e, uuid target, const json_t *body, const char *keeps,
	       struct str *ret_definition);
/* Writes the stored member at that path; if there is none, the text `otherwise` (NULL: nothing). */
void az_write_said(struct az_call *e, struct json_writer *w, uuid id, const char *path, const char *name,
		   const char *otherwise);
/* True if the row is in the group of the request's path, or the path has none. az_matches() is the same as .matches of a
 * listing. */
bool az_is_in_group(struct az_call *e, const struct row *row);
bool az_matches(struct api_call *core, const void *args, const struct row *row);
/* .matches of a list of parts: the row's .whole is the call's target. */
bool az_is_part(struct api_call *core, const void *args, const struct row *row);

/* ---- lists (list.c) ---- */

/* Read a $filter from its beginning: az_take_word() a word in any case, az_take_value() "eq 'value'". False: the rest begins
 * with something else. */
bool az_take_word(struct str *rest, struct str word);
bool az_take_value(struct str *rest, struct str *ret_value);

/* {"value": [...], "nextLink": ...} by the action's .listing. */
RESULT az_write_list(struct az_call *e, struct json_writer *w);

/* ---- operations (operations.c) ---- */

/* The row that the call is about: the one at .subject, or the target. */
uuid az_subject_of(const struct az_call *e);
/* The protocol's end_change. */
RESULT az_end_change(struct api_call *core, struct op *op);
/* Sets the headers that lead to the change's operation. */
void az_set_operation(struct az_call *e);

/* ---- signed addresses (access.c) ---- */

/* "https://cloud.example.com/azure/disks/{id}?se=…&sig=…": its holder needs no token until that time. */
struct str az_sign_address(struct az_call *e, const char *what, uuid id, int64_t until_us);
/* Checks that the request came by such an address, and returns the path's {id}. ERR_UNAUTHENTICATED. */
RESULT az_check_address(struct az_call *e, const char *what, uuid *ret_id);

/* ---- failures (errors.c) ---- */

enum az_part { AZ_OF_ARM = 1, AZ_OF_SIGNIN = 2 };
#define az_fail(e, parameter, ...) ctx_fail_field((e)->c, ERR_INVALID, str_from(parameter), __VA_ARGS__)
/* ERR_STATE, PropertyChangeNotAllowed: a PUT or PATCH has another value of the property ("osDisk.name"). */
RESULT az_fail_change(struct az_call *e, const char *property);
/* ERR_INVALID, InvalidRequestFormat, with one detail of that code and message. message lies in the arena; detail is
 * static. */
RESULT az_fail_format(struct az_call *e, const char *detail, const char *field, struct str message);
/* Fails as az_fail_change() does, unless the text is empty or equals the shown one. */
RESULT az_check_unchanged(struct az_call *e, const char *property, struct str said, struct str shown);
/* The protocol's functions of these names. */
void az_word_problem(struct api_call *core, struct api_problem *problem);
RESULT az_write_problem(struct api_call *core, struct api_problem *problem, struct buf *body);
/* Operation of a call in role definitions: "Microsoft.Compute/virtualMachines/start/action". In the arena. */
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
/* Checks that the query's api-version is one of the type's. ERR_MISSING, ERR_INVALID. */
RESULT az_check_version(struct az_call *e, const struct az_type *type);
/* Fails with the first unknown word of a path that has no route. */
RESULT az_fail_path(struct az_call *e);

/* ---- all tables of calls (routes.c) ---- */

extern const struct api_actions *const az_groups[];
extern const size_t az_group_count;

#define GROUP(name) extern const struct api_actions az_##name##_actions;
#include "api/azure/core/action_groups.def"
#undef GROUP
