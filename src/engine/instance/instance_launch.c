/* SPDX-License-Identifier: Apache-2.0
 * Launching instances: what the caller named becomes rows, quotas say how many, and each instance
 * is placed and written with its disks and its port before the next one is.
 * Called by: api/ec2/compute/instances.c. What happens next: reconcile/instance.c. */
#include <inttypes.h>

#include "engine/client_token_internal.h"
#include "engine/condition_internal.h"
#include "engine/instance/azure_guest_internal.h"
#include "engine/instance/instance.h"
#include "engine/instance/instance_files_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/key_pair.h"
#include "engine/instance/launch_ports_internal.h"
#include "engine/instance/launch_template.h"
#include "engine/instance/placement.h"
#include "engine/instance/profile_association_internal.h"
#include "engine/instance/server_group.h"
#include "engine/instance/server_group_internal.h"
#include "engine/internal.h"
#include "engine/licence/licence_internal.h"
#include "engine/network/address_internal.h"
#include "engine/people/account_settings.h"
#include "engine/people/user_limit.h"
#include "engine/quota_internal.h"
#include "engine/region/dedicated_host.h"
#include "engine/region/dedicated_host_internal.h"
#include "engine/region/offered_internal.h"
#include "engine/region/processor_internal.h"
#include "engine/storage/disk_plan_internal.h"
#include "engine/storage/image.h"
#include "engine/storage/local_disk_internal.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/storage_pool_internal.h"
#include "engine/storage/volume_attachment.h"
#include "engine/storage/volume_internal.h"
#include "engine/storage/volume_type_limit_internal.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "model/client_token.h"
#include "model/dedicated_host.h"
#include "model/host.h"
#include "model/image.h"
#include "model/instance_profile.h"
#include "model/instance_type.h"
#include "model/key_pair.h"
#include "model/port.h"
#include "model/server_group.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/router.h"
#include "store/storage_pool.h"
#include "store/subnet.h"
#include "store/user_data.h"
#include "store/volume.h"
#include "store/zone.h"

/* The wish with everything looked up. */
struct launch {
	struct op *op;
	const struct instance_launch *wish;
	const struct account *account;
	const struct image *image; /* NULL: from a disk that is named */
	const struct image *from;  /* what its root disk's content came from; NULL: not known */
	const struct instance_type *type;
	const struct key_pair *key;             /* or NULL */
	const struct instance_profile *profile; /* likewise */
	const struct server_group *group;       /* likewise */
	struct uuids near, apart;               /* instances */
	const struct dedicated_host *dedicated; /* likewise: that it names */
	struct str user_data;
	struct strs file_paths, file_contents;
	struct launch_ports ports;
	const struct subnet *subnet; /* the primary port's; NULL: it has none */
	uuid zone;
	struct tags instance_tags, volume_tags, port_tags;
	struct {
		bool enabled, tokens_required, tags;
		int64_t hop_limit;
	} metadata;
	struct disk_plans disks;
	int64_t new_disk, new_disk_count; /* of those that are made */
	int64_t count;                    /* how many at most, after quotas */
	struct placement placement;
	bool lacks_pool;      /* a storage pool does not take the disks of the next one */
	struct str pool_says; /* why; empty: no host has room, either */
	uuid reservation;
	uuid *made;
	uuid shared_host;              /* where volumes lie that others have, too; none: it has no such */
	const struct host *asked_host; /* NULL: any */
	struct strs licences;
	bool needs_dedicated; /* for these */
};

/* ---- names become rows ---- */

static RESULT check_counts(struct op *op, const struct instance_launch *wish)
{
	if (wish->min_count < 1 || wish->max_count < wish->min_count || wish->max_count > INSTANCE_LAUNCH_MAX)
		return ctx_fail_kind(
			op->ctx, ERR_INVALID, KIND_INSTANCE,
			"Between 1 and %d instances may be launched at once, and at least as many at most "
			"as at least: %" PRId64 " to %" PRId64 " were asked for.",
			INSTANCE_LAUNCH_MAX, wish->min_count, wish->max_count);
	TRY(instance_check_words(op, wish->name, wish->description));
	return instance_check_sizes(op, wish->user_data, wish->metadata_hop_limit);
}

RESULT instance_find_launched_image(struct op *op, const struct ref *ref, const struct image **ret_image)
{
	const struct image *image = NULL;
	TRY(engine_find_image(op->ctx, op->head, ref, &image));
	TRY(engine_permit(op, "image.launch", KIND_IMAGE, &image->row));
	enum image_state state = engine_derive_image_state(op->head, image);
	if (state != IMAGE_AVAILABLE)
		return ENGINE_FAIL(op, ERR_STATE, KIND_IMAGE, ref->field,
				   "The image '%" STR_FMT "' is %s, not available", STR_ARG(ref->text),
				   model_image_states[state].name);
	*ret_image = image;
	return OK;
}

