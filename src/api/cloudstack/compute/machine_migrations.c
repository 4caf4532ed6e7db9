/* SPDX-License-Identifier: Apache-2.0
 * Live migration of a machine; the job ends when it has arrived. Source: API reference, "Virtual Machine";
 * messages of MigrateVMCmd and UserVmManagerImpl of 4.18.
 */
#include "api/cloudstack/compute/compute.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/resolve.h"
#include "model/instance.h"
#include "model/states.h"

struct migrate_args {
	struct instance_migrating wish;
	enum choice selects;
};
#define P(wire, member, ...) PARAM(struct migrate_args, wire, member, __VA_ARGS__)
static const struct param migrate_params[] = {
	P("virtualmachineid", wish.instance, .kind = KIND_INSTANCE, .flags = REQUIRED,
	  .doc = "The virtual machine."),
	P("hostid", wish.host, .kind = KIND_HOST, .doc = "Target host."),
	P("autoselect", selects, .doc = "Chooses a host with room if hostid is absent; default: true."),
	NOT_BUILT("storageid"),
};
#undef P

static RESULT prepare_migrate(struct cs_call *e, void *args)
{
	struct migrate_args *a = args;
	const struct instance *i = NULL;
	if (!ref_is_given(&a->wish.host) && a->selects == CHOICE_NO)
		return cs_fail(e, "hostid", "Either hostId or storageId must be specified");
	TRY(engine_find_own_instance(e->c, cs_tables(e), &a->wish.instance, &i));
	if (model_derive_instance_state(i) != INSTANCE_RUNNING)
		return cs_fail(e, "virtualmachineid",
			       "VM is not Running, unable to migrate the vm with specified id");
	if (ref_is_given(&a->wish.host) && uuid_equal(a->wish.host.prefix, i->host))
		return cs_fail(e, "hostid",
			       "Cannot migrate VM, VM is already present on this host, please specify valid "
			       "destination host to migrate the VM");
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("migrateVirtualMachine", "ec2:MigrateInstances"), .flags = API_WRITES | CS_ADMIN,
	 .args = PARAMS(struct migrate_args, migrate_params), .prepare = prepare_migrate,
	 .operation = engine_migrate_instance_run, CS_SUBJECT(struct migrate_args, wish.instance.prefix),
	 .shows = &cs_machines, CS_JOB(MOVED), .doc = "Live-migrates a virtual machine to another host."},
};
const struct api_actions cs_machine_migration_actions = API_ACTIONS(actions);
