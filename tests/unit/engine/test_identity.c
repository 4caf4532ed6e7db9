/* SPDX-License-Identifier: Apache-2.0
 * Identity: rights by role, domains and their administrators, and cascading deletions. */
#include "cloud.h"
#include "model/role.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/application_credential.h"
#include "store/key_pair.h"
#include "store/role_assignment.h"
#include "store/trust.h"
#include "store/user.h"

#include "engine/people/account/domain.h"
#include "engine/people/credential/application_credential.h"
#include "engine/people/policy/role.h"
#include "engine/people/policy/trust.h"
#include "engine/people/user.h"
#include "engine/people/user_group.h"
#include "engine/people/user_name.h"

static uuid add_domain(struct cloud *c, const char *name)
{
	struct domain_wish wish = {.name = str_from(name)};
	cloud_ok(c, &c->operator, engine_create_domain, &wish);
	return wish.domain;
}

static uuid add_user(struct cloud *c, uuid domain, const char *name)
{
	struct user_wish wish = {.name = str_from(name), .domain = ref_to(c, KIND_DOMAIN, domain)};
	cloud_ok(c, &c->operator, engine_create_user, &wish);
	return wish.user;
}

static struct role_grant on_account(struct cloud *c, const char *role, uuid user, uuid account)
{
	return (struct role_grant){.role = ref_named(KIND_ROLE, role),
				   .user = ref_to(c, KIND_USER, user),
				   .account = ref_to(c, KIND_ACCOUNT, account)};
}

static unsigned rights(struct cloud *c, uuid user, uuid account)
{
	struct roles roles;
	engine_find_roles(cloud_tables(c), user, IDENTITY_ACCOUNT, account, &roles);
	return roles.rights;
}

static void check_rights(void **state)
{
	struct cloud *c = *state;
	struct key_pair_wish key = {.name = STR("k")};
	struct identity who = c->alice;
	who.rights = RIGHT(READER);
	cloud_fails(c, &who, engine_create_key_pair, &key, ERR_DENIED, KIND_KEY_PAIR);
	who.rights = RIGHTS_OF_MEMBER;
	cloud_ok(c, &who, engine_create_key_pair, &key);
	struct key_pair_target target = {.key_pair = ref_to(c, KIND_KEY_PAIR, key.key_pair)};
	cloud_ok(c, &c->bob, engine_delete_key_pair, &target); /* not there, for him */
	assert_non_null(key_pair_find(cloud_tables(c), key.key_pair));
	who = c->bob;
	who.rights |= RIGHT(ADMIN);
	cloud_ok(c, &who, engine_delete_key_pair, &target); /* reaches into alice's account */
	assert_null(key_pair_find(cloud_tables(c), key.key_pair));
	struct account_wish account = {.name = STR("carol")};
	cloud_ok(c, &who, engine_create_account, &account);
	assert_int_equal(rights(c, account.user, account.account), RIGHTS_OF_MEMBER); /* its owner */
	assert_int_equal(rights(c, account.user, c->alice.account), 0);
}

static void check_roles(void **state)
{
	struct cloud *c = *state;
	const struct role *admin = engine_find_standard_role(cloud_tables(c), ROLE_RIGHT_ADMIN);
	uuid ann = add_user(c, DOMAIN_DEFAULT, "ann");
	struct role_wish role = {.name = STR("deployer")};
	cloud_fails(c, &c->alice, engine_create_role, &role, ERR_DENIED, KIND_ROLE);
	cloud_ok(c, &c->operator, engine_create_role, &role);
	cloud_fails(c, &c->operator, engine_create_role, &role, ERR_EXISTS, KIND_ROLE);
	struct role_grant grant = on_account(c, "deployer", ann, c->alice.account);
	cloud_ok(c, &c->operator, engine_grant_role, &grant);
	cloud_ok(c, &c->operator, engine_grant_role, &grant); /* again: as it is */
	assert_int_equal(rights(c, ann, c->alice.account), 0);
	struct role_implication implication = {ref_named(KIND_ROLE, "deployer"),
					       ref_named(KIND_ROLE, "member"), true};
	cloud_ok(c, &c->operator, engine_imply_role, &implication);
	assert_int_equal(rights(c, ann, c->alice.account), RIGHTS_OF_MEMBER);
	struct role_implication circle = {ref_named(KIND_ROLE, "reader"), ref_named(KIND_ROLE, "deployer"),
					  true};
	cloud_fails(c, &c->operator, engine_imply_role, &circle, ERR_INVALID, KIND_ROLE);
	implication.implies = false;
	cloud_ok(c, &c->operator, engine_imply_role, &implication);
	cloud_fails(c, &c->operator, engine_imply_role, &implication, ERR_NOT_FOUND, KIND_ROLE);
	struct role_target target = {ref_to(c, KIND_ROLE, admin->row.id)};
	cloud_fails(c, &c->operator, engine_delete_role, &target, ERR_PROTECTED, KIND_ROLE);
	target.role = ref_to(c, KIND_ROLE, role.role);
	cloud_ok(c, &c->operator, engine_delete_role, &target);
	assert_null(role_assignment_first_by_user(cloud_tables(c), ann)); /* went with it */
	grant.system = true;
	cloud_fails(c, &c->operator, engine_grant_role, &grant, ERR_COMBINATION, KIND_ROLE_ASSIGNMENT);
}

