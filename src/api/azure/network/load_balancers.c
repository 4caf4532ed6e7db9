/* SPDX-License-Identifier: Apache-2.0
 * Load balancers: frontends, which are public addresses or addresses of subnets, pools by name, and rules from a frontend's port to
 * a pool. The face stores the body and shows it unchanged; the engine derives OVN's load balancers from it
 * (engine/virtual/balancer_set.h). Interfaces list their pools and inbound NAT rules (interface_put.c). OVN's health check
 * connects by TCP to a rule's backend port: a rule with another probe is refused. Source: Azure REST API reference, "Load Balancers", 2022-07-01. */
#include "api/azure/network/balancers.h"

#include <stdlib.h>
#include <string.h>

#include "engine/tag.h"
#include "store/balancer_pool_member.h"
#include "store/balancer_set.h"
#include "store/port.h"
#include "store/port_forwarding.h"

#define FRONTENDS "frontendIPConfigurations"
#define POOLS "backendAddressPools"
#define RULES "loadBalancingRules"
#define PROBES "probes"
#define INWARDS "inboundNatRules"

/* ---- what is shown ---- */

static struct str text_of(const json_t *o, const char *name)
{
	return str_from(json_string_value(json_object_get(o, name)));
}

static struct str part_id(struct az_call *e, uuid set, const char *list, struct str name)
{
	return str_print(e->c->arena, "%" STR_FMT "/%s/%" STR_FMT,
			 STR_ARG(az_id_of(e, AZ_BALANCERS, KIND_BALANCER_SET, set)), list, STR_ARG(name));
}

static void write_link(struct az_call *e, struct json_writer *w, const char *name, struct str id)
{
	(void) e;
	json_write_open(w, name);
	json_write_text(w, "id", id);
	json_write_close(w);
}

/* Writes the rules of the set that refer to the part. */
static void write_rules_of(struct az_call *e, struct json_writer *w, uuid set, const char *list,
			   const char *member, struct str part)
{
	const json_t *rules = json_object_get(az_said(e, set), "properties." RULES);
	bool has_any = false;
	if (strcmp(list, INWARDS) == 0)
		rules = json_object_get(az_said(e, set), "properties." INWARDS);
	for (size_t k = 0; k < json_array_size(rules); k++) {
		const json_t *rule = json_array_get(rules, k);
		struct str id = text_of(json_object_get(json_object_get(rule, "properties"), member), "id");
		if (!str_equal_nocase(az_last_word(id), part))
			continue;
		if (!has_any)
			json_write_open_list(w, list);
		has_any = true;
		write_link(e, w, NULL, part_id(e, set, list, text_of(rule, "name")));
	}
	if (has_any)
		json_write_close_list(w);
}

static void write_members(struct az_call *e, struct json_writer *w, uuid set, struct str pool)
{
	const struct tables *t = az_tables(e);
	struct str folded = str_lower(e->c->arena, pool);
	bool has_any = false;
	const struct balancer_pool_member *m = balancer_pool_member_first_by_set(t, set);
	for (; m; m = balancer_pool_member_next_by_set(t, m)) {
		const struct port *p = str_equal(m->pool, folded) ? port_find(t, m->port) : NULL;
		if (!p)
			continue;
		if (!has_any)
			json_write_open_list(w, "backendIPConfigurations");
		has_any = true;
		write_link(e, w, NULL, az_ip_config_id(e, p, m->private_ip));
	}
	if (has_any)
		json_write_close_list(w);
}

static void write_target(struct az_call *e, struct json_writer *w, uuid set, struct str rule)
{
	const struct tables *t = az_tables(e);
	const struct port_forwarding *f = port_forwarding_first_by_set(t, set);
	while (f && !str_equal_nocase(f->name, rule))
		f = port_forwarding_next_by_set(t, f);
	const struct port *p = f ? port_find(t, f->port) : NULL;
	if (p)
		write_link(e, w, "backendIPConfiguration", az_ip_config_id(e, p, f->private_ip));
}

/* Members of a part, shown by name as the PUT said them. */
struct shown_part {
	const char *list;
	const char *members; /* "a|b" */
};
static const struct shown_part shown_parts[] = {
	{FRONTENDS, "publicIPAddress|subnet|zones"},
	{POOLS, ""},
	{RULES, "frontendIPConfiguration|frontendPort|backendPort|protocol|backendAddressPool|probe|"
		"loadDistribution|idleTimeoutInMinutes|enableFloatingIP|enableTcpReset|disableOutboundSnat"},
	{PROBES, "protocol|port|requestPath|intervalInSeconds|numberOfProbes"},
	{INWARDS,
	 "frontendIPConfiguration|frontendPort|backendPort|protocol|idleTimeoutInMinutes|enableFloatingIP|"
	 "enableTcpReset"},
};
enum { SHOWN_PARTS = sizeof shown_parts / sizeof shown_parts[0] };

