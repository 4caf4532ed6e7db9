/* SPDX-License-Identifier: Apache-2.0
 * The collector of flow logs, fed with datagrams as Open vSwitch sends them: templates, reports of both directions, and drops. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "drivers/ipfix.h"
#include "reconcile/log_share.h"
#include "reconcile/network/flow_file.h"

enum { ARENA_CAP = 64 << 20, POINT = 77, NETWORK_KEY = 9, DROPS = NETWORK_SAMPLE_DOMAIN << 24 | NETWORK_KEY };

/* ---- datagrams ---- */

struct datagram {
	uint8_t b[2048];
	size_t n;
};

static void put(struct datagram *d, uint64_t value, size_t size)
{
	for (size_t k = 0; k < size; k++)
		d->b[d->n++] = (uint8_t) (value >> 8 * (size - 1 - k));
}

static void begin(struct datagram *d, uint32_t sequence, uint32_t domain)
{
	*d = (struct datagram){0};
	put(d, 10, 2);
	put(d, 0, 2); /* its size: finish() */
	put(d, (uint64_t) (clock_now_us() / SECOND), 4);
	put(d, sequence, 4);
	put(d, domain, 4);
}

static struct str finish(struct datagram *d)
{
	d->b[2] = (uint8_t) (d->n >> 8);
	d->b[3] = (uint8_t) d->n;
	return (struct str){(const char *) d->b, d->n};
}

