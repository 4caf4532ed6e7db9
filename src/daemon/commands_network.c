/* SPDX-License-Identifier: Apache-2.0
 * dari network …: what lies outside, and the addresses to hand out there. */
#include "daemon/command.h"
#include "engine/network/external_network.h"
#include "store/address.h"
#include "store/address_range.h"
#include "store/external_network.h"

static RESULT parse_range(struct command_call *call, const char *name, bool required, struct ip *ret_first,
			  struct ip *ret_last)
{
	struct str rest = command_arg(call, name), first = STR_NONE;
	if (str_is_empty(rest) && !required)
		return OK;
	struct cidr block = {0};
	if (result_is_ok(cidr_parse(rest, &block)) && block.bits <= 30) {
		*ret_first = ip_add(cidr_canonical(block).base, 1);
		*ret_last = ip_add(cidr_last(block), (uint64_t) -1);
		return OK;
	}
	bool parted = str_split_next(&rest, '-', &first);
	if (!parted || !result_is_ok(ip_parse(first, ret_first)) || !result_is_ok(ip_parse(rest, ret_last)) ||
	    ret_first->family != ret_last->family || ip_compare(*ret_first, *ret_last) > 0)
		return ctx_fail_field(&call->ctx, ERR_INVALID, str_from(name),
				      "--%s wants FIRST-LAST or a block, not %" STR_FMT, name,
				      STR_ARG(command_arg(call, name)));
	return OK;
}

static struct ref named_network(const struct command_call *call)
{
	return (struct ref){
		.kind = KIND_EXTERNAL_NETWORK, .text = command_arg(call, "name"), .field = STR("name")};
}

static RESULT network_add_external(struct command_call *call)
{
	struct external_network_wish wish = {
		.name = command_arg(call, "name"),
		.physical_network = command_arg(call, "physical-network"),
	};
	if (!result_is_ok(ip_parse(command_arg(call, "next-hop"), &wish.next_hop)))
		return ctx_fail(&call->ctx, ERR_INVALID, "--next-hop wants an IP address, not %" STR_FMT,
				STR_ARG(command_arg(call, "next-hop")));
	TRY(parse_range(call, "gateway-range", true, &wish.infra_first, &wish.infra_last));
	TRY(parse_range(call, "range", true, &wish.first, &wish.last));
	TRY(command_commit(call, "dari:network add-external", engine_add_external_network_run, &wish));
	buf_print(&call->text, "external network %" STR_FMT " added\n", STR_ARG(wish.name));
	call->value = json_pack("{s:s}", "external_network",
				uuid_write(wish.external_network, (char[UUID_TEXT_SIZE]){0}));
	return OK;
}

static RESULT network_add_range(struct command_call *call)
{
	struct address_range_wish wish = {.external_network = named_network(call)};
	TRY(parse_range(call, "range", true, &wish.first, &wish.last));
	TRY(command_commit(call, "dari:network add-range", engine_add_address_range_run, &wish));
	buf_print(&call->text, "%" STR_FMT " hands out %" STR_FMT " as well\n",
		  STR_ARG(command_arg(call, "name")), STR_ARG(command_arg(call, "range")));
	return OK;
}

static RESULT network_set_gateway_range(struct command_call *call)
{
	struct gateway_range_wish wish = {.external_network = named_network(call)};
	TRY(parse_range(call, "gateway-range", true, &wish.first, &wish.last));
	TRY(command_commit(call, "dari:network set-gateway-range", engine_set_gateway_range_run, &wish));
	buf_print(&call->text, "routers lead out by %" STR_FMT " on %" STR_FMT "\n",
		  STR_ARG(command_arg(call, "gateway-range")), STR_ARG(command_arg(call, "name")));
	return OK;
}

static RESULT network_set_ipv6(struct command_call *call)
{
	struct external_ipv6_wish wish = {.external_network = named_network(call)};
	struct str next_hop = command_arg(call, "next-hop");
	if (!result_is_ok(cidr_parse(command_arg(call, "pool"), &wish.pool)))
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("pool"),
				      "--pool wants an IPv6 block, not %" STR_FMT,
				      STR_ARG(command_arg(call, "pool")));
	if (next_hop.n && !result_is_ok(ip_parse(next_hop, &wish.next_hop)))
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("next-hop"),
				      "--next-hop wants an IPv6 address, not %" STR_FMT, STR_ARG(next_hop));
	TRY(command_commit(call, "dari:network set-ipv6", engine_set_external_ipv6_run, &wish));
	buf_print(&call->text, "VPCs get their IPv6 blocks from %" STR_FMT "\n",
		  STR_ARG(command_arg(call, "pool")));
	return OK;
}

/* Lines of a zone file, for the name server that the block is delegated to. */
static RESULT network_reverse_names(struct command_call *call)
{
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	call->value = json_array();
	for (const struct address *a = address_first(view.tables); a; a = address_next(view.tables, a)) {
		char ip[IP_TEXT_SIZE], account[UUID_TEXT_SIZE];
		if (!row_is_live(&a->row) || !a->reverse_name.n)
			continue;
		buf_print(&call->text, "%u.%u.%u.%u.in-addr.arpa. 60 IN PTR %" STR_FMT ".\n", a->ip.b[3],
			  a->ip.b[2], a->ip.b[1], a->ip.b[0], STR_ARG(a->reverse_name));
		(void) json_array_append_new(call->value,
					     json_pack("{s:s, s:s%, s:s}", "ip", ip_write(a->ip, ip), "name",
						       a->reverse_name.p, a->reverse_name.n, "account",
						       uuid_write(a->account, account)));
	}
	return OK;
}

const struct command network_commands[] = {
	{"network add-external",
	 "Names an outside network and the public addresses on it.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."},
	  {"physical-network", PARAM_OPTION, true, "Its key in the hosts' ovn-bridge-mappings."},
	  {"next-hop", PARAM_OPTION, true, "The upstream router."},
	  {"range", PARAM_OPTION, true, "Public addresses to hand out, FIRST-LAST."},
	  {"gateway-range", PARAM_OPTION, true, "Addresses for the routers' own ports, FIRST-LAST."}},
	 .run = network_add_external,
	 .is_anywhere = true},
	{"network add-range",
	 "Hands out more public addresses of an outside network.",
	 {{"name", PARAM_POSITIONAL, true, "The outside network."},
	  {"range", PARAM_OPTION, true, "The addresses, FIRST-LAST."}},
	 .run = network_add_range,
	 .is_anywhere = true},
	{"network set-gateway-range",
	 "Gives routers' own ports on an outside network more addresses.",
	 {{"name", PARAM_POSITIONAL, true, "The outside network."},
	  {"gateway-range", PARAM_OPTION, true, "All of them, FIRST-LAST: the range can only grow."}},
	 .run = network_set_gateway_range,
	 .is_anywhere = true},
	{"network set-ipv6",
	 "Says what VPCs get their IPv6 blocks from, and how IPv6 leaves.",
	 {{"name", PARAM_POSITIONAL, true, "The outside network."},
	  {"pool", PARAM_OPTION, true,
	   "A block from /40 to /56, on link there: each VPC that asks gets a /56."},
	  {"next-hop", PARAM_OPTION, false, "The upstream router's IPv6 address, link-local as a rule."}},
	 .run = network_set_ipv6,
	 .is_anywhere = true},
	{"network reverse-names",
	 "Prints the names that public addresses lead back to, as lines of a zone file.",
	 {{0}},
	 .run = network_reverse_names,
	 .is_anywhere = true},
	{0},
};
