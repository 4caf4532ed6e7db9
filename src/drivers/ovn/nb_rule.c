/* SPDX-License-Identifier: Apache-2.0
 * The match of a security group rule or of a network ACL entry, from typed fields only. */
#include <inttypes.h>
#include <stdio.h>

#include "drivers/ovn/nb.h"
#include "model/firewall_rule.h"
#include "model/network_acl_entry.h"
#include "model/security_group_rule.h"

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMP6 = 58, PORT_LAST = 65535 };
enum { PART_SIZE = 96 };

/* Protocol with ports, or with ICMP type and code. */
struct traffic {
	int64_t protocol, from, to;
};

/* for example "ip4 && ip4.src == 10.0.0.0/8" */
static void write_block(struct cidr peer, const char *side, char out[static PART_SIZE])
{
	char block[CIDR_TEXT_SIZE];
	peer = cidr_canonical(peer);
	const char *family = peer.base.family == IP_V6 ? "ip6" : "ip4";
	if (peer.bits == 0)
		snprintf(out, PART_SIZE, "%s", family);
	else
		snprintf(out, PART_SIZE, "%s && %s.%s == %s", family, family, side, cidr_write(peer, block));
}

/* False: the rule names no peer. */
static bool write_peer(const struct security_group_rule *rule, const char *side, char out[static PART_SIZE])
{
	char group[NB_NAME_SIZE];
	if (!uuid_is_none(rule->peer_group)) {
		const char *ip = rule->is_ipv6 ? "ip6" : "ip4";
		snprintf(out, PART_SIZE, "%s && %s.%s == $%s_%s", ip, ip, side,
			 nb_write_hex("sg_", rule->peer_group, group), ip);
		return true;
	}
	if (cidr_is_none(rule->peer_block))
		return false;
	write_block(rule->peer_block, side, out);
	return true;
}

/* Destination ports; -1 and the full range mean all. */
static void write_ports(const struct traffic *t, const char *protocol, char out[static PART_SIZE])
{
	int64_t from = t->from, to = t->to;
	if (from < 0 || (from == 0 && to >= PORT_LAST))
		snprintf(out, PART_SIZE, " && %s", protocol);
	else if (from == to)
		snprintf(out, PART_SIZE, " && %s && %s.dst == %" PRId64, protocol, protocol, from);
	else
		snprintf(out, PART_SIZE, " && %s && %" PRId64 " <= %s.dst <= %" PRId64, protocol, from,
			 protocol, to);
}

/* from_port and to_port hold ICMP's type and code. */
static void write_icmp(const struct traffic *t, const char *protocol, char out[static PART_SIZE])
{
	if (t->from < 0)
		snprintf(out, PART_SIZE, " && %s", protocol);
	else if (t->to < 0)
		snprintf(out, PART_SIZE, " && %s && %s.type == %" PRId64, protocol, protocol, t->from);
	else
		snprintf(out, PART_SIZE, " && %s && %s.type == %" PRId64 " && %s.code == %" PRId64, protocol,
			 protocol, t->from, protocol, t->to);
}

static void write_protocol(const struct traffic *t, char out[static PART_SIZE])
{
	switch (t->protocol) {
	case PROTOCOL_TCP:
		write_ports(t, "tcp", out);
		return;
	case PROTOCOL_UDP:
		write_ports(t, "udp", out);
		return;
	case PROTOCOL_ICMP:
		write_icmp(t, "icmp4", out);
		return;
	case PROTOCOL_ICMP6:
		write_icmp(t, "icmp6", out);
		return;
	default:
		break;
	}
	out[0] = 0;
	if (t->protocol >= 0)
		snprintf(out, PART_SIZE, " && ip.proto == %" PRId64, t->protocol);
}

struct str nb_write_rule_match(struct arena *a, const struct security_group_rule *rule)
{
	bool in = rule->direction == SECURITY_GROUP_RULE_DIRECTION_INGRESS;
	char peer[PART_SIZE], protocol[PART_SIZE], group[NB_NAME_SIZE];
	if (!write_peer(rule, in ? "src" : "dst", peer))
		return STR_NONE;
	write_protocol(&(struct traffic){rule->protocol, rule->from_port, rule->to_port}, protocol);
	/* a revoked rule still admits established connections */
	return str_print(a, "%s == @%s && %s%s%s", in ? "outport" : "inport",
			 nb_write_hex("sg_", rule->group, group), peer, protocol,
			 row_is_live(&rule->row) ? "" : " && ct.est");
}

struct str nb_write_routed_match(struct arena *a, const struct security_group_rule *rule)
{
	char peer[PART_SIZE], protocol[PART_SIZE];
	if (rule->direction != SECURITY_GROUP_RULE_DIRECTION_INGRESS || !row_is_live(&rule->row) ||
	    !write_peer(rule, "src", peer))
		return STR_NONE;
	write_protocol(&(struct traffic){rule->protocol, rule->from_port, rule->to_port}, protocol);
	return str_print(a, "%s%s", peer, protocol);
}

/* Empty for no blocks, or if a block covers the whole family. */
static struct str write_sides(struct arena *a, const char *field, struct cidrs blocks)
{
	char block[CIDR_TEXT_SIZE];
	struct str list = STR_NONE;
	for (size_t k = 0; k < blocks.count; k++) {
		if (blocks.at[k].bits == 0)
			return STR_NONE;
		list = str_print(a, "%" STR_FMT "%s%s", STR_ARG(list), k ? ", " : "",
				 cidr_write(cidr_canonical(blocks.at[k]), block));
	}
	return list.n ? str_print(a, " && %s == {%" STR_FMT "}", field, STR_ARG(list)) : STR_NONE;
}

struct str nb_write_entry_match(struct arena *a, const struct network_acl_entry *entry)
{
	char peer[PART_SIZE], protocol[PART_SIZE];
	const char *side = entry->egress ? "dst" : "src";
	struct cidrs blocks = entry->blocks;
	write_protocol(&(struct traffic){entry->protocol, entry->from_port, entry->to_port}, protocol);
	if (blocks.count == 1) {
		write_block(blocks.at[0], side, peer);
		return str_print(a, "%s%s", peer, protocol);
	}
	const char *family = blocks.at[0].base.family == IP_V6 ? "ip6" : "ip4";
	(void) snprintf(peer, sizeof peer, "%s.%s", family, side);
	struct str sides = write_sides(a, peer, blocks);
	return str_print(a, "%s%" STR_FMT "%s", family, STR_ARG(sides), protocol);
}

struct str nb_write_firewall_match(struct arena *a, const struct firewall_rule *rule)
{
	char protocol[PART_SIZE];
	struct str from = write_sides(a, "ip4.src", rule->sources);
	struct str to = write_sides(a, "ip4.dst", rule->destinations);
	write_protocol(&(struct traffic){rule->protocol, rule->from_port, rule->to_port}, protocol);
	return str_print(a, "%" STR_FMT "%" STR_FMT "%s", STR_ARG(from), STR_ARG(to), protocol);
}
