/* SPDX-License-Identifier: Apache-2.0
 * Steps of proxies: bring the process of an application or Classic Load Balancer to its rows, and report the health of targets. A
 * tick of the timer looks at each proxy; one that has ended is started again. */
#include "store/proxy.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/vec.h"
#include "drivers/proxy.h"
#include "engine/balancing/classic.h"
#include "engine/balancing/octavia.h"
#include "engine/network/ipv6.h"
#include "engine/network/port/port.h"
#include "reconcile/balancing/access_log.h"
#include "reconcile/work.h"
#include "store/elastic_load_balancer.h"
#include "store/l7_rule.h"
#include "store/listener.h"
#include "store/listener_rule.h"
#include "store/port.h"
#include "store/router.h"
#include "store/rule_target_group.h"
#include "store/server_certificate.h"
#include "store/subnet.h"
#include "store/target.h"
#include "store/target_group.h"

/* A new process knows no target's health yet; later looks come with the timer's ticks. */
static const int64_t FIRST_LOOKS_US = SECOND;

struct proxy_rows {
	const struct proxy *proxy; /* NULL: the row does not exist */
	struct proxy_wish wish;
	VEC(struct proxy_link) links;
	VEC(struct proxy_listener) listeners;
	VEC(struct proxy_group) groups;
	VEC(struct proxy_certificate) certificates;
	VEC(const struct target *) targets;
	bool is_new; /* a target has no result yet */
};

#define PUSH(step, vec, value)                                                                               \
	do {                                                                                                 \
		if (!VEC_PUSH((step)->ctx.arena, (vec), (value)))                                            \
			return ctx_no_memory(&(step)->ctx);                                                  \
	} while (0)

/* ---- rows ---- */

/* An internal load balancer answers IPv6 clients of its VPC alone: its address is routed on the internet, where a VPC has a
 * gateway, and ELBv2 lets nobody in from there. */
static RESULT gather_ipv6(struct step *s, const struct tables *t, const struct elastic_load_balancer *b,
			  const struct port *port, const struct subnet *subnet, struct proxy_link *link)
{
	static const struct cidr all = {.base.family = IP_V6};
	const struct subnet *beside = engine_find_ipv6_subnet(t, subnet);
	const struct router *router = router_find(t, b->router);
	struct ip ip = engine_get_port_ip(t, port, IP_V6);
	if (!b->is_dualstack || !beside || !router || ip_is_none(ip))
		return OK;
	const struct cidrs routes = b->is_internal ? router->ipv6_blocks : (const struct cidrs){&all, 1};
	struct cidr *at = arena_new_array(s->ctx.arena, struct cidr, routes.count + 1);
	if (!at)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < routes.count; k++)
		at[k] = routes.at[k];
	link->ip6 = ip;
	link->gateway6 = beside->gateway_ip;
	link->subnet6 = beside->block;
	link->routes6 = at;
	link->route6_count = routes.count;
	return OK;
}

/* A VIP of Octavia that is an IPv6 address answers everybody whom a router leads to it. */
static void set_ipv6(const struct port *port, const struct subnet *subnet, struct proxy_link *link)
{
	static const struct cidr all = {.base.family = IP_V6};
	link->ip6 = port->ip;
	link->subnet6 = subnet->block;
	link->gateway6 = subnet->gateway_ip;
	link->routes6 = &all;
	link->route6_count = !ip_is_none(subnet->gateway_ip);
}

static RESULT gather_links(struct step *s, const struct tables *t, const struct elastic_load_balancer *b,
			   struct proxy_rows *rows)
{
	for (size_t k = 0; k < b->fronts.count; k++) {
		const struct port *port = port_find(t, b->fronts.at[k]);
		const struct subnet *subnet = port ? subnet_find(t, port->subnet) : NULL;
		if (!subnet || !row_is_live(&port->row))
			continue;
		struct proxy_link link = {.port = port->row.id, .mac = port->mac, .zone = subnet->zone};
		if (port->ip.family == IP_V6) {
			set_ipv6(port, subnet, &link);
		} else {
			link.ip = port->ip;
			link.gateway = subnet->gateway_ip;
			link.subnet = subnet->block;
			TRY(gather_ipv6(s, t, b, port, subnet, &link));
		}
		PUSH(s, &rows->links, link);
	}
	rows->wish.links = rows->links.at;
	rows->wish.link_count = rows->links.count;
	return OK;
}

