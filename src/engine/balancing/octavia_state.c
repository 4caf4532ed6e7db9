/* SPDX-License-Identifier: Apache-2.0
 * Statuses of Octavia's resources, derived from what the reconciler has reported: the gen that the proxy was brought to, its
 * problems, and the health of targets. */
#include "engine/balancing/octavia.h"
#include "model/elastic_load_balancer.h"
#include "model/target.h"
#include "store/condition.h"
#include "store/elastic_load_balancer.h"
#include "store/l7_rule.h"
#include "store/listener.h"
#include "store/listener_rule.h"
#include "store/port.h"
#include "store/proxy.h"
#include "store/rule_target_group.h"
#include "store/target.h"
#include "store/target_group.h"

bool octavia_is_balancer(const struct elastic_load_balancer *b)
{
	return b && b->type == ELASTIC_LOAD_BALANCER_TYPE_OCTAVIA;
}

bool octavia_is_pool(const struct target_group *group)
{
	return group && str_starts_with(group->name, STR("octavia/"));
}

static uuid get_balancer_of_policy(const struct tables *t, uuid policy)
{
	const struct listener_rule *r = listener_rule_find(t, policy);
	return r ? r->elastic_load_balancer : UUID_NONE;
}

static uuid get_balancer(const struct tables *t, enum kind kind, const struct row *row)
{
	const struct target_group *g = kind == KIND_TARGET_GROUP ? target_group_of(row)
				       : kind == KIND_TARGET
					       ? target_group_find(t, target_of(row)->target_group)
					       : NULL;
	return g                                    ? g->elastic_load_balancer
	       : kind == KIND_ELASTIC_LOAD_BALANCER ? row->id
	       : kind == KIND_LISTENER              ? listener_of(row)->elastic_load_balancer
	       : kind == KIND_LISTENER_RULE         ? listener_rule_of(row)->elastic_load_balancer
	       : kind == KIND_L7_RULE ? get_balancer_of_policy(t, l7_rule_of(row)->listener_rule)
				      : UUID_NONE;
}

bool engine_is_of_octavia(const struct tables *t, enum kind kind, const struct row *row)
{
	return row && octavia_is_balancer(elastic_load_balancer_find(t, get_balancer(t, kind, row)));
}

bool engine_is_octavia_front(const struct tables *t, const struct port *port)
{
	uuid id;
	if (!result_is_ok(uuid_parse(port->device_id, &id)))
		return false;
	const struct elastic_load_balancer *b = elastic_load_balancer_find(t, id);
	return octavia_is_balancer(b) && uuids_have(&b->fronts, port->row.id);
}

const struct port *octavia_get_front(const struct tables *t, const struct elastic_load_balancer *b)
{
	return b->fronts.count ? port_find(t, b->fronts.at[0]) : NULL;
}

/* ---- provisioning ---- */

static int64_t get_seen(const struct tables *t, uuid balancer)
{
	const struct proxy *proxy = engine_get_proxy(t, balancer);
	return proxy ? proxy->seen_gen : 0;
}

static bool has_problem(const struct tables *t, uuid balancer)
{
	const struct proxy *proxy = engine_get_proxy(t, balancer);
	return proxy && condition_first_by_subject(t, proxy->row.id);
}

const char *octavia_get_provisioning(const struct tables *t, const struct elastic_load_balancer *b)
{
	const struct proxy *proxy = engine_get_proxy(t, b->row.id);
	if (!proxy || has_problem(t, b->row.id))
		return "ERROR";
	if (!proxy->seen_gen)
		return "PENDING_CREATE";
	return proxy->seen_gen == (int64_t) proxy->row.gen ? "ACTIVE" : "PENDING_UPDATE";
}

const char *octavia_get_part_provisioning(const struct tables *t, uuid balancer, int64_t proxy_gen,
					  bool is_new)
{
	if (proxy_gen <= get_seen(t, balancer))
		return "ACTIVE";
	if (has_problem(t, balancer))
		return "ERROR";
	return is_new ? "PENDING_CREATE" : "PENDING_UPDATE";
}

/* ---- operating ---- */

static bool is_balancer_on(const struct tables *t, const struct elastic_load_balancer *b)
{
	return b && !b->is_down && get_seen(t, b->row.id);
}

