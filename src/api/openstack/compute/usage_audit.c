/* SPDX-License-Identifier: Apache-2.0
 * os-instance_usage_audit_log. Nova's hosts can write a monthly usage audit (instance_usage_audit, off by
 * default). Here usage is computed from records instead (os-simple-tenant-usage), so the answer is that of
 * a Nova with audits off: no host has run one. Source: Compute API reference, "Server usage audit log". */
#include "api/openstack/core/action.h"
#include "api/openstack/core/write.h"
#include "store/host.h"

struct os_audit_target {
	struct str before;
};
static const struct param target_params[] = {
	OS_PATH(struct os_audit_target, "before_timestamp", before,
		.doc = "Time, such as 2012-06-30 23:59:59. The audit period is the month before it."),
};

struct month {
	int64_t year, month;
};

static struct month month_before(struct month m)
{
	return m.month == 1 ? (struct month){m.year - 1, 12} : (struct month){m.year, m.month - 1};
}

/* Returns the month of the last instant before `time_us`. The audited period is the month before that one. */
static struct month begun_before(int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	struct str all = str_from(clock_write_s(time_us - 1, text));
	struct month m = {0};
	IGNORE(str_parse_int(str_slice(all, 0, 4), &m.year));
	IGNORE(str_parse_int(str_slice(all, 5, 7), &m.month));
	return m;
}

static void write_month(struct os_call *e, struct json_writer *w, const char *key, struct month m)
{
	json_write_text(w, key, str_print(e->c->arena, "%04d-%02d-01 00:00:00", (int) m.year, (int) m.month));
}

static RESULT write_log(struct os_call *e, struct json_writer *w, int64_t before_us)
{
	struct month end = begun_before(before_us);
	int64_t count = 0;
	write_month(e, w, "period_beginning", month_before(end));
	write_month(e, w, "period_ending", end);
	json_write_open_list(w, "hosts_not_run");
	for (const struct host *h = host_first(os_tables(e)); h; h = host_next(os_tables(e), h)) {
		if (!row_is_live(&h->row))
			continue;
		json_write_text(w, NULL, h->name);
		count++;
	}
	json_write_close_list(w);
	json_write_int(w, "num_hosts", count);
	json_write_int(w, "num_hosts_done", 0);
	json_write_int(w, "num_hosts_running", 0);
	json_write_int(w, "num_hosts_not_run", count);
	json_write_int(w, "total_instances", 0);
	json_write_int(w, "total_errors", 0);
	json_write_text(w, "overall_status",
			count ? str_print(e->c->arena, "0 of %d hosts done. 0 errors.", (int) count)
			      : STR("ALL hosts done. 0 errors."));
	json_write_open(w, "log");
	json_write_close(w);
	return OK;
}

static RESULT list_logs(struct os_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	return write_log(e, w, clock_now_us());
}

static RESULT show_log(struct os_call *e, const void *args, struct json_writer *w)
{
	struct str text = ((const struct os_audit_target *) args)->before, day, time = text;
	int64_t before_us = 0;
	if (str_split_next(&time, ' ', &day) &&
	    result_is_ok(clock_parse(
		    str_print(e->c->arena, "%" STR_FMT "T%" STR_FMT "Z", STR_ARG(day), STR_ARG(time)),
		    &before_us)))
		return write_log(e, w, before_us);
	return ctx_fail_field(e->c, ERR_INVALID, STR("before_timestamp"),
			      "Invalid timestamp for date %" STR_FMT, STR_ARG(str_slice(text, 0, 64)));
}

#define LOGS "/v2.1/os-instance_usage_audit_log"
static const struct os_action actions[] = {
	{HTTP_GET, LOGS, .permit = "os_compute_api:os-instance-usage-audit-log:list", .flags = OS_ADMIN,
	 .item = "instance_usage_audit_logs", .answer = list_logs,
	 .doc = "Lists the hosts that audited the usage of the last month. None do."},
	{HTTP_GET, LOGS "/{before_timestamp}", .permit = "os_compute_api:os-instance-usage-audit-log:show",
	 .flags = OS_ADMIN, .args = OS_PARAMS(struct os_audit_target, target_params),
	 .item = "instance_usage_audit_log", .answer = show_log,
	 .doc = "Lists the hosts that audited the usage of the month before a time. None do."},
};
const struct os_actions os_usage_audit_actions = OS_ACTIONS(OS_COMPUTE, actions);
