/* SPDX-License-Identifier: Apache-2.0
 * Metrics of instances and hosts, the newest metrics of many instances, and an instance's serial log and
 * screenshot.
 */
#include "api/native/action.h"

#include "base/clock.h"
#include "base/picture.h"
#include "drivers/compute.h"
#include "engine/instance/instance.h"
#include "model/host.h"
#include "model/remote_machine.h"
#include "reconcile/figures/cloud_figures.h"
#include "reconcile/figures/figures.h"
#include "reconcile/reconcile.h"
#include "store/host.h"
#include "store/instance.h"

/* ---- figures ---- */

enum { POINTS_MAX = 1500 }; /* points per answer */
#define RECENT_US (15 * MINUTE)
#define RECENT_ELSEWHERE_US (3 * HOUR) /* points of machines elsewhere come once an hour */

struct figures_args {
	int64_t from_us, to_us, step_us;
};

static RESULT read_time(struct native_call *e, const char *name, int64_t *time_us)
{
	struct str said = pairs_find(&e->query, name);
	if (said.p && (!result_is_ok(str_parse_int(said, time_us)) || *time_us < 0))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(name),
				      "%s must be a time in microseconds since 1970.", name);
	return OK;
}

static bool is_elsewhere(const struct native_call *e)
{
	return native_action_of(e)->kind == KIND_REMOTE_MACHINE;
}

/* step: from the query; 0: none. Points of ten seconds do not exist there. */
static int64_t step_elsewhere(int64_t step, int64_t age_us)
{
	if (step > 10)
		return step * SECOND;
	return age_us <= CLOUD_FIGURES_SHORT_KEPT_US ? FIGURES_SHORT_US : FIGURES_LONG_US;
}

/* Takes the step from the query, or the finest that is still kept for the start time. */
static RESULT choose_step(struct native_call *e, struct figures_args *a)
{
	int64_t interval_us = e->config->reconciler ? reconciler_figures_interval(e->config->reconciler) : 0;
	int64_t age_us = clock_now_us() - a->from_us, step = 0;
	struct str said = pairs_find(&e->query, "step");
	if (said.p && (!result_is_ok(str_parse_int(said, &step)) ||
		       (step != FIGURES_SHORT_US / SECOND && step != FIGURES_LONG_US / SECOND && step != 10)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("step"),
				      "step must be 10, 300 or 3600: seconds between two points.");
	if (is_elsewhere(e))
		a->step_us = step_elsewhere(step, age_us);
	else if (step == 10 || (!said.p && age_us <= RECENT_US + MINUTE))
		a->step_us = interval_us ? interval_us : 10 * SECOND;
	else
		a->step_us = said.p                            ? step * SECOND
			     : age_us <= FIGURES_SHORT_KEPT_US ? FIGURES_SHORT_US
							       : FIGURES_LONG_US;
	return OK;
}

static RESULT prepare_figures(struct native_call *e, void *args)
{
	struct figures_args *a = args;
	a->to_us = clock_now_us();
	TRY(read_time(e, "to", &a->to_us));
	int64_t recent_us = is_elsewhere(e) ? RECENT_ELSEWHERE_US : RECENT_US;
	a->from_us = a->to_us > recent_us ? a->to_us - recent_us : 0;
	TRY(read_time(e, "from", &a->from_us));
	if (a->from_us >= a->to_us)
		return ctx_fail_field(e->c, ERR_INVALID, STR("from"), "from must be before to.");
	TRY(choose_step(e, a));
	if ((a->to_us - a->from_us) / a->step_us > POINTS_MAX)
		return ctx_fail_field(
			e->c, ERR_TOO_LARGE, STR("step"),
			"That would be more than %d points: ask for a longer step or a shorter time.",
			POINTS_MAX);
	return native_prepare_row(e, NULL);
}

/* In the order of a point's members. */
static const struct {
	const char *name, *unit;
	enum figure figure;
} columns[] = {
	{"memory", "bytes", FIGURE_MEMORY},         {"received", "bytes/s", FIGURE_RX_BYTES},
	{"sent", "bytes/s", FIGURE_TX_BYTES},       {"packets_received", "1/s", FIGURE_RX_PACKETS},
	{"packets_sent", "1/s", FIGURE_TX_PACKETS}, {"read", "bytes/s", FIGURE_READ_BYTES},
	{"written", "bytes/s", FIGURE_WRITE_BYTES}, {"reads", "1/s", FIGURE_READS},
	{"writes", "1/s", FIGURE_WRITES},
};

static void write_column(struct json_writer *w, const char *name, const char *unit)
{
	json_write_open(w, NULL);
	json_write_z(w, "name", name);
	json_write_z(w, "unit", unit);
	json_write_close(w);
}

static void write_point(struct json_writer *w, const struct figure_point *p)
{
	double seconds = (double) p->covered_us / 1e6;
	json_write_open_list(w, NULL);
	json_write_int(w, NULL, p->to_us);
	json_write_real(w, NULL, (double) figure_cpu_of(p) / 100);
	for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
		int64_t value = p->at[columns[k].figure];
		if (columns[k].figure != FIGURE_MEMORY)
			value = seconds > 0 ? (int64_t) ((double) value / seconds) : 0;
		json_write_int(w, NULL, value);
	}
	json_write_close_list(w);
}

