/* SPDX-License-Identifier: Apache-2.0
 * Self-service sign-up. Strangers list open templates, ask with an e-mail address, and confirm with the
 * token sent there. Administrators manage templates and review held accounts.
 */
#include "api/native/sign_in/session.h"
#include "api/native/write.h"

#include "auth/sign_in/password.h"
#include "engine/people/account/signup.h"
#include "engine/tag.h"
#include "store/signup.h"
#include "store/signup_template.h"

enum { OPEN_SHOWN_MAX = 100, PASSWORD_CHARACTERS_MIN = 8 };

#define STRANGERS (API_OPEN | API_FOR_ALL | NATIVE_UNSCOPED)

/* ---- for strangers ---- */

static RESULT answer_open(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = native_tables(e);
	size_t count = 0;
	(void) args;
	json_write_open_list(w, "items");
	for (const struct signup_template *s = signup_template_first(t); s && count < OPEN_SHOWN_MAX;
	     s = signup_template_next(t, s)) {
		if (!s->is_open)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "name", s->name);
		json_write_text(w, "description", s->description);
		json_write_bool(w, "is_reviewed", s->is_reviewed);
		json_write_bool(w, "is_prepaid", s->is_prepaid);
		json_write_close(w);
		count++;
	}
	json_write_close_list(w);
	return OK;
}

static const struct param ask_params[] = {
	PARAM(struct signup_wish, "email", email, .min = 1, .max = 254, .flags = REQUIRED,
	      .doc = "E-mail address that gets the token."),
	PARAM(struct signup_wish, "template", template_name, .max = 64,
	      .doc = "Signup template; absent: the only open one."),
};

static RESULT prepare_ask(struct native_call *e, void *args)
{
	((struct signup_wish *) args)->peer = e->call->peer;
	return OK;
}

/* The answer is the same for known addresses and throttled requests, so it reveals neither. */
static RESULT answer_ask(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	(void) args;
	json_write_z(w, "words", "What to do next is sent to this address. It is good for a day.");
	return OK;
}

struct confirm_args {
	struct signup_proof wish;
	struct str token, password;
};
#define C(name, member, ...) PARAM(struct confirm_args, name, member, __VA_ARGS__)
static const struct param confirm_params[] = {
	C("token", token, .min = 1, .max = 200, .flags = REQUIRED, .doc = "Token from the e-mail."),
	C("name", wish.name, .min = 1, .max = 64, .flags = REQUIRED,
	  .doc = "Name of the new domain and its account."),
	C("password", password, .min = 1, .max = PASSWORD_SIZE_MAX, .flags = REQUIRED,
	  .doc = "Password with which the e-mail address signs in."),
};

static RESULT prepare_confirm(struct native_call *e, void *args)
{
	struct confirm_args *a = args;
	TRY(native_check_wire(e));
	if (!signup_read_token(e->c, e->config->master_key, a->token, &a->wish.signup))
		return ctx_fail_field(e->c, ERR_INVALID, STR("token"), "This is no token of a sign-up.");
	if (a->password.n < PASSWORD_CHARACTERS_MIN)
		return ctx_fail_field(e->c, ERR_INVALID, STR("password"),
				      "A password has at least %d characters.", PASSWORD_CHARACTERS_MIN);
	e->lane = passwords_lane(e->config->passwords);
	e->asker = login_attempt_address(e->call->peer);
	return OK;
}

/* Runs on the passwords' lane. */
static RESULT hash_password(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct confirm_args *a = e->args;
	return password_hash(e->config->passwords, e->c, a->password, &a->wish.password_hash);
}

static RESULT answer_confirm(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct signup_proof *wish = &((const struct confirm_args *) args)->wish;
	const struct signup *s = signup_find(native_tables(e), wish->signup);
	json_write_uuid(w, "domain", wish->domain);
	json_write_uuid(w, "account", wish->account);
	json_write_text(w, "number", wish->number);
	json_write_text(w, "name", wish->name);
	if (s)
		json_write_text(w, "user", s->email);
	json_write_bool(w, "is_held", wish->is_held);
	return OK;
}

/* ---- for administrators ---- */

struct template_args {
	struct signup_template_wish wish;
	struct ref target; /* the template to change */
};
#define T(name, member, ...) PARAM(struct template_args, name, member, __VA_ARGS__)
#define TEMPLATE_PARAMS                                                                                      \
	T("description", wish.description, .max = 255, .doc = "Description, shown to people who sign up."),  \
		T("is_open", wish.open, .doc = "Allows anybody to sign up."),                                \
		T("is_reviewed", wish.reviewed,                                                              \
		  .doc = "Holds new accounts until an administrator accepts them."),                         \
		T("is_prepaid", wish.prepaid, .doc = "Whether the new billing account is prepaid."),         \
		T("reseller", wish.reseller, .kind = KIND_DOMAIN, .flags = BY_NAME,                          \
		  .doc = "Reseller of the new customer, by name or id; absent: the operator."),              \
		T("trial_limits", wish.trial_limits, .max = TAG_COUNT_MAX,                                   \
		  .given = offsetof(struct template_args, wish.has_trial_limits) + 1,                        \
		  .doc = "Quotas before the first payment, such as {\"instances\": \"2\"}."),                \
		T("limits", wish.limits, .max = TAG_COUNT_MAX,                                               \
		  .given = offsetof(struct template_args, wish.has_limits) + 1,                              \
		  .doc = "Quotas after the first payment.")
