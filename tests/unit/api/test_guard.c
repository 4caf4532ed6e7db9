/* SPDX-License-Identifier: Apache-2.0
 * Policies apply to calls of all APIs: a denial in one holds in the others, an allowance suffices in all, and
 * every refusal has a reason. */
#include "../base/test_base.h"

#include "api/ec2/core/list.h"
#include "api/iam/internal.h"
#include "api/openstack/core/action.h"
#include "engine/people/account/account.h"
#include "engine/people/policy/policy.h"
#include "engine/people/policy/role.h"
#include "engine/people/user.h"
#include "script.h"
#include "store/account.h"
#include "store/instance_type.h"
#include "store/zone.h"
#include "world.h"

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

#define guard_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct str in_json(struct world *w, const char *text)
{
	struct str json = str_copy(w->arena, str_from(text));
	for (size_t k = 0; k < json.n; k++)
		if (json.p[k] == '\'')
			((char *) json.p)[k] = '"';
	return json;
}

static struct ref user_ref(const struct world_user *user)
{
	return (struct ref){.kind = KIND_USER, .prefix = user->who.user, .bits = 128};
}

/* An inline policy, by the account's owner; statements only. */
static void put_policy(struct world *w, const struct world_user *user, const char *name,
		       const char *statements)
{
	struct str document = str_print(w->arena, "{'Version':'2012-10-17','Statement':[%s]}", statements);
	struct inline_policy_wish wish = {.user = user_ref(user),
					  .name = str_from(name),
					  .document = in_json(w, str_to_z(w->arena, document))};
	assert_ok(world_do(w, &w->alice.who, engine_put_inline_policy_run, &wish));
}

static void delete_policy(struct world *w, const struct world_user *user, const char *name)
{
	struct inline_policy_wish wish = {.user = user_ref(user), .name = str_from(name)};
	assert_ok(world_do(w, &w->alice.who, engine_delete_inline_policy_run, &wish));
}

static struct world_answer ec2(struct world *w, const struct world_user *user, const char *format,
			       struct str id)
{
	size_t at = str_find_char(str_from(format), '@', 0);
	struct str form = str_print(w->arena, "%.*s%" STR_FMT "%s", (int) at, format, STR_ARG(id),
				    format[at] ? format + at + 1 : "");
	return world_post(w, user, form);
}

static void expect(struct world_answer answer, int status, const char *code)
{
	struct str got = world_element(answer.body, "Code");
	if (answer.status != status || (*code && !str_is(got, code)))
		fail_msg("%d %.*s, not %d %s: %.*s", answer.status, STR_ARG(got), status, code,
			 STR_ARG(str_slice(answer.body, 0, 600)));
}

static struct world_answer nova(struct world *w, const struct world_user *user, const char *method,
				struct str path, const char *body)
{
	const struct script_request request = {
		.method = str_from(method), .path = path, .body = in_json(w, body)};
	return world_request(w, user, &request);
}

static struct str server_path(struct world *w, struct str id, const char *rest)
{
	struct ref ref;
	struct view v = {0};
	assert_ok(id_parse_ec2(id, KIND_INSTANCE, &ref));
	view_open(w->store, &v);
	const struct row *row = tables_find_prefix(v.tables, KIND_INSTANCE, ref.prefix, ref.bits);
	assert_non_null(row);
	struct str path = str_print(w->arena, "/compute/v2.1/servers/%" STR_FMT "%s",
				    STR_ARG(uuid_to_str(w->arena, row->id)), rest);
	view_close(&v);
	return path;
}

#define LAUNCH "Action=RunInstances&ImageId=@&InstanceType=t3.micro&MinCount=1&MaxCount=1"

#define SPOT "&InstanceMarketOptions.MarketType=spot"

static struct str launch(struct world *w, const char *more)
{
	struct str image = id_to_ec2(w->arena, KIND_IMAGE, w->image);
	struct world_answer answer =
		ec2(w, &w->alice, str_to_z(w->arena, str_print(w->arena, LAUNCH "%s", more)), image);
	assert_int_equal(answer.status, 200);
	world_settle(w, MINUTE);
	return world_element(answer.body, "instanceId");
}

#define PROD                                                                                                 \
	"&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=env&TagSpecification.1.Tag." \
	"1.Value=prod"
#define KEEP_PROD                                                                                            \
	"{'Sid':'KeepProd','Effect':'Deny','Action':'ec2:TerminateInstances','Resource':'*',"                \
	"'Condition':{'StringEquals':{'ec2:ResourceTag/env':'prod'}}}"

#define PUBLISH "Action=ModifyImageAttribute&ImageId=@"

static void test_deny_holds_in_both(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct str prod = launch(w, PROD), other = launch(w, ""), third = launch(w, "");
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	expect(ec2(w, &carol, "Action=StopInstances&InstanceId.1=@", prod), 200, "");
	put_policy(w, &carol, "keep", KEEP_PROD);
	struct world_answer answer = ec2(w, &carol, "Action=TerminateInstances&InstanceId.1=@", prod);
	expect(answer, 403, "UnauthorizedOperation");
	assert_true(str_contains(world_element(answer.body, "Message"), STR("explicit deny")));
	expect(ec2(w, &carol, "Action=TerminateInstances&DryRun=true&InstanceId.1=@", prod), 403,
	       "UnauthorizedOperation");
	assert_int_equal(nova(w, &carol, "DELETE", server_path(w, prod, ""), "").status, 403);
	expect(ec2(w, &carol, "Action=TerminateInstances&InstanceId.1=@", other), 200, "");
	assert_int_equal(nova(w, &carol, "DELETE", server_path(w, third, ""), "").status, 204);
	assert_int_equal(nova(w, &carol, "GET", server_path(w, prod, ""), "").status, 200);
	delete_policy(w, &carol, "keep");
	assert_int_equal(nova(w, &carol, "DELETE", server_path(w, prod, ""), "").status, 204);
}

/* No API has a separate action for publishing an image: a policy can deny it under the action's name in all
 * APIs. */
