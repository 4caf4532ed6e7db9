/* SPDX-License-Identifier: Apache-2.0
 * IKE and IPsec policies. Source: Networking API reference, "VPNaaS"; neutron_lib.api.definitions.vpn and vpn_aes_ctr for the words. */
#include "api/openstack/network/network.h"
#include "engine/vpn/vpnaas.h"
#include "model/ike_policy.h"
#include "model/ipsec_policy.h"

/* ---- members ---- */

#define LIFETIME(T)                                                                                          \
	static const struct attribute T##_lifetime_rows[] = {                                                \
		ATTRIBUTE_CONST("units", "\"seconds\""),                                                     \
		ATTRIBUTE(T, "value", lifetime_s),                                                           \
	};                                                                                                   \
	static const struct attributes T##_lifetime = ATTRIBUTES(T##_lifetime_rows)
LIFETIME(ike_policy);
LIFETIME(ipsec_policy);

#define POLICY_ROWS(T)                                                                                       \
	OS_FIELD(T, "id", row.id),                                                                           \
		ATTRIBUTE_AS(HEX, T, "tenant_id", account, .filter = "tenant_id", .sort = "tenant_id"),      \
		ATTRIBUTE_AS(HEX, T, "project_id", account, .filter = "project_id", .sort = "project_id"),   \
		OS_FIELD(T, "name", name), OS_FILTERED(T, "description", description),                       \
		OS_FILTERED(T, "auth_algorithm", auth), OS_FILTERED(T, "encryption_algorithm", encryption),  \
		OS_FILTERED(T, "pfs", pfs), ATTRIBUTE_WITHIN("lifetime", T##_lifetime)

ATTRIBUTE_GETTER(ike_policy, p, const char *, get_mode, p->is_aggressive ? "aggressive" : "main")
ATTRIBUTE_GETTER(ike_policy, p, const char *, get_version, p->is_v2 ? "v2" : "v1")
static const struct attribute ike_rows[] = {
	POLICY_ROWS(ike_policy),
	ATTRIBUTE_MADE(WORD, word, "phase1_negotiation_mode", get_mode, .filter = "phase1_negotiation_mode"),
	ATTRIBUTE_MADE(WORD, word, "ike_version", get_version, .filter = "ike_version"),
};
static const struct attributes ike_members = ATTRIBUTES(ike_rows);
static const struct attribute ipsec_rows[] = {
	POLICY_ROWS(ipsec_policy),
	ATTRIBUTE_CONST("transform_protocol", "\"esp\"", .filter = "transform_protocol"),
	ATTRIBUTE_CONST("encapsulation_mode", "\"tunnel\"", .filter = "encapsulation_mode"),
};
static const struct attributes ipsec_members = ATTRIBUTES(ipsec_rows);

static const struct os_listing ike_policies = {
	.kind = KIND_IKE_POLICY,
	.items = "ikepolicies",
	.links = "ikepolicies_links",
	.flags = OS_ADMIN_SEES_ALL,
	.attributes = &ike_members,
};
static const struct os_listing ipsec_policies = {
	.kind = KIND_IPSEC_POLICY,
	.items = "ipsecpolicies",
	.links = "ipsecpolicies_links",
	.flags = OS_ADMIN_SEES_ALL,
	.attributes = &ipsec_members,
};

/* ---- parameters ---- */

#define AUTHS "sha1|sha256|sha384|sha512|aes-xcbc|aes-cmac"
#define MODES(mode)                                                                                          \
	"|aes-128-" mode "-8|aes-192-" mode "-8|aes-256-" mode "-8|aes-128-" mode "-12|aes-192-" mode        \
	"-12|aes-256-" mode "-12|aes-128-" mode "-16|aes-192-" mode "-16|aes-256-" mode "-16"
#define CIPHERS                                                                                              \
	"3des|aes-128|aes-192|aes-256" MODES("ccm") MODES("gcm") "|aes-128-ctr|aes-192-ctr|aes-256-ctr"
#define GROUPS                                                                                               \
	"group2|group5|group14|group15|group16|group17|group18|group19|group20|group21|group22|group23|"     \
	"group24|group25|group26|group27|group28|group29|group30|group31"

struct os_lifetime {
	struct str units;
	int64_t value;
};
static const struct param lifetime_rows[] = {
	OS_BODY(struct os_lifetime, "units", units, .words = "seconds", .doc = "Unit: seconds."),
	OS_BODY(struct os_lifetime, "value", value, .min = 60, .max = INT32_MAX, .doc = "Number of them."),
};
static const struct params lifetime_params = OS_PARAMS(struct os_lifetime, lifetime_rows);

struct os_vpn_policy {
	struct vpn_policy_wish wish;
	struct os_lifetime lifetime;
	struct str protocol, encapsulation;
};
#define P(wire, member, ...) OS_BODY(struct os_vpn_policy, wire, member, __VA_ARGS__)
#define POLICY_PARAMS                                                                                        \
	P("name", wish.set.name, .doc = "Name; need not be unique."),                                        \
		P("description", wish.set.description, .doc = "Description: free text."),                    \
		P("auth_algorithm", wish.set.auth, .words = AUTHS, .doc = "Integrity algorithm."),           \
		P("encryption_algorithm", wish.set.encryption, .words = CIPHERS,                             \
		  .doc = "Encryption algorithm."),                                                           \
		P("pfs", wish.set.pfs, .words = GROUPS, .doc = "Diffie-Hellman group."),                     \
		OS_BODY_OBJECT(struct os_vpn_policy, "lifetime", lifetime, lifetime_params,                  \
			       .flags = NULLABLE, .doc = "Lifetime of the security association.")
#define IKE_PARAMS                                                                                           \
	POLICY_PARAMS,                                                                                       \
		P("phase1_negotiation_mode", wish.set.mode, .words = "main|aggressive",                      \
		  .doc = "Mode of IKEv1."),                                                                  \
		P("ike_version", wish.set.version, .words = "v1|v2", .doc = "IKE version.")
#define IPSEC_PARAMS                                                                                         \
	POLICY_PARAMS,                                                                                       \
		P("transform_protocol", protocol, .words = "esp|ah|ah-esp",                                  \
		  .doc = "Must be esp: AH does not pass address translation."),                              \
		P("encapsulation_mode", encapsulation, .words = "tunnel|transport",                          \
		  .doc = "Must be tunnel.")
static const struct param create_ike_params[] = {IKE_PARAMS, OS_PROJECT(struct os_vpn_policy, wish.account)};
static const struct param create_ipsec_params[] = {IPSEC_PARAMS,
						   OS_PROJECT(struct os_vpn_policy, wish.account)};
#define IKE_PATH(T) OS_PATH(T, "ikepolicy_id", wish.policy, .kind = KIND_IKE_POLICY, .doc = "The IKE policy.")
#define IPSEC_PATH(T)                                                                                        \
	OS_PATH(T, "ipsecpolicy_id", wish.policy, .kind = KIND_IPSEC_POLICY, .doc = "The IPsec policy.")
static const struct param update_ike_params[] = {IKE_PATH(struct os_vpn_policy), IKE_PARAMS};
static const struct param update_ipsec_params[] = {IPSEC_PATH(struct os_vpn_policy), IPSEC_PARAMS};

struct os_vpn_policy_target {
	struct vpn_policy_target wish;
};
static const struct param ike_target_params[] = {IKE_PATH(struct os_vpn_policy_target)};
static const struct param ipsec_target_params[] = {IPSEC_PATH(struct os_vpn_policy_target)};

/* In the words of Neutron's driver for strongSwan. */
static RESULT check_only(struct os_call *e, struct str value, const char *only, const char *key)
{
	if (!value.n || str_is(value, only))
		return OK;
	return ctx_fail_kind(e->c, ERR_UNSUPPORTED, KIND_IPSEC_POLICY,
			     "IPSec does not support IPsec Policy attribute %s with value '%" STR_FMT "'",
			     key, STR_ARG(value));
}

static RESULT prepare(struct os_call *e, void *args)
{
	struct os_vpn_policy *a = args;
	a->wish.set.lifetime_s = a->lifetime.value;
	TRY(check_only(e, a->protocol, "esp", "transform_protocol"));
	return check_only(e, a->encapsulation, "tunnel", "encapsulation_mode");
}

/* ---- calls ---- */

#define IKE "/v2.0/vpn/ikepolicies"
#define IPSEC "/v2.0/vpn/ipsecpolicies"
#define ONE(path, variable, name, words, listing, row_kind, target, update, changes, deletes)                \
	{HTTP_GET,                                                                                           \
	 path "/{" variable "}",                                                                             \
	 .permit = "get_" name,                                                                              \
	 .args = OS_PARAMS(struct os_vpn_policy_target, target),                                             \
	 .item = name,                                                                                       \
	 OS_SHOWS(listing, struct os_vpn_policy_target, wish.policy),                                        \
	 .doc = "Shows one " words "."},                                                                     \
		{HTTP_PUT,                                                                                   \
		 path "/{" variable "}",                                                                     \
		 .permit = "update_" name,                                                                   \
		 .flags = API_WRITES,                                                                        \
		 .args = OS_PARAMS(struct os_vpn_policy, update),                                            \
		 .wrap = name,                                                                               \
		 .item = name,                                                                               \
		 .prepare = prepare,                                                                         \
		 .operation = changes,                                                                       \
		 OS_SHOWS(listing, struct os_vpn_policy, wish.made),                                         \
		 .returns = row_kind,                                                                        \
		 .doc = "Changes an " words " that no connection names."},                                   \
	{                                                                                                    \
		HTTP_DELETE, path "/{" variable "}",                                                         \
			.permit = "delete_" name, .flags = API_WRITES, .status = 204,                        \
			.args = OS_PARAMS(struct os_vpn_policy_target, target), .operation = deletes,        \
			.doc = "Deletes an " words " that no connection names."                              \
	}
static const struct os_action actions[] = {
	{HTTP_GET, IKE, .permit = "get_ikepolicy", .list = &ike_policies, .doc = "Lists IKE policies."},
	{HTTP_POST, IKE, .permit = "create_ikepolicy", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_vpn_policy, create_ike_params), .wrap = "ikepolicy", .item = "ikepolicy",
	 .prepare = prepare, .operation = engine_create_ike_policy_run,
	 OS_SHOWS(ike_policies, struct os_vpn_policy, wish.made), .returns = KIND_IKE_POLICY,
	 .doc = "Creates an IKE policy."},
	ONE(IKE, "ikepolicy_id", "ikepolicy", "IKE policy", ike_policies, KIND_IKE_POLICY, ike_target_params,
	    update_ike_params, engine_update_ike_policy_run, engine_delete_ike_policy_run),
	{HTTP_GET, IPSEC, .permit = "get_ipsecpolicy", .list = &ipsec_policies,
	 .doc = "Lists IPsec policies."},
	{HTTP_POST, IPSEC, .permit = "create_ipsecpolicy", .flags = API_WRITES | OS_BULK, .status = 201,
	 .args = OS_PARAMS(struct os_vpn_policy, create_ipsec_params), .wrap = "ipsecpolicy",
	 .item = "ipsecpolicy", .prepare = prepare, .operation = engine_create_ipsec_policy_run,
	 OS_SHOWS(ipsec_policies, struct os_vpn_policy, wish.made), .returns = KIND_IPSEC_POLICY,
	 .doc = "Creates an IPsec policy."},
	ONE(IPSEC, "ipsecpolicy_id", "ipsecpolicy", "IPsec policy", ipsec_policies, KIND_IPSEC_POLICY,
	    ipsec_target_params, update_ipsec_params, engine_update_ipsec_policy_run,
	    engine_delete_ipsec_policy_run),
};
const struct os_actions os_vpn_policy_actions = OS_ACTIONS(OS_NETWORK, actions);
