/* SPDX-License-Identifier: Apache-2.0
 * Lists: paging, ownership and tags. Source: API reference and developer guide, "Listing";
 * AccountManagerImpl of 4.18 for visibility, ParamProcessWorker for dates.
 */
#include "api/cloudstack/core/action.h"
#include "auth/key/cloudstack_signature.h"
#include "base/clock.h"
#include "base/letters.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/sql.h"

static const struct param tag_rows[] = {
	PARAM(struct tag, "key", key, .doc = "Tag key."),
	PARAM(struct tag, "value", value, .doc = "Tag value."),
};
const struct params cs_tag_params = PARAMS(struct tag, tag_rows);

/* Without page and pagesize a list has one page of the setting default.page.size; pagesize -1 asks for all rows. Source of the rules
 * and messages: BaseListCmd. */
RESULT cs_read_page(struct cs_call *e, const struct cs_list_args *asked, struct api_list_wish *wish)
{
	bool is_all = asked->page_size == -1;
	if (asked->page_size && !is_all && !asked->page)
		return ctx_fail_field(e->c, ERR_MISSING, STR("page"),
				      "\"page\" parameter is required when \"pagesize\" is specified");
	if (asked->page && !asked->page_size)
		return ctx_fail_field(e->c, ERR_MISSING, STR("pagesize"),
				      "\"pagesize\" parameter is required when \"page\" is specified");
	if (asked->page_size > CS_PAGE_MAX)
		return cs_fail(e, "pagesize", "Page size can't exceed max allowed page size value: %d",
			       CS_PAGE_MAX);
	if (is_all && asked->page)
		return cs_fail(e, "page", "Can't specify page parameter when pagesize is -1 (Unlimited)");
	wish->limit = is_all ? 0 : asked->page_size ? (size_t) asked->page_size : CS_PAGE_MAX;
	wish->offset = asked->page > 1 ? (size_t) (asked->page - 1) * wish->limit : 0;
	return OK;
}

/* An administrator's list covers the own account, unless it asks for all, for an id, or for a domain
 * (with all below the root domain, or with isrecursive those of the domains below). */
void cs_choose_owners(const struct cs_call *e, const struct cs_list_args *asked, struct api_list_wish *wish)
{
	bool is_domains = ref_is_given(&asked->domain) && !asked->account.n;
	bool is_whole = uuid_equal(asked->domain.prefix, DOMAIN_DEFAULT) && asked->is_recursive == CHOICE_YES;
	if (!(e->action->flags & CS_OF_ACCOUNT) || !identity_is_admin(e->c->who) || asked->account.n)
		return;
	bool is_everywhere = str_is(cloudstack_find_value(&e->pairs, "projectid"), "-1");
	wish->is_of_all = asked->lists_all == CHOICE_YES || is_domains || is_everywhere;
	if (is_domains && !is_whole)
		wish->domain = asked->domain.prefix;
	wish->with_below = asked->is_recursive == CHOICE_YES;
}

static RESULT take_event(void *arg, const struct event *event)
{
	(void) event;
	*(bool *) arg = true;
	return OK;
}

/* True if the event log contains a removed row that belonged to the caller, or to no account, such as an offering. For administrators it
 * may be any account's row. CloudStack remembers removed rows: their ids give an empty list, and ids that never existed an error. Here an
 * id whose last event was pruned is also an error (docs/operations.md). Source: ParamProcessWorker.translateUuidToInternalId().
 * The view is closed: none stays open while SQL is read. */
static bool has_gone(struct cs_call *e, enum kind kind, uuid id)
{
	bool is_for_all = identity_is_admin(e->c->who) || !list_account_index(kind), is_told = false;
	const struct row *row = tables_find(cs_tables(e), kind, id);
	const struct event_query query = {
		.id = id, .account = is_for_all ? UUID_NONE : e->c->who->account, .max = 1};
	if (row && row_is_live(row))
		return false;
	view_close(&e->view);
	return result_is_ok(store_read_events(e->config->store, e->c, &query, take_event, &is_told)) &&
	       is_told;
}

RESULT cs_end_list(struct cs_call *e, struct result failure, enum kind kind, uuid id)
{
	if (!has_gone(e, kind, id))
		return failure;
	ctx_clear_problem(e->c);
	return OK;
}

/* Writes the page. "count" counts all pages; an empty list has no members. */
RESULT cs_write_list(struct cs_call *e, struct json_writer *w)
{
	const struct cs_list_args *asked = e->args;
	struct api_list_wish wish = {
		.id = asked->id, .name = asked->name, .keyword = asked->keyword, .tags = asked->tags};
	struct query_page page;
	TRY(cs_read_page(e, asked, &wish));
	cs_choose_owners(e, asked, &wish);
	struct result found = api_list_rows(&e->core, &wish, &page);
	if (found.code == ERR_INVALID && ref_is_given(&wish.id))
		return cs_end_list(e, found, e->action->listing->kind, wish.id.prefix);
	TRY(found);
	if (page.count) {
		json_write_int(w, "count", (int64_t) page.count);
		api_list_write(&e->core, w, cs_write_time, &wish, &page);
	}
	return OK;
}