static void test_publishing_is_denied_in_both(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	struct str instance = launch(w, "");
	struct world_answer made =
		ec2(w, &carol, "Action=CreateImage&Name=mine&NoReboot=true&InstanceId=@", instance);
	expect(made, 200, "");
	struct str image = world_element(made.body, "imageId");
	put_policy(w, &carol, "no", "{'Effect':'Deny','Action':'ec2:PublishImage','Resource':'*'}");
	expect(ec2(w, &carol, PUBLISH "&LaunchPermission.Add.1.Group=all", image), 403,
	       "UnauthorizedOperation");
	expect(ec2(w, &carol, PUBLISH "&Description.Value=words", image), 200, "");
	const char *wish = "{'name':'theirs','visibility':'%s'}";
	struct str public = str_print(w->arena, wish, "public"),
		   private = str_print(w->arena, wish, "private");
	struct str images = STR("/image/v2/images");
	assert_int_equal(nova(w, &carol, "POST", images, str_to_z(w->arena, public)).status, 403);
	assert_int_equal(nova(w, &carol, "POST", images, str_to_z(w->arena, private)).status, 201);
	delete_policy(w, &carol, "no");
	assert_int_equal(nova(w, &carol, "POST", images, str_to_z(w->arena, public)).status,
			 403); /* publicize_image is an administrator's */
	expect(ec2(w, &carol, PUBLISH "&LaunchPermission.Add.1.Group=all", image), 200, "");
}

static void expect_deployment(struct world *w, const struct world_user *user, struct str query, int status,
			      const char *text)
{
	const struct script_request request = {
		.method = STR("GET"), .path = STR("/client/api"), .query = query};
	struct world_answer answer = world_request(w, user, &request);
	if (answer.status != status || !str_contains(answer.body, str_from(text)))
		fail_msg("%d: %.*s", answer.status, STR_ARG(answer.body));
}

static struct str make_deployment(struct world *w)
{
	struct view v = {0};
	view_open(w->store, &v);
	const struct instance_type *type = instance_type_find_by_name(v.tables, STR("t3.micro"));
	struct str query = str_print(w->arena,
				     "command=deployVirtualMachine&zoneid=%" STR_FMT "&templateid=%" STR_FMT
				     "&serviceofferingid=%" STR_FMT,
				     STR_ARG(uuid_to_str(w->arena, zone_first(v.tables)->row.id)),
				     STR_ARG(uuid_to_str(w->arena, w->image)),
				     STR_ARG(uuid_to_str(w->arena, type->row.id)));
	view_close(&v);
	return query;
}

/* Launches create a network only if the caller may create networks: CloudStack's API if no network is named,
 * Nova's if any is requested. */
static void test_launch_makes_no_network_unasked(void **state)
{
	struct world *w = *state;
	struct world_user dave;
	struct account_wish bare = {.name = STR("bare")}; /* without a VPC */
	assert_ok(world_do(w, &w->operator, engine_create_account_run, &bare));
	struct identity owner = w->alice.who;
	owner.account = bare.account;
	owner.user = bare.user;
	owner.account_number = bare.number;
	world_add_user(w, "dave", bare.account, NULL, &dave);
	struct inline_policy_wish wish = {
		.user = user_ref(&dave),
		.name = STR("run"),
		.document = in_json(w, "{'Version':'2012-10-17','Statement':[{'Effect':'Allow','Action':["
				       "'ec2:RunInstances','ec2:Describe*'],'Resource':'*'}]}")};
	assert_ok(world_do(w, &owner, engine_put_inline_policy_run, &wish));
	struct str query = make_deployment(w);
	expect_deployment(w, &dave, query, 531, "ec2:CreateNetwork");
	wish.name = STR("network");
	wish.document = in_json(w, "{'Version':'2012-10-17','Statement':[{'Effect':'Allow','Action':"
				   "'ec2:CreateNetwork','Resource':'*'}]}");
	assert_ok(world_do(w, &owner, engine_put_inline_policy_run, &wish));
	expect_deployment(w, &dave, query, 200, "jobid");
}

static void test_encoded_message(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct str prod = launch(w, PROD);
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	put_policy(w, &carol, "keep", KEEP_PROD);
	struct world_answer answer = ec2(w, &carol, "Action=TerminateInstances&InstanceId.1=@", prod);
	struct str message = world_element(answer.body, "Message"), mark = STR("failure message: ");
	const char *at = memmem(message.p, message.n, mark.p, mark.n);
	assert_non_null(at);
	struct str encoded = str_slice(message, (size_t) (at - message.p) + mark.n, message.n);
	answer = ec2(w, &w->alice, "Action=DecodeAuthorizationMessage&Version=2011-06-15&EncodedMessage=@",
		     encoded);
	assert_int_equal(answer.status, 200);
	struct str decoded = world_element(answer.body, "DecodedMessage");
	assert_true(str_contains(decoded, STR("explicitDeny")) && str_contains(decoded, STR("KeepProd")) &&
		    str_contains(decoded, prod) && str_contains(decoded, STR("user/carol")));
	((char *) encoded.p)[3] = encoded.p[3] == '0' ? '1' : '0';
	answer = ec2(w, &w->alice, "Action=DecodeAuthorizationMessage&Version=2011-06-15&EncodedMessage=@",
		     encoded);
	assert_int_equal(answer.status, 400);
}

static void test_refusals_are_kept(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct fake_call f;
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	put_policy(w, &carol, "no", "{'Effect':'Deny','Action':'ec2:DescribeVpcs','Resource':'*'}");
	world_sign_call(&w->c, &carol, "POST", STR("Action=DescribeVpcs"), &f);
	f.call.ctx.request_id = STR("7f2c0d4e-0000-4000-8000-000000000001");
	assert_int_equal(world_run(w, &f).status, 403);
	struct str json =
		guard_find_refusal(w->guards, w->arena, STR("7f2c0d4e-0000-4000-8000-000000000001"));
	assert_true(str_contains(json, STR("ec2:DescribeVpcs")) &&
		    str_contains(json, STR("inline policy no")));
	assert_true(str_is_empty(guard_find_refusal(w->guards, w->arena, STR("7f2c0d4e"))));
}

