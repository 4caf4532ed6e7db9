/* SPDX-License-Identifier: Apache-2.0
 * The libvirt driver on a real libvirt: the contract, what only it can meet, and figures. Needs a
 * sandbox that is up; without one it is skipped (77). Not part of the unit suite.
 *     DARI_TEST_SANDBOX  path of tools/sandbox (which reads DARI_SANDBOX itself)
 *     DARI_TEST_IMAGE    what tools/tiny-image made
 *     DARI_TEST_CEPH_MONITOR, _POOL, _USER, _KEY  optional, as tests/lib/ceph.py sets them: runs what there is to try with
 *                        disks on that Ceph, instead
 *     DARI_TEST_PART     optional: compute (the compute contract), disks (the disk contract) or libvirt (what only libvirt
 *                        can meet); without it all three
 *     DARI_TEST_ONLY     optional: a pattern of test names */
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "compute_contract.h"
#include "model/host.h"
#include "model/id.h"
#include "model/instance.h"

#define OWN "/var/lib/libvirt/images"
#define SHARED "/var/lib/libvirt/shared" /* any other directory, because no other host uses it here */

static const char *sandbox, *uri, *image;

/* ---- doing things to the host */

static void sandbox_run(const char *a, const char *b, const char *c3, const char *d, const char *e)
{
	AUTO(arena) a1 = arena_new(ARENA_FIRST_SIZE, 4 << 20);
	struct ctx c;
	struct child_end end = {0};
	const char *argv[] = {sandbox, a, b, c3, d, e, NULL};
	ctx_init(&c, a1);
	struct result r = child_run(&c, &(struct child){.argv = argv, .timeout_us = 10 * MINUTE}, &end);
	if (!result_is_ok(r) || end.status)
		fail_msg("sandbox %s %s: %" STR_FMT " %" STR_FMT, a, b, STR_ARG(c.problem.message),
			 STR_ARG(end.err));
}

static void on_host(const char *script)
{
	sandbox_run("on", "hv1", "sh", "-c", script);
}

static void lose_daemon(void)
{
	sandbox_run("kill", "hv1", "libvirtd", NULL, NULL);
	sandbox_run("start", "hv1", "libvirtd", NULL, NULL);
}

/* Types on the guest's console, on a connection of our own, again and again until it has ended, or `times` times: its
 * shell may not be there yet. */
static void type_inside(uuid id, const char *text, int times)
{
	virConnectPtr conn = virConnectOpen(uri);
	assert_non_null(conn);
	virDomainPtr d = virDomainLookupByUUID(conn, id.b);
	for (int tries = 0; tries < times && virDomainIsActive(d) == 1; tries++) {
		virStreamPtr stream = virStreamNew(conn, 0);
		if (virDomainOpenConsole(d, NULL, stream, VIR_DOMAIN_CONSOLE_FORCE) == 0)
			virStreamSend(stream, text, strlen(text));
		contract_rest_ms(2000);
		virStreamAbort(stream);
		virStreamFree(stream);
	}
	virDomainFree(d);
	virConnectClose(conn);
}

static void end_guest(struct compute_host *h, uuid id, enum compute_off why)
{
	char script[256], name[EC2_ID_TEXT_SIZE];
	(void) h;
	id_write_ec2(KIND_INSTANCE, id, name);
	if (why == COMPUTE_OFF_GUEST) {
		type_inside(id, "\npoweroff\n", 10);
		return;
	}
	snprintf(script, sizeof script, "kill -%s $(cat /run/libvirt/qemu/%s.pid)",
		 why == COMPUTE_OFF_CRASHED ? "KILL" : "TERM", name);
	on_host(script);
}

/* Word 0 is larger than what an empty file has; 7 is zeros, over a part of it. */
static void write_place(char *out, size_t size, const char *verb, int word)
{
	if (word == 0)
		(void) snprintf(out, size, "%s -P 65 0 3M", verb);
	else if (word == 7)
		(void) snprintf(out, size, "%s -P 0 2M 64k", verb);
	else
		(void) snprintf(out, size, "%s -P %d %dk 64k", verb, 65 + word, 4096 + 256 * word);
}

