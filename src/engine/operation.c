/* SPDX-License-Identifier: Apache-2.0
 * What all operations share: who acts, whether they may, ids, words and history. */
#include "engine/internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/region.h"

struct result engine_fail_with(struct ctx *c, struct str field, struct result failed)
{
	if (c->problem.err == failed.code && str_is_empty(c->problem.field))
		c->problem.field = field;
	return failed;
}

/* What only the operator and the system itself may do. */
static bool is_operators(const char *permission)
{
	static const char *const families[] = {"account.enable", "account.create",    "account.limit",
					       "address_range.", "external_network.", "host.",
					       "instance_type.", "region.",           "setting."};
	for (size_t n = 0; n < sizeof families / sizeof *families; n++)
		if (strncmp(permission, families[n], strlen(families[n])) == 0)
			return true;
	return false;
}

/* An account's identities may do everything in it. This is the one place to say otherwise. */
RESULT engine_permit(struct op *op, const char *permission, enum kind kind, const struct row *row)
{
	const struct identity *who = op->ctx->who;
	if (who && !who->is_operator && is_operators(permission))
		return ctx_fail_kind(op->ctx, ERR_DENIED, (int) kind, "Only the operator may perform %s.",
				     permission);
	if (!row || engine_may_see(op->ctx, kind, row))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_DENIED, (int) kind,
			     "You are not authorized to perform %s on %" STR_FMT ".", permission,
			     STR_ARG(engine_write_id(op, kind, row->id)));
}

RESULT engine_find_acting_account(struct op *op, const struct account **ret_account)
{
	uuid id = engine_get_account(op->ctx);
	if (uuid_is_none(id))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCOUNT, "Say which account to act for.");
	const struct account *account = account_find(op->head, id);
	if (!account || !row_is_live(&account->row) || !account->enabled)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ACCOUNT, "The account is disabled or gone.");
	*ret_account = account;
	return OK;
}

/* EC2's ids show 68 bits. */
bool engine_id_is_taken(const struct op *op, enum kind kind, uuid id)
{
	uuid prefix = id;
	memset(prefix.b + 8, 0, 8);
	prefix.b[8] = id.b[8] & 0xf0;
	return tables_find_prefix(op->head, kind, prefix, 68);
}

uuid engine_new_id(const struct op *op, enum kind kind)
{
	for (;;) {
		uuid id = id_new(kind);
		if (!engine_id_is_taken(op, kind, id))
			return id;
	}
}

struct str engine_write_id(const struct op *op, enum kind kind, uuid id)
{
	return id_to_text(op->ctx->arena, kind, id);
}

RESULT engine_tell(struct op *op, enum kind kind, const struct row *row, const char *what, const char *format,
		   ...)
{
	char text[2048]; /* names have up to 255 characters */
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	size_t size = n < 0 ? 0 : (size_t) n;
	if (size >= sizeof text)
		size = sizeof text - 1;
	return op_event(op, kind, row->id, engine_get_owner(kind, row), what, (struct str){text, size});
}

RESULT engine_draw_number(struct op *op, struct str setting, int64_t *ret_number)
{
	const struct setting *row = setting_find_by_name(op->head, setting);
	int64_t number = 0;
	if (row)
		TRY(str_parse_int(row->value, &number));
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long) ++number);
	struct setting next = {.row.gen = 1, .name = setting};
	if (row)
		next = *row;
	else
		next.row.id = engine_new_id(op, KIND_SETTING);
	next.value = (struct str){text, (size_t) n};
	TRY(setting_put(op, &next));
	*ret_number = number;
	return OK;
}
