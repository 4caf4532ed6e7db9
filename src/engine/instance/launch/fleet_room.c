/* SPDX-License-Identifier: Apache-2.0
 * Free capacity of the overrides of a fleet, for strategies that prefer overrides with much of it. */
#include "engine/engine.h"
#include "engine/instance/launch/fleet_internal.h"
#include "engine/instance/launch/launch_internal.h"
#include "engine/instance/placement/placement.h"
#include "engine/region/dedicated_host.h"
#include "store/host.h"
#include "store/instance_type.h"
#include "store/zone.h"

/* Zone of the override; none: any. The subnet of the first port decides, as in the launch. */
static uuid find_zone(const struct tables *t, const struct instance_launch *launch)
{
	uuid of_subnet = launch->port_count ? launch_find_zone(t, &launch->ports[0]) : UUID_NONE;
	if (!uuid_is_none(of_subnet) || !ref_is_given(&launch->zone))
		return of_subnet;
	const struct zone *zone = zone_find_by_name(t, launch->zone.text);
	return zone ? zone->row.id : UUID_NONE;
}

int64_t fleet_count_room(const struct tables *t, const struct fleet_override *override)
{
	const struct instance_type *type = instance_type_find_by_name(t, override->launch.type.text);
	uuid zone = find_zone(t, &override->launch);
	int64_t room = 0;
	size_t seen = 0;
	if (!type)
		return 0;
	const struct placement_need need = {.zone = zone, .vcpus = type->vcpus, .memory = type->memory};
	for (const struct host *h = placement_first_host(t, zone); h && seen < PLACEMENT_LARGE;
	     h = placement_next_host(t, zone, h), seen++) {
		struct host_usage use;
		if (placement_check_host(h, &need) != PLACEMENT_FITS || engine_find_dedicated(t, h->row.id))
			continue;
		engine_read_host_use(h, &use);
		room += engine_count_host_room(h, &use, type);
	}
	return room;
}
