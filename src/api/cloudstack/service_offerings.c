/* SPDX-License-Identifier: Apache-2.0
 * listServiceOfferings: the instance types that the account may use. */
#include "api/cloudstack/internal.h"
#include "engine/resolve.h"
#include "model/instance_type.h"
#include "store/instance.h"

enum { MIB_SHIFT = 20 };

struct list_offerings {
	struct cloudstack_list_args list;
	int64_t cpus, memory;
	struct ref machine;
	enum choice is_system, lists_all, is_recursive;
};
static const struct param params[] = {
	CLOUDSTACK_LIST_PARAMS(struct list_offerings, KIND_INSTANCE_TYPE),
	PARAM(struct list_offerings, "cpunumber", cpus, .min = 1, .max = INT32_MAX,
	      .doc = "At least so many."),
	PARAM(struct list_offerings, "memory", memory, .min = 1, .max = INT32_MAX,
	      .doc = "At least so many MiB."),
	PARAM(struct list_offerings, "virtualmachineid", machine, .kind = KIND_INSTANCE,
	      .doc = "Those that this machine can be changed to."),
	PARAM(struct list_offerings, "issystem", is_system, .doc = "Of system VMs, of which there are none."),
	PARAM(struct list_offerings, "listall", lists_all, .doc = "Makes no difference: all may be seen."),
	PARAM(struct list_offerings, "isrecursive", is_recursive, .doc = "Makes no difference."),
	NOT_BUILT("account"),
	NOT_BUILT("domainid"),
	NOT_BUILT("projectid"),
	NOT_BUILT("cpuspeed"),
	NOT_BUILT("storagetype", .only = "local"),
	NOT_BUILT("systemvmtype"),
	NOT_BUILT("templateid"),
	NOT_BUILT("zoneid"),
	NOT_BUILT("encryptroot", .only = "false"),
	NOT_BUILT("gpuenabled", .only = "false"),
	NOT_BUILT("vgpuprofileid"),
	NOT_BUILT("state", .only = "active"),
};

static struct str get_name(struct cloudstack_call *e, const struct row *row)
{
	(void) e;
	return instance_type_of(row)->name;
}

static bool matches(struct cloudstack_call *e, const void *args, const struct row *row)
{
	const struct list_offerings *a = args;
	const struct instance_type *type = instance_type_of(row);
	const struct instance *machine = instance_find(cloudstack_tables(e), a->machine.prefix);
	if (a->is_system == CHOICE_YES || !type->enabled)
		return false;
	if (ref_is_given(&a->machine) && (!machine || !engine_may_see(e->c, KIND_INSTANCE, &machine->row) ||
					  uuid_equal(machine->type, row->id)))
		return false;
	return type->vcpus >= a->cpus && type->memory >> MIB_SHIFT >= a->memory;
}

static void write_offering(struct cloudstack_call *e, struct json_writer *w, const struct row *row)
{
	const struct instance_type *type = instance_type_of(row);
	cloudstack_write_id(e, w, "id", row->id);
	json_write_text(w, "name", type->name);
	json_write_text(w, "displaytext", type->description.n ? type->description : type->name);
	json_write_int(w, "cpunumber", type->vcpus);
	json_write_int(w, "cpuspeed", CLOUDSTACK_CPU_SPEED_MHZ);
	json_write_int(w, "memory", type->memory >> MIB_SHIFT);
	cloudstack_write_time(e, w, "created", row->created_us);
	json_write_z(w, "storagetype", "local");
	json_write_z(w, "provisioningtype", "thin");
	json_write_bool(w, "offerha", false);
	json_write_bool(w, "limitcpuuse", false);
	json_write_bool(w, "isvolatile", false);
	json_write_bool(w, "issystem", false);
	json_write_bool(w, "defaultuse", false);
	json_write_bool(w, "iscustomized", false);
	json_write_bool(w, "dynamicscalingenabled", false);
	json_write_z(w, "state", "Active");
}

static const struct cloudstack_listing offerings = {.kind = KIND_INSTANCE_TYPE,
						    .item = "serviceoffering",
						    .get_name = get_name,
						    .is_by_name = true,
						    .matches = matches,
						    .write = write_offering};
const struct cloudstack_action cloudstack_offering_actions[1] = {{
	.name = "listServiceOfferings",
	.permit = "ec2:DescribeInstanceTypes",
	.args = PARAMS(struct list_offerings, params),
	.list = &offerings,
	.doc = "Service offerings.",
}};
