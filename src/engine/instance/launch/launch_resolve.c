/* SPDX-License-Identifier: Apache-2.0
 * Resolves what a launch names: image and type, disks, ports, groups and hosts; and asks whether the caller
 * may create all that. The order of checks is that of EC2's errors. */
#include "engine/instance/launch/launch_internal.h"

#include <inttypes.h>

#include "engine/instance/instance_files_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/key_pair.h"
#include "engine/instance/launch/launch_template.h"
#include "engine/instance/placement/server_group.h"
#include "engine/instance/placement/server_group_internal.h"
#include "engine/instance/profile_association_internal.h"
#include "engine/licence/licence_internal.h"
#include "engine/people/account/account_settings.h"
#include "engine/quota_internal.h"
#include "engine/region/dedicated_host_internal.h"
#include "engine/region/offered_internal.h"
#include "engine/storage/image/image.h"
#include "engine/storage/volume/local_disk_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "model/capacity_reservation.h"
#include "model/dedicated_host.h"
#include "model/image.h"
#include "model/instance_type.h"
#include "model/key_pair.h"
#include "model/port.h"
#include "model/server_group.h"
#include "model/spot_fleet_id.h"
#include "model/volume.h"
#include "store/host.h"
#include "store/subnet.h"
#include "store/user_data.h"
#include "store/zone.h"

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

/* Uses the image's user data if the launch has none. */
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

/* ---- disks ---- */

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

/* A volume that others have attached decides the host. */
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

/* ---- place ---- */

/* Host named by an administrator; messages are Nova's. */
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

/* Resolves the primary port's subnet, which decides the zone. */
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
	else if (l->capacity_target)
		zone = zone_find(op->head, l->capacity_target->zone);
	if (l->ports.count == 0)
		return launch_choose_zone(l, zone);
	if (!ref_is_given(&p->subnet) && !ref_is_given(&p->port) && !ref_is_given(&p->network)) {
		TRY(launch_choose_subnet(l, zone));
		primary->subnet = l->subnet;
		l->zone = l->subnet->zone;
		return OK;
	}
	TRY(launch_ports_find(op, port_limits_of(l), primary));
	l->subnet = primary->subnet;
	l->zone = l->subnet ? l->subnet->zone : UUID_NONE;
	if (uuid_is_none(l->zone)) /* the subnet, or the network without subnets, is in all zones */
		return launch_choose_zone(l, zone);
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
	return server_group_check_partition(op, l->group, l->wish->partition,
					    STR("Placement.PartitionNumber"));
}

/* Instances that the caller does not own become UUID_NONE, which is on no host: `near` never matches it, and
 * `apart` always holds. */
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

/* The named reservation decides the zone of a launch that names neither zone nor subnet. */
static RESULT find_capacity_target(struct launch *l)
{
	struct op *op = l->op;
	const struct ref *ref = &l->wish->capacity_target;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_find_own_capacity_reservation(op->ctx, op->head, ref, &l->capacity_target));
	return engine_permit(op, "instance.create", KIND_CAPACITY_RESERVATION, &l->capacity_target->row);
}

/* The placement of the instances finds out whether the reservation has units for them. */
static RESULT check_capacity_target(struct launch *l)
{
	const struct capacity_match match = launch_capacity_in(l, l->zone);
	bool is_none = match.preference == INSTANCE_CAPACITY_PREFERENCE_NONE;
	if (!l->capacity_target || !is_none)
		return OK;
	return ENGINE_FAIL(l->op, ERR_COMBINATION, KIND_CAPACITY_RESERVATION, l->wish->capacity_target.field,
			   "Spot instances, and those of another tenancy than default, use no capacity "
			   "reservation.");
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

/* ---- everything ---- */

/* By the launch, else the account, else the image, else EC2's defaults. AWS documents no order of account and
 * image; this one is unverified. */
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

/* Asks for the instance, its new disks and its new ports, with the properties that policies can test. */
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
		.tenancy = launch_tenancy(l),
		.spot_request = w->spot.is_spot ? account : UUID_NONE, /* policies ask if there is one */
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
		if (slot->port)
			continue;
		if (slot->subnet) {
			port.subnet = slot->subnet->row.id;
			port.router = slot->subnet->router;
		}
		TRY(engine_permit_new(l->op, "instance.create", KIND_PORT, &port.row));
	}
	return OK;
}

static RESULT add_fleet_tag(struct launch *l)
{
	const struct tag tag = {id_is_spot_fleet(l->wish->fleet) ? STR("aws:ec2spot:fleet-request-id")
								 : STR("aws:ec2:fleet-id"),
				engine_write_id(l->op, KIND_FLEET, l->wish->fleet)};
	return tag_add_reserved(l->op, (struct tags){&tag, 1}, &l->instance_tags);
}

static RESULT add_group_tag(struct launch *l)
{
	const struct tag tag = {STR(SCALING_TAG), l->wish->scaling_group};
	return tag_add_reserved(l->op, (struct tags){&tag, 1}, &l->instance_tags);
}

RESULT launch_resolve(struct launch *l)
{
	struct op *op = l->op;
	TRY(check_counts(op, l->wish));
	TRY(resolve_image_and_type(l));
	TRY(resolve_group(l));
	TRY(find_instances(l, &l->wish->near, &l->near));
	TRY(find_instances(l, &l->wish->apart, &l->apart));
	TRY(resolve_tenancy(l));
	TRY(find_capacity_target(l));
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
	TRY(check_capacity_target(l));
	TRY(launch_ports_resolve(op, port_limits_of(l), l->zone, &l->ports));
	TRY(tag_normalize(op, l->wish->instance_tags, &l->instance_tags));
	TRY(quota_check_each(op, l->account->row.id, QUOTA_METADATA_ITEMS, (int64_t) l->instance_tags.count));
	if (!uuid_is_none(l->wish->template_version))
		TRY(launch_template_add_tags(op, l->wish->template_version, &l->instance_tags));
	if (!uuid_is_none(l->wish->fleet))
		TRY(add_fleet_tag(l));
	if (l->wish->scaling_group.n)
		TRY(add_group_tag(l));
	TRY(tag_normalize(op, l->wish->volume_tags, &l->volume_tags));
	TRY(tag_normalize(op, l->wish->port_tags, &l->port_tags));
	if (ref_is_given(&l->wish->instance_profile))
		TRY(profile_association_find_passed(op, l->account, &l->wish->instance_profile, NULL,
						    &l->profile));
	choose_metadata(l);
	return permit(l);
}
