/* SPDX-License-Identifier: Apache-2.0
 * Expressions: concat('a', parameters('b').c[0]). Source: "Template expressions" of Azure's documentation. */
#include "api/azure/template/internal.h"

enum { NESTING_MAX = 64 };

enum token_type {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_TEXT,
	TOKEN_NUMBER,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_OPEN_INDEX,
	TOKEN_CLOSE_INDEX,
	TOKEN_COMMA,
	TOKEN_DOT,
	TOKEN_MARK,
	TOKEN_BAD,
};
static const char *const token_words[] = {
	[TOKEN_END] = "EndOfData",
	[TOKEN_NAME] = "Identifier",
	[TOKEN_TEXT] = "StringLiteral",
	[TOKEN_NUMBER] = "Integer",
	[TOKEN_OPEN] = "LeftParenthesis",
	[TOKEN_CLOSE] = "RightParenthesis",
	[TOKEN_OPEN_INDEX] = "LeftSquareBracket",
	[TOKEN_CLOSE_INDEX] = "RightSquareBracket",
	[TOKEN_COMMA] = "Comma",
	[TOKEN_DOT] = "Dot",
	[TOKEN_MARK] = "QuestionMark",
	[TOKEN_BAD] = "Unknown",
};

struct parser {
	struct template *t;
	struct str text;
	size_t at;
	unsigned depth;
	enum token_type type; /* current token */
	struct str token;     /* its text; a literal's as written, between its quotes */
};

bool expr_is_one(struct str text, struct str *ret_inner)
{
	*ret_inner = str_slice(text, 1, text.n - (text.n > 0));
	return text.n >= 2 && text.p[0] == '[' && text.p[1] != '[' && text.p[text.n - 1] == ']';
}

/* ---- words ---- */

static bool is_of_name(char c)
{
	return str_is_alphanumeric(c) || c == '_' || c == '$' || c == '-' || c == ':' || c == '@';
}

/* Reads a text after its opening quote. A doubled quote stands for one. */
static enum token_type take_text(struct parser *p)
{
	size_t from = p->at;
	for (; p->at < p->text.n; p->at++) {
		if (p->text.p[p->at] != '\'')
			continue;
		if (p->at + 1 >= p->text.n || p->text.p[p->at + 1] != '\'') {
			p->token = str_slice(p->text, from, p->at++);
			return TOKEN_TEXT;
		}
		p->at++;
	}
	return TOKEN_BAD;
}

static enum token_type take_word(struct parser *p)
{
	size_t from = p->at;
	int64_t number;
	while (p->at < p->text.n && is_of_name(p->text.p[p->at]))
		p->at++;
	p->token = str_slice(p->text, from, p->at);
	if (!p->token.n)
		return TOKEN_BAD;
	return result_is_ok(str_parse_int(p->token, &number)) ? TOKEN_NUMBER : TOKEN_NAME;
}

static void take(struct parser *p)
{
	static const char signs[] = "()[],.?";
	static const enum token_type types[] = {TOKEN_OPEN,  TOKEN_CLOSE, TOKEN_OPEN_INDEX, TOKEN_CLOSE_INDEX,
						TOKEN_COMMA, TOKEN_DOT,   TOKEN_MARK};
	while (p->at < p->text.n && strchr(" \t\r\n", p->text.p[p->at]))
		p->at++;
	char c = p->at < p->text.n ? p->text.p[p->at] : 0;
	const char *sign = c ? strchr(signs, c) : NULL;
	p->token = STR_NONE;
	if (p->at == p->text.n) {
		p->type = TOKEN_END;
	} else if (sign) {
		p->type = types[sign - signs];
		p->at++;
	} else if (c == '\'') {
		p->at++;
		p->type = take_text(p);
	} else {
		p->type = take_word(p);
	}
}

/* ---- parsing ---- */

static RESULT fail_parse(struct parser *p, enum token_type expected)
{
	return ctx_fail(p->t->c, ERR_INVALID,
			"Unable to parse language expression '%" STR_FMT
			"': expected token '%s' and actual '%s'.",
			STR_ARG(str_slice(p->text, 0, 512)), token_words[expected], token_words[p->type]);
}

static RESULT expect(struct parser *p, enum token_type type)
{
	if (p->type != type)
		return fail_parse(p, type);
	take(p);
	return OK;
}

static RESULT parse(struct parser *p, const struct expr **ret_expr);

static RESULT new_expr(struct parser *p, enum expr_type type, struct expr **ret_expr)
{
	struct expr *x = arena_new_object(p->t->c->arena, struct expr);
	if (!x)
		return ctx_no_memory(p->t->c);
	x->type = type;
	*ret_expr = x;
	return OK;
}

static RESULT parse_literal(struct parser *p, struct expr **ret_expr)
{
	int64_t number = 0;
	TRY(new_expr(p, EXPR_VALUE, ret_expr));
	json_t **value = &(*ret_expr)->value;
	if (p->type == TOKEN_NUMBER) {
		TRY(str_parse_int(p->token, &number));
		TRY(template_keep(p->t, json_integer(number), value));
	} else {
		char *to = arena_alloc(p->t->c->arena, p->token.n + 1);
		size_t n = 0;
		for (size_t k = 0; to && k < p->token.n; k++) {
			to[n++] = p->token.p[k];
			k += p->token.p[k] == '\'';
		}
		if (!to)
			return ctx_no_memory(p->t->c);
		TRY(template_keep_text(p->t, (struct str){to, n}, value));
	}
	take(p);
	return OK;
}

