/* SPDX-License-Identifier: Apache-2.0
 * Sizes: the region's instance types by their own names. Source: Azure REST API reference, "Virtual Machine Sizes",
 * 2022-08-01. */
#include "api/azure/core/action.h"

#include "engine/resolve.h"
#include "store/instance_type.h"

enum { DATA_DISKS_MAX = 24 };

/* Of types that are offered, and to this account. */
static bool may_use(struct az_call *e, const struct instance_type *t)
{
	if (!row_is_live(&t->row) || !t->enabled)
		return false;
	for (size_t k = 0; k < t->users.count; k++)
		if (uuid_equal(t->users.at[k], e->c->who->account))
			return true;
	return t->is_public;
}

static RESULT list_sizes(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = az_tables(e);
	(void) args;
	json_write_open_list(w, "value");
	for (const struct instance_type *type = instance_type_first(t); type;
	     type = instance_type_next(t, type)) {
		if (!may_use(e, type))
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "name", type->name);
		json_write_int(w, "numberOfCores", type->vcpus);
		json_write_int(w, "osDiskSizeInMB", type->root_disk >> 20);
		json_write_int(w, "resourceDiskSizeInMB", 0);
		json_write_int(w, "memoryInMB", type->memory >> 20);
		json_write_int(w, "maxDataDiskCount", DATA_DISKS_MAX);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION AZ_COMPUTE "/locations/{location}/vmSizes",
	 .name = "VirtualMachineSizes_List", .permit = "ec2:DescribeInstanceTypes", .type = AZ_SIZES,
	 .answer = list_sizes, .doc = "Sizes of virtual machines."},
};
const struct api_actions az_size_actions = API_ACTIONS(actions);
