/* SPDX-License-Identifier: Apache-2.0
 * Policies of Classic Load Balancers: texts of the balancer's row, "NAME TYPE" and the attribute's value, if it has one.
 * A backend policy is the text "PORT NAME …". None of the parts contains a space. */
#include <inttypes.h>

#include "engine/balancing/balancing_internal.h"
#include "engine/balancing/classic.h"
#include "model/tls_policy.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"

const struct classic_type classic_types[CLASSIC_POLICY_TYPES] = {
	[CLASSIC_APP_COOKIE] = {"AppCookieStickinessPolicyType", "CookieName"},
	[CLASSIC_LB_COOKIE] = {"LBCookieStickinessPolicyType", "CookieExpirationPeriod"},
	[CLASSIC_PROXY_PROTOCOL] = {"ProxyProtocolPolicyType", "ProxyProtocol"},
	[CLASSIC_SSL] = {"SSLNegotiationPolicyType", "Reference-Security-Policy"},
};

/* ---- reading ---- */

bool engine_get_classic_policy(const struct elastic_load_balancer *balancer, size_t k,
			       struct classic_policy *ret_policy)
{
	struct str type = STR_NONE;
	if (k >= balancer->policies.count)
		return false;
	*ret_policy = (struct classic_policy){.value = balancer->policies.at[k]};
	(void) str_split_next(&ret_policy->value, ' ', &ret_policy->name);
	(void) str_split_next(&ret_policy->value, ' ', &type);
	while (ret_policy->type + 1 < CLASSIC_POLICY_TYPES &&
	       !str_is(type, classic_types[ret_policy->type].word))
		ret_policy->type++;
	return true;
}

bool engine_find_classic_policy(const struct elastic_load_balancer *balancer, struct str name,
				struct classic_policy *ret_policy)
{
	for (size_t k = 0; engine_get_classic_policy(balancer, k, ret_policy); k++)
		if (str_equal(ret_policy->name, name))
			return true;
	return false;
}

/* The place of the port's text among the backend policies; their count: there is none. */
static size_t find_backend(const struct elastic_load_balancer *balancer, int64_t port)
{
	size_t k = 0;
	for (; k < balancer->backend_policies.count; k++) {
		struct str rest = balancer->backend_policies.at[k], text = STR_NONE;
		int64_t number = 0;
		(void) str_split_next(&rest, ' ', &text);
		if (result_is_ok(str_parse_int(text, &number)) && number == port)
			break;
	}
	return k;
}

bool engine_has_proxy_protocol(const struct elastic_load_balancer *balancer, int64_t instance_port)
{
	size_t k = find_backend(balancer, instance_port);
	struct str rest = k < balancer->backend_policies.count ? balancer->backend_policies.at[k] : STR_NONE;
	struct str name = STR_NONE;
	struct classic_policy policy;
	(void) str_split_next(&rest, ' ', &name);
	while (str_split_next(&rest, ' ', &name))
		if (engine_find_classic_policy(balancer, name, &policy) && str_is(policy.value, "true"))
			return true;
	return false;
}

/* ---- policies ---- */

/* The list without the one at `but`, and with `more` behind it, if that is given. */
static RESULT rewrite(struct op *op, const struct strs *list, size_t but, struct str more,
		      struct strs *ret_list)
{
	struct str *at = arena_new_array(op->ctx->arena, struct str, list->count + 1);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < list->count; k++)
		if (k != but)
			at[count++] = list->at[k];
	if (more.n)
		at[count++] = more;
	*ret_list = (struct strs){at, count};
	return OK;
}

static RESULT put(struct op *op, struct elastic_load_balancer *next)
{
	next->row.gen++;
	TRY(elastic_load_balancer_put(op, next));
	TRY(proxy_touch(op, next->row.id));
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &next->row, "changed", "Policies.");
}

RESULT engine_create_classic_policy(struct op *op, struct classic_policy_wish *wish)
{
	const struct elastic_load_balancer *present = NULL;
	const struct classic_policy *p = &wish->policy;
	struct classic_policy other;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, wish->permission, &present));
	if (engine_find_classic_policy(present, p->name, &other))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_POLICY, STR("PolicyName"),
				   "A policy with the name %" STR_FMT " exists already", STR_ARG(p->name));
	if (present->policies.count >= CLASSIC_POLICIES_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_POLICY, STR("PolicyName"),
				   "A load balancer has up to %d policies", CLASSIC_POLICIES_MAX);
	struct elastic_load_balancer next = *present;
	struct str text = str_print(op->ctx->arena, "%" STR_FMT " %s%s%" STR_FMT, STR_ARG(p->name),
				    classic_types[p->type].word, p->value.n ? " " : "", STR_ARG(p->value));
	TRY(rewrite(op, &present->policies, SIZE_MAX, text, &next.policies));
	return put(op, &next);
}

static bool strs_have(const struct strs *list, struct str text)
{
	for (size_t k = 0; k < list->count; k++)
		if (str_equal(list->at[k], text))
			return true;
	return false;
}

/* True if the text of a backend policy names the policy. */
static bool names_policy(struct str backend, struct str name)
{
	struct str one = STR_NONE;
	(void) str_split_next(&backend, ' ', &one);
	while (str_split_next(&backend, ' ', &one))
		if (str_equal(one, name))
			return true;
	return false;
}

static bool is_enabled(const struct tables *t, const struct elastic_load_balancer *balancer, struct str name)
{
	const struct listener *l = listener_first_by_elastic_load_balancer(t, balancer->row.id);
	for (; l; l = listener_next_by_elastic_load_balancer(t, l))
		if (strs_have(&l->policies, name))
			return true;
	for (size_t k = 0; k < balancer->backend_policies.count; k++)
		if (names_policy(balancer->backend_policies.at[k], name))
			return true;
	return false;
}