/* A domain's administrator manages what is in it, and climbs no higher by that. */
static void check_domain_admin(void **state)
{
	struct cloud *c = *state;
	uuid works = add_domain(c, "works"), others = add_domain(c, "others");
	uuid boss = add_user(c, works, "boss");
	struct identity who = {.scope = IDENTITY_DOMAIN,
			       .rights = RIGHT(ADMIN) | RIGHT(MANAGER) | RIGHTS_OF_MEMBER,
			       .domain = works,
			       .user = boss};
	struct account_wish account = {.name = STR("build"), .domain = ref_to(c, KIND_DOMAIN, works)};
	cloud_ok(c, &who, engine_create_account, &account);
	struct user_wish user = {.name = STR("aide"), .domain = ref_to(c, KIND_DOMAIN, others)};
	cloud_fails(c, &who, engine_create_user, &user, ERR_DENIED, KIND_DOMAIN);
	user.domain = ref_to(c, KIND_DOMAIN, works);
	cloud_ok(c, &who, engine_create_user, &user);
	struct role_grant grant = on_account(c, "member", user.user, account.account);
	cloud_ok(c, &who, engine_grant_role, &grant);
	grant = on_account(c, "admin", user.user, account.account);
	cloud_fails(c, &who, engine_grant_role, &grant, ERR_DENIED, KIND_ROLE);
	grant = on_account(c, "member", user.user, c->alice.account);
	cloud_fails(c, &who, engine_grant_role, &grant, ERR_DENIED, KIND_ACCOUNT);
	grant = (struct role_grant){.role = ref_named(KIND_ROLE, "admin"),
				    .user = ref_to(c, KIND_USER, user.user),
				    .domain = ref_to(c, KIND_DOMAIN, works),
				    .inherited = true};
	cloud_fails(c, &who, engine_grant_role, &grant, ERR_DENIED,
		    KIND_ROLE); /* of accounts: the region's */
	grant.inherited = false;
	cloud_ok(c, &who, engine_grant_role, &grant);
	struct domain_wish domain = {.name = STR("more")};
	cloud_fails(c, &who, engine_create_domain, &domain, ERR_DENIED, KIND_DOMAIN);
	struct role_wish role = {.name = STR("more")};
	cloud_fails(c, &who, engine_create_role, &role, ERR_DENIED, KIND_ROLE);
	struct key_pair_target key = {.key_pair = ref_named(KIND_KEY_PAIR, "k")};
	cloud_ok(c, &who, engine_delete_key_pair, &key); /* sees no account's resources */
	assert_true(uuid_is_none(key.deleted));
}

