/* SPDX-License-Identifier: Apache-2.0
 * Firewall rules of guest networks. Only CloudStack's API creates them, so conflicts and messages are those
 * of its FirewallManagerImpl. A rule belongs to the network that its address leads into, and moves with the
 * address. */
#include "engine/network/filter/firewall.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>

#include "engine/internal.h"
#include "engine/network/filter/firewall_internal.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/tag_internal.h"
#include "model/router.h"
#include "store/address.h"
#include "store/firewall_rule.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/network.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/router.h"
#include "store/subnet.h"

enum { PROTOCOL_ALL = -1, PORT_LAST = 65535, ICMP_LAST = 255, TRAFFIC_SIZE = 64 };

static bool is_icmp(const struct firewall_rule *rule)
{
	return rule->protocol == IPPROTO_ICMP;
}

static const char *write_protocol(int64_t protocol)
{
	return protocol == IPPROTO_TCP    ? "tcp"
	       : protocol == IPPROTO_UDP  ? "udp"
	       : protocol == IPPROTO_ICMP ? "icmp"
					  : "all";
}

/* ---- the network of an address ---- */

static uuid network_of_port(const struct tables *t, uuid port)
{
	const struct port *row = uuid_is_none(port) ? NULL : port_find(t, port);
	return row ? row->network : UUID_NONE;
}

static uuid network_of_balancer(const struct tables *t, uuid address)
{
	const struct load_balancer *b = load_balancer_first_by_address(t, address);
	uuid network = UUID_NONE;
	for (; b && uuid_is_none(network); b = load_balancer_next_by_address(t, b)) {
		const struct load_balancer_member *m =
			load_balancer_member_first_by_load_balancer(t, b->row.id);
		network = m ? network_of_port(t, m->port) : b->network;
	}
	return network;
}

/* Network whose router does source NAT under the address. */
static uuid network_behind(const struct tables *t, const struct address *address)
{
	const struct router *router = router_find(t, gateway_router_of_address(t, address));
	return router ? router->own_network : UUID_NONE;
}

uuid engine_get_address_network(const struct tables *t, const struct address *address)
{
	uuid network = network_of_port(t, address->port);
	const struct port_forwarding *f = port_forwarding_first_by_address(t, address->row.id);
	if (uuid_is_none(network) && f)
		network = network_of_port(t, f->port);
	if (uuid_is_none(network))
		network = network_of_balancer(t, address->row.id);
	if (uuid_is_none(network))
		network = address->for_network;
	return uuid_is_none(network) && !address->is_elastic ? network_behind(t, address) : network;
}

/* The live network if it has a firewall, otherwise NULL. */
static const struct network *find_guarded(const struct tables *t, uuid network)
{
	const struct network *row = uuid_is_none(network) ? NULL : network_find(t, network);
	return row && row_is_live(&row->row) && row->has_firewall ? row : NULL;
}

/* ---- checks ---- */

RESULT firewall_check_blocks(struct op *op, enum kind kind, struct cidrs blocks, struct str field)
{
	for (size_t k = 0; k < blocks.count; k++)
		if (blocks.at[k].base.family != IP_V4)
			return ENGINE_FAIL(op, ERR_UNSUPPORTED, kind, field,
					   "Blocks of IPv6 are not supported in firewall rules.");
	if (blocks.count <= FIREWALL_SOURCES_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, kind, field, "A rule has at most %d blocks.", FIREWALL_SOURCES_MAX);
}

static RESULT fail_invalid(struct op *op, const char *format, int64_t value)
{
	return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_FIREWALL_RULE, format, value);
}

static bool is_port(int64_t port)
{
	return port >= 1 && port <= PORT_LAST;
}

static RESULT check_ports(struct op *op, const struct firewall_rule *rule)
{
	if (rule->from_port == -1 && rule->to_port == -1)
		return OK;
	if (!is_port(rule->from_port))
		return fail_invalid(op, "publicPort is an invalid value: %" PRId64, rule->from_port);
	if (!is_port(rule->to_port))
		return fail_invalid(op, "Public port range is an invalid value: %" PRId64, rule->to_port);
	return rule->from_port <= rule->to_port ? OK
						: ctx_fail_kind(op->ctx, ERR_INVALID, KIND_FIREWALL_RULE,
								"Start port can't be bigger than end port");
}

static RESULT check_icmp(struct op *op, const struct firewall_rule *rule)
{
	int64_t worst = rule->from_port < -1 || rule->from_port > ICMP_LAST ? rule->from_port : rule->to_port;
	return worst < -1 || worst > ICMP_LAST
		       ? fail_invalid(op, "Invalid ICMP type or code: %" PRId64, worst)
		       : OK;
}

