/* SPDX-License-Identifier: Apache-2.0
 * Lists: the rows of one kind that the caller sees, a page of them, and how many there are in all. */
#include "api/cloudstack/internal.h"
#include "base/clock.h"
#include "engine/resolve.h"
#include "store/query.h"

struct listed {
	struct cloudstack_call *e;
	const struct cloudstack_listing *list;
	const struct cloudstack_list_args *asked;
};

static bool has_part(struct arena *a, struct str text, struct str part)
{
	return str_contains(str_lower(a, text), str_lower(a, part));
}

static bool sees(const struct listed *l, const struct row *row)
{
	return row_is_live(row) && engine_may_see(l->e->c, l->list->kind, row);
}

static RESULT matches(void *arg, const struct row *row, bool *ret_matches)
{
	const struct listed *l = arg;
	const struct cloudstack_list_args *asked = l->asked;
	struct str name = l->list->get_name(l->e, row);
	bool is_named = asked->ids.count == 0;
	for (size_t k = 0; k < asked->ids.count && !is_named; k++)
		is_named = uuid_equal(asked->ids.at[k].prefix, row->id);
	*ret_matches = is_named && sees(l, row) &&
		       (!ref_is_given(&asked->id) || uuid_equal(asked->id.prefix, row->id)) &&
		       (!asked->name.n || str_equal_nocase(asked->name, name)) &&
		       (!asked->keyword.n || has_part(l->e->c->arena, name, asked->keyword)) &&
		       l->list->matches(l->e, asked, row);
	return OK;
}

static struct query_value get_order(void *arg, const void *key, const struct row *row)
{
	const struct listed *l = arg;
	(void) key;
	return (struct query_value){l->list->is_by_name ? l->list->get_name(l->e, row) : STR_NONE,
				    row->created_us};
}

/* Both, or a size of -1 alone: all rows. The words are ours. */
static RESULT check_page(struct cloudstack_call *e, const struct cloudstack_list_args *asked)
{
	bool is_all = asked->page_size == -1;
	if (is_all ? asked->page == 0 : !asked->page == !asked->page_size)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("pagesize"),
			      is_all ? "\"page\" parameter can't be specified with \"pagesize\" -1"
				     : "\"page\" and \"pagesize\" parameters must be specified together");
}

static RESULT run(struct listed *l, struct query_page *ret_page)
{
	struct cloudstack_call *e = l->e;
	static const struct query_sort order = {.get_value = get_order};
	struct query q = {.c = e->c,
			  .tables = cloudstack_tables(e),
			  .kind = l->list->kind,
			  .matches = matches,
			  .arg = l,
			  .sorts = &order,
			  .sort_count = 1,
			  .limit = SIZE_MAX};
	struct query_plan plan = {0};
	const struct cloudstack_listing *list = l->list;
	struct query_scan scan = {.by = QUERY_INDEX, .kind = q.kind, .index = list->account_index};
	if (list->account_index) {
		struct row *key = query_new_key(&q, q.kind);
		if (!key)
			return ctx_no_memory(e->c);
		*(uuid *) ((char *) key + model_kinds[q.kind].account_offset) = e->c->who->account;
		scan.key = key;
		scan.field_count = 1;
	}
	if (ref_is_given(&l->asked->id)) {
		scan.by = QUERY_ROW;
		scan.key = tables_find(q.tables, q.kind, l->asked->id.prefix);
		if (!scan.key || !sees(l, scan.key)) /* the filters have no say in that */
			return cloudstack_fail_absent(e, "id", &l->asked->id);
	}
	TRY(query_add_scan(&q, &plan, &scan));
	TRY(query_add_plan(&q, &plan));
	return query_run(&q, ret_page);
}

RESULT cloudstack_list(struct cloudstack_call *e, struct json_writer *w)
{
	const struct cloudstack_listing *list = cloudstack_action_of(e)->list;
	struct listed l = {e, list, e->args};
	struct query_page page;
	TRY(check_page(e, l.asked));
	TRY(run(&l, &page));
	if (!page.count)
		return OK;
	size_t size = l.asked->page_size > 0 ? (size_t) l.asked->page_size : SIZE_MAX;
	size_t from = l.asked->page > 1 ? (size_t) (l.asked->page - 1) * size : 0;
	json_write_int(w, "count", (int64_t) page.count);
	json_write_open_list(w, list->item);
	for (size_t k = from; k < page.count && k - from < size; k++) {
		json_write_open(w, NULL);
		list->write(e, w, page.rows[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

void cloudstack_write_id(struct cloudstack_call *e, struct json_writer *w, const char *key, uuid id)
{
	if (!uuid_is_none(id))
		json_write_text(w, key, uuid_to_str(e->c->arena, id));
}

void cloudstack_write_time(struct cloudstack_call *e, struct json_writer *w, const char *key, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE]; /* 2024-01-02T03:04:05Z */
	struct str whole = str_from(clock_write_s(time_us, text));
	json_write_text(
		w, key,
		str_print(e->c->arena, "%" STR_FMT "+0000", STR_ARG(str_slice(whole, 0, whole.n - 1))));
}
