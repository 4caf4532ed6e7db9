/* SPDX-License-Identifier: Apache-2.0
 * The table of permissions, and ways into it. */
#include "model/permission.h"

const struct permission model_permissions[PERMISSION_COUNT] = {
#define PERMISSION(name, action, also) {name, action, also},
#include "model/permissions.def"
#undef PERMISSION
};

int permission_find(struct str name)
{
	int low = 0, high = PERMISSION_COUNT;
	while (low < high) {
		int middle = (low + high) / 2;
		int order = str_compare(name, str_from(model_permissions[middle].name));
		if (order == 0)
			return middle;
		*(order < 0 ? &high : &low) = order < 0 ? middle : middle + 1;
	}
	return PERMISSION_NONE;
}

bool permission_word(int permission, size_t n, struct str *ret_word)
{
	struct str rest = str_from(model_permissions[permission].also), word;
	if (n == 0) {
		*ret_word = str_from(model_permissions[permission].action);
		return true;
	}
	while (str_split_next(&rest, ' ', &word))
		if (--n == 0) {
			*ret_word = word;
			return true;
		}
	return false;
}

int permission_find_action(struct str action)
{
	struct str word;
	for (int p = 0; p < PERMISSION_COUNT; p++)
		for (size_t n = 0; permission_word(p, n, &word); n++)
			if (n == 0 ? str_equal_nocase(word, action) : str_equal(word, action))
				return p;
	return PERMISSION_NONE;
}
