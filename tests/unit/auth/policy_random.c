/* SPDX-License-Identifier: Apache-2.0
 * Random policies and questions. */
#include "policy_random.h"

#include <stdlib.h>

#include "base/buf.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define PICK(s, list) (list)[source_pick((s), COUNT(list))]

size_t source_pick(struct source *s, size_t limit)
{
	if (s->bytes) {
		if (!s->left)
			return 0;
		s->left--;
		return *s->bytes++ % limit;
	}
	s->seed ^= s->seed << 13; /* xorshift64 */
	s->seed ^= s->seed >> 7;
	s->seed ^= s->seed << 17;
	return (size_t) (s->seed >> 11) % limit;
}

static bool one_in(struct source *s, size_t n)
{
	return source_pick(s, n) == n - 1;
}

/* ---- words ---- */

static const char *const actions[] = {
	"ec2:RunInstances",
	"ec2:StopInstances",
	"ec2:TerminateInstances",
	"ec2:DescribeInstances",
	"ec2:PauseInstances",
	"iam:CreateUser",
	"sts:AssumeRole",
	"s3:GetObject",
	"s3:GetBucket",
	"os_compute_api:servers:create",
	"os_compute_api:servers:os-stop",
	"os_compute_api:servers:delete",
	"os_compute_api:servers:detail",
	"identity:create_user",
};
static const char *const arns[] = {
	"*",
	"arn:aws:ec2:us-east-1:111122223333:instance/i-1",
	"arn:aws:ec2:us-east-1:111122223333:instance/i-12",
	"arn:aws:ec2:us-east-1:111122223333:instance/ann",
	"arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",
	"arn:aws:ec2:us-east-1::image/ami-1",
	"arn:aws:iam::111122223333:user/ann",
	"arn:aws:iam::444455556666:user/a:b/ann",
};
static const char *const principals[] = {"AWS:111122223333",
					 "AWS:arn:aws:iam::111122223333:user/ann",
					 "AWS:arn:aws:iam::444455556666:user/bob",
					 "AWS:444455556666",
					 "Service:ec2.amazonaws.com",
					 "Federated:accounts.google.com"};
static const char *const patterns[] = {
	"arn:aws:ec2:*:*:instance/*",
	"arn:aws:ec2:us-*:*:instance/i-?",
	"arn:aws:ec2:*:111122223333:*",
	"arn:aws:ec2:us-east-1:*:instance/${aws:username}",
	"arn:aws:iam::*:user/${aws:username}",
	"arn:aws:ec2:*:*:*/${aws:username, 'i-1'}*",
	"arn:aws:iam::444455556666:user/*/${aws:PrincipalTag/Team}",
	"arn:aws:ec2:*:*:instance/i-1${*}",
	"arn:aws:ec2:*:*:instance/i-1${?}*",
	"arn:*:*:*:*:*",
	"arn:aws:iam:*:user/*:b/ann",
	"arn:aws:iam:*:user/a:${aws:PrincipalTag/Team, 'b'}/*",
	"arn:aws:*:*::image/*",
	"arn:aws:ec2:us-east-1:1111*3333:instance/*i*",
};

enum value_kind { TEXTS, NUMBERS, DATES, FLAGS, BINARIES, ADDRESSES, ARNS };

