/* SPDX-License-Identifier: Apache-2.0
 * The tables as JSON, for `dari dump actions`, the documentation and the tests that hold them
 * against EC2's published model; and the names of all its actions. */
#include "api/query/dump.h"
#include "api/ec2/list.h"

enum { DUMP_ACTIONS_MAX = 256 };

static const char *const known[] = {
#define KNOWN(name) #name,
#include "api/ec2/actions_known.def"
#undef KNOWN
};

enum { KNOWN_COUNT = sizeof known / sizeof known[0] };

bool ec2_is_known_action(struct str name)
{
	size_t low = 0, high = KNOWN_COUNT;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = str_compare(name, str_from(known[middle]));
		if (order == 0)
			return true;
		*(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
	}
	return false;
}

static void add_action(struct buf *out, const struct ec2_action *a)
{
	static const struct param dry_run = {
		.wire = "DryRun", .type = PARAM_BOOL, .doc = "Only says whether the request would succeed."};
	static const struct params common = {&dry_run, 1, 0};
	const struct filters *filters = a->list ? &a->list->filters : &a->filters;
	bool first = true;
	buf_add_str(out, STR("    {"));
	params_dump_member(out, "name", a->name);
	params_dump_member(out, "doc", a->doc);
	params_dump_member(out, "permit", a->permit);
	params_dump_member(out, "service", a->flags & OF_STS ? "sts" : "ec2");
	buf_print(out, "\"writes\": %s, \"observes\": %s, \"params\": [",
		  a->flags & WRITES ? "true" : "false", a->flags & OBSERVES ? "true" : "false");
	if (!(a->flags & OF_STS))
		params_dump(out, &common, &first);
	params_dump(out, &a->args, &first);
	buf_add_str(out, STR("],\n      \"filters\": ["));
	for (size_t k = 0; k < filters->count; k++) {
		buf_add_str(out, k ? STR(", ") : STR(""));
		params_dump_text(out, filters->at[k].name);
	}
	buf_add_str(out, STR("]}"));
}

void ec2_dump_actions(struct buf *out)
{
	const struct ec2_action *actions[DUMP_ACTIONS_MAX];
	size_t count = ec2_sum_actions(actions, DUMP_ACTIONS_MAX), built = 0;
	buf_add_str(out, STR("{\n  \"actions\": [\n"));
	for (size_t k = 0; k < count; k++) {
		add_action(out, actions[k]);
		buf_add_str(out, k + 1 < count ? STR(",\n") : STR("\n"));
	}
	buf_add_str(out, STR("  ],\n  \"unbuilt\": ["));
	bool first = true;
	for (size_t k = 0; k < KNOWN_COUNT; k++) {
		while (built < count && strcmp(actions[built]->name, known[k]) < 0)
			built++;
		if (built < count && strcmp(actions[built]->name, known[k]) == 0)
			continue;
		buf_add_str(out, first ? STR("\n    ") : STR(", "));
		params_dump_text(out, known[k]);
		first = false;
	}
	buf_add_str(out, STR("]\n}\n"));
}
