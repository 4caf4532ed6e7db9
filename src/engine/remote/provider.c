/* SPDX-License-Identifier: Apache-2.0
 * Providers: creation, changes, reports and the end. Called by: api/native/remote/remotes.c, reconcile/remote/. */
#include "engine/remote/provider.h"

#include "engine/acting.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/remote/migration.h"
#include "engine/remote/remote_machine.h"
#include "engine/row_bytes.h"
#include "store/cloud_migration.h"
#include "store/hooks.h"
#include "store/provider.h"
#include "store/remote_machine.h"
#include "store/remote_resource.h"

enum { URL_MAX = 1024, PIN_MAX = 128, PROBLEM_MAX = 1024, FORGOTTEN_AT_ONCE = 500 };

/* ---- checks ---- */

static RESULT check_endpoint(struct op *op, struct str url)
{
	bool is_url = url.n <= URL_MAX && str_is_line(url) && str_find_char(url, '@', 0) == url.n &&
		      (str_starts_with(url, STR("https://")) || str_starts_with(url, STR("http://")));
	if (!is_url)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PROVIDER, STR("endpoint"),
				   "An endpoint is a URL of https without a password in it.");
	if (str_starts_with(url, STR("http://")) && !identity_is_admin(op->ctx->who))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PROVIDER, STR("endpoint"),
				   "An endpoint is a URL of https; only an administrator may use http.");
	return OK;
}

static RESULT check_trust(struct op *op, struct str ca, struct str pin)
{
	if (ca.n && (ca.n > PROVIDER_CA_MAX || !str_contains(ca, STR("-----BEGIN CERTIFICATE-----"))))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PROVIDER, STR("ca"),
				   "A CA is given as certificates in PEM, up to %d bytes.", PROVIDER_CA_MAX);
	if (pin.n && (pin.n > PIN_MAX || !str_starts_with(pin, STR("sha256//")) || !str_is_line(pin)))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PROVIDER, STR("pin"),
				   "A pin is \"sha256//\" and the digest of the server's public key in "
				   "base64.");
	return OK;
}

static RESULT check_interval(struct op *op, int64_t poll_s)
{
	int64_t least = identity_is_admin(op->ctx->who) ? 1 : PROVIDER_POLL_MIN_S;
	if (!poll_s || (poll_s >= least && poll_s <= PROVIDER_POLL_MAX_S))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_PROVIDER, STR("poll_s"),
			   "A provider is listed every %d to %d seconds.", PROVIDER_POLL_MIN_S,
			   PROVIDER_POLL_MAX_S);
}

/* ---- changes ---- */

RESULT engine_create_provider(struct op *op, struct provider_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->owner, &account));
	TRY(engine_check_word(op, KIND_PROVIDER, wish->name));
	struct provider next = {.row.id = wish->id,
				.row.gen = 1,
				.account = account,
				.name = wish->name,
				.cloud = (enum provider_cloud) wish->cloud,
				.endpoint = wish->endpoint,
				.region = wish->region,
				.project = wish->project,
				.domain = wish->domain,
				.login = wish->login,
				.secret = wish->secret,
				.ca = wish->ca,
				.pin = wish->pin,
				.queue = wish->queue,
				.poll_s = wish->poll_s ? wish->poll_s : PROVIDER_POLL_S,
				.reads_metrics = wish->reads_metrics,
				.is_trusted = wish->endpoint.n && identity_is_admin(op->ctx->who)};
	TRY(engine_permit_new(op, "provider.put", KIND_PROVIDER, &next.row));
	if (wish->endpoint.n)
		TRY(check_endpoint(op, wish->endpoint));
	TRY(check_trust(op, wish->ca, wish->pin));
	TRY(check_interval(op, wish->poll_s));
	if (provider_find_by_account(op->head, account, wish->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_PROVIDER, STR("name"),
				   "The account has a provider '%" STR_FMT "' already.", STR_ARG(wish->name));
	TRY(limit_check(op, LIMIT_PROVIDERS, account, 1, STR("name")));
	TRY(provider_put(op, &next));
	return engine_log_event(op, KIND_PROVIDER, &next.row, "created",
				"Provider %" STR_FMT ": %s, region %" STR_FMT ".", STR_ARG(next.name),
				provider_cloud_words[next.cloud], STR_ARG(next.region));
}