/* A user without any role has what policies give, and no more. */
static void test_allow(void **state)
{
	struct world *w = *state;
	struct world_user dave;
	struct str image = id_to_ec2(w->arena, KIND_IMAGE, w->image), id = launch(w, "");
	world_add_user(w, "dave", w->alice.who.account, NULL, &dave);
	expect(ec2(w, &dave, "Action=GetCallerIdentity&Version=2011-06-15", STR_NONE), 200, "");
	expect(ec2(w, &dave, "Action=DescribeInstances", STR_NONE), 403, "UnauthorizedOperation");
	put_policy(w, &dave, "look", "{'Effect':'Allow','Action':'ec2:Describe*','Resource':'*'}");
	expect(ec2(w, &dave, "Action=DescribeInstances", STR_NONE), 200, "");
	expect(ec2(w, &dave, "Action=StopInstances&InstanceId.1=@", id), 403, "UnauthorizedOperation");
	put_policy(
		w, &dave, "run",
		"{'Effect':'Allow','Action':'ec2:RunInstances','Resource':'arn:aws:ec2:*:*:instance/*',"
		"'Condition':{'StringEquals':{'ec2:InstanceType':'t3.micro'}}},"
		"{'Effect':'Allow','Action':'ec2:RunInstances','NotResource':'arn:aws:ec2:*:*:instance/*'}");
	expect(ec2(w, &dave, LAUNCH, image), 200, "");
	expect(ec2(w, &dave, "Action=RunInstances&ImageId=@&InstanceType=t3.small&MinCount=1&MaxCount=1",
		   image),
	       403, "UnauthorizedOperation");
	expect(ec2(w, &dave, LAUNCH PROD, image), 403,
	       "UnauthorizedOperation"); /* ec2:CreateTags is another */
	put_policy(w, &dave, "tag",
		   "{'Effect':'Allow','Action':'ec2:CreateTags','Resource':'*',"
		   "'Condition':{'StringEquals':{'ec2:CreateAction':'RunInstances','aws:RequestTag/"
		   "env':'prod'}}}");
	expect(ec2(w, &dave, LAUNCH PROD, image), 200, "");
	expect(ec2(w, &dave, "Action=CreateTags&Tag.1.Key=env&Tag.1.Value=prod&ResourceId.1=@", id), 403,
	       "UnauthorizedOperation");
	put_policy(w, &dave, "own",
		   "{'Effect':'Allow','Action':['ec2:StopInstances','ec2:CreateTags'],'Resource':"
		   "'arn:aws:ec2:us-east-1:*:instance/"
		   "*','Condition':{'ForAllValues:StringEquals':{'aws:TagKeys':['a']}}}");
	expect(ec2(w, &dave, "Action=CreateTags&Tag.1.Key=a&Tag.1.Value=b&ResourceId.1=@", id), 200, "");
	expect(ec2(w, &dave, "Action=CreateTags&Tag.1.Key=c&Tag.1.Value=b&ResourceId.1=@", id), 403,
	       "UnauthorizedOperation");
	expect(ec2(w, &dave, "Action=StopInstances&InstanceId.1=@", id), 200, "");
}

/* The condition ec2:Tenancy applies to VPCs as to instances. */
static void test_tenancy(void **state)
{
	struct world *w = *state;
	struct world_user dave;
	world_add_user(w, "dave", w->alice.who.account, NULL, &dave);
	put_policy(w, &dave, "alone",
		   "{'Effect':'Allow','Action':'ec2:CreateVpc','Resource':'*',"
		   "'Condition':{'StringEquals':{'ec2:Tenancy':'dedicated'}}}");
	expect(ec2(w, &dave, "Action=CreateVpc&CidrBlock=10.7.0.0/16", STR_NONE), 403,
	       "UnauthorizedOperation");
	expect(ec2(w, &dave, "Action=CreateVpc&CidrBlock=10.7.0.0/16&InstanceTenancy=dedicated", STR_NONE),
	       200, "");
}

/* Conditions on the options of a launch: of two values, a policy allows one. */
static void test_launch_options(void **state)
{
	static const struct {
		const char *key, *value, *fits, *differs;
	} options[] = {
		{"ec2:MetadataHttpTokens", "required", "&MetadataOptions.HttpTokens=required",
		 "&MetadataOptions.HttpTokens=optional"},
		{"ec2:MetadataHttpTokens", "optional", "&MetadataOptions.HttpTokens=optional",
		 "&MetadataOptions.HttpTokens=required"},
		{"ec2:MetadataHttpEndpoint", "disabled", "&MetadataOptions.HttpEndpoint=disabled",
		 "&MetadataOptions.HttpEndpoint=enabled"},
		{"ec2:EbsOptimized", "true", "&EbsOptimized=true", "&EbsOptimized=false"},
		{"ec2:EbsOptimized", "false", "&EbsOptimized=false", "&EbsOptimized=true"},
	};
	struct world *w = *state;
	struct world_user dave;
	struct str image = id_to_ec2(w->arena, KIND_IMAGE, w->image);
	world_add_user(w, "dave", w->alice.who.account, NULL, &dave);
	for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
		struct str statements =
			str_print(w->arena,
				  "{'Effect':'Allow','Action':'ec2:RunInstances','Resource':'arn:aws:ec2:*:*:"
				  "instance/*',"
				  "'Condition':{'StringEquals':{'%s':'%s'}}},"
				  "{'Effect':'Allow','Action':'ec2:RunInstances','NotResource':"
				  "'arn:aws:ec2:*:*:instance/*'}",
				  options[k].key, options[k].value);
		put_policy(w, &dave, "run", str_to_z(w->arena, statements));
		struct str fits = str_print(w->arena, LAUNCH "&DryRun=true%s", options[k].fits);
		struct str differs = str_print(w->arena, LAUNCH "&DryRun=true%s", options[k].differs);
		expect(ec2(w, &dave, str_to_z(w->arena, fits), image), 412, "DryRunOperation");
		expect(ec2(w, &dave, str_to_z(w->arena, differs), image), 403, "UnauthorizedOperation");
	}
}

