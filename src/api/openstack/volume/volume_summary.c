/* SPDX-License-Identifier: Apache-2.0
 * Further Block Storage calls: the summary of all volumes, user messages about failed volumes, and the filters of
 * each list. */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/condition.h"
#include "engine/storage/volume/volume.h"
#include "store/condition.h"
#include "store/volume.h"

/* ---- summary ---- */

static RESULT show_summary(struct os_call *e, const void *args, struct json_writer *w)
{
	int64_t size = 0;
	struct os_page page;
	(void) args;
	TRY(os_select_all(e, &os_volume_details, &page));
	for (size_t k = 0; k < page.count; k++)
		size += os_gib(volume_of(page.rows[k])->size);
	json_write_int(w, "total_count", (int64_t) page.count);
	json_write_int(w, "total_size", size);
	return OK;
}

/* ---- messages: what is in the way of volumes ---- */

static const struct volume *find_own_subject(struct os_call *e, const struct condition *condition)
{
	const struct volume *v =
		condition->subject_kind == KIND_VOLUME ? volume_find(os_tables(e), condition->subject) : NULL;
	return v && row_is_live(&v->row) && uuid_equal(v->account, e->c->who->account) ? v : NULL;
}

static bool is_message(struct os_call *e, const struct row *row)
{
	return find_own_subject(e, condition_of(row));
}

/* Cinder keeps messages for 30 days. */
#define MESSAGE_LASTS_US (INT64_C(30) * 24 * 3600 * 1000000)

/* Cinder's event ids and texts, for conditions that Cinder has as well. Other conditions are shown in our
 * own words. */
static const struct message_words {
	const char *condition, *event, *text;
} message_words[] = {
	{VOLUME_NOT_PLACED, "VOLUME_VOLUME_001_003",
	 "schedule allocate volume:Could not find any available weighted backend."},
};

static const struct message_words *find_words(const struct condition *c)
{
	for (size_t k = 0; k < sizeof message_words / sizeof message_words[0]; k++)
		if (str_is(c->name, message_words[k].condition))
			return &message_words[k];
	return NULL;
}

static struct str event_of(const struct condition *c)
{
	const struct message_words *words = find_words(c);
	return words ? str_from(words->event) : c->name;
}

static bool fits_event(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return str_equal(value, event_of(condition_of(row)));
}

/* Writes a condition as a message. A message exists while its condition holds and nobody has deleted the
 * message. */
static void write_message(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct condition *c = item;
	os_write_id(w, "id", c->row.id);
	const struct message_words *words = find_words(c);
	json_write_text(w, "event_id", event_of(c));
	json_write_text(w, "user_message",
			words ? str_print(e->c->arena, "%s %" STR_FMT, words->text, STR_ARG(c->message))
			      : c->message);
	json_write_z(w, "message_level", "ERROR");
	json_write_z(w, "resource_type", "VOLUME");
	os_write_id(w, "resource_uuid", c->subject);
	os_write_time_us(w, "created_at", c->row.created_us);
	if (words) /* this condition lasts as long as its volume */
		os_write_time_us(w, "guaranteed_until", c->row.created_us + MESSAGE_LASTS_US);
	else
		json_write_null(w, "guaranteed_until");
	json_write_text_or_null(
		w, "request_id",
		c->request_id.n ? str_print(e->c->arena, "req-%" STR_FMT, STR_ARG(c->request_id)) : STR_NONE);
	os_write_volume_links(e, w, "messages", c->row.id);
}

static bool fits_level(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	(void) row;
	return str_is(value, "ERROR");
}

static bool fits_type(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	(void) row;
	return str_equal_nocase(value, STR("VOLUME"));
}

static bool fits_request(struct os_call *e, const struct row *row, struct str value)
{
	struct str id = condition_of(row)->request_id;
	(void) e;
	return id.n && str_starts_with(value, STR("req-")) && str_equal(str_slice(value, 4, value.n), id);
}

