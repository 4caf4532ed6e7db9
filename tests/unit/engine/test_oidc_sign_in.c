/* SPDX-License-Identifier: Apache-2.0
 * Signing in by OpenID Connect: identity providers, the mapping of their users, and what is deleted with a
 * domain. */
#include "cloud.h"

#include <stdio.h>

#include "engine/people/account/domain.h"
#include "engine/people/credential/oidc_provider.h"
#include "engine/people/sign_in/oidc_sign_in.h"
#include "engine/people/user.h"
#include "store/oidc_provider.h"
#include "store/user.h"

static uuid provider(struct cloud *c, const char *url)
{
	struct oidc_provider_wish wish = {.url = str_from(url)};
	cloud_ok(c, &c->alice, engine_create_oidc_provider, &wish);
	return wish.oidc_provider;
}

static struct oidc_sign_in_wish wish_for(struct cloud *c, uuid id)
{
	return (struct oidc_sign_in_wish){.oidc_provider = ref_to(c, KIND_OIDC_PROVIDER, id),
					  .name = STR("Company"),
					  .client = STR("console"),
					  .makes_users = true};
}

static uuid made(struct cloud *c, const char *url)
{
	uuid id = provider(c, url);
	struct oidc_sign_in_wish wish = wish_for(c, id);
	cloud_ok(c, &c->operator, engine_set_oidc_sign_in, &wish);
	return id;
}

static struct oidc_arrival jane(uuid id)
{
	return (struct oidc_arrival){.oidc_provider = id,
				     .subject = STR("s-1"),
				     .names = {STR("jane"), STR("jane@example.com"), STR("s-1")}};
}

static void administrators_alone_say_it(void **state)
{
	struct cloud *c = *state;
	uuid id = provider(c, "id.example.com");
	struct oidc_sign_in_wish wish = wish_for(c, id);
	struct oidc_sign_in_target end = {wish.oidc_provider};
	struct oidc_provider_target gone = {wish.oidc_provider};
	struct oidc_thumbprints pins = {.oidc_provider = wish.oidc_provider};
	cloud_fails(c, &c->alice, engine_set_oidc_sign_in, &wish, ERR_DENIED, KIND_OIDC_PROVIDER);
	cloud_ok(c, &c->operator, engine_set_oidc_sign_in, &wish);
	cloud_fails(c, &c->alice, engine_end_oidc_sign_in, &end, ERR_DENIED, KIND_OIDC_PROVIDER);
	cloud_fails(c, &c->alice, engine_delete_oidc_provider, &gone, ERR_PROTECTED, KIND_OIDC_PROVIDER);
	cloud_fails(c, &c->alice, engine_set_oidc_thumbprints, &pins, ERR_PROTECTED, KIND_OIDC_PROVIDER);
	cloud_ok(c, &c->operator, engine_end_oidc_sign_in, &end);
	struct oidc_arrival arrival = jane(id);
	cloud_fails(c, NULL, engine_arrive_by_oidc, &arrival, ERR_UNAUTHENTICATED, KIND_USER);
	cloud_ok(c, &c->alice, engine_set_oidc_thumbprints, &pins);
	cloud_ok(c, &c->alice, engine_delete_oidc_provider, &gone);
	cloud_fails(c, NULL, engine_arrive_by_oidc, &arrival, ERR_UNAUTHENTICATED, KIND_USER);
}

static void a_domain_has_so_many(void **state)
{
	struct cloud *c = *state;
	char url[32];
	for (int k = 0; k < OIDC_SIGN_INS_MAX; k++) {
		(void) snprintf(url, sizeof url, "id%d.example.com", k);
		(void) made(c, url);
	}
	struct oidc_sign_in_wish wish = wish_for(c, provider(c, "more.example.com"));
	cloud_fails(c, &c->operator, engine_set_oidc_sign_in, &wish, ERR_QUOTA, KIND_OIDC_PROVIDER);
	struct oidc_provider_wish same = {.url = STR("id0.example.com")};
	cloud_ok(c, &c->bob, engine_create_oidc_provider, &same);
	wish = wish_for(c, same.oidc_provider);
	cloud_fails(c, &c->operator, engine_set_oidc_sign_in, &wish, ERR_EXISTS, KIND_OIDC_PROVIDER);
}

