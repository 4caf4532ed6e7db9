/* SPDX-License-Identifier: Apache-2.0
 * Makes the parts of a cluster with the operations that people use. Called by: cluster.c. */
#include "base/buf.h"
#include "engine/balancing/balancing.h"
#include "engine/cluster/cluster_internal.h"
#include "engine/instance/launch/fleet.h"
#include "engine/network/filter/security_group.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/route_table.h"
#include "engine/network/routing/router.h"
#include "engine/network/subnet.h"
#include "engine/scaling/scaling.h"
#include "engine/tag.h"
#include "store/address.h"
#include "store/elastic_load_balancer.h"
#include "store/instance_type.h"
#include "store/launch_template.h"
#include "store/port.h"
#include "store/subnet.h"
#include "store/target_group.h"
#include "store/zone.h"

/* Bits by which a subnet of the cluster's own VPC is smaller than the VPC: room for four. */
enum { SUBNET_BITS = 2, TAGS_MAX = 4, DATA_MAX = LAUNCH_TEMPLATE_DATA_MAX };

struct str cluster_part_name(struct arena *a, struct str name, const char *suffix)
{
	return str_print(a, "%" STR_FMT "-%s", STR_ARG(name), suffix);
}

static struct str part(const struct cluster_making *m, const char *suffix)
{
	return cluster_part_name(m->op->ctx->arena, m->row->name, suffix);
}

/* kubernetes.io/cluster/NAME=owned, by which the cloud controller manager finds parts, and up to two more. */
static RESULT make_tags(const struct cluster_making *m, const char *name, const char *role,
			struct tags *ret_tags)
{
	struct arena *a = m->op->ctx->arena;
	struct tag *tags = arena_new_array(a, struct tag, TAGS_MAX);
	size_t count = 0;
	if (!tags)
		return ctx_no_memory(m->op->ctx);
	tags[count++] = (struct tag){str_print(a, "kubernetes.io/cluster/%" STR_FMT, STR_ARG(m->row->name)),
				     STR("owned")};
	if (name)
		tags[count++] = (struct tag){STR("Name"), part(m, name)};
	if (role)
		tags[count++] = (struct tag){str_from(role), STR("1")};
	*ret_tags = (struct tags){tags, count};
	return arena_is_full(a) ? ctx_no_memory(m->op->ctx) : OK;
}

RESULT cluster_check_part_names(struct op *op, uuid account, struct str name)
{
	struct arena *a = op->ctx->arena;
	struct str api = cluster_part_name(a, name, "api"), workers = cluster_part_name(a, name, "workers");
	bool is_taken = elastic_load_balancer_find_by_account(op->head, account, api) ||
			target_group_find_by_account(op->head, account, api) ||
			launch_template_find_by_account(op->head, account, workers) ||
			scaling_group_find_by_account(op->head, account, workers);
	return is_taken ? ENGINE_FAIL(
				  op, ERR_EXISTS, KIND_CLUSTER, STR("name"),
				  "The account has a load balancer, target group, launch template or scaling "
				  "group with the name that a part of cluster '%" STR_FMT "' would have.",
				  STR_ARG(name))
			: OK;
}

/* ---- the network ---- */

static RESULT make_subnet(struct cluster_making *m, const struct zone *zone, size_t n, uuid *ret_subnet)
{
	struct cidr block = {m->wish->network.base, (uint8_t) (m->wish->network.bits + SUBNET_BITS)};
	struct subnet_wish wish = {.router =
					   engine_ref_to(m->op, KIND_ROUTER, m->row->router, STR("network")),
				   .zone = engine_ref_to(m->op, KIND_ZONE, zone->row.id, STR("network")),
				   .name = part(m, "subnet"),
				   .public_on_launch = true};
	wish.block = (struct cidr){ip_add(block.base, n * cidr_count(block)), block.bits};
	TRY(make_tags(m, "subnet",
		      m->row->is_internal ? "kubernetes.io/role/internal-elb" : "kubernetes.io/role/elb",
		      &wish.tags));
	TRY(engine_create_subnet(m->op, &wish));
	*ret_subnet = wish.subnet;
	return OK;
}

