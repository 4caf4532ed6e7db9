/* SPDX-License-Identifier: Apache-2.0
 * Managed and inline policies, and who has them: IAM's words to the engine's wishes, and rows to answers. */
#include <inttypes.h>

#include "api/iam/inside.h"
#include "base/clock.h"
#include "engine/resolve.h"

enum { PAGE_DEFAULT = 100, ID_DIGITS = 17 };

/* ---- ARNs ---- */

struct str iam_policy_arn(struct iam_call *e, const struct policy *policy)
{
	return str_print(e->c->arena, "arn:aws:iam::%" STR_FMT ":policy%" STR_FMT "%" STR_FMT,
			 STR_ARG(e->c->who->account_number), STR_ARG(policy->path), STR_ARG(policy->name));
}

RESULT iam_find_policy(struct iam_call *e, struct str arn, const char *field, struct ref *ret_policy)
{
	const struct tables *t = iam_walk(e);
	const struct policy *p = policy_first_by_account(t, e->c->who->account);
	for (; p; p = policy_next_by_account(t, p)) {
		bool is_managed = uuid_is_none(p->user) && uuid_is_none(p->user_group);
		if (!is_managed || !str_equal(iam_policy_arn(e, p), arn))
			continue;
		*ret_policy = (struct ref){.kind = KIND_POLICY,
					   .prefix = p->row.id,
					   .bits = 128,
					   .text = arn,
					   .field = str_from(field)};
		return OK;
	}
	return ctx_fail_field(e->c, ERR_NOT_FOUND, str_from(field),
			      "Policy %" STR_FMT " does not exist or is not attachable.", STR_ARG(arn));
}

/* ---- documents ---- */

static RESULT check_document(struct iam_call *e, struct str document)
{
	const struct policy_code *code = NULL;
	struct result result = policy_compile(e->c, document, POLICY_OF_IDENTITY, &code);
	if (result.code == ERR_INVALID)
		e->c->problem.field = STR("PolicyDocument");
	return result;
}

static RESULT check_path(struct iam_call *e, struct str path)
{
	bool is_good = str_is_empty(path) || (path.p[0] == '/' && path.p[path.n - 1] == '/');
	for (size_t k = 0; k < path.n && is_good; k++)
		is_good = path.p[k] > ' ' && path.p[k] < 0x7f;
	return is_good ? OK
		       : ctx_fail_field(
				 e->c, ERR_INVALID, STR("Path"),
				 "The specified value for path is invalid. It must begin and end with / and "
				 "contain only alphanumeric characters and/or / characters.");
}

static RESULT check_name(struct iam_call *e, struct str name, const char *field)
{
	for (size_t k = 0; k < name.n; k++) {
		char c = name.p[k];
		bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_word && !strchr("_+=,.@-", c))
			return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
					      "The specified value for %s is invalid. It must contain only "
					      "alphanumeric characters and/or the following: +=,.@_-",
					      field);
	}
	return OK;
}

/* ---- changes ---- */

RESULT iam_prepare_create(struct iam_call *e, void *args)
{
	struct iam_create_policy *a = args;
	TRY(check_name(e, a->wish.name, "PolicyName"));
	TRY(check_path(e, a->wish.path));
	return check_document(e, a->wish.document);
}

RESULT iam_prepare_delete(struct iam_call *e, void *args)
{
	struct iam_delete_policy *a = args;
	return iam_find_policy(e, a->arn, "PolicyArn", &a->wish.policy);
}

RESULT iam_prepare_version(struct iam_call *e, void *args)
{
	struct iam_create_version *a = args;
	TRY(check_document(e, a->wish.document));
	return iam_find_policy(e, a->arn, "PolicyArn", &a->wish.policy);
}

/* "v3". */
static RESULT read_version(struct iam_call *e, struct str text, int64_t *ret_number)
{
	if (text.n >= 2 && text.p[0] == 'v' &&
	    result_is_ok(str_parse_int(str_slice(text, 1, text.n), ret_number)) && *ret_number > 0)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("VersionId"),
			      "The version %" STR_FMT " is not like v1, v2, …",
			      STR_ARG(str_slice(text, 0, 32)));
}

