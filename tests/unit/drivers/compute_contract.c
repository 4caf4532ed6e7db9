/* SPDX-License-Identifier: Apache-2.0
 * Tests of the compute contract. Each opens the host anew and leaves nothing behind. */
#include "compute_contract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "model/host.h"
#include "model/id.h"
#include "model/instance.h"
#include "model/processor.h"

#define MIB (INT64_C(1) << 20)
/* Looks, a tenth of a second apart, as a bound against hanging. A guest boots within ten seconds, or a minute where
 * QEMU emulates it; on a busy machine it takes whatever it takes. */
#define PATIENCE 18000

/* ---- the scene */

uuid contract_region(void)
{
	return (uuid){{0xda, 0x21, 0x00, 0x77, 1, 2, 0x43, 4, 0x85, 6, 7, 8, 9, 10, 11, 12}};
}

void contract_rest_ms(int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

void scene_check(struct scene *s, struct result r, enum err expected, const char *what, int line)
{
	if (r.code != expected)
		fail_msg("line %d: %s: %s instead of %s: %" STR_FMT, line, what, err_name(r.code),
			 err_name(expected), STR_ARG(s->c.problem.message));
	if (expected != ERR_NONE)
		assert_true(s->c.problem.message.n > 0);
	ctx_clear_problem(&s->c);
}

struct result scene_open_pool(struct ctx *c, uuid region, struct disk_host **ret_pool)
{
	return subject.open_pool ? subject.open_pool(c, region, ret_pool)
				 : subject.disks->open_host(c, region, &subject.host, ret_pool);
}

static bool open_both(struct scene *s)
{
	struct result r = subject.driver->open_host(NULL, &s->c, contract_region(), &subject.host, &s->h);
	if (result_is_ok(r))
		r = scene_open_pool(&s->c, contract_region(), &s->pool);
	if (result_is_ok(r))
		r = subject.disks->enter(s->pool, &s->c, subject.directory);
	if (result_is_ok(r))
		return true;
	subject.driver->close_host(s->h);
	s->h = NULL;
	return false;
}

void scene_reopen(struct scene *s)
{
	subject.driver->close_host(s->h);
	subject.disks->close_host(s->pool);
	s->h = NULL;
	s->pool = NULL;
	for (int tries = 0; tries < PATIENCE; tries++) {
		ctx_clear_problem(&s->c);
		if (open_both(s))
			return;
		contract_rest_ms(100);
	}
	fail_msg("open: %" STR_FMT, STR_ARG(s->c.problem.message));
}

struct scene scene_open(void)
{
	struct scene s = {.arena = arena_new(ARENA_FIRST_SIZE, 64 * MIB)};
	assert_non_null(s.arena);
	ctx_init(&s.c, s.arena);
	s.c.epoch = 4; /* a region with several writers: each act claims its domain */
	s.files[0] = (struct disk_spec){.volume = id_new(KIND_VOLUME),
					.size = 128 * MIB,
					.base_sha256 = subject.image_sha256,
					.base_file_size = subject.image_file_size};
	s.files[1] = (struct disk_spec){.volume = id_new(KIND_VOLUME), .size = 8 * MIB};
	s.disks[0] = (struct compute_disk){.volume = s.files[0].volume, .size = 128 * MIB};
	s.disks[1] = (struct compute_disk){.volume = s.files[1].volume, .size = 8 * MIB, .slot = 1};
	s.disks[0].directory = s.disks[1].directory = subject.directory;
	s.nics[0] = (struct compute_nic){.port = id_new(KIND_PORT), .mac = {{2, 0, 0, 7, 7, 7}}, .mtu = 1442};
	s.nics[1] = (struct compute_nic){
		.port = id_new(KIND_PORT), .mac = {{2, 0, 0, 7, 7, 8}}, .mtu = 1442, .slot = 1};
	s.disks[0].ceph = s.disks[1].ceph = subject.ceph;
	uuid id = id_new(KIND_INSTANCE);
	s.wish = (struct compute_domain){.id = id,
					 .name = id_to_ec2(s.arena, KIND_INSTANCE, id),
					 .vcpus = 1,
					 .memory = 128 * MIB,
					 .personality = INSTANCE_PERSONALITY_EC2,
					 .disk_count = 1,
					 .nic_count = 1};
	scene_reopen(&s);
	return s;
}

int64_t scene_make_disk(struct scene *s, const struct disk_spec *wish)
{
	struct disk_seen seen = {.lacks_base = true};
	struct disk_name base = {.kind = DISK_BASE, .sha256 = wish->base_sha256};
	for (int tries = 0; tries < 100 && seen.lacks_base; tries++) {
		struct disk_copy copy = {.path = subject.image_path, .size = wish->base_file_size};
		EXPECT_SOON(s, subject.disks->ensure(s->pool, &s->c, wish, &seen));
		if (seen.lacks_base)
			EXPECT(s, ERR_NONE, subject.disks->push(s->pool, &s->c, &base, &copy));
	}
	assert_false(seen.lacks_base);
	return seen.size;
}

void scene_delete_disk(struct scene *s, uuid volume)
{
	struct disk_name name = {.kind = DISK_VOLUME, .id = volume};
	EXPECT(s, ERR_NONE, subject.disks->remove(s->pool, &s->c, &name));
}

const struct disk_item *scene_find_disk(struct scene *s, enum disk_kind kind, uuid id)
{
	struct disk_inventory all = {0};
	EXPECT(s, ERR_NONE, subject.disks->list(s->pool, &s->c, &all));
	for (size_t k = 0; k < all.count; k++)
		if (all.at[k].name.kind == kind && uuid_equal(all.at[k].name.id, id))
			return &all.at[k];
	return NULL;
}

/* The wish points into the scene, which is returned by value: set whenever it is used. */
static const struct compute_domain *wish_of(struct scene *s)
{
	s->wish.disks = s->disks;
	s->wish.nics = s->nics;
	return &s->wish;
}

void scene_close(struct scene *s)
{
	subject.driver->close_host(s->h);
	subject.disks->close_host(s->pool);
	arena_free(s->arena);
}

struct compute_seen scene_see(struct scene *s)
{
	struct compute_seen seen = {0};
	EXPECT(s, ERR_NONE, subject.driver->see(s->h, &s->c, wish_of(s), &seen));
	return seen;
}

struct compute_seen scene_await_off(struct scene *s)
{
	struct compute_seen seen = {0};
	for (int tries = 0; tries < PATIENCE; tries++) {
		seen = scene_see(s);
		if (seen.power != INSTANCE_SEEN_POWER_ON)
			return seen;
		contract_rest_ms(100);
	}
	fail_msg("it did not go off");
	return seen;
}

void scene_await_console(struct scene *s, const char *words)
{
	struct str text = STR_NONE;
	int64_t at_us = 0;
	for (int tries = 0; tries < PATIENCE; tries++) {
		EXPECT(s, ERR_NONE,
		       subject.driver->read_console(s->h, &s->c, s->wish.id, 65536, &text, &at_us));
		if (str_contains(text, str_from(words)) && at_us > 0)
			return;
		contract_rest_ms(100);
	}
	fail_msg("the console does not say \"%s\": %" STR_FMT, words, STR_ARG(text));
}

static const char *boot_words(void)
{
	return str_is(str_from(subject.driver->scheme), "sim") ? "simulated" : "dari-tiny: ready";
}

/* Boots that the guest printed on its console. */
static size_t count_boots(struct scene *s)
{
	size_t count = 0;
	struct str text = STR_NONE, line = STR_NONE;
	int64_t at_us = 0;
	EXPECT(s, ERR_NONE, subject.driver->read_console(s->h, &s->c, s->wish.id, 65536, &text, &at_us));
	while (str_split_next(&text, '\n', &line))
		count += str_contains(line, str_from(boot_words()));
	return count;
}

void scene_make_on(struct scene *s)
{
	scene_make_disk(s, &s->files[0]);
	EXPECT(s, ERR_NONE, subject.driver->define(s->h, &s->c, wish_of(s)));
	EXPECT(s, ERR_NONE, subject.driver->set_power(s->h, &s->c, s->wish.id, COMPUTE_START));
}

void scene_make_blank_on(struct scene *s)
{
	s->files[0].base_sha256 = STR_NONE;
	s->files[0].base_file_size = 0;
	scene_make_on(s);
}

void scene_make_still(struct scene *s)
{
	scene_make_on(s);
	EXPECT(s, ERR_NONE, subject.driver->set_power(s->h, &s->c, s->wish.id, COMPUTE_PAUSE));
}

void scene_boot(struct scene *s)
{
	scene_make_on(s);
	scene_await_console(s, boot_words());
}

void scene_reach_init(struct scene *s)
{
	scene_make_on(s);
	scene_await_console(s,
			    str_is(str_from(subject.driver->scheme), "sim") ? boot_words() : "dari-tiny: ");
}

void scene_clear(struct scene *s)
{
	EXPECT(s, ERR_NONE, subject.driver->set_power(s->h, &s->c, s->wish.id, COMPUTE_FORCE_OFF));
	EXPECT(s, ERR_NONE, subject.driver->undefine(s->h, &s->c, s->wish.id));
	for (size_t k = 0; k < 2; k++)
		scene_delete_disk(s, s->disks[k].volume);
	assert_int_equal(scene_see(s).power, INSTANCE_SEEN_POWER_ABSENT);
}

static const struct compute_item *find_item(struct scene *s, uuid id)
{
	struct compute_inventory all = {0};
	EXPECT(s, ERR_NONE, subject.driver->list(s->h, &s->c, &all));
	for (size_t k = 0; k < all.count; k++)
		if (uuid_equal(all.at[k].id, id))
			return &all.at[k];
	return NULL;
}

/* ---- cases */

static void test_probe(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct compute_facts a = {0}, b = {0};
	EXPECT(&s, ERR_NONE, subject.driver->probe(s.h, &s.c, &a));
	assert_true(a.cpus > 0 && a.memory > 64 * MIB && a.disk > 64 * MIB);
	assert_int_not_equal(a.virt, HOST_SEEN_VIRT_UNKNOWN);
	assert_true(a.virt == HOST_SEEN_VIRT_KVM || a.virt_reason.n > 0);
	assert_true(a.boot_id.n > 0 && a.version.n > 0);
	print_message("%" STR_FMT "; %s %" STR_FMT "\n", STR_ARG(a.version), host_seen_virt_words[a.virt],
		      STR_ARG(a.virt_reason));
	scene_reopen(&s);
	EXPECT(&s, ERR_NONE, subject.driver->probe(s.h, &s.c, &b));
	assert_true(str_equal(a.cpu, b.cpu) && processor_covers(a.cpu, b.cpu));
	assert_true(a.machine.n > 0 && str_contains(a.machines, a.machine));
	assert_true(str_equal(a.boot_id, b.boot_id));
	assert_int_equal(a.virt, b.virt);
	scene_close(&s);
}

static void test_define(void **state)
{
	(void) state;
	struct scene s = scene_open();
	assert_int_equal(scene_see(&s).power, INSTANCE_SEEN_POWER_ABSENT);
	EXPECT(&s, ERR_NOT_FOUND, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	struct compute_seen seen = scene_see(&s);
	assert_int_equal(seen.power, INSTANCE_SEEN_POWER_OFF);
	assert_true(seen.defined_as_wished);
	EXPECT(&s, ERR_IO,
	       subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START)); /* it has no disk */
	s.wish.memory = 192 * MIB;
	assert_false(scene_see(&s).defined_as_wished);
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	assert_true(scene_see(&s).defined_as_wished);
	s.wish.disk_count = 2;
	assert_false(scene_see(&s).defined_as_wished);
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	assert_true(scene_see(&s).defined_as_wished);
	EXPECT(&s, ERR_STATE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_RESET));
	assert_non_null(find_item(&s, s.wish.id));
	scene_clear(&s);
	EXPECT(&s, ERR_NONE, subject.driver->undefine(s.h, &s.c, s.wish.id));
	assert_null(find_item(&s, s.wish.id));
	scene_close(&s);
}

