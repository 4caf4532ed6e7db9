/* SPDX-License-Identifier: Apache-2.0
 * Reads and evaluates metric math in one walk. */
#include "engine/alarm/metric_math.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { DEPTH_MAX = 40, LIST_MAX = 100, ARGUMENTS_MAX = 20, NUMBER_MAX = 63 };

/* A number, a series, or a list of series. */
struct value {
	enum { VALUE_NUMBER, VALUE_SERIES, VALUE_LIST } type;
	double number;
	double *at;
	bool is_spare; /* a result that nobody else has, so the next one may be written over it */
	struct value *items;
	size_t count; /* of a list */
};

struct math {
	struct ctx *c;
	const struct math_scope *scope;
	struct str text;
	size_t at, depth;
};

static RESULT fail_math(struct math *m, const char *why)
{
	return ctx_fail_field(m->c, ERR_INVALID, STR("Metrics"),
			      "Invalid metrics list: the expression is not valid at character %zu: %s",
			      m->at + 1, why);
}

static RESULT read_expression(struct math *m, struct value *ret);

/* ---- characters ---- */

static void skip_spaces(struct math *m)
{
	while (m->at < m->text.n && isspace((unsigned char) m->text.p[m->at]))
		m->at++;
}

static bool take(struct math *m, const char *token)
{
	size_t n = strlen(token);
	skip_spaces(m);
	if (!str_starts_with(str_slice(m->text, m->at, m->text.n), (struct str){token, n}))
		return false;
	m->at += n;
	return true;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char) c) || c == '_';
}

static struct str peek_word(struct math *m)
{
	skip_spaces(m);
	size_t end = m->at;
	while (end < m->text.n && is_word_char(m->text.p[end]))
		end++;
	return str_slice(m->text, m->at, end);
}

static bool take_word(struct math *m, const char *word)
{
	struct str found = peek_word(m);
	if (!str_is(found, word))
		return false;
	m->at += found.n;
	return true;
}

/* ---- values ---- */

static RESULT new_series(struct math *m, struct value *ret)
{
	*ret = (struct value){.type = VALUE_SERIES,
			      .at = arena_new_array(m->c->arena, double, m->scope->count + 1),
			      .is_spare = true};
	return ret->at ? OK : ctx_no_memory(m->c);
}

/* A long sum has one series, not one for each of its operators. */
static RESULT reuse_series(struct math *m, const struct value *x, const struct value *y, struct value *ret)
{
	if (!x->is_spare && !y->is_spare)
		return new_series(m, ret);
	*ret = x->is_spare ? *x : *y;
	return OK;
}

static double value_at(const struct value *v, size_t k)
{
	return v->type == VALUE_SERIES ? v->at[k] : v->number;
}

static bool compare(char operator, double x, double y)
{
	switch (operator) {
	case '<':
		return x < y;
	case '>':
		return x > y;
	case 'l':
		return x <= y;
	case 'g':
		return x >= y;
	case '=':
		return x == y;
	case '!':
		return x != y;
	case '&':
		return x != 0 && y != 0;
	default:
		return x != 0 || y != 0;
	}
}

static double apply(char operator, double x, double y)
{
	double result = operator== '+' ? x + y :
			operator== '-' ? x - y
			:
			operator== '*' ? x * y
			:
			operator== '/' ? x / y
			:
			operator== '^' ? pow(x, y)
				       : compare(operator, x, y);
	return isnan(x) || isnan(y) || !isfinite(result) ? NAN : result;
}

/* Of two lists, or of a list and something else, each with each is not built. */
static RESULT combine(struct math *m, char operator, const struct value * x, const struct value *y,
		      struct value *ret)
{
	if (x->type == VALUE_LIST || y->type == VALUE_LIST)
		return fail_math(m, "operators on arrays are not supported in this region.");
	if (x->type == VALUE_NUMBER && y->type == VALUE_NUMBER) {
		*ret = (struct value){.number = apply(operator, x->number, y->number)};
		return OK;
	}
	struct value made;
	TRY(reuse_series(m, x, y, &made));
	for (size_t k = 0; k < m->scope->count; k++)
		made.at[k] = apply(operator, value_at(x, k), value_at(y, k));
	*ret = made;
	return OK;
}

