/* SPDX-License-Identifier: Apache-2.0
 * Webhooks, payments reported by them, and measures against misuse. For administrators, except payments: the
 * caller of a payment proves that it knows the webhook's secret.
 */
#include "api/native/write.h"

#include "auth/key/key.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/uuid_asked.h"
#include "drivers/desk_signature.h"
#include "engine/billing/invoices.h"
#include "engine/billing/misuse.h"
#include "engine/billing/standing.h"
#include "engine/billing/webhook.h"
#include "engine/instance/instance.h"
#include "metering/money.h"
#include "store/domain.h"
#include "store/webhook.h"

enum { SECRET_MIN = 16, SECRET_MAX = 4000, KEY_MAX = 200 };

/* ---- webhooks ---- */

struct webhook_args {
	struct webhook_wish wish;
	struct ref webhook; /* the webhook to change */
	struct str secret;
};
#define W(name, member, ...) PARAM(struct webhook_args, name, member, __VA_ARGS__)
#define WEBHOOK_PARAMS(needs)                                                                                \
	W("url", wish.url, .max = 1024, .flags = (needs), .doc = "Receiver's https URL."),                   \
		W("secret", secret, .min = SECRET_MIN, .max = SECRET_MAX, .flags = (needs),                  \
		  .doc = "Key of the signatures. Stored encrypted; never shown again."),                     \
		W("events", wish.events, .max = 32,                                                          \
		  .given = offsetof(struct webhook_args, wish.has_events) + 1,                               \
		  .doc = "Patterns of events to send, such as invoice.*; absent: all events."),              \
		W("is_off", wish.off, .doc = "Suspends the webhook."),                                       \
		W("takes_payments", wish.takes_payments,                                                     \
		  .doc = "Accepts reports of payments signed with the secret.")
static const struct param webhook_params[] = {
	W("name", wish.name, .min = 1, .max = 64, .flags = REQUIRED, .doc = "Name; unique."),
	WEBHOOK_PARAMS(REQUIRED),
};
static const struct param webhook_change_params[] = {WEBHOOK_PARAMS(0)};

static RESULT seal(struct native_call *e, struct webhook_args *a)
{
	return a->secret.n ? key_seal(e->c, e->config->master_key, a->wish.id, a->secret, &a->wish.secret)
			   : OK;
}

static RESULT prepare_webhook(struct native_call *e, void *args)
{
	struct webhook_args *a = args;
	if (webhook_find_by_name(native_tables(e), a->wish.name))
		return ctx_fail_field(e->c, ERR_EXISTS, STR("name"), "There is a webhook of that name.");
	a->wish.id = id_new(KIND_WEBHOOK);
	return seal(e, a);
}

static RESULT prepare_webhook_change(struct native_call *e, void *args)
{
	struct webhook_args *a = args;
	const struct row *row = NULL;
	TRY(native_find_row(e, KIND_WEBHOOK, &a->webhook, &row));
	a->wish.id = row->id;
	a->wish.name = str_copy(e->c->arena, webhook_of(row)->name);
	return a->wish.name.p ? seal(e, a) : ctx_no_memory(e->c);
}

/* ---- payments ---- */

struct payment_args {
	struct payment_wish wish;
	struct ref webhook; /* names the secret */
	struct str domain, amount;
};
#define P(name, member, ...) PARAM(struct payment_args, name, member, __VA_ARGS__)
static const struct param payment_params[] = {
	P("key", wish.key, .min = 1, .max = KEY_MAX, .flags = REQUIRED,
	  .doc = "Idempotency key: a payment with the same key counts once."),
	P("domain", domain, .min = 1, .max = 64, .flags = REQUIRED,
	  .doc = "Paying billing account, by name or id."),
	P("amount", amount, .min = 1, .max = 20, .flags = REQUIRED, .doc = "Amount, as \"12.50\"."),
	P("text", wish.text, .max = 1000, .doc = "Comment."),
};

