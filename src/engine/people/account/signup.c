/* SPDX-License-Identifier: Apache-2.0
 * Sign-ups, from the request to the account. reconcile/billing/webhook.c notifies the mailing service;
 * reconcile/expired.c forgets finished rows. Called by: api/native/signups.c,
 * daemon/bill/commands_signup.c. */
#include "engine/people/account/signup.h"

#include <string.h>

#include "base/crypto.h"
#include "engine/billing/standing.h"
#include "engine/billing/webhook.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/account/account_person.h"
#include "engine/people/account/domain.h"
#include "engine/people/account/signup_internal.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/signup.h"
#include "store/signup_template.h"
#include "store/user.h"

enum { EMAIL_MAX = 254, MAC_TEXT = 2 * SHA256_SIZE };

/* ---- tokens ---- */

static struct str make_mac(struct ctx *c, const uint8_t *master_key, struct str id)
{
	uint8_t mac[SHA256_SIZE];
	struct str message = str_print(c->arena, "dari sign-up %" STR_FMT, STR_ARG(id));
	crypto_hmac_sha256(master_key, MASTER_KEY_SIZE, message, mac);
	return message.p ? str_encode_hex(c->arena, mac, sizeof mac) : STR_NONE;
}

RESULT signup_write_token(struct ctx *c, const uint8_t *master_key, uuid signup, struct str *ret_token)
{
	char id[UUID_TEXT_SIZE];
	struct str mac = make_mac(c, master_key, str_from(uuid_write(signup, id)));
	*ret_token = str_print(c->arena, "%s.%" STR_FMT, id, STR_ARG(mac));
	return mac.p && ret_token->p ? OK : ctx_no_memory(c);
}

bool signup_read_token(struct ctx *c, const uint8_t *master_key, struct str token, uuid *ret_signup)
{
	struct str id = STR_NONE, said = token;
	if (!str_split_next(&said, '.', &id) || said.n != MAC_TEXT || uuid_parse(id, ret_signup).code)
		return false;
	struct str mac = make_mac(c, master_key, id);
	return mac.n == said.n && crypto_equal(mac.p, said.p, said.n);
}

/* ---- request ---- */

/* Checks only that mail can be addressed; the confirmation proves that somebody reads it. */
static RESULT read_email(struct op *op, struct str said, struct str *ret_email)
{
	struct str email = str_lower(op->ctx->arena, str_trim(said));
	size_t at = str_find_char(email, '@', 0);
	bool is_email = email.n <= EMAIL_MAX && str_is_line(email) && at > 0 && at + 1 < email.n &&
			str_find_char(email, '@', at + 1) == email.n;
	for (size_t n = 0; n < email.n && is_email; n++)
		is_email = (unsigned char) email.p[n] > ' ' && !strchr("<>()[]\\,;:\"", email.p[n]);
	*ret_email = email;
	return is_email ? OK
			: ENGINE_FAIL(op, ERR_INVALID, KIND_SIGNUP, STR("email"),
				      "That is no address of e-mail, such as kim@example.com.");
}

static RESULT find_open(struct op *op, struct str name, const struct signup_template **ret_template)
{
	const struct signup_template *only = NULL, *t = signup_template_first(op->head);
	size_t count = 0;
	for (; t; t = signup_template_next(op->head, t))
		if (t->is_open && (!name.n || str_equal(t->name, name))) {
			only = t;
			count++;
		}
	*ret_template = only;
	if (count == 1)
		return OK;
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_SIGNUP_TEMPLATE, STR("template"),
			   count ? "There are several ways to sign up: say which."
				 : "Nobody can sign up here by himself. Ask the operator for an account.");
}

/* "192.0.2.0/24" */
static struct str write_net(struct op *op, struct ip peer)
{
	char text[CIDR_TEXT_SIZE];
	struct cidr net = {.base = peer, .bits = peer.family == IP_V4 ? 24 : 48};
	return str_copy(op->ctx->arena, str_from(cidr_write(cidr_canonical(net), text)));
}

static size_t count_from(const struct tables *t, struct str net, int64_t since_us)
{
	size_t count = 0;
	for (const struct signup *s = signup_first_by_net(t, net); s; s = signup_next_by_net(t, s))
		count += s->asked_us > since_us;
	return count;
}

static size_t count_of(const struct tables *t, struct str email, int64_t since_us)
{
	size_t count = 0;
	for (const struct signup *s = signup_first_by_email(t, email); s; s = signup_next_by_email(t, s))
		count += s->asked_us > since_us;
	return count;
}

/* True if a user has that address, from a sign-up or created by an operator. */
static bool is_known(const struct tables *t, struct str email)
{
	return user_first_by_email(t, email) != NULL;
}

