/* SPDX-License-Identifier: Apache-2.0
 * Answers a reachability question: chooses the addresses, walks the packet's path, then that of the reply.
 * Groups, policies and firewalls track connections, so a reply meets only routes and network ACLs. */
#include "engine/reach/reach.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/network/port/port.h"
#include "engine/reach/reach_internal.h"
#include "model/port_prefix.h"
#include "model/secondary_ip.h"
#include "store/port.h"

enum { TEXT_MAX = 2048 };

const char *const reach_verdict_words[] = {
	[REACH_PASSES] = "passes", [REACH_STOPS] = "stops", [REACH_UNKNOWN] = "unknown"};
const char *const reach_stage_words[REACH_STAGES] = {
	[REACH_STATE] = "state",       [REACH_SOURCE] = "source",     [REACH_POLICY] = "policy",
	[REACH_GROUP] = "group",       [REACH_FIREWALL] = "firewall", [REACH_ACL] = "acl",
	[REACH_LINK] = "link",         [REACH_ROUTE] = "route",       [REACH_TRANSLATION] = "translation",
	[REACH_NAT] = "nat",           [REACH_PEERING] = "peering",   [REACH_TRANSIT] = "transit",
	[REACH_BALANCER] = "balancer", [REACH_GUEST] = "guest",       [REACH_OUTSIDE] = "outside",
	[REACH_PLATFORM] = "platform", [REACH_VPN] = "vpn",
};

/* ---- steps ---- */

static __attribute__((format(printf, 2, 0))) struct str print(struct reach_walk *w, const char *format,
							      va_list args)
{
	char text[TEXT_MAX];
	int n = vsnprintf(text, sizeof text, format, args);
	size_t size = n < 0 ? 0 : (size_t) n < sizeof text ? (size_t) n : sizeof text - 1;
	struct str copy = str_copy(w->c->arena, (struct str){text, size});
	w->has_failed = w->has_failed || !copy.p;
	return copy;
}

void reach_say(struct reach_walk *w, struct reach_step step, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	step.text = print(w, format, args);
	va_end(args);
	step.is_reply = w->p.is_reply;
	if (!VEC_PUSH(w->c->arena, &w->steps, step))
		w->has_failed = true;
}

void reach_advise(struct reach_walk *w, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (w->steps.count)
		w->steps.at[w->steps.count - 1].advice = print(w, format, args);
	va_end(args);
}

enum reach_end reach_stop(struct reach_walk *w, struct reach_step step, const char *text, const char *advice)
{
	step.verdict = REACH_STOPS;
	reach_say(w, step, "%s", text);
	if (advice)
		reach_advise(w, "%s", advice);
	return REACH_END_STOPPED;
}

const char *reach_print(struct reach_walk *w, const char *format, struct str a, struct str b)
{
	struct str text = str_print(w->c->arena, format, STR_ARG(a), STR_ARG(b));
	return text.p ? str_to_z(w->c->arena, text) : "";
}

struct str reach_write_to(const struct reach_walk *w)
{
	return reach_write_ip(w, w->p.to);
}

