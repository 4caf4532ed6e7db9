/* SPDX-License-Identifier: Apache-2.0
 * Every row of engine/limits.def: the maximum can be created, one more is refused without side effects, and
 * after a deletion another one is accepted. A limit without a case here fails the test. */
#include "engine/annotation.h"
#include "engine/limits.h"
#include "engine/people/policy/arm_lock.h"
#include "model/subnet_reservation.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/application_credential.h"
#include "store/async_job.h"
#include "store/catalog_entry.h"
#include "store/client_token.h"
#include "store/cloud_migration.h"
#include "store/credential.h"
#include "store/gateway.h"
#include "store/group_member.h"
#include "store/peering.h"
#include "store/policy_version.h"
#include "store/port.h"
#include "store/role_assignment.h"
#include "store/router.h"
#include "store/security_group_association.h"
#include "store/subnet.h"
#include "store/token_revocation.h"
#include "store/user.h"
#include <stdio.h>

#include "base/clock.h"
#include "cloud.h"
#include "engine/backup/backup_plan.h"
#include "engine/deployment.h"
#include "engine/instance/launch/fleet.h"
#include "engine/instance/launch/launch_template.h"
#include "engine/instance/launch/spot.h"
#include "engine/instance/placement/server_group.h"
#include "engine/instance/user_data.h"
#include "engine/job.h"
#include "engine/network/address/address_prefix.h"
#include "engine/network/dhcp_options.h"
#include "engine/network/filter/address_group.h"
#include "engine/network/filter/network_acl.h"
#include "engine/network/filter/security_group_association.h"
#include "engine/network/network.h"
#include "engine/network/network_grant.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/peering.h"
#include "engine/network/subnet_pool.h"
#include "engine/network/subnet_reservation.h"
#include "engine/people/account/account_user.h"
#include "engine/people/account/signup.h"
#include "engine/people/catalog.h"
#include "engine/people/credential/application_credential.h"
#include "engine/people/credential/credential.h"
#include "engine/people/credential/mfa_device.h"
#include "engine/people/credential/oidc_provider.h"
#include "engine/people/credential/public_credential.h"
#include "engine/people/credential/saml_provider.h"
#include "engine/people/credential/second_factor.h"
#include "engine/people/credential/token_revocation.h"
#include "engine/people/policy/iam_role.h"
#include "engine/people/policy/policy.h"
#include "engine/people/policy/role.h"
#include "engine/people/policy/trust.h"
#include "engine/people/user.h"
#include "engine/people/user_group.h"
#include "engine/region/aggregate.h"
#include "engine/remote/migration.h"
#include "engine/remote/provider.h"
#include "engine/remote/remote_machine.h"
#include "engine/reservation/capacity_reservation.h"
#include "engine/resource_group.h"
#include "engine/support/ticket.h"
#include "engine/tombstone.h"
#include "engine/transit/transit.h"
#include "engine/virtual/balancer_set.h"
#include "engine/virtual/peering_side.h"
#include "engine/virtual/port_policy.h"
#include "engine/virtual/route_plan.h"
#include "engine/virtual/source_nat.h"
#include "engine/virtual/virtual_network.h"
#include "store/arm_resource.h"
#include "store/public_credential.h"
#include "store/remote_machine.h"
#include "store/support_ticket.h"
#include "store/target.h"
#include "store/ticket_attachment.h"
#include "store/ticket_message.h"
#include "store/transit_gateway.h"

/* The row that the limit counts at, the parent of the created rows, and the row created last. */
static uuid owner, parent, made, helpers[8];

/* No name twice: several rows make the same kind. */
static struct str numbered(struct cloud *c, const char *what, int n)
{
	static int serial;
	return str_print(c->arena, "%s%d-%d", what, n, serial++);
}

