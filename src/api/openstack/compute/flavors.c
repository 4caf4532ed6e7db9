/* SPDX-License-Identifier: Apache-2.0
 * Flavors, which are instance types, with extra specs and access lists. Source: Compute API reference,
 * "Flavors", "Flavors access", "Flavors extra-specs". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/instance/instance_type.h"
#include "store/instance_type.h"

static const int64_t MIB = INT64_C(1) << 20, GIB = INT64_C(1) << 30;

/* ---- writing ---- */

static void write_brief(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct instance_type *type = item;
	json_write_text(w, "id", type->flavor_id);
	json_write_text(w, "name", type->name);
	if (e->request.version >= 55)
		json_write_text_or_null(w, "description", type->description);
	os_write_compute_links(e, w, "flavors", type->flavor_id);
}

static void write_flavor(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct instance_type *type = item;
	write_brief(e, w, type);
	json_write_int(w, "ram", type->memory / MIB);
	json_write_int(w, "disk", (type->root_disk + GIB - 1) / GIB);
	json_write_int(w, "vcpus", type->vcpus);
	if (e->request.version >= 75 || type->swap_disk)
		json_write_int(w, "swap", type->swap_disk / MIB);
	else
		json_write_z(w, "swap", "");
	json_write_int(w, "OS-FLV-EXT-DATA:ephemeral", type->ephemeral_disk / GIB);
	json_write_bool(w, "OS-FLV-DISABLED:disabled", !type->enabled);
	json_write_bool(w, "os-flavor-access:is_public", type->is_public);
	json_write_real(w, "rxtx_factor", (double) type->rxtx_percent / 100);
	if (e->request.version >= 61)
		os_write_tags(w, "extra_specs", type->extra_specs);
}

/* ---- lists ---- */

static struct str query_of(const struct os_call *e, const char *name)
{
	return pairs_find(&e->request.query, name);
}

/* Applies is_public, where "None" means both. Other callers than administrators see only flavors that they
 * may use. */
static bool is_asked(struct os_call *e, const struct row *row)
{
	const struct instance_type *type = instance_type_of(row);
	struct str asked = query_of(e, "is_public");
	if (!os_is_admin(e))
		return type->enabled;
	if (str_is_empty(asked))
		return type->is_public;
	if (str_equal_nocase(asked, STR("none")))
		return true;
	bool wants = false;
	return os_parse_bool(asked, &wants) && type->is_public == wants;
}

/* Nova parses minRam and minDisk as numbers, and is_public for administrators only. */
static RESULT check_filters(struct os_call *e, void *args)
{
	static const char *const names[] = {"minRam", "minDisk"};
	(void) args;
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		struct str text = query_of(e, names[k]);
		int64_t least = 0;
		if (text.p && !result_is_ok(str_parse_int(text, &least)))
			return ctx_fail_field(e->c, ERR_INVALID, str_from(names[k]),
					      "Invalid %s filter [%" STR_FMT "]", names[k],
					      STR_ARG(str_slice(text, 0, 64)));
	}
	struct str is_public = query_of(e, "is_public");
	bool wants = false, is_word = str_is_empty(is_public) || str_equal_nocase(is_public, STR("none")) ||
				      os_parse_bool(is_public, &wants);
	return is_word || !os_is_admin(e) ? OK
					  : ctx_fail_field(e->c, ERR_INVALID, STR("is_public"),
							   "Invalid is_public filter [%" STR_FMT "]",
							   STR_ARG(str_slice(is_public, 0, 64)));
}

static bool is_at_least(int64_t has, struct str value)
{
	int64_t least = 0;
	return result_is_ok(str_parse_int(value, &least)) && has >= least;
}

static bool has_ram(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return is_at_least(instance_type_of(row)->memory / MIB, value);
}

static bool has_disk(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return is_at_least(instance_type_of(row)->root_disk / GIB, value);
}