static void write_word(uuid instance, uuid volume, bool is_on, int word)
{
	char script[512], name[EC2_ID_TEXT_SIZE], id[UUID_TEXT_SIZE], place[64];
	id_write_ec2(KIND_INSTANCE, instance, name);
	uuid_write(volume, id);
	write_place(place, sizeof place, "write", word);
	if (is_on) /* the device keeps its alias when it goes over to another volume's file */
		(void) snprintf(script, sizeof script,
				"alias=$(virsh dumpxml %s | awk 'BEGIN { RS = \"</disk>\" } /vol-%s/ && "
				"match($0, /ua-[0-9a-f-]+/) { print substr($0, RSTART, RLENGTH) }') && "
				"virsh qemu-monitor-command %s --hmp \"qemu-io -d "
				"/machine/peripheral/$alias/virtio-backend \\\"%s\\\"\"",
				name, id, name, place);
	else
		(void) snprintf(script, sizeof script, "qemu-io -c '%s' %s/dari-da210077-vol-%s.qcow2", place,
				subject.directory.n ? SHARED : OWN, id);
	on_host(script);
}

static bool has_word(const char *path, const struct disk_key *key, int word)
{
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 4 << 20);
	struct ctx c;
	struct child_end end = {0};
	char place[64];
	ctx_init(&c, a);
	write_place(place, sizeof place, "read", word);
	if (word == 0)
		(void) snprintf(place, sizeof place, "read -P 65 0 2M");
	struct str options = str_print(a, "driver=qcow2,file.filename=%s%s", path,
				       key ? ",encrypt.format=luks,encrypt.key-secret=key" : "");
	struct str secret = str_print(a, "secret,id=key,data=%s", key ? key->text : "none");
	const char *argv[] = {"qemu-io", "-r",  "--object", secret.p, "--image-opts",
			      "-c",      place, options.p,  NULL};
	struct result r = child_run(&c, &(struct child){.argv = argv, .timeout_us = 10 * MINUTE}, &end);
	assert_true(result_is_ok(r));
	return end.status == 0 && !str_contains(end.out, STR("verification failed"));
}

struct compute_subject subject = {
	.driver = &compute_libvirt,
	.disks = &disk_libvirt,
	.lose_daemon = lose_daemon,
	.write = write_word,
	.has = has_word,
	.increment_most = 1 << 20,
	.end_guest = end_guest,
};

/* ---- specific to libvirt */

static void in_pool(const char *script_end, struct scene *s, struct str file)
{
	struct str script = str_print(s->arena, "cd /var/lib/libvirt/images && file=%" STR_FMT " && %s",
				      STR_ARG(file), script_end);
	on_host(script.p);
}

/* A file of the image's name that a killed upload left, known to libvirt or not, is replaced. */
static void test_partial_image(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct str file =
		str_print(s.arena, "dari-da210077-img-%" STR_FMT ".qcow2", STR_ARG(subject.image_sha256));
	in_pool("head -c 1000000 /dev/urandom >$file", &s, file); /* with its full size in libvirt */
	int64_t from = clock_monotonic_us();
	scene_make_disk(&s, &s.files[0]);
	print_message("image of %.1f MB sent and disk made in %.1f ms\n",
		      (double) subject.image_file_size / 1e6, (double) (clock_monotonic_us() - from) / 1e3);
	struct str check =
		str_print(s.arena, "sha256sum $file | grep %" STR_FMT, STR_ARG(subject.image_sha256));
	in_pool(check.p, &s, file);
	scene_delete_disk(&s, s.disks[0].volume);
	scene_close(&s);
}

/* The drive's file follows the wish except while the guest runs, and is removed with the domain. A leftover
 * file unknown to libvirt does no harm. */
