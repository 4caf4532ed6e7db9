/* SPDX-License-Identifier: Apache-2.0
 * Refuses new policies that IAM refuses although policy_compile() can read them, in IAM's order: syntax, version, IAM's older
 * parser, the statements' ids, actions, resources. Stored policies stay in effect: they are compiled without
 * these checks. Source of the sentences and of the order: IAM's answers, as moto's tests have recorded them
 * (test_iam_policies). */
#include <jansson.h>

#include "auth/policy/policy.h"

static struct str text_of(const json_t *json)
{
	return (struct str){json_string_value(json), json_string_length(json)};
}

/* Number of strings in a string or list. */
static size_t count_of(const json_t *json)
{
	return json_is_array(json) ? json_array_size(json) : json != NULL;
}

static const json_t *item_at(const json_t *json, size_t k)
{
	return json_is_array(json) ? json_array_get(json, k) : json;
}

static RESULT check_each(struct ctx *c, const json_t *json, RESULT (*check)(struct ctx *c, struct str text))
{
	for (size_t k = 0; k < count_of(json); k++)
		TRY(check(c, text_of(item_at(json, k))));
	return OK;
}

static size_t count_colons(struct str s)
{
	size_t count = 0;
	for (size_t k = 0; k < s.n; k++)
		count += s.p[k] == ':';
	return count;
}

/* ---- syntax ---- */

static bool is_among(const char *key, const char *const *names)
{
	while (*names && strcmp(key, *names) != 0)
		names++;
	return *names;
}

static bool has_only(const json_t *object, const char *const *names)
{
	const char *key = NULL;
	json_t *value = NULL;
	json_object_foreach ((json_t *) object, key, value)
		if (!is_among(key, names))
			return false;
	return true;
}

/* Absent, a text, or a list of texts. */
static bool are_texts(const json_t *json)
{
	for (size_t k = 0; k < count_of(json); k++)
		if (!json_is_string(item_at(json, k)))
			return false;
	return true;
}

static bool is_absent_or_text(const json_t *json)
{
	return !json || json_is_string(json);
}

static bool is_sane_statement(const json_t *s)
{
	static const char *const names[] = {"Sid",          "Effect",      "Action",    "NotAction",
					    "Resource",     "NotResource", "Condition", "Principal",
					    "NotPrincipal", NULL};
	const json_t *effect = json_object_get(s, "Effect");
	struct str word = text_of(effect);
	return json_is_object(s) && has_only(s, names) && json_is_string(effect) &&
	       (str_equal_nocase(word, STR("Allow")) || str_equal_nocase(word, STR("Deny"))) &&
	       is_absent_or_text(json_object_get(s, "Sid")) && are_texts(json_object_get(s, "Action")) &&
	       are_texts(json_object_get(s, "NotAction")) && are_texts(json_object_get(s, "Resource")) &&
	       are_texts(json_object_get(s, "NotResource")) &&
	       !(json_object_get(s, "Action") && json_object_get(s, "NotAction")) &&
	       !(json_object_get(s, "Resource") && json_object_get(s, "NotResource"));
}

static bool is_sane(const json_t *json)
{
	static const char *const names[] = {"Version", "Id", "Statement", NULL};
	const json_t *statements = json_object_get(json, "Statement");
	const json_t *version = json_object_get(json, "Version");
	bool is_good = json_is_object(json) && has_only(json, names) &&
		       is_absent_or_text(json_object_get(json, "Id")) &&
		       (!version || str_is(text_of(version), "2012-10-17") ||
			str_is(text_of(version), "2008-10-17")) &&
		       count_of(statements);
	for (size_t k = 0; is_good && k < count_of(statements); k++)
		is_good = is_sane_statement(item_at(statements, k));
	return is_good;
}

/* ---- actions and condition keys ---- */

static RESULT check_colons(struct ctx *c, struct str name)
{
	return count_colons(name) <= 1
		       ? OK
		       : ctx_fail(c, ERR_INVALID, "Actions/Condition can contain only one colon.");
}

/* OpenStack's names, for example os_compute_api:os-flavor-manage:create, have an underscore in the vendor and
 * more colons. */
static RESULT check_action(struct ctx *c, struct str action)
{
	struct str vendor = str_slice(action, 0, str_find_char(action, ':', 0));
	bool is_openstack = str_find_char(vendor, '_', 0) < vendor.n;
	return is_openstack ? OK : check_colons(c, action);
}