static void write_said(struct az_call *e, struct json_writer *w, const json_t *properties, struct str names)
{
	struct str name;
	while (str_split_next(&names, '|', &name)) {
		const char *key = str_to_z(e->c->arena, name);
		const json_t *value = json_object_get(properties, key);
		char *text = value && !json_is_null(value) ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)
							   : NULL;
		if (text)
			json_write_raw(w, key, str_from(text));
		free(text);
	}
}

static void write_private(struct az_call *e, struct json_writer *w, uuid set, const json_t *said,
			  struct str name)
{
	char text[IP_TEXT_SIZE];
	const struct port *front = engine_find_front(az_tables(e), set, name);
	bool is_static = str_equal_nocase(text_of(said, "privateIPAllocationMethod"), STR("Static"));
	json_write_z(w, "privateIPAllocationMethod", is_static ? "Static" : "Dynamic");
	if (!front)
		return;
	json_write_z(w, "privateIPAddress", ip_write(front->ip, text));
	json_write_z(w, "privateIPAddressVersion", "IPv4");
}

/* copies parts, because the next az_said() reuses the document */
static void write_part(struct az_call *e, struct json_writer *w, const struct row *row,
		       const struct shown_part *shown, const json_t *part)
{
	const json_t *properties = json_object_get(part, "properties");
	struct str name = str_copy(e->c->arena, text_of(part, "name"));
	json_write_open(w, NULL);
	json_write_text(w, "name", name);
	json_write_text(w, "id", part_id(e, row->id, shown->list, name));
	json_write_text(w, "etag", az_etag_of(e, row));
	json_write_text(w, "type", str_print(e->c->arena, "Microsoft.Network/loadBalancers/%s", shown->list));
	json_write_open(w, "properties");
	json_write_z(w, "provisioningState", "Succeeded");
	write_said(e, w, properties, str_from(shown->members));
	if (strcmp(shown->list, FRONTENDS) == 0) {
		write_private(e, w, row->id, properties, name);
		write_rules_of(e, w, row->id, RULES, "frontendIPConfiguration", name);
		write_rules_of(e, w, row->id, INWARDS, "frontendIPConfiguration", name);
	} else if (strcmp(shown->list, POOLS) == 0) {
		write_rules_of(e, w, row->id, RULES, "backendAddressPool", name);
		write_members(e, w, row->id, name);
	} else if (strcmp(shown->list, PROBES) == 0) {
		write_rules_of(e, w, row->id, RULES, "probe", name);
	} else if (strcmp(shown->list, INWARDS) == 0) {
		write_target(e, w, row->id, name);
	}
	json_write_close(w);
	json_write_close(w);
}

/* Writes the lists of parts. */
static void write_parts(struct api_call *core, struct json_writer *w, const char *name, const struct row *row)
{
	struct az_call *e = az_call_of(core);
	(void) name;
	for (size_t n = 0; n < SHOWN_PARTS; n++) {
		const char *path = str_print(e->c->arena, "properties.%s", shown_parts[n].list).p;
		json_write_open_list(w, shown_parts[n].list);
		for (size_t k = 0; k < json_array_size(json_object_get(az_said(e, row->id), path)); k++)
			write_part(e, w, row, &shown_parts[n],
				   json_array_get(json_object_get(az_said(e, row->id), path), k));
		json_write_close_list(w);
	}
}