/* A listener that is on leads to the pool by default, or by an L7 policy. */
static bool is_pool_used(const struct tables *t, uuid pool)
{
	const struct listener *l = listener_first_by_target_group(t, pool);
	while (l && l->is_down)
		l = listener_next_by_target_group(t, l);
	if (l)
		return true;
	for (const struct rule_target_group *r = rule_target_group_first_by_target_group(t, pool); r;
	     r = rule_target_group_next_by_target_group(t, r)) {
		const struct listener_rule *policy = listener_rule_find(t, r->listener_rule);
		l = policy && !policy->is_down ? listener_find(t, policy->listener) : NULL;
		if (l && !l->is_down)
			return true;
	}
	return false;
}

/* The proxy serves a pool that a listener leads to. */
static bool is_pool_on(const struct tables *t, const struct target_group *g)
{
	const struct elastic_load_balancer *b = elastic_load_balancer_find(t, g->elastic_load_balancer);
	return is_pool_used(t, g->row.id) && !g->is_down && is_balancer_on(t, b) &&
	       g->proxy_gen <= get_seen(t, b->row.id);
}

const char *octavia_get_member_operating(const struct tables *t, const struct target *target)
{
	const struct target_group *g = target_group_find(t, target->target_group);
	if (!g || target->is_down)
		return "OFFLINE";
	if (!g->has_monitor || g->monitor_is_down)
		return "NO_MONITOR";
	if (!is_pool_on(t, g))
		return "OFFLINE";
	if (!target->weight)
		return "DRAINING";
	return target->health == TARGET_HEALTH_HEALTHY     ? "ONLINE"
	       : target->health == TARGET_HEALTH_UNHEALTHY ? "ERROR"
							   : "OFFLINE";
}

const char *octavia_get_pool_operating(const struct tables *t, const struct target_group *g)
{
	size_t bad = 0, all = 0;
	if (!is_pool_on(t, g))
		return "OFFLINE";
	for (const struct target *m = target_first_by_target_group(t, g->row.id); m;
	     m = target_next_by_target_group(t, m)) {
		if (m->is_down)
			continue;
		all++;
		bad += str_is(str_from(octavia_get_member_operating(t, m)), "ERROR");
	}
	return !bad ? "ONLINE" : bad == all ? "ERROR" : "DEGRADED";
}

const char *octavia_get_listener_operating(const struct tables *t, const struct listener *l)
{
	const struct elastic_load_balancer *b = elastic_load_balancer_find(t, l->elastic_load_balancer);
	return !l->is_down && is_balancer_on(t, b) && l->proxy_gen <= get_seen(t, b->row.id) ? "ONLINE"
											     : "OFFLINE";
}

static const char *get_operating(const struct tables *t, uuid balancer, bool is_down, int64_t proxy_gen)
{
	return !is_down && proxy_gen <= get_seen(t, balancer) ? "ONLINE" : "OFFLINE";
}

const char *octavia_get_policy_operating(const struct tables *t, const struct listener_rule *policy)
{
	return get_operating(t, policy->elastic_load_balancer, policy->is_down, policy->proxy_gen);
}

const char *octavia_get_rule_operating(const struct tables *t, const struct l7_rule *rule)
{
	return get_operating(t, get_balancer_of_policy(t, rule->listener_rule), rule->is_down,
			     rule->proxy_gen);
}

const char *octavia_get_monitor_operating(const struct tables *t, const struct target_group *g)
{
	return get_operating(t, g->elastic_load_balancer, g->monitor_is_down, g->monitor_gen);
}

const char *octavia_get_balancer_operating(const struct tables *t, const struct elastic_load_balancer *b)
{
	const char *status = "ONLINE";
	if (!is_balancer_on(t, b))
		return has_problem(t, b->row.id) ? "ERROR" : "OFFLINE";
	for (const struct target_group *g = target_group_first_by_elastic_load_balancer(t, b->row.id); g;
	     g = target_group_next_by_elastic_load_balancer(t, g)) {
		struct str pool = str_from(octavia_get_pool_operating(t, g));
		if (str_is(pool, "ERROR"))
			return "ERROR";
		if (str_is(pool, "DEGRADED"))
			status = "DEGRADED";
	}
	return status;
}
