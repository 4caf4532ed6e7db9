/* SPDX-License-Identifier: Apache-2.0
 * Host aggregates. Nova's metadata of an aggregate consist of its properties and, as `availability_zone`,
 * its zone. Source: Compute API reference, "Host aggregates". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/region/aggregate.h"
#include "store/aggregate.h"
#include "store/host.h"

/* ---- gathering and writing ---- */

struct aggregate_item {
	const struct aggregate *aggregate;
	VEC(const struct host *) hosts;
};

static const void *gather_aggregate(struct os_call *e, const struct row *row)
{
	struct aggregate_item *item = arena_new_object(e->c->arena, struct aggregate_item);
	if (!item)
		return NULL;
	item->aggregate = aggregate_of(row);
	for (size_t k = 0; k < item->aggregate->hosts.count; k++) {
		const struct host *host = host_find(os_tables(e), item->aggregate->hosts.at[k]);
		if (host && !VEC_PUSH(e->c->arena, &item->hosts, host))
			return NULL;
	}
	return item;
}

static void write_metadata(struct json_writer *w, const struct aggregate_item *item)
{
	const struct tags *properties = &item->aggregate->properties;
	json_write_open(w, "metadata");
	if (item->aggregate->zone_name.n)
		json_write_text(w, "availability_zone", item->aggregate->zone_name);
	for (size_t k = 0; k < properties->count; k++) {
		json_write_key(w, properties->at[k].key);
		json_write_text(w, NULL, properties->at[k].value);
	}
	json_write_close(w);
}

static void write_members(struct json_writer *w, const struct aggregate_item *item)
{
	json_write_open_list(w, "hosts");
	for (size_t k = 0; k < item->hosts.count; k++)
		json_write_text(w, NULL, item->hosts.at[k]->name);
	json_write_close_list(w);
	write_metadata(w, item);
}

static void write_aggregate(struct os_call *e, struct json_writer *w, const void *shown)
{
	const struct aggregate_item *item = shown;
	const struct aggregate *a = item->aggregate;
	json_write_int(w, "id", a->number);
	if (e->request.version >= 41)
		os_write_id(w, "uuid", a->row.id);
	json_write_text(w, "name", a->name);
	json_write_text_or_null(w, "availability_zone", a->zone_name);
	if (os_action_of(e)->method != HTTP_POST || os_action_of(e)->verb) /* the answer to a creation has
	                                                                    * neither hosts nor metadata */
		write_members(w, item);
	os_write_times_us(w, &a->row);
	json_write_bool(w, "deleted", false);
	json_write_null(w, "deleted_at");
}

static const struct os_listing listing = {
	.kind = KIND_AGGREGATE,
	.items = "aggregates",
	.flags = OS_ALL_SEE_ALL,
	.gather = gather_aggregate,
	.write = write_aggregate,
};

/* ---- one ---- */

struct os_aggregate_change {
	struct aggregate_settings wish; /* begins with the members of an aggregate_target */
	struct str id;                  /* aggregate's number */
	struct str metadata, zone_name; /* zone_name: a key of the metadata */
};
#define ONE OS_PATH(struct os_aggregate_change, "id", id, .doc = "Number of the aggregate.")
static const struct param one_params[] = {ONE};

static RESULT find_aggregate(struct os_call *e, struct str id, struct ref *ret_ref)
{
	int64_t number = 0;
	const struct aggregate *aggregate = result_is_ok(str_parse_int(id, &number))
						    ? aggregate_find_by_number(os_tables(e), number)
						    : NULL;
	if (!aggregate)
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_AGGREGATE,
				     "Aggregate %" STR_FMT " could not be found.",
				     STR_ARG(str_slice(id, 0, 64)));
	*ret_ref = (struct ref){.kind = KIND_AGGREGATE,
				.prefix = aggregate->row.id,
				.bits = 128,
				.text = id,
				.field = STR("id")};
	return OK;
}

static RESULT show_aggregate(struct os_call *e, const void *args, struct json_writer *w)
{
	struct ref ref = {0};
	TRY(find_aggregate(e, ((const struct os_aggregate_change *) args)->id, &ref));
	return os_write_found(e, &listing, &ref, w);
}

static RESULT prepare_found(struct os_call *e, void *args)
{
	struct os_aggregate_change *a = args;
	return find_aggregate(e, a->id, &a->wish.aggregate);
}

/* ---- create ---- */

struct os_aggregate_new {
	struct aggregate_wish wish;
};
static const struct param create_params[] = {
	OS_BODY(struct os_aggregate_new, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 255,
		.doc = "Name; unique."),
	OS_BODY(struct os_aggregate_new, "availability_zone", wish.zone_name, .flags = NULLABLE, .min = 1,
		.max = 255,
		.doc = "Availability zone: a new one made of the aggregate's hosts, or the region's zone "
		       "that they are in."),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	return os_check_name(e, ((struct os_aggregate_new *) args)->wish.name, "name", OS_NAME_PLAIN);
}

/* ---- changes ---- */

static const struct param update_params[] = {
	ONE,
	OS_BODY(struct os_aggregate_change, "name", wish.name, .min = 1, .max = 255, .doc = "Name; unique."),
	OS_BODY(struct os_aggregate_change, "availability_zone", wish.zone_name, .flags = NULLABLE, .min = 1,
		.max = 255,
		.doc = "Availability zone: a new one made of the aggregate's hosts, or the region's zone "
		       "that they are in."),
};
static const struct param add_params[] = {
	ONE,
	OS_BODY(struct os_aggregate_change, "host", wish.add_host, .kind = KIND_HOST,
		.flags = REQUIRED | BY_NAME, .doc = "Name of the host."),
};
static const struct param remove_params[] = {
	ONE,
	OS_BODY(struct os_aggregate_change, "host", wish.remove_host, .kind = KIND_HOST,
		.flags = REQUIRED | BY_NAME, .doc = "Name of the host."),
};
static const struct param metadata_params[] = {
	ONE,
	OS_BODY_JSON(struct os_aggregate_change, "metadata", metadata, .flags = REQUIRED,
		     .doc = "Metadata by key; null removes a key. The key availability_zone sets the zone "
			    "and cannot be removed."),
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_aggregate_change *a = args;
	if (a->wish.name)
		TRY(os_check_name(e, *a->wish.name, "name", OS_NAME_WITH_BLANK_ENDS));
	return prepare_found(e, args);
}