static const char *const texts[] = {"ann", "bob", "Ann", "a*", "i-1", "red", "t3.micro", "t3.nano", "a?n"},
			 *const wanted_texts[] = {"ann",
						  "bob",
						  "ANN",
						  "a*",
						  "?nn",
						  "*",
						  "t3.*",
						  "t?.n*o",
						  "red",
						  "",
						  "${aws:username}",
						  "${aws:username}*",
						  "*${aws:PrincipalTag/Team}",
						  "${aws:PrincipalTag/Team, 'red'}",
						  "${aws:TagKeys}",
						  "a${*}",
						  "a${?}n",
						  "${$}",
						  "$",
						  "$a",
						  "x${AWS:UserName,'ann'}",
						  "${aws:PrincipalTag/team, ''}",
						  "${$}{aws:username}*${x:none, ''}"},
			 *const numbers[] = {"1", "2", "10", "2.5", "-1", "many", "007"},
			 *const wanted_numbers[] = {"1", "2", "10", "2.50", "-1", "+2", "0", "10.0"},
			 *const dates[] = {"2024-01-01T00:00:00Z", "1704067200", "2024-02-29T12:30:00Z",
					   "2023-12-31T23:00:00-01:00", "soon"},
			 *const wanted_dates[] = {"2024-01-01T00:00:00Z",
						  "1704067200",
						  "2024-01",
						  "2024-01-02",
						  "2024-02-29T12:30Z",
						  "2024-01-01T01:00:00+01:00",
						  "1709209800"},
			 *const flags[] = {"true", "false"}, *const wanted_flags[] = {"true", "false"},
			 *const binaries[] = {"QmluYXJ5", "YQ==", "YWI=", "YWJj"},
			 *const wanted_binaries[] = {"QmluYXJ5", "YQ==", "YWI=", "YWJj"},
			 *const addresses[] = {"10.0.0.1", "10.0.1.1",  "10.1.0.1", "192.168.0.9",
					       "fd00::1",  "fd00:1::1", "here"},
			 *const wanted_addresses[] = {"10.0.0.0/16",   "10.0.0.1",       "10.0.0.1/32",
						      "0.0.0.0/0",     "::/0",           "fd00::/32",
						      "10.0.1.255/23", "192.168.0.0/29", "fd00::1"};

#define WORDS(list) list, COUNT(list)
static const struct {
	const char *const *given;
	size_t given_count;
	const char *const *wanted;
	size_t wanted_count;
} values[] = {
	[TEXTS] = {WORDS(texts), WORDS(wanted_texts)},
	[NUMBERS] = {WORDS(numbers), WORDS(wanted_numbers)},
	[DATES] = {WORDS(dates), WORDS(wanted_dates)},
	[FLAGS] = {WORDS(flags), WORDS(wanted_flags)},
	[BINARIES] = {WORDS(binaries), WORDS(wanted_binaries)},
	[ADDRESSES] = {WORDS(addresses), WORDS(wanted_addresses)},
	[ARNS] = {WORDS(arns), WORDS(patterns)},
};

static const struct {
	const char *name, *folded;
	enum value_kind kind;
	bool has_many;
} keys[RANDOM_KEYS] = {
	{"aws:username", "aws:username", TEXTS},
	{"aws:PrincipalTag/Team", "aws:principaltag/Team", TEXTS},
	{"AWS:principaltag/team", "aws:principaltag/team", TEXTS},
	{"aws:TagKeys", "aws:tagkeys", TEXTS, true},
	{"ec2:InstanceType", "ec2:instancetype", TEXTS},
	{"ec2:VolumeSize", "ec2:volumesize", NUMBERS},
	{"aws:CurrentTime", "aws:currenttime", DATES},
	{"aws:SecureTransport", "aws:securetransport", FLAGS},
	{"x:Bytes", "x:bytes", BINARIES},
	{"aws:SourceIp", "aws:sourceip", ADDRESSES},
	{"aws:PrincipalArn", "aws:principalarn", ARNS},
};