static const struct os_filter flavor_filters[] = {
	{"minRam", .fits = has_ram},
	{"minDisk", .fits = has_disk},
};
static const struct os_sort_key flavor_sort_keys[] = {
	{"flavorid", "flavor_id"}, {"name", "name"},         {"memory_mb", "memory"},
	{"vcpus", "vcpus"},        {"root_gb", "root_disk"}, {"is_public", "is_public"},
};
#define FLAVORS(write_them)                                                                                  \
	{                                                                                                    \
		.kind = KIND_INSTANCE_TYPE, .items = "flavors", .links = "flavors_links",                    \
		.marker = "flavor_id", .others = "is_public", .filters = OS_FILTERS(flavor_filters),         \
		.sort_keys = {flavor_sort_keys, sizeof flavor_sort_keys / sizeof flavor_sort_keys[0]},       \
		.sort = "flavorid", .flags = OS_ALL_SEE_ALL, .page_max = 1000, .shows = is_asked,            \
		.write = (write_them),                                                                       \
	}
static const struct os_listing flavor_briefs = FLAVORS(write_brief);
static const struct os_listing flavor_details = FLAVORS(write_flavor);

/* ---- one ---- */

struct os_flavor_target {
	struct instance_type_target wish;
};
#define FLAVOR(T, member)                                                                                    \
	OS_PATH_NAME(T, "flavor_id", member, .kind = KIND_INSTANCE_TYPE, .doc = "The flavor.")
static const struct param flavor_params[] = {FLAVOR(struct os_flavor_target, wish.type)};

/* Returns the flavor as the call's change left it, or NULL. */
static const struct instance_type *find_left(const struct os_call *e, struct str flavor_id)
{
	const struct rows *left = &e->change.returned;
	for (size_t k = 0; e->change.returns == KIND_INSTANCE_TYPE && k < left->count; k++) {
		const struct instance_type *type = instance_type_of(left->at[k]);
		if (str_equal(type->flavor_id, flavor_id))
			return type;
	}
	return NULL;
}

/* Finds a flavor by flavor id only: clients try the flavor's name as an id first and must get 404 then. */
static RESULT find_flavor(struct os_call *e, const struct ref *ref, const struct instance_type **ret_type)
{
	const struct instance_type *left = find_left(e, ref->text),
				   *type = left ? left
						: instance_type_find_by_flavor_id(os_tables(e), ref->text);
	if (!type || !engine_may_see(e->c, KIND_INSTANCE_TYPE, &type->row))
		return engine_fail_not_found(e->c, KIND_INSTANCE_TYPE, ref);
	*ret_type = type;
	return OK;
}

static RESULT show_flavor(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_flavor_target *a = args;
	const struct instance_type *type = NULL;
	TRY(find_flavor(e, &a->wish.type, &type));
	write_flavor(e, w, type);
	return OK;
}

/* ---- create ---- */

struct os_create_flavor {
	struct instance_type_wish wish;
	int64_t ram, disk, ephemeral, swap;
	struct str rxtx_factor;
};
#define P(wire, member, ...) OS_BODY(struct os_create_flavor, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .max = 255, .doc = "Name."),
	P("id", wish.flavor_id, .flags = NULLABLE | OR_NUMBER, .min = 1, .max = 255,
	  .doc = "Id: free text; \"auto\" or absent: a generated one."),
	P("ram", ram, .flags = REQUIRED, .min = 1, .max = INT64_C(1) << 24, .doc = "Memory in MiB."),
	P("vcpus", wish.vcpus, .flags = REQUIRED, .min = 1, .max = 1024,
	  .doc = "Number of virtual processors."),
	P("disk", disk, .flags = REQUIRED, .min = 0, .max = 16384,
	  .doc = "Size of the root disk in GiB; 0: the size of the image."),
	P("description", wish.description, .flags = NULLABLE, .since = 55, .max = 65535,
	  .doc = "Description: free text."),
	OS_BODY_JSON(struct os_create_flavor, "rxtx_factor", rxtx_factor,
		     .doc = "Stored and shown; has no effect."),
	P("os-flavor-access:is_public", wish.is_private, .flags = OPPOSITE,
	  .doc = "Whether every project may use the flavor."),
	P("OS-FLV-DISABLED:disabled", wish.is_disabled,
	  .doc = "Whether the flavor is hidden from new servers."),
	P("swap", swap, .min = 0, .max = INT64_C(1) << 24, .doc = "Size of the swap disk in MiB."),
	P("OS-FLV-EXT-DATA:ephemeral", ephemeral, .min = 0, .max = 16384,
	  .doc = "Size of the ephemeral disk in GiB, which is deleted with the server."),
};
#undef P

