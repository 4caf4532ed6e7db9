/* SPDX-License-Identifier: Apache-2.0
 * Dedicated hosts: DescribeHosts, AllocateHosts, ModifyHosts, ReleaseHosts. Launching on one:
 * run_instances.c; moving there: instance_placement.c. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/engine.h"
#include "engine/region/dedicated_host.h"
#include "model/dedicated_host.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/zone.h"

/* ---- describe ---- */

struct ec2_describe_hosts {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_hosts, "HostId", KIND_DEDICATED_HOST, "Dedicated hosts by id."),
	QUERY_FILTERS(struct ec2_describe_hosts),
	QUERY_PAGES(struct ec2_describe_hosts, 5, 500),
};

struct guest_item {
	const struct instance *instance;
	const struct instance_type *type; /* NULL: deleted */
};

struct host_item {
	const struct dedicated_host *dedicated;
	const struct host *host; /* NULL: deleted */
	const struct zone *zone;
	struct host_usage use;
	VEC(struct guest_item) guests;
	VEC(const struct instance_type *) types; /* instance types that the host accepts */
};

static bool gather_types(struct ec2_call *e, struct host_item *item)
{
	const struct tables *t = ec2_tables(e);
	struct str one = item->dedicated->type;
	const struct instance_type *type =
		one.n ? instance_type_find_by_name(t, one) : instance_type_first(t);
	for (; type; type = one.n ? NULL : instance_type_next(t, type))
		if (type->enabled && type->arch == INSTANCE_TYPE_ARCH_X86_64 &&
		    engine_takes_type(item->dedicated, type) &&
		    engine_may_see(e->c, KIND_INSTANCE_TYPE, &type->row) &&
		    !VEC_PUSH(e->c->arena, &item->types, type))
			return false;
	return true;
}

static bool gather_guests(struct ec2_call *e, struct host_item *item)
{
	const struct tables *t = ec2_tables(e);
	for (const struct instance *i = instance_first_by_host(t, item->dedicated->host); i;
	     i = instance_next_by_host(t, i)) {
		struct guest_item guest = {i, instance_type_find(t, i->type)};
		if (model_derive_instance_state(i) != INSTANCE_TERMINATED &&
		    !VEC_PUSH(e->c->arena, &item->guests, guest))
			return false;
	}
	return true;
}

static const void *gather_host(struct ec2_call *e, const struct row *row)
{
	struct host_item *item = arena_new_object(e->c->arena, struct host_item);
	if (!item)
		return NULL;
	item->dedicated = dedicated_host_of(row);
	if (row_is_live(row))
		item->host = host_find(ec2_tables(e), item->dedicated->host);
	item->zone = zone_find(ec2_tables(e), item->dedicated->zone);
	if (item->host)
		engine_read_host_use(item->host, &item->use);
	return !row_is_live(row) || (gather_types(e, item) && gather_guests(e, item)) ? item : NULL;
}

static const char *on_or_off(bool on)
{
	return on ? "on" : "off";
}

static const char *state_of(const struct dedicated_host *dedicated, const struct host *host)
{
	if (!row_is_live(&dedicated->row))
		return dedicated->has_failed ? "released-permanent-failure" : "released";
	if (dedicated->has_failed)
		return "permanent-failure";
	bool is_well = host && !host->forced_down && host->seen_state == HOST_SEEN_STATE_UP;
	return is_well ? "available" : "under-assessment";
}

static void write_capacity(struct xml *x, const struct host_item *i)
{
	const struct host_usage nothing = {0};
	xml_open(x, "availableCapacity");
	xml_open(x, "availableInstanceCapacity");
	for (size_t k = 0; k < i->types.count; k++) {
		const struct instance_type *type = i->types.at[k];
		xml_open(x, "item");
		xml_int(x, "availableCapacity", engine_count_host_room(i->host, &i->use, type));
		xml_text(x, "instanceType", type->name);
		xml_int(x, "totalCapacity", engine_count_host_room(i->host, &nothing, type));
		xml_close(x, "item");
	}
	xml_close(x, "availableInstanceCapacity");
	xml_int(x, "availableVCpus", engine_count_host_vcpus(i->host) - i->use.vcpus);
	xml_close(x, "availableCapacity");
}

static void write_properties(struct xml *x, const struct host_item *i)
{
	xml_open(x, "hostProperties");
	if (i->host)
		xml_int(x, "cores", i->host->seen_cores);
	/* Shows one of both, as EC2 does: Terraform would take a family beside the type for a change. */
	if (i->dedicated->type.n)
		xml_text(x, "instanceType", i->dedicated->type);
	else
		xml_text(x, "instanceFamily", i->dedicated->family);
	if (i->host) {
		xml_int(x, "sockets", i->host->seen_sockets);
		xml_int(x, "totalVCpus", engine_count_host_vcpus(i->host));
	}
	xml_close(x, "hostProperties");
}

