/* SPDX-License-Identifier: Apache-2.0
 * IPsec site connections of Neutron: VPN connections of one tunnel, whose options are those of two policies. Source of the rules and
 * their order: VpnReferenceValidator of neutron_vpnaas. A customer gateway for the peer's address is made and ended with each. */
#include <inttypes.h>

#include "engine/acting.h"
#include "engine/limits.h"
#include "engine/network/subnet_internal.h"
#include "engine/tombstone.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpn_internal.h"
#include "engine/vpn/vpnaas.h"
#include "store/customer_gateway.h"
#include "store/ike_policy.h"
#include "store/ipsec_policy.h"
#include "store/vpn_connection.h"
#include "store/vpn_endpoint_group.h"
#include "store/vpn_gateway.h"
#include "store/vpn_route.h"
#include "store/vpn_service.h"
#include "store/vpn_tunnel.h"

enum {
	DPD_INTERVAL_S = 30,
	DPD_TIMEOUT_S = 120,
	MTU = 1500,
	MTU_MIN = 68, /* of IPv4: RFC 791 */
	MARGIN_PART = 4,
	PAIRS_MAX = 64,
};

#define REFUSE(op, err, rule, ...) ENGINE_FAIL(op, err, KIND_VPN_CONNECTION, STR(rule), __VA_ARGS__)

uuid engine_get_vpn_daemon(const struct vpn_tunnel *tunnel)
{
	return uuid_is_none(tunnel->service) ? tunnel->row.id : tunnel->service;
}

uuid engine_get_ipsec_tunnel(const struct tables *t, uuid connection)
{
	const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, connection);
	return n ? n->row.id : UUID_NONE;
}

/* ---- traffic selectors ---- */

bool engine_list_vpn_selectors(struct arena *a, const struct tables *t, const struct vpn_connection *c,
			       struct cidrs *ret_own, struct cidrs *ret_theirs)
{
	const struct vpn_service *s = vpn_service_find(t, c->service);
	const struct vpn_endpoint_group *local = vpn_endpoint_group_find(t, c->local_group),
					*peer = vpn_endpoint_group_find(t, c->peer_group);
	size_t most = local ? local->subnets.count : 1, count = 0;
	struct cidr *own = arena_new_array(a, struct cidr, most + 1);
	if (!own)
		return false;
	for (size_t k = 0; k < most; k++) {
		struct cidr block = subnet_get_block(t, local ? local->subnets.at[k]
							: s   ? s->subnet
							      : UUID_NONE);
		if (!cidr_is_none(block))
			own[count++] = block;
	}
	*ret_own = (struct cidrs){own, count};
	*ret_theirs = peer ? peer->blocks : c->peer_cidrs;
	return true;
}

/* ---- the request ---- */

static void set_text(const struct str *from, struct str *to)
{
	if (from)
		*to = *from;
}

static RESULT read_blocks(struct op *op, const struct strs *texts, struct cidrs *ret_blocks)
{
	struct cidr *at = arena_new_array(op->ctx->arena, struct cidr, texts->count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < texts->count; k++)
		if (!result_is_ok(cidr_parse(texts->at[k], &at[k])) || !cidr_is_canonical(at[k]))
			return REFUSE(op, ERR_INVALID, "peer_cidr",
				      "ipsec_site_connection peer cidr %" STR_FMT " is invalid CIDR",
				      STR_ARG(texts->at[k]));
	*ret_blocks = (struct cidrs){at, texts->count};
	return OK;
}

static RESULT find_group(struct op *op, const struct ref *ref, const char *permission, uuid *ret_group)
{
	const struct vpn_endpoint_group *g = NULL;
	*ret_group = UUID_NONE;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_permit_vpn_endpoint_group(op, ref, permission, &g));
	*ret_group = g->row.id;
	return OK;
}

static enum vpn_connection_dpd_action read_action(struct str word)
{
	int k = 0;
	while (k < VPN_CONNECTION_DPD_ACTION_RESTART_BY_PEER &&
	       !str_is(word, vpn_connection_dpd_action_words[k]))
		k++;
	return (enum vpn_connection_dpd_action) k;
}

