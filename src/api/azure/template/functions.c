/* SPDX-License-Identifier: Apache-2.0
 * The table of all template functions, and their shared helpers. */
#include "api/azure/template/internal.h"

#include <stdarg.h>

static const struct template_functions *const groups[] = {
	&template_texts,   &template_lists,  &template_numbers, &template_logic, &template_scopes,
	&template_lambdas, &template_blocks, &template_times,   &template_uris};

const struct template_function *function_find(struct str name)
{
	for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++)
		for (size_t k = 0; k < groups[g]->count; k++)
			if (str_equal_nocase(str_from(groups[g]->at[k].name), name))
				return &groups[g]->at[k];
	return NULL;
}

const char *template_function_name(size_t k)
{
	for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
		if (k < groups[g]->count)
			return groups[g]->at[k].name;
		k -= groups[g]->count;
	}
	return NULL;
}

RESULT function_fail(struct template *t, const struct template_call *call, const char *format, ...)
{
	char words[512];
	va_list args;
	const char *name = call->expr->function->name;
	va_start(args, format);
	(void) vsnprintf(words, sizeof words, format, args);
	va_end(args);
	return ctx_fail(t->c, ERR_INVALID,
			"Unable to evaluate template language function '%s': %s. Please see "
			"https://aka.ms/arm-functions#%s for usage details.",
			name, words, name);
}

static RESULT fail_type(struct template *t, const struct template_call *call, size_t k, const char *wanted)
{
	return function_fail(t, call, "the argument %zu must be of type '%s', and is of type '%s'", k + 1,
			     wanted, template_type_word(call->args[k])); /* guessed */
}

RESULT function_text(struct template *t, const struct template_call *call, size_t k, struct str *ret_text)
{
	*ret_text = template_text_of(call->args[k]);
	return json_is_string(call->args[k]) ? OK : fail_type(t, call, k, "String");
}

RESULT function_int(struct template *t, const struct template_call *call, size_t k, int64_t *ret_value)
{
	*ret_value = json_integer_value(call->args[k]);
	return json_is_integer(call->args[k]) ? OK : fail_type(t, call, k, "Integer");
}