/* Reads "1.25", a number or a text, as a percentage. */
static RESULT read_factor(struct os_call *e, struct str text, int64_t *ret_percent)
{
	struct str whole = STR_NONE, rest = text;
	int64_t units = 0, part = 0;
	if (rest.n >= 2 && rest.p[0] == '"')
		rest = str_slice(rest, 1, rest.n - 1);
	(void) str_split_next(&rest, '.', &whole);
	struct str digits = str_slice(rest, 0, 2);
	bool is_number = result_is_ok(str_parse_int(whole, &units)) && units >= 0 && units < 1000000 &&
			 (str_is_empty(digits) || (result_is_ok(str_parse_int(digits, &part)) && part >= 0));
	*ret_percent = units * 100 + (digits.n == 1 ? part * 10 : part);
	return is_number && *ret_percent > 0
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("rxtx_factor"),
					"Invalid input for field/attribute rxtx_factor.");
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_flavor *a = args;
	TRY(os_check_name(e, a->wish.name, "name", OS_NAME_PLAIN));
	if (str_is(a->wish.flavor_id, "auto"))
		a->wish.flavor_id = STR_NONE;
	a->wish.memory = a->ram * MIB;
	a->wish.root_disk = a->disk * GIB;
	a->wish.ephemeral_disk = a->ephemeral * GIB;
	a->wish.swap_disk = a->swap * MIB;
	return a->rxtx_factor.n ? read_factor(e, a->rxtx_factor, &a->wish.rxtx_percent) : OK;
}

static RESULT show_created(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_create_flavor *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.instance_type, &row));
	write_flavor(e, w, row);
	return OK;
}

/* ---- description, extra specs, access ---- */

struct os_change_flavor {
	struct instance_type_settings wish;
	struct str spec; /* key in the path */
	struct str members;
	struct str tenant;
};
#define CHANGED FLAVOR(struct os_change_flavor, wish.type)
static const struct param only_flavor_params[] = {CHANGED};
static const struct param describe_params[] = {
	CHANGED,
	OS_BODY(struct os_change_flavor, "description", wish.description, .flags = REQUIRED | NULLABLE,
		.max = 65535, .doc = "Description: free text."),
};
static const struct param specs_params[] = {
	CHANGED,
	OS_BODY(struct os_change_flavor, "extra_specs", wish.specs, .flags = REQUIRED, .max = 128,
		.doc = "Extra specs by key."),
};
static const struct param spec_params[] = {
	CHANGED,
	OS_PATH(struct os_change_flavor, "key", spec, .doc = "Key of the extra spec."),
};
static const struct param access_params[] = {
	CHANGED,
	OS_BODY(struct os_change_flavor, "tenant", tenant, .flags = REQUIRED, .min = 1, .max = 255,
		.doc = "Project."),
};

static RESULT prepare_change(struct os_call *e, void *args)
{
	struct os_change_flavor *a = args;
	const struct instance_type *type = NULL;
	TRY(find_flavor(e, &a->wish.type, &type));
	return OK;
}

static RESULT prepare_describe(struct os_call *e, void *args)
{
	((struct os_change_flavor *) args)->wish.set_description = true;
	return prepare_change(e, args);
}

/* The body's only member must be named by the key. */
static RESULT prepare_put_spec(struct os_call *e, void *args)
{
	struct os_change_flavor *a = args;
	TRY(os_params_take_one(e->c, a->members, a->spec, &a->wish.specs));
	return prepare_change(e, args);
}