static RESULT tell(struct op *op, const char *event, const struct signup *s, bool has_token,
		   struct str reason)
{
	char id[UUID_TEXT_SIZE];
	const struct tag more[] = {{STR("signup"), str_from(uuid_write(s->row.id, id))},
				   {STR("email"), s->email},
				   {STR("reason"), reason}};
	const struct webhook_event what = {.name = event,
					   .domain = s->domain,
					   .signup = has_token ? s->row.id : UUID_NONE,
					   .more = {more, reason.n ? 3 : 2}};
	return webhook_note(op, &what);
}

static RESULT check_counts(struct op *op, struct str net)
{
	if (count_from(op->head, net, op->now_us - HOUR) >= SIGNUPS_OF_NET_MAX)
		return ENGINE_FAIL(op, ERR_THROTTLED, KIND_SIGNUP, STR("email"),
				   "Too many have signed up from there. Try again in an hour.");
	return limit_check(op, LIMIT_SIGNUPS, UUID_NONE, 1, STR_NONE);
}

RESULT engine_ask_signup(struct op *op, struct signup_wish *wish)
{
	const struct signup_template *template = NULL;
	struct signup s = {.row.gen = 1, .net = write_net(op, wish->peer), .asked_us = op->now_us};
	TRY(read_email(op, wish->email, &s.email));
	TRY(find_open(op, wish->template_name, &template));
	TRY(check_counts(op, s.net));
	bool is_often = count_of(op->head, s.email, op->now_us - 24 * HOUR) >= SIGNUPS_OF_EMAIL_MAX;
	bool is_there = is_known(op->head, s.email);
	s.row.id = wish->id = engine_new_id(op, KIND_SIGNUP);
	s.template = template->row.id;
	s.expires_us = op->now_us + SIGNUP_LIFETIME_US;
	/* Open to everybody, within the counts above. */
	engine_need_no_permission(op);
	TRY(signup_put(op, &s));
	if (is_often)
		return OK;
	return tell(op, is_there ? "signup.known" : "signup.requested", &s, !is_there, STR_NONE);
}

/* ---- confirmation ---- */

static RESULT find_asked(struct op *op, const struct signup_proof *wish, const struct signup **ret_signup)
{
	const struct signup *s = signup_find(op->head, wish->signup);
	*ret_signup = s;
	if (s && s->stage == SIGNUP_STAGE_ASKED && s->expires_us > op->now_us)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_SIGNUP, STR("token"),
			   "This token was used, or is older than a day. Sign up once more.");
}

/* Creates the domain, the account and the user. */
static RESULT make_account(struct op *op, const struct signup *s, struct signup_proof *wish)
{
	struct domain_wish domain = {.name = wish->name};
	TRY(engine_create_domain(op, &domain));
	struct ref in = engine_ref_to(op, KIND_DOMAIN, domain.domain, STR_NONE);
	struct account_person person = {
		.makes_account = true,
		.account = {.domain = in, .name = wish->name, .with_default_router = true},
		.user = {.name = s->email, .email = s->email, .password_hash = wish->password_hash},
		.right = ROLE_RIGHT_MEMBER};
	TRY(engine_create_person(op, &person));
	wish->domain = domain.domain;
	wish->account = person.account.account;
	wish->number = person.account.number;
	return OK;
}

/* Creates the customer's billing account. If the reseller no longer is one, the operator bills the
 * customer. */
static RESULT bill(struct op *op, const struct signup_template *template, uuid id)
{
	const struct domain *reseller = domain_find(op->head, template->reseller);
	struct billing_settings wish = {.domain = engine_ref_to(op, KIND_DOMAIN, id, STR_NONE),
					.is_billed = CHOICE_YES,
					.is_prepaid = template->is_prepaid ? CHOICE_YES : CHOICE_NO};
	if (reseller && reseller->is_billed)
		wish.reseller = engine_ref_to(op, KIND_DOMAIN, reseller->row.id, STR_NONE);
	return engine_set_billing(op, &wish);
}

static RESULT mark_domain(struct op *op, const struct signup_template *template, uuid id)
{
	struct domain next = *domain_find(op->head, id);
	next.signup_template = template->row.id;
	next.signup_stage = template->is_reviewed ? DOMAIN_SIGNUP_STAGE_HELD : DOMAIN_SIGNUP_STAGE_TRIAL;
	next.row.gen++;
	return domain_put(op, &next);
}

static RESULT make_all(struct op *op, const struct signup *s, const struct signup_template *template,
		       struct signup_proof *wish)
{
	TRY(make_account(op, s, wish));
	TRY(bill(op, template, wish->domain));
	TRY(signup_set_limits(op, wish->account, template->trial_limits));
	return mark_domain(op, template, wish->domain);
}

