/* SPDX-License-Identifier: Apache-2.0
 * The policy language as a table of a statement or document, a request, and the result. Texts have ' in place
 * of ", and a text that begins with a member is one statement of a document of version 2012-10-17. A
 * request's keys are "name=value,value;name=value"; a name with '?' behind it is not known yet. */
#include "../base/test_base.h"
#include "model/policy.h"
#include "model/policy_version.h"

#include "auth/policy/policy.h"
#include "base/buf.h"
#include "engine/people/policy/aws_policy.h"

struct request {
	struct str keys;
	struct arena *arena;
};

static enum policy_known find_key(const struct policy_question *q, struct str key, struct strs *ret_values)
{
	const struct request *r = q->request;
	struct str rest = r->keys, piece;
	while (str_split_next(&rest, ';', &piece)) {
		size_t equals = str_find_char(piece, '=', 0);
		struct str name = str_slice(piece, 0, equals), values = str_slice(piece, equals + 1, piece.n),
			   one;
		if (str_ends_with(name, STR("?")) && str_equal(str_slice(name, 0, name.n - 1), key))
			return POLICY_NOT_YET;
		if (!str_equal(name, key))
			continue;
		struct str *at = arena_new_array(r->arena, struct str, 16);
		size_t count = 0;
		while (str_split_next(&values, ',', &one))
			at[count++] = one;
		*ret_values = (struct strs){at, count};
		return POLICY_PRESENT;
	}
	return POLICY_ABSENT;
}

static struct str to_json(struct arena *a, const char *text)
{
	bool is_document = text[0] == '{' && strstr(text, "'Statement'");
	struct str json = is_document ? str_copy(a, str_from(text))
				      : str_print(a, "{'Version':'2012-10-17','Statement':[{%s}]}", text);
	for (size_t k = 0; k < json.n; k++)
		if (json.p[k] == '\'')
			((char *) json.p)[k] = '"';
		else if (json.p[k] == '`')
			((char *) json.p)[k] = '\'';
	return json;
}

static struct policy_question ask_for(struct ctx *c, struct request *request, const char *action,
				      const char *resource, const char *keys)
{
	*request = (struct request){str_from(keys), c->arena};
	return (struct policy_question){.action = str_from(action),
					.permission = permission_find_action(str_from(action)),
					.resource = str_from(resource),
					.find = find_key,
					.request = request,
					.arena = c->arena};
}

#define ALLOW "'Effect':'Allow',"
#define DENY "'Effect':'Deny',"
#define RUN "'Action':'ec2:RunInstances',"
#define ANY "'Resource':'*'"
#define WHEN(operator, key, values) ALLOW RUN ANY ",'Condition':{'" operator"':{'" key "':" values "}}"
#define I1 "arn:aws:ec2:us-east-1:111122223333:instance/i-1"
#define DOC(version, statements) "{'Version':'" version "','Statement':[" statements "]}"

struct policy_row {
	const char *policy, *action, *resource, *keys;
	char wanted; /* Allow, Deny, - */
};

