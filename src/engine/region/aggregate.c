/* SPDX-License-Identifier: Apache-2.0
 * Host aggregates: rows only. */
#include "engine/region/aggregate.h"

#include <inttypes.h>

#include "engine/instance/instance_type_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/region/aggregate_internal.h"
#include "model/instance.h"
#include "store/aggregate.h"
#include "store/host.h"
#include "store/zone.h"

/* ---- zones ---- */

static const struct aggregate *find_zoned(const struct tables *t, uuid host, uuid except)
{
	const struct aggregate *a = aggregate_first(t);
	while (a && (!a->zone_name.n || uuid_equal(a->row.id, except) || !aggregate_has_host(a, host)))
		a = aggregate_next(t, a);
	return a;
}

/* Ignores the aggregate `except`. */
static struct str get_zone_name(const struct tables *t, const struct host *host, uuid except)
{
	const struct aggregate *a = find_zoned(t, host->row.id, except);
	const struct zone *zone = a ? NULL : zone_find(t, host->zone);
	return a ? a->zone_name : zone ? zone->name : STR_NONE;
}

struct str engine_get_zone_name(const struct tables *t, const struct host *host)
{
	return host ? get_zone_name(t, host, UUID_NONE) : STR_NONE;
}

struct str engine_get_zone_name_of_instance(const struct tables *t, const struct instance *instance)
{
	const struct host *host = uuid_is_none(instance->host) ? NULL : host_find(t, instance->host);
	const struct zone *zone = zone_find(t, instance->zone);
	if (host)
		return get_zone_name(t, host, UUID_NONE);
	return instance->zone_name.n ? instance->zone_name : zone ? zone->name : STR_NONE;
}

bool engine_is_zone_of_aggregates(const struct tables *t, struct str name)
{
	const struct aggregate *a = aggregate_first(t);
	while (a && !(a->hosts.count && str_equal(a->zone_name, name)))
		a = aggregate_next(t, a);
	return a && !zone_find_by_name(t, name);
}

/* A colon separates zone and host: "zone:host". */
static RESULT check_zone_name(struct op *op, struct str name)
{
	enum { ZONE_NAME_MAX = 255 };
	if (name.n <= ZONE_NAME_MAX && str_is_line(name) && str_find_char(name, ':', 0) == name.n)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_ZONE, STR("availability_zone"),
			   "Invalid input for field/attribute availability_zone. A zone's name has 1 to %d "
			   "characters, none of them a colon.",
			   ZONE_NAME_MAX);
}

/* An aggregate cannot override the host's zone in the region. */
static bool is_elsewhere(const struct tables *t, const struct host *host, struct str zone_name)
{
	const struct zone *zone = zone_find_by_name(t, zone_name);
	return zone && !uuid_equal(host->zone, zone->row.id);
}

/* In Nova's words. */
static RESULT fail_zone(struct op *op, const struct aggregate_settings *wish, const struct aggregate *a,
			struct str why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_ZONE, STR("availability_zone"),
			   "Cannot update %saggregate %" PRId64 ". Reason: %" STR_FMT ".",
			   wish->of_properties ? "metadata of " : "", a->number, STR_ARG(why));
}

static RESULT change_zone(struct op *op, const struct aggregate_settings *wish, struct aggregate *next)
{
	const struct tables *t = op->head;
	struct str name = *wish->zone_name;
	if (str_is_empty(name))
		return fail_zone(op, wish, next,
				 str_print(op->ctx->arena,
					   "Aggregate %" STR_FMT
					   " does not support empty named availability zone",
					   STR_ARG(next->name)));
	TRY(check_zone_name(op, name));
	for (size_t k = 0; k < next->hosts.count; k++) {
		const struct host *host = host_find(t, next->hosts.at[k]);
		const struct aggregate *other = find_zoned(t, next->hosts.at[k], next->row.id);
		bool is_others = other && !str_equal(other->zone_name, name);
		if (host && (is_others || is_elsewhere(t, host, name)))
			return fail_zone(
				op, wish, next,
				str_print(op->ctx->arena,
					  "One or more hosts already in availability zone(s) ['%" STR_FMT
					  "']",
					  STR_ARG(get_zone_name(t, host, next->row.id))));
		if (host && !str_equal(name, get_zone_name(t, host, UUID_NONE)) &&
		    host_usage(host)->instances > 0)
			return fail_zone(op, wish, next,
					 STR("One or more hosts contain instances in this zone"));
	}
	next->zone_name = name;
	return OK;
}