/* Parses arguments after "name(". */
static RESULT parse_args(struct parser *p, struct expr *x)
{
	size_t room = 0;
	while (p->type != TOKEN_CLOSE) {
		if (x->arg_count)
			TRY(expect(p, TOKEN_COMMA));
		if (x->arg_count == room) {
			const struct expr **more =
				arena_new_array(p->t->c->arena, const struct expr *, room = room * 2 + 4);
			if (!more)
				return ctx_no_memory(p->t->c);
			for (size_t k = 0; k < x->arg_count; k++)
				more[k] = x->args[k];
			x->args = more;
		}
		TRY(parse(p, &x->args[x->arg_count]));
		x->arg_count++;
		if (p->type != TOKEN_COMMA && p->type != TOKEN_CLOSE)
			return fail_parse(p, TOKEN_CLOSE);
	}
	take(p);
	return OK;
}

/* A function of the template's own has a namespace before its name. */
static RESULT parse_call(struct parser *p, struct expr **ret_expr)
{
	TRY(new_expr(p, EXPR_CALL, ret_expr));
	struct expr *x = *ret_expr;
	x->name = p->token;
	take(p);
	if (p->type == TOKEN_DOT) {
		take(p);
		if (p->type != TOKEN_NAME)
			return fail_parse(p, TOKEN_NAME);
		x->name = str_print(p->t->c->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(x->name),
				    STR_ARG(p->token));
		take(p);
	}
	x->function = function_find(x->name);
	TRY(expect(p, TOKEN_OPEN));
	return parse_args(p, x);
}

static RESULT wrap(struct parser *p, enum expr_type type, const struct expr *base, struct expr **ret_expr)
{
	TRY(new_expr(p, type, ret_expr));
	struct expr *x = *ret_expr;
	x->args = arena_new_array(p->t->c->arena, const struct expr *, 2);
	if (!x->args)
		return ctx_no_memory(p->t->c);
	x->args[0] = base;
	x->arg_count = 1;
	return OK;
}

/* .name, .?name, [index], [?index], as many as follow. */
static RESULT parse_rest(struct parser *p, struct expr **x)
{
	unsigned count = 0;
	while (p->type == TOKEN_DOT || p->type == TOKEN_OPEN_INDEX) {
		bool is_index = p->type == TOKEN_OPEN_INDEX;
		if (++count > NESTING_MAX)
			return fail_parse(p, TOKEN_END);
		TRY(wrap(p, is_index ? EXPR_INDEX : EXPR_MEMBER, *x, x));
		take(p);
		(*x)->is_safe = p->type == TOKEN_MARK;
		if (p->type == TOKEN_MARK)
			take(p);
		if (is_index) {
			TRY(parse(p, &(*x)->args[1]));
			(*x)->arg_count = 2;
			TRY(expect(p, TOKEN_CLOSE_INDEX));
			continue;
		}
		(*x)->name = p->token;
		if (p->type != TOKEN_NAME && p->type != TOKEN_NUMBER)
			return fail_parse(p, TOKEN_NAME);
		take(p);
	}
	return OK;
}

static RESULT parse(struct parser *p, const struct expr **ret_expr)
{
	struct expr *x = NULL;
	if (++p->depth > NESTING_MAX)
		return ctx_fail(p->t->c, ERR_INVALID,
				"The language expression '%" STR_FMT "' is too deep.", /* guessed */
				STR_ARG(str_slice(p->text, 0, 128)));
	if (p->type == TOKEN_TEXT || p->type == TOKEN_NUMBER)
		TRY(parse_literal(p, &x));
	else if (p->type == TOKEN_NAME)
		TRY(parse_call(p, &x));
	else
		return fail_parse(p, TOKEN_NAME);
	TRY(parse_rest(p, &x));
	p->depth--;
	*ret_expr = x;
	return OK;
}

RESULT expr_parse(struct template *t, struct str inner, const struct expr **ret_expr)
{
	struct parser p = {.t = t, .text = inner};
	if (inner.n > TEMPLATE_EXPRESSION_MAX)
		return ctx_fail(t->c, ERR_INVALID,
				"The language expression length limit exceeded. Limit: '%d' and actual: "
				"'%zu'.", /* guessed */
				TEMPLATE_EXPRESSION_MAX, inner.n);
	TRY(template_step(t, 1 + inner.n / 4));
	take(&p);
	TRY(parse(&p, ret_expr));
	return p.type == TOKEN_END ? OK : fail_parse(&p, TOKEN_END);
}

/* ---- evaluating ---- */

