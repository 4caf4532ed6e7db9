/* SPDX-License-Identifier: Apache-2.0
 * The tables as JSON, for `dari dump actions`, the documentation and the tests that hold them
 * against EC2's published model; and the names of all its actions. */
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

/* ---- JSON: our own literals only, in which quotes and backslashes are all there is to escape ---- */

static void add_text(struct buf *out, const char *text)
{
	buf_add_char(out, '"');
	for (; text && *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

static void add_member(struct buf *out, const char *name, const char *text)
{
	buf_print(out, "\"%s\": ", name);
	add_text(out, text);
	buf_add_str(out, STR(", "));
}

static const char *type_word(const struct param *p)
{
	static const char *const words[] = {
		[PARAM_NOT_BUILT] = "any",
		[PARAM_TEXT] = "string",
		[PARAM_INT] = "integer",
		[PARAM_BOOL] = "boolean",
		[PARAM_CHOICE] = "boolean",
		[PARAM_ID] = "string",
		[PARAM_IP] = "string",
		[PARAM_CIDR] = "string",
		[PARAM_TEXTS] = "list of strings",
		[PARAM_IDS] = "list of strings",
		[PARAM_IPS] = "list of strings",
		[PARAM_TABLE] = "list of structures",
	};
	if (p->type == PARAM_CHOICE && p->yes)
		return "string";
	return words[p->type];
}

/* What stands before a parameter's name: the lists it is in. */
struct path {
	const struct path *outer;
	const char *list;
};

static void add_path(struct buf *out, const struct path *path)
{
	if (!path)
		return;
	add_path(out, path->outer);
	buf_print(out, "%s.N.", path->list);
}

static bool is_list(const struct param *p)
{
	return p->type == PARAM_TEXTS || p->type == PARAM_IDS || p->type == PARAM_IPS ||
	       p->type == PARAM_TABLE;
}

/* What the value has to be, beyond its type: for tests that send what it must not be. */
static const char *form_word(const struct param *p)
{
	static const char *const words[] = {[PARAM_ID] = "id",
					    [PARAM_IDS] = "id",
					    [PARAM_IP] = "ipv4",
					    [PARAM_IPS] = "ipv4",
					    [PARAM_CIDR] = "cidr"};
	if (p->flags & (BASE64 | BY_NAME))
		return p->flags & BASE64 ? "base64" : "name";
	if (p->type == PARAM_CIDR && p->flags & IPV6)
		return "ipv6 cidr";
	return (size_t) p->type < sizeof words / sizeof words[0] ? words[p->type] : NULL;
}

static bool is_text(const struct param *p)
{
	return p->type == PARAM_TEXT || p->type == PARAM_TEXTS || p->flags & BY_NAME;
}

static void add_bounds(struct buf *out, const struct param *p)
{
	const char *form = form_word(p);
	if (form)
		add_member(out, "form", form);
	if (form && strcmp(form, "id") == 0 && !(p->flags & ANY_KIND))
		add_member(out, "prefix", p->prefix ? p->prefix : model_kinds[p->kind].ec2_prefix);
	if (p->words)
		add_member(out, "words", p->words);
	if (p->yes)
		buf_print(out, "\"words\": \"%s|%s\", ", p->yes, p->no);
	if (p->absent)
		add_member(out, "absent", p->absent);
	int64_t max = is_text(p) && !p->max ? PARAM_TEXT_MAX : p->max;
	if (p->min || max)
		buf_print(out, "\"min\": %lld, \"max\": %lld, ", (long long) p->min, (long long) max);
}

/* One line for each parameter; members of lists as "IpPermissions.N.IpRanges.N.CidrIp". */
static void add_params(struct buf *out, const struct params *table, const struct path *outer, bool *first)
{
	for (size_t k = 0; k < table->count; k++) {
		const struct param *p = &table->at[k];
		const struct path inner = {outer, p->wire};
		buf_add_str(out, *first ? STR("\n      {\"name\": \"") : STR(",\n      {\"name\": \""));
		*first = false;
		add_path(out, outer);
		buf_print(out, "%s%s\", ", p->wire, is_list(p) ? ".N" : "");
		add_member(out, "type", type_word(p));
		add_bounds(out, p);
		if (p->only)
			add_member(out, "only", p->only);
		buf_print(out, "\"required\": %s, \"built\": %s, ", p->flags & REQUIRED ? "true" : "false",
			  p->type == PARAM_NOT_BUILT ? "false" : "true");
		buf_add_str(out, STR("\"doc\": "));
		add_text(out, p->doc);
		buf_add_char(out, '}');
		if (p->type == PARAM_TABLE)
			add_params(out, p->sub, &inner, first);
	}
}

static void add_action(struct buf *out, const struct ec2_action *a)
{
	static const struct param dry_run = {
		.wire = "DryRun", .type = PARAM_BOOL, .doc = "Only says whether the request would succeed."};
	static const struct params common = {&dry_run, 1, 0};
	const struct filters *filters = a->list ? &a->list->filters : &a->filters;
	bool first = true;
	buf_add_str(out, STR("    {"));
	add_member(out, "name", a->name);
	add_member(out, "doc", a->doc);
	add_member(out, "permit", a->permit);
	add_member(out, "service", a->flags & OF_STS ? "sts" : "ec2");
	buf_print(out, "\"writes\": %s, \"observes\": %s, \"params\": [",
		  a->flags & WRITES ? "true" : "false", a->flags & OBSERVES ? "true" : "false");
	if (!(a->flags & OF_STS))
		add_params(out, &common, 0, &first);
	add_params(out, &a->args, 0, &first);
	buf_add_str(out, STR("],\n      \"filters\": ["));
	for (size_t k = 0; k < filters->count; k++) {
		buf_add_str(out, k ? STR(", ") : STR(""));
		add_text(out, filters->at[k].name);
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
		add_text(out, known[k]);
		first = false;
	}
	buf_add_str(out, STR("]\n}\n"));
}