/* An access key has no aws:MultiFactorAuthPresent: "Bool" passes it over, "BoolIfExists" holds. */
static void test_conditions_of_caller(void **state)
{
	static const struct {
		const char *condition;
		bool holds;
	} cases[] = {
		{"'Bool':{'aws:MultiFactorAuthPresent':'false'}", false},
		{"'Bool':{'aws:MultiFactorAuthPresent':'true'}", false},
		{"'BoolIfExists':{'aws:MultiFactorAuthPresent':'false'}", true},
		{"'Null':{'aws:MultiFactorAuthAge':'true'}", true},
		{"'Null':{'aws:TokenIssueTime':'true'}", true},
		{"'Null':{'ec2:SourceInstanceARN':'true'}", true},
		{"'Null':{'aws:Ec2InstanceSourceVpc':'true'}", true},
		{"'StringEquals':{'aws:PrincipalType':'User'}", true},
		{"'StringEquals':{'aws:PrincipalType':'AssumedRole'}", false},
		{"'Bool':{'aws:ViaAWSService':'false'}", true},
		{"'Null':{'aws:Unheard':'true'}", true},
		{"'StringEquals':{'aws:Unheard':'x'}", false},
	};
	struct world *w = *state;
	struct world_user dave;
	world_add_user(w, "dave", w->alice.who.account, NULL, &dave);
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct str statement =
			str_print(w->arena,
				  "{'Effect':'Allow','Action':'ec2:DescribeVpcs','Resource':'*',"
				  "'Condition':{%s}}",
				  cases[k].condition);
		put_policy(w, &dave, "look", str_to_z(w->arena, statement));
		int status = ec2(w, &dave, "Action=DescribeVpcs", STR_NONE).status;
		if (status != (cases[k].holds ? 200 : 403))
			fail_msg("%s: %d", cases[k].condition, status);
	}
}

/* Conditions on the row that a call names, and on the tags of a new row. */
static void test_conditions_of_row(void **state)
{
	struct world *w = *state;
	struct world_user dave;
	struct str one = launch(w, ""), other = launch(w, "");
	world_add_user(w, "dave", w->alice.who.account, NULL, &dave);
	struct str statement = str_print(w->arena,
					 "{'Effect':'Allow','Action':'ec2:StopInstances','Resource':'*',"
					 "'Condition':{'StringEquals':{'ec2:InstanceID':'%" STR_FMT "',"
					 "'aws:ResourceAccount':'%" STR_FMT "'}}}",
					 STR_ARG(one), STR_ARG(w->alice.who.account_number));
	put_policy(w, &dave, "one", str_to_z(w->arena, statement));
	expect(ec2(w, &dave, "Action=StopInstances&InstanceId.1=@", other), 403, "UnauthorizedOperation");
	expect(ec2(w, &dave, "Action=StopInstances&InstanceId.1=@", one), 200, "");
	put_policy(w, &dave, "tags",
		   "{'Effect':'Allow','Action':['ec2:CreateVpc','ec2:CreateTags'],'Resource':'*',"
		   "'Condition':{'ForAllValues:StringEquals':{'aws:TagKeys':['env']}}}");
#define TAGGED                                                                                               \
	"Action=CreateVpc&CidrBlock=10.7.0.0/16&TagSpecification.1.ResourceType=vpc&"                        \
	"TagSpecification.1.Tag.1.Value=x&TagSpecification.1.Tag.1.Key="
	expect(ec2(w, &dave, TAGGED "cost", STR_NONE), 403, "UnauthorizedOperation");
	expect(ec2(w, &dave, TAGGED "env", STR_NONE), 200, "");
}

/* The condition ec2:InstanceMarketType tells spot instances from others. */
static void test_market(void **state)
{
	struct world *w = *state;
	struct world_user dave;
	struct str image = id_to_ec2(w->arena, KIND_IMAGE, w->image);
	world_add_user(w, "dave", w->alice.who.account, NULL, &dave);
	put_policy(w, &dave, "all", "{'Effect':'Allow','Action':'ec2:*','Resource':'*'}");
	put_policy(w, &dave, "no-spot",
		   "{'Effect':'Deny','Action':'ec2:RunInstances','Resource':'*',"
		   "'Condition':{'StringEquals':{'ec2:InstanceMarketType':'spot'}}}");
	expect(ec2(w, &dave, LAUNCH SPOT, image), 403, "UnauthorizedOperation");
	expect(ec2(w, &dave, LAUNCH, image), 200, "");
	put_policy(w, &dave, "no-spot",
		   "{'Effect':'Deny','Action':'ec2:RunInstances','Resource':'arn:aws:ec2:*:*:instance/*',"
		   "'Condition':{'StringNotEquals':{'ec2:InstanceMarketType':'spot'}}}");
	expect(ec2(w, &dave, LAUNCH SPOT, image), 200, "");
	expect(ec2(w, &dave, LAUNCH, image), 403, "UnauthorizedOperation");
}

static void test_roles(void **state)
{
	struct world *w = *state;
	struct world_user eve;
	struct str image = id_to_ec2(w->arena, KIND_IMAGE, w->image), id = launch(w, "");
	world_add_user(w, "eve", w->alice.who.account, "reader", &eve);
	expect(ec2(w, &eve, "Action=DescribeInstances", STR_NONE), 200, "");
	expect(ec2(w, &eve, LAUNCH, image), 403, "UnauthorizedOperation");
	assert_int_equal(nova(w, &eve, "POST", server_path(w, id, "/action"), "{'os-stop':null}").status,
			 403);
	put_policy(w, &eve, "stop", "{'Effect':'Allow','Action':'ec2:StopInstances','Resource':'*'}");
	assert_int_equal(nova(w, &eve, "POST", server_path(w, id, "/action"), "{'os-stop':null}").status,
			 202);
	assert_int_equal(nova(w, &eve, "DELETE", server_path(w, id, ""), "").status, 403);
	struct role_grant grant = {
		.role = {.kind = KIND_ROLE, .text = STR("reader")},
		.user = user_ref(&eve),
		.account = {.kind = KIND_ACCOUNT, .prefix = w->alice.who.account, .bits = 128}};
	assert_ok(world_do(w, &w->operator, engine_revoke_role_run, &grant));
	expect(ec2(w, &eve, "Action=DescribeInstances", STR_NONE), 403, "UnauthorizedOperation");
}

