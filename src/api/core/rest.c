/* SPDX-License-Identifier: Apache-2.0
 * Finds the row of a request by a walk over all rows: a form is compared up to the first letter that differs. */
#include "api/core/rest.h"

#include "api/core/path.h"

enum { VARIABLES_MAX = 4 };

static const struct rest_action *action_at(const struct api_actions *group, size_t k)
{
	return (const struct rest_action *) ((const char *) api_action_at(group, k) -
					     offsetof(struct rest_action, core));
}

const struct rest_action *rest_find_action(struct ctx *c, const struct rest_table *t, enum http_method method,
					   struct str path, struct pairs *ret_variables, bool *ret_has_path)
{
	struct path_parts parts;
	struct pair *variables = arena_new_array(c->arena, struct pair, VARIABLES_MAX);
	path_split(path, &parts);
	for (size_t g = 0; variables && g < t->count; g++)
		for (size_t k = 0; k < t->groups[g]->count; k++) {
			const struct rest_action *a = action_at(t->groups[g], k);
			size_t count = 0;
			if (!path_fits(a->path, &parts, false, variables, VARIABLES_MAX, &count))
				continue;
			*ret_has_path = true;
			*ret_variables = (struct pairs){variables, count};
			if (a->method == method)
				return a;
		}
	return NULL;
}

static const char *method_of(const struct rest_action *a)
{
	static const char *const methods[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE"};
	return methods[a->method];
}

void rest_write_coverage(const struct rest_table *t, struct buf *out)
{
	buf_add_str(out, STR("| call | path | what it does |\n| --- | --- | --- |\n"));
	for (size_t g = 0; g < t->count; g++)
		for (size_t k = 0; k < t->groups[g]->count; k++) {
			const struct rest_action *a = action_at(t->groups[g], k);
			buf_print(out, "| %s | `%s %s` | %s |\n", a->name, method_of(a), a->path, a->doc);
		}
}

void rest_dump_actions(const struct rest_table *t, const struct dump_form *form,
		       void (*write_members)(struct json_writer *w, const struct rest_action *a),
		       struct buf *out)
{
	struct json_writer w;
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	for (size_t g = 0; g < t->count; g++)
		for (size_t k = 0; k < t->groups[g]->count; k++) {
			const struct rest_action *a = action_at(t->groups[g], k);
			dump_open_action(&w, form, &a->core, form->face, a->name);
			json_write_z(&w, "method", method_of(a));
			json_write_z(&w, "path", a->path);
			write_members(&w, a);
			json_write_close(&w);
		}
	json_write_close_list(&w);
	json_write_close(&w);
}