static const struct policy_row elements[] = {
	/* Action */
	{ALLOW RUN ANY, "ec2:RunInstances", I1, "", 'A'},
	{ALLOW RUN ANY, "ec2:runinstances", I1, "", 'A'},
	{ALLOW RUN ANY, "ec2:StartInstances", I1, "", '-'},
	{DENY RUN ANY, "ec2:RunInstances", I1, "", 'D'},
	{DENY RUN ANY, "ec2:StopInstances", I1, "", '-'},
	{ALLOW "'Action':'*'," ANY, "ec2:RunInstances", I1, "", 'A'},
	{ALLOW "'Action':'*'," ANY, "s3:GetObject", "arn:aws:s3:::b/k", "", 'A'},
	{ALLOW "'Action':'ec2:*'," ANY, "ec2:RunInstances", I1, "", 'A'},
	{ALLOW "'Action':'EC2:*'," ANY, "ec2:RunInstances", I1, "", 'A'},
	{ALLOW "'Action':'ec2:*'," ANY, "iam:CreatePolicy", I1, "", '-'},
	{ALLOW "'Action':'ec2:Run*'," ANY, "ec2:RunInstances", I1, "", 'A'},
	{ALLOW "'Action':'ec2:*Instances'," ANY, "ec2:RunInstances", I1, "", 'A'},
	{ALLOW "'Action':'ec2:*Instances'," ANY, "ec2:RunInstancesX", I1, "", '-'},
	{ALLOW "'Action':'ec2:R?nInstances'," ANY, "ec2:RunInstances", I1, "", 'A'},
	{ALLOW "'Action':'ec2:R?Instances'," ANY, "ec2:RunInstances", I1, "", '-'},
	{ALLOW "'Action':'ec2:runinstances'," ANY, "ec2:RunInstances", I1, "", 'A'},
	{ALLOW "'Action':['ec2:StartInstances','ec2:RunInstances']," ANY, "ec2:RunInstances", I1, "", 'A'},
	{ALLOW "'Action':['ec2:StartInstances','ec2:StopInstances']," ANY, "ec2:RunInstances", I1, "", '-'},
	{ALLOW "'Action':'s3:Get*'," ANY, "s3:GetObject", "arn:aws:s3:::b/k", "", 'A'},
	{ALLOW "'Action':'s3:Get*'," ANY, "s3:PutObject", "arn:aws:s3:::b/k", "", '-'},
	{ALLOW "'Action':'s3:get*'," ANY, "S3:GetObject", "arn:aws:s3:::b/k", "", 'A'},
	/* one permission, two faces' words */
	{DENY "'Action':'ec2:TerminateInstances'," ANY, "os_compute_api:servers:delete", I1, "", 'D'},
	{DENY "'Action':'os_compute_api:servers:delete'," ANY, "ec2:TerminateInstances", I1, "", 'D'},
	{DENY "'Action':'os_compute_api:servers:*'," ANY, "ec2:StopInstances", I1, "", 'D'},
	{DENY "'Action':'ec2:*'," ANY, "os_compute_api:os-pause-server:pause", I1, "", 'D'},
	{ALLOW "'Action':'ec2:Describe*'," ANY, "os_compute_api:servers:detail", "*", "", 'A'},
	{ALLOW "'Action':'ec2:Describe*'," ANY, "os_compute_api:servers:create", "*", "", '-'},
	/* a prefix of two services */
	{ALLOW "'Action':'backup:*'," ANY, "backup:create", "*", "", '-'},
	{ALLOW "'Action':'backup:*'," ANY, "backup:ListBackupVaults", "*", "", 'A'},
	{ALLOW "'Action':'backup:Create*'," ANY, "backup:create", "*", "", '-'},
	{ALLOW "'Action':'backup:create'," ANY, "backup:create", "*", "", 'A'},
	{ALLOW "'Action':'ec2:CreateB*'," ANY, "backup:create", "*", "", 'A'},
	{DENY "'Action':'backup:*'," ANY, "backup:restore", "*", "", '-'},
	/* NotAction */
	{ALLOW "'NotAction':'ec2:RunInstances'," ANY, "ec2:RunInstances", I1, "", '-'},
	{ALLOW "'NotAction':'ec2:RunInstances'," ANY, "ec2:StopInstances", I1, "", 'A'},
	{ALLOW "'NotAction':'iam:*'," ANY, "ec2:StopInstances", I1, "", 'A'},
	{ALLOW "'NotAction':'iam:*'," ANY, "iam:CreatePolicy", "*", "", '-'},
	{DENY "'NotAction':['ec2:Describe*','ec2:StopInstances']," ANY, "ec2:StopInstances", I1, "", '-'},
	{DENY "'NotAction':['ec2:Describe*','ec2:StopInstances']," ANY, "ec2:RunInstances", I1, "", 'D'},
	{DENY "'NotAction':'ec2:Describe*'," ANY, "os_compute_api:servers:delete", I1, "", 'D'},
	{ALLOW "'NotAction':'s3:*'," ANY, "s3:GetObject", "arn:aws:s3:::b/k", "", '-'},
	{ALLOW "'NotAction':'s3:Put*'," ANY, "s3:GetObject", "arn:aws:s3:::b/k", "", 'A'},
	/* Resource, NotResource */
	{ALLOW RUN "'Resource':'" I1 "'", "ec2:RunInstances", I1, "", 'A'},
	{ALLOW RUN "'Resource':'" I1 "'", "ec2:RunInstances", I1 "2", "", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/*'", "ec2:RunInstances", I1, "", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:volume/*'", "ec2:RunInstances", I1, "", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:us-*:111122223333:*'", "ec2:RunInstances", I1, "", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:eu-*:111122223333:*'", "ec2:RunInstances", I1, "", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:us-east-1:11112222333?:instance/i-?'", "ec2:RunInstances", I1, "",
	 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:instance/*:x'", "ec2:RunInstances", I1, "", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:us-east-1:111122223333:INSTANCE/*'", "ec2:RunInstances", I1, "",
	 '-'},
	{ALLOW RUN "'Resource':['arn:aws:ec2:*:*:volume/*','arn:aws:ec2:*:*:instance/*']", "ec2:RunInstances",
	 I1, "", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/*'", "ec2:RunInstances", "*", "", '-'},
	{ALLOW RUN ANY, "ec2:RunInstances", "*", "", 'A'},
	{ALLOW RUN "'NotResource':'" I1 "'", "ec2:RunInstances", I1, "", '-'},
	{ALLOW RUN "'NotResource':'" I1 "'", "ec2:RunInstances", I1 "2", "", 'A'},
	{DENY RUN "'NotResource':['arn:aws:ec2:*:*:volume/*','" I1 "']", "ec2:RunInstances", I1, "", '-'},
	{DENY RUN "'NotResource':'arn:aws:ec2:*:*:volume/*'", "ec2:RunInstances", I1, "", 'D'},
	/* a star at the end of a part reaches over colons, where the resource's own part has some */
	{DENY RUN "'Resource':'arn:aws:ec2:*:key-pair/a:b'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:key-pair/a:b", "", 'D'},
	{DENY RUN "'Resource':'arn:aws:ec2:*:key-pair/${aws:username}:b'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:key-pair/a:b", "aws:username=a", 'D'},
	{DENY RUN "'Resource':'arn:aws:ec2:*:key-pair/a:c'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:key-pair/a:b", "", '-'},
	/* a resource that is not known yet: it may be allowed, it is not denied but for all */
	{ALLOW RUN "'Resource':'" I1 "'", "ec2:RunInstances", "", "", 'A'},
	{DENY RUN "'Resource':'" I1 "'", "ec2:RunInstances", "", "", '-'},
	{DENY RUN ANY, "ec2:RunInstances", "", "", 'D'},
	{DENY RUN "'NotResource':'" I1 "'", "ec2:RunInstances", "", "", '-'},
	{ALLOW RUN "'NotResource':'" I1 "'", "ec2:RunInstances", "", "", 'A'},
	{ALLOW RUN "'NotResource':'*'", "ec2:RunInstances", "", "", '-'},
	/* several statements: a Deny wins wherever it stands */
	{DOC("2012-10-17", "{" ALLOW RUN ANY "},{" DENY RUN ANY "}"), "ec2:RunInstances", I1, "", 'D'},
	{DOC("2012-10-17", "{" DENY RUN ANY "},{" ALLOW RUN ANY "}"), "ec2:RunInstances", I1, "", 'D'},
	{DOC("2012-10-17", "{" DENY RUN "'Resource':'arn:aws:ec2:*:*:volume/*'},{" ALLOW RUN ANY "}"),
	 "ec2:RunInstances", I1, "", 'A'},
	{"{'Statement':{" ALLOW RUN ANY "}}", "ec2:RunInstances", I1, "", 'A'},
	{"{'Version':'2008-10-17','Id':'x','Statement':{" ALLOW RUN ANY "}}", "ec2:RunInstances", I1, "",
	 'A'},
	/* variables */
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:username}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/ann", "aws:username=ann", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${AWS:UserName}-*'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/ann-7", "aws:username=ann", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:username}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/ann", "aws:username=*", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:username}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/*", "aws:username=*", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:username}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/ann", "", '-'},
	{DENY RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:username}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/ann", "", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:username, `nobody`}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/nobody", "", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:username, `nobody`}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/nobody", "aws:username=ann", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${*}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/*", "", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${*}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/x", "", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/a${?}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/a?", "", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/a${?}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/ab", "", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${$}{x}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/${x}", "", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${$}{aws:username}-${aws:username}'",
	 "ec2:RunInstances", "arn:aws:ec2:r:1:instance/${aws:username}-ann", "aws:username=ann", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${$}{aws:username}-${aws:username}'",
	 "ec2:RunInstances", "arn:aws:ec2:r:1:instance/ann-ann", "aws:username=ann", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:PrincipalTag/Team}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/red", "aws:principaltag/Team=red", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:PrincipalTag/team}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/red", "aws:principaltag/Team=red", '-'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:TagKeys}'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/a", "aws:tagkeys=a,b", '-'},
	/* in the older language a variable is a plain text */
	{DOC("2008-10-17", "{" ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:username}'}"),
	 "ec2:RunInstances", "arn:aws:ec2:r:1:instance/ann", "aws:username=ann", '-'},
	{DOC("2008-10-17", "{" ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:username}'}"),
	 "ec2:RunInstances", "arn:aws:ec2:r:1:instance/${aws:username}", "aws:username=ann", 'A'},
	/* a backslash is no special character */
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/a\\\\*'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/a\\b", "", 'A'},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/a\\\\*'", "ec2:RunInstances",
	 "arn:aws:ec2:r:1:instance/a*", "", '-'},
};

#define C(operator, key, values, keys, wanted)                                                               \
	{                                                                                                    \
		WHEN(operator, key, values), "ec2:RunInstances", I1, keys, wanted                            \
	}
