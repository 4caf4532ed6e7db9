/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes the readers of vCenter's answers. What they accept must fit into a row. */
#include <stdlib.h>

#include "drivers/remote/vmware/acts.h"
#include "drivers/remote/vmware/changes.h"
#include "drivers/remote/vmware/machines.h"
#include "drivers/remote/vmware/metrics.h"
#include "drivers/remote/vmware/resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_machines(struct ctx *c, struct str text)
{
	struct vmware_fields fields = {0};
	struct remote_page page;
	if (!result_is_ok(vmware_read_fields(c, text, &fields)))
		fields.count = 0;
	if (fields.count > VIM_FIELDS_MAX)
		abort();
	if (result_is_ok(vmware_read_machines(c, text, "RetrievePropertiesEx", &fields, false, &page)))
		for (size_t k = 0; k < page.count; k++)
			if (!page.machines[k].ref.n ||
			    row_find_too_large(&model_kinds[KIND_REMOTE_MACHINE], &page.machines[k].row))
				abort();
}

static void read_resources(struct ctx *c, struct str text)
{
	struct remote_resource_page page;
	for (int type = 0; type <= REMOTE_RESOURCE_TYPE_DATASTORE; type++)
		if (VIM_RESOURCE_TYPES & 1U << type &&
		    result_is_ok(vmware_read_resources(c, text, (enum remote_resource_type) type, &page)))
			for (size_t k = 0; k < page.count; k++)
				if (!page.at[k].ref.n ||
				    row_find_too_large(&model_kinds[KIND_REMOTE_RESOURCE], &page.at[k].row))
					abort();
}

static void read_metrics(struct ctx *c, struct str text)
{
	static struct remote_metric_point points[REMOTE_METRIC_POINTS];
	const struct str ref = STR("vm-1");
	const struct remote_metrics_query query = {.refs = &ref, .count = 1};
	int64_t ids[VIM_COUNTERS_COUNT] = {2, 3, 4, 5, 6};
	IGNORE(vmware_read_points(c, text, ids, &query, points)); /* any outcome will do */
	for (size_t k = 0; k < REMOTE_METRIC_POINTS; k++)
		if (points[k].cpu_percent < 0 || points[k].received < 0 || points[k].written < 0)
			abort();
	IGNORE(vmware_read_counters(c, text, ids));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(ARENA_FIRST_SIZE, 16 << 20);
	const struct str text = {(const char *) data, size};
	struct vmware_fault fault;
	struct vmware_task task;
	struct ctx c;
	ctx_init(&c, a);
	read_machines(&c, text);
	read_resources(&c, text);
	read_metrics(&c, text);
	if (result_is_ok(vmware_read_fault(&c, text, &fault)) && !fault.name.n && !fault.words.n)
		abort();
	IGNORE(vmware_read_task(&c, text, &task));
	struct remote_changes changes = {0};
	struct str version;
	if (result_is_ok(vmware_read_updates(&c, text, false, &changes, &version)) &&
	    changes.count > REMOTE_TOUCHES_MAX)
		abort();
	arena_free(a);
	return 0;
}