static RESULT make_subnets(struct cluster_making *m)
{
	uuid *ids = arena_new_array(m->op->ctx->arena, uuid, CLUSTER_ZONES_MAX);
	size_t count = 0;
	if (!ids)
		return ctx_no_memory(m->op->ctx);
	const struct row *row = tables_first(m->op->head, KIND_ZONE, ZONE_INDEX_NAME, NULL, 0);
	for (; row && count < CLUSTER_ZONES_MAX;
	     row = tables_next(m->op->head, KIND_ZONE, ZONE_INDEX_NAME, row, 0)) {
		if (!row_is_live(row) || !zone_of(row)->enabled)
			continue;
		TRY(make_subnet(m, zone_of(row), count, &ids[count]));
		count++;
	}
	m->row->subnets = (struct uuids){ids, count};
	return count ? OK
		     : ctx_fail_kind(m->op->ctx, ERR_CAPACITY, KIND_ZONE, "No Availability Zone is enabled.");
}

static RESULT lead_out(struct cluster_making *m, uuid route_table)
{
	struct op *op = m->op;
	struct gateway_wish gateway = {0};
	TRY(make_tags(m, "gateway", NULL, &gateway.tags));
	TRY(engine_create_gateway(op, &gateway));
	m->row->gateway = gateway.gateway;
	struct gateway_attachment attachment = {
		.gateway = engine_ref_to(op, KIND_GATEWAY, gateway.gateway, STR("network")),
		.router = engine_ref_to(op, KIND_ROUTER, m->row->router, STR("network"))};
	TRY(engine_attach_gateway(op, &attachment));
	struct route_wish route = {.route_table =
					   engine_ref_to(op, KIND_ROUTE_TABLE, route_table, STR("network")),
				   .destination = {ip_from_v4(0), 0},
				   .gateway = attachment.gateway};
	return engine_create_route(op, &route);
}

static RESULT make_network(struct cluster_making *m)
{
	struct op *op = m->op;
	struct router_wish router = {.name = part(m, "vpc"), .block = m->wish->network};
	TRY(make_tags(m, "vpc", NULL, &router.tags));
	TRY(engine_create_router(op, &router));
	m->row->router = router.router;
	struct router_settings names = {.router =
						engine_ref_to(op, KIND_ROUTER, router.router, STR("network")),
					.dns_hostnames = CHOICE_YES};
	TRY(engine_update_router(op, &names));
	/* the controller finds the route table by its tag */
	struct ref table = engine_ref_to(op, KIND_ROUTE_TABLE, router.route_table, STR("network"));
	struct tags_wish tags = {.resources = {&table, 1}};
	TRY(make_tags(m, "routes", NULL, &tags.tags));
	TRY(engine_set_tags(op, &tags));
	TRY(lead_out(m, router.route_table));
	return make_subnets(m);
}

/* ---- security groups ---- */

static RESULT make_group(struct cluster_making *m, const char *suffix, const char *description,
			 bool is_tagged, uuid *ret_group)
{
	struct security_group_wish wish = {
		.router = engine_ref_to(m->op, KIND_ROUTER, m->row->router, STR("network")),
		.name = part(m, suffix),
		.description = str_from(description)};
	if (is_tagged)
		TRY(make_tags(m, suffix, NULL, &wish.tags));
	TRY(engine_create_security_group(m->op, &wish));
	*ret_group = wish.group;
	return OK;
}

static RESULT allow(struct cluster_making *m, uuid group, const struct rule_wish *rules, size_t count)
{
	struct rules_wish wish = {.group = engine_ref_to(m->op, KIND_SECURITY_GROUP, group, STR("network")),
				  .direction = SECURITY_GROUP_RULE_DIRECTION_INGRESS,
				  .rules = rules,
				  .rule_count = count};
	return engine_authorize_rules(m->op, &wish);
}

/* A network load balancer keeps the clients' addresses, so the control plane's group names them. */
static RESULT allow_clients(struct cluster_making *m, uuid group)
{
	static const struct str everywhere[] = {{"0.0.0.0/0", 9}};
	struct strs sources = m->wish->sources.count ? m->wish->sources : (struct strs){everywhere, 1};
	struct rule_wish *rules = arena_new_array(m->op->ctx->arena, struct rule_wish, sources.count);
	if (!rules)
		return ctx_no_memory(m->op->ctx);
	for (size_t k = 0; k < sources.count; k++) {
		rules[k] = (struct rule_wish){.protocol = 6,
					      .from_port = CLUSTER_PORT,
					      .to_port = CLUSTER_PORT,
					      .description = STR("Clients of the Kubernetes API"),
					      .field = STR("sources")};
		TRY(cidr_parse(sources.at[k], &rules[k].peer_block));
		rules[k].peer_block = cidr_canonical(rules[k].peer_block);
	}
	return allow(m, group, rules, sources.count);
}