/* ---- create ---- */

static RESULT check_name(struct op *op, struct str name)
{
	TRY(engine_check_name(op, KIND_AGGREGATE, name));
	return aggregate_find_by_name(op->head, name)
		       ? ENGINE_FAIL(op, ERR_EXISTS, KIND_AGGREGATE, STR("name"),
				     "Aggregate %" STR_FMT " already exists.", STR_ARG(name))
		       : OK;
}

RESULT engine_create_aggregate(struct op *op, struct aggregate_wish *wish)
{
	TRY(check_zone_name(op, wish->zone_name));
	TRY(check_name(op, wish->name));
	TRY(engine_permit(op, "aggregate.create", KIND_AGGREGATE, NULL));
	TRY(limit_check(op, LIMIT_AGGREGATES, UUID_NONE, 1, STR_NONE));
	struct aggregate aggregate = {.row.id = engine_new_id(op, KIND_AGGREGATE),
				      .row.gen = 1,
				      .name = wish->name,
				      .zone_name = wish->zone_name};
	TRY(engine_draw_number(op, STR("aggregates"), &aggregate.number));
	TRY(aggregate_put(op, &aggregate));
	wish->aggregate = aggregate.row.id;
	return engine_log_event(op, KIND_AGGREGATE, &aggregate.row, "created", "Aggregate %" STR_FMT ".",
				STR_ARG(aggregate.name));
}

/* ---- hosts ---- */

/* The host's index in the sorted list, or where to insert it. */
static size_t find_place(struct uuids hosts, uuid host)
{
	size_t from = 0, to = hosts.count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (uuid_compare(hosts.at[middle], host) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

bool aggregate_has_host(const struct aggregate *aggregate, uuid host)
{
	size_t place = find_place(aggregate->hosts, host);
	return place < aggregate->hosts.count && uuid_equal(aggregate->hosts.at[place], host);
}

/* Returns the list with the host, or without it. */
static RESULT change_hosts(struct op *op, uuid host, bool is_added, struct uuids *hosts)
{
	size_t place = find_place(*hosts, host), count = 0;
	uuid *next = arena_new_array(op->ctx->arena, uuid, hosts->count + 1);
	if (!next)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k <= hosts->count; k++) {
		if (k == place && is_added)
			next[count++] = host;
		if (k < hosts->count && (k != place || is_added))
			next[count++] = hosts->at[k];
	}
	*hosts = (struct uuids){next, count};
	return OK;
}

/* In Nova's words; those about instances are from 2024.1 and later. */
static RESULT fail_moving(struct op *op, const struct ref *ref, const struct aggregate *a, const char *done,
			  struct str from, struct str to, int64_t instances)
{
	return ENGINE_FAIL(op, ERR_CONFLICT, KIND_HOST, ref->field,
			   "Cannot %s aggregate %" PRId64
			   ". Reason: The availability zone of the host would change from '%" STR_FMT
			   "' to '%" STR_FMT "' but the host already has %" PRId64
			   " instance(s). Move the instances away from this host then try again.",
			   done, a->number, STR_ARG(from), STR_ARG(to), instances);
}

static RESULT check_joins(struct op *op, const struct ref *ref, const struct host *host,
			  const struct aggregate *a)
{
	const struct aggregate *other = find_zoned(op->head, host->row.id, a->row.id);
	struct str now = get_zone_name(op->head, host, UUID_NONE);
	if ((other && !str_equal(other->zone_name, a->zone_name)) ||
	    is_elsewhere(op->head, host, a->zone_name))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_HOST, ref->field,
				   "Cannot add host to aggregate %" PRId64
				   ". Reason: One or more hosts already in availability zone(s) ['%" STR_FMT
				   "'].",
				   a->number, STR_ARG(now));
	int64_t moved = str_equal(now, a->zone_name) ? 0 : host_usage(host)->instances;
	return moved ? fail_moving(op, ref, a, "add host to", now, a->zone_name, moved) : OK;
}

