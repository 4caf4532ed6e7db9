/* SPDX-License-Identifier: Apache-2.0
 * Common to all operations: the caller, permissions, ids, messages and history. */
#include <string.h>

#include "engine/operation.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/acting.h"
#include "engine/billing/standing.h"
#include "engine/internal.h"
#include "engine/people/user_owned.h"
#include "engine/region/region.h"
#include "model/instance_profile.h"
#include "model/role.h"
#include "model/user_group.h"
#include "store/account.h"
#include "store/event.h"
#include "store/router.h"
#include "store/setting.h"
#include "store/user.h"

struct result engine_fail_with(struct ctx *c, struct str field, struct result failed)
{
	if (c->problem.err == failed.code && str_is_empty(c->problem.field))
		c->problem.field = field;
	return failed;
}

struct result engine_fail_about(struct ctx *c, const struct ref *ref, struct result failed)
{
	if (c->problem.err == failed.code && str_is_empty(c->problem.subject))
		c->problem.subject = ref->text;
	return engine_fail_with(c, ref->field, failed);
}

static bool is_of(const char *permission, const char *const *families, size_t count)
{
	for (size_t n = 0; n < count; n++)
		if (strncmp(permission, families[n], strlen(families[n])) == 0)
			return true;
	return false;
}
#define IS_OF(permission, families) is_of(permission, families, sizeof(families) / sizeof *(families))

/* Permissions for administrators only; for a domain and its contents also the domain's administrator. */
static const char *const administrators[] = {
	"account.create",
	"account.delete",
	"account.enable",
	"account.limit",
	"account.update",
	"address_range.",
	"address_scope.share",
	"aggregate.",
	"annotation.update",
	"bill.close",
	"bill.correct_usage",
	"bill.issue",
	"catalog.",
	"commitment.",
	"desk.",
	"domain.",
	"external_network.",
	"group.",
	"host.",
	"instance.migrate",
	"instance_type.",
	"licence.",
	"metadef.",
	"network.share",
	"network_offering.",
	"price_list.",
	"project_limit.",
	"region.",
	"qos_policy.share",
	"registered_limit.",
	"role.",
	"setting.",
	"storage_pool.",
	"subnet_pool.share",
	"ticket.link",
	"ticket.redact",
	"ticket.work",
	"user.",
	"volume_type.",
};
/* Permissions of an account's owner and managers: access rights in the account, its own users, and, as in Neutron, QoS
 * policies, because a port's own policy replaces the one that an administrator has given to its network. */
static const char *const stewards[] = {
	"policy.",     "iam_role.",       "instance_profile.", "oidc_provider.",
	"arm_role.",   "arm_assignment.", "arm_lock.",         "server_certificate.",
	"qos_policy.", "qos_rule.",       "saml_provider.",
};
/* The id in the row's first field that refers to the wanted kind, or the row's own id. */
static uuid find_ref(enum kind kind, const struct row *row, enum kind wanted)
{
	if (kind == wanted || !row)
		return row ? row->id : UUID_NONE;
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned n = 0; n < k->field_count; n++)
		if (k->fields[n].ref == wanted && k->fields[n].type == FIELD_UUID)
			return *(const uuid *) (const void *) ((const char *) row + k->fields[n].offset);
	return UUID_NONE;
}

static bool is_domains_admin(const struct identity *who, enum kind kind, const struct row *row)
{
	uuid domain = find_ref(kind, row, KIND_DOMAIN);
	return who->scope == IDENTITY_DOMAIN && identity_has(who, RIGHT_ADMIN) && !uuid_is_none(domain) &&
	       uuid_equal(domain, who->domain);
}

/* True if the user or group belongs to the calling account and not to a domain; false for its owner. */
static bool is_accounts_own(const struct op *op, enum kind kind, const struct row *row)
{
	const struct identity *who = op->ctx->who;
	uuid id = find_ref(kind, row, KIND_USER);
	const struct user *user = uuid_is_none(id) ? NULL : user_find(op->head, id);
	if (kind == KIND_USER)
		user = user_of(row); /* the user may not exist yet */
	uuid account = kind == KIND_USER_GROUP && row ? user_group_of(row)->account
		       : user && !user->is_owner      ? user->account
						      : UUID_NONE;
	return who->scope == IDENTITY_ACCOUNT && !uuid_is_none(account) && uuid_equal(account, who->account);
}

