/* SPDX-License-Identifier: Apache-2.0
 * A recursive-descent parser for filters; "not" binds closest, then "and", then "or". Depth and number of terms are limited, so
 * that a hostile text costs no more than its length. */
#include "api/scim/filter.h"

#include "base/clock.h"

struct parser {
	struct ctx *c;
	const struct scim_type *type;
	const struct scim_attribute
		*parent; /* between brackets: the attribute before them; NULL: the resource */
	struct str rest;
	int depth, terms;
};

static RESULT fail(struct parser *p, const char *why)
{
	return ctx_fail_field(p->c, ERR_INVALID, STR("filter"),
			      "The filter is not valid at '%" STR_FMT "': %s.", STR_ARG(str_cut(p->rest, 40)),
			      why);
}

static struct scim_filter *new_filter(struct parser *p, enum scim_operator op)
{
	struct scim_filter *f = arena_new_object(p->c->arena, struct scim_filter);
	if (f)
		f->op = op;
	return f;
}

/* ---- words ---- */

static void skip_space(struct parser *p)
{
	while (p->rest.n && (p->rest.p[0] == ' ' || p->rest.p[0] == '\t'))
		p->rest = str_slice(p->rest, 1, p->rest.n);
}

static bool take_char(struct parser *p, char c)
{
	skip_space(p);
	if (!p->rest.n || p->rest.p[0] != c)
		return false;
	p->rest = str_slice(p->rest, 1, p->rest.n);
	return true;
}

static bool is_word_char(char c)
{
	return str_is_alphanumeric(c) || (c && strchr("-_$:.", c));
}

static struct str peek_word(struct parser *p)
{
	size_t n = 0;
	skip_space(p);
	while (n < p->rest.n && is_word_char(p->rest.p[n]))
		n++;
	return str_slice(p->rest, 0, n);
}

static bool take_word(struct parser *p, const char *word)
{
	struct str next = peek_word(p);
	if (!str_equal_nocase(next, str_from(word)))
		return false;
	p->rest = str_slice(p->rest, next.n, p->rest.n);
	return true;
}

static bool take_operator(struct parser *p, enum scim_operator *ret_op)
{
	static const char *const words[] = {
		[SCIM_EQ] = "eq", [SCIM_NE] = "ne", [SCIM_CO] = "co", [SCIM_SW] = "sw", [SCIM_EW] = "ew",
		[SCIM_GT] = "gt", [SCIM_GE] = "ge", [SCIM_LT] = "lt", [SCIM_LE] = "le", [SCIM_PR] = "pr"};
	for (enum scim_operator op = SCIM_EQ; op <= SCIM_PR; op++)
		if (take_word(p, words[op])) {
			*ret_op = op;
			return true;
		}
	return false;
}

/* ---- literals ---- */

/* Number of bytes of the JSON string that the text begins with; 0: it is not closed. */
static size_t measure_string(struct str text)
{
	for (size_t k = 1; k < text.n; k++) {
		if (text.p[k] == '"')
			return k + 1;
		k += text.p[k] == '\\';
	}
	return 0;
}

static RESULT take_string(struct parser *p, struct scim_filter *f)
{
	size_t n = measure_string(p->rest);
	json_t *value = n ? json_loadb(p->rest.p, n, JSON_DECODE_ANY, NULL) : NULL;
	if (!json_is_string(value)) {
		json_decref(value);
		return fail(p, "a string has no end, or a wrong escape");
	}
	f->literal = SCIM_IS_TEXT;
	f->text = str_copy(p->c->arena, (struct str){json_string_value(value), json_string_length(value)});
	json_decref(value);
	p->rest = str_slice(p->rest, n, p->rest.n);
	return OK;
}

static RESULT take_literal(struct parser *p, struct scim_filter *f)
{
	skip_space(p);
	if (p->rest.n && p->rest.p[0] == '"')
		return take_string(p, f);
	if (take_word(p, "true"))
		f->literal = SCIM_IS_TRUE;
	else if (take_word(p, "false"))
		f->literal = SCIM_IS_FALSE;
	else if (take_word(p, "null"))
		f->literal = SCIM_IS_NULL;
	else
		return fail(p, "a string between quotation marks, true, false or null is expected");
	return OK;
}

