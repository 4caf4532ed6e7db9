/* SPDX-License-Identifier: Apache-2.0
 * Completeness of the audit log's table, compared with the APIs' tables: every action that touches a secret
 * or changes rights must say what is recorded. Also the records left by many anonymous requests. */
#include "../base/test_base.h"

#include "api/acm/acm.h"
#include "api/awsbackup/awsbackup.h"
#include "api/azure/core/action.h"
#include "api/cloudstack/core/cloudstack.h"
#include "api/connect/connect.h"
#include "api/core/audit.h"
#include "api/core/dispatch.h"
#include "api/dlm/dlm.h"
#include "api/ec2/core/action.h"
#include "api/iam/internal.h"
#include "api/native/action.h"
#include "api/openstack/core/action.h"
#include "api/sns/sns.h"
#include "api/sqs/sqs.h"
#include "base/fault.h"
#include "model/permission.h"
#include "script.h"
#include "world.h"

enum { ACTIONS_MAX = 400 };

static const struct os_actions *const os_groups[] = {
#define GROUP(name) &os_##name##_actions,
#include "api/openstack/core/action_groups.def"
#undef GROUP
};
enum { OS_GROUP_COUNT = sizeof os_groups / sizeof os_groups[0] };

/* ---- actions that need an audit record ---- */

/* Families of permissions; what ends with a dot is all of them. */
static const char *const families[] = {"access_key.",
				       "password.",
				       "application_credential.",
				       "token.",
				       "key_pair.",
				       "policy.",
				       "iam_role.",
				       "instance_profile.",
				       "profile_association.",
				       "oidc_provider.",
				       "saml_provider.",
				       "role.",
				       "user.",
				       "group.",
				       "instance.get_password",
				       "instance.clear_password",
				       "instance.open_console",
				       "instance.read_console",
				       "instance.get_screen",
				       "instance.get_attribute",
				       "instance.rescue",
				       "instance.rebuild",
				       "volume.offer",
				       "volume.accept",
				       "launch_template.get_data",
				       "launch_template.list_versions"};

static bool is_of_family(const char *permit)
{
	int permission = permission_find_action(str_from(permit));
	for (size_t k = 0; permission != PERMISSION_NONE && k < sizeof families / sizeof families[0]; k++)
		if (str_starts_with(str_from(model_permissions[permission].name), str_from(families[k])))
			return true;
	return false;
}

/* A parameter that is called like a secret, in any letter case. */
static bool sounds_secret(const char *wire)
{
	static const char *const words[] = {"password",  "adminpass", "secret",      "userdata",
					    "user_data", "auth_key",  "private_key", "privatekey"};
	char text[128] = "";
	for (size_t k = 0; wire && wire[k] && k < sizeof text - 1; k++)
		text[k] = (char) (wire[k] >= 'A' && wire[k] <= 'Z' ? wire[k] + 32 : wire[k]);
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (strstr(text, words[k]))
			return true;
	return false;
}

static bool params_sound_secret(const struct params *p)
{
	for (size_t k = 0; p && k < p->count; k++)
		if (sounds_secret(p->at[k].wire))
			return true;
	return false;
}

static bool os_params_sound_secret(const struct params *p)
{
	for (size_t k = 0; p && k < p->count; k++)
		if (sounds_secret(p->at[k].wire))
			return true;
	return false;
}

static size_t check(const char *permit, bool is_needed)
{
	if (!is_needed || audited_find(permit))
		return 0;
	print_message("%s: api/core/audited.def does not say whether its calls are recorded\n", permit);
	return 1;
}

static void every_secret_is_decided_on(void **state)
{
	const struct ec2_action *ec2[ACTIONS_MAX];
	const struct iam_action *iam[ACTIONS_MAX];
	size_t missing = 0, ec2_count = ec2_sum_actions(ec2, ACTIONS_MAX),
	       iam_count = iam_sum_actions(iam, ACTIONS_MAX);
	(void) state;
	for (size_t k = 0; k < ec2_count; k++)
		missing += check(ec2[k]->permit, ec2[k]->flags & EC2_OF_STS || is_of_family(ec2[k]->permit) ||
							 params_sound_secret(&ec2[k]->args));
	for (size_t k = 0; k < iam_count; k++)
		missing += check(iam[k]->permit, true);
	for (size_t g = 0; g < OS_GROUP_COUNT; g++)
		for (size_t k = 0; k < os_groups[g]->count; k++) {
			const struct os_action *a = &os_groups[g]->at[k];
			missing += check(a->permit, os_groups[g]->service == OS_IDENTITY ||
							    is_of_family(a->permit) ||
							    os_params_sound_secret(&a->args));
		}
	assert_int_equal(missing, 0);
}

/* ---- the table itself ---- */

