/* SPDX-License-Identifier: Apache-2.0
 * Cached answers of the four faces after changes: of rows, of other accounts' rows, of policies, roles, keys and sessions. The next
 * call of the same caller must get what a region without a cache answers, byte for byte except for the request id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/core/forward.h"
#include "api/core/response_cache.h"
#include "api/ec2/core/action.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/reads.h"
#include "engine/limits.h"
#include "engine/people/policy/role.h"
#include "engine/quota.h"
#include "engine/remote/provider.h"
#include "engine/remote/remote_resource.h"
#include "model/id.h"
#include "reconcile/billing/traffic.h"
#include "reconcile/figures/figures.h"
#include "reconcile/reconcile.h"
#include "script.h"
#include "store/account.h"
#include "world.h"

enum { INSTANCES = 9, MANY_SUBNETS = 20, ROUNDS = 40 };

static struct world w;
static struct world_user carol, dave; /* of alice's account: by a role, and by policies alone */

/* ---- lists ---- */

static const struct {
	const char *path; /* NULL: EC2 */
	const char *query;
} lists[] = {
	{NULL, "Action=DescribeInstances"},
	{NULL, "Action=DescribeSubnets"},
	{NULL, "Action=DescribeNetworkInterfaces"},
	{NULL, "Action=DescribeVolumes"},
	{NULL, "Action=DescribeImages"},
	{"/compute/v2.1/servers/detail", ""},
	{"/network/v2.0/ports", ""},
	{"/network/v2.0/subnets", ""},
	{"/image/v2/images", ""},
	{"/client/api", "command=listVirtualMachines"},
	{"/client/api", "command=listNetworks"},
	{"/client/api", "command=listVolumes"},
	{"/subscriptions/%s/providers/Microsoft.Compute/virtualMachines", "api-version=2022-08-01"},
	{"/subscriptions/%s/providers/Microsoft.Network/networkInterfaces", "api-version=2022-07-01"},
};

enum {
	LISTS = sizeof lists / sizeof lists[0],
	MACHINES = 0,
	SUBNETS = 1,
	SERVERS = 5,
	VIRTUAL_MACHINES = 9,
	AZURES = 12
};

static struct world_answer ask_list(const struct world_user *user, size_t n)
{
	char account[UUID_TEXT_SIZE];
	if (!lists[n].path)
		return world_post(&w, user, str_from(lists[n].query));
	uuid_write(user->who.account, account);
	const struct script_request request = {
		.method = STR("GET"),
		.path = n >= AZURES ? str_print(w.arena, lists[n].path, account) : str_from(lists[n].path),
		.query = str_from(lists[n].query)};
	return world_request(&w, user, &request);
}

/* The body behind its request id. */
static struct str body_of(const struct world_answer *answer)
{
	static const char mark[] = "</requestId>";
	const char *at = memmem(answer->body.p, answer->body.n, mark, sizeof mark - 1);
	return at ? str_slice(answer->body, (size_t) (at - answer->body.p), answer->body.n) : answer->body;
}

/* The first trim marks answers that were used, the second one drops them. */
static void empty_caches(void)
{
	struct api_face *const faces[] = {w.face, w.openstack, w.cloudstack, w.azure};
	for (size_t k = 0; k < 2 * sizeof faces / sizeof faces[0]; k++)
		response_cache_trim(faces[k / 2]->cache);
}

static void check_lists(const struct world_user *user)
{
	struct world_answer kept[LISTS];
	for (size_t n = 0; n < LISTS; n++) {
		struct world_answer first = ask_list(user, n);
		kept[n] = ask_list(user, n);
		assert_int_equal(first.status, kept[n].status);
		assert_true(first.status != 200 || str_equal(body_of(&first), body_of(&kept[n])));
	}
	empty_caches();
	for (size_t n = 0; n < LISTS; n++) {
		struct world_answer wanted = ask_list(user, n);
		assert_int_equal(kept[n].status, wanted.status);
		if (wanted.status == 200 && !str_equal(body_of(&kept[n]), body_of(&wanted)))
			fail_msg("list %zu\nkept:\n%.*s\nwanted:\n%.*s\n", n, STR_ARG(kept[n].body),
				 STR_ARG(wanted.body));
	}
	for (size_t n = 0; n < LISTS; n++) /* for what comes next: answers that may have become old */
		(void) ask_list(user, n);
}

