/* SPDX-License-Identifier: Apache-2.0
 * The face as a whole: collects its actions, starts and stops. */
#include "api/ec2/core/face.h"

#include <assert.h>

static const struct api_actions *const groups[] = {
#define GROUP(name) &ec2_##name##_actions,
#include "api/ec2/core/action_groups.def"
#undef GROUP
};
const struct api_groups ec2_action_groups = {groups, sizeof groups / sizeof groups[0]};

size_t ec2_sum_actions(const struct ec2_action **out, size_t max)
{
	struct api_entries all;
	api_sum_actions(&ec2_action_groups, &all);
	assert(all.count < max);
	for (size_t k = 0; k < all.count; k++)
		out[k] = ec2_row_of(all.at[k].action);
	return all.count;
}

void ec2_begin_call(struct api_call *core)
{
	struct ec2_face *face = (struct ec2_face *) core->face;
	struct ec2_call *e = ec2_call_of(core);
	e->item_cache = face->item_cache;
}

/* The endpoint without its scheme, as in "127.0.0.1:8788". */
static struct str find_endpoint(struct str url)
{
	struct str host = url, scheme;
	bool has_scheme = str_contains(url, STR("//")) && str_split_next(&host, '/', &scheme) &&
			  str_split_next(&host, '/', &scheme);
	return has_scheme ? host : url;
}

bool ec2_open(struct api_face *core)
{
	struct ec2_face *face = (struct ec2_face *) core;
	core->config.endpoint = find_endpoint(core->config.endpoint);
	face->item_cache = ec2_item_cache_new();
	return face->item_cache;
}

void ec2_close(struct api_face *core)
{
	ec2_item_cache_free(((struct ec2_face *) core)->item_cache);
}