static void test_read_of_one(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct str one = launch(w, PROD), other = launch(w, "");
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	put_policy(w, &carol, "no",
		   "{'Effect':'Deny','Action':'ec2:GetConsoleOutput','Resource':'*',"
		   "'Condition':{'StringEquals':{'aws:ResourceTag/env':'prod'}}}");
	expect(ec2(w, &carol, "Action=GetConsoleOutput&InstanceId=@", one), 403, "UnauthorizedOperation");
	expect(ec2(w, &carol, "Action=GetConsoleOutput&InstanceId=@", other), 200, "");
}

/* ---- both ends of a link ---- */

#define DENY(kind) "{'Effect':'Deny','Action':'*','Resource':'arn:aws:ec2:*:*:" kind "'}"

/* The operation names the NAT gateway alone; the row's reference names the address that it gives up. */
static void test_other_end(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	struct str subnet =
		world_element(ec2(w, &w->alice, "Action=DescribeSubnets", STR_NONE).body, "subnetId");
	struct str address = world_element(
		ec2(w, &w->alice, "Action=AllocateAddress&Domain=vpc", STR_NONE).body, "allocationId");
	struct str create =
		str_print(w->arena, "Action=CreateNatGateway&SubnetId=%" STR_FMT "&AllocationId=%" STR_FMT,
			  STR_ARG(subnet), STR_ARG(address));
	struct str nat = world_element(world_post(w, &w->alice, create).body, "natGatewayId");
	world_settle(w, MINUTE);
	assert_true(nat.n > 0);
	put_policy(w, &carol, "no", DENY("elastic-ip/*"));
	expect(ec2(w, &carol, "Action=DeleteNatGateway&NatGatewayId=@", nat), 403, "UnauthorizedOperation");
	delete_policy(w, &carol, "no");
	put_policy(w, &carol, "no", DENY("elastic-ip/eipalloc-00000000000000000"));
	expect(ec2(w, &carol, "Action=DeleteNatGateway&NatGatewayId=@", nat), 200, "");
}

/* Whoever may act on the whole may act on its parts, though a policy names one of them. */
static void test_part_of_allowed(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct str id = launch(w, "");
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	put_policy(w, &carol, "no", DENY("network-interface/*"));
	expect(ec2(w, &carol, "Action=TerminateInstances&InstanceId.1=@", id), 200, "");
}

/* CreateSnapshots names the instance; IAM decides on its volumes, too. */
static void test_volumes_of_snapshots(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct str id = launch(w, "");
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	put_policy(w, &carol, "no", DENY("volume/*"));
	expect(ec2(w, &carol, "Action=CreateSnapshots&InstanceSpecification.InstanceId=@", id), 403,
	       "UnauthorizedOperation");
	delete_policy(w, &carol, "no");
	expect(ec2(w, &carol, "Action=CreateSnapshots&InstanceSpecification.InstanceId=@", id), 200, "");
}

/* ---- an account with all it has ---- */

enum { GROUPS_OF_PURGE = 140 }; /* more than the reconciler deletes at once */

/* An administrator of alice's account asks to delete bob's. */
static bool is_being_purged(struct world *w, const struct world_user *user)
{
	const struct script_request request = {
		.method = STR("POST"),
		.path = STR("/client/api"),
		.body = str_print(w->arena, "command=deleteAccount&id=%" STR_FMT,
				  STR_ARG(uuid_to_str(w->arena, w->bob.who.account)))};
	(void) world_request(w, user, &request);
	AUTO_VIEW view;
	view_open(w->store, &view);
	const struct account *account = account_find(view.tables, w->bob.who.account);
	return !account || !row_is_live(&account->row) || account->is_deleting;
}

/* The reconciler deletes what is left as the system, so the caller's policies are asked about every row at once. */
static void test_purge_asks_about_all(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct str last = STR_NONE;
	world_add_user(w, "carol", w->alice.who.account, "admin", &carol);
	for (int k = 0; k < GROUPS_OF_PURGE; k++) {
		struct str form =
			str_print(w->arena, "Action=CreateSecurityGroup&GroupName=g%d&GroupDescription=x", k);
		last = world_element(world_post(w, &w->bob, form).body, "groupId");
	}
	struct str deny = str_print(w->arena, DENY("security-group/%" STR_FMT), STR_ARG(last));
	put_policy(w, &carol, "no", str_to_z(w->arena, deny));
	assert_false(is_being_purged(w, &carol));
	delete_policy(w, &carol, "no");
	assert_true(is_being_purged(w, &carol));
}

static void attach(struct world *w, const struct world_user *user, const char *name, const char *statements,
		   bool is_boundary)
{
	struct str document = str_print(w->arena, "{'Version':'2012-10-17','Statement':[%s]}", statements);
	struct policy_wish wish = {.name = str_from(name),
				   .document = in_json(w, str_to_z(w->arena, document))};
	assert_ok(world_do(w, &w->alice.who, engine_create_policy_run, &wish));
	struct policy_attachment_wish attachment = {.policy = {.kind = KIND_POLICY, .text = str_from(name)},
						    .user = user_ref(user),
						    .is_boundary = is_boundary};
	assert_ok(world_do(w, &w->alice.who, engine_attach_policy_run, &attachment));
}

static void test_boundary(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct str id = launch(w, "");
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	attach(w, &carol, "bound",
	       "{'Effect':'Allow','Action':['ec2:Describe*','ec2:StopInstances'],'Resource':'*'}", true);
	expect(ec2(w, &carol, "Action=StopInstances&InstanceId.1=@", id), 200, "");
	struct world_answer answer = ec2(w, &carol, "Action=StartInstances&InstanceId.1=@", id);
	expect(answer, 403, "UnauthorizedOperation");
	assert_true(
		str_contains(world_element(answer.body, "Message"), STR("no permissions boundary allows")));
	assert_int_equal(nova(w, &carol, "DELETE", server_path(w, id, ""), "").status, 403);
	struct policy_target target = {.policy = {.kind = KIND_POLICY, .text = STR("bound")}};
	assert_int_equal(world_do(w, &w->alice.who, engine_delete_policy_run, &target).code, ERR_IN_USE);
	struct policy_attachment_wish off = {.user = user_ref(&carol), .is_boundary = true};
	assert_ok(world_do(w, &w->alice.who, engine_detach_policy_run, &off));
	assert_ok(world_do(w, &w->alice.who, engine_delete_policy_run, &target));
	world_settle(w, MINUTE); /* it has stopped */
	expect(ec2(w, &carol, "Action=StartInstances&InstanceId.1=@", id), 200, "");
}

