/* SPDX-License-Identifier: Apache-2.0
 * Steps of flow logs. One step, with no id, tells the collector which interfaces to watch, and has hosts report what policies
 * drop while there are flow logs. A log's own step writes a file at the end of each interval. If that fails, the collector gets
 * the flows back for the next file; after FLOW_TRIES failed files they are discarded, and count as skipped. */
#include "engine/network/flow_log.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/vec.h"
#include "drivers/backup_store.h"
#include "engine/region/region.h"
#include "model/id.h"
#include "reconcile/log_share.h"
#include "reconcile/network/flow_collector.h"
#include "reconcile/network/flow_file.h"
#include "reconcile/work.h"
#include "store/account.h"
#include "store/flow_log.h"
#include "store/port.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/subnet.h"
#include "store/zone.h"

/* Interfaces that logs of the region and of one account cover; an interface counts once for each log. An account's share of addresses,
 * by which a dropped packet finds its interface, is larger: a log of one interface needs the addresses of the whole VPC. */
enum { TEXT_CAP = 64 << 20, INTERFACES_MAX = 50000, INTERFACES_OF_ACCOUNT = 10000, ENDS_OF_ACCOUNT = 40000 };

/* ---- the plan ---- */

/* Watches and addresses that an account's logs use in the plan. */
struct share {
	uuid account;
	size_t watches, ends;
};

struct planning {
	struct ctx *c;
	VEC(struct share) shares;
	size_t share;      /* that of the log being planned */
	int64_t uncovered; /* interfaces of that log that are beyond the share */
	const struct tables *tables;
	const struct network_samples *samples;
	VEC(struct flow_watch) watches;
	VEC(struct flow_end) ends;
	VEC(uuid) routers; /* whose interfaces are in `ends` */
};

static uint32_t find_key(const struct network_samples *samples, uuid id)
{
	for (size_t k = 0; k < samples->datapath_count; k++)
		if (uuid_equal(samples->datapaths[k].id, id))
			return samples->datapaths[k].key;
	return 0;
}

static bool add_end(struct planning *p, uint32_t datapath, struct ip ip, uint64_t tap)
{
	const struct flow_end end = {datapath, ip, tap};
	if (!datapath || ip_is_none(ip))
		return true;
	p->shares.at[p->share].ends++;
	return VEC_PUSH(p->c->arena, &p->ends, end);
}

/* The interface's addresses in its network and in its router. */
static RESULT add_ends(struct planning *p, const struct port *port)
{
	uint32_t network = find_key(p->samples, port->network), router = find_key(p->samples, port->router);
	uint64_t tap = flow_tap(port->row.id);
	bool is_whole = add_end(p, network, port->ip, tap) && add_end(p, router, port->ip, tap);
	for (const struct secondary_ip *ip = secondary_ip_first_by_port(p->tables, port->row.id); ip;
	     ip = secondary_ip_next_by_port(p->tables, ip))
		is_whole = is_whole && add_end(p, network, ip->ip, tap) && add_end(p, router, ip->ip, tap);
	return is_whole ? OK : ctx_no_memory(p->c);
}

static RESULT add_router(struct planning *p, uuid router)
{
	for (size_t k = 0; k < p->routers.count; k++)
		if (uuid_equal(p->routers.at[k], router))
			return OK;
	if (uuid_is_none(router))
		return OK;
	if (!VEC_PUSH(p->c->arena, &p->routers, router))
		return ctx_no_memory(p->c);
	for (const struct port *port = port_first_by_in_router(p->tables, router); port;
	     port = port_next_by_in_router(p->tables, port)) {
		if (p->shares.at[p->share].ends >= ENDS_OF_ACCOUNT)
			p->uncovered++;
		else
			TRY(add_ends(p, port));
	}
	return OK;
}

static RESULT add_watch(struct planning *p, const struct flow_log *log, uint64_t tap)
{
	const struct flow_watch watch = {tap, log->row.id, log->account, log->interval_s * SECOND,
					 log->delivered_us ? log->delivered_us : log->row.created_us};
	struct share *share = &p->shares.at[p->share];
	if (tap && (p->watches.count >= INTERFACES_MAX || share->watches >= INTERFACES_OF_ACCOUNT)) {
		p->uncovered++;
		return OK;
	}
	share->watches += tap != 0;
	return VEC_PUSH(p->c->arena, &p->watches, watch) ? OK : ctx_no_memory(p->c);
}