static bool is_about_own_people(const struct op *op, const char *permission, enum kind kind,
				const struct row *row)
{
	return IS_OF(permission, administrators) && !op->ctx->who->is_restricted &&
	       is_accounts_own(op, kind, row);
}

/* Checks the caller's roles. is_allowed: a policy allows it, which replaces the role member or manager. */
static RESULT check_rights(struct op *op, const char *permission, enum kind kind, const struct row *row,
			   bool is_allowed)
{
	const struct identity *who = op->ctx->who;
	bool is_steward = is_allowed || who->is_owner || identity_has(who, RIGHT_MANAGER);
	if (is_steward && is_about_own_people(op, permission, kind, row))
		return OK;
	if (IS_OF(permission, administrators))
		return is_domains_admin(who, kind, row)
			       ? OK
			       : ctx_fail_kind(op->ctx, ERR_DENIED, (int) kind,
					       "Only an administrator may perform %s.", permission);
	if (is_allowed)
		return OK;
	if ((IS_OF(permission, stewards) || kind == KIND_MFA_DEVICE) && !is_steward)
		return ctx_fail_kind(
			op->ctx, ERR_DENIED, (int) kind,
			"You are not authorized to perform %s: it takes the account's owner, the "
			"role manager, or a policy.",
			permission);
	if (!identity_has(who, RIGHT_MEMBER))
		return ctx_fail_kind(op->ctx, ERR_DENIED, (int) kind,
				     "You are not authorized to perform %s: it takes the role member.",
				     permission);
	return OK;
}

/* ---- the guard ---- */

static RESULT allow_row(struct guard *g, struct ctx *c, const struct tables *t, const char *permission,
			enum kind kind, const struct row *row, const struct row *planned,
			bool *ret_is_allowed)
{
	(void) g, (void) c, (void) t, (void) permission, (void) kind, (void) row, (void) planned;
	*ret_is_allowed = false;
	return OK;
}

static RESULT allow_found(struct guard *g, struct ctx *c, const struct tables *t, enum kind kind,
			  const struct row *row)
{
	(void) g, (void) c, (void) t, (void) kind, (void) row;
	return OK;
}

static RESULT allow_absent(struct guard *g, struct ctx *c, const struct tables *t, const struct ref *ref)
{
	(void) g, (void) c, (void) t, (void) ref;
	return OK;
}

/* Roles open nothing of another account. */
static RESULT refuse_shared(struct guard *g, struct ctx *c, const struct tables *t, enum kind kind,
			    const struct row *row)
{
	(void) g, (void) c, (void) t, (void) kind, (void) row;
	return FAIL(NOT_FOUND);
}

static RESULT allow_beside(struct guard *g, struct ctx *c, const struct tables *t, const char *permission,
			   enum kind kind, const struct row *row)
{
	(void) g, (void) c, (void) t, (void) permission, (void) kind, (void) row;
	return OK;
}

static RESULT allow_account(struct guard *g, struct ctx *c, const struct tables *t, const char *permission,
			    const struct user *user, uuid account, bool *ret_is_allowed)
{
	(void) g, (void) c, (void) t, (void) permission, (void) user, (void) account;
	*ret_is_allowed = false;
	return OK;
}

struct guard engine_guard_of_roles = {.check = allow_row,
				      .check_found = allow_found,
				      .check_absent = allow_absent,
				      .check_shared = refuse_shared,
				      .check_beside = allow_beside,
				      .check_account = allow_account};

void engine_act_by_roles(struct ctx *c, const struct identity *who)
{
	c->who = who;
	c->guard = who ? &engine_guard_of_roles : NULL;
}

static RESULT fail_unasked(struct ctx *c)
{
#ifdef DARI_DEBUG
	abort();
#endif
	return ctx_fail(c, ERR_DENIED,
			"You are not authorized: nothing asked your policies about this call. Report "
			"this as a bug.");
}

RESULT engine_check_guarded(struct ctx *c)
{
	return c->guard || !c->who || c->who->is_operator ? OK : fail_unasked(c);
}

RESULT engine_check_system(struct ctx *c)
{
	return c->who ? fail_unasked(c) : OK;
}

void engine_need_no_permission(struct op *op)
{
	op->is_permitted = true;
}

RESULT engine_check_permitted(struct op *op)
{
	return op->is_permitted || !op->ctx->who ? OK : fail_unasked(op->ctx);
}

