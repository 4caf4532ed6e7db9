/* SPDX-License-Identifier: Apache-2.0
 * Access logs: entries and names of files as AWS documents them, and reports that wait, are given back and are dropped. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "reconcile/balancing/access_collector.h"
#include "reconcile/balancing/access_line.h"

/* 2026-11-30T00:03:20.25 */
#define ENDED "1795996800250000"
#define HEX_GROUP "g01000000000000000000000000000000"

static struct access_subject make_subject(enum access_form form)
{
	struct access_subject subject = {.proxy = {{1}},
					 .balancer = {{2}},
					 .account = {{3}},
					 .number = "123456789012",
					 .region = "us-east-1",
					 .name = "app/web/0123456789abcdef",
					 .prefix = "front",
					 .ip = ip_from_v4(0x0a000004),
					 .form = form,
					 .interval_us = 5 * MINUTE};
	if (form == ACCESS_CLASSIC)
		strcpy(subject.name, "web");
	if (form == ACCESS_NETWORK)
		strcpy(subject.name, "net/web/0123456789abcdef");
	return subject;
}

/* The entry; empty: the report is refused. */
static const char *write_entry(const char *report, enum access_form form)
{
	static char text[4096];
	const struct access_group group = {{{1}}, STR("arn:group")};
	const struct access_certificate certificate = {"AB12", STR("arn:certificate")};
	const struct access_names names = {&group, 1, &certificate, 1};
	const struct access_subject subject = make_subject(form);
	struct buf out;
	buf_init(&out, sizeof text);
	bool is_written = access_line_write(&out, str_from(report), &subject, &names);
	snprintf(text, sizeof text, "%" STR_FMT, STR_ARG(buf_str(&out)));
	assert_int_equal(is_written, text[0] != 0);
	buf_done(&out);
	return text;
}

static void test_forwarded(void **state)
{
	(void) state;
	assert_string_equal(
		write_entry("dari1 https 443 " ENDED
			    " 250 1 2 3 200 44 200 201 97 892 192.0.2.9 50736 10.0.0.7 8080 " HEX_GROUP
			    " 2 10 forward TLS_AES_256_GCM_SHA384 TLSv1.3 AB12 aaaa-bb "
			    "\"GET\" \"www.example.com\" \"\\/a?b=\\\"c\" \"2.0\" \"a\\\"b\\\\ \\u00e9\\t\" "
			    "\"Root=1-2-3\" "
			    "\"www.example.com\" \"-\"",
			    ACCESS_APPLICATION),
		"h2 2026-11-30T00:00:00.250000Z app/web/0123456789abcdef 192.0.2.9:50736 10.0.0.7:8080 0.006 "
		"0.200 "
		"0.044 200 201 97 892 \"GET https://www.example.com:443/a?b=\\x22c HTTP/2.0\" "
		"\"a\\x22b\\x5C \\xE9\\x09\" TLS_AES_256_GCM_SHA384 TLSv1.3 arn:group \"Root=1-2-3\" "
		"\"www.example.com\" \"arn:certificate\" 10 2026-11-30T00:00:00.000000Z \"forward\" \"-\" "
		"\"-\" "
		"\"10.0.0.7:8080\" \"201\" \"-\" \"-\" TID_aaaabb \"-\" \"-\" \"-\"\n");
}

/* AWS writes no brackets: the port is behind the last colon. */
static void test_client_of_ipv6(void **state)
{
	(void) state;
	assert_non_null(strstr(
		write_entry("dari1 http 80 " ENDED
			    " 0 0 -1 -1 -1 -1 302 - 83 90 2001:db8::9 50736 - - f80 1 0 redirect - - - "
			    "aaaa \"GET\" \"[2001:db8::1]\" \"\\/r\" \"1.1\" \"-\" \"Root=1\" \"-\" "
			    "\"https:\\/\\/h:443\\/r\"",
			    ACCESS_APPLICATION),
		" 2001:db8::9:50736 - -1 -1 -1 302 - 83 90 \"GET http://[2001:db8::1]:80/r HTTP/1.1\" "));
}