static const struct policy_row conditions[] = {
	C("StringEquals", "ec2:InstanceType", "'t3.micro'", "ec2:instancetype=t3.micro", 'A'),
	C("StringEquals", "EC2:instanceTYPE", "'t3.micro'", "ec2:instancetype=t3.micro", 'A'),
	C("StringEquals", "ec2:InstanceType", "'t3.micro'", "ec2:instancetype=T3.micro", '-'),
	C("StringEquals", "ec2:InstanceType", "'t3.*'", "ec2:instancetype=t3.micro", '-'),
	C("StringEquals", "ec2:InstanceType", "['t3.nano','t3.micro']", "ec2:instancetype=t3.micro", 'A'),
	C("StringEquals", "ec2:InstanceType", "[]", "ec2:instancetype=t3.micro", '-'),
	C("StringEquals", "ec2:InstanceType", "'t3.micro'", "", '-'),
	C("StringEquals", "aws:RequestTag/Team", "'red'", "aws:requesttag/Team=red", 'A'),
	C("StringEquals", "aws:RequestTag/team", "'red'", "aws:requesttag/Team=red", '-'),
	C("StringEquals", "aws:ResourceTag/o", "'${aws:username}'", "aws:resourcetag/o=ann;aws:username=ann",
	  'A'),
	C("StringEquals", "aws:ResourceTag/o", "'${aws:username}'", "aws:resourcetag/o=bob;aws:username=ann",
	  '-'),
	C("StringEquals", "aws:ResourceTag/o", "'${aws:username}'", "aws:resourcetag/o=ann", '-'),
	C("StringEquals", "aws:ResourceTag/o", "'${aws:username,`ann`}'", "aws:resourcetag/o=ann", 'A'),
	C("StringEquals", "aws:ResourceTag/o", "'${*}'", "aws:resourcetag/o=*", 'A'),
	C("StringNotEquals", "aws:ResourceTag/o", "'red'", "aws:resourcetag/o=blue", 'A'),
	C("StringNotEquals", "aws:ResourceTag/o", "'red'", "aws:resourcetag/o=red", '-'),
	C("StringNotEquals", "aws:ResourceTag/o", "['red','blue']", "aws:resourcetag/o=blue", '-'),
	C("StringNotEquals", "aws:ResourceTag/o", "['red','blue']", "aws:resourcetag/o=green", 'A'),
	C("StringNotEquals", "aws:ResourceTag/o", "'red'", "", 'A'),
	C("StringEqualsIgnoreCase", "ec2:Region", "'US-East-1'", "ec2:region=us-east-1", 'A'),
	C("StringEqualsIgnoreCase", "ec2:Region", "'US-East-2'", "ec2:region=us-east-1", '-'),
	C("StringNotEqualsIgnoreCase", "ec2:Region", "'US-East-1'", "ec2:region=us-east-1", '-'),
	C("StringNotEqualsIgnoreCase", "ec2:Region", "'US-East-2'", "ec2:region=us-east-1", 'A'),
	C("StringLike", "ec2:InstanceType", "'t3.*'", "ec2:instancetype=t3.micro", 'A'),
	C("StringLike", "ec2:InstanceType", "'T3.*'", "ec2:instancetype=t3.micro", '-'),
	C("StringLike", "ec2:InstanceType", "'t?.micro'", "ec2:instancetype=t3.micro", 'A'),
	C("StringLike", "ec2:InstanceType", "'*'", "ec2:instancetype=t3.micro", 'A'),
	C("StringLike", "ec2:InstanceType", "'*'", "", '-'),
	C("StringLike", "ec2:InstanceType", "['m5.*','t3.*']", "ec2:instancetype=t3.micro", 'A'),
	C("StringLike", "aws:ResourceTag/o", "'${aws:username}-*'",
	  "aws:resourcetag/o=ann-x;aws:username=ann", 'A'),
	C("StringLike", "aws:ResourceTag/o", "'${aws:username}'", "aws:resourcetag/o=ann;aws:username=a*",
	  '-'),
	C("StringNotLike", "ec2:InstanceType", "'t3.*'", "ec2:instancetype=t3.micro", '-'),
	C("StringNotLike", "ec2:InstanceType", "'m5.*'", "ec2:instancetype=t3.micro", 'A'),
	C("StringNotLike", "ec2:InstanceType", "'m5.*'", "", 'A'),
	C("NumericEquals", "ec2:VolumeSize", "'100'", "ec2:volumesize=100", 'A'),
	C("NumericEquals", "ec2:VolumeSize", "100", "ec2:volumesize=100", 'A'),
	C("NumericEquals", "ec2:VolumeSize", "'100.0'", "ec2:volumesize=100", 'A'),
	C("NumericEquals", "ec2:VolumeSize", "'1e2'", "ec2:volumesize=100", 'A'),
	C("NumericEquals", "ec2:VolumeSize", "'100'", "ec2:volumesize=many", '-'),
	C("NumericNotEquals", "ec2:VolumeSize", "'100'", "ec2:volumesize=101", 'A'),
	C("NumericNotEquals", "ec2:VolumeSize", "'100'", "ec2:volumesize=100", '-'),
	C("NumericLessThan", "ec2:VolumeSize", "'100'", "ec2:volumesize=99", 'A'),
	C("NumericLessThan", "ec2:VolumeSize", "'100'", "ec2:volumesize=100", '-'),
	C("NumericLessThanEquals", "ec2:VolumeSize", "'100'", "ec2:volumesize=100", 'A'),
	C("NumericLessThanEquals", "ec2:VolumeSize", "'100'", "ec2:volumesize=101", '-'),
	C("NumericGreaterThan", "ec2:VolumeSize", "'-1'", "ec2:volumesize=0", 'A'),
	C("NumericGreaterThan", "ec2:VolumeSize", "'100'", "ec2:volumesize=100", '-'),
	C("NumericGreaterThanEquals", "ec2:VolumeSize", "'100'", "ec2:volumesize=100", 'A'),
	C("NumericGreaterThanEquals", "ec2:VolumeSize", "'100'", "ec2:volumesize=99.5", '-'),
	C("NumericLessThan", "ec2:VolumeSize", "'100'", "", '-'),
	C("DateEquals", "aws:CurrentTime", "'2020-01-02T03:04:05Z'", "aws:currenttime=2020-01-02T03:04:05Z",
	  'A'),
	C("DateEquals", "aws:CurrentTime", "'2020-01-02'", "aws:currenttime=2020-01-02T00:00:00Z", 'A'),
	C("DateEquals", "aws:CurrentTime", "'2020-02'", "aws:currenttime=2020-02-01T00:00:00Z", 'A'),
	C("DateGreaterThan", "aws:CurrentTime", "'2020-02'", "aws:currenttime=2020-01-31T23:59:59Z", '-'),
	C("DateGreaterThan", "aws:CurrentTime", "'2020'", "aws:currenttime=2019-12-31T23:59:59Z", '-'),
	C("DateGreaterThan", "aws:CurrentTime", "'2020'", "aws:currenttime=2020-01-01T00:00:01Z", 'A'),
	C("DateEquals", "aws:CurrentTime", "'2020-01-02T03:04Z'", "aws:currenttime=2020-01-02T03:04:00Z",
	  'A'),
	C("DateEquals", "aws:CurrentTime", "'2020-01-02T05:04+02:00'", "aws:currenttime=2020-01-02T03:04:00Z",
	  'A'),
	C("DateEquals", "aws:CurrentTime", "'1577934245'", "aws:currenttime=2020-01-02T03:04:05Z", 'A'),
	C("DateNotEquals", "aws:CurrentTime", "'2020-01-02T03:04:05Z'",
	  "aws:currenttime=2020-01-02T03:04:06Z", 'A'),
	C("DateLessThan", "aws:CurrentTime", "'2020-01-02T03:04:05Z'", "aws:currenttime=2020-01-02T03:04:04Z",
	  'A'),
	C("DateLessThan", "aws:CurrentTime", "'2020-01-02T03:04:05Z'", "aws:currenttime=2020-01-02T03:04:05Z",
	  '-'),
	C("DateLessThanEquals", "aws:CurrentTime", "'2020-01-02T03:04:05Z'",
	  "aws:currenttime=2020-01-02T03:04:05Z", 'A'),
	C("DateGreaterThan", "aws:CurrentTime", "'2020-01-02T03:04:05Z'",
	  "aws:currenttime=2020-01-03T00:00:00Z", 'A'),
	C("DateGreaterThan", "aws:CurrentTime", "'2020-01-02T05:04:05+02:00'",
	  "aws:currenttime=2020-01-02T03:04:06Z", 'A'),
	C("DateGreaterThanEquals", "aws:EpochTime", "'1577934245'", "aws:epochtime=1577934245", 'A'),
	C("DateGreaterThanEquals", "aws:EpochTime", "'1577934246'", "aws:epochtime=1577934245", '-'),
	C("Bool", "aws:SecureTransport", "'true'", "aws:securetransport=true", 'A'),
	C("Bool", "aws:SecureTransport", "true", "aws:securetransport=true", 'A'),
	C("Bool", "aws:SecureTransport", "'TRUE'", "aws:securetransport=true", 'A'),
	C("Bool", "aws:SecureTransport", "'false'", "aws:securetransport=true", '-'),
	C("Bool", "aws:SecureTransport", "'false'", "", '-'),
	C("BinaryEquals", "x:Key", "'QmluYXJ5'", "x:key=QmluYXJ5", 'A'),
	C("BinaryEquals", "x:Key", "'QmluYXJ5'", "x:key=QmluYXJ6", '-'),
	C("IpAddress", "aws:SourceIp", "'203.0.113.0/24'", "aws:sourceip=203.0.113.9", 'A'),
	C("IpAddress", "aws:SourceIp", "'203.0.113.0/24'", "aws:sourceip=203.0.114.9", '-'),
	C("IpAddress", "aws:SourceIp", "'203.0.113.77/24'", "aws:sourceip=203.0.113.9", 'A'),
	C("IpAddress", "aws:SourceIp", "'203.0.113.9'", "aws:sourceip=203.0.113.9", 'A'),
	C("IpAddress", "aws:SourceIp", "['10.0.0.0/8','203.0.113.0/24']", "aws:sourceip=203.0.113.9", 'A'),
	C("IpAddress", "aws:SourceIp", "'2001:db8::/32'", "aws:sourceip=2001:db8::9", 'A'),
	C("IpAddress", "aws:SourceIp", "'2001:db8::/32'", "aws:sourceip=2001:db9::9", '-'),
	C("IpAddress", "aws:SourceIp", "'::/0'", "aws:sourceip=203.0.113.9", '-'),
	C("IpAddress", "aws:SourceIp", "'0.0.0.0/0'", "aws:sourceip=203.0.113.9", 'A'),
	C("NotIpAddress", "aws:SourceIp", "'203.0.113.0/24'", "aws:sourceip=203.0.113.9", '-'),
	C("NotIpAddress", "aws:SourceIp", "'203.0.113.0/24'", "aws:sourceip=198.51.100.1", 'A'),
	C("NotIpAddress", "aws:SourceIp", "['10.0.0.0/8','203.0.113.0/24']", "aws:sourceip=10.1.1.1", '-'),
	C("NotIpAddress", "aws:SourceIp", "'203.0.113.0/24'", "", 'A'),
	C("ArnEquals", "ec2:Vpc", "'arn:aws:ec2:r:1:vpc/vpc-1'", "ec2:vpc=arn:aws:ec2:r:1:vpc/vpc-1", 'A'),
	C("ArnEquals", "ec2:Vpc", "'arn:aws:ec2:*:1:vpc/*'", "ec2:vpc=arn:aws:ec2:r:1:vpc/vpc-1", 'A'),
	C("ArnLike", "ec2:Vpc", "'arn:aws:ec2:*:*:vpc/vpc-?'", "ec2:vpc=arn:aws:ec2:r:1:vpc/vpc-1", 'A'),
	C("ArnLike", "ec2:Vpc", "'arn:aws:ec2:*:vpc/vpc-1'", "ec2:vpc=arn:aws:ec2:r:1:vpc/vpc-1", '-'),
	C("ArnNotEquals", "ec2:Vpc", "'arn:aws:ec2:r:1:vpc/vpc-1'", "ec2:vpc=arn:aws:ec2:r:1:vpc/vpc-1", '-'),
	C("ArnNotLike", "ec2:Vpc", "'arn:aws:ec2:r:1:vpc/vpc-2'", "ec2:vpc=arn:aws:ec2:r:1:vpc/vpc-1", 'A'),
	C("ArnNotLike", "ec2:Vpc", "'arn:aws:ec2:r:1:vpc/vpc-2'", "", 'A'),
	C("Null", "aws:RequestTag/t", "'true'", "", 'A'),
	C("Null", "aws:RequestTag/t", "'true'", "aws:requesttag/t=1", '-'),
	C("Null", "aws:RequestTag/t", "'false'", "aws:requesttag/t=1", 'A'),
	C("Null", "aws:RequestTag/t", "false", "", '-'),
	/* IfExists */
	C("StringEqualsIfExists", "ec2:InstanceType", "'t3.micro'", "", 'A'),
	C("StringEqualsIfExists", "novendor", "'x'", "", 'A'),
	/* a vendor that nobody is */
	{ALLOW "'Action':['x.y:RunInstances','ec2:RunInstances']," ANY, "ec2:RunInstances", I1, "", 'A'},
	C("StringEquals", "novendor", "'x'", "", '-'),
	C("StringEqualsIfExists", "ec2:InstanceType", "'t3.micro'", "ec2:instancetype=m5.large", '-'),
	C("StringLikeIfExists", "ec2:InstanceType", "'t3.*'", "ec2:instancetype=t3.micro", 'A'),
	C("NumericLessThanIfExists", "ec2:VolumeSize", "'10'", "", 'A'),
	C("BoolIfExists", "aws:MultiFactorAuthPresent", "'false'", "", 'A'),
	C("IpAddressIfExists", "aws:SourceIp", "'10.0.0.0/8'", "", 'A'),
	C("ArnLikeIfExists", "ec2:Vpc", "'arn:aws:ec2:*:*:vpc/x'", "", 'A'),
	C("DateLessThanIfExists", "aws:CurrentTime", "'2020-01-02'", "", 'A'),
	/* several values in the request */
	C("ForAllValues:StringEquals", "aws:TagKeys", "['a','b']", "aws:tagkeys=a,b", 'A'),
	C("ForAllValues:StringEquals", "aws:TagKeys", "['a','b']", "aws:tagkeys=a", 'A'),
	C("ForAllValues:StringEquals", "aws:TagKeys", "['a','b']", "aws:tagkeys=a,c", '-'),
	C("ForAllValues:StringEquals", "aws:TagKeys", "['a','b']", "", 'A'),
	C("ForAllValues:StringLike", "aws:TagKeys", "'a*'", "aws:tagkeys=ab,ac", 'A'),
	C("ForAllValues:StringLike", "aws:TagKeys", "'a*'", "aws:tagkeys=ab,bc", '-'),
	C("ForAllValues:StringNotEquals", "aws:TagKeys", "'x'", "aws:tagkeys=a,b", 'A'),
	C("ForAllValues:StringNotEquals", "aws:TagKeys", "'x'", "aws:tagkeys=a,x", '-'),
	C("ForAnyValue:StringEquals", "aws:TagKeys", "['a','b']", "aws:tagkeys=c,b", 'A'),
	C("ForAnyValue:StringEquals", "aws:TagKeys", "['a','b']", "aws:tagkeys=c,d", '-'),
	C("ForAnyValue:StringEquals", "aws:TagKeys", "['a','b']", "", '-'),
	C("ForAnyValue:StringNotEquals", "aws:TagKeys", "'x'", "aws:tagkeys=x,a", 'A'),
	C("ForAnyValue:StringNotEquals", "aws:TagKeys", "'x'", "aws:tagkeys=x", '-'),
	C("ForAnyValue:StringEqualsIgnoreCase", "aws:TagKeys", "'A'", "aws:tagkeys=a", 'A'),
	C("ForAnyValue:StringEqualsIfExists", "aws:TagKeys", "'a'", "", 'A'),
	C("StringEquals", "aws:TagKeys", "'a'", "aws:tagkeys=b,a", 'A'),
	C("StringNotEquals", "aws:TagKeys", "'a'", "aws:tagkeys=b,a", '-'),
	/* not known yet */
	C("StringEquals", "ec2:InstanceType", "'t3.micro'", "ec2:instancetype?=", 'A'),
	C("StringEquals", "aws:ResourceTag/o", "'${ec2:x}'", "aws:resourcetag/o=a;ec2:x?=", 'A'),
};
#undef C