/* ---- functions ---- */

enum fold { FOLD_SUM, FOLD_AVG, FOLD_MIN, FOLD_MAX, FOLD_COUNT };

static double fold(enum fold how, double so_far, double x, size_t n)
{
	return how == FOLD_MIN && n                 ? fmin(so_far, x)
	       : how == FOLD_MAX && n               ? fmax(so_far, x)
	       : how == FOLD_MIN || how == FOLD_MAX ? x
	       : how == FOLD_COUNT                  ? so_far + 1
						    : so_far + x;
}

static double fold_end(enum fold how, double so_far, size_t n)
{
	return !n ? NAN : how == FOLD_AVG ? so_far / (double) n : so_far;
}

/* A list gives a series, from what the items have at each time; a series gives a number. */
static RESULT fold_value(struct math *m, enum fold how, const struct value *v, struct value *ret)
{
	double so_far = 0;
	size_t n = 0;
	if (v->type == VALUE_NUMBER) {
		*ret = *v;
		return OK;
	}
	if (v->type == VALUE_SERIES) {
		for (size_t k = 0; k < m->scope->count; k++)
			if (!isnan(v->at[k]))
				so_far = fold(how, so_far, v->at[k], n), n++;
		*ret = (struct value){.number = fold_end(how, so_far, n)};
		return OK;
	}
	struct value made;
	TRY(new_series(m, &made));
	for (size_t k = 0; k < m->scope->count; k++) {
		so_far = 0, n = 0;
		for (size_t i = 0; i < v->count; i++)
			if (!isnan(value_at(&v->items[i], k)))
				so_far = fold(how, so_far, value_at(&v->items[i], k), n), n++;
		made.at[k] = fold_end(how, so_far, n);
	}
	*ret = made;
	return OK;
}

static RESULT fill(struct math *m, const struct value *v, const struct value *with, bool repeats,
		   struct value *ret)
{
	struct value made;
	double last = NAN;
	TRY(new_series(m, &made));
	for (size_t k = 0; k < m->scope->count; k++) {
		double x = value_at(v, k);
		made.at[k] = !isnan(x) ? x : repeats ? last : value_at(with, k);
		last = made.at[k];
	}
	*ret = made;
	return OK;
}

/* The difference to the point before; a rate is that by seconds. */
static RESULT differ(struct math *m, const struct value *v, bool is_rate, struct value *ret)
{
	struct value made;
	TRY(new_series(m, &made));
	for (size_t k = 0; k < m->scope->count; k++)
		made.at[k] =
			k ? (value_at(v, k) - value_at(v, k - 1)) / (is_rate ? m->scope->period_s : 1) : NAN;
	*ret = made;
	return OK;
}

static RESULT map(struct math *m, double (*function)(double), const struct value *v, struct value *ret)
{
	if (v->type == VALUE_NUMBER) {
		*ret = (struct value){.number = function(v->number)};
		return OK;
	}
	struct value made;
	TRY(reuse_series(m, v, v, &made));
	for (size_t k = 0; k < m->scope->count; k++)
		made.at[k] = function(v->at[k]);
	*ret = made;
	return OK;
}

static RESULT choose(struct math *m, const struct value *v, size_t count, struct value *ret)
{
	struct value made;
	TRY(new_series(m, &made));
	for (size_t k = 0; k < m->scope->count; k++) {
		double condition = value_at(&v[0], k);
		made.at[k] = isnan(condition) || (condition == 0 && count < 3)
				     ? NAN
				     : value_at(&v[condition != 0 ? 1 : 2], k);
	}
	*ret = made;
	return OK;
}

static RESULT list_metrics(struct math *m, const struct value *named, size_t count, struct value *ret)
{
	(void) named;
	struct value made = {.type = VALUE_LIST,
			     .items = arena_new_array(m->c->arena, struct value, m->scope->series_count + 1)};
	if (!made.items)
		return ctx_no_memory(m->c);
	if (count)
		return fail_math(m, "METRICS with a text is not supported in this region.");
	for (size_t k = 0; k < m->scope->series_count; k++)
		if (m->scope->series[k].is_metric)
			made.items[made.count++] =
				(struct value){.type = VALUE_SERIES, .at = (double *) m->scope->series[k].at};
	*ret = made;
	return OK;
}

