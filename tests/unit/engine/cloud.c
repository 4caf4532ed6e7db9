/* SPDX-License-Identifier: Apache-2.0
 * A small cloud for the engine's tests: setup, calls, dumps, and the comparison with SQL. */
#include "cloud.h"

#include "../store/dangling.h"
#include "database.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/random.h"
#include "model/access_key.h"
#include "model/host.h"
#include "model/states.h"
#include "store/address.h"
#include "store/condition.h"
#include "store/instance.h"
#include "store/internal.h"
#include "store/port.h"
#include "store/volume.h"

#define TEST_NOW_US (INT64_C(1700000000) * SECOND)

/* ---- a database that notes what is metered ---- */

struct spy {
	struct sql_driver base;
	struct sql_driver *inner;
	struct cloud *cloud;
};

static struct spy *spy_of(struct sql_driver *d)
{
	return (struct spy *) (void *) d;
}
static RESULT spy_open(struct sql_driver *d, struct ctx *c)
{
	return spy_of(d)->inner->open(spy_of(d)->inner, c);
}
static RESULT spy_load(struct sql_driver *d, struct ctx *c, enum kind kind,
		       RESULT (*each)(void *arg, const struct row *row), void *arg)
{
	return spy_of(d)->inner->load(spy_of(d)->inner, c, kind, each, arg);
}
static RESULT spy_begin(struct sql_driver *d, struct ctx *c)
{
	return spy_of(d)->inner->begin(spy_of(d)->inner, c);
}
static RESULT spy_put(struct sql_driver *d, struct ctx *c, enum kind kind, const struct row *row)
{
	return spy_of(d)->inner->put(spy_of(d)->inner, c, kind, row);
}
static RESULT spy_forget(struct sql_driver *d, struct ctx *c, enum kind kind, uuid id)
{
	return spy_of(d)->inner->forget(spy_of(d)->inner, c, kind, id);
}
static RESULT spy_add_event(struct sql_driver *d, struct ctx *c, const struct event *event)
{
	spy_of(d)->cloud->event_count++;
	return spy_of(d)->inner->add_event(spy_of(d)->inner, c, event);
}
static RESULT spy_add_usage(struct sql_driver *d, struct ctx *c, const struct usage *usage,
			    const struct ledger_record *subject)
{
	struct cloud *cloud = spy_of(d)->cloud;
	struct usage_seen *seen = &cloud->usage[cloud->usage_count % CLOUD_USAGE_MAX];
	cloud->usage_count++;
	seen->id = usage->id;
	seen->level = usage->level;
	snprintf(seen->meter, sizeof seen->meter, "%" STR_FMT, STR_ARG(usage->meter));
	return spy_of(d)->inner->add_usage(spy_of(d)->inner, c, usage, subject);
}
static RESULT spy_add_ledger(struct sql_driver *d, struct ctx *c, const struct ledger_record *record)
{
	return spy_of(d)->inner->add_ledger(spy_of(d)->inner, c, record);
}
static RESULT spy_read_ledger(struct sql_driver *d, struct ctx *c, const struct ledger_query *query,
			      sql_each_ledger each, void *arg)
{
	return spy_of(d)->inner->read_ledger(spy_of(d)->inner, c, query, each, arg);
}
static RESULT spy_read_last_stamp(struct sql_driver *d, struct ctx *c, int64_t *ret_us)
{
	return spy_of(d)->inner->read_last_stamp(spy_of(d)->inner, c, ret_us);
}
static RESULT spy_add_audit(struct sql_driver *d, struct ctx *c, const struct audit_record *audit)
{
	return spy_of(d)->inner->add_audit(spy_of(d)->inner, c, audit);
}
static RESULT spy_read_audit(struct sql_driver *d, struct ctx *c, int64_t after, size_t max, audit_each each,
			     void *arg)
{
	return spy_of(d)->inner->read_audit(spy_of(d)->inner, c, after, max, each, arg);
}
static RESULT spy_commit(struct sql_driver *d, struct ctx *c, uint64_t commit)
{
	return spy_of(d)->inner->commit(spy_of(d)->inner, c, commit);
}
static void spy_rollback(struct sql_driver *d)
{
	spy_of(d)->inner->rollback(spy_of(d)->inner);
}
static RESULT spy_read_commit(struct sql_driver *d, struct ctx *c, uint64_t *ret_commit)
{
	return spy_of(d)->inner->read_commit(spy_of(d)->inner, c, ret_commit);
}
static RESULT spy_read_events(struct sql_driver *d, struct ctx *c, const struct event_query *query,
			      RESULT (*each)(void *arg, const struct event *event), void *arg)
{
	return spy_of(d)->inner->read_events(spy_of(d)->inner, c, query, each, arg);
}
static RESULT spy_read_usage(struct sql_driver *d, struct ctx *c, const struct usage_query *query,
			     sql_each_usage each, void *arg)
{
	return spy_of(d)->inner->read_usage(spy_of(d)->inner, c, query, each, arg);
}
static void spy_close(struct sql_driver *d)
{
	spy_of(d)->inner->close(spy_of(d)->inner);
	heap_free(d);
}

