/* SPDX-License-Identifier: Apache-2.0
 * Complete calls of the EC2 API: authentication, visibility of resources, pages, and failed allocations. For
 * answers byte for byte see tests/golden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/core/park.h"
#include "api/ec2/core/action.h"
#include "base/fault.h"
#include "engine/instance/instance.h"
#include "model/id.h"
#include "script.h"
#include "store/instance.h"
#include "world.h"

#define LAUNCH "Action=RunInstances&InstanceType=t3.micro"

static int setup(void **state)
{
	static struct world w;
	world_make(&w);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	world_done(*state);
	return 0;
}

static void expect(struct world_answer answer, int status, const char *code)
{
	if (answer.status != status || !str_is(world_element(answer.body, "Code"), code))
		print_message("%d: %.*s\n", answer.status, STR_ARG(answer.body));
	assert_int_equal(answer.status, status);
	assert_true(str_is(world_element(answer.body, "Code"), code));
}

static struct world_answer launch(struct world *w, int count)
{
	char image[EC2_ID_TEXT_SIZE];
	return world_post(w, &w->alice,
			  str_print(w->arena, LAUNCH "&ImageId=%s&MinCount=%d&MaxCount=%d",
				    id_write_ec2(KIND_IMAGE, w->image, image), count, count));
}

/* ---- authentication ---- */

struct attempt {
	struct str key_id, secret, service, region;
	int64_t off_us;
	const char *form;
};

static struct world_answer try_signed(struct world *w, const struct attempt *a)
{
	struct fake_call f;
	const struct sigv4_signing signing = {.key_id = a->key_id,
					      .secret = a->secret,
					      .region = a->region,
					      .service = a->service,
					      .method = STR("POST"),
					      .path = STR("/"),
					      .body = str_from(a->form),
					      .host = STR("h"),
					      .at_us = clock_now_us() + a->off_us};
	struct str authorization, date;
	assert_int_equal(sigv4_sign(&w->c, &signing, &authorization, &date).code, ERR_NONE);
	fake_call_init(&f, "POST", STR("/"), STR_NONE, str_from(a->form));
	fake_call_add_header(&f, "Host", STR("h"));
	fake_call_add_header(&f, "Authorization", authorization);
	fake_call_add_header(&f, "X-Amz-Date", date);
	return world_run(w, &f);
}

static void test_signatures(void **state)
{
	struct world *w = *state;
	const char *ec2 = "Action=DescribeVpcs&Version=2016-11-15",
		   *sts = "Action=GetCallerIdentity&Version=2011-06-15";
	const struct attempt good = {w->alice.key_id, w->alice.secret, STR("ec2"), STR("us-east-1"), 0, ec2};
	struct attempt a = good;
	expect(try_signed(w, &a), 200, "");
	a.secret = STR("wrong");
	expect(try_signed(w, &a), 401, "AuthFailure");
	a.service = STR("sts");
	a.form = sts;
	expect(try_signed(w, &a), 403, "SignatureDoesNotMatch");
	a = good;
	a.key_id = STR("AKIAAAAAAAAAAAAAAAAA");
	expect(try_signed(w, &a), 401, "AuthFailure");
	a.service = STR("sts");
	expect(try_signed(w, &a), 403, "InvalidClientTokenId");
	a = good;
	a.off_us = -6 * MINUTE;
	expect(try_signed(w, &a), 400, "RequestExpired");
	a = good;
	a.region = STR("mars-1");
	expect(try_signed(w, &a), 401, "AuthFailure");
	a = good;
	a.service = STR("s3");
	expect(try_signed(w, &a), 401, "AuthFailure");
	a = good;
	a.service = STR("sts");
	expect(try_signed(w, &a), 400, "InvalidAction"); /* no action of that service */
}

static void test_methods(void **state)
{
	struct world *w = *state;
	struct fake_call f;
	fake_call_init(&f, "PUT", STR("/"), STR_NONE, STR("Action=DescribeVpcs&Version=2016-11-15"));
	expect(world_run(w, &f), 400, "UnsupportedOperation");
	expect(world_get(w, &w->alice, STR("Action=DescribeVpcs")), 200, "");
}

static void test_reject(void **state)
{
	struct world *w = *state;
	struct fake_call f;
	fake_call_init(&f, "POST", STR("/"), STR_NONE, STR_NONE);
	api_http_face.reject(w->face, &f.call, 413, ERR_TOO_LARGE);
	assert_int_equal(f.status, 413);
	assert_true(str_is(world_element(buf_str(&f.body), "Code"), "RequestEntityTooLarge"));
	fake_call_done(&f);
}

