/* SPDX-License-Identifier: Apache-2.0
 * Load balancer rules of public addresses, and their members. In an isolated network each is created with a
 * firewall rule, like port forwarding rules. Connections are assigned by a hash; "roundrobin" hashes both
 * addresses and ports.
 */
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/network/network.h"
#include "engine/balancing/load_balancer.h"
#include "engine/network/filter/firewall.h"
#include "engine/resolve.h"
#include "model/address.h"
#include "model/load_balancer.h"
#include "store/instance.h"
#include "store/load_balancer_member.h"
#include "store/port.h"

enum { PORT_LAST = 65535 };

static const struct load_balancer_member *first_member(struct api_call *e, const struct row *row)
{
	return load_balancer_member_first_by_load_balancer(api_tables(e), row->id);
}

static const struct port *port_of_member(struct api_call *e, const struct load_balancer_member *m)
{
	return m ? port_find(api_tables(e), m->port) : NULL;
}

/* ---- listLoadBalancerRules ---- */

struct list_rules {
	struct cs_list_args list;
	struct ref address, network, machine, zone, project;
};
#define P(wire, member, ...) PARAM(struct list_rules, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_rules, KIND_LOAD_BALANCER),
	CS_NAME_PARAM(struct list_rules),
	CS_OWNER_PARAMS(struct list_rules),
	CS_PROJECT_PARAM(struct list_rules, project),
	CS_TAGS_PARAM(struct list_rules),
	P("publicipid", address, .kind = KIND_ADDRESS, .fits = FITS(load_balancer, address),
	  .doc = "Public address."),
	P("networkid", network, .kind = KIND_NETWORK, .doc = "Network of the rule."),
	P("virtualmachineid", machine, .kind = KIND_INSTANCE,
	  .doc = "Virtual machine that the rule leads to."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Ignored: load balancers are in every zone."),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

/* Network of the rule, else of its first member. */
static uuid network_of_rule(struct api_call *e, const struct row *row)
{
	const struct load_balancer *b = load_balancer_of(row);
	const struct port *port = uuid_is_none(b->network) ? port_of_member(e, first_member(e, row)) : NULL;
	return port ? port->network : b->network;
}

static bool leads_to(struct api_call *e, const struct row *row, uuid machine)
{
	const struct load_balancer_member *m = first_member(e, row);
	for (; m; m = load_balancer_member_next_by_load_balancer(api_tables(e), m)) {
		const struct port *port = port_of_member(e, m);
		if (port && uuid_equal(port->instance, machine))
			break;
	}
	return m != NULL;
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_rules *a = args;
	return (!ref_is_given(&a->network) || uuid_equal(network_of_rule(e, row), a->network.prefix)) &&
	       (!ref_is_given(&a->machine) || leads_to(e, row, a->machine.prefix));
}

static struct str get_protocol(struct api_call *e, const struct row *row)
{
	(void) e;
	return str_from(load_balancer_protocol_words[load_balancer_of(row)->protocol]);
}

static struct str get_algorithm(struct api_call *e, const struct row *row)
{
	(void) e;
	return str_from(load_balancer_algorithm_words[load_balancer_of(row)->algorithm]);
}

static struct str get_sources(struct api_call *e, const struct row *row)
{
	return cs_write_blocks(e, load_balancer_of(row)->sources);
}

/* A rule without members is not deployed; CloudStack calls that state "Add". */
static struct str get_state(struct api_call *e, const struct row *row)
{
	(void) e;
	return uuid_is_none(load_balancer_of(row)->router) ? STR("Add") : STR("Active");
}

static void write_network(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	uuid network = network_of_rule(e, row);
	if (!uuid_is_none(network))
		json_write_text(w, name, uuid_to_str(e->c->arena, network));
}

static const struct member members[] = {
	MEMBER(struct load_balancer, "id", row.id),
	MEMBER(struct load_balancer, "name", name),
	MEMBER(struct load_balancer, "description", description, .is_optional = true),
	CS_OWNER_MEMBERS(load_balancer),
	MEMBER(struct load_balancer, "publicipid", address),
	MEMBER(struct address, "publicip", ip, .path = {JOIN_ONE(KIND_ADDRESS, load_balancer, address)}),
	MEMBER_AS(struct load_balancer, DIGITS, "publicport", public_port),
	MEMBER_AS(struct load_balancer, DIGITS, "privateport", private_port),
	MEMBER_TEXT("protocol", get_protocol),
	MEMBER_TEXT("algorithm", get_algorithm),
	MEMBER_WRITTEN("networkid", write_network),
	MEMBER_TEXT("cidrlist", get_sources),
	MEMBER_TEXT("state", get_state),
	MEMBER_FIXED("fordisplay", "true"),
	MEMBER_WRITTEN("tags", cs_write_tags),
};
static const struct api_listing rules =
	CS_LISTING(KIND_LOAD_BALANCER, "loadbalancerrule", members,
		   .name = offsetof(struct load_balancer, name), .matches = matches);

/* ---- listLoadBalancerRuleInstances ---- */

struct list_machines {
	struct cs_list_args list;
	struct ref rule;
	enum choice with_ips;
};
#define P(wire, member, ...) PARAM(struct list_machines, wire, member, __VA_ARGS__)
static const struct param machine_params[] = {
	P("id", rule, .kind = KIND_LOAD_BALANCER, .flags = REQUIRED, .doc = "The rule."),
	CS_PAGE_PARAMS(struct list_machines),
	P("lbvmips", with_ips, .doc = "Includes the address of each virtual machine that the rule leads to."),
	NOT_BUILT("applied", .only = "true"),
};
#undef P

static void write_one(struct cs_call *e, struct json_writer *w, const struct load_balancer_member *m,
		      const struct instance *i, bool with_ip)
{
	char ip[IP_TEXT_SIZE];
	json_write_open(w, NULL);
	if (with_ip)
		json_write_open(w, "loadbalancerruleinstance");
	members_write(&e->core, w, cs_write_time, &cs_machines.members, &i->row);
	if (with_ip) {
		json_write_close(w);
		json_write_open_list(w, "lbvmipaddresses");
		json_write_z(w, NULL, ip_write(m->private_ip, ip));
		json_write_close_list(w);
	}
	json_write_close(w);
}

/* Counts the members; with a writer, writes those of the page. */
static size_t walk_machines(struct cs_call *e, const struct list_machines *a,
			    const struct api_list_wish *page, struct json_writer *w)
{
	const struct tables *t = cs_tables(e);
	size_t count = 0;
	const struct load_balancer_member *m = load_balancer_member_first_by_load_balancer(t, a->rule.prefix);
	for (; m; m = load_balancer_member_next_by_load_balancer(t, m)) {
		const struct port *port = port_of_member(&e->core, m);
		const struct instance *i = port ? instance_find(t, port->instance) : NULL;
		if (!i ||
		    (a->list.keyword.n && !str_contains(cs_machine_name(&e->core, &i->row), a->list.keyword)))
			continue;
		if (w && count >= page->offset && (!page->limit || count < page->offset + page->limit))
			write_one(e, w, m, i, a->with_ips == CHOICE_YES);
		count++;
	}
	return count;
}

static RESULT list_machines(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_machines *a = args;
	const struct row *row = NULL;
	struct api_list_wish page = {0};
	struct ref rule = a->rule;
	rule.field = STR("id"); /* however it was written */
	TRY(engine_find(e->c, cs_tables(e), KIND_LOAD_BALANCER, &rule, &row));
	TRY(cs_read_page(e, &a->list, &page));
	size_t count = walk_machines(e, a, &page, NULL);
	if (count == 0)
		return OK;
	json_write_int(w, "count", (int64_t) count);
	json_write_open_list(w, a->with_ips == CHOICE_YES ? "lbrulevmidip" : "loadbalancerruleinstance");
	walk_machines(e, a, &page, w);
	json_write_close_list(w);
	return OK;
}

/* ---- changes ---- */

#define ALGORITHMS "roundrobin|source"

static enum load_balancer_algorithm algorithm_of(struct str word)
{
	return str_is(word, "source") ? LOAD_BALANCER_ALGORITHM_SOURCE : LOAD_BALANCER_ALGORITHM_ROUNDROBIN;
}

struct make_rule {
	struct load_balancer_wish wish;
	struct cs_owner owner;
	struct str protocol, algorithm;
	struct strs sources;
	struct ref zone;
	enum choice opens;
};
#define P(wire, member, ...) PARAM(struct make_rule, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("publicipid", wish.address, .kind = KIND_ADDRESS, .flags = REQUIRED, .doc = "The public address."),
	P("name", wish.name, .flags = REQUIRED, .min = 1, .max = 255, .doc = "Name."),
	P("publicport", wish.public_port, .flags = REQUIRED, .min = 1, .max = PORT_LAST,
	  .doc = "Port of the public address."),
	P("privateport", wish.private_port, .flags = REQUIRED, .min = 1, .max = PORT_LAST,
	  .doc = "Port of the virtual machines."),
	P("algorithm", algorithm, .flags = REQUIRED, .words = ALGORITHMS, .doc = "Load balancing algorithm."),
	P("protocol", protocol, .words = "tcp|udp", .doc = "Protocol; absent: tcp."),
	P("description", wish.description, .doc = "Description: free text."),
	P("networkid", wish.network, .kind = KIND_NETWORK,
	  .doc = "Network of the virtual machines; absent: any."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Ignored: addresses are in every zone."),
	P("openfirewall", opens,
	  .doc = "Also creates a firewall rule (default, except for a VPC's address)."),
	P("cidrlist", sources, .max = FIREWALL_SOURCES_MAX,
	  .doc = "Source CIDR blocks, for an isolated network; absent: any."),
	CS_FOR_PARAMS(struct make_rule, owner),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_rule *a = args;
	a->wish.algorithm = algorithm_of(a->algorithm);
	a->wish.protocol =
		str_is(a->protocol, "udp") ? LOAD_BALANCER_PROTOCOL_UDP : LOAD_BALANCER_PROTOCOL_TCP;
	TRY(cs_read_blocks(e, "cidrlist", "Invalid cidr ", "", &a->sources, &a->wish.sources));
	a->wish.may_be_source_nat = true;
	return cs_read_opens(e, a->opens, &a->wish.address, &a->wish.opens_firewall);
}

#define RULE(T, balancer)                                                                                    \
	PARAM(T, "id", balancer, .kind = KIND_LOAD_BALANCER, .flags = REQUIRED, .doc = "The rule.")
struct change_rule {
	struct load_balancer_change wish;
	struct str algorithm;
	struct strs sources;
};
#define P(wire, member, ...) PARAM(struct change_rule, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	RULE(struct change_rule, wish.balancer),
	P("name", wish.name, .min = 1, .max = 255, .doc = "Name."),
	P("description", wish.description, .doc = "Description: free text."),
	P("algorithm", algorithm, .words = ALGORITHMS,
	  .given = offsetof(struct change_rule, wish.sets_algorithm) + 1, .doc = "Load balancing algorithm."),
	P("cidrlist", sources, .max = FIREWALL_SOURCES_MAX,
	  .given = offsetof(struct change_rule, wish.sets_sources) + 1, .doc = "New source CIDR blocks."),
	NOT_BUILT("customid|protocol"),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct change_rule *a = args;
	a->wish.algorithm = algorithm_of(a->algorithm);
	return cs_read_blocks(e, "cidrlist", "Invalid cidr ", "", &a->sources, &a->wish.sources);
}