static struct sql_driver *spy_new(struct cloud *c, struct sql_driver *inner)
{
	struct spy *spy = heap_new(struct spy);
	assert_non_null(spy);
	*spy = (struct spy){.base = {.open = spy_open,
				     .load = spy_load,
				     .begin = spy_begin,
				     .put = spy_put,
				     .forget = spy_forget,
				     .add_event = spy_add_event,
				     .add_usage = spy_add_usage,
				     .add_audit = spy_add_audit,
				     .commit = spy_commit,
				     .rollback = spy_rollback,
				     .read_commit = spy_read_commit,
				     .read_events = spy_read_events,
				     .read_usage = spy_read_usage,
				     .read_audit = spy_read_audit,
				     .close = spy_close,
				     .add_ledger = spy_add_ledger,
				     .read_ledger = spy_read_ledger,
				     .read_last_stamp = spy_read_last_stamp},
			    .inner = inner,
			    .cloud = c};
	return &spy->base;
}

int64_t cloud_usage(const struct cloud *c, uuid id, const char *meter)
{
	assert_true(c->usage_count <= CLOUD_USAGE_MAX);
	for (size_t n = c->usage_count; n > 0; n--)
		if (uuid_equal(c->usage[n - 1].id, id) && strcmp(c->usage[n - 1].meter, meter) == 0)
			return c->usage[n - 1].level;
	return -1;
}

/* ---- running ---- */

struct waiting {
	struct change change;
	bool is_done;
	struct result result;
};

static void waiting_done(struct change *change, struct result result)
{
	struct waiting *w = (struct waiting *) (void *) change;
	w->is_done = true;
	w->result = result;
}

void cloud_expect_at(struct cloud *c, struct result result, enum err err, int kind, const char *file,
		     int line)
{
	bool same = result.code == err && (err == ERR_NONE || c->c.problem.kind == kind);
	if (same)
		return;
	print_message("%s:%d: %s of kind %d, not %s of kind %d: %" STR_FMT "\n", file, line,
		      err_name(result.code), c->c.problem.kind, err_name(err), kind,
		      STR_ARG(c->c.problem.message));
	_fail(file, line);
}

const struct tables *cloud_tables(const struct cloud *c)
{
	return &c->store->head;
}

/* ---- looking at all of it ---- */

static void dump_row(struct cloud *c, struct buf *b, const struct kind_info *k, const struct row *row)
{
	char id[UUID_TEXT_SIZE];
	buf_print(b, "%s %s %llu %lld", k->name, uuid_write(row->id, id), (unsigned long long) row->gen,
		  (long long) row->deleted_us);
	for (unsigned n = 0; n < k->field_count; n++) {
		buf_print(b, " %s=", k->fields[n].name);
		buf_add_str(b, row_field_to_text(c->arena, &k->fields[n], row));
	}
	const int64_t *usage = row->usage;
	for (size_t n = 0; n < k->usage_size / sizeof *usage; n++)
		buf_print(b, " %lld", (long long) usage[n]);
	buf_add_char(b, '\n');
}

static void dump_rows(struct cloud *c, struct buf *b)
{
	buf_init(b, BUF_ANSWER_CAP);
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		for (const struct row *row = tables_first(cloud_tables(c), kind, 0, NULL, 0); row;
		     row = tables_next(cloud_tables(c), kind, 0, row, 0))
			dump_row(c, b, &model_kinds[kind], row);
	assert_true(result_is_ok(buf_finish(b)));
}

