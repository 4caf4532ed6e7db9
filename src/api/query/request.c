/* SPDX-License-Identifier: Apache-2.0
 * From a query string or a form to sorted pairs of name and value. */
#include <stdlib.h>

#include "api/core/audit.h"
#include "api/query/params.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/vec.h"

enum { NAME_MAX_SIZE = 256, SHOWN_SIZE = 80 };

typedef int compare_fn(const void *, const void *);

static bool is_number(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if (s.p[k] < '0' || s.p[k] > '9')
			return false;
	return s.n > 0 && s.n < 10;
}

/* Segment by segment between dots, numbers by their value: what shares a prefix stands together. */
static int compare_names(struct str a, struct str b)
{
	struct str rest_a = a, rest_b = b, x, y;
	for (;;) {
		bool more_a = str_split_next(&rest_a, '.', &x), more_b = str_split_next(&rest_b, '.', &y);
		if (!more_a || !more_b)
			return more_a ? 1 : more_b ? -1 : str_compare(a, b);
		int order = 0;
		if (is_number(x) && is_number(y)) {
			int64_t n = 0, m = 0;
			IGNORE(str_parse_int(x, &n)); /* cannot fail: see is_number() */
			IGNORE(str_parse_int(y, &m));
			order = (n > m) - (n < m);
		}
		order = order ? order : str_compare(x, y);
		if (order)
			return order;
	}
}

static int compare_pairs(const void *a, const void *b)
{
	return compare_names(((const struct pair *) a)->name, ((const struct pair *) b)->name);
}

/* Of the signature, not of the action. */
static bool is_of_signature(struct str name)
{
	static const char *const names[] = {"AWSAccessKeyId", "SignatureVersion", "SignatureMethod",
					    "Signature",      "Timestamp",        "Expires",
					    "SecurityToken"};
	if (name.n > 6 && str_equal_nocase(str_slice(name, 0, 6), STR("X-Amz-")))
		return true;
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		if (str_is(name, names[k]))
			return true;
	return false;
}

static RESULT check_pair(struct ctx *c, const struct pair *pair)
{
	if (!str_is_xml_text(pair->name) || pair->name.n > NAME_MAX_SIZE)
		return ctx_fail(c, ERR_INVALID, "A parameter's name is too long or is not UTF-8 text");
	if (!str_is_xml_text(pair->value))
		return ctx_fail_field(c, ERR_INVALID, pair->name,
				      "The value of parameter %" STR_FMT
				      " is not UTF-8 text without control characters",
				      STR_ARG(pair->name));
	return OK;
}

struct pair_list {
	VEC(struct pair) pairs;
};

static RESULT add_pairs(struct ctx *c, struct str text, struct pair_list *list)
{
	struct str piece;
	while (str_split_next(&text, '&', &piece)) {
		if (str_is_empty(piece))
			continue;
		size_t equals = str_find_char(piece, '=', 0);
		struct pair pair;
		struct result name = str_decode_url(c->arena, str_slice(piece, 0, equals), &pair.name);
		struct result value =
			str_decode_url(c->arena, str_slice(piece, equals + 1, piece.n), &pair.value);
		if (arena_is_full(c->arena))
			return ctx_no_memory(c);
		if (name.code || value.code)
			return ctx_fail(
				c, ERR_INVALID, "The request has a broken %%-escape: %" STR_FMT,
				STR_ARG(str_slice(piece, 0, equals < SHOWN_SIZE ? equals : SHOWN_SIZE)));
		TRY(check_pair(c, &pair));
		if (is_of_signature(pair.name))
			continue;
		if (list->pairs.count == PARAM_COUNT_MAX)
			return ctx_fail(c, ERR_TOO_LARGE, "The request has more than %d parameters",
					PARAM_COUNT_MAX);
		if (!VEC_PUSH(c->arena, &list->pairs, pair))
			return ctx_no_memory(c);
	}
	return OK;
}

RESULT params_parse(struct ctx *c, struct str query, struct str form, struct pairs *ret_pairs)
{
	struct pair_list list = {0};
	TRY(add_pairs(c, query, &list));
	TRY(add_pairs(c, form, &list));
	if (list.pairs.count)
		qsort(list.pairs.at, list.pairs.count, sizeof *list.pairs.at, compare_pairs);
	for (size_t k = 1; k < list.pairs.count; k++)
		if (str_equal(list.pairs.at[k - 1].name, list.pairs.at[k].name))
			return ctx_fail_field(c, ERR_INVALID, list.pairs.at[k].name,
					      "The parameter %" STR_FMT " was given more than once",
					      STR_ARG(list.pairs.at[k].name));
	*ret_pairs = (struct pairs){list.pairs.at, list.pairs.count};
	return OK;
}

struct str params_find(const struct pairs *pairs, const char *name)
{
	const struct pair key = {.name = str_from(name)};
	const struct pair *found =
		pairs->count ? bsearch(&key, pairs->at, pairs->count, sizeof key, compare_pairs) : 0;
	return found ? (struct str){found->value.p ? found->value.p : "", found->value.n} : STR_NONE;
}

bool params_is_asked(struct strs names, struct str name)
{
	for (size_t k = 0; k < names.count; k++)
		if (str_equal(names.at[k], name))
			return true;
	return names.count == 0;
}

static bool is_listed(struct str name, const char *const *names)
{
	for (; *names; names++)
		if (str_is(name, *names))
			return true;
	return false;
}

struct str params_digest(struct ctx *c, const struct pairs *pairs, const char *const *but)
{
	uint8_t digest[SHA256_SIZE];
	struct buf b;
	buf_init(&b, BUF_ANSWER_CAP);
	for (size_t k = 0; k < pairs->count; k++) {
		if (is_listed(pairs->at[k].name, but))
			continue;
		/* Lengths, since values may hold anything. */
		buf_print(&b, "%zu,%zu:", pairs->at[k].name.n, pairs->at[k].value.n);
		buf_add_str(&b, pairs->at[k].name);
		buf_add_str(&b, pairs->at[k].value);
	}
	struct str text = STR_NONE;
	if (result_is_ok(buf_finish(&b))) {
		crypto_sha256(buf_str(&b), digest);
		text = str_encode_hex(c->arena, digest, sizeof digest);
	}
	buf_done(&b);
	return text;
}

/* None of these is a secret, whatever somebody writes there by mistake is cut short. */
void params_add_subject(struct audit_call *a, const struct pairs *pairs)
{
	static const char *const naming[] = {"UserName",
					     "GroupName",
					     "RoleName",
					     "NewUserName",
					     "NewGroupName",
					     "PolicyName",
					     "PolicyArn",
					     "PermissionsBoundary",
					     "VersionId",
					     "InstanceProfileName",
					     "AccessKeyId",
					     "Status",
					     "OpenIDConnectProviderArn",
					     "ClientID",
					     "AccountAlias",
					     "RoleArn",
					     "RoleSessionName",
					     "KeyName",
					     "KeyPairId",
					     "KeyPairId.1",
					     "InstanceId",
					     "Attribute",
					     "AssociationId",
					     "IamInstanceProfile.Name",
					     "IamInstanceProfile.Arn",
					     "LaunchTemplateId",
					     "LaunchTemplateName"};
	for (size_t k = 0; a && k < sizeof naming / sizeof naming[0]; k++)
		audit_add_subject(a, naming[k], str_slice(params_find(pairs, naming[k]), 0, 256));
}
