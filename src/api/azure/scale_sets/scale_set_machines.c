/* SPDX-License-Identifier: Apache-2.0
 * Machines of a scale set: listed and shown by their numbers, started, stopped, reimaged, upgraded and deleted, one by one or as a list of
 * instanceIds. A machine of a flexible set has its name instead of a number. Source: Azure REST API reference, "Virtual Machine Scale
 * Set VMs", 2022-08-01. */
#include "api/azure/scale_sets/scale_sets.h"

#include "engine/instance/instance.h"
#include "model/state.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/launch_configuration.h"
#include "store/scaling_group.h"
#include "store/scaling_member.h"

/* ---- which machines ---- */

static struct str id_of(struct az_call *e, const struct scaling_group *set, const struct scaling_member *m)
{
	return set->mode == SCALING_GROUP_MODE_FLEXIBLE
		       ? az_name_of(e, AZ_MACHINES, KIND_INSTANCE, m->instance)
		       : str_print(e->c->arena, "%lld", (long long) (m->number - 1));
}

static bool is_shown(const struct tables *t, const struct scaling_member *m)
{
	const struct instance *i = instance_find(t, m->instance);
	return i && model_derive_instance_state(i) != INSTANCE_TERMINATED;
}

static RESULT find_member(struct az_call *e, struct str id, const struct scaling_member **ret_member)
{
	const struct scaling_group *set = scale_set_of(e);
	const struct scaling_member *m = scaling_member_first_by_scaling_group(az_tables(e), e->target);
	while (m && !(is_shown(az_tables(e), m) && str_equal_nocase(id_of(e, set, m), id)))
		m = scaling_member_next_by_scaling_group(az_tables(e), m);
	*ret_member = m;
	return m ? OK
		 : az_fail(e, "instanceId",
			   "The provided instanceId %" STR_FMT
			   " is not an active Virtual Machine Scale Set VM instanceId.",
			   STR_ARG(str_slice(id, 0, 64)));
}

/* ---- the object ---- */

static void write_os(struct az_call *e, struct json_writer *w, const struct instance *i)
{
	json_write_open(w, "osProfile");
	json_write_text(w, "computerName", az_computer_name(e, i));
	json_write_open_list(w, "secrets");
	json_write_close_list(w);
	json_write_bool(w, "allowExtensionOperations", i->personality == INSTANCE_PERSONALITY_AZURE);
	json_write_close(w);
}

static void write_properties(struct az_call *e, struct json_writer *w, const struct scaling_group *set,
			     const struct scaling_member *m, const struct instance *i)
{
	json_write_open(w, "properties");
	json_write_bool(w, "latestModelApplied", engine_has_latest_model(az_tables(e), set, m));
	json_write_z(w, "modelDefinitionApplied", "VirtualMachineScaleSet");
	json_write_text(w, "vmId", uuid_to_str(e->c->arena, i->row.id));
	json_write_open(w, "storageProfile");
	az_write_storage(e, w, i, NULL);
	json_write_close(w);
	write_os(e, w, i);
	az_write_machine_interfaces(e, w, i);
	json_write_open(w, "protectionPolicy");
	json_write_bool(w, "protectFromScaleIn", m->is_protected);
	json_write_bool(w, "protectFromScaleSetActions", false);
	json_write_close(w);
	json_write_z(w, "provisioningState", az_machine_state(e, i));
	if (str_equal_nocase(az_query_value(e, "$expand"), STR("instanceView"))) {
		json_write_open(w, "instanceView");
		az_write_machine_view(e, w, i);
		json_write_close(w);
	}
	json_write_close(w);
}

/* The size that the model names, if it still means the machine's type. */
static struct str size_of(struct az_call *e, const struct scaling_group *set,
			  const struct instance_type *type)
{
	struct str said = scale_set_size_of(e, engine_find_scale_set_model(az_tables(e), set));
	bool is_same = said.n && type && az_type_of_size(e, said) == type;
	return is_same ? said : type ? type->name : STR("");
}