#define MAKE(c, who, operation, wish, out)                                                                   \
	do {                                                                                                 \
		struct result result_ = cloud_run((c), (who), operation##_run, &(wish));                     \
		if (result_is_ok(result_))                                                                   \
			made = (wish).out;                                                                   \
		return result_;                                                                              \
	} while (0)
/* drop_<what>: alice deletes the row with this operation. */
#define DROP(what, operation, T, ...)                                                                        \
	static void drop_##what(struct cloud *c)                                                             \
	{                                                                                                    \
		struct T wish = {__VA_ARGS__};                                                               \
		cloud_ok(c, &c->alice, operation, &wish);                                                    \
	}

static void is_alices(struct cloud *c)
{
	owner = parent = c->alice.account;
}

/* ---- an account's ---- */

#define MADE(name, operation, wish_type, result, ...)                                                        \
	static RESULT make_##name(struct cloud *c, int n)                                                    \
	{                                                                                                    \
		struct wish_type wish = {__VA_ARGS__};                                                       \
		MAKE(c, &c->alice, operation, wish, result);                                                 \
	}

MADE(user, engine_create_account_user, account_user_wish, user, .name = numbered(c, "user", n))
DROP(user, engine_delete_account_user, account_user_target, .user = ref_to(c, KIND_USER, made))

MADE(group, engine_create_account_group, account_group_wish, user_group, .name = numbered(c, "group", n))
DROP(group, engine_delete_account_group, account_group_target, .user_group = ref_to(c, KIND_USER_GROUP, made))

MADE(iam_role, engine_create_iam_role, iam_role_wish, iam_role, .name = numbered(c, "role", n),
     .trust = STR("{}"))
DROP(iam_role, engine_delete_iam_role, iam_role_target, .iam_role = ref_to(c, KIND_IAM_ROLE, made))

MADE(profile, engine_create_instance_profile, instance_profile_wish, instance_profile,
     .name = numbered(c, "profile", n))
DROP(profile, engine_delete_instance_profile, instance_profile_target,
     .instance_profile = ref_to(c, KIND_INSTANCE_PROFILE, made))

MADE(provider, engine_create_oidc_provider, oidc_provider_wish, oidc_provider,
     .url = numbered(c, "issuer.example/", n))
DROP(provider, engine_delete_oidc_provider, oidc_provider_target,
     .oidc_provider = ref_to(c, KIND_OIDC_PROVIDER, made))

MADE(saml_provider, engine_create_saml_provider, saml_provider_wish, saml_provider,
     .name = numbered(c, "provider", n))
DROP(saml_provider, engine_delete_saml_provider, saml_provider_target,
     .saml_provider = ref_to(c, KIND_SAML_PROVIDER, made))

MADE(mfa_device, engine_create_mfa_device, mfa_device_wish, device, .device = id_new(KIND_MFA_DEVICE),
     .name = numbered(c, "device", n))
DROP(mfa_device, engine_delete_mfa_device, mfa_device_target, .device = ref_to(c, KIND_MFA_DEVICE, made))

#include "limits_secrets.h"

static RESULT make_policy(struct cloud *c, int n)
{
	struct policy_wish wish = {.name = numbered(c, "policy", n), .document = STR("{}")};
	MAKE(c, &c->alice, engine_create_policy, wish, policy);
}
DROP(policy, engine_delete_policy, policy_target, .policy = ref_to(c, KIND_POLICY, made))

static RESULT make_gateway(struct cloud *c, int n)
{
	(void) n;
	struct gateway_wish wish = {0};
	MAKE(c, &c->alice, engine_create_gateway, wish, gateway);
}
DROP(gateway, engine_delete_gateway, gateway_target, .gateway = ref_to(c, KIND_GATEWAY, made))

static RESULT make_dhcp_options(struct cloud *c, int n)
{
	struct str name = numbered(c, "example", n);
	const struct dhcp_option option = {STR("domain-name"), {&name, 1}};
	struct dhcp_options_wish wish = {.options = &option, .option_count = 1};
	MAKE(c, &c->alice, engine_create_dhcp_options, wish, dhcp_options);
}
DROP(dhcp_options, engine_delete_dhcp_options, dhcp_options_target,
     .dhcp_options = ref_to(c, KIND_DHCP_OPTIONS, made))

static RESULT make_address_group(struct cloud *c, int n)
{
	struct address_group_wish wish = {.name = numbered(c, "blocks", n)};
	MAKE(c, &c->alice, engine_create_address_group, wish, group);
}
DROP(address_group, engine_delete_address_group, address_group_target,
     .group = ref_to(c, KIND_ADDRESS_GROUP, made))

static RESULT make_subnet_pool(struct cloud *c, int n)
{
	const struct cidr block = cidr_of("10.0.0.0/8");
	struct subnet_pool_wish wish = {.name = numbered(c, "pool", n),
					.prefixes = {(struct cidr *) &block, 1}};
	MAKE(c, &c->alice, engine_create_subnet_pool, wish, pool);
}
DROP(subnet_pool, engine_delete_subnet_pool, subnet_pool_target, .pool = ref_to(c, KIND_SUBNET_POOL, made))

static RESULT make_annotation(struct cloud *c, int n)
{
	struct annotation_wish wish = {.resource = ref_to(c, KIND_ROUTER, c->alice_router),
				       .text = numbered(c, "note", n)};
	MAKE(c, &c->alice, engine_add_annotation, wish, annotation);
}
DROP(annotation, engine_remove_annotation, annotation_target, .annotation = ref_to(c, KIND_ANNOTATION, made))

static RESULT make_user_data(struct cloud *c, int n)
{
	struct user_data_wish wish = {.name = numbered(c, "data", n), .data = STR("#!/bin/true")};
	MAKE(c, &c->alice, engine_create_user_data, wish, user_data);
}
DROP(user_data, engine_delete_user_data, user_data_target, .user_data = ref_to(c, KIND_USER_DATA, made))

#include "limits_azure.h"
#include "limits_providers.h"
#include "limits_tickets.h"

static RESULT make_template(struct cloud *c, int n)
{
	struct launch_template_wish wish = {.name = numbered(c, "template", n), .data = STR("ImageId=ami-1")};
	MAKE(c, &c->alice, engine_create_launch_template, wish, launch_template);
}
DROP(template, engine_delete_launch_template, launch_template_target,
     .launch_template = ref_to(c, KIND_LAUNCH_TEMPLATE, made))

#include "limits_launches.h"
#include "limits_messaging.h"
#include "limits_scaling.h"

/* A template comes with a version, and takes it along. */
static RESULT make_template_version(struct cloud *c, int n)
{
	return make_template(c, n);
}

static RESULT make_token(struct cloud *c, int n)
{
	struct network_acl_wish wish = {.router = ref_to(c, KIND_ROUTER, c->alice_router),
					.client_token = numbered(c, "token", n),
					.digest = STR("d")};
	MAKE(c, &c->alice, engine_create_network_acl, wish, acl);
}
static RESULT forget_tokens(struct op *op, void *arg)
{
	(void) arg;
	const struct client_token *token = client_token_first_by_token(op->head, owner);
	return client_token_forget(op, token->row.id);
}
static void drop_token(struct cloud *c)
{
	cloud_expect(c, cloud_run(c, NULL, forget_tokens, NULL), ERR_NONE, KIND_NONE);
}

static RESULT make_job(struct cloud *c, int n)
{
	struct job_wish wish = {.command = numbered(c, "job", n), .outcome = ASYNC_JOB_OUTCOME_NOW};
	MAKE(c, &c->alice, engine_create_job, wish, job);
}
static RESULT forget_job(struct op *op, void *arg)
{
	(void) arg;
	return async_job_forget(op, async_job_first(op->head)->row.id);
}
static void drop_job(struct cloud *c)
{
	cloud_expect(c, cloud_run(c, NULL, forget_job, NULL), ERR_NONE, KIND_NONE);
}

static RESULT make_deployment(struct cloud *c, int n)
{
	struct deployment_wish wish = {
		.row = {.row.id = id_new(KIND_DEPLOYMENT), .name = numbered(c, "deployment", n)}};
	MAKE(c, &c->alice, engine_create_deployment, wish, deployment);
}
static void drop_deployment(struct cloud *c)
{
	struct deployment_report over = {.deployment = made, .ended = DEPLOYMENT_ENDED_SUCCEEDED};
	struct deployment_target wish = {.deployment = made};
	cloud_ok(c, NULL, engine_note_deployment, &over);
	cloud_ok(c, &c->alice, engine_delete_deployment, &wish);
}

/* ---- a person's, a group's, a domain's ---- */

static uuid new_user(struct cloud *c, const char *name)
{
	struct user_wish wish = {.name = numbered(c, name, 0)};
	cloud_ok(c, &c->operator, engine_create_user, &wish);
	return wish.user;
}

static uuid new_group(struct cloud *c, struct str name)
{
	struct user_group_wish wish = {.name = name};
	cloud_ok(c, &c->operator, engine_create_user_group, &wish);
	return wish.user_group;
}

static void is_alice_herself(struct cloud *c)
{
	owner = c->alice.user;
}

static RESULT make_access_key(struct cloud *c, int n)
{
	struct access_key key = {.row.id = id_new(KIND_ACCESS_KEY),
				 .key_id = numbered(c, "AKIAMADE", n),
				 .secret = STR("sealed")};
	struct access_key_wish wish = {.user = ref_to(c, KIND_USER, owner), .key = &key};
	made = key.row.id;
	return cloud_run(c, &c->alice, engine_create_access_key_run, &wish);
}
static void drop_access_key(struct cloud *c)
{
	const struct access_key *key = access_key_first_by_user(cloud_tables(c), owner);
	struct access_key_target wish = {.key_id = key->key_id};
	cloud_ok(c, &c->alice, engine_delete_access_key, &wish);
}

static RESULT make_credential(struct cloud *c, int n)
{
	struct application_credential_wish wish = {.user = ref_to(c, KIND_USER, owner),
						   .account = ref_to(c, KIND_ACCOUNT, c->alice.account),
						   .name = numbered(c, "credential", n),
						   .secret_hash = STR("h")};
	MAKE(c, &c->alice, engine_create_application_credential, wish, credential);
}
DROP(credential, engine_delete_application_credential, application_credential_target, .credential = made)

static RESULT make_trust(struct cloud *c, int n)
{
	(void) n;
	struct ref reader = ref_named(KIND_ROLE, "reader");
	struct trust_wish wish = {.trustor = ref_to(c, KIND_USER, owner),
				  .trustee = ref_to(c, KIND_USER, c->bob.user),
				  .account = ref_to(c, KIND_ACCOUNT, c->alice.account),
				  .roles = {&reader, 1}};
	MAKE(c, &c->alice, engine_create_trust, wish, trust);
}
DROP(trust, engine_delete_trust, trust_target, .trust = made)

/* With a credential that goes again, and leaves its rule. */
static RESULT make_access_rule(struct cloud *c, int n)
{
	const struct access_rule_words rule = {
		.service = STR("compute"), .path = numbered(c, "/v2.1/", n), .method = STR("GET")};
	struct application_credential_wish wish = {.user = ref_to(c, KIND_USER, owner),
						   .account = ref_to(c, KIND_ACCOUNT, c->alice.account),
						   .name = STR("with a rule"),
						   .access_rules = &rule,
						   .access_rule_count = 1,
						   .secret_hash = STR("h")};
	TRY(cloud_run(c, &c->alice, engine_create_application_credential_run, &wish));
	made = application_credential_find(cloud_tables(c), wish.credential)->access_rules.at[0];
	struct application_credential_target target = {wish.credential};
	return cloud_run(c, &c->alice, engine_delete_application_credential_run, &target);
}
DROP(access_rule, engine_delete_access_rule, access_rule_target, made)

static RESULT make_kept(struct cloud *c, int n)
{
	(void) n;
	struct credential_wish wish = {.id = id_new(KIND_CREDENTIAL),
				       .user = ref_to(c, KIND_USER, owner),
				       .type = STR("cert"),
				       .secret = STR("sealed")};
	made = wish.id;
	return cloud_run(c, &c->alice, engine_create_credential_run, &wish);
}
static void drop_kept(struct cloud *c)
{
	const struct credential *kept = credential_first_by_user(cloud_tables(c), owner);
	struct credential_target wish = {.credential = kept->row.id};
	cloud_ok(c, &c->alice, engine_delete_credential, &wish);
}

static void is_somebody(struct cloud *c)
{
	owner = new_user(c, "somebody");
}

static RESULT join(struct cloud *c, uuid group)
{
	struct membership wish = {ref_to(c, KIND_USER_GROUP, group), ref_to(c, KIND_USER, owner)};
	made = group;
	return cloud_run(c, &c->operator, engine_add_group_member_run, &wish);
}
static RESULT make_membership(struct cloud *c, int n)
{
	return join(c, new_group(c, numbered(c, "members", n)));
}
static RESULT make_own_membership(struct cloud *c, int n)
{
	struct account_group_wish wish = {.name = numbered(c, "own", n)};
	cloud_ok(c, &c->alice, engine_create_account_group, &wish);
	return join(c, wish.user_group);
}
static void drop_membership(struct cloud *c)
{
	const struct group_member *m = group_member_first_by_user(cloud_tables(c), owner);
	struct membership wish = {ref_to(c, KIND_USER_GROUP, m->user_group), ref_to(c, KIND_USER, owner)};
	cloud_ok(c, &c->operator, engine_remove_group_member, &wish);
}

static void is_an_own_user(struct cloud *c)
{
	static int before;
	struct account_user_wish wish = {.name = numbered(c, "owner", before++)};
	cloud_ok(c, &c->alice, engine_create_account_user, &wish);
	owner = wish.user;
}

#include "limits_credentials.h"

static RESULT grant(struct cloud *c, int n, struct role_grant wish)
{
	struct role_wish role = {.name = numbered(c, "granted", n)};
	cloud_ok(c, &c->operator, engine_create_role, &role);
	wish.role = ref_to(c, KIND_ROLE, role.role);
	wish.account = ref_to(c, KIND_ACCOUNT, c->alice.account);
	return cloud_run(c, &c->operator, engine_grant_role_run, &wish);
}
static RESULT make_role_of_user(struct cloud *c, int n)
{
	return grant(c, n, (struct role_grant){.user = ref_to(c, KIND_USER, owner)});
}
static RESULT make_role_of_group(struct cloud *c, int n)
{
	return grant(c, n, (struct role_grant){.user_group = ref_to(c, KIND_USER_GROUP, owner)});
}
static void revoke(struct cloud *c, const struct role_assignment *a, struct role_grant wish)
{
	wish.role = ref_to(c, KIND_ROLE, a->role);
	wish.account = ref_to(c, KIND_ACCOUNT, a->account);
	cloud_ok(c, &c->operator, engine_revoke_role, &wish);
}
static void drop_role_of_user(struct cloud *c)
{
	revoke(c, role_assignment_first_by_user(cloud_tables(c), owner),
	       (struct role_grant){.user = ref_to(c, KIND_USER, owner)});
}
static void drop_role_of_group(struct cloud *c)
{
	revoke(c, role_assignment_first_by_user_group(cloud_tables(c), owner),
	       (struct role_grant){.user_group = ref_to(c, KIND_USER_GROUP, owner)});
}
static void is_a_group(struct cloud *c)
{
	owner = new_group(c, STR("assigned"));
}

static void is_the_domain(struct cloud *c)
{
	(void) c;
	owner = DOMAIN_DEFAULT;
}
static RESULT make_account(struct cloud *c, int n)
{
	struct account_wish wish = {.name = numbered(c, "account", n)};
	MAKE(c, &c->operator, engine_create_account, wish, account);
}
static void drop_account(struct cloud *c)
{
	struct account_target wish = {.account = ref_to(c, KIND_ACCOUNT, made)};
	cloud_ok(c, &c->operator, engine_delete_account, &wish);
}
static RESULT make_domain_user(struct cloud *c, int n)
{
	struct user_wish wish = {.name = numbered(c, "person", n)};
	MAKE(c, &c->operator, engine_create_user, wish, user);
}
static void drop_domain_user(struct cloud *c)
{
	struct user_target wish = {.user = ref_to(c, KIND_USER, made)};
	cloud_ok(c, &c->operator, engine_delete_user, &wish);
}
static RESULT make_domain_group(struct cloud *c, int n)
{
	struct user_group_wish wish = {.name = numbered(c, "people", n)};
	MAKE(c, &c->operator, engine_create_user_group, wish, user_group);
}
static void drop_domain_group(struct cloud *c)
{
	struct user_group_target wish = {.user_group = ref_to(c, KIND_USER_GROUP, made)};
	cloud_ok(c, &c->operator, engine_delete_user_group, &wish);
}

static void is_a_policy(struct cloud *c)
{
	struct policy_wish wish = {.name = STR("versioned"), .document = STR("{}")};
	cloud_ok(c, &c->alice, engine_create_policy, &wish);
	owner = wish.policy;
}
static RESULT make_policy_version(struct cloud *c, int n)
{
	(void) n;
	struct policy_version_wish wish = {.policy = ref_to(c, KIND_POLICY, owner), .document = STR("{}")};
	MAKE(c, &c->alice, engine_create_policy_version, wish, made);
}
static void drop_policy_version(struct cloud *c)
{
	const struct policy_version *v = policy_version_find(cloud_tables(c), made);
	struct policy_version_target wish = {.policy = ref_to(c, KIND_POLICY, owner), .number = v->number};
	cloud_ok(c, &c->alice, engine_delete_policy_version, &wish);
}

/* ---- limits in networks ---- */

static void is_alices_router(struct cloud *c)
{
	owner = c->alice_router;
}
#include "limits_azure_network.h"

static RESULT make_route_table(struct cloud *c, int n)
{
	(void) n;
	struct route_table_wish wish = {.router = ref_to(c, KIND_ROUTER, owner)};
	MAKE(c, &c->alice, engine_create_route_table, wish, route_table);
}
DROP(route_table, engine_delete_route_table, route_table_target,
     .route_table = ref_to(c, KIND_ROUTE_TABLE, made))
static RESULT make_acl(struct cloud *c, int n)
{
	(void) n;
	struct network_acl_wish wish = {.router = ref_to(c, KIND_ROUTER, owner)};
	MAKE(c, &c->alice, engine_create_network_acl, wish, acl);
}
DROP(acl, engine_delete_network_acl, network_acl_target, .acl = ref_to(c, KIND_NETWORK_ACL, made))

static void is_the_main_table(struct cloud *c)
{
	const struct router *router = router_find(cloud_tables(c), c->alice_router);
	owner = router->main_route_table;
	helpers[0] = gateway_first_by_router(cloud_tables(c), router->row.id)->row.id;
}
static struct route_wish a_route(struct cloud *c, int n)
{
	char text[32];
	snprintf(text, sizeof text, "198.51.%d.0/24", n);
	return (struct route_wish){.route_table = ref_to(c, KIND_ROUTE_TABLE, owner),
				   .destination = cidr_of(text),
				   .gateway = ref_to(c, KIND_GATEWAY, helpers[0])};
}
static int last_route;
static RESULT make_route(struct cloud *c, int n)
{
	struct route_wish wish = a_route(c, n);
	struct result result = cloud_run(c, &c->alice, engine_create_route_run, &wish);
	last_route = result_is_ok(result) ? n : last_route;
	return result;
}
static void drop_route(struct cloud *c)
{
	struct route_wish wish = a_route(c, last_route);
	wish.gateway = (struct ref){0};
	cloud_ok(c, &c->alice, engine_delete_route, &wish);
}

#include "limits_balancing.h"
#include "limits_between_vpcs.h"

static void is_a_security_group(struct cloud *c)
{
	struct security_group_wish wish = {.name = numbered(c, "limited", 0), .description = STR("l")};
	cloud_ok(c, &c->alice, engine_create_security_group, &wish);
	owner = wish.group;
}
static RESULT make_rule(struct cloud *c, int n)
{
	const struct rule_wish rule = {6, n, n, cidr_of("0.0.0.0/0")};
	struct rules_wish wish = {
		.group = ref_to(c, KIND_SECURITY_GROUP, owner), .rules = &rule, .rule_count = 1};
	struct result result = cloud_run(c, &c->alice, engine_authorize_rules_run, &wish);
	made = result_is_ok(result) ? wish.made.at[0] : made;
	return result;
}
static void drop_rule(struct cloud *c)
{
	const struct ref rule = ref_to(c, KIND_SECURITY_GROUP_RULE, made);
	struct rules_wish wish = {.group = ref_to(c, KIND_SECURITY_GROUP, owner),
				  .rule_ids = refs_of(c, &rule, 1)};
	cloud_ok(c, &c->alice, engine_revoke_rules, &wish);
}
static RESULT make_association(struct cloud *c, int n)
{
	struct router_wish router = {.block = cidr_of("10.8.0.0/16")};
	(void) n;
	cloud_ok(c, &c->alice, engine_create_router, &router);
	struct security_group_association_wish wish = {ref_to(c, KIND_SECURITY_GROUP, owner),
						       ref_to(c, KIND_ROUTER, router.router)};
	made = router.router;
	return cloud_run(c, &c->alice, engine_associate_security_group_run, &wish);
}
static void drop_association(struct cloud *c)
{
	const struct security_group_association *a =
		security_group_association_first_by_group(cloud_tables(c), owner);
	struct security_group_association_wish wish = {ref_to(c, KIND_SECURITY_GROUP, owner),
						       ref_to(c, KIND_ROUTER, a->router)};
	cloud_ok(c, &c->alice, engine_disassociate_security_group, &wish);
}

static void is_a_network(struct cloud *c)
{
	struct network_wish wish = {.name = STR("shared")};
	cloud_ok(c, &c->alice, engine_create_network, &wish);
	owner = wish.network;
}
#include "limits_trunks.h"

static RESULT make_grant(struct cloud *c, int n)
{
	struct account_wish account = {.name = numbered(c, "granted", n)};
	cloud_ok(c, &c->operator, engine_create_account, &account);
	struct network_grant_wish wish = {.network = ref_to(c, KIND_NETWORK, owner),
					  .target = ref_to(c, KIND_ACCOUNT, account.account)};
	MAKE(c, &c->alice, engine_grant_network, wish, grant);
}
DROP(grant, engine_revoke_network, network_grant_target, .grant = ref_to(c, KIND_NETWORK_GRANT, made))

static void is_a_network_with_subnet(struct cloud *c)
{
	is_a_network(c);
	struct network_subnet_wish wish = {.network = ref_to(c, KIND_NETWORK, owner),
					   .block = cidr_of("10.90.0.0/24")};
	cloud_ok(c, &c->alice, engine_add_subnet, &wish);
}
static RESULT make_port(struct cloud *c, int n)
{
	struct network_port_wish wish = {.network = ref_to(c, KIND_NETWORK, owner),
					 .name = numbered(c, "port", n)};
	MAKE(c, &c->alice, engine_add_port, wish, port);
}
static void drop_port(struct cloud *c)
{
	struct port_target wish = {.port = ref_to(c, KIND_PORT, made)};
	cloud_ok(c, &c->alice, engine_delete_port, &wish);
	struct port_report report = {.port = made};
	cloud_ok(c, NULL, engine_forget_port, &report);
}

static RESULT make_subnet(struct cloud *c, int n)
{
	struct subnet_wish wish = {.router = ref_to(c, KIND_ROUTER, owner),
				   .block = {ip_add(ip_of("172.31.128.0"), 256 * (uint64_t) n), 24}};
	MAKE(c, &c->alice, engine_create_subnet, wish, subnet);
}
static void drop_subnet(struct cloud *c)
{
	struct subnet_target wish = {.subnet = ref_to(c, KIND_SUBNET, made)};
	cloud_ok(c, &c->alice, engine_delete_subnet, &wish);
	struct tombstone forget = {KIND_SUBNET, made};
	cloud_ok(c, NULL, engine_forget_deleted, &forget);
}

static RESULT make_network(struct cloud *c, int n)
{
	struct network_wish wish = {.name = numbered(c, "key", n)};
	MAKE(c, &c->alice, engine_create_network, wish, network);
}
static void drop_network(struct cloud *c)
{
	struct network_target wish = {.network = ref_to(c, KIND_NETWORK, made)};
	cloud_ok(c, &c->alice, engine_delete_network, &wish);
	struct tombstone forget = {KIND_NETWORK, made};
	cloud_ok(c, NULL, engine_forget_deleted, &forget);
}

static void is_a_subnet(struct cloud *c)
{
	const struct subnet *large = subnet_first_by_router(cloud_tables(c), c->alice_router);
	while (large->block.bits > 20) /* as those that were made here are */
		large = subnet_next_by_router(cloud_tables(c), large);
	owner = large->row.id;
}
static RESULT make_reservation(struct cloud *c, int n)
{
	const struct subnet *subnet = subnet_find(cloud_tables(c), owner);
	struct subnet_reservation_wish wish = {
		.subnet = ref_to(c, KIND_SUBNET, owner),
		.block = {ip_add(subnet->block.base, 256 + 16 * (uint64_t) n), 28},
		.type = SUBNET_RESERVATION_TYPE_EXPLICIT};
	MAKE(c, &c->alice, engine_create_subnet_reservation, wish, reservation);
}
DROP(reservation, engine_delete_subnet_reservation, subnet_reservation_target,
     .reservation = ref_to(c, KIND_SUBNET_RESERVATION, made))

/* ---- limits of the region ---- */

static void is_the_region(struct cloud *c)
{
	(void) c;
	owner = UUID_NONE;
}
static RESULT make_role(struct cloud *c, int n)
{
	struct role_wish wish = {.name = numbered(c, "right", n)};
	MAKE(c, &c->operator, engine_create_role, wish, role);
}
static void drop_role(struct cloud *c)
{
	struct role_target wish = {.role = ref_to(c, KIND_ROLE, made)};
	cloud_ok(c, &c->operator, engine_delete_role, &wish);
}
#include "limits_catalog.h"
static RESULT make_aggregate(struct cloud *c, int n)
{
	struct aggregate_wish wish = {.name = numbered(c, "hosts", n)};
	MAKE(c, &c->operator, engine_create_aggregate, wish, aggregate);
}
static void drop_aggregate(struct cloud *c)
{
	struct aggregate_target wish = {.aggregate = ref_to(c, KIND_AGGREGATE, made)};
	cloud_ok(c, &c->operator, engine_delete_aggregate, &wish);
}

static void prepare_signup(struct cloud *c)
{
	struct signup_template_wish wish = {.name = STR("small"), .open = CHOICE_YES};
	is_the_region(c);
	cloud_ok(c, &c->operator, engine_put_signup_template, &wish);
}
static RESULT make_signup(struct cloud *c, int n)
{
	struct signup_wish wish = {.email = numbered(c, "kim@example.com", n), .peer = {.family = IP_V4}};
	MAKE(c, NULL, engine_ask_signup, wish, id);
}
static void drop_signup(struct cloud *c)
{
	struct signup_sweep wish = {.max = 1};
	clock_advance_us(SIGNUP_LIFETIME_US);
	cloud_ok(c, NULL, engine_sweep_signups, &wish);
}

/* ---- each in turn ---- */

static const struct maker {
	void (*prepare)(struct cloud *c);
	RESULT (*make)(struct cloud *c, int n);
	void (*drop)(struct cloud *c);
} makers[LIMIT_COUNT] = {
	[LIMIT_USERS] = {is_alices, make_user, drop_user},
	[LIMIT_USER_GROUPS] = {is_alices, make_group, drop_group},
	[LIMIT_IAM_ROLES] = {is_alices, make_iam_role, drop_iam_role},
	[LIMIT_INSTANCE_PROFILES] = {is_alices, make_profile, drop_profile},
	[LIMIT_OIDC_PROVIDERS] = {is_alices, make_provider, drop_provider},
	[LIMIT_SAML_PROVIDERS] = {is_alices, make_saml_provider, drop_saml_provider},
	[LIMIT_MFA_DEVICES] = {is_alices, make_mfa_device, drop_mfa_device},
	[LIMIT_SERVER_CERTIFICATES] = {is_alices, make_server_certificate, drop_server_certificate},
	[LIMIT_ACM_CERTIFICATES] = {is_alices, make_acm_certificate, drop_acm_certificate},
	[LIMIT_SECRETS] = {is_alices, make_secret, drop_secret},
	[LIMIT_SECRET_CONTAINERS] = {is_alices, make_secret_container, drop_secret_container},
	[LIMIT_PROVIDERS] = {is_alices, make_cloud_elsewhere, drop_cloud_elsewhere},
	[LIMIT_MACHINE_POLICIES] = {is_alices, make_machine_policy, drop_machine_policy},
	[LIMIT_CLUSTERS] = {has_a_private_subnet, make_cluster, drop_cluster},
	[LIMIT_REMOTE_MACHINES] = {is_a_cloud_elsewhere, make_remote_machine, drop_remote_machine},
	[LIMIT_REMOTE_CREATIONS] = {is_a_cloud_elsewhere, make_remote_machine, drop_remote_machine},
	[LIMIT_CLOUD_MIGRATIONS] = {has_a_cloud_elsewhere, make_cloud_migration, drop_cloud_migration},
	[LIMIT_POLICIES] = {is_alices, make_policy, drop_policy},
	[LIMIT_GATEWAYS] = {is_alices, make_gateway, drop_gateway},
	[LIMIT_DHCP_OPTIONS] = {is_alices, make_dhcp_options, drop_dhcp_options},
	[LIMIT_ADDRESS_GROUPS] = {is_alices, make_address_group, drop_address_group},
	[LIMIT_ANNOTATIONS] = {is_alices, make_annotation, drop_annotation},
	[LIMIT_USER_DATA] = {is_alices, make_user_data, drop_user_data},
	[LIMIT_RESOURCE_GROUPS] = {is_alices, make_resource_group, drop_resource_group},
	[LIMIT_SUPPORT_TICKETS] = {is_alices, make_support_ticket, drop_support_ticket},
	[LIMIT_TICKET_ATTACHMENTS] = {is_alices, make_ticket_file, drop_ticket_file},
	[LIMIT_DEPLOYMENTS] = {is_alices, make_deployment, drop_deployment},
	[LIMIT_ARM_ROLES] = {is_alices, make_arm_role, drop_arm_role},
	[LIMIT_ARM_ASSIGNMENTS] = {is_alices, make_arm_assignment, drop_arm_assignment},
	[LIMIT_ARM_LOCKS] = {is_alices, make_arm_lock, drop_arm_lock},
	[LIMIT_ARM_RESOURCES] = {is_alices, make_arm_resource, drop_arm_resource},
	[LIMIT_TRUNKS] = {has_a_network, make_trunk, drop_trunk},
	[LIMIT_SUBNET_POOLS] = {is_alices, make_subnet_pool, drop_subnet_pool},
	[LIMIT_CAPACITY_RESERVATIONS] = {is_alices, make_capacity_reservation, drop_capacity_reservation},
	SCALING EVENTS MESSAGING[LIMIT_BACKUP_PLANS] = {is_alices, make_backup_plan, drop_backup_plan},
	[LIMIT_BACKUP_VAULTS] = {is_alices, make_backup_vault, drop_backup_vault},
	[LIMIT_FLEETS] = {is_alices, make_fleet, drop_fleet},
	[LIMIT_SPOT_REQUESTS] = {is_alices, make_spot_request, drop_spot_request},
	[LIMIT_LAUNCH_TEMPLATES] = {is_alices, make_template, drop_template},
	[LIMIT_LAUNCH_TEMPLATE_VERSIONS] = {is_alices, make_template_version, drop_template},
	[LIMIT_CLIENT_TOKENS] = {is_alices, make_token, drop_token},
	[LIMIT_JOBS] = {is_alices, make_job, drop_job},
	[LIMIT_ACCESS_KEYS] = {is_alice_herself, make_access_key, drop_access_key},
	[LIMIT_APPLICATION_CREDENTIALS] = {is_alice_herself, make_credential, drop_credential},
	[LIMIT_TRUSTS] = {is_alice_herself, make_trust, drop_trust},
	[LIMIT_ACCESS_RULES] = {is_alice_herself, make_access_rule, drop_access_rule},
	[LIMIT_CREDENTIALS] = {is_alice_herself, make_kept, drop_kept},
	[LIMIT_SECOND_FACTORS] = {is_somebody, make_second_factor, drop_second_factor},
	[LIMIT_SSH_KEYS] = {is_an_own_user, make_ssh_key, drop_uploaded},
	[LIMIT_CERTIFICATES] = {is_an_own_user, make_certificate, drop_uploaded},
	[LIMIT_MEMBERSHIPS] = {is_somebody, make_membership, drop_membership},
	[LIMIT_GROUPS_OF_USER] = {is_an_own_user, make_own_membership, drop_membership},
	[LIMIT_ROLES_OF_USER] = {is_somebody, make_role_of_user, drop_role_of_user},
	[LIMIT_ROLES_OF_GROUP] = {is_a_group, make_role_of_group, drop_role_of_group},
	[LIMIT_ACCOUNTS] = {is_the_domain, make_account, drop_account},
	[LIMIT_DOMAIN_USERS] = {is_the_domain, make_domain_user, drop_domain_user},
	[LIMIT_DOMAIN_GROUPS] = {is_the_domain, make_domain_group, drop_domain_group},
	[LIMIT_POLICY_VERSIONS] = {is_a_policy, make_policy_version, drop_policy_version},
	[LIMIT_ROUTE_TABLES] = {is_alices_router, make_route_table, drop_route_table},
	[LIMIT_ROUTES] = {is_the_main_table, make_route, drop_route},
	[LIMIT_NETWORK_ACLS] = {is_alices_router, make_acl, drop_acl},
	[LIMIT_PORT_POLICIES] = {is_alices, make_port_policy, drop_port_policy},
	[LIMIT_PORT_POLICY_RULES] = {is_a_port_policy, make_policy_rule, drop_policy_rule},
	[LIMIT_PORT_SETS] = {is_alices, make_port_set, drop_port_set},
	[LIMIT_ADDRESS_PREFIXES] = {is_alices, make_address_prefix, drop_address_prefix},
	[LIMIT_SOURCE_NATS] = {is_alices, make_source_nat, drop_source_nat},
	[LIMIT_ROUTE_PLANS] = {is_alices, make_route_plan, drop_route_plan},
	[LIMIT_ROUTE_PLAN_ENTRIES] = {is_a_route_plan, make_plan_entry, drop_plan_entry},
	[LIMIT_PEERING_SIDES] = {is_alices_router, make_peering_side, drop_peering_side},
	[LIMIT_BALANCER_SETS] = {is_alices, make_balancer_set, drop_balancer_set},
	[LIMIT_BALANCER_POOL_MEMBERS] = {is_a_balancer_set, make_pool_member, drop_pool_member},
	BALANCING BETWEEN_VPCS[LIMIT_GROUP_RULES] = {is_a_security_group, make_rule, drop_rule},
	[LIMIT_GROUP_ASSOCIATIONS] = {is_a_security_group, make_association, drop_association},
	[LIMIT_NETWORK_GRANTS] = {is_a_network, make_grant, drop_grant},
	[LIMIT_SUBNET_RESERVATIONS] = {is_a_subnet, make_reservation, drop_reservation},
	[LIMIT_NETWORK_PORTS] = {is_a_network_with_subnet, make_port, drop_port},
	[LIMIT_ROUTER_SUBNETS] = {is_alices_router, make_subnet, drop_subnet},
	[LIMIT_NETWORK_KEYS] = {is_the_region, make_network, drop_network},
	[LIMIT_REGISTERED_LIMITS] = {is_the_region, make_registered_limit, drop_registered_limit},
	[LIMIT_CATALOG_ENTRIES] = {is_the_region, make_catalog_entry, drop_catalog_entry},
	[LIMIT_ROLES] = {is_the_region, make_role, drop_role},
	[LIMIT_SIGNUPS] = {prepare_signup, make_signup, drop_signup},
	[LIMIT_AGGREGATES] = {is_the_region, make_aggregate, drop_aggregate},
	/* LIMIT_REVOCATIONS: check_revocations(); LIMIT_VPN_TUNNELS: check_vpn_tunnels(); LIMIT_LINK_GATEWAYS,
	 * LIMIT_MACS: test_capacity.c */
};

static void set_limit(struct cloud *c, enum limit_id limit, int64_t most)
{
	struct limit_wish wish = {.name = str_from(engine_limits[limit].name)};
	if (most >= 0)
		wish.most = str_print(c->arena, "%lld", (long long) most);
	cloud_ok(c, &c->operator, engine_set_limit, &wish);
	wish.most = STR("many");
	cloud_fails(c, &c->operator, engine_set_limit, &wish, ERR_INVALID, KIND_SETTING);
	wish.name = STR("moons");
	cloud_fails(c, &c->operator, engine_set_limit, &wish, ERR_NOT_FOUND, KIND_SETTING);
}

static void must_make(struct cloud *c, enum limit_id limit, int n)
{
	cloud_expect(c, makers[limit].make(c, n), ERR_NONE, KIND_NONE);
}

#include "limits_bytes.h"

static void meet(struct cloud *c, enum limit_id limit)
{
	const struct limit_info *info = &engine_limits[limit];
	makers[limit].prepare(c);
	int64_t used = engine_count_limited(cloud_tables(c), limit, owner), most = used + 2;
	set_limit(c, limit, most);
	must_charge(c, limit, 1);
	must_make(c, limit, 2);
	assert_int_equal(engine_count_limited(cloud_tables(c), limit, owner), most);
	cloud_expect(c, makers[limit].make(c, 3), ERR_QUOTA,
		     info->kind); /* and left no trace: cloud_run() looks */
	struct str says = str_print(c->arena, "%s%lld%s", info->before, (long long) most, info->after);
	assert_true(str_equal(c->c.problem.message, says));
	must_refund(c, limit);
	assert_int_equal(engine_count_limited(cloud_tables(c), limit, owner), most - 1);
	must_make(c, limit, 4);
	cloud_expect(c, makers[limit].make(c, 5), ERR_QUOTA, info->kind);
	set_limit(c, limit, -1); /* the table's own again */
	if (engine_get_limit(cloud_tables(c), limit) != most)
		must_make(c, limit, 6);
}

static void check_each(void **state)
{
	struct cloud *c = *state;
	c->alice.rights |= RIGHT(MANAGER);
	for (enum limit_id limit = 0; limit < LIMIT_COUNT; limit++) {
		if (is_met_apart(limit))
			continue;
		if (!makers[limit].make)
			fail_msg("nothing here meets the limit %s", engine_limits[limit].id);
		meet(c, limit);
	}
}

/* To end a token is never refused: with one too many, all that the user has end. */
static void check_revocations(void **state)
{
	struct cloud *c = *state;
	uuid user = new_user(c, "leaver");
	struct token_revocation_wish wish = {.user = user, .expires_us = clock_now_us() + HOUR};
	set_limit(c, LIMIT_REVOCATIONS, 2);
	for (int n = 0; n < 3; n++) {
		assert_int_equal(user_find(cloud_tables(c), user)->valid_from_us, 0);
		wish.audit = uuid_random();
		cloud_ok(c, &c->operator, engine_revoke_token, &wish);
	}
	assert_null(token_revocation_find_by_audit(cloud_tables(c), wish.audit));
	assert_int_equal(user_find(cloud_tables(c), user)->valid_from_us, clock_now_us());
	assert_int_equal(engine_count_limited(cloud_tables(c), LIMIT_REVOCATIONS, user), 2);
	clock_advance_us(2 * HOUR);
	struct token_revocation_sweep sweep = {.max = 10};
	cloud_ok(c, NULL, engine_sweep_token_revocations, &sweep);
	assert_int_equal(engine_count_limited(cloud_tables(c), LIMIT_REVOCATIONS, user), 0);
}

/* ---- texts ---- */

/* A name that ends its line would be a line of its own wherever names are listed: in a guest's metadata, in
 * logs. */
static void check_lines(void **state)
{
	struct cloud *c = *state;
	struct instance_launch launch = cloud_launch(c, 1);
	launch.name = STR("web\n  password: x");
	cloud_fails(c, &c->alice, engine_create_instances, &launch, ERR_INVALID, KIND_INSTANCE);
	struct key_pair_wish key = {.name = STR("a\n1=b")};
	cloud_fails(c, &c->alice, engine_create_key_pair, &key, ERR_INVALID, KIND_KEY_PAIR);
	struct security_group_wish group = {.name = STR("a\nb"), .description = STR("g")};
	cloud_fails(c, &c->alice, engine_create_security_group, &group, ERR_INVALID, KIND_SECURITY_GROUP);
	group.name = STR("a");
	cloud_ok(c, &c->alice, engine_create_security_group, &group);
	struct str name = STR("a\nb");
	struct security_group_settings rename = {.group = ref_to(c, KIND_SECURITY_GROUP, group.group),
						 .name = &name};
	cloud_fails(c, &c->alice, engine_update_security_group, &rename, ERR_INVALID, KIND_SECURITY_GROUP);
	struct tag tag = {STR("a\nb"), STR("c\nd")};
	struct key_pair_wish tagged = {.name = STR("k"), .tags = {&tag, 1}};
	cloud_fails(c, &c->alice, engine_create_key_pair, &tagged, ERR_INVALID, KIND_NONE);
	tag.key = STR("a");
	cloud_ok(c, &c->alice, engine_create_key_pair, &tagged);
}

/* The store refuses fields that exceed the schema's size, even if no operation checks them. */
static void check_too_large(void **state)
{
	struct cloud *c = *state;
	char *key = arena_alloc(c->arena, 16385);
	memset(key, 'k', 16385);
	struct key_pair_wish wish = {.name = STR("large"), .public_key = {key, 16385}};
	cloud_fails(c, &c->alice, engine_create_key_pair, &wish, ERR_TOO_LARGE, KIND_KEY_PAIR);
	assert_true(
		str_is(c->c.problem.message, "The public_key of a key_pair holds more than 16384 bytes."));
	wish.public_key.n--;
	cloud_ok(c, &c->alice, engine_create_key_pair, &wish);
}

/* ---- nothing is forgotten ---- */

static const enum kind quota_kinds[] = {
#define QUOTA(ID, figure, KIND, ...) KIND_##KIND,
#include "engine/limits.def"
};

static bool is_limited(enum kind kind)
{
	for (size_t n = 0; n < sizeof quota_kinds / sizeof *quota_kinds; n++)
		if (quota_kinds[n] == kind &&
		    kind != KIND_INSTANCE_TYPE) /* vCPUs and memory, by their size */
			return true;
	for (enum limit_id limit = 0; limit < LIMIT_COUNT; limit++)
		if (engine_limits[limit].kind == kind)
			return true;
	return false;
}

static void check_kinds(void **state)
{
	(void) state;
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		size_t within = 0, operators = 0;
		for (size_t n = 0; n < engine_limit_word_count; n++)
			if (engine_limit_words[n].kind == kind)
				++*(engine_limit_words[n].is_operators ? &operators : &within);
		if (!is_limited(kind) && within + operators == 0)
			fail_msg("engine/limits.def says nothing of %s", model_kinds[kind].name);
		if (operators && (is_limited(kind) || within))
			fail_msg("engine/limits.def says two things of %s", model_kinds[kind].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_each, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_events, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_vpn_tunnels, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_revocations, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_lines, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_too_large, cloud_setup, cloud_teardown),
		cmocka_unit_test(check_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
