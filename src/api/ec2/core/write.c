/* SPDX-License-Identifier: Apache-2.0
 * Shared parts of answers and requests, among them the parameter tables for filters and tags. */
#include "api/ec2/core/write.h"

#include "api/ec2/core/filter.h"
#include "engine/tag.h"
#include "model/licence.h"
#include "store/account.h"

enum { HOST_NAME_ROOM = sizeof "ec2-203-100-113-107." }; /* also long enough for an instance's id */

void ec2_write_id_named(struct xml *x, struct str name, enum kind kind, uuid id)
{
	char text[EC2_ID_TEXT_SIZE];
	if (!uuid_is_none(id))
		xml_plain_named(x, name, str_from(id_write_ec2(kind, id, text)));
}

void ec2_write_members(struct ec2_call *e, struct xml *x, const struct attributes *table,
		       const struct row *row)
{
	const struct attribute_plan *plan = attributes_plan(&e->core, &ec2_style, table);
	if (plan)
		attributes_write_xml(attributes_gather(plan, row), x);
}

void ec2_write_prefixed(struct xml *x, const char *name, const char *prefix, uuid id)
{
	char text[EC2_ID_TEXT_SIZE];
	if (!uuid_is_none(id))
		xml_z(x, name, id_write_prefixed(prefix, id, text));
}

const struct attributes ec2_no_members;

struct str ec2_get_region(struct api_call *e, const struct row *row)
{
	(void) row;
	return ec2_call_of(e)->config->region;
}

static bool is_change(struct api_call *e)
{
	return ec2_is_change(ec2_call_of(e));
}

static const char *answer_state(struct api_call *e)
{
	return ec2_state_in_answer(ec2_call_of(e), NULL);
}

const struct attribute_style ec2_style = {
	.is_xml = true,
	.has_ec2_ids = true,
	.write_time = clock_write_ms,
	.write_time_fine = clock_write_ms,
	.state_word = offsetof(struct state_info, ec2),
	.item = "item",
	.key = "key",
	.value = "value",
	.is_change = is_change,
	.answer_state = answer_state,
};

enum { ARN_PARTS = 8 };
struct arn_parts {
	struct str at[ARN_PARTS];
	char id[EC2_ID_TEXT_SIZE];
};

static void split_arn(const struct ec2_call *e, const char *type, enum kind kind, uuid id,
		      struct arn_parts *ret_parts)
{
	const struct str parts[ARN_PARTS] = {STR("arn:aws:ec2:"),
					     e->config->region,
					     STR(":"),
					     e->owner,
					     STR(":"),
					     str_from(type),
					     STR("/"),
					     str_from(id_write_ec2(kind, id, ret_parts->id))};
	memcpy(ret_parts->at, parts, sizeof parts);
}

struct str ec2_arn(const struct ec2_call *e, const char *type, enum kind kind, uuid id)
{
	struct arn_parts parts;
	split_arn(e, type, kind, id, &parts);
	return str_join(e->c->arena, parts.at, ARN_PARTS);
}

/* The parts are written directly into the answer: lists of thousands of rows show one in each item. */
void ec2_write_arn(const struct ec2_call *e, struct xml *x, const char *name, const char *type,
		   enum kind kind, uuid id)
{
	struct arn_parts parts;
	split_arn(e, type, kind, id, &parts);
	xml_open(x, name);
	for (size_t k = 0; k < ARN_PARTS; k++)
		buf_add_str(x->out, parts.at[k]);
	xml_close(x, name);
}

void ec2_write_ip_named(struct xml *x, struct str name, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	if (!ip_is_none(ip))
		xml_plain_named(x, name, str_from(ip_write(ip, text)));
}

void ec2_write_cidr_named(struct xml *x, struct str name, struct cidr cidr)
{
	char text[CIDR_TEXT_SIZE];
	if (!cidr_is_none(cidr))
		xml_plain_named(x, name, str_from(cidr_write(cidr, text)));
}

RESULT ec2_check_border_group(struct ec2_call *e, struct str field, struct str group)
{
	if (str_is_empty(group) || str_equal(group, e->config->region))
		return OK;
	return ctx_fail_field(
		e->c, ERR_INVALID, field,
		"Value (%" STR_FMT ") for parameter %" STR_FMT " is invalid. There is only %" STR_FMT ".",
		STR_ARG(group), STR_ARG(params_small_name(e->c->arena, field)), STR_ARG(e->config->region));
}