/* Nor by way of those in its domain who are higher. */
static void check_higher_ones(void **state)
{
	struct cloud *c = *state;
	uuid works = add_domain(c, "works"), chief = add_user(c, works, "chief"),
	     boss = add_user(c, works, "boss");
	struct identity who = {.scope = IDENTITY_DOMAIN,
			       .rights = RIGHT(ADMIN) | RIGHTS_OF_MEMBER,
			       .domain = works,
			       .user = boss};
	struct user_change password = {.user = ref_to(c, KIND_USER, chief), .password_hash = STR("hash")};
	cloud_ok(c, &who, engine_update_user, &password);
	struct role_grant grant = on_account(c, "admin", chief, c->alice.account);
	cloud_ok(c, &c->operator, engine_grant_role, &grant);
	cloud_fails(c, &who, engine_update_user, &password, ERR_DENIED, KIND_ROLE);
	struct user_target target = {ref_to(c, KIND_USER, chief)};
	cloud_fails(c, &who, engine_delete_user, &target, ERR_DENIED, KIND_ROLE);
	struct user_group_wish group = {.name = STR("admins"), .domain = ref_to(c, KIND_DOMAIN, works)};
	cloud_ok(c, &who, engine_create_user_group, &group);
	struct membership membership = {ref_to(c, KIND_USER_GROUP, group.user_group),
					ref_to(c, KIND_USER, boss)};
	cloud_ok(c, &who, engine_add_group_member, &membership);
	cloud_ok(c, &who, engine_remove_group_member, &membership);
	struct role_grant system = {.role = ref_named(KIND_ROLE, "admin"),
				    .user_group = ref_to(c, KIND_USER_GROUP, group.user_group),
				    .system = true};
	cloud_ok(c, &c->operator, engine_grant_role, &system);
	cloud_fails(c, &who, engine_add_group_member, &membership, ERR_DENIED, KIND_ROLE);
	cloud_ok(c, &c->operator, engine_add_group_member, &membership);
	password.user = ref_to(c, KIND_USER, boss);
	cloud_fails(c, &who, engine_update_user, &password, ERR_DENIED, KIND_ROLE); /* one by the group */
	cloud_ok(c, &c->operator, engine_update_user, &password);
}

/* A domain's administrator cannot end an assignment that makes somebody an administrator of the region: neither by
 * revoking the role, nor by disabling or deleting the account that the role is on. */
static void check_revoking(void **state)
{
	struct cloud *c = *state;
	uuid works = add_domain(c, "works"), chief = add_user(c, works, "chief");
	struct identity who = {
		.scope = IDENTITY_DOMAIN, .rights = RIGHT(ADMIN) | RIGHTS_OF_MEMBER, .domain = works};
	struct account_wish account = {.name = STR("build"), .domain = ref_to(c, KIND_DOMAIN, works)};
	cloud_ok(c, &who, engine_create_account, &account);
	struct role_grant admin = on_account(c, "admin", chief, account.account),
			  member = on_account(c, "member", chief, account.account);
	cloud_ok(c, &c->operator, engine_grant_role, &admin);
	cloud_ok(c, &who, engine_grant_role, &member);
	cloud_ok(c, &who, engine_revoke_role, &member);
	cloud_fails(c, &who, engine_revoke_role, &admin, ERR_DENIED, KIND_ROLE);
	struct account_change off = {.account = admin.account, .enabled = CHOICE_NO};
	struct account_target gone = {.account = admin.account};
	cloud_fails(c, &who, engine_update_account, &off, ERR_DENIED, KIND_ROLE);
	cloud_fails(c, &who, engine_delete_account, &gone, ERR_DENIED, KIND_ROLE);
	cloud_ok(c, &c->operator, engine_revoke_role, &admin);
	cloud_ok(c, &who, engine_update_account, &off);
	cloud_ok(c, &who, engine_delete_account, &gone);
}

/* The name of a group has 1 to 255 characters of one line, and is the only one of its domain. */
static void check_group_names(void **state)
{
	struct cloud *c = *state;
	static char words[256];
	memset(words, 'a', sizeof words);
	const struct str bad[] = {STR_NONE, STR("a\nb"), {words, 256}};
	struct user_group_wish wish = {.domain = ref_to(c, KIND_DOMAIN, add_domain(c, "works"))};
	for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
		wish.name = bad[n];
		cloud_fails(c, &c->operator, engine_create_user_group, &wish, ERR_INVALID, KIND_USER_GROUP);
	}
	wish.name = (struct str){words, 255};
	cloud_ok(c, &c->operator, engine_create_user_group, &wish);
	cloud_fails(c, &c->operator, engine_create_user_group, &wish, ERR_EXISTS, KIND_USER_GROUP);
}

