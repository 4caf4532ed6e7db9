/* SPDX-License-Identifier: Apache-2.0
 * Policies of resources: queues and topics. Each statement has a Principal, an Action and a Resource. policy_ask_resource() and
 * policy_decide() evaluate them. Sources: IAM User Guide, "Identity-based policies and resource-based policies"; Amazon SQS Developer
 * Guide, "Amazon SQS policy quotas"; Amazon SNS Developer Guide, "Amazon SNS API permissions". */
#pragma once

#include "auth/policy/policy.h"

struct tables;

/* Limits of a service for the policies of its resources. */
struct resource_policy_limits {
	struct str vendor;          /* "sqs": prefix of all actions */
	size_t bytes, statements;   /* maximum in a document */
	size_t principals;          /* maximum in a statement */
	size_t actions, conditions; /* maximum in a statement; 0: no limit */
	const char *const
		*scope; /* the only actions, without vendor and ending with NULL; NULL: all, with wildcards */
	bool is_one_resource; /* each statement names the resource itself, and nothing else */
};

/* Why a policy is refused; each service has its own words for these. */
enum resource_policy_fault {
	RESOURCE_POLICY_MALFORMED, /* also: above a limit */
	RESOURCE_POLICY_ACTION,    /* an action of another service, or outside of the scope */
	RESOURCE_POLICY_RESOURCE,
	RESOURCE_POLICY_PRINCIPAL, /* a principal that does not exist */
};

/* Compiles a document into c's arena. ERR_INVALID. */
RESULT resource_policy_compile(struct ctx *c, struct str document, const struct policy_code **ret_policy);
/* Checks a new policy of the resource with that ARN. ERR_INVALID with *ret_fault. */
RESULT resource_policy_check(struct ctx *c, const struct tables *t,
			     const struct resource_policy_limits *limits, struct str document, struct str arn,
			     enum resource_policy_fault *ret_fault);