/* ---- how often ---- */

/* Requests over an account's rate limit are refused with EC2's error code; other accounts are not
 * affected. */
static void test_limits(void **state)
{
	struct world *w = *state;
	const struct limits_config config = {
		.of = {[LIMIT_READS] = {1, 3}, [LIMIT_WRITES] = {1, 2}, [LIMIT_STRANGERS] = {1, 2}}};
	const struct str read = STR("Action=DescribeVpcs"), unknown = STR("Action=LaunchRockets"),
			 write = STR("Action=CreateVpc&CidrBlock=10.1.0.0/16"),
			 sts = STR("Action=GetCallerIdentity&Version=2011-06-15");
	world_set_limits(w, &config);
	for (int k = 0; k < 2; k++)
		expect(world_post(w, &w->alice, read), 200, "");
	expect(world_post(w, &w->alice, unknown), 400, "InvalidAction"); /* uses up the limit, too */
	expect(world_post(w, &w->alice, read), 503, "RequestLimitExceeded");
	expect(world_post(w, &w->alice, unknown), 503, "RequestLimitExceeded");
	struct world_answer refused = world_post(w, &w->alice, sts);
	expect(refused, 400, "Throttling");
	assert_true(str_is(world_element(refused.body, "Message"), "Rate exceeded"));
	for (int k = 0; k < 2; k++)
		expect(world_post(w, &w->alice, write), 200, "");
	expect(world_post(w, &w->alice, write), 503, "RequestLimitExceeded");
	expect(world_post(w, &w->bob, read), 200, "");
	clock_advance_us(SECOND);
	expect(world_post(w, &w->alice, read), 200, "");
	expect(world_post(w, &w->alice, read), 503, "RequestLimitExceeded");
}

/* Requests that prove nobody are refused by address; whoever proves an account there is not. */
static void test_limit_of_strangers(void **state)
{
	struct world *w = *state;
	const struct limits_config config = {.of = {[LIMIT_STRANGERS] = {1, 2}}};
	const struct str read = STR("Action=DescribeVpcs");
	struct world_user wrong = w->alice;
	wrong.secret = STR("wrong");
	world_set_limits(w, &config);
	expect(world_post(w, 0, read), 400, "MissingParameter");
	expect(world_post(w, &wrong, read), 401, "AuthFailure");
	expect(world_post(w, &wrong, read), 503, "RequestLimitExceeded");
	expect(world_post(w, 0, read), 503, "RequestLimitExceeded");
	expect(world_post(w, &w->alice, read), 200, "");
	clock_advance_us(SECOND);
	expect(world_post(w, &wrong, read), 401, "AuthFailure");
}

/* ---- accounts are apart ---- */

static const char *const kinds_of_ids[] = {
	"instanceId",         "vpcId",     "subnetId",           "groupId",
	"networkInterfaceId", "volumeId",  "allocationId",       "internetGatewayId",
	"routeTableId",       "keyPairId", "securityGroupRuleId"};
enum { ID_KINDS = sizeof kinds_of_ids / sizeof kinds_of_ids[0] };

/* Whether the action lists all resources, without required parameters. */
static bool describes_all(const struct ec2_action *action)
{
	for (size_t k = 0; k < action->args.count; k++)
		if (action->args.at[k].flags & REQUIRED)
			return false;
	return str_starts_with(str_from(action->name), STR("Describe"));
}

/* Work that does nothing, for a lane to be full of. */
struct filling {
	struct work_item work;
	bool waits;
};

static RESULT run_nothing(struct work_item *w)
{
	(void) w;
	return OK;
}

static void end_nothing(struct work_item *w, struct result result)
{
	(void) result;
	((struct filling *) w)->waits = false; /* work is its first member */
}

/* Alice has as many waiting as she may. A refusal is recorded before it is answered, and that commit may let some of
 * them have their turn: the lane is filled again before each call that is to be refused. */
static void fill_key_lane(struct world *w, struct filling fillings[KEYS_WAITING_OF_ONE])
{
	for (size_t k = 0; k < KEYS_WAITING_OF_ONE; k++) {
		if (fillings[k].waits)
			continue;
		fillings[k] = (struct filling){
			.work = {.ctx = &w->c, .run = run_nothing, .done = end_nothing}, .waits = true};
		lane_work(w->key_lane, (struct lane_asker){.id = w->alice.who.account}, "",
			  &fillings[k].work);
	}
}

