/* SPDX-License-Identifier: Apache-2.0
 * Virtual machines are started, stopped, rebooted and destroyed. Jobs on one run one after the other. */
#include "api/cloudstack/compute/compute.h"
#include "engine/instance/instance.h"

struct power_args {
	struct instances_wish wish; /* first: cs_begin_change() reads it */
	struct ref id;
	enum choice expunges;
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
	P("forced", wish.force, .doc = "Without asking the guest."),
};
static const struct param reboot_params[] = {
	MACHINE,
	P("forced", wish.force, .doc = "Without asking the guest."),
	NOT_BUILT("bootintosetup", .only = "false"),
};
static const struct param destroy_params[] = {
	MACHINE,
	P("expunge", expunges, .doc = "It goes at once, as ever here."),
	NOT_BUILT("volumeids"),
};
static const struct param expunge_params[] = {MACHINE};

static RESULT prepare(struct cs_call *e, void *args)
{
	struct power_args *a = args;
	(void) e;
	a->wish.instances = (struct refs){&a->id, 1};
	return OK;
}

#define POWER(word, action, rows, ...)                                                                       \
	{                                                                                                    \
		.name = (word), .permit = (action), .flags = API_WRITES,                                     \
		.args = PARAMS(struct power_args, rows), .prepare = prepare,                                 \
		CS_SUBJECT(struct power_args, id.prefix), __VA_ARGS__                                        \
	}
static const struct cs_action actions[] = {
	POWER("startVirtualMachine", "ec2:StartInstances", start_params,
	      .operation = engine_start_instances_run, .shows = &cs_machines,
	      .outcome = ASYNC_JOB_OUTCOME_SETTLED, .turn = ASYNC_JOB_TURN_START,
	      .returns = API_RETURNS_NOTHING_STORED, .doc = "Starts a virtual machine."),
	POWER("stopVirtualMachine", "ec2:StopInstances", stop_params, .operation = engine_stop_instances_run,
	      .shows = &cs_machines, .outcome = ASYNC_JOB_OUTCOME_SETTLED, .turn = ASYNC_JOB_TURN_STOP,
	      .returns = API_RETURNS_NOTHING_STORED, .doc = "Stops a virtual machine."),
	POWER("rebootVirtualMachine", "ec2:RebootInstances", reboot_params,
	      .operation = engine_reboot_instances_run, .shows = &cs_machines,
	      .outcome = ASYNC_JOB_OUTCOME_SETTLED, .turn = ASYNC_JOB_TURN_REBOOT,
	      .returns = API_RETURNS_NOTHING_STORED, .doc = "Reboots a virtual machine."),
	POWER("destroyVirtualMachine", "ec2:TerminateInstances", destroy_params,
	      .operation = engine_terminate_instances_run, .shows = &cs_machines,
	      .outcome = ASYNC_JOB_OUTCOME_GONE, .turn = ASYNC_JOB_TURN_TERMINATE,
	      .returns = API_RETURNS_NOTHING_STORED, .doc = "Destroys a virtual machine."),
	POWER("expungeVirtualMachine", "ec2:TerminateInstances", expunge_params,
	      .operation = engine_terminate_instances_run, .about = KIND_INSTANCE,
	      .outcome = ASYNC_JOB_OUTCOME_GONE, .turn = ASYNC_JOB_TURN_TERMINATE,
	      .returns = API_RETURNS_NOTHING_STORED, .doc = "Removes a virtual machine for good."),
};
const struct api_actions cs_power_actions = API_ACTIONS(actions);