static uuid zone_of(const struct tables *t, const struct target *target)
{
	const struct port *port = port_find(t, target->port);
	const struct subnet *subnet = port ? subnet_find(t, port->subnet) : NULL;
	return subnet ? subnet->zone : UUID_NONE;
}

static RESULT gather_targets(struct step *s, const struct tables *t, const struct target_group *g,
			     struct proxy_rows *rows)
{
	VEC(struct proxy_server) servers = {0};
	for (size_t k = 0; k < rows->groups.count; k++)
		if (uuid_equal(rows->groups.at[k].group->row.id, g->row.id))
			return OK;
	for (const struct target *target = target_first_by_target_group(t, g->row.id); target;
	     target = target_next_by_target_group(t, target)) {
		struct proxy_server server = {.target = target->row.id,
					      .ip = target->private_ip,
					      .port = target->number,
					      .zone = zone_of(t, target)};
		if (target->drains_until_us || target->is_down)
			continue;
		server.is_new = !octavia_is_pool(g) && target->health == TARGET_HEALTH_INITIAL;
		if (octavia_is_pool(g))
			server.member = STEP_COPY(s, KIND_TARGET, struct target, target);
		PUSH(s, &servers, server);
		PUSH(s, &rows->targets, STEP_COPY(s, KIND_TARGET, struct target, target));
		rows->is_new = rows->is_new || target->health == TARGET_HEALTH_INITIAL;
	}
	const struct proxy_group group = {STEP_COPY(s, KIND_TARGET_GROUP, struct target_group, g), servers.at,
					  servers.count};
	PUSH(s, &rows->groups, group);
	return OK;
}

/* The rules of an L7 policy that are on. */
static RESULT gather_l7_rules(struct step *s, const struct tables *t, uuid policy, struct proxy_rule *rule)
{
	VEC(const struct l7_rule *) rules = {0};
	for (const struct l7_rule *one = l7_rule_first_by_listener_rule(t, policy); one;
	     one = l7_rule_next_by_listener_rule(t, one))
		if (!one->is_down)
			PUSH(s, &rules, STEP_COPY(s, KIND_L7_RULE, struct l7_rule, one));
	rule->l7_rules = rules.at;
	rule->l7_rule_count = rules.count;
	return OK;
}

static RESULT gather_rule(struct step *s, const struct tables *t, const struct listener_rule *r,
			  struct proxy_rows *rows, struct proxy_rule *ret_rule)
{
	VEC(struct proxy_forward) forwards = {0};
	const struct rule_target_group *one = rule_target_group_first_by_listener_rule(t, r->row.id);
	for (; one; one = rule_target_group_next_by_listener_rule(t, one)) {
		const struct target_group *g = target_group_find(t, one->target_group);
		if (!g || g->is_down)
			continue;
		TRY(gather_targets(s, t, g, rows));
		const struct proxy_forward forward = {STEP_COPY(s, KIND_TARGET_GROUP, struct target_group, g),
						      one->weight};
		PUSH(s, &forwards, forward);
	}
	*ret_rule = (struct proxy_rule){.rule = STEP_COPY(s, KIND_LISTENER_RULE, struct listener_rule, r),
					.forwards = forwards.at,
					.forward_count = forwards.count};
	return gather_l7_rules(s, t, r->row.id, ret_rule);
}