/* The whole permission check: policies first, otherwise the caller's rights; then visibility of the
 * resource. */
static RESULT permit(struct op *op, const char *permission, enum kind kind, const struct row *row,
		     const struct row *planned)
{
	struct guard *guard = op->ctx->guard;
	bool is_allowed = false;
	assert(!engine_is_personal(permission) || kind == KIND_MFA_DEVICE); /* engine/people/user_owned.h */
	TRY(engine_check_guarded(op->ctx));
	op->is_permitted = true;
	if (guard)
		TRY(guard->check(guard, op->ctx, op->head, permission, kind, row, planned, &is_allowed));
	TRY(standing_check(op));
	if (!identity_is_admin(op->ctx->who))
		TRY(check_rights(op, permission, kind, row ? row : planned, is_allowed));
	if (!row)
		return OK;
	/* A caller's own ended row comes from engine_find_listed(). */
	if (engine_may_use(op->ctx, op->head, kind, row) || engine_may_see_ended(op->ctx, kind, row))
		return op_name(op, kind, row);
	return ctx_fail_kind(op->ctx, ERR_DENIED, (int) kind,
			     "You are not authorized to perform %s on %" STR_FMT ".", permission,
			     STR_ARG(engine_write_id(op, kind, row->id)));
}

void engine_permit_profile(struct op *op, const struct instance_profile *profile,
			   const struct instance *instance)
{
	if (!op->ctx->guard || op->ctx->guard == &engine_guard_of_roles)
		return;
	op->ctx->guard->profile = profile;
	op->ctx->guard->instance = instance;
}

RESULT engine_permit(struct op *op, const char *permission, enum kind kind, const struct row *row)
{
	return permit(op, permission, kind, row, NULL);
}

RESULT engine_permit_pass(struct op *op, const struct row *role, struct str service)
{
	struct guard *guard = op->ctx->guard;
	bool is_asked = guard && guard != &engine_guard_of_roles;
	if (is_asked)
		guard->service = service;
	struct result r = engine_permit(op, "iam_role.pass", KIND_IAM_ROLE, role);
	if (is_asked)
		guard->service = STR_NONE;
	return r;
}

RESULT engine_permit_new(struct op *op, const char *permission, enum kind kind, const struct row *planned)
{
	return permit(op, permission, kind, NULL, planned);
}

RESULT engine_permit_beside(struct op *op, const char *permission)
{
	return engine_permit_beside_on(op, permission, KIND_NONE, NULL);
}

RESULT engine_permit_beside_on(struct op *op, const char *permission, enum kind kind, const struct row *row)
{
	struct guard *guard = op->ctx->guard;
	TRY(engine_check_guarded(op->ctx));
	op->is_permitted = true;
	return guard ? guard->check_beside(guard, op->ctx, op->head, permission, kind, row) : OK;
}

RESULT engine_permit_shared(struct op *op, const char *permission, const struct ref *ref,
			    const struct row *row)
{
	(void) permission; /* the guard decides by the call's own action */
	TRY(engine_check_guarded(op->ctx));
	op->is_permitted = true;
	TRY(engine_check_shared(op->ctx, op->head, ref, row));
	TRY(standing_check(op));
	return op_name(op, ref->kind, row);
}

RESULT engine_permit_named(struct op *op, enum kind kind, const struct ref *ref, const char *permission,
			   const struct row **ret_row)
{
	TRY(engine_find_own(op->ctx, op->head, kind, ref, ret_row));
	return engine_permit(op, permission, kind, *ret_row);
}

RESULT engine_find_acting_account(struct op *op, const struct account **ret_account)
{
	uuid id = engine_get_account(op->ctx);
	if (uuid_is_none(id))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCOUNT,
				     "Specify the account: the caller has none of its own.");
	const struct account *account = account_find(op->head, id);
	if (!engine_is_account_open(op->head, account))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ACCOUNT, "The account is disabled or gone.");
	*ret_account = account;
	return OK;
}