/* A change of one's password that was weighed against an older hash is refused. */
static void check_own_password(void **state)
{
	struct cloud *c = *state;
	uuid works = add_domain(c, "works"), ann = add_user(c, works, "ann");
	struct identity who = {.scope = IDENTITY_UNSCOPED, .domain = works, .user = ann};
	struct user_change first = {.user = ref_to(c, KIND_USER, ann), .password_hash = STR("first")};
	cloud_ok(c, &c->operator, engine_update_user, &first);
	struct own_password wish = {
		.user = first.user, .hash_before = STR("older"), .password_hash = STR("second")};
	cloud_fails(c, &who, engine_change_own_password, &wish, ERR_CONFLICT, KIND_USER);
	wish.hash_before = STR("first");
	cloud_ok(c, &who, engine_change_own_password, &wish);
	assert_true(str_is(user_find(cloud_tables(c), ann)->password_hash, "second"));
}

/* Refuses the implied role that lists of ROLES_MAX roles have no room for, even if the region may have more roles. */
static void check_implied(void **state)
{
	struct cloud *c = *state;
	struct setting_wish more = {.name = STR("limit.roles"), .value = STR("200")};
	cloud_ok(c, &c->operator, engine_put_setting, &more);
	struct role_wish all = {.name = STR("all")};
	cloud_ok(c, &c->operator, engine_create_role, &all);
	for (size_t k = 0; k <= ROLES_MAX; k++) {
		struct role_wish one = {.name = str_print(c->arena, "one-%zu", k)};
		cloud_ok(c, &c->operator, engine_create_role, &one);
		struct role_implication wish = {.role = ref_by_id(KIND_ROLE, all.role),
						.implied = ref_by_id(KIND_ROLE, one.role),
						.implies = true};
		cloud_expect(c, cloud_run(c, &c->operator, engine_imply_role_run, &wish),
			     k < ROLES_MAX ? ERR_NONE : ERR_QUOTA, KIND_ROLE);
	}
}

static void check_names(void **state)
{
	struct cloud *c = *state;
	uuid works = add_domain(c, "works");
	struct account_wish account = {.name = STR("alice"), .domain = ref_to(c, KIND_DOMAIN, works)};
	cloud_ok(c, &c->operator, engine_create_account,
		 &account); /* alice of the default domain is another */
	struct account_change change = {.account = ref_named(KIND_ACCOUNT, "works/alice"),
					.enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_account, &change);
	assert_false(account_find(cloud_tables(c), account.account)->enabled);
	assert_true(account_find(cloud_tables(c), c->alice.account)->enabled);
	struct str taken = STR("bob");
	change = (struct account_change){.account = ref_named(KIND_ACCOUNT, "alice"), .name = &taken};
	cloud_fails(c, &c->operator, engine_update_account, &change, ERR_EXISTS, KIND_ACCOUNT);
}

static void check_deleting(void **state)
{
	struct cloud *c = *state;
	uuid works = add_domain(c, "works"), ann = add_user(c, works, "ann");
	struct account_wish account = {.name = STR("build"), .domain = ref_to(c, KIND_DOMAIN, works)};
	cloud_ok(c, &c->operator, engine_create_account, &account);
	struct role_grant grant = on_account(c, "member", ann, account.account);
	cloud_ok(c, &c->operator, engine_grant_role, &grant);
	struct access_key key = {
		.row.id = id_new(KIND_ACCESS_KEY), .key_id = STR("AKIAANN"), .secret = STR("sealed")};
	struct access_key_wish wish = {.user = ref_to(c, KIND_USER, ann),
				       .account = ref_to(c, KIND_ACCOUNT, c->alice.account),
				       .key = &key};
	cloud_fails(c, &c->operator, engine_create_access_key, &wish, ERR_DENIED, KIND_ACCOUNT);
	wish.account = ref_to(c, KIND_ACCOUNT, account.account);
	cloud_ok(c, &c->operator, engine_create_access_key, &wish);
	struct application_credential_wish program = {.user = wish.user,
						      .account = wish.account,
						      .name = STR("program"),
						      .secret_hash = STR("hash")};
	cloud_ok(c, &c->operator, engine_create_application_credential, &program);

	struct account_target in_use = {ref_named(KIND_ACCOUNT, "alice")};
	cloud_fails(c, &c->operator, engine_delete_account, &in_use, ERR_IN_USE, KIND_ACCOUNT);
	struct domain_target domain = {ref_to(c, KIND_DOMAIN, works)};
	cloud_fails(c, &c->operator, engine_delete_domain, &domain, ERR_STATE, KIND_DOMAIN);
	struct domain_change disable = {.domain = domain.domain, .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_domain, &disable);
	cloud_fails(c, &c->operator, engine_delete_domain, &domain, ERR_IN_USE, KIND_DOMAIN);
	struct account_target target = {wish.account};
	cloud_ok(c, &c->operator, engine_delete_account, &target);
	const struct tables *t = cloud_tables(c);
	assert_null(access_key_find_by_key_id(t, STR("AKIAANN")));
	assert_null(application_credential_find(t, program.credential));
	assert_null(role_assignment_first_by_user(t, ann));
	assert_null(user_find(t, account.user)); /* its owner */
	cloud_ok(c, &c->operator, engine_delete_domain, &domain);
	assert_null(user_find(t, ann));
	disable.domain = ref_to(c, KIND_DOMAIN, DOMAIN_DEFAULT);
	cloud_fails(c, &c->operator, engine_update_domain, &disable, ERR_PROTECTED, KIND_DOMAIN);
}