static const struct member properties[] = {
	AZ_PROPERTIES,
	MEMBER_WRITTEN(FRONTENDS, write_parts, .also = POOLS "|" RULES "|" PROBES "|" INWARDS),
	MEMBER_FIXED("outboundRules|inboundNatPools", "[]"),
};
static const struct member members[] = {
	AZ_HEAD,
	AZ_REGIONAL_SKU(AZ_FORM_OF("name", az_form_said, .arg = "sku.name", .json = "\"Basic\"",
				   .offset = offsetof(struct row, id))),
	AZ_ETAG,
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing balancers = {
	.kind = KIND_BALANCER_SET, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

/* ---- request bodies ---- */

struct frontend_says {
	struct az_link address, subnet;
	struct str method;
	struct ip ip;
};
struct frontends {
	const struct frontend {
		struct str name;
		struct frontend_says properties;
	} * at;
	size_t count;
};
struct pools {
	const struct pool {
		struct str name;
		struct pool_says {
			struct str location;
		} properties;
	} * at;
	size_t count;
};
struct probe_says {
	struct str protocol;
	int64_t port, interval, failures;
};
struct probes {
	const struct probe {
		struct str name;
		struct probe_says properties;
	} * at;
	size_t count;
};
struct rule_says {
	struct az_link frontend, pool, probe;
	struct az_links pools;
	struct str protocol, distribution;
	int64_t public_port, private_port;
};
struct rules {
	const struct rule {
		struct str name;
		struct rule_says properties;
	} * at;
	size_t count;
};
struct balancer_says {
	struct frontends frontends;
	struct pools pools;
	struct probes probes;
	struct rules rules, inwards;
};
struct balancer_args {
	struct balancer_set_wish wish;
	struct az_network_sku sku;
	struct balancer_says properties;
};
static const struct param frontend_says_rows[] = {
	PARAM_OBJECT(struct frontend_says, "publicIPAddress", address, az_link_params,
		     .doc = "Public IP address of the frontend."),
	PARAM_OBJECT(struct frontend_says, "subnet", subnet, az_link_params,
		     .doc = "Subnet of an internal frontend, instead of a public address."),
	PARAM(struct frontend_says, "privateIPAddress", ip,
	      .doc = "Private address in the subnet; absent: any free one."),
	PARAM(struct frontend_says, "privateIPAllocationMethod", method, .words = "Dynamic|Static",
	      .doc = "Static: privateIPAddress sets the address."),
	NOT_BUILT("publicIPPrefix|gatewayLoadBalancer"),
	NOT_BUILT("privateIPAddressVersion", .only = "IPv4"),
	NOT_BUILT("ddosSettings|enableConnectionTracking"),
	AZ_READ_ONLY("inboundNatRules|inboundNatPools|outboundRules|loadBalancingRules|provisioningState"),
};
static const struct params frontend_says_params =
	PARAMS(struct frontend_says, frontend_says_rows, .object = "FrontendIPConfigurationPropertiesFormat");
static const struct param frontend_rows[] = {
	PARAM(struct frontend, "name", name, .flags = REQUIRED, .max = 80, .doc = "Name."),
	PARAM_OBJECT(struct frontend, "properties", properties, frontend_says_params,
		     .doc = "Address of the frontend."),
	NOT_BUILT("zones"),
	AZ_PART,
};
static const struct params frontend_params =
	PARAMS(struct frontend, frontend_rows, .object = "FrontendIPConfiguration");
static const struct param pool_says_rows[] = {
	NOT_BUILT(
		"tunnelInterfaces|loadBalancerBackendAddresses|drainPeriodInSeconds|virtualNetwork|syncMode"),
	PARAM(struct pool_says, "location", location, .doc = "Location; only the region."),
	AZ_READ_ONLY("backendIPConfigurations|loadBalancingRules|outboundRule|outboundRules|inboundNatRules|"
		     "provisioningState"),
};
static const struct params pool_says_params =
	PARAMS(struct pool_says, pool_says_rows, .object = "BackendAddressPoolPropertiesFormat");
static const struct param pool_rows[] = {
	PARAM(struct pool, "name", name, .flags = REQUIRED, .max = 80, .doc = "Name."),
	PARAM_OBJECT(struct pool, "properties", properties, pool_says_params,
		     .doc = "Backend pool settings, of which none are implemented."),
	AZ_PART,
};
static const struct params pool_params = PARAMS(struct pool, pool_rows, .object = "BackendAddressPool");
static const struct param probe_says_rows[] = {
	PARAM(struct probe_says, "protocol", protocol, .flags = REQUIRED, .words = "Tcp|Http|Https",
	      .doc = "Protocol. A probe that a rule uses must be Tcp."),
	PARAM(struct probe_says, "port", port, .flags = REQUIRED, .min = 1, .max = 65535,
	      .doc = "Port. A probe that a rule uses must have the rule's backend port."),
	PARAM(struct probe_says, "intervalInSeconds", interval, .min = 5, .max = 2147483646,
	      .doc = "Interval of the probe in seconds."),
	PARAM(struct probe_says, "numberOfProbes", failures, .min = 1, .max = 2147483646,
	      .doc = "Number of consecutive failures after which a member gets no traffic."),
	NOT_BUILT("probeThreshold", .only = "1"),
	NOT_BUILT("noHealthyBackendsBehavior", .only = "AllProbedDown"),
	NOT_BUILT("requestPath"),
	AZ_READ_ONLY("loadBalancingRules|provisioningState"),
};
static const struct params probe_says_params =
	PARAMS(struct probe_says, probe_says_rows, .object = "ProbePropertiesFormat");
static const struct param probe_rows[] = {
	PARAM(struct probe, "name", name, .flags = REQUIRED, .max = 80, .doc = "Name."),
	PARAM_OBJECT(struct probe, "properties", properties, probe_says_params,
		     .doc = "Settings of the probe."),
	AZ_PART,
};
static const struct params probe_params = PARAMS(struct probe, probe_rows, .object = "Probe");
static const struct param rule_says_rows[] = {
	PARAM_OBJECT(struct rule_says, "frontendIPConfiguration", frontend, az_link_params,
		     .doc = "Frontend of the rule."),
	PARAM_OBJECT(struct rule_says, "backendAddressPool", pool, az_link_params,
		     .doc = "Backend pool of the rule."),
	PARAM_LIST(struct rule_says, "backendAddressPools", pools, az_link_params, .max = 2,
		   .doc = "Backend pool, as a list of one."),
	PARAM_OBJECT(struct rule_says, "probe", probe, az_link_params,
		     .doc = "Health probe; absent: members are not probed."),
	PARAM(struct rule_says, "protocol", protocol, .flags = REQUIRED, .doc = "Protocol: Tcp or Udp."),
	PARAM(struct rule_says, "frontendPort", public_port, .flags = REQUIRED, .min = 1, .max = 65534,
	      .doc = "Port of the frontend."),
	PARAM(struct rule_says, "backendPort", private_port, .min = 1, .max = 65535,
	      .doc = "Port of the members; absent: the frontend's port."),
	PARAM(struct rule_says, "loadDistribution", distribution,
	      .words = "Default|SourceIP|SourceIPProtocol",
	      .doc = "Session persistence. Default: none; otherwise by the client's address."),
	NOT_BUILT("enableFloatingIP", .only = "false"),
	NOT_BUILT("frontendPortRangeStart|frontendPortRangeEnd"),
	NOT_BUILT("enableConnectionTracking|enableTcpReset"),
	AZ_KEPT("idleTimeoutInMinutes|disableOutboundSnat"),
	AZ_READ_ONLY("backendIPConfiguration|provisioningState"),
};
static const struct params rule_says_params =
	PARAMS(struct rule_says, rule_says_rows, .object = "LoadBalancingRulePropertiesFormat");
static const struct param rule_rows[] = {
	PARAM(struct rule, "name", name, .flags = REQUIRED, .max = 80, .doc = "Name."),
	PARAM_OBJECT(struct rule, "properties", properties, rule_says_params,
		     .doc = "Frontend, ports and target of the rule."),
	AZ_PART,
};
static const struct params rule_params = PARAMS(struct rule, rule_rows, .object = "LoadBalancingRule");
static const struct param balancer_rows[] = {
	PARAM_LIST(struct balancer_says, FRONTENDS, frontends, frontend_params, .max = 200,
		   .doc = "Frontend IP configurations."),
	PARAM_LIST(struct balancer_says, POOLS, pools, pool_params, .max = 200, .doc = "Backend pools."),
	PARAM_LIST(struct balancer_says, PROBES, probes, probe_params, .max = 200, .doc = "Health probes."),
	PARAM_LIST(struct balancer_says, RULES, rules, rule_params, .max = BALANCER_RULES_MAX,
		   .doc = "Load balancing rules, which lead to pools."),
	PARAM_LIST(struct balancer_says, INWARDS, inwards, rule_params, .max = BALANCER_RULES_MAX,
		   .doc = "Inbound NAT rules, which lead to one interface."),
	NOT_BUILT("outboundRules|inboundNatPools", .only = "[]"),
	NOT_BUILT("scope|mode"),
	AZ_READ_ONLY("resourceGuid|provisioningState"),
};
static const struct params balancer_params =
	PARAMS(struct balancer_says, balancer_rows, .object = "LoadBalancerPropertiesFormat");
static const struct param put_rows[] = {
	PARAM_OBJECT(struct balancer_args, "sku", sku, az_network_sku_params,
		     .doc = "Stored and shown; has no effect."),
	PARAM_OBJECT(struct balancer_args, "properties", properties, balancer_params,
		     .doc = "Settings of the load balancer."),
	NOT_BUILT("extendedLocation"),
	AZ_RESOURCE,
};

/* ---- rules as wishes ---- */

static RESULT fail_part(struct az_call *e, const char *field, struct str id)
{
	e->error = &az_no_reference;
	return ctx_fail_field(e->c, ERR_NOT_FOUND, str_from(field),
			      "Resource %" STR_FMT " referenced by the load balancer was not found.",
			      STR_ARG(str_slice(id, 0, 512)));
}

/* Name of a part of this balancer; empty: the id is of another balancer, which a rule cannot use. */
static struct str own_part(struct az_call *e, const char *list, const struct az_link *link)
{
	struct str start = str_print(e->c->arena, "%" STR_FMT "/%s/",
				     STR_ARG(az_named_id(e, AZ_BALANCERS, "loadBalancerName")), list);
	bool is_own = str_equal_nocase(str_slice(link->id, 0, start.n), start);
	return is_own ? str_slice(link->id, start.n, link->id.n) : STR_NONE;
}

static const struct frontend *find_frontend(struct az_call *e, const struct balancer_says *p,
					    const struct az_link *link)
{
	struct str name = own_part(e, FRONTENDS, link);
	for (size_t k = 0; k < p->frontends.count; k++)
		if (str_equal_nocase(p->frontends.at[k].name, name))
			return &p->frontends.at[k];
	return NULL;
}

static RESULT follow_address(struct az_call *e, const struct frontend *f, struct ref *ret_address)
{
	return az_follow(e, "properties." FRONTENDS ".publicIPAddress.id", &f->properties.address,
			 AZ_PUBLIC_ADDRESSES, KIND_ADDRESS, ret_address);
}

static RESULT fail_probe(struct az_call *e, const char *field, const char *why)
{
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field),
			      "The parameter '%s' is not supported: %s.", field, why);
}

