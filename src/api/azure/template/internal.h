/* SPDX-License-Identifier: Apache-2.0
 * Private to template/: expressions, and what they are evaluated in.
 *
 * A value is a json_t that is borrowed: what an evaluation makes is kept in the template (template_keep()) until that is freed,
 * and nothing is changed once it is kept. Each kept list and object is measured, so that sharing cannot blow a value up. */
#pragma once

#include "api/azure/template/template.h"
#include "base/heap_budget.h"

/* ---- expressions (expression.c) ---- */

enum expr_type { EXPR_VALUE, EXPR_CALL, EXPR_MEMBER, EXPR_INDEX };

struct template_function;

struct expr {
	enum expr_type type;
	json_t *value;                            /* EXPR_VALUE */
	struct str name;                          /* of the function or the member */
	const struct template_function *function; /* EXPR_CALL; NULL: there is none of that name */
	bool is_safe;                             /* a.?b: null where there is none */
	const struct expr **args;                 /* EXPR_CALL's; the base, and the index behind it */
	size_t arg_count;
};

/* Whether a text is an expression, and then what is between its brackets. */
bool expr_is_one(struct str text, struct str *ret_inner);
RESULT expr_parse(struct template *t, struct str inner, const struct expr **ret_expr);
RESULT expr_evaluate(struct template *t, const struct expr *x, json_t **ret_value);

/* ---- functions (functions_….c) ---- */

/* A call whose arguments are worked out, unless the function is lazy. */
struct template_call {
	const struct expr *expr;
	json_t **args;
	size_t count;
};
typedef RESULT (*template_run)(struct template *t, const struct template_call *call, json_t **ret_value);

enum {
	FUNCTION_LAZY = 1,    /* works its arguments out itself */
	FUNCTION_LATE = 2,    /* only once resources are there */
	FUNCTION_DEFAULT = 4, /* only in defaults of parameters */
};
struct template_function {
	const char *name;
	unsigned min, max; /* arguments */
	template_run run;
	unsigned flags;
};
struct template_functions {
	const struct template_function *at;
	size_t count;
};
extern const struct template_functions template_texts, template_lists, template_numbers, template_logic,
	template_scopes, template_lambdas, template_blocks, template_times, template_uris;
