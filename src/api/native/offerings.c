/* SPDX-License-Identifier: Apache-2.0
 * Instance types and volume types that the operator offers, and the accounts that may use those that are not
 * public. For administrators.
 */
#include "api/native/write.h"

#include "engine/instance/instance_type.h"
#include "engine/storage/volume_type/volume_type.h"

enum { VCPUS_MAX = 1024, NAME_SIZE = 255, DESCRIPTION_MAX = 65535 };
static const char about_access[] = "Account that gains access; not for a public one.";

/* ---- instance types ---- */

struct type_args {
	struct instance_type_wish wish;
	enum choice is_public, enabled;
};
#define T(name, member, ...) PARAM(struct type_args, name, member, __VA_ARGS__)
#define BYTES_MAX (INT64_C(1) << 44)
static const struct param type_params[] = {
	T("name", wish.name, .min = 1, .max = NAME_SIZE, .flags = REQUIRED, .doc = "Name; unique."),
	T("flavor_id", wish.flavor_id, .max = NAME_SIZE, .doc = "Flavor ID in Nova; absent: the UUID."),
	T("description", wish.description, .max = DESCRIPTION_MAX, .doc = "Description: free text."),
	T("vcpus", wish.vcpus, .min = 1, .max = VCPUS_MAX, .flags = REQUIRED,
	  .doc = "Number of virtual processors."),
	T("memory", wish.memory, .min = INT64_C(1) << 20, .max = BYTES_MAX, .flags = REQUIRED,
	  .doc = "Memory in bytes."),
	T("root_disk", wish.root_disk, .min = 0, .max = BYTES_MAX,
	  .doc = "Bytes of the root disk if a launch names no size; 0: the image's."),
	T("ephemeral_disk", wish.ephemeral_disk, .min = 0, .max = BYTES_MAX,
	  .doc = "Bytes of an additional blank disk; 0: none."),
	T("swap_disk", wish.swap_disk, .min = 0, .max = BYTES_MAX, .doc = "Bytes of a swap disk; 0: none."),
	T("is_public", is_public, .doc = "Public: all accounts may use it; absent: true."),
	T("enabled", enabled, .doc = "Enabled for launches; absent: true."),
	T("extra_specs", wish.specs, .max = INSTANCE_TYPE_SPECS_MAX, .doc = "Extra specs of Nova."),
};

static RESULT prepare_type(struct native_call *e, void *args)
{
	struct type_args *a = args;
	(void) e;
	a->wish.is_private = a->is_public == CHOICE_NO;
	a->wish.is_disabled = a->enabled == CHOICE_NO;
	return OK;
}

#define S(name, member, ...) PARAM(struct instance_type_settings, name, member, __VA_ARGS__)
static const struct param type_change_params[] = {
	S("name", name, .min = 1, .max = NAME_SIZE, .doc = "Name; unique."),
	S("enabled", enabled, .doc = "Enabled for new resources."),
	S("description", description, .max = DESCRIPTION_MAX,
	  .given = offsetof(struct instance_type_settings, set_description) + 1,
	  .doc = "Description: free text."),
	S("extra_specs", specs, .max = INSTANCE_TYPE_SPECS_MAX, .doc = "Extra specs to add or replace."),
	S("remove_spec", remove_spec, .max = NAME_SIZE, .doc = "Key of an extra spec to remove."),
	S("share_with", add_user, .kind = KIND_ACCOUNT, .doc = about_access),
	S("unshare_with", remove_user, .kind = KIND_ACCOUNT, .doc = "Account that loses access."),
};

/* ---- volume types ---- */

#define V(name, member, ...) PARAM(struct volume_type_wish, name, member, __VA_ARGS__)
#define VOLUME_TYPE_PARAMS                                                                                   \
	V("description", description, .max = NAME_SIZE,                                                      \
	  .given = offsetof(struct volume_type_wish, set_description) + 1,                                   \
	  .doc = "Description: free text."),                                                                 \
		V("is_public", is_public, .doc = "Public: all accounts may use it."),                        \
		V("specs", specs, .max = INSTANCE_TYPE_SPECS_MAX,                                            \
		  .given = offsetof(struct volume_type_wish, set_specs) + 1,                                 \
		  .doc = "All extra specs of Cinder, which replace the present ones.")
static const struct param volume_type_params[] = {
	V("name", name, .min = 1, .max = NAME_SIZE, .flags = REQUIRED, .doc = "Name; unique."),
	VOLUME_TYPE_PARAMS,
	V("share_with", add_user, .kind = KIND_ACCOUNT, .doc = about_access),
};
static const struct param volume_type_change_params[] = {
	V("name", name, .min = 1, .max = NAME_SIZE, .given = offsetof(struct volume_type_wish, set_name) + 1,
	  .doc = "Name; unique. Cannot be changed while volumes have the type."),
	VOLUME_TYPE_PARAMS,
	V("share_with", add_user, .kind = KIND_ACCOUNT, .doc = about_access),
	V("unshare_with", remove_user, .kind = KIND_ACCOUNT, .doc = "Account that loses access."),
};

static const struct native_action actions[] = {
	ADMIN_CREATE("/instance-types", "ec2:CreateInstanceType", INSTANCE_TYPE,
		     .args = PARAMS(struct type_args, type_params), .prepare = prepare_type,
		     .operation = engine_create_instance_type_run,
		     .doc = "Adds an instance type (flavor). Its sizes never change."),
	ADMIN_CHANGE(PATCH, "/instance-types/{id}", "ec2:ModifyInstanceType", INSTANCE_TYPE,
		     .args = PARAMS(struct instance_type_settings, type_change_params),
		     .target = NATIVE_AT(instance_type_settings, type),
		     .operation = engine_update_instance_type_run,
		     .doc = "Changes the name, description and extra specs of an instance type, and who may "
			    "use it."),
	CHANGE_ROW(
		DELETE, "/instance-types/{id}", "ec2:DeleteInstanceType", INSTANCE_TYPE, KIND_INSTANCE_TYPE,
		NATIVE_ADMIN | NATIVE_BULK, .args = {.size = sizeof(struct instance_type_target)},
		.target = NATIVE_AT(instance_type_target, type), .operation = engine_delete_instance_type_run,
		.doc = "Deletes an instance type. Its instances stay as they are."),
	ADMIN_CREATE("/volume-types", "ec2:CreateVolumeType", VOLUME_TYPE,
		     .args = PARAMS(struct volume_type_wish, volume_type_params),
		     .operation = engine_create_volume_type_run, .doc = "Adds a volume type."),
	ADMIN_CHANGE(
		PATCH, "/volume-types/{id}", "ec2:ModifyVolumeType", VOLUME_TYPE,
		.args = PARAMS(struct volume_type_wish, volume_type_change_params),
		.target = NATIVE_AT(volume_type_wish, type), .operation = engine_update_volume_type_run,
		.doc = "Changes the name, description and extra specs of a volume type, and who may use it."),
	CHANGE_ROW(DELETE, "/volume-types/{id}", "ec2:DeleteVolumeType", VOLUME_TYPE, KIND_VOLUME_TYPE,
		   NATIVE_ADMIN | NATIVE_BULK, .args = {.size = sizeof(struct volume_type_target)},
		   .target = NATIVE_AT(volume_type_target, type), .operation = engine_delete_volume_type_run,
		   .doc = "Deletes a volume type without volumes."),
};
const struct api_actions native_offerings_actions = API_ACTIONS(actions);