static RESULT fail_count(struct template *t, const struct template_call *call)
{
	const struct template_function *f = call->expr->function;
	const char *were = "were provided";
	if (f->min == f->max)
		return function_fail(t, call, "function requires %u argument(s) while %zu %s", f->min,
				     call->count, were);
	if (f->max == ARGS_ANY)
		return function_fail(t, call, "function requires at least %u argument(s) while %zu %s",
				     f->min, call->count, were); /* guessed */
	return function_fail(t, call, "function requires between %u and %u argument(s) while %zu %s", f->min,
			     f->max, call->count, were);
}

#define HELP "Please see https://aka.ms/arm-functions for usage details."

static RESULT check_place(struct template *t, const struct expr *x)
{
	const struct template_function *f = x->function;
	bool is_late = f->flags & FUNCTION_LATE && t->is_early;
	bool is_default = f->flags & FUNCTION_DEFAULT && !t->is_default;
	if (is_late || is_default)
		return ctx_fail(t->c, ERR_INVALID,
				"The template function '%s' is not expected at this location. " HELP,
				f->name);
	return OK;
}

static RESULT call_function(struct template *t, const struct expr *x, json_t **ret_value)
{
	struct template_call call = {.expr = x, .count = x->arg_count};
	if (!x->function)
		return user_function_call(t, x, ret_value);
	TRY(check_place(t, x));
	if (call.count < x->function->min || call.count > x->function->max)
		return fail_count(t, &call);
	if (x->function->flags & FUNCTION_LAZY)
		return x->function->run(t, &call, ret_value);
	call.args = arena_new_array(t->c->arena, json_t *, call.count + 1);
	if (!call.args)
		return ctx_no_memory(t->c);
	for (size_t k = 0; k < call.count; k++) {
		TRY(expr_evaluate(t, x->args[k], &call.args[k]));
		TRY(template_step_over(t, call.args[k])); /* most functions look at all of it */
	}
	return x->function->run(t, &call, ret_value);
}

static RESULT fail_member(struct template *t, const json_t *object, struct str name)
{
	struct str all = STR_NONE;
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *) object, key, value)
		if (all.n < 512)
			all = str_print(t->c->arena, "%" STR_FMT "%s%s", STR_ARG(all), all.n ? ", " : "",
					key);
	return ctx_fail(t->c, ERR_INVALID,
			"The language expression property '%" STR_FMT
			"' doesn't exist, available properties are '%" STR_FMT "'.",
			STR_ARG(str_slice(name, 0, 128)), STR_ARG(all));
}

static RESULT take_member(struct template *t, const struct expr *x, json_t *base, struct str name,
			  json_t **ret_value)
{
	TRY(template_step_over(t, base));
	json_t *found = json_is_object(base) ? template_get(base, str_to_z(t->c->arena, name)) : NULL;
	if (!found && x->is_safe)
		found = json_null();
	*ret_value = found;
	if (found)
		return OK;
	if (!json_is_object(base))
		return ctx_fail(t->c, ERR_INVALID,
				"The language expression property '%" STR_FMT
				"' can't be evaluated: its object is of type '%s'.", /* guessed */
				STR_ARG(str_slice(name, 0, 128)), template_type_word(base));
	return fail_member(t, base, name);
}

static RESULT take_index(struct template *t, const struct expr *x, json_t *base, const json_t *index,
			 json_t **ret_value)
{
	if (json_is_string(index))
		return take_member(t, x, base, template_text_of(index), ret_value);
	bool is_fit = json_is_integer(index) && json_is_array(base);
	int64_t k = json_integer_value(index);
	if (is_fit && k >= 0 && (size_t) k < json_array_size(base)) {
		*ret_value = json_array_get(base, (size_t) k);
		return OK;
	}
	if (x->is_safe) {
		*ret_value = json_null();
		return OK;
	}
	if (!is_fit)
		return ctx_fail(t->c, ERR_INVALID,
				"The language expression property array index is not valid for a value of "
				"type '%s'.", /* guessed */
				template_type_word(base));
	return ctx_fail(t->c, ERR_INVALID,
			"The language expression property array index '%lld' is out of bounds.",
			(long long) k);
}

static RESULT evaluate(struct template *t, const struct expr *x, json_t **ret_value)
{
	json_t *base = NULL, *index = NULL;
	switch (x->type) {
	case EXPR_VALUE:
		*ret_value = x->value;
		return OK;
	case EXPR_CALL:
		return call_function(t, x, ret_value);
	case EXPR_MEMBER:
		TRY(expr_evaluate(t, x->args[0], &base));
		return take_member(t, x, base, x->name, ret_value);
	case EXPR_INDEX:
		break;
	}
	TRY(expr_evaluate(t, x->args[0], &base));
	TRY(expr_evaluate(t, x->args[1], &index));
	return take_index(t, x, base, index, ret_value);
}

enum { DEPTH_MAX = 250 };

RESULT expr_evaluate(struct template *t, const struct expr *x, json_t **ret_value)
{
	TRY(template_step(t, 1));
	if (t->depth >= DEPTH_MAX)
		return ctx_fail(t->c, ERR_INVALID, "The template is too deep to be evaluated."); /* guessed */
	t->depth++;
	struct result result = evaluate(t, x, ret_value);
	t->depth--;
	return result;
}