static RESULT gather_rules(struct step *s, const struct tables *t, uuid listener, struct proxy_rows *rows,
			   struct proxy_listener *ret_listener)
{
	VEC(struct proxy_rule) rules = {0};
	struct proxy_rule rule, last = {0};
	const struct listener_rule *r = listener_rule_first_by_listener(t, listener);
	for (; r; r = listener_rule_next_by_listener(t, r)) {
		if (r->is_down)
			continue;
		TRY(gather_rule(s, t, r, rows, &rule));
		if (r->priority == 0)
			last = rule;
		else
			PUSH(s, &rules, rule);
	}
	if (last.rule)
		PUSH(s, &rules, last);
	ret_listener->rules = rules.at;
	ret_listener->rule_count = rules.count;
	return OK;
}

static RESULT gather_certificate(struct step *s, const struct tables *t, uuid id, struct proxy_rows *rows)
{
	const struct server_certificate *row = server_certificate_find(t, id);
	struct str key = STR_NONE;
	for (size_t k = 0; k < rows->certificates.count; k++)
		if (uuid_equal(rows->certificates.at[k].id, id))
			return OK;
	if (!row || !s->r->master_key)
		return OK;
	TRY(crypto_open(&s->ctx, s->r->master_key, (struct str){(const char *) id.b, sizeof id.b}, row->key,
			&key));
	const struct str parts[] = {row->body, STR("\n"), row->chain, STR("\n"), key, STR("\n")};
	const struct proxy_certificate certificate = {
		id, str_join(s->ctx.arena, parts, sizeof parts / sizeof parts[0])};
	PUSH(s, &rows->certificates, certificate);
	return OK;
}

/* ---- Classic Load Balancers ---- */

static void copy_policies(struct step *s, const struct elastic_load_balancer *b, struct proxy_listener *l)
{
	const struct listener *row = l->listener;
	struct classic_policy policy;
	for (size_t k = 0; k < row->policies.count; k++) {
		if (!engine_find_classic_policy(b, row->policies.at[k], &policy) ||
		    policy.type == CLASSIC_SSL)
			continue;
		l->is_sticky = true;
		if (policy.type == CLASSIC_APP_COOKIE)
			l->app_cookie = str_copy(s->ctx.arena, policy.value);
		else
			IGNORE(str_parse_int(policy.value, &l->sticky_s)); /* none: the browser's session */
	}
	l->has_proxy_protocol = engine_has_proxy_protocol(b, row->instance_port);
}

/* ---- load balancers of Octavia, network load balancers ---- */

/* The pool of a listener of Octavia, or the target group of a network load balancer's listener. A pool that is down gets no
 * connections, as if it had no members. */
static RESULT gather_pool(struct step *s, const struct tables *t, const struct listener *l,
			  struct proxy_rows *rows)
{
	const struct target_group *g = target_group_find(t, l->target_group);
	bool is_network = g && uuid_is_none(g->elastic_load_balancer);
	return g && !g->is_down && (is_network || octavia_is_pool(g)) ? gather_targets(s, t, g, rows) : OK;
}

/* ---- listeners ---- */

static RESULT gather_listeners(struct step *s, const struct tables *t, const struct elastic_load_balancer *b,
			       struct proxy_rows *rows)
{
	uuid balancer = b->row.id;
	const struct target_group *classic = engine_get_classic_group(t, balancer);
	if (classic)
		TRY(gather_targets(s, t, classic, rows));
	for (const struct listener *l = listener_first_by_elastic_load_balancer(t, balancer); l;
	     l = listener_next_by_elastic_load_balancer(t, l)) {
		struct proxy_listener one = {.listener = STEP_COPY(s, KIND_LISTENER, struct listener, l)};
		if (l->is_down || b->is_down)
			continue;
		TRY(gather_pool(s, t, l, rows));
		TRY(gather_rules(s, t, l->row.id, rows, &one));
		if (classic)
			copy_policies(s, b, &one);
		for (size_t k = 0; k < l->certificates.count; k++)
			TRY(gather_certificate(s, t, l->certificates.at[k], rows));
		PUSH(s, &rows->listeners, one);
	}
	struct proxy_wish *wish = &rows->wish;
	wish->listeners = rows->listeners.at;
	wish->listener_count = rows->listeners.count;
	wish->groups = rows->groups.at;
	wish->group_count = rows->groups.count;
	wish->certificates = rows->certificates.at;
	wish->certificate_count = rows->certificates.count;
	return OK;
}