RESULT cs_write_items(struct cs_call *e, struct json_writer *w, const struct cs_list_args *asked,
		      const char *item, const void *const *items, size_t count,
		      void (*write)(struct cs_call *e, struct json_writer *w, const void *item))
{
	struct api_list_wish wish = {.limit = 0};
	TRY(cs_read_page(e, asked, &wish));
	if (!count)
		return OK;
	json_write_int(w, "count", (int64_t) count);
	json_write_open_list(w, item);
	for (size_t k = wish.offset; k < count && (!wish.limit || k - wish.offset < wish.limit); k++) {
		json_write_open(w, NULL);
		write(e, w, items[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* "2024-01-02", "2024-01-02 03:04:05", and what other commands take: "2024-01-02T03:04:05+0000". */
RESULT cs_read_date(struct cs_call *e, struct str text, const char *field, enum cs_date date, int64_t *ret_us)
{
	static const char *const ends_of_day[] = {[CS_FROM] = "00:00:00", [CS_UNTIL] = "23:59:59"};
	struct str day = str_slice(text, 0, strlen("2024-01-02")), time = str_from(ends_of_day[date]);
	bool is_day = text.n == day.n, has_space = !is_day && text.p[day.n] == ' ';
	struct str whole = text;
	if (has_space)
		time = str_slice(text, day.n + 1, text.n);
	if (is_day || has_space)
		whole = str_print(e->c->arena, "%" STR_FMT "T%" STR_FMT "Z", STR_ARG(day), STR_ARG(time));
	if (!text.n)
		return OK;
	if (!result_is_ok(clock_parse(whole, ret_us)))
		return cs_fail(e, field,
			       "Unable to parse date %" STR_FMT
			       " for command %s, please pass dates in the format mentioned in the api "
			       "documentation",
			       STR_ARG(text), e->action->name);
	*ret_us += date == CS_UNTIL ? SECOND : 0;
	return OK;
}

static bool is_listed(struct cs_call *e, const struct cs_fixed_list *list, size_t k)
{
	const struct cs_list_args *asked = e->args;
	struct arena *a = e->c->arena;
	struct str name = list->get_name(k);
	return (!asked->name.n || str_equal_nocase(asked->name, name)) &&
	       (!asked->keyword.n ||
		str_contains(str_lower_all(a, name), str_lower_all(a, asked->keyword))) &&
	       (!list->matches || list->matches(e, e->args, k));
}

RESULT cs_write_fixed_list(struct cs_call *e, struct json_writer *w, const struct cs_fixed_list *list)
{
	struct api_list_wish page = {.limit = 0};
	size_t count = 0, place = 0;
	TRY(cs_read_page(e, e->args, &page));
	for (size_t k = 0; k < list->count; k++)
		count += is_listed(e, list, k);
	if (!count)
		return OK;
	json_write_int(w, "count", (int64_t) count);
	json_write_open_list(w, list->item);
	for (size_t k = 0; k < list->count; k++) {
		if (!is_listed(e, list, k) || place++ < page.offset ||
		    (page.limit && place > page.offset + page.limit))
			continue;
		json_write_open(w, NULL);
		list->write(e, w, k);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

void cs_write_owner(struct api_call *e, struct json_writer *w, const char *name, const struct row *account)
{
	const struct account *owner = account_of(account);
	const struct domain *domain = domain_find(api_tables(e), owner->domain);
	(void) name;
	if (cs_is_project(api_tables(e), account->id)) {
		json_write_text(w, "projectid", uuid_to_str(e->c->arena, account->id));
		json_write_text(w, "project", owner->name);
	} else {
		json_write_text(w, "account", owner->name);
	}
	json_write_text(w, "domainid", uuid_to_str(e->c->arena, owner->domain));
	if (domain)
		json_write_text(w, "domain", cs_domain_name(domain));
}

/* ---- tags of rows ---- */

/* Names of kinds in createTags. */
static const char *const type_words[KIND_COUNT] = {
	[KIND_INSTANCE] = "UserVm",
	[KIND_IMAGE] = "Template",
	[KIND_VOLUME] = "Volume",
	[KIND_SNAPSHOT] = "Snapshot",
	[KIND_INSTANCE_SNAPSHOT] = "VMSnapshot",
	[KIND_SNAPSHOT_POLICY] = "SnapshotPolicy",
	[KIND_NETWORK] = "Network",
	[KIND_SECURITY_GROUP] = "SecurityGroup",
	[KIND_ADDRESS] = "PublicIpAddress",
	[KIND_ROUTER] = "Vpc",
	[KIND_PORT_FORWARDING] = "PortForwardingRule",
	[KIND_LOAD_BALANCER] = "LoadBalancer",
	[KIND_FIREWALL_RULE] = "FirewallRule",
};

const char *cs_tag_type(enum kind kind)
{
	return type_words[kind];
}

void cs_write_tag(struct cs_call *e, struct json_writer *w, const struct row *row, const struct tag *tag)
{
	const struct row *owner = tables_find(cs_tables(e), KIND_ACCOUNT, engine_get_owner(row->kind, row));
	json_write_open(w, NULL);
	json_write_text(w, "key", tag->key);
	json_write_text(w, "value", tag->value);
	json_write_z(w, "resourcetype", type_words[row->kind]);
	json_write_text(w, "resourceid", uuid_to_str(e->c->arena, row->id));
	if (owner)
		cs_write_owner(&e->core, w, NULL, owner);
	json_write_close(w);
}

void cs_write_tags(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	size_t offset = engine_tags_offset(e->c, row->kind, row);
	const struct tags *tags = offset ? (const void *) ((const char *) row + offset) : NULL;
	json_write_open_list(w, name);
	for (size_t k = 0; tags && k < tags->count; k++)
		cs_write_tag(cs_call_of(e), w, row, &tags->at[k]);
	json_write_close_list(w);
}

struct str cs_domain_name(const struct domain *domain)
{
	return uuid_equal(domain->row.id, DOMAIN_DEFAULT) ? STR("ROOT") : domain->name;
}

struct str cs_get_domain_name(struct api_call *e, const struct row *row)
{
	(void) e;
	return cs_domain_name(domain_of(row));
}
