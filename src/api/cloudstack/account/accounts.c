/* SPDX-License-Identifier: Apache-2.0
 * Accounts, which are EC2's accounts and Keystone's projects.
 */
#include "api/cloudstack/account/people.h"
#include "auth/key/cloudstack_signature.h"
#include "engine/people/account/account.h"
#include "engine/resolve.h"
#include "model/account.h"
#include "store/domain.h"
#include "store/role_assignment.h"
#include "store/user.h"

struct list_accounts {
	struct cs_list_args list;
	struct str state;
	struct strs details;
	int64_t type;
	bool has_type;
};
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_accounts, KIND_ACCOUNT),
	CS_NAME_PARAM(struct list_accounts),
	PARAM(struct list_accounts, "listall", list.lists_all,
	      .doc = "Lists all accounts that the caller may see."),
	PARAM(struct list_accounts, "isrecursive", list.is_recursive,
	      .doc = "Includes accounts of subdomains."),
	PARAM(struct list_accounts, "domainid", list.domain, .kind = KIND_DOMAIN,
	      .doc = "Accounts of this domain."),
	PARAM(struct list_accounts, "accounttype", type, .min = 0, .max = 5,
	      .given = offsetof(struct list_accounts, has_type) + 1,
	      .doc = "Account type: 0 for users, 1 for root administrators, 2 for domain administrators."),
	PARAM(struct list_accounts, "state", state, .words = "enabled|disabled|locked", .doc = "State."),
	PARAM(struct list_accounts, "details", details,
	      .doc = "all, resource or min, which shows no limits; absent: all."),
	NOT_BUILT("tag|apikeyaccess"),
	NOT_BUILT("showicon|iscleanuprequired", .only = "false"),
};

/* Users see their own account; administrators see all. */
static bool sees(struct api_call *e, const struct row *row)
{
	return uuid_equal(row->id, e->c->who->account) || engine_may_see(e->c, KIND_ACCOUNT, row);
}

/* Without listall and domain, an administrator's list has only the own account. */
static bool is_asked_for(const struct api_call *e, const struct cs_list_args *asked, const struct account *a)
{
	bool is_whole = uuid_equal(asked->domain.prefix, DOMAIN_DEFAULT) && asked->is_recursive == CHOICE_YES;
	if (ref_is_given(&asked->domain))
		return is_whole || uuid_equal(a->domain, asked->domain.prefix);
	return asked->lists_all == CHOICE_YES || ref_is_given(&asked->id) || asked->name.n ||
	       uuid_equal(a->row.id, e->c->who->account);
}

static struct str get_state(struct api_call *e, const struct row *row)
{
	(void) e;
	return account_of(row)->enabled ? STR("enabled") : STR("disabled");
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_accounts *a = args;
	int type = a->has_type ? cs_account_type(cs_role_of(api_tables(e), row->id)) : 0;
	if (cs_is_project(api_tables(e), row->id) && !uuid_equal(row->id, e->c->who->account))
		return false;
	return is_asked_for(e, &a->list, account_of(row)) && (!a->has_type || a->type == type) &&
	       (!a->state.n || str_equal(a->state, get_state(e, row)));
}

static void write_role(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	cs_write_role(e, w, row->id);
}

static void write_domain(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct domain *domain = domain_find(api_tables(e), account_of(row)->domain);
	cs_write_domain(e, w, account_of(row)->domain);
	if (domain)
		json_write_text(w, name, cs_domain_path(e->c->arena, api_tables(e), domain));
}

/* Writes a limit, the current count, and what remains. */
static void write_figure(struct api_call *e, struct json_writer *w, const char *word, int64_t limit,
			 int64_t total, unsigned shift)
{
	struct arena *a = e->c->arena;
	struct str unlimited = STR("Unlimited");
	bool is_limited = limit >= 0;
	int64_t most = limit >> shift, there = total >> shift, left = most > there ? most - there : 0;
	json_write_text(w, str_to_z(a, str_print(a, "%slimit", word)),
			is_limited ? str_print(a, "%lld", (long long) most) : unlimited);
	json_write_int(w, str_to_z(a, str_print(a, "%stotal", word)), there);
	json_write_text(w, str_to_z(a, str_print(a, "%savailable", word)),
			is_limited ? str_print(a, "%lld", (long long) left) : unlimited);
}