static void test_redirected(void **state)
{
	(void) state;
	assert_string_equal(
		write_entry("dari1 http 80 " ENDED
			    " 0 0 -1 -1 -1 -1 302 - 83 90 192.0.2.9 50736 - - f80 1 0 redirect - - - "
			    "aaaa \"GET\" \"h\" \"\\/r\" \"1.1\" \"-\" \"Root=1\" \"-\" "
			    "\"https:\\/\\/h:443\\/r\"",
			    ACCESS_APPLICATION),
		"http 2026-11-30T00:00:00.250000Z app/web/0123456789abcdef 192.0.2.9:50736 - -1 -1 -1 302 - "
		"83 90 "
		"\"GET http://h:80/r HTTP/1.1\" \"-\" - - - \"Root=1\" \"-\" \"-\" 0 "
		"2026-11-30T00:00:00.250000Z "
		"\"redirect\" \"https://h:443/r\" \"-\" \"-\" \"-\" \"-\" \"-\" TID_aaaa \"-\" \"-\" "
		"\"-\"\n");
}

/* A request that HAProxy cannot read matches no rule. */
static void test_malformed(void **state)
{
	(void) state;
	assert_non_null(
		strstr(write_entry("dari1 http 80 " ENDED
				   " -1 -1 -1 -1 -1 -1 400 - 7 187 192.0.2.9 5 - - f80 1 - - - - - aaaa "
				   "\"-\" \"-\" \"-\" \"-\" \"-\" \"-\" \"-\" \"-\"",
				   ACCESS_APPLICATION),
		       " 400 - 7 187 \"- http://10.0.0.4:80 - \" \"-\" - - - \"-\" \"-\" \"-\" -1 "
		       "2026-11-30T00:00:00.250000Z \"-\""));
}

static void test_refused(void **state)
{
	(void) state;
	assert_string_equal(write_entry("dari1 http 80 " ENDED " 1 2 3", ACCESS_APPLICATION), "");
	assert_string_equal(write_entry("Proxy f80 started.", ACCESS_APPLICATION), "");
	assert_string_equal(write_entry("dari1 http 80 x 0 0 -1 -1 -1 -1 302 - 83 90 192.0.2.9 50736 - - f80 "
					"1 0 redirect - - "
					"- aaaa \"GET\" \"h\" \"r\" \"1.1\" \"-\" \"-\" \"-\" \"cut",
					ACCESS_APPLICATION),
			    "");
}

static void test_classic(void **state)
{
	(void) state;
	assert_string_equal(
		write_entry("dari1 http 80 " ENDED
			    " 250 1 2 3 200 44 200 200 97 892 192.0.2.9 50736 10.0.0.7 8080 c80 1 - - "
			    "- - - - \"GET\" \"h\" \"\\/\" \"1.1\" \"curl\" \"-\" \"-\" \"-\"",
			    ACCESS_CLASSIC),
		"2026-11-30T00:00:00.000000Z web 192.0.2.9:50736 10.0.0.7:8080 0.006000 0.200000 0.044000 "
		"200 200 97 "
		"892 \"GET http://h:80/ HTTP/1.1\" \"curl\" - -\n");
	assert_string_equal(
		write_entry("dari1 tcp 25 " ENDED
			    " 250 0 0 3 -1 -1 - - 97 892 192.0.2.9 50736 10.0.0.7 25 c25 - - - - - - -",
			    ACCESS_CLASSIC),
		"2026-11-30T00:00:00.000000Z web 192.0.2.9:50736 10.0.0.7:25 0.003000 -1 -1 - - 97 892 "
		"\"- - - \" \"-\" - -\n");
}

static void test_network(void **state)
{
	(void) state;
	assert_string_equal(
		write_entry(
			"dari1 tls 443 " ENDED
			" 250 12 0 3 -1 -1 - - 97 892 192.0.2.9 50736 10.0.0.4 443 f443 00112233aabbccdd - - "
			"TLS_AES_256_GCM_SHA384 TLSv1.3 AB12 - \"www.example.com\" h2",
			ACCESS_NETWORK),
		"tls 2.0 2026-11-30T00:00:00 net/web/0123456789abcdef 00112233aabbccdd 192.0.2.9:50736 "
		"10.0.0.4:443 250 12 97 892 - "
		"arn:certificate - TLS_AES_256_GCM_SHA384 tlsv13 - www.example.com h2 - - "
		"2026-11-30T00:00:00\n");
	/* a handshake that fails */
	assert_string_equal(
		write_entry(
			"dari1 tls 443 " ENDED
			" 1250 -1 -1 -1 -1 -1 - - 0 0 192.0.2.9 50736 10.0.0.4 443 f443 00112233aabbccdd - - "
			"(NONE) TLSv1.1 AB12 - \"\" -",
			ACCESS_NETWORK),
		"tls 2.0 2026-11-30T00:00:00 net/web/0123456789abcdef 00112233aabbccdd 192.0.2.9:50736 "
		"10.0.0.4:443 1250 - 0 0 - "
		"- - - - - - - - - 2026-11-29T23:59:59\n");
	assert_string_equal(write_entry("dari1 tls 443 " ENDED " 250 12 0 3", ACCESS_NETWORK), "");
}