static void write_machine(struct api_call *core, struct json_writer *w, const char *name,
			  const struct row *row)
{
	struct az_call *e = az_call_of(core);
	const struct scaling_member *m = scaling_member_of(row);
	const struct scaling_group *set = scaling_group_find(az_tables(e), m->scaling_group);
	const struct instance *i = instance_find(az_tables(e), m->instance);
	const struct instance_type *type = instance_type_find(az_tables(e), i->type);
	struct str whole = az_id_of(e, AZ_SCALE_SETS, KIND_SCALING_GROUP, set->row.id), id = id_of(e, set, m);
	(void) name;
	json_write_text(w, "instanceId", id);
	json_write_open(w, "sku");
	json_write_text(w, "name", size_of(e, set, type));
	json_write_z(w, "tier", "Standard");
	json_write_close(w);
	json_write_text(w, "id",
			str_print(e->c->arena, "%" STR_FMT "/virtualMachines/%" STR_FMT, STR_ARG(whole),
				  STR_ARG(id)));
	json_write_text(w, "name", i->name);
	json_write_z(w, "type", "Microsoft.Compute/virtualMachineScaleSets/virtualMachines");
	json_write_text(w, "location", az_location(e));
	write_properties(e, w, set, m, i);
}

static bool matches(struct api_call *core, const void *args, const struct row *row)
{
	struct az_call *e = az_call_of(core);
	(void) args;
	return uuid_equal(scaling_member_of(row)->scaling_group, e->target) &&
	       is_shown(az_tables(e), scaling_member_of(row));
}

static const struct member members[] = {
	MEMBER_WRITTEN("instanceId", write_machine, .also = "sku|id|name|type|location|properties"),
};
static const struct api_listing machines = {
	.kind = KIND_SCALING_MEMBER, .item = "value", .matches = matches, .members = MEMBERS(members)};

static RESULT show_one(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct scaling_member *m = NULL;
	(void) args;
	TRY(find_member(e, az_path_value(e, "instanceId"), &m));
	write_machine(&e->core, w, NULL, &m->row);
	return OK;
}

static RESULT show_view(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct scaling_member *m = NULL;
	(void) args;
	TRY(find_member(e, az_path_value(e, "instanceId"), &m));
	az_write_machine_view(e, w, instance_find(az_tables(e), m->instance));
	return OK;
}

/* ---- changes ---- */

/* The operation of a call reads .power, .members or .rebuilds. */
struct machines_args {
	struct instances_wish power;
	struct scaling_instances members;
	struct instance_rebuilding *rebuilds; /* one for each of .members */
	struct strs ids;
	struct protection {
		struct protection_says {
			enum choice scale_in;
		} policy;
	} properties;
};
static const struct param ids_rows[] = {
	PARAM(struct machines_args, "instanceIds", ids, .max = 64,
	      .doc = "Machines by their instanceId; absent or *: all."),
	PASSED_OVER("tempDisk", "There is no temporary disk (REST reference, Reimage)."),
	NOT_BUILT("exactVersion|osProfile|forceUpdateOSDiskForEphemeral"),
};
static const struct param required_rows[] = {
	PARAM(struct machines_args, "instanceIds", ids, .flags = REQUIRED, .max = 64,
	      .doc = "Machines by their instanceId; *: all."),
};
static const struct param reimage_rows[] = {
	PASSED_OVER("tempDisk", "There is no temporary disk (REST reference, Reimage)."),
	NOT_BUILT("exactVersion|osProfile|forceUpdateOSDiskForEphemeral"),
};
static const struct param protection_says_rows[] = {
	PARAM(struct protection_says, "protectFromScaleIn", scale_in,
	      .doc = "Keeps the machine when the set gets smaller."),
	NOT_BUILT("protectFromScaleSetActions", .only = "false"),
};
static const struct params protection_says_params = PARAMS(
	struct protection_says, protection_says_rows, .object = "VirtualMachineScaleSetVMProtectionPolicy");
