/* SPDX-License-Identifier: Apache-2.0
 * Lists the rows of one kind as a query of the store, filtered as the action's table says.
 */
#include "api/core/listing.h"

#include "api/core/dispatch.h"
#include "base/letters.h"
#include "engine/people/account/domain.h"
#include "engine/resolve.h"
#include "store/account.h"

struct selection {
	struct api_call *e;
	const struct api_list_wish *wish;
};

static const struct field *find_name_field(const struct api_call *e)
{
	return query_find_field(e->action->listing->kind, "name");
}

/* Name for display and sorting; the id if the row has no name. */
static struct str list_name(struct api_call *e, const struct row *row)
{
	const struct api_listing *list = e->action->listing;
	size_t offset = list->name;
	if (list->get_name)
		return list->get_name(e, row);
	const struct str *name = offset ? (const void *) ((const char *) row + offset) : &STR_NONE;
	return name->n ? *name : uuid_to_str(e->c->arena, row->id);
}

static bool sees(struct api_call *e, const struct row *row)
{
	const struct api_listing *list = e->action->listing;
	return row_is_live(row) && (list->sees ? list->sees(e, row) : engine_may_see(e->c, list->kind, row));
}

/* ---- filters ---- */

static bool is_one_of(const struct refs *ids, uuid id)
{
	for (size_t k = 0; k < ids->count; k++)
		if (uuid_equal(ids->at[k].prefix, id))
			return true;
	return ids->count == 0;
}

/* A parameter that was not given fits every row. */
static bool fits_param(const struct param *p, const void *given, const void *field)
{
	const struct ref *ref = given;
	const struct str *text = given;
	switch ((int) p->type) {
	case PARAM_ID:
		return !ref_is_given(ref) || uuid_equal(ref->prefix, *(const uuid *) field);
	case PARAM_IDS:
		return is_one_of(given, *(const uuid *) field);
	case PARAM_TEXT:
		return !text->n || str_equal(*text, *(const struct str *) field);
	default:
		return false; /* a unit test limits the tables to these types */
	}
}

static bool has_tags(const struct selection *s, const struct row *row)
{
	const struct tags *wanted = &s->wish->tags;
	size_t offset = wanted->count ? engine_tags_offset(s->e->c, s->e->action->listing->kind, row) : 0;
	const struct tags *tags = (const void *) ((const char *) row + offset);
	for (size_t k = 0; k < wanted->count; k++) {
		const struct tag *tag = offset ? tags_find(*tags, wanted->at[k].key) : NULL;
		if (!tag || !str_equal(tag->value, wanted->at[k].value))
			return false;
	}
	return true;
}

static bool is_in_domain(const struct selection *s, const struct row *row)
{
	if (uuid_is_none(s->wish->domain))
		return true;
	uuid id = engine_get_owner(s->e->action->listing->kind, row);
	const struct account *owner = account_find(api_tables(s->e), id);
	if (uuid_is_none(id) || !owner)
		return uuid_is_none(id);
	return s->wish->with_below ? engine_is_domain_within(api_tables(s->e), owner->domain, s->wish->domain)
				   : uuid_equal(owner->domain, s->wish->domain);
}

static RESULT matches(void *arg, const struct row *row, bool *ret_matches)
{
	const struct selection *s = arg;
	struct api_call *e = s->e;
	const struct api_listing *list = e->action->listing;
	const struct params *params = &e->action->args;
	struct str name = list_name(e, row), keyword = s->wish->keyword;
	bool fits = sees(e, row);
	for (size_t k = 0; k < params->count && fits; k++) {
		const struct param *p = &params->at[k];
		if (p->fits)
			fits = fits_param(p, (const char *) e->args + p->offset,
					  (const char *) row + p->fits - 1);
	}
	*ret_matches = fits && (!s->wish->name.n || str_equal_anycase(s->wish->name, name)) &&
		       (!keyword.n || str_contains(str_lower_all(e->c->arena, name),
						   str_lower_all(e->c->arena, keyword))) &&
		       has_tags(s, row) && is_in_domain(s, row) &&
		       (!list->matches || list->matches(e, e->args, row));
	return OK;
}

/* ---- queries ---- */