/* Key pairs are generated in a lane. An account whose waiting requests have reached the limit gets each API's
 * own error for further key pairs, while its other requests, and other accounts' key pairs, succeed. */
static void test_a_flood_of_key_pairs(void **state)
{
	struct world *w = *state;
	struct filling fillings[KEYS_WAITING_OF_ONE] = {0};
	const struct str create = STR("Action=CreateKeyPair&KeyName=flood");
	const struct script_request other = {.method = STR("POST"),
					     .path = STR("/compute/v2.1/os-keypairs"),
					     .body = STR("{\"keypair\": {\"name\": \"flood\"}}")};
	fill_key_lane(w, fillings);
	expect(world_post(w, &w->alice, create), 503, "RequestLimitExceeded");
	fill_key_lane(w, fillings);
	assert_int_equal(world_request(w, &w->alice, &other).status, 429);
	expect(world_post(w, &w->alice, STR("Action=DescribeKeyPairs")), 200, "");
	expect(world_post(w, &w->bob, create), 200,
	       ""); /* meanwhile the other accounts' requests were executed */
	assert_int_equal(world_request(w, &w->alice, &other).status, 200);
	expect(world_post(w, &w->alice, create), 400, "InvalidKeyPair.Duplicate");
}

static void test_nothing_of_others_is_seen(void **state)
{
	struct world *w = *state;
	struct str ids[ID_KINDS];
	const struct ec2_action *actions[512];
	size_t count = ec2_sum_actions(actions, 512);
	expect(launch(w, 1), 200, "");
	expect(world_post(w, &w->alice, STR("Action=AllocateAddress")), 200, "");
	expect(world_post(w, &w->alice, STR("Action=CreateKeyPair&KeyName=k&KeyType=ed25519")), 200, "");
	world_settle(w, MINUTE);
	for (size_t n = 0; n < ID_KINDS; n++)
		ids[n] = STR_NONE;
	for (int as_bob = 0; as_bob < 2; as_bob++) {
		for (size_t k = 0; k < count; k++) {
			if (!describes_all(actions[k]))
				continue;
			/* it wants to be told which versions, where no template is named */
			bool is_of_versions = strcmp(actions[k]->name, "DescribeLaunchTemplateVersions") == 0;
			struct world_answer answer = world_post(
				w, as_bob ? &w->bob : &w->alice,
				str_print(w->arena, "Action=%s%s", actions[k]->name,
					  is_of_versions ? "&LaunchTemplateVersion.1=$Latest" : ""));
			expect(answer, 200, "");
			for (size_t n = 0; n < ID_KINDS; n++) {
				if (as_bob)
					assert_false(str_contains(answer.body, ids[n]));
				else if (str_is_empty(ids[n]))
					ids[n] = world_element(answer.body, kinds_of_ids[n]);
			}
		}
		for (size_t n = 0; n < ID_KINDS; n++)
			assert_false(str_is_empty(ids[n]));
	}
}

static void test_nothing_of_others_is_changed(void **state)
{
	static const struct {
		const char *request, *element, *code;
	} cases[] = {
		{"StopInstances&InstanceId.1=", "instanceId", "InvalidInstanceID.NotFound"},
		{"TerminateInstances&InstanceId.1=", "instanceId", "InvalidInstanceID.NotFound"},
		{"GetConsoleOutput&InstanceId=", "instanceId", "InvalidInstanceID.NotFound"},
		{"GetPasswordData&InstanceId=", "instanceId", "InvalidInstanceID.NotFound"},
		{"GetSecurityGroupsForVpc&VpcId=", "vpcId", "InvalidVpcID.NotFound"},
		{"ReportInstanceStatus&Status=ok&ReasonCode.1=other&InstanceId.1=", "instanceId",
		 "InvalidInstanceID.NotFound"},
		{"DescribeInstances&InstanceId.1=", "instanceId", "InvalidInstanceID.NotFound"},
		{"DeleteVpc&VpcId=", "vpcId", "InvalidVpcID.NotFound"},
		{"CreateSubnet&CidrBlock=172.31.200.0/24&VpcId=", "vpcId", "InvalidVpcID.NotFound"},
		{"DeleteSubnet&SubnetId=", "subnetId", "InvalidSubnetID.NotFound"},
		{"DeleteSecurityGroup&GroupId=", "groupId", "InvalidGroup.NotFound"},
	};
	struct world *w = *state;
	struct str launched = launch(w, 1).body;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct str id = world_element(launched, cases[k].element);
		assert_false(str_is_empty(id));
		expect(world_post(w, &w->bob,
				  str_print(w->arena, "Action=%s%" STR_FMT, cases[k].request, STR_ARG(id))),
		       400, cases[k].code);
	}
}