void cs_write_usage(struct api_call *e, struct json_writer *w, const struct account *limits,
		    const struct account_usage *u)
{
	enum { MIB = 20, GIB = 30 };
#define FIGURE(word, limit, total, shift)                                                                    \
	write_figure(e, w, (word), limits ? limits->limit : -1, u->total, (shift))
	FIGURE("vm", limit_instances, instances, 0);
	FIGURE("ip", limit_addresses, addresses, 0);
	FIGURE("volume", limit_volumes, volumes, 0);
	FIGURE("snapshot", limit_snapshots, snapshots, 0);
	FIGURE("template", limit_images, images, 0);
	FIGURE("network", limit_networks, networks, 0);
	FIGURE("vpc", limit_routers, routers, 0);
	FIGURE("cpu", limit_vcpus, vcpus, 0);
	FIGURE("memory", limit_memory, memory, MIB);
	FIGURE("primarystorage", limit_volume_bytes, volume_bytes, GIB);
#undef FIGURE
}

bool cs_shows_figures(struct api_call *e)
{
	struct str details = cloudstack_find_value(&e->pairs, "details"), word;
	bool is_said = details.n, shows = false;
	while (str_split_next(&details, ',', &word))
		shows = shows || str_equal_nocase(word, STR("all")) ||
			str_equal_nocase(word, STR("resource"));
	return !e->action->listing || !is_said || shows;
}

void cs_write_figures(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	if (!cs_shows_figures(e))
		return;
	cs_write_usage(e, w, account_of(row), account_usage(account_of(row)));
}

/* True if this is the user's first role assignment on the account. */
static bool counts(const struct tables *t, const struct role_assignment *a)
{
	const struct user *user = user_find(t, a->user);
	const struct account *of = user && row_is_live(&user->row) ? cs_account_of(t, user) : NULL;
	const struct role_assignment *first = role_assignment_first_by_user(t, a->user);
	while (first && !uuid_equal(first->account, a->account))
		first = role_assignment_next_by_user(t, first);
	return first == a && of && uuid_equal(of->row.id, a->account) && uuid_is_none(user->account);
}

/* Visits the account's own users, and users of domains with a role on it. */
void cs_each_person(const struct tables *t, uuid account, bool (*visit)(void *arg, const struct user *user),
		    void *arg)
{
	for (const struct user *u = user_first_by_owner(t, account); u; u = user_next_by_owner(t, u))
		if (cs_is_person(t, u) && !visit(arg, u))
			return;
	const struct role_assignment *a = role_assignment_first_by_account(t, account);
	for (; a; a = role_assignment_next_by_account(t, a))
		if (counts(t, a) && !visit(arg, user_find(t, a->user)))
			return;
}

static bool note(void *arg, const struct user *user)
{
	(void) user;
	*(bool *) arg = true;
	return false;
}

bool cs_is_project(const struct tables *t, uuid account)
{
	bool has_people = false;
	cs_each_person(t, account, note, &has_people);
	return !has_people;
}

struct writing {
	struct api_call *e;
	struct json_writer *w;
};

static bool write_user(void *arg, const struct user *user)
{
	struct writing *to = arg;
	json_write_open(to->w, NULL);
	members_write(to->e, to->w, cs_write_time, &cs_users.members, &user->row);
	json_write_close(to->w);
	return true;
}

static void write_users(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	struct writing to = {e, w};
	json_write_open_list(w, name);
	cs_each_person(api_tables(e), row->id, write_user, &to);
	json_write_close_list(w);
}

static const struct member members[] = {
	MEMBER(struct account, "id", row.id),
	MEMBER(struct account, "name", name),
	MEMBER_WRITTEN("accounttype", write_role, .also = "roleid|rolename|roletype"),
	MEMBER_WRITTEN("domainpath", write_domain, .also = "domainid|domain"),
	MEMBER_TEXT("state", get_state),
	MEMBER_AS(struct account, TIME, "created", row.created_us),
	MEMBER_WRITTEN("vmlimit", cs_write_figures, .also = CS_FIGURES),
	MEMBER_FIXED("isdefault", "false"),
	MEMBER_FIXED("groups", "[]"),
	MEMBER_WRITTEN("user", write_users),
};
const struct api_listing cs_accounts =
	CS_LISTING(KIND_ACCOUNT, "account", members, .name = offsetof(struct account, name), .is_all = true,
		   .sees = sees, .matches = matches);

RESULT cs_check_listed_domain(struct cs_call *e, void *args)
{
	const struct ref *ref = &((const struct cs_list_args *) args)->domain;
	const struct domain *domain = domain_find(cs_tables(e), ref->prefix);
	return !ref_is_given(ref) || (domain && row_is_live(&domain->row))
		       ? OK
		       : cs_fail_id(e, KIND_DOMAIN, "domainid", ref->text);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listAccounts", "organizations:ListAccounts"), .prepare = cs_check_listed_domain,
	 .args = PARAMS(struct list_accounts, params), .listing = &cs_accounts, .doc = "Lists accounts."},
};
const struct api_actions cs_account_actions = API_ACTIONS(actions);
