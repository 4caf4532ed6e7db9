/* SPDX-License-Identifier: Apache-2.0
 * What IAM's actions share: pages, names and paths, and how a thing that has an ARN is shown. */
#include <inttypes.h>

#include "api/iam/internal.h"
#include "base/clock.h"
#include "model/policy.h"

enum { PAGE_DEFAULT = 100 };

static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = 128, .doc = "A tag's key."),
	PARAM(struct tag, "Value", value, .flags = REQUIRED, .max = 256, .doc = "Its value."),
};
const struct params iam_tag_params = PARAMS(struct tag, tag_rows);

/* ---- pages ---- */

RESULT iam_open_page(struct iam_call *e, const struct iam_pages *asked, struct list_page *ret_page)
{
	*ret_page = (struct list_page){.limit = asked->max_items ? asked->max_items : PAGE_DEFAULT};
	if (asked->marker.n &&
	    (!result_is_ok(str_parse_int(asked->marker, &ret_page->offset)) || ret_page->offset < 0))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Marker"), "Invalid Marker.");
	return OK;
}

RESULT iam_close_page(struct iam_call *e, struct xml *x, const struct list_page *page)
{
	bool is_cut = list_page_is_cut(page);
	xml_z(x, "IsTruncated", is_cut ? "true" : "false");
	if (is_cut)
		iam_write_int(e, x, "Marker", page->offset + page->shown);
	return OK;
}

/* ---- what may be said ---- */

RESULT iam_check_name(struct iam_call *e, struct str name, const char *field)
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

RESULT iam_check_path(struct iam_call *e, struct str path, const char *field)
{
	bool is_good = str_is_empty(path) || (path.p[0] == '/' && path.p[path.n - 1] == '/');
	for (size_t k = 0; k < path.n && is_good; k++)
		is_good = path.p[k] > ' ' && path.p[k] < 0x7f;
	return is_good ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, str_from(field),
					"The specified value for %s is invalid. It must begin and end with / "
					"and contain only alphanumeric characters and/or / characters.",
					field);
}

RESULT iam_check_document(struct iam_call *e, struct str document, enum policy_form form)
{
	const struct policy_code *code = NULL;
	struct result result = policy_compile(e->c, document, form, &code);
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

RESULT iam_list_tags(struct iam_call *e, struct xml *x, struct tags tags, const struct iam_pages *asked)
{
	struct list_page page;
	TRY(iam_open_page(e, asked, &page));
	xml_open(x, "Tags");
	for (size_t k = 0; k < tags.count; k++)
		if (list_page_takes(&page))
			write_tag(x, &tags.at[k]);
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
