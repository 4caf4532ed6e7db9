/* SPDX-License-Identifier: Apache-2.0
 * The face as a whole: its actions, summed up, and its life. */
#include "api/ec2/core/face.h"

#include <assert.h>
#include <stdlib.h>

#include "api/ec2/core/errors.h"
#include "base/heap.h"

enum { ACTIONS_MAX = 256, BODY_CAP_SIZE = 1024 * 1024 };

static const struct ec2_actions *const action_groups[] = {
#define GROUP(name) &ec2_##name##_actions,
#include "api/ec2/core/action_groups.def"
#undef GROUP
};

struct ec2_face {
	struct api_face core;
	struct ec2_config config;
	char *region, *endpoint;
	struct ec2_item_cache *item_cache;
	uint64_t rows_looked_at; /* atomic */
};

static int compare_actions(const void *a, const void *b)
{
	const struct ec2_action *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

size_t ec2_sum_actions(const struct ec2_action **out, size_t max)
{
	size_t count = 0;
	for (size_t g = 0; g < sizeof action_groups / sizeof action_groups[0]; g++)
		for (size_t k = 0; k < action_groups[g]->count && count < max; k++)
			out[count++] = &action_groups[g]->at[k];
	assert(count < max); /* there was room for all */
	qsort(out, count, sizeof *out, compare_actions);
	for (size_t k = 1; k < count; k++)
		assert(strcmp(out[k - 1]->name, out[k]->name) != 0);
	return count;
}

const struct http_face ec2_http_face = {
	.name = "ec2", .handle = api_handle_call, .reject = ec2_reject, .body_cap_size = BODY_CAP_SIZE};

void ec2_begin_call(struct api_call *core)
{
	struct ec2_face *face = (struct ec2_face *) core->face;
	struct ec2_call *e = ec2_call_of(core);
	e->config = &face->config;
	e->item_cache = face->item_cache;
	e->rows_looked_at = &face->rows_looked_at;
}

RESULT ec2_new(struct ctx *c, const struct ec2_config *config, struct ec2_face **ret_face)
{
	struct ec2_face *face = heap_new(struct ec2_face);
	if (!face)
		return ctx_no_memory(c);
	face->config = *config;
	face->region = heap_copy_z(str_to_z(c->arena, config->region));
	face->endpoint = heap_copy_z(str_to_z(c->arena, config->endpoint));
	face->item_cache = ec2_item_cache_new();
	face->core = (struct api_face){.protocol = &ec2_protocol,
				       .http = &ec2_http_face,
				       .store = config->store,
				       .guards = config->guards,
				       .limits = config->limits,
				       .reconciler = config->reconciler,
				       .cache = response_cache_new()};
	if (!face->region || !face->endpoint || !face->item_cache || !face->core.cache) {
		ec2_free(face);
		return ctx_no_memory(c);
	}
	face->config.region = str_from(face->region);
	face->config.endpoint = str_from(face->endpoint);
	const struct ec2_action *actions[ACTIONS_MAX];
	size_t count = ec2_sum_actions(actions, ACTIONS_MAX);
	for (size_t k = 0; k < count; k++)
		api_add_action(&face->core, &actions[k]->core);
	api_sort_actions(&face->core);
	*ret_face = face;
	return OK;
}

void ec2_free(struct ec2_face *face)
{
	if (!face)
		return;
	heap_free(face->region);
	heap_free(face->endpoint);
	ec2_item_cache_free(face->item_cache);
	response_cache_free(face->core.cache);
	heap_free(face);
}

void ec2_read_figures(const struct ec2_face *face, struct ec2_figures *ret_figures)
{
	*ret_figures = (struct ec2_figures){.rows_looked_at =
						    __atomic_load_n(&face->rows_looked_at, __ATOMIC_RELAXED)};
}