/* Reads the probe. OVN checks the rule's own protocol and port, and speaks TCP only. */
static RESULT read_probe(struct az_call *e, const struct balancer_says *p, const struct rule_says *says,
			 struct balancer_rule *wish)
{
	const struct probe *probe = NULL;
	struct str name = own_part(e, PROBES, &says->probe);
	wish->is_unasked = !says->probe.id.n;
	if (!says->probe.id.n)
		return OK;
	for (size_t k = 0; k < p->probes.count; k++)
		probe = str_equal_nocase(p->probes.at[k].name, name) ? &p->probes.at[k] : probe;
	if (!probe)
		return fail_part(e, "properties." RULES ".probe.id", says->probe.id);
	if (!str_equal_nocase(probe->properties.protocol, STR("Tcp")))
		return fail_probe(e, "properties." PROBES ".protocol", "a rule's members are asked by Tcp");
	if (probe->properties.port != wish->private_port)
		return fail_probe(e, "properties." PROBES ".port",
				  "a rule's members are asked on the port that it leads to");
	if (wish->protocol != LOAD_BALANCER_PROTOCOL_TCP)
		return fail_probe(e, "properties." RULES ".probe",
				  "the members of a rule of Udp are not asked");
	wish->ask_interval = probe->properties.interval;
	wish->ask_failures = probe->properties.failures;
	return OK;
}