static void write_guests(struct ec2_call *e, struct xml *x, const struct host_item *i)
{
	xml_open(x, "instances");
	for (size_t k = 0; k < i->guests.count; k++) {
		const struct guest_item *guest = &i->guests.at[k];
		xml_open(x, "item");
		ec2_write_id(x, "instanceId", KIND_INSTANCE, guest->instance->row.id);
		if (guest->type)
			xml_text(x, "instanceType", guest->type->name);
		xml_text(x, "ownerId", e->owner);
		xml_close(x, "item");
	}
	xml_close(x, "instances");
}

static void write_host(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct host_item *i = item;
	const struct dedicated_host *d = i->dedicated;
	ec2_write_id(x, "hostId", KIND_DEDICATED_HOST, d->row.id);
	xml_z(x, "autoPlacement", on_or_off(d->auto_placement));
	if (i->zone)
		xml_text(x, "availabilityZone", i->zone->name);
	if (i->host)
		write_capacity(x, i);
	xml_text_opt(x, "clientToken", d->client_token);
	write_properties(x, i);
	write_guests(e, x, i);
	xml_z(x, "state", state_of(d, i->host));
	xml_time_ms(x, "allocationTime", d->row.created_us);
	if (!row_is_live(&d->row))
		xml_time_ms(x, "releaseTime", d->row.deleted_us);
	ec2_write_tags(x, d->tags);
	xml_z(x, "hostRecovery", on_or_off(d->recovers));
	xml_z(x, "allowsMultipleInstanceTypes", on_or_off(str_is_empty(d->type)));
	xml_text(x, "ownerId", e->owner);
	xml_bool(x, "memberOfServiceLinkedResourceGroup", false);
}

static bool fits_auto_placement(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, on_or_off(dedicated_host_of(row)->auto_placement));
}

static bool fits_state(const struct filter_run *f, const struct row *row)
{
	const struct dedicated_host *d = dedicated_host_of(row);
	return filter_z(f, state_of(d, host_find(f->t, d->host)));
}

static const struct filter host_filters[] = {
	{"auto-placement", .get = fits_auto_placement},
	{"availability-zone", .field = "zone"},
	{"client-token", .field = "client_token"},
	{"host-reservation-id", .get = filter_nothing},
	{"instance-type", .field = "type"},
	{"state", .get = fits_state},
};

static const struct ec2_listing host_listing = {.kind = KIND_DEDICATED_HOST,
						.set = "hostSet",
						.filters = FILTERS(host_filters),
						.gather = gather_host,
						.write = write_host,
						.shows_ended = true};

/* ---- allocate ---- */

struct ec2_allocate_hosts {
	struct dedicated_host_wish wish;
	enum choice auto_placement, recovers;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_allocate_hosts, wire, member, __VA_ARGS__)
static const struct param allocate_params[] = {
	P("AvailabilityZone", wish.zone, .flags = REQUIRED | BY_NAME, .kind = KIND_ZONE, .max = 255,
	  .doc = "Availability Zone by name."),
	P("Quantity", wish.count, .flags = REQUIRED, .min = 1, .max = DEDICATED_HOSTS_AT_ONCE,
	  .doc = "Number of hosts to allocate. Fails if fewer are free."),
	P("InstanceType", wish.type, .flags = BY_NAME, .kind = KIND_INSTANCE_TYPE, .max = 255,
	  .doc = "The only instance type that the hosts accept."),
	P("InstanceFamily", wish.family, .max = 255,
	  .doc = "Instance family, such as t3: the hosts accept all of its types. Instead of InstanceType."),
	P("AutoPlacement", auto_placement, .yes = "on", .no = "off",
	  .doc = "Whether the hosts accept instances that name no host; absent: on."),
	P("HostRecovery", recovers, .yes = "on", .no = "off",
	  .doc = "Whether a replacement host takes over when a host fails; absent: off."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_allocate_hosts, tag_specs),
	NOT_BUILT("HostMaintenance", .only = "off"),
	NOT_BUILT("OutpostArn|AssetId|AvailabilityZoneId|CpuOptions"),
};
#undef P

static RESULT prepare_allocate(struct ec2_call *e, void *args)
{
	struct ec2_allocate_hosts *a = args;
	(void) e;
	a->wish.auto_placement = a->auto_placement != CHOICE_NO;
	a->wish.recovers = a->recovers == CHOICE_YES;
	return OK;
}

static RESULT ec2_allocate_hosts(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_allocate_hosts *a = args;
	(void) e;
	xml_open(x, "hostIdSet");
	for (size_t k = 0; k < a->wish.made.count; k++)
		ec2_write_id(x, "item", KIND_DEDICATED_HOST, a->wish.made.at[k]);
	xml_close(x, "hostIdSet");
	return OK;
}

/* ---- each of several ---- */