/* The drive's content may change while the guest runs; define() then reports no pending change. */
static void test_drive(void **state)
{
	(void) state;
	static const struct compute_file files[] = {
		{STR("openstack/latest/meta_data.json"), STR("{}")},
		{STR("openstack/latest/user_data"), STR("")},
	};
	struct scene s = scene_open();
	s.wish.has_drive = true;
	s.wish.drive = (struct compute_files){files, 2};
	scene_make_blank_on(&s);
	s.wish.drive.count = 1;
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	struct compute_seen seen = scene_see(&s);
	assert_true(seen.defined_as_wished && seen.devices_as_wished);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	s.wish.has_drive = false;
	assert_false(scene_see(&s).defined_as_wished);
	scene_clear(&s);
	scene_close(&s);
}

/* The manifest comes back as it was given, and is no reason by itself to define anew. */
static void test_manifest(void **state)
{
	(void) state;
	static const struct str manifests[] = {STR("{\"a\":\"<b> & 'c' ]]> \\\\ d\u00e9\"}"), STR("plain"),
					       STR("")};
	struct scene s = scene_open();
	for (size_t k = 0; k < sizeof manifests / sizeof manifests[0]; k++) {
		s.wish.manifest = manifests[k];
		EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
		EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
		assert_true(str_equal(find_item(&s, s.wish.id)->manifest, manifests[k]));
		s.wish.manifest = STR("another");
		assert_true(scene_see(&s).defined_as_wished);
	}
	s.wish.manifest = manifests[0];
	scene_make_blank_on(&s);
	s.wish.manifest = manifests[1]; /* while it runs, too */
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	const struct compute_item *item = find_item(&s, s.wish.id);
	assert_true(str_equal(item->manifest, manifests[1]));
	assert_int_equal(item->power, INSTANCE_SEEN_POWER_ON);
	scene_clear(&s);
	scene_close(&s);
}

