/* SPDX-License-Identifier: Apache-2.0
 * The authority for libvirt's TLS: its files, and their renewal over time. */
#include "daemon/authority.h"

#include <sys/stat.h>

#include "../base/test_base.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/crypto_issue.h"
#include "base/file.h"

static const int64_t START_US = INT64_C(1893456000) * SECOND, DAY_US = 24 * HOUR; /* 2030 */
static char folder[64];
static struct settings settings = {.region_id = {"0d5f3c1e-0000-4000-8000-000000000001", 36}};

static int setup(void **state)
{
	(void) snprintf(folder, sizeof folder, "/tmp/dari_test_authority_XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	settings.data_directory = str_from(folder);
	clock_set_us(START_US);
	return ctx_setup(state);
}

static int teardown(void **state)
{
	clock_set_us(0);
	file_remove_tree(folder);
	return ctx_teardown(state);
}

static struct str read_file(struct ctx *c, const char *name)
{
	struct str text = STR_NONE;
	assert_ok(file_read(c, authority_path(c->arena, &settings, name), 1 << 20, &text));
	return text;
}

static struct str run_in_folder(struct ctx *c, const char *words)
{
	const char *argv[] = {"sh", "-c", words, "sh", str_print(c->arena, "%s/libvirt", folder).p, NULL};
	const struct child child = {.argv = argv, .timeout_us = 10 * MINUTE};
	struct child_end end = {0};
	clock_set_us(0);
	assert_ok(child_run(c, &child, &end));
	clock_set_us(START_US);
	if (end.status)
		fail_msg("%s: %" STR_FMT, words, STR_ARG(end.err));
	return str_trim(end.out);
}

static void test_made_once(void **state)
{
	struct ctx *c = *state;
	static const char *const names[] = {"ca.key", "ca.pem", "client/cacert.pem", "client/clientcert.pem",
					    "client/clientkey.pem"};
	assert_ok(authority_keep(c, &settings));
	struct str before = STR_NONE, after = STR_NONE;
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		struct stat st = {0};
		assert_int_equal(stat(authority_path(c->arena, &settings, names[k]), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		before = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(before),
				   STR_ARG(read_file(c, names[k])));
	}
	assert_ok(authority_keep(c, &settings));
	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		after = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(after),
				  STR_ARG(read_file(c, names[k])));
	assert_true(str_equal(before, after));
	assert_str(run_in_folder(
			   c, "openssl x509 -in $1/client/clientcert.pem -noout -subject -nameopt RFC2253"),
		   "subject=CN=dari 0d5f3c1e-0000-4000-8000-000000000001");
}

/* At two thirds of its time, and not before; its key and the authority stay. */
static void test_renewed_in_time(void **state)
{
	struct ctx *c = *state;
	assert_ok(authority_keep(c, &settings));
	struct str cert = read_file(c, "client/clientcert.pem"), key = read_file(c, "client/clientkey.pem"),
		   ca = read_file(c, "ca.pem");
	clock_set_us(START_US + 59 * DAY_US);
	assert_ok(authority_keep(c, &settings));
	assert_true(str_equal(cert, read_file(c, "client/clientcert.pem")));
	clock_set_us(START_US + 61 * DAY_US);
	assert_ok(authority_keep(c, &settings));
	int64_t from_us = 0, until_us = 0;
	assert_ok(crypto_read_validity(c, read_file(c, "client/clientcert.pem"), &from_us, &until_us));
	assert_int_equal(until_us, START_US + 151 * DAY_US);
	assert_true(str_equal(key, read_file(c, "client/clientkey.pem")));
	assert_true(str_equal(ca, read_file(c, "ca.pem")));
}

/* Cut off between any two of its files, it goes on. */
static void test_goes_on(void **state)
{
	struct ctx *c = *state;
	static const char *const lost[] = {"client/clientcert.pem", "client/clientkey.pem",
					   "client/cacert.pem", "ca.pem"};
	for (size_t k = 0; k < sizeof lost / sizeof *lost; k++) {
		assert_ok(authority_keep(c, &settings));
		assert_ok(file_delete(c, authority_path(c->arena, &settings, lost[k])));
		assert_ok(authority_keep(c, &settings));
		assert_str(run_in_folder(
				   c,
				   "cd $1 && cmp ca.pem client/cacert.pem && openssl verify -no_check_time "
				   "-CAfile ca.pem client/clientcert.pem | sed 's/.*: //'"),
			   "OK");
		assert_str(
			run_in_folder(
				c,
				"cd $1/client && [ \"$(openssl x509 -in clientcert.pem -noout -pubkey)\" = "
				"\"$(openssl pkey -in clientkey.pem -pubout)\" ] && echo same"),
			"same");
	}
}

