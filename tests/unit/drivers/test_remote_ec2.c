/* SPDX-License-Identifier: Apache-2.0
 * Answers of EC2-like clouds: what is read of a machine, and that hostile ones are refused or bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "drivers/remote/ec2/answer.h"
#include "drivers/remote/ec2/blocks.h"
#include "drivers/remote/ec2/items.h"
#include "drivers/remote/ec2/request.h"
#include "model/remote_machine.h"

struct bench {
	struct arena *arena;
	struct ctx c;
	struct ec2_answer answer;
};

static int setup(void **state)
{
	static struct bench b;
	b = (struct bench){.arena = arena_new(ARENA_FIRST_SIZE, 16 << 20)};
	ctx_init(&b.c, b.arena);
	*state = &b;
	return b.arena ? 0 : -1;
}

static int teardown(void **state)
{
	arena_free(((struct bench *) *state)->arena);
	return 0;
}

static enum err read_text(struct bench *b, struct str text)
{
	ctx_clear_problem(&b->c);
	return ec2_read_answer(&b->c, text, &b->answer).code;
}

#define LIST(inner)                                                                                          \
	"<?xml version=\"1.0\"?><DescribeInstancesResponse "                                                 \
	"xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"                                                \
	"<reservationSet><item><instancesSet>" inner                                                         \
	"</instancesSet></item></reservationSet><nextToken>n1</nextToken></DescribeInstancesResponse>"
#define STATE "<instanceState><code>16</code><name>running</name></instanceState>"

static bool is_text(struct str a, const char *z)
{
	return str_is(a, z);
}

static void a_machine_is_read(void **state)
{
	struct bench *b = *state;
	struct str text = STR(LIST(
		"<item><instanceId>i-1</instanceId>" STATE
		"<imageId>ami-1</imageId><privateIpAddress>10.0.0.9"
		"</privateIpAddress><ipAddress>192.0.2.7</ipAddress><launchTime>2026-01-02T03:04:05.000Z</"
		"launchTime>"
		"<groupSet><item><groupId>sg-2</groupId></item><item><groupId>sg-1</groupId></item></"
		"groupSet>"
		"<tagSet><item><key>b</key><value>2</value></item><item><key>Name</key><value>web</value></"
		"item>"
		"</tagSet><cpuOptions><coreCount>2</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions>"
		"<unknown><deep>x</deep></unknown></item>"));
	assert_int_equal(read_text(b, text), ERR_NONE);
	const struct remote_machine *m = b->answer.machines;
	assert_int_equal(b->answer.machine_count, 1);
	assert_true(is_text(m->ref, "i-1") && is_text(m->name, "web") && is_text(m->image, "ami-1"));
	assert_int_equal(m->power, REMOTE_MACHINE_POWER_RUNNING);
	assert_int_equal(m->vcpus, 4);
	assert_int_equal(m->launched_us, INT64_C(1767323045000000));
	assert_true(m->groups.count == 2 && is_text(m->groups.at[0], "sg-1"));
	assert_true(m->remote_tags.count == 2 && is_text(m->remote_tags.at[0].key, "Name"));
	assert_true(m->private_ips.count == 1 && m->public_ips.count == 1);
	assert_true(is_text(b->answer.next, "n1"));
}

/* Values of a wrong type are absent; the machine stays. */
static void wrong_types_are_absent(void **state)
{
	struct bench *b = *state;
	struct str text =
		STR(LIST("<item><instanceId>i-1</instanceId><instanceState><name>odd</name></instanceState>"
			 "<privateIpAddress>none</privateIpAddress><launchTime>soon</launchTime><cpuOptions>"
			 "<coreCount>9999999999999999999</coreCount><threadsPerCore>-1</threadsPerCore>"
			 "</cpuOptions><groupSet><item><groupId>a b</groupId></item></groupSet></item>"));
	assert_int_equal(read_text(b, text), ERR_NONE);
	const struct remote_machine *m = b->answer.machines;
	assert_int_equal(m->power, REMOTE_MACHINE_POWER_UNKNOWN);
	assert_true(m->private_ips.count == 0 && m->launched_us == 0 && m->vcpus == 0 &&
		    m->groups.count == 0);
}

static void hostile_answers_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"<html>no</body>",
		"<DescribeInstancesResponse><reservationSet><item>",
		"<!DOCTYPE a [<!ENTITY e \"x\">]><DescribeInstancesResponse>&e;</DescribeInstancesResponse>",
		"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><DescribeInstancesResponse/>",
		LIST("<item><imageId>ami-1</imageId></item>"),
		LIST("<item><instanceId>i-1/../../x</instanceId></item>"),
	};
	struct bench *b = *state;
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		assert_int_equal(read_text(b, str_from(texts[k])), ERR_IO);
}

/* Repeats a piece between a head and a tail. */
static enum err read_repeated(struct bench *b, const char *head, const char *piece, size_t count,
			      const char *tail)
{
	struct buf text;
	buf_init(&text, 64 << 20);
	buf_add_str(&text, str_from(head));
	for (size_t k = 0; k < count; k++)
		buf_add_str(&text, str_from(piece));
	buf_add_str(&text, str_from(tail));
	enum err err = read_text(b, buf_str(&text));
	buf_done(&text);
	return err;
}

