/* SPDX-License-Identifier: Apache-2.0
 * listServiceOfferings: the instance types that the account may use. */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/region/annotations.h"
#include "engine/resolve.h"
#include "model/instance_type.h"
#include "store/instance.h"

enum { MIB_SHIFT = 20, GIB_SHIFT = 30 };

struct list_offerings {
	struct cs_list_args list;
	int64_t cpus, memory;
	struct ref machine, zone, project;
	struct str state, storage;
	enum choice is_system;
};
#define P(wire, member, ...) PARAM(struct list_offerings, wire, member, __VA_ARGS__)
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_offerings, KIND_INSTANCE_TYPE),
	CS_NAME_PARAM(struct list_offerings),
	CS_OWNER_PARAMS(struct list_offerings),
	CS_PROJECT_PARAM(struct list_offerings, project),
	P("cpunumber", cpus, .min = 1, .max = INT32_MAX, .doc = "Minimum number of CPUs."),
	P("memory", memory, .min = 1, .max = INT32_MAX, .doc = "Minimum memory in MiB."),
	P("virtualmachineid", machine, .kind = KIND_INSTANCE,
	  .doc = "Offerings that this virtual machine can change to."),
	P("issystem", is_system, .doc = "Offerings of system VMs; there are none."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Zone that offers it."),
	NOT_BUILT("cpuspeed|systemvmtype|templateid|vgpuprofileid"),
	P("storagetype", storage, .words = CS_STORAGE_TYPES,
	  .doc = "Storage of root disks: shared or local."),
	NOT_BUILT("encryptroot|gpuenabled", .only = "false"),
	P("state", state, .doc = "State: active (default) or inactive."),
};

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_offerings *a = args;
	const struct instance_type *type = instance_type_of(row);
	const struct instance *machine = instance_find(api_tables(e), a->machine.prefix);
	bool is_active = !a->state.n || str_equal_nocase(a->state, STR("active"));
	bool is_inactive = str_equal_nocase(a->state, STR("inactive"));
	if (a->is_system == CHOICE_YES || !(type->enabled ? is_active : is_inactive))
		return false;
	if (ref_is_given(&a->machine) && (!machine || !engine_may_see(e->c, KIND_INSTANCE, &machine->row) ||
					  uuid_equal(machine->type, row->id)))
		return false;
	/* A domain alone lists what is offered to that domain in particular (QueryManagerImpl.searchForServiceOfferings). */
	if (ref_is_given(&a->list.domain) && !a->list.account.n &&
	    !uuids_have(&type->domains, a->list.domain.prefix))
		return false;
	return cs_fits_storage(a->storage, cs_wants_shared(type)) && type->vcpus >= a->cpus &&
	       type->memory >> MIB_SHIFT >= a->memory && cs_fits_offered(row, &a->zone, &a->list.domain);
}

void cs_write_cpu_speed(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct tag *said = tags_find(instance_type_of(row)->extra_specs, STR(CS_CPU_SPEED_SPEC));
	int64_t speed = 0;
	(void) e;
	if (!said || !result_is_ok(str_parse_int(said->value, &speed)))
		json_write_raw(w, name, STR(CS_CPU_SPEED_MHZ));
	else
		json_write_int(w, name, speed);
}

static void write_root_disk(struct api_call *e, struct json_writer *w, const char *name,
			    const struct row *row)
{
	(void) e;
	if (instance_type_of(row)->root_disk)
		json_write_int(w, name, instance_type_of(row)->root_disk >> GIB_SHIFT);
}

static struct str get_storage(struct api_call *e, const struct row *row)
{
	(void) e;
	return cs_storage_word(cs_wants_shared(instance_type_of(row)));
}

static const struct member members[] = {
	CS_HAS_ANNOTATIONS,
	MEMBER(struct instance_type, "id", row.id),
	MEMBER_TEXT("name", cs_service_name),
	MEMBER(struct instance_type, "displaytext", description, .instead = FITS(instance_type, name)),
	MEMBER(struct instance_type, "cpunumber", vcpus),
	MEMBER_WRITTEN("cpuspeed", cs_write_cpu_speed),
	MEMBER(struct instance_type, "memory", memory, .shift = MIB_SHIFT),
	MEMBER_AS(struct instance_type, TIME, "created", row.created_us),
	MEMBER_TEXT("storagetype", get_storage),
	MEMBER_FIXED("provisioningtype", "\"thin\""),
	MEMBER_FIXED("cacheMode", "\"none\""),
	MEMBER(struct instance_type, "offerha", offers_ha),
	MEMBER_FIXED(
		"limitcpuuse|isvolatile|issystem|defaultuse|iscustomized|dynamicscalingenabled|encryptroot",
		"false"),
	MEMBER_WRITTEN("rootdisksize", write_root_disk),
	MEMBER_WRITTEN("domainid", cs_write_offered, .also = CS_OFFERED_ALSO),
	MEMBER(struct instance_type, "state", enabled, .yes = "Active", .no = "Inactive"),
};

const struct api_listing cs_service_offerings =
	CS_LISTING(KIND_INSTANCE_TYPE, "serviceoffering", members, .get_name = cs_service_name,
		   .is_by_name = true, .matches = matches);
static const struct cs_action actions[] = {
	{CS_ACTION("listServiceOfferings", "ec2:DescribeInstanceTypes"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_offerings, params), .listing = &cs_service_offerings,
	 .doc = "Lists service offerings."},
};
const struct api_actions cs_offering_actions = API_ACTIONS(actions);