static const struct param assign_params[] = {
	RULE(struct load_balancer_members, balancer),
	PARAM(struct load_balancer_members, "virtualmachineids", instances, .kind = KIND_INSTANCE,
	      .max = LOAD_BALANCER_MEMBERS_MAX, .doc = "Virtual machines to assign or remove."),
	NOT_BUILT("vmidipmap"),
};

static RESULT prepare_assign(struct cs_call *e, void *args)
{
	const struct load_balancer_members *a = args;
	return a->instances.count
		       ? OK
		       : cs_fail(e, "virtualmachineids",
				 "Both virtualMachineIds and vmidipmap are empty: name the machines");
}

static const struct cs_action actions[] = {
	{CS_ACTION("listLoadBalancerRules", "ec2:DescribeLoadBalancers"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_rules, list_params), .listing = &rules,
	 .doc = "Lists load balancer rules."},
	{CS_ACTION("listLoadBalancerRuleInstances", "ec2:DescribeLoadBalancers"),
	 .args = PARAMS(struct list_machines, machine_params), .answer = list_machines,
	 .says = "loadbalancerruleinstance|lbvmipaddresses",
	 .doc = "Lists the virtual machines of a load balancer rule."},
	{CS_ACTION("createLoadBalancerRule", "ec2:CreateLoadBalancer"),
	 .flags = API_WRITES | CS_OF_ACCOUNT | CS_OWNER_OF_ROW | CS_MAKES,
	 .args = PARAMS(struct make_rule, create_params), .prepare = prepare_create,
	 .operation = engine_create_load_balancer_run, CS_SUBJECT(struct make_rule, wish.balancer),
	 .shows = &rules, .item = "loadbalancer", CS_JOB(NOW),
	 .doc = "Creates a load balancer rule without members."},
	{CS_ACTION("updateLoadBalancerRule", "ec2:ModifyLoadBalancer"), .flags = API_WRITES,
	 .args = PARAMS(struct change_rule, update_params), .prepare = prepare_update,
	 .operation = engine_change_load_balancer_run, CS_SUBJECT(struct change_rule, wish.balancer.prefix),
	 .shows = &rules, .item = "loadbalancer", CS_JOB(NOW), .doc = "Changes a load balancer rule."},
	{CS_ACTION("assignToLoadBalancerRule", "ec2:AddLoadBalancerMembers"), .flags = API_WRITES,
	 .args = PARAMS(struct load_balancer_members, assign_params), .prepare = prepare_assign,
	 .operation = engine_add_load_balancer_members_run, CS_JOB(NOW),
	 .doc = "Assigns virtual machines to a load balancer rule."},
	{CS_ACTION("removeFromLoadBalancerRule", "ec2:RemoveLoadBalancerMembers"), .flags = API_WRITES,
	 .args = PARAMS(struct load_balancer_members, assign_params), .prepare = prepare_assign,
	 .operation = engine_remove_load_balancer_members_run, CS_JOB(NOW),
	 .doc = "Removes virtual machines from a load balancer rule."},
	{CS_ACTION("deleteLoadBalancerRule", "ec2:DeleteLoadBalancer"), .flags = API_WRITES,
	 .args = CS_ONE(struct load_balancer_target, "id", balancer, KIND_LOAD_BALANCER, "The rule."),
	 .operation = engine_delete_load_balancer_run, CS_JOB(NOW), .doc = "Deletes a load balancer rule."},
};
const struct api_actions cs_load_balancer_actions = API_ACTIONS(actions);