/* A new version holds at once, though the old one was compiled and kept. */
static void test_versions(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	attach(w, &carol, "p", "{'Effect':'Deny','Action':'ec2:DescribeVpcs','Resource':'*'}", false);
	expect(ec2(w, &carol, "Action=DescribeVpcs", STR_NONE), 403, "UnauthorizedOperation");
	expect(ec2(w, &carol, "Action=DescribeSubnets", STR_NONE), 200, "");
	struct policy_version_wish next = {
		.policy = {.kind = KIND_POLICY, .text = STR("p")},
		.document = in_json(
			w, "{'Statement':{'Effect':'Deny','Action':'ec2:DescribeSubnets','Resource':'*'}}"),
		.is_default = true};
	assert_ok(world_do(w, &w->alice.who, engine_create_policy_version_run, &next));
	expect(ec2(w, &carol, "Action=DescribeVpcs", STR_NONE), 200, "");
	expect(ec2(w, &carol, "Action=DescribeSubnets", STR_NONE), 403, "UnauthorizedOperation");
	struct policy_version_target first = {.policy = next.policy, .number = 1};
	assert_ok(world_do(w, &w->alice.who, engine_set_default_policy_version_run, &first));
	expect(ec2(w, &carol, "Action=DescribeVpcs", STR_NONE), 403, "UnauthorizedOperation");
	assert_int_equal(world_do(w, &w->alice.who, engine_delete_policy_version_run, &first).code,
			 ERR_IN_USE);
	first.number = 2;
	assert_ok(world_do(w, &w->alice.who, engine_delete_policy_version_run, &first));
	first.number = 7;
	assert_int_equal(world_do(w, &w->alice.who, engine_delete_policy_version_run, &first).code,
			 ERR_NOT_FOUND);
}

/* A member cannot take away what bounds it; another account's owner cannot reach in. */
static void test_who_may(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	put_policy(w, &carol, "no", "{'Effect':'Deny','Action':'ec2:DescribeVpcs','Resource':'*'}");
	struct identity who = carol.who;
	who.rights = RIGHTS_OF_MEMBER;
	struct inline_policy_wish wish = {.user = user_ref(&carol), .name = STR("no")};
	assert_int_equal(world_do(w, &who, engine_delete_inline_policy_run, &wish).code, ERR_DENIED);
	wish = (struct inline_policy_wish){.user = user_ref(&carol), .name = STR("no")};
	assert_int_equal(world_do(w, &w->bob.who, engine_delete_inline_policy_run, &wish).code,
			 ERR_NOT_FOUND);
	wish = (struct inline_policy_wish){
		.user = user_ref(&w->alice), .name = STR("x"), .document = STR("{}")};
	assert_int_equal(world_do(w, &w->alice.who, engine_put_inline_policy_run, &wish).code, ERR_NOT_FOUND);
	struct user_target gone = {.user = user_ref(&carol)};
	assert_ok(world_do(w, &w->operator, engine_delete_user_run, &gone));
	struct view v = {0};
	view_open(w->store, &v);
	assert_int_equal(tables_count(v.tables, KIND_POLICY), 0);
	assert_int_equal(tables_count(v.tables, KIND_POLICY_VERSION), 0);
	view_close(&v);
}

static void test_limits(void **state)
{
	struct world *w = *state;
	char *text = arena_alloc(w->arena, POLICY_CHARACTERS_MAX + 1);
	memset(text, 'x', POLICY_CHARACTERS_MAX + 1);
	struct policy_wish wish = {.name = STR("big"), .document = {text, POLICY_CHARACTERS_MAX + 1}};
	assert_int_equal(world_do(w, &w->alice.who, engine_create_policy_run, &wish).code, ERR_QUOTA);
	wish.document.n--;
	assert_ok(world_do(w, &w->alice.who, engine_create_policy_run, &wish));
	wish.name = STR("BIG");
	assert_int_equal(world_do(w, &w->alice.who, engine_create_policy_run, &wish).code, ERR_EXISTS);
	struct policy_version_wish next = {.policy = {.kind = KIND_POLICY, .text = STR("big")},
					   .document = STR("{}")};
	for (int k = 1; k < POLICY_VERSIONS_MAX; k++)
		assert_ok(world_do(w, &w->alice.who, engine_create_policy_version_run, &next));
	assert_int_equal(world_do(w, &w->alice.who, engine_create_policy_version_run, &next).code, ERR_QUOTA);
}

/* ---- parts and absent rows ---- */

/* A launch that gives the instance a role hands over the role's rights, so it needs iam:PassRole as well. */
static void test_roles_are_passed_by_permission(void **state)
{
	struct world *w = *state;
	struct world_user dave;
	struct str image = id_to_ec2(w->arena, KIND_IMAGE, w->image);
	static const char *const steps[] = {
		"Action=CreateRole&Version=2010-05-08&RoleName=app&AssumeRolePolicyDocument=%7B%22Version%22%"
		"3A%22"
		"2012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%"
		"22"
		"Service%22%3A%22ec2.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D",
		"Action=CreateInstanceProfile&Version=2010-05-08&InstanceProfileName=web",
		"Action=AddRoleToInstanceProfile&Version=2010-05-08&InstanceProfileName=web&RoleName=app",
	};
	for (size_t k = 0; k < sizeof steps / sizeof *steps; k++)
		expect(world_post(w, &w->alice, str_from(steps[k])), 200, "");
	world_add_user(w, "dave", w->alice.who.account, NULL, &dave);
	put_policy(w, &dave, "run", "{'Effect':'Allow','Action':'ec2:RunInstances','Resource':'*'}");
#define WITH_ROLE LAUNCH "&IamInstanceProfile.Name=web"
	expect(ec2(w, &dave, LAUNCH, image), 200, "");
	expect(ec2(w, &dave, WITH_ROLE, image), 403, "UnauthorizedOperation");
	put_policy(w, &dave, "pass",
		   "{'Effect':'Allow','Action':'iam:PassRole','Resource':'arn:aws:iam::*:role/other'}");
	expect(ec2(w, &dave, WITH_ROLE, image), 403, "UnauthorizedOperation");
	put_policy(w, &dave, "pass",
		   "{'Effect':'Allow','Action':'iam:PassRole','Resource':'arn:aws:iam::*:role/app',"
		   "'Condition':{'StringEquals':{'iam:PassedToService':'lambda.amazonaws.com'}}}");
	expect(ec2(w, &dave, WITH_ROLE, image), 403, "UnauthorizedOperation");
	put_policy(w, &dave, "pass",
		   "{'Effect':'Allow','Action':'iam:PassRole','Resource':'arn:aws:iam::*:role/app',"
		   "'Condition':{'StringEquals':{'iam:PassedToService':'ec2.amazonaws.com'}}}");
	expect(ec2(w, &dave, WITH_ROLE, image), 200, "");
}

