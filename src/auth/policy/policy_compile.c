/* SPDX-License-Identifier: Apache-2.0
 * Compiles a policy document, or explains what is wrong with it, with IAM's own message where IAM has one. */
#include <jansson.h>

#include "auth/policy/endpoint_policy.h"
#include "auth/policy/policy_internal.h"
#include "auth/policy/resource_policy.h"

/* Iterates over a string or a list of strings: the language allows either everywhere. */
#define EACH_TEXT(json, n, text)                                                                             \
	for (size_t n = 0, count_##n = json_is_array(json) ? json_array_size(json) : 1;                      \
	     n < count_##n && ((text) = json_is_array(json) ? json_array_get(json, n) : (json), true); n++)

static struct str text_of(const json_t *json)
{
	return (struct str){json_string_value(json), json_string_length(json)};
}

static size_t count_of(const json_t *json)
{
	return json_is_array(json) ? json_array_size(json) : 1;
}

static RESULT check_texts(struct ctx *c, const json_t *list, const char *name)
{
	const json_t *item = NULL;
	if (count_of(list) > POLICY_VALUES_MAX)
		return ctx_fail(c, ERR_INVALID, "The element %s has more than %d values.", name,
				POLICY_VALUES_MAX);
	EACH_TEXT(list, n, item)
	{
		if (!json_is_string(item))
			return ctx_fail(c, ERR_INVALID,
					"Syntax errors in policy. The element %s takes strings.", name);
		if (json_string_length(item) > POLICY_TEXT_MAX)
			return ctx_fail(c, ERR_INVALID,
					"A value of the element %s is longer than %d characters.", name,
					POLICY_TEXT_MAX);
	}
	return OK;
}

/* ---- Action, NotAction ---- */

/* Wildcards are allowed behind the vendor only; OpenStack's action names have more colons. */
static bool is_action_character(char c, bool is_of_vendor)
{
	return str_is_alphanumeric(c) || c == '-' || c == '_' || c == ':' ||
	       (is_of_vendor ? c == '.' : c == '*' || c == '?');
}

static RESULT check_action(struct ctx *c, struct str action)
{
	size_t colon = str_find_char(action, ':', 0);
	if (str_is(action, "*"))
		return OK;
	if (colon == action.n)
		return ctx_fail(c, ERR_INVALID,
				"Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
	for (size_t k = 0; k < colon || k == 0; k++)
		if (colon == 0 || !is_action_character(action.p[k], true))
			return ctx_fail(c, ERR_INVALID, "Vendor %" STR_FMT " is not valid",
					STR_ARG(str_slice(action, 0, colon)));
	for (size_t k = colon; k < action.n; k++)
		if (!is_action_character(action.p[k], false))
			return ctx_fail(c, ERR_INVALID, "The action %" STR_FMT " is not valid.",
					STR_ARG(str_slice(action, 0, 128)));
	return OK;
}

/* An IAM service has the prefix of that OpenStack name: "backup:create" is Cinder's, "backup:ListBackupVaults" AWS Backup's. */
static bool has_prefix_of_service(struct str name)
{
	size_t n = str_find_char(name, ':', 0);
	for (int p = 0; p < PERMISSION_COUNT; p++)
		if (n < name.n &&
		    str_starts_with(str_from(model_permissions[p].action), str_slice(name, 0, n + 1)))
			return true;
	return false;
}

/* "backup:*" means the service of AWS, so OpenStack's names with that prefix are to be written whole. */
static bool action_names(int permission, struct str pattern)
{
	struct str word;
	for (size_t n = 0; permission_word(permission, n, &word); n++)
		if (policy_match_action(word, pattern) &&
		    (n == 0 || str_equal(word, pattern) || !has_prefix_of_service(word)))
			return true;
	return false;
}

static RESULT read_actions(struct policy_builder *b, const json_t *json, struct policy_statement *s)
{
	const json_t *item = NULL;
	TRY(check_texts(b->c, json, s->not_action ? "NotAction" : "Action"));
	if (count_of(json) == 0)
		return ctx_fail(b->c, ERR_INVALID, "Policy statement must contain actions.");
	s->actions = policy_reserve(b, count_of(json), sizeof(struct pattern));
	EACH_TEXT(json, n, item)
	{
		struct pattern pattern;
		TRY(check_action(b->c, text_of(item)));
		TRY(policy_add_pattern(b, text_of(item), false, true, &pattern));
		policy_set_item(b, s->actions, n, &pattern, sizeof pattern);
		for (int p = 0; p < PERMISSION_COUNT; p++)
			if (!permission_in(&s->permissions, p) &&
			    (pattern.is_any || action_names(p, text_of(item))))
				permission_add(&s->permissions, p);
	}
	for (size_t k = 0; k < PERMISSION_WORDS && s->not_action; k++)
		s->permissions.bits[k] = ~s->permissions.bits[k];
	return OK;
}

/* ---- Resource, NotResource ---- */

static RESULT check_resource(struct ctx *c, struct str resource)
{
	size_t colons = 0;
	for (size_t k = 0; k < resource.n; k++)
		colons += resource.p[k] == ':';
	if (str_is(resource, "*") || (str_starts_with(resource, STR("arn:")) && colons >= 5))
		return OK;
	return ctx_fail(c, ERR_INVALID, "Resource %" STR_FMT " must be in ARN format or \"*\".",
			STR_ARG(str_slice(resource, 0, 128)));
}

static RESULT read_resources(struct policy_builder *b, const json_t *json, struct policy_statement *s)
{
	const json_t *item = NULL;
	TRY(check_texts(b->c, json, s->not_resource ? "NotResource" : "Resource"));
	if (count_of(json) == 0) /* an empty list would read as "no Resource element", which a trust policy
				  * has */
		return ctx_fail(b->c, ERR_INVALID, "Policy statement must contain resources.");
	s->resources = policy_reserve(b, count_of(json), sizeof(struct pattern));
	EACH_TEXT(json, n, item)
	{
		struct pattern pattern;
		TRY(check_resource(b->c, text_of(item)));
		TRY(policy_add_pattern(b, text_of(item), true, true, &pattern));
		policy_note_parts(b, &pattern);
		policy_set_item(b, s->resources, n, &pattern, sizeof pattern);
	}
	return OK;
}

/* ---- Principal, NotPrincipal ---- */

static bool is_account_number(struct str s)
{
	return s.n == 12 && strspn(s.p, "0123456789") >= 12;
}

/* An account number and the ARN of its root are equivalent. */
static struct str principal_text(struct arena *a, const char *type, struct str value)
{
	if (str_starts_with(value, STR("arn:aws:iam::")) && str_ends_with(value, STR(":root")))
		value = str_slice(value, 13, value.n - 5);
	return str_print(a, "%s:%" STR_FMT, type, STR_ARG(value));
}

/* The unique id of a user or role that was deleted (engine/people/policy/principal_follow.c): it matches nobody. */
static bool is_former(struct str s)
{
	return str_starts_with(s, STR("AIDA")) || str_starts_with(s, STR("AROA"));
}

static RESULT check_principal(struct ctx *c, const char *type, struct str value)
{
	bool is_aws = strcmp(type, "AWS") == 0;
	bool is_good = is_aws ? str_is(value, "*") || is_account_number(value) || is_former(value) ||
					str_starts_with(value, STR("arn:aws:"))
			      : value.n > 0;
	return is_good ? OK
		       : ctx_fail(c, ERR_INVALID, "Invalid principal in policy: \"%s\":\"%" STR_FMT "\"",
				  type, STR_ARG(str_slice(value, 0, 128)));
}

static bool is_principal_type(const char *type)
{
	static const char *const types[] = {"AWS", "Service", "Federated", "CanonicalUser"};
	for (size_t k = 0; k < sizeof types / sizeof types[0]; k++)
		if (strcmp(type, types[k]) == 0)
			return true;
	return false;
}

static RESULT count_principals(struct ctx *c, const json_t *json, size_t *ret_count)
{
	const char *type = NULL;
	json_t *list = NULL;
	*ret_count = 0;
	json_object_foreach ((json_t *) json, type, list) {
		if (!is_principal_type(type))
			return ctx_fail(c, ERR_INVALID, "Invalid principal in policy: %.64s", type);
		TRY(check_texts(c, list, "Principal"));
		*ret_count += count_of(list);
	}
	return *ret_count ? OK : ctx_fail(c, ERR_INVALID, "Invalid principal in policy: it names nobody");
}

static RESULT read_principals(struct policy_builder *b, const json_t *json, struct policy_statement *s)
{
	struct pattern any = {.is_any = true};
	const json_t *item = NULL;
	const char *type = NULL;
	json_t *list = NULL;
	size_t count = 1, at = 0;
	if (json_is_string(json) && str_is(text_of(json), "*")) {
		s->principals = policy_reserve(b, 1, sizeof any);
		policy_set_item(b, s->principals, 0, &any, sizeof any);
		return OK;
	}
	if (!json_is_object(json))
		return ctx_fail(b->c, ERR_INVALID, "Invalid principal in policy");
	TRY(count_principals(b->c, json, &count));
	s->principals = policy_reserve(b, count, sizeof any);
	json_object_foreach ((json_t *) json, type, list) {
		EACH_TEXT(list, n, item)
		{
			struct pattern pattern = any;
			TRY(check_principal(b->c, type, text_of(item)));
			pattern.is_any = strcmp(type, "AWS") == 0 && str_is(text_of(item), "*");
			pattern.text = policy_add_text(b, principal_text(b->c->arena, type, text_of(item)));
			policy_set_item(b, s->principals, at++, &pattern, sizeof pattern);
		}
	}
	return OK;
}

/* ---- Condition ---- */

static struct str scalar_text(struct arena *a, const json_t *json)
{
	if (json_is_boolean(json))
		return json_is_true(json) ? STR("true") : STR("false");
	if (json_is_integer(json))
		return str_print(a, "%lld", (long long) json_integer_value(json));
	if (json_is_real(json))
		return str_print(a, "%.17g", json_real_value(json));
	return text_of(json);
}

static RESULT read_values(struct policy_builder *b, const json_t *list, struct policy_condition *condition)
{
	const json_t *item = NULL;
	if (count_of(list) > POLICY_VALUES_MAX)
		return ctx_fail(b->c, ERR_INVALID, "A condition has more than %d values.", POLICY_VALUES_MAX);
	condition->values = policy_reserve(b, count_of(list), sizeof(struct condition_value));
	EACH_TEXT(list, n, item)
	{
		struct condition_value value = {0};
		struct str text = scalar_text(b->c->arena, item);
		if (!text.p || text.n > POLICY_TEXT_MAX)
			return ctx_fail(
				b->c, ERR_INVALID,
				"Syntax errors in policy. A condition's values are strings of up to %d "
				"characters, numbers, true or false.",
				POLICY_TEXT_MAX);
		TRY(policy_read_value(b, condition, text, &value));
		policy_set_item(b, condition->values, n, &value, sizeof value);
	}
	return OK;
}

/* Condition keys are case-insensitive, except the tag key after "/". */
static struct str lower_key(struct arena *a, struct str key)
{
	size_t slash = str_find_char(key, '/', 0);
	struct str head = str_lower(a, str_slice(key, 0, slash));
	return str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(head), STR_ARG(str_slice(key, slash, key.n)));
}

static RESULT read_condition(struct policy_builder *b, struct str operator, const char * key,
			     const json_t *list, struct policy_condition *ret_condition)
{
	struct str name = str_from(key);
	TRY(policy_read_operator(b->c, operator, ret_condition));
	/* IAM takes a key without a vendor: it is never in the context. */
	if (name.n == 0 || name.n > POLICY_TEXT_MAX)
		return ctx_fail(b->c, ERR_INVALID, "Condition key %.128s is not valid.", key);
	ret_condition->key = policy_add_text(b, lower_key(b->c->arena, name));
	return read_values(b, list, ret_condition);
}

static RESULT read_conditions(struct policy_builder *b, const json_t *json, struct policy_statement *s)
{
	const char *operator= NULL, *key = NULL;
	json_t *keys = NULL, *list = NULL;
	size_t count = 0, at = 0;
	if (!json_is_object(json))
		return ctx_fail(b->c, ERR_INVALID, "Syntax errors in policy. Condition is an object.");
	json_object_foreach ((json_t *) json, operator, keys) {
		if (!json_is_object(keys))
			return ctx_fail(b->c, ERR_INVALID,
					"Syntax errors in policy. Condition %.64s is an object.", operator);
		count += json_object_size(keys);
	}
	if (count > POLICY_VALUES_MAX)
		return ctx_fail(b->c, ERR_INVALID, "A statement has more than %d conditions.",
				POLICY_VALUES_MAX);
	s->conditions = policy_reserve(b, count, sizeof(struct policy_condition));
	json_object_foreach ((json_t *) json, operator, keys) {
		json_object_foreach (keys, key, list) {
			struct policy_condition condition = {0};
			TRY(read_condition(b, str_from(operator), key, list, &condition));
			policy_set_item(b, s->conditions, at++, &condition, sizeof condition);
		}
	}
	return OK;
}

/* ---- statements ---- */

static RESULT check_members(struct policy_builder *b, const json_t *json)
{
	static const char *const members[] = {"Sid",       "Effect",      "Action",
					      "NotAction", "Principal",   "NotPrincipal",
					      "Resource",  "NotResource", "Condition"};
	const char *key = NULL;
	json_t *value = NULL;
	json_object_foreach ((json_t *) json, key, value) {
		bool is_known = false;
		for (size_t k = 0; k < sizeof members / sizeof members[0]; k++)
			is_known = is_known || strcmp(members[k], key) == 0;
		if (!is_known)
			return ctx_fail(b->c, ERR_INVALID,
					"Syntax errors in policy. There is no element %.64s.", key);
	}
	return OK;
}

static RESULT fail_prohibited(const struct policy_builder *b, const char *name)
{
	return b->of_trust ? ctx_fail(b->c, ERR_INVALID, "Has prohibited field %s", name)
			   : ctx_fail(b->c, ERR_INVALID, "Policy document should not specify a principal.");
}

static RESULT fail_missing(const struct policy_builder *b, const char *name)
{
	return b->of_trust || b->of_endpoint || b->of_resource
		       ? ctx_fail(b->c, ERR_INVALID, "Missing required field %s", name)
		       : ctx_fail(b->c, ERR_INVALID, "Policy statement must contain %s.",
				  strcmp(name, "Action") == 0 ? "actions" : "resources");
}

/* Requires exactly one of an element and its negation; neither in a form that does not have it. */
static RESULT choose(struct policy_builder *b, const json_t *json, const char *name, const char *not_name,
		     bool is_needed, const json_t **ret_value, bool *ret_is_not)
{
	const json_t *value = json_object_get(json, name), *negated = json_object_get(json, not_name);
	if (!is_needed && (value || negated))
		return fail_prohibited(b, value ? name : not_name);
	if (is_needed && !value && !negated)
		return fail_missing(b, name);
	if (value && negated)
		return ctx_fail(b->c, ERR_INVALID,
				"Syntax errors in policy. A statement has %s or %s, not both.", name,
				not_name);
	*ret_value = value ? value : negated;
	*ret_is_not = negated;
	return OK;
}

static RESULT read_head(struct policy_builder *b, const json_t *json, struct policy_statement *s)
{
	const json_t *id = json_object_get(json, "Sid"), *effect = json_object_get(json, "Effect");
	struct str text = text_of(id);
	if (id && !json_is_string(id))
		return ctx_fail(b->c, ERR_INVALID, "Syntax errors in policy. Sid is a string.");
	for (size_t k = 0; k < text.n && !b->of_resource; k++)
		if (!str_is_alphanumeric(text.p[k]))
			return ctx_fail(
				b->c, ERR_INVALID,
				"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies "
				"the regular expression [0-9A-Za-z]*");
	if (!effect)
		return ctx_fail(b->c, ERR_INVALID, "%sMissing required field Effect cannot be empty!",
				b->of_trust ? "" : "Syntax errors in policy. ");
	s->is_deny = str_is(text_of(effect), "Deny");
	if (!s->is_deny && !str_is(text_of(effect), "Allow"))
		return ctx_fail(b->c, ERR_INVALID, "%sInvalid effect: %" STR_FMT,
				b->of_trust ? "" : "Syntax errors in policy. ",
				STR_ARG(str_slice(text_of(effect), 0, 64)));
	s->id = policy_add_text(b, text);
	return OK;
}

static RESULT read_statement(struct policy_builder *b, const json_t *json, struct policy_statement *s)
{
	const json_t *actions = NULL, *resources = NULL, *principals = NULL;
	const json_t *conditions = json_object_get(json, "Condition");
	if (!json_is_object(json))
		return ctx_fail(b->c, ERR_INVALID, "Syntax errors in policy. A statement is an object.");
	TRY(check_members(b, json));
	TRY(read_head(b, json, s));
	TRY(choose(b, json, "Action", "NotAction", true, &actions, &s->not_action));
	TRY(read_actions(b, actions, s));
	/* a resource's policy may leave the Resource out: it is the resource itself */
	if (!b->of_resource || json_object_get(json, "Resource") || json_object_get(json, "NotResource"))
		TRY(choose(b, json, "Resource", "NotResource", !b->of_trust, &resources, &s->not_resource));
	TRY(choose(b, json, "Principal", "NotPrincipal", b->of_trust || b->of_endpoint || b->of_resource,
		   &principals, &s->not_principal));
	if (resources)
		TRY(read_resources(b, resources, s));
	if (principals)
		TRY(read_principals(b, principals, s));
	return conditions ? read_conditions(b, conditions, s) : OK;
}

static RESULT check_ids(struct policy_builder *b, const json_t *list)
{
	for (size_t k = 0; k < json_array_size(list); k++)
		for (size_t n = 0; n < k; n++) {
			struct str a = text_of(json_object_get(json_array_get(list, k), "Sid"));
			struct str other = text_of(json_object_get(json_array_get(list, n), "Sid"));
			if (a.n && str_equal(a, other))
				return ctx_fail(b->c, ERR_INVALID,
						"Statement IDs (SID) in a single policy must be unique.");
		}
	return OK;
}

static RESULT read_statements(struct policy_builder *b, const json_t *json, struct piece *ret_statements)
{
	const json_t *item = NULL;
	if (!json)
		return ctx_fail(b->c, ERR_INVALID, "%sMissing required field Statement",
				b->of_trust ? "" : "Syntax errors in policy. ");
	if (count_of(json) == 0 || count_of(json) > POLICY_STATEMENTS_MAX)
		return ctx_fail(b->c, ERR_INVALID, "Syntax errors in policy. It has 1 to %d statements.",
				POLICY_STATEMENTS_MAX);
	TRY(check_ids(b, json));
	*ret_statements = policy_reserve(b, count_of(json), sizeof(struct policy_statement));
	EACH_TEXT(json, n, item)
	{
		struct policy_statement s = {0};
		b->statement = n + 1;
		TRY(read_statement(b, item, &s));
		policy_set_item(b, *ret_statements, n, &s, sizeof s);
	}
	b->statement = 0;
	return OK;
}

/* ---- the document ---- */

static RESULT read_top(struct policy_builder *b, const json_t *json)
{
	const json_t *version = json_object_get(json, "Version"), *id = json_object_get(json, "Id");
	const char *key = NULL;
	json_t *value = NULL;
	if (!json_is_object(json))
		return ctx_fail(b->c, ERR_INVALID, "Syntax errors in policy. A policy is an object.");
	json_object_foreach ((json_t *) json, key, value) {
		if (strcmp(key, "Version") != 0 && strcmp(key, "Id") != 0 && strcmp(key, "Statement") != 0)
			return ctx_fail(b->c, ERR_INVALID,
					"Syntax errors in policy. There is no element %.64s.", key);
	}
	if (id && !json_is_string(id))
		return ctx_fail(b->c, ERR_INVALID, "Syntax errors in policy. Id is a string.");
	b->has_variables = str_is(text_of(version), "2012-10-17");
	if (version && !b->has_variables && !str_is(text_of(version), "2008-10-17"))
		return ctx_fail(b->c, ERR_INVALID, "Policy document must be version 2012-10-17 or greater.");
	return OK;
}

static RESULT compile(struct policy_builder *b, const json_t *json)
{
	struct policy_code head = {0};
	struct piece place = policy_reserve(b, 1, sizeof head);
	TRY(read_top(b, json));
	TRY(read_statements(b, json_object_get(json, "Statement"), &head.statements));
	(void) policy_reserve(b, 0, 1);
	head.size = (uint32_t) b->size;
	head.has_variables = b->has_variables;
	policy_set_item(b, place, 0, &head, sizeof head);
	return OK;
}

static RESULT check(struct policy_builder form, struct str document, const struct policy_code **ret_policy,
		    struct policy_fault *ret_fault)
{
	struct policy_builder b = form;
	struct ctx *c = b.c;
	json_error_t error;
	*ret_fault = (struct policy_fault){0};
	if (document.n > POLICY_DOCUMENT_MAX || !str_is_xml_text(document))
		return ctx_fail(c, ERR_INVALID,
				"Syntax errors in policy. It is UTF-8 text of up to %d characters.",
				POLICY_DOCUMENT_MAX);
	json_t *json = json_loadb(document.p ? document.p : "", document.n, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		ret_fault->start = ret_fault->end = (struct policy_place){error.line, error.column};
	if (!json)
		return ctx_fail(c, ERR_INVALID, "%s %s (line %d, column %d)",
				b.of_trust ? "This policy contains invalid Json:"
					   : "Syntax errors in policy.",
				error.text, error.line, error.column);
	struct result result = compile(&b, json);
	json_decref(json);
	if (!result_is_ok(result) && b.statement)
		(void) policy_find_place(document, b.statement - 1, &ret_fault->start, &ret_fault->end);
	TRY(result);
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	*ret_policy = (const struct policy_code *) (const void *) b.block;
	return OK;
}

RESULT policy_check(struct ctx *c, struct str document, enum policy_form form,
		    const struct policy_code **ret_policy, struct policy_fault *ret_fault)
{
	return check((struct policy_builder){.c = c, .of_trust = form == POLICY_OF_TRUST}, document,
		     ret_policy, ret_fault);
}

RESULT endpoint_policy_compile(struct ctx *c, struct str document, const struct policy_code **ret_policy)
{
	struct policy_fault fault;
	return check((struct policy_builder){.c = c, .of_endpoint = true}, document, ret_policy, &fault);
}

RESULT resource_policy_compile(struct ctx *c, struct str document, const struct policy_code **ret_policy)
{
	struct policy_fault fault;
	return check((struct policy_builder){.c = c, .of_resource = true}, document, ret_policy, &fault);
}

RESULT policy_compile(struct ctx *c, struct str document, enum policy_form form,
		      const struct policy_code **ret_policy)
{
	struct policy_fault fault;
	return policy_check(c, document, form, ret_policy, &fault);
}

size_t policy_count_characters(struct str document)
{
	size_t count = 0;
	for (size_t k = 0; k < document.n; k++)
		count += document.p[k] != ' ' && document.p[k] != '\t' && document.p[k] != '\n' &&
			 document.p[k] != '\r';
	return count;
}