static void test_power(void **state)
{
	(void) state;
	struct scene s = scene_open();
	scene_make_blank_on(&s);
	assert_int_equal(scene_see(&s).power, INSTANCE_SEEN_POWER_ON);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	EXPECT(&s, ERR_STATE, subject.driver->undefine(s.h, &s.c, s.wish.id));
	assert_int_equal(find_item(&s, s.wish.id)->power, INSTANCE_SEEN_POWER_ON);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_RESET));
	assert_int_equal(scene_see(&s).power, INSTANCE_SEEN_POWER_ON);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	struct compute_seen seen = scene_see(&s);
	assert_int_equal(seen.power, INSTANCE_SEEN_POWER_OFF);
	assert_int_equal(seen.off, COMPUTE_OFF_DESTROYED);
	EXPECT(&s, ERR_NONE,
	       subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_SHUTDOWN)); /* it is off */
	scene_clear(&s);
	scene_close(&s);
}

/* Standing still it is on, and is known to stand still; it goes on where it was. */
static void test_pause(void **state)
{
	(void) state;
	struct scene s = scene_open();
	EXPECT(&s, ERR_NOT_FOUND, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_PAUSE));
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	EXPECT(&s, ERR_STATE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_PAUSE));
	scene_make_blank_on(&s);
	assert_false(scene_see(&s).is_paused);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_PAUSE));
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_PAUSE));
	struct compute_seen seen = scene_see(&s);
	assert_true(seen.power == INSTANCE_SEEN_POWER_ON && seen.is_paused && !seen.is_io_paused);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	assert_false(scene_see(&s).is_paused);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_PAUSE));
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	assert_false(scene_see(&s).is_paused);
	scene_clear(&s);
	scene_close(&s);
}

