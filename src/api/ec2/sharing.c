/* SPDX-License-Identifier: Apache-2.0
 * Everybody, and accounts by their numbers. */
#include "api/ec2/sharing.h"

#include "api/ec2/images.h"
#include "api/ec2/write.h"

static const struct param permission_rows[] = {
	PARAM(struct ec2_permission, "Group", group, .words = "all", .doc = "Everybody."),
	PARAM(struct ec2_permission, "UserId", user, .flags = BY_NAME, .kind = KIND_ACCOUNT, .max = 12,
	      .doc = "An account, by its number."),
	NOT_BUILT("OrganizationArn"),
	NOT_BUILT("OrganizationalUnitArn"),
};
const struct params ec2_permission_params = PARAMS(struct ec2_permission, permission_rows);

RESULT ec2_take_permissions(struct ec2_call *e, const struct ec2_permissions *list, enum choice choice,
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