RESULT iam_prepare_change_version(struct iam_call *e, void *args)
{
	struct iam_change_version *a = args;
	TRY(read_version(e, a->version, &a->wish.number));
	a->wish.field = STR("VersionId");
	return iam_find_policy(e, a->arn, "PolicyArn", &a->wish.policy);
}

RESULT iam_prepare_attach(struct iam_call *e, void *args)
{
	struct iam_attach *a = args;
	return iam_find_policy(e, a->arn, "PolicyArn", &a->wish.policy);
}

RESULT iam_prepare_boundary(struct iam_call *e, void *args)
{
	struct iam_attach *a = args;
	a->wish.is_boundary = true;
	return a->arn.n ? iam_find_policy(e, a->arn, "PermissionsBoundary", &a->wish.policy) : OK;
}

RESULT iam_prepare_inline(struct iam_call *e, void *args)
{
	struct inline_policy_wish *wish = args;
	TRY(check_name(e, wish->name, "PolicyName"));
	wish->field = STR("PolicyName");
	return wish->document.n ? check_document(e, wish->document) : OK;
}

/* ---- what is shown ---- */

static void write_time(struct xml *x, const char *name, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	xml_z(x, name, clock_write_s(time_us, text));
}

/* "ANPA" and 17 of the UUID's digits. */
static struct str policy_id(struct iam_call *e, uuid id)
{
	struct str hex = str_encode_hex(e->c->arena, id.b, sizeof id.b);
	char *out = arena_alloc(e->c->arena, 4 + ID_DIGITS);
	if (!out || hex.n < ID_DIGITS)
		return STR_NONE;
	memcpy(out, "ANPA", 4);
	for (size_t k = 0; k < ID_DIGITS; k++)
		out[4 + k] = hex.p[k] >= 'a' ? (char) (hex.p[k] - ('a' - 'A')) : hex.p[k];
	return (struct str){out, 4 + ID_DIGITS};
}

static void count_attachments(const struct tables *t, uuid policy, int64_t *ret_attached, int64_t *ret_bounds)
{
	const struct policy_attachment *a = policy_attachment_first_by_policy(t, policy);
	*ret_attached = *ret_bounds = 0;
	for (; a; a = policy_attachment_next_by_policy(t, a))
		*(a->is_boundary ? ret_bounds : ret_attached) += 1;
}

static void write_policy(struct iam_call *e, struct xml *x, const struct policy *p, bool with_description)
{
	int64_t attached = 0, bounds = 0;
	count_attachments(iam_walk(e), p->row.id, &attached, &bounds);
	xml_text(x, "PolicyName", p->name);
	xml_text(x, "PolicyId", policy_id(e, p->row.id));
	xml_text(x, "Arn", iam_policy_arn(e, p));
	xml_text(x, "Path", p->path);
	xml_text(x, "DefaultVersionId", str_print(e->c->arena, "v%" PRId64, p->default_version));
	xml_text(x, "AttachmentCount", str_print(e->c->arena, "%" PRId64, attached));
	xml_text(x, "PermissionsBoundaryUsageCount", str_print(e->c->arena, "%" PRId64, bounds));
	xml_z(x, "IsAttachable", "true");
	if (with_description && p->description.n)
		xml_text(x, "Description", p->description);
	write_time(x, "CreateDate", p->row.created_us);
	write_time(x, "UpdateDate", p->row.updated_us);
	if (!with_description || !p->tags.count)
		return;
	xml_open(x, "Tags");
	for (size_t k = 0; k < p->tags.count; k++) {
		xml_open(x, "member");
		xml_text(x, "Key", p->tags.at[k].key);
		xml_text(x, "Value", p->tags.at[k].value);
		xml_close(x, "member");
	}
	xml_close(x, "Tags");
}

static void write_version(struct iam_call *e, struct xml *x, const struct policy *p,
			  const struct policy_version *v, bool with_document)
{
	if (with_document)
		xml_text(x, "Document", str_encode_url(e->c->arena, v->document, false));
	xml_text(x, "VersionId", str_print(e->c->arena, "v%" PRId64, v->number));
	xml_z(x, "IsDefaultVersion", v->number == p->default_version ? "true" : "false");
	write_time(x, "CreateDate", v->row.created_us);
}