static const struct param template_params[] = {
	T("name", wish.name, .min = 1, .max = 64, .flags = REQUIRED, .doc = "Name; unique."),
	TEMPLATE_PARAMS,
};
static const struct param template_change_params[] = {TEMPLATE_PARAMS};

static RESULT prepare_template(struct native_call *e, void *args)
{
	struct template_args *a = args;
	if (signup_template_find_by_name(native_tables(e), a->wish.name))
		return ctx_fail_field(e->c, ERR_EXISTS, STR("name"), "There is a template of that name.");
	return OK;
}

static RESULT prepare_template_change(struct native_call *e, void *args)
{
	struct template_args *a = args;
	const struct row *row = NULL;
	TRY(native_find_row(e, KIND_SIGNUP_TEMPLATE, &a->target, &row));
	a->wish.name = str_copy(e->c->arena, signup_template_of(row)->name);
	return a->wish.name.p ? OK : ctx_no_memory(e->c);
}

static const struct param accept_params[] = {
	PARAM(struct signup_review, "reason", reason, .max = 255, .doc = "Reason, for the history."),
};
static const struct param refuse_params[] = {
	PARAM(struct signup_review, "reason", reason, .min = 1, .max = 255, .flags = REQUIRED,
	      .doc = "Reason, sent to webhooks."),
};

static const struct native_action actions[] = {
	{HTTP_GET, "/signups/open", .name = "ListOpenSignups", .permit = "dari:ListOpenSignups",
	 .flags = STRANGERS, .answer = answer_open, .doc = "Lists the open signup templates."},
	{HTTP_POST, "/signups", .permit = "dari:SignUp", .flags = API_WRITES | STRANGERS,
	 .returns = API_RETURNS_NOTHING_STORED, .args = PARAMS(struct signup_wish, ask_params),
	 .prepare = prepare_ask, .operation = engine_ask_signup_run, .answer = answer_ask,
	 .doc = "Requests an account. A webhook gets the token and sends it to the address."},
	{HTTP_POST, "/signups/confirm", .permit = "dari:ConfirmSignup", .flags = API_WRITES | STRANGERS,
	 .returns = API_RETURNS_NOTHING_STORED, .args = PARAMS(struct confirm_args, confirm_params),
	 .prepare = prepare_confirm, .work = hash_password, .operation = engine_confirm_signup_run,
	 .answer = answer_confirm, .status = 201,
	 .doc = "Creates the account for the token that was sent by e-mail."},
	ADMIN_CHANGE(POST, "/signups/{id}/accept", "organizations:ReviewSignup", SIGNUP,
		     .args = PARAMS(struct signup_review, accept_params),
		     .target = NATIVE_AT(signup_review, signup), .operation = engine_accept_signup_run,
		     .doc = "Accepts a held account, which continues on trial."),
	ADMIN_CHANGE(POST, "/signups/{id}/refuse", "organizations:ReviewSignup", SIGNUP,
		     .args = PARAMS(struct signup_review, refuse_params),
		     .target = NATIVE_AT(signup_review, signup), .operation = engine_refuse_signup_run,
		     .doc = "Closes a held account."),
	ADMIN_CREATE("/signup-templates", "organizations:PutSignupTemplate", SIGNUP_TEMPLATE,
		     .args = PARAMS(struct template_args, template_params), .prepare = prepare_template,
		     .operation = engine_put_signup_template_run,
		     .doc = "Adds a signup template, which sets what new customers get."),
	ADMIN_CHANGE(PATCH, "/signup-templates/{id}", "organizations:PutSignupTemplate", SIGNUP_TEMPLATE,
		     .args = PARAMS(struct template_args, template_change_params),
		     .target = NATIVE_AT(template_args, target), .prepare = prepare_template_change,
		     .operation = engine_put_signup_template_run, .doc = "Changes a signup template."),
	ADMIN_CHANGE(DELETE, "/signup-templates/{id}", "organizations:DeleteSignupTemplate", SIGNUP_TEMPLATE,
		     .args = {.size = sizeof(struct signup_template_target)},
		     .target = NATIVE_AT(signup_template_target, signup_template),
		     .operation = engine_delete_signup_template_run, .doc = "Deletes a signup template."),
};
const struct api_actions native_signups_actions = API_ACTIONS(actions);