static RESULT prepare_delete_spec(struct os_call *e, void *args)
{
	struct os_change_flavor *a = args;
	a->wish.remove_spec = a->spec;
	return prepare_change(e, args);
}

static RESULT take_tenant(struct os_call *e, struct os_change_flavor *a, struct ref *ret_account)
{
	if (!os_parse_id(a->tenant, KIND_ACCOUNT, ret_account))
		return ctx_fail_field(e->c, ERR_INVALID, STR("tenant"),
				      "Project ID %" STR_FMT " is not a valid project.", STR_ARG(a->tenant));
	ret_account->field = STR("tenant");
	return prepare_change(e, a);
}

static RESULT prepare_add_access(struct os_call *e, void *args)
{
	struct os_change_flavor *a = args;
	return take_tenant(e, a, &a->wish.add_user);
}

static RESULT prepare_remove_access(struct os_call *e, void *args)
{
	struct os_change_flavor *a = args;
	return take_tenant(e, a, &a->wish.remove_user);
}

static RESULT show_changed(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_change_flavor *a = args;
	const struct instance_type *type = NULL;
	TRY(find_flavor(e, &a->wish.type, &type));
	write_flavor(e, w, type);
	return OK;
}

static RESULT show_specs(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_change_flavor *a = args;
	const struct instance_type *type = NULL;
	TRY(find_flavor(e, &a->wish.type, &type));
	os_write_tags(w, "extra_specs", type->extra_specs);
	return OK;
}

static RESULT show_spec(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_change_flavor *a = args;
	const struct instance_type *type = NULL;
	TRY(find_flavor(e, &a->wish.type, &type));
	const struct tag *spec = tags_find(type->extra_specs, a->spec);
	if (!spec)
		return ctx_fail(e->c, ERR_NOT_FOUND,
				"Flavor %" STR_FMT " has no extra specs with key %" STR_FMT ".",
				STR_ARG(type->flavor_id), STR_ARG(a->spec));
	json_write_key(w, spec->key);
	json_write_text(w, NULL, spec->value);
	return OK;
}