RESULT instance_check_needs(struct op *op, const struct image *image, const struct instance_type *type,
			    struct str field)
{
	const char *image_arch = image_arch_words[image->arch];
	const char *type_arch = instance_type_arch_words[type->arch];
	if (strcmp(image_arch, type_arch) != 0)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, field,
				   "The architecture '%s' of the specified instance type does not match the "
				   "architecture '%s' of the specified image.",
				   type_arch, image_arch);
	if (type->memory < image->min_memory)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_INSTANCE_TYPE, field,
				   "The instance type '%" STR_FMT "' has less memory than the image needs.",
				   STR_ARG(type->name));
	return OK;
}

/* What its image gives, where the launch says none. */
static RESULT resolve_user_data(struct launch *l)
{
	const struct user_data *given = l->image ? user_data_find(l->op->head, l->image->user_data) : NULL;
	l->user_data = l->wish->user_data;
	if (!given)
		return OK;
	if (l->user_data.n && l->image->user_data_policy == IMAGE_USER_DATA_POLICY_DENY_OVERRIDE)
		return ENGINE_FAIL(l->op, ERR_INVALID, KIND_INSTANCE, STR("userdata"),
				   "UserData input is not allowed here since template %" STR_FMT
				   " is configured to deny any userdata",
				   STR_ARG(l->image->name));
	if (!l->user_data.n)
		l->user_data = given->data;
	return OK;
}

static RESULT resolve_image_and_type(struct launch *l)
{
	struct op *op = l->op;
	if (ref_is_given(&l->wish->image))
		TRY(instance_find_launched_image(op, &l->wish->image, &l->image));
	TRY(instance_find_offered_type(op, &l->wish->type, &l->type));
	l->from = l->image;
	TRY(resolve_user_data(l));
	TRY(instance_take_files(op, l->account->row.id, &l->wish->files, &l->file_paths, &l->file_contents));
	if (l->image)
		TRY(instance_check_needs(op, l->image, l->type, l->wish->type.field));
	if (l->wish->unlimited_credits != CHOICE_DEFAULT && !l->type->burstable)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_INSTANCE_TYPE, l->wish->type.field,
				   "A credit option needs a burstable instance type; %" STR_FMT " is none",
				   STR_ARG(l->type->name));
	if (!ref_is_given(&l->wish->key_pair))
		return OK;
	TRY(engine_find_own_key_pair(op->ctx, op->head, &l->wish->key_pair, &l->key));
	return engine_check_key_is_there(op, l->key, l->wish->key_pair.field);
}

RESULT instance_size_root(struct op *op, const struct instance_type *type, struct str field,
			  struct disk_plan *root)
{
	if (type->root_disk == 0)
		return OK;
	if (type->root_disk < root->size)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_TYPE, field,
				   "The root disk of instance type '%" STR_FMT "', of %" PRId64
				   " bytes, is too small for the image, which has %" PRId64 ".",
				   STR_ARG(type->name), type->root_disk, root->size);
	root->size = type->root_disk;
	return OK;
}

/* What others have already is where it is: there the instance has to be. */
static RESULT resolve_shared(struct launch *l, const struct disk_plan *disk, size_t number)
{
	if (!disk->existing || uuid_is_none(engine_volume_holder(disk->existing)))
		return OK;
	uuid host = disk->existing->host;
	bool is_elsewhere = !uuid_is_none(l->shared_host) && !uuid_equal(l->shared_host, host);
	l->shared_host = host;
	if (number == 0)
		return ENGINE_FAIL(l->op, ERR_COMBINATION, KIND_VOLUME, disk->field,
				   "An instance cannot start from a volume that another one has.");
	return is_elsewhere ? ENGINE_FAIL(l->op, ERR_COMBINATION, KIND_VOLUME, disk->field,
					  "The volumes that it is to share are in use on different hosts.")
			    : OK;
}

static RESULT resolve_disk(struct launch *l, const struct disk_plan *disk, size_t number)
{
	bool is_new_volume = !disk->existing && disk->local == VOLUME_LOCAL_NO;
	TRY(disk_plan_check_source(l->op, disk));
	if (disk->existing && l->wish->max_count > 1)
		return ENGINE_FAIL(l->op, ERR_COMBINATION, KIND_VOLUME, disk->field,
				   "A volume goes to one instance only.");
	TRY(resolve_shared(l, disk, number));
	l->new_disk += is_new_volume ? disk->size : 0;
	l->new_disk_count += is_new_volume;
	return OK;
}

