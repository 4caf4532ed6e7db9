/* SPDX-License-Identifier: Apache-2.0
 * Private to api/elb/: declares actions and calls of ELBv2, ARNs, pages, and members that several answers share. */
#pragma once

#include "api/core/dispatch.h"
#include "api/elb/elb.h"
#include "api/query/pages.h"
#include "api/query/request.h"
#include "base/xml.h"
#include "engine/balancing/balancing.h"

struct elb_call {
	API_CALL_BASE;
};
struct elb_action {
	API_ACTION_BASE;
	RESULT (*prepare)(struct elb_call *e, void *args);
	RESULT (*answer)(struct elb_call *e, const void *args, struct xml *x); /* NULL: an empty result */
};
/* The action's name, and its name in policies. */
#define ELB_ACTION(word) .name = (word), .permit = "elasticloadbalancing:" word

API_DEFINE_FACE(elb)

extern const struct api_actions elb_load_balancer_actions, elb_listener_actions, elb_target_group_actions,
	elb_target_actions, elb_rule_actions, elb_attribute_actions, elb_listener_attribute_actions,
	elb_tag_actions, elb_account_actions;
extern const struct api_groups elb_action_groups;

/* ---- errors.c ---- */

#define ELB_VERSION "2015-12-01"
#define ELB_NAMESPACE STR("http://elasticloadbalancing.amazonaws.com/doc/" ELB_VERSION "/")
extern const struct api_errors elb_errors;
extern const struct api_error elb_no_policy;

/* ---- names.c: ARNs, names, pages ---- */

enum { ELB_LIST_MAX = 20, ELB_ARN_MAX = 256, ELB_PAGE_MAX = 400 };

#define ELB_ARN(T, name, member, ...)                                                                        \
	PARAM(T, name, member, .flags = REQUIRED, .min = 1, .max = ELB_ARN_MAX, __VA_ARGS__)
#define ELB_NAME(T, member)                                                                                  \
	PARAM(T, "Name", member, .flags = REQUIRED, .min = 1, .max = ELB_NAME_READ_MAX,                      \
	      .doc = "Name; unique in the account. Up to 32 letters, digits and hyphens.")
enum { ELB_NAME_READ_MAX = 256 /* ELB has a sentence of its own for a name that is too long */ };

/* Finds a row of the caller's account by its ARN. ERR_NOT_FOUND with the kind; ERR_INVALID: this is no ARN of that
 * kind. */
RESULT elb_find(struct elb_call *e, enum kind kind, struct str arn, const char *field, struct ref *ret_ref);
/* The same of a load balancer, a listener, a rule or a target group, by what the ARN says. */
RESULT elb_find_any(struct elb_call *e, struct str arn, const char *field, struct ref *ret_ref);
struct str elb_arn(struct elb_call *e, enum kind kind, const struct row *row);
struct str elb_arn_of(struct elb_call *e, enum kind kind, uuid id); /* empty: there is no such row */
/* A certificate of IAM or ACM. ERR_NOT_FOUND with KIND_SERVER_CERTIFICATE. */
RESULT elb_find_certificate(struct elb_call *e, struct str arn, struct ref *ret_ref);
struct str elb_certificate_arn(struct elb_call *e, uuid certificate);
/* Up to 32 letters, digits and hyphens, no hyphen first or last. ERR_INVALID with "Name". is_group: the name
 * is a target group's, not a load balancer's. */
RESULT elb_check_name(struct elb_call *e, struct str name, bool is_group);

#define ELB_PAGES(T, member)                                                                                 \
	PARAM(T, "PageSize", member.size, .min = 1, .max = ELB_PAGE_MAX,                                     \
	      .doc = "Maximum number of results in one page."),                                              \
		PARAM(T, "Marker", member.token, .min = 1, .max = 320,                                       \
		      .doc = "Marker of the next page, from the previous answer.")
/* ---- tags.c ---- */

enum { ELB_TAGS_MAX = 50 };
extern const struct params elb_tag_params; /* Key and Value, filling struct tag */
#define ELB_TAGS(T, member, ...)                                                                             \
	PARAM_LIST(T, "Tags.member", member, elb_tag_params, .max = ELB_TAGS_MAX, __VA_ARGS__.doc = "Tags.")
/* ERR_COMBINATION with "Tags": a key is there twice. */
RESULT elb_check_tags(struct elb_call *e, struct tags tags);
/* The list Tags. */
void elb_write_tags(struct xml *x, const struct tags *tags);
/* Limits of DescribeAccountLimits, in the order of their names, which are the keys of pages. */
struct elb_limit {
	const char *name;
	int64_t max;
};
RESULT elb_write_limits(struct elb_call *e, struct xml *x, const struct elb_limit *limits, size_t count,
			const struct query_pages *pages);

/* ---- attributes.c ---- */

struct elb_attribute {
	struct str key, value;
};
struct elb_attributes {
	struct elb_attribute *at;
	size_t count;
};
extern const struct params elb_attribute_table;
enum { ELB_ATTRIBUTES_MAX = 20 };
#define ELB_ATTRIBUTES(T)                                                                                    \
	PARAM_LIST(T, "Attributes.member", attributes, elb_attribute_table, .flags = REQUIRED,               \
		   .max = ELB_ATTRIBUTES_MAX, .doc = "Attributes to set.")
/* An element of the list Attributes. */
void elb_write_attribute(struct xml *x, const char *key, struct str value);

/* ---- listeners.c ---- */

enum { ELB_PORT_MAX = 65535 };

/* The list LoadBalancerArns of a target group: the load balancer whose listeners lead there. */
void elb_write_balancers_of(struct elb_call *e, struct xml *x, uuid target_group);
