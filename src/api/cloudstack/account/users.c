/* SPDX-License-Identifier: Apache-2.0
 * Users and their API keys, which are EC2 access keys.
 */
#include "api/cloudstack/account/people.h"
#include "auth/key/key.h"
#include "auth/key/key_owner.h"
#include "base/crypto.h"
#include "engine/people/account/account.h"
#include "engine/people/user.h"
#include "engine/people/user_owned.h"
#include "engine/region/region.h"
#include "engine/resolve.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/group_member.h"
#include "store/role_assignment.h"
#include "store/user.h"

static const struct role_assignment *choose_older(const struct role_assignment *a,
						  const struct role_assignment *b)
{
	return !uuid_is_none(a->account) && (!b || a->row.created_us < b->row.created_us) ? a : b;
}

/* CloudStack's user belongs to one account: a role of its own counts before those of groups, and the oldest first. */
const struct account *cs_account_of(const struct tables *t, const struct user *user)
{
	if (!uuid_is_none(user->account))
		return account_find(t, user->account);
	if (!uuid_is_none(user->default_account))
		return account_find(t, user->default_account);
	const struct role_assignment *a = role_assignment_first_by_user(t, user->row.id), *oldest = NULL;
	for (; a; a = role_assignment_next_by_user(t, a))
		oldest = choose_older(a, oldest);
	const struct group_member *m = oldest ? NULL : group_member_first_by_user(t, user->row.id);
	for (; m; m = group_member_next_by_user(t, m))
		for (a = role_assignment_first_by_user_group(t, m->user_group); a;
		     a = role_assignment_next_by_user_group(t, a))
			oldest = choose_older(a, oldest);
	return oldest ? account_find(t, oldest->account) : NULL;
}

bool cs_is_person(const struct tables *t, const struct user *user)
{
	return row_is_live(&user->row) && (!user->is_owner || access_key_first_by_user(t, user->row.id));
}

/* ---- listUsers ---- */

struct list_users {
	struct cs_list_args list;
	struct str username, state;
	int64_t type;
	bool has_type;
};
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_users, KIND_USER),
	CS_OWNER_PARAMS(struct list_users),
	PARAM(struct list_users, "username", username, .fits = FITS(user, name), .doc = "User name."),
	PARAM(struct list_users, "state", state, .words = "enabled|disabled|locked", .doc = "State."),
	PARAM(struct list_users, "accounttype", type, .min = 0, .max = 5,
	      .given = offsetof(struct list_users, has_type) + 1,
	      .doc = "Account type: 0 for users, 1 for root administrators, 2 for domain administrators."),
	NOT_BUILT("apikeyaccess"),
	NOT_BUILT("usersource", .only = "native"),
	NOT_BUILT("showicon", .only = "false"),
};

static bool is_of_account(struct api_call *e, const struct row *row, uuid account)
{
	const struct account *of = cs_account_of(api_tables(e), user_of(row));
	return of && uuid_equal(of->row.id, account);
}

static bool sees(struct api_call *e, const struct row *row)
{
	return is_of_account(e, row, e->c->who->account) || engine_may_see(e->c, KIND_USER, row);
}

static struct str get_state(struct api_call *e, const struct row *row)
{
	(void) e;
	return user_of(row)->enabled ? STR("enabled") : STR("disabled");
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_users *a = args;
	const struct account *of = cs_account_of(api_tables(e), user_of(row));
	bool is_one = ref_is_given(&a->list.id) || a->list.lists_all == CHOICE_YES;
	bool is_domains = ref_is_given(&a->list.domain) && !a->list.account.n;
	if (!of || !cs_is_person(api_tables(e), user_of(row)) ||
	    (a->state.n && !str_equal(a->state, get_state(e, row))) ||
	    (a->has_type && a->type != cs_account_type(cs_role_of(api_tables(e), of->row.id))))
		return false;
	return is_domains ? uuid_equal(of->domain, a->list.domain.prefix)
			  : is_one || is_of_account(e, row, e->c->who->account);
}

/* Writes first name, last name and e-mail address, stored as Keystone's extra attributes. */
void cs_write_names(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	static const char *const names[] = {"firstname", "lastname", "timezone"};
	(void) e;
	(void) name;
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		const struct tag *value = tags_find(user_of(row)->extra, str_from(names[k]));
		if (value)
			json_write_raw(w, names[k], value->value);
	}
}