static bool is_in(const struct api_groups *groups, const char *action)
{
	for (size_t g = 0; g < groups->count; g++)
		for (size_t k = 0; k < groups->at[g]->count; k++)
			if (strcmp(api_action_at(groups->at[g], k)->permit, action) == 0)
				return true;
	return false;
}

static bool has_action(const char *action)
{
	static const struct api_protocol *const protocols[] = {
		&acm_protocol, &cloudstack_protocol, &connect_protocol, &sqs_protocol, &sns_protocol};
	const struct ec2_action *ec2[ACTIONS_MAX];
	const struct iam_action *iam[ACTIONS_MAX];
	size_t ec2_count = ec2_sum_actions(ec2, ACTIONS_MAX), iam_count = iam_sum_actions(iam, ACTIONS_MAX);
	for (size_t k = 0; k < ec2_count; k++)
		if (strcmp(ec2[k]->permit, action) == 0)
			return true;
	for (size_t k = 0; k < iam_count; k++)
		if (strcmp(iam[k]->permit, action) == 0)
			return true;
	for (size_t g = 0; g < OS_GROUP_COUNT; g++)
		for (size_t k = 0; k < os_groups[g]->count; k++)
			if (strcmp(os_groups[g]->at[k].permit, action) == 0)
				return true;
	for (size_t p = 0; p < sizeof protocols / sizeof *protocols; p++)
		if (is_in(protocols[p]->groups, action))
			return true;
	if (is_in(&dlm_action_groups, action) || is_in(&awsbackup_action_groups, action))
		return true;
	for (size_t g = 0; g < native_count_groups(); g++)
		for (size_t k = 0; k < native_group_at(g)->count; k++)
			if (strcmp(api_action_at(native_group_at(g), k)->permit, action) == 0)
				return true;
	for (size_t g = 0; g < az_group_count; g++)
		for (size_t k = 0; k < az_groups[g]->count; k++)
			if (strcmp(api_action_at(az_groups[g], k)->permit, action) == 0)
				return true;
	return false;
}

static void every_row_is_of_an_action(void **state)
{
	size_t count = 0, wrong = 0;
	const struct audited *table = audited_list(&count);
	(void) state;
	assert_true(count > 200);
	for (size_t k = 0; k < count; k++) {
		struct str action = str_from(table[k].action);
		bool is_elsewhere = str_starts_with(action, STR("dari:")) ||
				    str_starts_with(action, STR("console:")) ||
				    str_starts_with(action, STR("metadata:"));
		bool is_fine = (is_elsewhere || has_action(table[k].action)) &&
			       audited_find(table[k].action) == &table[k] &&
			       !table[k].does == !!table[k].why_not;
		wrong += !is_fine;
		if (!is_fine)
			print_message("%s: twice, of no action, or without a word why not\n",
				      table[k].action);
	}
	assert_int_equal(wrong, 0);
}

/* ---- a database that takes no record ---- */

struct sum {
	size_t records;
	int64_t calls;
	bool has_many;
};

static RESULT take(void *arg, const struct audit_record *a)
{
	struct sum *s = arg;
	s->records++;
	s->calls += a->count;
	s->has_many = s->has_many || str_is(a->texts[AUDIT_FROM], "(many)");
	return OK;
}

static struct sum sum_up(struct world *w)
{
	struct sum s = {0};
	struct ctx c;
	ctx_init(&c, w->arena);
	assert_ok(store_read_audit(w->store, &c, 0, 100000, take, &s));
	return s;
}

/* The answer to a request; fails: with all SQL statements failing meanwhile. */
static struct world_answer ask(struct world *w, const struct script_request *request, bool fails)
{
	if (fails)
		fault_arm(FAULT_SQL, 0, true);
	struct world_answer answer = world_request(w, &w->alice, request);
	fault_disarm();
	return answer;
}

static void no_secret_leaves_without_its_record(void **state)
{
	struct world *w = *state;
	const struct script_request keys = {.method = STR("GET"), .path = STR("/identity/v3/credentials")};
	struct sum before = sum_up(w);
	struct world_answer refused = ask(w, &keys, true);
	assert_int_equal(refused.status, 500);
	assert_false(str_contains(refused.body, STR("secret")));
	assert_int_equal(sum_up(w).records, before.records);
	struct world_answer shown = ask(w, &keys, false);
	assert_int_equal(shown.status, 200);
	assert_true(str_contains(shown.body, STR("secret")));
	assert_int_equal(sum_up(w).records, before.records + 1);
}

