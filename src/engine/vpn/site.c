/* SPDX-License-Identifier: Apache-2.0
 * Sites, as CloudStack has them: a customer gateway with a pre-shared key, policies and blocks, and connections of one tunnel that
 * follow it. Sources: CreateVpnCustomerGatewayCmd and Site2SiteVpnManagerImpl of CloudStack for rules and defaults. */
#include <inttypes.h>

#include "engine/acting.h"
#include "engine/limits.h"
#include "engine/network/address/address_internal.h"
#include "engine/tag_internal.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpn_internal.h"
#include "model/id.h"
#include "store/address.h"
#include "store/customer_gateway.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/vpn_connection.h"
#include "store/vpn_gateway.h"
#include "store/vpn_route.h"
#include "store/vpn_tunnel.h"

/* IKE_LIFETIME_S and ESP_LIFETIME_S hold if no lifetime is given. A peer that does not answer for DPD_S is dead. */
enum {
	IKE_LIFETIME_S = 86400,
	ESP_LIFETIME_S = 3600,
	LIFETIME_MIN_S = 60,
	LIFETIME_MAX_S = 86400,
	DPD_S = 120,
	BLOCKS_MAX = 10, /* schema/customer_gateway.toml: remote_cidrs */
	MARGIN_PART = 4
};

struct str engine_get_vpn_key(const struct tables *t, const struct vpn_tunnel *tunnel, uuid *ret_row)
{
	const struct vpn_connection *c = vpn_connection_find(t, tunnel->connection);
	const struct customer_gateway *customer =
		c && c->follows_customer ? customer_gateway_find(t, c->customer_gateway) : NULL;
	*ret_row = tunnel->key.n || !customer ? tunnel->row.id : customer->row.id;
	return tunnel->key.n || !customer ? tunnel->key : customer->key;
}

/* ---- policies: "aes128-sha256;modp2048" ---- */

struct word {
	const char *asked, *own; /* CloudStack's word, and a tunnel's */
};
static const struct word ciphers[] = {{"aes128", "AES128"}, {"aes256", "AES256"}};
static const struct word hashes[] = {
	{"sha1", "SHA1"}, {"sha256", "SHA2-256"}, {"sha384", "SHA2-384"}, {"sha512", "SHA2-512"}};
static const struct word groups[] = {{"modp1024", "2"},  {"modp1536", "5"},  {"modp2048", "14"},
				     {"modp3072", "15"}, {"modp4096", "16"}, {"modp6144", "17"},
				     {"modp8192", "18"}};
#define WORDS(table) table, sizeof(table) / sizeof(table)[0]

static struct str find_word(const struct word *words, size_t count, struct str asked)
{
	for (size_t k = 0; k < count; k++)
		if (str_is(asked, words[k].asked))
			return str_from(words[k].own);
	return STR_NONE;
}

struct policy {
	struct str cipher, hash, group; /* group empty: none is named */
};

/* False: the text is no proposal, or names algorithms that are not supported. */
static bool read_policy(struct str text, struct policy *ret_policy)
{
	size_t semicolon = str_find_char(text, ';', 0), dash = str_find_char(text, '-', 0);
	if (dash >= semicolon)
		return false;
	struct str group = semicolon < text.n ? str_slice(text, semicolon + 1, text.n) : STR_NONE;
	*ret_policy = (struct policy){find_word(WORDS(ciphers), str_slice(text, 0, dash)),
				      find_word(WORDS(hashes), str_slice(text, dash + 1, semicolon)),
				      find_word(WORDS(groups), group)};
	return ret_policy->cipher.n && ret_policy->hash.n && (semicolon == text.n || ret_policy->group.n);
}

static RESULT check_policies(struct op *op, const struct customer_gateway *g)
{
	struct policy ike = {0}, esp = {0};
	if (!read_policy(g->ike_policy, &ike) || !ike.group.n)
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("ikepolicy"),
				      "The customer gateway IKE policy %" STR_FMT
				      " is invalid!  Verify the required Diffie Hellman (DH) group is "
				      "specified. One proposal of aes128 or aes256 is supported, with sha1, "
				      "sha256, sha384 or sha512.",
				      STR_ARG(g->ike_policy));
	if (!read_policy(g->esp_policy, &esp))
		return ctx_fail_field(
			op->ctx, ERR_INVALID, STR("esppolicy"),
			"The customer gateway ESP policy %" STR_FMT
			" is invalid! One proposal of aes128 or aes256 is supported, with sha1, "
			"sha256, sha384 or sha512.",
			STR_ARG(g->esp_policy));
	return OK;
}

