/* SPDX-License-Identifier: Apache-2.0
 * Sizes: the region's instance types under their own names, and common Azure names. An Azure name stands for
 * the smallest type with at least its vCPUs and memory, and shows that type's figures. Sources: Azure REST
 * API reference, "Virtual Machine Sizes", 2022-08-01, and "Resource SKUs", 2021-07-01; "Sizes for virtual
 * machines in Azure".
 */
#include "api/azure/compute/compute.h"

#include "engine/resolve.h"
#include "store/instance_type.h"

#define MIB (INT64_C(1) << 20)
enum { DATA_DISKS_MAX = 24 };

static const struct {
	const char *name, *family;
	int64_t vcpus, memory_mib;
} named[] = {
	{"Standard_A1_v2", "standardAv2Family", 1, 2048},
	{"Standard_A2_v2", "standardAv2Family", 2, 4096},
	{"Standard_B1ls", "standardBSFamily", 1, 512},
	{"Standard_B1s", "standardBSFamily", 1, 1024},
	{"Standard_B1ms", "standardBSFamily", 1, 2048},
	{"Standard_B2s", "standardBSFamily", 2, 4096},
	{"Standard_B2ms", "standardBSFamily", 2, 8192},
	{"Standard_B4ms", "standardBSFamily", 4, 16384},
	{"Standard_D2s_v3", "standardDSv3Family", 2, 8192},
	{"Standard_D4s_v3", "standardDSv3Family", 4, 16384},
	{"Standard_D8s_v3", "standardDSv3Family", 8, 32768},
	{"Standard_D2s_v5", "standardDSv5Family", 2, 8192},
	{"Standard_D4s_v5", "standardDSv5Family", 4, 16384},
	{"Standard_DS1_v2", "standardDSv2Family", 1, 3584},
	{"Standard_DS2_v2", "standardDSv2Family", 2, 7168},
	{"Standard_DS3_v2", "standardDSv2Family", 4, 14336},
	{"Standard_E2s_v3", "standardESv3Family", 2, 16384},
	{"Standard_E4s_v3", "standardESv3Family", 4, 32768},
	{"Standard_F2s_v2", "standardFSv2Family", 2, 4096},
	{"Standard_F4s_v2", "standardFSv2Family", 4, 8192},
};
enum { NAMED_COUNT = sizeof named / sizeof named[0] };

/* True if the type is offered, and to this account. */
bool az_may_use_type(struct az_call *e, const struct instance_type *t)
{
	if (!row_is_live(&t->row) || !t->enabled)
		return false;
	for (size_t k = 0; k < t->users.count; k++)
		if (uuid_equal(t->users.at[k], e->c->who->account))
			return true;
	return t->is_public;
}

static bool is_less(const struct instance_type *a, const struct instance_type *b)
{
	if (a->memory != b->memory)
		return a->memory < b->memory;
	return a->vcpus != b->vcpus ? a->vcpus < b->vcpus : str_compare(a->name, b->name) < 0;
}

static const struct instance_type *find_least(struct az_call *e, int64_t vcpus, int64_t memory)
{
	const struct instance_type *least = NULL, *type = instance_type_first(az_tables(e));
	for (; type; type = instance_type_next(az_tables(e), type))
		if (type->vcpus >= vcpus && type->memory >= memory && az_may_use_type(e, type) &&
		    (!least || is_less(type, least)))
			least = type;
	return least;
}

const struct instance_type *az_type_of_size(struct az_call *e, struct str size)
{
	for (size_t k = 0; k < NAMED_COUNT; k++)
		if (str_equal_nocase(size, str_from(named[k].name)))
			return find_least(e, named[k].vcpus, named[k].memory_mib * MIB);
	const struct instance_type *type = instance_type_first(az_tables(e));
	while (type && !(str_equal_nocase(type->name, size) && az_may_use_type(e, type)))
		type = instance_type_next(az_tables(e), type);
	return type;
}

/* ---- lists ---- */

static void write_size(struct json_writer *w, struct str name, const struct instance_type *type)
{
	json_write_open(w, NULL);
	json_write_text(w, "name", name);
	json_write_int(w, "numberOfCores", type->vcpus);
	json_write_int(w, "osDiskSizeInMB", type->root_disk / MIB);
	json_write_int(w, "resourceDiskSizeInMB", 0);
	json_write_int(w, "memoryInMB", type->memory / MIB);
	json_write_int(w, "maxDataDiskCount", DATA_DISKS_MAX);
	json_write_close(w);
}

static void write_capability(struct json_writer *w, const char *name, struct str value)
{
	json_write_open(w, NULL);
	json_write_z(w, "name", name);
	json_write_text(w, "value", value);
	json_write_close(w);
}

