/* SPDX-License-Identifier: Apache-2.0
 * Aggregates: rows only. */
#include "engine/region/aggregate.h"

#include "engine/instance/instance_type_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/region/aggregate_internal.h"
#include "model/zone.h"
#include "store/aggregate.h"
#include "store/host.h"

/* ---- its zone ---- */

static RESULT find_zone(struct op *op, const struct ref *ref, uuid *ret_zone)
{
	const struct zone *zone = NULL;
	*ret_zone = UUID_NONE;
	if (!ref_is_given(ref))
		return OK;
	if (!result_is_ok(engine_find_zone(op->ctx, op->head, ref, &zone))) {
		ctx_clear_problem(op->ctx);
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ZONE, STR("availability_zone"),
				   "There is no availability zone '%" STR_FMT
				   "': zones are the region's, an aggregate makes none.",
				   STR_ARG(ref->text));
	}
	*ret_zone = zone->row.id;
	return OK;
}

static RESULT check_zone(struct op *op, const struct aggregate *aggregate)
{
	for (size_t k = 0; k < aggregate->hosts.count && !uuid_is_none(aggregate->zone); k++) {
		const struct host *host = host_find(op->head, aggregate->hosts.at[k]);
		if (host && !uuid_equal(host->zone, aggregate->zone))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_ZONE, STR("availability_zone"),
					   "The host '%" STR_FMT "' is in another zone and stays there.",
					   STR_ARG(host->name));
	}
	return OK;
}

/* ---- a new one ---- */

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
	uuid zone = UUID_NONE;
	TRY(find_zone(op, &wish->zone, &zone));
	TRY(check_name(op, wish->name));
	TRY(engine_permit(op, "aggregate.create", KIND_AGGREGATE, NULL));
	TRY(limit_check(op, LIMIT_AGGREGATES, UUID_NONE, 1, STR_NONE));
	struct aggregate aggregate = {
		.row.id = engine_new_id(op, KIND_AGGREGATE), .row.gen = 1, .name = wish->name, .zone = zone};
	TRY(engine_draw_number(op, STR("aggregates"), &aggregate.number));
	TRY(aggregate_put(op, &aggregate));
	wish->aggregate = aggregate.row.id;
	return engine_log_event(op, KIND_AGGREGATE, &aggregate.row, "created", "Aggregate %" STR_FMT ".",
				STR_ARG(aggregate.name));
}

/* ---- its hosts ---- */

/* Where the host is among them, or would be. */
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

/* The list with the host, or without it. */
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
	if (!uuid_is_none(next->zone) && !uuid_equal(next->zone, host->zone))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_HOST, ref->field,
				   "The host '%" STR_FMT "' is in another availability zone.",
				   STR_ARG(host->name));
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

/* ---- changes ---- */

static RESULT find_own(struct op *op, const struct ref *ref, const struct aggregate **ret_aggregate)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_AGGREGATE, ref, &row));
	*ret_aggregate = aggregate_of(row);
	return OK;
}

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
	TRY(find_own(op, &wish->aggregate, &aggregate));
	TRY(engine_permit(op, "aggregate.update", KIND_AGGREGATE, &aggregate->row));
	struct aggregate next = *aggregate;
	if (wish->name && !str_equal(*wish->name, aggregate->name))
		TRY(check_name(op, *wish->name));
	if (wish->name)
		next.name = *wish->name;
	if (wish->zone)
		TRY(find_zone(op, wish->zone, &next.zone));
	TRY(check_zone(op, &next));
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
	TRY(find_own(op, &wish->aggregate, &aggregate));
	TRY(engine_permit(op, "aggregate.delete", KIND_AGGREGATE, &aggregate->row));
	if (aggregate->hosts.count)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_AGGREGATE, wish->aggregate.field,
				   "The aggregate '%" STR_FMT "' has hosts: remove them first.",
				   STR_ARG(aggregate->name));
	TRY(engine_log_event(op, KIND_AGGREGATE, &aggregate->row, "deleted", "Aggregate %" STR_FMT ".",
			     STR_ARG(aggregate->name)));
	return aggregate_forget(op, aggregate->row.id);
}