static void test_signs(void **state)
{
	struct ctx *c = *state;
	struct str text = run_in_folder(
		c, "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		   "-keyout /dev/null -subj '/CN=dari x' -outform DER 2>/dev/null | base64 -w 0");
	struct authority_request request = {
		.host = STR("hv1"), .address = STR("10.0.0.11"), .libvirt = text, .qemu = text};
	assert_ok(authority_sign(c, &settings, &request));
	assert_true(str_starts_with(request.libvirt_pem, STR("-----BEGIN CERTIFICATE-----\n")));
	assert_false(str_equal(request.libvirt_pem, request.qemu_pem));
	const struct authority_request bad[] = {
		{STR("dari x"), STR("10.0.0.11"), text, text, {0}, {0}},
		{STR("../x"), STR("10.0.0.11"), text, text, {0}, {0}},
		{STR(""), STR("10.0.0.11"), text, text, {0}, {0}},
		{STR("hv1"), STR("hv1"), text, text, {0}, {0}},
		{STR("hv1"), STR("10.0.0.11"), STR(""), text, {0}, {0}},
		{STR("hv1"), STR("10.0.0.11"), text, STR("AAAA"), {0}, {0}},
	};
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		struct authority_request one = bad[k];
		ctx_clear_problem(c);
		assert_err(authority_sign(c, &settings, &one), INVALID);
	}
}

static void test_hosts(void **state)
{
	struct ctx *c = *state;
	struct authority_host found = {0}, host = {.name = STR("hv1"),
						   .ssh = STR("root@a"),
						   .address = STR("10.0.0.11"),
						   .until_us = START_US + 90 * DAY_US};
	assert_ok(authority_keep(c, &settings));
	assert_err(authority_find_host(c, &settings, STR("hv1"), &found), NOT_FOUND);
	host.installed = read_file(c, "client/clientcert.pem"); /* issued by the same authority */
	host.trusted = read_file(c, "ca.pem");
	assert_ok(authority_note_host(c, &settings, &host));
	assert_ok(authority_find_host(c, &settings, STR("hv1"), &found));
	assert_str(found.ssh, "root@a");
	assert_str(found.address, "10.0.0.11");
	assert_false(authority_is_due(&found));
	clock_set_us(START_US + 60 * DAY_US);
	assert_true(authority_is_due(&found));
	assert_ok(authority_forget_host(c, &settings, STR("hv1")));
	assert_ok(authority_forget_host(c, &settings, STR("hv1")));
	assert_err(authority_find_host(c, &settings, STR("hv1"), &found), NOT_FOUND);
	assert_err(authority_find_host(c, &settings, STR("../ca"), &found), NOT_FOUND);
}

/* ---- another authority in its place */

static struct str list_trusted(struct ctx *c)
{
	struct str pem = STR_NONE;
	assert_ok(authority_read_trusted(c, &settings, &pem));
	return pem;
}

/* The host is renewed: it has a certificate of whoever signs now, and trusts all that it is to. */
static void renew(struct ctx *c, struct str name)
{
	struct str text =
		run_in_folder(c, "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
				 "-keyout /dev/null -subj '/CN=x' -outform DER 2>/dev/null | base64 -w 0");
	struct authority_request request = {
		.host = name, .address = STR("10.0.0.11"), .libvirt = text, .qemu = text};
	struct authority_host host = {.name = name,
				      .ssh = STR("root@a"),
				      .address = STR("10.0.0.11"),
				      .until_us = START_US + 90 * DAY_US};
	assert_ok(authority_sign(c, &settings, &request));
	host.installed = request.libvirt_pem;
	host.trusted = str_trim(list_trusted(c));
	assert_ok(authority_note_host(c, &settings, &host));
}

static bool is_due(struct ctx *c, struct str name)
{
	struct authority_host host = {0};
	assert_ok(authority_find_host(c, &settings, name, &host));
	return authority_is_due(&host);
}

static const struct str all_hosts[] = {{"hv1", 3}, {"by-hand", 7}, {"hv2", 3}};

static void expect_stage(struct ctx *c, enum authority_stage stage, const char *waits_for)
{
	struct str behind = STR_NONE;
	assert_ok(authority_go_on(c, &settings, (struct strs){all_hosts, 3}, &behind));
	assert_int_equal(authority_stage(c, &settings), stage);
	assert_str(behind, waits_for);
	/* Dari's own certificate is issued by the signing authority, next to all trusted ones. */
	assert_true(crypto_is_issued_by(read_file(c, "client/clientcert.pem"), read_file(c, "ca.pem")));
	assert_true(str_equal(read_file(c, "client/cacert.pem"), list_trusted(c)));
}

