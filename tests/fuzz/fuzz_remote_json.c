/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes the readers of answers of OpenStack, CloudStack and Azure; the first byte chooses one. What they accept must
 * fit into a row. */
#include <stdlib.h>

#include "drivers/remote/azure/answer.h"
#include "drivers/remote/azure/changes.h"
#include "drivers/remote/azure/metrics.h"
#include "drivers/remote/azure/resources.h"
#include "drivers/remote/cloudstack/answer.h"
#include "drivers/remote/cloudstack/metrics.h"
#include "drivers/remote/cloudstack/resources.h"
#include "drivers/remote/ec2/changes.h"
#include "drivers/remote/openstack/answer.h"
#include "drivers/remote/openstack/changes.h"
#include "drivers/remote/openstack/metrics.h"
#include "drivers/remote/openstack/resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct remote_machine *machines, size_t count)
{
	for (size_t k = 0; k < count; k++)
		if (!machines[k].ref.n ||
		    row_find_too_large(&model_kinds[KIND_REMOTE_MACHINE], &machines[k].row))
			abort();
}

static void check_resources(const struct remote_resource_page *page)
{
	for (size_t k = 0; k < page->count; k++)
		if (!page->at[k].ref.n ||
		    row_find_too_large(&model_kinds[KIND_REMOTE_RESOURCE], &page->at[k].row))
			abort();
}

/* The answer as a list of that type, of each cloud. */
static void read_resources(struct ctx *c, const json_t *root, unsigned type_bits)
{
	enum remote_resource_type type =
		(enum remote_resource_type)(type_bits % (REMOTE_RESOURCE_TYPE_ADDRESS + 1));
	enum remote_resource_type stack =
		type_bits & 1 ? REMOTE_RESOURCE_TYPE_STACK : REMOTE_RESOURCE_TYPE_STACK_RESOURCE;
	struct remote_resource_page page;
	if (result_is_ok(openstack_read_resources(c, root, stack, &page)) &&
	    result_is_ok(resource_put_into_stack(c, STR("s"), &page)))
		check_resources(&page);
	if (result_is_ok(openstack_read_resources(c, root, type, &page)))
		check_resources(&page);
	if (result_is_ok(azure_read_resources(c, root, type, STR("s"), STR("all"), &page)))
		check_resources(&page);
	if (CLOUDSTACK_RESOURCE_TYPES & 1U << type &&
	    result_is_ok(cloudstack_read_resources(c, root, type, STR("all"), &page)))
		check_resources(&page);
}

/* Feeds: whatever they say, the machines that they name have proper ids. */
static void read_changes(struct ctx *c, const json_t *root)
{
	struct remote_changes changes = {0};
	struct strs receipts;
	IGNORE(ec2_read_messages(c, root, &changes, &receipts)); /* any outcome will do */
	IGNORE(azure_read_events(c, root, STR("s"), 0, &changes));
	IGNORE(openstack_read_changed(c, root, 0, &changes));
	for (size_t k = 0; k < changes.count; k++)
		if (changes.count > REMOTE_TOUCHES_MAX || !draft_is_id(changes.at[k].ref))
			abort();
}

static void read_openstack(struct ctx *c, const json_t *root)
{
	struct remote_page page;
	struct remote_machine one;
	struct openstack_token token;
	if (result_is_ok(openstack_read_servers(c, root, &page)))
		check(page.machines, page.count);
	if (result_is_ok(openstack_read_server(c, root, &one)))
		check(&one, 1);
	IGNORE(openstack_read_token(c, root, STR("r"), &token));
	(void) openstack_read_minor(c, root);
}

static void read_cloudstack(struct ctx *c, const json_t *root)
{
	struct remote_page page;
	size_t count = 0;
	if (result_is_ok(cloudstack_read_machines(c, root, STR("all"), &page, &count)))
		check(page.machines, page.count);
	(void) cloudstack_read_account(c, root, STR("k"));
}

static void read_azure(struct ctx *c, const json_t *root)
{
	struct remote_machines list = {0};
	const struct azure_addresses none = {0};
	if (result_is_ok(azure_read_machine(c, root, STR("s"), &none, &list))) {
		check(list.at, list.count);
		if (!azure_path_of_ref(c, list.at[0].ref, STR("s")).n)
			abort();
	}
	(void) azure_may(c, json_object_get(root, "value"), "Microsoft.Compute/virtualMachines/read");
}

/* Metrics of the machine "vm" from time 0 on, as each cloud answers. */
static void read_metrics(struct ctx *c, const json_t *root)
{
	static struct remote_metric_point points[REMOTE_METRIC_POINTS];
	static const int64_t vcpus = 2;
	const struct str ref = STR("vm");
	const struct remote_metrics_query query = {.refs = &ref, .vcpus = &vcpus, .count = 1};
	static struct gnocchi_list list;
	list.count = 0;
	struct result results[] = {azure_read_points(c, root, &query, points),
				   cloudstack_read_points(c, root, &query, points)};
	for (int type = 0; type < GNOCCHI_TYPES; type++)
		IGNORE(openstack_read_series(c, json_object_get(root, "found"), (enum gnocchi_type) type,
					     &query, &list));
	IGNORE(openstack_read_points(c, root, &list, &query, points));
	for (size_t k = 0; k < REMOTE_METRIC_POINTS; k++)
		if (!(points[k].cpu_percent >= 0 && points[k].received >= 0 && points[k].written >= 0))
			abort();
	(void) results;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctx c;
	json_t *root = NULL;
	if (size < 2)
		return 0;
	struct arena *a = arena_new(ARENA_FIRST_SIZE, 16 << 20);
	ctx_init(&c, a);
	if (result_is_ok(remote_parse_json(&c, (struct str){(const char *) data + 1, size - 1}, &root))) {
		if (data[0] == 255)
			read_metrics(&c, root);
		else if (data[0] == 254)
			read_changes(&c, root);
		else if (data[0] % 4 == 0)
			read_openstack(&c, root);
		else if (data[0] % 4 == 1)
			read_cloudstack(&c, root);
		else if (data[0] % 4 == 2)
			read_azure(&c, root);
		else
			read_resources(&c, root, data[0] / 4);
	}
	json_decref(root);
	arena_free(a);
	return 0;
}
