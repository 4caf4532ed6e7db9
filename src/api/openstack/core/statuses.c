/* SPDX-License-Identifier: Apache-2.0
 * Compares the documented statuses in statuses_known.def with the error table. */
#include "api/openstack/core/statuses.h"

#include "api/openstack/core/errors.h"
#include "api/openstack/core/services.h"

static const struct os_statuses rows[] = {
#define STATUSES(service, method, path, verb, statuses) {OS_##service, #method, path, verb, statuses},
#include "api/openstack/core/statuses_known.def"
};
static const struct os_status_left_out left_out[] = {
#define LEFT_OUT_STATUS(service, calls, status, why) {OS_##service, calls, status, why},
#include "api/openstack/core/statuses_known.def"
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0], LEFT_OUT_COUNT = sizeof left_out / sizeof left_out[0] };

const struct os_statuses *os_list_statuses(size_t *ret_count)
{
	*ret_count = ROW_COUNT;
	return rows;
}

const struct os_status_left_out *os_list_left_out_statuses(size_t *ret_count)
{
	*ret_count = LEFT_OUT_COUNT;
	return left_out;
}

bool os_is_answered_status(enum os_service service, int status)
{
	for (size_t k = 0; k < os_errors.count; k++) {
		const struct api_error *e = &os_errors.at[k];
		if (e->status == status && (!e->parts || e->parts & 1u << service))
			return true;
	}
	return false;
}

/* Matches a call against a pattern of str_matches(); "{server_id}" is plain text there. */
static bool is_called(const struct os_statuses *row, const char *pattern)
{
	char call[256];
	int n = snprintf(call, sizeof call, "%s %s%s%s", row->method, row->path, *row->verb ? " " : "",
			 row->verb);
	return n > 0 && (size_t) n < sizeof call && str_matches(str_from(call), str_from(pattern));
}

const char *os_why_no_status(const struct os_statuses *row, int status)
{
	for (size_t k = 0; k < LEFT_OUT_COUNT; k++)
		if (left_out[k].service == row->service && left_out[k].status == status &&
		    is_called(row, left_out[k].calls))
			return left_out[k].why;
	return NULL;
}

const char *os_method_word(enum http_method method)
{
	static const char *const words[] = {
		[HTTP_GET] = "GET",     [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",  [HTTP_PUT] = "PUT",
		[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = "other"};
	return words[method];
}

bool os_is_same_path(const char *a, const char *b)
{
	for (;; a++, b++) {
		if (*a != *b)
			return false;
		if (!*a)
			return true;
		if (*a == '{') {
			a += strcspn(a, "}");
			b += strcspn(b, "}");
		}
	}
}

const struct os_statuses *os_find_statuses(enum os_service service, const struct os_action *action)
{
	for (size_t k = 0; k < ROW_COUNT; k++)
		if (rows[k].service == service && os_is_same_path(rows[k].path, action->path) &&
		    strcmp(rows[k].method, os_method_word(action->method)) == 0 &&
		    strcmp(rows[k].verb, action->verb ? action->verb : "") == 0)
			return &rows[k];
	return NULL;
}

static void dump_some(struct json_writer *w, const char *key, const struct os_statuses *row, bool answered)
{
	struct str rest = str_from(row ? row->statuses : ""), text;
	int64_t status = 0;
	json_write_open_list(w, key);
	while (str_split_next(&rest, ' ', &text))
		if (result_is_ok(str_parse_int(text, &status)) &&
		    !os_why_no_status(row, (int) status) == answered)
			json_write_text(w, NULL, text);
	json_write_close_list(w);
}

void os_dump_statuses(struct json_writer *w, enum os_service service, const struct os_action *action)
{
	const struct os_statuses *row = os_find_statuses(service, action);
	dump_some(w, "statuses", row, true);
	dump_some(w, "statuses_left_out", row, false);
}

void os_dump_left_out_statuses(struct json_writer *w)
{
	json_write_open_list(w, "left_out_statuses");
	for (size_t k = 0; k < LEFT_OUT_COUNT; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "service", os_service_info(left_out[k].service)->type);
		json_write_z(w, "calls", left_out[k].calls);
		json_write_int(w, "status", left_out[k].status);
		json_write_z(w, "why", left_out[k].why);
		json_write_close(w);
	}
	json_write_close_list(w);
}
