/* SPDX-License-Identifier: Apache-2.0
 * Starts, stops, reboots, destroys and recovers virtual machines. Jobs on one machine run in order. Source:
 * API reference, "Virtual Machine"; UserVmManagerImpl of 4.18.
 */
#include "api/cloudstack/compute/compute.h"
#include "engine/instance/instance.h"
#include "engine/region/region.h"
#include "engine/resolve.h"
#include "model/states.h"

enum { VOLUMES_MAX = 64 };
struct power_args {
	struct instances_wish wish; /* first member: cs_begin_change() reads it */
	struct ref id;
};
#define P(wire, member, ...) PARAM(struct power_args, wire, member, __VA_ARGS__)
#define MACHINE P("id", id, .kind = KIND_INSTANCE, .flags = REQUIRED, .doc = "The virtual machine.")
static const struct param start_params[] = {
	MACHINE,
	NOT_BUILT("clusterid|deploymentplanner|hostid|podid"),
	NOT_BUILT("bootintosetup|considerlasthost", .only = "false"),
};
static const struct param stop_params[] = {
	MACHINE,
	P("forced", wish.force, .doc = "Stops the virtual machine without asking the guest."),
};
static const struct param reboot_params[] = {
	MACHINE,
	P("forced", wish.force, .doc = "Stops the virtual machine without asking the guest."),
	NOT_BUILT("bootintosetup", .only = "false"),
};
static const struct param destroy_params[] = {
	MACHINE,
	P("expunge", wish.force, .doc = "Expunges the virtual machine at once. It cannot be recovered."),
	P("volumeids", wish.volumes, .kind = KIND_VOLUME, .max = VOLUMES_MAX,
	  .doc = "Data disks to delete. Others are detached."),
};
static const struct param machine_params[] = {MACHINE};

static RESULT prepare(struct cs_call *e, void *args)
{
	struct power_args *a = args;
	(void) e;
	a->wish.instances = (struct refs){&a->id, 1};
	return OK;
}

/* Only region administrators may shorten the time in which others could recover the machine. */
static RESULT check_may_expunge(struct cs_call *e, struct power_args *a, const char *words)
{
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(e->c, cs_tables(e), &a->id, &instance));
	if (identity_is_admin(e->c->who) ||
	    cs_read_setting(&e->core, SETTING_USERS_RECOVER, 0, e->c->who->account))
		return prepare(e, a);
	return ctx_fail_kind(e->c, ERR_DENIED, KIND_INSTANCE,
			     "%s. Or when the allow.user.expunge.recover.vm key is set.", words);
}

static RESULT prepare_destroy(struct cs_call *e, void *args)
{
	struct power_args *a = args;
	return a->wish.force ? check_may_expunge(e, a, "Parameter expunge can be passed by Admin only")
			     : prepare(e, a);
}

static RESULT prepare_expunge(struct cs_call *e, void *args)
{
	return check_may_expunge(e, args, "Expunging a vm can only be done by an Admin");
}

static RESULT prepare_recover(struct cs_call *e, void *args)
{
	return check_may_expunge(e, args, "Recovering a vm can only be done by an Admin");
}

static RESULT recover(struct op *op, void *args)
{
	struct power_args *a = args;
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &a->id, &instance));
	if (model_derive_instance_state(instance) != INSTANCE_DESTROYED)
		return ctx_fail_field(op->ctx, ERR_INVALID, a->id.field,
				      "Vm with id %" STR_FMT " is not in the right state",
				      STR_ARG(a->id.text));
	return engine_recover_instances(op, &a->wish);
}

#define POWER(word, action, rows, ...)                                                                       \
	{                                                                                                    \
		.name = (word), .permit = (action), .flags = API_WRITES,                                     \
		.args = PARAMS(struct power_args, rows), CS_SUBJECT(struct power_args, id.prefix),           \
		__VA_ARGS__                                                                                  \
	}
static const struct cs_action actions[] = {
	POWER("startVirtualMachine", "ec2:StartInstances", start_params,
	      .operation = engine_start_instances_run, .prepare = prepare, .shows = &cs_machines,
	      CS_JOB(SETTLED), .turn = ASYNC_JOB_TURN_START, .doc = "Starts a virtual machine."),
	POWER("stopVirtualMachine", "ec2:StopInstances", stop_params, .operation = engine_stop_instances_run,
	      .prepare = prepare, .shows = &cs_machines, CS_JOB(SETTLED), .turn = ASYNC_JOB_TURN_STOP,
	      .doc = "Stops a virtual machine."),
	POWER("rebootVirtualMachine", "ec2:RebootInstances", reboot_params,
	      .operation = engine_reboot_instances_run, .prepare = prepare, .shows = &cs_machines,
	      CS_JOB(SETTLED), .turn = ASYNC_JOB_TURN_REBOOT, .doc = "Reboots a virtual machine."),
	POWER("destroyVirtualMachine", "ec2:TerminateInstances", destroy_params, .prepare = prepare_destroy,
	      .operation = engine_destroy_instances_run, .shows = &cs_machines, CS_JOB(GONE),
	      .turn = ASYNC_JOB_TURN_DESTROY,
	      .doc = "Destroys a virtual machine, which can be recovered for a while."),
	POWER("expungeVirtualMachine", "ec2:TerminateInstances", machine_params, .prepare = prepare_expunge,
	      .operation = engine_terminate_instances_run, .about = KIND_INSTANCE, CS_JOB(GONE),
	      .turn = ASYNC_JOB_TURN_TERMINATE,
	      .doc = "Expunges a virtual machine, which cannot be recovered."),
	POWER("recoverVirtualMachine", "ec2:RecoverInstances", machine_params, .prepare = prepare_recover,
	      .operation = recover, .shows = &cs_machines, .returns = KIND_INSTANCE,
	      .doc = "Recovers a destroyed virtual machine."),
};
const struct api_actions cs_power_actions = API_ACTIONS(actions);