static void write_account(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct account *of = cs_account_of(api_tables(e), user_of(row));
	if (!of)
		return;
	json_write_text(w, name, of->name);
	json_write_text(w, "accountid", uuid_to_str(e->c->arena, of->row.id));
	cs_write_role(e, w, of->row.id);
	cs_write_domain(e, w, of->domain);
}

/* The user's newest key for the account: a user may have several. */
static const struct access_key *find_key(const struct tables *t, const struct user *user)
{
	const struct account *of = cs_account_of(t, user);
	const struct access_key *newest = NULL, *key = access_key_first_by_user(t, user->row.id);
	for (; key && of; key = access_key_next_by_user(t, key))
		if (key->enabled && uuid_equal(key->account, of->row.id) &&
		    (!newest || key->row.created_us >= newest->row.created_us))
			newest = key;
	return newest;
}

static struct str get_key(struct api_call *e, const struct row *row)
{
	const struct access_key *key = find_key(api_tables(e), user_of(row));
	return key ? key->key_id : STR_NONE;
}

static const struct member members[] = {
	MEMBER(struct user, "id", row.id),
	MEMBER(struct user, "username", name),
	MEMBER_WRITTEN("firstname", cs_write_names, .also = "lastname|timezone"),
	MEMBER(struct user, "email", email, .is_optional = true),
	MEMBER_AS(struct user, TIME, "created", row.created_us),
	MEMBER_TEXT("state", get_state),
	MEMBER_WRITTEN("account", write_account,
		       .also = "accountid|accounttype|roleid|rolename|roletype|domainid|domain"),
	MEMBER_MADE(TEXT, text, "apikey", get_key, .is_optional = true),
	MEMBER_FIXED("usersource", "\"native\""),
	MEMBER_FIXED("iscallerchilddomain|isdefault|is2faenabled|is2famandated", "false"),
};
const struct api_listing cs_users =
	CS_LISTING(KIND_USER, "user", members, .name = offsetof(struct user, name), .is_all = true,
		   .sees = sees, .matches = matches);

/* ---- keys ---- */

struct keys_args {
	struct access_key_wish wish;
	struct access_key key;
	struct str secret;
};
static const struct param key_params[] = {
	PARAM(struct keys_args, "id", wish.user, .kind = KIND_USER, .flags = REQUIRED,
	      .doc = "User whose key is created."),
};

/* Finds a user that the caller may see: oneself, users of the own account, or all for administrators. */
static RESULT find_user(struct cs_call *e, const struct ref *ref, const char *parameter,
			const struct user **ret_user)
{
	const struct user *user = user_find(cs_tables(e), ref->prefix);
	if (!user || !row_is_live(&user->row) || !sees(&e->core, &user->row))
		return cs_fail_id(e, KIND_USER, parameter, ref->text);
	*ret_user = user;
	return OK;
}

static void write_keys(struct json_writer *w, struct str key_id, struct str secret)
{
	json_write_open(w, "userkeys");
	json_write_text(w, "apikey", key_id);
	json_write_text(w, "secretkey", secret);
	json_write_close(w);
}

/* Whose keys the caller may read: one's own, and an administrator everybody's, whatever credential is used
 * (engine/people/user_owned.h). *ret_key NULL: there is none. */
static RESULT find_keys(struct cs_call *e, const struct ref *ref, const char *parameter,
			const struct user **ret_user, const struct access_key **ret_key)
{
	const struct user *user = NULL;
	TRY(find_user(e, ref, parameter, &user));
	if (!uuid_equal(user->row.id, e->c->who->user) && !identity_is_admin(e->c->who))
		return ctx_fail(e->c, ERR_DENIED, "Keys are shown to their user and to administrators.");
	TRY(engine_check_found(e->c, cs_tables(e), KIND_USER, &user->row));
	*ret_user = user;
	*ret_key = find_key(cs_tables(e), user);
	uuid account = *ret_key ? (*ret_key)->account : e->c->who->account;
	return engine_check_own(e->c, cs_tables(e), "access_key.list", user, account);
}

static RESULT prepare_register(struct cs_call *e, void *args)
{
	struct keys_args *a = args;
	const struct user *user = NULL;
	TRY(find_user(e, &a->wish.user, "id", &user));
	const struct account *of = cs_account_of(cs_tables(e), user);
	a->wish.account = ref_by_id(KIND_ACCOUNT, of ? of->row.id : UUID_NONE);
	a->wish.key = &a->key;
	a->key.row.id = id_new(KIND_ACCESS_KEY);
	return key_draw(e->c, e->config->master_key, &a->key, &a->secret);
}

