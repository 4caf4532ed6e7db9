/* SPDX-License-Identifier: Apache-2.0
 * Writes the tables as JSON, for `dari dump actions`, the documentation, and tests that compare them with EC2's
 * published model. Also lists the names of all EC2 actions. */
#include "api/ec2/account/sts.h"
#include "api/ec2/core/codes.h"
#include "api/ec2/core/list.h"
#include "api/query/codes.h"

enum { DUMP_ACTIONS_MAX = 512 };

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

/* Number of examples that the AWS CLI's documentation has for each action, and how many of them get the
 * same answer here; counted by tests/contract/ec2/examples.py. */
static const struct {
	const char *action;
	int equal, count;
} examples[] = {
#define EXAMPLES(action, equal, count) {#action, equal, count},
#include "api/ec2/core/examples.def"
#undef EXAMPLES
};

static void write_examples(struct json_writer *w, const struct ec2_action *a)
{
	for (size_t k = 0; k < sizeof examples / sizeof examples[0]; k++)
		if (strcmp(examples[k].action, a->name) == 0) {
			json_write_int(w, "examples", examples[k].count);
			json_write_int(w, "examples_equal", examples[k].equal);
		}
}

static void write_action(struct json_writer *w, const struct ec2_action *a)
{
	static const struct param dry_run = {
		.wire = "DryRun",
		.type = PARAM_BOOL,
		.doc = "Checks whether the request would succeed, without carrying it out."};
	static const struct params common = {&dry_run, 1, 0};
	const struct ec2_listing *list = ec2_shown_list(a);
	const struct filters *filters = list ? &list->filters : &a->filters;
	bool is_of_sts = a->flags & EC2_OF_STS;
	dump_open_action(w, &request_dump_form, &a->core, is_of_sts ? "sts" : "ec2", a->name);
	json_write_bool(w, "observes", a->flags & API_OBSERVES);
	dump_params(w, &request_dump_form, is_of_sts ? NULL : &common, &a->args);
	struct filter filter;
	json_write_open_list(w, "filters");
	for (size_t k = 0; filters_get(filters, k, &filter); k++)
		json_write_z(w, NULL, filter.name);
	json_write_close_list(w);
	if (list && list->attributes)
		attributes_dump(w, list->kind, list->attributes);
	write_examples(w, a);
	if (is_of_sts)
		query_dump_codes(w, &sts_codes, a->name);
	else
		ec2_dump_codes(w, a);
	json_write_close(w);
}

/* Actions left out on purpose: name pattern and reason. The first pattern that fits counts. */
static const struct left_out {
	const char *pattern, *what, *why;
} left_out[] = {
#define LEFT_OUT(pattern, what, why) {pattern, what, why},
#define LEFT_OUT_CODE(pattern, why)
#include "api/ec2/core/left_out.def"
#include "api/query/codes.h"
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

/* Writes the actions left out for the reason; NULL: for any reason. */
static void write_unbuilt(struct json_writer *w, const char *key, const struct ec2_action *const *actions,
			  size_t count, const char *why)
{
	size_t built = 0;
	json_write_open_list(w, key);
	for (size_t k = 0; k < KNOWN_COUNT; k++) {
		const struct left_out *l = find_left_out(known[k]);
		while (built < count && strcmp(actions[built]->name, known[k]) < 0)
			built++;
		bool is_built = built < count && strcmp(actions[built]->name, known[k]) == 0;
		if (!is_built && (!why || (l && strcmp(l->why, why) == 0)))
			json_write_z(w, NULL, known[k]);
	}
	json_write_close_list(w);
}

void ec2_dump_answers(struct json_writer *w)
{
	const struct ec2_action *actions[DUMP_ACTIONS_MAX];
	size_t count = ec2_sum_actions(actions, DUMP_ACTIONS_MAX);
	for (size_t k = 0; k < count; k++) {
		const struct ec2_listing *list = ec2_shown_list(actions[k]);
		if (list && list->attributes)
			dump_answer(w, "ec2", "ec2", actions[k]->name, list->kind, list->attributes);
	}
}

void ec2_dump_actions(struct buf *out)
{
	const struct ec2_action *actions[DUMP_ACTIONS_MAX];
	size_t count = ec2_sum_actions(actions, DUMP_ACTIONS_MAX);
	struct json_writer w;
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	for (size_t k = 0; k < count; k++)
		write_action(&w, actions[k]);
	json_write_close_list(&w);
	dump_kinds(&w);
	write_unbuilt(&w, "unbuilt", actions, count, NULL);
	json_write_open_list(&w, "left_out");
	for (size_t k = 0; k < LEFT_OUT_COUNT; k++) {
		if (k && strcmp(left_out[k - 1].why, left_out[k].why) == 0)
			continue; /* another pattern of the same reason */
		json_write_open(&w, NULL);
		json_write_z(&w, "what", left_out[k].what);
		json_write_z(&w, "why", left_out[k].why);
		write_unbuilt(&w, "actions", actions, count, left_out[k].why);
		json_write_close(&w);
	}
	json_write_close_list(&w);
	json_write_open(&w, "of_all");
	ec2_dump_codes(&w, NULL);
	json_write_close(&w);
	json_write_open(&w, "of_sts");
	query_dump_codes(&w, &sts_codes, NULL);
	json_write_close(&w);
	json_write_open_list(&w, "sts_left_out_codes");
	for (size_t k = 0; k < sts_codes.reason_count; k++) {
		json_write_open(&w, NULL);
		json_write_z(&w, "why", sts_codes.reasons[k].why);
		json_write_open_list(&w, "codes");
		json_write_z(&w, NULL, sts_codes.reasons[k].code);
		json_write_close_list(&w);
		json_write_close(&w);
	}
	json_write_close_list(&w);
	ec2_dump_left_out_codes(&w);
	json_write_close(&w);
}
