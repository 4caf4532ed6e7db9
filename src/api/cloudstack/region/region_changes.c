/* SPDX-License-Identifier: Apache-2.0
 * Other regions, which CloudStack only lists. Each is a region of Keystone's catalogue: its id is CloudStack's number, its
 * description CloudStack's name. Sources: API reference, "Region", 4.19, and RegionManagerImpl.
 */
#include "api/cloudstack/region/region.h"
#include "engine/people/catalog.h"
#include "engine/region/region.h"
#include "store/catalog_entry.h"

struct region_args {
	struct catalog_wish wish;
	int64_t id;
	struct str name, endpoint;
	struct str number; /* the id as Keystone's */
};
#define P(wire, member, ...) PARAM(struct region_args, wire, member, __VA_ARGS__)
#define ID P("id", id, .min = 1, .max = INT32_MAX, .flags = REQUIRED, .doc = "Number of the region.")
static const struct param add_params[] = {
	ID,
	P("name", name, .flags = REQUIRED, .min = 1, .doc = "Name; unique."),
	P("endpoint", endpoint, .flags = REQUIRED, .doc = "URL of the region's API."),
};
static const struct param update_params[] = {
	ID,
	P("name", name, .doc = "New name."),
	P("endpoint", endpoint, .doc = "New URL of the region's API."),
};
static const struct param remove_params[] = {ID};
#undef P

/* The number of a region that CloudStack can show; 0: another region of Keystone's. */
int64_t cs_region_number(const struct catalog_entry *entry)
{
	int64_t number = 0;
	return entry->what == CATALOG_ENTRY_WHAT_REGION &&
			       result_is_ok(str_parse_int(entry->name, &number)) && number > CS_REGION_ID &&
			       number <= INT32_MAX
		       ? number
		       : 0;
}

static const struct catalog_entry *find_number(const struct tables *t, int64_t number)
{
	const struct catalog_entry *e = catalog_entry_first(t);
	while (e && cs_region_number(e) != number)
		e = catalog_entry_next(t, e);
	return e;
}

static bool has_name(const struct tables *t, struct str name, const struct catalog_entry *but)
{
	const struct catalog_entry *e = catalog_entry_first(t);
	while (e && (e == but || !cs_region_number(e) || !str_equal(e->description, name)))
		e = catalog_entry_next(t, e);
	return e || str_equal(name, engine_get_region_name(t));
}

static RESULT check_name(struct cs_call *e, const struct region_args *a, const struct catalog_entry *but)
{
	return a->name.n && has_name(cs_tables(e), a->name, but)
		       ? cs_fail(e, "name", "Region with name: %" STR_FMT " already exists", STR_ARG(a->name))
		       : OK;
}

static void fill(struct cs_call *e, struct region_args *a, struct str number)
{
	a->number = number;
	a->wish.what = CATALOG_ENTRY_WHAT_REGION;
	a->wish.own_region = engine_get_region_name(cs_tables(e));
	if (a->name.n)
		a->wish.description = &a->name;
	if (a->endpoint.n)
		a->wish.text = &a->endpoint;
}

static RESULT prepare_add(struct cs_call *e, void *args)
{
	struct region_args *a = args;
	if (a->id == CS_REGION_ID || find_number(cs_tables(e), a->id))
		return cs_fail(e, "id", "Region with id: %lld already exists", (long long) a->id);
	TRY(check_name(e, a, NULL));
	fill(e, a, str_print(e->c->arena, "%lld", (long long) a->id));
	a->wish.name = &a->number;
	return OK;
}

/* The region itself is no row: its name and address are those of the configuration. */
static RESULT prepare_one(struct cs_call *e, void *args)
{
	struct region_args *a = args;
	const struct catalog_entry *entry = find_number(cs_tables(e), a->id);
	if (a->id == CS_REGION_ID)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("id"),
				      "To change the region itself is not supported");
	if (!entry)
		return cs_fail(e, "id", "Region with id: %lld does not exist", (long long) a->id);
	TRY(check_name(e, a, entry));
	fill(e, a, entry->name);
	a->wish.id = entry->name;
	return OK;
}

static RESULT add(struct op *op, void *args)
{
	return engine_create_catalog_entry(op, &((struct region_args *) args)->wish);
}

static RESULT update(struct op *op, void *args)
{
	return engine_update_catalog_entry(op, &((struct region_args *) args)->wish);
}

static RESULT drop(struct op *op, void *args)
{
	return engine_delete_catalog_entry(op, &((struct region_args *) args)->wish);
}

static RESULT show(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct region_args *a = args;
	const struct row *row = NULL;
	TRY(cs_find_returned(e, a->wish.entry, &row));
	const struct shown_region shown = {a->id, catalog_entry_of(row)->description,
					   catalog_entry_of(row)->text};
	json_write_open(w, "region");
	cs_write_region(e, w, &shown);
	json_write_close(w);
	return OK;
}

#define CHANGES .flags = API_WRITES | CS_ADMIN
static const struct cs_action actions[] = {
	{CS_ACTION("addRegion", "identity:create_region"), CHANGES,
	 .args = PARAMS(struct region_args, add_params), .prepare = prepare_add, .operation = add,
	 .returns = KIND_CATALOG_ENTRY, .answer = show, .says = CS_REGION_SAYS,
	 .doc = "Adds another region to the list."},
	{CS_ACTION("updateRegion", "identity:update_region"), CHANGES,
	 .args = PARAMS(struct region_args, update_params), .prepare = prepare_one, .operation = update,
	 .returns = KIND_CATALOG_ENTRY, .answer = show, .says = CS_REGION_SAYS,
	 .doc = "Changes another region."},
	{CS_ACTION("removeRegion", "identity:delete_region"), CHANGES,
	 .args = PARAMS(struct region_args, remove_params), .prepare = prepare_one, .operation = drop,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Removes another region from the list."},
};
const struct api_actions cs_region_change_actions = API_ACTIONS(actions);
