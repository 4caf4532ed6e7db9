/* SPDX-License-Identifier: Apache-2.0
 * Functions of blocks of addresses. Source: "CIDR functions" of Azure's documentation. The words of failures are guessed. */
#include "api/azure/template/internal.h"

#include "base/ip.h"

#define RUN(name) static RESULT run_##name(struct template *t, const struct template_call *call, json_t **ret)

static RESULT read_block(struct template *t, const struct template_call *call, struct cidr *ret_block)
{
	struct str text;
	TRY(function_text(t, call, 0, &text));
	if (!result_is_ok(cidr_parse(text, ret_block)))
		return function_fail(t, call, "'%" STR_FMT "' is not a valid IP address range",
				     STR_ARG(str_slice(text, 0, 64)));
	*ret_block = cidr_canonical(*ret_block);
	return OK;
}

static int bits_of(struct cidr block)
{
	return block.base.family == IP_V4 ? 32 : 128;
}

static struct ip mask_of(struct cidr block)
{
	struct ip mask = {.family = block.base.family};
	for (int k = 0; k < block.bits; k++)
		mask.b[k / 8] |= (uint8_t) (0x80 >> k % 8);
	return mask;
}

/* First and last address that a host may have: leaves out IPv4's network and broadcast addresses, except in /31 and /32. */
static void find_usable(struct cidr block, struct ip *ret_first, struct ip *ret_last)
{
	bool has_others = block.base.family == IP_V4 && block.bits < 31;
	*ret_first = has_others ? ip_add(block.base, 1) : block.base;
	*ret_last = has_others ? ip_add(cidr_last(block), (uint64_t) -1) : cidr_last(block);
}

static RESULT set_ip(struct template *t, json_t *object, const char *name, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	return json_object_set_new(object, name, json_string(ip_write(ip, text))) == 0 ? OK
										       : ctx_no_memory(t->c);
}

RUN(parseCidr)
{
	struct cidr block;
	struct ip first, last;
	TRY(read_block(t, call, &block));
	TRY(template_keep(t, json_object(), ret));
	find_usable(block, &first, &last);
	TRY(set_ip(t, *ret, "network", block.base));
	TRY(set_ip(t, *ret, "netmask", mask_of(block)));
	if (block.base.family == IP_V4)
		TRY(set_ip(t, *ret, "broadcast", cidr_last(block)));
	TRY(set_ip(t, *ret, "firstUsable", first));
	TRY(set_ip(t, *ret, "lastUsable", last));
	return json_object_set_new(*ret, "cidr", json_integer(block.bits)) == 0 ? OK : ctx_no_memory(t->c);
}

RUN(cidrSubnet)
{
	struct cidr block;
	int64_t bits = 0, index = 0;
	char text[CIDR_TEXT_SIZE];
	TRY(read_block(t, call, &block));
	TRY(function_int(t, call, 1, &bits));
	TRY(function_int(t, call, 2, &index));
	if (bits < block.bits || bits > bits_of(block))
		return function_fail(t, call, "the new CIDR value must be %d to %d", block.bits,
				     bits_of(block));
	int64_t room = bits - block.bits;
	if (index < 0 || (room < 63 && index >> room))
		return function_fail(t, call, "the range has no subnet of that index");
	for (int64_t k = 0, at = bits - 1; k < 63 && index >> k; k++, at--)
		if (index >> k & 1)
			block.base.b[at / 8] |= (uint8_t) (0x80 >> at % 8);
	block.bits = (uint8_t) bits;
	return template_keep_text(t, str_from(cidr_write(block, text)), ret);
}

RUN(cidrHost)
{
	struct cidr block;
	struct ip first, last;
	int64_t index = 0;
	char text[IP_TEXT_SIZE];
	TRY(read_block(t, call, &block));
	TRY(function_int(t, call, 1, &index));
	find_usable(block, &first, &last);
	/* As in the documentation's example, host 0 of an IPv6 block is the address after the network address. */
	struct ip host = ip_add(first, (uint64_t) index + (block.base.family == IP_V6 && block.bits < 127));
	if (index < 0 || ip_compare(host, first) < 0 || ip_compare(host, last) > 0)
		return function_fail(t, call, "the range has no host of that index");
	return template_keep_text(t, str_from(ip_write(host, text)), ret);
}

static const struct template_function rows[] = {
	{"parseCidr", 1, 1, run_parseCidr, 0},
	{"cidrSubnet", 3, 3, run_cidrSubnet, 0},
	{"cidrHost", 2, 2, run_cidrHost, 0},
};
const struct template_functions template_blocks = {rows, sizeof rows / sizeof rows[0]};