/* The front of the load balancer has no group, and sends health checks and the machines' own connections from the subnets. */
static RESULT allow_subnets(struct cluster_making *m, uuid group)
{
	struct rule_wish rules[CLUSTER_SUBNETS_MAX];
	for (size_t k = 0; k < m->row->subnets.count; k++)
		rules[k] = (struct rule_wish){.protocol = 6,
					      .from_port = CLUSTER_PORT,
					      .to_port = CLUSTER_PORT,
					      .peer_block =
						      subnet_find(m->op->head, m->row->subnets.at[k])->block,
					      .description = STR("Load balancer and machines"),
					      .field = STR("subnets")};
	return allow(m, group, rules, m->row->subnets.count);
}

/* Exactly one group of a node has the cluster's tag: the controller opens that one for load balancers of Services. */
static RESULT make_groups(struct cluster_making *m)
{
	uuid *ids = arena_new_array(m->op->ctx->arena, uuid, 2);
	if (!ids)
		return ctx_no_memory(m->op->ctx);
	TRY(make_group(m, "nodes", "Machines of a Kubernetes cluster", true, &ids[0]));
	TRY(make_group(m, "control-plane", "API of a Kubernetes cluster", false, &ids[1]));
	m->row->groups = (struct uuids){ids, 2};
	const struct rule_wish own = {
		.protocol = -1,
		.from_port = -1,
		.to_port = -1,
		.peer_group = engine_ref_to(m->op, KIND_SECURITY_GROUP, ids[0], STR("network")),
		.description = STR("Machines of the cluster"),
		.field = STR("network")};
	TRY(allow(m, ids[0], &own, 1));
	TRY(allow_clients(m, ids[1]));
	return m->wish->sources.count ? allow_subnets(m, ids[1]) : OK;
}

/* ---- the load balancer ---- */

static RESULT note_addresses(struct cluster_making *m)
{
	struct op *op = m->op;
	const struct elastic_load_balancer *b = elastic_load_balancer_find(op->head, m->row->balancer);
	const struct port *front = port_find(op->head, b->fronts.at[0]);
	const struct address *address = address_first_by_port(op->head, front->row.id);
	m->private_ip = ip_to_str(op->ctx->arena, front->ip);
	m->dns_name = engine_write_balancer_dns_name(op->head, op->ctx->arena, b);
	m->row->endpoint = m->dns_name;
	m->row->address = address ? address->ip : front->ip;
	return arena_is_full(op->ctx->arena) ? ctx_no_memory(op->ctx) : OK;
}

static RESULT make_target_group(struct cluster_making *m)
{
	struct target_group_wish wish = {
		.name = part(m, "api"),
		.router = engine_ref_to(m->op, KIND_ROUTER, m->row->router, STR("network")),
		.protocol = BALANCING_TCP,
		.is_by_ip = true,
		.port = CLUSTER_PORT,
		.interval_s = 10,
		.timeout_s = 6,
		.healthy_threshold = 2,
		.unhealthy_threshold = 2,
		.check_protocol = BALANCING_TCP};
	TRY(make_tags(m, NULL, NULL, &wish.tags));
	TRY(engine_create_target_group(m->op, &wish));
	m->row->target_group = wish.target_group;
	return OK;
}

static RESULT make_listener(struct cluster_making *m)
{
	struct listener_wish wish = {.balancer = engine_ref_to(m->op, KIND_ELASTIC_LOAD_BALANCER,
							       m->row->balancer, STR("network")),
				     .protocol = BALANCING_TCP,
				     .port = CLUSTER_PORT,
				     .action = {.type = RULE_FORWARD, .group_count = 1}};
	wish.action.groups[0] = (struct rule_group){
		engine_ref_to(m->op, KIND_TARGET_GROUP, m->row->target_group, STR("network")), 1};
	return engine_create_listener(m->op, &wish);
}

static RESULT make_balancer(struct cluster_making *m)
{
	struct balancer_subnet subnets[CLUSTER_SUBNETS_MAX];
	struct elastic_load_balancer_wish wish = {.name = part(m, "api"),
						  .is_internal = m->row->is_internal,
						  .subnets = {subnets, m->row->subnets.count}};
	for (size_t k = 0; k < m->row->subnets.count; k++)
		subnets[k] = (struct balancer_subnet){
			.subnet = engine_ref_to(m->op, KIND_SUBNET, m->row->subnets.at[k], STR("subnets"))};
	TRY(make_tags(m, NULL, NULL, &wish.tags));
	TRY(engine_create_elastic_load_balancer(m->op, &wish));
	m->row->balancer = wish.balancer;
	TRY(make_target_group(m));
	TRY(make_listener(m));
	return note_addresses(m);
}