static RESULT show_access(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_change_flavor *a = args;
	const struct instance_type *type = NULL;
	TRY(find_flavor(e, &a->wish.type, &type));
	if (type->is_public)
		return engine_fail_not_found(e->c, KIND_INSTANCE_TYPE, &a->wish.type);
	json_write_open_list(w, "flavor_access");
	for (size_t n = 0; n < type->users.count; n++) {
		json_write_open(w, NULL);
		json_write_text(w, "flavor_id", type->flavor_id);
		os_write_hex(w, "tenant_id", type->users.at[n]);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- delete ---- */

static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct os_flavor_target *a = args;
	const struct instance_type *type = NULL;
	return find_flavor(e, &a->wish.type, &type);
}

#define ONE "/v2.1/flavors/{flavor_id}"
#define SPECS ONE "/os-extra_specs"
#define SPEC SPECS "/{key}"
#define CHANGE(rows, ...) OS_PARAMS(struct os_change_flavor, rows, __VA_ARGS__)

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/flavors", .permit = "os_compute_api:flavors", .prepare = check_filters,
	 .list = &flavor_briefs, .doc = "Lists flavors with id and name."},
	{HTTP_GET, "/v2.1/flavors/detail", .permit = "os_compute_api:flavors", .prepare = check_filters,
	 .list = &flavor_details, .doc = "Lists flavors with details."},
	{HTTP_GET, ONE, .permit = "os_compute_api:flavors",
	 .args = OS_PARAMS(struct os_flavor_target, flavor_params), .item = "flavor", .answer = show_flavor,
	 .doc = "Shows one flavor."},
	{HTTP_POST, "/v2.1/flavors", .permit = "os_compute_api:os-flavor-manage:create",
	 .flags = API_WRITES | OS_ADMIN, .args = OS_PARAMS(struct os_create_flavor, create_params),
	 .wrap = "flavor", .item = "flavor", .prepare = prepare_create,
	 .operation = engine_create_instance_type_run, .answer = show_created, .returns = KIND_INSTANCE_TYPE,
	 .doc = "Creates a flavor."},
	{HTTP_PUT, ONE, .permit = "os_compute_api:os-flavor-manage:update", .flags = API_WRITES | OS_ADMIN,
	 .since = 55, .args = CHANGE(describe_params), .wrap = "flavor", .item = "flavor",
	 .prepare = prepare_describe, .operation = engine_update_instance_type_run,
	 .returns = KIND_INSTANCE_TYPE, .answer = show_changed,
	 .doc = "Changes the description of a flavor."},
	{HTTP_DELETE, ONE, .permit = "os_compute_api:os-flavor-manage:delete", .flags = API_WRITES | OS_ADMIN,
	 .status = 202, .args = OS_PARAMS(struct os_flavor_target, flavor_params), .prepare = prepare_delete,
	 .operation = engine_delete_instance_type_run, .doc = "Deletes a flavor. Its servers keep it."},
	{HTTP_GET, SPECS, .permit = "os_compute_api:os-flavor-extra-specs:index",
	 .args = CHANGE(only_flavor_params), .answer = show_specs,
	 .doc = "Lists the extra specs of a flavor."},
	{HTTP_POST, SPECS, .permit = "os_compute_api:os-flavor-extra-specs:create",
	 .flags = API_WRITES | OS_ADMIN, .args = CHANGE(specs_params), .prepare = prepare_change,
	 .operation = engine_update_instance_type_run, .returns = KIND_INSTANCE_TYPE, .answer = show_specs,
	 .doc = "Adds extra specs to a flavor."},
	{HTTP_GET, SPEC, .permit = "os_compute_api:os-flavor-extra-specs:show", .args = CHANGE(spec_params),
	 .answer = show_spec, .doc = "Shows one extra spec."},
	{HTTP_PUT, SPEC, .permit = "os_compute_api:os-flavor-extra-specs:update",
	 .flags = API_WRITES | OS_ADMIN,
	 .args = CHANGE(spec_params, .is_open = true,
			.members = offsetof(struct os_change_flavor, members) + 1),
	 .prepare = prepare_put_spec, .operation = engine_update_instance_type_run,
	 .returns = KIND_INSTANCE_TYPE, .answer = show_spec, .doc = "Changes one extra spec."},
	{HTTP_DELETE, SPEC, .permit = "os_compute_api:os-flavor-extra-specs:delete",
	 .flags = API_WRITES | OS_ADMIN, .args = CHANGE(spec_params), .prepare = prepare_delete_spec,
	 .operation = engine_update_instance_type_run, .doc = "Removes one extra spec."},
	{HTTP_GET, ONE "/os-flavor-access", .permit = "os_compute_api:os-flavor-access", .flags = OS_ADMIN,
	 .args = CHANGE(only_flavor_params), .answer = show_access,
	 .doc = "Lists the projects that may use a private flavor."},
	{HTTP_POST, ONE "/action", "addTenantAccess",
	 .permit = "os_compute_api:os-flavor-access:add_tenant_access", .flags = API_WRITES | OS_ADMIN,
	 .args = CHANGE(access_params), .prepare = prepare_add_access,
	 .operation = engine_update_instance_type_run, .returns = KIND_INSTANCE_TYPE, .answer = show_access,
	 .doc = "Allows a project to use a private flavor."},
	{HTTP_POST, ONE "/action", "removeTenantAccess",
	 .permit = "os_compute_api:os-flavor-access:remove_tenant_access", .flags = API_WRITES | OS_ADMIN,
	 .args = CHANGE(access_params), .prepare = prepare_remove_access,
	 .operation = engine_update_instance_type_run, .returns = KIND_INSTANCE_TYPE, .answer = show_access,
	 .doc = "Forbids a project to use a private flavor."},
};
const struct os_actions os_flavor_actions = OS_ACTIONS(OS_COMPUTE, actions);