/* EC2's documentation says which parameters need which; the messages are ours. */
RESULT ec2_prepare_ipv6_wish(struct ec2_call *e, struct ipv6_block_wish *wish, struct str border_group)
{
	struct str field = STR("Ipv6CidrBlockNetworkBorderGroup"), pool = STR("Ipv6Pool");
	bool has_pool = ref_is_given(&wish->pool);
	wish->block_field = STR("Ipv6CidrBlock");
	wish->field = has_pool ? pool : STR("AmazonProvidedIpv6CidrBlock");
	if (border_group.n && !wish->is_wanted)
		return ctx_fail_field(e->c, ERR_COMBINATION, field,
				      "The parameter ipv6CidrBlockNetworkBorderGroup requires the parameter "
				      "amazonProvidedIpv6CidrBlock to be true.");
	if (has_pool && wish->is_wanted)
		return ctx_fail_field(e->c, ERR_COMBINATION, pool,
				      "Only one of AmazonProvidedIpv6CidrBlock and Ipv6Pool may be given.");
	if (!cidr_is_none(wish->block) && !has_pool)
		return ctx_fail_field(e->c, ERR_COMBINATION, wish->block_field,
				      "The parameter Ipv6CidrBlock requires the parameter Ipv6Pool.");
	wish->is_wanted |= has_pool;
	return ec2_check_border_group(e, field, border_group);
}

void ec2_write_tags(struct xml *x, struct tags tags)
{
	if (!tags.count) {
		xml_empty(x, "tagSet");
		return;
	}
	xml_open(x, "tagSet");
	for (size_t k = 0; k < tags.count; k++) {
		xml_open(x, "item");
		xml_text(x, "key", tags.at[k].key);
		xml_text(x, "value", tags.at[k].value);
		xml_close(x, "item");
	}
	xml_close(x, "tagSet");
}

void ec2_write_tags_if_any(struct xml *x, struct tags tags)
{
	if (tags.count)
		ec2_write_tags(x, tags);
}

void ec2_write_tags_of_made(const struct ec2_call *e, struct xml *x, struct tags tags)
{
	if (ec2_is_change(e) || tags.count)
		ec2_write_tags(x, tags);
}

/* Appends the domain to the host's name of n characters. */
static size_t add_domain(struct str domain, size_t n, char out[static EC2_NAME_TEXT_SIZE])
{
	size_t room = EC2_NAME_TEXT_SIZE - HOST_NAME_ROOM, size = domain.n < room ? domain.n : room;
	out[n++] = '.';
	memcpy(out + n, domain.p ? domain.p : "", size);
	return n + size;
}

static size_t write_name(const char *prefix, struct ip ip, struct str domain,
			 char out[static EC2_NAME_TEXT_SIZE])
{
	char digits[IP_TEXT_SIZE];
	size_t n = 0;
	if (ip.family != IP_V4)
		return 0;
	for (const char *p = prefix; *p; p++)
		out[n++] = *p;
	for (const char *p = ip_write(ip, digits); *p; p++)
		out[n++] = *p == '.' ? '-' : *p;
	return add_domain(domain, n, out);
}

size_t ec2_resource_name(const struct ec2_call *e, uuid instance, char out[static EC2_NAME_TEXT_SIZE])
{
	char text[EC2_ID_TEXT_SIZE];
	struct str name = str_from(id_write_ec2(KIND_INSTANCE, instance, text));
	memcpy(out, name.p, name.n);
	return add_domain(e->domain, name.n, out);
}

size_t ec2_private_name(const struct ec2_call *e, struct ip ip, char out[static EC2_NAME_TEXT_SIZE])
{
	return write_name("ip-", ip, e->domain, out);
}

size_t ec2_public_name(const struct ec2_call *e, struct ip ip, char out[static EC2_NAME_TEXT_SIZE])
{
	return write_name("ec2-", ip, e->public_domain, out);
}

void ec2_write_words(struct xml *x, const char *set, const char *words_by_bars)
{
	struct str rest = str_from(words_by_bars), word;
	xml_open(x, set);
	while (str_split_next(&rest, '|', &word))
		xml_text(x, "item", word);
	xml_close(x, set);
}

