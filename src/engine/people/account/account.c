/* SPDX-License-Identifier: Apache-2.0
 * Accounts: rows only. Keys work as soon as the change is published, and the default VPC is realized with its
 * first port. */
#include "engine/people/account/account.h"

#include <ctype.h>
#include <inttypes.h>

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/filter/security_group_internal.h"
#include "engine/network/routing/router_internal.h"
#include "engine/network/subnet_pool_internal.h"
#include "engine/people/catalog.h"
#include "engine/people/keystone_extra_internal.h"
#include "engine/people/policy/policy_internal.h"
#include "engine/people/policy/role.h"
#include "engine/people/policy/trust.h"
#include "engine/people/user_internal.h"
#include "engine/people/user_limit.h"
#include "engine/people/user_owned.h"
#include "engine/quota_internal.h"
#include "engine/region/region.h"
#include "engine/storage/image/metadef.h"
#include "engine/storage/volume_type/volume_type_limit_internal.h"
#include "engine/support/ticket.h"
#include "model/image_catalogue.h"
#include "model/role.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/address_prefix.h"
#include "store/backup.h"
#include "store/credential.h"
#include "store/gateway.h"
#include "store/port_policy.h"
#include "store/provider.h"
#include "store/role_assignment.h"
#include "store/security_group.h"
#include "store/subnet_pool.h"
#include "store/user.h"
#include "store/user_limit.h"
#include "store/volume.h"
#include "store/volume_type_limit.h"

/* Twelve digits, the first not 0, like EC2's account numbers, and different from the numbers of known image
 * vendors. */
static struct str draw_number(const struct op *op)
{
	for (;;) {
		uint64_t number = UINT64_C(100000000000) + random_below(UINT64_C(900000000000));
		struct str text = str_print(op->ctx->arena, "%" PRIu64, number);
		if (str_is_empty(text) ||
		    (!account_first_by_number(op->head, text) && !image_vendor_is_account(text)))
			return text;
	}
}

/* Copies the generated key for its account and user. The secret is sealed to the row's id. */
static RESULT write_key(struct op *op, const struct access_key *drawn, uuid account, uuid user)
{
	if (uuid_is_none(drawn->row.id) || str_is_empty(drawn->key_id))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCESS_KEY, "The access key was not drawn.");
	struct access_key key = *drawn;
	key.row.gen = 1;
	key.account = account;
	key.user = user;
	key.enabled = true;
	return access_key_put(op, &key);
}

static RESULT write_owner(struct op *op, struct account_wish *wish, uuid account)
{
	struct user owner = {.row.id = engine_new_id(op, KIND_USER),
			     .row.gen = 1,
			     .account = account,
			     .name = str_is_empty(wish->user_name) ? STR("root") : wish->user_name,
			     .enabled = true,
			     .is_owner = true};
	TRY(user_put(op, &owner));
	wish->user = owner.row.id;
	const struct role *member = engine_find_standard_role(op->head, ROLE_RIGHT_MEMBER);
	if (!member)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_ROLE, "The region has no roles yet.");
	struct role_assignment right = {.row.id = uuid_v5(account, STR("owner")),
					.row.gen = 1,
					.role = member->row.id,
					.user = owner.row.id,
					.account = account};
	TRY(role_assignment_put(op, &right));
	return wish->key ? write_key(op, wish->key, account, owner.row.id) : OK;
}

static RESULT check_name(struct op *op, uuid domain, struct str name, uuid but)
{
	TRY(engine_check_name(op, KIND_ACCOUNT, name));
	const struct account *other = account_find_by_domain(op->head, domain, name);
	if (other && !uuid_equal(other->row.id, but))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_ACCOUNT,
				     "The account '%" STR_FMT "' exists already.", STR_ARG(name));
	return OK;
}

enum { LABELS_MAX = 80 };

/* Drops duplicates and keeps the order. */
static RESULT choose_labels(struct op *op, const struct strs *wish, struct strs *ret_labels)
{
	struct str *labels = arena_new_array(op->ctx->arena, struct str, LABELS_MAX);
	size_t count = 0;
	if (!labels)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < wish->count; n++) {
		struct str label = wish->at[n];
		bool is_there = false;
		for (size_t k = 0; k < count && !is_there; k++)
			is_there = str_equal(labels[k], label);
		if (is_there)
			continue;
		if (count == LABELS_MAX || label.n < 1 || label.n > 255 || !str_is_utf8(label) ||
		    str_find_char(label, '/', 0) < label.n || str_find_char(label, ',', 0) < label.n)
			return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCOUNT,
					     "An account has at most %d tags, of 1 to 255 characters without "
					     "'/' and ','.",
					     LABELS_MAX);
		labels[count++] = label;
	}
	*ret_labels = (struct strs){labels, count};
	return OK;
}

