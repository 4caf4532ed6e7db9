/* SPDX-License-Identifier: Apache-2.0
 * Writes the mapping. Sources: Candlepin's HypervisorResource; virt-who's documentation of its files. */
#include "engine/licence/mapping_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "model/state.h"
#include "store/account.h"
#include "store/dedicated_host.h"
#include "store/domain.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/subscription_server.h"

enum { WORDS_MAX = 255 };
#define MAPPING_CAP ((size_t) 256 << 20)

/* ---- the mapping ---- */

bool mapping_has(const struct tables *t, const struct mapping_scope *scope, uuid owner)
{
	if (!uuid_is_none(scope->account))
		return uuid_equal(owner, scope->account);
	if (uuid_is_none(scope->domain))
		return true;
	const struct account *account = account_find(t, owner);
	return account && uuid_equal(account->domain, scope->domain);
}

static enum mapping_state state_of(const struct instance *i)
{
	if (i->seen_power == INSTANCE_SEEN_POWER_ON)
		return i->seen_paused ? MAPPING_PAUSED : MAPPING_RUNNING;
	return i->seen_saved ? MAPPING_SUSPENDED : MAPPING_OFF;
}

static int compare_guests(const void *left, const void *right)
{
	return uuid_compare((*(const struct instance *const *) left)->row.id,
			    (*(const struct instance *const *) right)->row.id);
}

struct guests {
	VEC(const struct instance *) list;
};

static RESULT gather_guests(struct ctx *c, const struct tables *t, const struct mapping_scope *scope,
			    const struct host *host, struct guests *ret_guests)
{
	*ret_guests = (struct guests){0};
	for (const struct instance *i = instance_first_by_host(t, host->row.id); i;
	     i = instance_next_by_host(t, i))
		if (i->seen_power != INSTANCE_SEEN_POWER_ABSENT && mapping_has(t, scope, i->account) &&
		    !VEC_PUSH(c->arena, &ret_guests->list, i))
			return ctx_no_memory(c);
	if (ret_guests->list.count)
		qsort(ret_guests->list.at, ret_guests->list.count, sizeof(const struct instance *),
		      compare_guests);
	return OK;
}

static bool is_set_apart(const struct tables *t, const struct mapping_scope *scope, const struct host *host)
{
	const struct dedicated_host *d = dedicated_host_find_by_host(t, host->row.id);
	return d && mapping_has(t, scope, d->account);
}

void mapping_write_guest(struct json_writer *w, uuid id, enum mapping_state state, const char *type)
{
	json_write_open(w, NULL);
	json_write_uuid(w, "guestId", id);
	json_write_int(w, "state", state);
	json_write_open(w, "attributes");
	json_write_z(w, "virtWhoType", type);
	json_write_int(w, "active", state == MAPPING_RUNNING || state == MAPPING_PAUSED);
	json_write_close(w);
	json_write_close(w);
}

static void write_host(struct json_writer *w, const struct host *h, const struct guests *guests)
{
	char sockets[24];
	(void) snprintf(sockets, sizeof sockets, "%lld", (long long) h->seen_sockets);
	json_write_open(w, NULL);
	json_write_open(w, "hypervisorId");
	json_write_uuid(w, "hypervisorId", h->row.id);
	json_write_close(w);
	json_write_text(w, "name", h->name);
	json_write_open_list(w, "guestIds");
	for (size_t k = 0; k < guests->list.count; k++)
		mapping_write_guest(w, guests->list.at[k]->row.id, state_of(guests->list.at[k]), "libvirt");
	json_write_close_list(w);
	json_write_open(w, "facts");
	json_write_z(w, "cpu.cpu_socket(s)", sockets);
	json_write_z(w, "hypervisor.type", "QEMU");
	json_write_text(w, "hypervisor.version", h->seen_version);
	json_write_close(w);
	json_write_close(w);
}

static RESULT write_hosts(struct ctx *c, const struct tables *t, const struct mapping_scope *scope,
			  struct json_writer *w)
{
	bool is_all = uuid_is_none(scope->account) && uuid_is_none(scope->domain);
	struct guests guests;
	for (const struct host *h = host_first(t); h; h = host_next(t, h)) {
		if (!row_is_live(&h->row))
			continue;
		TRY(gather_guests(c, t, scope, h, &guests));
		if (is_all || guests.list.count || is_set_apart(t, scope, h))
			write_host(w, h, &guests);
	}
	return OK;
}