static RESULT resolve_disks(struct launch *l)
{
	struct op *op = l->op;
	if (l->image) {
		TRY(disk_plans_of_image(op, l->image, &l->disks));
		if (l->wish->from_medium)
			TRY(instance_plan_from_medium(op, l->image, &l->wish->image, &l->disks));
		if (!l->wish->root_is_volume && !l->wish->from_medium)
			TRY(instance_size_root(op, l->type, l->wish->type.field, &l->disks.at[0]));
	}
	TRY(disk_plans_apply_wishes(op, l->wish->disks, l->wish->disk_count, &l->disks));
	if (!l->image && (l->disks.count == 0 || !l->disks.at[0].is_bootable))
		return ENGINE_FAIL(op, ERR_MISSING, KIND_IMAGE, STR("ImageId"),
				   "An instance starts from an image, or from a volume that can be started "
				   "from.");
	if (l->disks.at[0].is_left_out)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, STR("BlockDeviceMapping"),
				   "The root device cannot be left out.");
	for (size_t n = 0; n < l->disks.count; n++)
		if (l->disks.at[n].volume)
			TRY(volume_begin_copy(op, &l->disks.at[n]));
	TRY(disk_plans_finish(op, &l->disks));
	TRY(local_disks_plan(op, l->type, l->wish->local_disks, l->wish->local_disk_count, &l->disks));
	for (size_t n = 0; n < l->disks.count; n++)
		TRY(resolve_disk(l, &l->disks.at[n], n));
	return OK;
}

/* In a dedicated VPC nothing is on hosts of everybody's. AWS's pages disagree about a launch that asks for `default`
 * there: that it becomes dedicated, too, is our choice. */
static enum instance_tenancy tenancy_of(const struct launch *l)
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

static struct placement_need need_in(const struct launch *l, uuid zone)
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
				      .tenancy = tenancy_of(l),
				      .near = l->near,
				      .apart = l->apart,
				      .dedicated_host = l->dedicated ? l->dedicated->row.id : UUID_NONE};
	for (size_t n = 0; n < l->disks.count; n++)
		placement_add_disk(&need, pool_of(l, &l->disks.at[n]), l->disks.at[n].size);
	return need;
}

static RESULT count_fitting(struct launch *l, uuid zone, size_t *ret_count)
{
	struct placement_need need = need_in(l, zone);
	struct placement placement;
	TRY(placement_begin(l->op->ctx, l->op->head, &need, &placement));
	*ret_count = placement_count_fitting(&placement);
	return OK;
}

/* Without a port, or in a subnet of all zones: that where most hosts have room. */
static RESULT choose_zone(struct launch *l, const struct zone *only)
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

/* Of the default subnets, that of the zone where most hosts have room. */
static RESULT choose_default_subnet(struct launch *l, const struct zone *only)
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

/* By an administrator's word, in Nova's words. */
static RESULT resolve_host(struct launch *l)
{
	struct str name = l->wish->host;
	if (str_is_empty(name))
		return OK;
	l->asked_host = host_find_by_name(l->op->head, name);
	if (!l->asked_host || !row_is_live(&l->asked_host->row))
		return ENGINE_FAIL(l->op, ERR_INVALID, KIND_HOST, STR("host"),
				   "Compute host %" STR_FMT " could not be found.", STR_ARG(name));
	bool is_here = uuid_is_none(l->shared_host) || uuid_equal(l->shared_host, l->asked_host->row.id);
	return is_here ? OK
		       : ENGINE_FAIL(
				 l->op, ERR_COMBINATION, KIND_VOLUME, STR("host"),
				 "The volumes that it is to share are in use on another host than %" STR_FMT
				 ".",
				 STR_ARG(name));
}

static const struct instance_type *port_limits_of(const struct launch *l)
{
	return l->wish->beyond_type ? NULL : l->type;
}

/* The primary port's, and with it the zone. */
static RESULT resolve_subnet(struct launch *l)
{
	struct op *op = l->op;
	const struct zone *zone = NULL;
	struct launch_slot *primary = &l->ports.at[0];
	const struct launch_port *p = primary->wish;
	if (ref_is_given(&l->wish->zone))
		TRY(engine_find_zone(op->ctx, op->head, &l->wish->zone, &zone));
	else if (l->asked_host)
		zone = zone_find(op->head, l->asked_host->zone);
	if (l->ports.count == 0)
		return choose_zone(l, zone);
	if (!ref_is_given(&p->subnet) && !ref_is_given(&p->port) && !ref_is_given(&p->network)) {
		TRY(choose_default_subnet(l, zone));
		primary->subnet = l->subnet;
		l->zone = l->subnet->zone;
		return OK;
	}
	TRY(launch_ports_find(op, port_limits_of(l), primary));
	l->subnet = primary->subnet;
	l->zone = l->subnet->zone;
	if (uuid_is_none(l->zone)) /* it is in all of them */
		return choose_zone(l, zone);
	if (zone && !uuid_equal(zone->row.id, l->subnet->zone))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_SUBNET, p->subnet.field,
				   "The subnet '%" STR_FMT "' is not in the zone '%" STR_FMT "'.",
				   STR_ARG(engine_write_id(op, KIND_SUBNET, l->subnet->row.id)),
				   STR_ARG(zone->name));
	return OK;
}