struct str cloud_dump(struct cloud *c)
{
	struct buf b;
	dump_rows(c, &b);
	struct str dump = str_copy(c->arena, buf_str(&b));
	buf_done(&b);
	return dump;
}

/* The operation failed and changed nothing. Dumps are too large for the arena of a test with many refusals. */
static void must_be_same(struct cloud *c, struct buf *before)
{
	struct buf after;
	dump_rows(c, &after);
	assert_true(str_equal(buf_str(before), buf_str(&after)));
	buf_done(&after);
}

RESULT cloud_run(struct cloud *c, const struct identity *who, op_run run, void *wish)
{
	struct buf before;
	if (!c->skips_dumps)
		dump_rows(c, &before);
	ctx_init(&c->c, c->arena);
	engine_act_by_roles(&c->c, who);
	c->c.request_id = STR("test");
	struct waiting w = {
		.change = {.run = run, .arg = wish, .ctx = &c->c, .done = waiting_done, .action = "test"}};
	store_submit(c->store, &w.change);
	while (executor_step(c->executor, clock_now_us() + 1))
		;
	assert_true(w.is_done);
	if (c->skips_dumps)
		return w.result;
	if (!result_is_ok(w.result))
		must_be_same(c, &before);
	buf_done(&before);
	return w.result;
}

/* Zeroes every figure, or counts every row anew. */
static void each_row(struct cloud *c,
		     void (*fn)(const struct tables *t, enum kind kind, const struct row *row))
{
	for (enum kind kind = 1; kind < KIND_COUNT; kind++)
		for (const struct row *row = tables_first(cloud_tables(c), kind, 0, NULL, 0); row;
		     row = tables_next(cloud_tables(c), kind, 0, row, 0))
			fn(cloud_tables(c), kind, row);
}

static void zero_usage(const struct tables *t, enum kind kind, const struct row *row)
{
	(void) t;
	if (row->usage)
		memset(row->usage, 0, model_kinds[kind].usage_size);
}

static void count_row(const struct tables *t, enum kind kind, const struct row *row)
{
	engine_observe(t, kind, NULL, row);
}

void cloud_check(struct cloud *c)
{
	struct str kept = cloud_dump(c);
	each_row(c, zero_usage);
	each_row(c, count_row);
	assert_true(str_equal(kept, cloud_dump(c)));
	check_no_reference_dangles(cloud_tables(c));
	ctx_init(&c->c, c->arena);
	cloud_expect(c, store_compare_with_sql(c->store, &c->c), ERR_NONE, KIND_NONE);
}

/* ---- references ---- */

struct ref ref_to(struct cloud *c, enum kind kind, uuid id)
{
	if (!model_kinds[kind].ec2_prefix[0])
		return (struct ref){.kind = kind,
				    .prefix = id,
				    .bits = 128,
				    .text = uuid_to_str(c->arena, id),
				    .field = STR("Id")};
	struct ref ref = {0};
	assert_true(result_is_ok(id_parse_ec2(id_to_ec2(c->arena, kind, id), kind, &ref)));
	ref.field = STR("Id");
	return ref;
}

struct ref ref_named(enum kind kind, const char *name)
{
	return (struct ref){.kind = kind, .text = str_from(name), .field = STR("Name")};
}

struct ref ref_association(struct cloud *c, const char *prefix, uuid id)
{
	struct ref ref = {0};
	assert_true(result_is_ok(id_parse_prefixed(id_to_prefixed(c->arena, prefix, id), prefix, &ref)));
	return ref;
}

struct refs refs_of(struct cloud *c, const struct ref *refs, size_t count)
{
	struct ref *copy = arena_new_array(c->arena, struct ref, count);
	memcpy(copy, refs, count * sizeof *refs);
	return (struct refs){copy, count};
}

struct ip ip_of(const char *text)
{
	struct ip ip = {0};
	assert_true(result_is_ok(ip_parse(str_from(text), &ip)));
	return ip;
}

struct cidr cidr_of(const char *text)
{
	struct cidr cidr = {0};
	assert_true(result_is_ok(cidr_parse(str_from(text), &cidr)));
	return cidr;
}

/* ---- making ---- */

