/* SPDX-License-Identifier: Apache-2.0
 * dari subscriptions, report, virt-who: compares required with entitled licences, reports a month for
 * vendors' programmes, and lists guests by host. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/bill/bill.h"
#include "daemon/subscriptions/subscriptions.h"
#include "engine/licence/compliance.h"
#include "engine/licence/mapping.h"
#include "engine/resolve.h"
#include "metering/software_use.h"
#include "model/id.h"
#include "store/account.h"
#include "store/host.h"
#include "store/ledger.h"
#include "store/provider.h"
#include "store/remote_machine.h"

enum { GUESTS_SHOWN = 50, HUNDREDTHS = 100 };
#define REPORT_CAP ((size_t) 256 << 20)

/* ---- the log of a month ---- */

/* A host's largest size in the month. */
struct host_size {
	uuid id;
	struct str name;
	int64_t cores, sockets;
};

struct month_reading {
	struct ctx *c;
	struct software_use use;
	struct month month;
	VEC(struct host_size) hosts;
};

static RESULT take_usage(void *arg, const struct usage *usage)
{
	struct month_reading *r = arg;
	return software_use_take(&r->use, r->c, usage->account, usage->id, usage->meter, usage->at_us,
				 usage->level);
}

static int64_t number_of(const json_t *facts, const char *name)
{
	int64_t value = 0;
	struct result read = str_parse_int(str_from(json_string_value(json_object_get(facts, name))), &value);
	return result_is_ok(read) ? value : 0;
}

/* Host sizes are recorded in log order; the last one before the month was still valid at its beginning. */
static RESULT take_subject(void *arg, const struct ledger_record *record)
{
	struct month_reading *r = arg;
	json_error_t problem;
	struct str text = record->text, zone = STR_NONE;
	if (record->at_us >= r->month.until_s * SECOND || !str_contains(text, STR("\"sockets\"")) ||
	    !uuid_is_none(record->account))
		return OK;
	(void) str_split_next(&text, '\n', &zone);
	json_t *facts = json_loadb(text.p ? text.p : "", text.n, 0, &problem);
	struct host_size now = {record->id, str_copy(r->c->arena, record->name), number_of(facts, "cores"),
				number_of(facts, "sockets")};
	json_decref(facts);
	struct host_size *last = r->hosts.count ? &r->hosts.at[r->hosts.count - 1] : NULL;
	if (!last || !uuid_equal(last->id, now.id))
		return VEC_PUSH(r->c->arena, &r->hosts, now) ? OK : ctx_no_memory(r->c);
	bool is_before = record->at_us < r->month.from_s * SECOND;
	if (is_before || now.cores > last->cores)
		last->cores = now.cores;
	if (is_before || now.sockets > last->sockets)
		last->sockets = now.sockets;
	last->name = now.name;
	return OK;
}

static RESULT read_month(struct store *s, struct month_reading *r, struct month month, int64_t now_us)
{
	const struct usage_query usage = {.before_us = INT64_MAX, .is_software = true};
	const struct ledger_query subjects = {.type = LEDGER_SUBJECT, .from_us = LEDGER_ANY_TIME};
	r->month = month;
	TRY(software_use_begin(r->c, month, now_us / SECOND, &r->use));
	TRY(store_read_usage(s, r->c, &usage, take_usage, r));
	software_use_end(&r->use);
	return store_read_ledger(s, r->c, &subjects, take_subject, r);
}

static struct host_size find_size(const struct month_reading *r, uuid host)
{
	for (size_t k = 0; k < r->hosts.count; k++)
		if (uuid_equal(r->hosts.at[k].id, host))
			return r->hosts.at[k];
	return (struct host_size){.id = host, .name = STR("unknown")};
}

/* Runs with an arena of its own, freed before the answer is sent. */
static RESULT run_with_room(struct command_call *call,
			    RESULT (*run)(struct command_call *call, struct ctx *own))
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, REPORT_CAP);
	struct ctx own;
	if (!arena)
		return ctx_no_memory(&call->ctx);
	ctx_init(&own, arena);
	struct result result = run(call, &own);
	struct str words = own.problem.message;
	if (!result_is_ok(result) && !call->ctx.problem.message.n && words.n)
		return ctx_fail(&call->ctx, result.code, "%" STR_FMT, STR_ARG(words));
	return result;
}

