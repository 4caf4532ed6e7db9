/* SPDX-License-Identifier: Apache-2.0
 * Changes of one virtual machine: description, offering, root disk, key, user data and password. Source: API
 * reference, "Virtual Machine"; UserVmManagerImpl of 4.18.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/compute/templates.h"
#include "api/core/guest_password.h"
#include "engine/instance/instance.h"
#include "engine/instance/user_data.h"
#include "engine/resolve.h"
#include "store/image.h"
#include "store/instance.h"

struct change_args {
	struct instance_settings wish;
	struct cs_owner owner;
	struct ref user_data;
	struct strs group_names, key_pairs;
	struct str password;
};
#define P(wire, member, ...) PARAM(struct change_args, wire, member, __VA_ARGS__)
#define GIVEN(member) .given = offsetof(struct change_args, member) + 1
#define MACHINE                                                                                              \
	P("id", wish.instance, .kind = KIND_INSTANCE, .flags = REQUIRED, .doc = "The virtual machine.")
#define USER_DATA                                                                                            \
	P("userdata", wish.user_data, .flags = BASE64, .max = USER_DATA_MAX, GIVEN(wish.set_user_data),      \
	  .doc = "User data in base64, up to 32 KiB. The virtual machine must be stopped.")
static const struct param update_params[] = {
	MACHINE,
	P("name", wish.name, GIVEN(wish.set_name), .doc = "Name."),
	P("displayname", wish.description, GIVEN(wish.set_description), .doc = "Display name."),
	USER_DATA,
	P("userdataid", user_data, .kind = KIND_USER_DATA,
	  .doc = "Registered user data, instead of the text."),
	P("securitygroupids", wish.groups, .kind = KIND_SECURITY_GROUP, .max = 16,
	  .doc = "New security groups of the NIC."),
	P("securitygroupnames", group_names, .max = 16, .doc = "Security groups by name."),
	P("deleteprotection", wish.protect_terminate,
	  .doc = "Whether the virtual machine is protected against deletion."),
	NOT_BUILT("customid|details|dhcpoptionsnetworklist|extraconfig|group|instancename|leaseduration|"
		  "leaseexpiryaction|ostypeid|userdatadetails"),
	P("haenable", wish.recovers,
	  .doc = "High availability: restarts on another host that sees its disks, once its host is fenced."),
	NOT_BUILT("cleanupdetails|isdynamicallyscalable", .only = "false"),
	NOT_BUILT("displayvm", .only = "true"),
};
static const struct param scale_params[] = {
	MACHINE,
	P("serviceofferingid", wish.type, .kind = KIND_INSTANCE_TYPE, .flags = REQUIRED,
	  .doc = "New service offering. The virtual machine must be stopped."),
	NOT_BUILT("details|maxiops|miniops"),
	NOT_BUILT("automigrate|shrinkok", .only = "false"),
};
static const struct param key_params[] = {
	MACHINE,
	P("keypair", wish.key_pair, .flags = BY_NAME, .kind = KIND_KEY_PAIR,
	  .doc = "SSH key pair for the guest's next start."),
	P("keypairs", key_pairs, .doc = "SSH key pair, as a list of one."),
	CS_FOR_PARAMS(struct change_args, owner),
};
static const struct param password_params[] = {
	MACHINE,
	P("password", password, .min = 1, .max = 255, .doc = "New password; absent: a random one."),
};
static const struct param one_params[] = {MACHINE};
static const struct param data_params[] = {
	P("virtualmachineid", wish.instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	  .doc = "The virtual machine."),
};
#undef P

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct change_args *a = args;
	TRY(cs_choose_user_data(e, &a->user_data, &a->wish.user_data));
	a->wish.set_user_data |= ref_is_given(&a->user_data);
	return cs_choose_security_groups(e, &a->group_names, &a->wish.groups);
}

/* CloudStack's offerings do not limit NICs. */
static RESULT prepare_scale(struct cs_call *e, void *args)
{
	struct change_args *a = args;
	const struct instance *machine = instance_find(cs_tables(e), a->wish.instance.prefix);
	a->wish.beyond_type = true;
	return cs_check_offered(e, &a->wish.type, machine ? machine->zone : UUID_NONE);
}

static RESULT prepare_key(struct cs_call *e, void *args)
{
	struct change_args *a = args;
	if (a->key_pairs.count > 1)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("keypairs"),
				      "A virtual machine has one key pair at most");
	if (a->key_pairs.count)
		a->wish.key_pair = (struct ref){
			.kind = KIND_KEY_PAIR, .text = a->key_pairs.at[0], .field = STR("keypairs")};
	return ref_is_given(&a->wish.key_pair)
		       ? OK
		       : cs_fail(e, "keypair", "A valid keypair or keypairs parameter must be provided");
}

/* ---- a new root disk ---- */

struct restore_args {
	struct instance_rebuilding wish;
	enum choice expunges;
};
static const struct param restore_params[] = {
	PARAM(struct restore_args, "virtualmachineid", wish.instance, .kind = KIND_INSTANCE,
	      .flags = REQUIRED, .doc = "The virtual machine."),
	PARAM(struct restore_args, "templateid", wish.image, .kind = KIND_IMAGE,
	      .doc = "Template of the new root disk; absent: the machine's own."),
	PARAM(struct restore_args, "expunge", expunges,
	      .doc = "Ignored: the old root disk is always deleted at once."),
	NOT_BUILT("details|diskofferingid|rootdisksize"),
};