static RESULT set(struct op *op, struct vpn_connection *c, const struct ipsec_connection_settings *s,
		  const char *permission)
{
	set_text(s->name, &c->name);
	set_text(s->description, &c->description);
	set_text(s->peer_id, &c->peer_id);
	set_text(s->local_id, &c->local_id);
	if (s->initiator)
		c->is_passive = str_is(*s->initiator, "response-only");
	if (s->dpd_action)
		c->dpd_action = read_action(*s->dpd_action);
	if (s->dpd_interval_s)
		c->dpd_interval_s = *s->dpd_interval_s;
	if (s->dpd_timeout_s)
		c->dpd_timeout_s = *s->dpd_timeout_s;
	if (s->mtu)
		c->mtu = *s->mtu;
	choice_apply(s->is_down, &c->is_down);
	if (s->local_group)
		TRY(find_group(op, s->local_group, permission, &c->local_group));
	if (s->peer_group)
		TRY(find_group(op, s->peer_group, permission, &c->peer_group));
	return s->peer_cidrs ? read_blocks(op, s->peer_cidrs, &c->peer_cidrs) : OK;
}

/* ---- rules ---- */

/* Either peer CIDRs and the service's subnet, or two endpoint groups. */
static RESULT check_mode(struct op *op, const struct vpn_connection *c, const struct vpn_service *s)
{
	bool has_local = !uuid_is_none(c->local_group), has_peer = !uuid_is_none(c->peer_group);
	if (!uuid_is_none(s->subnet)) {
		if (!c->peer_cidrs.count)
			return REFUSE(op, ERR_INVALID, "missing_cidrs",
				      "Missing peer CIDRs for IPsec site-to-site connection");
		if (has_local || has_peer)
			return REFUSE(op, ERR_INVALID, "group",
				      "Endpoint group%s %s cannot be specified, when VPN Service has subnet "
				      "specified",
				      has_local && has_peer ? "s" : "",
				      !has_peer   ? "local"
				      : has_local ? "local and peer"
						  : "peer");
		return OK;
	}
	if (c->peer_cidrs.count)
		return REFUSE(op, ERR_INVALID, "cidrs",
			      "Peer CIDRs cannot be specified, when using endpoint groups");
	if (!has_local || !has_peer)
		return REFUSE(op, ERR_INVALID, "missing_group",
			      "Missing endpoint group%s %s for IPSec site-to-site connection",
			      has_local || has_peer ? "" : "s",
			      has_peer    ? "local"
			      : has_local ? "peer"
					  : "local and peer");
	return OK;
}

static RESULT check_type(struct op *op, uuid group, enum vpn_endpoint_group_type type)
{
	const struct vpn_endpoint_group *g = vpn_endpoint_group_find(op->head, group);
	if (!g || g->type == type)
		return OK;
	return REFUSE(op, ERR_INVALID, "group_type",
		      "Endpoint group %" STR_FMT " type is '%s' and should be '%s'",
		      STR_ARG(engine_write_id(op, KIND_VPN_ENDPOINT_GROUP, group)),
		      vpn_endpoint_group_type_words[g->type], vpn_endpoint_group_type_words[type]);
}

static RESULT check_subnets(struct op *op, const struct vpn_connection *c, const struct vpn_service *s)
{
	const struct vpn_endpoint_group *g = vpn_endpoint_group_find(op->head, c->local_group);
	for (size_t k = 0; g && k < g->subnets.count; k++)
		TRY(vpn_check_attached(op, s->router, g->subnets.at[k]));
	return OK;
}

static size_t count_ipv6(const struct cidrs *blocks)
{
	size_t count = 0;
	for (size_t k = 0; k < blocks->count; k++)
		count += blocks->at[k].base.family == IP_V6;
	return count;
}