static RESULT check_traffic(struct op *op, const struct firewall_rule *rule,
			    const struct firewall_rule_wish *wish)
{
	bool is_inward = rule->direction == FIREWALL_RULE_DIRECTION_INGRESS;
	bool has_ports = rule->protocol == IPPROTO_TCP || rule->protocol == IPPROTO_UDP;
	if (!has_ports && !is_icmp(rule) && (is_inward || rule->protocol != PROTOCOL_ALL))
		return fail_invalid(op, "Protocol %" PRId64 " is not supported", rule->protocol);
	TRY(firewall_check_blocks(op, KIND_FIREWALL_RULE, rule->sources, STR("cidrlist")));
	TRY(firewall_check_blocks(op, KIND_FIREWALL_RULE, rule->destinations, STR("destcidrlist")));
	if (is_inward && wish->destinations.count)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_FIREWALL_RULE,
				     "What comes in has no destination but its address's.");
	if (is_icmp(rule))
		return check_icmp(op, rule);
	return check_ports(op, rule);
}

static bool is_inside(const struct tables *t, uuid network, struct cidr block)
{
	const struct subnet *s = subnet_first_by_network(t, network);
	while (s && !(row_is_live(&s->row) && cidr_contains_cidr(s->block, block)))
		s = subnet_next_by_network(t, s);
	return s != NULL;
}

static struct cidr block_of(const struct tables *t, uuid network)
{
	const struct subnet *s = subnet_first_by_network(t, network);
	while (s && !(row_is_live(&s->row) && s->block.base.family == IP_V4))
		s = subnet_next_by_network(t, s);
	return s ? s->block : (struct cidr){ip_from_v4(0), 0};
}

/* 0.0.0.0/0 is accepted and stands for the whole network. */
static RESULT check_inside(struct op *op, const struct firewall_rule *rule)
{
	char block[CIDR_TEXT_SIZE], whole[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < rule->sources.count; k++)
		if (rule->sources.at[k].bits > 0 && !is_inside(op->head, rule->network, rule->sources.at[k]))
			return ENGINE_FAIL(op, ERR_RANGE, KIND_FIREWALL_RULE, STR("cidrlist"),
					   "[%s] is not within the guest CIDR [%s]. ",
					   cidr_write(rule->sources.at[k], block),
					   cidr_write(block_of(op->head, rule->network), whole));
	return OK;
}

/* ---- conflicts ---- */

static bool has_common(struct cidrs a, struct cidrs b)
{
	for (size_t k = 0; k < a.count; k++)
		for (size_t n = 0; n < b.count; n++)
			if (cidr_equal(a.at[k], b.at[n]))
				return true;
	return a.count == 0 && b.count == 0;
}

static RESULT check_against(struct op *op, const struct firewall_rule *rule,
			    const struct firewall_rule *other)
{
	bool has_ports = rule->from_port >= 0, others = other->from_port >= 0;
	if (rule->protocol != other->protocol || !has_common(rule->sources, other->sources) ||
	    !has_common(rule->destinations, other->destinations))
		return OK;
	struct str id = engine_write_id(op, KIND_FIREWALL_RULE, other->row.id);
	if (is_icmp(rule))
		return rule->from_port != other->from_port || rule->to_port != other->to_port
			       ? OK
			       : ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_FIREWALL_RULE,
					       "New rule conflicts with existing rule: %" STR_FMT,
					       STR_ARG(id));
	if (!has_ports && !others)
		return ctx_fail_kind(
			op->ctx, ERR_CONFLICT, KIND_FIREWALL_RULE,
			"There is already a firewall rule specified with protocol = %s and no ports",
			write_protocol(rule->protocol));
	if (!has_ports || !others || rule->from_port > other->to_port || other->from_port > rule->to_port)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_FIREWALL_RULE,
			     "The range specified, %" PRId64 "-%" PRId64 ", conflicts with rule %" STR_FMT
			     " which has %" PRId64 "-%" PRId64,
			     rule->from_port, rule->to_port, STR_ARG(id), other->from_port, other->to_port);
}

/* Next rule to compare with `rule`: ingress rules are compared per address, egress rules per network. */
static const struct firewall_rule *next_beside(const struct tables *t, const struct firewall_rule *rule,
					       const struct firewall_rule *last)
{
	bool is_inward = rule->direction == FIREWALL_RULE_DIRECTION_INGRESS;
	if (is_inward)
		return last ? firewall_rule_next_by_address(t, last)
			    : firewall_rule_first_by_address(t, rule->address);
	last = last ? firewall_rule_next_by_network(t, last)
		    : firewall_rule_first_by_network(t, rule->network);
	while (last && last->direction != rule->direction)
		last = firewall_rule_next_by_network(t, last);
	return last;
}

