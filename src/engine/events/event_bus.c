/* SPDX-License-Identifier: Apache-2.0
 * Events on their way to rules: those that the region makes, and those that accounts put. Called by: api/events, event_source.c, and
 * operations whose events no row tells. Source: Amazon EventBridge API Reference, PutEvents. */
#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "engine/acting.h"
#include "engine/events/events_internal.h"
#include "engine/limits.h"
#include "engine/region/region.h"
#include "engine/row_bytes.h"
#include "store/account.h"

bool event_has_rules(const struct tables *t, uuid account)
{
	const struct account *a = uuid_is_none(account) ? NULL : account_find(t, account);
	return a && account_usage(a)->event_rules > 0;
}

/* An account above a limit loses the event: the change that made it must not fail. */
RESULT event_publish(struct op *op, const struct event_wish *wish)
{
	if (!event_has_rules(op->head, wish->account) || row_bytes_is_full(op->head, wish->account))
		return OK;
	if (!result_is_ok(limit_check(op, LIMIT_BUS_EVENTS, wish->account, 1, STR_NONE))) {
		ctx_clear_problem(op->ctx);
		return OK;
	}
	struct bus_event made = {.row = {.id = engine_new_id(op, KIND_BUS_EVENT), .gen = 1},
				 .account = wish->account,
				 .at_us = op->now_us,
				 .source = str_from(wish->source),
				 .detail_type = str_from(wish->type),
				 .resources = wish->resources,
				 .detail = wish->detail};
	return bus_event_put(op, &made);
}

RESULT event_write(struct ctx *c, const struct tables *t, const struct bus_event *event, struct str *ret_text)
{
	struct buf out;
	struct json_writer j;
	char time[CLOCK_TEXT_SIZE];
	const struct account *account = account_find(t, event->account);
	buf_init(&out, 2 * EVENT_BYTES_MAX);
	json_write_begin(&j, &out);
	json_write_open(&j, NULL);
	json_write_z(&j, "version", "0");
	json_write_uuid(&j, "id", event->row.id);
	json_write_text(&j, "detail-type", event->detail_type);
	json_write_text(&j, "source", event->source);
	json_write_text(&j, "account", account ? account->number : STR_NONE);
	json_write_z(&j, "time", clock_write_s(event->at_us, time));
	json_write_text(&j, "region", engine_get_region_name(t));
	json_write_open_list(&j, "resources");
	for (size_t k = 0; k < event->resources.count; k++)
		json_write_text(&j, NULL, event->resources.at[k]);
	json_write_close_list(&j);
	json_write_raw(&j, "detail", event->detail);
	json_write_close(&j);
	struct result result = json_write_end(&j);
	struct str text = result_is_ok(result) ? str_copy(c->arena, buf_str(&out)) : STR_NONE;
	buf_done(&out);
	if (!text.p)
		return ctx_no_memory(c);
	*ret_text = text;
	return OK;
}

/* ---- PutEvents ---- */

static void refuse(struct event_entry *entry, const char *code, const char *message)
{
	entry->code = code;
	entry->message = str_from(message);
}

static bool is_object(struct str text)
{
	json_t *document = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	bool is_one = json_is_object(document);
	json_decref(document);
	return is_one;
}

static RESULT put_one(struct op *op, uuid account, struct event_entry *entry)
{
	if (str_starts_with(entry->source, STR("aws.")))
		refuse(entry, "NotAuthorizedForSourceException", "Not authorized for the source.");
	else if (!is_object(entry->detail))
		refuse(entry, "MalformedDetail", "Detail is malformed.");
	if (entry->code)
		return OK;
	struct bus_event made = {.row = {.id = engine_new_id(op, KIND_BUS_EVENT), .gen = 1},
				 .account = account,
				 .at_us = entry->at_us ? entry->at_us : op->now_us,
				 .source = entry->source,
				 .detail_type = entry->detail_type,
				 .resources = entry->resources,
				 .detail = entry->detail};
	entry->event = made.row.id;
	if (!event_has_rules(op->head, account))
		return OK;
	/* A quarter of the places is left for events of the region. */
	int64_t most = engine_get_limit(op->head, LIMIT_BUS_EVENTS), wanted = 1 + (most > 0 ? most / 4 : 0);
	if (row_bytes_is_full(op->head, account) ||
	    !result_is_ok(limit_check(op, LIMIT_BUS_EVENTS, account, wanted, STR_NONE))) {
		ctx_clear_problem(op->ctx);
		refuse(entry, "ThrottlingException",
		       "Rate exceeded: too many events of the account are on their way to rules.");
		return OK;
	}
	return bus_event_put(op, &made);
}

RESULT engine_put_events(struct op *op, struct events_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "event.put", KIND_NONE, NULL));
	uuid id = account;
	for (size_t k = 0; k < wish->count; k++)
		if (!wish->at[k].code)
			TRY(put_one(op, id, &wish->at[k]));
	return OK;
}
