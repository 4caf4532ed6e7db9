/* SPDX-License-Identifier: Apache-2.0
 * Allowed names for the device whose traffic is counted: the name is inserted into an nftables script. */
#include "daemon/daemon.h"
#include "drivers/egress_policy.h"

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

static void check_file_key(void *arg, const struct config_key *key)
{
	static const char *const endings[] = {"_file", "certificate", ".key", ".ca"};
	size_t *count = arg;
	bool names_file = false;
	for (size_t k = 0; k < sizeof endings / sizeof *endings; k++)
		names_file = names_file || str_ends_with(str_from(key->name), str_from(endings[k]));
	if (key->is_file != names_file)
		fail_msg("%s: is_file has to be %d, for backups of the region", key->name, names_file);
	*count += names_file;
}

/* A backup of the region has every file that the configuration names. */
static void files_are_known(void **state)
{
	size_t count = 0;
	(void) state;
	settings_each_key(check_file_key, &count);
	assert_true(count >= 5);
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

static bool sounds_like_a_server(const char *name)
{
	static const char *const words[] = {"url",   "endpoint", "northbound", "southbound", "ovn.local",
					    "store", "upstream", "mirror",     "target"};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (strstr(name, words[k]))
			return true;
	return false;
}

struct listing {
	struct ctx *c;
	struct settings settings;
	size_t count;
};

/* Gives the key's text a server of its own, and looks for that in the list. */
static void check_key(void *arg, const struct config_key *key)
{
	struct listing *l = arg;
	struct strs remotes = {0};
	if (!sounds_like_a_server(key->name) ||
	    strcmp(key->name, "api.endpoint") == 0) /* which everybody may reach */
		return;
	bool is_store = strcmp(key->name, "store") == 0, is_list = key->type == CONFIG_TEXTS;
	struct str *text = (struct str *) (void *) ((char *) &l->settings + key->offset), listed;
	listed = str_from(is_store ? "postgresql://server.example/dari" : "https://server.example:443");
	if (is_list)
		*(struct strs *) (void *) text = (struct strs){&listed, 1};
	else
		*text = listed;
	bool has = false;
	assert_true(settings_list_remotes(l->c->arena, &l->settings, &remotes));
	for (size_t k = 0; k < remotes.count; k++)
		has |= str_contains(remotes.at[k], STR("server.example"));
	if (!has)
		fail_msg("settings_list_remotes() has no server of %s", key->name);
	l->settings = (struct settings){0};
	l->count++;
}

static void servers_of_the_configuration_are_remotes(void **state)
{
	struct listing l = {.c = *state};
	settings_each_key(check_key, &l);
	assert_true(l.count >= 10);
}

static void resolvers_are_remotes(void **state)
{
	struct ctx *c = *state;
	struct str resolvers[] = {STR("198.51.100.53"), STR("198.51.100.53:5353"), STR("2001:db8::1"),
				  STR("[2001:db8::2]:53")};
	static const char *const hosts[] = {"198.51.100.53", "198.51.100.53", "2001:db8::1", "2001:db8::2"};
	const struct settings settings = {.dns_upstreams = {resolvers, 4}};
	struct strs remotes = {0};
	assert_true(settings_list_remotes(c->arena, &settings, &remotes));
	assert_int_equal(remotes.count, 4);
	for (size_t k = 0; k < remotes.count; k++) {
		struct str remote = remotes.at[k];
		assert_true(str_is(egress_policy_next_host(&remote), hosts[k]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_device_has_a_device_s_name, ctx_setup, ctx_teardown),
		cmocka_unit_test(files_are_known),
		cmocka_unit_test_setup_teardown(databases_are_remotes, ctx_setup, ctx_teardown),
		cmocka_unit_test_setup_teardown(resolvers_are_remotes, ctx_setup, ctx_teardown),
		cmocka_unit_test_setup_teardown(servers_of_the_configuration_are_remotes, ctx_setup,
						ctx_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
