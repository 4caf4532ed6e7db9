/* SPDX-License-Identifier: Apache-2.0
 * Lists the kinds of rows that a caller may read.
 */
#include "api/core/kinds_read.h"

#include "model/permission.h"
#include "model/shown.h"

/* Read permissions of kinds that /api/v1 does not have. Only administrators read of the others. */
static const char *const reads[KIND_COUNT] = {
	[KIND_ANNOTATION] = "annotation.list",
	[KIND_ARM_ASSIGNMENT] = "arm_assignment.list",
	[KIND_ARM_LOCK] = "arm_lock.list",
	[KIND_ARM_ROLE] = "arm_role.list",
	[KIND_BALANCER_SET] = "load_balancer.list",
	[KIND_MFA_DEVICE] = "second_factor.list",
	[KIND_PORT_POLICY] = "port_policy.list",
	[KIND_PORT_SET] = "port_set.list",
	[KIND_ROUTE_PLAN] = "route_plan.list",
	[KIND_SAML_PROVIDER] = "saml_provider.list",
	[KIND_SERVER_CERTIFICATE] = "server_certificate.list",
	[KIND_SOURCE_NAT] = "source_nat.list",
};

static const char *find_read(enum kind kind)
{
	return model_shown[kind].name ? model_shown[kind].read : reads[kind];
}

static struct guard_request ask_to_read(struct api_call *e, enum guard_words words, enum kind kind)
{
	int permission = permission_find(str_from(find_read(kind)));
	return (struct guard_request){
		.action = permission == PERMISSION_NONE ? STR_NONE
							: str_from(model_permissions[permission].action),
		.words = words,
		.has_role = e->c->who->is_owner || identity_has(e->c->who, RIGHT_READER),
		.arg = e};
}

static struct guard_request ask_by_action(struct api_call *e, enum guard_words words)
{
	return (struct guard_request){
		.action = str_from(e->action->permit), .words = words, .has_role = true, .arg = e};
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
		bool is_for_admins = model_shown[k].is_for_admins || !find_read(k);
		if (is_for_admins && !is_admin)
			continue;
		requests[count] = find_read(k) ? ask_to_read(e, words, k) : ask_by_action(e, words);
		asked[count++] = k;
	}
	TRY(guard_ask_actions(e->config->guards, e->call, requests, count, may));
	for (size_t k = 0; k < count; k++)
		if (may[k]) {
			names[named++] = str_from(model_kinds[asked[k]].name);
			names[named++] = STR(" ");
		}
	*ret_kinds = str_join(a, names, named);
	return ret_kinds->n ? OK : ctx_no_memory(e->c);
}