static RESULT check_lifetime(struct op *op, int64_t lifetime_s, const char *field, const char *name)
{
	return lifetime_s >= LIFETIME_MIN_S && lifetime_s <= LIFETIME_MAX_S
		       ? OK
		       : ctx_fail_field(op->ctx, ERR_INVALID, str_from(field),
					"The %s lifetime %" PRId64 " of vpn connection is invalid!", name,
					lifetime_s);
}

static RESULT check_blocks(struct op *op, const struct cidrs *blocks)
{
	char first[CIDR_TEXT_SIZE], second[CIDR_TEXT_SIZE];
	if (!blocks->count)
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("cidrlist"),
				      "The customer gateway peer cidr list is empty.");
	if (blocks->count > BLOCKS_MAX)
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("cidrlist"),
				      "Too many subnets of customer gateway! The limit is %d", BLOCKS_MAX);
	for (size_t k = 0; k < blocks->count; k++)
		for (size_t n = k + 1; n < blocks->count; n++)
			if (cidr_overlaps(blocks->at[k], blocks->at[n]))
				return ctx_fail_field(op->ctx, ERR_INVALID, STR("cidrlist"),
						      "The subnet of customer gateway %s is overlapped with "
						      "another subnet %s of customer gateway!",
						      cidr_write(blocks->at[k], first),
						      cidr_write(blocks->at[n], second));
	return OK;
}

/* ---- the tunnel of a connection ---- */

static RESULT list_of(struct op *op, struct str word, struct strs *ret_list)
{
	struct str *at = arena_new_object(op->ctx->arena, struct str);
	if (!at)
		return ctx_no_memory(op->ctx);
	*at = word;
	*ret_list = (struct strs){at, 1};
	return OK;
}

static RESULT set_options(struct op *op, const struct customer_gateway *g, struct vpn_tunnel *n)
{
	struct policy ike = {0}, esp = {0};
	if (!read_policy(g->ike_policy, &ike) || !read_policy(g->esp_policy, &esp))
		return ctx_fail(op->ctx, ERR_INTERNAL, "the customer gateway's policies cannot be read");
	TRY(list_of(op, ike.cipher, &n->phase1_encryption));
	TRY(list_of(op, ike.hash, &n->phase1_integrity));
	TRY(list_of(op, ike.group, &n->phase1_groups));
	TRY(list_of(op, esp.cipher, &n->phase2_encryption));
	TRY(list_of(op, esp.hash, &n->phase2_integrity));
	TRY(list_of(op, esp.group.n ? esp.group : STR(VPN_NO_GROUP), &n->phase2_groups));
	n->ike_versions = (struct strs){0};
	if (g->ike_version == CUSTOMER_GATEWAY_IKE_VERSION_IKEV1)
		TRY(list_of(op, STR("ikev1"), &n->ike_versions));
	if (g->ike_version == CUSTOMER_GATEWAY_IKE_VERSION_IKEV2)
		TRY(list_of(op, STR("ikev2"), &n->ike_versions));
	n->phase1_lifetime_s = g->ike_lifetime_s;
	n->phase2_lifetime_s = g->esp_lifetime_s;
	n->rekey_margin_s = g->esp_lifetime_s < MARGIN_PART * VPN_REKEY_MARGIN_S
				    ? g->esp_lifetime_s / MARGIN_PART
				    : VPN_REKEY_MARGIN_S;
	n->dpd_timeout_s = DPD_S;
	n->dpd_action = g->dpd ? VPN_TUNNEL_DPD_ACTION_RESTART : VPN_TUNNEL_DPD_ACTION_NONE;
	return OK;
}

RESULT vpn_add_routes(struct op *op, const struct vpn_connection *c, const struct cidrs *blocks)
{
	for (size_t k = 0; k < blocks->count; k++) {
		struct vpn_route route = {.row = {.id = engine_new_id(op, KIND_VPN_ROUTE), .gen = 1},
					  .account = c->account,
					  .connection = c->row.id,
					  .destination = cidr_canonical(blocks->at[k])};
		TRY(limit_check(op, LIMIT_VPN_ROUTES, c->row.id, 1, STR_NONE));
		TRY(vpn_route_put(op, &route));
	}
	return OK;
}