/* ---- machines ---- */

struct machine_plan {
	struct launch_port port;
	struct ref groups[2];
	struct ref apart[CLUSTER_MACHINES_MAX];
	struct instance_launch launch;
};

static RESULT plan_machine(const struct cluster_making *m, bool is_control, struct machine_plan *p)
{
	struct op *op = m->op;
	const struct cluster *row = m->row;
	size_t groups = is_control ? 2 : 1;
	for (size_t k = 0; k < groups; k++)
		p->groups[k] = engine_ref_to(op, KIND_SECURITY_GROUP, row->groups.at[k], STR("network"));
	p->port = (struct launch_port){.groups = {p->groups, groups}, .field = STR("subnets")};
	p->launch = (struct instance_launch){
		.image = engine_ref_to(op, KIND_IMAGE, row->image, STR("image")),
		.type = engine_ref_to(op, KIND_INSTANCE_TYPE,
				      is_control ? row->control_type : row->worker_type,
				      is_control ? STR("control_type") : STR("worker_type")),
		.min_count = 1,
		.max_count = 1,
		.ports = &p->port,
		.port_count = 1,
		.key_pair = m->wish->key_pair,
		/* pods have one more hop than the machine, and get no token */
		.metadata_tokens_required = CHOICE_YES,
		.metadata_hop_limit = 1};
	return make_tags(m, is_control ? "control-plane" : "worker", NULL, &p->launch.instance_tags);
}

/* Tries the subnets in turn, from the n-th on: a zone may lack room. */
static RESULT launch_somewhere(struct cluster_making *m, size_t n, struct machine_plan *p)
{
	struct op *op = m->op;
	const struct uuids *subnets = &m->row->subnets;
	struct result result = FAIL(CAPACITY);
	for (size_t k = 0; k < subnets->count && result.code == ERR_CAPACITY; k++) {
		struct op_place place = op_place_now(op);
		p->port.subnet =
			engine_ref_to(op, KIND_SUBNET, subnets->at[(n + k) % subnets->count], STR("subnets"));
		if (k)
			ctx_clear_problem(op->ctx);
		result = engine_create_instances(op, &p->launch);
		if (result.code == ERR_CAPACITY)
			op_go_back(op, place);
	}
	return result;
}

/* Machines of the control plane share no host where the region has enough of them. */
static RESULT launch_apart(struct cluster_making *m, size_t n, struct machine_plan *p)
{
	struct result result = launch_somewhere(m, n, p);
	if (result.code != ERR_CAPACITY || !p->launch.apart.count)
		return result;
	ctx_clear_problem(m->op->ctx);
	p->launch.apart = (struct refs){0};
	return launch_somewhere(m, n, p);
}

static RESULT make_machine(struct cluster_making *m, size_t n, uuid *ids)
{
	struct op *op = m->op;
	struct machine_plan *p = arena_new_object(op->ctx->arena, struct machine_plan);
	if (!p)
		return ctx_no_memory(op->ctx);
	TRY(plan_machine(m, true, p));
	p->launch.name =
		str_print(op->ctx->arena, "%" STR_FMT "-control-plane-%zu", STR_ARG(m->row->name), n + 1);
	p->launch.instance_profile = m->wish->profile;
	for (size_t k = 0; k < n; k++)
		p->apart[k] = engine_ref_to(op, KIND_INSTANCE, ids[k], STR("control_count"));
	p->launch.apart = (struct refs){p->apart, n};
	TRY(cluster_write_control_data(m, n, &p->launch.user_data));
	TRY(launch_apart(m, n, p));
	ids[n] = p->launch.made.at[0];
	return OK;
}

static RESULT make_control_plane(struct cluster_making *m)
{
	struct op *op = m->op;
	size_t count = (size_t) m->row->control_count;
	uuid *ids = arena_new_array(op->ctx->arena, uuid, count);
	struct balancing_target targets[CLUSTER_MACHINES_MAX];
	if (!ids)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < count; n++) {
		TRY(make_machine(m, n, ids));
		const struct port *port = port_first_by_instance(op->head, ids[n]);
		targets[n] = (struct balancing_target){
			.ip = port->ip, .text = ip_to_str(op->ctx->arena, port->ip), .field = STR("network")};
	}
	m->row->machines = (struct uuids){ids, count};
	struct targets_wish wish = {
		.target_group = engine_ref_to(op, KIND_TARGET_GROUP, m->row->target_group, STR("network")),
		.targets = {targets, count}};
	return engine_register_targets(op, &wish);
}