/* The owner's lists, and those of the others in turn. */
static void check_in_turn(unsigned turn)
{
	const struct world_user *const others[] = {&carol, &dave, &w.bob};
	check_lists(&w.alice);
	check_lists(others[turn % 3]);
}

static uint64_t hits(void)
{
	struct response_cache_figures figures;
	response_cache_read_figures(&figures);
	return figures.hits;
}

static bool hits_list(const struct world_user *user, size_t n)
{
	uint64_t before = hits();
	(void) ask_list(user, n);
	return hits() > before;
}

/* ---- changes ---- */

static struct world_answer must_post(const struct world_user *user, struct str form)
{
	struct world_answer answer = world_post(&w, user, form);
	if (answer.status != 200)
		fail_msg("%.*s: %.*s", STR_ARG(form), STR_ARG(answer.body));
	return answer;
}

static void set_policy(const char *effect)
{
	must_post(
		&w.alice,
		str_print(w.arena,
			  "Action=PutUserPolicy&Version=2010-05-08&UserName=dave&PolicyName=own"
			  "&PolicyDocument=%%7B%%22Version%%22%%3A%%222012-10-17%%22%%2C%%22Statement%%22%%"
			  "3A%%7B"
			  "%%22Effect%%22%%3A%%22%s%%22%%2C%%22Action%%22%%3A%%22%%2A%%22%%2C%%22Resource%%22"
			  "%%3A%%22%%2A%%22%%7D%%7D",
			  effect));
}

static void set_role(bool has)
{
	struct role_grant grant = {
		.role = {.kind = KIND_ROLE, .text = STR("member")},
		.user = {.kind = KIND_USER, .prefix = carol.who.user, .bits = 128},
		.account = {.kind = KIND_ACCOUNT, .prefix = carol.who.account, .bits = 128}};
	assert_int_equal(
		world_do(&w, &w.operator, has ? engine_grant_role_run : engine_revoke_role_run, &grant).code,
		ERR_NONE);
}

static struct str image_of(const struct world_user *user)
{
	char image[EC2_ID_TEXT_SIZE];
	(void) user;
	return str_copy(w.arena, str_from(id_write_ec2(KIND_IMAGE, w.image, image)));
}

static struct str instance_of_turn(unsigned turn)
{
	struct str body = world_post(&w, &w.alice, STR("Action=DescribeInstances")).body, id = STR_NONE;
	for (unsigned k = 0; k <= turn % INSTANCES; k++) {
		id = world_element(body, "instanceId");
		if (!id.n)
			break;
		body = str_slice(body, (size_t) (id.p - body.p), body.n);
	}
	return id;
}

/* Fields that lists show, of rows of any account, changed behind the engine's back. */
static const struct {
	enum kind kind;
	const char *field;
} shown[] = {
	{KIND_INSTANCE_TYPE, "name"}, {KIND_ZONE, "name"},     {KIND_SECURITY_GROUP, "name"},
	{KIND_PORT, "description"},   {KIND_SUBNET, "name"},   {KIND_NETWORK, "name"},
	{KIND_VOLUME, "device"},      {KIND_INSTANCE, "name"}, {KIND_IMAGE, "name"},
	{KIND_ROUTER, "name"},        {KIND_ACCOUNT, "name"},  {KIND_HOST, "name"},
	{KIND_INSTANCE, "key_name"},  {KIND_VOLUME, "name"},
};

static size_t field_offset(enum kind kind, const char *name)
{
	for (unsigned n = 0; n < model_kinds[kind].field_count; n++)
		if (strcmp(model_kinds[kind].fields[n].name, name) == 0)
			return model_kinds[kind].fields[n].offset;
	return 0;
}