/* All operators and keys of a statement must hold. */
static const struct policy_row together[] = {
	{ALLOW RUN ANY ",'Condition':{'StringEquals':{'a:b':'1','a:c':'2'}}", "ec2:RunInstances", I1,
	 "a:b=1;a:c=2", 'A'},
	{ALLOW RUN ANY ",'Condition':{'StringEquals':{'a:b':'1','a:c':'2'}}", "ec2:RunInstances", I1,
	 "a:b=1;a:c=3", '-'},
	{ALLOW RUN ANY ",'Condition':{'StringEquals':{'a:b':'1'},'Bool':{'a:d':'true'}}", "ec2:RunInstances",
	 I1, "a:b=1;a:d=true", 'A'},
	{ALLOW RUN ANY ",'Condition':{'StringEquals':{'a:b':'1'},'Bool':{'a:d':'true'}}", "ec2:RunInstances",
	 I1, "a:b=1;a:d=false", '-'},
	{ALLOW RUN ANY ",'Condition':{}", "ec2:RunInstances", I1, "", 'A'},
	{DENY RUN ANY ",'Condition':{'StringNotEquals':{'aws:RequestedRegion':['r1','r2']}}",
	 "ec2:RunInstances", I1, "aws:requestedregion=r3", 'D'},
	{DENY RUN ANY ",'Condition':{'StringNotEquals':{'aws:RequestedRegion':['r1','r2']}}",
	 "ec2:RunInstances", I1, "aws:requestedregion=r2", '-'},
	{DENY RUN ANY ",'Condition':{'StringEquals':{'ec2:ResourceTag/env':'prod'}}", "ec2:RunInstances", I1,
	 "ec2:resourcetag/env=prod", 'D'},
	{DENY RUN ANY ",'Condition':{'StringEquals':{'ec2:ResourceTag/env':'prod'}}", "ec2:RunInstances", I1,
	 "ec2:resourcetag/env?=", '-'},
	{DENY RUN ANY ",'Condition':{'Null':{'aws:RequestTag/owner':'true'}}", "ec2:RunInstances", I1, "",
	 'D'},
};

