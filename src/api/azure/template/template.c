/* SPDX-License-Identifier: Apache-2.0
 * Reads and validates a template as a whole. */
#include "api/azure/template/internal.h"

#include "base/heap.h"

static RESULT open_parts(struct template *t, const json_t *given)
{
	if (!json_is_object(t->document))
		return ctx_fail(t->c, ERR_INVALID, "The template must be an object."); /* guessed */
	TRY(template_open_parameters(t, given));
	TRY(template_open_variables(t));
	return template_open_resources(t);
}

static RESULT say_it_failed(struct ctx *c, struct result result)
{
	if (result.code != ERR_INVALID)
		return result;
	struct str why = c->problem.message;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_INVALID, "Deployment template validation failed: '%" STR_FMT "'.",
			STR_ARG(why));
}

struct result template_end(struct template *t, struct heap_budget *before, struct result result)
{
	(void) heap_budget_use(before);
	if (!t->budget.was_exceeded || result.code != ERR_NO_MEMORY)
		return result;
	ctx_clear_problem(t->c);
	return ctx_fail(t->c, ERR_INVALID,
			"The template takes more memory to evaluate than is allowed."); /* guessed */
}

RESULT template_open(struct ctx *c, const struct template_wish *wish, struct template **ret_template)
{
	AUTO(template) t = heap_alloc(sizeof *t);
	if (!t)
		return ctx_no_memory(c);
	*t = (struct template){.c = c,
			       .place = wish->place,
			       .read = wish->read,
			       .arg = wish->arg,
			       .document = wish->document,
			       .budget.left_size = TEMPLATE_MEMORY_MAX,
			       .kept = json_array()};
	if (!t->kept)
		return ctx_no_memory(c);
	struct heap_budget *before = heap_budget_use(&t->budget);
	TRY(say_it_failed(c, template_end(t, before, open_parts(t, wish->parameters))));
	*ret_template = TAKE(t);
	return OK;
}

void template_free(struct template *t)
{
	if (!t)
		return;
	json_decref(t->kept);
	heap_free(t);
}

size_t template_count(const struct template *t)
{
	return t->resource_count;
}

const struct template_resource *template_at(const struct template *t, size_t k)
{
	return &t->resources[k];
}

const struct template_reference *template_missing(const struct template *t)
{
	return &t->missing;
}