void cloud_init(struct cloud *c)
{
	*c = (struct cloud){.arena = arena_new(ARENA_FIRST_SIZE, (size_t) 1 << 30)};
	assert_non_null(c->arena);
	ctx_init(&c->c, c->arena);
	clock_set_us(TEST_NOW_US);
	random_set_seed(7);
	log_set_level(LOG_ERROR + 1); /* errors are made on purpose here */
	c->executor = executor_new_stepped(1);
	assert_non_null(c->executor);
	c->operator=(struct identity){.is_operator = true};
	struct store_config config = {.executor = c->executor,
				      .observe = engine_observe,
				      .check = engine_check_row,
				      .follow = engine_follow};
	cloud_expect(c, database_open(&c->c, NULL, &config.sql), ERR_NONE, KIND_NONE);
	config.sql = spy_new(c, config.sql);
	cloud_expect(c, store_open(&c->c, &config, &c->store), ERR_NONE, KIND_NONE);
}

static struct identity make_account(struct cloud *c, const char *name, const char *key_id, uuid *ret_router)
{
	struct access_key key = {
		.row.id = id_new(KIND_ACCESS_KEY), .key_id = str_from(key_id), .secret = STR("sealed")};
	struct account_wish wish = {.name = str_from(name), .key = &key, .with_default_router = true};
	cloud_ok(c, &c->operator, engine_create_account, &wish);
	*ret_router = wish.router;
	return (struct identity){.scope = IDENTITY_ACCOUNT,
				 .rights = RIGHTS_OF_MEMBER,
				 .account = wish.account,
				 .domain = DOMAIN_DEFAULT,
				 .user = wish.user,
				 .account_number = wish.number,
				 .user_name = STR("root")};
}

static void make_host(struct cloud *c, size_t n)
{
	static const char *const names[CLOUD_HOSTS] = {"h1", "h2", "h3"};
	struct host_wish wish = {.name = str_from(names[n]),
				 .zone = ref_named(KIND_ZONE, n < 2 ? "xy-west-2a" : "xy-west-2b"),
				 .uri = STR("sim://"),
				 .pool_path = STR("/pool"),
				 .overcommit_percent = 200,
				 .reserved_memory = GIB};
	cloud_ok(c, &c->operator, engine_add_host, &wish);
	c->hosts[n] = wish.host;
	struct host_report report = {.host = wish.host,
				     .state = HOST_SEEN_STATE_UP,
				     .has_facts = true,
				     .cpus = 8,
				     .memory = 17 * GIB,
				     .disk = 200 * GIB,
				     .virt = HOST_SEEN_VIRT_KVM,
				     .version = STR("9.0"),
				     .boot_id = STR("boot-1")};
	cloud_ok(c, NULL, engine_see_host, &report);
}

static void make_outside(struct cloud *c)
{
	struct external_network_wish network = {.name = STR("internet"),
						.physical_network = STR("physnet1"),
						.next_hop = ip_of("198.51.100.1"),
						.infra_first = ip_of("198.51.100.2"),
						.infra_last = ip_of("198.51.100.9"),
						.first = ip_of("198.51.100.10"),
						.last = ip_of("198.51.100.19")};
	cloud_ok(c, &c->operator, engine_add_external_network, &network);
	c->external_network = network.external_network;
}

static void make_region(struct cloud *c, bool has_outside)
{
	static const struct str zones[] = {{"xy-west-2a", 10}, {"xy-west-2b", 10}};
	struct region_wish region = {.name = STR("xy-west-2"), .zones = {zones, 2}};
	cloud_ok(c, &c->operator, engine_bootstrap_region, &region);
	if (has_outside)
		make_outside(c);
	for (size_t n = 0; n < CLOUD_HOSTS; n++)
		make_host(c, n);
	struct image_import image = {.name = STR("debian"),
				     .is_public = true,
				     .virtual_size = 2 * GIB,
				     .file_size = GIB / 2,
				     .sha256 = STR("abcd")};
	cloud_ok(c, &c->operator, engine_import_image, &image);
	c->image = image.image;
	c->snapshot = image.snapshot;
}