RESULT iam_answer_create(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_create_policy *a = args;
	const struct policy *p = policy_find(iam_walk(e), a->wish.policy);
	if (!p)
		return engine_fail_gone(e->c, KIND_POLICY, a->wish.policy);
	xml_open(x, "Policy");
	write_policy(e, x, p, false);
	xml_close(x, "Policy");
	return OK;
}

RESULT iam_answer_version(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_create_version *a = args;
	const struct policy_version *v = policy_version_find(iam_walk(e), a->wish.made);
	const struct policy *p = v ? policy_find(iam_walk(e), v->policy) : NULL;
	if (!p)
		return engine_fail_gone(e->c, KIND_POLICY_VERSION, a->wish.made);
	xml_open(x, "PolicyVersion");
	write_version(e, x, p, v, false);
	xml_close(x, "PolicyVersion");
	return OK;
}

/* ---- reads ---- */

RESULT iam_prepare_policy(struct iam_call *e, void *args)
{
	struct iam_policy_args *a = args;
	return iam_find_policy(e, a->arn, "PolicyArn", &a->policy);
}

RESULT iam_get_policy(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_policy_args *a = args;
	const struct policy *p = NULL;
	TRY(engine_find_managed_policy(e->c, iam_walk(e), &a->policy, &p));
	xml_open(x, "Policy");
	write_policy(e, x, p, true);
	xml_close(x, "Policy");
	return OK;
}

RESULT iam_get_version(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_policy_args *a = args;
	const struct policy *p = NULL;
	int64_t number = 0;
	TRY(read_version(e, a->version, &number));
	TRY(engine_find_managed_policy(e->c, iam_walk(e), &a->policy, &p));
	const struct policy_version *v = policy_version_find_by_policy(iam_walk(e), p->row.id, number);
	if (!v)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("VersionId"),
				      "Policy %" STR_FMT " version %" STR_FMT
				      " does not exist or is not attachable.",
				      STR_ARG(a->arn), STR_ARG(a->version));
	xml_open(x, "PolicyVersion");
	write_version(e, x, p, v, true);
	xml_close(x, "PolicyVersion");
	return OK;
}

/* Pages go by how many items came before: "Marker" is that number. */
struct page {
	int64_t skip, most, seen, shown;
};

static RESULT open_page(struct iam_call *e, const struct iam_policy_args *a, struct page *ret_page)
{
	*ret_page = (struct page){.most = a->max_items ? a->max_items : PAGE_DEFAULT};
	if (a->marker.n && (!result_is_ok(str_parse_int(a->marker, &ret_page->skip)) || ret_page->skip < 0))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Marker"), "Invalid Marker.");
	return OK;
}

static bool page_shows(struct page *page)
{
	if (page->seen++ < page->skip || page->shown == page->most)
		return false;
	page->shown++;
	return true;
}

static RESULT close_page(struct iam_call *e, struct xml *x, const struct page *page)
{
	bool is_cut = page->seen > page->skip + page->shown;
	xml_z(x, "IsTruncated", is_cut ? "true" : "false");
	if (is_cut)
		xml_text(x, "Marker", str_print(e->c->arena, "%" PRId64, page->skip + page->shown));
	return OK;
}

static bool is_listed(const struct tables *t, const struct iam_policy_args *a, const struct policy *p)
{
	int64_t attached = 0, bounds = 0;
	count_attachments(t, p->row.id, &attached, &bounds);
	return uuid_is_none(p->user) && uuid_is_none(p->user_group) && str_starts_with(p->path, a->path) &&
	       (!a->only_attached || attached) && !str_is(a->scope, "AWS");
}