static RESULT touch(struct op *op, void *arg)
{
	unsigned turn = *(const unsigned *) arg;
	size_t n = turn % (sizeof shown / sizeof shown[0]),
	       offset = field_offset(shown[n].kind, shown[n].field);
	const struct row *before = tables_first(op->head, shown[n].kind, 0, NULL, 0);
	for (unsigned k = turn / 8 % 4; k && before; k--) {
		const struct row *next = tables_next(op->head, shown[n].kind, 0, before, 0);
		before = next ? next : before;
	}
	if (!row_is_live(before) || !offset)
		return OK;
	struct row *row = row_copy(op->ctx->arena, &model_kinds[shown[n].kind], before);
	*(struct str *) (void *) ((char *) row + offset) = str_print(op->ctx->arena, "name-%u", turn);
	return op_put(op, shown[n].kind, row);
}

static void change_something(unsigned turn)
{
	struct str id = instance_of_turn(turn);
	assert_true(id.n > 0);
	switch (random_below(8)) {
	case 0:
		must_post(&w.alice,
			  str_print(w.arena,
				    "Action=CreateTags&Tag.1.Key=k&Tag.1.Value=v%u&ResourceId.1=%" STR_FMT,
				    turn, STR_ARG(id)));
		break;
	case 1:
		(void) world_post(
			&w, &w.alice,
			str_print(w.arena, "Action=StopInstances&InstanceId.1=%" STR_FMT, STR_ARG(id)));
		break;
	case 2:
		(void) world_post(
			&w, &w.alice,
			str_print(w.arena, "Action=StartInstances&InstanceId.1=%" STR_FMT, STR_ARG(id)));
		break;
	case 3:
		set_policy(random_below(2) ? "Allow" : "Deny");
		break;
	case 4:
		set_role(false);
		check_lists(&carol);
		set_role(true);
		break;
	case 5: /* another account's launch: no row that alice's lists show, but figures of hosts */
		(void) world_post(&w, &w.bob,
				  str_print(w.arena,
					    "Action=RunInstances&InstanceType=t3.nano&MinCount=1&MaxCount=1"
					    "&ImageId=%" STR_FMT,
					    STR_ARG(image_of(&w.bob))));
		break;
	default:
		assert_int_equal(world_do(&w, NULL, touch, &turn).code, ERR_NONE);
	}
}

/* ---- cases ---- */

static int setup(void **state)
{
	(void) state;
	world_make(&w);
	world_add_addresses(&w);
	world_add_user(&w, "carol", w.alice.who.account, "member", &carol);
	world_add_user(&w, "dave", w.alice.who.account, NULL, &dave);
	carol.tenant = dave.tenant = w.alice.tenant;
	set_policy("Allow");
	must_post(&w.alice, str_print(w.arena,
				      "Action=RunInstances&InstanceType=t3.nano&MinCount=%d&MaxCount=%d"
				      "&ImageId=%" STR_FMT,
				      INSTANCES, INSTANCES, STR_ARG(image_of(&w.alice))));
	world_settle(&w, MINUTE);
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	world_done(&w);
	return 0;
}

static void test_changes(void **state)
{
	(void) state;
	random_set_seed(53);
	for (unsigned turn = 0; turn < ROUNDS; turn++) {
		change_something(turn);
		check_in_turn(turn); /* on its way, and as the hosts have it then */
		if (random_below(2)) {
			world_settle(&w, MINUTE);
			check_in_turn(turn + 1);
		}
	}
}

