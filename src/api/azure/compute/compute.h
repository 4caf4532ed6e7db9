/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/compute/: what its files share. */
#pragma once

#include "api/azure/core/action.h"
#include "engine/instance/azure_guest.h"
#include "engine/instance/key_pair.h"
#include "engine/instance/profile_association.h"

struct image;
struct server_group;
struct instance;
struct instance_launch;
struct instance_extension;
struct instance_type;
struct volume;

/* ---- storage.c: where disks are, and what their kinds are called ---- */

/* {"name": "Premium_LRS"} */
struct az_sku {
	struct str name;
};
extern const struct params az_sku_params;
/* {"type": "EncryptionAtRestWithPlatformKey"} */
struct az_encryption {
	struct str type;
};
extern const struct params az_encryption_params;
/* Kept of disks and snapshots: whether their bytes may be had by an address (access.c obeys both). */
#define AZ_NETWORK_ACCESS "properties.networkAccessPolicy"
#define AZ_PUBLIC_ACCESS "properties.publicNetworkAccess"
/* The volume type of a SKU: Azure's names, or the type's own. */
struct str az_type_of_sku(struct str sku);
/* The SKU that a volume type is shown as. */
struct str az_sku_of_type(struct str type);
void az_write_sku(struct json_writer *w, struct str type);
/* The zone of that number, counted by the zones' names; the first, where none is said. ERR_INVALID. */
RESULT az_find_zone(struct az_call *e, const struct strs *zones, struct ref *ret_zone);
/* "zones": ["1"] of a row that was put into a zone by its number; else nothing. */
void az_write_zones(struct az_call *e, struct json_writer *w, uuid id, uuid zone);

/* What a data disk's device is called at a LUN, and the LUN of a data disk, which other faces may have called otherwise. */
struct str az_device_of(struct az_call *e, int64_t lun);
int64_t az_lun_of(const struct volume *v);

/* ---- machine_images.c: the marketplace ---- */

/* What an image is called there: publisher:offer:sku:version. In the arena. */
struct az_image_names {
	struct str publisher, offer, sku, version;
};
struct az_image_names az_image_names_of(struct az_call *e, const struct image *image);
/* imageReference of a body: an id, or the four names, of which the version may be "latest". */
struct az_image_reference {
	struct str id, publisher, offer, sku, version;
};
extern const struct params az_image_reference_params;
/* ERR_INVALID, ERR_NOT_FOUND. */
RESULT az_find_image(struct az_call *e, const char *field, const struct az_image_reference *said,
		     const struct image **ret_image);

/* ---- virtual_machines.c ---- */

/* The OS disk; NULL: the machine has none. */
const struct volume *az_root_of(struct az_call *e, const struct instance *i);
/* Members of a storageProfile. but: volumes that are left out; NULL: none. */
void az_write_storage(struct az_call *e, struct json_writer *w, const struct instance *i,
		      const struct uuids *but);

/* ---- virtual_machine_put.c ---- */

/* The disk of that id, which no machine has. ERR_NOT_FOUND, ERR_IN_USE with the field. */
RESULT az_find_free_disk(struct az_call *e, const char *field, struct str id, const struct row **ret_disk);

/* ---- machine_guest.c ---- */

/* osProfile of a body. */
struct az_public_keys {
	const struct az_public_key {
		struct str path, line;
	} * at;
	size_t count;
};
struct az_ssh {
	struct az_public_keys keys;
};
struct az_linux_os {
	enum choice disables_password, has_agent;
	struct az_ssh ssh;
};
struct az_listeners {
	const struct az_listener {
		struct str protocol;
	} * at;
	size_t count;
};
struct az_winrm {
	struct az_listeners listeners;
};
struct az_windows_os {
	enum choice has_agent, updates;
	struct str time_zone;
	struct az_winrm winrm;
};
struct az_os_profile {
	struct str computer_name, admin, password, custom_data;
	enum choice allows_extensions;
	struct az_linux_os linux_os;
	struct az_windows_os windows;
};
extern const struct params az_os_profile_params;
/* What a machine's own change does besides, once there is the machine. */
struct az_guest_wish {
	bool needs_key, has_profile;
	struct key_pair_wish key;          /* made first, if it is needed */
	struct azure_profile_wish profile; /* whose instance is still to be said */
};
/* Of a new machine: sets the launch's key, personality and password. ERR_INVALID, ERR_MISSING. Everything lies in the call's
 * arena. */
RESULT az_take_os_profile(struct az_call *e, const struct az_os_profile *os, struct str machine,
			  bool is_windows, struct instance_launch *launch, struct az_guest_wish *ret_wish);

/* ---- availability_sets.c ---- */

/* Whether the server group is a proximity placement group; else it is an availability set. */
bool az_is_near(const struct server_group *g);

/* ---- sizes.c ---- */

/* The instance type of a size: one of that name, or for a name of Azure's the least that has as much. NULL: there is none. */
const struct instance_type *az_type_of_size(struct az_call *e, struct str size);
/* Whether the account may use it. */
bool az_may_use_type(struct az_call *e, const struct instance_type *t);

/* ---- virtual_machines.c ---- */

/* Kept of a machine that its user generalized, so that images may be made of it. */
#define AZ_GENERALIZED "generalized"

extern const struct api_listing az_machines;

/* ---- virtual_machine_identity.c ---- */

struct az_identity_change {
	bool is_said;
	struct str profile; /* the name of the instance profile that it has from now on; empty: none */
};
/* Of the request's body. ERR_INVALID, ERR_NOT_FOUND, ERR_UNSUPPORTED. */
RESULT az_read_identity(struct az_call *e, struct az_identity_change *change);
/* On the committer. */
RESULT az_change_identity(struct op *op, uuid instance, const struct az_identity_change *change);
void az_write_identity(struct az_call *e, struct json_writer *w, uuid instance);

/* ---- extensions.c ---- */

struct extension_args {
	struct extension_wish wish; /* first: the operation reads it */
	struct ref ref;
	struct str secret; /* protected settings, in JSON */
	uuid instance;
};
struct removal_args {
	struct extension_target wish; /* first: the operation reads it */
	struct ref ref;
};
/* The machine that the path names. */
RESULT az_find_machine(struct az_call *e, struct ref *ret_ref);
/* JSON as a text in the arena. */
RESULT az_dump_json(struct az_call *e, const json_t *document, struct str *ret_text);
/* Seals the secret; a key for the machine, where it has none, is made on a lane (.work = az_make_extension_key). */
RESULT az_take_secret(struct az_call *e, struct extension_args *a);
RESULT az_make_extension_key(struct work_item *w);

/* ---- access.c ---- */

/* The address of a disk's bytes, as a member. */
void az_write_access(struct az_call *e, struct json_writer *w, const struct image *image);

/* ---- guests.c: what is shown of guests ---- */

/* The status of the instance view of one whose guest's state is "Failed". */
void az_write_guest_failure(struct az_call *e, struct json_writer *w, const struct instance *i);
/* What the guest says of its own provisioning: "Creating", "Failed"; NULL: nothing that matters. */
const char *az_guest_state(struct az_call *e, const struct instance *i);
/* Of an instance view: osName, osVersion, vmAgent, extensions. */
void az_write_agent(struct az_call *e, struct json_writer *w, const struct instance *i);
/* {"code": "ProvisioningState/succeeded", …} */
void az_write_extension_status(struct az_call *e, struct json_writer *w, const struct instance_extension *x);
/* Of a machine's object: its extensions. */
void az_write_extensions(struct az_call *e, struct json_writer *w, const struct instance *i);