RESULT engine_find_owner_to_be(struct op *op, const struct ref *wanted, const struct account **ret_account)
{
	const struct account *account = NULL;
	bool is_own =
		wanted->bits && id_has_prefix(engine_get_account(op->ctx), wanted->prefix, wanted->bits);
	if (!ref_is_given(wanted) || is_own)
		return engine_find_acting_account(op, ret_account);
	if (!identity_is_admin(op->ctx->who))
		return ENGINE_FAIL(op, ERR_DENIED, KIND_ACCOUNT, wanted->field,
				   "Only an administrator makes resources for another account.");
	TRY(engine_find_account(op->ctx, op->head, wanted, &account));
	if (!engine_is_account_open(op->head, account))
		return ENGINE_FAIL(op, ERR_DENIED, KIND_ACCOUNT, wanted->field, "The account is disabled.");
	*ret_account = account;
	return OK;
}

RESULT engine_find_acting_id(struct op *op, uuid *ret_account)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	*ret_account = account->row.id;
	return OK;
}

RESULT engine_find_owner_id(struct op *op, const struct ref *wanted, uuid *ret_account)
{
	const struct account *account = NULL;
	TRY(engine_find_owner_to_be(op, wanted, &account));
	*ret_account = account->row.id;
	return OK;
}

struct str engine_account_number(const struct tables *t, uuid account)
{
	const struct account *row = account_find(t, account);
	return row ? row->number : STR_NONE;
}

RESULT engine_check_owner(struct op *op, const struct ref *wanted, uuid owner)
{
	if (!ref_is_given(wanted) || id_has_prefix(owner, wanted->prefix, wanted->bits))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_ACCOUNT, wanted->field,
			   "It belongs to the account of what it is part of, not to '%" STR_FMT "'.",
			   STR_ARG(wanted->text));
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
	const struct kind_words *words = op->ctx->kind_words;
	return words && words->write_row ? words->write_row(op->ctx->arena, op->head, kind, id)
					 : engine_id_to_text(op->ctx, kind, id);
}

struct ref engine_ref_to(const struct op *op, enum kind kind, uuid id, struct str field)
{
	struct ref ref = ref_by_id(kind, id);
	ref.text = engine_write_id(op, kind, id);
	ref.field = field;
	return ref;
}

const struct router *engine_router_of(const struct op *op, uuid id, uuid account)
{
	const struct router *router = uuid_is_none(id) ? NULL : router_find(op->head, id);
	return router && uuid_equal(router->account, account) ? router : NULL;
}

static RESULT log_event_of(struct op *op, enum kind kind, uuid id, uuid reader, const char *what,
			   const char *format, va_list values)
{
	struct event_words words = {0};
	TRY(event_split(op->ctx->arena, format, values, &words));
	return op_event(op, kind, id, reader, what, words.sentence, words.arguments);
}

RESULT engine_vlog_event(struct op *op, enum kind kind, const struct row *row, const char *what,
			 const char *format, va_list values)
{
	return log_event_of(op, kind, row->id, engine_get_owner(kind, row), what, format, values);
}

RESULT engine_log_event(struct op *op, enum kind kind, const struct row *row, const char *what,
			const char *format, ...)
{
	va_list values;
	va_start(values, format);
	struct result result = engine_vlog_event(op, kind, row, what, format, values);
	va_end(values);
	return result;
}

RESULT engine_log_sentence(struct op *op, enum kind kind, const struct row *row, const char *what,
			   const char *sentence)
{
	return op_event(op, kind, row->id, engine_get_owner(kind, row), what, str_from(sentence), STR_NONE);
}

RESULT engine_log_event_to(struct op *op, uuid reader, enum kind kind, uuid id, const char *what,
			   const char *format, ...)
{
	va_list values;
	va_start(values, format);
	struct result result = log_event_of(op, kind, id, reader, what, format, values);
	va_end(values);
	return result;
}

RESULT engine_check_name(struct op *op, enum kind kind, struct str name)
{
	if (name.n >= 1 && name.n <= 255 && str_is_line(name))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_INVALID, (int) kind, "The name of %s has 1 to 255 characters.",
			     engine_kind_words(op->ctx, kind));
}

RESULT engine_check_word(struct op *op, enum kind kind, struct str name)
{
	bool is_word = name.n >= 1 && name.n <= WORD_MAX;
	for (size_t n = 0; n < name.n && is_word; n++)
		is_word = str_is_alphanumeric(name.p[n]) || strchr("-_.", name.p[n]);
	return is_word ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, kind, STR("name"),
				     "The name of a %s has 1 to %d letters, digits, '-', '_' and '.'.",
				     engine_kind_words(op->ctx, kind), WORD_MAX);
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
