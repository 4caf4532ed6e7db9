/* SPDX-License-Identifier: Apache-2.0
 * The tables as JSON, for `dari dump actions`, the documentation and the tests that hold them
 * against EC2's published model; and the names of all its actions. */
#include "api/query/dump.h"
#include "api/ec2/core/codes.h"
#include "api/ec2/core/list.h"

enum { DUMP_ACTIONS_MAX = 256 };

static const char *const known[] = {
#define KNOWN(name) #name,
#include "api/ec2/core/actions_known.def"
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
	params_dump_action(out, &a->core, a->flags & EC2_OF_STS ? "sts" : "ec2");
	buf_print(out, "\"writes\": %s, \"observes\": %s, \"params\": [",
		  a->flags & API_WRITES ? "true" : "false", a->flags & API_OBSERVES ? "true" : "false");
	if (!(a->flags & EC2_OF_STS))
		params_dump(out, &common, &first);
	params_dump(out, &a->args, &first);
	buf_add_str(out, STR("],\n      \"filters\": ["));
	for (size_t k = 0; k < filters->count; k++) {
		buf_add_str(out, k ? STR(", ") : STR(""));
		params_dump_text(out, filters->at[k].name);
	}
	buf_add_str(out, STR("],\n      "));
	ec2_dump_codes(out, a);
	buf_add_char(out, '}');
}

/* What is left out on purpose: whose name fits the pattern, and why. The first that fits counts. */
static const struct left_out {
	const char *pattern, *what, *why;
} left_out[] = {
#define LEFT_OUT(pattern, what, why) {pattern, what, why},
#define LEFT_OUT_CODE(pattern, why)
#include "api/ec2/core/left_out.def"
#undef LEFT_OUT
#undef LEFT_OUT_CODE
};

enum { LEFT_OUT_COUNT = sizeof left_out / sizeof left_out[0] };

static const struct left_out *find_left_out(const char *name)
{
	for (size_t k = 0; k < LEFT_OUT_COUNT; k++)
		if (str_matches(str_from(name), str_from(left_out[k].pattern)))
			return &left_out[k];
	return NULL;
}

/* Those of the reason; NULL: all. */
static void add_unbuilt(struct buf *out, const struct ec2_action *const *actions, size_t count,
			const char *why)
{
	size_t built = 0;
	bool first = true;
	for (size_t k = 0; k < KNOWN_COUNT; k++) {
		const struct left_out *l = find_left_out(known[k]);
		while (built < count && strcmp(actions[built]->name, known[k]) < 0)
			built++;
		if ((built < count && strcmp(actions[built]->name, known[k]) == 0) ||
		    (why && !(l && strcmp(l->why, why) == 0)))
			continue;
		buf_add_str(out, first ? STR("\n    ") : STR(", "));
		params_dump_text(out, known[k]);
		first = false;
	}
}

void ec2_dump_actions(struct buf *out)
{
	const struct ec2_action *actions[DUMP_ACTIONS_MAX];
	size_t count = ec2_sum_actions(actions, DUMP_ACTIONS_MAX);
	buf_add_str(out, STR("{\n  \"actions\": [\n"));
	for (size_t k = 0; k < count; k++) {
		add_action(out, actions[k]);
		buf_add_str(out, k + 1 < count ? STR(",\n") : STR("\n"));
	}
	buf_add_str(out, STR("  ],\n  \"unbuilt\": ["));
	add_unbuilt(out, actions, count, NULL);
	buf_add_str(out, STR("],\n  \"left_out\": ["));
	for (size_t k = 0; k < LEFT_OUT_COUNT; k++) {
		if (k && strcmp(left_out[k - 1].why, left_out[k].why) == 0)
			continue; /* another pattern of the same */
		buf_add_str(out, k ? STR(",\n    {") : STR("\n    {"));
		params_dump_member(out, "what", left_out[k].what);
		params_dump_member(out, "why", left_out[k].why);
		buf_add_str(out, STR("\"actions\": ["));
		add_unbuilt(out, actions, count, left_out[k].why);
		buf_add_str(out, STR("]}"));
	}
	buf_add_str(out, STR("],\n  \"of_all\": {"));
	ec2_dump_codes(out, NULL);
	buf_add_str(out, STR("},\n  \"left_out_codes\": "));
	ec2_dump_left_out_codes(out);
	buf_add_str(out, STR("\n}\n"));
}