/* Other accounts find a deprecated image only by its id. The deprecation is visible as soon as its time has
 * come, without a change of the row. */
static void test_deprecated_images(void **state)
{
	struct world *w = *state;
	struct str images = world_post(w, &w->alice, STR("Action=DescribeImages")).body;
	struct str form = str_print(
		w->arena, "Action=CopyImage&SourceRegion=us-east-1&Name=mine&SourceImageId=%" STR_FMT,
		STR_ARG(world_element(images, "imageId")));
	struct str id = world_element(world_post(w, &w->alice, form).body, "imageId");
	struct str share = str_print(
		w->arena, "Action=ModifyImageAttribute&LaunchPermission.Add.1.Group=all&ImageId=%" STR_FMT,
		STR_ARG(id));
	expect(world_post(w, &w->alice, share), 200, "");
	char at[CLOCK_TEXT_SIZE];
	clock_write_s(clock_now_us() + HOUR, at);
	struct str end = str_print(w->arena, "Action=EnableImageDeprecation&DeprecateAt=%s&ImageId=%" STR_FMT,
				   at, STR_ARG(id));
	expect(world_post(w, &w->alice, end), 200, "");
	const struct str list = STR("Action=DescribeImages");
	struct str by_id = str_print(w->arena, "Action=DescribeImages&ImageId.1=%" STR_FMT, STR_ARG(id));
	assert_true(str_contains(world_post(w, &w->bob, list).body, id));
	clock_advance_us(2 * HOUR);
	assert_false(str_contains(world_post(w, &w->bob, list).body, id));
	assert_true(str_contains(world_post(w, &w->alice, list).body, id));
	assert_true(str_contains(world_post(w, &w->bob, by_id).body, id));
	assert_true(str_contains(
		world_post(w, &w->bob, STR("Action=DescribeImages&IncludeDeprecated=true")).body, id));
	struct str back =
		str_print(w->arena, "Action=DisableImageDeprecation&ImageId=%" STR_FMT, STR_ARG(id));
	expect(world_post(w, &w->bob, back), 400, "InvalidAMIID.NotFound");
	expect(world_post(w, &w->alice, back), 200, "");
	assert_true(str_contains(world_post(w, &w->bob, list).body, id));
}

static RESULT tell_password(struct op *op, void *arg)
{
	const struct instance *instance = instance_first_by_account(op->head, *(const uuid *) arg);
	struct guest_password_report telling = {.instance = instance->row.id, .password = STR("c2VjcmV0")};
	return engine_report_guest_password(op, &telling);
}

/* The password that a guest reported is returned to its owner, without asking the host. */
static void test_told_password(void **state)
{
	struct world *w = *state;
	struct str id = world_element(launch(w, 1).body, "instanceId");
	assert_true(result_is_ok(world_do(w, NULL, tell_password, &w->alice.who.account)));
	struct world_answer answer =
		world_post(w, &w->alice,
			   str_print(w->arena, "Action=GetPasswordData&InstanceId=%" STR_FMT, STR_ARG(id)));
	assert_int_equal(answer.status, 200);
	assert_true(str_is(world_element(answer.body, "passwordData"), "c2VjcmV0"));
}

/* ---- pages ---- */

static size_t count_elements(struct str body, const char *text)
{
	size_t count = 0, n = strlen(text);
	for (size_t k = 0; k + n <= body.n; k++)
		count += memcmp(body.p + k, text, n) == 0;
	return count;
}

static void walk_pages(struct world *w, const char *request, const char *element, size_t wanted)
{
	size_t seen = 0, pages = 0;
	struct str token = STR_NONE;
	do {
		struct str form = str_print(w->arena, "Action=%s&MaxResults=5", request);
		if (token.n)
			form = str_print(w->arena, "%" STR_FMT "&NextToken=%" STR_FMT, STR_ARG(form),
					 STR_ARG(str_encode_url(w->arena, token, false)));
		struct world_answer answer = world_post(w, &w->alice, form);
		expect(answer, 200, "");
		size_t count = count_elements(answer.body, element);
		assert_true(count <= 5);
		seen += count;
		token = world_element(answer.body, "nextToken");
		assert_true(++pages < 20);
	} while (token.n);
	assert_int_equal(seen, wanted);
	assert_int_equal(pages, (wanted + 4) / 5);
}

