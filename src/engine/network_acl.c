/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs: part of their router, like its route tables. */
#include "engine/internal.h"

enum { ENTRY_FOR_ALL = 100 };

static RESULT write_entry_for_all(struct op *op, uuid account, uuid acl, bool egress)
{
	struct network_acl_entry entry = {.row.id = engine_new_id(op, KIND_NETWORK_ACL_ENTRY),
					  .row.gen = 1,
					  .account = account,
					  .acl = acl,
					  .egress = egress,
					  .number = ENTRY_FOR_ALL,
					  .allows = true,
					  .protocol = -1,
					  .from_port = -1,
					  .to_port = -1,
					  .block = {ip_from_v4(0), 0}};
	return network_acl_entry_put(op, &entry);
}

RESULT network_acl_write(struct op *op, const struct network_acl_plan *plan, uuid *ret_acl)
{
	struct network_acl acl = {.row.id = engine_new_id(op, KIND_NETWORK_ACL),
				  .row.gen = 1,
				  .account = plan->account,
				  .router = plan->router,
				  .is_default = plan->is_default,
				  .tags = plan->tags};
	TRY(network_acl_put(op, &acl));
	for (int egress = 0; plan->is_default && egress < 2; egress++)
		TRY(write_entry_for_all(op, plan->account, acl.row.id, egress));
	*ret_acl = acl.row.id;
	return engine_tell(op, KIND_NETWORK_ACL, &acl.row, "created", "Network ACL.");
}

RESULT network_acl_forget_with_entries(struct op *op, uuid acl)
{
	const struct network_acl_entry *entry = network_acl_entry_first_by_acl(op->head, acl), *next = NULL;
	for (; entry; entry = next) {
		next = network_acl_entry_next_by_acl(op->head, entry);
		TRY(network_acl_entry_forget(op, entry->row.id));
	}
	return network_acl_forget(op, acl);
}
