/* SPDX-License-Identifier: Apache-2.0
 * Keywords of port-policy rules, and the default rules that end every policy. */
#include "model/port_rule.h"

#include <stddef.h>

static const char *const words[PORT_WORDS] = {[PORT_ANY] = "*",
					      [PORT_NETWORK] = "VirtualNetwork",
					      [PORT_INTERNET] = "Internet",
					      [PORT_BALANCER] = "AzureLoadBalancer"};

const struct port_default port_defaults[PORT_DEFAULTS] = {
	{"AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", false, true, 65000, PORT_NETWORK,
	 PORT_NETWORK},
	{"AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer", false, true,
	 65001, PORT_BALANCER, PORT_ANY},
	{"DenyAllInBound", "Deny all inbound traffic", false, false, 65500, PORT_ANY, PORT_ANY},
	{"AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET", true, true, 65000,
	 PORT_NETWORK, PORT_NETWORK},
	{"AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", true, true, 65001,
	 PORT_ANY, PORT_INTERNET},
	{"DenyAllOutBound", "Deny all outbound traffic", true, false, 65500, PORT_ANY, PORT_ANY},
};

const char *port_word_text(enum port_word word)
{
	return words[word];
}

bool port_read_place(struct str text, enum port_word *ret_word, struct cidr *ret_block)
{
	struct ip ip;
	*ret_block = (struct cidr){0};
	for (int k = PORT_ANY; k < PORT_WORDS; k++)
		if (str_equal_nocase(text, str_from(words[k]))) {
			*ret_word = (enum port_word) k;
			return true;
		}
	*ret_word = PORT_BLOCK;
	if (result_is_ok(ip_parse(text, &ip)))
		*ret_block = (struct cidr){ip, 32};
	else if (!result_is_ok(cidr_parse(text, ret_block)))
		return false;
	return ret_block->base.family == IP_V4;
}

bool port_read_ports(struct str text, uint32_t *ret_first, uint32_t *ret_last)
{
	enum { LAST = 65535 };
	struct str rest = text, first, last;
	int64_t from = 0, to = LAST;
	if (!str_is(text, "*")) {
		if (!str_split_next(&rest, '-', &first) ||
		    !result_is_ok(str_parse_int(str_trim(first), &from)))
			return false;
		last = str_find_char(text, '-', 0) < text.n ? rest : first;
		if (!result_is_ok(str_parse_int(str_trim(last), &to)))
			return false;
	}
	*ret_first = (uint32_t) from;
	*ret_last = (uint32_t) to;
	return from >= 0 && from <= to && to <= LAST;
}