/* Key without the port of an issuer: "id.example.com:8443:sub". AWS has no issuers with a port; Dari does. */
static struct str skip_port(struct str key)
{
	size_t host = str_find_char(key, ':', 0), port = str_find_char(key, ':', host + 1);
	int64_t number = 0;
	bool is_port = port < key.n && !str_parse_int(str_slice(key, host + 1, port), &number).code;
	return is_port ? str_slice(key, port, key.n) : key;
}

/* A tag key, after the slash, may contain colons. */
static RESULT check_conditions(struct ctx *c, const json_t *conditions)
{
	const char *operator= NULL, *key = NULL;
	json_t *keys = NULL, *value = NULL;
	json_object_foreach ((json_t *) conditions, operator, keys)
		json_object_foreach (keys, key, value) {
			struct str name = str_from(key);
			TRY(check_colons(c, skip_port(str_slice(name, 0, str_find_char(name, '/', 0)))));
		}
	return OK;
}

/* ---- resources ---- */

enum { ARN_WORD = 0, PARTITION, SERVICE, REGION, ACCOUNT, NAME, PARTS };

/* Splits "arn:aws:iam::1:user/a" at its colons; the last part has those that are left. Parts that are missing have no p. */
static void split_arn(struct str resource, struct str parts[PARTS])
{
	struct str rest = resource;
	for (size_t k = 0; k < PARTS; k++) {
		size_t end = rest.p && k < NAME ? str_find_char(rest, ':', 0) : rest.n;
		parts[k] = rest.p ? str_slice(rest, 0, end) : STR_NONE;
		rest = end < rest.n ? str_slice(rest, end + 1, rest.n) : STR_NONE;
	}
}

/* IAM shows "*" for the parts that are missing. */
static RESULT fail_partition(struct ctx *c, const struct str parts[PARTS])
{
	struct str shown[PARTS];
	for (size_t k = 0; k < PARTS; k++)
		shown[k] = parts[k].p ? parts[k] : STR("*");
	if (!shown[SERVICE].n && !parts[REGION].p)
		shown[SERVICE] = STR("*");
	return ctx_fail(c, ERR_INVALID,
			"Partition \"%" STR_FMT "\" is not valid for resource \"arn:%" STR_FMT ":%" STR_FMT
			":%" STR_FMT ":%" STR_FMT ":%" STR_FMT "\".",
			STR_ARG(parts[PARTITION]), STR_ARG(parts[PARTITION]), STR_ARG(shown[SERVICE]),
			STR_ARG(shown[REGION]), STR_ARG(shown[ACCOUNT]), STR_ARG(shown[NAME]));
}

/* ARNs of IAM, and of S3 except its access points, have no region. */
static RESULT check_region(struct ctx *c, struct str resource, const struct str parts[PARTS])
{
	if (!parts[REGION].n)
		return OK;
	if (str_is(parts[SERVICE], "iam"))
		return ctx_fail(c, ERR_INVALID,
				"IAM resource %" STR_FMT " cannot contain region information.",
				STR_ARG(resource));
	if (str_is(parts[SERVICE], "s3") && !str_starts_with(parts[NAME], STR("accesspoint/")))
		return ctx_fail(c, ERR_INVALID, "Resource %" STR_FMT " can not contain region information.",
				STR_ARG(resource));
	return OK;
}

#define IAM_PATHS                                                                                            \
	"user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, "     \
	"sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/"

/* An account's root has its ARN, too, and a name may begin with a wildcard. */
static RESULT check_iam_path(struct ctx *c, const struct str parts[PARTS])
{
	struct str paths = STR(IAM_PATHS), path;
	bool is_good =
		!str_is(parts[SERVICE], "iam") || str_is(parts[NAME], "*") || str_is(parts[NAME], "root");
	while (!is_good && str_split_next(&paths, ',', &path))
		is_good = str_starts_with(parts[NAME], str_trim(path));
	return is_good ? OK
		       : ctx_fail(c, ERR_INVALID,
				  "IAM resource path must either be \"*\" or start with " IAM_PATHS ".");
}

static RESULT check_resource(struct ctx *c, struct str resource)
{
	struct str parts[PARTS];
	split_arn(resource, parts);
	if (str_is(resource, "*"))
		return OK;
	if (!parts[PARTITION].p)
		return ctx_fail(c, ERR_INVALID, "Resource %" STR_FMT " must be in ARN format or \"*\".",
				STR_ARG(resource));
	if (!str_is(parts[PARTITION], "aws") && !str_is(parts[PARTITION], "*"))
		return fail_partition(c, parts);
	if (!parts[SERVICE].p)
		return ctx_fail(c, ERR_INVALID,
				"Resource vendor must be fully qualified and cannot contain regexes.");
	TRY(check_region(c, resource, parts));
	return check_iam_path(c, parts);
}