static const struct {
	const char *name;
	enum value_kind kind;
} operators[] = {
	{"StringEquals", TEXTS},
	{"StringNotEquals", TEXTS},
	{"StringEqualsIgnoreCase", TEXTS},
	{"StringNotEqualsIgnoreCase", TEXTS},
	{"StringLike", TEXTS},
	{"StringNotLike", TEXTS},
	{"NumericEquals", NUMBERS},
	{"NumericNotEquals", NUMBERS},
	{"NumericLessThan", NUMBERS},
	{"NumericLessThanEquals", NUMBERS},
	{"NumericGreaterThan", NUMBERS},
	{"NumericGreaterThanEquals", NUMBERS},
	{"DateEquals", DATES},
	{"DateNotEquals", DATES},
	{"DateLessThan", DATES},
	{"DateLessThanEquals", DATES},
	{"DateGreaterThan", DATES},
	{"DateGreaterThanEquals", DATES},
	{"Bool", FLAGS},
	{"BinaryEquals", BINARIES},
	{"IpAddress", ADDRESSES},
	{"NotIpAddress", ADDRESSES},
	{"ArnEquals", ARNS},
	{"ArnLike", ARNS},
	{"ArnNotEquals", ARNS},
	{"ArnNotLike", ARNS},
};

/* ---- documents ---- */

/* A word with a part of it replaced by a wildcard, or other letters. */
static json_t *blur(struct source *s, const char *word, size_t fixed, bool has_cases)
{
	char text[256];
	size_t n = strlen(word);
	memcpy(text, word, n + 1);
	if (n <= fixed)
		return json_string(text);
	size_t from = fixed + source_pick(s, n - fixed), to = from + source_pick(s, n - from + 1);
	switch (source_pick(s, 5)) {
	case 0:
		text[from] = '?';
		break;
	case 1:
		text[from] = '*';
		memmove(text + from + 1, text + to, n - to + 1); /* of nothing: one more character */
		break;
	case 2:
		text[from] = '*';
		text[from + 1] = 0;
		break;
	case 3:
		for (size_t k = from; has_cases && k < to; k++)
			text[k] ^= str_is_alphanumeric(text[k]) && text[k] > '9' ? 0x20 : 0;
		break;
	default:
		break;
	}
	return json_string(text);
}

static json_t *random_action(struct source *s)
{
	const char *word = PICK(s, actions);
	if (one_in(s, 4))
		return json_string("*");
	if (one_in(s, 24)) {
		struct str other;
		(void) permission_word((int) source_pick(s, PERMISSION_COUNT), 0, &other);
		return json_string(other.p);
	}
	return blur(s, word, (size_t) (strchr(word, ':') - word) + 1, true);
}

static json_t *random_resource(struct source *s)
{
	if (one_in(s, 3))
		return json_string("*");
	if (source_pick(s, 3))
		return json_string(PICK(s, patterns));
	const char *arn = arns[1 + source_pick(s, COUNT(arns) - 1)], *last = strrchr(arn, ':');
	return blur(s, arn, (size_t) (last - arn) + 1, false);
}

typedef json_t *make_value(struct source *s);

static json_t *random_list(struct source *s, make_value *make)
{
	size_t count = source_pick(s, 3);
	if (!count)
		return make(s);
	json_t *list = json_array();
	while (count--)
		json_array_append_new(list, make(s));
	return list;
}

static json_t *random_aws(struct source *s)
{
	static const char *const ids[] = {"*", "111122223333", "444455556666",
					  "arn:aws:iam::111122223333:root",
					  "arn:aws:iam::111122223333:user/ann"};
	return json_string(PICK(s, ids));
}

static json_t *random_service(struct source *s)
{
	return json_string(source_pick(s, 2) ? "ec2.amazonaws.com" : "s3.amazonaws.com");
}

static json_t *random_principal(struct source *s)
{
	json_t *map;
	if (one_in(s, 6))
		return json_string("*");
	map = json_object();
	size_t which = source_pick(s, 4);
	if (which != 0)
		json_object_set_new(map, "AWS", random_list(s, random_aws));
	if (which < 2)
		json_object_set_new(map, "Service", random_list(s, random_service));
	if (which == 3)
		json_object_set_new(map, "Federated", json_string("accounts.google.com"));
	return map;
}

static json_t *random_wanted(struct source *s, enum value_kind kind)
{
	const char *text = values[kind].wanted[source_pick(s, values[kind].wanted_count)];
	if (kind == FLAGS && source_pick(s, 2))
		return json_boolean(text[0] == 't');
	if (kind == NUMBERS && one_in(s, 4))
		return json_integer((json_int_t) source_pick(s, 4));
	if (kind == TEXTS && one_in(s, 12))
		return json_integer(7);
	return json_string(text);
}