static RESULT find_parent(struct op *op, const struct account_wish *wish, const struct row **domain,
			  uuid *ret_parent)
{
	const struct row *row = NULL;
	if (!ref_is_given(&wish->parent))
		return OK;
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->parent, &row));
	const struct account *parent = account_of(row);
	if (ref_is_given(&wish->domain) && !uuid_equal((*domain)->id, parent->domain))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCOUNT,
				     "The domain is not that of the account's parent.");
	*domain = tables_find(op->head, KIND_DOMAIN, parent->domain);
	int depth = 1;
	for (const struct account *a = parent; a; a = account_find(op->head, a->parent))
		depth++;
	*ret_parent = parent->row.id;
	return depth <= ACCOUNT_DEPTH_MAX
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ACCOUNT,
				       "Max hierarchy depth reached for %" STR_FMT " branch.",
				       STR_ARG(parent->name));
}

RESULT engine_create_account(struct op *op, struct account_wish *wish)
{
	uuid parent = UUID_NONE;
	const struct row *domain = tables_find(op->head, KIND_DOMAIN, DOMAIN_DEFAULT);
	if (ref_is_given(&wish->domain))
		TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &domain));
	TRY(find_parent(op, wish, &domain, &parent));
	if (!domain)
		return engine_fail_gone(op->ctx, KIND_DOMAIN, DOMAIN_DEFAULT);
	TRY(engine_permit(op, "account.create", KIND_DOMAIN, domain));
	TRY(check_name(op, domain->id, wish->name, UUID_NONE));
	TRY(limit_check(op, LIMIT_ACCOUNTS, domain->id, 1, STR_NONE));
	struct account account = {.row.id = engine_new_id(op, KIND_ACCOUNT),
				  .row.gen = 1,
				  .domain = domain->id,
				  .parent = parent,
				  .name = wish->name,
				  .description = wish->description,
				  .number = draw_number(op),
				  .enabled = choice_or(wish->enabled, true)};
	if (str_is_empty(account.number))
		return ctx_no_memory(op->ctx);
	TRY(choose_labels(op, &wish->labels, &account.labels));
	quota_set_defaults(op->head, &account);
	TRY(keystone_extra_add(op, KIND_ACCOUNT, wish->extra, &account.extra));
	TRY(account_put(op, &account));
	TRY(write_owner(op, wish, account.row.id));
	if (wish->with_default_router)
		TRY(router_write_default(op, account_find(op->head, account.row.id), &wish->router));
	wish->account = account.row.id;
	wish->number = account.number;
	return engine_log_event(op, KIND_ACCOUNT, &account.row, "created",
				"Account %" STR_FMT ", number %" STR_FMT ".", STR_ARG(account.name),
				STR_ARG(account.number));
}

static RESULT find_account(struct op *op, const struct ref *ref, const struct account **ret_account)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, ref, &row));
	*ret_account = account_of(row);
	return OK;
}

RESULT engine_update_account(struct op *op, struct account_change *wish)
{
	const struct account *account = NULL;
	TRY(find_account(op, &wish->account, &account));
	TRY(engine_permit(op, "account.update", KIND_ACCOUNT, &account->row));
	if (wish->enabled == CHOICE_NO)
		TRY(engine_guard_administrators_account(op, account->row.id));
	struct account next = *account;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	if (wish->labels)
		TRY(choose_labels(op, wish->labels, &next.labels));
	choice_apply(wish->enabled, &next.enabled);
	TRY(check_name(op, account->domain, next.name, account->row.id));
	TRY(keystone_extra_add(op, KIND_ACCOUNT, wish->extra, &next.extra));
	next.row.gen++;
	TRY(account_put(op, &next));
	return engine_log_event(op, KIND_ACCOUNT, &next.row, "changed",
				next.enabled ? "Account %" STR_FMT ", enabled."
					     : "Account %" STR_FMT
					       ", disabled: its keys and tokens are refused.",
				STR_ARG(next.name));
}

/* The usage figures count volumes and backups until they are gone. One that is being removed does not block
 * the account, because the reconciler removes it without the account. */
static int64_t count_live_volumes(const struct op *op, uuid account)
{
	int64_t count = 0;
	for (const struct volume *v = volume_first_by_account(op->head, account); v;
	     v = volume_next_by_account(op->head, v))
		count += row_is_live(&v->row) && v->local == VOLUME_LOCAL_NO;
	return count;
}