RESULT engine_write_mapping(struct ctx *c, const struct tables *t, const struct mapping_scope *scope,
			    struct str *ret_json)
{
	struct buf text;
	struct json_writer w;
	buf_init(&text, MAPPING_CAP);
	json_write_begin(&w, &text);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "hypervisors");
	struct result result = write_hosts(c, t, scope, &w);
	if (result_is_ok(result))
		result = mapping_write_elsewhere(c, t, scope, &w);
	json_write_close_list(&w);
	json_write_close(&w);
	bool is_whole = result_is_ok(json_write_end(&w));
	*ret_json = is_whole ? str_copy(c->arena, buf_str(&text)) : STR_NONE;
	buf_done(&text);
	return !result_is_ok(result) ? result : ret_json->p ? OK : ctx_no_memory(c);
}

/* ---- servers ---- */

static RESULT check_server(struct op *op, const struct subscription_server_wish *w)
{
	const struct {
		const char *name;
		struct str text;
		bool is_needed;
	} words[] = {{"name", w->name, true},
		     {"url", w->url, true},
		     {"organisation", w->organisation, true},
		     {"user", w->user, false},
		     {"reporter", w->reporter, true}};
	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		if ((words[k].is_needed && !words[k].text.n) || words[k].text.n > WORDS_MAX ||
		    !str_is_line(words[k].text))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBSCRIPTION_SERVER, str_from(words[k].name),
					   "A server's %s is one line of up to %d characters.", words[k].name,
					   WORDS_MAX);
	if (!str_starts_with(w->url, STR("https://")) && !str_starts_with(w->url, STR("http://")))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBSCRIPTION_SERVER, STR("url"),
				   "Its URL begins with https:// (or http:// where nobody listens).");
	if (ref_is_given(&w->account) && ref_is_given(&w->domain))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_SUBSCRIPTION_SERVER, STR("domain"),
				   "It is told of an account's guests or of a domain's, not of both.");
	if (subscription_server_find_by_name(op->head, w->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_SUBSCRIPTION_SERVER, STR("name"),
				   "There is a subscription server '%" STR_FMT "' already.",
				   STR_ARG(w->name));
	return OK;
}

RESULT engine_add_subscription_server(struct op *op, struct subscription_server_wish *wish)
{
	const struct row *account = NULL, *domain = NULL;
	TRY(engine_permit(op, "licence.manage", KIND_SUBSCRIPTION_SERVER, NULL));
	TRY(check_server(op, wish));
	if (ref_is_given(&wish->account))
		TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &account));
	if (ref_is_given(&wish->domain))
		TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &domain));
	struct subscription_server next = {.row.id = wish->id,
					   .row.gen = 1,
					   .name = wish->name,
					   .url = wish->url,
					   .dialect = wish->is_candlepin
							      ? SUBSCRIPTION_SERVER_DIALECT_CANDLEPIN
							      : SUBSCRIPTION_SERVER_DIALECT_SATELLITE,
					   .organisation = wish->organisation,
					   .of_account = account ? account->id : UUID_NONE,
					   .of_domain = domain ? domain->id : UUID_NONE,
					   .user = wish->user,
					   .secret = wish->secret,
					   .certificate = wish->certificate,
					   .authority = wish->authority,
					   .reporter = wish->reporter};
	TRY(subscription_server_put(op, &next));
	return engine_log_event(op, KIND_SUBSCRIPTION_SERVER, &next.row, "created",
				"It is told of guests for the organisation %" STR_FMT ".",
				STR_ARG(next.organisation));
}

RESULT engine_remove_subscription_server(struct op *op, struct subscription_server_target *wish)
{
	const struct subscription_server *s = subscription_server_find_by_name(op->head, wish->name);
	if (!s)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_SUBSCRIPTION_SERVER, STR("name"),
				   "There is no subscription server '%" STR_FMT "'.", STR_ARG(wish->name));
	TRY(engine_permit(op, "licence.manage", KIND_SUBSCRIPTION_SERVER, &s->row));
	TRY(engine_log_event(op, KIND_SUBSCRIPTION_SERVER, &s->row, "removed",
			     "It is told nothing any more."));
	TRY(subscription_server_delete(op, s->row.id));
	return subscription_server_forget(op, s->row.id);
}

RESULT engine_see_subscription_server(struct op *op, struct subscription_server_report *wish)
{
	const struct subscription_server *s = subscription_server_find(op->head, wish->server);
	if (!s || s->row.gen != wish->gen)
		return OK; /* changed since the report */
	struct subscription_server next = *s;
	if (wish->sets_told) {
		next.told_us = op->now_us;
		next.told_sum = wish->told_sum;
	}
	if (wish->sets_job) {
		next.job = wish->job;
		next.job_sum = wish->job_sum;
	}
	if (wish->sets_beat)
		next.beat_us = op->now_us;
	next.not_before_us = wish->not_before_us;
	return subscription_server_put(op, &next);
}