/* ---- terms ---- */

/* The attribute that is compared; a complex one is compared by its sub-attribute "value". */
static const struct scim_attribute *complete(struct scim_place *place)
{
	const struct scim_attribute *a = place->sub ? place->sub : place->attribute;
	if (a->type != SCIM_COMPLEX)
		return a;
	const struct scim_attribute *value = scim_find_attribute(a->subs, a->sub_count, STR("value"));
	if (!value || place->sub)
		return NULL;
	place->sub = value;
	return value;
}

static RESULT check_boolean(struct parser *p, struct scim_filter *f)
{
	bool is_true = str_equal_nocase(f->text, STR("true"));
	if (f->literal == SCIM_IS_TEXT && (is_true || str_equal_nocase(f->text, STR("false"))))
		f->literal = is_true ? SCIM_IS_TRUE : SCIM_IS_FALSE;
	return f->literal == SCIM_IS_TEXT || f->op > SCIM_NE
		       ? fail(p, "a boolean is compared with true or false, by eq or ne")
		       : OK;
}

static RESULT check_time(struct parser *p, struct scim_filter *f)
{
	bool fits = f->op != SCIM_CO && f->op != SCIM_SW && f->op != SCIM_EW;
	if (f->literal == SCIM_IS_NULL && fits)
		return OK;
	return fits && f->literal == SCIM_IS_TEXT && result_is_ok(clock_parse(f->text, &f->time_us))
		       ? OK
		       : fail(p, "a time is compared with a time such as \"2011-05-13T04:42:34Z\"");
}

static RESULT check_comparison(struct parser *p, struct scim_filter *f)
{
	const struct scim_attribute *a = complete(&f->place);
	if (!a)
		return fail(p, "a complex attribute is compared by one of its sub-attributes");
	if (a->mutability == SCIM_WRITE_ONLY)
		return fail(p, "the attribute cannot be read");
	if (a->type == SCIM_BOOLEAN)
		return check_boolean(p, f);
	if (a->type == SCIM_TIME)
		return check_time(p, f);
	if (f->literal != SCIM_IS_TEXT && (f->literal != SCIM_IS_NULL || f->op > SCIM_NE))
		return fail(p, "a string is compared with a string");
	return OK;
}

static RESULT parse_or(struct parser *p, const struct scim_filter **ret_filter);

/* Between brackets: the names are those of the attribute before them. */
static RESULT parse_values(struct parser *p, const struct scim_attribute *attribute,
			   const struct scim_filter **ret_filter)
{
	const struct scim_attribute *outer = p->parent;
	if (outer || !attribute->sub_count || !attribute->is_list)
		return fail(p, "brackets stand behind an attribute with several complex values");
	p->parent = attribute;
	TRY(parse_or(p, ret_filter));
	p->parent = outer;
	return take_char(p, ']') ? OK : fail(p, "']' is expected");
}

static RESULT read_place(struct parser *p, struct scim_place *ret_place)
{
	struct str word = peek_word(p);
	bool is_known = p->parent ? scim_read_sub_place(p->parent, word, ret_place)
				  : scim_read_place(p->type, word, ret_place);
	if (!word.n || !is_known)
		return fail(p, "an attribute is expected");
	p->rest = str_slice(p->rest, word.n, p->rest.n);
	return OK;
}

static RESULT parse_comparison(struct parser *p, const struct scim_filter **ret_filter)
{
	struct scim_filter *f = new_filter(p, SCIM_PR);
	if (!f)
		return ctx_no_memory(p->c);
	TRY(read_place(p, &f->place));
	*ret_filter = f;
	if (!f->place.sub && take_char(p, '[')) {
		f->op = SCIM_HAS;
		return parse_values(p, f->place.attribute, &f->left);
	}
	if (!take_operator(p, &f->op))
		return fail(p, "an operator is expected: eq, ne, co, sw, ew, gt, ge, lt, le or pr");
	if (f->op == SCIM_PR)
		return OK;
	TRY(take_literal(p, f));
	return check_comparison(p, f);
}