/* A block of the site must not overlap the VPC, nor blocks of the gateway's other connections. */
static RESULT check_overlaps(struct op *op, const struct customer_gateway *customer,
			     const struct vpn_gateway *g, uuid connection)
{
	const struct router *router = router_find(op->head, g->router);
	char own[CIDR_TEXT_SIZE], other[CIDR_TEXT_SIZE];
	for (size_t k = 0; k < customer->remote_cidrs.count; k++) {
		struct cidr block = customer->remote_cidrs.at[k];
		for (size_t n = 0; router && n < router->blocks.count; n++)
			if (cidr_overlaps(router->blocks.at[n], block))
				return ctx_fail_field(op->ctx, ERR_INVALID, STR("s2scustomergatewayid"),
						      "The subnet %s of the customer gateway is overlapped "
						      "with VPC cidr %s!",
						      cidr_write(block, own),
						      cidr_write(router->blocks.at[n], other));
		for (const struct vpn_connection *c = engine_next_vpn_connection(op->head, g->row.id, NULL);
		     c; c = engine_next_vpn_connection(op->head, g->row.id, c))
			for (const struct vpn_route *r = vpn_route_first_by_connection(op->head, c->row.id);
			     r; r = vpn_route_next_by_connection(op->head, r))
				if (!uuid_equal(c->row.id, connection) &&
				    cidr_overlaps(r->destination, block))
					return ctx_fail_field(
						op->ctx, ERR_INVALID, STR("s2scustomergatewayid"),
						"The new connection's remote subnet %s is overlapped with "
						"existed VPN connection's subnet %s",
						cidr_write(block, own), cidr_write(r->destination, other));
	}
	return OK;
}

/* ---- customer gateways ---- */

static RESULT check_name(struct op *op, const struct customer_gateway *made)
{
	const struct customer_gateway *g = customer_gateway_first_by_account(op->head, made->account);
	while (g && !(row_is_live(&g->row) && !uuid_equal(g->row.id, made->row.id) &&
		      str_equal(g->name, made->name)))
		g = customer_gateway_next_by_account(op->head, g);
	if (!g)
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_CUSTOMER_GATEWAY, STR("name"),
			   "The customer gateway with name %" STR_FMT " already existed!",
			   STR_ARG(made->name));
}

static RESULT check(struct op *op, struct customer_gateway *made)
{
	char text[IP_TEXT_SIZE];
	if (!made->name.n) {
		made->name = str_print(op->ctx->arena, "VPN-%s", ip_write(made->ip, text));
		if (!made->name.n)
			return ctx_no_memory(op->ctx);
	}
	made->ike_lifetime_s = made->ike_lifetime_s ? made->ike_lifetime_s : IKE_LIFETIME_S;
	made->esp_lifetime_s = made->esp_lifetime_s ? made->esp_lifetime_s : ESP_LIFETIME_S;
	if (made->ip.family != IP_V4)
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("gateway"),
				      "The customer gateway ip/Domain %s is invalid! Dari supports IPv4 "
				      "addresses.",
				      ip_write(made->ip, text));
	TRY(check_name(op, made));
	TRY(check_policies(op, made));
	TRY(check_lifetime(op, made->ike_lifetime_s, "ikelifetime", "IKE"));
	TRY(check_lifetime(op, made->esp_lifetime_s, "esplifetime", "ESP"));
	if (made->esp_lifetime_s > made->ike_lifetime_s)
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("esplifetime"),
				      "The ESP lifetime %" PRId64
				      " of vpn connection must not exceed the IKE lifetime.",
				      made->esp_lifetime_s);
	return check_blocks(op, &made->remote_cidrs);
}

RESULT engine_create_site(struct op *op, struct site_wish *wish)
{
	struct customer_gateway made = wish->next;
	TRY(engine_find_acting_id(op, &made.account));
	made.row.gen = 1;
	made.asn = VPN_CUSTOMER_ASN_DEFAULT;
	TRY(check(op, &made));
	TRY(engine_permit_new(op, "vpn.create_customer_gateway", KIND_CUSTOMER_GATEWAY, &made.row));
	TRY(limit_check(op, LIMIT_CUSTOMER_GATEWAYS, made.account, 1, STR_NONE));
	TRY(customer_gateway_put(op, &made));
	wish->made = made.row.id;
	return engine_log_event(op, KIND_CUSTOMER_GATEWAY, &made.row, "created", "Customer gateway.");
}

