/* SPDX-License-Identifier: Apache-2.0
 * GET /healthz (200 while the API answers) and GET /metrics (Prometheus' text format), on the API's listener,
 * without a signature: only numbers, and no names except actions'. */
#include <inttypes.h>

#include "api/console/relay.h"
#include "api/metadata/metadata.h"
#include "base/clock.h"
#include "base/disk_room.h"
#include "daemon/daemon.h"
#include "daemon/follower/follower.h"
#include "reconcile/figures/figures.h"
#include "store/hooks.h"
#include "store/query.h"

/* Doesn't wait for hosts or the network: these delay changes, but are no reason to take the API out of
 * service. `dari doctor` checks them. */
static void answer_health(struct daemon *d, struct call *call)
{
	struct reconcile_figures rec = {0};
	reconciler_read_figures(d->reconciler, &rec);
	struct buf body;
	buf_init(&body, 4096);
	buf_print(&body, "{\"status\":\"%s\",\"uptime_s\":%lld,\"waiting\":%zu,\"failing\":%zu",
		  store_is_full(d->store) ? "disk-full" : "ok",
		  (long long) ((clock_now_us() - d->started_us) / SECOND), rec.waiting, rec.failing);
	struct follower_state state;
	follower_read_state(d, call->ctx.arena, &state);
	if (state.is_shared)
		buf_print(&body, ",\"role\":\"%s\",\"epoch\":%" PRId64 ",\"lag\":%" PRIu64,
			  state.is_writer ? "writer" : "follower", state.epoch, state.lag);
	if (state.writer.n && str_is_line(state.writer))
		buf_print(&body, ",\"writer\":\"%" STR_FMT "\"", STR_ARG(state.writer));
	buf_print(&body, "}\n");
	call_answer(call, 200, "application/json", &body);
}

enum { COSTS_SHOWN_MAX = 100 };

struct metric {
	const char *name, *type, *help;
	double value;
};