/* Host whose figures are read; for a host, itself. None: no host. */
static uuid host_of_row(enum kind kind, const struct row *row)
{
	if (kind == KIND_REMOTE_MACHINE)
		return cloud_figures_key(remote_machine_of(row)->provider, row->id);
	return kind == KIND_HOST ? row->id : instance_of(row)->host;
}

static RESULT read_points(struct native_call *e, const struct figures_args *a, uuid host,
			  struct figure_points *points)
{
	struct reconciler *r = e->config->reconciler;
	if (a->step_us < FIGURES_SHORT_US)
		return reconciler_look_at_figures(r, e->c, e->target.prefix, points);
	return reconciler_read_figures_kept(r, e->c, e->target.prefix, host, a->step_us, a->from_us, a->to_us,
					    points);
}

static RESULT answer_figures(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct figures_args *a = args;
	struct figure_points points = {0};
	const struct row *row = tables_find(native_tables(e), e->target.kind, e->target.prefix);
	if (!row)
		return engine_fail_gone(e->c, e->target.kind, e->target.prefix);
	uuid host = host_of_row(e->target.kind, row);
	native_release_tables(e);
	if (e->config->reconciler)
		TRY(read_points(e, a, host, &points));
	json_write_int(w, "step_s", a->step_us / SECOND);
	json_write_open_list(w, "columns");
	write_column(w, "at", "us");
	write_column(w, "cpu", "percent");
	for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
		write_column(w, columns[k].name, columns[k].unit);
	json_write_close_list(w);
	json_write_open_list(w, "points");
	for (size_t k = 0; k < points.count; k++)
		if (points.at[k].to_us > a->from_us && points.at[k].to_us <= a->to_us)
			write_point(w, &points.at[k]);
	json_write_close_list(w);
	return OK;
}

/* ---- the newest of many ---- */

enum { NEWEST_MAX = 100 }; /* instances per answer */

struct newest_args {
	uuid at[NEWEST_MAX];
	size_t count;
};

/* Adds an instance unless it is gone or hidden from the caller: rows come and go while a list is
 * displayed. */
static RESULT add_seen(struct native_call *e, struct newest_args *a, struct str id)
{
	const struct row *row = NULL;
	struct ref ref = native_read_ref(id, KIND_INSTANCE, STR("ids"));
	struct result found = native_find_row(e, KIND_INSTANCE, &ref, &row);
	if (result_is_ok(found)) {
		a->at[a->count++] = row->id;
		return OK;
	}
	if (found.code != ERR_NOT_FOUND && found.code != ERR_DENIED)
		return found;
	ctx_clear_problem(e->c);
	guard_drop_refusal(e->c);
	return OK;
}

static RESULT prepare_newest(struct native_call *e, void *args)
{
	struct newest_args *a = args;
	struct str rest = pairs_find(&e->query, "ids"), id = STR_NONE;
	size_t said = 0;
	while (str_split_next(&rest, ',', &id)) {
		if (++said > NEWEST_MAX)
			return ctx_fail_field(e->c, ERR_TOO_LARGE, STR("ids"), "ids has more than %d.",
					      NEWEST_MAX);
		TRY(add_seen(e, a, id));
	}
	return said ? OK
		    : ctx_fail_field(e->c, ERR_MISSING, STR("ids"), "ids must be a list of one id at least.");
}

static RESULT write_newest(struct native_call *e, struct json_writer *w, uuid id)
{
	struct figure_points points = {0};
	int64_t from_us = clock_now_us() - RECENT_US;
	if (e->config->reconciler)
		TRY(reconciler_look_at_figures(e->config->reconciler, e->c, id, &points));
	json_write_open(w, NULL);
	json_write_uuid(w, "id", id);
	json_write_open_list(w, "points");
	for (size_t k = 0; k < points.count; k++) {
		const struct figure_point *p = &points.at[k];
		if (p->to_us <= from_us)
			continue;
		json_write_open_list(w, NULL);
		json_write_int(w, NULL, p->to_us);
		json_write_real(w, NULL, (double) figure_cpu_of(p) / 100);
		json_write_close_list(w);
	}
	json_write_close_list(w);
	json_write_close(w);
	return OK;
}

