/* SPDX-License-Identifier: Apache-2.0
 * Policies of VPC endpoints, on calls that came through an endpoint. */
#include "../base/test_base.h"

#include "auth/guard/guard_endpoint.h"
#include "script.h"
#include "world.h"

/* A region whose account "alice" has an interface endpoint. */
struct lab {
	struct world w;
	struct world_user carol; /* of alice's account, without a role */
	struct guard_endpoint endpoint;
	struct str id; /* the endpoint's */
};

/* Sends the parameters, through the endpoint or (NULL) not. */
static struct world_answer ask(struct lab *l, const struct world_user *user,
			       const struct guard_endpoint *endpoint, const char *form, struct str more)
{
	struct fake_call f;
	struct str parameters = str_print(l->w.c.arena, "Action=%s%" STR_FMT, form, STR_ARG(more));
	world_sign_call(&l->w.c, user, "POST", parameters, &f);
	if (endpoint)
		guard_note_endpoint(&f.call, endpoint);
	return world_run(&l->w, &f);
}

/* Writes a policy document with double quotes, encoded for a form. */
static struct str encode_policy(struct lab *l, struct str statements)
{
	struct str json = str_print(l->w.arena, "{'Statement':[%" STR_FMT "]}", STR_ARG(statements));
	for (size_t k = 0; k < json.n; k++)
		if (json.p[k] == '\'')
			((char *) json.p)[k] = '"';
	return str_encode_url(l->w.arena, json, false);
}

static void set_policy(struct lab *l, const char *statements)
{
	struct str more = str_print(l->w.arena, "%" STR_FMT "&PolicyDocument=%" STR_FMT, STR_ARG(l->id),
				    STR_ARG(encode_policy(l, str_from(statements))));
	assert_int_equal(ask(l, &l->w.alice, NULL, "ModifyVpcEndpoint&VpcEndpointId=", more).status, 200);
}

static int setup(void **state)
{
	struct lab *l = calloc(1, sizeof *l);
	struct ref ref;
	*state = l;
	world_make(&l->w);
	world_add_user(&l->w, "carol", l->w.alice.who.account, NULL, &l->carol);
	struct str vpc = world_element(
		ask(l, &l->w.alice, NULL, "CreateVpc&CidrBlock=10.9.0.0/16", STR_NONE).body, "vpcId");
	l->id = world_element(ask(l, &l->w.alice, NULL,
				  "CreateVpcEndpoint&VpcEndpointType=Interface&PrivateDnsEnabled=false"
				  "&ServiceName=com.amazonaws.us-east-1.ec2&VpcId=",
				  vpc)
				      .body,
			      "vpcEndpointId");
	assert_ok(id_parse_ec2(l->id, KIND_VPC_ENDPOINT, &ref));
	AUTO_VIEW v;
	view_open(l->w.store, &v);
	l->endpoint.endpoint = tables_find_prefix(v.tables, KIND_VPC_ENDPOINT, ref.prefix, ref.bits)->id;
	assert_ok(id_parse_ec2(vpc, KIND_ROUTER, &ref));
	l->endpoint.router = tables_find_prefix(v.tables, KIND_ROUTER, ref.prefix, ref.bits)->id;
	return 0;
}

static int teardown(void **state)
{
	struct lab *l = *state;
	world_done(&l->w);
	free(l);
	return 0;
}

static int ask_servers_through(struct lab *l, const char *method)
{
	const struct script_request request = {.method = str_from(method),
					       .path = STR("/compute/v2.1/servers")};
	struct fake_call f;
	world_request_call(&l->w.c, l->w.tokens, l->w.bearers, &l->w.alice, &request, &f);
	guard_note_endpoint(&f.call, &l->endpoint);
	return world_run(&l->w, &f).status;
}

static bool says(struct world_answer answer, struct str sentence)
{
	return answer.status == 403 && str_contains(world_element(answer.body, "Message"), sentence);
}

static const char making[] = "CreateVpc&CidrBlock=10.8.0.0/16", reading[] = "DescribeVpcs";