static RESULT read_protocol(struct az_call *e, const char *field, struct str said, bool *ret_udp)
{
	*ret_udp = str_equal_nocase(said, STR("Udp"));
	return *ret_udp || str_equal_nocase(said, STR("Tcp"))
		       ? OK
		       : az_fail(e, field, "The value of parameter protocol is none of Tcp and Udp.");
}

/* Chooses the pool; newer clients also send a list of it. */
static RESULT choose_pool(struct az_call *e, const struct rule_says *says, struct az_link *ret_pool)
{
	*ret_pool = !says->pool.id.n && says->pools.count ? says->pools.at[0] : says->pool;
	for (size_t k = 0; k < says->pools.count; k++)
		if (!str_equal_nocase(says->pools.at[k].id, ret_pool->id))
			return ctx_fail_field(
				e->c, ERR_UNSUPPORTED, STR("properties." RULES ".backendAddressPools"),
				"A load balancing rule with several backend address pools is not "
				"supported.");
	return OK;
}

static RESULT read_rule(struct az_call *e, const struct balancer_says *p, const struct rule *rule,
			struct balancer_rule *wish)
{
	const struct rule_says *says = &rule->properties;
	struct az_link link;
	TRY(choose_pool(e, says, &link));
	struct str pool = own_part(e, POOLS, &link);
	bool is_udp, has_pool = !link.id.n;
	*wish = (struct balancer_rule){.name = rule->name,
				       .public_port = says->public_port,
				       .private_port =
					       says->private_port ? says->private_port : says->public_port,
				       .pool = str_lower(e->c->arena, pool),
				       .algorithm = str_starts_with(says->distribution, STR("Source"))
							    ? LOAD_BALANCER_ALGORITHM_SOURCE
							    : LOAD_BALANCER_ALGORITHM_ROUNDROBIN};
	TRY(read_protocol(e, "properties." RULES ".protocol", says->protocol, &is_udp));
	wish->protocol = is_udp ? LOAD_BALANCER_PROTOCOL_UDP : LOAD_BALANCER_PROTOCOL_TCP;
	for (size_t k = 0; k < p->pools.count; k++)
		has_pool = has_pool || str_equal_nocase(p->pools.at[k].name, pool);
	if (!has_pool)
		return fail_part(e, "properties." RULES ".backendAddressPool.id", link.id);
	const struct frontend *frontend = find_frontend(e, p, &says->frontend);
	if (!frontend)
		return fail_part(e, "properties." RULES ".frontendIPConfiguration.id", says->frontend.id);
	TRY(follow_address(e, frontend, &wish->address));
	if (!ref_is_given(&wish->address))
		wish->front = frontend->name;
	return read_probe(e, p, says, wish);
}