static uuid router_of_log(const struct tables *t, const struct flow_log *log)
{
	const struct subnet *subnet = uuid_is_none(log->subnet) ? NULL : subnet_find(t, log->subnet);
	const struct port *port = uuid_is_none(log->port) ? NULL : port_find(t, log->port);
	return subnet ? subnet->router : port ? port->router : log->router;
}

/* Calls for each interface that the log covers. */
typedef RESULT each_port(void *arg, const struct flow_log *log, const struct port *port);
static RESULT for_each_port(const struct tables *t, const struct flow_log *log, each_port *each, void *arg)
{
	if (!uuid_is_none(log->port)) {
		const struct port *port = port_find(t, log->port);
		return port ? each(arg, log, port) : OK;
	}
	if (!uuid_is_none(log->subnet)) {
		for (const struct port *p = port_first_by_in_subnet(t, log->subnet); p;
		     p = port_next_by_in_subnet(t, p))
			TRY(each(arg, log, p));
		return OK;
	}
	for (const struct port *p = port_first_by_in_router(t, log->router); p;
	     p = port_next_by_in_router(t, p))
		TRY(each(arg, log, p));
	return OK;
}

static RESULT watch_port(void *arg, const struct flow_log *log, const struct port *port)
{
	return add_watch(arg, log, flow_tap(port->row.id));
}

static RESULT find_share(struct planning *p, uuid account)
{
	const struct share fresh = {.account = account};
	for (p->share = 0; p->share < p->shares.count; p->share++)
		if (uuid_equal(p->shares.at[p->share].account, account))
			return OK;
	return VEC_PUSH(p->c->arena, &p->shares, fresh) ? OK : ctx_no_memory(p->c);
}

/* A watch of no interface keeps the interval of a log that covers none yet, and the number of those that are not watched. */
static RESULT plan_log(struct planning *p, const struct flow_log *log)
{
	size_t first = p->watches.count;
	p->uncovered = 0;
	TRY(find_share(p, log->account));
	TRY(add_watch(p, log, 0));
	TRY(add_router(p, router_of_log(p->tables, log)));
	TRY(for_each_port(p->tables, log, watch_port, p));
	p->watches.at[first].uncovered = p->uncovered;
	return OK;
}

static bool has_logs(struct step *s)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	return flow_log_first(view.tables) != NULL;
}

static RESULT step_plan(struct step *s)
{
	struct flow_collector *collector = s->r->flow_collector;
	struct network_samples samples = {0};
	bool on = flow_collector_listens(collector) && has_logs(s);
	TRY(s->r->network.driver->sample_drops(s->r->network.self, &s->ctx, on, &samples));
	struct planning planning = {.c = &s->ctx, .samples = &samples};
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		planning.tables = view.tables;
		for (const struct flow_log *log = flow_log_first(view.tables); log;
		     log = flow_log_next(view.tables, log))
			TRY(plan_log(&planning, log));
	}
	struct flow_plan plan = {planning.watches.at, planning.watches.count, planning.ends.at,
				 planning.ends.count, samples.drops,          samples.drop_count};
	if (!flow_collector_watch(collector, &plan, clock_now_us()))
		return ctx_no_memory(&s->ctx);
	return OK;
}

/* ---- a file ---- */

struct writing {
	struct step *s;
	const struct tables *tables;
	struct flow_format format;
	struct flow_interval interval;
	const struct flow_take *take;
	struct str account; /* number of the log's owner */
	struct buf text;
	int64_t records;
};

