/* SPDX-License-Identifier: Apache-2.0
 * A region in one process; see cloud.h. */
#include "cloud.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../store/dangling.h"
#include "applied.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/random.h"
#include "drivers/fence.h"
#include "drivers/image/image_file.h"
#include "drivers/sim/compute_state.h"
#include "empty_database.h"
#include "kept.h"
#include "model/states.h"
#include "store/address.h"
#include "store/condition.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/internal.h"
#include "store/nat_gateway.h"
#include "store/peering.h"
#include "store/port.h"
#include "store/snapshot.h"
#include "store/sql.h"
#include "store/transit_attachment.h"
#include "store/transit_gateway.h"
#include "store/volume.h"

enum { KEPT_ROUNDS_MAX = 40 };

#define START_US (INT64_C(1800000000) * SECOND)
static const int64_t SETTLE_US = 5 * MINUTE;

/* ---- a database that can be cut off ---- */

struct cloud_sql {
	struct sql_driver base;
	struct sql_driver *inner;
	bool is_cut;
	enum { COMMITS, DIES_BEFORE_COMMIT, DIES_AFTER_COMMIT } fate;
};

static struct cloud_sql *sql_of(struct sql_driver *d)
{
	return (struct cloud_sql *) (void *) d;
}
static RESULT cut_open(struct sql_driver *d, struct ctx *c)
{
	return sql_of(d)->inner->open(sql_of(d)->inner, c);
}
static RESULT cut_load(struct sql_driver *d, struct ctx *c, enum kind kind, sql_each_row each, void *arg)
{
	return sql_of(d)->inner->load(sql_of(d)->inner, c, kind, each, arg);
}
static RESULT cut_begin(struct sql_driver *d, struct ctx *c)
{
	if (sql_of(d)->is_cut)
		return ctx_fail(c, ERR_IO, "the process was killed");
	return sql_of(d)->inner->begin(sql_of(d)->inner, c);
}
static RESULT cut_put(struct sql_driver *d, struct ctx *c, enum kind kind, const struct row *row)
{
	return sql_of(d)->inner->put(sql_of(d)->inner, c, kind, row);
}
static RESULT cut_forget(struct sql_driver *d, struct ctx *c, enum kind kind, uuid id)
{
	return sql_of(d)->inner->forget(sql_of(d)->inner, c, kind, id);
}
static RESULT cut_add_event(struct sql_driver *d, struct ctx *c, const struct event *event)
{
	return sql_of(d)->inner->add_event(sql_of(d)->inner, c, event);
}
static RESULT cut_add_usage(struct sql_driver *d, struct ctx *c, const struct usage *usage,
			    const struct ledger_record *subject)
{
	return sql_of(d)->inner->add_usage(sql_of(d)->inner, c, usage, subject);
}
static RESULT cut_add_ledger(struct sql_driver *d, struct ctx *c, const struct ledger_record *record)
{
	return sql_of(d)->inner->add_ledger(sql_of(d)->inner, c, record);
}
static RESULT cut_read_ledger(struct sql_driver *d, struct ctx *c, const struct ledger_query *query,
			      sql_each_ledger each, void *arg)
{
	return sql_of(d)->inner->read_ledger(sql_of(d)->inner, c, query, each, arg);
}
static RESULT cut_read_last_stamp(struct sql_driver *d, struct ctx *c, int64_t *ret_us)
{
	return sql_of(d)->inner->read_last_stamp(sql_of(d)->inner, c, ret_us);
}
static RESULT cut_add_audit(struct sql_driver *d, struct ctx *c, const struct audit_record *audit)
{
	return sql_of(d)->inner->add_audit(sql_of(d)->inner, c, audit);
}
static RESULT cut_read_audit(struct sql_driver *d, struct ctx *c, int64_t after, size_t max, audit_each each,
			     void *arg)
{
	return sql_of(d)->inner->read_audit(sql_of(d)->inner, c, after, max, each, arg);
}
static RESULT cut_commit(struct sql_driver *d, struct ctx *c, uint64_t commit)
{
	struct cloud_sql *sql = sql_of(d);
	sql->is_cut = sql->fate != COMMITS;
	if (sql->fate == DIES_BEFORE_COMMIT)
		return ctx_fail(c, ERR_IO, "the process dies before its commit");
	return sql->inner->commit(sql->inner, c, commit);
}
static void cut_rollback(struct sql_driver *d)
{
	sql_of(d)->inner->rollback(sql_of(d)->inner);
}
static RESULT cut_read_commit(struct sql_driver *d, struct ctx *c, uint64_t *ret_commit)
{
	return sql_of(d)->inner->read_commit(sql_of(d)->inner, c, ret_commit);
}
static RESULT cut_read_events(struct sql_driver *d, struct ctx *c, const struct event_query *query,
			      sql_each_event each, void *arg)
{
	return sql_of(d)->inner->read_events(sql_of(d)->inner, c, query, each, arg);
}
static RESULT cut_read_usage(struct sql_driver *d, struct ctx *c, const struct usage_query *query,
			     sql_each_usage each, void *arg)
{
	return sql_of(d)->inner->read_usage(sql_of(d)->inner, c, query, each, arg);
}
static void cut_close(struct sql_driver *d)
{
	sql_of(d)->inner->close(sql_of(d)->inner);
	heap_free(d);
}

