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
	      .none = "default", .doc = "Sets by id; default, by itself: what VPCs tell without one."),
	QUERY_FILTERS(struct ec2_describe_dhcp_options),
	QUERY_PAGES(struct ec2_describe_dhcp_options, 5, 1000),
};

enum { OPTION_COUNT = 5, VALUES_MAX = DHCP_SERVERS_MAX };

/* Writes an option as EC2 shows it; one without values is left out. */
struct shown_option {
	const char *key;
	struct str values[VALUES_MAX];
	size_t count;
};

static void show_ips(struct arena *a, struct shown_option *option, struct ips ips)
{
	for (size_t k = 0; k < ips.count && k < VALUES_MAX; k++)
		option->values[option->count++] = ip_to_str(a, ips.at[k]);
}

static void show_options(struct arena *a, const struct dhcp_options *set,
			 struct shown_option ret_options[static OPTION_COUNT])
{
	static const char *const keys[OPTION_COUNT] = {"domain-name", "domain-name-servers", "ntp-servers",
						       "netbios-name-servers", "netbios-node-type"};
	for (size_t k = 0; k < OPTION_COUNT; k++)
		ret_options[k] = (struct shown_option){.key = keys[k]};
	if (set->domain_name.n)
		ret_options[0].values[ret_options[0].count++] = set->domain_name;
	if (set->provided_dns)
		ret_options[1].values[ret_options[1].count++] = STR("AmazonProvidedDNS");
	show_ips(a, &ret_options[1], set->dns_servers);
	show_ips(a, &ret_options[2], set->ntp_servers);
	show_ips(a, &ret_options[3], set->netbios_name_servers);
	if (set->netbios_node_type)
		ret_options[4].values[ret_options[4].count++] =
			str_print(a, "%d", (int) set->netbios_node_type);
}

static bool fits_key(const struct filter_run *f, const struct row *row)
{
	struct shown_option options[OPTION_COUNT];
	show_options(f->e->c->arena, dhcp_options_of(row), options);
	for (size_t k = 0; k < OPTION_COUNT; k++)
		if (options[k].count && filter_z(f, options[k].key))
			return true;
	return false;
}

static bool fits_value(const struct filter_run *f, const struct row *row)
{
	struct shown_option options[OPTION_COUNT];
	show_options(f->e->c->arena, dhcp_options_of(row), options);
	for (size_t k = 0; k < OPTION_COUNT; k++)
		for (size_t n = 0; n < options[k].count; n++)
			if (filter_text(f, options[k].values[n]))
				return true;
	return false;
}

static const struct filter dhcp_filters[] = {
	{"dhcp-options-id", .is_id = true},
	{"key", .get = fits_key},
	{"value", .get = fits_value},
	{"owner-id", .get = filter_owner},
};

static void write_option(struct xml *x, const struct shown_option *option)
{
	xml_open(x, "item");
	xml_z(x, "key", option->key);
	xml_open(x, "valueSet");
	for (size_t k = 0; k < option->count; k++) {
		xml_open(x, "item");
		xml_text(x, "value", option->values[k]);
		xml_close(x, "item");
	}
	xml_close(x, "valueSet");
	xml_close(x, "item");
}

static void write_set(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct dhcp_options *set = item;
	struct shown_option options[OPTION_COUNT];
	show_options(e->c->arena, set, options);
	if (uuid_is_none(set->row.id))
		xml_z(x, "dhcpOptionsId", "default");
	ec2_write_id(x, "dhcpOptionsId", KIND_DHCP_OPTIONS, set->row.id);
	xml_text(x, "ownerId", e->owner);
	xml_open(x, "dhcpConfigurationSet");
	for (size_t k = 0; k < OPTION_COUNT; k++)
		if (options[k].count)
			write_option(x, &options[k]);
	xml_close(x, "dhcpConfigurationSet");
	ec2_write_tags(x, set->tags);
}

static const struct ec2_listing dhcp_listing = {.kind = KIND_DHCP_OPTIONS,
						.set = "dhcpOptionsSet",
						.filters = FILTERS(dhcp_filters),
						.write = write_set};

/* True if the set "default" is asked for by id: DescribeVpcs shows it, and clients look it up. No list has
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
	const void *const items[] = {&told};
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
	      .doc = "domain-name, domain-name-servers, ntp-servers, netbios-name-servers, "
		     "netbios-node-type."),
	PARAM(struct dhcp_option, "Value", values, .flags = REQUIRED,
	      .doc = "Up to four IPv4 addresses, AmazonProvidedDNS, a domain name, or a node type."),
};
static const struct params option_params = PARAMS(struct dhcp_option, option_rows);
static const struct param create_params[] = {
	PARAM_LIST(struct ec2_create_dhcp_options, "DhcpConfiguration", options, option_params,
		   .flags = REQUIRED, .max = 16, .doc = "The options, each once."),
	TAG_SPECIFICATIONS(struct ec2_create_dhcp_options, tag_specs),
};

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_dhcp_options *a = args;
	a->wish.options = a->options.at;
	a->wish.option_count = a->options.count;
	return ec2_take_tags(e, &a->tag_specs, "dhcp-options", "dhcp-options", &a->wish.tags);
}

static RESULT ec2_create_dhcp_options(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_dhcp_options *a = args;
	return ec2_write_returned(e, &dhcp_listing, a->wish.dhcp_options, "dhcpOptions", x);
}

/* ---- associate, delete ---- */

#define P(wire, member, ...) PARAM(struct dhcp_options_association, wire, member, __VA_ARGS__)
static const struct param associate_params[] = {
	P("DhcpOptionsId", dhcp_options, .flags = REQUIRED, .kind = KIND_DHCP_OPTIONS, .none = "default",
	  .doc = "The set, or default: none."),
	P("VpcId", router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
};
#undef P

static const struct param delete_params[] = {
	PARAM(struct dhcp_options_target, "DhcpOptionsId", dhcp_options, .flags = REQUIRED,
	      .kind = KIND_DHCP_OPTIONS, .doc = "The set."),
};

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeDhcpOptions"), .args = PARAMS(struct ec2_describe_dhcp_options, describe_params),
	 .answer = ec2_describe_dhcp_options, .filters = FILTERS(dhcp_filters),
	 .doc = "DHCP options sets of the account."},
	{EC2_ACTION("CreateDhcpOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_dhcp_options, create_params), .prepare = prepare_create,
	 .operation = engine_create_dhcp_options_run, .answer = ec2_create_dhcp_options,
	 .returns = KIND_DHCP_OPTIONS, .doc = "Makes a set of what guests are told by DHCP."},
	{EC2_ACTION("AssociateDhcpOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct dhcp_options_association, associate_params),
	 .operation = engine_associate_dhcp_options_run,
	 .doc = "Gives a VPC a set, or none; guests learn of it when they renew their lease."},
	{EC2_ACTION("DeleteDhcpOptions"), .flags = API_WRITES,
	 .args = PARAMS(struct dhcp_options_target, delete_params),
	 .operation = engine_delete_dhcp_options_run, .doc = "Deletes a set that no VPC has."},
};
const struct api_actions ec2_dhcp_options_actions = API_ACTIONS(actions);
