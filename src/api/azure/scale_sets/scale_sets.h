/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/scale_sets/: models of scale sets, and the scale set that a path names. */
#pragma once

#include "api/azure/compute/compute.h"
#include "api/azure/network/balancers.h"
#include "engine/scaling/scale_set.h"

struct fleet_override;
struct launch_configuration;

#define SCALE_SETS AZ_COMPUTE "/virtualMachineScaleSets"
#define SCALE_SET AZ_GROUP SCALE_SETS "/{vmScaleSetName}"
#define OF_SCALE_SET .type = AZ_SCALE_SETS, .kind = KIND_SCALING_GROUP, .names = "vmScaleSetName"
/* Paths of the machines of a set, and what follows from them, are calls about the set. */
#define OF_SET_MACHINES                                                                                      \
	.type = AZ_SCALE_SET_MACHINES, .names_type = AZ_SCALE_SETS, .kind = KIND_SCALING_GROUP,              \
	.names = "vmScaleSetName"

/* ---- scale_set_model.c ---- */

/* sku of a body. */
struct set_sku {
	struct str name, tier;
	int64_t capacity;
	bool has_capacity;
};
extern const struct params set_sku_params, set_profile_params;
/* A virtualMachineProfile; only the model's own reader looks into it. */
struct set_profile {
	struct set_os {
		struct str prefix, admin, password, custom_data;
		enum choice allows_extensions;
		struct az_linux_os linux_os;
		struct az_windows_os windows;
	} os;
	struct set_storage {
		struct az_image_reference image;
		struct set_disk {
			struct str option, fate;
			int64_t gib;
			struct set_disk_sku {
				struct str sku;
			} managed;
		} os;
		struct set_data_disks {
			const struct set_data_disk {
				int64_t lun, gib;
				struct str option, fate;
				struct set_disk_sku managed;
			} * at;
			size_t count;
		} data;
		bool has_image;
	} storage;
	struct set_network {
		struct set_interfaces {
			const struct set_interface {
				struct str name;
				struct set_interface_says {
					enum choice is_primary;
					struct str fate;
					struct az_link policy;
					struct set_configs {
						const struct set_config {
							struct str name;
							struct set_config_says {
								struct az_link subnet;
								enum choice is_primary;
								struct az_links pools, sets;
							} properties;
						} * at;
						size_t count;
					} configs;
				} properties;
			} * at;
			size_t count;
		} interfaces;
	} network;
	struct str user_data;
};
/* Merges sku.name and virtualMachineProfile of the body into the present model (NULL: there is none). *ret_model is the whole model as
 * JSON in the arena, and empty if nothing changes. ERR_MISSING. */
RESULT scale_set_merge_model(struct az_call *e, const struct launch_configuration *present,
			     struct str *ret_model);
/* Reads the launches of a model, one for each zone. ERR_INVALID, ERR_NOT_FOUND and the other failures of what the model names. */
RESULT scale_set_read_model(struct az_call *e, struct str model, struct uuids zones, struct str set,
			    struct fleet_override **ret_launches, size_t *ret_count);
/* Finds the zones of a set that names none: those that the subnet of its primary interface allows. */
RESULT scale_set_find_zones(struct az_call *e, struct str model, const struct strs *said,
			    struct uuids *ret_zones);
/* Writes sku and virtualMachineProfile as the model says them, without its secrets. */
void scale_set_write_model(struct az_call *e, struct json_writer *w, const struct launch_configuration *model,
			   const char *member);
struct str scale_set_size_of(struct az_call *e, const struct launch_configuration *model);
/* True if the model's image is the newest of a marketplace name. */
bool scale_set_follows_images(struct az_call *e, const struct launch_configuration *model);

/* ---- scale_sets.c ---- */

extern const struct api_listing set_listing;
/* The set that the path names; NULL: the call creates one. */
const struct scaling_group *scale_set_of(struct az_call *e);
/* "Creating", "Updating", "Deleting", "Succeeded" or "Failed". */
const char *scale_set_state(struct az_call *e, const struct scaling_group *set);

/* ---- rolling_upgrades.c ---- */

/* upgradePolicy of a body. */
struct set_upgrade {
	struct str mode;
	struct set_rolling {
		int64_t batch;
		struct str pause;
		enum choice surges;
	} rolling;
};
extern const struct params set_upgrade_params;
/* Turns the upgrade policy into the preferences of an instance refresh. Members that the body leaves out are those of the set's last
 * PUT. */
RESULT scale_set_take_upgrade(struct az_call *e, const struct set_upgrade *said,
			      enum scale_set_upgrade *ret_how, struct scaling_refresh *ret_row);