static const uint16_t fields[][2] = {
	{138, 4}, {61, 1}, {82, 65535}, {82, 65535}, {4, 1}, {8, 4}, {12, 4}, {7, 2}, {11, 2}, {2, 8}, {1, 8},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static void add_template(struct datagram *d)
{
	put(d, 2, 2);
	put(d, 4 + 4 + FIELDS * 4 + 8, 2);
	put(d, 300, 2);
	put(d, FIELDS + 1, 2);
	for (size_t k = 0; k < FIELDS; k++) {
		put(d, fields[k][0], 2);
		put(d, fields[k][1], 2);
	}
	put(d, 0x8000 | 891, 2); /* an enterprise's field */
	put(d, 1, 2);
	put(d, 6876, 4);
}

struct report {
	const char *in, *out, *from, *to;
	bool is_output;
	int port, packets;
};

static struct ip ip_of(const char *text)
{
	struct ip ip;
	assert_int_equal(ip_parse(str_from(text), &ip).code, ERR_NONE);
	return ip;
}

static void add_report(struct datagram *d, const struct report *r)
{
	size_t at = d->n;
	put(d, 300, 2);
	put(d, 0, 2);
	put(d, POINT, 4);
	put(d, r->is_output, 1);
	put(d, strlen(r->in), 1);
	for (const char *p = r->in; *p; p++)
		put(d, (uint8_t) *p, 1);
	put(d, strlen(r->out), 1);
	for (const char *p = r->out; *p; p++)
		put(d, (uint8_t) *p, 1);
	put(d, 6, 1);
	put(d, ip_to_v4(ip_of(r->from)), 4);
	put(d, ip_to_v4(ip_of(r->to)), 4);
	put(d, 40000, 2);
	put(d, (uint64_t) r->port, 2);
	put(d, (uint64_t) r->packets, 8);
	put(d, (uint64_t) r->packets * 60, 8);
	put(d, 0, 1);
	d->b[at + 2] = (uint8_t) ((d->n - at) >> 8);
	d->b[at + 3] = (uint8_t) (d->n - at);
}

/* ---- reading ---- */

static void keep(void *arg, const struct ipfix_record *record)
{
	*(struct ipfix_record *) arg = *record;
}

static void reads_messages(void **state)
{
	struct ipfix_templates *t = ipfix_templates_new();
	const struct report report = {"dt1", "dt2", "10.0.0.1", "10.0.0.2", true, 80, 3};
	struct ipfix_record seen = {0};
	struct datagram d;
	int64_t lost = 0;
	(void) state;
	begin(&d, 0, 5);
	add_report(&d, &report);
	assert_true(ipfix_read(t, ip_of("192.0.2.1"), 1, finish(&d), keep, &seen, &lost));
	assert_int_equal(seen.packets, 0); /* without its template it means nothing */
	begin(&d, 1, 5);
	add_template(&d);
	add_report(&d, &report);
	assert_true(ipfix_read(t, ip_of("192.0.2.1"), 1, finish(&d), keep, &seen, &lost));
	assert_int_equal(lost, 0);
	assert_string_equal(seen.in, "dt1");
	assert_string_equal(seen.out, "dt2");
	assert_true(seen.is_output && ip_equal(seen.source, ip_of("10.0.0.1")) && seen.domain == 5);
	assert_int_equal(seen.packets, 3);
	assert_int_equal(seen.bytes, 180);
	assert_int_equal(seen.destination_port, 80);
	begin(&d, 6, 5); /* four did not arrive */
	add_report(&d, &report);
	assert_true(ipfix_read(t, ip_of("192.0.2.1"), 1, finish(&d), keep, &seen, &lost));
	assert_int_equal(lost, 4);
	seen.packets = 0; /* another exporter's template is not this one's */
	assert_true(ipfix_read(t, ip_of("192.0.2.2"), 1, finish(&d), keep, &seen, &lost));
	assert_int_equal(seen.packets, 0);
	ipfix_templates_free(t);
}

/* Each truncation and each changed byte is survived. */
static void survives_nonsense(void **state)
{
	struct ipfix_templates *t = ipfix_templates_new();
	const struct report report = {"dt1", "dt2", "10.0.0.1", "10.0.0.2", false, 80, 3};
	struct ipfix_record seen;
	struct datagram d;
	int64_t lost;
	(void) state;
	begin(&d, 0, 5);
	add_template(&d);
	add_report(&d, &report);
	struct str whole = finish(&d);
	for (size_t n = 0; n < whole.n; n++)
		assert_false(
			ipfix_read(t, ip_of("192.0.2.1"), 1, (struct str){whole.p, n}, keep, &seen, &lost));
	for (size_t n = 0; n < whole.n; n++)
		for (int change = 1; change < 256; change += 37) {
			d.b[n] = (uint8_t) (d.b[n] ^ change);
			(void) ipfix_read(t, ip_of("192.0.2.1"), 1, whole, keep, &seen, &lost);
			d.b[n] = (uint8_t) (d.b[n] ^ change);
		}
	assert_true(ipfix_read(t, ip_of("192.0.2.1"), 1, whole, keep, &seen, &lost));
	ipfix_templates_free(t);
}

/* ---- collecting ---- */

struct bench {
	struct ctx c;
	struct flow_collector *collector;
	int fd, port;
	uint32_t sequence;
	int64_t ahead_us;
	uuid alice, bob, log;
	char alice_tap[IPFIX_NAME_SIZE], bob_tap[IPFIX_NAME_SIZE];
};

static void name_tap(uuid port, char name[IPFIX_NAME_SIZE])
{
	(void) snprintf(name, IPFIX_NAME_SIZE, "dt%011llx", (unsigned long long) flow_tap(port));
}

static int open_bench(void **state)
{
	static struct bench b;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	b = (struct bench){.c.arena = arena_new(0, ARENA_CAP),
			   .alice = uuid_random(),
			   .bob = uuid_random(),
			   .log = uuid_random()};
	int probe = socket(AF_INET, SOCK_DGRAM, 0); /* finds a free port */
	assert_int_equal(bind(probe, (struct sockaddr *) &at, size), 0);
	assert_int_equal(getsockname(probe, (struct sockaddr *) &at, &size), 0);
	b.port = ntohs(at.sin_port);
	(void) close(probe);
	struct str listen = str_print(b.c.arena, "127.0.0.1:%d", b.port);
	assert_int_equal(flow_collector_new(&b.c, listen, (struct strs){0}, &b.collector).code, ERR_NONE);
	assert_int_equal(flow_collector_start(b.collector, &b.c, NULL, NULL).code, ERR_NONE);
	b.fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(connect(b.fd, (struct sockaddr *) &at, sizeof at), 0);
	name_tap(b.alice, b.alice_tap);
	name_tap(b.bob, b.bob_tap);
	struct flow_watch watches[] = {{flow_tap(b.bob), b.log, b.alice, 1, 0, 0},
				       {flow_tap(b.alice), b.log, b.alice, 1, 0, 0}};
	struct flow_end ends[] = {{NETWORK_KEY, ip_of("10.0.0.2"), flow_tap(b.bob)},
				  {NETWORK_KEY, ip_of("10.0.0.1"), flow_tap(b.alice)}};
	const struct network_drop drops[] = {{POINT, true}};
	struct flow_plan plan = {watches, 2, ends, 2, drops, 1};
	assert_true(flow_collector_watch(b.collector, &plan, clock_now_us()));
	*state = &b;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *b = *state;
	flow_collector_free(b->collector);
	(void) close(b->fd);
	arena_free(b->c.arena);
	clock_set_us(0);
	return 0;
}

static void send_report(struct bench *b, uint32_t domain, const struct report *report)
{
	struct datagram d;
	begin(&d, b->sequence++, domain);
	add_template(&d);
	add_report(&d, report);
	struct str message = finish(&d);
	assert_int_equal(send(b->fd, message.p, message.n, 0), (ssize_t) message.n);
}

/* Takes flows when `count` records can be taken: those that the thread has read, with the clock ahead of their reports. */
static struct flow_take take(struct bench *b, size_t count)
{
	struct flow_take all = {.records = arena_new_array(b->c.arena, struct flow_record, 64)};
	for (int tries = 0; tries < 10000 && all.count < count; tries++) {
		struct flow_take some = {0};
		bool is_due = false;
		b->ahead_us += SECOND;
		assert_int_equal(flow_collector_take(b->collector, &b->c, b->log,
						     clock_now_us() + b->ahead_us, &is_due, &some)
					 .code,
				 ERR_NONE);
		assert_true(is_due);
		memcpy(all.records + all.count, some.records, some.count * sizeof *some.records);
		all.count += some.count;
		all.skipped += some.skipped;
		(void) usleep(5000);
	}
	assert_int_equal(all.count, count);
	return all;
}

static void accepts_what_arrives(void **state)
{
	struct bench *b = *state;
	send_report(b, 0, &(const struct report){b->alice_tap, "", "10.0.0.1", "10.0.0.2", false, 80, 3});
	struct flow_take sent = take(b, 1);
	assert_true(sent.records[0].is_out && !sent.records[0].is_reject &&
		    sent.records[0].tap == flow_tap(b->alice));
	assert_int_equal(sent.records[0].packets, 3);
	send_report(b, 0,
		    &(const struct report){"ovn-hv1-0", b->bob_tap, "10.0.0.1", "10.0.0.2", true, 80, 3});
	struct flow_take got = take(b, 1);
	assert_true(!got.records[0].is_out && !got.records[0].is_reject &&
		    got.records[0].tap == flow_tap(b->bob));
	/* A device that is no guest's, the platform's address, and DHCP's are not recorded. */
	send_report(b, 0, &(const struct report){"ovn-hv1-0", "", "10.0.0.1", "10.0.0.2", false, 80, 3});
	send_report(b, 0,
		    &(const struct report){b->alice_tap, "", "10.0.0.1", "169.254.169.254", false, 80, 3});
	send_report(b, 0, &(const struct report){b->alice_tap, "", "10.0.0.1", "10.0.0.2", false, 443, 1});
	assert_int_equal(take(b, 1).records[0].destination_port, 443);
}

static void rejects_what_is_dropped(void **state)
{
	struct bench *b = *state;
	send_report(b, 0, &(const struct report){b->alice_tap, "", "10.0.0.1", "10.0.0.2", false, 81, 2});
	send_report(b, DROPS, &(const struct report){"ovn-hv1-0", "", "10.0.0.1", "10.0.0.2", false, 81, 2});
	struct flow_take took = take(b, 2);
	bool is_first = took.records[0].tap == flow_tap(b->bob);
	struct flow_record bobs = took.records[is_first ? 0 : 1], alices = took.records[is_first ? 1 : 0];
	assert_true(bobs.tap == flow_tap(b->bob) && !bobs.is_out &&
		    bobs.is_reject); /* out of the network to its port */
	assert_true(alices.tap == flow_tap(b->alice) && alices.is_out && !alices.is_reject);
	/* A drop in another network of the same addresses is nobody's. */
	send_report(b, DROPS + 1,
		    &(const struct report){"ovn-hv1-0", "", "10.0.0.1", "10.0.0.2", false, 82, 2});
	send_report(b, 0, &(const struct report){b->alice_tap, "", "10.0.0.1", "10.0.0.2", false, 443, 1});
	assert_int_equal(take(b, 1).records[0].destination_port, 443);
	/* Packets that the sender's own group dropped never left its interface. */
	struct flow_watch watches[] = {{flow_tap(b->alice), b->log, b->alice, 1, 0, 0}};
	struct flow_end ends[] = {{NETWORK_KEY, ip_of("10.0.0.1"), flow_tap(b->alice)}};
	const struct network_drop drops[] = {{POINT, false}};
	struct flow_plan plan = {watches, 1, ends, 1, drops, 1};
	assert_true(flow_collector_watch(b->collector, &plan, clock_now_us()));
	send_report(b, DROPS, &(const struct report){b->alice_tap, "", "10.0.0.1", "10.0.0.9", false, 25, 4});
	struct flow_take dropped = take(b, 1); /* more was dropped than seen so far: it waits for the rest */
	assert_true(dropped.records[0].is_out && dropped.records[0].is_reject);
	send_report(b, 0, &(const struct report){b->alice_tap, "", "10.0.0.1", "10.0.0.9", false, 25, 5});
	assert_int_equal(take(b, 1).records[0].packets, 1);
}

static void counts_what_is_lost(void **state)
{
	struct bench *b = *state;
	send_report(b, 0, &(const struct report){b->alice_tap, "", "10.0.0.1", "10.0.0.2", false, 80, 1});
	b->sequence += 7;
	send_report(b, 0, &(const struct report){b->alice_tap, "", "10.0.0.1", "10.0.0.2", false, 81, 1});
	assert_int_equal(take(b, 2).skipped, 7);
}

/* The flows of a file that could not be written are in a later one, until too many have failed in a row. */
static void keeps_what_was_not_written(void **state)
{
	struct bench *b = *state;
	bool is_due = false, is_kept = true;
	send_report(b, 0, &(const struct report){b->alice_tap, "", "10.0.0.1", "10.0.0.2", false, 80, 3});
	struct flow_take first = take(b, 1), again = first;
	int64_t now_us = clock_now_us() + b->ahead_us;
	first.skipped = 5;
	for (int tries = 1; tries < FLOW_TRIES; tries++) {
		is_kept = flow_collector_give_back(b->collector, b->log, &first, now_us);
		assert_true(is_kept);
		assert_int_equal(flow_collector_take(b->collector, &b->c, b->log, now_us + 30 * SECOND,
						     &is_due, &again)
					 .code,
				 ERR_NONE);
		assert_false(is_due);
		now_us += 2 * MINUTE;
		assert_int_equal(
			flow_collector_take(b->collector, &b->c, b->log, now_us, &is_due, &again).code,
			ERR_NONE);
		assert_true(is_due && again.count == 1 && again.records[0].packets == 3);
		assert_int_equal(again.from_us, first.from_us);
		assert_int_equal(again.skipped, 5);
	}
	assert_false(flow_collector_give_back(b->collector, b->log, &first, now_us));
	assert_int_equal(
		flow_collector_take(b->collector, &b->c, b->log, now_us + 2 * MINUTE, &is_due, &again).code,
		ERR_NONE);
	assert_int_equal(again.count, 0);
}

/* A flow that has only just been reported waits: its drops may still come. */
static void holds_new_flows(void **state)
{
	struct bench *b = *state;
	bool is_due = false;
	struct flow_take took = {0};
	clock_set_us(clock_now_us() + MINUTE);
	send_report(b, 0, &(const struct report){b->alice_tap, "", "10.0.0.1", "10.0.0.2", false, 80, 1});
	send_report(b, 0,
		    &(const struct report){b->bob_tap, b->bob_tap, "10.0.0.1", "10.0.0.2", true, 81, 1});
	for (int tries = 0; tries < 10000 && took.count == 0; tries++) {
		int64_t later_us = clock_now_us() + tries + 2; /* not HOLD_US */
		assert_int_equal(
			flow_collector_take(b->collector, &b->c, b->log, later_us, &is_due, &took).code,
			ERR_NONE);
		(void) usleep(1000);
	}
	assert_true(took.count == 1 && !took.records[0].is_out);
	(void) take(b, 1);
}

/* The records since the last file of a process that ended are lost: the next interval begins there, and says so once. */
static void tells_a_restart(void **state)
{
	struct bench *b = *state;
	int64_t now_us = clock_now_us();
	uuid old = uuid_random(), fresh = uuid_random();
	struct flow_watch watches[] = {{0, old, b->alice, MINUTE, now_us - 10 * MINUTE},
				       {0, fresh, b->alice, MINUTE, now_us - SECOND}};
	struct flow_plan plan = {.watches = watches, .watch_count = 2};
	struct flow_take lost = {0}, next = {0}, none = {0};
	bool is_due = false;
	assert_true(flow_collector_watch(b->collector, &plan, now_us));
	assert_true(flow_collector_watch(b->collector, &plan, now_us + 1));
	assert_int_equal(flow_collector_take(b->collector, &b->c, old, now_us + 2, &is_due, &lost).code, 0);
	assert_true(is_due && lost.is_lost && lost.from_us == now_us - 10 * MINUTE);
	assert_int_equal(
		flow_collector_take(b->collector, &b->c, old, now_us + MINUTE + 2, &is_due, &next).code, 0);
	assert_true(is_due && !next.is_lost && next.from_us == now_us + 2);
	assert_int_equal(
		flow_collector_take(b->collector, &b->c, fresh, now_us + MINUTE, &is_due, &none).code, 0);
	assert_true(is_due && !none.is_lost && none.from_us == now_us);
}

/* ---- files ---- */

static void writes_lines(void **state)
{
	struct ctx c = {.arena = arena_new(0, ARENA_CAP)};
	struct flow_format format;
	struct str wrong;
	const struct flow_interface of = {STR("123456789012"), STR("eni-1"), STR("vpc-1"),
					  STR("subnet-1"),     STR_NONE,     STR("use1-az1"),
					  ip_of("10.0.0.1")};
	const struct flow_interval interval = {STR("us-east-1"), 1700000000 * SECOND, 1700000060 * SECOND};
	const struct flow_record record = {.tap = 1,
					   .is_out = true,
					   .is_reject = true,
					   .source = ip_of("10.0.0.7"),
					   .destination = ip_of("10.0.0.2"),
					   .source_port = 40000,
					   .destination_port = 80,
					   .protocol = 6,
					   .packets = 2,
					   .bytes = 120,
					   .start_us = interval.from_us,
					   .end_us = interval.to_us};
	struct buf b;
	(void) state;
	assert_false(flow_format_parse(STR("${version} ${nothing}"), &format, &wrong));
	assert_true(str_is(wrong, "${nothing}"));
	assert_false(flow_format_parse(STR("${version} ${version}"), &format, &wrong));
	assert_true(flow_format_parse(STR(FLOW_FORMAT_DEFAULT), &format, &wrong));
	buf_init(&b, ARENA_CAP);
	flow_file_record(&b, &format, &interval, &of, &record);
	flow_file_status(&b, &format, &interval, &of, "NODATA");
	assert_true(str_is(
		buf_str(&b),
		"2 123456789012 eni-1 10.0.0.1 10.0.0.2 40000 80 6 2 120 1700000000 1700000060 REJECT OK\n"
		"2 123456789012 eni-1 - - - - - - - 1700000000 1700000060 - NODATA\n"));
	buf_done(&b);
	assert_true(flow_format_parse(
		STR("${pkt-srcaddr} ${flow-direction} ${az-id} ${instance-id} ${version}"), &format, &wrong));
	buf_init(&b, ARENA_CAP);
	flow_file_record(&b, &format, &interval, &of, &record);
	assert_true(str_is(buf_str(&b), "10.0.0.7 egress use1-az1 - 5\n"));
	buf_done(&b);
	struct str name =
		flow_file_name(c.arena, STR("a"), STR("123456789012"), STR("fl-1"), &interval, true);
	assert_true(str_starts_with(name, STR("a/AWSLogs/123456789012/vpcflowlogs/us-east-1/2023/11/14/22/"
					      "123456789012_vpcflowlogs_us-east-1_fl-1_20231114T2213Z_")));
	arena_free(c.arena);
}

/* An account that has used up its day's bytes leaves the others theirs, and has room again from midnight. */
static void shares_a_day_by_account(void **state)
{
	(void) state;
	const uuid alice = {.b = {1}}, bob = {.b = {2}};
	const int64_t midnight_us = 20000 * 24 * HOUR, now_us = midnight_us - HOUR;
	AUTO(arena) arena = arena_new(4096, ARENA_CAP);
	struct log_share *share = log_share_new(3 << 20);
	assert_non_null(share);
	assert_true(log_share_has_room(share, alice, now_us));
	log_share_add(share, alice, 2 << 20, now_us);
	assert_true(log_share_has_room(share, alice, now_us));
	log_share_add(share, alice, 2 << 20, now_us);
	assert_false(log_share_has_room(share, alice, now_us));
	assert_true(log_share_has_room(share, bob, now_us));
	assert_string_equal(str_to_z(arena, log_share_problem(share, arena, now_us)),
			    "The account's 3 MiB of log files a day are used up: entries until 2024-10-04 "
			    "00:00 UTC are missing.");
	assert_false(log_share_has_room(share, alice, midnight_us - 1));
	assert_true(log_share_has_room(share, alice, midnight_us));
	for (unsigned k = 0; k < 100; k++) /* more accounts than the first allocation has room for */
		log_share_add(share, (uuid){.b = {3, (uint8_t) k}}, 3 << 20, midnight_us);
	assert_false(log_share_has_room(share, (uuid){.b = {3, 99}}, midnight_us));
	assert_true(log_share_has_room(share, (uuid){.b = {3, 100}}, midnight_us));
	log_share_free(share);
}

/* Without a maximum there is always room. */
static void needs_no_maximum(void **state)
{
	(void) state;
	const uuid alice = {.b = {1}};
	struct log_share *share = log_share_new(0);
	assert_non_null(share);
	log_share_add(share, alice, SIZE_MAX / 4, HOUR);
	assert_true(log_share_has_room(share, alice, HOUR));
	log_share_free(share);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_a_day_by_account),
		cmocka_unit_test(needs_no_maximum),
		cmocka_unit_test(reads_messages),
		cmocka_unit_test(survives_nonsense),
		cmocka_unit_test_setup_teardown(accepts_what_arrives, open_bench, close_bench),
		cmocka_unit_test_setup_teardown(rejects_what_is_dropped, open_bench, close_bench),
		cmocka_unit_test_setup_teardown(counts_what_is_lost, open_bench, close_bench),
		cmocka_unit_test_setup_teardown(keeps_what_was_not_written, open_bench, close_bench),
		cmocka_unit_test_setup_teardown(holds_new_flows, open_bench, close_bench),
		cmocka_unit_test_setup_teardown(tells_a_restart, open_bench, close_bench),
		cmocka_unit_test(writes_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