/* ---- required licences ---- */

static RESULT find_touches(const struct month_reading *r, struct licence_touch **ret_touches,
			   size_t *ret_count)
{
	struct licence_touch *touches =
		arena_new_array(r->c->arena, struct licence_touch, r->use.hosts.count + 1);
	*ret_count = 0;
	if (!touches)
		return ctx_no_memory(r->c);
	for (size_t k = 0; k < r->use.hosts.count; k++) {
		const struct software_host *h = &r->use.hosts.at[k];
		if (h->peak > 0)
			touches[(*ret_count)++] = (struct licence_touch){h->host, h->product, h->source};
	}
	*ret_touches = touches;
	return OK;
}

/* The cloud's id of a machine elsewhere, and its provider's name. */
static void find_elsewhere(const struct tables *t, const struct licence_guest *g, struct str *what,
			   struct str *where)
{
	const struct remote_machine *m = g->is_elsewhere ? remote_machine_find(t, g->instance) : NULL;
	const struct provider *p = m ? provider_find(t, m->provider) : NULL;
	if (!m || !p)
		return;
	*what = m->ref;
	*where = p->name;
}

static void say_guests(struct command_call *call, const struct tables *t, const struct licence_need *n,
		       json_t *guests)
{
	for (size_t k = 0; k < n->guests.count; k++) {
		const struct licence_guest *g = &n->guests.at[k];
		const struct host *h = host_find(t, g->host);
		char id[EC2_ID_TEXT_SIZE];
		struct str on = h ? h->name : STR("-"),
			   what = str_from(id_write_ec2(KIND_INSTANCE, g->instance, id));
		find_elsewhere(t, g, &what, &on);
		if (engine_is_over(n) && k < GUESTS_SHOWN)
			buf_print(&call->text, "      %" STR_FMT "  %3" PRId64 " vCPUs on %" STR_FMT "\n",
				  STR_ARG(what), g->vcpus, STR_ARG(on));
		(void) json_array_append_new(
			guests, json_pack("{s:s%, s:s%, s:I}", g->is_elsewhere ? "machine" : "instance",
					  what.p, what.n, g->is_elsewhere ? "provider" : "host", on.p, on.n,
					  "vcpus", (json_int_t) g->vcpus));
	}
	if (engine_is_over(n) && n->guests.count > GUESTS_SHOWN)
		buf_print(&call->text, "      and %zu more: --json has them\n",
			  n->guests.count - GUESTS_SHOWN);
}

static void say_need(struct command_call *call, const struct tables *t, const struct licence_need *n)
{
	struct str scope = command_scope_text(call->ctx.arena, t, n->account, n->domain);
	json_t *guests = json_array();
	buf_print(&call->text, "%s  %-24.*s %-8s %-26.*s needed %" PRId64 " by %s, entitled %" PRId64 "\n",
		  engine_is_over(n) ? "!!" : "ok", STR_ARG(n->product), licence_source_words[n->source],
		  STR_ARG(scope), n->needed, product_metric_words[n->metric], n->entitled);
	say_guests(call, t, n, guests);
	(void) json_array_append_new(
		call->value,
		json_pack("{s:s%, s:s, s:s%, s:s, s:I, s:I, s:b, s:o}", "product", n->product.p, n->product.n,
			  "source", licence_source_words[n->source], "for", scope.p, scope.n, "metric",
			  product_metric_words[n->metric], "needed", (json_int_t) n->needed, "entitled",
			  (json_int_t) n->entitled, "over", (int) engine_is_over(n), "instances", guests));
}

static RESULT weigh(struct command_call *call, struct ctx *own)
{
	int64_t now_us = clock_now_us();
	struct month_reading r = {.c = own};
	struct licence_touch *touches = NULL;
	struct licence_needs needs;
	size_t touch_count = 0;
	TRY(read_month(call->daemon->store, &r, month_of(now_us / SECOND), now_us));
	TRY(find_touches(&r, &touches, &touch_count));
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	TRY(engine_weigh_licences(own, view.tables, now_us, touches, touch_count, &needs));
	call->value = json_array();
	for (size_t k = 0; k < needs.list.count; k++) {
		say_need(call, view.tables, needs.list.at[k]);
		call->status |= engine_is_over(needs.list.at[k]);
	}
	if (!needs.list.count)
		buf_print(&call->text,
			  "no guest brings a licence of its own, and nobody is entitled to any\n");
	return OK;
}

