/* SPDX-License-Identifier: Apache-2.0
 * The naive evaluator: validation by the grammar of the IAM JSON policy language. Names that differ from an
 * element's only in case, and extremely long values, are not decided. */
#include <ctype.h>
#include <strings.h>

#include "policy_naive_compare.h"

struct reader {
	enum policy_form form;
	enum naive_validity validity; /* the worst so far */
};

static void expect(struct reader *r, bool holds, enum naive_validity otherwise)
{
	if (!holds && otherwise < r->validity)
		r->validity = otherwise;
}

static bool is_one_of(struct str s, const char *const *words)
{
	while (*words && !str_is(s, *words))
		words++;
	return *words;
}

/* An unknown member, unless it is a known one in other letters. */
static void read_names(struct reader *r, const json_t *object, const char *const *known)
{
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *) object, name, value) {
		bool is_close = false;
		for (size_t k = 0; known[k]; k++)
			is_close = is_close || strcasecmp(name, known[k]) == 0;
		if (!is_one_of(str_from(name), known))
			expect(r, false, is_close ? NAIVE_UNSURE : NAIVE_INVALID);
	}
}

typedef void read_text(struct reader *r, struct str text);

static void read_list(struct reader *r, const json_t *list, read_text *read)
{
	size_t count = json_is_array(list) ? json_array_size(list) : 1;
	expect(r, count > 0, NAIVE_INVALID);
	expect(r, count <= POLICY_VALUES_MAX, NAIVE_UNSURE);
	for (size_t k = 0; k < count; k++) {
		const json_t *value = json_is_array(list) ? json_array_get(list, k) : list;
		expect(r, json_is_string(value), NAIVE_INVALID);
		expect(r, naive_text(value).n <= POLICY_TEXT_MAX, NAIVE_UNSURE);
		if (json_is_string(value))
			read(r, naive_text(value));
	}
}

static bool is_word(struct str s, const char *more)
{
	for (size_t k = 0; k < s.n; k++)
		if (!str_is_alphanumeric(s.p[k]) && (!s.p[k] || !strchr(more, s.p[k])))
			return false;
	return s.n > 0;
}

static void read_action(struct reader *r, struct str text)
{
	size_t colon = str_find_char(text, ':', 0);
	if (str_is(text, "*"))
		return;
	expect(r, colon < text.n || str_find_char(text, '*', 0) < text.n, NAIVE_INVALID);
	expect(r, is_word(str_slice(text, 0, colon), "-_"), NAIVE_UNSURE);
	expect(r, is_word(str_slice(text, colon + 1, text.n), "*?"), NAIVE_UNSURE);
}

/* A "${" may be a variable or not. */
static void read_variables(struct reader *r, struct str text)
{
	expect(r, !str_contains(text, STR("${")), NAIVE_UNSURE);
}

static void read_resource(struct reader *r, struct str text)
{
	if (str_is(text, "*"))
		return;
	read_variables(r, text);
	expect(r, str_starts_with(text, STR("arn:")) || (text.n && strchr("*?$", text.p[0])), NAIVE_INVALID);
	expect(r, str_starts_with(text, STR("arn:")) && naive_count_parts(text) >= 6, NAIVE_UNSURE);
}

static void read_any(struct reader *r, struct str text)
{
	(void) r;
	(void) text;
}

static void read_account(struct reader *r, struct str text)
{
	bool is_number = text.n == 12;
	for (size_t k = 0; k < text.n; k++)
		is_number = is_number && isdigit((unsigned char) text.p[k]);
	bool is_arn = str_starts_with(text, STR("arn:aws:iam::")) && naive_count_parts(text) == 6 &&
		      str_find_char(text, '*', 0) == text.n;
	expect(r, is_number || is_arn || str_is(text, "*"), NAIVE_UNSURE);
}

static void read_principal(struct reader *r, const json_t *element)
{
	static const char *const kinds[] = {"AWS", "Service", "Federated", "CanonicalUser", 0};
	const char *kind;
	json_t *list;
	if (json_is_string(element)) {
		expect(r, str_is(naive_text(element), "*"), NAIVE_INVALID);
		return;
	}
	expect(r, json_is_object(element), NAIVE_INVALID);
	expect(r, json_object_size(element) > 0, NAIVE_UNSURE);
	read_names(r, element, kinds);
	json_object_foreach ((json_t *) element, kind, list) {
		bool is_aws = strcmp(kind, "AWS") == 0;
		/* AWS documents neither the format of other kinds, nor whether a list may be empty */
		expect(r, is_aws && !(json_is_array(list) && json_array_size(list) == 0), NAIVE_UNSURE);
		if (json_is_array(list) && json_array_size(list) == 0)
			continue;
		read_list(r, list, is_aws ? read_account : read_any);
	}
}

/* A value that its operator cannot read: IAM may take it, and then it never matches. */
static void read_value(struct reader *r, const struct naive_operator *o, const json_t *value)
{
	bool is_text = o->how == HOW_EQUALS || o->how == HOW_FOLDED || o->how == HOW_LIKE;
	bool is_flag = o->how == HOW_BOOL || o->how == HOW_NULL;
	struct str text = naive_text(value);
	expect(r, json_is_string(value) || json_is_number(value) || json_is_boolean(value), NAIVE_INVALID);
	expect(r, text.n <= POLICY_TEXT_MAX && !json_is_real(value), NAIVE_UNSURE);
	read_variables(r, text);
	if (is_flag)
		expect(r, json_is_boolean(value) || str_is(text, "true") || str_is(text, "false"),
		       NAIVE_UNSURE);
	else
		expect(r, is_text, NAIVE_UNSURE);
}