static size_t read_metrics(struct daemon *d, struct call *call, struct metric *m)
{
	struct store_figures store = {0};
	struct http_figures http = {0};
	struct reconcile_figures rec = {0};
	store_read_figures(d->store, &store);
	http_read_figures(d->http, &http);
	struct metadata_figures names = {0};
	reconciler_read_figures(d->reconciler, &rec);
	metadata_read_figures(d->metadata, &names);
	uint64_t refused[LIMIT_KIND_COUNT];
	limits_read_refused(d->limits, refused);
	struct disk_room room = {0};
	IGNORE(disk_room_read(&call->ctx, str_to_z(call->ctx.arena, d->settings.data_directory), &room));
	size_t n = 0;
#define METRIC(name, type, help, value) m[n++] = (struct metric){name, type, help, (double) (value)}
	METRIC("dari_http_requests_total", "counter", "Requests taken.", http.requests);
	METRIC("dari_http_rejected_total", "counter", "Requests refused by limits.", http.rejected);
	METRIC("dari_http_responses_2xx_total", "counter", "Answers with a 2xx status.", http.by_status[2]);
	METRIC("dari_http_responses_4xx_total", "counter", "Answers with a 4xx status.", http.by_status[4]);
	METRIC("dari_http_responses_5xx_total", "counter", "Answers with a 5xx status.", http.by_status[5]);
	METRIC("dari_http_connections", "gauge", "Connections now.", http.connections);
	METRIC("dari_http_parked", "gauge", "Requests that wait for a commit.", http.parked);
	METRIC("dari_consoles_open", "gauge", "Consoles of guests that are open now.",
	       relay_count_lines(d->relay));
	METRIC("dari_limit_reads_refused_total", "counter", "Reads refused: their account had no tokens.",
	       refused[LIMIT_READS]);
	METRIC("dari_limit_writes_refused_total", "counter", "Writes refused likewise.",
	       refused[LIMIT_WRITES]);
	METRIC("dari_limit_strangers_refused_total", "counter", "Unproved requests refused by address.",
	       refused[LIMIT_STRANGERS]);
	METRIC("dari_password_checks_total", "counter",
	       "Passwords and secrets that were hashed to check them.", passwords_count_checks(d->passwords));
	METRIC("dari_query_rows_read_total", "counter", "Rows that lists read.", query_count_rows_read());
	METRIC("dari_store_batches_total", "counter", "Commits since the database was made.", store.commit);
	METRIC("dari_store_clock_batches_total", "counter",
	       "Commits that nobody asked for, of figures and last uses, since start.", store.clock_commits);
	METRIC("dari_store_changes_total", "counter", "Changes committed.", store.changes);
	METRIC("dari_disk_full", "gauge", "1 while changes of clients are refused for want of room.",
	       store_is_full(d->store));
	METRIC("dari_disk_free_bytes", "gauge", "Free on the file system of the data directory.",
	       room.free_size);
	METRIC("dari_disk_floor_bytes", "gauge", "Of these, kept for the database.", room.floor_size);
	METRIC("dari_store_failed_total", "counter", "Changes refused.", store.failed);
	METRIC("dari_store_rows", "gauge", "Rows in memory.", store.rows);
	METRIC("dari_store_row_bytes", "gauge", "Their memory.", store.row_bytes);
	METRIC("dari_store_commit_seconds", "gauge", "Duration of the last commit.",
	       (double) store.last_commit_us / 1e6);
	METRIC("dari_reconcile_waiting", "gauge", "Resources on their way to what is wanted.", rec.waiting);
	METRIC("dari_reconcile_failing", "gauge", "Of those, with a failure.", rec.failing);
	METRIC("dari_reconcile_steps_total", "counter", "Reconcile steps.", rec.steps);
	METRIC("dari_access_log_requests_total", "counter", "Requests that proxies reported for access logs.",
	       rec.access_reports);
	METRIC("dari_access_log_dropped_total", "counter", "Requests that are missing in access logs.",
	       rec.access_dropped);
	METRIC("dari_dns_queries_total", "counter", "Names asked by guests.", names.dns_queries);
	METRIC("dari_dns_forwarded_total", "counter", "Of those, passed on.", names.dns_forwarded);
	METRIC("dari_dns_failed_total", "counter", "Of those, without an answer.", names.dns_failed);
	struct follower_state state;
	follower_read_state(d, call->ctx.arena, &state);
	METRIC("dari_writer", "gauge", "1 in the process that writes to the database.", state.is_writer);
	METRIC("dari_writer_epoch", "gauge", "Counts the writers of a shared database.", state.epoch);
	METRIC("dari_follower_lag_batches", "gauge", "Commits that this follower does not show yet.",
	       state.lag);
	METRIC("dari_follower_served_total", "counter", "Calls that this follower tried to answer itself.",
	       state.served);
	METRIC("dari_follower_passed_on_total", "counter",
	       "Calls that this follower passed on to the writer.", state.passed_on);
	struct figure_totals guests;
	reconciler_sum_figures(d->reconciler, &guests);
	METRIC("dari_guests_running", "gauge", "Guests that were found running.", guests.guests);
	METRIC("dari_guests_memory_bytes", "gauge", "What they hold of their hosts' memory.",
	       guests.at[FIGURE_MEMORY]);
	METRIC("dari_guests_cpu_seconds_total", "counter", "For how long their processors worked.",
	       (double) guests.at[FIGURE_CPU_NS] / 1e9);
	METRIC("dari_guests_received_bytes_total", "counter", "What their networks brought them.",
	       guests.at[FIGURE_RX_BYTES]);
	METRIC("dari_guests_sent_bytes_total", "counter", "What they sent.", guests.at[FIGURE_TX_BYTES]);
	METRIC("dari_guests_read_bytes_total", "counter", "What they read from their disks.",
	       guests.at[FIGURE_READ_BYTES]);
	METRIC("dari_guests_written_bytes_total", "counter", "What they wrote there.",
	       guests.at[FIGURE_WRITE_BYTES]);
#undef METRIC
	return n;
}