/* ---- workers ---- */

static void add_pair(struct arena *a, struct buf *form, const char *name, struct str value)
{
	buf_print(form, "%s%s=%" STR_FMT, form->size ? "&" : "", name,
		  STR_ARG(str_encode_url(a, value, false)));
}

/* The launch as a form of EC2's parameters, which the scaling group's launches read. */
static RESULT write_template(const struct cluster_making *m, const struct machine_plan *p,
			     struct str *ret_data)
{
	struct op *op = m->op;
	struct arena *a = op->ctx->arena;
	const struct tags *tags = &p->launch.instance_tags;
	struct buf form;
	buf_init(&form, DATA_MAX);
	add_pair(a, &form, "ImageId", id_to_ec2(a, KIND_IMAGE, m->row->image));
	add_pair(a, &form, "InstanceType", instance_type_find(op->head, m->row->worker_type)->name);
	add_pair(a, &form, "SecurityGroupId.1", id_to_ec2(a, KIND_SECURITY_GROUP, m->row->groups.at[0]));
	if (m->key_name.n)
		add_pair(a, &form, "KeyName", m->key_name);
	add_pair(a, &form, "UserData", str_encode_base64(a, p->launch.user_data));
	add_pair(a, &form, "MetadataOptions.HttpTokens", STR("required"));
	add_pair(a, &form, "MetadataOptions.HttpPutResponseHopLimit", STR("1"));
	add_pair(a, &form, "TagSpecification.1.ResourceType", STR("instance"));
	for (size_t k = 0; k < tags->count; k++) {
		add_pair(a, &form, str_print(a, "TagSpecification.1.Tag.%zu.Key", k + 1).p, tags->at[k].key);
		add_pair(a, &form, str_print(a, "TagSpecification.1.Tag.%zu.Value", k + 1).p,
			 tags->at[k].value);
	}
	struct result result = buf_finish(&form);
	*ret_data = str_copy(a, buf_str(&form));
	buf_done(&form);
	TRY(result);
	return arena_is_full(a) ? ctx_no_memory(op->ctx) : OK;
}

static RESULT make_template(struct cluster_making *m, const struct machine_plan *p)
{
	struct launch_template_wish wish = {.name = part(m, "workers")};
	TRY(make_tags(m, NULL, NULL, &wish.tags));
	TRY(write_template(m, p, &wish.data));
	TRY(engine_create_launch_template(m->op, &wish));
	m->row->template = wish.launch_template;
	return OK;
}

static RESULT make_workers(struct cluster_making *m)
{
	struct op *op = m->op;
	struct machine_plan *p = arena_new_object(op->ctx->arena, struct machine_plan);
	struct ref subnets[CLUSTER_SUBNETS_MAX];
	if (!p)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < m->row->subnets.count; k++)
		subnets[k] = engine_ref_to(op, KIND_SUBNET, m->row->subnets.at[k], STR("subnets"));
	TRY(plan_machine(m, false, p));
	TRY(cluster_write_worker_data(m, &p->launch.user_data));
	p->port.subnet = subnets[0];
	TRY(make_template(m, p));
	struct fleet_override trial = {.launch = p->launch};
	struct scaling_group_wish wish = {
		.name = part(m, "workers"),
		.settings = {
			.min = {true, 0},
			.max = {true, CLUSTER_WORKERS_MAX},
			.desired = {true, m->row->workers},
			.has_source = true,
			.has_places = true,
			.template = engine_ref_to(op, KIND_LAUNCH_TEMPLATE, m->row->template, STR("workers")),
			.on_demand_percent = 100,
			.subnets = {subnets, m->row->subnets.count},
			.launches = &trial,
			.launch_count = 1}};
	TRY(make_tags(m, NULL, NULL, &wish.tags));
	TRY(engine_create_scaling_group(op, &wish));
	m->row->scaling_group = wish.group;
	return OK;
}

RESULT cluster_make_parts(struct cluster_making *m)
{
	if (m->row->owns_network)
		TRY(make_network(m));
	TRY(make_groups(m));
	TRY(make_balancer(m));
	TRY(make_control_plane(m));
	return make_workers(m);
}