static void test_names(void **state)
{
	(void) state;
	AUTO(arena) arena = arena_new(4096, 1 << 20);
	struct access_subject subject = make_subject(ACCESS_APPLICATION);
	const struct str begin =
		STR("front/AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/11/30/123456789012_"
		    "elasticloadbalancing_us-east-1_app.web.0123456789abcdef_20261130T0005Z_10.0.0.4_");
	struct str name = access_file_name(arena, &subject, false, (INT64_C(1795996800) + 300) * SECOND);
	assert_true(str_starts_with(name, begin));
	assert_int_equal(name.n, begin.n + 8 + strlen(".log.gz"));
	const struct access_subject network = make_subject(ACCESS_NETWORK);
	const struct str without =
		STR("front/AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/11/30/123456789012_"
		    "elasticloadbalancing_us-east-1_net.web.0123456789abcdef_20261130T0005Z_");
	name = access_file_name(arena, &network, false, (INT64_C(1795996800) + 300) * SECOND);
	assert_true(str_starts_with(name, without));
	assert_int_equal(name.n, without.n + 8 + strlen(".log.gz"));
	subject.prefix[0] = 0;
	assert_true(str_is(access_test_name(arena, &subject, false),
			   "AWSLogs/123456789012/ELBAccessLogTestFile"));
	strcpy(subject.connection_prefix, "c");
	assert_true(str_starts_with(
		access_file_name(arena, &subject, true, (INT64_C(1795996800) + 300) * SECOND),
		STR("c/AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/11/30/conn_log.123456789012_"
		    "elasticloadbalancing_us-east-1_app.web.0123456789abcdef_20261130T0005Z_10.0.0.4_")));
	assert_true(str_is(access_test_name(arena, &subject, true),
			   "c/AWSLogs/123456789012/ELBConnectionLogTestFile"));
}

/* The connection's entry; empty: the report has none. */
static const char *write_connection(const char *report)
{
	static char text[1024];
	struct buf out;
	buf_init(&out, sizeof text);
	bool is_written = access_line_write_connection(&out, str_from(report));
	snprintf(text, sizeof text, "%" STR_FMT, STR_ARG(buf_str(&out)));
	assert_int_equal(is_written, text[0] != 0);
	buf_done(&out);
	return text;
}

/* The end of a report: handshake in ms, when the connection was established, whether the request is its first. */
#define TLS_REPORT(connection, end)                                                                          \
	"dari1 https 443 " ENDED " 250 1 2 3 200 44 200 200 97 892 192.0.2.9 50736 10.0.0.7 8080 " HEX_GROUP \
	" 1 10 forward TLS_AES_256_GCM_SHA384 TLSv1.3 AB12 " connection                                      \
	" \"GET\" \"h\" \"\\/\" \"1.1\" \"-\" \"Root=1\" \"h\" \"-\"" end

