/* SPDX-License-Identifier: Apache-2.0
 * Placement of a launch: zone and subnet if the launch does not name them, and a host for each instance. */
#include "engine/instance/launch/launch_internal.h"

#include <inttypes.h>

#include "engine/instance/launch/spot_internal.h"
#include "engine/instance/placement/server_group.h"
#include "engine/region/dedicated_host.h"
#include "engine/region/offered_internal.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/account.h"
#include "model/capacity_reservation.h"
#include "model/dedicated_host.h"
#include "model/host.h"
#include "model/image.h"
#include "model/instance_type.h"
#include "model/server_group.h"
#include "model/volume.h"
#include "store/router.h"
#include "store/storage_pool.h"
#include "store/subnet.h"
#include "store/zone.h"

/* A dedicated VPC has no instances on shared hosts. AWS's pages disagree about a launch that asks for
 * `default` there; we make it dedicated, too. */
enum instance_tenancy launch_tenancy(const struct launch *l)
{
	const struct router *router = l->subnet ? router_find(l->op->head, l->subnet->router) : NULL;
	bool is_raised = router && router->tenancy == ROUTER_TENANCY_DEDICATED &&
			 l->wish->tenancy == INSTANCE_TENANCY_DEFAULT;
	if (l->needs_dedicated)
		return INSTANCE_TENANCY_HOST;
	return is_raised ? INSTANCE_TENANCY_DEDICATED : l->wish->tenancy;
}

static const struct storage_pool *pool_of(const struct launch *l, const struct disk_plan *disk)
{
	return disk->existing ? storage_pool_find(l->op->head, disk->existing->pool)
			      : engine_find_pool_of_type(l->op->head, disk->type);
}

struct placement_need launch_need_in(const struct launch *l, uuid zone)
{
	struct placement_need need = {.zone = zone,
				      .host = l->asked_host ? l->asked_host->row.id : l->shared_host,
				      .host_is_asked = l->asked_host,
				      .arch = l->type->arch,
				      .vcpus = l->type->vcpus,
				      .memory = l->type->memory,
				      .group = l->group,
				      .partition = l->wish->partition,
				      .type = l->type,
				      .zone_name = l->wish->zone_name,
				      .account = l->account->row.id,
				      .tenancy = launch_tenancy(l),
				      .near = l->near,
				      .apart = l->apart,
				      .dedicated_host = l->dedicated ? l->dedicated->row.id : UUID_NONE};
	for (size_t n = 0; n < l->disks.count; n++)
		placement_add_disk(&need, pool_of(l, &l->disks.at[n]), l->disks.at[n].size);
	return need;
}

struct capacity_match launch_capacity_in(const struct launch *l, uuid zone)
{
	bool may = !l->wish->spot.is_spot && launch_tenancy(l) == INSTANCE_TENANCY_DEFAULT;
	return (struct capacity_match){
		.account = l->account->row.id,
		.zone = zone,
		.type = l->type,
		.platform = l->from ? (enum instance_platform) l->from->platform : INSTANCE_PLATFORM_LINUX,
		.preference = may ? l->wish->capacity_preference : INSTANCE_CAPACITY_PREFERENCE_NONE,
		.target = l->capacity_target ? l->capacity_target->row.id : UUID_NONE};
}

/* ---- zones and subnets ---- */

/* Number of hosts with room, plus 1; 1: none has, but spot instances could leave one; 0: there is no way. */
static RESULT count_fitting(struct launch *l, uuid zone, size_t *ret_count)
{
	bool could = false;
	struct placement_need need = launch_need_in(l, zone);
	struct placement placement;
	TRY(placement_begin(l->op->ctx, l->op->head, &need, &placement));
	const struct capacity_match match = launch_capacity_in(l, zone);
	size_t fitting = placement_count_fitting(&placement) +
			 (capacity_find_unit(l->op->head, &match, &placement).host != NULL);
	if (fitting == 0 && !l->wish->spot.is_spot)
		TRY(spot_could_make_room(l->op, &placement, &could));
	*ret_count = fitting ? fitting + 1 : could;
	return OK;
}

/* Without a port, or in a subnet of all zones: chooses the zone where most hosts have room. */
RESULT launch_choose_zone(struct launch *l, const struct zone *only)
{
	struct op *op = l->op;
	size_t most = 0, fitting = 0;
	for (const struct zone *z = zone_first(op->head); z; z = zone_next(op->head, z)) {
		bool is_offered = engine_is_offered_in(&l->type->zones, z->row.id);
		if (!row_is_live(&z->row) || (only ? z != only : !z->enabled || !is_offered))
			continue;
		TRY(count_fitting(l, z->row.id, &fitting));
		if (uuid_is_none(l->zone) || fitting > most) {
			l->zone = z->row.id;
			most = fitting;
		}
	}
	return OK;
}

static RESULT fail_no_subnet(struct launch *l, const struct zone *only)
{
	struct op *op = l->op;
	if (uuid_is_none(l->account->default_router))
		return ENGINE_FAIL(op, ERR_MISSING, KIND_ROUTER, STR("SubnetId"),
				   "No default VPC for this user");
	if (only)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, STR("Placement.AvailabilityZone"),
				   "No default subnet for availability zone: '%" STR_FMT "'.",
				   STR_ARG(only->name));
	return ENGINE_FAIL(op, ERR_MISSING, KIND_SUBNET, STR("SubnetId"),
			   "No subnets found for the default VPC '%" STR_FMT "'. Please specify a subnet.",
			   STR_ARG(engine_write_id(op, KIND_ROUTER, l->account->default_router)));
}

