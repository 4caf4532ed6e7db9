/* SPDX-License-Identifier: Apache-2.0
 * Substitutes policy variables, for example "${aws:username}" or, with a default, "${aws:username,
 * 'nobody'}"; and matches ARNs and actions. */
#include "auth/policy/policy_internal.h"
#include "base/vec.h"

enum { KEY_MAX = 256 };

struct filler {
	struct arena *arena;
	bool escapes; /* escape wildcards in substituted values */
	VEC(char) out;
};

static void put(struct filler *f, struct str text, bool escapes)
{
	for (size_t k = 0; k < text.n; k++) {
		bool is_special = text.p[k] == '*' || text.p[k] == '?' || text.p[k] == '\\';
		if (escapes && is_special)
			(void) VEC_PUSH(f->arena, &f->out, '\\');
		(void) VEC_PUSH(f->arena, &f->out, text.p[k]);
	}
}

/* Keys are looked up in lower case up to '/'. */
static struct str lower_key(struct arena *a, struct str key)
{
	size_t slash = str_find_char(key, '/', 0);
	struct str head = str_lower(a, str_slice(key, 0, slash));
	return slash == key.n ? head
			      : str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(head),
					  STR_ARG(str_slice(key, slash, key.n)));
}

/* Substitutes one variable; inner: the text between "${" and "}". */
static enum policy_known fill_one(struct filler *f, const struct policy_question *q, struct str inner)
{
	size_t comma = str_find_char(inner, ',', 0);
	struct str key = str_trim(str_slice(inner, 0, comma)), otherwise = STR_NONE;
	struct strs values = {0};
	if (str_is(inner, "$")) { /* "${$}" stands for a dollar sign */
		put(f, inner, false);
		return POLICY_PRESENT;
	}
	if (comma < inner.n) {
		otherwise = str_trim(str_slice(inner, comma + 1, inner.n));
		if (otherwise.n >= 2 && otherwise.p[0] == '\'')
			otherwise = str_slice(otherwise, 1, otherwise.n - 1);
	}
	enum policy_known known =
		key.n <= KEY_MAX ? q->find(q, lower_key(f->arena, key), &values) : POLICY_ABSENT;
	if (known == POLICY_NOT_YET)
		return known;
	if (known == POLICY_PRESENT && values.count == 1) { /* a key with several values cannot be
							     * substituted */
		put(f, values.at[0], f->escapes);
		return POLICY_PRESENT;
	}
	put(f, otherwise, f->escapes);
	return comma < inner.n ? POLICY_PRESENT : POLICY_ABSENT;
}

enum policy_known policy_fill(const struct policy_code *p, const struct pattern *pattern,
			      const struct policy_question *q, struct str *ret_pattern)
{
	struct str text = policy_text(p, pattern->text);
	*ret_pattern = text;
	if (!pattern->has_variable)
		return POLICY_PRESENT;
	struct filler f = {.arena = q->arena, .escapes = pattern->is_matched};
	for (size_t k = 0; k < text.n;) {
		if (text.p[k] != '$' || k + 1 >= text.n || text.p[k + 1] != '{') {
			(void) VEC_PUSH(f.arena, &f.out, text.p[k]);
			k++;
			continue;
		}
		size_t end = k + 2;
		bool is_quoted = false;
		while (end < text.n && (text.p[end] != '}' || is_quoted)) {
			is_quoted = is_quoted != (text.p[end] == '\'');
			end++;
		}
		enum policy_known known = fill_one(&f, q, str_slice(text, k + 2, end));
		if (known != POLICY_PRESENT)
			return known;
		k = end + 1;
	}
	*ret_pattern = (struct str){f.out.at ? f.out.at : "", f.out.count};
	return POLICY_PRESENT;
}

/* ---- ARNs ---- */

/* Splits an ARN into six parts; anything shorter is not split. */
void policy_split_arn(struct str arn, struct policy_arn *ret_arn)
{
	struct str rest = arn;
	for (int n = 0; n < ARN_PARTS - 1; n++) {
		size_t colon = str_find_char(rest, ':', 0);
		if (colon == rest.n) {
			*ret_arn = (struct policy_arn){0};
			return;
		}
		ret_arn->at[n] = str_slice(rest, 0, colon);
		rest = str_slice(rest, colon + 1, rest.n);
	}
	ret_arn->at[ARN_PARTS - 1] = rest;
	ret_arn->is_split = true;
	ret_arn->has_more = str_find_char(rest, ':', 0) < rest.n;
}

static bool match_part(struct str part, struct str pattern)
{
	if (pattern.n == 1 && pattern.p[0] == '*')
		return true;
	return str_equal(part, pattern) || str_matches(part, pattern);
}

/* Starts with the last part, which differs most often. */
bool policy_match_arn(const struct policy_arn *arn, const struct policy_arn *pattern)
{
	if (!arn->is_split || !pattern->is_split)
		return false; /* a text that is no ARN matches none */
	for (int n = ARN_PARTS; n-- > 0;)
		if (!match_part(arn->at[n], pattern->at[n]))
			return false;
	return true;
}

bool policy_match_resource(const struct policy_arn *arn, struct str whole, struct str pattern)
{
	struct policy_arn parts = {0};
	if (arn->has_more)
		return str_matches(whole, pattern);
	policy_split_arn(pattern, &parts);
	return policy_match_arn(arn, &parts);
}

bool policy_match_noted(const struct policy_code *p, const struct pattern *pattern,
			const struct policy_arn *arn)
{
	struct str text = policy_text(p, pattern->text);
	size_t end = text.n;
	if (!arn->is_split)
		return false; /* only is_any matches a text that is no ARN */
	for (int n = ARN_PARTS; n-- > 0;) {
		size_t begin = n ? (size_t) pattern->parts[n - 1] + 1 : 0;
		struct str part = str_slice(text, begin, end);
		bool fits = part.n && memchr(part.p, '*', part.n) ? match_part(arn->at[n], part)
			    : pattern->has_wildcard               ? str_matches(arn->at[n], part)
								  : str_equal(arn->at[n], part);
		if (!fits)
			return false;
		end = begin ? begin - 1 : 0;
	}
	return true;
}

/* ---- actions ---- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
}

/* Compares ASCII ignoring case: action names contain nothing else. */
bool policy_match_action(struct str action, struct str pattern)
{
	size_t at = 0, in = 0, star_in = SIZE_MAX, star_at = 0;
	while (at < action.n) {
		if (in < pattern.n && pattern.p[in] == '*') {
			star_in = ++in;
			star_at = at;
		} else if (in < pattern.n &&
			   (pattern.p[in] == '?' || lower(pattern.p[in]) == lower(action.p[at]))) {
			in++;
			at++;
		} else if (star_in != SIZE_MAX) {
			at = ++star_at;
			in = star_in;
		} else {
			return false;
		}
	}
	while (in < pattern.n && pattern.p[in] == '*')
		in++;
	return in == pattern.n;
}