static RESULT parse_term(struct parser *p, const struct scim_filter **ret_filter)
{
	if (++p->terms > SCIM_FILTER_TERMS_MAX)
		return fail(p, "it has too many terms");
	bool is_not = take_word(p, "not");
	if (!take_char(p, '('))
		return is_not ? fail(p, "'(' is expected behind not") : parse_comparison(p, ret_filter);
	const struct scim_filter *inner = NULL;
	TRY(parse_or(p, &inner));
	if (!take_char(p, ')'))
		return fail(p, "')' is expected");
	struct scim_filter *f = is_not ? new_filter(p, SCIM_NOT) : NULL;
	if (is_not && !f)
		return ctx_no_memory(p->c);
	if (f)
		f->left = inner;
	*ret_filter = is_not ? f : inner;
	return OK;
}

/* Parses terms between equal operators, from the left. */
static RESULT parse_joined(struct parser *p, enum scim_operator op, const char *word,
			   RESULT (*parse)(struct parser *, const struct scim_filter **),
			   const struct scim_filter **ret_filter)
{
	TRY(parse(p, ret_filter));
	while (take_word(p, word)) {
		struct scim_filter *f = new_filter(p, op);
		if (!f)
			return ctx_no_memory(p->c);
		f->left = *ret_filter;
		TRY(parse(p, &f->right));
		*ret_filter = f;
	}
	return OK;
}

static RESULT parse_and(struct parser *p, const struct scim_filter **ret_filter)
{
	return parse_joined(p, SCIM_AND, "and", parse_term, ret_filter);
}

static RESULT parse_or(struct parser *p, const struct scim_filter **ret_filter)
{
	if (++p->depth > SCIM_FILTER_DEPTH_MAX)
		return fail(p, "it is nested too deeply");
	TRY(parse_joined(p, SCIM_OR, "or", parse_and, ret_filter));
	p->depth--;
	return OK;
}

static RESULT check_size(struct ctx *c, const char *what, struct str text)
{
	return text.n <= SCIM_FILTER_SIZE_MAX
		       ? OK
		       : ctx_fail_field(c, ERR_INVALID, str_from(what), "A %s has at most %d bytes.", what,
					SCIM_FILTER_SIZE_MAX);
}

RESULT scim_parse_filter(struct ctx *c, const struct scim_type *type, struct str text,
			 const struct scim_filter **ret_filter)
{
	struct parser p = {.c = c, .type = type, .rest = text};
	TRY(check_size(c, "filter", text));
	TRY(parse_or(&p, ret_filter));
	skip_space(&p);
	return p.rest.n ? fail(&p, "the end, and, or or is expected") : OK;
}

static RESULT fail_path(struct ctx *c, struct str text)
{
	return ctx_fail_field(c, ERR_INVALID, STR("path"), "The path '%" STR_FMT "' names no attribute.",
			      STR_ARG(str_cut(text, 80)));
}

RESULT scim_parse_path(struct ctx *c, const struct scim_type *type, struct str text,
		       struct scim_path *ret_path)
{
	struct parser p = {.c = c, .type = type, .rest = text};
	struct scim_path path = {0};
	TRY(check_size(c, "path", text));
	struct str word = peek_word(&p);
	if (!scim_read_place(type, word, &path.place))
		return fail_path(c, text);
	p.rest = str_slice(p.rest, word.n, p.rest.n);
	if (!path.place.sub && take_char(&p, '[')) {
		const struct scim_attribute *a = path.place.attribute;
		/* members are only listed: no term is compared with anything */
		p.terms = strcmp(a->name, "members") == 0 ? 0 : SCIM_FILTER_TERMS_MAX - SCIM_PATH_TERMS_MAX;
		TRY(parse_values(&p, a, &path.filter));
		if (take_char(&p, '.')) {
			word = peek_word(&p);
			path.place.sub = scim_find_attribute(a->subs, a->sub_count, word);
			if (!path.place.sub)
				return fail_path(c, text);
			p.rest = str_slice(p.rest, word.n, p.rest.n);
		}
	}
	skip_space(&p);
	if (p.rest.n)
		return fail_path(c, text);
	*ret_path = path;
	return OK;
}

/* ---- matching ---- */