static int64_t count_live_backups(const struct op *op, uuid account)
{
	int64_t count = 0;
	for (const struct backup *b = backup_first_by_account(op->head, account); b;
	     b = backup_next_by_account(op->head, b))
		count += row_is_live(&b->row);
	return count;
}

/* A prefix reserves public addresses even while none of them is allocated. */
static int64_t count_live_prefixes(const struct op *op, uuid account)
{
	int64_t count = 0;
	for (const struct address_prefix *p = address_prefix_first_by_account(op->head, account); p;
	     p = address_prefix_next_by_account(op->head, p))
		count += row_is_live(&p->row);
	return count;
}

/* The face's plural for the kind, or else the engine's. */
static struct str write_plural(const struct ctx *c, enum kind kind, const char *words)
{
	struct str own = str_from(c->kind_words && c->kind_words->of[kind] ? c->kind_words->of[kind] : "");
	return own.n ? str_print(c->arena, "%" STR_FMT "%s", STR_ARG(own),
				 str_ends_with(own, STR("s")) ? "es" : "s")
		     : str_from(words);
}

/* Leaves out what is deleted with the account, such as security groups. */
static RESULT check_empty(struct op *op, const struct account *account)
{
	const struct account_usage *has = account_usage(account);
	const struct {
		enum kind kind;
		const char *words;
		int64_t count;
	} kept[] = {{KIND_CAPACITY_RESERVATION, "capacity reservations", has->capacity_reservations},
		    {KIND_INSTANCE, "instances", has->instances},
		    {KIND_VOLUME, "volumes", count_live_volumes(op, account->row.id)},
		    {KIND_SNAPSHOT, "snapshots", has->snapshots},
		    {KIND_BACKUP, "backups", count_live_backups(op, account->row.id)},
		    {KIND_IMAGE, "images", has->images},
		    {KIND_ADDRESS, "addresses", has->addresses},
		    {KIND_ADDRESS_PREFIX, "public IP prefixes", count_live_prefixes(op, account->row.id)},
		    {KIND_ROUTER, "VPCs", has->routers},
		    {KIND_NAT_GATEWAY, "NAT gateways", has->nat_gateways},
		    {KIND_TRANSIT_GATEWAY, "transit gateways", has->transit_gateways},
		    {KIND_VPN_CONNECTION, "VPN connections", has->vpn_connections},
		    {KIND_VPN_SERVICE, "VPN services", has->vpn_services},
		    {KIND_VPN_GATEWAY, "virtual private gateways", has->vpn_gateways},
		    {KIND_CUSTOMER_GATEWAY, "customer gateways", has->customer_gateways},
		    {KIND_ELASTIC_LOAD_BALANCER, "load balancers",
		     has->network_load_balancers + has->application_load_balancers},
		    {KIND_TARGET_GROUP, "target groups", has->target_groups},
		    {KIND_SCALING_GROUP, "Auto Scaling groups", has->scaling_groups},
		    {KIND_QUEUE, "queues", has->queues},
		    {KIND_TOPIC, "topics", has->topics},
		    {KIND_PORT, "network interfaces", has->ports},
		    {KIND_NETWORK, "networks", has->networks},
		    {KIND_DEDICATED_HOST, "dedicated hosts", has->dedicated_hosts}};
	for (size_t n = 0; n < sizeof kept / sizeof *kept; n++)
		if (kept[n].count > 0)
			return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_ACCOUNT,
					     "The %s %" STR_FMT " still has %" STR_FMT " (%" PRId64 ").",
					     engine_kind_words(op->ctx, KIND_ACCOUNT), STR_ARG(account->name),
					     STR_ARG(write_plural(op->ctx, kept[n].kind, kept[n].words)),
					     kept[n].count);
	for (const struct account *a = account_first_by_parent(op->head, account->row.id); a;
	     a = account_next_by_parent(op->head, a))
		if (row_is_live(&a->row))
			return ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_ACCOUNT,
					     "The account %" STR_FMT " has the account %" STR_FMT " in it.",
					     STR_ARG(account->name), STR_ARG(a->name));
	for (const struct subnet_pool *p = subnet_pool_first_by_account(op->head, account->row.id); p;
	     p = subnet_pool_next_by_account(op->head, p))
		if (subnet_pool_is_used(op->head, p->row.id))
			return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_ACCOUNT,
					     "Others' subnets are from a pool of the account %" STR_FMT ".",
					     STR_ARG(account->name));
	return OK;
}