static struct flow_interface describe(struct writing *w, const struct port *port)
{
	struct arena *a = w->s->ctx.arena;
	const struct account *account = account_find(w->tables, port->account);
	const struct subnet *subnet = subnet_find(w->tables, port->subnet);
	const struct zone *zone = subnet ? zone_find(w->tables, subnet->zone) : NULL;
	bool has_instance = !uuid_is_none(port->instance);
	return (struct flow_interface){
		.account = account ? account->number : w->account,
		.interface = id_to_ec2(a, KIND_PORT, port->row.id),
		.vpc = uuid_is_none(port->router) ? STR_NONE : id_to_ec2(a, KIND_ROUTER, port->router),
		.subnet = id_to_ec2(a, KIND_SUBNET, port->subnet),
		.instance = has_instance ? id_to_ec2(a, KIND_INSTANCE, port->instance) : STR_NONE,
		.zone = zone ? zone->short_id : STR_NONE,
		.ip = port->ip};
}

/* First of the records that an interface could have, by bisection. */
static size_t find_first(const struct flow_take *take, uint64_t tap)
{
	size_t low = 0, high = take->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (take->records[middle].tap < tap)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_wanted(const struct flow_log *log, const struct flow_record *r)
{
	return log->traffic == FLOW_LOG_TRAFFIC_ALL ||
	       (log->traffic == FLOW_LOG_TRAFFIC_REJECT) == r->is_reject;
}

static RESULT write_port(void *arg, const struct flow_log *log, const struct port *port)
{
	struct writing *w = arg;
	uint64_t tap = flow_tap(port->row.id);
	int64_t before = w->records;
	struct flow_interface of = describe(w, port);
	for (size_t k = find_first(w->take, tap); k < w->take->count && w->take->records[k].tap == tap; k++) {
		if (!is_wanted(log, &w->take->records[k]))
			continue;
		flow_file_record(&w->text, &w->format, &w->interval, &of, &w->take->records[k]);
		w->records++;
	}
	if (w->take->skipped > 0 || w->take->is_lost)
		flow_file_status(&w->text, &w->format, &w->interval, &of, "SKIPDATA");
	else if (w->records == before && port->seen_up)
		flow_file_status(&w->text, &w->format, &w->interval, &of, "NODATA");
	return OK;
}

static RESULT write_lines(struct writing *w, const struct flow_log *log)
{
	AUTO_VIEW view = {0};
	view_open(w->s->r->store, &view);
	const struct account *account = account_find(view.tables, log->account);
	w->tables = view.tables;
	w->account = account ? str_copy(w->s->ctx.arena, account->number) : STR_NONE;
	w->interval.region = str_copy(w->s->ctx.arena, engine_get_region_name(view.tables));
	flow_file_head(&w->text, &w->format);
	TRY(for_each_port(view.tables, log, write_port, w));
	return buf_finish(&w->text);
}

static RESULT put_file(struct writing *w, const struct flow_log *log)
{
	struct ctx *c = &w->s->ctx;
	AUTO(backup_store) store = NULL;
	struct buf packed;
	buf_init(&packed, TEXT_CAP);
	struct result r = flow_file_compress(c, buf_str(&w->text), &packed);
	struct str name =
		flow_file_name(c->arena, log->folder, w->account,
			       id_to_ec2(c->arena, KIND_FLOW_LOG, log->row.id), &w->interval, log->is_hourly);
	if (result_is_ok(r))
		r = backup_store_new(c, w->s->r->flow_logs, &store);
	if (result_is_ok(r))
		r = backup_store_put(store, c, name, buf_str(&packed));
	if (result_is_ok(r))
		log_share_add(w->s->r->log_share, log->account, buf_str(&packed).n, w->interval.to_us);
	buf_done(&packed);
	return r;
}

/* Empty: all interfaces are watched. */
static struct str write_uncovered(struct step *s, int64_t uncovered)
{
	return uncovered ? str_print(s->ctx.arena, FLOW_LOG_BEYOND "%" PRId64 ".", uncovered) : STR_NONE;
}

static RESULT write_file(struct step *s, const struct flow_log *log, const struct flow_take *take,
			 int64_t now_us)
{
	struct flow_log_report *report = STEP_NEW(s, struct flow_log_report);
	struct writing w = {.s = s, .take = take, .interval = {.from_us = take->from_us, .to_us = now_us}};
	struct str wrong;
	(void) flow_format_parse(log->format, &w.format, &wrong); /* checked when it was asked for */
	buf_init(&w.text, TEXT_CAP);
	struct result r = write_lines(&w, log);
	if (result_is_ok(r))
		r = put_file(&w, log);
	buf_done(&w.text);
	*report = (struct flow_log_report){.log = log->row.id, .gen = log->row.gen, .skipped = take->skipped};
	if (result_is_ok(r)) {
		report->delivered_us = now_us;
		report->records = w.records;
		report->problem = write_uncovered(s, take->uncovered);
		flow_collector_forget_failures(s->r->flow_collector, log->row.id);
	} else {
		bool is_kept = flow_collector_give_back(s->r->flow_collector, log->row.id, take, now_us);
		report->skipped = is_kept ? 0 : take->skipped + (int64_t) take->count;
		report->problem = str_cut(str_copy(s->ctx.arena, s->ctx.problem.message), 1000);
		if (!report->problem.n)
			report->problem = STR("The file cannot be written.");
		ctx_clear_problem(&s->ctx);
	}
	step_report(s, engine_see_flow_log_run, report);
	return OK;
}

/* Discards an interval's records, because the account's share of the day is used up. */
static RESULT discard(struct step *s, const struct flow_log *log, const struct flow_take *take,
		      int64_t now_us)
{
	struct flow_log_report *report = STEP_NEW(s, struct flow_log_report);
	*report =
		(struct flow_log_report){.log = log->row.id,
					 .gen = log->row.gen,
					 .skipped = take->skipped + (int64_t) take->count,
					 .problem = log_share_problem(s->r->log_share, s->ctx.arena, now_us)};
	flow_collector_forget_failures(s->r->flow_collector, log->row.id);
	step_report(s, engine_see_flow_log_run, report);
	return OK;
}

static RESULT step_log(struct step *s)
{
	const struct flow_log *log = NULL;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct flow_log *row = flow_log_find(view.tables, s->id);
		if (row)
			log = STEP_COPY(s, KIND_FLOW_LOG, struct flow_log, row);
	}
	if (!log || !s->r->flow_logs)
		return OK;
	int64_t now_us = clock_now_us();
	struct flow_take take = {0};
	bool is_due = false;
	TRY(flow_collector_take(s->r->flow_collector, &s->ctx, s->id, now_us, &is_due, &take));
	if (!is_due)
		return OK;
	if (log_share_has_room(s->r->log_share, log->account, now_us))
		return write_file(s, log, &take, now_us);
	return discard(s, log, &take, now_us);
}

