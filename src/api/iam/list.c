/* SPDX-License-Identifier: Apache-2.0
 * Helpers that IAM's actions share: pages, names, paths, tags, and the members of an entity with an ARN. */
#include <inttypes.h>
#include <stdlib.h>

#include "api/iam/internal.h"
#include "base/clock.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "model/policy.h"
#include "model/term.h"

enum { PAGE_DEFAULT = 100, MARKED_KEY_MAX = 128 /* bytes of a key in a marker */ };

static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = 128, .doc = "Tag key."),
	PARAM(struct tag, "Value", value, .flags = REQUIRED | MAY_BE_EMPTY, .max = 256, .doc = "Tag value."),
};
const struct params iam_tag_params = PARAMS(struct tag, tag_rows);

const struct param iam_list_rows[3] = {IAM_PATH_PREFIX(struct iam_read_args, path),
				       IAM_PAGES(struct iam_read_args, pages)};

/* ---- pages ---- */

/* A marker is "action:section:key" in base64url. */
static bool read_marker(struct iam_call *e, struct str marker, struct iam_place *ret_place)
{
	struct str text = STR_NONE, action = STR_NONE, section = STR_NONE;
	if (!result_is_ok(str_decode_base64url(e->c->arena, marker, &text)) ||
	    !str_split_next(&text, ':', &action) || !str_split_next(&text, ':', &section))
		return false;
	ret_place->key = text;
	return str_equal(action, str_from(e->action->name)) &&
	       result_is_ok(str_parse_int(section, &ret_place->section));
}

RESULT iam_open_page(struct iam_call *e, const struct iam_pages *asked, struct iam_page *ret_page)
{
	*ret_page = (struct iam_page){.limit = asked->max_items ? asked->max_items : PAGE_DEFAULT,
				      .has_after = asked->marker.n > 0};
	if (ret_page->has_after && !read_marker(e, asked->marker, &ret_page->after))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Marker"), "Invalid Marker.");
	return OK;
}

RESULT iam_close_page(struct iam_call *e, struct xml *x, const struct iam_page *page)
{
	xml_z(x, "IsTruncated", page->is_cut ? "true" : "false");
	if (!page->is_cut)
		return OK;
	struct str text = str_print(e->c->arena, "%s:%" PRId64 ":%" STR_FMT, e->action->name,
				    page->last.section, STR_ARG(page->last.key));
	xml_text(x, "Marker", str_encode_base64url(e->c->arena, text));
	return OK;
}

static bool is_behind(const struct iam_page *page, struct str key)
{
	if (!page->has_after || page->section != page->after.section)
		return !page->has_after || page->section > page->after.section;
	return str_compare(key, page->after.key) > 0;
}

bool iam_page_takes(struct iam_page *page, struct str key)
{
	if (!is_behind(page, key))
		return false;
	page->is_cut = page->is_cut || page->shown == page->limit;
	if (page->is_cut)
		return false;
	page->shown++;
	page->last = (struct iam_place){page->section, key};
	return true;
}

struct str iam_number_key(struct iam_call *e, uint64_t number)
{
	return str_print(e->c->arena, "%016" PRIx64, number);
}

struct str iam_creation_key(struct iam_call *e, const struct row *row)
{
	char id[UUID_TEXT_SIZE];
	return str_print(e->c->arena, "%016" PRIx64 "%s", (uint64_t) row->created_us,
			 uuid_write(row->id, id));
}

/* Returns a key that sorts like the list: by the order's field, then by id. */
static struct str key_of(const struct iam_list *l, const struct row *row)
{
	const struct iam_listing *listing = l->listing;
	const struct field *field = query_find_field(listing->kind, listing->order);
	char id[UUID_TEXT_SIZE];
	if (!field)
		return iam_creation_key(l->e, row);
	if (field->type == FIELD_TEXT)
		return str_print(l->e->c->arena, "%" STR_FMT "\x01%s",
				 STR_ARG(*(const struct str *) query_field_at(field, row)),
				 uuid_write(row->id, id));
	uint64_t number = (uint64_t) * (const int64_t *) query_field_at(field, row);
	return iam_number_key(l->e, listing->descends ? UINT64_MAX - number : number);
}

/* ---- rows ---- */