static size_t random_key_of(struct source *s, enum value_kind kind)
{
	size_t key = source_pick(s, RANDOM_KEYS);
	for (size_t k = 0; k < RANDOM_KEYS && keys[key].kind != kind && !one_in(s, 16); k++)
		key = (key + 1) % RANDOM_KEYS;
	return key;
}

/* Keys with several values mostly get a set operator, others rarely. */
static const char *random_word(struct source *s, size_t key)
{
	static const char *const words[] = {"ForAllValues:", "ForAnyValue:"};
	return keys[key].has_many ? one_in(s, 8) ? "" : PICK(s, words) : one_in(s, 6) ? PICK(s, words) : "";
}

static void add_condition(struct source *s, json_t *condition)
{
	size_t which = source_pick(s, COUNT(operators) + 2);
	char name[64];
	enum value_kind kind = FLAGS;
	size_t key = source_pick(s, RANDOM_KEYS);
	json_t *list = json_array(), *map;
	if (which >= COUNT(operators)) {
		(void) snprintf(name, sizeof name, "Null");
	} else {
		kind = operators[which].kind;
		key = random_key_of(s, kind);
		(void) snprintf(name, sizeof name, "%s%s%s", random_word(s, key), operators[which].name,
				one_in(s, 4) ? "IfExists" : "");
	}
	for (size_t count = 1 + source_pick(s, 3); count; count--)
		json_array_append_new(list, random_wanted(s, kind));
	if (!(map = json_object_get(condition, name))) {
		map = json_object();
		json_object_set_new(condition, name, map);
	}
	json_object_set_new(map, keys[key].name, list);
}

static json_t *random_statement(struct source *s, enum policy_form form, size_t number)
{
	json_t *o = json_object();
	char sid[32];
	(void) snprintf(sid, sizeof sid, "S%zu", number);
	if (source_pick(s, 2))
		json_object_set_new(o, "Sid", json_string(sid));
	json_object_set_new(o, "Effect", json_string(one_in(s, 3) ? "Deny" : "Allow"));
	json_object_set_new(o, one_in(s, 5) ? "NotAction" : "Action", random_list(s, random_action));
	if (form == POLICY_OF_TRUST)
		json_object_set_new(o, one_in(s, 5) ? "NotPrincipal" : "Principal", random_principal(s));
	else
		json_object_set_new(o, one_in(s, 5) ? "NotResource" : "Resource",
				    random_list(s, random_resource));
	size_t count = source_pick(s, 4);
	if (count) {
		json_t *condition = json_object();
		while (--count)
			add_condition(s, condition);
		json_object_set_new(o, "Condition", condition);
	}
	return o;
}

json_t *random_policy(struct source *s, enum policy_form form)
{
	json_t *o = json_object(), *list = json_array();
	size_t version = source_pick(s, 8), count = 1 + source_pick(s, 3);
	if (version)
		json_object_set_new(o, "Version", json_string(version == 1 ? "2008-10-17" : "2012-10-17"));
	for (size_t k = 0; k < count; k++)
		json_array_append_new(list, random_statement(s, form, k));
	json_object_set(o, "Statement", count == 1 && source_pick(s, 2) ? json_array_get(list, 0) : list);
	json_decref(list);
	return o;
}

/* ---- mutated ones ---- */

