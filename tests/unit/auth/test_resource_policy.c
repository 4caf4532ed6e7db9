/* SPDX-License-Identifier: Apache-2.0
 * Decisions by a resource's policy beside those of the caller, as a table: in the caller's own account and across accounts. Texts have '
 * in place of ". Source of the rows: IAM User Guide, "Policy evaluation logic", "Cross-account policy evaluation logic", and "AWS JSON
 * policy elements: Principal" and "NotPrincipal". */
#include "../base/test_base.h"

#include "auth/policy/resource_policy.h"

#define ACCOUNT "AWS:111122223333"
#define USER "AWS:arn:aws:iam::111122223333:user/ann"
#define ROLE "AWS:arn:aws:iam::111122223333:role/job"
#define SESSION "AWS:arn:aws:sts::111122223333:assumed-role/job/one"
#define FEDERATED "AWS:arn:aws:sts::111122223333:federated-user/guest"
#define TO(principal) "{'Effect':'Allow','Principal':" principal ",'Action':'sqs:SendMessage','Resource':'*'}"
#define NOT_TO(principal)                                                                                    \
	"{'Effect':'Deny','Principal':" principal ",'Action':'sqs:SendMessage','Resource':'*'}"
#define BUT(effect, principal)                                                                               \
	"{'Effect':'" effect "','NotPrincipal':" principal ",'Action':'sqs:SendMessage','Resource':'*'}"
#define WHEN(key, value)                                                                                     \
	"{'Effect':'Allow','Principal':'*','Action':'sqs:SendMessage','Resource':'*','Condition':{'"         \
	"StringEquals':{'" key "':'" value "'}}}"

enum caller { A_USER, A_SESSION, A_FEDERATED };

static const char *const names[][3] = {
	[A_USER] = {ACCOUNT, USER},
	[A_SESSION] = {ACCOUNT, SESSION, ROLE},
	[A_FEDERATED] = {ACCOUNT, FEDERATED, USER},
};

struct row {
	const char *resource; /* statements; NULL: no policy */
	enum caller caller;
	/* 'A': allows, 'D': denies, '-': does not speak of the action, ' ': there is none */
	char identity, boundary, session;
	bool is_foreign;
	char wanted;
};

