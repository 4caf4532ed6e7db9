/* SPDX-License-Identifier: Apache-2.0
 * Splits request paths into segments and matches them against forms such as "/servers/{id}".
 */
#include "api/core/path.h"

#include "base/vec.h"

#include <assert.h>
#include <string.h>

bool path_next_segment(struct str *path, struct str *ret_segment)
{
	while (str_split_next(path, '/', ret_segment))
		if (ret_segment->n)
			return true;
	return false;
}

size_t path_count_segments(struct str path)
{
	struct str segment;
	size_t count = 0;
	while (path_next_segment(&path, &segment))
		count++;
	return count;
}

int path_compare_forms(const char *a, const char *b)
{
	for (;; a++, b++) {
		if (*a != *b)
			return *a == '{' ? 1 : *b == '{' ? -1 : *a - *b;
		if (!*a)
			return 0;
	}
}

void path_split(struct str path, struct path_parts *ret_parts)
{
	struct str segment;
	ret_parts->count = 0;
	while (path_next_segment(&path, &segment)) {
		if (ret_parts->count < PATH_PARTS_MAX)
			ret_parts->at[ret_parts->count] = segment;
		ret_parts->count++;
	}
}

/* Reads "{name}" at the form's beginning. Returns what follows it. */
static const char *read_variable(const char *form, struct str *ret_name)
{
	const char *end = strchr(form, '}');
	assert(end); /* forms are constants */
	*ret_name = (struct str){form + 1, (size_t) (end - form) - 1};
	return end + 1;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + 'a' - 'A') : c;
}

/* Rest of the form after the word; NULL: the form has another word there. */
static const char *skip_word(const char *form, struct str word, bool ignores_case)
{
	for (size_t k = 0; k < word.n; k++)
		if (!form[k] ||
		    (form[k] != word.p[k] && !(ignores_case && lower(form[k]) == lower(word.p[k]))))
			return NULL;
	return form[word.n] && form[word.n] != '/' ? NULL : form + word.n;
}

bool path_fits(const char *form, const struct path_parts *path, bool ignores_case, struct pair *variables,
	       size_t max, size_t *ret_count)
{
	size_t count = 0;
	if (path->count > PATH_PARTS_MAX)
		return false;
	for (size_t k = 0; k < path->count && form; k++) {
		form += *form == '/';
		if (*form == '{') {
			assert(count < max);
			form = read_variable(form, &variables[count].name);
			variables[count++].value = path->at[k];
		} else {
			form = skip_word(form, path->at[k], ignores_case);
		}
	}
	*ret_count = count;
	return form && !form[*form == '/']; /* the root is "/" */
}

/* str_decode_url() reads "+" as a blank, so each one is escaped first. */
bool path_decode(struct arena *a, struct str *segment)
{
	VEC(char) escaped = {0};
	struct str plain;
	if (str_find_char(*segment, '%', 0) == segment->n)
		return str_is_utf8(*segment);
	for (size_t n = 0; n < segment->n; n++)
		for (const char *p = segment->p[n] == '+' ? "%2B" : (char[]){segment->p[n], 0}; *p; p++)
			if (!VEC_PUSH(a, &escaped, *p))
				return false;
	if (!result_is_ok(str_decode_url(a, (struct str){escaped.at, escaped.count}, &plain)) ||
	    !str_is_utf8(plain))
		return false;
	*segment = plain;
	return true;
}
