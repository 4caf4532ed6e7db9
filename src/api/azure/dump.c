/* SPDX-License-Identifier: Apache-2.0
 * Dumps the tables as JSON (`dari dump azure`) and as a Markdown table.
 */
#include "api/core/dump.h"
#include "api/azure/core/action.h"
#include "api/azure/template/template.h"

static const char *method_of(const struct az_action *a)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE"};
	return names[a->method];
}

static const struct dump_form form = {.face = "azure", .list_suffix = ""};

void azure_dump_actions(struct buf *out)
{
	struct json_writer w;
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	for (size_t g = 0; g < az_group_count; g++)
		for (size_t k = 0; k < az_groups[g]->count; k++) {
			const struct az_action *a = az_row_of(api_action_at(az_groups[g], k));
			dump_open_action(&w, &form, &a->core, "azure", a->name);
			json_write_z(&w, "method", method_of(a));
			json_write_z(&w, "path", a->path);
			json_write_z(&w, "versions", az_types[a->type].versions);
			dump_params_of_path(&w, &form, a->path, KIND_NONE, &a->args);
			json_write_close(&w);
		}
	json_write_close_list(&w);
	json_write_close(&w);
}

void azure_write_coverage(struct buf *out)
{
	buf_add_str(out, STR("| call | path | what it does |\n| --- | --- | --- |\n"));
	for (size_t g = 0; g < az_group_count; g++)
		for (size_t k = 0; k < az_groups[g]->count; k++) {
			const struct az_action *a = az_row_of(api_action_at(az_groups[g], k));
			buf_print(out, "| %s | `%s %s` | %s |\n", a->name, method_of(a), a->path, a->doc);
		}
	buf_add_str(out, STR("\nTemplates may call these functions, and those that they define themselves:"));
	for (size_t k = 0; template_function_name(k); k++)
		buf_print(out, "%s`%s`", k ? ", " : " ", template_function_name(k));
	buf_add_str(out, STR(".\n"));
}