static RESULT check_family(struct op *op, const struct cidrs *blocks, uuid group, size_t *ret_ipv6)
{
	*ret_ipv6 = count_ipv6(blocks);
	if (*ret_ipv6 == 0 || *ret_ipv6 == blocks->count)
		return OK;
	if (uuid_is_none(group))
		return REFUSE(
			op, ERR_INVALID, "mixed_cidrs",
			"Peer CIDRs do not have the same IP version, as required for IPSec site-to-site "
			"connection");
	return REFUSE(op, ERR_INVALID, "mixed_group",
		      "Endpoints in group %" STR_FMT
		      " do not have the same IP version, as required for IPSec site-to-site connection",
		      STR_ARG(engine_write_id(op, KIND_VPN_ENDPOINT_GROUP, group)));
}

static RESULT check_families(struct op *op, const struct vpn_connection *c)
{
	struct cidrs own, theirs;
	size_t own_ipv6 = 0, their_ipv6 = 0;
	if (!engine_list_vpn_selectors(op->ctx->arena, op->head, c, &own, &theirs))
		return ctx_no_memory(op->ctx);
	TRY(check_family(op, &own, c->local_group, &own_ipv6));
	TRY(check_family(op, &theirs, c->peer_group, &their_ipv6));
	if (!own_ipv6 != !their_ipv6)
		return REFUSE(op, ERR_INVALID, "mixed",
			      "IP versions are not compatible between peer and local endpoints");
	if (own_ipv6)
		return ctx_fail_field(op->ctx, ERR_UNSUPPORTED, STR("peer_cidrs"),
				      "Invalid input for operation: IPv6 within tunnels is not supported.");
	/* With IKEv1 each pair is a security association of its own, and the daemon's configuration has a limit. */
	const struct ike_policy *ike = ike_policy_find(op->head, c->ike_policy);
	return !ike || ike->is_v2 || own.count * theirs.count <= PAIRS_MAX
		       ? OK
		       : ctx_fail_field(op->ctx, ERR_UNSUPPORTED, STR("peer_cidrs"),
					"Invalid input for operation: with IKEv1 a connection has at most %d "
					"pairs of "
					"local and peer endpoints. Use IKEv2.",
					PAIRS_MAX);
}

static RESULT check_numbers(struct op *op, const struct vpn_connection *c)
{
	if (c->dpd_timeout_s <= c->dpd_interval_s)
		return REFUSE(op, ERR_INVALID, "dpd",
			      "ipsec_site_connection dpd_timeout is equal to or less than dpd_interval");
	if (c->mtu && c->mtu < MTU_MIN)
		return REFUSE(op, ERR_INVALID, "mtu",
			      "ipsec_site_connection MTU %" PRId64 " is too small for ipv4", c->mtu);
	return OK;
}

/* Identities stand in the daemon's configuration without quotes. */
static RESULT check_identity(struct op *op, struct str id, const char *field)
{
	bool fits = true;
	for (size_t k = 0; k < id.n; k++) {
		char at = id.p[k];
		fits = fits &&
		       ((at >= 'a' && at <= 'z') || (at >= 'A' && at <= 'Z') || (at >= '0' && at <= '9') ||
			at == '.' || at == '-' || at == '_' || at == ':' || at == '@');
	}
	return fits ? OK
		    : ctx_fail_field(op->ctx, ERR_INVALID, str_from(field),
				     "Invalid input for %s. Reason: an identity has letters, digits and the "
				     "characters . - _ : @ only.",
				     field);
}

static RESULT check(struct op *op, const struct vpn_connection *c)
{
	const struct vpn_service *s = vpn_service_find(op->head, c->service);
	TRY(check_mode(op, c, s));
	TRY(check_type(op, c->local_group, VPN_ENDPOINT_GROUP_TYPE_SUBNET));
	TRY(check_subnets(op, c, s));
	TRY(check_type(op, c->peer_group, VPN_ENDPOINT_GROUP_TYPE_CIDR));
	TRY(check_families(op, c));
	TRY(check_numbers(op, c));
	TRY(check_identity(op, c->peer_id, "peer_id"));
	return check_identity(op, c->local_id, "local_id");
}