int64_t ec2_gib(int64_t bytes)
{
	const int64_t gib = INT64_C(1) << 30;
	return bytes / gib + (bytes % gib != 0);
}

/* ---- requests ---- */

static const struct param filter_rows[] = {
	PARAM(struct ec2_filter, "Name", name, .flags = REQUIRED, .max = 255, .doc = "Name of the filter."),
	PARAM(struct ec2_filter, "Value", values,
	      .doc = "Values, one of which must match; * and ? are wildcards."),
};
const struct params ec2_filter_params = PARAMS(struct ec2_filter, filter_rows);

static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX,
	      .doc = "The tag's key."),
	PARAM(struct tag, "Value", value, .max = TAG_VALUE_MAX, .doc = "The tag's value."),
};
const struct params ec2_tag_params = PARAMS(struct tag, tag_rows);

static const struct param tag_spec_rows[] = {
	PARAM(struct ec2_tag_spec, "ResourceType", resource_type, .max = 64,
	      .doc = "Resource type that the tags are for."),
	PARAM_LIST(struct ec2_tag_spec, "Tag", tags, ec2_tag_params, .doc = "The tags."),
};
const struct params ec2_tag_spec_params = PARAMS(struct ec2_tag_spec, tag_spec_rows);

/* VPC actions have their own code for tags of another resource type. */
static bool is_of_vpc(const char *type)
{
	static const char words[] =
		"dhcp-options|egress-only-internet-gateway|internet-gateway|natgateway|network-acl|"
		"network-interface|prefix-list|route-table|security-group|security-group-rule|subnet|"
		"subnet-cidr-reservation|vpc|vpc-endpoint|vpc-peering-connection";
	return params_has_word(words, str_from(type));
}

static RESULT fail_tag_spec(struct ec2_call *e, const char *type, struct str words)
{
	struct result failed = ctx_fail_kind(e->c, ERR_INVALID, is_of_vpc(type) ? KIND_NETWORK : KIND_NONE,
					     "%" STR_FMT, STR_ARG(words));
	e->c->problem.field = STR("TagSpecification");
	return failed;
}

RESULT ec2_take_tags(struct ec2_call *e, const struct ec2_tag_specs *specs, const char *type,
		     const char *types, struct tags *ret_tags)
{
	VEC(struct tag) tags = {0};
	for (size_t k = 0; k < specs->count; k++) {
		const struct ec2_tag_spec *spec = &specs->at[k];
		struct str rest = str_from(types), word;
		bool fits = false;
		while (str_split_next(&rest, '|', &word))
			fits |= str_equal(word, spec->resource_type);
		if (str_is_empty(spec->resource_type))
			return fail_tag_spec(e, type,
					     STR("Tag specification resource type must have a value"));
		if (!fits)
			return fail_tag_spec(
				e, type,
				str_print(e->c->arena,
					  "'%" STR_FMT
					  "' is not a valid taggable resource type for this operation.",
					  STR_ARG(spec->resource_type)));
		if (!spec->tags.count)
			return fail_tag_spec(e, type, STR("Tag specification must have at least one tag"));
		for (size_t n = 0; str_is(spec->resource_type, type) && n < spec->tags.count; n++)
			if (!VEC_PUSH(e->c->arena, &tags, spec->tags.at[n]))
				return ctx_no_memory(e->c);
	}
	*ret_tags = (struct tags){tags.at, tags.count};
	return OK;
}

struct str ec2_platform_details(struct api_call *e, struct strs licences, bool is_windows)
{
	char words[LICENCE_EC2_SIZE];
	return str_copy(e->c->arena, str_from(licence_ec2_platform(licences, is_windows, words)));
}

struct str ec2_usage_operation(struct api_call *e, struct strs licences, bool is_windows)
{
	char words[LICENCE_EC2_SIZE];
	return str_copy(e->c->arena, str_from(licence_ec2_operation(licences, is_windows, words)));
}

struct str ec2_owner_number(const struct tables *t, uuid account)
{
	const struct account *owner = uuid_is_none(account) ? 0 : account_find(t, account);
	return owner ? owner->number : STR(EC2_OPERATORS_NUMBER);
}