static RESULT check_leaves(struct op *op, const struct ref *ref, const struct host *host,
			   const struct aggregate *a)
{
	struct str then = get_zone_name(op->head, host, a->row.id);
	int64_t moved = str_equal(then, a->zone_name) ? 0 : host_usage(host)->instances;
	return moved ? fail_moving(op, ref, a, "remove host from", a->zone_name, then, moved) : OK;
}

static RESULT add_host(struct op *op, const struct ref *ref, struct aggregate *next)
{
	const struct host *host = NULL;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_find_own_host(op->ctx, op->head, ref, &host));
	if (aggregate_has_host(next, host->row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_HOST, ref->field,
				   "Aggregate %" STR_FMT " already has host %" STR_FMT ".",
				   STR_ARG(next->name), STR_ARG(host->name));
	if (next->zone_name.n)
		TRY(check_joins(op, ref, host, next));
	return change_hosts(op, host->row.id, true, &next->hosts);
}

static RESULT remove_host(struct op *op, const struct ref *ref, struct aggregate *next)
{
	const struct host *host = NULL;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_find_own_host(op->ctx, op->head, ref, &host));
	if (!aggregate_has_host(next, host->row.id))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_HOST, ref->field,
				   "Aggregate %" STR_FMT " has no host %" STR_FMT ".", STR_ARG(next->name),
				   STR_ARG(host->name));
	if (next->zone_name.n)
		TRY(check_leaves(op, ref, host, next));
	return change_hosts(op, host->row.id, false, &next->hosts);
}

RESULT aggregate_leave_host(struct op *op, uuid host)
{
	for (const struct aggregate *a = aggregate_first(op->head); a; a = aggregate_next(op->head, a)) {
		struct aggregate next = *a;
		if (!aggregate_has_host(a, host))
			continue;
		TRY(change_hosts(op, host, false, &next.hosts));
		TRY(aggregate_put(op, &next));
	}
	return OK;
}

/* ---- update ---- */

static RESULT change_properties(struct op *op, const struct aggregate_settings *wish, struct tags *properties)
{
	for (size_t k = 0; k < wish->no_properties.count; k++)
		TRY(instance_type_change_specs(op, KIND_AGGREGATE, (struct tags){0},
					       wish->no_properties.at[k], properties));
	return instance_type_change_specs(op, KIND_AGGREGATE, wish->properties, STR_NONE, properties);
}

RESULT engine_update_aggregate(struct op *op, struct aggregate_settings *wish)
{
	const struct aggregate *aggregate = NULL;
	TRY(engine_permit_aggregate(op, &wish->aggregate, "aggregate.update", &aggregate));
	struct aggregate next = *aggregate;
	if (wish->name && !str_equal(*wish->name, aggregate->name))
		TRY(check_name(op, *wish->name));
	if (wish->name)
		next.name = *wish->name;
	if (wish->zone_name)
		TRY(change_zone(op, wish, &next));
	TRY(change_properties(op, wish, &next.properties));
	TRY(add_host(op, &wish->add_host, &next));
	TRY(remove_host(op, &wish->remove_host, &next));
	next.row.gen++;
	TRY(aggregate_put(op, &next));
	return engine_log_event(op, KIND_AGGREGATE, &next.row, "changed",
				"Its hosts or what is said of them.");
}

RESULT engine_delete_aggregate(struct op *op, struct aggregate_target *wish)
{
	const struct aggregate *aggregate = NULL;
	TRY(engine_permit_aggregate(op, &wish->aggregate, "aggregate.delete", &aggregate));
	if (aggregate->hosts.count)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_AGGREGATE, wish->aggregate.field,
				   "The aggregate '%" STR_FMT "' has hosts: remove them first.",
				   STR_ARG(aggregate->name));
	TRY(engine_log_event(op, KIND_AGGREGATE, &aggregate->row, "deleted", "Aggregate %" STR_FMT ".",
			     STR_ARG(aggregate->name)));
	return aggregate_forget(op, aggregate->row.id);
}