/* A credential gives no more than its maker has, and one that is restricted makes no others. */
static void check_credentials(void **state)
{
	struct cloud *c = *state;
	struct ref admin = ref_named(KIND_ROLE, "admin");
	struct application_credential_wish wish = {.user = ref_to(c, KIND_USER, c->alice.user),
						   .account = ref_to(c, KIND_ACCOUNT, c->alice.account),
						   .name = STR("program"),
						   .roles = {&admin, 1},
						   .secret_hash = STR("hash")};
	cloud_fails(c, &c->alice, engine_create_application_credential, &wish, ERR_DENIED, KIND_ROLE);
	wish.roles.count = 0;
	cloud_fails(c, &c->bob, engine_create_application_credential, &wish, ERR_DENIED, KIND_USER);
	struct identity who = c->alice;
	who.is_restricted = true;
	cloud_fails(c, &who, engine_create_application_credential, &wish, ERR_DENIED, KIND_USER);
	cloud_ok(c, &c->alice, engine_create_application_credential, &wish);
	cloud_fails(c, &c->alice, engine_create_application_credential, &wish, ERR_EXISTS,
		    KIND_APPLICATION_CREDENTIAL);
	struct application_credential_target target = {wish.credential};
	cloud_fails(c, &c->bob, engine_delete_application_credential, &target, ERR_DENIED, KIND_USER);
	cloud_ok(c, &c->alice, engine_delete_application_credential, &target);
	cloud_fails(c, &c->alice, engine_delete_application_credential, &target, ERR_NOT_FOUND,
		    KIND_APPLICATION_CREDENTIAL);
}

/* ---- trusts ---- */

static struct trust_wish trust_of_alice(struct cloud *c, const struct ref *role)
{
	return (struct trust_wish){.trustor = ref_to(c, KIND_USER, c->alice.user),
				   .trustee = ref_to(c, KIND_USER, c->bob.user),
				   .account = ref_to(c, KIND_ACCOUNT, c->alice.account),
				   .roles = {role, 1}};
}