static void test_connections(void **state)
{
	(void) state;
	assert_string_equal(
		write_connection(TLS_REPORT("aa-bb", " 12 1795996800125000 1 1")),
		"2026-11-30T00:00:00.125000Z 192.0.2.9 50736 443 TLSv1.3 TLS_AES_256_GCM_SHA384 0.012 "
		"\"-\" - - Success TID_aabb -\n");
	assert_string_equal(write_connection(TLS_REPORT("aa-bb", " 0 1795996800125000 - 1")),
			    "");                                            /* a later one */
	assert_string_equal(write_connection(TLS_REPORT("aa-bb", "")), ""); /* from a former program */
	assert_true(access_line_is_connection_alone(
		STR("dari1 https 443 " ENDED
		    " -1 -1 -1 -1 -1 -1 0 - 0 0 192.0.2.9 5 - - f443 1 - - (NONE) TLSv1.1 - - "
		    "\"-\" \"-\" \"-\" \"-\" \"-\" \"-\" \"-\" \"-\" 7 - - -")));
	assert_false(access_line_is_connection_alone(STR(TLS_REPORT("aa-bb", " 12 1795996800125000 1 1"))));
	assert_non_null(strstr(
		write_connection("dari1 https 443 " ENDED
				 " -1 -1 -1 -1 -1 -1 0 - 0 0 192.0.2.9 5 - - f443 1 - - (NONE) TLSv1.1 - - "
				 "\"-\" \"-\" \"-\" \"-\" \"-\" \"-\" \"-\" \"-\" 7 - - -"),
		"2026-11-30T00:00:00.250000Z 192.0.2.9 5 443 TLSv1.1 - - \"-\" - - "
		"Failed:UnmappedConnectionError TID_"));
	assert_string_equal(
		write_connection("dari1 http 80 " ENDED
				 " 0 0 -1 -1 -1 -1 302 - 83 90 2001:db8::9 50736 - - f80 1 0 redirect - - - "
				 "aaaa \"GET\" \"h\" \"\\/r\" \"1.1\" \"-\" \"Root=1\" \"-\" \"-\" 0 "
				 "1795996800125000 1 1"),
		"2026-11-30T00:00:00.125000Z 2001:db8::9 50736 80 - - - \"-\" - - - TID_aaaa -\n");
}

/* ---- the collector ---- */

static atomic_int due_count; /* calls for the load balancer {2} */

static void count_due(void *arg, uuid balancer, uuid account)
{
	(void) arg, (void) account;
	due_count += balancer.b[0] == 2;
}

static bool take(struct access_collector *f, int64_t now_us, struct access_take *ret_take)
{
	bool is_due = false;
	access_collector_take(f, (uuid){{2}}, now_us, &is_due, ret_take);
	return is_due;
}

/* A report that came before logs lead elsewhere goes to the former place, at once. */
static void test_led_elsewhere(void **state)
{
	(void) state;
	struct access_collector *f = access_collector_new();
	struct access_subject subject = make_subject(ACCESS_APPLICATION);
	struct access_take taken = {0};
	int ends[2];
	subject.logs_requests = subject.logs_connections = true;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_true(access_collector_open(f, &subject, ends[0], MINUTE));
	assert_int_equal(send(ends[1], "dari1 one\n", 10, 0), 10);
	access_collector_close(f, subject.proxy); /* reads the socket */
	subject.logs_requests = false;
	assert_true(access_collector_open(f, &subject, -1, MINUTE));
	assert_true(take(f, 2 * MINUTE, &taken));
	assert_true(taken.subject.logs_requests && str_is(taken.reports, "dari1 one\n"));
	assert_true(access_collector_open(f, &subject, -1, MINUTE));
	access_collector_free_take(f, &taken);
	close(ends[1]);
	access_collector_free(f);
}

/* Reports of a socket become a file once it is closed; a failed file's come back first. */
static void test_collector(void **state)
{
	(void) state;
	struct access_collector *f = access_collector_new();
	const struct access_subject subject = make_subject(ACCESS_APPLICATION);
	struct access_take taken = {0};
	int ends[2], more[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, more), 0);
	assert_true(access_collector_open(f, &subject, ends[0], MINUTE));
	assert_true(access_collector_reads(f, subject.proxy));
	assert_false(take(f, 4 * MINUTE, &taken));
	assert_int_equal(send(ends[1], "dari1 one\n", 10, 0), 10);
	assert_int_equal(send(ends[1], "Proxy f80 started.\n", 19, 0), 19);
	access_collector_count_lost(f, subject.proxy, 7, 3);
	access_collector_count_lost(f, subject.proxy, 7, 5);
	access_collector_count_lost(f, subject.proxy, 8, 1);
	access_collector_close(f, subject.proxy);
	assert_true(take(f, 2 * MINUTE, &taken));
	assert_true(str_is(taken.reports, "dari1 one\n"));
	assert_int_equal(taken.dropped, 6);
	assert_true(taken.end_us == 5 * MINUTE);
	/* logs are on again, and the file cannot be written */
	assert_true(access_collector_open(f, &subject, more[0], MINUTE));
	assert_int_equal(send(more[1], "dari1 two", 9, 0), 9);
	access_collector_close(f, subject.proxy);
	assert_true(access_collector_give_back(f, &taken, 2 * MINUTE));
	assert_false(take(f, 2 * MINUTE + SECOND, &taken));
	assert_true(take(f, 4 * MINUTE, &taken));
	assert_true(str_is(taken.reports, "dari1 one\ndari1 two\n"));
	assert_int_equal(taken.dropped, 6);
	access_collector_free_take(f, &taken);
	assert_false(take(f, HOUR, &taken)); /* the spool has ended */
	struct access_figures figures = access_collector_read(f);
	assert_int_equal(figures.received, 2);
	assert_int_equal(figures.dropped, 6);
	(void) close(ends[1]);
	(void) close(more[1]);
	access_collector_free(f);
}