/* The token is a response header, set before the audit record is written. */
static void no_token_leaves_without_its_record(void **state)
{
	struct world *w = *state;
	struct token by = {.scope = IDENTITY_ACCOUNT,
			   .methods = TOKEN_BY_PASSWORD,
			   .user = w->alice.who.user,
			   .where = w->alice.who.account};
	struct str text = STR_NONE;
	struct ctx c;
	ctx_init(&c, w->arena);
	assert_ok(token_issue(w->tokens, &c, &by, &text));
	const struct script_request login = {
		.method = STR("POST"),
		.path = STR("/identity/v3/auth/tokens"),
		.body = str_print(w->arena,
				  "{\"auth\": {\"identity\": {\"methods\": [\"token\"], \"token\": {\"id\": "
				  "\"%" STR_FMT "\"}}, \"scope\": \"unscoped\"}}",
				  STR_ARG(text))};
	struct world_answer refused = ask(w, &login, true);
	assert_int_equal(refused.status, 500);
	assert_false(str_contains(refused.headers, STR("X-Subject-Token")));
	struct sum before = sum_up(w);
	struct world_answer issued = ask(w, &login, false);
	assert_int_equal(issued.status, 201);
	assert_true(str_contains(issued.headers, STR("X-Subject-Token")));
	assert_int_equal(sum_up(w).records, before.records + 1);
}

/* A refusal keeps its status and message if its audit record cannot be written. */
static void a_refusal_is_told_all_the_same(void **state)
{
	struct world *w = *state;
	const struct script_request absent = {
		.method = STR("GET"),
		.path = STR("/identity/v3/users/00000000deadbeef8f00000000000000/credentials/OS-EC2")};
	struct world_answer with = ask(w, &absent, false), without = ask(w, &absent, true);
	assert_true(with.status >= 400 && with.status < 500);
	assert_int_equal(with.status, without.status);
	assert_true(str_equal(with.body, without.body));
}

/* ---- a flood ---- */

static RESULT refuse(struct op *op, void *arg)
{
	unsigned n = *(unsigned *) arg;
	const struct audit_record a = {.texts[AUDIT_ACTION] = STR("identity:authenticate"),
				       .texts[AUDIT_REQUEST] = str_print(op->ctx->arena, "%u", n),
				       .texts[AUDIT_FROM] = str_print(op->ctx->arena, "peer %u", n % 1000),
				       .texts[AUDIT_OUTCOME] = STR("UNAUTHENTICATED")};
	return op_audit_flood(op, &a);
}

static void refuse_from(struct world *w, unsigned peers, unsigned count)
{
	for (unsigned n = 0; n < count; n++) {
		unsigned from = n % peers;
		assert_ok(world_do(w, NULL, refuse, &from));
	}
}

static void sweep(struct world *w, bool all)
{
	assert_ok(world_do(w, NULL, op_sweep_audit, &all));
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct world));
	world_make(*state);
	return 0;
}

static int teardown(void **state)
{
	world_done(*state);
	free(*state);
	return 0;
}

static void a_flood_is_counted(void **state)
{
	struct world *w = *state;
	struct sum before = sum_up(w);
	refuse_from(w, 2, 400);
	struct sum s = sum_up(w);
	assert_int_equal(s.records - before.records, 2); /* the first of each, at once */
	sweep(w, true);
	s = sum_up(w);
	assert_int_equal(s.records - before.records, 4);
	assert_int_equal(s.calls - before.calls, 400); /* none is lost */
	sweep(w, true);
	assert_int_equal(sum_up(w).records, s.records);
	refuse_from(w, 2, 2); /* the count starts again */
	assert_int_equal(sum_up(w).records, s.records + 2);
}

static void a_flood_from_everywhere_is_bounded(void **state)
{
	struct world *w = *state;
	struct sum before = sum_up(w);
	refuse_from(w, 500, 1000);
	sweep(w, true);
	struct sum s = sum_up(w);
	assert_true(s.records - before.records <= 2 * (AUDIT_FLOODS_MAX + 1));
	assert_int_equal(s.calls - before.calls, 1000);
	assert_true(s.has_many);
}

static void a_minute_ends_it(void **state)
{
	struct world *w = *state;
	struct sum before = sum_up(w);
	refuse_from(w, 1, 10);
	sweep(w, false);
	assert_int_equal(sum_up(w).records - before.records, 1);
	clock_set_us(clock_now_us() + 2 * MINUTE);
	sweep(w, false);
	struct sum s = sum_up(w);
	assert_int_equal(s.records - before.records, 2);
	assert_int_equal(s.calls - before.calls, 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_secret_is_decided_on), cmocka_unit_test(every_row_is_of_an_action),
		TEST(no_secret_leaves_without_its_record),    TEST(no_token_leaves_without_its_record),
		TEST(a_refusal_is_told_all_the_same),         TEST(a_flood_is_counted),
		TEST(a_flood_from_everywhere_is_bounded),     TEST(a_minute_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
