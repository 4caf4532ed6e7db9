/* SPDX-License-Identifier: Apache-2.0
 * Access logs of application, network and Classic Load Balancers, and connection logs of application load balancers. The proxy's step (proxy.c) has the collector read the proxy's socket. The step
 * here writes a file at the end of each interval, and a test file before the first one. If that fails, the collector gets the requests
 * back for the next file; after ACCESS_TRIES failed files they are discarded, and count as dropped. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/vec.h"
#include "drivers/backup_store.h"
#include "drivers/proxy.h"
#include "engine/balancing/balancing.h"
#include "engine/region/region.h"
#include "reconcile/balancing/access_line.h"
#include "reconcile/balancing/access_log.h"
#include "reconcile/log_share.h"
#include "reconcile/network/flow_file.h"
#include "reconcile/work.h"
#include "store/account.h"
#include "store/address.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/port.h"
#include "store/server_certificate.h"
#include "store/target_group.h"

enum { TEXT_CAP = 64 << 20, NAMES_CAP = 16 << 20 };
static const int64_t ELBV2_INTERVAL_US = 5 * MINUTE, CLASSIC_INTERVAL_US = HOUR;

/* ---- the subject ---- */

/* A load balancer of the internet shows its public address. */
static struct ip find_ip(const struct tables *t, const struct elastic_load_balancer *b)
{
	uuid front = b->fronts.count ? b->fronts.at[0] : UUID_NONE;
	const struct port *port = port_find(t, front);
	const struct address *address =
		b->is_internal || uuid_is_none(front) ? NULL : address_first_by_port(t, front);
	return address ? address->ip : port ? port->ip : (struct ip){0};
}

static void copy_text(char *out, size_t room, struct str text)
{
	snprintf(out, room, "%" STR_FMT, STR_ARG(text));
}

static enum access_form form_of(const struct elastic_load_balancer *b)
{
	return b->type == ELASTIC_LOAD_BALANCER_TYPE_CLASSIC   ? ACCESS_CLASSIC
	       : b->type == ELASTIC_LOAD_BALANCER_TYPE_NETWORK ? ACCESS_NETWORK
							       : ACCESS_APPLICATION;
}

static void describe(struct step *s, const struct tables *t, const struct elastic_load_balancer *b,
		     struct access_subject *out)
{
	const struct account *account = account_find(t, b->account);
	struct str part = STR_NONE, rest = engine_write_balancing_arn(t, s->ctx.arena, STR("r"), STR("a"),
								      KIND_ELASTIC_LOAD_BALANCER, &b->row);
	*out = (struct access_subject){.proxy = s->id,
				       .balancer = b->row.id,
				       .account = b->account,
				       .ip = find_ip(t, b),
				       .form = form_of(b),
				       .logs_requests = b->logs_requests,
				       .logs_connections = b->logs_connections,
				       .needs_test = b->logs_requests && !b->log_delivered_us,
				       .needs_connection_test =
					       b->logs_connections && !b->connection_log_delivered_us,
				       .worker = b->log_worker,
				       .lost = b->log_lost};
	out->interval_us = b->log_interval_s             ? b->log_interval_s * SECOND
			   : out->form == ACCESS_CLASSIC ? CLASSIC_INTERVAL_US
							 : ELBV2_INTERVAL_US;
	(void) str_split_next(&rest, '/', &part); /* "app/web/0123456789abcdef" is behind "…:loadbalancer/" */
	copy_text(out->name, sizeof out->name, rest);
	copy_text(out->number, sizeof out->number, account ? account->number : STR("-"));
	copy_text(out->region, sizeof out->region, engine_get_region_name(t));
	copy_text(out->prefix, sizeof out->prefix, b->log_prefix);
	copy_text(out->connection_prefix, sizeof out->connection_prefix, b->connection_log_prefix);
}

/* ---- in the proxy's step ---- */