/* ---- the journal ---- */

/* Number of files; ret_path: the last one. */
static int count_files(const char *directory, char *ret_path, size_t room)
{
	DIR *listed = opendir(directory);
	const struct dirent *entry = NULL;
	int count = 0;
	while (listed && (entry = readdir(listed)))
		if (entry->d_name[0] != '.') {
			count++;
			snprintf(ret_path, room, "%s/%s", directory, entry->d_name);
		}
	if (listed)
		(void) closedir(listed);
	return count;
}

static struct access_collector *make_kept(struct arena *arena, const char *directory)
{
	struct ctx c;
	struct access_collector *f = access_collector_new();
	ctx_init(&c, arena);
	assert_non_null(f);
	assert_true(result_is_ok(access_collector_keep(f, &c, directory)));
	return f;
}

static void receive(struct access_collector *f, const struct access_subject *subject, const char *report)
{
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_true(access_collector_open(f, subject, ends[0], MINUTE));
	assert_int_equal(send(ends[1], report, strlen(report), 0), (int) strlen(report));
	access_collector_close(f, subject->proxy);
	(void) close(ends[1]);
}

/* Frees what a process had in memory, without telling its collector. */
static void free_reports(struct access_take *taken)
{
	struct access_collector *other = access_collector_new();
	access_collector_free_take(other, taken);
	access_collector_free(other);
}

/* A collector that is freed without a file is what a killed process leaves. */
static void test_killed(void **state)
{
	(void) state;
	AUTO(arena) arena = arena_new(4096, 1 << 20);
	char directory[] = "/tmp/dari-access-XXXXXX", place[64], path[512];
	assert_non_null(mkdtemp(directory));
	snprintf(place, sizeof place, "%s/logs", directory);
	const struct access_subject subject = make_subject(ACCESS_APPLICATION);
	struct access_take taken = {0};
	struct access_collector *f = make_kept(arena, place);
	assert_int_equal(count_files(place, path, sizeof path), 0);
	receive(f, &subject, "dari1 one");
	receive(f, &subject, "dari1 two");
	access_collector_free(f);
	/* killed within a line */
	assert_int_equal(count_files(place, path, sizeof path), 1);
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "dari1 thr", 9), 9);
	(void) close(fd);
	f = make_kept(arena, place);
	assert_true(take(f, 2 * MINUTE, &taken));
	assert_true(str_is(taken.reports, "dari1 one\ndari1 two\n"));
	assert_string_equal(taken.subject.name, subject.name);
	assert_string_equal(taken.subject.prefix, subject.prefix);
	assert_string_equal(taken.subject.number, subject.number);
	assert_string_equal(taken.subject.region, subject.region);
	assert_true(uuid_equal(taken.subject.account, subject.account));
	assert_true(ip_equal(taken.subject.ip, subject.ip));
	assert_true(taken.subject.interval_us == subject.interval_us && taken.end_us == 5 * MINUTE);
	/* killed while the file is written; then the bucket refuses it, and more comes */
	free_reports(&taken);
	access_collector_free(f);
	f = make_kept(arena, place);
	assert_true(take(f, 2 * MINUTE, &taken));
	receive(f, &subject, "dari1 four");
	assert_true(access_collector_give_back(f, &taken, 2 * MINUTE));
	access_collector_free(f);
	assert_int_equal(count_files(place, path, sizeof path), 2);
	f = make_kept(arena, place);
	assert_true(take(f, 2 * MINUTE, &taken));
	assert_true(str_is(taken.reports, "dari1 one\ndari1 two\ndari1 four\n"));
	access_collector_free_take(f, &taken);
	assert_int_equal(count_files(place, path, sizeof path), 0);
	access_collector_free(f);
	file_remove_tree(directory);
}

