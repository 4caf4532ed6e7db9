/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes the reader of answers of EC2-like clouds. What it accepts must fit into a row. */
#include <stdlib.h>

#include "drivers/remote/ec2/answer.h"
#include "drivers/remote/ec2/items.h"
#include "drivers/remote/ec2/resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_resources(struct ctx *c, struct str text)
{
	struct remote_resource_page page;
	for (int type = 0; type <= REMOTE_RESOURCE_TYPE_STACK_RESOURCE; type++)
		if ((RESOURCE_TYPES_ALL | RESOURCE_TYPES_STACKS) & 1U << type &&
		    result_is_ok(ec2_read_resources(c, text, (enum remote_resource_type) type, &page)))
			for (size_t k = 0; k < page.count; k++)
				if (!page.at[k].ref.n ||
				    row_find_too_large(&model_kinds[KIND_REMOTE_RESOURCE], &page.at[k].row))
					abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(ARENA_FIRST_SIZE, 16 << 20);
	struct ec2_answer answer;
	struct ctx c;
	ctx_init(&c, a);
	if (result_is_ok(ec2_read_answer(&c, (struct str){(const char *) data, size}, &answer)))
		for (size_t k = 0; k < answer.machine_count; k++)
			if (!answer.machines[k].ref.n ||
			    row_find_too_large(&model_kinds[KIND_REMOTE_MACHINE], &answer.machines[k].row))
				abort();
	struct ec2_items list = {.path = "snapshotSet/item", .fields = {"snapshotId", "tag:a"}, .most = 100};
	if (result_is_ok(ec2_read_items(&c, (struct str){(const char *) data, size}, "R", &list)))
		for (size_t k = 0; k < list.count; k++)
			if (list.count > 100 || list.at[k].at[0].n > 255)
				abort();
	read_resources(&c, (struct str){(const char *) data, size});
	arena_free(a);
	return 0;
}
