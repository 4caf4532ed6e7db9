/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs in the packet's path. The first matching entry by number decides; without a match the packet
 * is denied. ACLs are stateless, so replies need entries of their own. The exception is a stateful list,
 * whose IPv4 is decided at the interface (drivers/ovn/nb_acl.c, nb_acl_tracked.c). */
#include <inttypes.h>
#include <netinet/in.h>

#include "engine/network/ipv6.h"
#include "engine/reach/reach_internal.h"
#include "model/router.h"
#include "model/subnet.h"
#include "store/network_acl.h"
#include "store/network_acl_entry.h"

enum { CUTS_MAX = 256 };

/* One direction of a list. */
struct list {
	struct reach_walk *w;
	const struct network_acl *acl;
	const struct subnet *subnet;
	bool egress;
};

static bool is_about(const struct network_acl_entry *e, struct ip ip)
{
	bool is = false, is_of_family = e->blocks.count && e->blocks.at[0].base.family == ip.family;
	for (size_t k = 0; k < e->blocks.count && is_of_family && !is; k++)
		is = e->blocks.at[k].bits == 0 || cidr_contains(cidr_canonical(e->blocks.at[k]), ip);
	return is;
}

/* The entry that matches at this port, or NULL. */
static const struct network_acl_entry *find_entry(const struct list *l, int64_t port)
{
	const struct reach_packet *p = &l->w->p;
	const struct network_acl_entry *e = network_acl_entry_first_by_acl(l->w->t, l->acl->row.id);
	while (e && !(e->egress == l->egress && is_about(e, l->egress ? p->to : p->from) &&
		      reach_traffic_fits(p, port, e->protocol, e->from_port, e->to_port)))
		e = network_acl_entry_next_by_acl(l->w->t, e);
	return e;
}

/* For a packet to any of a client's ports: returns the first denying result over the port range, or else an
 * allowing entry. Results change only at the ports where entries begin or end, so only these are checked. */
static const struct network_acl_entry *find_worst(const struct list *l, int64_t *ret_port)
{
	struct reach_ports span = l->w->p.to_ports;
	int64_t cuts[CUTS_MAX] = {span.first};
	size_t count = 1;
	const struct network_acl_entry *e = network_acl_entry_first_by_acl(l->w->t, l->acl->row.id);
	for (; e && count + 2 <= CUTS_MAX; e = network_acl_entry_next_by_acl(l->w->t, e)) {
		if (e->from_port > span.first && e->from_port <= span.last)
			cuts[count++] = e->from_port;
		if (e->from_port >= 0 && e->to_port >= span.first && e->to_port < span.last)
			cuts[count++] = e->to_port + 1;
	}
	const struct network_acl_entry *found = NULL;
	for (size_t k = 0; k < count; k++) {
		found = find_entry(l, cuts[k]);
		*ret_port = cuts[k];
		if (!found || !found->allows)
			return found;
	}
	return found;
}

/* "tcp to port 443 from 10.0.0.4 into subnet subnet-…" */
static struct str write_passage(const struct list *l)
{
	struct reach_walk *w = l->w;
	return str_print(w->c->arena, "%" STR_FMT " %s %" STR_FMT " %s subnet %" STR_FMT,
			 STR_ARG(reach_write_traffic(w)), l->egress ? "to" : "from",
			 STR_ARG(reach_write_ip(w, l->egress ? w->p.to : w->p.from)),
			 l->egress ? "out of" : "into",
			 STR_ARG(reach_name(w, KIND_SUBNET, l->subnet->row.id)));
}

static void tell_denied(const struct list *l, struct reach_step step, const struct network_acl_entry *e,
			int64_t port)
{
	struct reach_walk *w = l->w;
	struct str acl = reach_name(w, KIND_NETWORK_ACL, l->acl->row.id), passage = write_passage(l);
	const char *way = l->egress ? "outwards" : "inwards", *before = e ? ", with a lower number" : "";
	struct str some = STR_NONE;
	if (w->p.to_ports.first != w->p.to_ports.last)
		some = str_print(w->c->arena, ", at port %" PRId64 " for one", port);
	if (e)
		reach_say(w, step,
			  "Entry %" PRId64 " of network ACL %" STR_FMT " denies %" STR_FMT "%" STR_FMT ".",
			  e->number, STR_ARG(acl), STR_ARG(passage), STR_ARG(some));
	else
		reach_say(w, step, "No entry of network ACL %" STR_FMT " lets %" STR_FMT "%" STR_FMT ".",
			  STR_ARG(acl), STR_ARG(passage), STR_ARG(some));
	if (w->p.is_reply)
		reach_advise(w,
			     "A network ACL tracks no connections: add an entry %s to %" STR_FMT
			     " that allows answers to the client's ports%s.",
			     way, STR_ARG(acl), before);
	else
		reach_advise(w, "Add an entry %s to network ACL %" STR_FMT " that allows it%s.", way,
			     STR_ARG(acl), before);
}

static void tell(const struct list *l, const struct network_acl_entry *e, int64_t port)
{
	uuid acl = l->acl->row.id;
	struct reach_step step = {.stage = REACH_ACL, .kind = KIND_NETWORK_ACL, .row = acl, .whole = acl};
	if (e) {
		step.kind = KIND_NETWORK_ACL_ENTRY;
		step.row = e->row.id;
		step.part_of = KIND_NETWORK_ACL;
	}
	if (!e || !e->allows) {
		step.verdict = REACH_STOPS;
		tell_denied(l, step, e, port);
		return;
	}
	reach_say(l->w, step, "Entry %" PRId64 " of network ACL %" STR_FMT " lets %" STR_FMT ".", e->number,
		  STR_ARG(reach_name(l->w, KIND_NETWORK_ACL, acl)), STR_ARG(write_passage(l)));
}

static bool decide(const struct list *l)
{
	int64_t port = -1;
	const struct network_acl_entry *e = find_worst(l, &port);
	tell(l, e, port);
	return e && e->allows;
}

static const struct network_acl *find_list(const struct reach_walk *w, const struct router *router,
					   const struct subnet *subnet)
{
	if (!uuid_equal(subnet->router, router->row.id))
		return NULL; /* a subnet of another router, entered by an interface: Neutron has no ACLs */
	return network_acl_find(w->t, engine_get_subnet_acl(w->t, router, subnet));
}

/* True for replies that OVN recognizes without connection tracking, so that a stateful list lets them pass in
 * IPv6, too. */
static bool is_known_answer(const struct reach_packet *p)
{
	return p->is_reply && (p->protocol == IPPROTO_TCP || reach_is_icmp(p));
}

bool reach_pass_acl(struct reach_walk *w, const struct router *router, const struct subnet *subnet,
		    bool egress)
{
	const struct network_acl *acl = find_list(w, router, subnet);
	if (!acl || reach_is_platform(egress ? w->p.to : w->p.from))
		return true;
	if (acl->is_stateful && (w->p.to.family == IP_V4 || is_known_answer(&w->p)))
		return true;
	return decide(&(struct list){w, acl, subnet, egress});
}

bool reach_pass_tracked(struct reach_walk *w, const struct router *router, const struct subnet *subnet,
			bool egress)
{
	const struct network_acl *acl = find_list(w, router, subnet);
	if (!acl || !acl->is_stateful || w->p.is_reply || w->p.to.family != IP_V4 ||
	    reach_is_platform(egress ? w->p.to : w->p.from))
		return true;
	if (egress && cidr_contains(subnet->block, w->p.to))
		return true; /* the packet returns into the same subnet */
	return decide(&(struct list){w, acl, subnet, egress});
}