static RESULT find_provider(struct op *op, const struct ref *ref, const char *permission,
			    const struct provider **ret_provider)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_PROVIDER, ref, &row));
	TRY(engine_permit(op, permission, KIND_PROVIDER, row));
	*ret_provider = provider_of(row);
	return OK;
}

RESULT engine_change_provider(struct op *op, struct provider_change *wish)
{
	const struct provider *before = NULL;
	TRY(find_provider(op, &wish->provider, "provider.put", &before));
	TRY(check_trust(op, wish->ca, wish->pin));
	TRY(check_interval(op, wish->poll_s));
	if (wish->secret.n && !uuid_equal(wish->id, before->row.id))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_PROVIDER, wish->provider.field,
				   "The provider was replaced just now; try again.");
	struct provider next = *before;
	next.login = wish->login.n ? wish->login : next.login;
	next.secret = wish->secret.n ? wish->secret : next.secret;
	next.ca = wish->ca.n ? wish->ca : next.ca;
	next.pin = wish->pin.n ? wish->pin : next.pin;
	next.poll_s = wish->poll_s ? wish->poll_s : next.poll_s;
	next.queue = wish->has_queue ? wish->queue : next.queue;
	if (wish->has_queue)
		TRY(condition_clear(op, next.row.id, STR(PROVIDER_UNFED)));
	choice_apply(wish->reads_metrics, &next.reads_metrics);
	if (!next.reads_metrics)
		TRY(condition_clear(op, next.row.id, STR(PROVIDER_UNMEASURED)));
	next.verified_us = 0; /* the next step verifies the new credentials */
	next.row.gen++;
	TRY(provider_put(op, &next));
	return engine_log_event(op, KIND_PROVIDER, &next.row, "changed", "Provider %" STR_FMT ".",
				STR_ARG(next.name));
}

RESULT engine_refresh_provider(struct op *op, struct provider_target *wish)
{
	const struct provider *before = NULL;
	TRY(find_provider(op, &wish->provider, "provider.refresh", &before));
	struct provider next = *before;
	next.asked_us = op->now_us;
	next.accepts_loss = wish->accepts_loss;
	next.row.gen++;
	return provider_put(op, &next);
}

/* The snapshots that a migration made there could not be removed without the provider. */
static RESULT check_migrations(struct op *op, const struct provider_target *wish, const struct provider *p)
{
	for (const struct cloud_migration *m = cloud_migration_first_by_provider(op->head, p->row.id); m;
	     m = cloud_migration_next_by_provider(op->head, m))
		if (m->started_us && !engine_migration_has_ended(m))
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_PROVIDER, wish->provider.field,
					   "The machine %" STR_FMT
					   " is being migrated from there; undo or finish that first.",
					   STR_ARG(m->ref));
	return OK;
}

RESULT engine_delete_provider(struct op *op, struct provider_target *wish)
{
	const struct provider *before = NULL;
	TRY(find_provider(op, &wish->provider, "provider.delete", &before));
	TRY(check_migrations(op, wish, before));
	TRY(condition_clear_all(op, before->row.id));
	TRY(engine_log_event(op, KIND_PROVIDER, &before->row, "deleted",
			     "Provider %" STR_FMT "; its machines run on.", STR_ARG(before->name)));
	return provider_delete(op, before->row.id);
}

/* ---- reports ---- */

static RESULT report_condition(struct op *op, const struct provider *p, const char *name, bool holds,
			       struct str message, const char *advice)
{
	return holds ? condition_set(op, KIND_PROVIDER, p->row.id, name, message, advice)
		     : condition_clear(op, p->row.id, str_from(name));
}

static RESULT report_conditions(struct op *op, const struct provider *p)
{
	bool fails = p->status != PROVIDER_STATUS_OK && p->status != PROVIDER_STATUS_UNKNOWN;
	TRY(report_condition(
		op, p, PROVIDER_FAILS, fails, p->problem,
		"The rows of its machines stay as they were last seen. Mend the cause, or give new "
		"credentials with `dari provider set`."));
	TRY(report_condition(op, p, PROVIDER_LEAVES_OUT, p->status == PROVIDER_STATUS_OK && p->problem.n,
			     p->problem,
			     "Give those machines, or their resource groups, names in ASCII there."));
	struct str message = str_print(
		op->ctx->arena, "The last listing lacked %lld machines, more than 30 %% of all. They stay.",
		(long long) p->held);
	return report_condition(op, p, PROVIDER_HOLDS, p->held > 0, message,
				"If they are really gone, use `dari provider refresh --accept-loss`.");
}