/* Reports outlive their directory, and the next ones make it again. */
static void test_removed(void **state)
{
	(void) state;
	AUTO(arena) arena = arena_new(4096, 1 << 20);
	char directory[] = "/tmp/dari-access-XXXXXX", path[512];
	assert_non_null(mkdtemp(directory));
	const struct access_subject subject = make_subject(ACCESS_CLASSIC);
	struct access_take taken = {0};
	struct access_collector *f = make_kept(arena, directory);
	receive(f, &subject, "dari1 one");
	file_remove_tree(directory);
	receive(f, &subject, "dari1 two");
	assert_int_equal(count_files(directory, path, sizeof path), 1);
	assert_true(take(f, HOUR, &taken));
	assert_true(str_is(taken.reports, "dari1 one\ndari1 two\n"));
	access_collector_free_take(f, &taken);
	assert_int_equal(count_files(directory, path, sizeof path), 0);
	access_collector_free(f);
	/* a file that nobody can read stays */
	snprintf(path, sizeof path, "%s/02000000-0000-0000-0000-000000000000.1.1", directory);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "odd\ndari1 x\n", 12), 12);
	(void) close(fd);
	f = make_kept(arena, directory);
	assert_false(take(f, HOUR, &taken));
	assert_int_equal(count_files(directory, path, sizeof path), 1);
	access_collector_free(f);
	file_remove_tree(directory);
}

/* While the disk takes nothing, reports are in memory alone, and no empty files are left. */
static void test_full_disk(void **state)
{
	(void) state;
	AUTO(arena) arena = arena_new(4096, 1 << 20);
	char directory[] = "/tmp/dari-access-XXXXXX", path[512];
	struct rlimit before, none;
	assert_non_null(mkdtemp(directory));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	const struct access_subject subject = make_subject(ACCESS_CLASSIC);
	struct access_take taken = {0};
	struct access_collector *f = make_kept(arena, directory);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	(void) signal(SIGXFSZ, SIG_IGN); /* write() fails */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	receive(f, &subject, "dari1 one");
	receive(f, &subject, "dari1 two");
	int count = count_files(directory, path, sizeof path);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(count, 0);
	receive(f, &subject, "dari1 three");
	assert_int_equal(count_files(directory, path, sizeof path), 1);
	assert_true(take(f, HOUR, &taken));
	assert_true(str_is(taken.reports, "dari1 one\ndari1 two\ndari1 three\n"));
	access_collector_free_take(f, &taken);
	assert_int_equal(count_files(directory, path, sizeof path), 0);
	access_collector_free(f);
	file_remove_tree(directory);
}

/* Requests of a proxy that was replaced wait for their file again, and those of the next proxy get theirs meanwhile. */
static void test_replaced(void **state)
{
	(void) state;
	struct access_collector *f = access_collector_new();
	struct access_subject subject = make_subject(ACCESS_APPLICATION);
	struct access_take taken = {0};
	receive(f, &subject, "dari1 one");
	assert_true(take(f, 2 * MINUTE, &taken));
	assert_true(access_collector_give_back(f, &taken, 2 * MINUTE));
	subject.proxy = (uuid){{9}};
	receive(f, &subject, "dari1 two");
	assert_true(take(f, 2 * MINUTE, &taken));
	assert_true(str_is(taken.reports, "dari1 two\n"));
	access_collector_free_take(f, &taken);
	assert_true(take(f, HOUR, &taken));
	assert_true(str_is(taken.reports, "dari1 one\n"));
	access_collector_free_take(f, &taken);
	access_collector_free(f);
}

/* A dari that starts counts what was lost since the row was written. */
static void test_counted(void **state)
{
	(void) state;
	struct access_collector *f = access_collector_new();
	struct access_subject subject = make_subject(ACCESS_APPLICATION);
	struct access_take taken = {0};
	int ends[2];
	subject.worker = 7;
	subject.lost = 3;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_true(access_collector_open(f, &subject, ends[0], MINUTE));
	access_collector_count_lost(f, subject.proxy, 7, 3);
	assert_int_equal(access_collector_read(f).dropped, 0);
	access_collector_count_lost(f, subject.proxy, 7, 5);
	assert_true(access_collector_open(f, &subject, -1, MINUTE)); /* the row is as it was */
	access_collector_count_lost(f, subject.proxy, 7, 5);
	assert_true(take(f, HOUR, &taken));
	assert_int_equal(taken.dropped, 2);
	assert_int_equal(taken.worker, 7);
	assert_int_equal(taken.lost, 5);
	access_collector_free_take(f, &taken);
	(void) close(ends[1]);
	access_collector_free(f);
}

