/* SPDX-License-Identifier: Apache-2.0
 * Ports: show, create, change, delete. */
#include "api/openstack/network/network.h"
#include "engine/network/port/port.h"
#include "store/port.h"

struct os_port_target {
	struct port_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_port_target, "port_id", wish.port, .kind = KIND_PORT, .doc = "The port."),
};

/* As in Neutron, deleting a port that a server uses unplugs the port from the server. */
static RESULT prepare_delete(struct os_call *e, void *args)
{
	(void) e;
	struct os_port_target *a = args;
	a->wish.unplugs = a->wish.by_network = true;
	return OK;
}

/* ---- lists within ---- */

static const struct param fixed_rows[] = {
	OS_BODY(struct port_fixed_wish, "subnet_id", subnet, .kind = KIND_SUBNET,
		.doc = "Subnet of the address."),
	OS_BODY(struct port_fixed_wish, "ip_address", ip, .doc = "Fixed address; absent: any of the subnet."),
};
static const struct params fixed_params = OS_PARAMS(struct port_fixed_wish, fixed_rows);

struct os_address_pair {
	struct str ip;
	struct mac mac;
};
static const struct param pair_rows[] = {
	OS_BODY(struct os_address_pair, "ip_address", ip, .flags = REQUIRED,
		.doc = "Allowed address or block."),
	OS_BODY(struct os_address_pair, "mac_address", mac,
		.doc = "MAC address of the pair; absent: the port's."),
};
static const struct params pair_params = OS_PARAMS(struct os_address_pair, pair_rows);

struct os_dhcp_word {
	struct str name, value;
	int64_t version;
};
static const struct param dhcp_rows[] = {
	OS_BODY(struct os_dhcp_word, "opt_name", name, .flags = REQUIRED, .min = 1, .max = 64,
		.doc = "DHCP option that OVN supports, such as bootfile-name or tftp-server."),
	OS_BODY(struct os_dhcp_word, "opt_value", value, .flags = REQUIRED | NULLABLE, .max = 255,
		.doc = "Value of the option; null: removes it."),
	OS_BODY(struct os_dhcp_word, "ip_version", version, .min = 4, .max = 6,
		.doc = "IP version, 4 or 6; absent: 4."),
};
static const struct params dhcp_params = OS_PARAMS(struct os_dhcp_word, dhcp_rows);

struct os_port_body {
	struct {
		const struct port_fixed_wish *at;
		size_t count;
	} fixed;
	struct {
		const struct os_address_pair *at;
		size_t count;
	} pairs;
	struct {
		const struct os_dhcp_word *at;
		size_t count;
	} dhcp;
	struct refs groups;
	struct str name, description, device_id, device_owner, dns_name, binding_host;
	bool has_fixed, has_pairs, has_groups, has_name, has_description, has_device_id, has_device_owner,
		has_dns_name, has_binding_host;
	enum choice is_down, is_open;
	struct port_pairs read_pairs;
	struct port_dhcp_words read_dhcp;
	struct qos_choice qos;
};
#define PORT_BODY(T)                                                                                         \
	OS_BODY(T, "name", body.name, .given = OS_GIVEN(T, body.has_name),                                   \
		.doc = "Name; need not be unique."),                                                         \
		OS_BODY(T, "description", body.description, .given = OS_GIVEN(T, body.has_description),      \
			.doc = "Description: free text."),                                                   \
		OS_BODY(T, "admin_state_up", body.is_down, .flags = OPPOSITE,                                \
			.doc = "Whether the port is enabled."),                                              \
		OS_BODY_LIST(T, "fixed_ips", body.fixed, fixed_params, .max = PORT_IPS_MAX,                  \
			     .given = OS_GIVEN(T, body.has_fixed),                                           \
			     .doc = "Fixed addresses; absent: one of any subnet; empty: none."),             \
		OS_BODY(T, "security_groups", body.groups, .flags = NULLABLE, .kind = KIND_SECURITY_GROUP,   \
			.given = OS_GIVEN(T, body.has_groups),                                               \
			.doc = "Security groups; absent: the project's default one."),                       \
		OS_BODY_LIST(T, "allowed_address_pairs", body.pairs, pair_params, .flags = NULLABLE,         \
			     .max = PORT_PAIRS_MAX, .given = OS_GIVEN(T, body.has_pairs),                    \
			     .doc = "Additional addresses that the port may send from."),                    \
		OS_BODY(T, "port_security_enabled", body.is_open, .flags = OPPOSITE,                         \
			.doc = "Whether security groups and anti-spoofing apply; absent: the network's "     \
			       "setting."),                                                                  \
		OS_BODY(T, "device_id", body.device_id, .given = OS_GIVEN(T, body.has_device_id),            \
			.doc = "Id of the device that uses the port."),                                      \
		OS_BODY(T, "device_owner", body.device_owner, .given = OS_GIVEN(T, body.has_device_owner),   \
			.doc = "Kind of device that uses the port."),                                        \
		OS_BODY(T, "dns_name", body.dns_name, .given = OS_GIVEN(T, body.has_dns_name),               \
			.doc = "Stored and shown; has no effect."),                                          \
		OS_BODY(T, "binding:host_id", body.binding_host, .flags = NULLABLE,                          \
			.given = OS_GIVEN(T, body.has_binding_host),                                         \
			.doc = "Host of the port, for administrators. Shown until an instance uses the "     \
			       "port."),                                                                     \
		OS_BODY(T, "qos_policy_id", body.qos.policy, .flags = NULLABLE, .kind = KIND_QOS_POLICY,     \
			.given = OS_GIVEN(T, body.qos.is_given),                                             \
			.doc = "QoS policy of the port; null or absent: the network's."),                    \
		OS_BODY_LIST(T, "extra_dhcp_opts", body.dhcp, dhcp_params, .max = 64, .flags = NULLABLE,     \
			     .doc = "Additional DHCP options for the guest."),                               \
		OS_UNBUILT("binding:profile", .only = "{}"),                                                 \
		OS_UNBUILT("binding:vnic_type", .only = "normal"), OS_UNBUILT("dns_domain", .only = ""),     \
		OS_UNBUILT("propagate_uplink_status", .only = "false"), OS_UNBUILT("numa_affinity_policy")