/* A socket that somebody removed is opened again by the next step. */
static RESULT count_lost(struct step *s)
{
	struct proxy_log_state state = {0};
	struct result seen = s->r->proxies.driver->see_log(s->r->proxies.self, &s->ctx, s->id, &state);
	if (seen.code == ERR_GONE) { /* the process does not answer yet */
		ctx_clear_problem(&s->ctx);
		return OK;
	}
	TRY(seen);
	access_collector_count_lost(s->r->access_collector, s->id, state.worker, state.lost);
	if (!state.has_socket)
		access_collector_close(s->r->access_collector, s->id);
	return OK;
}

RESULT access_log_follow(struct step *s, const struct elastic_load_balancer *balancer)
{
	struct access_collector *f = s->r->access_collector;
	struct access_subject subject;
	int fd = -1;
	bool has_logs = balancer && (balancer->logs_requests || balancer->logs_connections);
	if (!has_logs || !s->r->flow_logs) {
		access_collector_close(f, s->id);
		return OK;
	}
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		describe(s, view.tables, balancer, &subject);
	}
	if (!access_collector_reads(f, s->id))
		TRY(s->r->proxies.driver->open_log(s->r->proxies.self, &s->ctx, s->id, &fd));
	if (!access_collector_open(f, &subject, fd, clock_now_us()))
		return ctx_no_memory(&s->ctx);
	return count_lost(s);
}

void access_log_end(struct step *s)
{
	access_collector_close(s->r->access_collector, s->id);
}

/* ---- names ---- */

struct naming {
	struct step *s;
	const struct tables *t;
	struct str region, number;
	VEC(struct access_group) groups;
	VEC(struct access_certificate) certificates;
};

static RESULT name_group(struct naming *n, const struct target_group *g)
{
	const struct access_group group = {g->row.id,
					   engine_write_balancing_arn(n->t, n->s->ctx.arena, n->region,
								      n->number, KIND_TARGET_GROUP, &g->row)};
	return VEC_PUSH(n->s->ctx.arena, &n->groups, group) ? OK : ctx_no_memory(&n->s->ctx);
}

/* A certificate's fingerprint: two upper-case digits a byte. */
static RESULT name_certificate(struct naming *n, uuid id)
{
	const struct server_certificate *row = server_certificate_find(n->t, id);
	struct access_certificate made = {0};
	struct str fingerprint = STR_NONE;
	size_t digits = 0;
	if (!row)
		return OK;
	if (!result_is_ok(crypto_fingerprint_certificate(&n->s->ctx, row->body, &fingerprint))) {
		ctx_clear_problem(&n->s->ctx);
		return OK;
	}
	for (size_t k = 0; k < fingerprint.n && digits < sizeof made.sha1 - 1; k++)
		if (str_is_alphanumeric(fingerprint.p[k])) {
			char c = fingerprint.p[k];
			made.sha1[digits++] = (char) (c >= 'a' ? c - 'a' + 'A' : c);
		}
	made.arn = engine_write_certificate_arn(n->s->ctx.arena, n->region, n->number, row);
	return VEC_PUSH(n->s->ctx.arena, &n->certificates, made) ? OK : ctx_no_memory(&n->s->ctx);
}

/* Groups of the account, and certificates of the load balancer's listeners. */
static RESULT gather_names(struct naming *n, const struct access_subject *subject)
{
	for (const struct target_group *g = target_group_first_by_account(n->t, subject->account); g;
	     g = target_group_next_by_account(n->t, g))
		TRY(name_group(n, g));
	for (const struct listener *l = listener_first_by_elastic_load_balancer(n->t, subject->balancer); l;
	     l = listener_next_by_elastic_load_balancer(n->t, l))
		for (size_t k = 0; k < l->certificates.count; k++)
			TRY(name_certificate(n, l->certificates.at[k]));
	return OK;
}

/* ---- files ---- */

struct writing {
	struct step *s;
	const struct access_take *take;
	struct buf text, connection_text;
	int64_t lines, connection_lines, unread;
};