static RESULT show_registered(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct keys_args *a = args;
	(void) e;
	write_keys(w, a->key.key_id, a->secret);
	return OK;
}

struct shown_keys {
	struct cs_call *e;
	struct json_writer *w;
	const struct access_key *key;
};

static RESULT show_secret(void *arg, struct str secret)
{
	struct shown_keys *s = arg;
	write_keys(s->w, s->key->key_id, secret);
	return OK;
}

static RESULT get_keys(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct keys_args *a = args;
	const struct user *user = NULL;
	struct shown_keys shown = {.e = e, .w = w};
	TRY(find_keys(e, &a->wish.user, "id", &user, &shown.key));
	if (shown.key)
		return key_use_secret(e->c, e->config->master_key, shown.key, show_secret, &shown);
	json_write_open(w, "userkeys");
	json_write_close(w);
	return OK;
}

/* ---- getCloudIdentifier ---- */

struct identifier_args {
	struct ref user;
};

struct signing {
	struct cs_call *e;
	struct json_writer *w;
	struct str user, identifier;
};

/* CloudStack signs its own id as a client signs requests: base64 of the HMAC-SHA1 under the user's secret key. */
static RESULT write_identifier(void *arg, struct str secret)
{
	struct signing *s = arg;
	uint8_t mac[20];
	crypto_hmac_sha1(secret.p, secret.n, s->identifier, mac);
	json_write_open(s->w, "cloudidentifier");
	json_write_text(s->w, "userid", s->user);
	json_write_text(s->w, "cloudidentifier", s->identifier);
	json_write_text(s->w, "signature",
			str_encode_base64(s->e->c->arena, (struct str){(char *) mac, sizeof mac}));
	json_write_close(s->w);
	return OK;
}

/* Signs the region's id with the user's key. */
static RESULT get_identifier(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct identifier_args *a = args;
	const struct user *user = NULL;
	const struct access_key *key = NULL;
	TRY(find_keys(e, &a->user, "userid", &user, &key));
	struct signing signing = {e, w, uuid_to_str(e->c->arena, user->row.id),
				  uuid_to_str(e->c->arena, engine_get_region_id(cs_tables(e)))};
	return key ? key_use_secret(e->c, e->config->master_key, key, write_identifier, &signing)
		   : cs_fail(e, "userid", "The user has no key");
}

/* ---- getUser ---- */

struct user_args {
	struct str key_id;
};
static const struct param user_params[] = {
	PARAM(struct user_args, "userapikey", key_id, .flags = REQUIRED, .doc = "API key of the user."),
};

/* The messages are our own. */
static RESULT get_user(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct user_args *a = args;
	const struct access_key *key = access_key_find_by_key_id(cs_tables(e), a->key_id);
	const struct user *user = key ? user_find(cs_tables(e), key->user) : NULL;
	if (!user || !row_is_live(&user->row))
		return cs_fail(e, "userapikey", "Unable to find a user by the api key %" STR_FMT,
			       STR_ARG(a->key_id));
	json_write_open(w, cs_users.item);
	members_write(&e->core, w, cs_write_time, &cs_users.members, &user->row);
	json_write_close(w);
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("listUsers", "iam:ListUsers"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_users, params), .listing = &cs_users, .doc = "Lists users."},
	{CS_ACTION("registerUserKeys", "iam:CreateAccessKey"), .flags = API_WRITES,
	 .args = PARAMS(struct keys_args, key_params), .prepare = prepare_register,
	 .operation = engine_create_access_key_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = show_registered, .says = "apikey|secretkey", .doc = "Creates an API key of a user."},
	{CS_ACTION("getUserKeys", "identity:ec2_get_credential"),
	 .args = PARAMS(struct keys_args, key_params), .answer = get_keys, .says = "apikey|secretkey",
	 .doc = "Returns a user's API key with its secret."},
	{CS_ACTION("getCloudIdentifier", "identity:ec2_get_credential"),
	 .args = CS_ONE(struct identifier_args, "userid", user, KIND_USER,
			"User whose key signs the identifier."),
	 .answer = get_identifier, .says = "userid|cloudidentifier|signature",
	 .doc = "Returns the identifier of this cloud, signed with a user's key."},
	{CS_ACTION("getUser", "iam:ListUsers"), .flags = CS_ADMIN,
	 .args = PARAMS(struct user_args, user_params), .answer = get_user, .shows = &cs_users,
	 .doc = "Finds the user of an API key."},
};
const struct api_actions cs_user_actions = API_ACTIONS(actions);
