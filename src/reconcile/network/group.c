/* SPDX-License-Identifier: Apache-2.0
 * Steps of security groups with their rules (one port group with ACLs each) and of port policies (one port
 * group for each router behind which they apply). Ports join the port groups in their own steps (port.c). */
#include "base/clock.h"
#include "engine/network/filter/security_group.h"
#include "engine/virtual/port_policy.h"
#include "model/security_group_association.h"
#include "reconcile/work.h"
#include "store/port.h"
#include "store/port_policy.h"
#include "store/port_policy_rule.h"
#include "store/port_set.h"
#include "store/security_group.h"
#include "store/security_group_rule.h"
#include "store/subnet.h"

/* Forgets rules that were revoked RULE_TRACKED_US ago; the network no longer has them. */
static RESULT forget_revoked(struct step *s)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	int64_t until_us = clock_now_us() - RULE_TRACKED_US;
	const struct security_group_rule *r = security_group_rule_first_by_group(view.tables, s->id);
	for (; r; r = security_group_rule_next_by_group(view.tables, r)) {
		if (row_is_live(&r->row) || r->row.deleted_us > until_us)
			continue;
		struct rule_forget *forget = STEP_NEW(s, struct rule_forget);
		forget->rule = r->row.id;
		step_report(s, engine_forget_rule_run, forget);
	}
	return OK;
}

static RESULT step_group(struct step *s)
{
	struct network_group wish = {0};
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		TRY(gather_group(s, view.tables, s->id, &wish));
		if (wish.group)
			wake_endpoints_with(s->r, view.tables, wish.group);
	}
	if (!wish.group)
		return OK;
	const struct network_driver *driver = s->r->network.driver;
	if (row_is_live(&wish.group->row)) {
		TRY(driver->apply_group(s->r->network.self, &s->ctx, &wish));
		return forget_revoked(s);
	}
	TRY(driver->remove_group(s->r->network.self, &s->ctx, wish.group->row.id));
	return step_forget(s, KIND_SECURITY_GROUP, s->id);
}

/* ---- wake-ups ---- */

/* Rules of peers that name this group stop matching when it is deleted. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) before;
	const struct security_group_rule *rule =
		row_is_live(after) ? NULL : security_group_rule_first_by_peer_group(t, after->id);
	for (; rule; rule = security_group_rule_next_by_peer_group(t, rule))
		if (!uuid_is_none(rule->peering))
			wake_network(r, KIND_SECURITY_GROUP, rule->group);
	wake_for_row(r, KIND_SECURITY_GROUP, after);
}

const struct resource reconcile_security_group = {
	.step = step_group,
	.is_swept = true,
	.wakes = {{KIND_SECURITY_GROUP, offsetof(struct security_group, row.id)}},
	.wake_changed = wake_changed,
};
const struct resource reconcile_security_group_rule = {
	.wakes = {{KIND_SECURITY_GROUP, offsetof(struct security_group_rule, group)}},
	.wakes_forgotten = true,
};

/* Rules that name a group of another VPC apply while that group is associated with theirs. */
static void wake_for_dissociation(struct reconciler *r, const struct tables *t, const struct row *row)
{
	uuid group = security_group_association_of(row)->group;
	const struct security_group_rule *rule = security_group_rule_first_by_peer_group(t, group);
	for (; rule; rule = security_group_rule_next_by_peer_group(t, rule))
		if (!uuid_equal(rule->group, group))
			wake_network(r, KIND_SECURITY_GROUP, rule->group);
}

static void wake_for_association(struct reconciler *r, const struct tables *t, const struct row *before,
				 const struct row *after)
{
	(void) before;
	wake_for_dissociation(r, t, after);
}

const struct resource reconcile_security_group_association = {
	.wake_changed = wake_for_association,
	.wake_forgotten = wake_for_dissociation,
};

/* An address group is expanded into the rules that name it; no rule names a new one. */
static void wake_for_addresses(struct reconciler *r, const struct tables *t, const struct row *before,
			       const struct row *after)
{
	const struct security_group_rule *rule =
		before ? security_group_rule_first_by_peer_address_group(t, after->id) : NULL;
	for (; rule; rule = security_group_rule_next_by_peer_address_group(t, rule))
		wake_network(r, KIND_SECURITY_GROUP, rule->group);
}

const struct resource reconcile_address_group = {
	.step = step_ended,
	.is_swept = true,
	.wake = wake_ended_addresses,
	.wake_changed = wake_for_addresses,
};

/* ---- port policies ---- */

static RESULT step_policy(struct step *s)
{
	struct network_policy wish = {0};
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		TRY(gather_port_policy(s, view.tables, s->id, &wish));
	}
	if (!wish.policy)
		return OK;
	const struct network_driver *driver = s->r->network.driver;
	if (row_is_live(&wish.policy->row))
		return driver->apply_policy(s->r->network.self, &s->ctx, &wish);
	TRY(driver->remove_policy(s->r->network.self, &s->ctx, s->id));
	return step_forget(s, KIND_PORT_POLICY, s->id);
}

/* A port set has no object in the network: only policies with rules that name it change. */
static RESULT step_set(struct step *s)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct port_set *set = port_set_find(view.tables, s->id);
	const struct port_policy_rule *rule =
		set ? port_policy_rule_first_by_account(view.tables, set->account) : NULL;
	for (; rule; rule = port_policy_rule_next_by_account(view.tables, rule))
		if (engine_rule_has_set(rule, s->id))
			wake_network(s->r, KIND_PORT_POLICY, rule->policy);
	return OK;
}

void wake_policies_behind(struct reconciler *r, const struct tables *t, uuid router)
{
	for (const struct subnet *n = subnet_first_by_router(t, router); n; n = subnet_next_by_router(t, n))
		wake_network(r, KIND_PORT_POLICY, n->policy);
	for (const struct port *p = port_first_by_router(t, router); p; p = port_next_by_router(t, p))
		wake_network(r, KIND_PORT_POLICY, p->policy);
}

const struct resource reconcile_port_policy = {
	.step = step_policy,
	.is_swept = true,
	.wakes = {{KIND_PORT_POLICY, offsetof(struct port_policy, row.id)}},
};
const struct resource reconcile_port_policy_rule = {
	.wakes = {{KIND_PORT_POLICY, offsetof(struct port_policy_rule, policy)}},
	.wakes_forgotten = true,
};
const struct resource reconcile_port_set = {.step = step_set};