/* The answer to a list stays while no kind that it was made from changes, and no longer. */
static void test_hits(void **state)
{
	static const size_t asked[] = {MACHINES, SERVERS, VIRTUAL_MACHINES, AZURES};
	(void) state;
	for (size_t k = 0; k < sizeof asked / sizeof asked[0]; k++) {
		(void) ask_list(&w.alice, asked[k]);
		assert_true(hits_list(&w.alice, asked[k]));
		must_post(&w.alice, STR("Action=CreateDhcpOptions&DhcpConfiguration.1.Key=domain-name"
					"&DhcpConfiguration.1.Value.1=x.test"));
		assert_true(hits_list(&w.alice, asked[k]));
		must_post(&w.alice,
			  str_print(w.arena,
				    "Action=CreateTags&Tag.1.Key=k&Tag.1.Value=%zu&ResourceId.1=%" STR_FMT, k,
				    STR_ARG(instance_of_turn(0))));
		assert_false(hits_list(&w.alice, asked[k]));
		assert_true(hits_list(&w.alice, asked[k]));
	}
}

/* A subnet's free addresses are a figure: a launch changes the answer, but no row that the answer was made from. */
static void test_figures(void **state)
{
	(void) state;
	struct str subnet = STR_NONE,
		   vpc = world_element(
			   must_post(&w.alice, STR("Action=CreateVpc&CidrBlock=10.9.0.0/16")).body, "vpcId");
	for (int k = 0; k < MANY_SUBNETS; k++)
		subnet = world_element(
			must_post(&w.alice, str_print(w.arena,
						      "Action=CreateSubnet&CidrBlock=10.9.%d.0/24"
						      "&VpcId=%" STR_FMT,
						      k, STR_ARG(vpc)))
				.body,
			"subnetId");
	(void) ask_list(&w.alice, SUBNETS);
	assert_true(hits_list(&w.alice, SUBNETS));
	assert_false(str_contains(ask_list(&w.alice, SUBNETS).body, STR("Count>250<")));
	must_post(&w.alice,
		  str_print(w.arena, "Action=CreateNetworkInterface&SubnetId=%" STR_FMT, STR_ARG(subnet)));
	assert_true(str_contains(ask_list(&w.alice, SUBNETS).body, STR("Count>250<")));
	check_lists(&w.alice);
}

/* A list that is gathered from cached items depends on the kinds that the items were made from. */
static void test_items(void **state)
{
	(void) state;
	for (size_t n = 0; n < SERVERS; n++) {
		empty_caches();
		(void) ask_list(&w.alice, n); /* makes the items */
		const struct reads first = reads_here;
		empty_caches();
		(void) ask_list(&w.alice, n);
		for (size_t k = 0; k < READS_WORDS; k++)
			assert_int_equal(first.kinds[k] & ~reads_here.kinds[k], 0);
	}
}

/* True if an answer that shows figures outlives the change. */
static bool outlives(op_run run, void *wish)
{
	AUTO_VIEW v;
	reads_begin(NULL);
	view_open(w.store, &v);
	const struct reads record = {
		.commit = reads_here.commit, .figures_epoch = reads_here.figures_epoch, .has_figures = true};
	view_close(&v);
	assert_int_equal(world_do(&w, NULL, run, wish).code, ERR_NONE);
	view_open(w.store, &v);
	return view_still_has(&v, &record);
}

/* Changes that put no row, but set figures. */
static void test_figures_alone(void **state)
{
	struct provider_refreshed provider = {.at_us = 1};
	struct remote_type_refreshed type = {.at_us = 1};
	(void) state;
	assert_false(outlives(engine_note_refreshed_run, &provider));
	assert_false(outlives(engine_note_type_refreshed_run, &type));
}