static RESULT gather(struct step *s, struct proxy_rows *ret_rows)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct proxy *p = proxy_find(view.tables, s->id);
	const struct elastic_load_balancer *b =
		p ? elastic_load_balancer_find(view.tables, p->elastic_load_balancer) : NULL;
	*ret_rows = (struct proxy_rows){.wish.id = s->id};
	if (!p)
		return OK;
	ret_rows->proxy = STEP_COPY(s, KIND_PROXY, struct proxy, p);
	if (!b || !row_is_live(&p->row))
		return OK;
	ret_rows->wish.balancer = STEP_COPY(s, KIND_ELASTIC_LOAD_BALANCER, struct elastic_load_balancer, b);
	TRY(gather_links(s, view.tables, b, ret_rows));
	return gather_listeners(s, view.tables, b, ret_rows);
}

/* ---- reports ---- */

static bool differs(const struct target *target, const struct target_probe *probe)
{
	bool is_healthy = target->health == TARGET_HEALTH_HEALTHY;
	return target->health == TARGET_HEALTH_INITIAL || is_healthy != probe->is_healthy ||
	       (int) target->reason != (int) probe->fault || target->code != probe->code;
}

static const struct target *find_target(const struct proxy_rows *rows, uuid id)
{
	for (size_t k = 0; k < rows->targets.count; k++)
		if (uuid_equal(rows->targets.at[k]->row.id, id))
			return rows->targets.at[k];
	return NULL;
}

/* As in ELBv2, one check suffices for a new target; HAProxy would wait for as many as bring an unhealthy one back. */
static RESULT admit(struct step *s, const struct target *target, struct proxy_server_state *state)
{
	if (!state->is_rising || target->health != TARGET_HEALTH_INITIAL)
		return OK;
	struct result admitted = s->r->proxies.driver->admit(s->r->proxies.self, &s->ctx, s->id,
							     target->target_group, state->target);
	if (admitted.code == ERR_GONE) { /* the next look finds it again */
		ctx_clear_problem(&s->ctx);
		return OK;
	}
	TRY(admitted);
	state->health = PROXY_UP;
	state->fault = PROXY_FAULT_NONE;
	return OK;
}

static RESULT report_health(struct step *s, const struct proxy_rows *rows, struct proxy_server_state *states,
			    size_t count)
{
	static const enum target_fault faults[] = {[PROXY_FAULT_NONE] = TARGET_FAULT_NONE,
						   [PROXY_FAULT_MISMATCH] = TARGET_FAULT_MISMATCH,
						   [PROXY_FAULT_TIMEOUT] = TARGET_FAULT_TIMEOUT,
						   [PROXY_FAULT_FAILED] = TARGET_FAULT_FAILED};
	struct target_probe *at = arena_new_array(s->ctx.arena, struct target_probe, count + 1);
	struct target_probes *report = STEP_NEW(s, struct target_probes);
	size_t changed = 0, known = 0;
	if (!at)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < count; k++) {
		const struct target *target = find_target(rows, states[k].target);
		if (target)
			TRY(admit(s, target, &states[k]));
		const struct target_probe probe = {states[k].target, states[k].health == PROXY_UP,
						   faults[states[k].fault], states[k].code};
		if (!target || states[k].health == PROXY_UNCHECKED)
			continue;
		known++;
		if (differs(target, &probe))
			at[changed++] = probe;
	}
	*report = (struct target_probes){at, changed};
	if (changed)
		step_report(s, engine_see_targets_run, report);
	if (known < rows->targets.count && rows->is_new)
		step_again_at(s, clock_now_us() + FIRST_LOOKS_US);
	return OK;
}

/* ---- statistics of Octavia ---- */

