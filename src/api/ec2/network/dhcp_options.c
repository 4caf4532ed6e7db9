/* SPDX-License-Identifier: Apache-2.0
 * DHCP options sets: CreateDhcpOptions, DescribeDhcpOptions, AssociateDhcpOptions, DeleteDhcpOptions. The
 * options of a VPC without a set, EC2's `default`, have no row. */
#include "engine/network/dhcp_options.h"
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "model/dhcp_options.h"

/* ---- describe ---- */

struct ec2_describe_dhcp_options {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	PARAM(struct ec2_describe_dhcp_options, "DhcpOptionsId", query.ids, .kind = KIND_DHCP_OPTIONS,
	      .none = "default",
	      .doc = "DHCP options sets by id. default is the set of VPCs without one; it is only shown if "
		     "named."),
	QUERY_FILTERS(struct ec2_describe_dhcp_options),
	QUERY_PAGES(struct ec2_describe_dhcp_options, 5, 1000),
};

struct shown_value {
	struct row row; /* no row of the store */
	struct str text;
};

/* An option as EC2 shows it. */
struct shown_option {
	struct row row; /* no row of the store */
	struct str key;
	struct shown_value values[1 + DHCP_SERVERS_MAX];
	size_t count;
};

static void add_value(struct shown_option *option, struct str text)
{
	option->values[option->count++].text = text;
}

static void add_ips(struct arena *a, struct shown_option *option, struct ips ips)
{
	for (size_t k = 0; k < ips.count && k < DHCP_SERVERS_MAX; k++)
		add_value(option, ip_to_str(a, ips.at[k]));
}

/* An option without values is left out. */
static struct attribute_rows list_options(struct api_call *e, const struct row *row)
{
	static const char *const keys[] = {"domain-name", "domain-name-servers", "ntp-servers",
					   "netbios-name-servers", "netbios-node-type"};
	enum { COUNT = sizeof keys / sizeof *keys };
	const struct dhcp_options *set = dhcp_options_of(row);
	struct arena *a = e->c->arena;
	struct shown_option *all = arena_new_array(a, struct shown_option, COUNT);
	size_t count = 0;
	if (!all)
		return (struct attribute_rows){0};
	for (size_t k = 0; k < COUNT; k++)
		all[k].key = str_from(keys[k]);
	if (set->domain_name.n)
		add_value(&all[0], set->domain_name);
	if (set->provided_dns)
		add_value(&all[1], STR("AmazonProvidedDNS"));
	add_ips(a, &all[1], set->dns_servers);
	add_ips(a, &all[2], set->ntp_servers);
	add_ips(a, &all[3], set->netbios_name_servers);
	if (set->netbios_node_type)
		add_value(&all[4], str_print(a, "%d", (int) set->netbios_node_type));
	for (size_t k = 0; k < COUNT; k++)
		if (all[k].count)
			all[count++] = all[k];
	return attribute_rows_of(e, all, count, sizeof *all);
}

static struct attribute_rows list_values(struct api_call *e, const struct row *row)
{
	const struct shown_option *option = (const struct shown_option *) row;
	return attribute_rows_of(e, option->values, option->count, sizeof *option->values);
}

static const struct attribute value_rows[] = {ATTRIBUTE(shown_value, "value", text, .filter = "value")};
static const struct attributes value_members = ATTRIBUTES(value_rows);
static const struct attribute shown_option_rows[] = {
	ATTRIBUTE(shown_option, "key", key, .filter = "key"),
	ATTRIBUTE_ROWS("valueSet", value_members, list_values, .flags = ATTRIBUTE_FILTERS_WITHIN),
};
static const struct attributes option_members = ATTRIBUTES(shown_option_rows);
static const struct attribute set_rows[] = {
	ATTRIBUTE_OWN_ID(dhcp_options, "dhcpOptionsId", KIND_DHCP_OPTIONS, .none = "default",
			 .filter = "dhcp-options-id"),
	EC2_OWNER("ownerId", .filter = "owner-id"),
	ATTRIBUTE_ROWS("dhcpConfigurationSet", option_members, list_options,
		       .flags = ATTRIBUTE_FILTERS_WITHIN),
	ATTRIBUTE(dhcp_options, "tagSet", tags),
};
static const struct attributes set_members = ATTRIBUTES(set_rows);