/* An account with many files that are due keeps nobody else's waiting. */
static void test_many(void **state)
{
	(void) state;
	enum { MANY = 200 };
	struct access_collector *f = access_collector_new();
	struct access_subject subject = make_subject(ACCESS_APPLICATION);
	AUTO(arena) arena = arena_new(4096, 1 << 20);
	struct ctx c;
	ctx_init(&c, arena);
	subject.needs_test = true;
	for (int k = 0; k <= MANY; k++) {
		subject.proxy = (uuid){{1, (uint8_t) k}};
		subject.balancer = (uuid){{k == MANY ? 2 : 3, (uint8_t) k}};
		assert_true(access_collector_open(f, &subject, -1, MINUTE));
	}
	atomic_store(&due_count, 0);
	assert_true(result_is_ok(access_collector_start(f, &c, count_due, NULL)));
	while (!atomic_load(&due_count))
		(void) usleep(1000);
	access_collector_stop(f);
	access_collector_free(f);
}

/* Files that go on failing lose their requests in the end. */
static void test_failures(void **state)
{
	(void) state;
	struct access_collector *f = access_collector_new();
	const struct access_subject subject = make_subject(ACCESS_APPLICATION);
	struct access_take taken = {0};
	int64_t now_us = 10 * MINUTE;
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_true(access_collector_open(f, &subject, ends[0], MINUTE));
	assert_int_equal(send(ends[1], "dari1 one", 9, 0), 9);
	access_collector_close(f, subject.proxy);
	for (int k = 1; k < ACCESS_TRIES; k++, now_us += HOUR) {
		assert_true(take(f, now_us, &taken));
		assert_true(access_collector_give_back(f, &taken, now_us));
	}
	assert_true(take(f, now_us, &taken));
	assert_false(access_collector_give_back(f, &taken, now_us));
	assert_int_equal(access_collector_read(f).dropped, 1);
	(void) close(ends[1]);
	access_collector_free(f);
}

/* The thread reads, drops what exceeds a load balancer's room, and says early that a file is due. */
static void test_limit(void **state)
{
	(void) state;
	enum { SIZE = 32000, COUNT = 2 * ACCESS_OF_ONE / SIZE };
	static char report[SIZE] = "dari1 ";
	struct access_collector *f = access_collector_new();
	const struct access_subject subject = make_subject(ACCESS_APPLICATION);
	struct access_take taken = {0};
	AUTO(arena) arena = arena_new(4096, 1 << 20);
	struct ctx c;
	int ends[2];
	ctx_init(&c, arena);
	memset(report + 6, 'x', SIZE - 6);
	due_count = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_true(access_collector_open(f, &subject, ends[0], clock_now_us()));
	assert_true(result_is_ok(access_collector_start(f, &c, count_due, NULL)));
	for (int k = 0; k < COUNT; k++)
		assert_int_equal(send(ends[1], report, SIZE, 0), SIZE); /* blocks until it is read */
	access_collector_stop(f);
	access_collector_close(f, subject.proxy);
	assert_true(take(f, clock_now_us(), &taken));
	assert_in_range(taken.reports.n, ACCESS_EARLY, ACCESS_OF_ONE);
	struct access_figures figures = access_collector_read(f);
	assert_int_equal(figures.received + figures.dropped, COUNT);
	assert_int_equal(taken.dropped, figures.dropped);
	assert_true(figures.dropped > 0);
	access_collector_free_take(f, &taken);
	(void) close(ends[1]);
	access_collector_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forwarded),      cmocka_unit_test(test_redirected),
		cmocka_unit_test(test_client_of_ipv6), cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_refused),        cmocka_unit_test(test_classic),
		cmocka_unit_test(test_network),        cmocka_unit_test(test_names),
		cmocka_unit_test(test_collector),      cmocka_unit_test(test_failures),
		cmocka_unit_test(test_limit),          cmocka_unit_test(test_killed),
		cmocka_unit_test(test_removed),        cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_replaced),       cmocka_unit_test(test_counted),
		cmocka_unit_test(test_many),           cmocka_unit_test(test_connections),
		cmocka_unit_test(test_led_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