struct function {
	const char *name;
	size_t least, most;
	enum fold fold;
	double (*map)(double);
	bool takes_lists;
};

static const struct function functions[] = {
	{"ABS", 1, 1, 0, fabs, false},       {"CEIL", 1, 1, 0, ceil, false},
	{"FLOOR", 1, 1, 0, floor, false},    {"SUM", 1, 1, FOLD_SUM, NULL, true},
	{"AVG", 1, 1, FOLD_AVG, NULL, true}, {"MIN", 1, 1, FOLD_MIN, NULL, true},
	{"MAX", 1, 1, FOLD_MAX, NULL, true}, {"DATAPOINT_COUNT", 1, 1, FOLD_COUNT, NULL, true},
	{"FILL", 2, 2, 0, NULL, false},      {"IF", 2, 3, 0, NULL, false},
	{"RATE", 1, 1, 0, NULL, false},      {"DIFF", 1, 1, 0, NULL, false},
	{"PERIOD", 1, 1, 0, NULL, false},    {"METRICS", 0, 1, 0, NULL, false},
};

static RESULT call_function(struct math *m, const struct function *f, const struct value *v, size_t count,
			    bool repeats, struct value *ret)
{
	for (size_t k = 0; k < count; k++)
		if (v[k].type == VALUE_LIST && !f->takes_lists)
			return fail_math(m, "this function takes no arrays.");
	if (f->map)
		return map(m, f->map, &v[0], ret);
	if (f->takes_lists)
		return fold_value(m, f->fold, &v[0], ret);
	if (strcmp(f->name, "METRICS") == 0)
		return list_metrics(m, v, count, ret);
	if (strcmp(f->name, "FILL") == 0)
		return fill(m, &v[0], &v[1], repeats, ret);
	if (strcmp(f->name, "IF") == 0)
		return choose(m, v, count, ret);
	if (strcmp(f->name, "PERIOD") == 0) {
		*ret = (struct value){.number = m->scope->period_s};
		return OK;
	}
	return differ(m, &v[0], strcmp(f->name, "RATE") == 0, ret);
}

static RESULT read_call(struct math *m, struct str name, struct value *ret)
{
	const struct function *f = NULL;
	struct value arguments[ARGUMENTS_MAX] = {0};
	size_t count = 0;
	bool repeats = false;
	for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
		if (str_is(name, functions[k].name))
			f = &functions[k];
	if (!f)
		return fail_math(m, "this function is not supported in this region.");
	while (!take(m, ")")) {
		if (count == f->most || (count && !take(m, ",")))
			return fail_math(m, "the arguments of a function are not as it takes them.");
		repeats = strcmp(f->name, "FILL") == 0 && count == 1 && take_word(m, "REPEAT");
		if (!repeats)
			TRY(read_expression(m, &arguments[count]));
		count++;
	}
	if (count < f->least)
		return fail_math(m, "a function lacks an argument.");
	return call_function(m, f, arguments, count, repeats, ret);
}

/* ---- grammar ---- */

static RESULT read_number(struct math *m, struct value *ret)
{
	char text[NUMBER_MAX + 1] = {0}, *end = NULL;
	size_t n = m->text.n - m->at < NUMBER_MAX ? m->text.n - m->at : NUMBER_MAX;
	memcpy(text, m->text.p + m->at, n);
	*ret = (struct value){.number = strtod(text, &end)};
	m->at += (size_t) (end - text);
	return isfinite(ret->number) ? OK : fail_math(m, "a number is too large.");
}