/* EC2 decides on the id before it looks the row up: a refusal does not tell whether the row exists. OpenStack looks it
 * up first. */
static void test_refusals_hide_what_exists(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct str id = launch(w, ""), absent = STR("i-0123456789abcdef0");
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	expect(ec2(w, &carol, "Action=GetConsoleOutput&InstanceId=@", absent), 400,
	       "InvalidInstanceID.NotFound");
	put_policy(
		w, &carol, "no",
		"{'Effect':'Deny','Action':'ec2:GetConsoleOutput','Resource':'arn:aws:ec2:*:*:instance/*'}");
	expect(ec2(w, &carol, "Action=GetConsoleOutput&InstanceId=@", id), 403, "UnauthorizedOperation");
	expect(ec2(w, &carol, "Action=GetConsoleOutput&InstanceId=@", absent), 403, "UnauthorizedOperation");
	struct str path = STR("/compute/v2.1/servers/0123456789abcdef0123456789abcdef/action");
	assert_int_equal(nova(w, &carol, "POST", path, "{'os-getConsoleOutput':{}}").status, 404);
}

/* One call of Neutron's is several of EC2's: what a policy denies by the part's name, the whole does not do. */
static void test_parts_are_denied_by_their_names(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct str id = launch(w, "");
	struct world_answer plugged = nova(w, &w->alice, "GET", server_path(w, id, "/os-interface"), "");
	struct str port = world_find(w->arena, plugged.body, STR("port_id"));
	const struct script_request outside = {.method = STR("GET"),
					       .path = STR("/network/v2.0/networks"),
					       .query = STR("router:external=true")};
	struct str external =
		world_find(w->arena, world_request(w, &w->alice, &outside).body, STR("networks.id"));
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	struct str create = str_print(w->arena, "{'floatingip':{'floating_network_id':'%" STR_FMT "'}}",
				      STR_ARG(external));
	struct world_answer made =
		nova(w, &carol, "POST", STR("/network/v2.0/floatingips"), str_to_z(w->arena, create));
	assert_int_equal(made.status, 201);
	struct str path = str_print(w->arena, "/network/v2.0/floatingips/%" STR_FMT,
				    STR_ARG(world_find(w->arena, made.body, STR("id"))));
	struct str body = str_print(w->arena, "{'floatingip':{'port_id':'%" STR_FMT "'}}", STR_ARG(port));
	put_policy(w, &carol, "no", "{'Effect':'Deny','Action':'ec2:AssociateAddress','Resource':'*'}");
	assert_int_equal(nova(w, &carol, "PUT", path, "{'floatingip':{'description':'mine'}}").status, 200);
	assert_int_equal(nova(w, &carol, "PUT", path, str_to_z(w->arena, body)).status, 403);
	delete_policy(w, &carol, "no");
	assert_int_equal(nova(w, &carol, "PUT", path, str_to_z(w->arena, body)).status, 200);
}

/* CreateImage names the instance alone; IAM decides on the snapshots that it makes, too, and a refusal makes no image. */
static void test_made_rows_are_decided_on(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	struct str id = launch(w, "");
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	put_policy(w, &carol, "no",
		   "{'Effect':'Deny','Action':'ec2:CreateImage','Resource':'arn:aws:ec2:*::snapshot/*'}");
#define IMAGE "Action=CreateImage&Name=mine&NoReboot=true&InstanceId=@"
	expect(ec2(w, &carol, IMAGE, id), 403, "UnauthorizedOperation");
	delete_policy(w, &carol, "no");
	expect(ec2(w, &carol, IMAGE, id), 200, "");
}

/* Without any policy a role decides, and the refusal says so in the face's words. */
static void test_refusals_by_role(void **state)
{
	struct world *w = *state;
	struct world_user eve;
	struct str id = launch(w, "");
	world_add_user(w, "eve", w->alice.who.account, "reader", &eve);
	struct world_answer answer = ec2(w, &eve, "Action=StopInstances&InstanceId.1=@", id);
	expect(answer, 403, "UnauthorizedOperation");
	assert_true(
		str_contains(world_element(answer.body, "Message"),
			     STR("user/eve is not authorized to perform: ec2:StopInstances because no "
				 "identity-based policy and no role allows the ec2:StopInstances action.")));
	answer = nova(w, &eve, "POST", server_path(w, id, "/action"), "{'os-stop':null}");
	assert_int_equal(answer.status, 403);
	assert_true(str_contains(answer.body, STR("Policy doesn't allow os_compute_api:servers:os-stop to be "
						  "performed.")));
}

/* ---- calls that only try ---- */

/* A policy that names another resource allows nothing here, which shows only after the operation: support:CreateCase is
 * decided on "*". A call that only tries must say what the real one would say. */