/* A report about a connection without a request has no place in an access log. */
static void write_line(struct writing *w, struct str line, const struct access_names *names)
{
	const struct access_subject *subject = &w->take->subject;
	bool is_alone = access_line_is_connection_alone(line);
	if (subject->logs_connections && access_line_write_connection(&w->connection_text, line))
		w->connection_lines++;
	if (!subject->logs_requests || is_alone)
		return;
	if (access_line_write(&w->text, line, subject, names))
		w->lines++;
	else
		w->unread++;
}

static RESULT write_lines(struct writing *w)
{
	const struct access_subject *subject = &w->take->subject;
	struct naming naming = {
		.s = w->s, .region = str_from(subject->region), .number = str_from(subject->number)};
	struct str rest = w->take->reports, line = STR_NONE;
	if (subject->form != ACCESS_CLASSIC && rest.n) {
		AUTO_VIEW view = {0};
		view_open(w->s->r->store, &view);
		naming.t = view.tables;
		TRY(gather_names(&naming, subject));
	}
	const struct access_names names = {naming.groups.at, naming.groups.count, naming.certificates.at,
					   naming.certificates.count};
	while (str_split_next(&rest, '\n', &line)) {
		if (line.n)
			write_line(w, line, &names);
	}
	TRY(buf_finish(&w->connection_text));
	return buf_finish(&w->text);
}

static RESULT put(struct writing *w, struct str name, struct str bytes)
{
	AUTO(backup_store) store = NULL;
	TRY(backup_store_new(&w->s->ctx, w->s->r->flow_logs, &store));
	TRY(backup_store_put(store, &w->s->ctx, name, bytes));
	log_share_add(w->s->r->log_share, w->take->subject.account, bytes.n, clock_now_us());
	return OK;
}

/* As in AWS, files of Classic Load Balancers are not compressed. */
static RESULT put_file(struct writing *w, bool is_of_connections, struct str text)
{
	struct ctx *c = &w->s->ctx;
	const struct access_subject *subject = &w->take->subject;
	struct str name = access_file_name(c->arena, subject, is_of_connections, w->take->end_us);
	struct buf packed;
	if (subject->form == ACCESS_CLASSIC)
		return put(w, name, text);
	buf_init(&packed, TEXT_CAP);
	struct result r = flow_file_compress(c, text, &packed);
	if (result_is_ok(r))
		r = put(w, name, buf_str(&packed));
	buf_done(&packed);
	return r;
}

static RESULT put_test_file(struct writing *w, bool is_of_connections)
{
	const struct access_subject *subject = &w->take->subject;
	struct ctx *c = &w->s->ctx;
	return put(w, access_test_name(c->arena, subject, is_of_connections),
		   str_print(c->arena, "Enable %sLog for ELB: %s\n",
			     is_of_connections ? "Connection" : "Access", subject->name));
}

/* If the second file fails, the first one is written again: entries may be in two files. */
static RESULT write_files(struct writing *w)
{
	TRY(write_lines(w));
	if (w->take->subject.needs_test)
		TRY(put_test_file(w, false));
	if (w->take->subject.needs_connection_test)
		TRY(put_test_file(w, true));
	if (w->connection_lines)
		TRY(put_file(w, true, buf_str(&w->connection_text)));
	return w->lines ? put_file(w, false, buf_str(&w->text)) : OK;
}

static struct str write_missing(struct step *s, int64_t dropped)
{
	return dropped ? str_print(s->ctx.arena,
				   "%" PRId64
				   " requests are missing in the last file: they came while dari was "
				   "down, or faster than it could store them.",
				   dropped)
		       : STR_NONE;
}

static int64_t count_reports(const struct access_take *take)
{
	int64_t lines = 0;
	for (size_t k = 0; k < take->reports.n; k++)
		lines += take->reports.p[k] == '\n';
	return lines;
}