static RESULT check_beside(struct op *op, const struct firewall_rule *rule)
{
	size_t rules = 1, blocks = rule->sources.count + rule->destinations.count;
	for (const struct firewall_rule *n = next_beside(op->head, rule, NULL); n;
	     n = next_beside(op->head, rule, n)) {
		TRY(check_against(op, rule, n));
		blocks += n->sources.count + n->destinations.count;
		rules++;
	}
	const char *whose = rule->direction == FIREWALL_RULE_DIRECTION_INGRESS ? "A public address has"
									       : "Outwards a network has";
	if (rules > FIREWALL_RULES_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_FIREWALL_RULE, "%s at most %d firewall rules.",
				     whose, FIREWALL_RULES_MAX);
	return blocks <= FIREWALL_BLOCKS_MAX ? OK
					     : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_FIREWALL_RULE,
							     "%s at most %d blocks in its firewall rules.",
							     whose, FIREWALL_BLOCKS_MAX);
}

/* ---- creation ---- */

static char *write_traffic(const struct firewall_rule *rule, char out[static TRAFFIC_SIZE])
{
	if (rule->from_port < 0)
		snprintf(out, TRAFFIC_SIZE, "%s", write_protocol(rule->protocol));
	else
		snprintf(out, TRAFFIC_SIZE, "%s %" PRId64 ":%" PRId64, write_protocol(rule->protocol),
			 rule->from_port, rule->to_port);
	return out;
}

static RESULT log_change(struct op *op, const struct firewall_rule *rule, const char *what)
{
	char traffic[TRAFFIC_SIZE];
	write_traffic(rule, traffic);
	const struct address *address =
		uuid_is_none(rule->address) ? NULL : address_find(op->head, rule->address);
	const struct network *network = network_find(op->head, rule->network);
	if (address)
		return engine_log_event(op, KIND_ADDRESS, &address->row, what, "Firewall inwards, %s.",
					traffic);
	return network ? engine_log_event(op, KIND_NETWORK, &network->row, what, "Firewall outwards, %s.",
					  traffic)
		       : OK;
}

static RESULT put_new(struct op *op, struct firewall_rule *rule)
{
	rule->row.gen = 1;
	rule->row.id = engine_new_id(op, KIND_FIREWALL_RULE);
	TRY(firewall_rule_put(op, rule));
	return log_change(op, rule, "rule made");
}

static RESULT find_inward(struct op *op, const struct firewall_rule_wish *wish, struct firewall_rule *rule)
{
	const struct address *address = NULL;
	TRY(engine_find_own_address(op->ctx, op->head, &wish->address, &address));
	rule->direction = FIREWALL_RULE_DIRECTION_INGRESS;
	rule->address = address->row.id;
	rule->account = address->account;
	rule->network = engine_get_address_network(op->head, address);
	if (uuid_is_none(rule->network))
		return ENGINE_FAIL(op, ERR_STATE, KIND_FIREWALL_RULE, wish->address.field,
				   "Unable to create firewall rule for the IP address ID=%" STR_FMT
				   " as IP is not associated with any network and no networkId is passed in",
				   STR_ARG(engine_write_id(op, KIND_ADDRESS, address->row.id)));
	return engine_permit(op, "firewall_rule.create", KIND_ADDRESS, &address->row);
}

static RESULT find_outward(struct op *op, const struct firewall_rule_wish *wish, struct firewall_rule *rule)
{
	const struct network *network = NULL;
	TRY(engine_find_own_network(op->ctx, op->head, &wish->network, &network));
	rule->direction = FIREWALL_RULE_DIRECTION_EGRESS;
	rule->account = network->account;
	rule->network = network->row.id;
	return engine_permit(op, "firewall_rule.create", KIND_NETWORK, &network->row);
}

RESULT engine_create_firewall_rule(struct op *op, struct firewall_rule_wish *wish)
{
	bool is_inward = ref_is_given(&wish->address);
	struct firewall_rule rule = {.protocol = wish->protocol,
				     .from_port = wish->from,
				     .to_port = wish->to,
				     .sources = wish->sources,
				     .destinations = wish->destinations};
	TRY(is_inward ? find_inward(op, wish, &rule) : find_outward(op, wish, &rule));
	if (!find_guarded(op->head, rule.network)) /* words of CloudStack's NetworkModelImpl, which names a
						    * numeric id */
		return ENGINE_FAIL(op, ERR_STATE, KIND_FIREWALL_RULE,
				   is_inward ? wish->address.field : wish->network.field,
				   "Service Firewall is not supported in the network id=%" STR_FMT,
				   STR_ARG(engine_write_id(op, KIND_NETWORK, rule.network)));
	struct cidr whole = is_inward ? (struct cidr){ip_from_v4(0), 0} : block_of(op->head, rule.network);
	if (!rule.sources.count)
		rule.sources = (struct cidrs){&whole, 1};
	TRY(check_traffic(op, &rule, wish));
	if (!is_inward)
		TRY(check_inside(op, &rule));
	TRY(check_beside(op, &rule));
	TRY(tag_normalize(op, wish->tags, &rule.tags));
	TRY(put_new(op, &rule));
	wish->rule = rule.row.id;
	return OK;
}