bool iam_is_own(const struct iam_list *l, const struct row *row)
{
	return uuid_equal(engine_get_owner(l->listing->kind, row), l->e->c->who->account);
}

static RESULT matches(void *arg, const struct row *row, bool *ret_matches)
{
	const struct iam_list *l = arg;
	*ret_matches =
		(!l->page || !l->page->has_after || is_behind(l->page, key_of(l, row))) &&
		(!l->listing->shows || l->listing->shows(l, row)) &&
		(!l->listing->path_index || str_starts_with(iam_get_path(l->listing->kind, row), l->path));
	return OK;
}

/* "/" is a prefix of every path, so it needs no prefix search. */
static RESULT add_path(struct list_plan *p, const struct iam_list *l, const struct access_path *path)
{
	const struct kind_info *k = &model_kinds[path->kind];
	const struct identity *who = l->e->c->who;
	if (path->kind == l->listing->kind && l->listing->path_index && l->path.n > 1)
		return list_add_prefix(p, l->listing->path_index, who->account, l->path);
	if (k->fields[k->indexes[path->index].fields[0]].ref == KIND_DOMAIN)
		return list_add_id(p, path, who->domain);
	return list_add_id(p, path, uuid_is_none(l->parent) ? who->account : l->parent);
}

RESULT iam_find_rows(struct iam_list *l, size_t limit, struct query_page *ret_page)
{
	const struct iam_listing *listing = l->listing;
	const struct query_sort order = {.field = query_find_field(listing->kind, listing->order),
					 .descends = listing->descends};
	struct query q = {.c = l->e->c,
			  .tables = iam_tables(l->e),
			  .kind = listing->kind,
			  .matches = matches,
			  .arg = l,
			  .given = {&l->given, l->given ? 1 : 0},
			  .sorts = &order,
			  .sort_count = order.field ? 1 : 0,
			  .limit = limit};
	struct list all = {.query = &q};
	struct list_plan p;
	TRY(list_begin_plan(&all, listing->kind, NULL, &p));
	for (size_t k = 0; k < IAM_PATHS_MAX && listing->paths[k].kind != KIND_NONE; k++)
		TRY(add_path(&p, l, &listing->paths[k]));
	TRY(list_end_plan(&p));
	return query_run(&q, ret_page);
}

static RESULT write_member(struct iam_call *e, const struct iam_shown *shown, struct xml *x,
			   const struct row *row)
{
	if (shown->get_text) {
		xml_text(x, "member", shown->get_text(e, row));
		return OK;
	}
	xml_open(x, "member");
	TRY(shown->write(e, x, row));
	xml_close(x, "member");
	return OK;
}

RESULT iam_write_rows(struct iam_list *l, struct iam_page *page, struct xml *x)
{
	const struct iam_shown *shown = l->shown ? l->shown : &l->listing->shown;
	struct iam_page whole = {.limit = INT64_MAX};
	struct query_page found;
	if (!page)
		page = &whole;
	l->page = page;
	TRY(iam_find_rows(l, (size_t) (page->limit - page->shown), &found));
	if (shown->set)
		xml_open(x, shown->set);
	for (size_t k = 0; k < found.count; k++)
		if (iam_page_takes(page, key_of(l, found.rows[k])))
			TRY(write_member(l->e, shown, x, found.rows[k]));
	page->is_cut = page->is_cut || found.found > found.count;
	if (shown->set)
		xml_close(x, shown->set);
	return OK;
}

RESULT iam_write_list(struct iam_list *l, const struct iam_pages *asked, struct xml *x)
{
	struct iam_page page;
	TRY(iam_open_page(l->e, asked, &page));
	TRY(iam_write_rows(l, &page, x));
	return iam_close_page(l->e, x, &page);
}

RESULT iam_find_principal(struct iam_call *e, const struct iam_read_args *args, uuid *ret_id)
{
	struct policy_principal principal;
	TRY(engine_find_policy_principal(e->c, iam_tables(e), &args->user, &args->group, &args->role,
					 &principal));
	*ret_id = principal.row->id;
	return OK;
}

RESULT iam_answer_list(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_read_args *a = args;
	struct iam_list list = {e, iam_action_of(e)->list, .path = a->path};
	if (list.listing->find_parent)
		TRY(list.listing->find_parent(e, a, &list.parent));
	return iam_write_list(&list, &a->pages, x);
}