/* Refuses probes and port ranges of inbound NAT rules: not built. */
static RESULT check_inward(struct az_call *e, const struct rule_says *says)
{
	const char *field = says->pool.id.n ? "properties." INWARDS ".backendAddressPool"
					    : "properties." INWARDS ".probe";
	return says->pool.id.n || says->pools.count || says->probe.id.n
		       ? ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field),
					"The parameter '%s' is not supported.", field)
		       : OK;
}

static RESULT read_inward(struct az_call *e, const struct balancer_says *p, const struct rule *rule,
			  struct balancer_inward *wish)
{
	const struct rule_says *says = &rule->properties;
	bool is_udp;
	*wish = (struct balancer_inward){.name = rule->name,
					 .public_port = says->public_port,
					 .private_port =
						 says->private_port ? says->private_port : says->public_port};
	TRY(check_inward(e, says));
	TRY(read_protocol(e, "properties." INWARDS ".protocol", says->protocol, &is_udp));
	wish->protocol = is_udp ? PORT_FORWARDING_PROTOCOL_UDP : PORT_FORWARDING_PROTOCOL_TCP;
	const struct frontend *frontend = find_frontend(e, p, &says->frontend);
	if (!frontend)
		return fail_part(e, "properties." INWARDS ".frontendIPConfiguration.id", says->frontend.id);
	TRY(follow_address(e, frontend, &wish->address));
	if (ref_is_given(&wish->address))
		return OK;
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("properties." INWARDS ".frontendIPConfiguration"),
			      "The parameter 'properties." INWARDS "' is not supported on a frontend with a "
			      "private address.");
}

static RESULT check_names(struct az_call *e, const struct balancer_says *p)
{
	bool are_good = true;
	for (size_t k = 0; k < p->frontends.count; k++)
		are_good = are_good && az_is_name(p->frontends.at[k].name);
	for (size_t k = 0; k < p->pools.count; k++)
		are_good = are_good && az_is_name(p->pools.at[k].name);
	for (size_t k = 0; k < p->probes.count; k++)
		are_good = are_good && az_is_name(p->probes.at[k].name);
	for (size_t k = 0; k < p->rules.count; k++)
		are_good = are_good && az_is_name(p->rules.at[k].name);
	for (size_t k = 0; k < p->inwards.count; k++)
		are_good = are_good && az_is_name(p->inwards.at[k].name);
	return are_good ? OK : az_fail_name(e, "properties");
}