static struct cloud_sql *sql_new(struct sql_driver *inner)
{
	struct cloud_sql *sql = heap_new(struct cloud_sql);
	assert_non_null(sql);
	*sql = (struct cloud_sql){.base = {.open = cut_open,
					   .load = cut_load,
					   .begin = cut_begin,
					   .put = cut_put,
					   .forget = cut_forget,
					   .add_event = cut_add_event,
					   .add_usage = cut_add_usage,
					   .add_audit = cut_add_audit,
					   .commit = cut_commit,
					   .rollback = cut_rollback,
					   .read_commit = cut_read_commit,
					   .read_events = cut_read_events,
					   .read_usage = cut_read_usage,
					   .read_audit = cut_read_audit,
					   .close = cut_close,
					   .add_ledger = cut_add_ledger,
					   .read_ledger = cut_read_ledger,
					   .read_last_stamp = cut_read_last_stamp},
				  .inner = inner};
	return sql;
}

/* ---- starting and ending ---- */

static void expect_ok(struct cloud *c, struct result result)
{
	cloud_expect_at(c, result, __FILE__, __LINE__);
}

static void open_store(struct cloud *c)
{
	struct sql_driver *inner = NULL;
	ctx_init(&c->c, c->arena);
	c->executor = executor_new_stepped(c->seed);
	assert_non_null(c->executor);
	expect_ok(c, sqlite_open(&c->c, c->path, &inner));
	c->sql = sql_new(inner);
	struct store_config config = {.executor = c->executor,
				      .sql = &c->sql->base,
				      .observe = engine_observe,
				      .check = engine_check_row,
				      .follow = engine_follow};
	expect_ok(c, store_open(&c->c, &config, &c->store));
}

const uint8_t cloud_master_key[MASTER_KEY_SIZE] = {4, 5, 6};

struct str cloud_seal(struct cloud *c, struct str of, struct str secret)
{
	struct str sealed = STR_NONE;
	expect_ok(c, crypto_seal(&c->c, cloud_master_key, of, secret, &sealed));
	return sealed;
}

/* An instance's drive has its name on it. */
static RESULT write_drive(const uint8_t *key, struct ctx *c, struct view *view, uuid instance,
			  struct compute_files *ret_files)
{
	(void) key;
	const struct instance *i = instance_find(view->tables, instance);
	struct compute_file *file = arena_new_object(c->arena, struct compute_file);
	if (!i || !file)
		return i ? ctx_no_memory(c) : FAIL(NOT_FOUND);
	*file = (struct compute_file){STR("name"), str_copy(c->arena, i->name)};
	*ret_files = (struct compute_files){file, 1};
	return OK;
}