/* The endpoint's policy restricts everybody who comes through the endpoint, the account's root user too, in every face. */
static void test_restricts_all(void **state)
{
	struct lab *l = *state;
	const struct world_user *alice = &l->w.alice;
	assert_int_equal(ask(l, alice, &l->endpoint, making, STR_NONE).status, 200);
	set_policy(l, "{'Effect':'Allow','Principal':'*','Action':'ec2:Describe*','Resource':'*'}");
	assert_int_equal(ask(l, alice, &l->endpoint, reading, STR_NONE).status, 200);
	assert_true(says(ask(l, alice, &l->endpoint, making, STR_NONE),
			 STR("because no VPC endpoint policy allows the ec2:CreateVpc action")));
	assert_int_equal(ask(l, alice, &l->endpoint, "GetCallerIdentity&Version=2011-06-15", STR_NONE).status,
			 403);
	assert_int_equal(ask_servers_through(l, "GET"), 200);
	assert_int_equal(ask_servers_through(l, "POST"), 403);
	assert_int_equal(ask(l, alice, NULL, making, STR_NONE).status, 200);
}

static void test_reset_and_deletion(void **state)
{
	struct lab *l = *state;
	const struct world_user *alice = &l->w.alice;
	set_policy(l, "{'Effect':'Deny','Principal':'*','Action':'*','Resource':'*'}");
	assert_int_equal(ask(l, alice, &l->endpoint, reading, STR_NONE).status, 403);
	assert_int_equal(
		ask(l, alice, NULL, "ModifyVpcEndpoint&ResetPolicy=true&VpcEndpointId=", l->id).status, 200);
	assert_int_equal(ask(l, alice, &l->endpoint, reading, STR_NONE).status, 200);
	assert_int_equal(ask(l, alice, NULL, "DeleteVpcEndpoints&VpcEndpointId.1=", l->id).status, 200);
	assert_int_equal(ask(l, alice, &l->endpoint, reading, STR_NONE).status, 403);
}

static void test_principal(void **state)
{
	struct lab *l = *state;
	set_policy(
		l,
		str_to_z(
			l->w.arena,
			str_print(l->w.arena,
				  "{'Effect':'Allow','Principal':{'AWS':'arn:aws:iam::%" STR_FMT
				  ":root'},'Action':'*','Resource':'*'},"
				  "{'Effect':'Deny','Principal':'*','Action':'ec2:DeleteVpc','Resource':'*'}",
				  STR_ARG(l->w.alice.who.account_number))));
	assert_int_equal(ask(l, &l->w.alice, &l->endpoint, reading, STR_NONE).status, 200);
	assert_int_equal(ask(l, &l->w.bob, &l->endpoint, reading, STR_NONE).status, 403);
	assert_true(says(ask(l, &l->w.alice, &l->endpoint, "DeleteVpc&VpcId=vpc-0123456789abcdef0", STR_NONE),
			 str_print(l->w.arena, "explicit deny in a VPC endpoint policy: %" STR_FMT ".",
				   STR_ARG(l->id))));
}

/* Policies of users know the endpoint, its VPC and the address of the guest. */
static void test_conditions(void **state)
{
	struct lab *l = *state;
	struct str statement = str_print(
		l->w.arena,
		"{'Effect':'Allow','Action':'ec2:DescribeVpcs','Resource':'*','Condition':{'StringEquals':"
		"{'aws:SourceVpce':'%" STR_FMT "','aws:SourceVpc':'%" STR_FMT
		"'},'IpAddress':{'aws:VpcSourceIp':'10.9.0.0/24'}}}",
		STR_ARG(l->id), STR_ARG(id_to_ec2(l->w.arena, KIND_ROUTER, l->endpoint.router)));
	assert_int_equal(
		ask(l, &l->w.alice, NULL,
		    "PutUserPolicy&Version=2010-05-08&UserName=carol&PolicyName=inside&PolicyDocument=",
		    encode_policy(l, statement))
			.status,
		200);
	assert_ok(ip_parse(STR("10.9.0.7"), &l->endpoint.guest));
	assert_int_equal(ask(l, &l->carol, &l->endpoint, reading, STR_NONE).status, 200);
	assert_int_equal(ask(l, &l->carol, NULL, reading, STR_NONE).status, 403);
	assert_ok(ip_parse(STR("10.9.1.7"), &l->endpoint.guest));
	assert_int_equal(ask(l, &l->carol, &l->endpoint, reading, STR_NONE).status, 403);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_restricts_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_and_deletion, setup, teardown),
		cmocka_unit_test_setup_teardown(test_principal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conditions, setup, teardown),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
