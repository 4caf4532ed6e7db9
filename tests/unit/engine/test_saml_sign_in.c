/* SPDX-License-Identifier: Apache-2.0
 * Signing in by SAML: identity providers, the mapping of their users, groups that follow the provider, and what is deleted with a
 * domain. */
#include "cloud.h"

#include "engine/people/account/domain.h"
#include "engine/people/credential/saml_provider.h"
#include "engine/people/sign_in/saml_sign_in.h"
#include "engine/people/user.h"
#include "store/group_member.h"
#include "store/saml_provider.h"
#include "store/user.h"
#include "store/user_group.h"

static uuid provider(struct cloud *c, const struct identity *who, const char *name, const char *entity)
{
	struct saml_provider_wish wish = {
		.name = str_from(name),
		.document = {.text = STR("<a/>"), .entity_id = str_from(entity), .expires_us = HOUR}};
	cloud_ok(c, who, engine_create_saml_provider, &wish);
	return wish.saml_provider;
}

static struct saml_sign_in_wish wish_for(struct cloud *c, uuid id)
{
	return (struct saml_sign_in_wish){.saml_provider = ref_to(c, KIND_SAML_PROVIDER, id),
					  .name = STR("Company"),
					  .makes_users = true};
}

static uuid made(struct cloud *c, const char *name, const char *entity)
{
	uuid id = provider(c, &c->alice, name, entity);
	struct saml_sign_in_wish wish = wish_for(c, id);
	cloud_ok(c, &c->operator, engine_set_saml_sign_in, &wish);
	return id;
}

static struct saml_arrival jane(uuid id, const char *assertion)
{
	return (struct saml_arrival){.saml_provider = id,
				     .assertion = str_from(assertion),
				     .subject = STR("s-1"),
				     .names = {STR("jane"), STR("jane@example.com"), STR("s-1")}};
}

/* The account can't change whom a whole domain trusts. */
static void administrators_alone_say_it(void **state)
{
	struct cloud *c = *state;
	uuid id = provider(c, &c->alice, "corp", "urn:idp");
	struct saml_sign_in_wish wish = wish_for(c, id);
	struct saml_sign_in_target end = {wish.saml_provider};
	struct saml_provider_target gone = {wish.saml_provider};
	struct saml_provider_change change = {.saml_provider = wish.saml_provider,
					      .document = {.text = STR("<b/>"), .entity_id = STR("urn:idp")}};
	cloud_fails(c, &c->alice, engine_set_saml_sign_in, &wish, ERR_DENIED, KIND_SAML_PROVIDER);
	cloud_ok(c, &c->operator, engine_set_saml_sign_in, &wish);
	cloud_fails(c, &c->alice, engine_end_saml_sign_in, &end, ERR_DENIED, KIND_SAML_PROVIDER);
	cloud_fails(c, &c->alice, engine_delete_saml_provider, &gone, ERR_PROTECTED, KIND_SAML_PROVIDER);
	cloud_fails(c, &c->alice, engine_update_saml_provider, &change, ERR_PROTECTED, KIND_SAML_PROVIDER);
	cloud_ok(c, &c->operator, engine_end_saml_sign_in, &end);
	struct saml_arrival arrival = jane(id, "_1");
	cloud_fails(c, NULL, engine_arrive_by_saml, &arrival, ERR_UNAUTHENTICATED, KIND_USER);
	cloud_ok(c, &c->alice, engine_update_saml_provider, &change);
	cloud_ok(c, &c->alice, engine_delete_saml_provider, &gone);
	cloud_fails(c, NULL, engine_arrive_by_saml, &arrival, ERR_UNAUTHENTICATED, KIND_USER);
}

static void one_issuer_of_a_domain(void **state)
{
	struct cloud *c = *state;
	(void) made(c, "corp", "urn:idp");
	struct saml_sign_in_wish wish = wish_for(c, provider(c, &c->bob, "corp", "urn:idp"));
	cloud_fails(c, &c->operator, engine_set_saml_sign_in, &wish, ERR_EXISTS, KIND_SAML_PROVIDER);
	static const char *const names[] = {"b", "c", "d", "e", "f", "g", "h"};
	for (size_t k = 0; k < SAML_SIGN_INS_MAX - 1; k++)
		(void) made(c, names[k], names[k]);
	wish = wish_for(c, provider(c, &c->bob, "more", "urn:more"));
	cloud_fails(c, &c->operator, engine_set_saml_sign_in, &wish, ERR_QUOTA, KIND_SAML_PROVIDER);
}

