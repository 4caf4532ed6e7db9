/* SPDX-License-Identifier: Apache-2.0
 * JSON of messages of topics, and their signatures. Sources: Amazon SNS Developer Guide, "HTTP/HTTPS notification JSON format" and
 * "Verifying the signatures of Amazon SNS messages". */
#include "reconcile/messaging/notification.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/crypto_issue.h"
#include "base/crypto_sign.h"
#include "base/json_write.h"

#define CERTIFICATE_US (3650 * 24 * HOUR)
enum { BODY_CAP = 2 << 20, TEXT_CAP = 1 << 20, PEM_LINE = 64 };

/* ---- the key ---- */

static struct str write_pem(struct arena *a, struct str der)
{
	struct str text = str_encode_base64(a, der), pem = STR("-----BEGIN CERTIFICATE-----\n");
	for (size_t k = 0; k < text.n; k += PEM_LINE)
		pem = str_print(a, "%" STR_FMT "%" STR_FMT "\n", STR_ARG(pem),
				STR_ARG(str_slice(text, k, k + PEM_LINE)));
	return str_print(a, "%" STR_FMT "-----END CERTIFICATE-----\n", STR_ARG(pem));
}

RESULT notification_make_key(struct step *s)
{
	struct topic_key *report = STEP_NEW(s, struct topic_key);
	struct str pem, der, sealed;
	TRY(crypto_make_signing_key(&s->ctx, &pem));
	struct result made = crypto_certify_key(&s->ctx, pem, STR("sns.amazonaws.com"), CERTIFICATE_US, &der);
	if (result_is_ok(made))
		made = crypto_seal(&s->ctx, s->r->master_key, TOPIC_KEY_AAD, pem, &sealed);
	crypto_wipe((void *) pem.p, pem.n);
	TRY(made);
	report->sealed = str_encode_hex(s->ctx.arena, sealed.p, sealed.n);
	report->cert_pem = write_pem(s->ctx.arena, der);
	step_report(s, engine_put_topic_key_run, report);
	step_again(s);
	return OK;
}

static RESULT open_key(struct step *s, const struct topic_key *key, struct str *ret_pem)
{
	size_t size = key->sealed.n / 2;
	char *bytes = arena_alloc(s->ctx.arena, size + 1);
	if (!bytes)
		return ctx_no_memory(&s->ctx);
	TRY(str_decode_hex(key->sealed, bytes, size));
	return crypto_open(&s->ctx, s->r->master_key, TOPIC_KEY_AAD, (struct str){bytes, size}, ret_pem);
}

static RESULT sign(struct step *s, const struct notification *n, struct str text, struct str *ret_signature)
{
	struct str pem = STR_NONE, bytes = STR_NONE;
	TRY(open_key(s, &n->key, &pem));
	struct result result = n->topic->signature_version == 2
				       ? crypto_sign_rs256(&s->ctx, pem, text, &bytes)
				       : crypto_sign_rs1(&s->ctx, pem, text, &bytes);
	crypto_wipe((void *) pem.p, pem.n);
	TRY(result);
	*ret_signature = str_encode_base64(s->ctx.arena, bytes);
	return ret_signature->p ? OK : ctx_no_memory(&s->ctx);
}

/* ---- members ---- */

struct member {
	const char *name;
	struct str value; /* empty: left out */
};
enum { MEMBERS_MAX = 8 };

struct document {
	struct member at[MEMBERS_MAX]; /* what is signed, in the order of the signature: sorted by name */
	size_t count;
};

static void add(struct document *d, const char *name, struct str value)
{
	if (value.n)
		d->at[d->count++] = (struct member){name, value};
}

static struct str base_of(const struct step *s)
{
	return str_from(s->r->endpoint);
}

static struct str url_of(struct step *s, const char *action, const char *name, struct str value,
			 struct str more)
{
	return str_print(s->ctx.arena, "%" STR_FMT "/?Action=%s&%s=%" STR_FMT "%" STR_FMT,
			 STR_ARG(base_of(s)), action, name,
			 STR_ARG(str_encode_url(s->ctx.arena, value, false)), STR_ARG(more));
}

static RESULT open_token(struct step *s, const struct topic_delivery *d, struct str *ret_token)
{
	return crypto_open(&s->ctx, s->r->master_key, TOPIC_KEY_AAD, d->token, ret_token);
}