RESULT engine_delete_classic_policy(struct op *op, struct classic_policy_target *wish)
{
	const struct elastic_load_balancer *present = NULL;
	struct classic_policy policy;
	size_t k = 0;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, "elastic_load_balancer.delete_policy",
						&present));
	while (engine_get_classic_policy(present, k, &policy) && !str_equal(policy.name, wish->name))
		k++;
	if (k == present->policies.count)
		return OK;
	if (is_enabled(op->head, present, wish->name))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_POLICY, STR("PolicyName"),
				   "You cannot delete policy '%" STR_FMT
				   "' because it is in use by a listener or a backend server",
				   STR_ARG(wish->name));
	struct elastic_load_balancer next = *present;
	TRY(rewrite(op, &present->policies, k, STR_NONE, &next.policies));
	return put(op, &next);
}

/* ---- enabled policies ---- */

static RESULT fail_place(struct op *op, const struct classic_policy *policy, const char *where)
{
	return ENGINE_FAIL(op, ERR_COMBINATION, KIND_POLICY, STR("PolicyNames"),
			   "Policy '%" STR_FMT "' of type %s cannot be enabled for %s", STR_ARG(policy->name),
			   classic_types[policy->type].word, where);
}

static RESULT find_policy(struct op *op, const struct elastic_load_balancer *balancer, struct str name,
			  struct classic_policy *ret_policy)
{
	if (engine_find_classic_policy(balancer, name, ret_policy))
		return OK;
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_POLICY, STR("PolicyNames"),
			   "There is no policy with name '%" STR_FMT "' for load balancer '%" STR_FMT "'",
			   STR_ARG(name), STR_ARG(balancer->name));
}

/* Cookies need HTTP, and a security policy a secure listener. One of each is possible. */
static RESULT check_listener_policies(struct op *op, const struct elastic_load_balancer *balancer,
				      struct strs names, struct listener *next)
{
	bool is_http = next->protocol == LISTENER_PROTOCOL_HTTP || next->protocol == LISTENER_PROTOCOL_HTTPS;
	bool is_secure = next->protocol == LISTENER_PROTOCOL_HTTPS || next->protocol == LISTENER_PROTOCOL_SSL;
	size_t cookies = 0, policies = 0;
	next->tls_policy = is_secure ? TLS_POLICY_DEFAULT : STR_NONE;
	for (size_t k = 0; k < names.count; k++) {
		struct classic_policy policy;
		TRY(find_policy(op, balancer, names.at[k], &policy));
		if (policy.type == CLASSIC_SSL) {
			next->tls_policy = policy.value;
			if (!is_secure || policies++)
				return fail_place(op, &policy, "this listener");
		} else if (policy.type == CLASSIC_PROXY_PROTOCOL || !is_http || cookies++) {
			return fail_place(op, &policy, "this listener");
		}
	}
	return OK;
}

RESULT engine_set_classic_listener_policies(struct op *op, struct classic_enabled *wish)
{
	const struct elastic_load_balancer *balancer = NULL;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer,
						"elastic_load_balancer.set_listener_policies", &balancer));
	const struct listener *present =
		listener_find_by_elastic_load_balancer(op->head, balancer->row.id, wish->port);
	if (!present)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_LISTENER, STR("LoadBalancerPort"),
				   "There is no listener of port %" PRId64, wish->port);
	struct listener next = *present;
	TRY(check_listener_policies(op, balancer, wish->names, &next));
	next.policies = wish->names;
	next.row.gen++;
	TRY(listener_put(op, &next));
	TRY(proxy_touch(op, balancer->row.id));
	return engine_log_event(op, KIND_LISTENER, &next.row, "changed", "Policies.");
}

static bool has_instance_port(const struct tables *t, uuid balancer, int64_t port)
{
	const struct listener *l = listener_first_by_elastic_load_balancer(t, balancer);
	while (l && l->instance_port != port)
		l = listener_next_by_elastic_load_balancer(t, l);
	return l;
}

RESULT engine_set_classic_backend_policies(struct op *op, struct classic_enabled *wish)
{
	const struct elastic_load_balancer *present = NULL;
	struct str text = str_print(op->ctx->arena, "%" PRId64, wish->port);
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer,
						"elastic_load_balancer.set_backend_policies", &present));
	for (size_t k = 0; k < wish->names.count; k++) {
		struct classic_policy policy;
		TRY(find_policy(op, present, wish->names.at[k], &policy));
		if (policy.type != CLASSIC_PROXY_PROTOCOL || k > 0)
			return fail_place(op, &policy, "a backend server");
		text = str_print(op->ctx->arena, "%" STR_FMT " %" STR_FMT, STR_ARG(text),
				 STR_ARG(policy.name));
	}
	if (wish->names.count && !has_instance_port(op->head, present->row.id, wish->port))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_LISTENER, STR("InstancePort"),
				   "No listener of the load balancer leads to instance port %" PRId64,
				   wish->port);
	if (present->backend_policies.count >= CLASSIC_POLICIES_MAX && wish->names.count)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_POLICY, STR("PolicyNames"),
				   "A load balancer has up to %d ports with policies", CLASSIC_POLICIES_MAX);
	struct elastic_load_balancer next = *present;
	TRY(rewrite(op, &present->backend_policies, find_backend(present, wish->port),
		    wish->names.count ? text : STR_NONE, &next.backend_policies));
	return put(op, &next);
}