static void open_reconciler(struct cloud *c)
{
	expect_ok(c, network_sim_open(&c->c, &c->network));
	expect_ok(c, applied_open(&c->c, &c->network));
	struct proxy_handle proxies = {0};
	expect_ok(c, proxy_sim_open(&c->c, &proxies));
	struct vpn_handle vpns = {0};
	expect_ok(c, vpn_sim_open(&c->c, &vpns));
	struct str images = str_print(c->c.arena, "%s/images", c->directory);
	image_file_sweep(images.p);
	snprintf(c->backups, sizeof c->backups, "file://%s/backups", c->directory);
	c->backup.url = str_from(c->backups);
	struct reconcile_config config = {.executor = c->executor,
					  .store = c->store,
					  .network = c->network,
					  .proxies = proxies,
					  .vpns = vpns,
					  .compute = {&compute_sim},
					  .disks = {&disk_sim},
					  .fences = {&fence_sim},
					  .image_directory = images,
					  .backup = &c->backup,
					  .own_chassis = STR("here"),
					  .master_key = cloud_master_key,
					  .write_drive = write_drive,
					  .read_fleet = c->read_fleet,
					  .read_scaling = c->read_scaling,
					  .read_scale_set = c->read_scale_set,
					  .shutdown_grace_us = CLOUD_GRACE_US,
					  .host_interval_us = CLOUD_HOST_INTERVAL_US,
					  .resync_interval_us = CLOUD_RESYNC_US};
	expect_ok(c, reconciler_new(&c->c, &config, &c->reconciler));
}

static void close_all(struct cloud *c)
{
	reconciler_free(TAKE(c->reconciler));
	c->network.driver->close(c->network.self);
	c->network = (struct network_handle){0};
	store_close(TAKE(c->store));
	executor_free(TAKE(c->executor));
	c->sql = NULL;
}

void cloud_cut(struct cloud *c)
{
	fault_disarm();
	c->sql->is_cut = true;
	committer_drain(c->store);
}

void cloud_kill(struct cloud *c)
{
	cloud_cut(c);
	close_all(c);
	c->kill_at = 0;
}

void cloud_die_at_commit(struct cloud *c, bool has_it)
{
	c->sql->fate = has_it ? DIES_AFTER_COMMIT : DIES_BEFORE_COMMIT;
}

bool cloud_is_dying(const struct cloud *c)
{
	return c->sql->is_cut;
}

void cloud_restart(struct cloud *c)
{
	if (c->store)
		close_all(c);
	c->seed++;
	open_store(c);
	open_reconciler(c);
	reconciler_start(c->reconciler);
}

static void remove_database(struct cloud *c)
{
	static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
	char path[160];
	for (size_t k = 0; k < sizeof endings / sizeof endings[0]; k++) {
		snprintf(path, sizeof path, "%s%s", c->path, endings[k]);
		(void) unlink(path);
	}
}

void cloud_copy_database(struct cloud *c, const char *from, const char *to)
{
	assert_null(c->store);
	char command_from[160], command_to[160], bytes[4096];
	snprintf(command_from, sizeof command_from, "%s%s", c->path, from);
	snprintf(command_to, sizeof command_to, "%s%s", c->path, to);
	FILE *in = fopen(command_from, "rb"), *out = fopen(command_to, "wb");
	assert_non_null(in);
	assert_non_null(out);
	for (size_t n = 0; (n = fread(bytes, 1, sizeof bytes, in)) > 0;)
		assert_int_equal(fwrite(bytes, 1, n, out), n);
	fclose(in);
	fclose(out);
}

