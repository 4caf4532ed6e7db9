/* SPDX-License-Identifier: Apache-2.0
 * Private to template/: expressions, and the state that their evaluation uses.
 *
 * Values are borrowed json_t. The template owns each value that an evaluation makes (template_keep()) until template_free(), and
 * nobody changes a value after that. template_keep() measures each list and object as if written out, so that a small template
 * cannot grow without bound by sharing values. */
#pragma once

#include "api/azure/template/template.h"
#include "base/heap_budget.h"

/* ---- expressions (expression.c) ---- */

enum expr_type { EXPR_VALUE, EXPR_CALL, EXPR_MEMBER, EXPR_INDEX };

struct template_function;

struct expr {
	enum expr_type type;
	json_t *value;                            /* EXPR_VALUE */
	struct str name;                          /* name of the function or the member */
	const struct template_function *function; /* EXPR_CALL; NULL: no built-in function has that name */
	bool is_safe;                             /* a.?b: a missing member is null */
	const struct expr **args; /* EXPR_CALL: the arguments; else the base, then the index */
	size_t arg_count;
};

/* True if the text is an expression; ret_inner: the text between its brackets. */
bool expr_is_one(struct str text, struct str *ret_inner);
RESULT expr_parse(struct template *t, struct str inner, const struct expr **ret_expr);
RESULT expr_evaluate(struct template *t, const struct expr *x, json_t **ret_value);

/* ---- functions (functions_….c) ---- */

/* A call with its evaluated arguments; a lazy function evaluates them itself. */
struct template_call {
	const struct expr *expr;
	json_t **args;
	size_t count;
};
typedef RESULT (*template_run)(struct template *t, const struct template_call *call, json_t **ret_value);

enum {
	FUNCTION_LAZY = 1,    /* evaluates its arguments itself */
	FUNCTION_LATE = 2,    /* usable only after resources were deployed */
	FUNCTION_DEFAULT = 4, /* usable only in defaults of parameters */
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
/* NULL: no such function. */
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

/* ---- state of an evaluation ---- */

/* Current iteration of a copy loop; `up` is the enclosing loop. */
struct copy_turn {
	const struct copy_turn *up;
	struct str name; /* empty: an output's copy, which has no name */
	int64_t index;
	bool is_inner; /* copy of a property or a variable; copyIndex() without a name skips it */
};
struct lambda_variable {
	const struct lambda_variable *up;
	struct str name;
	json_t *value;
};

/* Argument of a user-defined function. */
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
	json_t *value; /* NULL: not evaluated yet */
	bool is_open;  /* being evaluated; a second evaluation means that it refers to itself */
	bool is_secure;
	bool is_copy; /* a variable that "copy" defines */
};

/* Private part of a template resource. */
struct template_part {
	const json_t *definition;
	const struct copy_turn *turn;
	struct str copy_name;
	size_t copy_first;   /* index of the resource that is the copy's first iteration */
	size_t copy_index;   /* iteration, counted from 0 */
	size_t batch;        /* iterations that may be deployed at once; 0: all */
	struct str scope;    /* text before "/providers/"; empty: the deployment's scope */
	struct str relative; /* text of the id after its last "/providers/" */
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
	size_t steps, bytes;       /* used so far */
	struct heap_budget budget; /* memory of values */
	/* state of the current evaluation: */
	unsigned depth;
	const struct copy_turn *turn;
	const struct lambda_variable *lambda;
	const struct template_frame *frame; /* user-defined function that is running; NULL: none */
	bool is_early;                      /* reference() is refused */
	bool is_default; /* a parameter's default: newGuid() is allowed, variables() is refused */
	bool is_loose;
	struct template_reference missing;
};

/* Ends an evaluation and restores the thread's budget `before`. Turns a failure for lack of memory into the template's ERR_INVALID
 * if the template has used up its budget. */
struct result template_end(struct template *t, struct heap_budget *before, struct result result);

/* ---- values (values.c) ---- */

/* Takes ownership of a new value; NULL means out of memory. ERR_INVALID: the value is too large or nested too deeply. */
RESULT template_keep(struct template *t, json_t *made, json_t **ret_value);
RESULT template_keep_text(struct template *t, struct str text, json_t **ret_value);
/* Counts work. ERR_INVALID: TEMPLATE_STEPS_MAX is exceeded. */
RESULT template_step(struct template *t, size_t count);
/* Counts a pass over a value's bytes, elements or members. ERR_INVALID. */
RESULT template_step_over(struct template *t, const json_t *value);
/* Compares as json_equal() does, and counts the work: a template can compare one large pair of values many times. ERR_INVALID. */
RESULT template_equal(struct template *t, const json_t *a, const json_t *b, bool *ret_are_equal);
/* Compares each element of a list with the value, counting the work. ERR_INVALID. */
RESULT template_has_element(struct template *t, const json_t *list, const json_t *wanted, bool *ret_has);
/* Resets the state of the current evaluation. */
void template_begin(struct template *t);
static inline struct str template_text_of(const json_t *value)
{
	return json_is_string(value) ? (struct str){json_string_value(value), json_string_length(value)}
				     : STR_NONE;
}
/* "Integer": Azure's word for a value's type. */
const char *template_type_word(const json_t *value);
/* Evaluates all expressions in a value, and unrolls "copy" in objects. */
RESULT template_resolve(struct template *t, const json_t *value, json_t **ret_value);
/* Evaluates an object's member as template_resolve() does; NULL: no such member. */
RESULT template_resolve_member(struct template *t, const json_t *object, const char *name,
			       json_t **ret_value);
/* Evaluates the copy's input for each iteration. */
RESULT template_unroll(struct template *t, const json_t *copy, struct str name, json_t **ret_list);

/* ---- parameters and variables (parameters.c) ---- */

/* Reads and evaluates all parameters. given: {"name": {"value": …}}, or NULL. ERR_INVALID. */
RESULT template_open_parameters(struct template *t, const json_t *given);
RESULT template_open_variables(struct template *t);
/* Value of a parameter or a variable; names are case-insensitive. ERR_INVALID: no such name. */
RESULT template_find_parameter(struct template *t, struct str name, json_t **ret_value);
RESULT template_find_variable(struct template *t, struct str name, json_t **ret_value);

/* ---- functions that the template defines (user_functions.c) ---- */

/* Calls the user-defined function that x names. ERR_INVALID: no such function. */
RESULT user_function_call(struct template *t, const struct expr *x, json_t **ret_value);
/* Value of a parameter of the user-defined function that is running. ERR_INVALID: no such parameter. */
RESULT user_function_parameter(struct template *t, struct str name, json_t **ret_value);

/* ---- resources (resources.c, needs.c) ---- */

/* Opens all resources, with children and iterations of copies; template_link() then finds the dependencies. ERR_INVALID. */
RESULT template_open_resources(struct template *t);
RESULT template_link(struct template *t);
/* "/subscriptions/…[/resourceGroups/…]/providers/NS/a/n/b/m". Empty: type and name differ in their numbers of segments. */
struct str template_make_id(struct template *t, struct str scope, struct str type, struct str name);
/* "/subscriptions/…/resourceGroups/…": scope of a group; an empty group gives the subscription's scope. */
struct str template_make_scope(struct template *t, struct str subscription, struct str group);
/* The resource that a name in dependsOn or reference() means; TEMPLATE_NO_RESOURCE: none. ERR_INVALID: too much work. */
RESULT template_find_resource(struct template *t, struct str name, size_t *ret_resource);
/* True if the resource is an iteration of the copy with that name or symbol. */
bool template_is_turn(const struct template_resource *r, struct str name);