static void write_sku(struct az_call *e, struct json_writer *w, struct str name, const char *family,
		      const struct instance_type *type)
{
	struct arena *a = e->c->arena;
	json_write_open(w, NULL);
	json_write_z(w, "resourceType", "virtualMachines");
	json_write_text(w, "name", name);
	json_write_z(w, "tier", "Standard");
	json_write_text(w, "size",
			str_starts_with(name, STR("Standard_")) ? str_slice(name, 9, name.n) : name);
	json_write_z(w, "family", family);
	json_write_open_list(w, "locations");
	json_write_text(w, NULL, az_location(e));
	json_write_close_list(w);
	json_write_open_list(w, "locationInfo");
	json_write_close_list(w);
	json_write_open_list(w, "capabilities");
	write_capability(w, "vCPUs", str_print(a, "%lld", (long long) type->vcpus));
	write_capability(w, "MemoryGB", str_print(a, "%g", (double) (type->memory / MIB) / 1024));
	write_capability(w, "MaxDataDiskCount", str_print(a, "%d", DATA_DISKS_MAX));
	write_capability(w, "PremiumIO", STR("True"));
	json_write_close_list(w);
	json_write_open_list(w, "restrictions");
	json_write_close_list(w);
	json_write_close(w);
}

typedef void write_type(struct az_call *e, struct json_writer *w, struct str name, const char *family,
			const struct instance_type *type);
static void write_as_size(struct az_call *e, struct json_writer *w, struct str name, const char *family,
			  const struct instance_type *type)
{
	(void) e;
	(void) family;
	write_size(w, name, type);
}

static void list_types(struct az_call *e, struct json_writer *w, write_type *write)
{
	json_write_open_list(w, "value");
	for (size_t k = 0; k < NAMED_COUNT; k++) {
		const struct instance_type *type = find_least(e, named[k].vcpus, named[k].memory_mib * MIB);
		if (type)
			write(e, w, str_from(named[k].name), named[k].family, type);
	}
	const struct instance_type *type = instance_type_first(az_tables(e));
	for (; type; type = instance_type_next(az_tables(e), type))
		if (az_may_use_type(e, type))
			write(e, w, type->name, "", type);
	json_write_close_list(w);
}

static RESULT list_sizes(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	list_types(e, w, write_as_size);
	return OK;
}

/* $filter: location eq 'koreacentral' */
static RESULT list_skus(struct az_call *e, const void *args, struct json_writer *w)
{
	struct str rest = az_query_value(e, "$filter"), location = STR_NONE;
	bool is_good = !rest.n ||
		       (az_take_word(&rest, STR("location")) && az_take_value(&rest, &location) && !rest.n);
	(void) args;
	if (!is_good)
		return az_fail(e, "$filter",
			       "The filter '%" STR_FMT "' is not supported: it is location eq '{name}'.",
			       STR_ARG(str_slice(az_query_value(e, "$filter"), 0, 128)));
	if (!location.n || str_equal(az_fold_location(e, location), az_location(e))) {
		list_types(e, w, write_sku);
		return OK;
	}
	json_write_open_list(w, "value");
	json_write_close_list(w);
	return OK;
}

static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION AZ_COMPUTE "/locations/{location}/vmSizes",
	 .name = "VirtualMachineSizes_List", .permit = "ec2:DescribeInstanceTypes", .type = AZ_SIZES,
	 .answer = list_sizes, .doc = "Lists the sizes of virtual machines."},
	{HTTP_GET, AZ_GROUP AZ_COMPUTE "/virtualMachines/{vmName}/vmSizes",
	 .name = "VirtualMachines_ListAvailableSizes", .permit = "ec2:DescribeInstanceTypes",
	 .type = AZ_MACHINES, .kind = KIND_INSTANCE, .names = "vmName", .answer = list_sizes,
	 .doc = "Lists the sizes that a virtual machine can be resized to."},
	{HTTP_GET, AZ_GROUP AZ_COMPUTE "/availabilitySets/{availabilitySetName}/vmSizes",
	 .name = "AvailabilitySets_ListAvailableSizes", .permit = "ec2:DescribeInstanceTypes",
	 .type = AZ_AVAILABILITY_SETS, .kind = KIND_SERVER_GROUP, .names = "availabilitySetName",
	 .answer = list_sizes,
	 .doc = "Lists the sizes that virtual machines of an availability set can have."},
	{HTTP_GET, AZ_SUBSCRIPTION AZ_COMPUTE "/skus", .name = "ResourceSkus_List",
	 .permit = "ec2:DescribeInstanceTypes", .type = AZ_SKUS, .answer = list_skus,
	 .query = "$filter|includeExtendedLocations", .doc = "Lists compute SKUs with their capabilities."},
};
const struct api_actions az_size_actions = API_ACTIONS(actions);
