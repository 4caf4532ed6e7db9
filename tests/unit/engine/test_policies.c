/* SPDX-License-Identifier: Apache-2.0
 * IAM policies as rows: attachments, boundaries and inline policies of a principal, and what goes with it.
 * tests/unit/auth/ decides by them. */
#include "cloud.h"

#include "engine/people/account/account_user.h"
#include "engine/people/policy/policy.h"
#include "store/policy.h"
#include "store/policy_attachment.h"
#include "store/policy_version.h"
#include "store/user.h"

#define ALLOW_ALL                                                                                            \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*" \
	"\"}]}"

static int make_owner(void **state)
{
	int made = cloud_setup(state);
	((struct cloud *) *state)->alice.is_owner = true;
	return made;
}

static struct ref make_user(struct cloud *c)
{
	struct account_user_wish wish = {.name = STR("dave")};
	cloud_ok(c, &c->alice, engine_create_account_user, &wish);
	return ref_by_id(KIND_USER, wish.user);
}

static struct ref make_policy(struct cloud *c, const char *name)
{
	struct policy_wish wish = {.name = str_from(name), .document = STR(ALLOW_ALL)};
	cloud_ok(c, &c->alice, engine_create_policy, &wish);
	return ref_by_id(KIND_POLICY, wish.policy);
}

static size_t count_attachments(struct cloud *c, struct ref user)
{
	const struct tables *t = cloud_tables(c);
	size_t count = 0;
	for (const struct policy_attachment *a = policy_attachment_first_by_user(t, user.prefix); a;
	     a = policy_attachment_next_by_user(t, a))
		count++;
	return count;
}

static void a_policy_is_attached_once_and_a_user_has_ten_at_most(void **state)
{
	struct cloud *c = *state;
	struct policy_attachment_wish wish = {.user = make_user(c)};
	for (int k = 0; k <= POLICIES_ATTACHED_MAX; k++) {
		wish.policy = make_policy(c, str_to_z(c->arena, str_print(c->arena, "policy-%d", k)));
		if (k == POLICIES_ATTACHED_MAX)
			break;
		cloud_ok(c, &c->alice, engine_attach_policy, &wish);
		cloud_ok(c, &c->alice, engine_attach_policy, &wish);
	}
	assert_int_equal(count_attachments(c, wish.user), POLICIES_ATTACHED_MAX);
	cloud_fails(c, &c->alice, engine_attach_policy, &wish, ERR_QUOTA, KIND_POLICY_ATTACHMENT);
	cloud_fails(c, &c->alice, engine_detach_policy, &wish, ERR_NOT_FOUND, KIND_POLICY_ATTACHMENT);
	wish.is_boundary = true; /* is none of the ten */
	cloud_ok(c, &c->alice, engine_attach_policy, &wish);
}

static void a_user_has_one_boundary_which_another_replaces(void **state)
{
	struct cloud *c = *state;
	struct policy_attachment_wish wish = {.user = make_user(c), .is_boundary = true}, none = wish;
	struct ref first = make_policy(c, "first"), second = make_policy(c, "second");
	const struct policy_principal who = {KIND_USER, &user_find(cloud_tables(c), wish.user.prefix)->row};
	cloud_fails(c, &c->alice, engine_detach_policy, &none, ERR_NOT_FOUND, KIND_POLICY_ATTACHMENT);
	wish.policy = first;
	cloud_ok(c, &c->alice, engine_attach_policy, &wish);
	wish.policy = second;
	cloud_ok(c, &c->alice, engine_attach_policy, &wish);
	assert_int_equal(count_attachments(c, wish.user), 1);
	const struct policy *is = engine_find_boundary(cloud_tables(c), c->alice.account, &who);
	assert_true(is && uuid_equal(is->row.id, second.prefix));
	assert_null(engine_find_boundary(cloud_tables(c), c->bob.account, &who));
	struct policy_target freed = {first}, used = {second};
	cloud_ok(c, &c->alice, engine_delete_policy, &freed);
	cloud_fails(c, &c->alice, engine_delete_policy, &used, ERR_IN_USE, KIND_POLICY);
	cloud_ok(c, &c->alice, engine_detach_policy, &none); /* without naming the policy */
	assert_int_equal(count_attachments(c, wish.user), 0);
}

