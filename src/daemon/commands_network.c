/* SPDX-License-Identifier: Apache-2.0
 * dari network …: external networks and their addresses. */
#include "daemon/client/ask.h"
#include "daemon/command.h"
#include "store/address.h"

/* Prints zone file lines, for the name server that the block is delegated to. */
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
	 "Adds an external network and its first pool of public addresses.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."},
	  {"physical-network", PARAM_OPTION, true, "Key in the hosts' ovn-bridge-mappings."},
	  {"next-hop", PARAM_OPTION, true, "The upstream router."},
	  {"range", PARAM_OPTION, true, "Public addresses, FIRST-LAST."},
	  {"gateway-range", PARAM_OPTION, true, "Addresses for the routers' own ports, FIRST-LAST."}},
	 .ask = asking_make_change},
	{"network add-range",
	 "Adds public addresses to an external network.",
	 {{"name", PARAM_POSITIONAL, true, "The external network."},
	  {"range", PARAM_OPTION, true, "The addresses, FIRST-LAST."}},
	 .ask = asking_make_change},
	{"network set-gateway-range",
	 "Sets the addresses of an external network for the gateways of routers.",
	 {{"name", PARAM_POSITIONAL, true, "The external network."},
	  {"gateway-range", PARAM_OPTION, true, "The whole range, FIRST-LAST; it can only grow."}},
	 .ask = asking_make_change},
	{"network set-ipv6",
	 "Sets the IPv6 pool of an external network, from which VPCs get their blocks, and its next hop.",
	 {{"name", PARAM_POSITIONAL, true, "The external network."},
	  {"pool", PARAM_OPTION, true,
	   "On-link IPv6 block from /40 to /56; each VPC with IPv6 gets a /56 of it."},
	  {"next-hop", PARAM_OPTION, false, "IPv6 address of the upstream router, usually link-local."}},
	 .ask = asking_make_change},
	{"network reverse-names",
	 "Prints the reverse DNS names of public addresses as lines of a zone file.",
	 {{0}},
	 .run = network_reverse_names,
	 .is_anywhere = true},
	{0},
};