/* Checks the signature of a payment. The signature covers method, path and body, so an outgoing delivery
 * signed with the same secret cannot be replayed here. An unknown webhook fails like a wrong secret. */
static bool is_proved(struct native_call *e, const struct payment_args *a)
{
	const struct ref *ref = &a->webhook;
	struct str secret = STR_NONE, sealed = STR_NONE;
	const struct webhook *hook = ref->bits ? webhook_find(native_tables(e), ref->prefix)
					       : webhook_find_by_name(native_tables(e), ref->text);
	if (!hook || !hook->takes_payments || hook->is_off)
		return false;
	sealed = str_copy(e->c->arena, hook->secret);
	if (!result_is_ok(key_open(e->c, e->config->master_key, hook->row.id, sealed, &secret)))
		return false;
	struct str said =
		str_print(e->c->arena, "%" STR_FMT " %" STR_FMT "\n%" STR_FMT, STR_ARG(e->call->method_name),
			  STR_ARG(e->call->path), STR_ARG(e->call->body));
	bool is_right = said.n && desk_is_signed(e->c->arena, secret, clock_now_us() / SECOND,
						 call_header(e->call, DESK_SIGNATURE_HEADER), said);
	crypto_wipe((void *) secret.p, secret.n);
	return is_right;
}

static RESULT find_payer(struct native_call *e, struct payment_args *a)
{
	uuid id = UUID_NONE;
	const struct tables *t = native_tables(e);
	const struct domain *d = result_is_ok(uuid_parse_asked(a->domain, &id))
					 ? domain_find(t, id)
					 : domain_find_by_name(t, a->domain);
	if (!d || !d->is_billed)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("domain"),
				      "There is no such billing account.");
	a->wish.payer = d->row.id;
	a->wish.issuer = standing_issuer_of(t, d);
	if (uuid_is_none(a->wish.issuer))
		a->wish.issuer = DOMAIN_DEFAULT;
	return OK;
}

static RESULT prepare_payment(struct native_call *e, void *args)
{
	struct payment_args *a = args;
	if (!is_proved(e, a)) {
		ctx_clear_problem(e->c);
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"The signature is missing, wrong, or older than five minutes.");
	}
	if (!result_is_ok(money_parse_micro(a->amount, &a->wish.amount)) || a->wish.amount <= 0)
		return ctx_fail_field(e->c, ERR_INVALID, STR("amount"),
				      "amount must be more than 0, with up to six decimals.");
	if (!str_is_line(a->wish.key))
		return ctx_fail_field(e->c, ERR_INVALID, STR("key"), "key must be one line.");
	TRY(find_payer(e, a));
	TRY(billing_find_payment(e->c, e->config->store, a->wish.key, &a->wish.is_known));
	e->skips_operation = a->wish.is_known;
	return OK;
}

static RESULT answer_payment(struct native_call *e, const void *args, struct json_writer *w)
{
	(void) e;
	json_write_bool(w, "was_known", ((const struct payment_args *) args)->wish.is_known);
	return OK;
}

/* ---- misuse ---- */

struct misuse_args {
	struct instances_wish wish;
};
static const struct param freeze_params[] = {
	PARAM(struct misuse_args, "reason", wish.reason, .min = 1, .max = 255, .flags = REQUIRED,
	      .doc = "Reason, shown to the account's owner."),
};
#define R(name, member, ...) PARAM(struct account_restriction, name, member, __VA_ARGS__)
static const struct param restrict_params[] = {
	R("is_cut", cut, .doc = "Blocks all traffic of the account's interfaces."),
	R("is_quarantined", quarantined,
	  .doc = "Restricts users, keys and tokens of the account to reading."),
	R("egress_limit", egress_limit, .min = 0, .max = EGRESS_LIMIT_MAX,
	  .given = offsetof(struct account_restriction, has_egress_limit) + 1,
	  .doc = "Outgoing bandwidth limit of each interface of the account's instances, in Mbit/s; 0: no "
		 "limit."),
	R("reason", reason, .max = 255, .doc = "Reason, shown to the account's owner."),
};