static void check_rows(struct ctx *c, const struct policy_row *rows, size_t count)
{
	static const char effects[] = {[POLICY_SILENT] = '-', [POLICY_ALLOWS] = 'A', [POLICY_DENIES] = 'D'};
	for (size_t k = 0; k < count; k++) {
		const struct policy_code *p = NULL;
		struct request request;
		size_t statement = 0;
		struct result r =
			policy_compile(c, to_json(c->arena, rows[k].policy), POLICY_OF_IDENTITY, &p);
		if (!result_is_ok(r))
			fail_msg("row %zu: %s: %.*s", k, rows[k].policy, STR_ARG(c->problem.message));
		struct policy_question q =
			ask_for(c, &request, rows[k].action, rows[k].resource, rows[k].keys);
		char got = effects[policy_ask(p, &q, &statement)];
		if (got != rows[k].wanted)
			fail_msg("row %zu: %s: %s %s with %s is %c, not %c", k, rows[k].policy,
				 rows[k].action, rows[k].resource, rows[k].keys, got, rows[k].wanted);
		arena_reset(c->arena);
	}
}

#define CHECK_ROWS(c, rows) check_rows(c, rows, sizeof(rows) / sizeof(rows)[0])

static void test_elements(void **state)
{
	CHECK_ROWS(*state, elements);
}

static void test_conditions(void **state)
{
	CHECK_ROWS(*state, conditions);
	CHECK_ROWS(*state, together);
}

/* ---- what is wrong with a document ---- */

struct bad {
	const char *policy, *message;
};