/* A refusal by policy, role or key comes before the cache. */
static void test_rights(void **state)
{
	static const size_t asked[] = {MACHINES, SERVERS, VIRTUAL_MACHINES, AZURES};
	(void) state;
	for (size_t k = 0; k < sizeof asked / sizeof asked[0]; k++) {
		set_policy("Allow");
		int allowed = asked[k] == SERVERS ? 401 : 200; /* Keystone gives no token without a role */
		assert_int_equal(ask_list(&dave, asked[k]).status, allowed);
		assert_int_equal(ask_list(&dave, asked[k]).status, allowed);
		set_policy("Deny");
		assert_int_not_equal(ask_list(&dave, asked[k]).status, 200);
		assert_int_equal(ask_list(&w.alice, asked[k]).status, 200);
		assert_int_equal(ask_list(&carol, asked[k]).status, 200);
		set_role(false);
		assert_int_not_equal(ask_list(&carol, asked[k]).status, 200);
		set_role(true);
		assert_int_equal(ask_list(&carol, asked[k]).status, 200);
	}
	set_policy("Allow");
	assert_int_equal(ask_list(&dave, MACHINES).status, 200);
	must_post(&w.alice,
		  str_print(w.arena,
			    "Action=UpdateAccessKey&Version=2010-05-08&UserName=dave&Status=Inactive"
			    "&AccessKeyId=%" STR_FMT,
			    STR_ARG(dave.key_id)));
	assert_int_not_equal(ask_list(&dave, MACHINES).status, 200);
	assert_int_not_equal(ask_list(&dave, VIRTUAL_MACHINES).status, 200);
}

static void test_session_ends(void **state)
{
	(void) state;
	struct world_answer made =
		must_post(&w.alice, STR("Action=GetSessionToken&Version=2011-06-15&DurationSeconds=900"));
	const struct world_user session = {.key_id = world_element(made.body, "AccessKeyId"),
					   .secret = world_element(made.body, "SecretAccessKey"),
					   .token = world_element(made.body, "SessionToken"),
					   .who = w.alice.who};
	assert_int_equal(ask_list(&session, MACHINES).status, 200);
	assert_int_equal(ask_list(&session, MACHINES).status, 200);
	clock_advance_us(901 * SECOND);
	assert_int_not_equal(ask_list(&session, MACHINES).status, 200);
	assert_int_equal(ask_list(&w.alice, MACHINES).status, 200);
}

static void grant(const struct world_user *user, const char *role, op_run run)
{
	struct role_grant grant = {
		.role = {.kind = KIND_ROLE, .text = str_from(role)},
		.user = {.kind = KIND_USER, .prefix = user->who.user, .bits = 128},
		.account = {.kind = KIND_ACCOUNT, .prefix = user->who.account, .bits = 128}};
	assert_int_equal(world_do(&w, &w.operator, run, &grant).code, ERR_NONE);
}

/* An administrator lists the machines of all accounts; the same user does not any more as a member. */
static void test_demotion(void **state)
{
	struct world_user erin;
	(void) state;
	world_add_user(&w, "erin", w.alice.who.account, "admin", &erin);
	erin.tenant = w.alice.tenant;
	must_post(&w.bob, str_print(w.arena,
				    "Action=RunInstances&InstanceType=t3.nano&MinCount=1&MaxCount=1"
				    "&ImageId=%" STR_FMT,
				    STR_ARG(image_of(&w.bob))));
	world_settle(&w, MINUTE);
	const struct script_request all = {.method = STR("GET"),
					   .path = STR("/compute/v2.1/servers/detail"),
					   .query = STR("all_tenants=1")},
				    own = {.method = STR("GET"), .path = STR("/compute/v2.1/servers/detail")};
	struct world_answer mine = world_request(&w, &erin, &own);
	for (int k = 0; k < 2; k++) {
		uint64_t before = hits();
		assert_true(world_request(&w, &erin, &all).body.n > mine.body.n);
		assert_int_equal(hits() - before, k);
	}
	grant(&erin, "member", engine_grant_role_run);
	grant(&erin, "admin", engine_revoke_role_run);
	uint64_t before = hits();
	struct world_answer after = world_request(&w, &erin, &all);
	assert_int_equal(hits(), before);
	assert_true(after.status != 200 || after.body.n <= mine.body.n);
}

/* In one account, users with the same rights have answers of their own, but in EC2's face. */
static void test_own_answers(void **state)
{
	static const size_t asked[] = {SERVERS, VIRTUAL_MACHINES, AZURES};
	struct world_user frank;
	(void) state;
	world_add_user(&w, "frank", w.alice.who.account, "member", &frank);
	frank.tenant = w.alice.tenant;
	for (size_t k = 0; k < sizeof asked / sizeof asked[0]; k++) {
		(void) ask_list(&carol, asked[k]);
		assert_true(hits_list(&carol, asked[k]));
		assert_false(hits_list(&frank, asked[k]));
		assert_true(hits_list(&frank, asked[k]));
	}
	(void) ask_list(&carol, MACHINES);
	assert_true(hits_list(&frank, MACHINES));
	assert_false(hits_list(&dave, MACHINES)); /* has other rights */
}