/* Repeated shutdown requests succeed at any moment while the guest shuts down. */
static void check_shutdown(struct scene *s)
{
	for (int tries = 0; tries < 100 * PATIENCE && scene_see(s).power == INSTANCE_SEEN_POWER_ON; tries++) {
		EXPECT(s, ERR_NONE, subject.driver->set_power(s->h, &s->c, s->wish.id, COMPUTE_SHUTDOWN));
		contract_rest_ms(1);
	}
	assert_int_equal(scene_await_off(s).off, COMPUTE_OFF_GUEST);
}

/* The memory is restored: the guest does not boot again, and still reacts to a shutdown. */
static void test_save(void **state)
{
	(void) state;
	struct scene s = scene_open();
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_SAVE));
	s.wish.nic_count = 0; /* the guest waits for its lease, which nobody gives it here */
	scene_boot(&s);
	size_t booted = count_boots(&s);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_SAVE));
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_SAVE));
	struct compute_seen seen = scene_see(&s);
	assert_true(seen.power == INSTANCE_SEEN_POWER_OFF && seen.is_saved);
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	assert_true(scene_see(&s).is_saved);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	seen = scene_see(&s);
	assert_true(seen.power == INSTANCE_SEEN_POWER_ON && !seen.is_saved && !seen.is_paused);
	contract_rest_ms(500);
	assert_int_equal(count_boots(&s), booted);
	check_shutdown(&s);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_SAVE));
	assert_true(scene_see(&s).is_saved);
	EXPECT(&s, ERR_NONE, subject.driver->undefine(s.h, &s.c, s.wish.id)); /* with its saved memory */
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	assert_false(scene_see(&s).is_saved);
	scene_clear(&s);
	scene_close(&s);
}

