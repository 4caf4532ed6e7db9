/* SPDX-License-Identifier: Apache-2.0
 * The role of an instance profile and its credentials. Credentials are sealed sessions (auth/sign_in/session.h),
 * valid for six hours and reused for one, so a guest that renews early always gets fresh ones. They are
 * cached in memory only: after a restart, or if another instance took the slot, new ones are issued; old
 * ones stay valid.
 */
#include <pthread.h>

#include "api/metadata/imds.h"
#include "auth/guard/guard.h"
#include "auth/key/sigv4.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "model/account.h"
#include "model/iam_name.h"
#include "model/iam_role.h"
#include "model/instance.h"
#include "model/instance_profile.h"
#include "model/profile_association.h"

enum { GIVEN_MAX = 4096 };
static const int64_t lasts_us = 6 * HOUR, same_us = HOUR;

/* Slot with an instance's credentials. */
struct given {
	uuid instance, iam_role; /* none: free */
	int64_t issued_us;
	char *texts; /* key id, secret and token, one after the other */
	size_t key_id_size, secret_size, token_size;
};

struct imds_roles {
	struct sigv4 *sigv4;
	pthread_mutex_t lock; /* protects the following members */
	struct given given[GIVEN_MAX];
};

struct imds_roles *imds_roles_new(struct sigv4 *sigv4)
{
	struct imds_roles *r = heap_new(struct imds_roles);
	if (!r)
		return NULL;
	r->sigv4 = sigv4;
	(void) pthread_mutex_init(&r->lock, NULL);
	return r;
}

static size_t size_of(const struct given *g)
{
	return g->key_id_size + g->secret_size + g->token_size;
}

static void forget(struct given *g)
{
	if (g->texts)
		crypto_wipe(g->texts, size_of(g));
	heap_free(g->texts);
	*g = (struct given){0};
}

void imds_roles_free(struct imds_roles *r)
{
	if (!r)
		return;
	for (size_t k = 0; k < GIVEN_MAX; k++)
		forget(&r->given[k]);
	(void) pthread_mutex_destroy(&r->lock);
	heap_free(r);
}

/* ---- what was given ---- */

static struct given *place_of(struct imds_roles *r, uuid instance)
{
	uint32_t hash;
	memcpy(&hash, instance.b + 4, sizeof hash);
	return &r->given[hash % GIVEN_MAX];
}

/* False: the slot has no fresh credentials of that role. */
static bool take_given(struct imds_roles *r, const struct imds_facts *s, struct imds_session *ret_session)
{
	(void) pthread_mutex_lock(&r->lock);
	const struct given *g = place_of(r, s->instance->row.id);
	int64_t age_us = clock_now_us() - g->issued_us;
	bool is_good = g->texts && uuid_equal(g->instance, s->instance->row.id) &&
		       uuid_equal(g->iam_role, s->iam_role->row.id) && age_us >= 0 && age_us < same_us;
	struct str texts = is_good ? str_copy(s->arena, (struct str){g->texts, size_of(g)}) : STR_NONE;
	if (texts.p) {
		size_t token_at = g->key_id_size + g->secret_size;
		ret_session->texts =
			(struct session_credentials){.key_id = str_slice(texts, 0, g->key_id_size),
						     .secret = str_slice(texts, g->key_id_size, token_at),
						     .token = str_slice(texts, token_at, texts.n)};
		ret_session->issued_us = g->issued_us;
	}
	(void) pthread_mutex_unlock(&r->lock);
	return texts.p != NULL;
}

void imds_keep_issued(struct imds_roles *r, const struct imds_issued *texts)
{
	struct given next = {.instance = texts->instance,
			     .iam_role = texts->iam_role,
			     .issued_us = texts->issued_us,
			     .key_id_size = texts->key_id.n,
			     .secret_size = texts->secret.n,
			     .token_size = texts->token.n};
	next.texts = heap_alloc(size_of(&next));
	if (!next.texts)
		return; /* new ones are issued the next time */
	memcpy(next.texts, texts->key_id.p, texts->key_id.n);
	memcpy(next.texts + texts->key_id.n, texts->secret.p, texts->secret.n);
	memcpy(next.texts + texts->key_id.n + texts->secret.n, texts->token.p, texts->token.n);
	(void) pthread_mutex_lock(&r->lock);
	struct given *place = place_of(r, texts->instance);
	forget(place);
	*place = next;
	(void) pthread_mutex_unlock(&r->lock);
}