static RESULT resolve_group(struct launch *l)
{
	struct op *op = l->op;
	const struct ref *ref = &l->wish->server_group;
	if (ref_is_given(ref))
		TRY(engine_find_own_server_group(op->ctx, op->head, ref, &l->group));
	TRY(server_group_check_partition(op, l->group, l->wish->partition, STR("Placement.PartitionNumber")));
	return l->group ? server_group_check_members(op, l->group, l->wish->min_count, ref->field) : OK;
}

/* What the caller has not is nowhere: nothing is near it, and everything apart from it. */
static RESULT find_instances(struct launch *l, const struct refs *refs, struct uuids *ret_ids)
{
	struct op *op = l->op;
	uuid *ids = arena_new_array(op->ctx->arena, uuid, refs->count + 1);
	if (!ids)
		return ctx_no_memory(op->ctx);
	if (refs->count > INSTANCE_HINTS_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE, refs->at[0].field,
				   "At most %d instances can be named to be near or apart from.",
				   INSTANCE_HINTS_MAX);
	for (size_t n = 0; n < refs->count; n++) {
		const struct instance *other = NULL;
		struct result found = engine_find_own_instance(op->ctx, op->head, &refs->at[n], &other);
		if (found.code == ERR_NOT_FOUND)
			ctx_clear_problem(op->ctx);
		else
			TRY(found);
		bool is_theirs = other && !uuid_equal(other->account, l->account->row.id);
		ids[n] = other && !is_theirs ? other->row.id : UUID_NONE;
	}
	*ret_ids = (struct uuids){ids, refs->count};
	return OK;
}

static RESULT resolve_tenancy(struct launch *l)
{
	struct op *op = l->op;
	const struct ref *ref = &l->wish->dedicated_host;
	bool names = ref_is_given(ref);
	if (l->wish->tenancy != INSTANCE_TENANCY_HOST && (names || l->wish->host_affinity))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_INSTANCE,
				   names ? ref->field : STR("Placement.Affinity"),
				   "Only an instance with a tenancy of host has a HostId and an Affinity.");
	if (!names)
		return OK;
	TRY(engine_find_own_dedicated_host(op->ctx, op->head, ref, &l->dedicated));
	TRY(engine_permit(op, "instance.create", KIND_DEDICATED_HOST, &l->dedicated->row));
	return dedicated_host_check_type(op, l->dedicated, l->type, ref->field);
}

/* As the launch says, else its account, else its image, else as EC2 has it. No page of AWS's was found that orders
 * account and image: the order is a guess. */
static void choose_metadata(struct launch *l)
{
	const struct instance_launch *w = l->wish;
	const struct metadata_defaults otherwise = engine_metadata_defaults(l->account);
	bool of_image = l->from && l->from->tokens_required;
	l->metadata.enabled = choice_or(w->metadata_enabled, choice_or(otherwise.enabled, true));
	l->metadata.tokens_required =
		choice_or(w->metadata_tokens_required, choice_or(otherwise.tokens_required, of_image));
	l->metadata.tags = choice_or(w->metadata_tags, choice_or(otherwise.tags, false));
	l->metadata.hop_limit = w->metadata_hop_limit ? w->metadata_hop_limit
				: otherwise.hop_limit ? otherwise.hop_limit
				: of_image            ? 2
						      : 1;
}

/* The instance, its new disks and its new ports, as far as policies may speak of them. */
static RESULT permit(struct launch *l)
{
	const struct instance_launch *w = l->wish;
	uuid account = l->account->row.id;
	const struct instance instance = {
		.account = account,
		.image = l->image ? l->image->row.id : UUID_NONE,
		.type = l->type->row.id,
		.key_name = l->key ? l->key->name : STR_NONE,
		.router = l->subnet ? l->subnet->router : UUID_NONE,
		.subnet = l->subnet ? l->subnet->row.id : UUID_NONE,
		.zone = l->zone,
		.server_group = l->group ? l->group->row.id : UUID_NONE,
		.tenancy = tenancy_of(l),
		.ebs_optimized = w->ebs_optimized,
		.metadata_enabled = l->metadata.enabled,
		.metadata_tokens_required = l->metadata.tokens_required,
		.metadata_hop_limit = l->metadata.hop_limit,
		.tags = l->instance_tags,
	};
	const struct volume volume = {.account = account, .tags = l->volume_tags};
	TRY(engine_permit_new(l->op, "instance.create", KIND_INSTANCE, &instance.row));
	for (size_t n = 0; n < l->disks.count; n++)
		if (!l->disks.at[n].existing && l->disks.at[n].local == VOLUME_LOCAL_NO)
			TRY(volume_permit_new(l->op, "instance.create", &volume, l->zone, &l->disks.at[n]));
	for (size_t n = 0; n < l->ports.count; n++) {
		const struct launch_slot *slot = &l->ports.at[n];
		struct port port = {
			.account = account, .wants_public_ip = slot->wants_public_ip, .tags = l->port_tags};
		if (slot->port || !slot->subnet)
			continue;
		port.subnet = slot->subnet->row.id;
		port.router = slot->subnet->router;
		TRY(engine_permit_new(l->op, "instance.create", KIND_PORT, &port.row));
	}
	return OK;
}