const char *cloud_scratch(void)
{
	const char *said = getenv(CLOUD_SCRATCH);
	return said ? said : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

static void make_directory(struct cloud *c)
{
	snprintf(c->directory, sizeof c->directory, "%s/dari-cloud-XXXXXX", cloud_scratch());
	assert_non_null(mkdtemp(c->directory));
	snprintf(c->path, sizeof c->path, "%s/db", c->directory);
	char images[80];
	snprintf(images, sizeof images, "%s/images", c->directory);
	assert_int_equal(mkdir(images, 0700), 0);
}

static void remove_images(struct cloud *c)
{
	char path[80];
	snprintf(path, sizeof path, "%s/images", c->directory);
	file_remove_tree(path);
}

static void remove_directory(struct cloud *c)
{
	char path[160];
	remove_images(c);
	file_remove_tree(c->backups + strlen("file://"));
	remove_database(c);
	snprintf(path, sizeof path, "%s.old", c->path);
	(void) unlink(path);
	(void) rmdir(c->directory);
}

static void open_empty(struct cloud *c)
{
	open_store(c);
	struct region_wish region = {.name = STR("xy-west-2")};
	cloud_ok(c, NULL, engine_bootstrap_region, &region);
	open_reconciler(c);
	reconciler_start(c->reconciler);
}

struct cloud *cloud_new_empty(uint64_t seed)
{
	struct cloud *c = heap_new(struct cloud);
	assert_non_null(c);
	c->arena = arena_new(1 << 20, (size_t) 1 << 30); /* enough not to grow while allocations fail */
	assert_non_null(c->arena);
	c->seed = seed;
	make_directory(c);
	ctx_init(&c->c, c->arena);
	empty_database_write(&c->c, c->path);
	clock_set_us(START_US);
	random_set_seed(seed + 1);
	log_set_level(getenv("CLOUD_LOG") ? LOG_DEBUG
					  : LOG_ERROR + 1); /* failures are made on purpose here */
	sim_compute_reset();
	network_sim_reset();
	applied_reset();
	open_empty(c);
	return c;
}

static struct ip ip_of(const char *text)
{
	struct ip ip = {0};
	assert_true(result_is_ok(ip_parse(str_from(text), &ip)));
	return ip;
}

static void add_host(struct cloud *c, size_t n)
{
	char name[8];
	snprintf(name, sizeof name, "h%zu", n);
	struct host_wish wish = {.name = str_from(name), .uri = STR("sim://"), .pool_path = STR("/pool")};
	cloud_ok(c, NULL, engine_add_host, &wish);
	c->hosts[n] = wish.host;
	c->host_count = n + 1;
}

static void add_way_out(struct cloud *c)
{
	struct external_network_wish wish = {.name = STR("internet"),
					     .physical_network = STR("physnet1"),
					     .next_hop = ip_of("198.51.100.1"),
					     .infra_first = ip_of("198.51.100.201"),
					     .infra_last = ip_of("198.51.100.254"),
					     .first = ip_of("198.51.100.10"),
					     .last = ip_of("198.51.100.200")};
	cloud_ok(c, NULL, engine_add_external_network, &wish);
	c->external_network = wish.external_network;
	struct external_ipv6_wish ipv6 = {.external_network =
						  cloud_ref(c, KIND_EXTERNAL_NETWORK, wish.external_network),
					  .pool = {{{0x20, 0x01, 0x0d, 0xb8, 0xd0}, IP_V6}, 48},
					  .next_hop = {{0xfe, 0x80, [15] = 1}, IP_V6}};
	cloud_ok(c, NULL, engine_set_external_ipv6, &ipv6);
}

static void add_account(struct cloud *c)
{
	struct account_wish wish = {.name = STR("alice"), .with_default_router = true};
	cloud_ok(c, NULL, engine_create_account, &wish);
	c->alice = (struct identity){.rights = RIGHTS_OF_MEMBER, .account = wish.account, .user = wish.user};
	c->router = wish.router;
	struct account_limits limits = account_limits_all(cloud_ref(c, KIND_ACCOUNT, wish.account), -1);
	cloud_ok(c, NULL, engine_set_limits, &limits);
}

static void add_image(struct cloud *c)
{
	struct image_import wish = {
		.name = STR("debian"),
		.is_public = true,
		.virtual_size = 2 * CLOUD_GIB,
		.file_size = CLOUD_GIB / 2,
		.sha256 = STR("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")};
	cloud_ok(c, NULL, engine_import_image, &wish);
	c->image = wish.image;
}

void cloud_start_empty(struct cloud *c)
{
	size_t hosts = c->host_count;
	remove_database(c);
	c->seed++;
	open_empty(c);
	for (size_t n = 0; n < hosts; n++)
		add_host(c, n);
	cloud_settle(c);
}

struct cloud *cloud_new(uint64_t seed, size_t hosts)
{
	struct cloud *c = cloud_new_empty(seed);
	add_way_out(c);
	for (size_t n = 0; n < hosts; n++)
		add_host(c, n);
	add_account(c);
	add_image(c);
	cloud_settle(c);
	return c;
}

void cloud_free(struct cloud *c)
{
	if (c->store)
		close_all(c);
	remove_directory(c);
	arena_free(c->arena);
	heap_free(c);
	sim_compute_reset();
	network_sim_reset();
	applied_reset();
	clock_set_us(0);
	random_set_seed(0);
}

void cloud_done(struct cloud *c)
{
	cloud_check(c);
	cloud_free(c);
}

/* ---- stepping ---- */

bool cloud_was_killed(const struct cloud *c)
{
	return !c->store;
}

/* False when nothing was left to do until then, or it is killed. */
static bool step_once(struct cloud *c, int64_t until_us)
{
	if (cloud_was_killed(c))
		return false;
	if (c->kill_at && c->steps >= c->kill_at) {
		cloud_kill(c);
		return false;
	}
	if (!executor_step(c->executor, until_us))
		return false;
	c->steps++;
	return true;
}

bool cloud_step_until(struct cloud *c, cloud_condition condition, const void *arg, int64_t limit_us)
{
	int64_t until_us = clock_now_us() + limit_us;
	while (!cloud_was_killed(c)) {
		if (condition(c, arg))
			return true;
		if (!step_once(c, until_us))
			return false;
	}
	return false;
}

void cloud_step_for(struct cloud *c, int64_t us)
{
	int64_t until_us = clock_now_us() + us;
	while (step_once(c, until_us))
		;
	if (!cloud_was_killed(c) && clock_now_us() < until_us)
		clock_set_us(until_us);
}

struct call {
	struct change change;
	bool is_done;
	struct result result;
};

static void call_done(struct change *change, struct result result)
{
	struct call *call = (struct call *) (void *) change; /* its first member */
	call->is_done = true;
	call->result = result;
}

RESULT cloud_call(struct cloud *c, const struct identity *who, op_run run, void *wish)
{
	ctx_init(&c->c, c->arena);
	engine_act_by_roles(&c->c, who);
	struct call call = {
		.change = {.run = run, .arg = wish, .ctx = &c->c, .done = call_done, .action = "test"}};
	store_submit(c->store, &call.change);
	while (!call.is_done && step_once(c, clock_now_us() + 1))
		;
	assert_true(call.is_done); /* at the latest by the kill */
	return cloud_was_killed(c) ? FAIL(GONE) : call.result;
}

void cloud_expect_at(struct cloud *c, struct result result, const char *file, int line)
{
	if (result_is_ok(result))
		return;
	fault_disarm();
	print_message("%s:%d: seed %llu: %s: %" STR_FMT "\n", file, line, (unsigned long long) c->seed,
		      err_name(result.code), STR_ARG(c->c.problem.message));
	_fail(file, line);
}

/* ---- conditions ---- */

/* Why the rows are not settled; NULL: they are. */
static const char *unsettled_row(const struct tables *t)
{
	for (const struct instance *i = instance_first(t); i; i = instance_next(t, i)) {
		bool is_on = i->seen_power == INSTANCE_SEEN_POWER_ON;
		if (i->seen_gen != (int64_t) i->row.gen)
			return "an instance's gen was not brought about";
		if (row_is_live(&i->row) &&
		    is_on != (engine_instance_power_wanted(t, i) == INSTANCE_WANTED_POWER_ON))
			return "an instance's power is not as wanted";
		if (!uuid_is_none(i->target))
			return "an instance is on its way to another host";
		if (row_is_live(&i->row) && i->migrating)
			return "an instance is to leave its host";
		if (row_is_live(&i->row) && is_on && i->seen_paused != i->wanted_pause)
			return "an instance's pause is not as wanted";
		if (row_is_live(&i->row) && i->seen_boots != i->wanted_boots)
			return "an instance's reboot is due";
		if (!row_is_live(&i->row) && i->seen_power != INSTANCE_SEEN_POWER_ABSENT)
			return "an instance is ending";
	}
	for (const struct volume *v = volume_first(t); v; v = volume_next(t, v))
		if (!row_is_live(&v->row) || v->seen_size < v->size)
			return "a volume is on its way";
	for (const struct volume *v = volume_first(t); v; v = volume_next(t, v))
		if (!uuid_equal(v->host, v->seen_host) || !uuid_is_none(v->left_host) || v->moves)
			return "a volume is on the move";
	for (const struct snapshot *s = snapshot_first(t); s; s = snapshot_next(t, s))
		if (!uuid_is_none(s->host))
			return "a snapshot is on its way";
	for (const struct port *p = port_first(t); p; p = port_next(t, p))
		if (!row_is_live(&p->row) || p->seen_gen != (int64_t) p->row.gen)
			return "a port is on its way";
	for (const struct address *a = address_first(t); a; a = address_next(t, a))
		if (!row_is_live(&a->row) || a->seen_gen != (int64_t) a->row.gen)
			return "an address is on its way";
	for (const struct nat_gateway *n = nat_gateway_first(t); n; n = nat_gateway_next(t, n))
		if (row_is_live(&n->row) ? n->seen_gen != (int64_t) n->row.gen : n->ended_us == 0)
			return "a NAT gateway is on its way";
	for (const struct peering *p = peering_first(t); p; p = peering_next(t, p))
		if (p->is_accepted && (row_is_live(&p->row) ? p->seen_gen != (int64_t) p->row.gen ||
								      p->peer_seen_gen != (int64_t) p->row.gen
							    : p->ended_us == 0))
			return "a peering is on its way";
	for (const struct transit_attachment *a = transit_attachment_first(t); a;
	     a = transit_attachment_next(t, a))
		if (row_is_live(&a->row) ? a->seen_gen != (int64_t) a->row.gen ||
						   a->router_seen_gen != (int64_t) a->row.gen
					 : a->ended_us == 0)
			return "an attachment to a transit gateway is on its way";
	for (const struct transit_gateway *g = transit_gateway_first(t); g; g = transit_gateway_next(t, g))
		if (row_is_live(&g->row) ? g->seen_gen != (int64_t) g->row.gen : g->ended_us == 0)
			return "a transit gateway is on its way";
	static const enum kind kinds[] = {KIND_SECURITY_GROUP, KIND_SUBNET, KIND_ROUTER, KIND_SECONDARY_IP};
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		for (const struct row *row = tables_first(t, kinds[k], 0, NULL, 0); row;
		     row = tables_next(t, kinds[k], 0, row, 0))
			if (!row_is_live(row))
				return "something deleted was not forgotten";
	for (const struct host *h = host_first(t); h; h = host_next(t, h))
		if (h->seen_state != HOST_SEEN_STATE_UP)
			return "a host is not up";
	return NULL;
}

static const char *why_unsettled(struct cloud *c)
{
	if (!reconciler_is_settled(c->reconciler))
		return "the reconciler is at work";
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return unsettled_row(view.tables);
}

bool cloud_is_settled(struct cloud *c, const void *unused)
{
	(void) unused;
	return why_unsettled(c) == NULL;
}

bool cloud_is_in_state(struct cloud *c, const void *cloud_state_)
{
	const struct cloud_state *wanted = cloud_state_;
	return cloud_state(c, wanted->instance) == wanted->state;
}

bool cloud_has_host_state(struct cloud *c, const void *host_state)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct host *h = host_first(view.tables);
	while (h && h->seen_state != *(const enum host_seen_state *) host_state)
		h = host_next(view.tables, h);
	return h != NULL;
}

