/* SPDX-License-Identifier: Apache-2.0
 * Managed identity of a virtual machine: a user-assigned identity, set by its instance profile. Not built:
 * SystemAssigned, and several identities per machine. Source: Azure REST API reference, "Virtual Machines",
 * VirtualMachineIdentity.
 */
#include "api/azure/compute/compute.h"

#include "engine/resolve.h"
#include "store/iam_role.h"
#include "store/instance_profile.h"
#include "store/profile_association.h"

#define FIELD "identity.userAssignedIdentities"

static RESULT find_profile(struct az_call *e, const char *id, struct az_identity_change *change)
{
	const struct row *row = NULL;
	TRY(az_find_id(e, FIELD, str_copy(e->c->arena, str_from(id)), AZ_IDENTITIES, KIND_IAM_ROLE, &row));
	const struct instance_profile *p = instance_profile_first_by_iam_role(az_tables(e), row->id);
	if (!p)
		return ctx_fail_field(e->c, ERR_STATE, STR(FIELD),
				      "The identity has lost its instance profile.");
	change->profile = str_copy(e->c->arena, p->name);
	return OK;
}

/* Reads {"type": "UserAssigned", "userAssignedIdentities": {id: {}}}. A null value removes that
 * identity. */
RESULT az_read_identity(struct az_call *e, struct az_identity_change *change)
{
	const json_t *said = json_object_get(e->body, "identity"), *value;
	const char *type = json_string_value(json_object_get(said, "type")), *id;
	struct str words = str_from(type);
	size_t count = 0;
	if (!said || json_is_null(said))
		return OK;
	if (!type || !json_is_object(said))
		return az_fail(e, "identity.type", "The value of parameter identity.type is invalid.");
	change->is_said = true;
	if (str_equal_nocase(words, STR("None")))
		return OK;
	if (!str_equal_nocase(words, STR("UserAssigned")))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("identity.type"),
				      "Of managed identities of machines only UserAssigned is supported.");
	json_object_foreach (json_object_get(said, "userAssignedIdentities"), id, value) {
		if (json_is_null(value))
			continue;
		if (count++)
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR(FIELD),
					      "A machine has one managed identity at most.");
		TRY(find_profile(e, id, change));
	}
	return OK;
}

RESULT az_change_identity(struct op *op, uuid instance, const struct az_identity_change *change)
{
	const struct profile_association *a = profile_association_find_by_instance(op->head, instance);
	const struct instance_profile *now = a ? instance_profile_find(op->head, a->instance_profile) : NULL;
	const struct ref profile = {
		.kind = KIND_INSTANCE_PROFILE, .text = change->profile, .field = STR(FIELD)};
	if (!change->is_said || str_equal(now ? now->name : STR_NONE, change->profile))
		return OK;
	if (!change->profile.n) {
		struct profile_association_target wish = {
			.profile_association = ref_by_id(KIND_PROFILE_ASSOCIATION, a->row.id)};
		return engine_disassociate_profile(op, &wish);
	}
	if (a) {
		struct profile_association_change wish = {
			.profile_association = ref_by_id(KIND_PROFILE_ASSOCIATION, a->row.id),
			.instance_profile = profile};
		return engine_replace_profile(op, &wish);
	}
	struct profile_association_wish wish = {.instance = ref_by_id(KIND_INSTANCE, instance),
						.instance_profile = profile};
	return engine_associate_profile(op, &wish);
}

/* Writes the identity. Instance profiles that other faces made are not identities. */
void az_write_identity(struct az_call *e, struct json_writer *w, uuid instance)
{
	const struct instance_profile *p = engine_find_profile_of(az_tables(e), instance);
	const struct iam_role *role = p ? iam_role_find(az_tables(e), p->iam_role) : NULL;
	if (!role || !engine_find_name(az_tables(e), role->row.id))
		return;
	struct str id = uuid_to_str(e->c->arena, role->row.id);
	json_write_open(w, "identity");
	json_write_z(w, "type", "UserAssigned");
	json_write_open(w, "userAssignedIdentities");
	json_write_key(w, az_id_of(e, AZ_IDENTITIES, KIND_IAM_ROLE, role->row.id));
	json_write_open(w, NULL);
	json_write_text(w, "principalId", id);
	json_write_text(w, "clientId", id);
	json_write_close(w);
	json_write_close(w);
	json_write_close(w);
}