static RESULT subscriptions(struct command_call *call)
{
	return run_with_room(call, weigh);
}

/* ---- a month's report ---- */

/* Quotes text for CSV. */
static struct str quote(struct arena *a, struct str text)
{
	struct str rest = text, piece, quoted = STR("\"");
	if (!str_contains(text, STR(",")) && !str_contains(text, STR("\"")))
		return text;
	while (str_split_next(&rest, '"', &piece))
		quoted = str_print(a, "%" STR_FMT "%" STR_FMT "%s", STR_ARG(quoted), STR_ARG(piece),
				   rest.n ? "\"\"" : "");
	return str_print(a, "%" STR_FMT "\"", STR_ARG(quoted));
}

/* Hours with two decimals, rounded half up. */
static struct str hours(struct arena *a, int64_t seconds)
{
	int64_t hundredths = (seconds * HUNDREDTHS + HOUR_S / 2) / HOUR_S;
	return str_print(a, "%" PRId64 ".%02" PRId64, hundredths / HUNDREDTHS, hundredths % HUNDREDTHS);
}

struct report {
	struct command_call *call;
	struct month_reading *month;
	const struct tables *t;
	struct str vendor, account; /* filters by vendor and account; empty: any */
};

static bool is_wanted(const struct report *r, struct str product, struct product_seen *ret_seen)
{
	*ret_seen = (struct product_seen){.name = product};
	(void) engine_find_product(r->t, product, ret_seen);
	return !r->vendor.n || str_equal_nocase(r->vendor, ret_seen->vendor);
}

static void say_band(const struct report *r, const struct software_line *l, int band,
		     const struct product_seen *seen, struct str account)
{
	struct arena *a = r->call->ctx.arena;
	const struct software_band *b = &l->bands[band];
	if (!b->seconds)
		return;
	buf_print(&r->call->text,
		  "%s,%" STR_FMT ",%" STR_FMT ",%s,%s,%" STR_FMT ",%" PRId64 ",%" STR_FMT ",%" PRId64
		  ",%" STR_FMT ",%" PRId64 ",%" PRId64 "\n",
		  r->month->month.text, STR_ARG(quote(a, seen->vendor)), STR_ARG(l->product),
		  licence_source_words[l->source], band ? "large" : "small", STR_ARG(account), b->guests,
		  STR_ARG(hours(a, b->seconds)), b->begun_hours, STR_ARG(hours(a, b->vcpu_seconds)),
		  b->peak.guests, b->peak.vcpus);
	(void) json_array_append_new(
		r->call->value,
		json_pack("{s:s%, s:s%, s:s, s:s, s:s%, s:I, s:I, s:I, s:I, s:I, s:I}", "vendor",
			  seen->vendor.p ? seen->vendor.p : "", seen->vendor.n, "product", l->product.p,
			  l->product.n, "source", licence_source_words[l->source], "band",
			  band ? "large" : "small", "account", account.p ? account.p : "", account.n,
			  "instances", (json_int_t) b->guests, "seconds", (json_int_t) b->seconds,
			  "begun_hours", (json_int_t) b->begun_hours, "vcpu_seconds",
			  (json_int_t) b->vcpu_seconds, "peak_instances", (json_int_t) b->peak.guests,
			  "peak_vcpus", (json_int_t) b->peak.vcpus));
}

static struct str number_of_account(const struct report *r, uuid id)
{
	const struct account *account = account_find(r->t, id);
	return account ? account->number : uuid_to_str(r->call->ctx.arena, id);
}

static int compare_lines(const void *left, const void *right)
{
	const struct software_line *a = *(struct software_line *const *) left,
				   *b = *(struct software_line *const *) right;
	int by_product = str_compare(a->product, b->product);
	if (by_product)
		return by_product;
	return a->source != b->source ? (int) a->source - (int) b->source
				      : uuid_compare(a->account, b->account);
}