/* Answers contain links to the address that the client has used. */
static void test_own_links(void **state)
{
	char account[UUID_TEXT_SIZE];
	(void) state;
	const struct script_request asked[] = {
		{.method = STR("GET"), .path = STR("/compute/v2.1/servers/detail")},
		{.method = STR("GET"),
		 .path = str_print(w.arena, lists[AZURES].path, uuid_write(w.alice.who.account, account)),
		 .query = STR("api-version=2022-08-01")}};
	for (size_t k = 0; k < sizeof asked / sizeof asked[0]; k++) {
		struct fake_call f;
		(void) world_request(&w, &w.alice, &asked[k]);
		uint64_t before = hits();
		(void) world_request(&w, &w.alice, &asked[k]);
		assert_int_equal(hits(), before + 1);
		world_request_call(&w.c, w.tokens, w.bearers, &w.alice, &asked[k], &f);
		fake_call_add_header(&f, "X-Forwarded-Proto", STR("https"));
		assert_int_equal(world_run(&w, &f).status, 200);
		assert_int_equal(hits(), before + 1);
	}
}

/* Caches that keep short answers, too. */
static void use_small_caches(void)
{
	struct api_face *const faces[] = {w.face, w.openstack, w.cloudstack, w.azure};
	for (size_t k = 0; k < sizeof faces / sizeof faces[0]; k++) {
		response_cache_free(faces[k]->cache);
		faces[k]->cache = response_cache_new(1);
		assert_non_null(faces[k]->cache);
	}
}

/* Policies decide on the rows of some reads, with conditions on time and address: such an answer is made in each call. */
static void test_guarded_rows(void **state)
{
	(void) state;
	use_small_caches();
	struct str list = world_element(
			   must_post(&w.alice,
				     STR("Action=CreateManagedPrefixList&PrefixListName=l&MaxEntries=1"
					 "&AddressFamily=IPv4&Entry.1.Cidr=10.0.0.0/8"))
				   .body,
			   "prefixListId"),
		   ask = str_print(w.arena, "Action=GetManagedPrefixListEntries&PrefixListId=%" STR_FMT,
				   STR_ARG(list));
	world_settle(&w, MINUTE);
	for (int k = 0; k < 3; k++) {
		uint64_t before = hits();
		must_post(&dave, ask);
		assert_int_equal(hits(), before);
		must_post(&w.alice, ask);
		assert_int_equal(hits() - before, k > 0); /* alice has no policies */
	}
}

/* The face's call: the second member of struct api_wait (api/core/park.c), which the parked call has. */
static struct api_call *parked_call(const struct fake_call *f)
{
	const struct {
		struct call *call;
		struct api_call *e;
	} *wait = f->call.face_data;
	assert_ptr_equal(wait->call, &f->call);
	return wait->e;
}

/* Waits until the parked call is woken. Meanwhile the thread answers another call, whose record has no clock. */
static void let_work(struct fake_call *f)
{
	while (!f->is_woken)
		assert_true(executor_step(w.executor, clock_now_us() + MINUTE));
	must_post(&w.alice, STR("Action=DescribeVpcs"));
	reads_drop_sources();
}

/* A call that waits for its work goes on after other calls of its thread, whose records are not its own. Today's reads with work also
 * change by time, and are not kept for that reason; here one does not. */
