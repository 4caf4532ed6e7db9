/* SPDX-License-Identifier: Apache-2.0
 * Protocols and ports in rules of security groups and network ACLs. Source of messages:
 * SecurityGroupManagerImpl and NetworkACLServiceImpl of 4.18.
 */
#include "api/cloudstack/network/network.h"

enum { PROTOCOL_ALL = -1, PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PORT_MAX = 65535 };

static const struct {
	const char *word;
	int64_t number;
} protocols[] = {
	{"all", PROTOCOL_ALL}, {"tcp", PROTOCOL_TCP}, {"udp", PROTOCOL_UDP}, {"icmp", PROTOCOL_ICMP}};

static RESULT read_protocol(struct cs_call *e, struct str text, int64_t *ret_protocol)
{
	*ret_protocol = PROTOCOL_ALL;
	if (!text.n)
		return OK;
	for (size_t k = 0; k < sizeof protocols / sizeof protocols[0]; k++) {
		if (!str_equal_nocase(text, str_from(protocols[k].word)))
			continue;
		*ret_protocol = protocols[k].number;
		return OK;
	}
	if (!result_is_ok(str_parse_int(text, ret_protocol)))
		return cs_fail(e, "protocol", "Invalid protocol %" STR_FMT, STR_ARG(text));
	if (*ret_protocol < 0 || *ret_protocol > 255)
		return cs_fail(e, "protocol", "Invalid protocol number: %" STR_FMT, STR_ARG(text));
	return OK;
}

static RESULT read_icmp(struct cs_call *e, const struct cs_traffic *asked, bool must_be_whole,
			struct cs_read_traffic *traffic)
{
	bool is_number = !str_equal_nocase(asked->protocol,
					   STR("icmp")); /* numeric ICMP without a type means all types */
	if (must_be_whole && !is_number && !(asked->has_type && asked->has_code))
		return cs_fail(e, asked->has_type ? "icmpcode" : "icmptype",
			       "Invalid ICMP type/code specified: both icmptype and icmpcode are needed");
	traffic->from_port = asked->has_type ? asked->icmp_type : -1;
	traffic->to_port = asked->has_code ? asked->icmp_code : -1;
	if (traffic->from_port == -1 && traffic->to_port != -1)
		return cs_fail(e, "icmpcode", "Invalid icmp code");
	if (must_be_whole && traffic->from_port != -1 && traffic->to_port == -1)
		return cs_fail(e, "icmpcode", "Invalid icmp code: need non-negative icmp code ");
	return OK;
}

static RESULT read_ports(struct cs_call *e, const struct cs_traffic *asked, bool must_be_whole,
			 struct cs_read_traffic *traffic)
{
	bool is_all = asked->has_start && asked->has_end && !asked->start && !asked->end;
	if (must_be_whole && !(asked->has_start && asked->has_end))
		return cs_fail(e, asked->has_start ? "endport" : "startport",
			       "Invalid port range specified: both startport and endport are needed");
	traffic->from_port = asked->has_start ? asked->start : asked->has_end ? asked->end : 0;
	traffic->to_port = asked->has_end ? asked->end : asked->has_start ? asked->start : PORT_MAX;
	if (must_be_whole && is_all)
		traffic->to_port = PORT_MAX;
	if (traffic->from_port > traffic->to_port)
		return cs_fail(e, "startport", "Invalid port range %lld:%lld", (long long) traffic->from_port,
			       (long long) traffic->to_port);
	return OK;
}

RESULT cs_read_traffic(struct cs_call *e, const struct cs_traffic *asked, bool must_be_whole,
		       struct cs_read_traffic *ret_traffic)
{
	*ret_traffic = (struct cs_read_traffic){.from_port = -1, .to_port = -1};
	TRY(read_protocol(e, asked->protocol, &ret_traffic->protocol));
	switch (ret_traffic->protocol) {
	case PROTOCOL_ALL:
		return asked->has_start || asked->has_end
			       ? cs_fail(e, asked->has_start ? "startport" : "endport",
					 "Cannot specify startPort or endPort without specifying protocol")
			       : OK;
	case PROTOCOL_ICMP:
		return read_icmp(e, asked, must_be_whole, ret_traffic);
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
		return read_ports(e, asked, must_be_whole, ret_traffic);
	default:
		return OK; /* other protocols have no ports; given ones are ignored, as in CloudStack */
	}
}

RESULT cs_read_block(struct cs_call *e, struct str text, struct cidr *ret_block)
{
	return result_is_ok(cidr_parse(text, ret_block))
		       ? OK
		       : cs_fail(e, "cidrlist", "Invalid cidr %" STR_FMT, STR_ARG(text));
}

RESULT cs_read_blocks(struct cs_call *e, const char *field, const char *before, const char *behind,
		      const struct strs *texts, struct cidrs *ret_blocks)
{
	struct cidr *blocks = arena_new_array(e->c->arena, struct cidr, texts->count + 1);
	if (!blocks)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < texts->count; k++)
		if (!result_is_ok(cidr_parse(str_trim(texts->at[k]), &blocks[k])))
			return cs_fail(e, field, "%s%" STR_FMT "%s", before, STR_ARG(texts->at[k]), behind);
	*ret_blocks = (struct cidrs){blocks, texts->count};
	return OK;
}

struct str cs_write_blocks(struct api_call *e, struct cidrs blocks)
{
	char text[CIDR_TEXT_SIZE];
	struct str list = STR("");
	for (size_t k = 0; k < blocks.count; k++)
		list = str_print(e->c->arena, "%" STR_FMT "%s%s", STR_ARG(list), k ? "," : "",
				 cidr_write(blocks.at[k], text));
	return list;
}

static struct str word_of_protocol(struct arena *a, int64_t protocol)
{
	for (size_t k = 0; k < sizeof protocols / sizeof protocols[0]; k++)
		if (protocols[k].number == protocol)
			return str_from(protocols[k].word);
	return str_print(a, "%lld", (long long) protocol);
}

/* Writes ports 0 for rules without ports, as CloudStack stores them. */
void cs_write_traffic(struct cs_call *e, struct json_writer *w, const struct cs_read_traffic *traffic)
{
	bool is_icmp = traffic->protocol == PROTOCOL_ICMP, has_ports = traffic->from_port >= 0;
	json_write_text(w, "protocol", word_of_protocol(e->c->arena, traffic->protocol));
	json_write_int(w, is_icmp ? "icmptype" : "startport", is_icmp || has_ports ? traffic->from_port : 0);
	json_write_int(w, is_icmp ? "icmpcode" : "endport", is_icmp || has_ports ? traffic->to_port : 0);
}

/* Writes an ACL item's ports as texts, and none if it covers all (NetworkACLItemResponse, 4.18). */
void cs_write_item_traffic(struct cs_call *e, struct json_writer *w, const struct cs_read_traffic *traffic)
{
	bool is_icmp = traffic->protocol == PROTOCOL_ICMP;
	json_write_text(w, "protocol", word_of_protocol(e->c->arena, traffic->protocol));
	if (is_icmp) {
		json_write_int(w, "icmptype", traffic->from_port);
		json_write_int(w, "icmpcode", traffic->to_port);
	} else if (traffic->from_port >= 0) {
		json_write_text(w, "startport",
				str_print(e->c->arena, "%lld", (long long) traffic->from_port));
		json_write_text(w, "endport", str_print(e->c->arena, "%lld", (long long) traffic->to_port));
	}
}