static const struct native_action actions[] = {
	ADMIN_CREATE("/webhooks", "billing:PutWebhook", WEBHOOK,
		     .args = PARAMS(struct webhook_args, webhook_params), .prepare = prepare_webhook,
		     .operation = engine_put_webhook_run,
		     .doc = "Adds a webhook, which receives events of accounts and invoices."),
	ADMIN_CHANGE(PATCH, "/webhooks/{id}", "billing:PutWebhook", WEBHOOK,
		     .args = PARAMS(struct webhook_args, webhook_change_params),
		     .target = NATIVE_AT(webhook_args, webhook), .prepare = prepare_webhook_change,
		     .operation = engine_put_webhook_run, .doc = "Changes a webhook."),
	ADMIN_CHANGE(DELETE, "/webhooks/{id}", "billing:DeleteWebhook", WEBHOOK,
		     .args = {.size = sizeof(struct webhook_target)},
		     .target = NATIVE_AT(webhook_target, webhook), .operation = engine_delete_webhook_run,
		     .doc = "Deletes a webhook and its unsent messages."),
	CHANGE_ROW(POST, "/webhooks/{id}/test", "billing:PutWebhook", WEBHOOK, KIND_WEBHOOK_DELIVERY,
		   NATIVE_ADMIN, .args = {.size = sizeof(struct webhook_test)},
		   .target = NATIVE_AT(webhook_test, webhook), .operation = engine_test_webhook_run,
		   .doc = "Sends the event webhook.test to a webhook, and returns the delivery."),
	ADMIN_CHANGE(POST, "/webhook-deliveries/{id}/retry", "billing:RetryWebhookDelivery", WEBHOOK_DELIVERY,
		     .args = {.size = sizeof(struct delivery_target)},
		     .target = NATIVE_AT(delivery_target, delivery), .operation = engine_retry_delivery_run,
		     .doc = "Retries a delivery that is waiting or was given up."),
	{.method = HTTP_POST,
	 .path = "/webhooks/{id}/payments",
	 .permit = "billing:NotePayment",
	 .flags = API_WRITES | API_OPEN | API_FOR_ALL | NATIVE_UNSCOPED,
	 .kind = KIND_WEBHOOK,
	 .target = NATIVE_AT(payment_args, webhook),
	 .returns = API_RETURNS_NOTHING_STORED,
	 .status = 200,
	 .args = PARAMS(struct payment_args, payment_params),
	 .prepare = prepare_payment,
	 .operation = engine_note_payment_run,
	 .answer = answer_payment,
	 .doc = "Records a payment of a billing account. Signed with the webhook's "
		"secret: " DESK_SIGNATURE_HEADER "."},
	ADMIN_CHANGE(POST, "/accounts/{id}/restrict", "organizations:RestrictAccount", ACCOUNT,
		     .args = PARAMS(struct account_restriction, restrict_params),
		     .target = NATIVE_AT(account_restriction, account),
		     .operation = engine_restrict_account_run,
		     .doc = "Blocks an account's network, limits its bandwidth, restricts its users to "
			    "reading, or lifts these restrictions."),
	ADMIN_CHANGE(POST, "/instances/{id}/freeze", "ec2:PauseInstances", INSTANCE,
		     .args = PARAMS(struct misuse_args, freeze_params),
		     .targets = NATIVE_AT(misuse_args, wish.instances),
		     .operation = engine_freeze_instances_run,
		     .doc = "Pauses a misused instance, and prevents its owner from resuming it."),
	ADMIN_CHANGE(POST, "/instances/{id}/thaw", "ec2:UnpauseInstances", INSTANCE,
		     .args = {.size = sizeof(struct misuse_args)},
		     .targets = NATIVE_AT(misuse_args, wish.instances),
		     .operation = engine_thaw_instances_run, .doc = "Lifts the freeze of an instance."),
};
const struct api_actions native_bills_actions = API_ACTIONS(actions);
