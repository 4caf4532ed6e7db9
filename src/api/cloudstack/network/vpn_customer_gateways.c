/* SPDX-License-Identifier: Apache-2.0
 * Customer gateways of site-to-site VPN: the device at the other site, its key, policies and blocks. Sources:
 * CreateVpnCustomerGatewayCmd, Site2SiteCustomerGatewayResponse. */
#include "api/cloudstack/network/network.h"
#include "auth/key/key.h"
#include "engine/resolve.h"
#include "engine/vpn/vpn.h"
#include "model/id.h"
#include "store/customer_gateway.h"

/* ---- members that connections show, too ---- */

static struct str get_blocks(struct api_call *e, const struct row *row)
{
	return cs_write_blocks(e, customer_gateway_of(row)->remote_cidrs);
}

/* Shows the key in calls alone that the audit log records: a job's result is read by calls that mostly show none. */
static struct str get_key(struct api_call *e, const struct row *row)
{
	struct ctx quiet;
	struct str key = STR_NONE, sealed = customer_gateway_of(row)->key;
	ctx_init(&quiet, e->c->arena);
	if (sealed.n)
		api_audit(e);
	return sealed.n && e->audit &&
			       result_is_ok(key_open(&quiet, e->config->master_key, row->id, sealed, &key))
		       ? key
		       : STR_NONE;
}

static struct str get_version(struct api_call *e, const struct row *row)
{
	enum customer_gateway_ike_version version = customer_gateway_of(row)->ike_version;
	(void) e;
	return version == CUSTOMER_GATEWAY_IKE_VERSION_UNSET
		       ? STR("ike")
		       : str_from(customer_gateway_ike_version_words[version]);
}

static const struct member site_members[] = {
	MEMBER(struct customer_gateway, "gateway", ip),
	MEMBER_TEXT("cidrlist", get_blocks),
	MEMBER_TEXT("ipsecpsk", get_key),
	MEMBER(struct customer_gateway, "ikepolicy", ike_policy),
	MEMBER(struct customer_gateway, "esppolicy", esp_policy),
	MEMBER(struct customer_gateway, "ikelifetime", ike_lifetime_s),
	MEMBER(struct customer_gateway, "esplifetime", esp_lifetime_s),
	MEMBER(struct customer_gateway, "dpd", dpd),
	MEMBER(struct customer_gateway, "forceencap", forces_encap),
	MEMBER_FIXED("splitconnections", "false"),
	MEMBER_TEXT("ikeversion", get_version),
};
const struct members cs_vpn_site_members = MEMBERS(site_members);

/* ---- listVpnCustomerGateways ---- */

struct list_gateways {
	struct cs_list_args list;
	struct ref project;
};
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_gateways, KIND_CUSTOMER_GATEWAY),
	CS_OWNER_PARAMS(struct list_gateways),
	CS_PROJECT_PARAM(struct list_gateways, project),
};

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	(void) e;
	(void) args;
	return row_is_live(row);
}

static struct str get_name(struct api_call *e, const struct row *row)
{
	const struct customer_gateway *g = customer_gateway_of(row);
	(void) e;
	return g->name.n ? g->name : g->device_name;
}

static const struct member members[] = {
	MEMBER(struct customer_gateway, "id", row.id),
	MEMBER_TEXT("name", get_name),
	MEMBER_ALL(cs_vpn_site_members),
	CS_OWNER_MEMBERS(customer_gateway),
};
static const struct api_listing gateways = CS_LISTING(KIND_CUSTOMER_GATEWAY, "vpncustomergateway", members,
						      .get_name = get_name, .matches = matches);

/* ---- changes ---- */