RESULT iam_list_policies(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_policy_args *a = args;
	struct page page;
	TRY(open_page(e, a, &page));
	xml_open(x, "Policies");
	const struct policy *p = policy_first_by_account(iam_walk(e), e->c->who->account);
	for (; p; p = policy_next_by_account(iam_walk(e), p)) {
		if (!is_listed(iam_walk(e), a, p) || !page_shows(&page))
			continue;
		xml_open(x, "member");
		write_policy(e, x, p, false);
		xml_close(x, "member");
	}
	xml_close(x, "Policies");
	return close_page(e, x, &page);
}

RESULT iam_list_versions(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_policy_args *a = args;
	const struct policy *p = NULL;
	struct page page;
	TRY(engine_find_managed_policy(e->c, iam_walk(e), &a->policy, &p));
	TRY(open_page(e, a, &page));
	xml_open(x, "Versions");
	const struct policy_version *v = policy_version_first_by_policy(iam_walk(e), p->row.id);
	for (; v; v = policy_version_next_by_policy(iam_walk(e), v)) {
		if (!page_shows(&page))
			continue;
		xml_open(x, "member");
		write_version(e, x, p, v, false);
		xml_close(x, "member");
	}
	xml_close(x, "Versions");
	return close_page(e, x, &page);
}

static bool is_group(const struct iam_policy_args *a)
{
	return a->group.kind != KIND_NONE;
}

RESULT iam_list_attached(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_policy_args *a = args;
	const struct row *holder = NULL;
	struct page page;
	const struct tables *t = iam_walk(e);
	TRY(engine_find_policy_holder(e->c, t, &a->user, &a->group, &holder));
	TRY(open_page(e, a, &page));
	xml_open(x, "AttachedPolicies");
	const struct policy_attachment *at = is_group(a)
						     ? policy_attachment_first_by_user_group(t, holder->id)
						     : policy_attachment_first_by_user(t, holder->id);
	while (at) {
		const struct policy *p = policy_find(t, at->policy);
		if (p && !at->is_boundary && uuid_equal(at->account, e->c->who->account) &&
		    page_shows(&page)) {
			xml_open(x, "member");
			xml_text(x, "PolicyName", p->name);
			xml_text(x, "PolicyArn", iam_policy_arn(e, p));
			xml_close(x, "member");
		}
		at = is_group(a) ? policy_attachment_next_by_user_group(t, at)
				 : policy_attachment_next_by_user(t, at);
	}
	xml_close(x, "AttachedPolicies");
	return close_page(e, x, &page);
}

RESULT iam_list_inline(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_policy_args *a = args;
	const struct row *holder = NULL;
	struct page page;
	const struct tables *t = iam_walk(e);
	TRY(engine_find_policy_holder(e->c, t, &a->user, &a->group, &holder));
	TRY(open_page(e, a, &page));
	xml_open(x, "PolicyNames");
	const struct policy *p =
		is_group(a) ? policy_first_by_user_group(t, holder->id) : policy_first_by_user(t, holder->id);
	while (p) {
		if (uuid_equal(p->account, e->c->who->account) && page_shows(&page))
			xml_text(x, "member", p->name);
		p = is_group(a) ? policy_next_by_user_group(t, p) : policy_next_by_user(t, p);
	}
	xml_close(x, "PolicyNames");
	return close_page(e, x, &page);
}

RESULT iam_get_inline(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_policy_args *a = args;
	const struct row *holder = NULL;
	const struct tables *t = iam_walk(e);
	TRY(engine_find_policy_holder(e->c, t, &a->user, &a->group, &holder));
	uuid user = is_group(a) ? UUID_NONE : holder->id, group = is_group(a) ? holder->id : UUID_NONE;
	const struct policy *p = engine_find_inline_policy(t, e->c->who->account, user, group, a->name);
	const struct policy_version *v = p ? engine_find_default_version(t, p) : NULL;
	if (!v)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("PolicyName"),
				      "The %s policy with name %" STR_FMT " cannot be found.",
				      is_group(a) ? "group" : "user", STR_ARG(a->name));
	xml_text(x, is_group(a) ? "GroupName" : "UserName", is_group(a) ? a->group.text : a->user.text);
	xml_text(x, "PolicyName", p->name);
	xml_text(x, "PolicyDocument", str_encode_url(e->c->arena, v->document, false));
	return OK;
}
