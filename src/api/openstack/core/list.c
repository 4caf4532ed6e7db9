/* SPDX-License-Identifier: Apache-2.0
 * Writes rows: a page of a list with links to its neighbours, or one row, reduced to the members asked for. */
#include "api/openstack/core/filter.h"
#include "api/openstack/core/services.h"

const struct attribute_plan *os_plan_members(struct os_call *e, const struct os_listing *list)
{
	if (!os_shows_attributes(list))
		return NULL;
	const struct attributes shown = os_shown_members(list);
	return attributes_plan(&e->core, &os_style, &shown);
}

const void *os_gather_one(struct os_call *e, const struct os_listing *list, const struct attribute_plan *plan,
			  const struct row *row)
{
	if (os_shows_attributes(list))
		return plan ? attributes_gather(plan, row) : NULL;
	return list->gather ? list->gather(e, row) : row;
}

void os_write_item(struct os_call *e, const struct os_listing *list, const void *item, struct json_writer *w)
{
	if (os_shows_attributes(list))
		attributes_write_json(item, w);
	else
		list->write(e, w, item);
}

RESULT os_gather(struct os_call *e, const struct os_listing *list, const struct os_page *page,
		 const void ***ret_items)
{
	const void **items = arena_new_array(e->c->arena, const void *, page->count);
	const struct attribute_plan *plan = page->count ? os_plan_members(e, list) : NULL;
	if (!items)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < page->count; k++) {
		items[k] = os_gather_one(e, list, plan, page->rows[k]);
		if (!items[k])
			return ctx_no_memory(e->c);
	}
	os_release_tables(e);
	*ret_items = items;
	return OK;
}

static void add_query(struct os_call *e, struct buf *b, struct str name, struct str value)
{
	if (b->size)
		buf_add_char(b, '&');
	buf_add_str(b, str_encode_url(e->c->arena, name, false));
	buf_add_char(b, '=');
	buf_add_str(b, str_encode_url(e->c->arena, value, false));
}

/* Returns the call's query with another marker. */
static struct str query_from(struct os_call *e, struct str marker, bool backwards)
{
	const struct pairs *query = &e->request.query;
	struct buf b;
	buf_init(&b, 64 * 1024);
	for (size_t k = 0; k < query->count; k++)
		if (!str_is(query->at[k].name, "marker") && !str_is(query->at[k].name, "page_reverse"))
			add_query(e, &b, query->at[k].name, query->at[k].value);
	if (marker.n)
		add_query(e, &b, STR("marker"), marker);
	if (backwards)
		add_query(e, &b, STR("page_reverse"), STR("True"));
	struct str text = str_copy(e->c->arena, buf_str(&b));
	buf_done(&b);
	return text;
}

struct str os_next_query(struct os_call *e, const struct os_page *page)
{
	return page->has_more && page->count ? query_from(e, page->marker, false) : STR_NONE;
}

/* ---- some members only ---- */

static bool is_asked(const struct pairs *query, const char *member)
{
	for (size_t k = 0; k < query->count; k++)
		if (str_is(query->at[k].name, "fields") && str_is(query->at[k].value, member))
			return true;
	return false;
}

/* True if fields= of Neutron or Octavia selects members. Names that a row does not have select nothing. */
static bool picks_members(const struct os_call *e)
{
	const struct pairs *query = &e->request.query;
	bool picks = false;
	for (size_t k = 0; k < query->count && !picks; k++)
		picks = str_is(query->at[k].name, "fields") && query->at[k].value.n;
	bool has_fields = e->service == OS_NETWORK || e->service == OS_LOAD_BALANCER;
	return picks && has_fields && os_action_of(e)->method == HTTP_GET;
}

bool os_shows_member(const struct os_call *e, const char *member)
{
	return !picks_members(e) || is_asked(&e->request.query, member);
}

static void copy_picked(struct os_call *e, struct json_writer *w, json_t *members)
{
	const char *key;
	json_t *value;
	json_object_foreach (members, key, value) {
		char *text = is_asked(&e->request.query, key)
				     ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT)
				     : NULL;
		if (text) {
			json_write_key(w, str_from(key));
			json_write_raw(w, NULL, str_from(text));
		}
		free(text);
	}
}

/* Writes the item's members, only those selected by fields= if present. */
static RESULT write_item(struct os_call *e, const struct os_listing *list, const void *item,
			 struct json_writer *w)
{
	if (!picks_members(e)) {
		os_write_item(e, list, item, w);
		return OK;
	}
	json_t *members = os_members_of(e, list, item);
	if (!members)
		return ctx_no_memory(e->c);
	copy_picked(e, w, members);
	json_decref(members);
	return OK;
}

static void write_page_link(struct os_call *e, struct json_writer *w, const char *rel, struct str query)
{
	if (str_is_empty(query))
		return;
	json_write_open(w, NULL);
	json_write_text(w, "href",
			str_print(e->c->arena, "%" STR_FMT "%" STR_FMT "?%" STR_FMT, STR_ARG(e->base_url),
				  STR_ARG(e->call->path), STR_ARG(query)));
	json_write_z(w, "rel", rel);
	json_write_close(w);
}