static RESULT restore(struct op *op, void *args)
{
	struct restore_args *a = args;
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &a->wish.instance, &instance));
	if (!ref_is_given(&a->wish.image))
		a->wish.image = cs_ref_of(op->ctx, KIND_IMAGE, instance->image, "templateid");
	return engine_rebuild_instance(op, &a->wish);
}

/* ---- passwords and user data ---- */

/* Generates a password if the template supports it. The job shows it; the guest gets it at its next
 * start. */
static RESULT draw_password(struct cs_call *e, void *args)
{
	struct change_args *a = args;
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(e->c, cs_tables(e), &a->wish.instance, &instance));
	const struct image *image = image_find(cs_tables(e), instance->image);
	if (!image || !cs_takes_password(image))
		return cs_fail(e, "id",
			       "Fail to reset password for the virtual machine, the template is not password "
			       "enabled");
	cs_audit(e);
	TRY(api_draw_guest_password(&e->core, &a->password));
	TRY(api_seal_guest_password(&e->core, instance->account, a->password, &a->wish.admin_password));
	e->secret = a->wish.admin_password;
	return OK;
}

static RESULT show_password(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct change_args *a = args;
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(e->c, cs_tables(e), &a->wish.instance, &instance));
	if (!instance->guest_password.n)
		return cs_fail(e, "id",
			       "No password for VM with specified id found. If VM is created from password "
			       "enabled template and SSH keypair is assigned to VM then only password can be "
			       "retrieved.");
	json_write_open(w, "password");
	json_write_text(w, "encryptedpassword", instance->guest_password);
	json_write_close(w);
	return OK;
}

static RESULT show_user_data(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct change_args *a = args;
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(e->c, cs_tables(e), &a->wish.instance, &instance));
	cs_audit(e);
	json_write_open(w, "virtualmachineuserdata");
	json_write_text(w, "virtualmachineid", uuid_to_str(e->c->arena, instance->row.id));
	if (instance->user_data.n)
		json_write_text(w, "userdata", str_encode_base64(e->c->arena, instance->user_data));
	json_write_close(w);
	return OK;
}

#define CHANGE(word, rows, ...)                                                                              \
	{                                                                                                    \
		.name = (word), .permit = "ec2:ModifyInstanceAttribute", .flags = API_WRITES,                \
		.args = PARAMS(struct change_args, rows), .operation = engine_update_instance_run,           \
		CS_SUBJECT(struct change_args, wish.instance.prefix), .shows = &cs_machines, __VA_ARGS__     \
	}
#define SETTLES CS_JOB(SETTLED)
static const struct cs_action actions[] = {
	CHANGE("updateVirtualMachine", update_params, .prepare = prepare_update, .returns = KIND_INSTANCE,
	       .doc = "Changes the properties of a virtual machine."),
	CHANGE("scaleVirtualMachine", scale_params, .prepare = prepare_scale, SETTLES,
	       .doc = "Changes the service offering of a stopped virtual machine."),
	CHANGE("changeServiceForVirtualMachine", scale_params, .prepare = prepare_scale,
	       .returns = KIND_INSTANCE, .doc = "Changes the service offering of a stopped virtual machine."),
	{CS_ACTION("resetSSHKeyForVirtualMachine", "ec2:ModifyInstanceAttribute"),
	 .flags = API_WRITES | CS_OF_ACCOUNT, .args = PARAMS(struct change_args, key_params),
	 .prepare = prepare_key, .operation = engine_update_instance_run,
	 CS_SUBJECT(struct change_args, wish.instance.prefix), .shows = &cs_machines, SETTLES,
	 .doc = "Changes the SSH key pair of a stopped virtual machine."},
	{CS_ACTION("restoreVirtualMachine", "ec2:CreateReplaceRootVolumeTask"), .flags = API_WRITES,
	 .args = PARAMS(struct restore_args, restore_params), .operation = restore,
	 CS_SUBJECT(struct restore_args, wish.instance.prefix), .shows = &cs_machines, SETTLES,
	 .doc = "Creates the root disk of a virtual machine again from a template."},
	CHANGE("resetPasswordForVirtualMachine", password_params, .prepare = draw_password, SETTLES,
	       .doc = "Resets the password of a stopped virtual machine."),
	{CS_ACTION("getVMPassword", "ec2:GetPasswordData"), .args = PARAMS(struct change_args, one_params),
	 .answer = show_password, .says = "encryptedpassword",
	 .doc = "Returns the encrypted password that the guest reported."},
	{CS_ACTION("getVirtualMachineUserData", "ec2:DescribeInstanceAttribute"),
	 .args = PARAMS(struct change_args, data_params), .answer = show_user_data,
	 .says = "virtualmachineid|userdata", .doc = "Returns the user data of a virtual machine in base64."},
};
const struct api_actions cs_machine_change_actions = API_ACTIONS(actions);