static const struct param protection_rows[] = {
	PARAM_OBJECT(struct protection, "protectionPolicy", policy, protection_says_params,
		     .doc = "Protection from a smaller capacity."),
	AZ_READ_ONLY("latestModelApplied|modelDefinitionApplied|vmId|storageProfile|osProfile|networkProfile|"
		     "provisioningState|timeCreated|instanceView|networkProfileConfiguration"),
	NOT_BUILT("hardwareProfile|additionalCapabilities|securityProfile|diagnosticsProfile|availabilitySet|"
		  "licenseType|userData"),
};
static const struct params protection_params =
	PARAMS(struct protection, protection_rows, .object = "VirtualMachineScaleSetVMProperties");
static const struct param update_rows[] = {
	PARAM_OBJECT(struct machines_args, "properties", properties, protection_params,
		     .doc = "Settings of the machine."),
	NOT_BUILT("plan|identity|extendedLocation"),
	AZ_READ_ONLY("instanceId|sku|zones|resources"),
	AZ_RESOURCE,
};

static bool is_all(const struct strs *ids)
{
	return !ids->count || (ids->count == 1 && str_is(ids->at[0], "*"));
}

static struct ref ref_to(const struct scaling_member *m)
{
	struct ref ref = ref_by_id(KIND_INSTANCE, m->instance);
	ref.field = STR("instanceIds");
	return ref;
}

/* Finds the machines of the path or of the body. of_old_models: those that have the latest model are left out. */
static RESULT find_machines(struct az_call *e, struct machines_args *a, bool of_old_models)
{
	const struct tables *t = az_tables(e);
	const struct scaling_group *set = scale_set_of(e);
	struct str one = az_path_value(e, "instanceId");
	if (one.n)
		a->ids = (struct strs){&one, 1};
	struct ref *refs = arena_new_array(e->c->arena, struct ref, SCALING_SIZE_MAX + a->ids.count + 1);
	size_t count = 0;
	if (!refs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->ids.count && !is_all(&a->ids); k++) {
		const struct scaling_member *m = NULL;
		TRY(find_member(e, a->ids.at[k], &m));
		if (!of_old_models || !engine_has_latest_model(t, set, m))
			refs[count++] = ref_to(m);
	}
	for (const struct scaling_member *m =
		     is_all(&a->ids) ? scaling_member_first_by_scaling_group(t, e->target) : NULL;
	     m && count < SCALING_SIZE_MAX; m = scaling_member_next_by_scaling_group(t, m))
		if (scaling_member_counts(m) && is_shown(t, m) &&
		    (!of_old_models || !engine_has_latest_model(t, set, m)))
			refs[count++] = ref_to(m);
	a->ids = (struct strs){0};
	a->power.instances = a->members.instances = (struct refs){refs, count};
	a->members.group = az_target_ref(e);
	if (!count) { /* nothing is to be done, which is done at once */
		e->skips_operation = true;
		e->has_no_body = true;
		e->status = 200;
	}
	return OK;
}

static RESULT prepare_power(struct az_call *e, void *args)
{
	struct machines_args *a = args;
	a->power.force = str_equal_nocase(az_query_value(e, "skipShutdown"), STR("true"));
	return find_machines(e, a, false);
}

static RESULT prepare_deallocate(struct az_call *e, void *args)
{
	struct str hibernate = az_query_value(e, "hibernate");
	if (hibernate.n && !str_equal_nocase(hibernate, STR("false")))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("hibernate"),
			"The Hibernate operation cannot be performed: hibernation is not enabled "
			"for scale sets.");
	return prepare_power(e, args);
}

static RESULT prepare_delete(struct az_call *e, void *args)
{
	struct machines_args *a = args;
	a->members.decrements = true;
	return find_machines(e, a, false);
}

static RESULT prepare_upgrade(struct az_call *e, void *args)
{
	return find_machines(e, args, true);
}

static RESULT prepare_protection(struct az_call *e, void *args)
{
	struct machines_args *a = args;
	enum choice said = a->properties.policy.scale_in;
	TRY(find_machines(e, a, false));
	a->members.is_protected = said == CHOICE_YES;
	if (said == CHOICE_DEFAULT)
		e->skips_operation = true;
	return OK;
}