RESULT engine_delete_account(struct op *op, struct account_target *wish)
{
	const struct account *account = NULL;
	TRY(find_account(op, &wish->account, &account));
	TRY(engine_permit(op, "account.delete", KIND_ACCOUNT, &account->row));
	TRY(engine_guard_administrators_account(op, account->row.id));
	TRY(check_empty(op, account));
	uuid id = account->row.id;
	const struct security_group *g = security_group_first_by_account(op->head, id);
	for (; g; g = security_group_next_by_account(op->head, g))
		if (row_is_live(&g->row))
			TRY(security_group_delete_with_rules(op, g->row.id));
	const struct port_policy *p = port_policy_first_by_account(op->head, id);
	for (; p; p = port_policy_next_by_account(op->head, p))
		if (row_is_live(&p->row))
			TRY(port_policy_delete(op, p->row.id));
	const struct provider *elsewhere = provider_first_by_account(op->head, id);
	for (; elsewhere; elsewhere = provider_next_by_account(op->head, elsewhere))
		if (row_is_live(&elsewhere->row))
			TRY(provider_delete(op, elsewhere->row.id));
	TRY(catalog_forget_account(op, id));
	TRY(engine_log_event(op, KIND_ACCOUNT, &account->row, "deleted", "Account %" STR_FMT ".",
			     STR_ARG(account->name)));
	return account_delete(op, id);
}

static void limits_by_quota(const struct account_limits *wish, int64_t ret_limits[static QUOTA_COUNT])
{
	const int64_t limits[QUOTA_COUNT] = {
#define QUOTA(ID, figure, ...) [QUOTA_##ID] = wish->figure,
#define EACH(ID, figure, ...) [QUOTA_##ID] = wish->figure,
#define KEPT(ID, figure, ...) [QUOTA_##ID] = wish->figure,
#include "engine/limits.def"
	};
	memcpy(ret_limits, limits, sizeof limits);
}

RESULT engine_set_default_limits(struct op *op, struct account_limits *wish)
{
	int64_t wanted[QUOTA_COUNT];
	TRY(engine_permit(op, "setting.put", KIND_SETTING,
			  NULL)); /* limits of volume types are no settings */
	limits_by_quota(wish, wanted);
	for (enum quota quota = 0; quota < QUOTA_COUNT; quota++) {
		struct setting_wish setting = {.name = quota_setting(quota),
					       .value = str_print(op->ctx->arena, "%" PRId64, wanted[quota])};
		if (wanted[quota] != ACCOUNT_LIMIT_KEEP)
			TRY(engine_put_setting(op, &setting));
	}
	return volume_type_limits_set(op, UUID_NONE, wish->types, wish->type_count);
}

RESULT engine_set_limits(struct op *op, struct account_limits *wish)
{
	const struct account *account = NULL;
	TRY(engine_permit_account(op, &wish->account, "account.limit", &account));
	if (wish->user.kind)
		return user_limit_set(op, account, wish);
	int64_t wanted[QUOTA_COUNT];
	limits_by_quota(wish, wanted);
	struct account next = *account;
	for (enum quota quota = 0; quota < QUOTA_COUNT; quota++) {
		if (wanted[quota] != ACCOUNT_LIMIT_KEEP)
			*quota_limit(&next, quota) = wanted[quota];
	}
	if (wish->forgets_types)
		FORGET_EACH(op, volume_type_limit, of_account, account->row.id);
	TRY(volume_type_limits_set(op, account->row.id, wish->types, wish->type_count));
	next.row.gen++;
	TRY(account_put(op, &next));
	return engine_log_event(op, KIND_ACCOUNT, &next.row, "limits changed", "Its limits were changed.");
}

/* ---- access keys ---- */

/* A signature's credential scope separates the id by slashes, and temporary ids start with ASIA. */
static RESULT check_told_id(struct op *op, struct str id)
{
	bool is_fine = id.n >= 1 && id.n <= 128 && !str_starts_with(id, STR("ASIA"));
	for (size_t n = 0; n < id.n && is_fine; n++)
		is_fine = isalnum((unsigned char) id.p[n]) || strchr("-_.@+", id.p[n]);
	if (!is_fine)
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_ACCESS_KEY, STR("blob"),
			"An access key's id has 1 to 128 letters, digits and characters of -_.@+, and "
			"does not begin with ASIA.");
	if (access_key_find_by_key_id(op->head, id))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_ACCESS_KEY, STR("blob"),
				   "Conflict occurred attempting to store credential - Duplicate entry.");
	return OK;
}

