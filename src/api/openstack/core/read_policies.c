/* SPDX-License-Identifier: Apache-2.0
 * Finds the read policy of an Identity call and checks the part that depends on the token alone. */
#include "api/openstack/core/read_policies.h"

enum rule { ANYBODY, REGION, ROLES, ROLE, PEOPLE, OWN };

static const struct read_policy {
	const char *name;
	enum rule rule;
} policies[] = {
#define POLICY(name, rule) {"identity:" name, rule},
#include "api/openstack/core/read_policies.def"
#undef POLICY
};

static const struct read_policy *find(const char *permit)
{
	for (size_t k = 0; k < sizeof policies / sizeof policies[0]; k++)
		if (strcmp(policies[k].name, permit) == 0)
			return &policies[k];
	return NULL;
}

bool os_has_read_policy(const char *permit)
{
	return find(permit) != NULL;
}

bool os_reads_region(const struct os_call *e)
{
	const struct identity *who = e->c->who;
	return identity_is_admin(who) || (who->scope == IDENTITY_SYSTEM && identity_has(who, RIGHT_READER));
}

bool os_hides_absence(const struct os_call *e)
{
	const struct read_policy *policy = e->action->flags & API_WRITES ? NULL : find(e->action->permit);
	bool is_token =
		strcmp(e->action->permit, "identity:validate_token") == 0; /* looked up before its policy */
	return policy && !is_token && (policy->rule == PEOPLE || policy->rule == OWN) && !os_reads_region(e);
}

RESULT os_fail_policy(const struct os_call *e)
{
	return ctx_fail(e->c, ERR_DENIED, "You are not authorized to perform the requested action: %s.",
			e->action->permit);
}

static bool passes(const struct os_call *e, enum rule rule)
{
	const struct identity *who = e->c->who;
	bool is_manager = identity_has(who, RIGHT_MANAGER);
	if (rule == ANYBODY || rule == OWN || os_reads_region(e))
		return true;
	if (rule == ROLE)
		return is_manager;
	return who->scope == IDENTITY_DOMAIN &&
	       (rule == ROLES ? is_manager : rule == PEOPLE && identity_has(who, RIGHT_READER));
}

RESULT os_check_read_policy(const struct os_call *e)
{
	const struct read_policy *policy = e->action->flags & API_WRITES ? NULL : find(e->action->permit);
	return !policy || passes(e, policy->rule) ? OK : os_fail_policy(e);
}

RESULT os_hide_absence(struct os_call *e, struct result found)
{
	if (found.code != ERR_NOT_FOUND || !os_hides_absence(e))
		return found;
	ctx_clear_problem(e->c);
	return os_fail_policy(e);
}