/* Guests by product, band and account, for CCSP: On-Demand counts as included, Cloud Access as byos. */
static void report_guests(struct report *r)
{
	struct software_use *use = &r->month->use;
	struct product_seen seen;
	buf_print(&r->call->text,
		  "month,vendor,product,source,band,account,instances,instance_hours,begun_hours,"
		  "vcpu_hours,peak_instances,peak_vcpus\n");
	if (use->lines.count)
		qsort(use->lines.at, use->lines.count, sizeof *use->lines.at, compare_lines);
	for (size_t k = 0; k < use->lines.count; k++) {
		const struct software_line *l = use->lines.at[k];
		struct str account = number_of_account(r, l->account);
		if (!is_wanted(r, l->product, &seen) || (r->account.n && !str_equal(r->account, account)))
			continue;
		for (int band = 0; band < 2; band++)
			say_band(r, l, band, &seen, account);
	}
}

/* Hosts that had guests of a product, for SPLA. */
static void say_host(const struct report *r, const struct software_host *h, const struct product_seen *seen)
{
	struct host_size size = find_size(r->month, h->host);
	bool is_microsoft = str_is(seen->vendor, "Microsoft");
	int64_t counted = is_microsoft ? software_count_cores(size.cores, size.sockets) : size.cores;
	int64_t sets = (h->peak + 1) / 2;
	struct str name = quote(r->call->ctx.arena, size.name), id = uuid_to_str(r->call->ctx.arena, h->host);
	buf_print(&r->call->text,
		  "%s,%" STR_FMT ",%" STR_FMT ",%s,%" STR_FMT ",%" STR_FMT ",%" PRId64 ",%" PRId64 ",%" PRId64
		  ",%" PRId64 ",%" PRId64 "\n",
		  r->month->month.text, STR_ARG(quote(r->call->ctx.arena, seen->vendor)), STR_ARG(h->product),
		  licence_source_words[h->source], STR_ARG(name), STR_ARG(id), size.sockets, size.cores,
		  counted, counted * sets, h->peak);
	(void) json_array_append_new(
		r->call->value,
		json_pack("{s:s%, s:s, s:s%, s:s%, s:I, s:I, s:I, s:I, s:I}", "product", h->product.p,
			  h->product.n, "source", licence_source_words[h->source], "host", size.name.p,
			  size.name.n, "host_id", id.p, id.n, "sockets", (json_int_t) size.sockets, "cores",
			  (json_int_t) size.cores, "counted_cores", (json_int_t) counted, "standard_cores",
			  (json_int_t) (counted * sets), "peak_guests", (json_int_t) h->peak));
}

static void report_hosts(struct report *r)
{
	const struct software_use *use = &r->month->use;
	struct product_seen seen;
	buf_print(&r->call->text, "month,vendor,product,source,host,host_id,sockets,cores,counted_cores,"
				  "standard_cores,peak_guests\n");
	for (size_t k = 0; k < use->hosts.count; k++)
		if (use->hosts.at[k].peak > 0 && is_wanted(r, use->hosts.at[k].product, &seen))
			say_host(r, &use->hosts.at[k], &seen);
}

static void write_hour(int64_t at_s, char text[static CLOCK_TEXT_SIZE])
{
	(void) clock_write_s(at_s * SECOND, text);
}

/* Hourly peaks of simultaneous use. */
static void report_peaks(struct report *r)
{
	const struct software_use *use = &r->month->use;
	struct product_seen seen;
	char hour[CLOCK_TEXT_SIZE];
	buf_print(&r->call->text, "hour,product,source,account,peak_instances,peak_vcpus\n");
	for (size_t k = 0; k < use->lines.count; k++) {
		const struct software_line *l = use->lines.at[k];
		struct str account = number_of_account(r, l->account);
		if (!is_wanted(r, l->product, &seen) || (r->account.n && !str_equal(r->account, account)))
			continue;
		for (int64_t h = 0; h < SOFTWARE_HOURS; h++) {
			if (!l->hours[h].guests)
				continue;
			write_hour(r->month->month.from_s + h * HOUR_S, hour);
			buf_print(&r->call->text, "%s,%" STR_FMT ",%s,%" STR_FMT ",%" PRId64 ",%" PRId64 "\n",
				  hour, STR_ARG(l->product), licence_source_words[l->source],
				  STR_ARG(account), l->hours[h].guests, l->hours[h].vcpus);
		}
	}
}

