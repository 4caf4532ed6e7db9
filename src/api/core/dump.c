/* SPDX-License-Identifier: Apache-2.0
 * Writes the tables of actions and parameters as JSON. All faces share one walk over the tables.
 */
#include "api/core/dump.h"

#include "api/core/attribute.h"
#include "api/core/audit.h"
#include "auth/guard/guard.h"
#include "model/permission.h"

enum { NAME_SIZE_MAX = 4096 };

static const char *type_word(const struct dump_form *form, const struct param *p)
{
	static const char *const words[] = {
		[PARAM_NOT_BUILT] = "any",   [PARAM_TEXT] = "string",
		[PARAM_INT] = "integer",     [PARAM_BOOL] = "boolean",
		[PARAM_CHOICE] = "boolean",  [PARAM_ID] = "id",
		[PARAM_IP] = "ip",           [PARAM_CIDR] = "cidr",
		[PARAM_MAC] = "mac",         [PARAM_TEXTS] = "list of strings",
		[PARAM_IDS] = "list of ids", [PARAM_IPS] = "list of ips",
		[PARAM_STRUCT] = "object",   [PARAM_TAGS] = "object of strings",
		[PARAM_JSON] = "any",        [PARAM_STRUCTS] = "list of objects",
		[PARAM_PASSED_OVER] = "any",
	};
	if (p->type == PARAM_CHOICE && param_yes(p))
		return "string";
	return form->types[p->type] ? form->types[p->type] : words[p->type];
}

static bool is_list(const struct param *p)
{
	return p->type == PARAM_TEXTS || p->type == PARAM_IDS || p->type == PARAM_IPS ||
	       p->type == PARAM_STRUCTS;
}

static void open_on_new_line(struct json_writer *w)
{
	buf_add_char(w->out, '\n');
	json_write_open(w, NULL);
}

static void write_param(struct json_writer *w, const struct dump_form *form, const struct param *p,
			struct str name)
{
	static const char *const places[] = {[IN_BODY] = "body", [IN_PATH] = "path", [IN_QUERY] = "query"};
	bool is_text = param_is_text(p) || p->flags & BY_NAME;
	int64_t max = is_text && !p->max ? form->text_max : p->max;
	open_on_new_line(w);
	json_write_text(w, "name", name);
	json_write_z(w, "type", type_word(form, p));
	json_write_bool(w, "required", p->flags & REQUIRED);
	json_write_bool(w, "built", p->type != PARAM_NOT_BUILT);
	json_write_z(w, "in", form->is_of_pairs ? "pairs" : places[p->place]);
	if (p->type == PARAM_PASSED_OVER)
		json_write_bool(w, "passed_over", true);
	if (p->kind != KIND_NONE && !(p->flags & ANY_KIND))
		json_write_z(w, "kind", model_kinds[p->kind].name);
	if (param_words(p))
		json_write_z(w, "words", param_words(p));
	if (param_only(p))
		json_write_z(w, "only", param_only(p));
	if (p->min || max) {
		json_write_int(w, "min", p->min);
		json_write_int(w, "max", max);
	}
	if (form->write_param)
		form->write_param(w, p);
	json_write_z(w, "doc", p->doc ? p->doc : form->no_doc);
	json_write_close(w);
}

/* name: prefix of the enclosing object, such as "IpPermissions.N."; unchanged on return. */
static void write_params(struct json_writer *w, const struct dump_form *form, const struct params *table,
			 struct buf *name)
{
	size_t outer = name->size;
	for (size_t k = 0; k < table->count; k++) {
		const struct param *p = &table->at[k];
		struct str rest = str_from(p->wire), word;
		for (; str_split_next(&rest, '|', &word); name->size = outer) {
			buf_add_str(name, word);
			buf_add_str(name, str_from(is_list(p) ? form->list_suffix : ""));
			write_param(w, form, p, buf_str(name));
		}
		if (param_sub(p)) {
			buf_print(name, "%s%s.", p->wire, p->type == PARAM_STRUCTS ? ".N" : "");
			write_params(w, form, param_sub(p), name);
			name->size = outer;
		}
	}
}

static void write_tables(struct json_writer *w, const struct dump_form *form, const struct params *common,
			 const struct params *args)
{
	struct buf name;
	buf_init(&name, NAME_SIZE_MAX);
	if (common)
		write_params(w, form, common, &name);
	write_params(w, form, args, &name);
	buf_done(&name);
}

void dump_params(struct json_writer *w, const struct dump_form *form, const struct params *common,
		 const struct params *args)
{
	json_write_open_list(w, "params");
	write_tables(w, form, common, args);
	json_write_close_list(w);
}

void dump_params_of_path(struct json_writer *w, const struct dump_form *form, const char *path,
			 enum kind kind, const struct params *args)
{
	struct str rest = str_from(path), segment;
	json_write_open_list(w, "params");
	while (str_split_next(&rest, '/', &segment)) {
		if (segment.n < 2 || segment.p[0] != '{')
			continue;
		open_on_new_line(w);
		json_write_text(w, "name", str_slice(segment, 1, segment.n - 1));
		json_write_z(w, "type", kind != KIND_NONE ? "id" : "string");
		json_write_bool(w, "required", true);
		json_write_bool(w, "built", true);
		json_write_z(w, "in", "path");
		if (kind != KIND_NONE)
			json_write_z(w, "kind", model_kinds[kind].name);
		json_write_z(w, "doc", NULL);
		json_write_close(w);
		kind = KIND_NONE;
	}
	write_tables(w, form, NULL, args);
	json_write_close_list(w);
}

void dump_answer(struct json_writer *w, const char *face, const char *service, const char *name,
		 enum kind kind, const struct attributes *table)
{
	open_on_new_line(w);
	json_write_z(w, "face", face);
	json_write_z(w, "service", service);
	json_write_z(w, "name", name);
	json_write_z(w, "kind", model_kinds[kind].name);
	attributes_dump(w, kind, table);
	json_write_close(w);
}

void dump_kinds(struct json_writer *w)
{
	json_write_open_list(w, "kinds");
	for (enum kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++) {
		struct guard_arn_form arn = guard_find_arn_form(kind);
		open_on_new_line(w);
		json_write_z(w, "name", model_kinds[kind].name);
		json_write_z(w, "prefix", model_kinds[kind].ec2_prefix);
		json_write_z(w, "arn_type", arn.type);
		json_write_bool(w, "arn_has_account", !arn.has_no_account);
		json_write_bool(w, "arn_is_named", arn.is_named);
		json_write_close(w);
	}
	json_write_close_list(w);
}

void dump_open_action(struct json_writer *w, const struct dump_form *form, const struct api_action *a,
		      const char *service, const char *name)
{
	const struct permission *permission = permission_of_action(str_from(a->permit));
	open_on_new_line(w);
	json_write_z(w, "face", form->face);
	json_write_z(w, "service", service);
	json_write_z(w, "name", name);
	json_write_z(w, "doc", a->doc);
	json_write_z(w, "permit", a->permit);
	json_write_z(w, "iam", permission ? permission->action : "");
	json_write_z(w, "decided_on", permission ? permission->kinds : "");
	if (a->never)
		json_write_z(w, "never", a->never);
	json_write_z(w, "recorded", audited_say_when(a->permit));
	json_write_bool(w, "writes", a->flags & API_WRITES);
	json_write_bool(w, "open", a->flags & API_OPEN);
	json_write_bool(w, "for_all", a->flags & API_FOR_ALL);
	if (a->returns != KIND_NONE && a->returns < KIND_COUNT)
		json_write_z(w, "makes", model_kinds[a->returns].name);
}