static void test_trying_is_refused_like_doing(void **state)
{
	struct world *w = *state;
	struct world_user eve;
	const char *body = "{'subject':'it is slow','body':'since noon'}";
	struct script_request open = {
		.method = STR("POST"), .path = STR("/api/v1/tickets"), .body = in_json(w, body)};
	world_add_user(w, "eve", w->alice.who.account, "reader", &eve);
	put_policy(w, &eve, "elsewhere",
		   "{'Effect':'Allow','Action':'support:CreateCase','Resource':'arn:aws:ec2:*:*:volume/*'}");
	assert_int_equal(world_request(w, &eve, &open).status, 403);
	open.query = STR("dry=1");
	assert_int_equal(world_request(w, &eve, &open).status, 403);
	put_policy(w, &eve, "elsewhere", "{'Effect':'Allow','Action':'support:CreateCase','Resource':'*'}");
	struct world_answer would = world_request(w, &eve, &open);
	assert_int_equal(would.status, 200);
	assert_true(str_contains(would.body, STR("would")));
	open.query = STR_NONE;
	assert_int_equal(world_request(w, &eve, &open).status, 202);
}

/* A deletion that is only tried asks about the address that the NAT gateway would give up. */
static void test_trying_asks_about_the_other_end(void **state)
{
	struct world *w = *state;
	struct world_user carol;
	world_add_user(w, "carol", w->alice.who.account, "member", &carol);
	struct str subnet =
		world_element(ec2(w, &w->alice, "Action=DescribeSubnets", STR_NONE).body, "subnetId");
	struct str address = world_element(
		ec2(w, &w->alice, "Action=AllocateAddress&Domain=vpc", STR_NONE).body, "allocationId");
	struct str create =
		str_print(w->arena, "Action=CreateNatGateway&SubnetId=%" STR_FMT "&AllocationId=%" STR_FMT,
			  STR_ARG(subnet), STR_ARG(address));
	struct str nat = world_element(world_post(w, &w->alice, create).body, "natGatewayId");
	world_settle(w, MINUTE);
	const struct script_request request = {
		.method = STR("DELETE"),
		.path = str_print(w->arena, "/api/v1/nat-gateways/%" STR_FMT, STR_ARG(nat)),
		.query = STR("dry=1")};
	assert_int_equal(world_request(w, &carol, &request).status, 200);
	put_policy(w, &carol, "no", DENY("elastic-ip/*"));
	assert_int_equal(world_request(w, &carol, &request).status, 403);
}

/* ---- every action of a face is in permissions.def ---- */

enum { ACTIONS_MAX = 1024 };

/* Actions that policies cannot control: queries about the caller's own identity and about the service. */
static bool is_unspoken(struct str permit)
{
	static const char *const words[] = {
		"sts:GetCallerIdentity", /* nor can AWS' policies deny it */
		"sts:GetSessionToken",   /* AWS's policies cannot deny it either */
		"identity:validate_token",
		"identity:revoke_token",
		"identity:get_auth_catalog",
		"identity:get_auth_system",
		"identity:list_services",
		"identity:get_service",
		"identity:list_endpoints",
		"identity:get_endpoint",
		"identity:list_registered_limits",
		"identity:list_limits",
		"identity:get_registered_limit",
		"identity:get_limit",
		"identity:get_limit_model",
		"get_metadef_namespaces",
		"get_metadef_namespace",
		"list_metadef_resource_types",
		"volume:extensions",
		"os_compute_api:extensions",
		"get_extension",
		"get_service_provider",
	};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_is(permit, words[k]))
			return true;
	return false;
}

static size_t count_unnamed(const char *where, const char *what, const char *permit)
{
	if (is_unspoken(str_from(permit)) || permission_find_action(str_from(permit)) != PERMISSION_NONE)
		return 0;
	print_error("%s %s: no row of permissions.def has \"%s\"\n", where, what, permit);
	return 1;
}

static void test_all_are_named(void **state)
{
	static const struct os_actions *const groups[] = {
#define GROUP(name) &os_##name##_actions,
#include "api/openstack/core/action_groups.def"
#undef GROUP
	};
	static const struct ec2_action *ec2_actions[ACTIONS_MAX];
	static const struct iam_action *iam_actions[ACTIONS_MAX];
	size_t unnamed = 0, ec2_count = ec2_sum_actions(ec2_actions, ACTIONS_MAX),
	       iam_count = iam_sum_actions(iam_actions, ACTIONS_MAX);
	(void) state;
	assert_true(ec2_count > 50 && iam_count > 20);
	for (size_t k = 0; k < ec2_count; k++)
		unnamed += count_unnamed("EC2", ec2_actions[k]->name, ec2_actions[k]->permit);
	for (size_t k = 0; k < iam_count; k++)
		unnamed += count_unnamed("IAM", iam_actions[k]->name, iam_actions[k]->permit);
	for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++)
		for (size_t k = 0; k < groups[g]->count; k++)
			if (!(groups[g]->at[k].flags & API_OPEN))
				unnamed += count_unnamed("OpenStack", groups[g]->at[k].path,
							 groups[g]->at[k].permit);
	assert_int_equal(unnamed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		guard_test(test_deny_holds_in_both),
		guard_test(test_publishing_is_denied_in_both),
		guard_test(test_launch_makes_no_network_unasked),
		guard_test(test_encoded_message),
		guard_test(test_refusals_are_kept),
		guard_test(test_allow),
		guard_test(test_tenancy),
		guard_test(test_launch_options),
		guard_test(test_conditions_of_caller),
		guard_test(test_conditions_of_row),
		guard_test(test_market),
		guard_test(test_roles),
		guard_test(test_read_of_one),
		guard_test(test_other_end),
		guard_test(test_part_of_allowed),
		guard_test(test_volumes_of_snapshots),
		guard_test(test_purge_asks_about_all),
		guard_test(test_boundary),
		guard_test(test_versions),
		guard_test(test_who_may),
		guard_test(test_limits),
		guard_test(test_roles_are_passed_by_permission),
		guard_test(test_refusals_hide_what_exists),
		guard_test(test_parts_are_denied_by_their_names),
		guard_test(test_made_rows_are_decided_on),
		guard_test(test_refusals_by_role),
		guard_test(test_trying_is_refused_like_doing),
		guard_test(test_trying_asks_about_the_other_end),
		cmocka_unit_test(test_all_are_named),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