static RESULT fill(struct step *s, const struct notification *n, struct document *d)
{
	char at[CLOCK_TEXT_SIZE];
	struct arena *a = s->ctx.arena;
	bool is_confirmation = n->delivery->type == TOPIC_DELIVERY_TYPE_CONFIRMATION;
	struct str token = STR_NONE;
	if (is_confirmation)
		TRY(open_token(s, n->delivery, &token));
	struct str message = is_confirmation ? str_print(a,
							 "You have chosen to subscribe to the topic %" STR_FMT
							 ".\nTo confirm the subscription, visit the "
							 "SubscribeURL included in this message.",
							 STR_ARG(n->topic_arn))
					     : n->delivery->body;
	add(d, "Message", message);
	add(d, "MessageId", uuid_to_str(a, n->delivery->message_id));
	if (is_confirmation)
		add(d, "SubscribeURL",
		    url_of(s, "ConfirmSubscription", "TopicArn", n->topic_arn,
			   str_print(a, "&Token=%" STR_FMT, STR_ARG(token))));
	add(d, "Subject", n->delivery->subject);
	add(d, "Timestamp", str_copy(a, str_from(clock_write_ms(n->delivery->at_us, at))));
	add(d, "Token", token);
	add(d, "TopicArn", n->topic_arn);
	add(d, "Type", is_confirmation ? STR("SubscriptionConfirmation") : STR("Notification"));
	return OK;
}

/* Name and value of each member, each on a line. */
static struct str write_signed(struct step *s, const struct document *d)
{
	struct buf out;
	buf_init(&out, TEXT_CAP);
	for (size_t k = 0; k < d->count; k++)
		buf_print(&out, "%s\n%" STR_FMT "\n", d->at[k].name, STR_ARG(d->at[k].value));
	struct str text = out.failed ? STR_NONE : str_copy(s->ctx.arena, buf_str(&out));
	buf_done(&out);
	return text;
}

static void write_attributes(struct json_writer *w, const struct strs *attributes)
{
	if (!attributes->count)
		return;
	json_write_open(w, "MessageAttributes");
	for (size_t k = 0; k + ATTRIBUTE_TEXTS <= attributes->count; k += ATTRIBUTE_TEXTS) {
		json_write_key(w, attributes->at[k + ATTRIBUTE_NAME]);
		json_write_open(w, NULL);
		json_write_text(w, "Type", attributes->at[k + ATTRIBUTE_TYPE]);
		json_write_text(w, "Value", attributes->at[k + ATTRIBUTE_VALUE]);
		json_write_close(w);
	}
	json_write_close(w);
}

static RESULT write_json(struct step *s, const struct notification *n, const struct document *d,
			 struct str signature, struct buf *out)
{
	struct json_writer w;
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	for (size_t k = d->count; k-- > 0;)
		json_write_text(&w, d->at[k].name, d->at[k].value);
	if (signature.n) {
		json_write_z(&w, "SignatureVersion", n->topic->signature_version == 2 ? "2" : "1");
		json_write_text(&w, "Signature", signature);
		json_write_text(&w, "SigningCertURL",
				str_print(s->ctx.arena, "%" STR_FMT "/SimpleNotificationService.pem",
					  STR_ARG(base_of(s))));
	}
	if (n->delivery->sequence)
		json_write_text(&w, "SequenceNumber",
				str_print(s->ctx.arena, "%020lld", (long long) n->delivery->sequence));
	if (n->delivery->type == TOPIC_DELIVERY_TYPE_NOTIFICATION) {
		json_write_text(&w, "UnsubscribeURL",
				url_of(s, "Unsubscribe", "SubscriptionArn", n->subscription_arn, STR_NONE));
		write_attributes(&w, &n->delivery->attributes);
	}
	json_write_close(&w);
	return json_write_end(&w);
}

RESULT notification_write(struct step *s, const struct notification *n, struct str *ret_body)
{
	struct document d = {0};
	struct buf out;
	struct str signature = STR_NONE;
	TRY(fill(s, n, &d));
	if (!n->delivery->sequence) { /* SNS signs no message of a FIFO topic */
		struct str text = write_signed(s, &d);
		if (!text.p)
			return ctx_no_memory(&s->ctx);
		TRY(sign(s, n, text, &signature));
	}
	buf_init(&out, BODY_CAP);
	struct result result = write_json(s, n, &d, signature, &out);
	if (result_is_ok(result))
		*ret_body = str_copy(s->ctx.arena, buf_str(&out));
	buf_done(&out);
	return result;
}