static RESULT add_fleet_tag(struct launch *l)
{
	const struct tag tag = {STR("aws:ec2:fleet-id"), engine_write_id(l->op, KIND_FLEET, l->wish->fleet)};
	return tag_add_reserved(l->op, (struct tags){&tag, 1}, &l->instance_tags);
}

static RESULT resolve(struct launch *l)
{
	struct op *op = l->op;
	TRY(check_counts(op, l->wish));
	TRY(resolve_image_and_type(l));
	TRY(resolve_group(l));
	TRY(find_instances(l, &l->wish->near, &l->near));
	TRY(find_instances(l, &l->wish->apart, &l->apart));
	TRY(resolve_tenancy(l));
	TRY(resolve_disks(l));
	TRY(resolve_host(l));
	if (!l->image)
		l->from = l->disks.at[0].image;
	if (!l->image && l->from)
		TRY(instance_check_needs(op, l->from, l->type, l->wish->type.field));
	TRY(licence_resolve_launch(op, l->account->row.id, l->wish, l->from, &l->licences,
				   &l->needs_dedicated));
	TRY(launch_ports_begin(op, l->wish, port_limits_of(l), &l->ports));
	TRY(resolve_subnet(l));
	TRY(offered_check_zone(op, KIND_INSTANCE_TYPE, l->type->name, &l->type->zones, l->zone,
			       l->wish->type.field));
	TRY(launch_ports_resolve(op, port_limits_of(l), &l->ports));
	TRY(tag_normalize(op, l->wish->instance_tags, &l->instance_tags));
	TRY(quota_check_each(op, l->account->row.id, QUOTA_METADATA_ITEMS, (int64_t) l->instance_tags.count));
	if (!uuid_is_none(l->wish->template_version))
		TRY(launch_template_add_tags(op, l->wish->template_version, &l->instance_tags));
	if (!uuid_is_none(l->wish->fleet))
		TRY(add_fleet_tag(l));
	TRY(tag_normalize(op, l->wish->volume_tags, &l->volume_tags));
	TRY(tag_normalize(op, l->wish->port_tags, &l->port_tags));
	if (ref_is_given(&l->wish->instance_profile))
		TRY(profile_association_find_passed(op, l->account, &l->wish->instance_profile, NULL,
						    &l->profile));
	choose_metadata(l);
	return permit(l);
}

/* ---- how many ---- */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What one instance's new disks of the type take. */
static struct volume_type_figures disks_of_type(const struct launch *l, struct str type)
{
	struct volume_type_figures sum = {0};
	for (size_t n = 0; n < l->disks.count; n++) {
		const struct disk_plan *disk = &l->disks.at[n];
		if (disk->existing || !str_equal(disk->type, type))
			continue;
		sum.volumes++;
		sum.bytes += disk->size;
	}
	return sum;
}

static RESULT check_type_limits(struct launch *l)
{
	uuid account = l->account->row.id;
	for (size_t n = 0; n < l->disks.count; n++) {
		struct str type = l->disks.at[n].type;
		const struct volume_type_figures each = disks_of_type(l, type);
		const struct volume_type_figures wanted = {.volumes = each.volumes * l->wish->min_count,
							   .bytes = each.bytes * l->wish->min_count};
		l->count = least(l->count, volume_type_limit_left(l->op, account, type, &each));
		if (l->count < l->wish->min_count)
			return volume_type_limit_check(l->op, account, type, &wanted);
	}
	return OK;
}

/* As many as the quotas allow; fewer than the least asked for is said as the quota at fault. */
static RESULT check_quotas(struct launch *l)
{
	struct op *op = l->op;
	const struct {
		enum quota quota;
		int64_t each;
	} needs[] = {
		{QUOTA_INSTANCES, 1},
		{QUOTA_VCPUS, l->type->vcpus},
		{QUOTA_MEMORY, l->type->memory},
		{QUOTA_VOLUMES, l->new_disk_count},
		{QUOTA_VOLUME_BYTES, l->new_disk},
		{QUOTA_PORTS, (int64_t) l->ports.new_count},
	};
	l->count = l->wish->max_count;
	for (size_t n = 0; n < sizeof needs / sizeof *needs; n++) {
		int64_t left = quota_left(op->head, l->account->row.id, needs[n].quota, needs[n].each);
		l->count = least(l->count, left);
		if (l->count < l->wish->min_count)
			return quota_check(op, l->account->row.id, needs[n].quota,
					   needs[n].each * l->wish->min_count);
	}
	int64_t left = user_limit_left(op, l->account->row.id, l->type->vcpus, l->type->memory);
	TRY(check_type_limits(l));
	const struct user_figures least_wanted = {l->wish->min_count, l->type->vcpus * l->wish->min_count,
						  l->type->memory * l->wish->min_count};
	l->count = least(l->count, left);
	return l->count < l->wish->min_count && op->ctx->who
		       ? user_limit_check(op, l->account->row.id, op->ctx->who->user, &least_wanted)
		       : OK;
}