static void test_pages(void **state)
{
	struct world *w = *state;
	world_add_addresses(w);
	expect(launch(w, 12), 200, "");
	struct str vpc = world_element(world_post(w, &w->alice, STR("Action=DescribeVpcs")).body, "vpcId");
	walk_pages(w, "DescribeInstances", "<instanceState>", 12);
	walk_pages(w, "DescribeVolumes", "<createTime>", 12);
	walk_pages(
		w,
		str_to_z(
			w->arena,
			str_print(w->arena,
				  "DescribeNetworkInterfaces&Filter.1.Name=vpc-id&Filter.1.Value.1=%" STR_FMT,
				  STR_ARG(vpc))),
		"<requesterManaged>", 12);
	walk_pages(w,
		   str_to_z(w->arena,
			    str_print(w->arena,
				      "DescribeInstances&Filter.1.Name=vpc-id&Filter.1.Value.1=%" STR_FMT,
				      STR_ARG(vpc))),
		   "<instanceState>", 12);
	struct str token = world_element(
		world_post(w, &w->alice, STR("Action=DescribeInstances&MaxResults=5")).body, "nextToken");
	expect(world_post(w, &w->alice,
			  str_print(w->arena, "Action=DescribeVolumes&MaxResults=5&NextToken=%" STR_FMT,
				    STR_ARG(str_encode_url(w->arena, token, false)))),
	       400, "InvalidParameterValue");
}

/* ---- memory ---- */

static struct world_answer call_with_fault(struct world *w, struct str form, uint64_t n)
{
	struct fake_call f;
	struct str authorization, date;
	const struct sigv4_signing signing = {.key_id = w->alice.key_id,
					      .secret = w->alice.secret,
					      .region = STR("us-east-1"),
					      .service = STR("ec2"),
					      .method = STR("POST"),
					      .path = STR("/"),
					      .body = form,
					      .host = STR("h"),
					      .at_us = clock_now_us()};
	assert_int_equal(sigv4_sign(&w->c, &signing, &authorization, &date).code, ERR_NONE);
	fake_call_init(&f, "POST", STR("/"), STR_NONE, form);
	fake_call_add_header(&f, "Host", STR("h"));
	fake_call_add_header(&f, "Authorization", authorization);
	fake_call_add_header(&f, "X-Amz-Date", date);
	f.call.self = w->face;
	fault_arm(FAULT_ALLOC, n, false);
	api_http_face.handle(w->face, &f.call);
	while (!f.is_answered) {
		if (f.is_woken) {
			f.is_woken = false;
			f.resume(&f.call);
		} else {
			assert_true(executor_step(w->executor, clock_now_us() + MINUTE));
		}
	}
	fault_disarm();
	struct world_answer answer = {f.status, str_copy(w->arena, buf_str(&f.body))};
	fake_call_done(&f);
	return answer;
}

static void test_memory_that_runs_out(void **state)
{
	struct world *w = *state;
	static const char *const forms[] = {
		"Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag:a&Filter.1.Value.1=b*",
		"Action=DescribeSecurityGroups&Version=2016-11-15",
		"Action=CreateVpc&CidrBlock=10.0.0.0/16&Version=2016-11-15&DryRun=true",
		"Action=DescribeInstances&Version=2016-11-15", /* long enough for the cache */
	};
	expect(launch(w, 9), 200, "");
	for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
		bool fired = true;
		(void) world_post(w, &w->alice, str_from(forms[k])); /* the next answer may be a cached one */
		for (uint64_t n = 0; fired; n++) {
			struct world_answer answer = call_with_fault(w, str_from(forms[k]), n);
			fired = fault_has_fired();
			bool is_fine = answer.status == 200 || answer.status == 412;
			assert_true(is_fine || answer.status >= 500);
			assert_true(fired || is_fine);
			assert_true(n < 1000);
		}
	}
	expect(world_post(w, &w->alice, STR("Action=CreateVpc&CidrBlock=10.0.0.0/16")), 200, "");
}

/* ---- late answers ---- */

struct late {
	const char *create, *type; /* of its tag */
	const char *describe, *id, *remove;
	const char *not_found; /* the token's answer afterwards; NULL: the action has no tokens */
	enum kind kind;
};