bool reach_is_icmp(const struct reach_packet *p)
{
	return p->protocol == (p->to.family == IP_V6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

bool reach_has_ports(int64_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

struct str reach_write_traffic(const struct reach_walk *w)
{
	struct arena *a = w->c->arena;
	const struct reach_packet *p = &w->p;
	const char *word = p->protocol == IPPROTO_TCP ? "tcp" : "udp";
	if (reach_is_icmp(p))
		return p->is_reply ? STR("a ping's answer") : STR("a ping");
	if (!reach_has_ports(p->protocol))
		return str_print(a, "protocol %" PRId64, p->protocol);
	if (p->to_ports.first == p->to_ports.last)
		return str_print(a, "%s to port %" PRId64, word, p->to_ports.first);
	return str_print(a, "%s to a client's ports (%" PRId64 "-%" PRId64 ")", word, p->to_ports.first,
			 p->to_ports.last);
}

struct str reach_write_ip(const struct reach_walk *w, struct ip ip)
{
	return ip_to_str(w->c->arena, ip);
}

struct str reach_name(const struct reach_walk *w, enum kind kind, uuid id)
{
	return id_to_text(w->c->arena, kind, id);
}

bool reach_is_platform(struct ip ip)
{
	static const char *const own[] = {"169.254.169.253", "169.254.169.254", "168.63.129.16",
					  "fd00:ec2::254"};
	char text[IP_TEXT_SIZE];
	struct str written = str_from(ip_write(ip, text));
	for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
		if (str_is(written, own[k]))
			return true;
	return false;
}

bool reach_traffic_fits(const struct reach_packet *p, int64_t port, int64_t protocol, int64_t from,
			int64_t to)
{
	if (protocol < 0)
		return true;
	if (protocol != p->protocol)
		return false;
	if (reach_is_icmp(p))
		return from < 0 || (from == p->type && (to < 0 || to == p->code));
	return !reach_has_ports(protocol) || from < 0 || (from <= port && port <= to);
}

bool reach_has_ip(const struct tables *t, const struct port *port, struct ip ip)
{
	bool has = ip_equal(port->ip, ip);
	const struct secondary_ip *s = engine_first_secondary_ip(t, port->row.id);
	for (; s && !has; s = engine_next_secondary_ip(t, s))
		has = ip_equal(s->ip, ip);
	const struct port_prefix *p = engine_first_prefix(t, port->row.id);
	for (; p && !has; p = engine_next_prefix(t, p))
		has = cidr_contains(p->block, ip);
	return has;
}

bool reach_add_change(struct reach_walk *w, struct reach_change change)
{
	if (w->change_count == REACH_CHANGES_MAX)
		return false;
	w->changes[w->change_count++] = change;
	return true;
}

/* ---- packet and answer ---- */

/* No public address leads to the interface. */
static void tell_unknown_outside(struct reach_walk *w)
{
	const struct port *to = w->q->to;
	reach_say(w,
		  (struct reach_step){.stage = REACH_TRANSLATION,
				      .verdict = REACH_STOPS,
				      .kind = KIND_PORT,
				      .row = to->row.id},
		  "Interface %" STR_FMT " has no public address, so nothing from outside leads to it.",
		  STR_ARG(reach_name(w, KIND_PORT, to->row.id)));
	reach_advise(
		w,
		"Associate a public address with it, or put it behind a port forwarding or a load balancer.");
}

static enum reach_end walk_there(struct reach_walk *w)
{
	const struct port *from = w->q->from;
	if (ip_is_none(w->p.to)) {
		tell_unknown_outside(w);
		return REACH_END_STOPPED;
	}
	if (!from)
		return reach_go_outside(w);
	reach_tell_state(w, from);
	if (!reach_leave_port(w, from))
		return REACH_END_STOPPED;
	return reach_send(w, from);
}

/* Enters the interface that the packet reached. */
static bool arrive(struct reach_walk *w)
{
	if (w->q->to && w->hit != w->q->to) {
		reach_say(w,
			  (struct reach_step){.stage = REACH_LINK,
					      .verdict = REACH_STOPS,
					      .kind = KIND_PORT,
					      .row = w->hit->row.id},
			  "The address leads to another interface, %" STR_FMT ".",
			  STR_ARG(reach_name(w, KIND_PORT, w->hit->row.id)));
		return false;
	}
	bool enters = reach_enter_port(w);
	if (enters)
		reach_tell_state(w, w->hit);
	return enters;
}

static void turn_round(struct reach_walk *w)
{
	struct reach_packet *p = &w->p;
	*p = (struct reach_packet){.from = p->to,
				   .to = p->from,
				   .protocol = p->protocol,
				   .from_ports = p->to_ports,
				   .to_ports = p->from_ports,
				   .type = p->to.family == IP_V6 ? REACH_ECHO6_REPLY : REACH_ECHO4_REPLY,
				   .is_reply = true};
	w->hops = 0;
}

static void walk_back(struct reach_walk *w, enum reach_end there)
{
	const struct port *answers = there == REACH_END_PORT ? w->hit : NULL;
	turn_round(w);
	enum reach_end back = answers ? reach_send(w, answers) : reach_go_outside(w);
	bool is_home =
		w->q->from ? back == REACH_END_PORT && w->hit == w->q->from : back == REACH_END_OUTSIDE;
	if (is_home || back == REACH_END_STOPPED || back == REACH_END_GUEST)
		return;
	reach_say(w, (struct reach_step){.stage = REACH_ROUTE, .verdict = REACH_STOPS},
		  "The answer leaves by another way than the packet came, and does not find back to %" STR_FMT
		  ".",
		  STR_ARG(reach_write_ip(w, w->p.to)));
}

static void conclude(const struct reach_walk *w, struct reach_answer *answer)
{
	answer->steps = w->steps.at;
	answer->count = answer->first_bad = w->steps.count;
	answer->verdict = REACH_PASSES;
	for (size_t k = w->steps.count; k > 0; k--)
		if (w->steps.at[k - 1].verdict == REACH_UNKNOWN)
			answer->first_bad = k - 1;
	for (size_t k = w->steps.count; k > 0; k--)
		if (w->steps.at[k - 1].verdict == REACH_STOPS)
			answer->first_bad = k - 1;
	if (answer->first_bad < answer->count)
		answer->verdict = answer->steps[answer->first_bad].verdict;
}

RESULT engine_find_reach(struct ctx *c, const struct tables *t, const struct reach_question *question,
			 struct reach_answer *ret_answer)
{
	struct reach_walk *w = arena_new_object(c->arena, struct reach_walk);
	if (!w)
		return ctx_no_memory(c);
	*w = (struct reach_walk){.c = c, .t = t, .q = question};
	TRY(reach_begin(w));
	*ret_answer =
		(struct reach_answer){.from_ip = w->p.from, .to_ip = w->p.to, .protocol = w->p.protocol};
	enum reach_end there = walk_there(w);
	ret_answer->found = there == REACH_END_PORT ? w->hit : NULL;
	bool has_come = there == REACH_END_PORT ? arrive(w) : there == REACH_END_OUTSIDE;
	if (has_come)
		walk_back(w, there);
	if (w->has_failed)
		return ctx_no_memory(c);
	conclude(w, ret_answer);
	return OK;
}
