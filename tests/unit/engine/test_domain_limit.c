/* SPDX-License-Identifier: Apache-2.0
 * Limits of a domain, which hold for all its accounts together. */
#include "cloud.h"
#include "engine/network/network.h"
#include "engine/people/account/account.h"
#include "engine/people/account/domain.h"
#include "engine/people/account/domain_limit.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/domain_limit.h"

static uuid make_domain(struct cloud *c)
{
	struct domain_wish wish = {.name = STR("acme")};
	cloud_ok(c, &c->operator, engine_create_domain, &wish);
	return wish.domain;
}

static struct identity make_member(struct cloud *c, uuid domain, const char *name)
{
	struct account_wish wish = {.domain = ref_to(c, KIND_DOMAIN, domain), .name = str_from(name)};
	cloud_ok(c, &c->operator, engine_create_account, &wish);
	return (struct identity){.account = wish.account, .rights = RIGHTS_OF_MEMBER};
}

static struct domain_limits networks(struct cloud *c, uuid domain, int64_t most)
{
	struct domain_limits wish = domain_limits_all(ref_to(c, KIND_DOMAIN, domain), ACCOUNT_LIMIT_KEEP);
	wish.networks = most;
	return wish;
}

static void check_together(void **state)
{
	struct cloud *c = *state;
	uuid domain = make_domain(c);
	struct identity one = make_member(c, domain, "one"), two = make_member(c, domain, "two");
	struct domain_limits limits = networks(c, domain, 2);
	struct network_wish first = {.name = STR("a")}, second = first, third = first;
	cloud_ok(c, &one, engine_create_network, &first);
	cloud_ok(c, &c->operator, engine_set_domain_limits, &limits);
	cloud_ok(c, &two, engine_create_network, &second);
	cloud_fails(c, &one, engine_create_network, &third, ERR_QUOTA, KIND_NETWORK);
	cloud_fails(c, &two, engine_create_network, &third, ERR_QUOTA, KIND_NETWORK);
	cloud_ok(c, &c->alice, engine_create_network, &third); /* of another domain */
	assert_int_equal(domain_usage(domain_find(cloud_tables(c), domain))->networks, 2);
	struct network_target target = {.network = ref_to(c, KIND_NETWORK, first.network)};
	cloud_ok(c, &one, engine_delete_network, &target);
	cloud_ok(c, &two, engine_create_network, &third);
	limits = networks(c, domain, -1);
	cloud_ok(c, &c->operator, engine_set_domain_limits, &limits);
	cloud_ok(c, &one, engine_create_network, &third);
	cloud_check(c);
}

/* Limits that a change does not name stay. */
static void check_set(void **state)
{
	struct cloud *c = *state;
	uuid domain = make_domain(c);
	struct domain_limits limits = networks(c, domain, 3), seen;
	cloud_fails(c, &c->alice, engine_set_domain_limits, &limits, ERR_NOT_FOUND, KIND_DOMAIN);
	cloud_ok(c, &c->operator, engine_set_domain_limits, &limits);
	limits = domain_limits_all(ref_to(c, KIND_DOMAIN, domain), ACCOUNT_LIMIT_KEEP);
	limits.volumes = 0;
	cloud_ok(c, &c->operator, engine_set_domain_limits, &limits);
	engine_read_domain_limits(domain_limit_find_by_domain(cloud_tables(c), domain), &seen);
	assert_true(seen.networks == 3 && seen.volumes == 0 && seen.instances == -1);
	limits = networks(c, DOMAIN_DEFAULT, 3);
	cloud_fails(c, &c->operator, engine_set_domain_limits, &limits, ERR_DENIED, KIND_DOMAIN);
}

/* The limits go with the domain. */
static void check_rows_go(void **state)
{
	struct cloud *c = *state;
	uuid domain = make_domain(c);
	struct domain_limits limits = networks(c, domain, 1);
	cloud_ok(c, &c->operator, engine_set_domain_limits, &limits);
	struct domain_change off = {.domain = ref_to(c, KIND_DOMAIN, domain), .enabled = CHOICE_NO};
	struct domain_target target = {.domain = ref_to(c, KIND_DOMAIN, domain)};
	cloud_ok(c, &c->operator, engine_update_domain, &off);
	cloud_ok(c, &c->operator, engine_delete_domain, &target);
	assert_null(domain_limit_find_by_domain(cloud_tables(c), domain));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_together, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_set, cloud_setup, cloud_teardown),
		cmocka_unit_test_setup_teardown(check_rows_go, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