static void read_condition(struct reader *r, const json_t *condition)
{
	const char *name, *key;
	json_t *keys, *list;
	expect(r, json_is_object(condition), NAIVE_INVALID);
	json_object_foreach ((json_t *) condition, name, keys) {
		struct naive_operator o = {0};
		bool is_known = naive_find_operator(str_from(name), &o);
		/* letters of another case, and Null with a word more, may or may not be taken */
		expect(r, is_known, strcasestr(name, "Null") ? NAIVE_UNSURE : NAIVE_INVALID);
		expect(r, json_is_object(keys), NAIVE_INVALID);
		expect(r, json_object_size(keys) > 0, NAIVE_UNSURE);
		json_object_foreach (keys, key, list) {
			size_t count = json_is_array(list) ? json_array_size(list) : 1;
			expect(r,
			       strchr(key, ':') && count > 0 && count <= POLICY_VALUES_MAX &&
				       strlen(key) < 200,
			       NAIVE_UNSURE);
			for (size_t k = 0; k < count; k++)
				read_value(r, &o, json_is_array(list) ? json_array_get(list, k) : list);
		}
	}
}

/* Exactly one of the two members must be present. */
static const json_t *read_either(struct reader *r, const json_t *s, const char *name, const char *other)
{
	const json_t *one = json_object_get(s, name), *two = json_object_get(s, other);
	expect(r, !one != !two, NAIVE_INVALID);
	return one ? one : two;
}

static void read_statement(struct reader *r, const json_t *s)
{
	static const char *const names[] = {
		"Sid",         "Effect",    "Action",    "NotAction",    "Resource",
		"NotResource", "Condition", "Principal", "NotPrincipal", 0};
	static const char *const effects[] = {"Allow", "Deny", 0};
	const json_t *sid = json_object_get(s, "Sid"), *e;
	expect(r, json_is_object(s), NAIVE_INVALID);
	read_names(r, s, names);
	expect(r, is_one_of(naive_text(json_object_get(s, "Effect")), effects), NAIVE_INVALID);
	expect(r, !sid || json_is_string(sid), NAIVE_INVALID);
	if (sid && naive_text(sid).n)
		expect(r, is_word(naive_text(sid), ""),
		       r->form == POLICY_OF_IDENTITY ? NAIVE_INVALID : NAIVE_UNSURE);
	else
		expect(r, !sid, NAIVE_UNSURE);
	if ((e = read_either(r, s, "Action", "NotAction")))
		read_list(r, e, read_action);
	if (r->form == POLICY_OF_IDENTITY) {
		expect(r, !json_object_get(s, "Principal") && !json_object_get(s, "NotPrincipal"),
		       NAIVE_INVALID);
		if ((e = read_either(r, s, "Resource", "NotResource")))
			read_list(r, e, read_resource);
	} else {
		expect(r, !json_object_get(s, "Resource") && !json_object_get(s, "NotResource"),
		       NAIVE_UNSURE);
		if ((e = read_either(r, s, "Principal", "NotPrincipal")))
			read_principal(r, e);
	}
	if ((e = json_object_get(s, "Condition")))
		read_condition(r, e);
}

/* A Sid must be unique in its document. */
static bool has_double_sid(const json_t *list)
{
	for (size_t k = 0; k < json_array_size(list); k++)
		for (size_t n = 0; n < k; n++) {
			const json_t *one = json_object_get(json_array_get(list, k), "Sid"),
				     *other = json_object_get(json_array_get(list, n), "Sid");
			if (naive_text(one).n && json_equal(one, other))
				return true;
		}
	return false;
}

static void read_document(struct reader *r, const json_t *document)
{
	static const char *const names[] = {"Version", "Id", "Statement", 0};
	static const char *const versions[] = {"2008-10-17", "2012-10-17", 0};
	const json_t *version = json_object_get(document, "Version"), *id = json_object_get(document, "Id"),
		     *list = json_object_get(document, "Statement");
	expect(r, json_is_object(document), NAIVE_INVALID);
	read_names(r, document, names);
	expect(r, !version || is_one_of(naive_text(version), versions), NAIVE_INVALID);
	expect(r, !id || json_is_string(id), NAIVE_INVALID);
	expect(r, !id, NAIVE_UNSURE);
	expect(r, json_is_object(list) || json_is_array(list), NAIVE_INVALID);
	if (!json_is_array(list)) {
		read_statement(r, list);
		return;
	}
	expect(r, json_array_size(list) > 0 && json_array_size(list) <= POLICY_STATEMENTS_MAX, NAIVE_UNSURE);
	expect(r, !has_double_sid(list), NAIVE_INVALID);
	for (size_t k = 0; k < json_array_size(list); k++)
		read_statement(r, json_array_get(list, k));
}

enum naive_validity policy_naive_read(struct str text, enum policy_form form, json_t **ret_document)
{
	struct reader r = {form, NAIVE_VALID};
	json_error_t error;
	*ret_document = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &error);
	if (!*ret_document) {
		enum json_error_code code = json_error_code(&error);
		bool is_syntax = code == json_error_invalid_syntax ||
				 code == json_error_premature_end_of_input ||
				 code == json_error_end_of_input_expected || code == json_error_duplicate_key;
		return is_syntax ? NAIVE_INVALID : NAIVE_UNSURE;
	}
	expect(&r, text.n <= POLICY_DOCUMENT_MAX, NAIVE_UNSURE);
	read_document(&r, *ret_document);
	return r.validity;
}