static RESULT prepare_reimage(struct az_call *e, void *args)
{
	struct machines_args *a = args;
	TRY(find_machines(e, a, false));
	a->rebuilds =
		arena_new_array(e->c->arena, struct instance_rebuilding, a->members.instances.count + 1);
	if (!a->rebuilds)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->members.instances.count; k++) {
		const struct ref *ref = &a->members.instances.at[k];
		const struct instance *i = instance_find(az_tables(e), ref->prefix);
		const struct image *image = image_find(az_tables(e), i->image);
		if (!image || !row_is_live(&image->row))
			return ctx_fail(e->c, ERR_STATE,
					"The VM '%" STR_FMT
					"' cannot be reimaged: the image that it was made of is gone.",
					STR_ARG(i->name));
		a->rebuilds[k] = (struct instance_rebuilding){.instance = *ref,
							      .image = ref_by_id(KIND_IMAGE, image->row.id)};
	}
	return OK;
}

/* ---- on the committer ---- */

static RESULT reimage(struct op *op, void *args)
{
	struct machines_args *a = args;
	for (size_t k = 0; k < a->members.instances.count; k++)
		TRY(engine_rebuild_instance(op, &a->rebuilds[k]));
	return OK;
}

/* Deletes machines, and lets others take their places unless the set is to get smaller. */
static RESULT terminate(struct op *op, void *args)
{
	struct machines_args *a = args;
	for (size_t k = 0; k < a->members.instances.count; k++) {
		struct scaling_instances one = a->members;
		one.instances = (struct refs){&a->members.instances.at[k], 1};
		TRY(engine_terminate_scaling_instance(op, &one));
	}
	return OK;
}

static RESULT protect(struct op *op, void *args)
{
	struct machines_args *a = args;
	return engine_set_scaling_protection(op, &a->members);
}

/* ---- tables ---- */

#define MACHINES SCALE_SET "/virtualMachines"
#define MACHINE MACHINES "/{instanceId}"
#define CHANGE(verb, where, word, action, table, ...)                                                        \
	{                                                                                                    \
		verb, where, .name = (word), .permit = (action), .flags = API_WRITES, OF_SET_MACHINES,       \
			     .returns = API_RETURNS_NOTHING_STORED,                                          \
			     .args = PARAMS(struct machines_args, table,                                     \
					    .object = "VirtualMachineScaleSetVMInstanceIDs"),                \
			     .outcome = ASYNC_JOB_OUTCOME_SETTLED, __VA_ARGS__                               \
	}
/* The same about one machine, without a body. */
#define CHANGE_ONE(verb, where, word, action, ...)                                                           \
	{                                                                                                    \
		verb, MACHINE where, .name = (word), .permit = (action), .flags = API_WRITES,                \
				     OF_SET_MACHINES, .returns = API_RETURNS_NOTHING_STORED,                 \
				     .args = {0, 0, sizeof(struct machines_args)},                           \
				     .outcome = ASYNC_JOB_OUTCOME_SETTLED, __VA_ARGS__                       \
	}