static RESULT read_pairs(struct os_call *e, struct os_port_body *body)
{
	struct port_pair *pairs = arena_new_array(e->c->arena, struct port_pair, body->pairs.count + 1);
	if (!pairs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < body->pairs.count; k++) {
		const struct os_address_pair *p = &body->pairs.at[k];
		struct ip ip;
		pairs[k].mac = p->mac;
		if (!ip_parse(p->ip, &ip).code)
			pairs[k].block = (struct cidr){ip, ip.family == IP_V4 ? 32 : 128};
		else if (cidr_parse(p->ip, &pairs[k].block).code)
			return ctx_fail_field(e->c, ERR_INVALID, STR("allowed_address_pairs"),
					      "Invalid input for allowed_address_pairs. Reason: '%" STR_FMT
					      "' is not a valid IP address or subnet.",
					      STR_ARG(p->ip));
	}
	body->read_pairs = (struct port_pairs){pairs, body->pairs.count};
	return OK;
}

static RESULT read_dhcp(struct os_call *e, struct os_port_body *body)
{
	struct port_dhcp_word *words = arena_new_array(e->c->arena, struct port_dhcp_word, body->dhcp.count);
	if (!words)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < body->dhcp.count; k++) {
		const struct os_dhcp_word *d = &body->dhcp.at[k];
		if (d->version == 5)
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("ip_version"),
				"Invalid input for extra_dhcp_opts. Reason: '5' is not in [4, 6].");
		words[k] = (struct port_dhcp_word){d->version ? d->version : 4, d->name, d->value,
						   .ends = !d->value.p};
	}
	body->read_dhcp = (struct port_dhcp_words){words, body->dhcp.count};
	return OK;
}

/* Each element of fixed_ips requires a subnet or an address. */
static RESULT check_fixed(struct os_call *e, const struct os_port_body *body)
{
	for (size_t k = 0; k < body->fixed.count; k++)
		if (body->fixed.at[k].subnet.kind == KIND_NONE && ip_is_none(body->fixed.at[k].ip))
			return ctx_fail_field(e->c, ERR_INVALID, STR("fixed_ips"),
					      "IP allocation requires subnet_id or ip_address.");
	return OK;
}

/* Neutron refuses a group that is named twice. */
static RESULT check_groups(struct os_call *e, const struct refs *groups)
{
	for (size_t k = 0; k < groups->count; k++)
		for (size_t j = 0; j < k; j++)
			if (str_equal(groups->at[j].text, groups->at[k].text))
				return ctx_fail_field(
					e->c, ERR_INVALID, STR("security_groups"),
					"Invalid input for security_groups. Reason: Duplicate items in the "
					"list: '%" STR_FMT ", %" STR_FMT "'.",
					STR_ARG(groups->at[j].text), STR_ARG(groups->at[k].text));
	return OK;
}

/* ---- create ---- */