/* Lists actions that occupied an HTTP thread's CPU for over a millisecond at once. */
static void write_long_runs(struct daemon *d, struct buf *body)
{
	struct cost costs[COSTS_SHOWN_MAX];
	size_t count = http_read_costs(d->http, true, costs, COSTS_SHOWN_MAX);
	if (count)
		buf_print(body,
			  "# HELP dari_http_long_runs_total Runs on an HTTP thread that took over 1 ms.\n"
			  "# TYPE dari_http_long_runs_total counter\n");
	for (size_t k = 0; k < count; k++)
		buf_print(body, "dari_http_long_runs_total{face=\"%s\",action=\"%s\"} %" PRIu64 "\n",
			  costs[k].face, costs[k].action, costs[k].long_runs);
	if (count)
		buf_print(body, "# HELP dari_http_longest_run_seconds The longest of those.\n"
				"# TYPE dari_http_longest_run_seconds gauge\n");
	for (size_t k = 0; k < count; k++)
		buf_print(body, "dari_http_longest_run_seconds{face=\"%s\",action=\"%s\"} %.6f\n",
			  costs[k].face, costs[k].action, (double) costs[k].longest_ns / 1e9);
}

/* ---- capacities ---- */

enum { SWEEP_STEP = 1000 }; /* resources of each kind examined per scrape: far less than a millisecond */

/* Reports, if each network or VPC has its own limit, the fullest one, which discloses no name or id. Large
 * regions are examined in parts, over several scrapes. */
static void read_capacities(struct daemon *d, struct capacity_use *uses)
{
	(void) pthread_mutex_lock(&d->sweeps.lock);
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	for (enum capacity c = 0; c < CAPACITY_COUNT; c++) {
		(void) engine_sweep_capacity(view.tables, c, SWEEP_STEP, &d->sweeps.at[c]);
		uses[c] = *engine_get_fullest(&d->sweeps.at[c]);
	}
	(void) pthread_mutex_unlock(&d->sweeps.lock);
}

static void write_capacities(struct daemon *d, struct buf *body)
{
	struct capacity_use uses[CAPACITY_COUNT];
	read_capacities(d, uses);
	buf_print(body, "# HELP dari_pool_used What is in use of a pool that can run out.\n"
			"# TYPE dari_pool_used gauge\n");
	for (enum capacity c = 0; c < CAPACITY_COUNT; c++)
		if (uses[c].all)
			buf_print(body, "dari_pool_used{pool=\"%s\"} %" PRId64 "\n",
				  engine_capacities[c].name, uses[c].used);
	buf_print(body, "# HELP dari_pool_size What there is of it in all.\n# TYPE dari_pool_size gauge\n");
	for (enum capacity c = 0; c < CAPACITY_COUNT; c++)
		if (uses[c].all)
			buf_print(body, "dari_pool_size{pool=\"%s\"} %" PRId64 "\n",
				  engine_capacities[c].name, uses[c].all);
}

static void answer_metrics(struct daemon *d, struct call *call)
{
	struct metric metrics[56];
	size_t count = read_metrics(d, call, metrics);
	struct buf body;
	buf_init(&body, 64 * 1024);
	for (size_t k = 0; k < count; k++)
		buf_print(&body, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", metrics[k].name, metrics[k].help,
			  metrics[k].name, metrics[k].type, metrics[k].name, metrics[k].value);
	write_capacities(d, &body);
	write_long_runs(d, &body);
	call_answer(call, 200, "text/plain; version=0.0.4", &body);
}

bool health_handle(struct daemon *d, struct call *call)
{
	if (call->method != HTTP_GET && call->method != HTTP_HEAD)
		return false;
	if (str_is(call->path, "/healthz"))
		answer_health(d, call);
	else if (str_is(call->path, "/metrics"))
		answer_metrics(d, call);
	else
		return false;
	return true;
}