static void test_parked(void **state)
{
	(void) state;
	use_small_caches();
	for (int k = 0; k < 2; k++) {
		struct ec2_action steady;
		struct fake_call f;
		uint64_t before = hits();
		world_sign_call(&w.c, &w.alice, "POST",
				STR("Action=DescribeSpotPriceHistory&Version=2016-11-15"), &f);
		f.call.self = w.face;
		api_http_face.handle(w.face, &f.call);
		struct api_call *e = parked_call(&f);
		memcpy(&steady, e->action, sizeof steady);
		steady.flags &= ~(unsigned) API_CHANGES_BY_TIME;
		e->action = &steady.core;
		let_work(&f);
		fake_call_resume(&f);
		assert_true(f.is_answered);
		assert_int_equal(f.status, 200);
		fake_call_done(&f);
		assert_int_equal(hits() - before, k); /* of DescribeVpcs */
	}
}

static void refuse(void *self, struct call *call, uuid asker)
{
	(void) self, (void) asker;
	call_answer(call, 503, NULL, NULL);
}

/* Between calls the thread's record is nobody's, also while an upload waits for its body. */
static void test_record_ends(void **state)
{
	struct fake_call f;
	(void) state;
	(void) ask_list(&w.alice, MACHINES);
	assert_null(reads_here.of);
	const struct api_forward forward = {.pass_on = refuse};
	world_sign_call(&w.c, &w.alice, "POST", STR("Action=DescribeVpcs&Version=2016-11-15"), &f);
	f.call.self = w.face;
	api_handle_read(w.face, &f.call, &forward);
	assert_int_equal(f.status, 200);
	assert_null(reads_here.of);
	fake_call_done(&f);
	fake_call_init(&f, "PUT", STR("/image/v2/images/x/file"), STR_NONE, STR_NONE);
	f.call.self = w.openstack;
	api_http_face.begin(w.openstack, &f.call);
	assert_non_null(f.call.face_data);
	assert_null(reads_here.of);
	fake_call_done(&f);
}

/* Requests whose paths or parameters differ have answers of their own. Each answer is compared with that of faces whose caches are empty. */
static void test_own_requests(void **state)
{
	static const struct {
		const char *path, *query, *version;
	} asked[] = {
		{"/compute/v2.1/servers/detail", ""},
		{"/compute/v2.1/servers/detail", "limit=2"},
		{"/compute/v2.1/servers/detail", "", "compute 2.93"},
		{"/network/v2.0/ports", ""},
		{"/network/v2.0/ports", "limit=2"},
		{"/network/v2.0/subnets", ""},
		{"/client/api", "command=listVirtualMachines"},
		{"/client/api", "command=listVirtualMachines&page=1&pagesize=2"},
		{"/client/api", "command=listNetworks"},
		{"/subscriptions/%s/providers/Microsoft.Compute/virtualMachines", "api-version=2022-08-01"},
		{"/subscriptions/%s/providers/Microsoft.Compute/virtualMachines",
		 "api-version=2022-08-01&statusOnly=true"},
		{"/subscriptions/%s/providers/Microsoft.Network/networkInterfaces", "api-version=2022-07-01"},
		{"/subscriptions/%s/providers/Microsoft.Network/virtualNetworks", "api-version=2022-07-01"},
	};
	enum { ASKED = sizeof asked / sizeof asked[0] };
	struct world_answer wanted[ASKED];
	char account[UUID_TEXT_SIZE];
	(void) state;
	use_small_caches();
	uuid_write(w.alice.who.account, account);
	for (int round = 0; round < 3; round++)
		for (size_t n = 0; n < ASKED; n++) {
			const struct script_request request = {
				.method = STR("GET"),
				.path = str_starts_with(str_from(asked[n].path), STR("/subscriptions"))
						? str_print(w.arena, asked[n].path, account)
						: str_from(asked[n].path),
				.query = str_from(asked[n].query),
				.version = asked[n].version ? str_from(asked[n].version) : STR_NONE};
			if (round == 0)
				empty_caches();
			const struct world_answer answer = world_request(&w, &w.alice, &request);
			assert_int_equal(answer.status, 200);
			if (round == 0)
				wanted[n] = answer;
			else if (!str_equal(answer.body, wanted[n].body))
				fail_msg("request %zu: %.*s", n, STR_ARG(answer.body));
			for (size_t k = 0; k < n; k++)
				assert_false(str_equal(wanted[k].body, wanted[n].body));
		}
}