static RESULT read_list(struct math *m, struct value *ret)
{
	struct value made = {.type = VALUE_LIST,
			     .items = arena_new_array(m->c->arena, struct value, LIST_MAX)};
	if (!made.items)
		return ctx_no_memory(m->c);
	while (!take(m, "]")) {
		if (made.count == LIST_MAX || (made.count && !take(m, ",")))
			return fail_math(m, "an array does not end.");
		TRY(read_expression(m, &made.items[made.count]));
		if (made.items[made.count++].type == VALUE_LIST)
			return fail_math(m, "arrays do not nest.");
	}
	*ret = made;
	return OK;
}

static RESULT read_name(struct math *m, struct value *ret)
{
	struct str name = peek_word(m);
	m->at += name.n;
	if (take(m, "("))
		return read_call(m, name, ret);
	for (size_t k = 0; k < m->scope->series_count; k++)
		if (str_equal(m->scope->series[k].id, name)) {
			*ret = (struct value){.type = VALUE_SERIES, .at = (double *) m->scope->series[k].at};
			return OK;
		}
	return fail_math(m, "a name is no query's.");
}

static RESULT read_one(struct math *m, struct value *ret)
{
	static const struct value zero = {.number = 0};
	if (take(m, "-")) {
		struct value v;
		if (++m->depth > DEPTH_MAX)
			return fail_math(m, "it is nested too deep.");
		TRY(read_one(m, &v));
		m->depth--;
		return combine(m, '-', &zero, &v, ret);
	}
	if (take(m, "(")) {
		TRY(read_expression(m, ret));
		return take(m, ")") ? OK : fail_math(m, "')' is missing.");
	}
	if (take(m, "["))
		return read_list(m, ret);
	if (m->at < m->text.n && (isdigit((unsigned char) m->text.p[m->at]) || m->text.p[m->at] == '.'))
		return read_number(m, ret);
	if (m->at < m->text.n && isalpha((unsigned char) m->text.p[m->at]))
		return read_name(m, ret);
	return fail_math(m, "a number, a name or '(' is expected.");
}

struct level {
	const char *tokens[7];
	char operators[7];
};
/* From the weakest to the strongest. */
static const struct level levels[] = {
	{{"OR", "||"}, "||"}, {{"AND", "&&"}, "&&"}, {{"<=", ">=", "==", "!=", "<", ">"}, "lg=!<>"},
	{{"+", "-"}, "+-"},   {{"*", "/"}, "*/"},    {{"^"}, "^"},
};
enum { LEVELS = sizeof levels / sizeof *levels };

static char take_operator(struct math *m, const struct level *level)
{
	for (size_t k = 0; level->tokens[k]; k++) {
		bool is_word = isalpha((unsigned char) level->tokens[k][0]);
		if (is_word ? take_word(m, level->tokens[k]) : take(m, level->tokens[k]))
			return level->operators[k];
	}
	return 0;
}

static RESULT read_level(struct math *m, size_t level, struct value *ret)
{
	if (level == LEVELS)
		return read_one(m, ret);
	TRY(read_level(m, level + 1, ret));
	for (char operator= take_operator(m, &levels[level]); operator;
	     operator= take_operator(m, &levels[level])) {
		struct value left = *ret, right;
		TRY(read_level(m, level + 1, &right));
		TRY(combine(m, operator, & left, &right, ret));
	}
	return OK;
}

static RESULT read_expression(struct math *m, struct value *ret)
{
	if (++m->depth > DEPTH_MAX)
		return fail_math(m, "it is nested too deep.");
	TRY(read_level(m, 0, ret));
	m->depth--;
	return OK;
}

RESULT metric_math(struct ctx *c, struct str expression, const struct math_scope *scope, double *ret_at)
{
	struct math m = {.c = c, .scope = scope, .text = expression};
	struct value v;
	if (expression.n > MATH_EXPRESSION_MAX)
		return fail_math(&m, "it is too long.");
	TRY(read_expression(&m, &v));
	skip_spaces(&m);
	if (m.at != expression.n)
		return fail_math(&m, "an operator or the end is expected.");
	if (v.type == VALUE_LIST)
		return fail_math(&m, "its result is an array.");
	for (size_t k = 0; k < scope->count; k++) {
		double value = value_at(&v, k);
		ret_at[k] = isfinite(value) ? value : NAN; /* a sum or a difference may be too large */
	}
	return OK;
}