/* Chooses the default subnet in the zone where most hosts have room. */
RESULT launch_choose_subnet(struct launch *l, const struct zone *only)
{
	struct op *op = l->op;
	size_t most = 0;
	const struct subnet *subnet = subnet_first_by_router(op->head, l->account->default_router);
	for (; subnet; subnet = subnet_next_by_router(op->head, subnet)) {
		const struct zone *zone = zone_find(op->head, subnet->zone);
		if (!row_is_live(&subnet->row) || !subnet->is_default || !zone || !zone->enabled ||
		    (only ? only != zone : !engine_is_offered_in(&l->type->zones, zone->row.id)))
			continue;
		size_t fitting = 0;
		TRY(count_fitting(l, subnet->zone, &fitting));
		if (!l->subnet || fitting > most) {
			l->subnet = subnet;
			most = fitting;
		}
	}
	return l->subnet ? OK : fail_no_subnet(l, only);
}

/* ---- hosts ---- */

static RESULT fail_no_room(struct launch *l)
{
	struct op *op = l->op;
	const struct zone *zone = zone_find(op->head, l->zone);
	struct placement_report report;
	placement_report(&l->placement, &report);
	bool is_dedicated = launch_tenancy(l) == INSTANCE_TENANCY_HOST;
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, is_dedicated ? KIND_DEDICATED_HOST : KIND_INSTANCE,
			     "There is no room in zone '%" STR_FMT "' for %" PRId64
			     " instances of type %" STR_FMT ": %" STR_FMT ".",
			     STR_ARG(zone ? zone->name : STR_NONE), l->wish->min_count,
			     STR_ARG(l->type->name), STR_ARG(placement_explain(op->ctx->arena, &report)));
}

/* A unit of a capacity reservation, if one suits. NULL: none does. */
static const struct host *choose_unit(struct launch *l)
{
	const struct capacity_match match = launch_capacity_in(l, l->zone);
	const struct capacity_unit unit = capacity_find_unit(l->op->head, &match, &l->placement);
	l->capacity = unit.reservation;
	return unit.host;
}

/* In the requested partition; otherwise tries partitions from the one with the fewest instances on. */
static const struct host *choose_host(struct launch *l)
{
	int64_t parts = l->group && !l->wish->partition ? l->group->partitions : 0;
	if (parts > 0)
		l->placement.need.partition = server_group_least_partition(l->op->head, l->group);
	const struct host *unit = choose_unit(l);
	if (unit)
		return unit;
	if (parts == 0)
		return placement_next(&l->placement);
	int64_t least = server_group_least_partition(l->op->head, l->group);
	const struct host *host = NULL;
	for (int64_t n = 0; n < parts && !host; n++) {
		l->placement.need.partition = (least - 1 + n) % parts + 1;
		host = placement_next(&l->placement);
	}
	if (!host)
		l->placement.need.partition = least;
	return host;
}

/* Bytes that the first disks, up to index `last`, need in the pool. */
static int64_t bytes_in_pool(const struct launch *l, const struct storage_pool *pool, size_t last)
{
	int64_t sum = 0;
	for (size_t n = 0; n <= last; n++) {
		const struct disk_plan *disk = &l->disks.at[n];
		sum += !disk->existing && pool_of(l, disk) == pool ? disk->size : 0;
	}
	return sum;
}

/* Checks that the storage pools have room for the disks of one more instance. */
static RESULT check_pools(const struct launch *l)
{
	for (size_t n = 0; n < l->disks.count; n++) {
		const struct disk_plan *disk = &l->disks.at[n];
		const struct storage_pool *pool = disk->existing ? NULL : pool_of(l, disk);
		if (pool)
			TRY(storage_pool_check_room(l->op, pool, bytes_in_pool(l, pool, n), disk->field));
	}
	return OK;
}

/* An instance that has found room elsewhere takes a unit, too, if no host of a unit suits: that unit's room becomes free.
 * *ret_host NULL: the instance must use a unit, and there is none. */
static RESULT settle_capacity(struct launch *l, bool is_needed, const struct host **host)
{
	const struct capacity_match match = launch_capacity_in(l, l->zone);
	if (*host && uuid_is_none(l->capacity))
		l->capacity = capacity_find_free(l->op->head, &match);
	if (!capacity_is_required(&match) || (*host && !uuid_is_none(l->capacity)))
		return OK;
	*host = NULL;
	return is_needed ? capacity_fail(l->op) : OK;
}

RESULT launch_choose_place(struct launch *l, int64_t made, const struct host **ret_host)
{
	bool is_needed = !l->wish->accept_unplaced && made < l->wish->min_count;
	const struct host *host = choose_host(l);
	*ret_host = l->waits_for = NULL;
	TRY(settle_capacity(l, is_needed, &host));
	l->lacks_pool = false;
	l->pool_says = STR_NONE;
	const struct capacity_match match = launch_capacity_in(l, l->zone);
	if (!host && !l->wish->spot.is_spot && !capacity_is_required(&match))
		TRY(spot_make_room(l->op, &l->placement, &l->waits_for));
	if (!host && !l->waits_for && is_needed)
		return fail_no_room(l);
	struct result checked = check_pools(l);
	if (result_is_ok(checked))
		*ret_host = host;
	if (checked.code != ERR_CAPACITY || is_needed)
		return checked;
	l->lacks_pool = true;
	if (host)
		l->pool_says = str_copy(l->op->ctx->arena, l->op->ctx->problem.message);
	ctx_clear_problem(l->op->ctx);
	return !host || l->pool_says.p ? OK : ctx_no_memory(l->op->ctx);
}

uuid launch_find_zone(const struct tables *t, const struct launch_port *port)
{
	const struct row *row =
		ref_is_given(&port->subnet)
			? tables_find_prefix(t, KIND_SUBNET, port->subnet.prefix, port->subnet.bits)
			: NULL;
	return row ? subnet_of(row)->zone : UUID_NONE;
}