static void test_replaced(void **state)
{
	struct ctx *c = *state;
	assert_ok(authority_keep(c, &settings));
	renew(c, all_hosts[0]);
	renew(c, all_hosts[2]);
	struct str first = read_file(c, "ca.pem"), key = read_file(c, "client/clientkey.pem");
	assert_false(is_due(c, all_hosts[0]));
	expect_stage(c, AUTHORITY_STEADY, "");

	assert_ok(authority_replace(c, &settings));
	assert_err(authority_replace(c, &settings), STATE);
	ctx_clear_problem(c);
	assert_true(
		str_equal(first, read_file(c, "ca.pem"))); /* the old one signs until all trust the new one */
	struct str both = list_trusted(c);
	assert_true(str_starts_with(both, first) && both.n > first.n);
	assert_true(is_due(c, all_hosts[0]) && is_due(c, all_hosts[2]));
	expect_stage(c, AUTHORITY_ANNOUNCED, "hv1");
	renew(c, all_hosts[0]);
	expect_stage(c, AUTHORITY_ANNOUNCED, "hv2");
	renew(c, all_hosts[2]);

	expect_stage(c, AUTHORITY_CHANGED, "hv1");
	assert_false(str_equal(first, read_file(c, "ca.pem")));
	assert_true(str_equal(both, list_trusted(c)));
	assert_true(is_due(c, all_hosts[0]) && is_due(c, all_hosts[2]));
	renew(c, all_hosts[2]);
	expect_stage(c, AUTHORITY_CHANGED, "hv1");
	renew(c, all_hosts[0]);

	expect_stage(c, AUTHORITY_STEADY, "");
	assert_true(str_equal(read_file(c, "ca.pem"), list_trusted(c)));
	assert_true(is_due(c, all_hosts[0]) && is_due(c, all_hosts[2])); /* they trust the old one still */
	renew(c, all_hosts[0]);
	renew(c, all_hosts[2]);
	assert_false(is_due(c, all_hosts[0]) || is_due(c, all_hosts[2]));
	assert_true(str_equal(key, read_file(c, "client/clientkey.pem")));
	assert_ok(authority_replace(c, &settings)); /* and another time */
}

/* The turn from one to the other, with only some of its files written: the next look ends it. */
static void test_turn_is_cut_off(void **state)
{
	struct ctx *c = *state;
	static const char *const written[] = {"", "cp next.key ca.key",
					      "cp next.key ca.key; cp next.pem ca.pem",
					      "cp next.key ca.key; mv next.pem ca.pem"};
	for (size_t k = 0; k < sizeof written / sizeof *written; k++) {
		assert_ok(authority_keep(c, &settings));
		renew(c, all_hosts[0]);
		renew(c, all_hosts[2]);
		assert_ok(authority_replace(c, &settings));
		struct str next = read_file(c, "next.pem"), both = list_trusted(c);
		renew(c, all_hosts[0]);
		renew(c, all_hosts[2]);
		(void) run_in_folder(c, str_print(c->arena, "cd $1; cp ca.pem old.pem; %s", written[k]).p);
		assert_ok(authority_keep(c, &settings));
		assert_true(str_equal(next, read_file(c, "ca.pem")));
		assert_true(str_equal(both, list_trusted(c)));
		expect_stage(c, AUTHORITY_CHANGED, "hv1");
		(void) run_in_folder(c, "rm $1/ca.pem"); /* a clean start: nobody of before is trusted */
		assert_ok(authority_keep(c, &settings));
		assert_true(str_equal(read_file(c, "ca.pem"), list_trusted(c)));
	}
}

/* Notes of earlier versions of dari don't name the host's authority: such a host is outdated as soon as there
 * are two. */
static void test_noted_before(void **state)
{
	struct ctx *c = *state;
	assert_ok(authority_keep(c, &settings));
	(void) run_in_folder(
		c, "echo '{\"ssh\":\"root@a\",\"address\":\"10.0.0.11\",\"until_us\":1900000000000000}' "
		   ">$1/hosts/hv1.json");
	assert_false(is_due(c, all_hosts[0]));
	assert_ok(authority_replace(c, &settings));
	assert_true(is_due(c, all_hosts[0]));
	expect_stage(c, AUTHORITY_ANNOUNCED, "hv1");
}

#define authority_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		authority_test(test_made_once),       authority_test(test_renewed_in_time),
		authority_test(test_goes_on),         authority_test(test_signs),
		authority_test(test_hosts),           authority_test(test_replaced),
		authority_test(test_turn_is_cut_off), authority_test(test_noted_before)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