/* A trust can only delegate its trustor's own roles, and only the trustor can create it. */
static void check_trusts(void **state)
{
	struct cloud *c = *state;
	struct ref admin = ref_named(KIND_ROLE, "admin"), reader = ref_named(KIND_ROLE, "reader");
	struct trust_wish wish = trust_of_alice(c, &admin);
	cloud_fails(c, &c->alice, engine_create_trust, &wish, ERR_NOT_FOUND, KIND_ROLE);
	wish = trust_of_alice(c, &reader);
	cloud_fails(c, &c->bob, engine_create_trust, &wish, ERR_DENIED, KIND_USER);
	struct identity program = c->alice;
	program.application_credential = c->alice.user; /* any */
	cloud_fails(c, &program, engine_create_trust, &wish, ERR_DENIED, KIND_TRUST);
	wish.roles.count = 0;
	cloud_fails(c, &c->alice, engine_create_trust, &wish, ERR_DENIED, KIND_TRUST);
	wish.roles.count = 1;
	wish.expires_us = 1;
	cloud_fails(c, &c->alice, engine_create_trust, &wish, ERR_INVALID, KIND_TRUST);
	wish.expires_us = 0;
	wish.remaining_uses = 1;
	cloud_ok(c, &c->alice, engine_create_trust, &wish);
	struct trust_target target = {wish.trust};
	cloud_fails(c, &c->bob, engine_delete_trust, &target, ERR_DENIED, KIND_USER);
	struct trust_use use = {wish.trust, c->alice.user, false};
	cloud_ok(c, &c->bob, engine_use_trust, &use);
	assert_false(use.is_used); /* she is not its trustee */
	use.user = c->bob.user;
	cloud_ok(c, &c->bob, engine_use_trust, &use);
	assert_true(use.is_used);
	use.is_used = false;
	cloud_ok(c, &c->bob, engine_use_trust, &use);
	assert_false(use.is_used);
	cloud_fails(c, &c->alice, engine_delete_trust, &target, ERR_NOT_FOUND, KIND_TRUST);
	assert_non_null(trust_find(cloud_tables(c), target.trust));
	wish.remaining_uses = 0;
	cloud_ok(c, &c->alice, engine_create_trust, &wish); /* which sweeps the other */
	assert_null(trust_find(cloud_tables(c), target.trust));
}

/* An identity that acts by a trust, as its trustor or as itself. */
static struct identity by_trust(const struct cloud *c, uuid trust, bool impersonates)
{
	struct identity who = impersonates ? c->alice : c->bob;
	who.account = c->alice.account;
	who.is_owner = false;
	who.trust = trust;
	who.trustee = c->bob.user;
	return who;
}

/* A trust that is made with a trust gives no more than that one. */
static void check_redelegation(void **state)
{
	struct cloud *c = *state;
	struct ref reader = ref_named(KIND_ROLE, "reader"), member = ref_named(KIND_ROLE, "member");
	struct trust_wish wish = trust_of_alice(c, &reader);
	wish.expires_us = clock_now_us() + HOUR;
	cloud_ok(c, &c->alice, engine_create_trust, &wish);
	struct identity who = by_trust(c, wish.trust, false);
	struct trust_wish further = trust_of_alice(c, &reader);
	further.trustor = ref_to(c, KIND_USER, c->bob.user);
	cloud_fails(c, &who, engine_create_trust, &further, ERR_DENIED,
		    KIND_TRUST); /* it is not to be passed on */
	wish.allow_redelegation = true;
	wish.has_redelegation_count = true;
	wish.redelegation_count = 4;
	cloud_fails(c, &c->alice, engine_create_trust, &wish, ERR_DENIED, KIND_TRUST);
	wish.redelegation_count = 2;
	cloud_ok(c, &c->alice, engine_create_trust, &wish);
	who = by_trust(c, wish.trust, false);
	further.impersonation = true;
	cloud_fails(c, &who, engine_create_trust, &further, ERR_DENIED, KIND_TRUST);
	further.impersonation = false;
	further.remaining_uses = 1;
	cloud_fails(c, &who, engine_create_trust, &further, ERR_DENIED, KIND_TRUST);
	further.remaining_uses = 0;
	further.expires_us = wish.expires_us + 1;
	cloud_fails(c, &who, engine_create_trust, &further, ERR_DENIED, KIND_TRUST);
	further.expires_us = 0;
	further.roles.at = &member;
	cloud_fails(c, &who, engine_create_trust, &further, ERR_DENIED, KIND_TRUST);
	further.roles.at = &reader;
	further.account = ref_to(c, KIND_ACCOUNT, c->bob.account);
	cloud_fails(c, &who, engine_create_trust, &further, ERR_NOT_FOUND, KIND_ROLE);
	further.account = wish.account;
	further.allow_redelegation = true;
	further.has_redelegation_count = true;
	further.redelegation_count = 2;
	cloud_fails(c, &who, engine_create_trust, &further, ERR_DENIED, KIND_TRUST);
	further.has_redelegation_count = false;
	cloud_ok(c, &who, engine_create_trust, &further);
	const struct trust *made = trust_find(cloud_tables(c), further.trust);
	assert_true(made->expires_us == wish.expires_us && made->redelegation_count == 1);
	assert_true(uuid_equal(made->redelegated, wish.trust));
	struct application_credential_wish program = {.user = ref_to(c, KIND_USER, c->bob.user),
						      .account = wish.account,
						      .name = STR("program"),
						      .secret_hash = STR("hash")};
	cloud_fails(c, &who, engine_create_application_credential, &program, ERR_DENIED, KIND_USER);
	struct trust_target target = {wish.trust};
	cloud_ok(c, &c->alice, engine_delete_trust, &target);
	assert_null(trust_find(cloud_tables(c), further.trust));
}