RESULT engine_change_access_key(struct op *op, struct access_key_change *wish)
{
	const struct access_key *key = access_key_find(op->head, wish->key);
	const struct user *user = key ? user_find(op->head, key->user) : NULL;
	const struct row *account = NULL;
	if (!user)
		return engine_fail_gone(op->ctx, KIND_ACCESS_KEY, wish->key);
	TRY(engine_permit_own(op, "access_key.enable", user, key->account));
	struct access_key next = *key;
	if (ref_is_given(&wish->account)) {
		TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &account));
		TRY(engine_permit_own(op, "access_key.create", user, account->id));
		next.account = account->id;
	}
	if (wish->key_id.n && !str_equal(wish->key_id, key->key_id))
		TRY(check_told_id(op, wish->key_id));
	if (wish->key_id.n)
		next.key_id = wish->key_id;
	if (wish->secret.n)
		next.secret = wish->secret;
	next.row.gen++;
	TRY(access_key_put(op, &next));
	return engine_log_event(op, KIND_USER, &user->row, "access key changed", "Access key %" STR_FMT ".",
				STR_ARG(next.key_id));
}

RESULT engine_create_access_key(struct op *op, struct access_key_wish *wish)
{
	const struct user *user = NULL;
	TRY(engine_find_own_user(op->ctx, op->head, &wish->user, &user));
	uuid account = user->account;
	if (ref_is_given(&wish->account)) {
		const struct row *row = NULL;
		TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &row));
		account = row->id;
	}
	TRY(engine_permit_own(op, "access_key.create", user, account));
	struct roles roles;
	int64_t count = 0;
	const struct access_key *k = access_key_first_by_user(op->head, user->row.id);
	for (; k; k = access_key_next_by_user(op->head, k))
		count += uuid_equal(k->account, account);
	if (wish->count_max && count >= wish->count_max)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_ACCESS_KEY,
				     "Cannot exceed quota for AccessKeysPerUser: %" PRId64, wish->count_max);
	TRY(limit_check(op, LIMIT_ACCESS_KEYS, user->row.id, 1, STR_NONE));
	engine_find_roles(op->head, user->row.id, IDENTITY_ACCOUNT, account, &roles);
	if (wish->is_told)
		TRY(check_told_id(op, wish->key->key_id));
	else if (roles.count == 0 &&
		 !uuid_equal(user->account, account)) /* an account's own users may have policies instead of
						       * roles */
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_ACCOUNT,
				     "The user has no role in that account.");
	TRY(write_key(op, wish->key, account, user->row.id));
	return engine_log_event(op, KIND_USER, &user->row, "access key created", "Access key %" STR_FMT ".",
				STR_ARG(wish->key->key_id));
}

static RESULT find_own_key(struct op *op, const struct access_key_target *wish, const char *permission,
			   const struct access_key **ret_key)
{
	const struct access_key *key = access_key_find_by_key_id(op->head, wish->key_id);
	const struct identity *who = op->ctx->who;
	const struct user *user = key ? user_find(op->head, key->user) : NULL;
	bool is_in_reach = user && (identity_is_admin(who) || uuid_equal(key->user, who->user) ||
				    (uuid_equal(user->account, who->account) && !user->is_owner));
	if (!is_in_reach || (wish->user.bits && !uuid_equal(key->user, wish->user.prefix)))
		return engine_fail_not_found(op->ctx, KIND_ACCESS_KEY, &(struct ref){.text = wish->key_id});
	TRY(engine_permit_own(op, permission, user, key->account));
	*ret_key = key;
	return op_name(op, KIND_ACCESS_KEY, &key->row);
}

RESULT engine_enable_access_key(struct op *op, struct access_key_target *wish)
{
	const struct access_key *key = NULL;
	TRY(find_own_key(op, wish, "access_key.enable", &key));
	struct access_key next = *key;
	next.enabled = wish->enabled;
	next.row.gen++;
	TRY(access_key_put(op, &next));
	return engine_log_event(op, KIND_ACCESS_KEY, &next.row, wish->enabled ? "enabled" : "disabled",
				"Access key %" STR_FMT ".", STR_ARG(key->key_id));
}

RESULT engine_delete_access_key(struct op *op, struct access_key_target *wish)
{
	const struct access_key *key = NULL;
	TRY(find_own_key(op, wish, "access_key.delete", &key));
	TRY(engine_log_event(op, KIND_ACCESS_KEY, &key->row, "deleted", "Access key %" STR_FMT ".",
			     STR_ARG(key->key_id)));
	return access_key_forget(op, key->row.id);
}