/* ---- the resource ---- */

static RESULT step_flow_log(struct step *s)
{
	return uuid_is_none(s->id) ? step_plan(s) : step_log(s);
}

void reconciler_plan_flow_logs(struct reconciler *r)
{
	work_wake(r, lane_network(r), KIND_FLOW_LOG, UUID_NONE, WAKE_WISH);
}

/* Files go to servers that may be slow: on lanes of which an account has a share. */
static void wake_due(void *arg, uuid log, uuid account)
{
	struct reconciler *r = arg;
	if (uuid_is_none(log))
		reconciler_plan_flow_logs(r);
	else
		work_wake(r, lane_fetches(account), KIND_FLOW_LOG, log, WAKE_WISH);
}

void reconciler_start_flow_logs(struct reconciler *r)
{
	struct ctx c = {0};
	if (!r->flow_logs)
		return;
	if (!result_is_ok(flow_collector_start(r->flow_collector, &c, wake_due, r)))
		log_event(LOG_ERROR, "flow-logs-stopped", "message=\"there is no thread for flow logs\"");
	/* Also stops reports of drops that a process turned on and could not turn off. */
	reconciler_plan_flow_logs(r);
}

static void wake_flow_log(struct reconciler *r, const struct row *row)
{
	(void) row;
	reconciler_plan_flow_logs(r);
}

/* The outcome of a file wakes nothing. */
static void wake_new_log(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before)
		wake_flow_log(r, after);
}

static void wake_gone_log(struct reconciler *r, const struct tables *t, const struct row *row)
{
	(void) t, (void) row;
	reconciler_plan_flow_logs(r);
}

const struct resource reconcile_flow_log = {.step = step_flow_log,
					    .is_swept = true,
					    .wake = wake_flow_log,
					    .wake_changed = wake_new_log,
					    .wake_forgotten = wake_gone_log};
