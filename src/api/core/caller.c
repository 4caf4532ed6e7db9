/* SPDX-License-Identifier: Apache-2.0
 * Steps shared by the faces' find(): selects the action, applies the request rate limits and proves access
 * keys.
 */
#include "api/core/dispatch.h"
#include "auth/key/key_owner.h"
#include "auth/key/sigv4.h"
#include "auth/limit.h"

void api_choose_action(struct api_call *e, const struct api_entry *entry)
{
	e->action = entry ? entry->action : NULL;
	e->audited = entry ? entry->audited : NULL;
}

RESULT api_check_limits(struct api_call *e, const struct api_action *action, struct result so_far)
{
	struct limits *limits = e->config->limits;
	bool writes = action && action->flags & API_WRITES;
	if (e->c->who && e->c->who->is_operator)
		return so_far;
	if (e->c->who ? limits_take(limits, e->c->who, writes) : limits_take_stranger(limits, e->call->peer))
		return so_far;
	e->call->is_quiet = true;
	ctx_clear_problem(e->c); /* the caller gets the throttling error, not an earlier problem */
	return ctx_fail(e->c, ERR_THROTTLED, "%s", e->errors->throttled);
}

static bool is_loopback(struct ip ip)
{
	static const uint8_t six[16] = {[15] = 1};
	return ip.family == IP_V4 ? ip.b[0] == 127 : memcmp(ip.b, six, sizeof six) == 0;
}

/* A proxy that ends TLS on this machine is a peer on loopback, too. */
RESULT api_check_wire(const struct api_call *e, const char *refusal)
{
	return e->call->is_tls || is_loopback(e->call->peer) ? OK : ctx_fail(e->c, ERR_DENIED, "%s", refusal);
}

RESULT api_check_signature(struct api_call *e, const struct api_error *faults)
{
	struct sigv4_answer answer = {0};
	TRY(sigv4_check(e->config->sigv4, e->call, &answer));
	if (answer.fault == SIGV4_FINE)
		return OK;
	TRY(api_check_limits(e, NULL, OK));
	e->error = &faults[answer.fault];
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%" STR_FMT, STR_ARG(answer.message));
}

RESULT api_prove_key(struct api_call *e, struct str key_id, key_check check, const void *arg)
{
	const struct api_config *config = e->config;
	const struct key_proof proof = {
		config->store, config->master_key,          config->uses, str_from(e->protocol->name), check,
		arg,           e->protocol->keys_keep_admin};
	struct identity *who = NULL;
	TRY(key_prove_owner(e->c, &proof, key_id, &who));
	if (!who)
		return ctx_fail(e->c, ERR_UNAUTHENTICATED, "%s", e->errors->unproved);
	e->c->who = who;
	e->call->account_number = who->account_number;
	return OK;
}
