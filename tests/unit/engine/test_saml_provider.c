/* SPDX-License-Identifier: Apache-2.0
 * SAML providers as rows, and assertions that are used once in an account. */
#include "cloud.h"

#include "engine/people/credential/saml_provider.h"
#include "store/saml_provider.h"

static uuid provider(struct cloud *c, const struct identity *who, const char *name)
{
	struct saml_provider_wish wish = {
		.name = str_from(name),
		.document = {.text = STR("<a/>"), .entity_id = STR("https://idp"), .expires_us = HOUR}};
	cloud_ok(c, who, engine_create_saml_provider, &wish);
	return wish.saml_provider;
}

static void an_account_has_its_own(void **state)
{
	struct cloud *c = *state;
	uuid id = provider(c, &c->alice, "corp");
	struct saml_provider_wish again = {.name = STR("corp")};
	struct saml_provider_change change = {.saml_provider = ref_to(c, KIND_SAML_PROVIDER, id),
					      .document = {.text = STR("<b/>"), .entity_id = STR("urn:b")}};
	struct saml_provider_target gone = {change.saml_provider};
	cloud_fails(c, &c->alice, engine_create_saml_provider, &again, ERR_EXISTS, KIND_SAML_PROVIDER);
	cloud_fails(c, &c->bob, engine_update_saml_provider, &change, ERR_NOT_FOUND, KIND_SAML_PROVIDER);
	cloud_fails(c, &c->bob, engine_delete_saml_provider, &gone, ERR_NOT_FOUND, KIND_SAML_PROVIDER);
	cloud_ok(c, &c->alice, engine_update_saml_provider, &change);
	const struct saml_provider *p = saml_provider_find(cloud_tables(c), id);
	assert_true(str_is(p->metadata, "<b/>") && str_is(p->entity_id, "urn:b") && p->row.gen == 2);
	(void) provider(c, &c->bob, "corp");
	cloud_ok(c, &c->alice, engine_delete_saml_provider, &gone);
	assert_null(saml_provider_find(cloud_tables(c), id));
}

/* The id counts with its issuer, through any provider of the account, and also once the provider was made anew. */
static void an_assertion_is_used_once(void **state)
{
	struct cloud *c = *state;
	uuid id = provider(c, &c->alice, "corp");
	struct saml_assertion_use use = {id, STR("_1")};
	cloud_ok(c, &c->alice, engine_use_saml_assertion, &use);
	cloud_fails(c, &c->alice, engine_use_saml_assertion, &use, ERR_INVALID, KIND_SAML_PROVIDER);
	use.saml_provider = provider(c, &c->alice, "other");
	cloud_fails(c, &c->alice, engine_use_saml_assertion, &use, ERR_INVALID, KIND_SAML_PROVIDER);
	use.id = STR("_2");
	cloud_ok(c, &c->alice, engine_use_saml_assertion, &use);
	use = (struct saml_assertion_use){provider(c, &c->bob, "corp"), STR("_1")};
	cloud_ok(c, &c->bob, engine_use_saml_assertion, &use);
	struct saml_provider_target gone = {ref_to(c, KIND_SAML_PROVIDER, id)};
	cloud_ok(c, &c->alice, engine_delete_saml_provider, &gone);
	use = (struct saml_assertion_use){id, STR("_3")};
	cloud_fails(c, &c->alice, engine_use_saml_assertion, &use, ERR_INVALID, KIND_SAML_PROVIDER);
	use = (struct saml_assertion_use){provider(c, &c->alice, "corp"), STR("_1")};
	cloud_fails(c, &c->alice, engine_use_saml_assertion, &use, ERR_INVALID, KIND_SAML_PROVIDER);
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
	const struct CMUnitTest tests[] = {in_a_cloud(an_account_has_its_own),
					   in_a_cloud(an_assertion_is_used_once)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