static const struct ec2_listing dhcp_listing = {.kind = KIND_DHCP_OPTIONS,
						.set = "dhcpOptionsSet",
						.filters = FILTERS_OF(set_members),
						.attributes = &set_members};

/* True if the request has only the id "default": DescribeVpcs shows it, and clients look it up. No list has
 * it. */
static bool is_for_default(const struct ec2_query *query)
{
	return query->ids.count == 1 && str_is(query->ids.at[0].text, "default") && !query->max_results &&
	       query->filters.count == 0;
}

static RESULT ec2_describe_dhcp_options(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_dhcp_options *a = args;
	if (!is_for_default(&a->query))
		return ec2_describe(e, &dhcp_listing, &a->query, x);
	(void) ec2_tables(e);
	const struct dhcp_options told = {.domain_name = e->domain, .provided_dns = true};
	const struct row *row = &told.row;
	const void **items = NULL;
	TRY(ec2_gather(e, &dhcp_listing, &row, 1, &items));
	ec2_write_items(e, &dhcp_listing, items, 1, x);
	return OK;
}

/* ---- create ---- */

struct ec2_dhcp_options_list {
	const struct dhcp_option *at;
	size_t count;
};
struct ec2_create_dhcp_options {
	struct dhcp_options_wish wish;
	struct ec2_dhcp_options_list options;
	struct ec2_tag_specs tag_specs;
};
static const struct param option_rows[] = {
	PARAM(struct dhcp_option, "Key", key, .flags = REQUIRED, .max = 64,
	      .doc = "Name of the option: domain-name, domain-name-servers, ntp-servers, "
		     "netbios-name-servers or netbios-node-type."),
	PARAM(struct dhcp_option, "Value", values, .flags = REQUIRED,
	      .doc = "Values: up to four IPv4 addresses, AmazonProvidedDNS, a domain name, or a node type."),
};
static const struct params option_params = PARAMS(struct dhcp_option, option_rows);
static const struct param create_params[] = {
	PARAM_LIST(struct ec2_create_dhcp_options, "DhcpConfiguration", options, option_params,
		   .flags = REQUIRED, .max = 16, .doc = "Options of the set, each at most once."),
	TAG_SPECIFICATIONS(struct ec2_create_dhcp_options, tag_specs),
};

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_dhcp_options *a = args;
	(void) e;
	a->wish.options = a->options.at;
	a->wish.option_count = a->options.count;
	return OK;
}

/* ---- associate, delete ---- */

#define P(wire, member, ...) PARAM(struct dhcp_options_association, wire, member, __VA_ARGS__)
static const struct param associate_params[] = {
	P("DhcpOptionsId", dhcp_options, .flags = REQUIRED, .kind = KIND_DHCP_OPTIONS, .none = "default",
	  .doc = "DHCP options set, or default for none."),
	P("VpcId", router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
};
#undef P

static const struct param delete_params[] = {
	PARAM(struct dhcp_options_target, "DhcpOptionsId", dhcp_options, .flags = REQUIRED,
	      .kind = KIND_DHCP_OPTIONS, .doc = "The DHCP options set."),
};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeDhcpOptions"), .args = PARAMS(struct ec2_describe_dhcp_options, describe_params),
	 .answer = ec2_describe_dhcp_options, .items = &dhcp_listing,
	 .doc = "Lists the account's DHCP options sets."},
	{EC2_ACTION("CreateDhcpOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_dhcp_options, create_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_dhcp_options, "dhcp-options"),
	 .operation = engine_create_dhcp_options_run,
	 EC2_SHOWS(dhcp_listing, struct ec2_create_dhcp_options, wish.dhcp_options, "dhcpOptions"),
	 .returns = KIND_DHCP_OPTIONS, .doc = "Creates a DHCP options set."},
	{EC2_ACTION("AssociateDhcpOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct dhcp_options_association, associate_params),
	 .operation = engine_associate_dhcp_options_run,
	 .doc = "Associates a DHCP options set with a VPC, or none. Guests learn of it when they renew their "
		"lease."},
	{EC2_ACTION("DeleteDhcpOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct dhcp_options_target, delete_params),
	 .operation = engine_delete_dhcp_options_run, .doc = "Deletes a DHCP options set that no VPC uses."},
};
const struct api_actions ec2_dhcp_options_actions = API_ACTIONS(actions);
