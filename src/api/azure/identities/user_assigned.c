/* SPDX-License-Identifier: Apache-2.0
 * User-assigned managed identities: IAM roles that machines assume by an instance profile of the same name.
 * Their tokens are valid in every face (api/metadata/azure_identity.c). Client id and principal id are the
 * role's id. Source: Azure REST API reference, "User Assigned Identities", 2023-01-31.
 */
#include "api/azure/core/members.h"

#include "engine/people/policy/iam_role.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/iam_role.h"

/* Hides roles that other faces made. */
static bool matches(struct api_call *core, const void *args, const struct row *row)
{
	struct az_call *e = az_call_of(core);
	(void) args;
	return engine_find_name(az_tables(e), row->id) && az_is_in_group(e, row);
}

AZ_GETTER(iam_role, r, struct str, get_tenant, uuid_to_str(e->c->arena, e->bearer.tenant))

static const struct member members[] = {
	AZ_HEAD,
	MEMBER_WITH("properties", MEMBER_TEXT("tenantId", get_tenant), MEMBER(struct row, "principalId", id),
		    MEMBER(struct row, "clientId", id)),
};
static const struct api_listing identities = {
	.kind = KIND_IAM_ROLE, .item = "value", .matches = matches, .members = MEMBERS(members)};

struct put_args {
	struct managed_identity_wish make;
	bool is_new;
	uuid id;
};

/* Role names are unique per account, identity names per resource group. */
static RESULT prepare(struct az_call *e, void *args)
{
	struct put_args *a = args;
	char drawn[UUID_TEXT_SIZE];
	a->id = e->target;
	a->is_new = uuid_is_none(e->target);
	if (a->is_new)
		a->make.name =
			str_print(e->c->arena, "%" STR_FMT "-%.8s", STR_ARG(str_slice(e->put.name, 0, 48)),
				  uuid_write(uuid_random(), drawn));
	return OK;
}

static RESULT put(struct op *op, void *args)
{
	struct put_args *a = args;
	if (!a->is_new)
		return OK;
	TRY(engine_create_managed_identity(op, &a->make));
	a->id = a->make.iam_role;
	return OK;
}

#define IDENTITIES "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
#define IDENTITY AZ_GROUP IDENTITIES "/{resourceName}"
#define ONE(verb, word, action, ...)                                                                         \
	{                                                                                                    \
		verb, IDENTITY, .name = "UserAssignedIdentities_" word, .permit = (action),                  \
				.type = AZ_IDENTITIES, .kind = KIND_IAM_ROLE, .names = "resourceName",       \
				__VA_ARGS__                                                                  \
	}
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION IDENTITIES, .name = "UserAssignedIdentities_ListBySubscription",
	 .permit = "iam:ListRoles", .type = AZ_IDENTITIES, .listing = &identities,
	 .doc = "Lists the subscription's user-assigned managed identities."},
	{HTTP_GET, AZ_GROUP IDENTITIES, .name = "UserAssignedIdentities_ListByResourceGroup",
	 .permit = "iam:ListRoles", .type = AZ_IDENTITIES, .listing = &identities,
	 .doc = "Lists a resource group's user-assigned managed identities."},
	ONE(HTTP_GET, "Get", "iam:GetRole", .shows = &identities,
	    .doc = "Gets one user-assigned managed identity."),
	ONE(HTTP_PUT, "CreateOrUpdate", "iam:CreateManagedIdentity", .flags = API_WRITES | AZ_PUT,
	    .args = {0, 0, sizeof(struct put_args)}, .prepare = prepare, .operation = put,
	    .returns = KIND_IAM_ROLE, AZ_SUBJECT(struct put_args, id), .shows = &identities,
	    .doc = "Creates a user-assigned managed identity."),
	ONE(HTTP_PATCH, "Update", "ec2:CreateTags", .flags = API_WRITES | AZ_PATCH,
	    .args = {0, 0, sizeof(struct tags_wish)}, .prepare = az_prepare_tags,
	    .operation = engine_replace_tags_run, .returns = KIND_IAM_ROLE, .shows = &identities,
	    .doc = "Changes a managed identity's tags."),
	ONE(HTTP_DELETE, "Delete", "iam:DeleteManagedIdentity", .flags = API_WRITES,
	    .args = {0, 0, sizeof(struct iam_role_target)}, AZ_TARGET(struct iam_role_target, iam_role),
	    .operation = engine_delete_managed_identity_run, .returns = API_RETURNS_NOTHING_STORED,
	    .doc = "Deletes a managed identity. Virtual machines and role assignments lose it."),
};
const struct api_actions az_identity_actions = API_ACTIONS(actions);