static void mutate_object(struct source *s, json_t *o)
{
	static const char *const names[] = {"Version",   "Id",        "Statement",    "Sid",
					    "Effect",    "Action",    "Resource",     "NotResource",
					    "Principal", "Condition", "NotPrincipal", "Actions",
					    "Bool",      "a:b",       "NotAction"};
	static const char *const words[] = {"",    "Allow", "2012-10-17", "ec2:*", "arn:aws:ec2",
					    "a b", "*",     "i-1"};
	size_t skip = source_pick(s, json_object_size(o) + 1);
	void *at = json_object_iter(o);
	while (at && skip--)
		at = json_object_iter_next(o, at);
	switch (source_pick(s, 5)) {
	case 0:
		if (at)
			json_object_del(o, json_object_iter_key(at));
		break;
	case 1:
		json_object_set_new(o, at ? json_object_iter_key(at) : PICK(s, names), json_integer(7));
		break;
	case 2:
		json_object_set_new(o, at ? json_object_iter_key(at) : PICK(s, names), json_array());
		break;
	case 3:
		json_object_set_new(o, at ? json_object_iter_key(at) : PICK(s, names), json_null());
		break;
	default:
		json_object_set_new(o, PICK(s, names), json_string(PICK(s, words)));
	}
}

void random_mutate(struct source *s, json_t *document)
{
	json_t *at = document;
	for (size_t depth = source_pick(s, 5); depth; depth--) { /* somewhere below */
		json_t *next = NULL;
		size_t skip = source_pick(s, 6);
		if (json_is_object(at)) {
			void *member = json_object_iter(at);
			while (member && skip-- && json_object_iter_next(at, member))
				member = json_object_iter_next(at, member);
			next = member ? json_object_iter_value(member) : NULL;
		} else if (json_array_size(at)) {
			next = json_array_get(at, skip % json_array_size(at));
		}
		if (!json_is_object(next) && !json_is_array(next))
			break;
		at = next;
	}
	if (json_is_object(at))
		mutate_object(s, at);
	else
		json_array_append_new(at, source_pick(s, 2) ? json_integer(7) : json_string("x"));
}

/* ---- questions ---- */

static enum policy_known find_key(const struct policy_question *q, struct str key, struct strs *ret_values)
{
	const struct random_request *r = q->request;
	for (size_t k = 0; k < RANDOM_KEYS; k++)
		if (str_is(key, keys[k].folded)) {
			if (r->keys[k].known == POLICY_PRESENT)
				*ret_values = (struct strs){r->keys[k].values, r->keys[k].count};
			return r->keys[k].known;
		}
	return POLICY_ABSENT;
}

const char *random_key_name(size_t key)
{
	return keys[key].name;
}

/* Some keys have several values, or none. */
static void random_values(struct source *s, enum value_kind kind, bool has_many, struct random_key *k)
{
	k->known = one_in(s, 4) ? POLICY_ABSENT : one_in(s, 10) ? POLICY_NOT_YET : POLICY_PRESENT;
	k->count = has_many || one_in(s, 40) ? source_pick(s, 4) : 1;
	for (size_t n = 0; n < k->count; n++)
		k->values[n] = str_from(values[kind].given[source_pick(s, values[kind].given_count)]);
}

void random_question(struct source *s, enum policy_form form, struct arena *arena, struct random_request *r)
{
	struct str action =
		str_from(form == POLICY_OF_TRUST && source_pick(s, 2) ? "sts:AssumeRole" : PICK(s, actions));
	size_t who = source_pick(s, COUNT(principals));
	*r = (struct random_request){0};
	for (size_t k = 0; k < RANDOM_KEYS; k++)
		random_values(s, keys[k].kind, keys[k].has_many, &r->keys[k]);
	r->principals[0] = str_from(principals[who]);
	r->principals[1] = str_from("AWS:111122223333");
	r->q = (struct policy_question){.action = action,
					.permission = permission_find_action(action),
					.resource = one_in(s, 8) ? STR_NONE : str_from(PICK(s, arns)),
					.find = find_key,
					.request = r,
					.arena = arena};
	r->q.is_by_name = r->q.resource.n && one_in(s, 6);
	if (form == POLICY_OF_TRUST) {
		r->q.resource = STR_NONE;
		r->q.is_by_name = false;
		r->q.principals = (struct strs){r->principals, who < 2 ? 2 : 1};
	}
}
