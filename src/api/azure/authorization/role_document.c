/* SPDX-License-Identifier: Apache-2.0
 * Translates a role definition into IAM actions. Each permission stands for the Azure operations whose calls
 * need it; the role grants the permission if its actions match one of them and its notActions do not. A
 * permission that no call of this face needs stands for an operation named after it, such as
 * "Microsoft.Authorization/CreateUser/write" (IAM) or "Dari.Ec2/DescribeFleets/read" (EC2), so that wide
 * patterns cover other faces. Source: "Understand Azure role definitions".
 */
#include <jansson.h>

#include "api/azure/core/action.h"
#include "model/permission.h"

static bool list_matches(struct arena *a, const json_t *list, struct str operation)
{
	for (size_t k = 0; k < json_array_size(list); k++) {
		struct str pattern = str_from(json_string_value(json_array_get(list, k)));
		if (str_matches(operation, str_lower(a, pattern)))
			return true;
	}
	return false;
}

static bool gives(struct arena *a, const json_t *permissions, struct str operation)
{
	struct str lower = str_lower(a, operation);
	for (size_t k = 0; k < json_array_size(permissions); k++) {
		const json_t *p = json_array_get(permissions, k);
		if (list_matches(a, json_object_get(p, "actions"), lower) &&
		    !list_matches(a, json_object_get(p, "notActions"), lower))
			return true;
	}
	return false;
}

static bool begins_with_any(struct str text, const char *words)
{
	struct str rest = str_from(words), word;
	while (str_split_next(&rest, ' ', &word))
		if (str_starts_with(text, word))
			return true;
	return false;
}

static struct str own_operation(struct arena *a, struct str action)
{
	size_t colon = str_find_char(action, ':', 0);
	struct str name = str_slice(action, colon + 1, action.n);
	const char *verb = begins_with_any(name, "Describe Get List Search Simulate")               ? "read"
			   : begins_with_any(name, "Delete Terminate Release Detach Remove Revoke") ? "delete"
												    : "write";
	bool is_of_ec2 = str_starts_with(action, STR("ec2:"));
	return str_print(a, "%s/%" STR_FMT "/%s", is_of_ec2 ? "Dari.Ec2" : "Microsoft.Authorization",
			 STR_ARG(name), verb);
}

static bool gives_permission(struct arena *a, const json_t *permissions, const char *action)
{
	bool is_needed = false;
	for (size_t g = 0; g < az_group_count; g++)
		for (size_t k = 0; k < az_groups[g]->count; k++) {
			const struct az_action *row = az_row_of(api_action_at(az_groups[g], k));
			if (row->flags & (API_OPEN | API_FOR_ALL) || strcmp(row->permit, action) != 0)
				continue;
			is_needed = true;
			if (gives(a, permissions, az_operation_of(a, row)))
				return true;
		}
	return !is_needed && gives(a, permissions, own_operation(a, str_from(action)));
}

RESULT azure_write_role(struct ctx *c, struct str permissions, struct str *ret_document)
{
	struct json_writer w;
	struct buf out;
	json_t *said = json_loadb(permissions.p, permissions.n, JSON_REJECT_DUPLICATES, NULL);
	buf_init(&out, BUF_ANSWER_CAP);
	json_write_begin(&w, &out);
	json_write_open(&w, NULL);
	json_write_z(&w, "Version", "2012-10-17");
	json_write_open(&w, "Statement");
	json_write_z(&w, "Effect", "Allow");
	json_write_z(&w, "Resource", "*");
	json_write_open_list(&w, "Action");
	json_write_z(&w, NULL, "dari:Nothing"); /* a statement needs at least one action */
	for (int p = 0; p < PERMISSION_COUNT; p++)
		if (gives_permission(c->arena, said, model_permissions[p].action))
			json_write_z(&w, NULL, model_permissions[p].action);
	json_write_close_list(&w);
	json_write_close(&w);
	json_write_close(&w);
	struct result result = json_write_end(&w);
	*ret_document = str_copy(c->arena, buf_str(&out));
	buf_done(&out);
	json_decref(said);
	TRY(result);
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}