static void sizes_are_bounded(void **state)
{
	struct bench *b = *state;
	const char *head = "<DescribeInstancesResponse><reservationSet><item><instancesSet>",
		   *tail = "</instancesSet></item></reservationSet></DescribeInstancesResponse>";
	assert_int_equal(
		read_repeated(b, head, "<item><instanceId>i-1</instanceId></item>", REMOTE_PAGE_MAX, tail),
		ERR_NONE);
	assert_int_equal(read_repeated(b, head, "<item><instanceId>i-1</instanceId></item>",
				       REMOTE_PAGE_MAX + 1, tail),
			 ERR_IO);
	assert_int_equal(read_repeated(b, "", "<a>", 30, ""), ERR_IO);
	assert_int_equal(read_repeated(b, "<a>", "0123456789abcdef", 8192, "</a>"), ERR_IO);
	assert_int_equal(read_repeated(b, LIST("") "<!--", "x", 8, "-->"), ERR_NONE);
}

static void a_machines_lists_are_bounded(void **state)
{
	struct bench *b = *state;
	struct buf text;
	buf_init(&text, 1 << 20);
	buf_add_str(&text, STR("<DescribeInstancesResponse><reservationSet><item><instancesSet><item>"
			       "<instanceId>i-1</instanceId>"));
	for (int k = 0; k < 1000; k++)
		buf_print(&text,
			  "<tagSet><item><key>k%d</key><value>v</value></item></"
			  "tagSet><groupSet><item><groupId>sg-%d"
			  "</groupId></item></groupSet><ipAddress>10.0.%d.%d</ipAddress>",
			  k, k, k / 250, k % 250);
	buf_add_str(&text, STR("</item></instancesSet></item></reservationSet></DescribeInstancesResponse>"));
	assert_int_equal(read_text(b, buf_str(&text)), ERR_NONE);
	buf_done(&text);
	assert_null(row_find_too_large(&model_kinds[KIND_REMOTE_MACHINE], &b->answer.machines[0].row));
	assert_int_equal(b->answer.machines[0].remote_tags.count, 50);
}

static void errors_are_read(void **state)
{
	struct bench *b = *state;
	assert_int_equal(
		read_text(b, STR("<Response><Errors><Error><Code>AuthFailure</Code><Message>no</Message>"
				 "</Error></Errors></Response>")),
		ERR_NONE);
	assert_true(is_text(b->answer.code, "AuthFailure") && is_text(b->answer.message, "no"));
	assert_int_equal(
		read_text(b, STR("<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012"
				 "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")),
		ERR_NONE);
	assert_true(is_text(b->answer.account, "123456789012"));
}

/* A rate or a count that is reached now is no refusal: the same request passes later. */
static void limits_of_the_moment_are_waited_for(void **state)
{
	static const char *const codes[] = {"RequestLimitExceeded",
					    "Throttling",
					    "ThrottlingException",
					    "SnapshotCreationPerVolumeRateExceeded",
					    "ConcurrentSnapshotLimitExceeded",
					    "PendingSnapshotLimitExceeded"};
	(void) state;
	for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++)
		assert_int_equal(ec2_err_of_code(str_from(codes[k]), 400), ERR_THROTTLED);
}

/* A full quota is told from a bad request: a migration waits until there is room. */
static void quotas_are_told_from_bad_requests(void **state)
{
	struct bench *b = *state;
	const struct remote r = {.name = STR("there")};
	static const char *const codes[] = {"InstanceLimitExceeded", "VcpuLimitExceeded",
					    "VolumeLimitExceeded", "SnapshotLimitExceeded",
					    "ResourceLimitExceeded"};
	for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++)
		assert_int_equal(ec2_err_of_code(str_from(codes[k]), 400), ERR_QUOTA);
	assert_int_equal(ec2_err_of_code(STR("InvalidParameterValue"), 400), ERR_INVALID);
	assert_int_equal(ec2_refuse_block_call(&b->c, &r, 402, STR("{\"Message\": \"full\"}"),
					       STR("ServiceQuotaExceededException"))
				 .code,
			 ERR_QUOTA);
	ctx_clear_problem(&b->c);
}

/* ---- lists of items ---- */

#define SNAPSHOTS(inner) STR("<R><snapshotSet>" inner "</snapshotSet></R>")
#define SNAPSHOT(id, value)                                                                                  \
	"<item><snapshotId>" id                                                                              \
	"</snapshotId><tagSet><item><key>other</key><value>x</value></item><item><key>"                      \
	"dari:migration</key><value>" value "</value></item></tagSet></item>"

static enum err read_items(struct bench *b, struct str text, struct ec2_items *list)
{
	ctx_clear_problem(&b->c);
	*list = (struct ec2_items){
		.path = "snapshotSet/item", .fields = {"snapshotId", "tag:dari:migration"}, .most = 2};
	return ec2_read_items(&b->c, text, "R", list).code;
}

static void items_are_read_with_their_tags(void **state)
{
	struct bench *b = *state;
	struct ec2_items list;
	assert_int_equal(read_items(b, SNAPSHOTS(SNAPSHOT("snap-1", "a") "<item/>"), &list), ERR_NONE);
	assert_int_equal(list.count, 2);
	assert_true(str_is(list.at[0].at[0], "snap-1") && str_is(list.at[0].at[1], "a"));
	assert_false(list.at[1].at[0].n || list.at[1].at[1].n);
	assert_int_equal(read_items(b, SNAPSHOTS("<item/><item/><item/>"), &list), ERR_IO);
	assert_int_equal(read_items(b, STR("<html/>"), &list), ERR_IO);
	assert_int_equal(read_items(b, STR("<!DOCTYPE a [<!ENTITY e 'x'>]><R/>"), &list), ERR_IO);
	assert_int_equal(read_items(b, STR("<R><snapshotSet>"), &list), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_machine_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_types_are_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_answers_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_machines_lists_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_are_read, setup, teardown),
		cmocka_unit_test(limits_of_the_moment_are_waited_for),
		cmocka_unit_test_setup_teardown(quotas_are_told_from_bad_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(items_are_read_with_their_tags, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