static void say_conditions(struct cloud *c)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct condition *x = condition_first(view.tables); x; x = condition_next(view.tables, x))
		print_message("  condition %" STR_FMT " of a %s: %" STR_FMT "\n", STR_ARG(x->name),
			      model_kinds[x->subject_kind].name, STR_ARG(x->message));
}

static void fail_at(struct cloud *c, const char *what, const char *file, int line)
{
	fault_disarm();
	print_message("%s:%d: seed %llu: %s\n", file, line, (unsigned long long) c->seed, what);
	say_conditions(c);
	_fail(file, line);
}

void cloud_settle_at(struct cloud *c, const char *file, int line)
{
	if (!cloud_step_until(c, cloud_is_settled, NULL, SETTLE_US) && !cloud_was_killed(c))
		fail_at(c, why_unsettled(c), file, line);
}

void cloud_await_at(struct cloud *c, uuid instance, enum instance_state state, const char *file, int line)
{
	struct cloud_state wanted = {instance, state};
	if (!cloud_step_until(c, cloud_is_in_state, &wanted, SETTLE_US) && !cloud_was_killed(c))
		fail_at(c, model_instance_states[cloud_state(c, instance)].name, file, line);
}

/* ---- what has to hold in the end ---- */

struct answered {
	struct audit_run *run;
};