static void an_inline_policy_replaces_its_namesake_and_shares_the_room(void **state)
{
	struct cloud *c = *state;
	static char text[POLICY_CHARACTERS_OF_USER + 1];
	struct inline_policy_wish wish = {
		.user = make_user(c), .name = STR("one"), .document = STR(ALLOW_ALL)};
	cloud_ok(c, &c->alice, engine_put_inline_policy, &wish);
	uuid first = policy_first_by_user(cloud_tables(c), wish.user.prefix)->row.id;
	for (size_t k = 0; k < sizeof text; k++)
		text[k] = 'x';
	wish.document = (struct str){text, POLICY_CHARACTERS_OF_USER};
	cloud_ok(c, &c->alice, engine_put_inline_policy, &wish); /* the former one takes no room */
	const struct policy *p = policy_first_by_user(cloud_tables(c), wish.user.prefix);
	assert_null(policy_next_by_user(cloud_tables(c), p));
	const struct policy_version *v = engine_find_default_version(cloud_tables(c), p);
	assert_int_equal(v->document.n, POLICY_CHARACTERS_OF_USER);
	if (!uuid_equal(p->row.id, first))
		assert_null(policy_version_find_by_policy(cloud_tables(c), first, 1));
	wish.name = STR("two");
	wish.document = STR("  \t\r\n"); /* white space does not count */
	cloud_ok(c, &c->alice, engine_put_inline_policy, &wish);
	wish.document = STR("x");
	cloud_fails(c, &c->alice, engine_put_inline_policy, &wish, ERR_QUOTA, KIND_POLICY);
	wish.name = STR("three");
	cloud_fails(c, &c->alice, engine_delete_inline_policy, &wish, ERR_NOT_FOUND, KIND_POLICY);
}

static void a_user_with_policies_is_not_deleted(void **state)
{
	struct cloud *c = *state;
	struct account_user_target target = {make_user(c)};
	struct policy_attachment_wish attach = {.user = target.user, .policy = make_policy(c, "all")},
				      bound = attach;
	struct inline_policy_wish own = {.user = target.user, .name = STR("one"), .document = STR(ALLOW_ALL)};
	bound.is_boundary = true;
	cloud_ok(c, &c->alice, engine_attach_policy, &bound);
	cloud_ok(c, &c->alice, engine_attach_policy, &attach);
	cloud_fails(c, &c->alice, engine_delete_account_user, &target, ERR_IN_USE, KIND_USER);
	cloud_ok(c, &c->alice, engine_detach_policy, &attach);
	cloud_ok(c, &c->alice, engine_put_inline_policy, &own);
	cloud_fails(c, &c->alice, engine_delete_account_user, &target, ERR_IN_USE, KIND_USER);
	cloud_ok(c, &c->alice, engine_delete_inline_policy, &own);
	cloud_ok(c, &c->alice, engine_delete_account_user, &target); /* a boundary does not keep it */
	assert_int_equal(count_attachments(c, target.user), 0);
}

static void a_policy_with_other_versions_is_not_deleted(void **state)
{
	struct cloud *c = *state;
	struct policy_target target = {make_policy(c, "all")};
	struct policy_version_wish more = {.policy = target.policy, .document = STR(ALLOW_ALL)};
	struct policy_version_target version = {.policy = target.policy, .number = 1};
	cloud_ok(c, &c->alice, engine_create_policy_version, &more);
	cloud_fails(c, &c->alice, engine_delete_policy, &target, ERR_IN_USE, KIND_POLICY);
	cloud_fails(c, &c->alice, engine_delete_policy_version, &version, ERR_IN_USE, KIND_POLICY_VERSION);
	version.number = 2;
	cloud_ok(c, &c->alice, engine_delete_policy_version, &version);
	cloud_fails(c, &c->alice, engine_delete_policy_version, &version, ERR_NOT_FOUND, KIND_POLICY_VERSION);
	cloud_ok(c, &c->alice, engine_delete_policy, &target);
	assert_null(policy_version_find_by_policy(cloud_tables(c), target.policy.prefix, 1));
}

#define in_a_cloud(test) cmocka_unit_test_setup_teardown(test, make_owner, cloud_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		in_a_cloud(a_policy_is_attached_once_and_a_user_has_ten_at_most),
		in_a_cloud(a_user_has_one_boundary_which_another_replaces),
		in_a_cloud(an_inline_policy_replaces_its_namesake_and_shares_the_room),
		in_a_cloud(a_user_with_policies_is_not_deleted),
		in_a_cloud(a_policy_with_other_versions_is_not_deleted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