/* ---- what may be said ---- */

RESULT iam_check_name(struct iam_call *e, struct str name, const char *field)
{
	return iam_is_name(name) ? OK
				 : ctx_fail_field(e->c, ERR_INVALID, str_from(field),
						  "The specified value for %" STR_FMT
						  " is invalid. It must contain only alphanumeric characters "
						  "and/or the following: +=,.@_-",
						  STR_ARG(params_small_name(e->c->arena, str_from(field))));
}

RESULT iam_check_path(struct iam_call *e, struct str path, const char *field)
{
	return iam_is_path(path)
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, str_from(field),
					"The specified value for %" STR_FMT
					" is invalid. It must begin and end with / and contain only "
					"alphanumeric characters and/or / characters.",
					STR_ARG(params_small_name(e->c->arena, str_from(field))));
}

/* Accepts letters, digits and spaces of any script; every non-ASCII character counts as one. */
static bool is_tag_text(struct str text)
{
	for (size_t k = 0; k < text.n; k++) {
		unsigned char c = (unsigned char) text.p[k];
		if (c < 0x80 && !str_is_alphanumeric(text.p[k]) && !memchr(" _.:/=+-@", c, 9))
			return false;
	}
	return true;
}

RESULT iam_check_tags(struct iam_call *e, struct tags tags, bool ignores_case)
{
	for (size_t k = 0; k < tags.count; k++) {
		bool is_key_good = is_tag_text(tags.at[k].key);
		if (!is_key_good || !is_tag_text(tags.at[k].value))
			return request_fail_member(
				e->c,
				str_print(e->c->arena, "Tags.member.%zu.%s", k + 1,
					  is_key_good ? "Value" : "Key"),
				STR_NONE,
				is_key_good ? "satisfy regular expression pattern: " IAM_TAG_CHARACTERS "*"
					    : "satisfy regular expression pattern: " IAM_TAG_CHARACTERS "+");
		for (size_t n = 0; n < k; n++)
			if (ignores_case ? str_equal_nocase(tags.at[n].key, tags.at[k].key)
					 : str_equal(tags.at[n].key, tags.at[k].key))
				return ctx_fail_field(
					e->c, ERR_COMBINATION, STR("Tags"), "Duplicate tag keys found.%s",
					ignores_case ? " Please note that Tag keys are case insensitive."
						     : "");
	}
	return OK;
}

RESULT iam_check_tag_keys(struct iam_call *e, struct strs keys)
{
	bool is_good = true;
	if (keys.count > IAM_TAGS_MAX)
		return request_fail_member(e->c, STR("TagKeys.member.1"), STR_NONE,
					   "have length less than or equal to 50");
	for (size_t k = 0; k < keys.count; k++)
		is_good = is_good && is_tag_text(keys.at[k]);
	return is_good ? OK
		       : request_fail_member(e->c, STR("TagKeys.member.1"), STR_NONE,
					     "satisfy constraint: [Member must have length less than or "
					     "equal to 128, Member must have length greater than or equal "
					     "to 1" IAM_TAG_KEY_REMARK "]");
}

RESULT iam_prepare_untag(struct iam_call *e, void *args)
{
	return iam_check_tag_keys(e, ((const struct entity_tags *) args)->keys);
}

RESULT iam_prepare_tag(struct iam_call *e, void *args)
{
	const struct entity_tags *wish = args;
	return iam_check_tags(e, wish->tags,
			      wish->entity.kind == KIND_USER || wish->entity.kind == KIND_IAM_ROLE);
}

/* IAM does not say where a document's syntax is wrong. Dari's own API does. */
static void cut_sentence(struct ctx *c)
{
	const struct str sentences[] = {STR("Syntax errors in policy."),
					STR("This policy contains invalid Json")};
	for (size_t k = 0; k < sizeof sentences / sizeof sentences[0]; k++)
		if (str_starts_with(c->problem.message, sentences[k]))
			c->problem.message.n = sentences[k].n;
}

