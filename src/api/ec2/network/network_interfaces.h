/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: writes network interfaces, alone and within instances. */
#pragma once

#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/port/port.h"

/* The filters of DescribeNetworkInterfaces, by which DescribeInstances finds instances, too. */
extern const struct filters ec2_interface_filters;
/* Interfaces as DescribeNetworkInterfaces shows them, and within an instance. */
extern const struct attributes ec2_interface_members, ec2_instance_interface_members;
/* Members of an instance that its primary interface has, and filters of an instance by any of its interfaces. */
extern const struct attributes ec2_primary_interface_members, ec2_any_interface_members;
/* <groupSet> and <attachment> of an interface. */
extern const struct attributes ec2_interface_groups, ec2_interface_attachment;

/* PrivateIpAddresses.N of what makes an interface. */
struct ec2_private_ip {
	struct ip ip;
	bool is_primary;
};
struct ec2_private_ips {
	const struct ec2_private_ip *at;
	size_t count;
};
extern const struct params ec2_private_ip_params;

/* Ipv6Addresses.N likewise. */
struct ec2_ipv6_address {
	struct ip ip;
};
struct ec2_ipv6_addresses {
	const struct ec2_ipv6_address *at;
	size_t count;
};
extern const struct params ec2_ipv6_address_params;
/* Into what holds Ipv6AddressCount already. ERR_COMBINATION: both. */
RESULT ec2_take_ipv6_addresses(struct ec2_call *e, const struct ec2_ipv6_addresses *list,
			       struct port_ips_wish *ips);
/* Rows of both, of a struct T. */
#define EC2_IPV6_ADDRESSES(T, name, list, ips)                                                               \
	PARAM(T, "Ipv6AddressCount", ips.ipv6_more, .min = 0, .max = PORT_IPS_MAX,                           \
	      .given = offsetof(T, ips.ipv6_is_said) + 1,                                                    \
	      .doc = "Number of IPv6 addresses to assign automatically; absent: one, if the subnet assigns " \
		     "IPv6 addresses on creation."),                                                         \
		PARAM_LIST(T, name, list, ec2_ipv6_address_params, .max = PORT_IPS_MAX,                      \
			   .doc = "IPv6 addresses to assign, instead of a number.")
/* Ipv4Prefix.N.Ipv4Prefix and Ipv6Prefix.N.Ipv6Prefix. */
struct ec2_prefix {
	struct cidr block;
};
struct ec2_prefixes {
	const struct ec2_prefix *at;
	size_t count;
};
struct ec2_prefix_lists {
	struct ec2_prefixes ipv4, ipv6;
};
extern const struct params ec2_ipv4_prefix_params, ec2_ipv6_prefix_params;
/* Into what holds the counts already. ERR_COMBINATION: both, or of IPv4 further addresses. */
RESULT ec2_take_prefixes(struct ec2_call *e, const struct ec2_prefix_lists *lists, struct port_ips_wish *ips);
/* The same as texts, of calls that change an interface. */
RESULT ec2_read_prefixes(struct ec2_call *e, struct strs texts, struct str field, enum ip_family family,
			 struct cidrs *ret_blocks);
/* Rows of both, of a struct T. */
#define EC2_PREFIXES(T, lists, ips)                                                                          \
	PARAM(T, "Ipv4PrefixCount", ips.prefixes.more, .min = 0, .max = PORT_IPS_MAX - 1,                    \
	      .doc = "Number of /28 prefixes to assign automatically."),                                     \
		PARAM_LIST(T, "Ipv4Prefix", lists.ipv4, ec2_ipv4_prefix_params, .max = PORT_IPS_MAX - 1,     \
			   .doc = "IPv4 prefixes to assign, instead of a number."),                          \
		PARAM(T, "Ipv6PrefixCount", ips.ipv6_prefixes.more, .min = 0, .max = PORT_IPS_MAX,           \
		      .doc = "Number of IPv6 /80 prefixes to assign automatically."),                        \
		PARAM_LIST(T, "Ipv6Prefix", lists.ipv6, ec2_ipv6_prefix_params, .max = PORT_IPS_MAX,         \
			   .doc = "IPv6 prefixes to assign, instead of a number.")
/* The primary one of the list and the others, into what holds PrivateIpAddress and
 * SecondaryPrivateIpAddressCount already. ERR_COMBINATION. */
RESULT ec2_take_private_ips(struct ec2_call *e, const struct ec2_private_ips *list,
			    struct port_ips_wish *ips);