static const struct bad bad_documents[] = {
	{"", "Syntax errors in policy."},
	{"[]", "A policy is an object"},
	{"{'Version':'2012-10-17'}", "Syntax errors in policy. Missing required field Statement"},
	{"{'Version':'2012-10-17','Statement':[]}", "1 to 256 statements"},
	{"{'Version':'2012-10-17','Statement':['x']}", "A statement is an object"},
	{"{'Version':'2012-10-18','Statement':[{}]}", "must be version 2012-10-17"},
	{"{'Version':20121017,'Statement':[{}]}", "must be version 2012-10-17"},
	{"{'Wersion':'2012-10-17','Statement':[{}]}", "no element Wersion"},
	{"{'Statement':[{" ALLOW RUN ANY "}],'Statement':[]}", "duplicate"},
	{RUN ANY, "Syntax errors in policy. Missing required field Effect"},
	{"'Effect':'allow'," RUN ANY, "Invalid effect: allow"},
	{"'Effect':7," RUN ANY, "Invalid effect"},
	{ALLOW ANY, "Policy statement must contain actions."},
	{ALLOW "'Action':'ec2:RunInstances'", "Policy statement must contain resources."},
	{ALLOW RUN "'NotAction':'ec2:*'," ANY, "Action or NotAction, not both"},
	{ALLOW RUN ANY ",'NotResource':'*'", "Resource or NotResource, not both"},
	{ALLOW RUN ANY ",'Principal':'*'", "Policy document should not specify a principal."},
	{ALLOW RUN ANY ",'NotPrincipal':'*'", "should not specify a principal"},
	{ALLOW RUN ANY ",'Sid':'a b'", "must be alpha-numeric"},
	{ALLOW RUN ANY ",'Sid':1", "Sid is a string"},
	{ALLOW RUN ANY ",'Actions':'x'", "no element Actions"},
	{ALLOW "'Action':[]," ANY, "must contain actions"},
	{DENY "'NotAction':[]," ANY, "must contain actions"},
	{ALLOW RUN "'Resource':[]", "must contain resources"},
	{DENY RUN "'NotResource':[]", "must contain resources"},
	{"{'Version':'2012-10-17','Id':7,'Statement':[{" ALLOW RUN ANY "}]}", "Id is a string"},
	{WHEN("DateLessThan", "a:b", "'2020-13'"), "The policy failed legacy parsing"},
	{WHEN("DateLessThan", "a:b", "'2020/01'"), "The policy failed legacy parsing"},
	{WHEN("DateLessThan", "a:b", "'2020-01-02T03:04'"), "The policy failed legacy parsing"},
	{DOC("2012-10-17", "{'Sid':'a'," ALLOW RUN ANY "},{'Sid':'a'," DENY RUN ANY "}"), "must be unique"},
	{ALLOW "'Action':'RunInstances'," ANY, "prefaced by a vendor"},
	{ALLOW "'Action':':x'," ANY, "Vendor  is not valid"},
	{ALLOW "'Action':'e*2:x'," ANY, "Vendor e*2 is not valid"},
	{ALLOW "'Action':'ec2:a b'," ANY, "is not valid"},
	{ALLOW "'Action':'invalid'", "must be prefaced by a vendor"},
	{ALLOW "'Action':7," ANY, "takes strings"},
	{ALLOW "'Action':{}," ANY, "takes strings"},
	{ALLOW "'Action':['ec2:x',7]," ANY, "takes strings"},
	{ALLOW RUN "'Resource':'i-1'", "must be in ARN format"},
	{ALLOW RUN "'Resource':'arn:aws:ec2:instance'", "must be in ARN format"},
	{ALLOW RUN "'Resource':[7]", "takes strings"},
	{ALLOW RUN "'Resource':'arn:aws:ec2:*:*:instance/${aws:username'", "is not closed"},
	{WHEN("StringEqual", "a:b", "'x'"), "Invalid Condition type : StringEqual"},
	{WHEN("NullIfExists", "a:b", "'true'"), "Invalid Condition type"},
	{WHEN("ForAnyValue:Null", "a:b", "'true'"), "Invalid Condition type"},
	{WHEN("ForNoValue:StringEquals", "a:b", "'true'"), "Invalid Condition type"},
	{WHEN("StringEquals", "", "'x'"), "Condition key  is not valid."},
	{WHEN("NumericEquals", "a:b", "'x'"), "does not fit its condition operator"},
	{WHEN("NumericEquals", "a:b", "'inf'"), "does not fit its condition operator"},
	{WHEN("NumericEquals", "a:b", "''"), "does not fit its condition operator"},
	{WHEN("DateLessThan", "a:b", "'yesterday'"), "The policy failed legacy parsing"},
	{WHEN("Bool", "a:b", "'yes'"), "does not fit its condition operator"},
	{WHEN("Null", "a:b", "'maybe'"), "does not fit its condition operator"},
	{WHEN("IpAddress", "aws:SourceIp", "'10.0.0.0/33'"), "does not fit its condition operator"},
	{WHEN("IpAddress", "aws:SourceIp", "'10.0.0'"), "does not fit its condition operator"},
	{WHEN("BinaryEquals", "a:b", "'%%'"), "does not fit its condition operator"},
	{WHEN("StringEquals", "a:b", "{}"), "A condition's values are strings"},
	{WHEN("StringEquals", "a:b", "['x',[]]"), "A condition's values are strings"},
	{WHEN("StringEquals", "a:b", "null"), "A condition's values are strings"},
	{ALLOW RUN ANY ",'Condition':'x'", "Condition is an object"},
	{ALLOW RUN ANY ",'Condition':{'Bool':'x'}", "Condition Bool is an object"},
};

static void test_bad_documents(void **state)
{
	struct ctx *c = *state;
	for (size_t k = 0; k < sizeof bad_documents / sizeof bad_documents[0]; k++) {
		const struct policy_code *p = NULL;
		const struct bad *bad = &bad_documents[k];
		bool is_whole = !*bad->policy || strchr("{[", *bad->policy);
		struct str json = to_json(c->arena, bad->policy);
		if (is_whole) { /* as it is */
			json = str_copy(c->arena, str_from(bad->policy));
			for (size_t n = 0; n < json.n; n++)
				if (json.p[n] == '\'')
					((char *) json.p)[n] = '"';
		}
		ctx_clear_problem(c);
		struct result r = policy_compile(c, json, POLICY_OF_IDENTITY, &p);
		if (r.code != ERR_INVALID || !str_contains(c->problem.message, str_from(bad->message)))
			fail_msg("row %zu: %s: %.*s", k, bad->policy, STR_ARG(c->problem.message));
		arena_reset(c->arena);
	}
}

static void test_limits(void **state)
{
	struct ctx *c = *state;
	const struct policy_code *p = NULL;
	struct buf b;
	buf_init(&b, 1024 * 1024);
	buf_print(&b, "{\"Statement\":[");
	for (int k = 0; k < POLICY_STATEMENTS_MAX + 1; k++)
		buf_print(&b, "%s{\"Effect\":\"Deny\",\"Action\":\"a:b\",\"Resource\":\"*\"}", k ? "," : "");
	buf_print(&b, "]}");
	assert_int_equal(policy_compile(c, buf_str(&b), POLICY_OF_IDENTITY, &p).code, ERR_INVALID);
	buf_done(&b);
	buf_init(&b, 1024 * 1024);
	for (int k = 0; k < POLICY_DOCUMENT_MAX + 1; k++)
		buf_add_char(&b, ' ');
	ctx_clear_problem(c);
	assert_int_equal(policy_compile(c, buf_str(&b), POLICY_OF_IDENTITY, &p).code, ERR_INVALID);
	assert_int_equal(policy_count_characters(buf_str(&b)), 0);
	buf_done(&b);
	buf_init(&b, 1024 * 1024);
	for (int k = 0; k < 60000; k++) /* deeper than anything is read */
		buf_add_char(&b, '[');
	ctx_clear_problem(c);
	assert_int_equal(policy_compile(c, buf_str(&b), POLICY_OF_IDENTITY, &p).code, ERR_INVALID);
	buf_done(&b);
}

