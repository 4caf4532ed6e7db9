/* SPDX-License-Identifier: Apache-2.0
 * Limits of the account; security policies of HTTPS listeners; capacity reservations, of which there are none. Source: API
 * Reference of Elastic Load Balancing. */
#include "api/elb/internal.h"
#include "engine/limits.h"
#include "engine/resolve.h"
#include "model/tls_policy.h"

struct pages_args {
	struct query_pages pages;
	struct strs names;
	struct str type;
};
static const struct param pages_params[] = {ELB_PAGES(struct pages_args, pages)};

RESULT elb_write_limits(struct elb_call *e, struct xml *x, const struct elb_limit *limits, size_t count,
			const struct query_pages *pages)
{
	struct query_page page;
	TRY(query_open_page(e->c, pages, ELB_PAGE_MAX, "Marker", &page));
	xml_open(x, "Limits");
	for (size_t k = 0; k < count; k++) {
		if (!query_page_takes(&page, str_from(limits[k].name)))
			continue;
		xml_open(x, "member");
		xml_z(x, "Name", limits[k].name);
		xml_int(x, "Max", limits[k].max);
		xml_close(x, "member");
	}
	xml_close(x, "Limits");
	query_close_page(e->c, x, "NextMarker", &page);
	return OK;
}

static RESULT answer_limits(struct elb_call *e, const void *args, struct xml *x)
{
	static const struct elb_limit limits[] = {
		{"application-load-balancers", APPLICATION_LOAD_BALANCERS_MAX},
		{"certificates-per-application-load-balancer", LISTENER_CERTIFICATES_MAX - 1},
		{"condition-values-per-alb-rule", RULE_VALUES_MAX},
		{"listeners-per-application-load-balancer", LISTENERS_MAX},
		{"listeners-per-network-load-balancer", LISTENERS_MAX},
		{"network-load-balancers", NETWORK_LOAD_BALANCERS_MAX},
		{"rules-per-application-load-balancer", LISTENER_RULES_MAX},
		{"target-groups", TARGET_GROUPS_MAX},
		{"target-groups-per-action-on-application-load-balancer", RULE_GROUPS_MAX},
		{"target-groups-per-action-on-network-load-balancer", 1},
		{"targets-per-availability-zone-per-network-load-balancer", TARGETS_MAX},
	};
	return elb_write_limits(e, x, limits, sizeof limits / sizeof limits[0],
				&((const struct pages_args *) args)->pages);
}

static const struct param policies_params[] = {
	PARAM(struct pages_args, "Names.member", names, .min = 1, .max = 256, .doc = "Policies by name."),
	PARAM(struct pages_args, "LoadBalancerType", type, .words = "application|network|gateway",
	      .doc = "Type of the load balancers. Only application load balancers have policies."),
	ELB_PAGES(struct pages_args, pages),
};

static RESULT prepare_policies(struct elb_call *e, void *args)
{
	const struct pages_args *a = args;
	for (size_t k = 0; k < a->names.count; k++)
		if (!tls_policy_find(a->names.at[k])) {
			e->error = &elb_no_policy;
			return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("Names"),
					      "The specified SSL policy '%" STR_FMT "' does not exist",
					      STR_ARG(a->names.at[k]));
		}
	return OK;
}

static void write_policy(struct xml *x, const struct tls_policy *p)
{
	xml_open(x, "member");
	xml_open(x, "SslProtocols");
	for (size_t k = 0; p->protocols[k]; k++)
		xml_z(x, "member", p->protocols[k]);
	xml_close(x, "SslProtocols");
	xml_open(x, "Ciphers");
	for (size_t k = 0; k < TLS_POLICY_CIPHERS_MAX && p->ciphers[k]; k++) {
		xml_open(x, "member");
		xml_z(x, "Name", p->ciphers[k]);
		xml_int(x, "Priority", (int64_t) k + 1);
		xml_close(x, "member");
	}
	xml_close(x, "Ciphers");
	xml_z(x, "Name", p->name);
	xml_open(x, "SupportedLoadBalancerTypes");
	xml_z(x, "member", "application");
	xml_close(x, "SupportedLoadBalancerTypes");
	xml_close(x, "member");
}

static bool is_named(const struct strs *names, const char *name)
{
	for (size_t k = 0; k < names->count; k++)
		if (str_is(names->at[k], name))
			return true;
	return names->count == 0;
}

static RESULT answer_policies(struct elb_call *e, const void *args, struct xml *x)
{
	const struct pages_args *a = args;
	struct query_page page;
	TRY(query_open_page(e->c, &a->pages, ELB_PAGE_MAX, "Marker", &page));
	xml_open(x, "SslPolicies");
	for (size_t k = 0; k < tls_policy_count; k++)
		if ((!a->type.n || str_is(a->type, "application")) &&
		    is_named(&a->names, tls_policies[k].name) &&
		    query_page_takes(&page, str_from(tls_policies[k].name)))
			write_policy(x, &tls_policies[k]);
	xml_close(x, "SslPolicies");
	query_close_page(e->c, x, "NextMarker", &page);
	return OK;
}

struct capacity_args {
	struct str arn;
	struct ref balancer;
};
static const struct param capacity_params[] = {
	ELB_ARN(struct capacity_args, "LoadBalancerArn", arn, .doc = "The load balancer.")};

static RESULT prepare_capacity(struct elb_call *e, void *args)
{
	struct capacity_args *a = args;
	return elb_find(e, KIND_ELASTIC_LOAD_BALANCER, a->arn, "LoadBalancerArn", &a->balancer);
}

/* Answers that nothing is reserved. */
static RESULT answer_capacity(struct elb_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, elb_tables(e), KIND_ELASTIC_LOAD_BALANCER,
			    &((const struct capacity_args *) args)->balancer, &row));
	xml_empty(x, "CapacityReservationState");
	return OK;
}

static const struct elb_action actions[] = {
	{ELB_ACTION("DescribeAccountLimits"), .args = PARAMS(struct pages_args, pages_params),
	 .answer = answer_limits, .doc = "Lists the limits of the account."},
	{ELB_ACTION("DescribeSSLPolicies"), .args = PARAMS(struct pages_args, policies_params),
	 .prepare = prepare_policies, .answer = answer_policies,
	 .doc = "Lists the security policies of HTTPS listeners."},
	{ELB_ACTION("DescribeCapacityReservation"), .args = PARAMS(struct capacity_args, capacity_params),
	 .prepare = prepare_capacity, .answer = answer_capacity,
	 .doc = "Returns the capacity reservation of a load balancer. Nothing is ever reserved."},
};
const struct api_actions elb_account_actions = API_ACTIONS(actions);