/* As many as there are public addresses for, where each is to have one. */
static RESULT check_addresses(struct launch *l)
{
	const struct launch_slot *primary = &l->ports.at[0];
	if (l->ports.count == 0 || !primary->wants_public_ip || primary->subnet->block.base.family != IP_V4)
		return OK;
	uuid router = primary->subnet->router;
	l->count = least(l->count, address_count_auto(l->op->head, router));
	return l->count < l->wish->min_count ? address_check_auto(l->op, router, l->wish->min_count) : OK;
}

static RESULT fail_no_room(struct launch *l)
{
	struct op *op = l->op;
	const struct zone *zone = zone_find(op->head, l->zone);
	struct placement_report report;
	placement_report(&l->placement, &report);
	bool is_dedicated = tenancy_of(l) == INSTANCE_TENANCY_HOST;
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, is_dedicated ? KIND_DEDICATED_HOST : KIND_INSTANCE,
			     "There is no room in zone '%" STR_FMT "' for %" PRId64
			     " instances of type %" STR_FMT ": %" STR_FMT ".",
			     STR_ARG(zone ? zone->name : STR_NONE), l->wish->min_count,
			     STR_ARG(l->type->name), STR_ARG(placement_explain(op->ctx->arena, &report)));
}

/* ---- writing one instance ---- */

static RESULT write_existing(struct launch *l, const struct instance *instance, const struct disk_plan *disk,
			     int64_t slot)
{
	struct volume_place place = {.slot = slot,
				     .device = disk->device,
				     .tag = disk->tag ? *disk->tag : STR_NONE,
				     .delete_on_termination = disk->delete_on_termination};
	return volume_write_attachment(l->op, disk->existing, instance, &place);
}

static RESULT write_volumes(struct launch *l, const struct instance *instance)
{
	for (size_t n = 0; n < l->disks.count; n++) {
		struct disk_plan *disk = &l->disks.at[n];
		if (disk->existing) {
			TRY(write_existing(l, instance, disk, (int64_t) n));
			continue;
		}
		disk->is_unplaced = l->lacks_pool;
		struct volume volume = {.account = instance->account,
					.zone = instance->zone,
					.host = instance->host,
					.instance = instance->row.id,
					.device = disk->device,
					.device_tag = disk->tag ? *disk->tag : STR_NONE,
					.device_slot = (int64_t) n,
					.attached_us = l->op->now_us,
					.delete_on_termination = disk->delete_on_termination,
					.tags = disk->local == VOLUME_LOCAL_NO ? l->volume_tags
									       : (struct tags){0}};
		TRY(volume_write(l->op, &volume, disk));
	}
	return OK;
}

/* The one burstable family whose instances have the standard option where nothing is said. */
static bool is_t2(const struct instance_type *type)
{
	return str_starts_with(type->name, STR("t2."));
}

/* The enums of both have the same words in the same order. */
void instance_copy_hardware(const struct image *image, struct instance *instance)
{
	instance->platform = (enum instance_platform) image->platform;
	instance->boot_mode = (enum instance_boot_mode) image->boot_mode;
	instance->secure_boot = image->secure_boot;
	instance->tpm = image->tpm;
	instance->uefi_variables = image->uefi_variables;
	instance->disk_bus = (enum instance_disk_bus) image->disk_bus;
	instance->nic_model = (enum instance_nic_model) image->nic_model;
}

/* Of several with a name each has a number, too, as Nova gives them. */
static struct str name_of(const struct launch *l, int64_t index)
{
	struct str name = l->wish->name;
	if (str_is_empty(name) || l->wish->max_count == 1)
		return name;
	return str_print(l->op->ctx->arena, "%" STR_FMT "-%" PRId64, STR_ARG(name), index + 1);
}

/* The one that it is to stay with. */
static uuid dedicated_of(const struct launch *l, const struct host *host)
{
	const struct dedicated_host *there =
		l->wish->host_affinity && host ? engine_find_dedicated(l->op->head, host->row.id) : NULL;
	if (there)
		return there->row.id;
	return l->dedicated ? l->dedicated->row.id : UUID_NONE;
}

/* As the launch says, else its subnet. Without an IPv4 address the id is all there is. */
static void choose_names(const struct launch *l, struct instance *instance)
{
	const struct instance_launch *w = l->wish;
	const struct subnet *s = l->subnet;
	bool is_ipv6 = s && s->block.base.family == IP_V6;
	instance->named_by_id = is_ipv6 || choice_or(w->named_by_id, s && s->id_names);
	instance->id_name_has_a = choice_or(w->id_name_has_a, s && s->id_names_have_a);
	instance->id_name_has_aaaa = choice_or(w->id_name_has_aaaa, s && s->id_names_have_aaaa);
}

