/* SPDX-License-Identifier: Apache-2.0
 * EC2's volume types, with the figures in its guide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/disk_limits.h"

#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)

static void test_types(void **state)
{
	(void) state;
	static const struct {
		const char *type;
		int64_t gib, iops, throughput;
		struct disk_limits limits;
	} rows[] = {
		{"gp3", 1, 3000, 125, {3000, 0, 0, 256 << 10, 125 * MIB, 0, 0}},
		{"gp3", 100, 16000, 1000, {16000, 0, 0, 256 << 10, 1000 * MIB, 0, 0}},
		{"gp2", 8, 100, 0, {100, 3000, 1800, 256 << 10, 128 * MIB, 0, 0}},
		{"gp2", 170, 510, 0, {510, 3000, 1800, 256 << 10, 128 * MIB, 0, 0}},
		{"gp2", 171, 513, 0, {513, 3000, 1800, 256 << 10, 250 * MIB, 0, 0}},
		{"gp2", 1000, 3000, 0, {3000, 0, 0, 256 << 10, 250 * MIB, 0, 0}},
		{"io1", 4, 100, 0, {100, 0, 0, 256 << 10, 25 * MIB, 0, 0}},
		{"io1", 640, 32000, 0, {32000, 0, 0, 256 << 10, 500 * MIB, 0, 0}},
		{"io1", 1280, 64000, 0, {64000, 0, 0, 256 << 10, 1000 * MIB, 0, 0}},
		{"io2", 4, 2000, 0, {2000, 0, 0, 256 << 10, 500 * MIB, 0, 0}},
		{"io2", 128, 64000, 0, {64000, 0, 0, 256 << 10, 4000 * MIB, 0, 0}},
		{"st1", 1024, 0, 0, {500, 0, 0, 1 << 20, 40 * MIB, 250 * MIB, 4194}},
		{"st1", 16384, 0, 0, {500, 0, 0, 1 << 20, 500 * MIB, 0, 0}},
		{"sc1", 1024, 0, 0, {250, 0, 0, 1 << 20, 12 * MIB, 80 * MIB, 13107}},
		{"standard", 10, 0, 0, {200, 0, 0, 1 << 20, 90 * MIB, 0, 0}},
		{"__DEFAULT__", 10, 0, 0, {0}},
		{"fast", 10, 5000, 10, {0}},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct disk_limits found = model_limit_disk(str_from(rows[k].type), rows[k].gib * GIB,
							    rows[k].iops, rows[k].throughput);
		if (memcmp(&found, &rows[k].limits, sizeof found) != 0)
			fail_msg("%s of %lld GiB: %lld %lld %lld, %lld, %lld %lld %lld", rows[k].type,
				 (long long) rows[k].gib, (long long) found.iops,
				 (long long) found.iops_burst, (long long) found.iops_burst_s,
				 (long long) found.iops_size, (long long) found.bytes,
				 (long long) found.bytes_burst, (long long) found.bytes_burst_s);
	}
}

/* Specs override the type's limits. Absent and malformed ones change nothing. */
static void test_specs(void **state)
{
	(void) state;
	struct tag said[] = {{STR("total_bytes_sec_per_gb"), STR("1000")},
			     {STR("total_iops_sec"), STR("500")},
			     {STR("total_iops_sec_max"), STR("900")}};
	struct tag wrong[] = {{STR("read_iops_sec"), STR("-7")}, {STR("total_iops_sec"), STR("many")}};
	struct disk_limits found = model_limit_disk(STR("gp2"), 10 * GIB, 100, 0), before = found;
	model_limit_by_specs((struct tags){wrong, 2}, 10 * GIB, &found);
	assert_memory_equal(&found, &before, sizeof found);
	model_limit_by_specs((struct tags){said, 3}, 10 * GIB, &found);
	assert_int_equal(found.iops, 500);
	assert_int_equal(found.iops_burst, 900);
	assert_int_equal(found.iops_burst_s, 1);
	assert_int_equal(found.bytes, 10000);
	assert_int_equal(found.iops_size, before.iops_size);
}

/* QEMU takes no common limit beside one for a direction. */
static void test_specs_of_a_direction(void **state)
{
	(void) state;
	struct tag said[] = {{STR("read_bytes_sec_per_gb"), STR("1000")},
			     {STR("write_iops_sec"), STR("500")},
			     {STR("write_iops_sec_max"), STR("900")}};
	struct tag both[] = {{STR("total_iops_sec"), STR("600")}, {STR("write_iops_sec"), STR("500")}};
	struct disk_limits found = model_limit_disk(STR("gp2"), 10 * GIB, 100, 0);
	assert_true(found.iops && found.iops_burst && found.bytes);
	model_limit_by_specs((struct tags){said, 3}, 10 * GIB, &found);
	assert_true(!found.iops && !found.iops_burst && !found.bytes);
	assert_int_equal(found.read_bytes.rate, 10000);
	assert_int_equal(found.write_bytes.rate, 0);
	assert_int_equal(found.write_iops.rate, 500);
	assert_int_equal(found.write_iops.burst, 900);
	assert_int_equal(found.write_iops.burst_s, 1);
	model_limit_by_specs((struct tags){both, 2}, 10 * GIB, &found);
	assert_int_equal(found.iops, 600);
	assert_int_equal(found.write_iops.rate, 0);
	assert_int_equal(found.read_bytes.rate, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_types), cmocka_unit_test(test_specs),
					   cmocka_unit_test(test_specs_of_a_direction)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