/* Reads the frontend's private address; the engine checks subnet and family. */
static RESULT read_front(struct az_call *e, const struct frontend *f, struct balancer_front *front)
{
	const struct frontend_says *says = &f->properties;
	bool is_static = str_equal_nocase(says->method, STR("Static"));
	*front = (struct balancer_front){.name = f->name, .ip = says->ip};
	TRY(az_follow(e, "properties." FRONTENDS ".subnet.id", &says->subnet, AZ_SUBNETS, KIND_SUBNET,
		      &front->subnet));
	if (!ref_is_given(&front->subnet))
		return ctx_fail_field(e->c, ERR_MISSING, STR("properties." FRONTENDS),
				      "A frontend has either a public address or a subnet.");
	if (is_static && ip_is_none(says->ip))
		return ctx_fail_field(e->c, ERR_MISSING, STR("properties." FRONTENDS ".privateIPAddress"),
				      "A static frontend says its private address.");
	return OK;
}

/* Reads all frontends, including those without rules. */
static RESULT read_fronts(struct az_call *e, const struct balancer_says *p, struct balancer_set_wish *wish)
{
	struct ref address;
	struct balancer_front *fronts =
		arena_new_array(e->c->arena, struct balancer_front, p->frontends.count + 1);
	if (!fronts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < p->frontends.count; k++) {
		const struct frontend *f = &p->frontends.at[k];
		TRY(follow_address(e, f, &address));
		if (ref_is_given(&address) && f->properties.subnet.id.n)
			return az_fail(e, "properties." FRONTENDS,
				       "A frontend has either a public address or a subnet.");
		if (!ref_is_given(&address))
			TRY(read_front(e, f, &fronts[wish->front_count++]));
	}
	wish->fronts = fronts;
	return OK;
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct balancer_args *a = args;
	const struct balancer_says *p = &a->properties;
	struct arena *arena = e->c->arena;
	struct balancer_rule *rules = arena_new_array(arena, struct balancer_rule, p->rules.count + 1);
	struct balancer_inward *inwards =
		arena_new_array(arena, struct balancer_inward, p->inwards.count + 1);
	struct str *pools = arena_new_array(arena, struct str, p->pools.count + 1);
	if (!rules || !inwards || !pools)
		return ctx_no_memory(e->c);
	TRY(check_names(e, p));
	for (size_t k = 0; k < p->rules.count; k++)
		TRY(read_rule(e, p, &p->rules.at[k], &rules[k]));
	for (size_t k = 0; k < p->inwards.count; k++)
		TRY(read_inward(e, p, &p->inwards.at[k], &inwards[k]));
	for (size_t k = 0; k < p->pools.count; k++)
		pools[k] = str_lower(arena, p->pools.at[k].name);
	a->wish = (struct balancer_set_wish){.name = e->put.name,
					     .rules = rules,
					     .rule_count = p->rules.count,
					     .inwards = inwards,
					     .inward_count = p->inwards.count,
					     .pools = {pools, p->pools.count}};
	TRY(read_fronts(e, p, &a->wish));
	if (!uuid_is_none(e->target))
		a->wish.set = az_target_ref(e);
	return OK;
}

/* ---- for interfaces ---- */

/* Finds a part by "…/loadBalancers/lb1/backendAddressPools/pool1": the set, and the part's name. */
static RESULT find_part(struct az_call *e, const char *field, struct str id, const char *list,
			struct ref *ret_set, struct str *ret_name)
{
	struct str name = az_last_word(id);
	struct str end = str_print(e->c->arena, "/%s/%" STR_FMT, list, STR_ARG(name));
	bool is_part = id.n > end.n && str_equal_nocase(str_slice(id, id.n - end.n, id.n), end);
	struct az_link link = {is_part ? str_slice(id, 0, id.n - end.n) : id};
	TRY(az_follow(e, field, &link, AZ_BALANCERS, KIND_BALANCER_SET, ret_set));
	const char *path = str_print(e->c->arena, "properties.%s", list).p;
	const json_t *parts = json_object_get(az_said(e, ret_set->prefix), path);
	for (size_t k = 0; k < json_array_size(parts); k++)
		if (str_equal_nocase(text_of(json_array_get(parts, k), "name"), name)) {
			*ret_name = str_copy(e->c->arena, text_of(json_array_get(parts, k), "name"));
			return OK;
		}
	return fail_part(e, field, id);
}

RESULT az_find_pool(struct az_call *e, const char *field, struct str id, struct balanced_pool *ret_pool)
{
	struct str name = STR_NONE;
	TRY(find_part(e, field, id, POOLS, &ret_pool->set, &name));
	ret_pool->pool = str_lower(e->c->arena, name);
	return OK;
}

