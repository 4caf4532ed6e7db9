/* SPDX-License-Identifier: Apache-2.0
 * Allowed names for the device whose traffic is counted: the name is inserted into an nftables script. */
#include "daemon/daemon.h"

#include <stdlib.h>
#include <unistd.h>

#include "../base/test_base.h"
#include "base/file.h"

static struct result load(struct ctx *c, const char *more)
{
	char path[] = "/tmp/dari_test_settings_XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	dprintf(fd, "region:\n  name: r\n  id: 0d5f3c1e-0000-4000-8000-000000000001\n%s", more);
	close(fd);
	struct settings settings;
	struct result r = settings_load(c, path, &settings);
	unlink(path);
	return r;
}

static void a_device_has_a_device_s_name(void **state)
{
	struct ctx *c = *state;
	static const char *const good[] = {"eth0", "br-ex", "enp3s0f0np0", "bond0.100", "a_b"};
	static const char *const bad[] = {"'eth0 eth1'", "'eth0\"; flush ruleset; \"'", "a/b", "'..'",
					  "sixteen-letters."};
	for (size_t k = 0; k < sizeof good / sizeof *good; k++)
		assert_ok(load(c, str_print(c->arena, "metering:\n  uplink: %s\n  uplink_namespace: %s\n",
					    good[k], good[k])
					  .p));
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		assert_err(load(c, str_print(c->arena, "metering:\n  uplink: %s\n", bad[k]).p), INVALID);
		assert_true(str_contains(c->problem.message, STR("metering.uplink ")));
		ctx_clear_problem(c);
	}
	assert_err(load(c, "metering:\n  uplink: eth0\n  uplink_namespace: ../x\n"), INVALID);
	assert_true(str_contains(c->problem.message, STR("metering.uplink_namespace ")));
}

/* An account's downloads must not reach the region's own database. */
static void databases_are_remotes(void **state)
{
	struct ctx *c = *state;
	static const struct {
		const char *store, *servers;
	} rows[] = {
		{"", ""},
		{"/var/lib/dari/dari.db", ""},
		{"postgresql://db.example/dari?user=dari", "tcp:db.example "},
		{"postgresql://dari:p%40@10.0.0.1:5433,[fd00::2]/dari", "tcp:10.0.0.1:5433 tcp:[fd00::2] "},
		{"postgres:///dari?host=a,b&hostaddr=10.0.0.3", "tcp:a tcp:b tcp:10.0.0.3 "},
		{"postgresql://?host=%2Frun%2Fpostgresql", ""},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct strs servers = {0};
		struct str all = STR("");
		assert_true(settings_list_databases(c->arena, str_from(rows[k].store), &servers));
		for (size_t n = 0; n < servers.count; n++)
			all = str_print(c->arena, "%" STR_FMT "%" STR_FMT " ", STR_ARG(all),
					STR_ARG(servers.at[n]));
		assert_true(str_is(all, rows[k].servers));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_device_has_a_device_s_name, ctx_setup, ctx_teardown),
		cmocka_unit_test_setup_teardown(databases_are_remotes, ctx_setup, ctx_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