RESULT iam_check_document(struct iam_call *e, struct str document, enum policy_form form, bool is_managed)
{
	const struct policy_code *code = NULL;
	struct result result = policy_check_new(e->c, document, form, is_managed);
	if (result_is_ok(result))
		result = policy_compile(e->c, document, form, &code);
	if (result_is_ok(result) && form == POLICY_OF_TRUST)
		result = policy_check_principals(e->c, iam_tables(e), document);
	if (result.code == ERR_INVALID)
		cut_sentence(e->c);
	if (result_is_ok(result) && form == POLICY_OF_TRUST && !policy_is_of_vendor(code, STR("sts")))
		result = ctx_fail(e->c, ERR_INVALID,
				  "AssumeRole policy may only specify STS AssumeRole actions.");
	if (result.code == ERR_INVALID)
		e->c->problem.field = STR("PolicyDocument");
	return result;
}

/* ---- what is shown ---- */

void iam_write_time(struct xml *x, const char *name, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	xml_z(x, name, clock_write_s(time_us, text));
}

void iam_write_int(struct iam_call *e, struct xml *x, const char *name, int64_t value)
{
	xml_text(x, name, str_print(e->c->arena, "%" PRId64, value));
}

static void write_tag(struct xml *x, const struct tag *tag)
{
	xml_open(x, "member");
	xml_text(x, "Key", tag->key);
	xml_text(x, "Value", tag->value);
	xml_close(x, "member");
}

void iam_write_tags(struct xml *x, struct tags tags)
{
	xml_open(x, "Tags");
	for (size_t k = 0; k < tags.count; k++)
		write_tag(x, &tags.at[k]);
	xml_close(x, "Tags");
}

struct marked_tag {
	struct str key; /* in a marker */
	const struct tag *tag;
};

/* Key of a tag in a marker. A long key is cut so that the marker stays within its limit, and ends with a digest of the whole key, so
 * that a marker names the same tag after others are gone. */
static struct str tag_key(struct iam_call *e, struct str key)
{
	return key.n <= MARKED_KEY_MAX ? key
				       : str_print(e->c->arena, "%" STR_FMT "\x01%016" PRIx64,
						   STR_ARG(str_slice(key, 0, MARKED_KEY_MAX)),
						   term_of_tag_key(UUID_NONE, key));
}

static int compare_tags(const void *a, const void *b)
{
	return str_compare(((const struct marked_tag *) a)->key, ((const struct marked_tag *) b)->key);
}

RESULT iam_list_tags(struct iam_call *e, struct xml *x, struct tags tags, const struct iam_pages *asked)
{
	struct iam_page page;
	struct marked_tag *marked = arena_new_array(e->c->arena, struct marked_tag, tags.count + 1);
	if (!marked)
		return ctx_no_memory(e->c);
	TRY(iam_open_page(e, asked, &page));
	for (size_t k = 0; k < tags.count; k++)
		marked[k] = (struct marked_tag){tag_key(e, tags.at[k].key), &tags.at[k]};
	qsort(marked, tags.count, sizeof marked[0], compare_tags);
	xml_open(x, "Tags");
	for (size_t k = 0; k < tags.count; k++)
		if (iam_page_takes(&page, marked[k].key))
			write_tag(x, marked[k].tag);
	xml_close(x, "Tags");
	return iam_close_page(e, x, &page);
}

struct str iam_arn(struct iam_call *e, enum kind kind, const struct row *row)
{
	return iam_arn_to_text(e->c->arena, e->c->who->account_number, kind, row);
}

void iam_write_entity(struct iam_call *e, struct xml *x, enum kind kind, const struct row *row,
		      const char *name, const char *id)
{
	xml_text(x, "Path", iam_get_path(kind, row));
	xml_text(x, name, iam_get_name(kind, row));
	xml_text(x, id, iam_id_to_text(e->c->arena, kind, row->id));
	xml_text(x, "Arn", iam_arn(e, kind, row));
	iam_write_time(x, "CreateDate", row->created_us);
}

void iam_write_boundary(struct iam_call *e, struct xml *x, enum kind kind, const struct row *row)
{
	const struct policy_principal principal = {kind, row};
	const struct policy *p = engine_find_boundary(iam_tables(e), e->c->who->account, &principal);
	if (!p)
		return;
	xml_open(x, "PermissionsBoundary");
	xml_z(x, "PermissionsBoundaryType", "Policy");
	xml_text(x, "PermissionsBoundaryArn", iam_arn(e, KIND_POLICY, &p->row));
	xml_close(x, "PermissionsBoundary");
}