/* Counts the rows of all pages if the query has with_count; otherwise -1. */
static RESULT count_all(struct os_call *e, const struct os_listing *list, int64_t *ret_count)
{
	struct str asked = pairs_find(&e->request.query, "with_count");
	struct os_page all;
	bool is_truth = false, counts = false;
	*ret_count = -1;
	if (!(list->flags & OS_COUNTS) || e->request.version < OS_COUNTS_SINCE || !asked.p)
		return OK;
	is_truth = os_read_truth(e, asked, &counts);
	if (is_truth && !counts)
		return OK;
	if (!is_truth)
		return ctx_fail_field(e->c, ERR_INVALID, STR("with_count"),
				      "Value '%" STR_FMT "' for 'with_count' is not a boolean.",
				      STR_ARG(str_slice(asked, 0, 64)));
	TRY(os_select_all(e, list, &all));
	*ret_count = (int64_t) all.count;
	return OK;
}

/* Finds the links to the next and the previous page. Neutron links a page with a limit in both directions,
 * unless the page is too short to have a neighbour there; an empty page links back as well. Source:
 * Neutron, get_pagination_links(). */
static void find_links(struct os_call *e, const struct os_page *page, struct str *ret_next,
		       struct str *ret_before)
{
	bool is_full = page->count >= page->limit;
	*ret_next = os_next_query(e, page);
	*ret_before = STR_NONE;
	if (e->service != OS_NETWORK || page->limit >= INT64_MAX)
		return;
	*ret_next = is_full || page->is_reverse ? query_from(e, page->marker, false) : STR_NONE;
	*ret_before = is_full || !page->is_reverse ? query_from(e, page->first_marker, true) : STR_NONE;
}

static void write_links(struct os_call *e, const struct os_listing *list, struct json_writer *w,
			struct str next, struct str before)
{
	if (!list->links || (str_is_empty(next) && str_is_empty(before)))
		return;
	json_write_open_list(w, list->links);
	write_page_link(e, w, "next", next);
	write_page_link(e, w, "previous", before);
	json_write_close_list(w);
}

RESULT os_list(struct os_call *e, const struct os_listing *list, struct json_writer *w)
{
	struct os_page page;
	const void **items = NULL;
	int64_t total = -1;
	TRY(count_all(e, list, &total));
	TRY(os_select(e, list, &page));
	struct str next, before;
	find_links(e, &page, &next, &before);
	TRY(os_gather(e, list, &page, &items));
	json_write_open_list(w, list->items);
	for (size_t k = 0; k < page.count; k++) {
		json_write_open(w, NULL);
		TRY(write_item(e, list, items[k], w));
		json_write_close(w);
	}
	json_write_close_list(w);
	write_links(e, list, w, next, before);
	if (total >= 0)
		json_write_int(w, "count", total);
	return OK;
}

RESULT os_write_row(struct os_call *e, const struct os_listing *list, const struct row *row,
		    struct json_writer *w)
{
	const struct os_page page = {.rows = &row, .count = 1};
	const void **items = NULL;
	TRY(os_gather(e, list, &page, &items));
	return write_item(e, list, items[0], w);
}

RESULT os_write_returned(struct os_call *e, const struct os_listing *list, uuid id, struct json_writer *w)
{
	const struct row *row = NULL;
	TRY(os_find_returned(e, id, &row));
	return os_write_row(e, list, row, w);
}

/* Finds, by id, an object of the kind that has no row; NULL: none. */
static RESULT find_added(struct os_call *e, const struct os_listing *list, const struct ref *ref,
			 const struct row **ret_row)
{
	struct os_added added = {.only = ref->prefix};
	*ret_row = NULL;
	if (list->add)
		TRY(list->add(e, &added));
	for (size_t k = 0; k < added.rows.count; k++)
		if (uuid_equal(added.rows.at[k]->id, ref->prefix))
			*ret_row = added.rows.at[k];
	return OK;
}

RESULT os_write_found(struct os_call *e, const struct os_listing *list, const struct ref *ref,
		      struct json_writer *w)
{
	const struct row *row = NULL;
	struct result found = os_find(e, list->kind, ref, &row);
	if (found.code == ERR_DENIED)
		return found;
	if (!result_is_ok(found)) {
		TRY(find_added(e, list, ref, &row));
		if (!row)
			return found;
		ctx_clear_problem(e->c);
	}
	if (list->shows && !list->shows(e, row))
		return engine_fail_not_found(e->c, list->kind, ref);
	return os_write_row(e, list, row, w);
}

RESULT os_write_shown(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_shown_row *shows = &os_action_of(e)->shows;
	const void *at = (const char *) args + shows->offset;
	return shows->is_id ? os_write_returned(e, shows->listing, *(const uuid *) at, w)
			    : os_write_found(e, shows->listing, at, w);
}