static RESULT log_status(struct op *op, const struct provider *before, const struct provider *next)
{
	if (before->status == next->status)
		return OK;
	const char *word = provider_status_words[next->status];
	if (next->problem.n)
		return engine_log_event(op, KIND_PROVIDER, &next->row, word,
					"Provider %" STR_FMT " is %s. %" STR_FMT, STR_ARG(next->name), word,
					STR_ARG(next->problem));
	return engine_log_event(op, KIND_PROVIDER, &next->row, word, "Provider %" STR_FMT " is %s.",
				STR_ARG(next->name), word);
}

/* A full account's listing lacks what engine_see_remote_machines() did not store. */
static void judge_room(const struct op *op, struct provider *next)
{
	if (!row_bytes_is_full(op->head, next->account))
		return;
	next->status = PROVIDER_STATUS_FAILING;
	next->problem = STR("The account has reached its limit of bytes of memory for rows (rows_bytes): new "
			    "machines and other texts of machines are not stored.");
}

RESULT engine_see_provider(struct op *op, struct provider_report *wish)
{
	const struct provider *before = provider_find(op->head, wish->provider);
	if (!before || !row_is_live(&before->row) || before->row.gen != wish->gen)
		return OK;
	struct provider next = *before;
	next.status = wish->status;
	next.problem = str_cut(wish->problem, PROBLEM_MAX);
	if (wish->has_verified) {
		next.identity = before->identity.n ? before->identity : wish->identity;
		next.lacks = wish->lacks;
	}
	if (wish->has_listed) {
		judge_room(op, &next);
		next.held = wish->held;
		next.accepts_loss = false;
	}
	bool is_first = wish->has_listed && !before->listed_us;
	bool verifies = wish->has_verified && before->verified_us + 12 * HOUR < op->now_us;
	if (row_equal(&model_kinds[KIND_PROVIDER], &before->row, &next.row) && !is_first && !verifies)
		return OK;
	if (next.status != before->status)
		next.since_us = op->now_us;
	if (wish->has_verified)
		next.verified_us = op->now_us;
	if (wish->has_listed)
		next.listed_us = op->now_us;
	TRY(provider_put(op, &next));
	TRY(report_conditions(op, &next));
	return log_status(op, before, &next);
}

RESULT engine_forget_provider(struct op *op, struct provider_end *wish)
{
	const struct provider *p = provider_find(op->head, wish->provider);
	size_t count = 0;
	if (!p || row_is_live(&p->row))
		return OK;
	const struct remote_machine *m = remote_machine_first_by_provider(op->head, wish->provider);
	const struct remote_resource *r = remote_resource_first_by_provider(op->head, wish->provider);
	for (; m && count < FORGOTTEN_AT_ONCE; count++) {
		TRY(remote_machine_forget(op, m->row.id));
		m = remote_machine_first_by_provider(op->head, wish->provider);
	}
	for (; r && count < FORGOTTEN_AT_ONCE; count++) {
		TRY(remote_resource_forget(op, r->row.id));
		r = remote_resource_first_by_provider(op->head, wish->provider);
	}
	return m || r ? OK : provider_forget(op, wish->provider);
}

/* ---- freshness ---- */

int64_t engine_get_refreshed_us(const struct provider *provider)
{
	const struct provider_usage *usage = provider_usage(provider);
	int64_t noted_us = usage ? __atomic_load_n(&usage->refreshed_us, __ATOMIC_RELAXED) : 0;
	return noted_us > provider->listed_us ? noted_us : provider->listed_us;
}

RESULT engine_note_refreshed(struct op *op, struct provider_refreshed *wish)
{
	const struct provider *p = provider_find(op->head, wish->provider);
	struct provider_usage *usage = p ? provider_usage(p) : NULL;
	if (usage)
		__atomic_store_n(&usage->refreshed_us, wish->at_us, __ATOMIC_RELAXED);
	op_note_figures(op);
	return OK;
}