static const struct os_filter message_filters[] = {{"event_id", .fits = fits_event},
						   {"resource_uuid", "subject"},
						   {"resource_type", .fits = fits_type},
						   {"message_level", .fits = fits_level},
						   {"request_id", .fits = fits_request}};
const struct os_listing os_message_listing = {
	.kind = KIND_CONDITION,
	.items = "messages",
	.links = "messages_links",
	.filters = OS_FILTERS(message_filters),
	.flags = OS_ALL_SEE_ALL | OS_NEWEST_FIRST,
	.page_max = 1000,
	.shows = is_message,
	.write = write_message,
};

struct os_message_shown {
	struct ref message;
};
static const struct param message_params[] = {
	OS_PATH(struct os_message_shown, "message_id", message, .kind = KIND_CONDITION,
		.doc = "The message."),
};

static RESULT show_message(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct ref *ref = &((const struct os_message_shown *) args)->message;
	const struct condition *condition = condition_find(os_tables(e), ref->prefix);
	if (!condition || !find_own_subject(e, condition))
		return engine_fail_not_found(e->c, KIND_CONDITION, ref);
	write_message(e, w, condition);
	return OK;
}

struct os_message_deleted {
	struct volume_message_target wish;
};
static const struct param delete_message_params[] = {
	OS_PATH(struct os_message_deleted, "message_id", wish.message, .kind = KIND_CONDITION,
		.doc = "The message."),
};

/* ---- what lists filter by: their own tables ---- */

struct os_filters_asked {
	struct str resource;
};
static const struct param filter_params[] = {
	OS_QUERY(struct os_filters_asked, "resource", resource, .doc = "Only filters of this resource."),
};

static RESULT list_filters(struct os_call *e, const void *args, struct json_writer *w)
{
	static const struct {
		const char *resource;
		const struct os_listing *list;
	} rows[] = {{"volume", &os_volume_details},
		    {"backup", &os_backup_details},
		    {"snapshot", &os_snapshot_details},
		    {"group", &os_volume_group_details},
		    {"group_snapshot", &os_group_snapshot_details},
		    {"attachment", &os_attachment_details},
		    {"message", &os_message_listing}};
	struct str asked = ((const struct os_filters_asked *) args)->resource;
	(void) e;
	json_write_open_list(w, "resource_filters");
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		if (asked.n && !str_is(asked, rows[k].resource))
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "resource", rows[k].resource);
		json_write_open_list(w, "filters");
		os_write_filter_names(w, rows[k].list);
		json_write_close_list(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- the calls ---- */

static const struct os_action actions[] = {
	{HTTP_GET, "/v3/{project_id}/volumes/summary", .since = 12, .permit = "volume:get_all",
	 .item = "volume-summary", .answer = show_summary,
	 .doc = "Shows the number and the total size of volumes."},
	{HTTP_GET, "/v3/{project_id}/messages", .since = 3, .permit = "message:get_all",
	 .list = &os_message_listing, .doc = "Lists messages about problems with the project's volumes."},
	{HTTP_GET, "/v3/{project_id}/messages/{message_id}", .since = 3, .permit = "message:get",
	 .args = OS_PARAMS(struct os_message_shown, message_params), .item = "message",
	 .answer = show_message, .doc = "Shows one message."},
	{HTTP_DELETE, "/v3/{project_id}/messages/{message_id}", .since = 3, .permit = "message:delete",
	 .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_message_deleted, delete_message_params),
	 .operation = engine_forget_volume_message_run,
	 .doc = "Deletes a message. If the problem persists, a new message follows."},
	{HTTP_GET, "/v3/{project_id}/resource_filters", .since = 33, .permit = "volume:get_all",
	 .args = OS_PARAMS(struct os_filters_asked, filter_params), .answer = list_filters,
	 .doc = "Lists the filters of each list."},
};
const struct os_actions os_volume_more_actions = OS_ACTIONS(OS_VOLUME, actions);