static bool has_drive(const struct instance_launch *wish)
{
	return wish->has_cdrom || wish->from_medium;
}

static enum instance_recovery recovery_of(const struct launch *l)
{
	bool recovers = choice_or(l->wish->recovers, !l->wish->recovers_by_type || l->type->offers_ha);
	return recovers ? INSTANCE_RECOVERY_DEFAULT : INSTANCE_RECOVERY_DISABLED;
}

/* The two enums have the same words in the same order. */
static enum instance_personality personality_of(const struct launch *l)
{
	bool is_said = l->wish->personality_choice == CHOICE_YES || !l->from;
	return is_said ? l->wish->personality : (enum instance_personality) l->from->personality;
}

/* Files are told on a drive alone; and who has no IPv4 asks no metadata. */
static bool has_config_drive(const struct launch *l)
{
	return l->wish->config_drive || l->wish->files.count || launch_ports_lack_ipv4(&l->ports) ||
	       azure_guest_needs_disc(personality_of(l), l->from, l->wish->admin_password);
}

static struct instance make_instance(const struct launch *l, int64_t index, const struct host *host)
{
	const struct instance_launch *w = l->wish;
	return (struct instance){
		.row.id = engine_new_id(l->op, KIND_INSTANCE),
		.row.gen = 1,
		.account = l->account->row.id,
		.name = name_of(l, index),
		.description = w->description,
		.disk_auto = w->disk_auto,
		.access_ip4 = w->access_ip4,
		.access_ip6 = w->access_ip6,
		.admin_password = w->admin_password,
		.reservation = l->reservation,
		.fleet = w->fleet,
		.fleet_override = w->fleet_override,
		.launch_index = index,
		.image = l->image ? l->image->row.id : UUID_NONE,
		.root_is_volume = w->root_is_volume || !l->image,
		.type = l->type->row.id,
		.vcpus = l->type->vcpus,
		.memory = l->type->memory,
		.key_name = l->key ? l->key->name : STR_NONE,
		.public_key = l->key ? l->key->public_key : STR_NONE,
		.user_data = l->user_data,
		.router = l->subnet ? l->subnet->router : UUID_NONE,
		.subnet = l->subnet ? l->subnet->row.id : UUID_NONE,
		.zone = l->zone,
		.zone_name = w->zone_name,
		.host = host ? host->row.id : UUID_NONE,
		.server_group = l->group ? l->group->row.id : UUID_NONE,
		.near = l->near,
		.apart = l->apart,
		.partition = l->placement.need.partition,
		.licences = l->licences,
		.tenancy = tenancy_of(l),
		.dedicated_host = dedicated_of(l, host),
		.host_affinity = w->host_affinity,
		.root_device = l->disks.at[0].device,
		.has_cdrom = has_drive(w),
		.personality = personality_of(l),
		.wanted_power = w->stays_off ? INSTANCE_WANTED_POWER_OFF : INSTANCE_WANTED_POWER_ON,
		.recovery = recovery_of(l),
		.shutdown_terminates = w->shutdown_terminates,
		.protect_terminate = w->protect_terminate,
		.protect_stop = w->protect_stop,
		.monitoring = w->monitoring,
		.ebs_optimized = w->ebs_optimized,
		.unlimited_credits = l->type->burstable && choice_or(w->unlimited_credits, !is_t2(l->type)),
		.config_drive = has_config_drive(l),
		.file_paths = l->file_paths,
		.file_contents = l->file_contents,
		.metadata_enabled = l->metadata.enabled,
		.metadata_tokens_required = l->metadata.tokens_required,
		.metadata_hop_limit = l->metadata.hop_limit,
		.metadata_tags = l->metadata.tags,
		.metadata_ipv6 = w->metadata_ipv6 == CHOICE_YES,
		.client_token = w->client_token,
		.launched_us = l->op->now_us,
		.tags = l->instance_tags,
	};
}

static RESULT log_unplaced(struct launch *l, uuid instance)
{
	struct placement_report report;
	placement_report(&l->placement, &report);
	return condition_set(l->op, KIND_INSTANCE, instance, "NoHost",
			     l->pool_says.n ? l->pool_says : placement_explain(l->op->ctx->arena, &report),
			     l->pool_says.n ? "It is placed as soon as that pool takes its disks."
					    : "It is placed as soon as a host has room.");
}

static RESULT write_profile(const struct launch *l, const struct instance *instance)
{
	uuid association = UUID_NONE;
	return profile_association_write(l->op, instance, l->profile, &association);
}