/* Handed in, committed, and not answered yet. */
static void call_halfway(struct world *w, struct str form, struct fake_call *f)
{
	world_sign_call(&w->c, &w->alice, "POST", form, f);
	f->call.self = w->face;
	api_http_face.handle(w->face, &f->call);
	while (!f->is_woken)
		assert_true(executor_step(w->executor, clock_now_us() + MINUTE));
}

static size_t count_rows(struct world *w, enum kind kind)
{
	struct view view;
	view_open(w->store, &view);
	size_t count = tables_count(view.tables, kind);
	view_close(&view);
	return count;
}

/* A created resource may be deleted and forgotten before the create call writes its answer: the answer still
 * describes it. A repeated call with the same client token reports that the resource is gone. */
static void check_late(struct world *w, const struct late *l, struct str create)
{
	struct str form = str_print(w->arena,
				    "%" STR_FMT "&TagSpecification.1.ResourceType=%s"
				    "&TagSpecification.1.Tag.1.Key=late&TagSpecification.1.Tag.1.Value=yes%s",
				    STR_ARG(create), l->type, l->not_found ? "&ClientToken=t" : "");
	size_t before = count_rows(w, l->kind);
	struct fake_call f;
	call_halfway(w, form, &f);
	struct world_answer found = world_post(
		w, &w->alice,
		str_print(w->arena, "Action=%s&Filter.1.Name=tag:late&Filter.1.Value.1=yes", l->describe));
	struct str id = world_element(found.body, l->id);
	world_settle(w, 10 * MINUTE);
	expect(world_post(w, &w->alice, str_print(w->arena, "%s=%" STR_FMT, l->remove, STR_ARG(id))), 200,
	       "");
	world_settle(w, 10 * MINUTE);
	assert_int_equal(count_rows(w, l->kind), before);
	f.resume(&f.call);
	struct str body = buf_str(&f.body);
	assert_true(f.is_answered);
	assert_int_equal(f.status, 200);
	assert_true(id.n > 0 && str_equal(world_element(body, l->id), id));
	assert_true(str_is(world_element(body, "key"), "late"));
	fake_call_done(&f);
	if (l->not_found)
		expect(world_post(w, &w->alice, form), 400, l->not_found);
}

static void test_what_is_gone_before_its_answer(void **state)
{
	struct world *w = *state;
	static const struct late all[] = {
		{"CreateVolume&AvailabilityZone=us-east-1a&Size=1", "volume", "DescribeVolumes", "volumeId",
		 "Action=DeleteVolume&VolumeId", "InvalidVolume.NotFound", KIND_VOLUME},
		{"CreateNetworkInterface&SubnetId=$(subnetId)", "network-interface",
		 "DescribeNetworkInterfaces", "networkInterfaceId",
		 "Action=DeleteNetworkInterface&NetworkInterfaceId", "InvalidNetworkInterfaceID.NotFound",
		 KIND_PORT},
		{"CreateRouteTable&VpcId=$(vpcId)", "route-table", "DescribeRouteTables", "routeTableId",
		 "Action=DeleteRouteTable&RouteTableId", "InvalidRouteTableID.NotFound", KIND_ROUTE_TABLE},
		{"CreateSubnet&CidrBlock=172.31.240.0/28&VpcId=$(vpcId)", "subnet", "DescribeSubnets",
		 "subnetId", "Action=DeleteSubnet&SubnetId", 0, KIND_SUBNET},
		{"CreateInternetGateway", "internet-gateway", "DescribeInternetGateways", "internetGatewayId",
		 "Action=DeleteInternetGateway&InternetGatewayId", 0, KIND_GATEWAY},
		{"CreateVpc&CidrBlock=10.1.0.0/16", "vpc", "DescribeVpcs", "vpcId", "Action=DeleteVpc&VpcId",
		 0, KIND_ROUTER},
	};
	struct str subnets = world_post(w, &w->alice, STR("Action=DescribeSubnets")).body;
	for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
		struct str form = str_print(w->arena, "Action=%s", all[k].create);
		size_t at = str_find_char(form, '$', 0);
		if (at < form.n) {
			struct str name = str_slice(form, at + 2, form.n - 1);
			form = str_print(w->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(str_slice(form, 0, at)),
					 STR_ARG(world_element(subnets, str_to_z(w->arena, name))));
		}
		check_late(w, &all[k], form);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_signatures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit_of_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_methods, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reject, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_flood_of_key_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_of_others_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_of_others_is_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deprecated_images, setup, teardown),
		cmocka_unit_test_setup_teardown(test_told_password, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_gone_before_its_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_that_runs_out, setup, teardown),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
