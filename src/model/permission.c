/* SPDX-License-Identifier: Apache-2.0
 * The table of permissions, and its lookups. */
#include "model/permission.h"

#include "model/row.h"

const struct permission model_permissions[PERMISSION_COUNT] = {
#define PERMISSION(name, action, also, kinds) {name, action, also, kinds},
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

bool permission_has_no_rows(int permission)
{
	return permission == PERMISSION_NONE || !*model_permissions[permission].kinds;
}

bool permission_is_decided_on(int permission, enum kind kind)
{
	struct str rest, word;
	if (permission == PERMISSION_NONE)
		return true;
	/* ARNs and AWS's reference have only the peering, while Azure has a resource for each side. */
	kind = kind == KIND_PEERING_SIDE ? KIND_PEERING : kind;
	rest = str_from(model_permissions[permission].kinds);
	while (str_split_next(&rest, ' ', &word))
		if (str_is(word, "*") || str_is(word, model_kinds[kind].name))
			return true;
	return false;
}

const struct permission *permission_of_action(struct str action)
{
	int permission = permission_find_action(action);
	return permission == PERMISSION_NONE ? NULL : &model_permissions[permission];
}