static RESULT write_instance(struct launch *l, int64_t index, const struct host *host)
{
	struct op *op = l->op;
	struct instance instance = make_instance(l, index, host);
	if (l->from)
		instance_copy_hardware(l->from, &instance);
	choose_names(l, &instance);
	processor_give(op->head, &instance);
	TRY(instance_put(op, &instance));
	TRY(instance_meter_allocation(op, &instance, 1));
	TRY(write_volumes(l, &instance));
	TRY(launch_ports_write(op, &l->ports, &instance, l->port_tags));
	if (l->profile)
		TRY(write_profile(l, &instance));
	if (!host)
		TRY(log_unplaced(l, instance.row.id));
	l->made[index] = instance.row.id;
	return engine_log_event(op, KIND_INSTANCE, &instance.row, "created",
				"Instance of type %" STR_FMT " from image %" STR_FMT " on host %" STR_FMT ".",
				STR_ARG(l->type->name), STR_ARG(l->from ? l->from->name : STR("(none)")),
				STR_ARG(host ? host->name : STR("(none)")));
}

/* In the part asked for; else in the one with the fewest, or in the next that has room. */
static const struct host *choose_host(struct launch *l)
{
	int64_t parts = l->group && !l->wish->partition ? l->group->partitions : 0;
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

/* What the first disks up to that one take in its pool. */
static int64_t bytes_in_pool(const struct launch *l, const struct storage_pool *pool, size_t last)
{
	int64_t sum = 0;
	for (size_t n = 0; n <= last; n++) {
		const struct disk_plan *disk = &l->disks.at[n];
		sum += !disk->existing && pool_of(l, disk) == pool ? disk->size : 0;
	}
	return sum;
}

/* Whether the storage pools of its new disks take those of one more. */
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

/* *ret_host NULL: none has room, or a storage pool has none; and there are enough, or those that lack it wait for it. */
static RESULT choose_place(struct launch *l, int64_t made, const struct host **ret_host)
{
	bool is_needed = !l->wish->accept_unplaced && made < l->wish->min_count;
	const struct host *host = choose_host(l);
	*ret_host = NULL;
	l->lacks_pool = false;
	l->pool_says = STR_NONE;
	if (!host && is_needed)
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

/* Each is placed and written before the next is placed, which therefore sees it. */
static RESULT write_all(struct launch *l, int64_t *ret_count)
{
	for (int64_t n = 0; n < l->count; n++) {
		const struct host *host = NULL;
		TRY(choose_place(l, n, &host));
		if (!host && !l->wish->accept_unplaced) {
			*ret_count = n;
			return OK;
		}
		TRY(write_instance(l, n, host));
	}
	*ret_count = l->count;
	return OK;
}

/* ---- the operation ---- */

/* What an earlier call with the token made, as far as it is still there. */
static RESULT replay(struct op *op, struct instance_launch *wish, uuid reservation)
{
	VEC(uuid) ids = {0};
	bool any_lives = false;
	const struct instance *i = instance_first_by_reservation(op->head, reservation);
	for (; i; i = instance_next_by_reservation(op->head, i)) {
		any_lives = any_lives || row_is_live(&i->row);
		if (!VEC_PUSH(op->ctx->arena, &ids, i->row.id))
			return ctx_no_memory(op->ctx);
		TRY(op_name(op, KIND_INSTANCE, &i->row));
	}
	if (!any_lives)
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_CLIENT_TOKEN,
				     "The instances of the previous request with this client token have been "
				     "terminated.");
	wish->reservation = reservation;
	wish->made = (struct uuids){ids.at, ids.count};
	wish->replayed = true;
	return OK;
}

static RESULT launch(struct launch *l, struct instance_launch *wish)
{
	struct op *op = l->op;
	int64_t count = 0;
	TRY(resolve(l));
	TRY(check_quotas(l));
	TRY(check_addresses(l));
	struct placement_need need = need_in(l, l->zone);
	TRY(placement_begin(op->ctx, op->head, &need, &l->placement));
	l->made = arena_new_array(op->ctx->arena, uuid, (size_t) l->count);
	if (!l->made)
		return ctx_no_memory(op->ctx);
	l->reservation = uuid_random();
	TRY(write_all(l, &count));
	TRY(client_token_write(op, l->account->row.id, wish->client_token, wish->digest, l->reservation));
	wish->reservation = l->reservation;
	wish->made = (struct uuids){l->made, (size_t) count};
	wish->replayed = false;
	return OK;
}

RESULT engine_create_instances(struct op *op, struct instance_launch *wish)
{
	const struct client_token *token = NULL;
	struct launch *l = arena_new_object(op->ctx->arena, struct launch);
	if (!l)
		return ctx_no_memory(op->ctx);
	l->op = op;
	l->wish = wish;
	TRY(engine_find_acting_account(op, &l->account));
	TRY(client_token_find_fresh(op, l->account->row.id, wish->client_token, wish->digest, &token));
	return token ? replay(op, wish, token->made) : launch(l, wish);
}
