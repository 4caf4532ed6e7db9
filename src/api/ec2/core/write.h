/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: pieces of XML that many answers share. Rows must be of the call's view. */
#pragma once

#include "api/ec2/core/action.h"
#include "engine/network/ipv6.h"

/* Elements of an id, of one under another prefix than its kind's, of addresses: nothing when there is none. */
void ec2_write_id_named(struct xml *x, struct str name, enum kind kind, uuid id);
static inline void ec2_write_id(struct xml *x, const char *name, enum kind kind, uuid id)
{
	ec2_write_id_named(x, str_from(name), kind, id);
}
/* The members that the table says, of a row that stands for an answer. */
struct attributes;
void ec2_write_members(struct ec2_call *e, struct xml *x, const struct attributes *table,
		       const struct row *row);
void ec2_write_prefixed(struct xml *x, const char *name, const char *prefix, uuid id);
void ec2_write_ip_named(struct xml *x, struct str name, struct ip ip);
static inline void ec2_write_ip(struct xml *x, const char *name, struct ip ip)
{
	ec2_write_ip_named(x, str_from(name), ip);
}
void ec2_write_cidr_named(struct xml *x, struct str name, struct cidr cidr);
static inline void ec2_write_cidr(struct xml *x, const char *name, struct cidr cidr)
{
	ec2_write_cidr_named(x, str_from(name), cidr);
}
/* "arn:aws:ec2:REGION:ACCOUNT:type/id" of a row of the caller's; p NULL: no memory. */
struct str ec2_arn(const struct ec2_call *e, const char *type, enum kind kind, uuid id);
void ec2_write_arn(const struct ec2_call *e, struct xml *x, const char *name, const char *type,
		   enum kind kind, uuid id);
/* Prefix of ids of IPv6 pools. */
#define EC2_IPV6_POOL "ipv6pool-ec2"
/* Reads the IPv6 block of CreateVpc and AssociateVpcCidrBlock: provided by Amazon, or from a pool. ERR_COMBINATION, ERR_MISSING. */
RESULT ec2_prepare_ipv6_wish(struct ec2_call *e, struct ipv6_block_wish *wish, struct str border_group);
/* Checks the network border group: the only one has the region's name. ERR_INVALID: another one. */
RESULT ec2_check_border_group(struct ec2_call *e, struct str field, struct str group);
/* Write <tagSet>. Most kinds show an empty set, too. For some kinds (..._of_made) only the answer of the creating call shows an empty
 * set, for others (..._if_any) no answer does. */
void ec2_write_tags(struct xml *x, struct tags tags);
void ec2_write_tags_of_made(const struct ec2_call *e, struct xml *x, struct tags tags);
void ec2_write_tags_if_any(struct xml *x, struct tags tags);
/* "ip-10-0-0-5.ec2.internal": without the NUL; returns its size, 0 when there is no IPv4 address. */
enum { EC2_NAME_TEXT_SIZE = 280 };
size_t ec2_private_name(const struct ec2_call *e, struct ip ip, char out[static EC2_NAME_TEXT_SIZE]);
/* "i-0123456789abcdef0.ec2.internal" likewise, of an instance without an IPv4 address. */
size_t ec2_resource_name(const struct ec2_call *e, uuid instance, char out[static EC2_NAME_TEXT_SIZE]);
/* "ec2-203-0-113-7.us-east-1.compute.internal" likewise. */
size_t ec2_public_name(const struct ec2_call *e, struct ip ip, char out[static EC2_NAME_TEXT_SIZE]);
/* <set><item>word</item></set> */
void ec2_write_words(struct xml *x, const char *set, const char *words_by_bars);
/* The number of an account; EC2_OPERATORS_NUMBER for the operator. */
#define EC2_OPERATORS_NUMBER "000000000000"
struct str ec2_owner_number(const struct tables *t, uuid account);
/* platformDetails and usageOperation of a machine with these licences, in the arena. */
struct str ec2_platform_details(struct api_call *e, struct strs licences, bool is_windows);
struct str ec2_usage_operation(struct api_call *e, struct strs licences, bool is_windows);
/* Bytes as GiB, rounded up. */
int64_t ec2_gib(int64_t bytes);
