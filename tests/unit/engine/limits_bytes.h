/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, behind its makers: bytes of rows that accounts are charged with. */
#pragma once

#include "engine/row_bytes.h"

/* Bytes that all accounts are charged with. */
static int64_t sum_bytes(struct cloud *c)
{
	const struct tables *t = cloud_tables(c);
	int64_t sum = 0;
	for (const struct account *a = account_first(t); a; a = account_next(t, a))
		sum += account_usage(a)->rows_bytes;
	return sum;
}

/* Rows of the domain, and of its users and groups, are charged to no account: administrators make them. */
static bool is_charged(struct cloud *c, enum limit_id limit)
{
	const struct user *user = user_find(cloud_tables(c), owner);
	return row_bytes_has_payer(engine_limits[limit].kind) && !(user && uuid_is_none(user->account)) &&
	       limit != LIMIT_DOMAIN_USERS && limit != LIMIT_DOMAIN_GROUPS && limit != LIMIT_ROLES_OF_GROUP;
}

/* A row that an account makes is charged to an account at once. */
static void must_charge(struct cloud *c, enum limit_id limit, int n)
{
	int64_t before = sum_bytes(c);
	must_make(c, limit, n);
	if (is_charged(c, limit) && sum_bytes(c) <= before)
		fail_msg("%s: a new %s is charged to no account (engine/row_bytes.c)",
			 engine_limits[limit].id, model_kinds[engine_limits[limit].kind].name);
}

/* Deleting gives the bytes back: at once, or when the deleted row is forgotten. cloud_teardown() counts all rows anew. */
static void must_refund(struct cloud *c, enum limit_id limit)
{
	int64_t before = sum_bytes(c);
	makers[limit].drop(c);
	enum kind kind = engine_limits[limit].kind;
	const struct row *rest = tables_find(cloud_tables(c), kind, made);
	bool has_ended = rest && !row_is_live(rest);
	if (sum_bytes(c) > before || (sum_bytes(c) == before && is_charged(c, limit) && !has_ended))
		fail_msg("%s: deleting a %s gives no bytes back", engine_limits[limit].id,
			 model_kinds[kind].name);
}