static const char *const report_words[] = {"ccsp", "spla", "all", "hosts", "peaks", NULL};
enum report_kind { REPORT_CCSP, REPORT_SPLA, REPORT_ALL, REPORT_HOSTS, REPORT_PEAKS };

static RESULT write_report(struct command_call *call, struct ctx *own)
{
	int64_t now_us = clock_now_us();
	struct month_reading month = {.c = own};
	struct month of;
	int kind = 0;
	TRY(command_month_arg(call, month_of(now_us / SECOND), &of));
	TRY(command_word_arg(call, "programme", report_words, REPORT_CCSP, &kind));
	if (of.from_s > now_us / SECOND)
		return ctx_fail_field(&call->ctx, ERR_INVALID, STR("month"), "%s has not begun yet", of.text);
	TRY(read_month(call->daemon->store, &month, of, now_us));
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	struct report r = {.call = call,
			   .month = &month,
			   .t = view.tables,
			   .vendor = kind == REPORT_CCSP   ? STR("Red Hat")
				     : kind == REPORT_SPLA ? STR("Microsoft")
							   : STR_NONE,
			   .account = command_arg(call, "account")};
	call->value = json_array();
	if (kind == REPORT_SPLA || kind == REPORT_HOSTS)
		report_hosts(&r);
	else if (kind == REPORT_PEAKS)
		report_peaks(&r);
	else
		report_guests(&r);
	return OK;
}

static RESULT report(struct command_call *call)
{
	return run_with_room(call, write_report);
}

/* ---- virt-who ---- */

static RESULT find_scope(struct command_call *call, const struct tables *t, const struct ref *account,
			 const struct ref *domain, struct mapping_scope *ret_scope)
{
	const struct row *row = NULL;
	*ret_scope = (struct mapping_scope){0};
	if (ref_is_given(account)) {
		TRY(engine_look_up(&call->ctx, t, KIND_ACCOUNT, account, &row));
		ret_scope->account = row->id;
	}
	if (ref_is_given(domain)) {
		TRY(engine_look_up(&call->ctx, t, KIND_DOMAIN, domain, &row));
		ret_scope->domain = row->id;
	}
	return OK;
}

static RESULT write_mapping(struct command_call *call, struct ctx *own)
{
	struct ref account, domain;
	struct mapping_scope scope;
	struct str json;
	json_error_t problem;
	TRY(command_scope_args(call, &account, &domain));
	AUTO_VIEW view = {0};
	view_open(call->daemon->store, &view);
	TRY(find_scope(call, view.tables, &account, &domain, &scope));
	TRY(engine_write_mapping(own, view.tables, &scope, &json));
	view_close(&view);
	call->value = json_loadb(json.p, json.n, 0, &problem);
	buf_add_str(&call->text, json);
	buf_add_str(&call->text, STR("\n"));
	return call->value ? OK : ctx_no_memory(&call->ctx);
}

static RESULT virt_who(struct command_call *call)
{
	return run_with_room(call, write_mapping);
}

const struct command subscriptions_report_commands[] = {
	{"subscriptions",
	 "Compares the licences that guests need with the entitlements; exit status 1 if an entitlement is "
	 "exceeded.",
	 {{0}},
	 .run = subscriptions,
	 .is_anywhere = true},
	{"subscriptions report",
	 "Prints the report of a month for a vendor's programme, as CSV.",
	 {{"month", PARAM_OPTION, false, "The month, as 2026-10 (default: this one, until now)."},
	  {"programme", PARAM_OPTION, false,
	   "ccsp (default): guests of Red Hat products by band; spla: hosts that ran guests of Microsoft "
	   "products; all: guests of all products; hosts: hosts of all products; peaks: hourly maximum of "
	   "concurrent guests."},
	  {"account", PARAM_OPTION, false, "Account, by number; hosts are listed for all accounts."}},
	 .run = report,
	 .is_anywhere = true},
	{"subscriptions virt-who",
	 "Prints the mapping of guests to hosts as a file for virt-who.",
	 {{"account", PARAM_OPTION, false, "Only this account, by number or name."},
	  {"domain", PARAM_OPTION, false, "Only accounts of this domain."}},
	 .run = virt_who,
	 .is_anywhere = true},
	{0},
};