/* ---- credentials ---- */

static RESULT issue(struct ctx *c, const struct imds_facts *s, struct imds_session *ret_session)
{
	int64_t now_us = clock_now_us() / SECOND * SECOND; /* rounded to seconds, as the answer shows it */
	const struct session session = {.account = s->account->row.id,
					.iam_role = s->iam_role->row.id,
					.instance = s->instance->row.id,
					.router = s->instance->router,
					.name = id_to_ec2(s->arena, KIND_INSTANCE, s->instance->row.id),
					.issued_us = now_us,
					.expires_us = now_us + lasts_us};
	TRY(sigv4_issue_session(s->roles->sigv4, c, &session, s->account->number, &ret_session->texts));
	ret_session->issued_us = now_us;
	const struct imds_issued issued = {.is_new = true,
					   .instance = session.instance,
					   .iam_role = session.iam_role,
					   .account_number = str_copy(s->arena, s->account->number),
					   .role = str_copy(s->arena, s->iam_role->name),
					   .instance_id = session.name,
					   .key_id = ret_session->texts.key_id,
					   .secret = ret_session->texts.secret,
					   .token = ret_session->texts.token,
					   .issued_us = now_us};
	if (s->issued)
		*s->issued = issued;
	else
		imds_keep_issued(s->roles, &issued);
	return OK;
}

static void write_member(struct buf *b, const char *name, struct str value)
{
	buf_print(b, ",\n  \"%s\" : \"%" STR_FMT "\"", name, STR_ARG(value));
}

static void write_time(struct buf *b, const char *name, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	write_member(b, name, str_from(clock_write_s(time_us, text)));
}

static void begin(struct buf *b, const char *code, int64_t updated_us)
{
	buf_print(b, "{\n  \"Code\" : \"%s\"", code);
	write_time(b, "LastUpdated", updated_us);
}

/* Writes EC2's error for a role that does not trust the service. */
static void write_untrusted(const struct imds_facts *s, struct buf *b)
{
	begin(b, "AssumeRoleUnauthorizedAccess", clock_now_us());
	write_member(b, "Message",
		     str_print(s->arena,
			       "EC2 cannot assume the role %" STR_FMT
			       ": its trust policy does not let ec2.amazonaws.com take it.",
			       STR_ARG(s->iam_role->name)));
	buf_add_str(b, STR("\n}"));
}

RESULT imds_get_session(struct ctx *c, const struct imds_facts *s, struct imds_session *ret_session)
{
	TRY(guard_ask_service(c, s->iam_role->trust, STR("ec2.amazonaws.com"), &ret_session->is_trusted));
	if (ret_session->is_trusted && !take_given(s->roles, s, ret_session))
		TRY(issue(c, s, ret_session));
	ret_session->expires_us = ret_session->issued_us + lasts_us;
	return OK;
}

void imds_write_credentials(const struct imds_facts *s, struct buf *b)
{
	struct ctx c;
	struct imds_session credentials = {0};
	ctx_init(&c, s->arena);
	if (!result_is_ok(imds_get_session(&c, s, &credentials))) {
		b->failed = true;
		return;
	}
	if (!credentials.is_trusted) {
		write_untrusted(s, b);
		return;
	}
	begin(b, "Success", credentials.issued_us);
	write_member(b, "Type", STR("AWS-HMAC"));
	write_member(b, "AccessKeyId", credentials.texts.key_id);
	write_member(b, "SecretAccessKey", credentials.texts.secret);
	write_member(b, "Token", credentials.texts.token);
	write_time(b, "Expiration", credentials.expires_us);
	buf_add_str(b, STR("\n}"));
}

void imds_write_profile(const struct imds_facts *s, struct buf *b)
{
	begin(b, "Success", s->association->row.created_us);
	write_member(b, "InstanceProfileArn",
		     iam_arn_to_text(s->arena, s->account->number, KIND_INSTANCE_PROFILE, &s->profile->row));
	write_member(b, "InstanceProfileId",
		     iam_id_to_text(s->arena, KIND_INSTANCE_PROFILE, s->profile->row.id));
	buf_add_str(b, STR("\n}"));
}