/* ---- trust policies ---- */

static bool trusts(struct ctx *c, const char *principal, const char *who)
{
	const struct policy_code *p = NULL;
	struct request request;
	size_t statement = 0;
	struct str names[4], rest = str_from(who);
	size_t count = 0;
	while (count < 4 && str_split_next(&rest, ' ', &names[count]))
		count++;
	struct str text = str_print(c->arena, "'Effect':'Allow','Action':'sts:AssumeRole',%s", principal);
	assert_ok(policy_compile(c, to_json(c->arena, str_to_z(c->arena, text)), POLICY_OF_TRUST, &p));
	struct policy_question q = ask_for(c, &request, "sts:AssumeRole", "", "");
	q.principals = (struct strs){names, count};
	return policy_ask(p, &q, &statement) == POLICY_ALLOWS;
}

static void test_trust(void **state)
{
	struct ctx *c = *state;
	const struct policy_code *p = NULL;
	const char *ann = "AWS:arn:aws:iam::111122223333:user/ann AWS:111122223333";
	assert_true(trusts(c, "'Principal':'*'", ann));
	assert_true(trusts(c, "'Principal':{'AWS':'*'}", ann));
	assert_true(trusts(c, "'Principal':{'AWS':'111122223333'}", ann));
	assert_true(trusts(c, "'Principal':{'AWS':'arn:aws:iam::111122223333:root'}", ann));
	assert_true(
		trusts(c, "'Principal':{'AWS':['444455556666','arn:aws:iam::111122223333:user/ann']}", ann));
	assert_false(trusts(c, "'Principal':{'AWS':'arn:aws:iam::111122223333:user/bob'}", ann));
	assert_false(trusts(c, "'Principal':{'Service':'ec2.amazonaws.com'}", ann));
	assert_true(trusts(c, "'Principal':{'Service':'ec2.amazonaws.com'}", "Service:ec2.amazonaws.com"));
	assert_false(trusts(c, "'Principal':{'AWS':'*'}", "Service:ec2.amazonaws.com")); /* no account's */
	assert_false(trusts(c, "'Principal':'*'", "Federated:arn:aws:iam::111122223333:oidc-provider/i"));
	assert_false(trusts(c, "'NotPrincipal':{'AWS':'111122223333'}", ann));
	assert_true(trusts(c, "'NotPrincipal':{'AWS':'444455556666'}", ann));
	static const char *const bad[] = {
		"'Principal':{}",    "'Principal':{'AWS':'ann'}",      "'Principal':{'Gcp':'x'}",
		"'Principal':'ann'", "'Principal':'*','Resource':'*'", "'Resource':'*'"};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		struct str text =
			str_print(c->arena, "'Effect':'Allow','Action':'sts:AssumeRole',%s", bad[k]);
		ctx_clear_problem(c);
		assert_int_equal(
			policy_compile(c, to_json(c->arena, str_to_z(c->arena, text)), POLICY_OF_TRUST, &p)
				.code,
			ERR_INVALID);
	}
}

/* ---- decisions ---- */

static const struct policy_code *compile(struct ctx *c, const char *text)
{
	const struct policy_code *p = NULL;
	assert_ok(policy_compile(c, to_json(c->arena, text), POLICY_OF_IDENTITY, &p));
	return p;
}

static void expect(struct ctx *c, const struct policy_set *set, enum policy_effect effect,
		   enum policy_decider by)
{
	struct request request;
	struct policy_decision d;
	struct policy_question q = ask_for(c, &request, "ec2:RunInstances", I1, "");
	policy_decide(set, &q, &d);
	assert_int_equal(d.effect, effect);
	assert_int_equal(d.by, by);
}

static void test_decisions(void **state)
{
	struct ctx *c = *state;
	const struct policy_code *allow = compile(c, "'Sid':'Yes'," ALLOW RUN ANY),
				 *deny = compile(c, DENY RUN ANY),
				 *other = compile(c, ALLOW "'Action':'ec2:StopInstances'," ANY);
	const struct policy_code *one[] = {allow}, *both[] = {allow, deny}, *none[] = {other},
				 *either[] = {other, allow};
	struct policy_set set = {0};
	expect(c, &set, POLICY_SILENT, POLICY_BY_NOBODY);
	set.has_role = true;
	expect(c, &set, POLICY_ALLOWS, POLICY_BY_ROLE);
	set = (struct policy_set){.identity = one, .identity_count = 1};
	expect(c, &set, POLICY_ALLOWS, POLICY_BY_IDENTITY);
	set.boundary = other;
	expect(c, &set, POLICY_SILENT, POLICY_BY_BOUNDARY);
	set.boundary = allow;
	expect(c, &set, POLICY_ALLOWS, POLICY_BY_IDENTITY);
	set.boundary = deny;
	expect(c, &set, POLICY_DENIES, POLICY_BY_BOUNDARY);
	set = (struct policy_set){.has_role = true, .boundary = other};
	expect(c, &set, POLICY_SILENT, POLICY_BY_BOUNDARY);
	set = (struct policy_set){.identity = one, .identity_count = 1, .has_session = true};
	expect(c, &set, POLICY_SILENT, POLICY_BY_SESSION); /* the session's policies were deleted */
	set.session = none;
	set.session_count = 1;
	expect(c, &set, POLICY_SILENT, POLICY_BY_SESSION);
	set.session = one;
	expect(c, &set, POLICY_ALLOWS, POLICY_BY_IDENTITY);
	set.session = either;
	set.session_count = 2;
	expect(c, &set, POLICY_ALLOWS, POLICY_BY_IDENTITY);
	set.session = both;
	set.session_count = 2;
	expect(c, &set, POLICY_DENIES, POLICY_BY_SESSION);
	set = (struct policy_set){.identity = none, .identity_count = 1, .boundary = allow};
	expect(c, &set, POLICY_SILENT, POLICY_BY_NOBODY); /* a boundary gives nothing */
	set = (struct policy_set){.identity = both, .identity_count = 2, .has_role = true};
	expect(c, &set, POLICY_DENIES, POLICY_BY_IDENTITY);
	assert_true(str_is(policy_statement_id(allow, 0), "Yes"));
	assert_true(str_is_empty(policy_statement_id(deny, 0)) && str_is_empty(policy_statement_id(deny, 9)));
}

/* A copied policy gives the same result. */
static void test_copies(void **state)
{
	struct ctx *c = *state;
	const struct policy_code *p =
		compile(c, WHEN("StringLike", "ec2:InstanceType", "['m5.*','${aws:username}*']"));
	struct policy_code *copy = arena_alloc(c->arena, policy_size(p));
	struct request request;
	size_t statement = 0;
	memcpy(copy, p, policy_size(p));
	memset((void *) p, 0xee, policy_size(copy));
	struct policy_question q =
		ask_for(c, &request, "ec2:RunInstances", I1, "ec2:instancetype=annex;aws:username=ann");
	assert_int_equal(policy_ask(copy, &q, &statement), POLICY_ALLOWS);
}