/* Names are not resolved: the answer could change between two starts of the daemon. */
static RESULT read_peer(struct op *op, const struct vpn_service *s, struct str text, struct ip *ret_ip)
{
	if (!result_is_ok(ip_parse(text, ret_ip)))
		return REFUSE(op, ERR_INVALID, "peer_address", "Peer address %" STR_FMT " cannot be resolved",
			      STR_ARG(text));
	return ret_ip->family == IP_V4 ? OK
				       : REFUSE(op, ERR_INVALID, "peer_family",
						"Router's %" STR_FMT " external network has no IPv6 subnet",
						STR_ARG(engine_write_id(op, KIND_ROUTER, s->router)));
}

/* ---- the tunnel ---- */

static RESULT list_of(struct op *op, struct str word, struct strs *ret_list)
{
	struct str *at = arena_new_object(op->ctx->arena, struct str);
	if (!at || !word.p)
		return ctx_no_memory(op->ctx);
	*at = word;
	*ret_list = (struct strs){at, 1};
	return OK;
}

/* "aes-128-gcm-16" is a tunnel's AES128-GCM-16. */
static struct str cipher_of(struct op *op, struct str word)
{
	static const char aes[] = "aes-";
	size_t dash = str_starts_with(word, str_from(aes)) ? sizeof aes - 2 : word.n, n = 0;
	char *at = arena_alloc(op->ctx->arena, word.n);
	for (size_t k = 0; at && k < word.n; k++)
		if (k != dash)
			at[n++] = (char) (word.p[k] >= 'a' && word.p[k] <= 'z' ? word.p[k] - 'a' + 'A'
									       : word.p[k]);
	return (struct str){at, n};
}

static struct str hash_of(struct str word)
{
	static const struct {
		const char *asked, *own;
	} hashes[] = {{"sha1", "SHA1"},       {"sha256", "SHA2-256"},   {"sha384", "SHA2-384"},
		      {"sha512", "SHA2-512"}, {"aes-xcbc", "AES-XCBC"}, {"aes-cmac", "AES-CMAC"}};
	size_t k = 0, last = sizeof hashes / sizeof hashes[0] - 1;
	while (k < last && !str_is(word, hashes[k].asked))
		k++;
	return str_from(hashes[k].own);
}

/* "group14" is a tunnel's 14. */
static struct str group_of(struct str word)
{
	static const char group[] = "group";
	return str_slice(word, sizeof group - 1, word.n);
}

static enum vpn_tunnel_dpd_action action_of(const struct vpn_connection *c)
{
	if (c->dpd_interval_s == 0 || c->dpd_action == VPN_CONNECTION_DPD_ACTION_DISABLED)
		return VPN_TUNNEL_DPD_ACTION_NONE;
	/* A held connection comes back by itself: with ESP in user space no trap of the kernel waits for traffic. */
	if (c->dpd_action == VPN_CONNECTION_DPD_ACTION_CLEAR ||
	    (c->dpd_action == VPN_CONNECTION_DPD_ACTION_HOLD && c->is_passive))
		return VPN_TUNNEL_DPD_ACTION_CLEAR;
	return VPN_TUNNEL_DPD_ACTION_RESTART;
}