static RESULT plan_one(const struct selection *s, struct query *q)
{
	static const struct param param = {.wire = "id", .type = PARAM_ID};
	const struct ref *id = &s->wish->id;
	const struct params_reader reader = {.c = q->c, .dialect = s->e->protocol->dialect};
	const struct params_value value = {&param, STR("id"), id->text};
	const struct query_scan scan = {
		.by = QUERY_ROW, .kind = q->kind, .key = tables_find(q->tables, q->kind, id->prefix)};
	struct query_plan *plan = arena_new_object(q->c->arena, struct query_plan);
	if (!plan)
		return ctx_no_memory(q->c);
	if (!scan.key || !sees(s->e, scan.key))
		return params_fail(&reader, FAULT_ID, &value);
	TRY(query_add_scan(q, plan, &scan));
	return query_add_plan(q, plan);
}

/* Narrows a scan of all rows by the ids in the request that begin an index. */
static RESULT plan_by_ids(struct api_call *e, struct list *list)
{
	const struct kind_info *k = &model_kinds[list->query->kind];
	const struct params *params = &e->action->args;
	for (size_t n = 0; n < params->count; n++) {
		const struct param *p = &params->at[n];
		const struct ref *ref = (const void *) ((const char *) e->args + p->offset);
		for (unsigned x = 1; p->fits && p->type == PARAM_ID && x < k->index_count; x++) {
			const struct access_path path = {.kind = k->kind, .index = x};
			struct list_plan plan;
			if (k->fields[k->indexes[x].fields[0]].offset + 1 != p->fits || !ref_is_given(ref))
				continue;
			TRY(list_begin_plan(list, k->kind, NULL, &plan));
			TRY(list_add_id(&plan, &path, ref->prefix));
			TRY(list_end_plan(&plan));
		}
	}
	return OK;
}

/* Adds the rows that no plan reaches, if the filters accept them. */
static RESULT add_others(struct selection *s, struct query *q)
{
	const struct api_listing *list = s->e->action->listing;
	struct rows others = {0};
	VEC(const struct row *) given = {0};
	bool fits = false;
	TRY(list->add(s->e, &others));
	for (size_t k = 0; k < others.count; k++) {
		TRY(matches(s, others.at[k], &fits));
		if (fits && !VEC_PUSH(q->c->arena, &given, others.at[k]))
			return ctx_no_memory(q->c);
	}
	q->given = (struct rows){given.at, given.count};
	return OK;
}

RESULT api_list_rows(struct api_call *e, const struct api_list_wish *wish, struct query_page *ret_page)
{
	static const struct field created = {.type = FIELD_INT, .offset = offsetof(struct row, created_us)};
	const struct api_listing *list = e->action->listing;
	const struct query_sort order = {.field = list->is_by_name ? find_name_field(e) : &created};
	struct selection s = {e, wish};
	struct query q = {.c = e->c,
			  .tables = api_tables(e),
			  .kind = list->kind,
			  .matches = matches,
			  .arg = &s,
			  .sorts = &order,
			  .sort_count = 1,
			  .limit = SIZE_MAX};
	struct list all = {.query = &q,
			   .owners = {e->c->who->account},
			   .owner_count = wish->is_of_all || list->is_all ? 0
					  : list->public_index            ? 2
									  : 1,
			   .account_index = list_account_index(list->kind),
			   .public_index = wish->is_of_all || list->is_all ? 0 : list->public_index};
	TRY(ref_is_given(&wish->id) ? plan_one(&s, &q) : list_plan_all(&all));
	if (list->add && !wish->is_of_all && !ref_is_given(&wish->id))
		TRY(add_others(&s, &q));
	if (list->is_all && !ref_is_given(&wish->id))
		TRY(plan_by_ids(e, &all));
	return query_run(&q, ret_page);
}

void api_list_write(struct api_call *e, struct json_writer *w, members_write_time write_time,
		    const struct api_list_wish *wish, const struct query_page *page)
{
	const struct api_listing *list = e->action->listing;
	size_t limit = wish->limit ? wish->limit : SIZE_MAX;
	json_write_open_list(w, list->item);
	for (size_t k = wish->offset; k < page->count && k - wish->offset < limit; k++) {
		json_write_open(w, NULL);
		members_write(e, w, write_time, &list->members, page->rows[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
}