/* Reads on until it hears the words; NULL: until the end. */
static void hear_console(int fd, const char *words)
{
	static char heard[64 * 1024];
	struct timeval patience = {.tv_sec = 600};
	(void) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	(void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	for (size_t size = 0; size < sizeof heard;) {
		ssize_t n = recv(fd, heard + size, sizeof heard - size, 0);
		if (n <= 0 && !words && (n == 0 || errno == ECONNRESET))
			return;
		if (n <= 0)
			fail_msg("the console %s", words ? "ended, or was silent" : "does not end");
		size += (size_t) n;
		if (words && str_contains((struct str){heard, size}, str_from(words)))
			return;
	}
	fail_msg("the console says too much");
}

static bool is_one_colour(const struct picture *p)
{
	for (size_t k = 3; k < 3 * p->width * p->height; k++)
		if (p->rgb[k] != p->rgb[k - 3])
			return false;
	return true;
}

static void check_screen(struct scene *s)
{
	const struct compute_driver *d = subject.driver;
	AUTO(picture) screen = NULL;
	AUTO(picture) woken = NULL;
	EXPECT(s, ERR_NONE, d->draw_screen(s->h, &s->c, s->wish.id, false, &screen));
	assert_true(screen->width >= 640 && screen->height >= 350);
	assert_false(is_one_colour(screen));
	EXPECT(s, ERR_NONE, d->draw_screen(s->h, &s->c, s->wish.id, true, &woken));
	assert_false(is_one_colour(woken));
}

/* Statistics: all processors, the disks and NICs, and memory up to the allowed maximum. */
static void check_stats(struct scene *s)
{
	struct compute_stats stats;
	EXPECT(s, ERR_NONE, subject.driver->read_stats(s->h, &s->c, s->wish.id, &stats));
	assert_int_equal(stats.cpu_count, s->wish.vcpus);
	assert_true(stats.disk_count >= s->wish.disk_count && stats.disk_count > 0);
	assert_true(stats.disks[0].name.n > 0);
	assert_int_equal(stats.nic_count, s->wish.nic_count);
	assert_true(stats.memory > 0 && stats.memory_max == s->wish.memory);
}

/* The guest's entry in the usage of all guests, or NULL. */
static const struct compute_usage *find_usage(struct scene *s, struct compute_usages *usages)
{
	EXPECT(s, ERR_NONE, subject.driver->read_usages(s->h, &s->c, usages));
	for (size_t k = 0; k < usages->count; k++)
		if (uuid_equal(usages->at[k].id, s->wish.id))
			return &usages->at[k];
	return NULL;
}

static void check_usages(struct scene *s)
{
	struct compute_usages before = {0}, after = {0};
	const struct compute_usage *first = find_usage(s, &before), *second = find_usage(s, &after);
	assert_non_null(first);
	assert_non_null(second);
	assert_int_equal(first->cpus, s->wish.vcpus);
	assert_true(first->memory > 0 && second->cpu_ns >= first->cpu_ns);
	assert_true(after.host.cpus > 0 && after.host.memory > 0 && after.host.cpu_ns >= before.host.cpu_ns);
}

static void check_no_stats(struct scene *s)
{
	struct compute_stats stats;
	struct compute_usages usages = {0};
	EXPECT(s, ERR_STATE, subject.driver->read_stats(s->h, &s->c, s->wish.id, &stats));
	assert_null(find_usage(s, &usages));
}

static void check_no_screen(struct scene *s, bool wake)
{
	struct picture *none = NULL;
	EXPECT(s, ERR_STATE, subject.driver->draw_screen(s->h, &s->c, s->wish.id, wake, &none));
	assert_null(none);
}

static void end_as(struct scene *s, enum compute_off why)
{
	contract_rest_ms(300);
	subject.end_guest(s->h, s->wish.id, why);
	assert_int_equal(scene_await_off(s).off, why);
}

/* Interactive consoles: serial ports, the display, and a screenshot. */
static void test_consoles(void **state)
{
	(void) state;
	struct scene s = scene_open();
	int first = -1, second = -1, display = -1;
	const struct compute_driver *d = subject.driver;
	EXPECT(&s, ERR_STATE, d->open_console(s.h, &s.c, s.wish.id, CONSOLE_SERIAL, NULL));
	check_no_screen(&s, false);
	check_no_stats(&s);
	s.wish.nic_count = 0; /* the guest waits for its lease, which nobody gives it here */
	scene_boot(&s);
	check_screen(&s);
	check_stats(&s);
	check_usages(&s);
	EXPECT(&s, ERR_NONE, d->open_console(s.h, &s.c, s.wish.id, CONSOLE_SERIAL, NULL));
	EXPECT(&s, ERR_NONE, d->open_console(s.h, &s.c, s.wish.id, CONSOLE_SERIAL, &first));
	assert_int_equal(send(first, "echo he''llo\r", 13, 0), 13);
	hear_console(first, str_is(str_from(d->scheme), "sim") ? "echo he''llo\r\n" : "hello");
	EXPECT(&s, ERR_NONE, d->open_console(s.h, &s.c, s.wish.id, CONSOLE_SERIAL, &second));
	hear_console(first, NULL);
	EXPECT(&s, ERR_NONE, d->open_console(s.h, &s.c, s.wish.id, CONSOLE_DISPLAY, NULL));
	EXPECT(&s, ERR_NONE, d->open_console(s.h, &s.c, s.wish.id, CONSOLE_DISPLAY, &display));
	hear_console(display, "RFB 003.008\n");
	end_as(&s, COMPUTE_OFF_GUEST);
	hear_console(second, NULL);
	hear_console(display, NULL);
	fd_autoclose(&second);
	fd_autoclose(&display);
	EXPECT(&s, ERR_NONE, d->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	EXPECT(&s, ERR_NONE, d->open_console(s.h, &s.c, s.wish.id, CONSOLE_SERIAL, &second));
	EXPECT(&s, ERR_NONE, d->open_console(s.h, &s.c, s.wish.id, CONSOLE_DISPLAY, &display));
	EXPECT(&s, ERR_NONE, d->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	hear_console(second, NULL);
	hear_console(display, NULL);
	EXPECT(&s, ERR_STATE, d->open_console(s.h, &s.c, s.wish.id, CONSOLE_SERIAL, &first));
	check_no_screen(&s, true);
	fd_autoclose(&first);
	fd_autoclose(&second);
	fd_autoclose(&display);
	scene_clear(&s);
	scene_close(&s);
}

/* test_consoles has the guest end it itself. */
static void test_ends(void **state)
{
	(void) state;
	struct scene s = scene_open();
	scene_make_blank_on(&s);
	end_as(&s, COMPUTE_OFF_CRASHED);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	end_as(&s, COMPUTE_OFF_DESTROYED);
	scene_clear(&s);
	scene_close(&s);
}

/* ---- plugging */

static _Atomic int told, told_of_loss;

static void note_change(void *arg, uuid id)
{
	if (uuid_is_none(id))
		told_of_loss++;
	else if (uuid_equal(id, *(const uuid *) arg))
		told++;
}

static void await_told(int times)
{
	for (int tries = 0; tries < PATIENCE && told < times; tries++)
		contract_rest_ms(100);
	assert_true(told >= times);
}

/* A booting guest misses the request, so it is repeated. */
static struct compute_seen await_devices(struct scene *s)
{
	struct compute_seen seen = {0};
	for (int tries = 0; tries < PATIENCE; tries++) {
		seen = scene_see(s);
		if (seen.devices_as_wished)
			return seen;
		s->wish.asks_again = tries % 100 == 99;
		if (tries % 20 == 19)
			EXPECT(s, ERR_NONE, subject.driver->define(s->h, &s->c, wish_of(s)));
		contract_rest_ms(100);
	}
	fail_msg("the guest does not let go");
	return seen;
}

/* A disk and a NIC are plugged into a running guest and removed again, and the watcher is told. Repeated
 * calls are idempotent. */
static void test_plug(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_name extra = {.kind = DISK_VOLUME, .id = s.disks[1].volume};
	subject.driver->watch(s.h, note_change, &s.wish.id);
	scene_boot(&s);
	struct compute_seen seen = scene_see(&s);
	assert_true(seen.devices_as_wished && uuids_have(&seen.volumes, s.disks[0].volume) &&
		    uuids_have(&seen.ports, s.nics[0].port));
	s.nics[0].slot = 1; /* it stays where it is, which is the other's place */
	s.nics[1].slot = 0;
	s.wish.disk_count = s.wish.nic_count = 2;
	assert_false(scene_see(&s).devices_as_wished);
	EXPECT(&s, ERR_IO, subject.driver->define(s.h, &s.c, wish_of(&s))); /* the disk has no file */
	scene_make_disk(&s, &s.files[1]);
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	seen = scene_see(&s);
	assert_true(seen.devices_as_wished && seen.defined_as_wished);
	assert_int_equal(seen.volumes.count, 2);
	assert_int_equal(seen.ports.count, 2);
	assert_int_equal(seen.power, INSTANCE_SEEN_POWER_ON);
	EXPECT(&s, ERR_IN_USE, subject.disks->remove(s.pool, &s.c, &extra));
	s.files[1].size = 16 * MIB;
	assert_int_equal(scene_make_disk(&s, &s.files[1]), 16 * MIB);
	told = 0;
	s.wish.nic_count = 1;
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	await_devices(&s);
	await_told(2); /* defined, unplugged */
	s.wish.disk_count = 1;
	assert_false(scene_see(&s).devices_as_wished);
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	seen = await_devices(&s);
	assert_int_equal(seen.volumes.count + seen.ports.count, 2);
	assert_int_equal(seen.power, INSTANCE_SEEN_POWER_ON);
	scene_delete_disk(&s, s.disks[1].volume);
	scene_clear(&s);
	scene_close(&s);
}

/* The medium in a running guest's CD-ROM drive changes at once, and is still there after the next start. */
static void test_medium(void **state)
{
	(void) state;
	struct scene s = scene_open();
	s.wish.hardware.cdrom = true;
	scene_make_blank_on(&s); /* with an empty drive */
	assert_int_equal(scene_see(&s).volumes.count, 1);
	s.disks[1].is_medium = s.disks[1].is_readonly = true;
	s.wish.disk_count = 2;
	assert_false(scene_see(&s).devices_as_wished);
	EXPECT(&s, ERR_IO, subject.driver->define(s.h, &s.c, wish_of(&s))); /* it has no file */
	scene_make_disk(&s, &s.files[1]);
	for (int n = 0; n < 2; n++) {
		EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
		struct compute_seen seen = scene_see(&s);
		assert_true(seen.devices_as_wished && seen.defined_as_wished);
		assert_true(seen.volumes.count == 2 && uuids_have(&seen.volumes, s.disks[1].volume));
		assert_int_equal(seen.power, INSTANCE_SEEN_POWER_ON);
	}
	s.wish.disk_count = 1;
	assert_false(scene_see(&s).devices_as_wished);
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	struct compute_seen empty = scene_see(&s);
	assert_true(empty.devices_as_wished && empty.volumes.count == 1);
	s.wish.disk_count = 2; /* and from the start on */
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	assert_true(scene_see(&s).devices_as_wished);
	scene_clear(&s);
	scene_delete_disk(&s, s.disks[1].volume);
	scene_close(&s);
}

/* Limits change while the guest runs, can be removed, and hold after the next start. */
static void test_limits(void **state)
{
	(void) state;
	static const struct disk_limits wishes[] = {
		{.iops = 100, .iops_size = 256 << 10, .bytes = 25 * MIB},
		{.iops = 100,
		 .iops_burst = 3000,
		 .iops_burst_s = 1800,
		 .iops_size = 256 << 10,
		 .bytes = 128 * MIB},
		{.iops = 500,
		 .iops_size = 1 << 20,
		 .bytes = 5 * MIB,
		 .bytes_burst = 31 * MIB,
		 .bytes_burst_s = 4096},
		{.write_iops = {200, 400, 1}, .read_bytes = {.rate = 9 * MIB}},
		{.read_iops = {.rate = 70}, .write_bytes = {5 * MIB, 6 * MIB, 1}},
		{0},
		{.iops = 3000, .bytes = 125 * MIB},
	};
	struct scene s = scene_open();
	scene_make_blank_on(&s);
	for (size_t k = 0; k < sizeof wishes / sizeof wishes[0]; k++) {
		s.disks[0].limits = wishes[k];
		struct compute_seen seen = scene_see(&s);
		assert_false(seen.limits_as_wished || seen.devices_as_wished || seen.defined_as_wished);
		EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
		seen = scene_see(&s);
		assert_true(seen.limits_as_wished && seen.devices_as_wished && seen.defined_as_wished);
	}
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	assert_true(scene_see(&s).devices_as_wished);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	assert_true(scene_see(&s).devices_as_wished);
	s.disks[0].limits.bytes = 0;
	assert_false(scene_see(&s).devices_as_wished);
	scene_clear(&s);
	scene_close(&s);
}

/* For a guest that is off, devices are those of its definition. */
static void test_plug_off(void **state)
{
	(void) state;
	struct scene s = scene_open();
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	assert_true(scene_see(&s).devices_as_wished);
	s.wish.disk_count = 2;
	struct compute_seen seen = scene_see(&s);
	assert_false(seen.devices_as_wished);
	assert_int_equal(seen.volumes.count, 1);
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	s.wish.memory = 192 * MIB; /* defined otherwise, but for the devices */
	seen = scene_see(&s);
	assert_true(seen.devices_as_wished && !seen.defined_as_wished);
	assert_int_equal(seen.volumes.count, 2);
	s.wish.disk_count = s.wish.nic_count = 0;
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	seen = scene_see(&s);
	assert_true(seen.devices_as_wished);
	assert_int_equal(seen.volumes.count + seen.ports.count, 0);
	s.wish.disk_count = 1;
	s.disks[0].slot = COMPUTE_DISK_SLOTS;
	EXPECT(&s, ERR_RANGE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	s.disks[0].slot = 0;
	scene_clear(&s);
	scene_close(&s);
}

/* Another region on the same host neither sees nor changes this region's guests. */
static void test_other_region(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct compute_host *other = NULL;
	struct compute_seen seen = {0};
	struct compute_inventory all = {0};
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	EXPECT(&s, ERR_NONE, subject.driver->open_host(NULL, &s.c, uuid_random(), &subject.host, &other));
	EXPECT(&s, ERR_CONFLICT, subject.driver->see(other, &s.c, wish_of(&s), &seen));
	EXPECT(&s, ERR_CONFLICT, subject.driver->define(other, &s.c, wish_of(&s)));
	EXPECT(&s, ERR_CONFLICT, subject.driver->set_power(other, &s.c, s.wish.id, COMPUTE_START));
	EXPECT(&s, ERR_CONFLICT, subject.driver->undefine(other, &s.c, s.wish.id));
	EXPECT(&s, ERR_NONE, subject.driver->list(other, &s.c, &all));
	assert_int_equal(all.count, 0);
	subject.driver->close_host(other);
	scene_clear(&s);
	scene_close(&s);
}

/* ---- watching and losing */

static void test_watch(void **state)
{
	(void) state;
	struct scene s = scene_open();
	told = told_of_loss = 0;
	subject.driver->watch(s.h, note_change, &s.wish.id);
	scene_make_blank_on(&s);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	await_told(3); /* defined, started, stopped */
	assert_int_equal(told_of_loss, 0);
	scene_clear(&s);
	scene_close(&s);
}

static void test_loss(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct compute_seen seen = {0};
	scene_make_blank_on(&s);
	told = told_of_loss = 0;
	subject.driver->watch(s.h, note_change, &s.wish.id);
	subject.lose_daemon();
	EXPECT(&s, ERR_GONE, subject.driver->see(s.h, &s.c, wish_of(&s), &seen));
	EXPECT(&s, ERR_GONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	for (int tries = 0; tries < PATIENCE && !told_of_loss; tries++)
		contract_rest_ms(100);
	assert_true(told_of_loss > 0);
	scene_reopen(&s);
	assert_int_equal(scene_see(&s).power, INSTANCE_SEEN_POWER_ON);
	scene_clear(&s);
	scene_close(&s);
}

/* ---- UEFI variables */

static const struct firmware_variable *find_variable(struct scene *s, const char *name)
{
	struct firmware_variables all = {0};
	EXPECT(s, ERR_NONE, subject.driver->read_variables(s->h, &s->c, s->wish.id, &all));
	for (size_t k = 0; k < all.count; k++)
		if (str_is(all.at[k].name, name))
			return &all.at[k];
	return NULL;
}

/* A look reads the whole file, which the scene's arena does not hold many times. */
static bool has_variables(struct scene *s)
{
	AUTO(arena) own = arena_new(ARENA_FIRST_SIZE, 64 * MIB);
	struct firmware_variables all = {0};
	struct ctx c;
	ctx_init(&c, own);
	assert_true(result_is_ok(subject.driver->read_variables(s->h, &c, s->wish.id, &all)));
	for (size_t k = 0; k < all.count; k++)
		if (str_is(all.at[k].name, "BootOrder"))
			return true;
	return false;
}

static void check_no_variables(struct scene *s)
{
	struct firmware_variables none = {0};
	EXPECT(s, ERR_STATE, subject.driver->read_variables(s->h, &s->c, s->wish.id, &none));
	assert_int_equal(none.count, 0);
}

/* The firmware notes at the first start what it may start from; that stays until the guest is forgotten. */
static void test_variables(void **state)
{
	(void) state;
	struct scene s = scene_open();
	const struct firmware_variable *order = NULL;
	check_no_variables(&s);
	scene_make_blank_on(&s); /* with BIOS */
	check_no_variables(&s);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	s.wish.hardware.uefi = true;
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	check_no_variables(&s);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	for (int tries = 0; tries < PATIENCE && !has_variables(&s); tries++)
		contract_rest_ms(100);
	order = find_variable(&s, "BootOrder");
	assert_non_null(order);
	assert_int_equal(order->attributes, 7);
	assert_true(order->data.n >= 2 && order->data.n % 2 == 0);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	assert_non_null(find_variable(&s, "BootOrder"));
	scene_clear(&s);
	check_no_variables(&s);
	scene_close(&s);
}

/* Given firmware variables are set before the firmware runs, and are not set again later. */
static void test_given_variables(void **state)
{
	(void) state;
	struct scene s = scene_open();
	const struct firmware_variable given = {
		.name = STR("DariMotto"), .data = STR("given"), .guid = {1, 2, 3}, .attributes = 7};
	scene_make_blank_on(&s); /* with BIOS */
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	EXPECT(&s, ERR_NONE,
	       firmware_write(&s.c, &(struct firmware_variables){&given, 1}, &s.wish.variables));
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	check_no_variables(&s);
	s.wish.hardware.uefi = true;
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	const struct firmware_variable *found = find_variable(&s, "DariMotto");
	assert_non_null(found);
	assert_true(str_is(found->data, "given") && found->attributes == 7 && found->guid[2] == 3);
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	EXPECT(&s, ERR_NONE, subject.driver->define(s.h, &s.c, wish_of(&s)));
	assert_true(scene_see(&s).defined_as_wished);
	EXPECT(&s, ERR_NONE, subject.driver->set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	assert_non_null(find_variable(&s, "DariMotto"));
	scene_clear(&s);
	check_no_variables(&s);
	scene_close(&s);
}

/* Another region on the same host neither sees nor changes this region's disks. */
void test_disks_of_other_region(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_host *other = NULL;
	struct disk_inventory all = {0};
	struct disk_name name = {.id = s.files[1].volume};
	scene_make_disk(&s, &s.files[1]);
	EXPECT(&s, ERR_NONE, scene_open_pool(&s.c, uuid_random(), &other));
	EXPECT(&s, ERR_NONE, subject.disks->enter(other, &s.c, subject.directory));
	EXPECT(&s, ERR_NONE, subject.disks->remove(other, &s.c, &name));
	EXPECT(&s, ERR_NONE, subject.disks->list(other, &s.c, &all));
	assert_int_equal(all.count, 0);
	if (!subject.ceph) /* Ceph without a manager reports no size */
		assert_true(all.pool_size > 0 && all.pool_free > 0);
	subject.disks->close_host(other);
	assert_non_null(scene_find_disk(&s, DISK_VOLUME, name.id));
	scene_delete_disk(&s, name.id);
	scene_close(&s);
}

int compute_contract_run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_drive),
		cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_define),
		cmocka_unit_test(test_power),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_replaced_writer),
		cmocka_unit_test(test_save),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_plug),
		cmocka_unit_test(test_medium),
		cmocka_unit_test(test_plug_off),
		cmocka_unit_test(test_other_region),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_consoles),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_given_variables),
	};
	return cmocka_run_group_tests_name("compute contract", tests, NULL, NULL);
}