static void make(struct cloud *c, bool has_outside)
{
	cloud_init(c);
	make_region(c, has_outside);
	c->alice = make_account(c, "alice", "AKIAALICE", &c->alice_router);
	c->bob = make_account(c, "bob", "AKIABOB", &c->bob_router);
	struct key_pair_wish key = {
		.name = STR("key"), .public_key = STR("ssh-rsa AAAA"), .fingerprint = STR("aa:bb")};
	cloud_ok(c, &c->alice, engine_create_key_pair, &key);
}

void cloud_make(struct cloud *c)
{
	make(c, true);
}

void cloud_make_inside(struct cloud *c)
{
	make(c, false);
}

void cloud_done(struct cloud *c)
{
	if (!c->skips_dumps)
		cloud_check(c);
	store_close(TAKE(c->store));
	executor_free(TAKE(c->executor));
	arena_free(TAKE(c->arena));
	clock_set_us(0);
	random_set_seed(0);
}

int cloud_setup(void **state)
{
	struct cloud *c = heap_new(struct cloud);
	cloud_make(c);
	*state = c;
	return 0;
}

int cloud_teardown(void **state)
{
	struct cloud *c = *state;
	cloud_done(c);
	heap_free(c);
	return 0;
}

/* ---- instances ---- */

struct instance_launch cloud_launch(struct cloud *c, int64_t count)
{
	return (struct instance_launch){.image = ref_to(c, KIND_IMAGE, c->image),
					.type = ref_named(KIND_INSTANCE_TYPE, "t3.micro"),
					.min_count = count,
					.max_count = count};
}

uuid cloud_launch_one(struct cloud *c)
{
	struct instance_launch wish = cloud_launch(c, 1);
	cloud_ok(c, &c->alice, engine_create_instances, &wish);
	assert_int_equal(wish.made.count, 1);
	return wish.made.at[0];
}

const struct instance *cloud_instance(const struct cloud *c, uuid id)
{
	return instance_find(cloud_tables(c), id);
}

enum instance_state cloud_state(const struct cloud *c, uuid id)
{
	return model_derive_instance_state(cloud_instance(c, id));
}

void cloud_see(struct cloud *c, uuid instance, enum instance_seen_power power)
{
	const struct instance *i = cloud_instance(c, instance);
	struct instance_report report = {.instance = instance,
					 .gen = i->row.gen,
					 .reached = true,
					 .boots = i->wanted_boots,
					 .power = power,
					 .boot_id = STR("boot-1")};
	cloud_ok(c, NULL, engine_see_instance, &report);
}

void cloud_see_off(struct cloud *c, uuid instance, enum instance_off why)
{
	struct instance_report report = {.instance = instance,
					 .gen = cloud_instance(c, instance)->row.gen,
					 .power = INSTANCE_SEEN_POWER_OFF,
					 .off = why};
	cloud_ok(c, NULL, engine_see_instance, &report);
}

const struct port *cloud_port(const struct cloud *c, uuid instance)
{
	return port_find_by_instance(cloud_tables(c), instance, 0);
}

uuid cloud_make_volume(struct cloud *c, int64_t size)
{
	struct volume_wish wish = {.zone = ref_named(KIND_ZONE, "xy-west-2a"),
				   .name = STR("data"),
				   .disk = {.size = size, .type = STR("gp3"), .field = STR("Size")}};
	cloud_ok(c, &c->alice, engine_create_volume, &wish);
	return wish.volume;
}

void cloud_see_volume(struct cloud *c, uuid volume)
{
	const struct volume *v = volume_find(cloud_tables(c), volume);
	struct volume_report report = {
		.volume = volume, .gen = v->row.gen, .host = v->host, .size = v->size, .reverts = v->reverts};
	cloud_ok(c, NULL, engine_see_volume, &report);
}

const struct volume *cloud_volume(const struct cloud *c, uuid instance)
{
	return volume_find_by_instance(cloud_tables(c), instance, 0);
}

const struct condition *cloud_condition(const struct cloud *c, uuid subject, const char *name)
{
	return condition_find_by_subject(cloud_tables(c), subject, str_from(name));
}

const struct address *cloud_address(const struct cloud *c, uuid instance)
{
	const struct port *port = cloud_port(c, instance);
	const struct address *a = port ? address_first_by_port(cloud_tables(c), port->row.id) : NULL;
	while (a && !row_is_live(&a->row))
		a = address_next_by_port(cloud_tables(c), a);
	return a;
}
