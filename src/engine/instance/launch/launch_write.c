/* SPDX-License-Identifier: Apache-2.0
 * Writes one instance of a launch, with its disks and ports. */
#include "engine/instance/launch/launch_internal.h"

#include <inttypes.h>

#include "engine/condition_internal.h"
#include "engine/instance/azure_guest_internal.h"
#include "engine/instance/instance_internal.h"
#include "engine/instance/launch/spot_internal.h"
#include "engine/instance/profile_association_internal.h"
#include "engine/people/account/account_settings.h"
#include "engine/region/dedicated_host.h"
#include "engine/region/processor_internal.h"
#include "engine/storage/image/image.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/account.h"
#include "model/capacity_reservation.h"
#include "model/dedicated_host.h"
#include "model/host.h"
#include "model/image.h"
#include "model/instance_type.h"
#include "model/key_pair.h"
#include "model/server_group.h"
#include "model/volume.h"
#include "store/instance.h"
#include "store/subnet.h"

/* ---- disks ---- */

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

/* ---- the instance's row ---- */

/* By the account's default for the type's family. */
static bool has_unlimited_credits(const struct launch *l)
{
	struct str name = l->type->name;
	return engine_has_unlimited_credits(l->account, str_slice(name, 0, str_find_char(name, '.', 0)));
}

/* The enums of image and instance have the same values in the same order. */
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

/* Several instances with a name get a number appended, as in Nova. */
static struct str name_of(const struct launch *l, int64_t index)
{
	struct str name = l->wish->name;
	if (str_is_empty(name) || l->wish->max_count == 1)
		return name;
	return str_print(l->op->ctx->arena, "%" STR_FMT "-%" PRId64, STR_ARG(name), index + 1);
}

/* Dedicated host that the instance is bound to. */
static uuid dedicated_of(const struct launch *l, const struct host *host)
{
	const struct dedicated_host *there =
		l->wish->host_affinity && host ? engine_find_dedicated(l->op->head, host->row.id) : NULL;
	if (there)
		return there->row.id;
	return l->dedicated ? l->dedicated->row.id : UUID_NONE;
}

/* By the launch, else the subnet. Without an IPv4 address, the name is made of the id. */
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

/* Both enums have the same values in the same order. */
static enum instance_personality personality_of(const struct launch *l)
{
	bool is_said = l->wish->personality_choice == CHOICE_YES || !l->from;
	return is_said ? l->wish->personality : (enum instance_personality) l->from->personality;
}

/* Files are delivered on the config drive only, and an instance without IPv4 cannot reach the metadata
 * service. */
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
		.fleet_units = w->fleet_units,
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
		.next_host = l->waits_for ? l->waits_for->row.id : UUID_NONE,
		.server_group = l->group ? l->group->row.id : UUID_NONE,
		.near = l->near,
		.apart = l->apart,
		.partition = l->placement.need.partition,
		.licences = l->licences,
		.tenancy = launch_tenancy(l),
		.capacity_preference = w->capacity_preference,
		.capacity_target = l->capacity_target ? l->capacity_target->row.id : UUID_NONE,
		.capacity_reservation = host ? l->capacity : UUID_NONE,
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
		.unlimited_credits =
			l->type->burstable && choice_or(w->unlimited_credits, has_unlimited_credits(l)),
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

/* ---- everything ---- */

static RESULT log_unplaced(struct launch *l, uuid instance)
{
	struct placement_report report;
	placement_report(&l->placement, &report);
	return condition_set(l->op, KIND_INSTANCE, instance, "NoHost",
			     l->pool_says.n ? l->pool_says : placement_explain(l->op->ctx->arena, &report),
			     l->pool_says.n ? "It is placed as soon as that pool takes its disks."
					    : "It is placed as soon as a host has room.");
}

/* Waiting is no fault, so there is no condition that Nova would show as one. */
static RESULT log_waiting(struct launch *l, const struct instance *instance)
{
	return engine_log_event(l->op, KIND_INSTANCE, &instance->row, "waits for room",
				"Spot instances leave the host %" STR_FMT " for it.",
				STR_ARG(l->waits_for->name));
}

static RESULT write_profile(const struct launch *l, const struct instance *instance)
{
	uuid association = UUID_NONE;
	return profile_association_write(l->op, instance, l->profile, &association);
}

RESULT launch_write_instance(struct launch *l, int64_t index, const struct host *host)
{
	struct op *op = l->op;
	struct instance instance = make_instance(l, index, host);
	if (l->from)
		instance_copy_hardware(l->from, &instance);
	choose_names(l, &instance);
	processor_give(op->head, &instance);
	if (l->wish->spot.is_spot)
		TRY(spot_fulfil(op, &l->wish->spot, &instance));
	if (!uuid_is_none(instance.capacity_reservation))
		TRY(capacity_take(op, instance.capacity_reservation, instance.host));
	TRY(instance_put(op, &instance));
	TRY(instance_meter_allocation(op, &instance, 1));
	TRY(write_volumes(l, &instance));
	TRY(launch_ports_write(op, &l->ports, &instance, l->port_tags));
	if (l->profile)
		TRY(write_profile(l, &instance));
	if (!host)
		TRY(l->waits_for ? log_waiting(l, &instance) : log_unplaced(l, instance.row.id));
	l->made[index] = instance.row.id;
	return engine_log_event(op, KIND_INSTANCE, &instance.row, "created",
				"Instance of type %" STR_FMT " from image %" STR_FMT " on host %" STR_FMT ".",
				STR_ARG(l->type->name), STR_ARG(l->from ? l->from->name : STR("(none)")),
				STR_ARG(host ? host->name : STR("(none)")));
}