static RESULT set_options(struct op *op, const struct vpn_connection *c, struct vpn_tunnel *n)
{
	const struct ike_policy *ike = ike_policy_find(op->head, c->ike_policy);
	const struct ipsec_policy *esp = ipsec_policy_find(op->head, c->ipsec_policy);
	TRY(list_of(op, cipher_of(op, ike->encryption), &n->phase1_encryption));
	TRY(list_of(op, hash_of(ike->auth), &n->phase1_integrity));
	TRY(list_of(op, group_of(ike->pfs), &n->phase1_groups));
	TRY(list_of(op, cipher_of(op, esp->encryption), &n->phase2_encryption));
	TRY(list_of(op, hash_of(esp->auth), &n->phase2_integrity));
	TRY(list_of(op, group_of(esp->pfs), &n->phase2_groups));
	TRY(list_of(op, ike->is_v2 ? STR("ikev2") : STR("ikev1"), &n->ike_versions));
	n->is_aggressive = ike->is_aggressive;
	n->phase1_lifetime_s = ike->lifetime_s;
	n->phase2_lifetime_s = esp->lifetime_s;
	int64_t least = ike->lifetime_s < esp->lifetime_s ? ike->lifetime_s : esp->lifetime_s;
	n->rekey_margin_s =
		least < MARGIN_PART * VPN_REKEY_MARGIN_S ? least / MARGIN_PART : VPN_REKEY_MARGIN_S;
	n->dpd_action = action_of(c);
	n->dpd_delay_s = c->dpd_interval_s;
	n->dpd_timeout_s = c->dpd_timeout_s;
	n->startup = c->is_passive ? VPN_TUNNEL_STARTUP_ADD : VPN_TUNNEL_STARTUP_START;
	return OK;
}

static RESULT lead_to_site(struct op *op, const struct vpn_connection *c)
{
	const struct vpn_route *route = vpn_route_first_by_connection(op->head, c->row.id), *following = NULL;
	struct cidrs own, theirs;
	for (; route; route = following) {
		following = vpn_route_next_by_connection(op->head, route);
		TRY(vpn_route_forget(op, route->row.id));
	}
	if (!engine_list_vpn_selectors(op->ctx->arena, op->head, c, &own, &theirs))
		return ctx_no_memory(op->ctx);
	return vpn_add_routes(op, c, &theirs);
}

/* ---- operations ---- */

static RESULT make_customer(struct op *op, const struct vpn_connection *c, struct ip peer, uuid *ret_gateway)
{
	struct customer_gateway made = {.row = {.id = engine_new_id(op, KIND_CUSTOMER_GATEWAY), .gen = 1},
					.account = c->account,
					.ip = peer,
					.device_name = c->name,
					.asn = VPN_CUSTOMER_ASN_DEFAULT,
					.is_of_connection = true};
	TRY(engine_permit_new(op, "vpn.create_customer_gateway", KIND_CUSTOMER_GATEWAY, &made.row));
	TRY(limit_check(op, LIMIT_CUSTOMER_GATEWAYS, c->account, 1, STR_NONE));
	TRY(customer_gateway_put(op, &made));
	*ret_gateway = made.row.id;
	return engine_log_event(op, KIND_CUSTOMER_GATEWAY, &made.row, "created", "Customer gateway.");
}

static RESULT find_parts(struct op *op, struct ipsec_connection_wish *wish, struct vpn_connection *made)
{
	static const char permission[] = "vpn.create_connection";
	const struct vpn_service *s = NULL;
	const struct ike_policy *ike = NULL;
	const struct ipsec_policy *esp = NULL;
	TRY(engine_find_owner_id(op, &wish->account, &made->account));
	TRY(engine_permit_vpn_service(op, &wish->service, permission, &s));
	TRY(engine_permit_ike_policy(op, &wish->ike_policy, permission, &ike));
	TRY(engine_permit_ipsec_policy(op, &wish->ipsec_policy, permission, &esp));
	made->service = s->row.id;
	made->ike_policy = ike->row.id;
	made->ipsec_policy = esp->row.id;
	return OK;
}

