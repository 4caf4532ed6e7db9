/* SPDX-License-Identifier: Apache-2.0
 * Associations of security groups with further routers. Nothing is deployed for an association itself,
 * because a group's members may be behind any router. The reconciler (reconcile/network/group.c) deploys groups again
 * whose rules name the group. */
#include "engine/network/filter/security_group_association.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "model/router.h"
#include "model/security_group.h"
#include "store/port.h"
#include "store/security_group_association.h"

bool engine_is_group_in(const struct tables *t, const struct security_group *group, uuid router)
{
	if (uuid_is_none(group->router) || uuid_equal(group->router, router))
		return true;
	return !uuid_is_none(router) &&
	       security_group_association_find_by_group(t, group->row.id, router) != NULL;
}

static RESULT find_both(struct op *op, const struct security_group_association_wish *wish,
			const struct security_group **ret_group, const struct router **ret_router)
{
	TRY(engine_find_own_security_group(op->ctx, op->head, &wish->group, ret_group));
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, ret_router));
	/* Operators see rows of all accounts, so the owners are compared. */
	return uuid_equal((*ret_group)->account, (*ret_router)->account)
		       ? OK
		       : engine_fail_not_found(op->ctx, KIND_ROUTER, &wish->router);
}

static RESULT permit_both(struct op *op, const char *permission, const struct security_group *group,
			  const struct router *router)
{
	TRY(engine_permit(op, permission, KIND_SECURITY_GROUP, &group->row));
	return engine_permit(op, permission, KIND_ROUTER, &router->row);
}

static RESULT check_possible(struct op *op, const struct security_group_association_wish *wish,
			     const struct security_group *group, const struct router *router)
{
	const struct ref *about_group = &wish->group, *about_router = &wish->router;
	if (group->is_default)
		return ENGINE_FAIL_ABOUT(op, ERR_INVALID, KIND_SECURITY_GROUP, about_group,
					 "The security group '%" STR_FMT "' is a default one, which cannot "
					 "be associated with a VPC.",
					 STR_ARG(about_group->text));
	if (uuid_is_none(group->router))
		return ENGINE_FAIL_ABOUT(op, ERR_INVALID, KIND_SECURITY_GROUP, about_group,
					 "The security group '%" STR_FMT "' is of no VPC, and good in each.",
					 STR_ARG(about_group->text));
	if (uuid_equal(group->router, router->row.id))
		return ENGINE_FAIL_ABOUT(op, ERR_INVALID, KIND_ROUTER, about_router,
					 "The security group '%" STR_FMT "' belongs to the VPC '%" STR_FMT
					 "' already.",
					 STR_ARG(about_group->text), STR_ARG(about_router->text));
	if (router->is_default)
		return ENGINE_FAIL_ABOUT(op, ERR_INVALID, KIND_ROUTER, about_router,
					 "The VPC '%" STR_FMT "' is the default one, which no security group "
					 "can be associated with.",
					 STR_ARG(about_router->text));
	return OK;
}

RESULT engine_associate_security_group(struct op *op, struct security_group_association_wish *wish)
{
	const struct security_group *group = NULL;
	const struct router *router = NULL;
	TRY(find_both(op, wish, &group, &router));
	TRY(permit_both(op, "security_group.associate", group, router));
	TRY(check_possible(op, wish, group, router));
	if (security_group_association_find_by_group(op->head, group->row.id, router->row.id))
		return OK;
	TRY(limit_check(op, LIMIT_GROUP_ASSOCIATIONS, group->row.id, 1, wish->group.field));
	const struct security_group_association association = {
		.row.id = engine_new_id(op, KIND_SECURITY_GROUP_ASSOCIATION),
		.row.gen = 1,
		.account = group->account,
		.group = group->row.id,
		.router = router->row.id};
	TRY(security_group_association_put(op, &association));
	return engine_log_event(op, KIND_SECURITY_GROUP, &group->row, "associated",
				"With the VPC %" STR_FMT ", too.",
				STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)));
}

/* Live port of the router that is in the group, or NULL. */
static const struct port *find_member(const struct tables *t, uuid group, uuid router)
{
	const struct port *port = port_first_by_router(t, router);
	while (port && !(row_is_live(&port->row) && uuids_have(&port->groups, group)))
		port = port_next_by_router(t, port);
	return port;
}

RESULT engine_disassociate_security_group(struct op *op, struct security_group_association_wish *wish)
{
	const struct security_group *group = NULL;
	const struct router *router = NULL;
	TRY(find_both(op, wish, &group, &router));
	TRY(permit_both(op, "security_group.disassociate", group, router));
	const struct security_group_association *association =
		security_group_association_find_by_group(op->head, group->row.id, router->row.id);
	if (!association)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_SECURITY_GROUP_ASSOCIATION, wish->router.field,
				   "The security group '%" STR_FMT
				   "' is not associated with the VPC '%" STR_FMT "'",
				   STR_ARG(wish->group.text), STR_ARG(wish->router.text));
	const struct port *member = find_member(op->head, group->row.id, router->row.id);
	if (member)
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_SECURITY_GROUP, &wish->group,
					 "resource %" STR_FMT " has a dependent object: %" STR_FMT,
					 STR_ARG(wish->group.text),
					 STR_ARG(engine_write_id(op, KIND_PORT, member->row.id)));
	TRY(security_group_association_forget(op, association->row.id));
	return engine_log_event(op, KIND_SECURITY_GROUP, &group->row, "disassociated",
				"From the VPC %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)));
}