static bool is_answered(struct cloud *c, const void *arg)
{
	(void) c;
	return reconciler_audit_is_answered(((const struct answered *) arg)->run);
}

size_t cloud_audit(struct cloud *c, size_t awaited)
{
	struct answered a = {0};
	struct audit audit = {0};
	ctx_init(&c->c, c->arena);
	expect_ok(c, reconciler_begin_audit(c->reconciler, &c->c, clock_now_us() + MINUTE, &a.run));
	assert_true(cloud_step_until(c, is_answered, &a, 2 * MINUTE));
	reconciler_end_audit(a.run, &audit);
	for (size_t k = 0; audit.findings.count != awaited && k < audit.findings.count; k++)
		print_message("seed %llu: audit: %" STR_FMT "\n", (unsigned long long) c->seed,
			      STR_ARG(audit.findings.at[k].words));
	return audit.findings.count;
}

/* Prints the first line that a full look has changed in the network's record. */
static void check_reported(struct cloud *c, struct str before)
{
	struct str after = applied_read(c->arena), a, b;
	while (str_split_next(&before, '\n', &a) && str_split_next(&after, '\n', &b))
		if (!str_equal(a, b)) {
			print_message("seed %llu: the network was not told in time:\n%" STR_FMT "\n%" STR_FMT
				      "\n",
				      (unsigned long long) c->seed, STR_ARG(a), STR_ARG(b));
			assert_true(false);
		}
	assert_true(str_is_empty(before) && str_is_empty(after));
}