static void test_permissions(void **state)
{
	struct str word, other;
	(void) state;
	for (int p = 0; p < PERMISSION_COUNT; p++) {
		assert_int_equal(permission_find(str_from(model_permissions[p].name)), p);
		for (size_t n = 0; permission_word(p, n, &word); n++) {
			assert_int_equal(permission_find_action(word), p); /* no two have one name */
			for (size_t k = 0; k < n && permission_word(p, k, &other); k++)
				assert_false(str_equal(word, other));
		}
	}
	assert_int_equal(permission_find(STR("instance.fly")), PERMISSION_NONE);
	assert_int_equal(permission_find_action(STR("ec2:FlyInstances")), PERMISSION_NONE);
}

/* Each compiles, is found by its id and its ARN, and no two are one. */
static void test_aws_policies(void **state)
{
	struct ctx *c = *state;
	const struct policy_code *code = NULL;
	const struct policy *p = NULL, *other = NULL;
	size_t count = 0;
	for (; (p = aws_policy_at(count)); count++) {
		const struct policy_version *v = aws_policy_version(p);
		struct str path =
			str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(p->path), STR_ARG(p->name));
		assert_true(result_is_ok(policy_compile(c, v->document, POLICY_OF_IDENTITY, &code)));
		assert_ptr_equal(aws_policy_find(p->row.id), p);
		assert_ptr_equal(aws_policy_find_path(path), p);
		assert_true(uuid_equal(v->policy, p->row.id) && v->number == p->default_version);
		for (size_t k = 0; k < count && (other = aws_policy_at(k)); k++)
			assert_false(uuid_equal(aws_policy_version(other)->row.id, v->row.id));
	}
	assert_true(count >= 17);
	assert_null(aws_policy_find_path(STR("/ViewOnlyAccess")));
	assert_null(aws_policy_find_path(STR("")));
	assert_null(aws_policy_find(UUID_NONE));
}

#define VOLUME "arn:aws:ec2:us-east-1:111122223333:volume/vol-0123456789abcdef0"

static void test_what_aws_policies_allow(void **state)
{
	static const struct {
		const char *policy, *action, *resource, *keys;
		enum policy_effect effect;
	} rows[] = {
		{"/AdministratorAccess", "iam:CreateUser", "*", "", POLICY_ALLOWS},
		{"/PowerUserAccess", "ec2:RunInstances", I1, "", POLICY_ALLOWS},
		{"/PowerUserAccess", "iam:CreateUser", "*", "", POLICY_SILENT},
		{"/PowerUserAccess", "iam:ListRoles", "*", "", POLICY_ALLOWS},
		{"/ReadOnlyAccess", "ec2:DescribeVpcs", "*", "", POLICY_ALLOWS},
		{"/ReadOnlyAccess", "iam:GetUser", "*", "", POLICY_ALLOWS},
		{"/ReadOnlyAccess", "ec2:RunInstances", I1, "", POLICY_SILENT},
		{"/job-function/ViewOnlyAccess", "ec2:DescribeInstances", "*", "", POLICY_ALLOWS},
		{"/job-function/ViewOnlyAccess", "ec2:GetConsoleOutput", I1, "", POLICY_SILENT},
		{"/AmazonEC2FullAccess", "ec2:TerminateInstances", I1, "", POLICY_ALLOWS},
		{"/AmazonEC2FullAccess", "iam:PassRole", "*", "", POLICY_SILENT},
		{"/AmazonEC2ReadOnlyAccess", "ec2:DescribeInstances", "*", "", POLICY_ALLOWS},
		{"/AmazonEC2ReadOnlyAccess", "ec2:StopInstances", I1, "", POLICY_SILENT},
		{"/AmazonVPCFullAccess", "ec2:CreateSubnet", "*", "", POLICY_ALLOWS},
		{"/AmazonVPCFullAccess", "ec2:RunInstances", I1, "", POLICY_SILENT},
		{"/AmazonVPCReadOnlyAccess", "ec2:DescribeSubnets", "*", "", POLICY_ALLOWS},
		{"/AmazonVPCReadOnlyAccess", "ec2:CreateSubnet", "*", "", POLICY_SILENT},
		{"/IAMFullAccess", "iam:AttachUserPolicy", "*", "", POLICY_ALLOWS},
		{"/IAMFullAccess", "ec2:DescribeVpcs", "*", "", POLICY_SILENT},
		{"/IAMReadOnlyAccess", "iam:ListUsers", "*", "", POLICY_ALLOWS},
		{"/IAMReadOnlyAccess", "iam:CreateUser", "*", "", POLICY_SILENT},
		{"/IAMUserChangePassword", "iam:ChangePassword", "arn:aws:iam::111122223333:user/ann",
		 "aws:username=ann", POLICY_ALLOWS},
		{"/IAMUserChangePassword", "iam:ChangePassword", "arn:aws:iam::111122223333:user/bea",
		 "aws:username=ann", POLICY_SILENT},
		{"/SecurityAudit", "iam:GetAccountAuthorizationDetails", "*", "", POLICY_ALLOWS},
		{"/job-function/SupportUser", "ec2:GetConsoleOutput", I1, "", POLICY_ALLOWS},
		{"/AWSDenyAll", "ec2:DescribeVpcs", "*", "", POLICY_DENIES},
		{"/service-role/AmazonEBSCSIDriverPolicy", "ec2:DeleteVolume", VOLUME, "", POLICY_SILENT},
		{"/service-role/AmazonEBSCSIDriverPolicy", "ec2:DeleteVolume", VOLUME,
		 "ec2:resourcetag/CSIVolumeName=pvc-1", POLICY_ALLOWS},
		{"/AmazonEKS_CNI_Policy", "ec2:AssignPrivateIpAddresses", "*", "", POLICY_ALLOWS},
	};
	struct ctx *c = *state;
	struct request request;
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		const struct policy_code *code = NULL;
		const struct policy *p = aws_policy_find_path(str_from(rows[k].policy));
		size_t statement = 0;
		assert_non_null(p);
		assert_true(result_is_ok(
			policy_compile(c, aws_policy_version(p)->document, POLICY_OF_IDENTITY, &code)));
		struct policy_question q =
			ask_for(c, &request, rows[k].action, rows[k].resource, rows[k].keys);
		if (policy_ask(code, &q, &statement) != rows[k].effect)
			fail_msg("%s says otherwise of %s", rows[k].policy, rows[k].action);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_elements),      ctx_test(test_conditions),
		ctx_test(test_bad_documents), ctx_test(test_limits),
		ctx_test(test_trust),         ctx_test(test_decisions),
		ctx_test(test_copies),        ctx_test(test_permissions),
		ctx_test(test_aws_policies),  ctx_test(test_what_aws_policies_allow),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