/* ---- access rules ---- */

static void check_paths(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool fits;
	} rows[] = {
		{"/v2.1/servers", "/v2.1/servers", true},
		{"/v2.1/servers", "/v2.1/servers/", false},
		{"/v2.1/servers", "/v2x1/servers", false},
		{"/v2.1/servers/*", "/v2.1/servers/a", true},
		{"/v2.1/servers/*", "/v2.1/servers/", false},
		{"/v2.1/servers/*", "/v2.1/servers/a/ips", false},
		{"/v2.1/servers/*/ips", "/v2.1/servers/a/ips", true},
		{"/v2.1/servers/{server_id}/ips", "/v2.1/servers/a/ips", true},
		{"/v2.1/servers/{server_id}/ips", "/v2.1/servers/a/b/ips", false},
		{"/v2.1/s*s", "/v2.1/servers", true},
		{"/v2.1/s*s", "/v2.1/ss", false},
		{"/v2.1/**", "/v2.1/servers/a/ips", true},
		{"/v2.1/**", "/v2.1/", true},
		{"/v2.1**", "/v2.1", true},
		{"**/ips", "/v2.1/servers/a/ips", true},
		{"/**/a/**", "/b/a/c/a/d", true},
		{"/**/a/*", "/b/a/c/a/d", true},
		{"/**/a/*", "/b/a/c/d", false},
		{"/***", "/ab/c", true},
		{"/a{b", "/a{b", true},
		{"/", "/", true},
		{"", "/", false},
	};
	(void) state;
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
		if (engine_path_fits(str_from(rows[k].pattern), str_from(rows[k].path)) != rows[k].fits)
			fail_msg("%s and %s", rows[k].pattern, rows[k].path);
}

/* Identical access rules are stored once, and deleted with the last credential that uses them. */
static void check_access_rules(void **state)
{
	struct cloud *c = *state;
	const struct access_rule_words rules[] = {
		{.service = STR("compute"), .path = STR("/v2.1/servers"), .method = STR("GET")},
		{.service = STR("compute"), .path = STR("/v2.1/servers"), .method = STR("POST")},
		{.service = STR("compute"), .path = STR("/v2.1/servers"), .method = STR("GET")}};
	struct application_credential_wish wish = {.user = ref_to(c, KIND_USER, c->alice.user),
						   .account = ref_to(c, KIND_ACCOUNT, c->alice.account),
						   .name = STR("program"),
						   .access_rules = rules,
						   .access_rule_count = 3,
						   .secret_hash = STR("hash")};
	cloud_ok(c, &c->alice, engine_create_application_credential, &wish);
	const struct application_credential *a =
		application_credential_find(cloud_tables(c), wish.credential);
	assert_int_equal(a->access_rules.count, 2);
	struct access_rule_target rule = {a->access_rules.at[1]};
	assert_true(
		engine_rules_allow(cloud_tables(c), a, "image|compute", STR("POST"), STR("/v2.1/servers")));
	assert_false(engine_rules_allow(cloud_tables(c), a, "image", STR("POST"), STR("/v2.1/servers")));
	assert_false(engine_rules_allow(cloud_tables(c), a, "compute", STR("PUT"), STR("/v2.1/servers")));
	cloud_fails(c, &c->alice, engine_delete_access_rule, &rule, ERR_IN_USE, KIND_ACCESS_RULE);
	cloud_fails(c, &c->bob, engine_delete_access_rule, &rule, ERR_DENIED, KIND_USER);
	struct application_credential_target target = {wish.credential};
	cloud_ok(c, &c->alice, engine_delete_application_credential, &target);
	struct access_rule_words again = {.id = ref_to(c, KIND_ACCESS_RULE, rule.rule)};
	wish.access_rules = &again;
	wish.access_rule_count = 1;
	cloud_ok(c, &c->alice, engine_create_application_credential, &wish);
	target.credential = wish.credential;
	cloud_ok(c, &c->alice, engine_delete_application_credential, &target);
	cloud_ok(c, &c->alice, engine_delete_access_rule, &rule);
	cloud_fails(c, &c->alice, engine_create_application_credential, &wish, ERR_NOT_FOUND,
		    KIND_ACCESS_RULE);
}