void cloud_check(struct cloud *c)
{
	struct store_figures before = {0}, after = {0};
	struct sim_counts sim = {0};
	fault_disarm();
	cloud_settle(c);
	int64_t wait_us = 0;
	for (int n = 0; n < KEPT_ROUNDS_MAX && (wait_us = kept_read_wait_us(c));
	     n++) { /* one may be due behind the other */
		cloud_step_for(c, wait_us);
		cloud_settle(c);
	}
	assert_int_equal(cloud_count_leaks(c), 0);
	store_read_figures(c->store, &before);
	struct str reported = applied_read(c->arena);
	cloud_step_for(c, CLOUD_QUIET_US);
	cloud_settle(c);
	store_read_figures(c->store, &after);
	assert_int_equal(after.commit, before.commit);
	assert_int_equal(cloud_count_leaks(c), 0);
	check_reported(c, reported);
	assert_int_equal(cloud_audit(c, 0), 0); /* compares with SQL, too */
	check_no_reference_dangles(&c->store->head);
	sim_compute_count(&sim);
	assert_int_equal(sim.hasty, 0);
}

/* ---- looking ---- */

struct instance cloud_instance(struct cloud *c, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct instance *i = instance_find(view.tables, instance);
	return i ? *i : (struct instance){0};
}

struct port cloud_port(struct cloud *c, uuid port)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct port *p = port_find(view.tables, port);
	return p ? *p : (struct port){0};
}

