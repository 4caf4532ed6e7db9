/* SPDX-License-Identifier: Apache-2.0
 * Reads results of health checks from answers of a southbound database. */
#include "../base/test_base.h"

#include <jansson.h>

#include "drivers/ovn/sb_monitor.h"

static struct network_probe probe_of(int64_t number)
{
	struct network_probe probe = {.port = uuid_v5(UUID_NONE, STR("port")), .number = number};
	assert_true(result_is_ok(ip_parse(STR("10.0.1.10"), &probe.ip)));
	return probe;
}

static enum network_probe_result read_row(const char *port, const char *ip, int number, const char *status)
{
	struct network_probe probe = probe_of(80);
	char text[UUID_TEXT_SIZE];
	json_t *results = json_pack("[{s:[{s:s,s:s,s:i,s:o}]}]", "rows", "logical_port",
				    port ? port : uuid_write(probe.port, text), "ip", ip, "port", number,
				    "status", status ? json_string(status) : json_pack("[s,[]]", "set"));
	assert_non_null(results);
	sb_monitor_read(results, &probe, 1);
	json_decref(results);
	return probe.result;
}

static void test_reads(void **state)
{
	(void) state;
	assert_int_equal(read_row(NULL, "10.0.1.10", 80, "online"), NETWORK_PROBE_UP);
	assert_int_equal(read_row(NULL, "10.0.1.10", 80, "offline"), NETWORK_PROBE_DOWN);
	assert_int_equal(read_row(NULL, "10.0.1.10", 80, "error"), NETWORK_PROBE_DOWN);
	assert_int_equal(read_row(NULL, "10.0.1.10", 80, NULL), NETWORK_PROBE_NONE);
	assert_int_equal(read_row(NULL, "10.0.1.10", 81, "online"), NETWORK_PROBE_NONE);
	assert_int_equal(read_row(NULL, "10.0.1.11", 80, "online"), NETWORK_PROBE_NONE);
	assert_int_equal(read_row("other", "10.0.1.10", 80, "online"), NETWORK_PROBE_NONE);
}

/* A malformed answer says nothing. */
static void test_reads_anything(void **state)
{
	static const char *const texts[] = {
		"[]", "{}", "[{}]", "[{\"error\":\"x\"}]", "[{\"rows\":[{}]}]", "[null]", "[{\"rows\":5}]"};
	struct network_probe probe = probe_of(80);
	(void) state;
	sb_monitor_read(NULL, &probe, 1);
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
		json_t *results = json_loads(texts[k], 0, NULL);
		assert_non_null(results);
		sb_monitor_read(results, &probe, 1);
		json_decref(results);
	}
	assert_int_equal(probe.result, NETWORK_PROBE_NONE);
}

static void test_asks(void **state)
{
	(void) state;
	json_t *ops = sb_monitor_ask();
	assert_int_equal(json_array_size(ops), 1);
	json_decref(ops);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_reads_anything),
		cmocka_unit_test(test_asks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
