/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/compute/: declarations that its files share. */
#pragma once

#include "api/azure/core/members.h"
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

/* ---- storage.c: zones, SKUs and LUNs of disks ---- */

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
/* Stored members of disks and snapshots that allow or deny access to their bytes by a URL (access.c enforces both). */
#define AZ_NETWORK_ACCESS "properties.networkAccessPolicy"
#define AZ_PUBLIC_ACCESS "properties.publicNetworkAccess"
/* The volume type of a SKU: Azure's names, or the type's own. */
struct str az_type_of_sku(struct str sku);
/* SKU that answers show for a volume type. */
struct str az_sku_of_type(struct str type);
const char *az_tier_of_type(struct str type);
/* Finds a zone by its number in the order of the zones' names; the first zone if the body has none. ERR_INVALID. */
RESULT az_find_zone(struct az_call *e, const struct strs *zones, struct ref *ret_zone);
/* "zones": ["1"] of a row that was created with a zone number; else nothing. */
void az_form_zones(struct api_call *core, struct json_writer *w, const struct member *m, const void *at);
#define AZ_ZONES(T) AZ_FORM_OF("zones", az_form_zones, .of = (int) offsetof(T, zone))
#define AZ_PLATFORM_ENCRYPTION                                                                               \
	MEMBER_WITH("encryption", MEMBER_FIXED("type", "\"EncryptionAtRestWithPlatformKey\""))
#define AZ_ACCESS_POLICIES                                                                                   \
	AZ_SAID("properties.", "networkAccessPolicy", "\"AllowAll\""),                                       \
		AZ_SAID("properties.", "publicNetworkAccess", "\"Enabled\"")

/* Device name of a data disk at a LUN, and LUN of a data disk; other faces may have given the device another name. */
struct str az_device_of(struct az_call *e, int64_t lun);
int64_t az_lun_of(const struct volume *v);

/* ---- machine_images.c: the marketplace ---- */

/* Marketplace name of an image: publisher:offer:sku:version. Texts are in the arena. */
struct az_image_names {
	struct str publisher, offer, sku, version;
};
struct az_image_names az_image_names_of(struct az_call *e, const struct image *image);
/* imageReference of a body: an id, or the four names; the version may be "latest". */
struct az_image_reference {
	struct str id, publisher, offer, sku, version;
};
extern const struct params az_image_reference_params;
/* ERR_INVALID, ERR_NOT_FOUND. */
RESULT az_find_image(struct az_call *e, const char *field, const struct az_image_reference *said,
		     const struct image **ret_image);

/* ---- virtual_machines.c ---- */

/* OS disk of a machine; NULL: the machine has none. */
const struct volume *az_root_of(struct az_call *e, const struct instance *i);
/* Provisioning state: a running machine's guest may not be ready yet. */
const char *az_machine_state(struct az_call *e, const struct instance *i);
/* Host name that the guest was told, else the name of the instance or of its resource. In the arena, or of a row. */
struct str az_computer_name(struct az_call *e, const struct instance *i);
/* Members of an instanceView. */
void az_write_machine_view(struct az_call *e, struct json_writer *w, const struct instance *i);
/* Writes networkProfile. */
void az_write_machine_interfaces(struct az_call *e, struct json_writer *w, const struct instance *i);
/* Members of a storageProfile. but: volumes to leave out; NULL: none. */
void az_write_storage(struct az_call *e, struct json_writer *w, const struct instance *i,
		      const struct uuids *but);

/* ---- virtual_machine_put.c ---- */

/* Finds a disk by its id, and requires that no machine has it attached. ERR_NOT_FOUND, ERR_IN_USE with the field. */
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
	bool password_is_sealed; /* true only for the stored model of a scale set */
	enum choice allows_extensions;
	struct az_linux_os linux_os;
	struct az_windows_os windows;
};
extern const struct params az_linux_os_params, az_windows_os_params, az_os_profile_params;
/* Further changes of the operation that creates the machine; they need the machine's row. */
struct az_guest_wish {
	bool needs_key, has_profile;
	struct key_pair_wish key;          /* if needs_key; made before the machine */
	struct azure_profile_wish profile; /* the operation fills in .instance */
};
/* Sets key, personality and password of a new machine's launch. ERR_INVALID, ERR_MISSING. All texts are in the call's arena. */
RESULT az_take_os_profile(struct az_call *e, const struct az_os_profile *os, struct str machine,
			  bool is_windows, struct instance_launch *launch, struct az_guest_wish *ret_wish);

/* ---- availability_sets.c ---- */

/* True if the server group is a proximity placement group; else it is an availability set. */
bool az_is_near(const struct server_group *g);

/* ---- sizes.c ---- */

/* Finds the instance type of a size: the type of that name, or for a name of Azure's the smallest type that has as much. NULL: none. */
const struct instance_type *az_type_of_size(struct az_call *e, struct str size);
/* True if the type is enabled, and public or shared with the caller's account. */
bool az_may_use_type(struct az_call *e, const struct instance_type *t);

/* ---- virtual_machines.c ---- */

/* Stored mark of a generalized machine: images may be made of it. */
#define AZ_GENERALIZED "generalized"

extern const struct api_listing az_machines;

/* ---- virtual_machine_identity.c ---- */

struct az_identity_change {
	bool is_said;
	struct str profile; /* name of the new instance profile; empty: none */
};
/* Reads "identity" of the request's body. ERR_INVALID, ERR_NOT_FOUND, ERR_UNSUPPORTED. */
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
/* Encrypts the secret with the region's master key. If the machine has no extension key yet, .work = az_make_extension_key makes
 * one on a lane. */
RESULT az_take_secret(struct az_call *e, struct extension_args *a);
RESULT az_make_extension_key(struct work_item *w);

/* ---- access.c ---- */

/* Writes the URL of a disk's bytes, as a member. */
void az_write_access(struct az_call *e, struct json_writer *w, const struct image *image);

/* ---- guests.c: state of guests in answers ---- */

/* Writes the status of the instance view if the guest's state is "Failed". */
void az_write_guest_failure(struct az_call *e, struct json_writer *w, const struct instance *i);
/* Provisioning state that the guest reported, or failed to report in time: "Creating" or "Failed"; NULL: the guest's report does
 * not change the machine's state. */
const char *az_guest_state(struct az_call *e, const struct instance *i);
/* Writes osName, osVersion, vmAgent and extensions of an instance view. */
void az_write_agent(struct az_call *e, struct json_writer *w, const struct instance *i);
/* {"code": "ProvisioningState/succeeded", …} */
void az_write_extension_status(struct az_call *e, struct json_writer *w, const struct instance_extension *x);
/* Writes the extensions of a machine's object. */
void az_write_extensions(struct az_call *e, struct json_writer *w, const struct instance *i);