static RESULT answer_newest(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct newest_args *a = args;
	native_release_tables(e);
	int64_t interval_us = e->config->reconciler ? reconciler_figures_interval(e->config->reconciler) : 0;
	json_write_int(w, "step_s", interval_us / SECOND);
	json_write_open_list(w, "columns");
	write_column(w, "at", "us");
	write_column(w, "cpu", "percent");
	json_write_close_list(w);
	json_write_open_list(w, "items");
	for (size_t k = 0; k < a->count; k++)
		TRY(write_newest(e, w, a->at[k]));
	json_write_close_list(w);
	return OK;
}

/* ---- the serial port's log ---- */

enum { LOG_MAX = 64 * 1024 };

struct log_args {
	uuid id;
	struct str text;
	int64_t at_us;
};

static RESULT prepare_log(struct native_call *e, void *args)
{
	struct log_args *a = args;
	TRY(native_prepare_row(e, NULL));
	a->id = e->target.prefix;
	const struct instance *instance = instance_find(native_tables(e), a->id);
	if (instance && instance->seen_power != INSTANCE_SEEN_POWER_ABSENT)
		e->host = instance->host;
	return OK;
}

/* On the host's thread. */
static RESULT look_at_log(struct observation *o, const struct compute_driver *driver, struct compute_host *h)
{
	struct log_args *a = o->arg;
	return driver->read_console(h, o->ctx, a->id, LOG_MAX, &a->text, &a->at_us);
}

static RESULT answer_log(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct log_args *a = args;
	(void) e;
	json_write_text(w, "text", a->text); /* json_write_text() replaces invalid UTF-8 */
	if (a->at_us)
		json_write_int(w, "at_us", a->at_us);
	return OK;
}

/* ---- the screen ---- */

struct screen_args {
	uuid id;
	struct str jpeg;
};

static RESULT prepare_screen(struct native_call *e, void *args)
{
	struct screen_args *a = args;
	TRY(native_prepare_row(e, NULL));
	a->id = e->target.prefix;
	const struct instance *instance = instance_find(native_tables(e), a->id);
	if (!instance || !engine_has_console(instance))
		return ctx_fail_kind(e->c, ERR_STATE, KIND_INSTANCE, "It is not running: it shows nothing.");
	e->host = instance->host;
	return OK;
}

/* Draws the screen and compresses it on the host's thread: raw pixels would exceed the call's arena. */
static RESULT look_at_screen(struct observation *o, const struct compute_driver *driver,
			     struct compute_host *h)
{
	struct screen_args *a = o->arg;
	AUTO(picture) picture = NULL;
	TRY(driver->draw_screen(h, o->ctx, a->id, false, &picture));
	return picture_write_jpeg(o->ctx, picture, &a->jpeg);
}

static RESULT write_screen(struct native_call *e, const void *args, struct buf *body)
{
	const struct screen_args *a = args;
	(void) e;
	buf_add_str(body, a->jpeg);
	return buf_finish(body);
}

#define FIGURES(where, permission, row_kind, more, text)                                                     \
	{                                                                                                    \
		HTTP_GET, where, .permit = (permission), .flags = (more), .kind = (row_kind),                \
				 .args = {.size = sizeof(struct figures_args)}, .query = "from|to|step",     \
				 .prepare = prepare_figures, .answer = answer_figures, .doc = (text)         \
	}
static const struct native_action rows[] = {
	FIGURES("/instances/{id}/metrics", "ec2:DescribeInstances", KIND_INSTANCE, 0,
		"Returns the processor, memory, disk and network metrics of an instance, selected by from, "
		"to and step."),
	FIGURES("/remote-machines/{id}/metrics", "dari:ListRemoteMachines", KIND_REMOTE_MACHINE, 0,
		"Returns the metrics of a remote machine; memory is 0 where it is not known."),
	FIGURES("/hosts/{id}/metrics", "ec2:DescribeHypervisors", KIND_HOST, NATIVE_ADMIN,
		"Returns the metrics of a host, with the sums of its guests."),
	{HTTP_GET, "/instances/metrics", .permit = "ec2:DescribeInstances",
	 .args = {.size = sizeof(struct newest_args)}, .query = "ids", .prepare = prepare_newest,
	 .answer = answer_newest,
	 .doc = "Returns the CPU utilization of up to 100 instances (ids separated by commas) during the "
		"last 15 minutes."},
	{HTTP_GET, "/instances/{id}/screen", .permit = "ec2:GetConsoleScreenshot", .kind = KIND_INSTANCE,
	 .args = {.size = sizeof(struct screen_args)}, .prepare = prepare_screen, .look = look_at_screen,
	 .content_type = "image/jpeg", .write = write_screen,
	 .doc = "Returns a screenshot of the console as JPEG."},
	{HTTP_GET, "/instances/{id}/console", .permit = "ec2:GetConsoleOutput", .kind = KIND_INSTANCE,
	 .args = {.size = sizeof(struct log_args)}, .prepare = prepare_log, .look = look_at_log,
	 .answer = answer_log, .doc = "Returns the newest 64 KiB of the serial console."},
};
const struct api_actions native_figures_actions = API_ACTIONS(rows);
