/* SPDX-License-Identifier: Apache-2.0
 * The spellings of a name ("ANN", "ANn", … "ann") are ordered as the index is. A seek at one spelling finds the
 * first row at or after it. The next seek begins at the least spelling that is not before that row, so rows between
 * two spellings are skipped. */
#include "engine/people/user_name.h"

#include "store/user.h"

static bool is_letter(char c)
{
	return str_is_alphanumeric(c) && (unsigned char) c > '9';
}

static char upper_of(char c)
{
	return is_letter(c) ? (char) (c & ~0x20) : c;
}

/* The least spelling of a character that is at least `least`; 0: there is none. */
static int spell_from(char c, int least)
{
	int upper = (unsigned char) upper_of(c), lower = is_letter(c) ? upper | 0x20 : upper;
	return upper >= least ? upper : lower >= least ? lower : 0;
}

static void spell_upper(char *spelling, struct str name, size_t from)
{
	for (size_t k = from; k < name.n; k++)
		spelling[k] = upper_of(name.p[k]);
}

/* Number of characters at the beginning of `row` that a spelling of the name can equal. */
static size_t count_common(struct str name, struct str row)
{
	size_t k = 0;
	while (k < name.n && k < row.n && upper_of(name.p[k]) == upper_of(row.p[k]))
		k++;
	return k;
}

/* Writes the least spelling behind the row's name. False: the row is behind all of them. */
static bool spell_behind(char *spelling, struct str name, struct str row)
{
	size_t common = count_common(name, row);
	memcpy(spelling, row.p, common);
	if (common < name.n && common == row.n) {
		spell_upper(spelling, name, common);
		return true;
	}
	/* the last place where the spelling can be greater than the row, and equal before it */
	for (size_t k = common + (common < name.n); k > 0; k--) {
		int greater = spell_from(name.p[k - 1], (unsigned char) row.p[k - 1] + 1);
		if (!greater)
			continue;
		spelling[k - 1] = (char) greater;
		spell_upper(spelling, name, k);
		return true;
	}
	return false;
}

static const struct user *seek(const struct tables *t, uuid domain, struct str spelling)
{
	const struct user probe = {.domain = domain, .name = spelling};
	const struct row *row = tables_seek(t, KIND_USER, USER_INDEX_OWNER, &probe.row, 3);
	const struct user *user = row ? user_of(row) : NULL;
	return user && uuid_is_none(user->account) && uuid_equal(user->domain, domain) ? user : NULL;
}

const struct user *engine_find_namesake(struct arena *a, const struct tables *t, uuid domain, struct str name,
					const struct user *after)
{
	char *spelling = arena_alloc(a, name.n + 1);
	bool has_more = spelling;
	if (has_more && after)
		has_more = spell_behind(spelling, name, after->name);
	else if (has_more)
		spell_upper(spelling, name, 0);
	while (has_more) {
		const struct user *user = seek(t, domain, (struct str){spelling, name.n});
		if (!user || (row_is_live(&user->row) && str_equal_nocase(user->name, name)))
			return user;
		has_more = spell_behind(spelling, name, user->name);
	}
	return NULL;
}