struct put_gateway {
	struct site_wish wish;
	struct cs_owner owner;
	struct strs blocks;
	struct str key, version;
};
#define P(wire, member, ...) PARAM(struct put_gateway, wire, member, __VA_ARGS__)
#define SITE_PARAMS                                                                                          \
	P("name", wish.next.name, .max = 255, .doc = "Name; absent: VPN- and the address."),                 \
		P("gateway", wish.next.ip, .flags = REQUIRED, .doc = "IPv4 address of the device."),         \
		P("cidrlist", blocks, .flags = REQUIRED, .max = CIDR_TEXT_SIZE,                              \
		  .doc = "CIDR blocks behind it."),                                                          \
		P("ipsecpsk", key, .flags = REQUIRED, .max = 128, .doc = "Pre-shared key."),                 \
		P("ikepolicy", wish.next.ike_policy, .flags = REQUIRED, .max = 64,                           \
		  .doc = "Proposal of IKE: aes128-sha256;modp2048."),                                        \
		P("esppolicy", wish.next.esp_policy, .flags = REQUIRED, .max = 64,                           \
		  .doc = "Proposal of ESP: aes128-sha256, or with a group for perfect forward secrecy."),    \
		P("ikelifetime", wish.next.ike_lifetime_s,                                                   \
		  .doc = "Lifetime of IKE in seconds; absent: 86,400."),                                     \
		P("esplifetime", wish.next.esp_lifetime_s,                                                   \
		  .doc = "Lifetime of ESP in seconds; absent: 3,600."),                                      \
		P("dpd", wish.next.dpd, .doc = "Looks for a silent peer, and restarts the tunnel."),         \
		P("forceencap", wish.next.forces_encap, .doc = "Shown; ESP is sent in UDP always."),         \
		P("ikeversion", version, .words = "ike|ikev1|ikev2", .doc = "IKE version; ike: both."),      \
		CS_FOR_PARAMS(struct put_gateway, owner), NOT_BUILT("splitconnections", .only = "false")
static const struct param create_params[] = {SITE_PARAMS};
static const struct param update_params[] = {
	P("id", wish.gateway, .kind = KIND_CUSTOMER_GATEWAY, .flags = REQUIRED,
	  .doc = "The customer gateway."),
	SITE_PARAMS,
};
#undef P

static RESULT read_key(struct cs_call *e, struct put_gateway *a)
{
	for (size_t k = 0; k < a->key.n; k++)
		if (a->key.p[k] == '\n' || a->key.p[k] == '"')
			return cs_fail(e, "ipsecpsk", "The key must not contain newlines or double quotes.");
	return key_seal(e->c, e->config->master_key, a->wish.next.row.id, a->key, &a->wish.next.key);
}

static RESULT read_site(struct cs_call *e, struct put_gateway *a)
{
	for (int k = CUSTOMER_GATEWAY_IKE_VERSION_IKE; k <= CUSTOMER_GATEWAY_IKE_VERSION_IKEV2; k++)
		if (str_is(a->version, customer_gateway_ike_version_words[k]))
			a->wish.next.ike_version = (enum customer_gateway_ike_version) k;
	TRY(cs_read_blocks(e, "cidrlist", "The customer gateway peer cidr list ",
			   " contains an invalid cidr!", &a->blocks, &a->wish.next.remote_cidrs));
	return read_key(e, a);
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct put_gateway *a = args;
	a->wish.next.row.id = id_new(KIND_CUSTOMER_GATEWAY);
	cs_audit(e);
	return read_site(e, a);
}

static RESULT prepare_update(struct cs_call *e, void *args)
{
	struct put_gateway *a = args;
	const struct customer_gateway *present = NULL;
	TRY(engine_find_own_customer_gateway(e->c, cs_tables(e), &a->wish.gateway, &present));
	a->wish.next.row.id = present->row.id;
	return read_site(e, a);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listVpnCustomerGateways", "ec2:DescribeCustomerGateways"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_gateways, list_params), .listing = &gateways,
	 .doc = "Lists customer gateways of site-to-site VPN."},
	{CS_ACTION("createVpnCustomerGateway", "ec2:CreateCustomerGateway"),
	 .flags = API_WRITES | CS_OF_ACCOUNT | CS_MAKES, .args = PARAMS(struct put_gateway, create_params),
	 .prepare = prepare_create, .operation = engine_create_site_run,
	 CS_SUBJECT(struct put_gateway, wish.made), .shows = &gateways, CS_JOB(NOW),
	 .doc = "Creates a customer gateway with its key, policies and blocks."},
	{CS_ACTION("updateVpnCustomerGateway", "ec2:ModifyCustomerGateway"),
	 .flags = API_WRITES | CS_OF_ACCOUNT | CS_OWNER_OF_ROW,
	 .args = PARAMS(struct put_gateway, update_params), .prepare = prepare_update,
	 .operation = engine_update_site_run, CS_SUBJECT(struct put_gateway, wish.made), .shows = &gateways,
	 CS_JOB(NOW), .doc = "Replaces a customer gateway's settings; its connections follow."},
	{CS_ACTION("deleteVpnCustomerGateway", "ec2:DeleteCustomerGateway"), .flags = API_WRITES,
	 .args = CS_ONE(struct customer_gateway_target, "id", gateway, KIND_CUSTOMER_GATEWAY,
			"The customer gateway."),
	 .operation = engine_delete_customer_gateway_run, CS_JOB(NOW),
	 .doc = "Deletes a customer gateway without connections."},
};
const struct api_actions cs_vpn_customer_gateway_actions = API_ACTIONS(actions);