static void report_failure(struct step *s, struct access_take *take, struct access_log_report *report,
			   int64_t now_us)
{
	int64_t lines = count_reports(take);
	bool is_kept = access_collector_give_back(s->r->access_collector, take, now_us);
	report->dropped = is_kept ? 0 : take->dropped + lines;
	report->worker = is_kept ? 0 : take->worker;
	report->lost = is_kept ? 0 : take->lost;
	report->is_failure = true;
	report->problem = str_cut(str_copy(s->ctx.arena, s->ctx.problem.message), 1000);
	if (!report->problem.n)
		report->problem = STR("The file cannot be written.");
	ctx_clear_problem(&s->ctx);
}

static RESULT write_take(struct step *s, struct access_take *take, struct access_log_report *report)
{
	struct writing w = {.s = s, .take = take};
	int64_t now_us = clock_now_us();
	buf_init(&w.text, TEXT_CAP);
	buf_init(&w.connection_text, TEXT_CAP);
	struct result r = write_files(&w);
	buf_done(&w.text);
	buf_done(&w.connection_text);
	*report = (struct access_log_report){.balancer = s->id};
	if (result_is_ok(r)) {
		report->delivered_us = take->subject.logs_requests ? now_us : 0;
		report->connections_delivered_us = take->subject.logs_connections ? now_us : 0;
		report->lines = w.lines;
		report->connection_lines = w.connection_lines;
		report->dropped = take->dropped + w.unread;
		report->worker = take->worker;
		report->lost = take->lost;
		report->problem = write_missing(s, report->dropped);
		access_collector_free_take(s->r->access_collector, take);
	} else {
		report_failure(s, take, report, now_us);
	}
	/* an interval without requests changes nothing */
	if (take->subject.needs_test || take->subject.needs_connection_test || report->lines ||
	    report->connection_lines || report->dropped || report->problem.n)
		step_report(s, engine_see_access_log_run, report);
	return OK;
}

/* Discards an interval's requests, because the account's share of the day is used up. */
static void discard(struct step *s, struct access_take *take, struct access_log_report *report)
{
	*report = (struct access_log_report){
		.balancer = s->id,
		.is_failure = true,
		.dropped = take->dropped + count_reports(take),
		.worker = take->worker,
		.lost = take->lost,
		.problem = log_share_problem(s->r->log_share, s->ctx.arena, clock_now_us())};
	access_collector_free_take(s->r->access_collector, take);
	if (report->dropped)
		step_report(s, engine_see_access_log_run, report);
}

static RESULT step_balancer(struct step *s)
{
	struct access_log_report *report = STEP_NEW(s, struct access_log_report);
	struct access_take take = {0};
	bool is_due = false;
	if (!s->r->flow_logs)
		return OK;
	access_collector_take(s->r->access_collector, s->id, clock_now_us(), &is_due, &take);
	if (!is_due)
		return OK;
	if (log_share_has_room(s->r->log_share, take.subject.account, clock_now_us()))
		return write_take(s, &take, report);
	discard(s, &take, report);
	return OK;
}

/* ---- the resource ---- */

/* Files go to servers that may be slow: on lanes of which an account has a share. */
static void wake_due(void *arg, uuid balancer, uuid account)
{
	work_wake(arg, lane_fetches(account), KIND_ELASTIC_LOAD_BALANCER, balancer, WAKE_WISH);
}

void reconciler_start_access_logs(struct reconciler *r)
{
	AUTO(arena) arena = arena_new(4096, NAMES_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	if (!r->flow_logs)
		return;
	if (*r->access_log_directory &&
	    !result_is_ok(access_collector_keep(r->access_collector, &c, r->access_log_directory)))
		log_event(LOG_ERROR, "access-logs-not-kept", "message=%s", log_quote(c.problem.message));
	if (!result_is_ok(access_collector_start(r->access_collector, &c, wake_due, r)))
		log_event(LOG_ERROR, "access-logs-stopped", "message=\"there is no thread for access logs\"");
}

/* Rows wake nothing: the collector says when a file is due. */
static void wake_balancer(struct reconciler *r, const struct row *row)
{
	(void) r;
	(void) row;
}

const struct resource reconcile_elastic_load_balancer = {.step = step_balancer, .wake = wake_balancer};