struct os_create_port {
	struct network_port_wish wish;
	struct os_port_body body;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_port, "network_id", wish.network, .flags = REQUIRED, .kind = KIND_NETWORK,
		.doc = "The network."),
	OS_BODY(struct os_create_port, "mac_address", wish.mac,
		.doc = "MAC address; absent: a generated one."),
	PORT_BODY(struct os_create_port),
	OS_PROJECT(struct os_create_port, wish.account),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_port *a = args;
	struct os_port_body *b = &a->body;
	TRY(read_pairs(e, b));
	TRY(read_dhcp(e, b));
	TRY(check_fixed(e, b));
	TRY(check_groups(e, &b->groups));
	a->wish.fixed =
		(struct port_fixed_wishes){b->has_fixed, b->fixed.at, b->fixed.count, STR("fixed_ips")};
	a->wish.groups = b->groups;
	a->wish.has_no_groups = b->has_groups && b->groups.count == 0;
	a->wish.is_open = b->is_open;
	a->wish.is_down = b->is_down == CHOICE_YES;
	a->wish.pairs = b->read_pairs;
	a->wish.dhcp = b->read_dhcp;
	a->wish.qos = b->qos;
	a->wish.name = b->name;
	a->wish.description = b->description;
	a->wish.device_id = b->device_id;
	a->wish.device_owner = b->device_owner;
	a->wish.dns_name = b->dns_name;
	a->wish.binding_host = b->binding_host;
	return OK;
}

/* ---- change ---- */

struct os_update_port {
	struct port_settings wish;
	struct os_port_body body;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_port, "port_id", wish.port, .kind = KIND_PORT, .doc = "The port."),
	PORT_BODY(struct os_update_port),
	OS_BODY(struct os_update_port, "mac_address", wish.mac,
		.doc = "New MAC address, for administrators. Fails while a server uses the port."),
};

/* Other callers are refused by the operation. */
static RESULT check_device(struct os_call *e, const struct os_update_port *a)
{
	const struct os_port_body *b = &a->body;
	const struct port *p = port_find(os_tables(e), a->wish.port.prefix);
	bool is_mine =
		p && row_is_live(&p->row) && (uuid_equal(p->account, e->c->who->account) || os_is_admin(e));
	return is_mine ? os_check_port_device(e, p, b->has_device_id ? &b->device_id : NULL,
					      b->has_device_owner ? &b->device_owner : NULL)
		       : OK;
}

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_port *a = args;
	struct os_port_body *b = &a->body;
	TRY(check_device(e, a));
	TRY(read_pairs(e, b));
	TRY(read_dhcp(e, b));
	TRY(check_fixed(e, b));
	TRY(check_groups(e, &b->groups));
	a->wish.fixed =
		(struct port_fixed_wishes){b->has_fixed, b->fixed.at, b->fixed.count, STR("fixed_ips")};
	a->wish.groups = b->groups;
	a->wish.has_no_groups = b->has_groups && b->groups.count == 0;
	a->wish.is_open = b->is_open;
	a->wish.is_down = b->is_down;
	a->wish.pairs = b->has_pairs ? &b->read_pairs : NULL;
	a->wish.dhcp = b->read_dhcp;
	a->wish.qos = b->qos;
	a->wish.name = b->has_name ? &b->name : NULL;
	a->wish.set_description = b->has_description;
	a->wish.description = b->description;
	a->wish.device_id = b->has_device_id ? &b->device_id : NULL;
	a->wish.device_owner = b->has_device_owner ? &b->device_owner : NULL;
	a->wish.binding_host = b->has_binding_host ? &b->binding_host : NULL;
	a->wish.dns_name = b->has_dns_name ? &b->dns_name : NULL;
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/ports", .permit = "get_port", .list = &os_ports, .doc = "Lists ports."},
	{HTTP_POST, "/v2.0/ports", .permit = "create_port", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_create_port, create_params), .wrap = "port", .item = "port",
	 .prepare = prepare_create, .operation = engine_add_port_run,
	 OS_SHOWS(os_ports, struct os_create_port, wish.port), .returns = KIND_PORT,
	 .doc = "Creates a port on a network."},
	{HTTP_GET, "/v2.0/ports/{port_id}", .permit = "get_port",
	 .args = OS_PARAMS(struct os_port_target, target_params), .item = "port",
	 OS_SHOWS(os_ports, struct os_port_target, wish.port), .doc = "Shows one port."},
	{HTTP_PUT, "/v2.0/ports/{port_id}", .permit = "update_port", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_port, update_params), .wrap = "port", .item = "port",
	 .prepare = prepare_update, .operation = engine_update_port_run,
	 OS_SHOWS(os_ports, struct os_update_port, wish.port), .returns = KIND_PORT,
	 .doc = "Changes a port."},
	{HTTP_DELETE, "/v2.0/ports/{port_id}", .permit = "delete_port", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_port_target, target_params), .prepare = prepare_delete,
	 .operation = engine_delete_port_run, .doc = "Deletes a port."},
};
const struct os_actions os_port_actions = OS_ACTIONS(OS_NETWORK, actions);