/* ---- names that differ in case alone ---- */

enum { SPELLINGS = 400, NAME_MAX_SIZE = 5 };

/* Names of few letters, with signs before, between and behind capital and small letters in ASCII. */
static struct str draw_name(uint32_t *seed, char name[static NAME_MAX_SIZE])
{
	static const char signs[] = "aAbB0_~\xc3";
	size_t n = 0;
	do {
		*seed = *seed * 1664525 + 1013904223;
		name[n++] = signs[(*seed >> 16) % (sizeof signs - 1)];
	} while (n < NAME_MAX_SIZE && *seed >> 30);
	return (struct str){name, n};
}

static size_t count_namesakes(const struct tables *t, uuid domain, struct str name)
{
	size_t count = 0;
	for (const struct user *u = user_first_by_owner(t, UUID_NONE); u; u = user_next_by_owner(t, u))
		count += uuid_equal(u->domain, domain) && str_equal_nocase(u->name, name);
	return count;
}

static void check_namesakes(void **state)
{
	struct cloud *c = *state;
	uuid domain = add_domain(c, "m"), next = add_domain(c, "n");
	char name[NAME_MAX_SIZE + 1] = "";
	uint32_t seed = 7;
	add_user(c, next, "a");
	for (int k = 0; k < SPELLINGS; k++) {
		struct str drawn = draw_name(&seed, name);
		if (str_is_utf8(drawn) && !user_find_by_owner(cloud_tables(c), UUID_NONE, domain, drawn)) {
			struct user_wish wish = {.name = drawn, .domain = ref_to(c, KIND_DOMAIN, domain)};
			cloud_ok(c, &c->operator, engine_create_user, &wish);
		}
	}
	for (int k = 0; k < 4 * SPELLINGS; k++) {
		struct str drawn = draw_name(&seed, name);
		const struct tables *t = cloud_tables(c);
		const struct user *user = NULL;
		size_t count = 0;
		while ((user = engine_find_namesake(c->c.arena, t, domain, drawn, user))) {
			assert_true(uuid_equal(user->domain, domain) && str_equal_nocase(user->name, drawn));
			count++;
		}
		assert_int_equal(count, count_namesakes(t, domain, drawn));
	}
}

static void check_ignored_case(void **state)
{
	struct cloud *c = *state;
	uuid domain = add_domain(c, "m"), ann = add_user(c, domain, "Ann"), bob = add_user(c, domain, "bob");
	struct str lower = STR("ann"), upper = STR("ANN");
	struct user_wish wish = {
		.name = lower, .domain = ref_to(c, KIND_DOMAIN, domain), .ignores_case = true};
	struct user_change change = {.user = ref_to(c, KIND_USER, bob), .name = &upper, .ignores_case = true};
	cloud_fails(c, &c->operator, engine_create_user, &wish, ERR_EXISTS, KIND_USER);
	cloud_fails(c, &c->operator, engine_update_user, &change, ERR_EXISTS, KIND_USER);
	change.user = ref_to(c, KIND_USER, ann); /* its own name */
	cloud_ok(c, &c->operator, engine_update_user, &change);
	wish.ignores_case = false; /* as Keystone compares */
	cloud_ok(c, &c->operator, engine_create_user, &wish);
	change.name = &lower;
	cloud_fails(c, &c->operator, engine_update_user, &change, ERR_EXISTS, KIND_USER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_rights, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_group_names, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_own_password, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_roles, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_trusts, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_redelegation, cloud_setup, cloud_teardown),
		cmocka_unit_test(check_paths),
		cmocka_unit_test_setup_teardown(check_access_rules, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_domain_admin, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_higher_ones, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_revoking, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_implied, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_names, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_namesakes, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_ignored_case, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_deleting, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_credentials, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