static const json_t *find_said(struct az_call *e, uuid set, const char *path, struct str name)
{
	const json_t *parts = json_object_get(az_said(e, set), path);
	for (size_t k = 0; k < json_array_size(parts); k++)
		if (str_equal_nocase(text_of(json_array_get(parts, k), "name"), name))
			return json_object_get(json_array_get(parts, k), "properties");
	return NULL;
}

RESULT az_find_inward(struct az_call *e, const char *field, struct str id, struct balanced_inward *ret_inward)
{
	struct balancer_inward *rule = &ret_inward->rule;
	TRY(find_part(e, field, id, INWARDS, &ret_inward->set, &rule->name));
	const json_t *said = find_said(e, ret_inward->set.prefix, "properties." INWARDS, rule->name);
	const json_t *frontend =
		find_said(e, ret_inward->set.prefix, "properties." FRONTENDS,
			  az_last_word(text_of(json_object_get(said, "frontendIPConfiguration"), "id")));
	struct az_link address = {
		str_copy(e->c->arena, text_of(json_object_get(frontend, "publicIPAddress"), "id"))};
	bool is_udp = str_equal_nocase(text_of(said, "protocol"), STR("Udp"));
	rule->protocol = is_udp ? PORT_FORWARDING_PROTOCOL_UDP : PORT_FORWARDING_PROTOCOL_TCP;
	rule->public_port = json_integer_value(json_object_get(said, "frontendPort"));
	rule->private_port = json_integer_value(json_object_get(said, "backendPort"));
	rule->private_port = rule->private_port ? rule->private_port : rule->public_port;
	return az_follow(e, field, &address, AZ_PUBLIC_ADDRESSES, KIND_ADDRESS, &rule->address);
}

#define BALANCERS AZ_NETWORK "/loadBalancers"
#define BALANCER AZ_GROUP BALANCERS "/{loadBalancerName}"
#define OF_ONE .type = AZ_BALANCERS, .kind = KIND_BALANCER_SET, .names = "loadBalancerName"
#define KEEPS                                                                                                \
	"sku.name|properties." FRONTENDS "|properties." POOLS "|properties." RULES "|properties." PROBES     \
	"|properties." INWARDS
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION BALANCERS, .name = "LoadBalancers_ListAll",
	 .permit = "ec2:DescribeLoadBalancers", .type = AZ_BALANCERS, .listing = &balancers,
	 .doc = "Lists the subscription's load balancers."},
	{HTTP_GET, AZ_GROUP BALANCERS, .name = "LoadBalancers_List", .permit = "ec2:DescribeLoadBalancers",
	 .type = AZ_BALANCERS, .listing = &balancers, .doc = "Lists a resource group's load balancers."},
	{HTTP_GET, BALANCER, .name = "LoadBalancers_Get", .permit = "ec2:DescribeLoadBalancers", OF_ONE,
	 .shows = &balancers, .doc = "Gets one load balancer."},
	{HTTP_PUT, BALANCER, .name = "LoadBalancers_CreateOrUpdate", .permit = "ec2:CreateLoadBalancer",
	 .flags = API_WRITES | AZ_PUT, OF_ONE,
	 .parts = "properties." FRONTENDS "|properties." POOLS "|properties." RULES "|properties." PROBES
		  "|properties." INWARDS,
	 .keeps = KEEPS, .args = PARAMS(struct balancer_args, put_rows, .object = "LoadBalancer"),
	 .prepare = prepare, .operation = engine_put_balancer_set_run, .returns = KIND_BALANCER_SET,
	 AZ_SUBJECT(struct balancer_args, wish.made), .shows = &balancers,
	 .doc = "Creates or changes a load balancer."},
	{HTTP_PATCH, BALANCER, .name = "LoadBalancers_UpdateTags", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, OF_ONE, .args = {0, 0, sizeof(struct tags_wish)},
	 .prepare = az_prepare_tags, .operation = engine_replace_tags_run, .returns = KIND_BALANCER_SET,
	 .shows = &balancers, .doc = "Changes a load balancer's tags."},
	{HTTP_DELETE, BALANCER, .name = "LoadBalancers_Delete", .permit = "ec2:DeleteLoadBalancer",
	 .flags = API_WRITES, OF_ONE, .args = {0, 0, sizeof(struct balancer_set_target)},
	 AZ_TARGET(struct balancer_set_target, set), .operation = engine_delete_balancer_set_run,
	 .returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes a load balancer. Its public addresses become free."},
};
const struct api_actions az_load_balancer_actions = API_ACTIONS(actions);