/* Brings a connection to its changed customer gateway. */
static RESULT follow(struct op *op, const struct vpn_connection *c, const struct customer_gateway *customer)
{
	const struct vpn_gateway *g = vpn_gateway_find(op->head, c->vpn_gateway);
	const struct vpn_route *route = vpn_route_first_by_connection(op->head, c->row.id), *following = NULL;
	const struct vpn_connection next = *c;
	TRY(check_overlaps(op, customer, g, c->row.id));
	for (; route; route = following) {
		following = vpn_route_next_by_connection(op->head, route);
		TRY(vpn_route_forget(op, route->row.id));
	}
	TRY(vpn_add_routes(op, &next, &customer->remote_cidrs));
	for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(op->head, next.row.id); n;
	     n = vpn_tunnel_next_by_connection(op->head, n)) {
		struct vpn_tunnel tunnel = *n;
		TRY(set_options(op, customer, &tunnel));
		tunnel.row.gen++;
		TRY(vpn_tunnel_put(op, &tunnel));
	}
	return OK;
}

RESULT engine_update_site(struct op *op, struct site_wish *wish)
{
	const struct customer_gateway *present = NULL;
	TRY(engine_permit_customer_gateway(op, &wish->gateway, "vpn.update_customer_gateway", &present));
	TRY(vpn_check_customer(op, present, wish->gateway.field));
	struct customer_gateway next = wish->next;
	next.row = present->row;
	next.row.gen++;
	next.account = present->account;
	next.asn = present->asn;
	next.device_name = present->device_name;
	next.tags = present->tags;
	TRY(check(op, &next));
	TRY(customer_gateway_put(op, &next));
	const struct vpn_connection *c = vpn_connection_first_by_customer_gateway(op->head, next.row.id),
				    *following = NULL;
	for (; c; c = following) {
		following = vpn_connection_next_by_customer_gateway(op->head, c);
		if (row_is_live(&c->row) && c->follows_customer)
			TRY(follow(op, c, &next));
		else if (row_is_live(&c->row))
			TRY(vpn_touch_connection(op, c->row.id)); /* its peer is the gateway, too */
	}
	wish->made = next.row.id;
	return engine_log_event(op, KIND_CUSTOMER_GATEWAY, &next.row, "changed", "Customer gateway.");
}

/* ---- gateways ---- */

RESULT engine_create_site_gateway(struct op *op, struct site_gateway_wish *wish)
{
	const struct router *router = NULL;
	struct ip ip;
	TRY(engine_permit_router(op, &wish->router, "vpn.attach", &router));
	if (engine_get_vpn_gateway(op->head, router->row.id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_VPN_GATEWAY, wish->router.field,
				   "The VPN gateway of VPC %" STR_FMT " already existed!",
				   STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)));
	struct vpn_gateway made = {.row = {.id = engine_new_id(op, KIND_VPN_GATEWAY), .gen = 1},
				   .account = router->account,
				   .router = router->row.id,
				   .asn = VPN_ASN_DEFAULT};
	TRY(engine_permit_new(op, "vpn.create_gateway", KIND_VPN_GATEWAY, &made.row));
	TRY(limit_check(op, LIMIT_VPN_GATEWAYS, made.account, 1, STR_NONE));
	TRY(vpn_address_allocate(op, made.account, &made.address, &ip));
	TRY(vpn_gateway_put(op, &made));
	TRY(vpn_propagate(op, made.router, made.row.id));
	wish->gateway = made.row.id;
	return engine_log_event(op, KIND_VPN_GATEWAY, &made.row, "created", "Virtual private gateway.");
}

static RESULT end_connections(struct op *op, uuid gateway)
{
	const struct vpn_connection *c = NULL;
	while ((c = engine_next_vpn_connection(op->head, gateway, NULL))) {
		struct vpn_connection_target target = {
			engine_ref_to(op, KIND_VPN_CONNECTION, c->row.id, STR("id"))};
		TRY(engine_delete_vpn_connection(op, &target));
	}
	return OK;
}

RESULT vpn_end_site_gateway(struct op *op, uuid router)
{
	const struct vpn_gateway *g = engine_get_vpn_gateway(op->head, router);
	if (!g || uuid_is_none(g->address))
		return OK;
	struct vpn_gateway_target target = {
		.gateway = engine_ref_to(op, KIND_VPN_GATEWAY, g->row.id, STR("id")), .is_forced = true};
	TRY(end_connections(op, g->row.id));
	return engine_delete_vpn_gateway(op, &target);
}