static void test_drive_file(void **state)
{
	(void) state;
	struct compute_file file = {STR("openstack/latest/user_data"), STR("the first words")};
	struct scene s = scene_open();
	char id[UUID_TEXT_SIZE];
	struct str name = str_print(s.arena, "dari-da210077-cfg-%s.iso", uuid_write(s.wish.id, id));
	s.wish.disks = s.disks;
	s.wish.nics = s.nics;
	s.wish.has_drive = true;
	s.wish.drive = (struct compute_files){&file, 1};
	in_pool("echo a killed upload >$file", &s, name);
	struct result r = compute_libvirt.define(s.h, &s.c, &s.wish); /* the first try finds it in the way */
	assert_true(result_is_ok(r) || r.code != ERR_GONE);
	ctx_clear_problem(&s.c);
	scene_make_blank_on(&s);
	in_pool("grep -aq 'the first words' $file && head -c 40000 $file | grep -aq config-2", &s, name);
	file.bytes = STR("the second words");
	EXPECT(&s, ERR_NONE, compute_libvirt.define(s.h, &s.c, &s.wish));
	in_pool("grep -aq 'the first words' $file", &s, name);
	EXPECT(&s, ERR_NONE, compute_libvirt.set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	EXPECT(&s, ERR_NONE, compute_libvirt.define(s.h, &s.c, &s.wish));
	in_pool("grep -aq 'the second words' $file", &s, name);
	scene_clear(&s);
	in_pool("test ! -e $file", &s, name);
	scene_close(&s);
}

/* A disk whose making was cut off is made anew; one that may hold data is not touched. */
static void test_unfinished_disk(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct disk_spec *w = &s.files[1];
	struct disk_seen seen = {0};
	char id[UUID_TEXT_SIZE];
	struct str file = str_print(s.arena, "dari-da210077-vol-%s.qcow2", uuid_write(w->volume, id));
	scene_make_disk(&s, w);
	in_pool("truncate -s 0 $file", &s, file);
	scene_find_disk(&s, DISK_VOLUME, w->volume); /* refreshes libvirt's list of files */
	scene_make_disk(&s, w);
	assert_int_equal(scene_make_disk(&s, w), w->size);
	in_pool("head -c 1000000 /dev/urandom >$file", &s, file);
	scene_find_disk(&s, DISK_VOLUME, w->volume);
	EXPECT(&s, ERR_CONFLICT, disk_libvirt.ensure(s.pool, &s.c, w, &seen));
	scene_delete_disk(&s, w->volume);
	scene_close(&s);
}

/* A stopped libvirtd: a call fails by keep-alive, an open by its deadline; both are bounded. */
static void test_hung_daemon(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct compute_facts facts = {0};
	struct compute_host *other = NULL;
	EXPECT(&s, ERR_NONE, compute_libvirt.probe(s.h, &s.c, &facts));
	sandbox_run("kill", "hv1", "libvirtd", "STOP", NULL);
	int64_t from = clock_monotonic_us();
	EXPECT(&s, ERR_GONE, compute_libvirt.probe(s.h, &s.c, &facts));
	int64_t called = clock_monotonic_us();
	EXPECT(&s, ERR_GONE, compute_libvirt.probe(s.h, &s.c, &facts));
	EXPECT(&s, ERR_GONE, compute_libvirt.open_host(NULL, &s.c, contract_region(), &subject.host, &other));
	int64_t opened = clock_monotonic_us();
	sandbox_run("kill", "hv1", "libvirtd", "CONT", NULL);
	print_message("hung libvirtd: call failed after %.1f s, open after %.1f s\n",
		      (double) (called - from) / 1e6, (double) (opened - called) / 1e6);
	assert_true(called - from < MINUTE);
	assert_true(opened - called < MINUTE);
	scene_reopen(&s);
	EXPECT(&s, ERR_NONE, compute_libvirt.probe(s.h, &s.c, &facts));
	scene_close(&s);
}

/* A writer that a later one replaced does not act on a domain that the later one touched, though it may still have work. */
static void test_former_writer(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct compute_seen seen = {0};
	s.c.epoch = 5;
	scene_make_blank_on(&s);
	EXPECT(&s, ERR_NONE, compute_libvirt.set_power(s.h, &s.c, s.wish.id, COMPUTE_PAUSE));
	s.c.epoch = 6; /* the definition stays; the act alone carries the number */
	EXPECT(&s, ERR_NONE, compute_libvirt.see(s.h, &s.c, &s.wish, &seen));
	assert_true(seen.defined_as_wished);
	EXPECT(&s, ERR_NONE, compute_libvirt.set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	EXPECT(&s, ERR_NONE, compute_libvirt.see(s.h, &s.c, &s.wish, &seen));
	assert_true(seen.defined_as_wished);
	s.c.epoch = 5;
	EXPECT(&s, ERR_AGAIN, compute_libvirt.set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	EXPECT(&s, ERR_AGAIN, compute_libvirt.undefine(s.h, &s.c, s.wish.id));
	EXPECT(&s, ERR_AGAIN, compute_libvirt.define(s.h, &s.c, &s.wish));
	s.c.epoch = 6;
	EXPECT(&s, ERR_NONE, compute_libvirt.see(s.h, &s.c, &s.wish, &seen));
	assert_int_equal(seen.power, INSTANCE_SEEN_POWER_ON);
	scene_clear(&s);
	scene_close(&s);
}

static void test_host_reboot(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct compute_facts before = {0}, after = {0};
	scene_make_blank_on(&s);
	EXPECT(&s, ERR_NONE, compute_libvirt.probe(s.h, &s.c, &before));
	sandbox_run("reboot-host", "hv1", NULL, NULL, NULL);
	scene_reopen(&s);
	EXPECT(&s, ERR_NONE, compute_libvirt.probe(s.h, &s.c, &after));
	assert_false(str_equal(before.boot_id, after.boot_id));
	struct compute_seen seen = scene_see(&s);
	assert_int_equal(seen.power, INSTANCE_SEEN_POWER_OFF);
	assert_int_equal(seen.off, COMPUTE_OFF_UNKNOWN);
	assert_true(seen.defined_as_wished);
	EXPECT(&s, ERR_NONE, compute_libvirt.set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	assert_int_equal(scene_see(&s).power, INSTANCE_SEEN_POWER_ON);
	scene_clear(&s);
	scene_close(&s);
}

static double since_ms(int64_t *from)
{
	int64_t now = clock_monotonic_us();
	double ms = (double) (now - *from) / 1e3;
	*from = now;
	return ms;
}

static void test_figures(void **state)
{
	(void) state;
	enum { LOOKS = 200 };
	struct scene s = scene_open();
	int64_t t = clock_monotonic_us();
	scene_reopen(&s);
	print_message("open %.1f ms", since_ms(&t));
	struct compute_facts facts = {0};
	EXPECT(&s, ERR_NONE, compute_libvirt.probe(s.h, &s.c, &facts));
	print_message(", probe %.1f ms", since_ms(&t));
	scene_make_disk(&s, &s.files[0]);
	print_message(", disk over a cached image %.1f ms", since_ms(&t));
	scene_make_disk(&s, &s.files[0]);
	print_message(", again %.1f ms", since_ms(&t));
	s.wish.disks = s.disks;
	s.wish.nics = s.nics;
	EXPECT(&s, ERR_NONE, compute_libvirt.define(s.h, &s.c, &s.wish));
	print_message(", define %.1f ms", since_ms(&t));
	EXPECT(&s, ERR_NONE, compute_libvirt.set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	print_message(", start %.1f ms", since_ms(&t));
	for (int k = 0; k < LOOKS; k++)
		scene_see(&s);
	print_message(", see %.0f us", since_ms(&t) * 1000 / LOOKS);
	struct compute_inventory all = {0};
	since_ms(&t);
	EXPECT(&s, ERR_NONE, compute_libvirt.list(s.h, &s.c, &all));
	print_message(", list %.1f ms", since_ms(&t));
	EXPECT(&s, ERR_NONE, compute_libvirt.set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	print_message(", force off %.1f ms", since_ms(&t));
	scene_clear(&s);
	print_message(", undefine and delete %.1f ms\n", since_ms(&t));
	scene_close(&s);
}

/* ---- with disks in a pool of Ceph that the hosts reach */

static struct str monitor[1];
static struct ceph_place place;

static struct result open_pool(struct ctx *c, uuid region, struct disk_host **ret_pool)
{
	return ceph_open_pool(c, region, &place, ret_pool);
}

/* A QEMU lets go of an image a moment after the device is gone, and Ceph forgets a client that died later yet. */
static void await_no_users(struct scene *s, uuid volume)
{
	struct strs users = {.count = 1};
	for (int tries = 0; tries < 1200 && users.count; tries++) {
		EXPECT(s, ERR_NONE, ceph_list_users(s->pool, &s->c, volume, &users));
		contract_rest_ms(100);
	}
	assert_int_equal(users.count, 0);
}

/* A guest boots from an image, gets another while it runs, hears that it grew, and writes on both; what was cut of them
 * meanwhile has what was there. */
static void test_ceph_guest(void **state)
{
	(void) state;
	char part[] = "/tmp/dari-ceph-cut-XXXXXX";
	struct scene s = scene_open();
	struct disk_copy copy = {.path = str_from(part), .size = 1};
	struct disk_cut_seen seen = {0};
	s.wish.nic_count = 0;
	scene_boot(&s);
	scene_make_disk(&s, &s.files[1]);
	s.wish.disk_count = 2;
	s.wish.disks = s.disks;
	EXPECT(&s, ERR_NONE, compute_libvirt.define(s.h, &s.c, &s.wish)); /* plugged */
	assert_true(scene_see(&s).devices_as_wished);
	type_inside(s.wish.id, "\necho size-$(cat /sys/block/vdb/size)-sectors\n", 1);
	scene_await_console(&s, "size-16384-sectors");
	s.files[1].size = s.disks[1].size = 16 << 20;
	assert_int_equal(scene_make_disk(&s, &s.files[1]), 16 << 20);
	assert_false(scene_see(&s).defined_as_wished);
	EXPECT(&s, ERR_NONE, compute_libvirt.define(s.h, &s.c, &s.wish));
	type_inside(s.wish.id,
		    "\ntr '\\0' F </dev/zero | head -c 65536 | dd of=/dev/vdb bs=4k seek=1088; sync; "
		    "echo size-$(cat /sys/block/vdb/size)-sectors\n",
		    1);
	scene_await_console(&s, "size-32768-sectors");
	struct disk_cut cut = {.snapshot = id_new(KIND_SNAPSHOT), .volume = s.files[1].volume};
	EXPECT(&s, ERR_NONE, disk_rbd.cut(s.pool, &s.c, &cut, &seen));
	write_word(s.wish.id, s.files[1].volume, true, 5); /* of which the cut has nothing */
	assert_int_equal(close(mkstemp(part)), 0);
	struct disk_name name = {.kind = DISK_CUT, .id = cut.snapshot};
	while (copy.done < copy.size)
		EXPECT(&s, ERR_NONE, disk_rbd.pull(s.pool, &s.c, &name, &copy));
	EXPECT(&s, ERR_NONE, disk_rbd.remove(s.pool, &s.c, &name));
	assert_true(has_word(part, NULL, 1) == false && has_word(part, NULL, 5) == false);
	const char *argv[] = {"qemu-io", "-r", "-f", "qcow2", "-c", "read -P 70 4352k 64k", part, NULL};
	struct child_end end = {0};
	EXPECT(&s, ERR_NONE, child_run(&s.c, &(struct child){.argv = argv, .timeout_us = 10 * MINUTE}, &end));
	if (end.status || str_contains(end.out, STR("verification failed")))
		fail_msg("%" STR_FMT "%" STR_FMT, STR_ARG(end.out), STR_ARG(end.err));
	s.wish.disk_count = 1;
	EXPECT(&s, ERR_NONE, compute_libvirt.define(s.h, &s.c, &s.wish)); /* unplugged */
	await_no_users(&s, s.files[1].volume);
	scene_delete_disk(&s, s.files[1].volume);
	scene_clear(&s);
	(void) unlink(part);
	scene_close(&s);
}

/* From the moment at which its host is blocked, a guest's QEMU cannot write anymore; another host's QEMU
 * can. */
static void test_ceph_block(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct strs users = {0};
	scene_make_blank_on(&s);
	scene_make_disk(&s, &s.files[1]);
	s.wish.disk_count = 2;
	EXPECT(&s, ERR_NONE, compute_libvirt.define(s.h, &s.c, &s.wish));
	write_word(s.wish.id, s.files[1].volume, true, 1);
	EXPECT(&s, ERR_NONE, ceph_list_users(s.pool, &s.c, s.files[1].volume, &users));
	assert_int_equal(users.count, 1);
	struct str address = STR_NONE, rest = users.at[0];
	assert_true(str_split_next(&rest, ':', &address));
	address = str_copy(s.arena, address);
	print_message("the guest's host is %" STR_FMT "\n", STR_ARG(address));
	EXPECT(&s, ERR_NONE, ceph_block(s.pool, &s.c, address, 600));
	write_word(s.wish.id, s.files[1].volume, true, 2);
	EXPECT(&s, ERR_NONE, compute_libvirt.set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	char part[] = "/tmp/dari-ceph-cut-XXXXXX";
	struct disk_copy copy = {.path = str_from(part), .size = 1};
	struct disk_name name = {.kind = DISK_VOLUME, .id = s.files[1].volume};
	assert_int_equal(close(mkstemp(part)), 0);
	while (copy.done < copy.size)
		EXPECT(&s, ERR_NONE, disk_rbd.pull(s.pool, &s.c, &name, &copy));
	assert_true(has_word(part, NULL, 1));
	assert_false(has_word(part, NULL, 2));
	EXPECT(&s, ERR_NONE, ceph_unblock(s.pool, &s.c, address));
	EXPECT(&s, ERR_NONE, compute_libvirt.set_power(s.h, &s.c, s.wish.id, COMPUTE_START));
	write_word(s.wish.id, s.files[1].volume, true, 3);
	EXPECT(&s, ERR_NONE, compute_libvirt.set_power(s.h, &s.c, s.wish.id, COMPUTE_FORCE_OFF));
	(void) unlink(part);
	copy = (struct disk_copy){.path = str_from(part), .size = 1};
	while (copy.done < copy.size)
		EXPECT(&s, ERR_NONE, disk_rbd.pull(s.pool, &s.c, &name, &copy));
	assert_true(has_word(part, NULL, 1) && has_word(part, NULL, 3));
	(void) unlink(part);
	scene_clear(&s);
	await_no_users(&s, name.id);
	scene_delete_disk(&s, name.id);
	scene_close(&s);
}

static bool go_on(void *arg, const struct compute_sent *sent, bool *ret_hastens)
{
	(void) arg;
	(void) sent;
	*ret_hastens = false;
	return true;
}

/* To another host, which copies nothing of its disks; what was written before and after is there. */
static void test_ceph_journey(void **state)
{
	(void) state;
	struct scene s = scene_open();
	struct compute_host *to = NULL, *from = s.h;
	struct host other = subject.host;
	const char *old_uri = uri;
	other.name = STR("hv2");
	other.uri = str_print(s.arena, "qemu+unix:///system?socket=%s/hv2/run/libvirt/libvirt-sock",
			      getenv("DARI_SANDBOX"));
	s.wish.nic_count = 0;
	scene_boot(&s);
	EXPECT(&s, ERR_NONE, compute_libvirt.open_host(NULL, &s.c, contract_region(), &other, &to));
	struct compute_migration journey = {
		.to = to, .address = STR("10.100.0.12"), .domain = &s.wish, .goes_on = go_on};
	EXPECT(&s, ERR_NONE, compute_libvirt.send(from, &s.c, &journey));
	s.h = to;
	assert_int_equal(scene_see(&s).power, INSTANCE_SEEN_POWER_ON);
	uri = other.uri.p;
	type_inside(s.wish.id, "\necho moved-$((6 * 7)) >/dev/ttyS0\n", 1);
	uri = old_uri;
	scene_await_console(&s, "moved-42");
	scene_clear(&s);
	s.h = from;
	EXPECT(&s, ERR_NONE, compute_libvirt.undefine(from, &s.c, s.wish.id));
	compute_libvirt.close_host(to);
	scene_close(&s);
}

static int run_with_ceph(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ceph_guest),
		cmocka_unit_test(test_ceph_block),
		cmocka_unit_test(test_ceph_journey),
	};
	place = (struct ceph_place){.id = {{0xce, 0xff, 1, 2, 3, 4, 0x45, 6, 0x87, 8, 9}},
				    .monitors = {monitor, 1},
				    .pool = str_from(getenv("DARI_TEST_CEPH_POOL")),
				    .user = str_from(getenv("DARI_TEST_CEPH_USER")),
				    .key = str_from(getenv("DARI_TEST_CEPH_KEY"))};
	subject.disks = &disk_rbd;
	subject.open_pool = open_pool;
	subject.ceph = &place;
	subject.increment_most = 9 << 20; /* its objects are 4 MiB */
	return disk_contract_run_pool(true) +
	       cmocka_run_group_tests_name("guests on Ceph", tests, NULL, NULL);
}

/* ---- start */

static struct str find_sha256(struct arena *a)
{
	struct ctx c;
	struct str bytes = STR_NONE;
	uint8_t digest[SHA256_SIZE];
	ctx_init(&c, a);
	if (!result_is_ok(file_read(&c, image, 256 << 20, &bytes)))
		return STR_NONE;
	subject.image_file_size = (int64_t) bytes.n;
	crypto_sha256(bytes, digest);
	return str_encode_hex(a, digest, sizeof digest);
}

static bool runs_part(const char *part)
{
	const char *wanted = getenv("DARI_TEST_PART");
	return !wanted || strcmp(wanted, part) == 0;
}

int main(void)
{
	char uri_text[256];
	const char *top = getenv("DARI_SANDBOX");
	sandbox = getenv("DARI_TEST_SANDBOX");
	image = getenv("DARI_TEST_IMAGE");
	if (!sandbox || !image || !top)
		return fprintf(stderr, "DARI_SANDBOX, DARI_TEST_SANDBOX and DARI_TEST_IMAGE are not set\n"),
		       1;
	snprintf(uri_text, sizeof uri_text, "qemu+unix:///system?socket=%s/hv1/run/libvirt/libvirt-sock",
		 top);
	uri = uri_text;
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 512 << 20);
	subject.host = (struct host){
		.name = STR("hv1"), .uri = str_from(uri), .pool_path = STR("/var/lib/libvirt/images/")};
	subject.shared = STR(SHARED);
	on_host("mkdir -p " SHARED);
	subject.image_path = str_from(image);
	subject.image_sha256 = find_sha256(a);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partial_image), cmocka_unit_test(test_unfinished_disk),
		cmocka_unit_test(test_figures),       cmocka_unit_test(test_hung_daemon),
		cmocka_unit_test(test_host_reboot),   cmocka_unit_test(test_drive_file),
		cmocka_unit_test(test_former_writer),
	};
	if (getenv("DARI_TEST_ONLY"))
		cmocka_set_test_filter(getenv("DARI_TEST_ONLY"));
	monitor[0] = str_from(getenv("DARI_TEST_CEPH_MONITOR"));
	if (monitor[0].n)
		return run_with_ceph();
	int failed = -1; /* an unknown part */
	if (runs_part("compute"))
		failed = compute_contract_run();
	if (runs_part("disks"))
		failed = (failed < 0 ? 0 : failed) + disk_contract_run();
	if (runs_part("libvirt"))
		failed = (failed < 0 ? 0 : failed) +
			 cmocka_run_group_tests_name("compute on libvirt", tests, NULL, NULL);
	return failed;
}
