/* SPDX-License-Identifier: Apache-2.0
 * Lists the kinds of rows that a caller may read.
 */
#include "api/core/kinds_read.h"

#include "model/permission.h"
#include "model/shown.h"

static struct guard_request ask_to_read(struct api_call *e, enum guard_words words, enum kind kind)
{
	int permission = permission_find(str_from(model_shown[kind].read));
	return (struct guard_request){
		.action = permission == PERMISSION_NONE ? STR_NONE
							: str_from(model_permissions[permission].action),
		.words = words,
		.has_role = e->c->who->is_owner || identity_has(e->c->who, RIGHT_READER),
		.arg = e};
}

RESULT api_list_kinds_read(struct api_call *e, enum guard_words words, bool is_admin, struct str *ret_kinds)
{
	struct arena *a = e->c->arena;
	struct guard_request *requests = arena_new_array(a, struct guard_request, KIND_COUNT);
	bool *may = arena_new_array(a, bool, KIND_COUNT);
	struct str *names = arena_new_array(a, struct str, KIND_COUNT * 2 + 1);
	enum kind *asked = arena_new_array(a, enum kind, KIND_COUNT);
	size_t count = 0, named = 0;
	if (!requests || !may || !names || !asked)
		return ctx_no_memory(e->c);
	names[named++] = STR(" ");
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
		if (model_shown[k].name && model_shown[k].is_for_admins && !is_admin)
			continue;
		if (model_shown[k].name)
			requests[count] = ask_to_read(e, words, k);
		asked[count++] = k;
	}
	for (size_t k = 0; k < count; k++)
		if (!model_shown[asked[k]].name)
			requests[k] = (struct guard_request){.action = str_from(e->action->permit),
							     .words = words,
							     .has_role = true,
							     .arg = e};
	TRY(guard_ask_actions(e->config->guards, e->call, requests, count, may));
	for (size_t k = 0; k < count; k++)
		if (may[k]) {
			names[named++] = str_from(model_kinds[asked[k]].name);
			names[named++] = STR(" ");
		}
	*ret_kinds = str_join(a, names, named);
	return ret_kinds->n ? OK : ctx_no_memory(e->c);
}