enum { ARGS_ANY = 100000 };
/* NULL: there is none. */
const struct template_function *function_find(struct str name);
/* "Unable to evaluate template language function 'x': …" */
RESULT function_fail(struct template *t, const struct template_call *call, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A failure names the argument, counted from 0. */
RESULT function_text(struct template *t, const struct template_call *call, size_t k, struct str *ret_text);
RESULT function_int(struct template *t, const struct template_call *call, size_t k, int64_t *ret_value);
/* Digits of uniqueString() (template/unique_string.c). */
enum { TEMPLATE_UNIQUE_SIZE = 13 };
void template_write_unique(struct str text, char ret_digits[TEMPLATE_UNIQUE_SIZE]);
/* A value as text, as concat() and format() write it. */
RESULT template_to_text(struct template *t, const json_t *value, struct str *ret_text);

/* ---- what is evaluated ---- */

/* Which turn of a copy it is. */
struct copy_turn {
	const struct copy_turn *up;
	struct str name; /* empty: of an output */
	int64_t index;
	bool is_inner; /* of a property or a variable: copyIndex() without a name is the resource's */
};
struct lambda_variable {
	const struct lambda_variable *up;
	struct str name;
	json_t *value;
};

/* What a function of the template's own is called with. */
struct template_argument {
	struct str name;
	json_t *value;
};
struct template_frame {
	struct template_argument *at;
	size_t count;
};

/* A parameter or a variable. */
struct template_named {
	const char *name;
	const json_t *definition;
	json_t *value; /* NULL: not worked out so far */
	bool is_open;  /* it is being worked out */
	bool is_secure;
	bool is_copy; /* a variable that "copy" defines */
};

/* Of a resource, what who calls does not see. */
struct template_part {
	const json_t *definition;
	const struct copy_turn *turn;
	struct str copy_name;
	size_t copy_first;   /* the resource of the copy's first turn */
	size_t copy_index;   /* which turn it is */
	size_t batch;        /* so many turns at once; 0: all */
	struct str scope;    /* before "/providers/"; empty: the place's own */
	struct str relative; /* the id behind its last "/providers/" */
};

struct template
{
	struct ctx *c;
	struct template_place place;
	template_read read;
	void *arg;
	const json_t *document;
	json_t *kept;
	struct template_named *parameters, *variables;
	size_t parameter_count, variable_count;
	struct template_resource *resources;
	size_t resource_count;
	size_t steps, bytes;       /* so far */
	struct heap_budget budget; /* of values */
	/* of the evaluation at hand: */
	unsigned depth;
	const struct copy_turn *turn;
	const struct lambda_variable *lambda;
	const struct template_frame *frame; /* of a function of the template's own; NULL: outside */
	bool is_early;                      /* no reference() */
	bool is_default;                    /* of a parameter: newGuid(), no variables() */
	bool is_loose;
	struct template_reference missing;
};

/* Behind everything that evaluates: ends the use of the budget, with the one that was in use before. A failure for
 * lack of memory is the template's own once its budget is used up. */
struct result template_end(struct template *t, struct heap_budget *before, struct result result);

/* ---- values (values.c) ---- */

/* Takes over a new value; NULL is out of memory. ERR_INVALID: it is too large, or too deep. */
RESULT template_keep(struct template *t, json_t *made, json_t **ret_value);
RESULT template_keep_text(struct template *t, struct str text, json_t **ret_value);
/* Counts work. ERR_INVALID: it is too much. */
RESULT template_step(struct template *t, size_t count);
/* Counts a pass over a value's bytes, elements or members. ERR_INVALID. */
RESULT template_step_over(struct template *t, const json_t *value);
/* Compares as json_equal() does, and counts the work, since one pair of values can be compared again and again. ERR_INVALID. */
RESULT template_equal(struct template *t, const json_t *a, const json_t *b, bool *ret_are_equal);
/* Likewise, with each element of a list. */
RESULT template_has_element(struct template *t, const json_t *list, const json_t *wanted, bool *ret_has);
/* A new evaluation begins. */
void template_begin(struct template *t);
static inline struct str template_text_of(const json_t *value)
{
	return json_is_string(value) ? (struct str){json_string_value(value), json_string_length(value)}
				     : STR_NONE;
}
/* "Integer": Azure's word for a value's type. */
const char *template_type_word(const json_t *value);
/* A value with all expressions in it worked out, and "copy" in objects unrolled. */
RESULT template_resolve(struct template *t, const json_t *value, json_t **ret_value);
/* The same of a member; NULL where there is none. */
RESULT template_resolve_member(struct template *t, const json_t *object, const char *name,
			       json_t **ret_value);
/* An input once for each turn of a copy. */
RESULT template_unroll(struct template *t, const json_t *copy, struct str name, json_t **ret_list);

/* ---- parameters and variables (parameters.c) ---- */

/* Reads all, and works them out. given: {"name": {"value": …}}, or NULL. ERR_INVALID. */
RESULT template_open_parameters(struct template *t, const json_t *given);
RESULT template_open_variables(struct template *t);
/* What one is worth, whatever the case of its name. ERR_INVALID: there is none. */
RESULT template_find_parameter(struct template *t, struct str name, json_t **ret_value);
RESULT template_find_variable(struct template *t, struct str name, json_t **ret_value);

/* ---- functions that the template defines (user_functions.c) ---- */

/* Calls the one that x names. ERR_INVALID: there is none. */
RESULT user_function_call(struct template *t, const struct expr *x, json_t **ret_value);
/* Within one: its own parameter of that name. ERR_INVALID. */
RESULT user_function_parameter(struct template *t, struct str name, json_t **ret_value);

/* ---- resources (resources.c, needs.c) ---- */

/* All resources, children and turns of copies; and then who needs whom. ERR_INVALID. */
RESULT template_open_resources(struct template *t);
RESULT template_link(struct template *t);
/* "/subscriptions/…[/resourceGroups/…]/providers/NS/a/n/b/m". Empty: the numbers of segments do not fit. */
struct str template_make_id(struct template *t, struct str scope, struct str type, struct str name);
/* "/subscriptions/…/resourceGroups/…": the scope of a group; empty group: of the subscription. */
struct str template_make_scope(struct template *t, struct str subscription, struct str group);
/* The resource that a name in dependsOn or reference() means; TEMPLATE_NO_RESOURCE: none. ERR_INVALID: too much work. */
RESULT template_find_resource(struct template *t, struct str name, size_t *ret_resource);
/* Whether the resource is a turn of the copy of that name, or symbol. */
bool template_is_turn(const struct template_resource *r, struct str name);