static const struct row rows[] = {
	/* the caller's own account, nothing but its own policies */
	{NULL, A_USER, 'A', ' ', ' ', false, 'A'},
	{NULL, A_USER, '-', ' ', ' ', false, '-'},
	/* the user's ARN: nothing else counts, but a Deny */
	{TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_USER, '-', ' ', ' ', false, 'A'},
	{TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_USER, '-', '-', ' ', false, 'A'},
	{TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_USER, 'D', ' ', ' ', false, 'D'},
	{TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_USER, '-', 'D', ' ', false, 'D'},
	{TO("{'AWS':'arn:aws:iam::111122223333:user/bob'}"), A_USER, '-', ' ', ' ', false, '-'},
	{TO("{'AWS':'arn:aws:iam::111122223333:user/*'}"), A_USER, '-', ' ', ' ', false, '-'},
	/* the user's ARN for a federated session of the user: boundary and session policies count */
	{TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_FEDERATED, '-', ' ', 'A', false, 'A'},
	{TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_FEDERATED, '-', ' ', '-', false, '-'},
	{TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_FEDERATED, '-', '-', 'A', false, '-'},
	{TO("{'AWS':'arn:aws:sts::111122223333:federated-user/guest'}"), A_FEDERATED, '-', '-', '-', false,
	 'A'},
	/* the role's ARN: boundary and session policies count */
	{TO("{'AWS':'arn:aws:iam::111122223333:role/job'}"), A_SESSION, '-', ' ', ' ', false, 'A'},
	{TO("{'AWS':'arn:aws:iam::111122223333:role/job'}"), A_SESSION, '-', '-', ' ', false, '-'},
	{TO("{'AWS':'arn:aws:iam::111122223333:role/job'}"), A_SESSION, '-', ' ', '-', false, '-'},
	{TO("{'AWS':'arn:aws:iam::111122223333:role/job'}"), A_SESSION, '-', 'A', 'A', false, 'A'},
	/* the session's ARN: nothing else counts, but a Deny */
	{TO("{'AWS':'arn:aws:sts::111122223333:assumed-role/job/one'}"), A_SESSION, '-', '-', '-', false,
	 'A'},
	{TO("{'AWS':'arn:aws:sts::111122223333:assumed-role/job/one'}"), A_SESSION, '-', ' ', 'D', false,
	 'D'},
	{TO("{'AWS':'arn:aws:sts::111122223333:assumed-role/job/two'}"), A_SESSION, '-', ' ', ' ', false,
	 '-'},
	/* everybody: boundary and session policies count */
	{TO("'*'"), A_USER, '-', ' ', ' ', false, 'A'},
	{TO("{'AWS':'*'}"), A_USER, '-', '-', ' ', false, '-'},
	{TO("'*'"), A_SESSION, '-', ' ', '-', false, '-'},
	{TO("{'Service':'sns.amazonaws.com'}"), A_USER, '-', ' ', ' ', false, '-'},
	/* the account: its own policies decide */
	{TO("{'AWS':'111122223333'}"), A_USER, '-', ' ', ' ', false, '-'},
	{TO("{'AWS':'arn:aws:iam::111122223333:root'}"), A_USER, '-', ' ', ' ', false, '-'},
	{TO("{'AWS':'111122223333'}"), A_USER, 'A', ' ', ' ', false, 'A'},
	{TO("{'AWS':'111122223333'}"), A_USER, 'A', '-', ' ', false, '-'},
	/* the highest grant counts, in whatever order */
	{TO("'*'") "," TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_USER, '-', '-', ' ', false, 'A'},
	{TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}") "," TO("'*'"), A_USER, '-', '-', ' ', false, 'A'},
	/* a Deny of the resource's policy */
	{TO("'*'") "," NOT_TO("'*'"), A_USER, 'A', ' ', ' ', false, 'D'},
	{NOT_TO("{'AWS':'111122223333'}"), A_SESSION, 'A', ' ', ' ', false, 'D'},
	{NOT_TO("{'AWS':'arn:aws:iam::111122223333:role/job'}"), A_SESSION, 'A', ' ', ' ', false, 'D'},
	{NOT_TO("{'AWS':'444455556666'}"), A_USER, 'A', ' ', ' ', false, 'A'},
	{NOT_TO("{'Service':'sns.amazonaws.com'}"), A_USER, 'A', ' ', ' ', false, 'A'},
	/* NotPrincipal spares only whom it names by each name, and allows nobody whom it names by one */
	{BUT("Deny", "{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_USER, 'A', ' ', ' ', false, 'D'},
	{BUT("Deny", "{'AWS':['111122223333','arn:aws:iam::111122223333:user/ann']}"), A_USER, 'A', ' ', ' ',
	 false, 'A'},
	{BUT("Deny", "{'AWS':['111122223333','arn:aws:iam::111122223333:role/job']}"), A_SESSION, 'A', ' ',
	 ' ', false, 'D'},
	{BUT("Allow", "{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_USER, '-', ' ', ' ', false, '-'},
	{BUT("Allow", "{'AWS':'111122223333'}"), A_USER, '-', ' ', ' ', false, '-'},
	{BUT("Allow", "{'AWS':'444455556666'}"), A_USER, '-', '-', ' ', false, '-'},
	{BUT("Allow", "{'AWS':'444455556666'}"), A_USER, '-', ' ', ' ', false, 'A'},
	/* keys: absent ones, the case of names, and keys that are not known yet */
	{WHEN("aws:SourceArn", "arn:aws:sns:x:1:t"), A_USER, '-', ' ', ' ', false, '-'},
	{WHEN("AWS:PRINCIPALACCOUNT", "111122223333"), A_USER, '-', ' ', ' ', false, 'A'},
	{WHEN("aws:later", "x"), A_USER, '-', ' ', ' ', false, '-'},
	{"{'Effect':'Deny','Principal':'*','Action':'sqs:*','Resource':'*','Condition':{'StringEquals':{'aws:"
	 "later':'x'}}}",
	 A_USER, 'A', ' ', ' ', false, 'D'},
	/* another account's resource: both must allow */
	{NULL, A_USER, 'A', ' ', ' ', true, '-'},
	{TO("{'AWS':'111122223333'}"), A_USER, 'A', ' ', ' ', true, 'A'},
	{TO("{'AWS':'111122223333'}"), A_USER, '-', ' ', ' ', true, '-'},
	{TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_USER, '-', ' ', ' ', true, '-'},
	{TO("{'AWS':'arn:aws:iam::111122223333:user/ann'}"), A_USER, 'A', '-', ' ', true, '-'},
	{TO("{'AWS':'arn:aws:sts::111122223333:assumed-role/job/one'}"), A_SESSION, 'A', ' ', '-', true, '-'},
	{TO("{'AWS':'arn:aws:sts::111122223333:assumed-role/job/one'}"), A_SESSION, 'A', ' ', 'A', true, 'A'},
	{TO("'*'"), A_USER, '-', ' ', ' ', true, '-'},
	{TO("'*'"), A_USER, 'A', ' ', ' ', true, 'A'},
	{TO("'*'") "," NOT_TO("{'AWS':'111122223333'}"), A_USER, 'A', ' ', ' ', true, 'D'},
	{TO("{'AWS':'444455556666'}"), A_USER, 'A', ' ', ' ', true, '-'},
};

static struct str to_json(struct ctx *c, const char *statements)
{
	struct str json = str_print(c->arena, "{'Version':'2012-10-17','Statement':[%s]}", statements);
	for (size_t k = 0; k < json.n; k++)
		if (json.p[k] == '\'')
			((char *) json.p)[k] = '"';
	return json;
}

/* The policy that a letter of the table stands for. */
static const struct policy_code *compile(struct ctx *c, char letter)
{
	const struct policy_code *p = NULL;
	struct str text = str_print(c->arena, "{'Effect':'%s','Action':'%s','Resource':'*'}",
				    letter == 'D' ? "Deny" : "Allow",
				    letter == '-' ? "sqs:ReceiveMessage" : "sqs:SendMessage");
	assert_ok(policy_compile(c, to_json(c, str_to_z(c->arena, text)), POLICY_OF_IDENTITY, &p));
	return p;
}

static enum policy_known find_key(const struct policy_question *q, struct str key, struct strs *ret_values)
{
	static const struct str number = {"111122223333", 12};
	(void) q;
	if (str_is(key, "aws:later"))
		return POLICY_NOT_YET;
	if (!str_is(key, "aws:principalaccount"))
		return POLICY_ABSENT;
	*ret_values = (struct strs){&number, 1};
	return POLICY_PRESENT;
}

static char decide(struct ctx *c, const struct row *row)
{
	struct str principals[3];
	size_t count = 0;
	const struct policy_code *identity = compile(c, row->identity), *session = compile(c, row->session);
	struct policy_set set = {.identity = &identity,
				 .identity_count = 1,
				 .has_session = row->session != ' ',
				 .session = &session,
				 .session_count = row->session != ' ',
				 .boundary = row->boundary == ' ' ? NULL : compile(c, row->boundary),
				 .is_foreign = row->is_foreign,
				 .is_user = row->caller != A_SESSION};
	while (count < 3 && names[row->caller][count])
		principals[count] = str_from(names[row->caller][count]), count++;
	if (row->resource)
		assert_ok(resource_policy_compile(c, to_json(c, row->resource), &set.resource));
	const struct policy_question q = {.action = STR("sqs:SendMessage"),
					  .permission = permission_find_action(STR("sqs:SendMessage")),
					  .resource = STR("arn:aws:sqs:us-east-1:111122223333:jobs"),
					  .principals = {principals, count},
					  .find = find_key,
					  .arena = c->arena};
	struct policy_decision d;
	policy_decide(&set, &q, &d);
	return d.effect == POLICY_ALLOWS ? 'A' : d.effect == POLICY_DENIES ? 'D' : '-';
}

static void test_decisions(void **state)
{
	size_t wrong = 0;
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		char got = decide(*state, &rows[k]);
		wrong += got != rows[k].wanted;
		if (got != rows[k].wanted)
			print_message("row %zu: %s: %c in place of %c\n", k,
				      rows[k].resource ? rows[k].resource : "no policy", got, rows[k].wanted);
	}
	assert_int_equal(wrong, 0);
}

/* A document that the language does not have, or that says something twice. */
static void test_bad_documents(void **state)
{
	static const char *const bad[] = {
		"{'Effect':'Allow','Action':'sqs:*','Resource':'*'}",
		"{'Effect':'Allow','Principal':'*','Principal':'*','Action':'sqs:*','Resource':'*'}",
		"{'Effect':'Allow','principal':'*','Action':'sqs:*','Resource':'*'}",
		"{'Effect':'Allow','Principal':'*','NotPrincipal':'*','Action':'sqs:*','Resource':'*'}",
		"{'Effect':'Allow','Principal':{'aws':'*'},'Action':'sqs:*','Resource':'*'}",
		"{'Effect':'Allow','Principal':{},'Action':'sqs:*','Resource':'*'}",
		"{'Effect':'ALLOW','Principal':'*','Action':'sqs:*','Resource':'*'}",
		"{'Effect':'Allow','Principal':'*','Action':'sqs:*','Resource':[]}",
		"{'Effect':'Allow','Principal':'*','Action':[],'Resource':'*'}",
	};
	struct ctx *c = *state;
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		const struct policy_code *p = NULL;
		ctx_clear_problem(c);
		assert_int_equal(resource_policy_compile(c, to_json(c, bad[k]), &p).code, ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_decisions), ctx_test(test_bad_documents)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
