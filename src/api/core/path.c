/* SPDX-License-Identifier: Apache-2.0
 * Splits request paths into segments and matches them against forms such as "/servers/{id}".
 */
#include "api/core/path.h"

#include <assert.h>

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

bool path_fits(struct str form, struct str path, bool ignores_case, struct pair *variables, size_t max,
	       size_t *ret_count)
{
	struct str want, got;
	size_t count = 0;
	while (path_next_segment(&form, &want)) {
		bool has_one = path_next_segment(&path, &got);
		assert(has_one); /* the caller compared the numbers of segments */
		if (want.p[0] == '{') {
			assert(count < max);
			variables[count++] = (struct pair){str_slice(want, 1, want.n - 1), got};
		} else if (!(ignores_case ? str_equal_nocase(want, got) : str_equal(want, got))) {
			return false;
		}
	}
	*ret_count = count;
	return true;
}