#define SETS(what) "VirtualMachineScaleSets_" what
#define VMS(what) "VirtualMachineScaleSetVMs_" what
#define STARTS .prepare = prepare_power, .operation = engine_start_instances_run
#define STOPS .prepare = prepare_power, .operation = engine_stop_instances_run, .query = "skipShutdown"
#define RESTARTS .prepare = prepare_power, .operation = engine_reboot_instances_run
#define FREES .prepare = prepare_deallocate, .operation = engine_stop_instances_run, .query = "hibernate"
static const struct az_action actions[] = {
	{HTTP_GET, MACHINES, .name = VMS("List"), .permit = "autoscaling:DescribeAutoScalingInstances",
	 OF_SET_MACHINES, .listing = &machines, .query = "$expand=instanceView",
	 .doc = "Lists the machines of a scale set."},
	{HTTP_GET, MACHINE, .name = VMS("Get"), .permit = "autoscaling:DescribeAutoScalingInstances",
	 OF_SET_MACHINES, .answer = show_one, .query = "$expand=instanceView",
	 .doc = "Gets one machine of a scale set."},
	{HTTP_GET, MACHINE "/instanceView", .name = VMS("GetInstanceView"),
	 .permit = "autoscaling:DescribeAutoScalingInstances", OF_SET_MACHINES, .answer = show_view,
	 .doc = "Gets the instance view of a machine of a scale set."},
	CHANGE(HTTP_POST, SCALE_SET "/start", SETS("Start"), "ec2:StartInstances", ids_rows, STARTS,
	       .doc = "Starts machines of a scale set."),
	CHANGE(HTTP_POST, SCALE_SET "/powerOff", SETS("PowerOff"), "ec2:StopInstances", ids_rows, STOPS,
	       .doc = "Powers off machines of a scale set."),
	CHANGE(HTTP_POST, SCALE_SET "/deallocate", SETS("Deallocate"), "ec2:StopInstances", ids_rows, FREES,
	       .doc = "Stops and deallocates machines of a scale set."),
	CHANGE(HTTP_POST, SCALE_SET "/restart", SETS("Restart"), "ec2:RebootInstances", ids_rows, RESTARTS,
	       .doc = "Restarts machines of a scale set."),
	CHANGE(HTTP_POST, SCALE_SET "/reimage", SETS("Reimage"), "ec2:CreateReplaceRootVolumeTask", ids_rows,
	       .prepare = prepare_reimage, .operation = reimage,
	       .doc = "Reimages machines of a scale set: their OS disks are created again."),
	CHANGE(HTTP_POST, SCALE_SET "/delete", SETS("DeleteInstances"),
	       "autoscaling:TerminateInstanceInAutoScalingGroup", required_rows, .prepare = prepare_delete,
	       .operation = terminate, .query = "forceDeletion",
	       .doc = "Deletes machines of a scale set, which gets smaller."),
	CHANGE(HTTP_POST, SCALE_SET "/manualupgrade", SETS("UpdateInstances"),
	       "autoscaling:TerminateInstanceInAutoScalingGroup", required_rows, .prepare = prepare_upgrade,
	       .operation = terminate,
	       .doc = "Replaces machines of a scale set by machines of the latest model."),
	CHANGE_ONE(HTTP_POST, "/start", VMS("Start"), "ec2:StartInstances", STARTS,
		   .doc = "Starts a machine of a scale set."),
	CHANGE_ONE(HTTP_POST, "/powerOff", VMS("PowerOff"), "ec2:StopInstances", STOPS,
		   .doc = "Powers off a machine of a scale set."),
	CHANGE_ONE(HTTP_POST, "/deallocate", VMS("Deallocate"), "ec2:StopInstances", FREES,
		   .doc = "Stops and deallocates a machine of a scale set."),
	CHANGE_ONE(HTTP_POST, "/restart", VMS("Restart"), "ec2:RebootInstances", RESTARTS,
		   .doc = "Restarts a machine of a scale set."),
	CHANGE(HTTP_POST, MACHINE "/reimage", VMS("Reimage"), "ec2:CreateReplaceRootVolumeTask", reimage_rows,
	       .prepare = prepare_reimage, .operation = reimage,
	       .doc = "Reimages a machine of a scale set: its OS disk is created again."),
	CHANGE_ONE(HTTP_DELETE, "", VMS("Delete"), "autoscaling:TerminateInstanceInAutoScalingGroup",
		   .prepare = prepare_delete, .operation = terminate, .query = "forceDeletion",
		   .doc = "Deletes a machine of a scale set, which gets smaller."),
	{HTTP_PUT, MACHINE, .name = VMS("Update"), .permit = "autoscaling:SetInstanceProtection",
	 .flags = API_WRITES, OF_SET_MACHINES, .returns = API_RETURNS_NOTHING_STORED,
	 .args = PARAMS(struct machines_args, update_rows, .object = "VirtualMachineScaleSetVM"),
	 .prepare = prepare_protection, .operation = protect, .answer = show_one,
	 .doc = "Changes the protection of a machine of a scale set."},
};
const struct api_actions az_scale_set_machine_actions = API_ACTIONS(actions);