/* The caller's own identity is not kept for others of the account with the same rights. */
static void test_own_identity(void **state)
{
	(void) state;
	struct world_user frank;
	use_small_caches();
	world_add_user(&w, "frank", w.alice.who.account, "member", &frank);
	const struct str ask = STR("Action=GetCallerIdentity&Version=2011-06-15");
	for (int k = 0; k < 2; k++) {
		assert_true(str_contains(must_post(&carol, ask).body, STR("user/carol<")));
		assert_true(str_contains(must_post(&frank, ask).body, STR("user/frank<")));
	}
}

#define assert_outside(read)                                                                                 \
	do {                                                                                                 \
		reads_begin(NULL);                                                                           \
		read;                                                                                        \
		assert_true(reads_here.has_outside);                                                         \
	} while (0)

/* An answer made from the memory of the reconciler, from last uses or from further questions to policies has no commit that tells when
 * the answer is outdated. */
static void test_sources_outside(void **state)
{
	struct traffic_state traffic;
	struct figure_totals totals;
	struct reconcile_figures figures;
	struct reconcile_next next;
	struct figure_points points = {0};
	struct fake_call f;
	const uuid id = w.alice.who.user;
	const struct last_use none = {.id = id};
	const struct guard_request request = {.action = STR("ec2:DescribeInstances"), .has_role = true};
	bool may = false;
	(void) state;
	assert_outside(reconciler_read_traffic(w.reconciler, &traffic));
	assert_outside(reconciler_sum_figures(w.reconciler, &totals));
	assert_outside(reconciler_read_figures(w.reconciler, &figures));
	assert_outside(reconciler_read_next(w.reconciler, KIND_INSTANCE, id, &next));
	assert_outside((void) reconciler_read_cached_images(w.reconciler, id));
	assert_outside(IGNORE(reconciler_look_at_figures(w.reconciler, &w.c, id, &points)));
	assert_outside(IGNORE(reconciler_look_at_minutes(w.reconciler, &w.c, id, 0, 1, &points)));
	assert_outside(IGNORE(
		reconciler_read_figures_kept(w.reconciler, &w.c, id, id, FIGURES_SHORT_US, 0, 1, &points)));
	assert_outside((void) last_used_find(w.uses, w.arena, &none));
	fake_call_init(&f, "POST", STR("/"), STR_NONE, STR_NONE);
	f.call.ctx.who = &w.alice.who;
	assert_outside(
		assert_int_equal(guard_ask_actions(w.guards, &f.call, &request, 1, &may).code, ERR_NONE));
	fake_call_done(&f);
}

/* The figures of an account, by whichever function they are read. */
static void test_figures_of_account(void **state)
{
	struct account_usage usage;
	AUTO_VIEW v;
	(void) state;
	view_open(w.store, &v);
	const struct account *account = account_find(v.tables, w.alice.who.account);
	assert_true(account->limit_disk_bytes >= 0);
	reads_begin(NULL);
	engine_get_usage(account, &usage);
	assert_true(usage.instances > 0);
	assert_true(reads_here.has_figures);
	reads_begin(NULL);
	(void) engine_pay_disk(v.tables, w.alice.who.account, KIND_IMAGE);
	assert_true(reads_here.has_figures);
	size_t counted = 0;
	for (enum limit_id limit = 0; limit < LIMIT_COUNT; limit++) {
		if (engine_limits[limit].owner != KIND_ACCOUNT || limit == LIMIT_NETWORK_KEYS)
			continue;
		reads_begin(NULL);
		(void) engine_count_limited(v.tables, limit, w.alice.who.account);
		assert_true(reads_here.has_figures);
		counted++;
	}
	assert_true(counted > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_demotion, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_guarded_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_record_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_figures_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_items, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sources_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_figures_of_account, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_figures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
		cmocka_unit_test_setup_teardown(test_session_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