static void a_subject_is_one_user(void **state)
{
	struct cloud *c = *state;
	uuid id = made(c, "corp", "urn:idp"), other = made(c, "other", "urn:other");
	struct saml_arrival first = jane(id, "_1"), again = jane(id, "_2"), elsewhere = jane(other, "_1");
	cloud_ok(c, NULL, engine_arrive_by_saml, &first);
	again.names[0] = STR("bob");
	cloud_ok(c, NULL, engine_arrive_by_saml, &again);
	assert_true(uuid_equal(again.user, first.user));
	cloud_fails(c, NULL, engine_arrive_by_saml, &again, ERR_UNAUTHENTICATED, KIND_USER); /* used before */
	cloud_ok(c, NULL, engine_arrive_by_saml, &elsewhere); /* another provider's "s-1" */
	assert_true(!uuid_equal(elsewhere.user, first.user));
	struct user_wish ann = {.name = STR("ann")};
	cloud_ok(c, &c->operator, engine_create_user, &ann);
	struct saml_link link = {.user = ref_to(c, KIND_USER, ann.user),
				 .saml_provider = ref_to(c, KIND_SAML_PROVIDER, id),
				 .subject = STR("s-1")};
	cloud_fails(c, &c->operator, engine_link_saml_user, &link, ERR_EXISTS, KIND_USER);
	link.subject = STR("s-2");
	cloud_fails(c, &c->alice, engine_link_saml_user, &link, ERR_DENIED, KIND_SAML_PROVIDER);
	cloud_ok(c, &c->operator, engine_link_saml_user, &link);
	struct saml_arrival linked = jane(id, "_3");
	linked.subject = STR("s-2");
	cloud_ok(c, NULL, engine_arrive_by_saml, &linked);
	assert_true(uuid_equal(linked.user, ann.user));
	struct user_change disable = {.user = link.user, .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_user, &disable);
	linked.assertion = STR("_4");
	cloud_fails(c, NULL, engine_arrive_by_saml, &linked, ERR_UNAUTHENTICATED, KIND_USER);
}

static bool is_in(struct cloud *c, uuid user, const char *group)
{
	const struct user_group *g =
		user_group_find_by_owner(cloud_tables(c), UUID_NONE, DOMAIN_DEFAULT, str_from(group));
	return g && group_member_find_by_user_group(cloud_tables(c), g->row.id, user);
}

/* Two groups of the provider lead to one of the domain. Groups that no rule names are left alone. */
static void groups_follow(void **state)
{
	struct cloud *c = *state;
	uuid id = made(c, "corp", "urn:idp");
	struct str rules[] = {STR("ops = Operators"), STR("admins=Operators"), STR("readers")};
	struct str both[] = {STR("ops"), STR("readers"), STR("unknown")}, one[] = {STR("admins")},
		   other[] = {STR("OPS")};
	struct saml_sign_in_wish wish = wish_for(c, id);
	wish.groups = (struct strs){rules, 3};
	cloud_ok(c, &c->operator, engine_set_saml_sign_in, &wish);
	struct saml_arrival a = jane(id, "_1");
	a.groups = (struct strs){both, 3};
	cloud_ok(c, NULL, engine_arrive_by_saml, &a);
	assert_true(is_in(c, a.user, "Operators") && is_in(c, a.user, "readers") &&
		    !is_in(c, a.user, "unknown"));
	a = jane(id, "_2");
	a.groups = (struct strs){one, 1};
	cloud_ok(c, NULL, engine_arrive_by_saml, &a);
	assert_true(is_in(c, a.user, "Operators") && !is_in(c, a.user, "readers"));
	a = jane(id, "_3");
	a.groups = (struct strs){other, 1};
	cloud_ok(c, NULL, engine_arrive_by_saml, &a);
	assert_true(!is_in(c, a.user, "Operators"));
	struct str bad[] = {STR("= x")};
	wish.groups = (struct strs){bad, 1};
	cloud_fails(c, &c->operator, engine_set_saml_sign_in, &wish, ERR_INVALID, KIND_SAML_PROVIDER);
}

static void a_domain_goes(void **state)
{
	struct cloud *c = *state;
	struct domain_wish domain = {.name = STR("branch")};
	cloud_ok(c, &c->operator, engine_create_domain, &domain);
	uuid id = provider(c, &c->alice, "corp", "urn:idp");
	struct saml_sign_in_wish wish = wish_for(c, id);
	wish.domain = ref_named(KIND_DOMAIN, "branch");
	cloud_ok(c, &c->operator, engine_set_saml_sign_in, &wish);
	struct saml_arrival arrival = jane(id, "_1");
	cloud_ok(c, NULL, engine_arrive_by_saml, &arrival);
	assert_true(uuid_equal(user_find(cloud_tables(c), arrival.user)->domain, domain.domain));
	struct domain_change disable = {.domain = wish.domain, .enabled = CHOICE_NO};
	cloud_ok(c, &c->operator, engine_update_domain, &disable);
	arrival.assertion = STR("_2");
	cloud_fails(c, NULL, engine_arrive_by_saml, &arrival, ERR_UNAUTHENTICATED, KIND_USER);
	struct domain_target gone = {wish.domain};
	cloud_ok(c, &c->operator, engine_delete_domain, &gone);
	const struct saml_provider *p = saml_provider_find(cloud_tables(c), id);
	assert_true(uuid_is_none(p->sign_in_domain) && !p->sign_in_name.n);
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
	const struct CMUnitTest tests[] = {
		in_a_cloud(administrators_alone_say_it), in_a_cloud(one_issuer_of_a_domain),
		in_a_cloud(a_subject_is_one_user), in_a_cloud(groups_follow), in_a_cloud(a_domain_goes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