static struct str text_of(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

/* ne is treated as eq, and inverted by the caller. */
static bool orders(enum scim_operator op, int order)
{
	if (op == SCIM_GT || op == SCIM_GE)
		return order > 0 || (op == SCIM_GE && order == 0);
	if (op == SCIM_LT || op == SCIM_LE)
		return order < 0 || (op == SCIM_LE && order == 0);
	return order == 0;
}

static bool matches_text(const struct scim_filter *f, struct str text, bool is_exact)
{
	struct str end = str_slice(text, text.n < f->text.n ? 0 : text.n - f->text.n, text.n);
	struct str start = str_slice(text, 0, f->text.n);
	struct str part = f->op == SCIM_SW ? start : f->op == SCIM_EW ? end : text;
	if (f->op ==
	    SCIM_CO) /* linear in both lengths, as hostile ones must be; JSON texts end with NUL, and have none inside */
		return (is_exact ? strstr(text.p, f->text.p) : strcasestr(text.p, f->text.p)) != NULL;
	return orders(f->op, is_exact ? str_compare(part, f->text) : str_compare_nocase(part, f->text));
}

/* A single value; ne is treated as eq, and inverted by the caller. */
static bool matches_scalar(const struct scim_filter *f, const struct scim_attribute *a, const json_t *value)
{
	int64_t time_us = 0;
	if (f->literal == SCIM_IS_NULL)
		return !value || json_is_null(value);
	if (json_is_boolean(value))
		return f->literal == (json_is_true(value) ? SCIM_IS_TRUE : SCIM_IS_FALSE);
	if (!json_is_string(value) || f->literal != SCIM_IS_TEXT)
		return false;
	if (a->type != SCIM_TIME)
		return matches_text(f, text_of(value), a->is_exact);
	return result_is_ok(clock_parse(text_of(value), &time_us)) &&
	       orders(f->op, time_us < f->time_us ? -1 : time_us > f->time_us);
}

static bool has_value(const json_t *value)
{
	if (json_is_array(value))
		return json_array_size(value) > 0;
	if (json_is_object(value))
		return json_object_size(value) > 0;
	return json_is_string(value) ? json_string_length(value) > 0 : value && !json_is_null(value);
}

static const json_t *part_of(const struct scim_place *place, const json_t *value)
{
	return place->sub && json_is_object(value) ? json_object_get(value, place->sub->name) : value;
}

static bool is_met(const struct scim_filter *f, const json_t *value)
{
	const struct scim_attribute *a = f->place.sub ? f->place.sub : f->place.attribute;
	const json_t *part = part_of(&f->place, value);
	if (f->op == SCIM_HAS)
		return scim_matches_value(f->left, value);
	return f->op == SCIM_PR ? has_value(part) : matches_scalar(f, a, part);
}

/* Compares the attribute's value, or any value of its list. */
static bool compare(const struct scim_filter *f, const json_t *value)
{
	bool is_found = false;
	if (!json_is_array(value))
		is_found = f->op != SCIM_HAS && is_met(f, value);
	else if (!json_array_size(value))
		is_found = f->literal == SCIM_IS_NULL && f->op <= SCIM_NE;
	for (size_t k = 0; json_is_array(value) && k < json_array_size(value) && !is_found; k++)
		is_found = is_met(f, json_array_get(value, k));
	return f->op == SCIM_NE ? !is_found : is_found;
}

/* The recursion is as deep as the parser allowed. */
bool scim_matches(const struct scim_filter *f, scim_read_value read, void *arg)
{
	if (f->op == SCIM_AND)
		return scim_matches(f->left, read, arg) && scim_matches(f->right, read, arg);
	if (f->op == SCIM_OR)
		return scim_matches(f->left, read, arg) || scim_matches(f->right, read, arg);
	if (f->op == SCIM_NOT)
		return !scim_matches(f->left, read, arg);
	json_t *value = read(arg, &f->place);
	bool matches = compare(f, value);
	json_decref(value);
	return matches;
}

static json_t *read_member(void *arg, const struct scim_place *place)
{
	return json_incref(json_object_get(arg, place->attribute->name));
}

bool scim_matches_value(const struct scim_filter *f, const json_t *value)
{
	return scim_matches(f, read_member, (json_t *) value);
}