static RESULT list_changes(struct ec2_call *e, const struct refs *refs,
			   struct dedicated_host_change **ret_changes, size_t *ret_count)
{
	struct dedicated_host_change *changes =
		arena_new_array(e->c->arena, struct dedicated_host_change, refs->count + 1);
	if (!changes)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < refs->count; k++)
		changes[k] = (struct dedicated_host_change){.dedicated_host = refs->at[k]};
	*ret_changes = changes;
	*ret_count = refs->count;
	return OK;
}

static void write_failure(struct xml *x, const struct dedicated_host_change *change)
{
	xml_open(x, "item");
	xml_open(x, "error");
	xml_z(x, "code",
	      change->err == ERR_NOT_FOUND ? "Client.InvalidHostID.NotFound"
	      : change->err == ERR_IN_USE  ? "Client.InvalidHost.Occupied"
					   : "Client.InvalidParameterValue");
	xml_text(x, "message", change->message);
	xml_close(x, "error");
	xml_text(x, "resourceId", change->dedicated_host.text);
	xml_close(x, "item");
}

static void write_changes(struct xml *x, const struct dedicated_host_change *changes, size_t count)
{
	xml_open(x, "successful");
	for (size_t k = 0; k < count; k++)
		if (changes[k].err == ERR_NONE)
			xml_text(x, "item", changes[k].dedicated_host.text);
	xml_close(x, "successful");
	xml_open(x, "unsuccessful");
	for (size_t k = 0; k < count; k++)
		if (changes[k].err != ERR_NONE)
			write_failure(x, &changes[k]);
	xml_close(x, "unsuccessful");
}

/* ---- modify ---- */

struct ec2_modify_hosts {
	struct dedicated_host_settings wish;
	struct refs hosts;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_hosts, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	P("HostId", hosts, .flags = REQUIRED, .kind = KIND_DEDICATED_HOST,
	  .doc = "Dedicated hosts. Each one succeeds or fails by itself."),
	P("AutoPlacement", wish.auto_placement, .yes = "on", .no = "off",
	  .doc = "Whether the hosts accept instances that name no host."),
	P("HostRecovery", wish.recovers, .yes = "on", .no = "off",
	  .doc = "Whether a replacement host takes over when a host fails."),
	P("InstanceType", wish.type, .flags = BY_NAME, .kind = KIND_INSTANCE_TYPE, .max = 255,
	  .doc = "Restricts the hosts to this type of their family."),
	P("InstanceFamily", wish.family, .max = 255,
	  .doc = "Instance family: the hosts accept all of its types again."),
	NOT_BUILT("HostMaintenance", .only = "off"),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_hosts *a = args;
	return list_changes(e, &a->hosts, &a->wish.changes, &a->wish.count);
}

static RESULT ec2_modify_hosts(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_modify_hosts *a = args;
	(void) e;
	write_changes(x, a->wish.changes, a->wish.count);
	return OK;
}

/* ---- release ---- */

struct ec2_release_hosts {
	struct dedicated_hosts_target wish;
	struct refs hosts;
};
static const struct param release_params[] = {
	PARAM(struct ec2_release_hosts, "HostId", hosts, .flags = REQUIRED, .kind = KIND_DEDICATED_HOST,
	      .doc = "Dedicated hosts. Each one succeeds or fails by itself."),
};

static RESULT prepare_release(struct ec2_call *e, void *args)
{
	struct ec2_release_hosts *a = args;
	return list_changes(e, &a->hosts, &a->wish.changes, &a->wish.count);
}

static RESULT ec2_release_hosts(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_release_hosts *a = args;
	(void) e;
	write_changes(x, a->wish.changes, a->wish.count);
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeHosts"), .args = PARAMS(struct ec2_describe_hosts, describe_params),
	 .list = &host_listing, .doc = "Lists the account's dedicated hosts."},
	{EC2_ACTION("AllocateHosts"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_allocate_hosts, allocate_params), .prepare = prepare_allocate,
	 EC2_TAGS(struct ec2_allocate_hosts, "dedicated-host"), EC2_DIGEST(struct ec2_allocate_hosts),
	 .operation = engine_allocate_dedicated_hosts_run, .answer = ec2_allocate_hosts,
	 .doc = "Allocates empty hosts of a zone to the account alone."},
	{EC2_ACTION("ModifyHosts"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_hosts, modify_params), .prepare = prepare_modify,
	 .operation = engine_modify_dedicated_hosts_run, .answer = ec2_modify_hosts,
	 .doc = "Changes which instances the hosts accept, and host recovery."},
	{EC2_ACTION("ReleaseHosts"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_release_hosts, release_params), .prepare = prepare_release,
	 .operation = engine_release_dedicated_hosts_run, .answer = ec2_release_hosts,
	 .doc = "Releases dedicated hosts that have no instances."},
};
const struct api_actions ec2_host_actions = API_ACTIONS(actions);