static struct str text_of(struct os_call *e, const json_t *value)
{
	return str_copy(e->c->arena, (struct str){json_string_value(value), json_string_length(value)});
}

static RESULT read_metadata(struct os_call *e, struct os_aggregate_change *a, const json_t *object)
{
	size_t count = json_object_size(object), set = 0, removed = 0;
	struct tag *tags = arena_new_array(e->c->arena, struct tag, count + 1);
	struct str *gone = arena_new_array(e->c->arena, struct str, count + 1);
	const char *key = NULL;
	json_t *value = NULL;
	if (!tags || !gone)
		return ctx_no_memory(e->c);
	json_object_foreach ((json_t *) object, key, value) {
		if (!json_is_string(value) && !json_is_null(value))
			return ctx_fail_field(e->c, ERR_INVALID, STR("metadata"),
					      "Invalid input for field/attribute %s. It is not a string.",
					      key);
		struct str name = str_copy(e->c->arena, str_from(key));
		if (strcmp(key, "availability_zone") == 0) {
			a->zone_name = json_is_string(value) ? text_of(e, value) : STR_NONE;
			a->wish.zone_name = &a->zone_name;
			a->wish.of_properties = true;
		} else if (json_is_null(value))
			gone[removed++] = name;
		else
			tags[set++] = (struct tag){name, text_of(e, value)};
	}
	TRY(os_check_metadata_keys(e, (struct tags){tags, set}, "metadata"));
	a->wish.properties = (struct tags){tags, set};
	a->wish.no_properties = (struct strs){gone, removed};
	return OK;
}

static RESULT prepare_metadata(struct os_call *e, void *args)
{
	struct os_aggregate_change *a = args;
	json_t *object = json_loadb(a->metadata.p, a->metadata.n, JSON_DECODE_ANY, NULL);
	struct result r = json_is_object(object)
				  ? read_metadata(e, a, object)
				  : ctx_fail_field(e->c, ERR_INVALID, STR("metadata"),
						   "Invalid input for field/attribute metadata. It is not an "
						   "object.");
	json_decref(object);
	TRY(r);
	return prepare_found(e, args);
}

#define CHANGE(word, rows, prepare_it, words)                                                                \
	{                                                                                                    \
		.method = HTTP_POST, .path = "/v2.1/os-aggregates/{id}/action", .verb = (word),              \
		.permit = "os_compute_api:os-aggregates:" word, .flags = OS_ADMIN | API_WRITES,              \
		.args = OS_PARAMS(struct os_aggregate_change, rows), .item = "aggregate",                    \
		.prepare = (prepare_it), .operation = engine_update_aggregate_run,                           \
		.returns = KIND_AGGREGATE,                                                                   \
		OS_SHOWS(listing, struct os_aggregate_change, wish.aggregate.prefix), .doc = (words),        \
	}
#define ALL "/v2.1/os-aggregates"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "os_compute_api:os-aggregates:index", .flags = OS_ADMIN, .list = &listing,
	 .doc = "Lists host aggregates."},
	{HTTP_GET, ALL "/{id}", .permit = "os_compute_api:os-aggregates:show", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_aggregate_change, one_params), .item = "aggregate",
	 .answer = show_aggregate, .doc = "Shows one aggregate."},
	{HTTP_POST, ALL, .permit = "os_compute_api:os-aggregates:create", .flags = OS_ADMIN | API_WRITES,
	 .args = OS_PARAMS(struct os_aggregate_new, create_params), .wrap = "aggregate", .item = "aggregate",
	 .prepare = prepare_create, .operation = engine_create_aggregate_run, .returns = KIND_AGGREGATE,
	 OS_SHOWS(listing, struct os_aggregate_new, wish.aggregate), .doc = "Creates a host aggregate."},
	{HTTP_PUT, ALL "/{id}", .permit = "os_compute_api:os-aggregates:update",
	 .flags = OS_ADMIN | API_WRITES, .args = OS_PARAMS(struct os_aggregate_change, update_params),
	 .wrap = "aggregate", .item = "aggregate", .prepare = prepare_update,
	 .operation = engine_update_aggregate_run, .returns = KIND_AGGREGATE,
	 OS_SHOWS(listing, struct os_aggregate_change, wish.aggregate.prefix),
	 .doc = "Changes the name and availability zone of an aggregate."},
	{HTTP_DELETE, ALL "/{id}", .permit = "os_compute_api:os-aggregates:delete",
	 .flags = OS_ADMIN | API_WRITES, .args = OS_PARAMS(struct os_aggregate_change, one_params),
	 .prepare = prepare_found, .operation = engine_delete_aggregate_run,
	 .doc = "Deletes an aggregate without hosts."},
	CHANGE("add_host", add_params, prepare_found, "Adds a host to an aggregate."),
	CHANGE("remove_host", remove_params, prepare_found, "Removes a host from an aggregate."),
	CHANGE("set_metadata", metadata_params, prepare_metadata,
	       "Sets or removes metadata of an aggregate."),
};
const struct os_actions os_aggregate_actions = OS_ACTIONS(OS_COMPUTE, actions);