static void a_subject_is_one_user(void **state)
{
	struct cloud *c = *state;
	uuid id = made(c, "id.example.com"), other = made(c, "other.example.com");
	struct oidc_arrival first = jane(id), again = jane(id), elsewhere = jane(other);
	cloud_ok(c, NULL, engine_arrive_by_oidc, &first);
	const struct user *user = user_find(cloud_tables(c), first.user);
	assert_true(str_is(user->name, "jane") && uuid_equal(user->domain, DOMAIN_DEFAULT));
	again.names[0] = STR("bob");
	cloud_ok(c, NULL, engine_arrive_by_oidc, &again);
	assert_true(uuid_equal(again.user, first.user));
	cloud_ok(c, NULL, engine_arrive_by_oidc,
		 &elsewhere); /* another provider's "s-1" is a different user */
	assert_true(!uuid_equal(elsewhere.user, first.user));
	assert_true(str_is(user_find(cloud_tables(c), elsewhere.user)->name, "jane@example.com"));
	struct oidc_arrival nobody = {.oidc_provider = id, .subject = STR("s-2"), .names = {STR("jane")}};
	cloud_fails(c, NULL, engine_arrive_by_oidc, &nobody, ERR_UNAUTHENTICATED, KIND_USER);
	struct user_change disable = {.user = ref_to(c, KIND_USER, first.user), .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_user, &disable);
	cloud_fails(c, NULL, engine_arrive_by_oidc, &again, ERR_UNAUTHENTICATED, KIND_USER);
}

static void who_is_whom_is_said(void **state)
{
	struct cloud *c = *state;
	uuid id = made(c, "id.example.com");
	struct oidc_sign_in_wish wish = wish_for(c, id);
	struct oidc_arrival arrival = jane(id);
	wish.makes_users = false;
	cloud_ok(c, &c->operator, engine_set_oidc_sign_in, &wish);
	struct user_wish ann = {.name = STR("jane")};
	cloud_ok(c, &c->operator, engine_create_user, &ann);
	cloud_fails(c, NULL, engine_arrive_by_oidc, &arrival, ERR_UNAUTHENTICATED, KIND_USER);
	struct oidc_link link = {.user = ref_to(c, KIND_USER, ann.user),
				 .oidc_provider = wish.oidc_provider,
				 .subject = STR("s-1")};
	cloud_fails(c, &c->alice, engine_link_oidc_user, &link, ERR_DENIED, KIND_OIDC_PROVIDER);
	cloud_ok(c, &c->operator, engine_link_oidc_user, &link);
	cloud_ok(c, NULL, engine_arrive_by_oidc, &arrival);
	assert_true(uuid_equal(arrival.user, ann.user));
	struct oidc_link own = {.user = ref_to(c, KIND_USER, c->alice.user),
				.oidc_provider = wish.oidc_provider,
				.subject = STR("s-3")};
	cloud_fails(c, &c->operator, engine_link_oidc_user, &own, ERR_STATE, KIND_OIDC_PROVIDER);
	struct user_wish other = {.name = STR("other")};
	cloud_ok(c, &c->operator, engine_create_user, &other);
	struct oidc_link taken = link;
	taken.user = ref_to(c, KIND_USER, other.user);
	cloud_fails(c, &c->operator, engine_link_oidc_user, &taken, ERR_EXISTS, KIND_USER);
	link.subject = STR_NONE;
	cloud_ok(c, &c->operator, engine_link_oidc_user, &link);
	cloud_fails(c, NULL, engine_arrive_by_oidc, &arrival, ERR_UNAUTHENTICATED, KIND_USER);
}

static void a_domain_goes(void **state)
{
	struct cloud *c = *state;
	struct domain_wish domain = {.name = STR("branch")};
	cloud_ok(c, &c->operator, engine_create_domain, &domain);
	uuid id = provider(c, "id.example.com");
	struct oidc_sign_in_wish wish = wish_for(c, id);
	wish.domain = ref_named(KIND_DOMAIN, "branch");
	wish.secret = STR("sealed");
	cloud_ok(c, &c->operator, engine_set_oidc_sign_in, &wish);
	struct oidc_arrival arrival = jane(id);
	cloud_ok(c, NULL, engine_arrive_by_oidc, &arrival);
	assert_true(uuid_equal(user_find(cloud_tables(c), arrival.user)->domain, domain.domain));
	struct domain_change disable = {.domain = wish.domain, .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_domain, &disable);
	cloud_fails(c, NULL, engine_arrive_by_oidc, &arrival, ERR_UNAUTHENTICATED, KIND_USER);
	struct domain_target gone = {wish.domain};
	cloud_ok(c, &c->operator, engine_delete_domain, &gone);
	const struct oidc_provider *p = oidc_provider_find(cloud_tables(c), id);
	assert_true(uuid_is_none(p->sign_in_domain) && !p->sign_in_client.n && !p->sign_in_secret.n);
	cloud_fails(c, NULL, engine_arrive_by_oidc, &arrival, ERR_UNAUTHENTICATED, KIND_USER);
}

static int setup(void **state)
{
	int failed = cloud_setup(state);
	struct cloud *c = *state;
	c->alice.is_owner = c->bob.is_owner = true;
	return failed;
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, setup, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {in_a_cloud(administrators_alone_say_it),
					   in_a_cloud(a_domain_has_so_many),
					   in_a_cloud(a_subject_is_one_user), in_a_cloud(who_is_whom_is_said),
					   in_a_cloud(a_domain_goes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