RESULT firewall_open(struct op *op, uuid address, const char *protocol, int64_t first, int64_t last,
		     uuid related)
{
	const struct address *row = address_find(op->head, address);
	struct cidr everybody = {ip_from_v4(0), 0};
	struct firewall_rule rule = {.direction = FIREWALL_RULE_DIRECTION_INGRESS,
				     .account = row->account,
				     .address = address,
				     .related = related,
				     .network = engine_get_address_network(op->head, row),
				     .protocol = str_is(STR("udp"), protocol) ? IPPROTO_UDP : IPPROTO_TCP,
				     .from_port = first,
				     .to_port = last,
				     .sources = {&everybody, 1}};
	if (!find_guarded(op->head, rule.network))
		return OK;
	const struct firewall_rule *n = firewall_rule_first_by_address(op->head, address);
	while (n && !(n->protocol == rule.protocol && n->from_port == first && n->to_port == last))
		n = firewall_rule_next_by_address(op->head, n);
	if (n)
		return OK;
	TRY(check_beside(op, &rule));
	TRY(engine_permit(op, "firewall_rule.create", KIND_ADDRESS, &row->row));
	return put_new(op, &rule);
}

/* ---- deletion ---- */

static RESULT end(struct op *op, const struct firewall_rule *rule)
{
	TRY(log_change(op, rule, "rule ended"));
	return firewall_rule_forget(op, rule->row.id);
}

RESULT engine_delete_firewall_rule(struct op *op, struct firewall_rule_target *wish)
{
	const struct firewall_rule *rule = NULL;
	TRY(engine_permit_firewall_rule(op, &wish->rule, "firewall_rule.delete", &rule));
	return end(op, rule);
}

RESULT engine_change_firewall_rule(struct op *op, struct firewall_rule_target *wish)
{
	const struct firewall_rule *rule = NULL;
	return engine_permit_firewall_rule(op, &wish->rule, "firewall_rule.update", &rule);
}

RESULT firewall_leave_related(struct op *op, uuid related)
{
	const struct firewall_rule *rule = firewall_rule_first_by_related(op->head, related), *next = NULL;
	for (; rule; rule = next) {
		next = firewall_rule_next_by_related(op->head, rule);
		TRY(end(op, rule));
	}
	return OK;
}

RESULT firewall_reopen(struct op *op, uuid address, const char *protocol, int64_t first, int64_t last,
		       uuid related)
{
	if (!firewall_rule_first_by_related(op->head, related))
		return OK;
	TRY(firewall_leave_related(op, related));
	return firewall_open(op, address, protocol, first, last, related);
}

RESULT firewall_leave_address(struct op *op, uuid address)
{
	const struct firewall_rule *rule = firewall_rule_first_by_address(op->head, address), *next = NULL;
	for (; rule; rule = next) {
		next = firewall_rule_next_by_address(op->head, rule);
		TRY(end(op, rule));
	}
	return OK;
}

RESULT firewall_leave_network(struct op *op, uuid network)
{
	const struct firewall_rule *rule = firewall_rule_first_by_network(op->head, network), *next = NULL;
	for (; rule; rule = next) {
		next = firewall_rule_next_by_network(op->head, rule);
		TRY(end(op, rule));
	}
	return OK;
}

RESULT firewall_follow(struct op *op, uuid address)
{
	const struct address *row = address_find(op->head, address);
	uuid network = engine_get_address_network(op->head, row);
	if (!find_guarded(op->head, network))
		return firewall_leave_address(op, address);
	const struct firewall_rule *rule = firewall_rule_first_by_address(op->head, address), *next = NULL;
	for (; rule; rule = next) {
		next = firewall_rule_next_by_address(op->head, rule);
		struct firewall_rule moved = *rule;
		moved.network = network;
		moved.row.gen++;
		if (!uuid_equal(rule->network, network))
			TRY(firewall_rule_put(op, &moved));
	}
	return OK;
}
