/* SPDX-License-Identifier: Apache-2.0
 * Parameter tables as JSON. */
#include "api/query/dump.h"

#include "model/permission.h"

/* ---- JSON: our own literals only, in which quotes and backslashes are all there is to escape ---- */

void params_dump_text(struct buf *out, const char *text)
{
	buf_add_char(out, '"');
	for (; text && *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *text);
	}
	buf_add_char(out, '"');
}

void params_dump_member(struct buf *out, const char *name, const char *text)
{
	buf_print(out, "\"%s\": ", name);
	params_dump_text(out, text);
	buf_add_str(out, STR(", "));
}

void params_dump_action(struct buf *out, const struct api_action *a, const char *service)
{
	const struct permission *permission = permission_of_action(str_from(a->permit));
	params_dump_member(out, "name", a->name);
	params_dump_member(out, "doc", a->doc);
	params_dump_member(out, "permit", a->permit);
	params_dump_member(out, "decided_on", permission ? permission->kinds : "");
	if (a->never)
		params_dump_member(out, "never", a->never);
	params_dump_member(out, "service", service);
	params_dump_member(out, "recorded", audited_say_when(a->permit));
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
		[PARAM_STRUCTS] = "list of structures",
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
	       p->type == PARAM_STRUCTS;
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
		params_dump_member(out, "form", form);
	if (form && strcmp(form, "id") == 0 && !(p->flags & ANY_KIND))
		params_dump_member(out, "prefix", p->prefix ? p->prefix : model_kinds[p->kind].ec2_prefix);
	if (p->kind != KIND_NONE && !(p->flags & ANY_KIND))
		params_dump_member(out, "kind", model_kinds[p->kind].name);
	if (p->words)
		params_dump_member(out, "words", p->words);
	if (p->yes)
		buf_print(out, "\"words\": \"%s|%s\", ", p->yes, p->no);
	if (p->absent)
		params_dump_member(out, "absent", p->absent);
	int64_t max = is_text(p) && !p->max ? REQUEST_TEXT_MAX : p->max;
	if (p->min || max)
		buf_print(out, "\"min\": %lld, \"max\": %lld, ", (long long) p->min, (long long) max);
}

/* One line for each name. */
static void add_param(struct buf *out, const struct param *p, struct str name, const struct path *outer,
		      bool *first)
{
	buf_add_str(out, *first ? STR("\n      {\"name\": \"") : STR(",\n      {\"name\": \""));
	*first = false;
	add_path(out, outer);
	buf_print(out, "%" STR_FMT "%s\", ", STR_ARG(name), is_list(p) ? ".N" : "");
	params_dump_member(out, "type", type_word(p));
	add_bounds(out, p);
	if (p->only)
		params_dump_member(out, "only", p->only);
	buf_print(out, "\"required\": %s, \"built\": %s, ", p->flags & REQUIRED ? "true" : "false",
		  p->type == PARAM_NOT_BUILT ? "false" : "true");
	buf_add_str(out, STR("\"doc\": "));
	params_dump_text(out, p->doc);
	buf_add_char(out, '}');
}

/* Members of lists as "IpPermissions.N.IpRanges.N.CidrIp". */
static void add_params(struct buf *out, const struct params *table, const struct path *outer, bool *first)
{
	for (size_t k = 0; k < table->count; k++) {
		const struct param *p = &table->at[k];
		const struct path inner = {outer, p->wire};
		struct str rest = str_from(p->wire), name;
		while (str_split_next(&rest, '|', &name))
			add_param(out, p, name, outer, first);
		if (p->type == PARAM_STRUCTS)
			add_params(out, p->sub, &inner, first);
	}
}

void params_dump(struct buf *out, const struct params *table, bool *first)
{
	add_params(out, table, NULL, first);
}