RESULT engine_create_ipsec_connection(struct op *op, struct ipsec_connection_wish *wish)
{
	struct vpn_connection made = {.row = {.id = engine_new_id(op, KIND_VPN_CONNECTION), .gen = 1},
				      .mtu = MTU,
				      .dpd_interval_s = DPD_INTERVAL_S,
				      .dpd_timeout_s = DPD_TIMEOUT_S};
	struct ip peer;
	TRY(find_parts(op, wish, &made));
	TRY(set(op, &made, &wish->set, "vpn.create_connection"));
	TRY(check(op, &made));
	const struct vpn_service *s = vpn_service_find(op->head, made.service);
	TRY(read_peer(op, s, *wish->set.peer_address, &peer));
	struct vpn_tunnel tunnel = {.row.id = wish->set.key_row,
				    .service = s->row.id,
				    .key = *wish->set.key,
				    .link = s->link,
				    .address = s->address,
				    .outside_ip = s->outside_ip};
	TRY(set_options(op, &made, &tunnel));
	made.vpn_gateway = engine_get_vpn_gateway(op->head, s->router)->row.id;
	TRY(make_customer(op, &made, peer, &made.customer_gateway));
	TRY(vpn_connection_make(op, &made, &tunnel, 1, STR_NONE));
	TRY(lead_to_site(op, &made));
	wish->made = made.row.id;
	return OK;
}

static RESULT find_live(struct op *op, const struct ref *ref, const char *permission,
			const struct vpn_connection **ret_connection)
{
	TRY(engine_permit_vpn_connection(op, ref, permission, ret_connection));
	return uuid_is_none((*ret_connection)->service)
		       ? engine_fail_not_found(op->ctx, KIND_VPN_CONNECTION, ref)
		       : OK;
}

static RESULT update_tunnel(struct op *op, const struct vpn_connection *c,
			    const struct ipsec_connection_settings *s, struct str field)
{
	struct vpn_tunnel next = *vpn_tunnel_first_by_connection(op->head, c->row.id);
	if (s->key && !uuid_equal(next.row.id, s->key_row))
		return ENGINE_FAIL(op, ERR_AGAIN, KIND_VPN_CONNECTION, field,
				   "The connection has changed meanwhile.");
	if (s->key)
		next.key = *s->key;
	TRY(set_options(op, c, &next));
	next.row.gen++;
	return vpn_tunnel_put(op, &next);
}

RESULT engine_update_ipsec_connection(struct op *op, struct ipsec_connection_wish *wish)
{
	const struct vpn_connection *c = NULL;
	struct ip peer;
	TRY(find_live(op, &wish->connection, "vpn.update_connection", &c));
	struct vpn_connection next = *c;
	TRY(set(op, &next, &wish->set, "vpn.update_connection"));
	TRY(check(op, &next));
	if (wish->set.peer_address) {
		TRY(read_peer(op, vpn_service_find(op->head, next.service), *wish->set.peer_address, &peer));
		struct customer_gateway customer = *customer_gateway_find(op->head, next.customer_gateway);
		customer.ip = peer;
		customer.row.gen++;
		TRY(customer_gateway_put(op, &customer));
	}
	next.row.gen++;
	TRY(vpn_connection_put(op, &next));
	TRY(lead_to_site(op, &next));
	TRY(update_tunnel(op, &next, &wish->set, wish->connection.field));
	wish->made = next.row.id;
	return engine_log_event(op, KIND_VPN_CONNECTION, &next.row, "changed", "VPN connection.");
}

RESULT engine_delete_ipsec_connection(struct op *op, struct ipsec_connection_target *wish)
{
	const struct vpn_connection *c = NULL;
	TRY(find_live(op, &wish->connection, "vpn.delete_connection", &c));
	struct vpn_connection_target target = {wish->connection};
	return engine_delete_vpn_connection(op, &target);
}

RESULT vpn_leave_service(struct op *op, const struct vpn_connection *c)
{
	struct vpn_connection next = *c;
	next.service = next.ike_policy = next.ipsec_policy = next.local_group = next.peer_group = UUID_NONE;
	return vpn_connection_put(op, &next);
}

RESULT vpn_end_customer(struct op *op, uuid customer)
{
	const struct customer_gateway *g = customer_gateway_find(op->head, customer);
	if (!g || !g->is_of_connection || !row_is_live(&g->row))
		return OK;
	TRY(engine_log_event(op, KIND_CUSTOMER_GATEWAY, &g->row, "deleted", "Customer gateway."));
	return tombstone_leave(op, KIND_CUSTOMER_GATEWAY, &g->row, CUSTOMER_GATEWAY_INDEX_ACCOUNT);
}
