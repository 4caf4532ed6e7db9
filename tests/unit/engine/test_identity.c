/* SPDX-License-Identifier: Apache-2.0
 * Who may do what: rights by role, domains and their administrators, what goes with whom. */
#include "cloud.h"
#include "model/role.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/application_credential.h"
#include "store/key_pair.h"
#include "store/role_assignment.h"
#include "store/user.h"

#include "engine/people/application_credential.h"
#include "engine/people/domain.h"
#include "engine/people/role.h"
#include "engine/people/user.h"
#include "engine/people/user_group.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_rights, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_roles, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_domain_admin, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_higher_ones, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_names, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_deleting, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_credentials, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