RESULT engine_confirm_signup(struct op *op, struct signup_proof *wish)
{
	const struct signup *s = NULL;
	TRY(find_asked(op, wish, &s));
	struct signup next = *s;
	const struct signup_template *template = signup_template_find(op->head, s->template);
	if (!template || is_known(op->head, s->email))
		return ENGINE_FAIL(op, ERR_STATE, KIND_SIGNUP, STR("token"),
				   "This address has an account by now, or nobody can sign up any more.");
	struct signup_caller caller = signup_act_as_region(op);
	struct result made = make_all(op, &next, template, wish);
	signup_act_as(op, caller);
	TRY(made);
	wish->is_held = template->is_reviewed;
	next.stage = wish->is_held ? SIGNUP_STAGE_HELD : SIGNUP_STAGE_CONFIRMED;
	next.expires_us = wish->is_held ? 0 : op->now_us + SIGNUP_KEPT_US;
	next.domain = wish->domain;
	next.row.gen++;
	/* Proved by the token that was sent to the address. */
	engine_need_no_permission(op);
	TRY(signup_put(op, &next));
	TRY(tell(op, wish->is_held ? "signup.review" : "signup.confirmed", &next, false, STR_NONE));
	return engine_log_event(op, KIND_DOMAIN, &domain_find(op->head, wish->domain)->row, "signed up",
				wish->is_held ? "%" STR_FMT " signed up, and waits for a review."
					      : "%" STR_FMT " signed up.",
				STR_ARG(next.email));
}

/* ---- reviews ---- */

static RESULT find_held(struct op *op, const struct signup_review *wish, const struct signup **ret_signup)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_SIGNUP, &wish->signup, &row));
	TRY(engine_permit(op, "signup.review", KIND_SIGNUP, row));
	TRY(signup_check_administrator(op));
	*ret_signup = signup_of(row);
	if ((*ret_signup)->stage == SIGNUP_STAGE_HELD && domain_find(op->head, (*ret_signup)->domain))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_SIGNUP, wish->signup.field,
			   "This sign-up does not wait for a review.");
}

/* The outcome of a review, and the resulting state of the domain. */
struct outcome {
	enum signup_stage stage;
	enum domain_signup_stage domain_stage;
	bool is_enabled;
	const char *event, *words;
};

static RESULT end_review(struct op *op, const struct signup_review *wish, const struct outcome *outcome)
{
	const struct signup *held = NULL;
	TRY(find_held(op, wish, &held));
	struct signup next = *held;
	struct domain domain = *domain_find(op->head, held->domain);
	domain.signup_stage = outcome->domain_stage;
	domain.enabled = outcome->is_enabled;
	domain.row.gen++;
	TRY(domain_put(op, &domain));
	next.stage = outcome->stage;
	next.reason = wish->reason;
	next.expires_us = op->now_us + SIGNUP_KEPT_US;
	next.row.gen++;
	TRY(signup_put(op, &next));
	TRY(tell(op, outcome->event, &next, false, wish->reason));
	return engine_log_event(op, KIND_DOMAIN, &domain.row, outcome->words, "%" STR_FMT,
				STR_ARG(wish->reason));
}

RESULT engine_accept_signup(struct op *op, struct signup_review *wish)
{
	static const struct outcome accepted = {SIGNUP_STAGE_CONFIRMED, DOMAIN_SIGNUP_STAGE_TRIAL, true,
						"signup.confirmed", "sign-up accepted"};
	return end_review(op, wish, &accepted);
}

RESULT engine_refuse_signup(struct op *op, struct signup_review *wish)
{
	static const struct outcome refused = {SIGNUP_STAGE_REFUSED, DOMAIN_SIGNUP_STAGE_HELD, false,
					       "signup.refused", "sign-up refused"};
	return end_review(op, wish, &refused);
}

RESULT signup_end_trial(struct op *op, const struct domain *domain)
{
	const struct signup_template *template = signup_template_find(op->head, domain->signup_template);
	struct domain next = *domain;
	if (domain->signup_stage != DOMAIN_SIGNUP_STAGE_TRIAL)
		return OK;
	next.signup_stage = DOMAIN_SIGNUP_STAGE_ACTIVE;
	next.row.gen++;
	TRY(domain_put(op, &next));
	const struct account *a = template ? account_first_by_domain(op->head, domain->row.id) : NULL;
	if (a) {
		struct signup_caller caller = signup_act_as_region(op);
		struct result set = signup_set_limits(op, a->row.id, template->limits);
		signup_act_as(op, caller);
		TRY(set);
	}
	const struct webhook_event event = {.name = "signup.active", .domain = domain->row.id};
	TRY(webhook_note(op, &event));
	return engine_log_event(op, KIND_DOMAIN, &next.row, "trial ended", "It has paid.");
}

/* ---- sweep ---- */

/* Walks the index by expiry, after the rows without one (0), and stops at the first that has not expired. */
RESULT engine_sweep_signups(struct op *op, struct signup_sweep *wish)
{
	const struct signup probe = {.expires_us = 1};
	const struct row *row = tables_seek(op->head, KIND_SIGNUP, SIGNUP_INDEX_EXPIRES, &probe.row, 1);
	for (size_t n = 0; row && n < wish->max && signup_of(row)->expires_us <= op->now_us; n++) {
		uuid id = row->id;
		row = tables_next(op->head, KIND_SIGNUP, SIGNUP_INDEX_EXPIRES, row, 0);
		TRY(signup_forget(op, id));
	}
	return OK;
}