/* ---- IAM's older parser ---- */

static RESULT fail_legacy(struct ctx *c)
{
	return ctx_fail(c, ERR_INVALID, "The policy failed legacy parsing");
}

/* An ARN without a service, or a short one with an empty part. */
static RESULT check_arn_parts(struct ctx *c, struct str resource)
{
	struct str parts[PARTS];
	split_arn(resource, parts);
	bool has_gap = false;
	for (size_t k = 0; k + 1 < resource.n; k++)
		has_gap |= resource.p[k] == ':' && resource.p[k + 1] == ':';
	bool is_good =
		str_is(resource, "*") || (parts[SERVICE].n && !(has_gap && count_colons(resource) < NAME));
	return is_good ? OK : fail_legacy(c);
}

/* Effects in another letter case, and ARNs that the newer parser takes. The first resource that the newer parser refuses is for a
 * later check, and ends this one. */
static RESULT parse_as_before(struct ctx *c, const json_t *s, bool *ret_has_problem)
{
	static const char *const lists[] = {"Resource", "NotResource"};
	struct str effect = text_of(json_object_get(s, "Effect"));
	if (!str_is(effect, "Allow") && !str_is(effect, "Deny"))
		return fail_legacy(c);
	for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++) {
		const json_t *list = json_object_get(s, lists[k]);
		*ret_has_problem |= !result_is_ok(check_each(c, list, check_resource));
		ctx_clear_problem(c);
		if (!*ret_has_problem)
			TRY(check_each(c, list, check_arn_parts));
	}
	return OK;
}

/* ---- the whole ---- */

static RESULT check_ids(struct ctx *c, const json_t *statements)
{
	for (size_t k = 0; k < count_of(statements); k++)
		for (size_t n = 0; n < k; n++) {
			struct str id = text_of(json_object_get(item_at(statements, k), "Sid"));
			struct str other = text_of(json_object_get(item_at(statements, n), "Sid"));
			if (id.n && str_equal(id, other))
				return ctx_fail(c, ERR_INVALID,
						"Statement IDs (SID) in a single policy must be unique.");
		}
	return OK;
}

static RESULT check_has_actions(struct ctx *c, const json_t *statements)
{
	for (size_t k = 0; k < count_of(statements); k++) {
		const json_t *s = item_at(statements, k), *actions = json_object_get(s, "Action");
		if (!count_of(actions ? actions : json_object_get(s, "NotAction")))
			return ctx_fail(c, ERR_INVALID, "Policy statement must contain actions.");
	}
	return OK;
}

static RESULT check_statement(struct ctx *c, const json_t *s)
{
	TRY(check_each(c, json_object_get(s, "Action"), check_action));
	TRY(check_each(c, json_object_get(s, "NotAction"), check_action));
	return check_conditions(c, json_object_get(s, "Condition"));
}

static RESULT check_identity(struct ctx *c, const json_t *statements)
{
	bool has_problem = false;
	for (size_t k = 0; k < count_of(statements); k++)
		TRY(parse_as_before(c, item_at(statements, k), &has_problem));
	TRY(check_ids(c, statements));
	TRY(check_has_actions(c, statements));
	for (size_t k = 0; k < count_of(statements) && has_problem; k++) {
		TRY(check_each(c, json_object_get(item_at(statements, k), "Resource"), check_resource));
		TRY(check_each(c, json_object_get(item_at(statements, k), "NotResource"), check_resource));
	}
	return OK;
}

static RESULT check(struct ctx *c, const json_t *json, enum policy_form form, bool is_managed)
{
	const json_t *statements = json_object_get(json, "Statement");
	bool is_good = is_sane(json);
	if (!is_good && form == POLICY_OF_IDENTITY)
		return ctx_fail(c, ERR_INVALID, "Syntax errors in policy.");
	if (is_managed && !str_is(text_of(json_object_get(json, "Version")), "2012-10-17"))
		return ctx_fail(c, ERR_INVALID, "Policy document must be version 2012-10-17 or greater.");
	if (is_good && form == POLICY_OF_IDENTITY)
		TRY(check_identity(c, statements));
	for (size_t k = 0; is_good && k < count_of(statements); k++)
		TRY(check_statement(c, item_at(statements, k)));
	return OK;
}

RESULT policy_check_new(struct ctx *c, struct str document, enum policy_form form, bool is_managed)
{
	json_t *json = json_loadb(document.p ? document.p : "", document.n, JSON_REJECT_DUPLICATES, NULL);
	struct result result = json ? check(c, json, form, is_managed) : OK; /* policy_compile() says so */
	json_decref(json);
	return result;
}