/* ---- connections ---- */

static bool has_address(const struct op *op, const struct vpn_gateway *g)
{
	for (const struct vpn_connection *c = engine_next_vpn_connection(op->head, g->row.id, NULL); c;
	     c = engine_next_vpn_connection(op->head, g->row.id, c))
		for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(op->head, c->row.id); n;
		     n = vpn_tunnel_next_by_connection(op->head, n))
			if (uuid_equal(n->address, g->address))
				return false;
	return !uuid_is_none(g->address);
}

static RESULT check_pair(struct op *op, const struct site_connection_wish *wish,
			 const struct customer_gateway *customer, const struct vpn_gateway *g)
{
	if (uuid_is_none(g->router))
		return ctx_fail_field(op->ctx, ERR_INVALID, wish->vpn_gateway.field,
				      "The VPN gateway is not attached to a VPC.");
	if (!customer->key.n)
		return ctx_fail_field(op->ctx, ERR_INVALID, wish->customer_gateway.field,
				      "The customer gateway has no pre-shared key. Set one with "
				      "updateVpnCustomerGateway.");
	if (!uuid_equal(customer->account, g->account))
		return ctx_fail_field(op->ctx, ERR_INVALID, wish->customer_gateway.field,
				      "VPN connection can only be esitablished between same account's VPN "
				      "gateway and customer gateway!");
	for (const struct vpn_connection *c = engine_next_vpn_connection(op->head, g->row.id, NULL); c;
	     c = engine_next_vpn_connection(op->head, g->row.id, c))
		if (c->follows_customer && uuid_equal(c->customer_gateway, customer->row.id))
			return ENGINE_FAIL(
				op, ERR_EXISTS, KIND_VPN_CONNECTION, wish->customer_gateway.field,
				"The vpn connection with customer gateway id %" STR_FMT
				" and vpn gateway id %" STR_FMT " already existed!",
				STR_ARG(engine_write_id(op, KIND_CUSTOMER_GATEWAY, customer->row.id)),
				STR_ARG(engine_write_id(op, KIND_VPN_GATEWAY, g->row.id)));
	return check_overlaps(op, customer, g, UUID_NONE);
}

RESULT engine_create_site_connection(struct op *op, struct site_connection_wish *wish)
{
	static const char permission[] = "vpn.create_connection";
	const struct customer_gateway *customer = NULL;
	const struct vpn_gateway *g = NULL;
	TRY(engine_permit_customer_gateway(op, &wish->customer_gateway, permission, &customer));
	TRY(vpn_check_customer(op, customer, wish->customer_gateway.field));
	TRY(engine_permit_vpn_gateway(op, &wish->vpn_gateway, permission, &g));
	TRY(check_pair(op, wish, customer, g));
	struct vpn_connection made = {.row = {.id = engine_new_id(op, KIND_VPN_CONNECTION), .gen = 1},
				      .account = g->account,
				      .vpn_gateway = g->row.id,
				      .customer_gateway = customer->row.id,
				      .follows_customer = true};
	struct vpn_tunnel tunnel = {.row.id = engine_new_id(op, KIND_VPN_TUNNEL),
				    .startup = wish->is_passive ? VPN_TUNNEL_STARTUP_ADD
								: VPN_TUNNEL_STARTUP_START};
	TRY(set_options(op, customer, &tunnel));
	if (has_address(op, g)) {
		tunnel.address = g->address;
		tunnel.outside_ip = address_find(op->head, g->address)->ip;
	}
	struct cidrs blocks = customer->remote_cidrs;
	TRY(vpn_connection_make(op, &made, &tunnel, 1, STR_NONE));
	TRY(vpn_add_routes(op, &made, &blocks));
	wish->connection = made.row.id;
	return OK;
}

RESULT engine_reset_vpn_connection(struct op *op, struct vpn_connection_target *wish)
{
	const struct vpn_connection *c = NULL;
	TRY(engine_permit_vpn_connection(op, &wish->connection, "vpn.reset_connection", &c));
	for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(op->head, c->row.id); n;
	     n = vpn_tunnel_next_by_connection(op->head, n)) {
		struct vpn_tunnel next = *n;
		next.resets++;
		next.row.gen++;
		TRY(vpn_tunnel_put(op, &next));
	}
	return engine_log_event(op, KIND_VPN_CONNECTION, &c->row, "reset", "VPN connection.");
}