/* A reload ends the worker that counts, so the step reads the figures before it applies the wish. */
static RESULT report_figures(struct step *s, const struct proxy_rows *rows)
{
	struct proxy_listener_state *states = NULL;
	size_t count = 0;
	if (!octavia_is_balancer(rows->wish.balancer))
		return OK;
	struct result seen = s->r->proxies.driver->count(s->r->proxies.self, &s->ctx, s->id, &states, &count);
	if (seen.code == ERR_GONE) { /* the process has not started yet, or has ended */
		ctx_clear_problem(&s->ctx);
		return OK;
	}
	TRY(seen);
	struct octavia_reading *at = arena_new_array(s->ctx.arena, struct octavia_reading, count + 1);
	struct octavia_readings *report = STEP_NEW(s, struct octavia_readings);
	if (!at)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < count; k++)
		at[k] = (struct octavia_reading){states[k].listener,
						 states[k].worker,
						 {.active_connections = states[k].active,
						  .total_connections = states[k].total,
						  .bytes_in = states[k].bytes_in,
						  .bytes_out = states[k].bytes_out,
						  .request_errors = states[k].errors}};
	*report = (struct octavia_readings){s->id, at, count};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	if (octavia_has_news(&s->ctx, view.tables, report))
		step_report(s, engine_count_octavia_run, report);
	return OK;
}

/* ---- the step ---- */

static RESULT step_deleted(struct step *s)
{
	access_log_end(s);
	TRY(s->r->proxies.driver->remove(s->r->proxies.self, &s->ctx, s->id));
	return step_forget(s, KIND_PROXY, s->id);
}

static RESULT step_live(struct step *s, const struct proxy_rows *rows)
{
	const struct proxy_driver *driver = s->r->proxies.driver;
	struct proxy_server_state *states = NULL;
	size_t count = 0;
	TRY(report_figures(s, rows));
	if (rows->proxy->restart_gen > rows->proxy->seen_gen) {
		access_log_end(s); /* the directory and its socket go */
		TRY(driver->remove(s->r->proxies.self, &s->ctx, s->id));
	}
	TRY(driver->apply(s->r->proxies.self, &s->ctx, &rows->wish));
	TRY(access_log_follow(s, rows->wish.balancer));
	if (rows->proxy->seen_gen != (int64_t) rows->proxy->row.gen) {
		struct proxy_report *report = STEP_NEW(s, struct proxy_report);
		*report = (struct proxy_report){s->id, rows->proxy->row.gen};
		step_report(s, engine_see_proxy_run, report);
	}
	if (!rows->targets.count)
		return OK;
	struct result seen = driver->see(s->r->proxies.self, &s->ctx, s->id, &states, &count);
	if (seen.code == ERR_GONE) { /* a new process does not answer yet */
		ctx_clear_problem(&s->ctx);
		step_again_at(s, clock_now_us() + FIRST_LOOKS_US);
		return OK;
	}
	TRY(seen);
	return report_health(s, rows, states, count);
}

static RESULT step_proxy(struct step *s)
{
	struct proxy_rows rows = {0};
	TRY(gather(s, &rows));
	if (!rows.proxy)
		return OK;
	if (!s->r->proxies.driver)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED, "this region has no machine that runs proxies");
	return row_is_live(&rows.proxy->row) && rows.wish.balancer ? step_live(s, &rows) : step_deleted(s);
}

static void wake(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_proxies(r, row->id), KIND_PROXY, row->id, WAKE_WISH);
}

void wake_proxies(struct reconciler *r)
{
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	for (const struct proxy *p = proxy_first(view.tables); p; p = proxy_next(view.tables, p))
		wake(r, &p->row);
}

/* Reports of the gen that a step has reached need no further step. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before || before->gen != after->gen || row_is_live(before) != row_is_live(after))
		wake(r, after);
}

const struct resource reconcile_proxy = {
	.step = step_proxy,
	.is_swept = true,
	.wake = wake,
	.wake_changed = wake_changed,
};