enum instance_state cloud_state(struct cloud *c, uuid instance)
{
	struct instance i = cloud_instance(c, instance);
	return model_derive_instance_state(&i);
}

struct str cloud_host_of(struct cloud *c, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct instance *i = instance_find(view.tables, instance);
	const struct host *h = i ? host_find(view.tables, i->host) : NULL;
	return h ? str_copy(c->arena, h->name) : STR_NONE;
}

struct cloud_guest cloud_guest(struct cloud *c, uuid instance)
{
	struct str host = cloud_host_of(c, instance);
	struct sim_host *s = host.n ? sim_need_host(host) : NULL;
	const struct sim_domain *d = s ? sim_find_domain(s, instance) : NULL;
	return d ? (struct cloud_guest){true, d->is_on, d->is_paused, d->boots} : (struct cloud_guest){0};
}

bool cloud_has_condition(struct cloud *c, uuid subject, const char *name)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return condition_find_by_subject(view.tables, subject, str_from(name)) != NULL;
}

uuid cloud_volume_of(struct cloud *c, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_first_by_instance(view.tables, instance);
	return v ? v->row.id : UUID_NONE;
}

uuid cloud_port_of(struct cloud *c, uuid instance)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct port *p = port_first_by_instance(view.tables, instance);
	return p ? p->row.id : UUID_NONE;
}

struct cloud_disk cloud_disk(struct cloud *c, uuid volume)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume none = {0}, *row = volume_find(view.tables, volume), *v = row ? row : &none;
	return (struct cloud_disk){v->zone, v->pool, v->host, v->seen_host, v->left_host, v->seen_instance};
}

size_t cloud_count(struct cloud *c, enum kind kind)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	return tables_count(view.tables, kind);
}

/* ---- requests of users ---- */

struct ref cloud_ref(struct cloud *c, enum kind kind, uuid id)
{
	return (struct ref){.kind = kind,
			    .prefix = id,
			    .bits = 128,
			    .text = uuid_to_str(c->arena, id),
			    .field = STR("Id")};
}

struct instance_launch cloud_launch_wish(struct cloud *c, int64_t count)
{
	return (struct instance_launch){.image = cloud_ref(c, KIND_IMAGE, c->image),
					.type = {.kind = KIND_INSTANCE_TYPE, .text = STR("t3.micro")},
					.min_count = count,
					.max_count = count};
}

uuid cloud_launch(struct cloud *c)
{
	struct instance_launch wish = cloud_launch_wish(c, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	return wish.made.at[0];
}

uuid cloud_launch_running(struct cloud *c)
{
	uuid id = cloud_launch(c);
	cloud_await(c, id, INSTANCE_RUNNING);
	cloud_settle(c);
	return id;
}

RESULT cloud_power(struct cloud *c, op_run run, uuid instance, bool force)
{
	struct ref ref = cloud_ref(c, KIND_INSTANCE, instance);
	struct instances_wish wish = {.instances = {&ref, 1}, .force = force};
	return cloud_call(c, &c->alice, run, &wish);
}

/* ---- stories ---- */

bool cloud_lived_to_settle(struct cloud *c)
{
	if (!cloud_was_killed(c))
		cloud_settle(c);
	return !cloud_was_killed(c);
}

bool cloud_was_answered_at(struct cloud *c, struct result result, const char *file, int line)
{
	if (cloud_was_killed(c))
		return false;
	cloud_expect_at(c, result, file, line);
	return true;
}

/* Seven is prime to the numbers of steps that stories count by seeds. */
uint64_t cloud_next_seed(uint64_t seed)
{
	return seed + (getenv("CLOUD_ALL_SEEDS") ? 1 : 7);
}

void cloud_tell(void (*story)(struct cloud *c), size_t hosts, uint64_t seeds)
{
	for (uint64_t seed = 1; seed <= seeds; seed = cloud_next_seed(seed)) {
		struct cloud *c = cloud_new(seed * 1000, hosts);
		story(c);
		cloud_done(c);
	}
}
