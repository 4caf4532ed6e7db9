/* SPDX-License-Identifier: Apache-2.0
 * Reads and writes permissions of images and snapshots: all accounts, or accounts by number. */
#include "api/ec2/storage/sharing.h"

#include "api/ec2/core/write.h"

static const struct param permission_rows[] = {
	EC2_PERMISSION_ROWS,
	NOT_BUILT("OrganizationArn|OrganizationalUnitArn"),
};
const struct params ec2_permission_params = PARAMS(struct ec2_permission, permission_rows);

/* Returns the accounts of the list, and sets *is_public to choice if everybody is in it. */
static RESULT take_permissions(struct ec2_call *e, const struct ec2_permissions *list, enum choice choice,
			       enum choice *is_public, struct refs *ret_accounts)
{
	struct ref *refs = arena_new_array(e->c->arena, struct ref, list->count);
	size_t count = 0;
	if (!refs)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < list->count; k++) {
		if (!str_is_empty(list->at[k].group))
			*is_public = choice;
		else
			refs[count++] = list->at[k].user;
	}
	if (list->count)
		*ret_accounts = (struct refs){refs, count};
	return OK;
}

RESULT ec2_take_sharing(struct ec2_call *e, const struct ec2_sharing *a, const char *permission,
			struct sharing *ret_sharing, bool *ret_is_asked)
{
	bool adds = str_is(a->operation, "add");
	struct sharing s = {.field = str_from(permission)};
	if ((a->users.count || a->groups.count) && str_is_empty(a->operation))
		return ctx_fail_field(e->c, ERR_MISSING, STR("OperationType"),
				      "The request must contain the parameter operationType");
	if (a->groups.count)
		s.is_public = adds ? CHOICE_YES : CHOICE_NO;
	*(adds ? &s.add : &s.remove) = a->users;
	TRY(take_permissions(e, &a->add, CHOICE_YES, &s.is_public, &s.add));
	TRY(take_permissions(e, &a->remove, CHOICE_NO, &s.is_public, &s.remove));
	*ret_sharing = s;
	*ret_is_asked = s.is_public != CHOICE_DEFAULT || s.add.count || s.remove.count;
	return OK;
}

static bool is_account_number(struct str text)
{
	bool is_number = text.n == 12;
	for (size_t k = 0; k < text.n; k++)
		is_number = is_number && text.p[k] >= '0' && text.p[k] <= '9';
	return is_number;
}

RESULT ec2_check_users(struct ec2_call *e, const struct strs *users, const char *field)
{
	static const char words[] = "all|amazon|aws-backup-vault|aws-marketplace|microsoft|self";
	for (size_t k = 0; k < users->count; k++)
		if (!params_has_word(words, users->at[k]) && !is_account_number(users->at[k]))
			return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
					      "Invalid user id: \"%" STR_FMT "\"",
					      STR_ARG(str_slice(users->at[k], 0, 64)));
	return OK;
}

void ec2_write_sharing(struct xml *x, const char *name, const struct tables *t, bool is_public,
		       const struct uuids *accounts)
{
	xml_open(x, name);
	if (is_public) {
		xml_open(x, "item");
		xml_z(x, "group", "all");
		xml_close(x, "item");
	}
	for (size_t k = 0; k < accounts->count; k++) {
		xml_open(x, "item");
		xml_text(x, "userId", ec2_owner_number(t, accounts->at[k]));
		xml_close(x, "item");
	}
	xml_close(x, name);
}
