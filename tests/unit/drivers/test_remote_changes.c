/* SPDX-License-Identifier: Apache-2.0
 * Change feeds of clouds elsewhere: which machines and types an answer names, and that forged, endless and malformed events do no more
 * than that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "drivers/remote/azure/changes.h"
#include "drivers/remote/ec2/changes.h"
#include "drivers/remote/openstack/changes.h"
#include "drivers/remote/vmware/changes.h"
#include "remote_bench.h"

#define TYPE(name) (1U << REMOTE_RESOURCE_TYPE_##name)

/* ---- SQS ---- */

/* Messages with these bodies, which are JSON texts. */
static struct remote_changes read_messages(struct bench *b, size_t count, const char *const *bodies)
{
	struct remote_changes changes = {0};
	struct strs receipts;
	json_t *root = json_pack("{s:[]}", "Messages");
	for (size_t k = 0; k < count; k++)
		assert_int_equal(json_array_append_new(json_object_get(root, "Messages"),
						       json_pack("{s:s, s:s, s:s}", "Body", bodies[k],
								 "ReceiptHandle", "r", "MessageId", "m")),
				 0);
	assert_true(result_is_ok(ec2_read_messages(&b->c, root, &changes, &receipts)));
	assert_int_equal(receipts.count, count);
	assert_int_equal(changes.has_more, count > 0);
	json_decref(root);
	return changes;
}

static struct remote_changes read_message(struct bench *b, const char *body)
{
	return read_messages(b, 1, &body);
}

#define STATE_CHANGE                                                                                         \
	"{\"version\":\"0\",\"id\":\"7bf73129-1428-4cd3-a780-95db273d1602\",\"detail-type\":\"EC2 Instance " \
	"State-change Notification\",\"source\":\"aws.ec2\",\"account\":\"111122223333\",\"resources\":["    \
	"\"arn:aws:ec2:us-east-1:111122223333:instance/i-abcd1111\"],\"detail\":{\"instance-id\":"           \
	"\"i-abcd1111\",\"state\":\"pending\"}}"

static void an_event_names_its_machine_once(void **state)
{
	struct remote_changes changes = read_message(*state, STATE_CHANGE);
	assert_true(changes.count == 1 && str_is(changes.at[0].ref, "i-abcd1111") && !changes.types);
	uint64_t event = changes.at[0].event;
	assert_true(read_message(*state, STATE_CHANGE).at[0].event == event && event);
}

static void sns_wraps_an_event(void **state)
{
	json_t *wrapped = json_pack("{s:s, s:s}", "Type", "Notification", "Message", STATE_CHANGE);
	char *text = json_dumps(wrapped, 0);
	struct remote_changes changes = read_message(*state, text);
	assert_true(changes.count == 1 && str_is(changes.at[0].ref, "i-abcd1111"));
	free(text);
	json_decref(wrapped);
}

static void an_event_names_types(void **state)
{
	static const struct {
		const char *body;
		unsigned types;
	} rows[] = {
		{"{\"detail-type\":\"EBS Volume Notification\"}", TYPE(VOLUME)},
		{"{\"detail-type\":\"EBS Snapshot Notification\"}", TYPE(SNAPSHOT)},
		{"{\"source\":\"aws.cloudformation\"}", TYPE(STACK) | TYPE(STACK_RESOURCE)},
		{"{\"detail\":{\"eventName\":\"CreateSecurityGroup\"}}", TYPE(SECURITY_GROUP)},
		{"{\"detail\":{\"eventName\":\"RunInstances\"}}", 0},
	};
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
		assert_int_equal(read_message(*state, rows[k].body).types, rows[k].types);
}

/* Messages without an id of a machine, or that are no events, change nothing. */
static void other_messages_change_nothing(void **state)
{
	static const char *const bodies[] = {"",
					     "no JSON",
					     "[]",
					     "{}",
					     "{\"a\":\"i-12\"}",
					     "{\"a\":\"i-abcd1111; rm -rf /\"}",
					     "{\"a\":\"i-ABCD1111\"}",
					     "{\"a\":\":instance/../etc\"}",
					     "{\"a\":\"i-0123456789abcdef01\"}",
					     "{\"Type\":\"Notification\",\"Message\":\"no JSON\"}"};
	struct remote_changes changes = read_messages(*state, sizeof bodies / sizeof bodies[0], bodies);
	assert_true(!changes.count && !changes.types && !changes.has_overflow);
}

/* Events of any depth and size are read in bounds. */
static void events_are_bounded(void **state)
{
	struct buf text;
	buf_init(&text, 4 << 20);
	for (int k = 0; k < 100; k++)
		buf_add_str(&text, STR("{\"a\":"));
	buf_add_str(&text, STR("\"i-abcd1111\""));
	for (int k = 0; k < 100; k++)
		buf_add_str(&text, STR("}"));
	assert_int_equal(
		read_message(*state, str_to_z(((struct bench *) *state)->arena, buf_str(&text))).count, 0);
	buf_done(&text);
	buf_init(&text, 4 << 20);
	buf_add_str(&text, STR("{\"a\":[\"i-00000000\""));
	for (int k = 1; k < 1900; k++)
		buf_print(&text, ",\"i-%08x\"", (unsigned) k);
	buf_add_str(&text, STR("]}"));
	struct remote_changes changes =
		read_message(*state, str_to_z(((struct bench *) *state)->arena, buf_str(&text)));
	assert_true(changes.count == REMOTE_TOUCHES_MAX && changes.has_overflow);
	buf_done(&text);
}

static void lists_of_messages_are_checked(void **state)
{
	struct bench *b = *state;
	static const char *const bad[] = {"{\"Messages\":3}", "{\"Messages\":[1,2,3,4,5,6,7,8,9,10,11]}"};
	struct remote_changes changes = {0};
	struct strs receipts;
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		assert_int_equal(ec2_read_messages(&b->c, parse(b, bad[k]), &changes, &receipts).code,
				 ERR_IO);
	assert_true(result_is_ok(ec2_read_messages(&b->c, parse(b, "{}"), &changes, &receipts)));
	assert_true(!changes.has_more && !receipts.count);
}

/* ---- Azure ---- */

#define SUBSCRIPTION "00000000-0000-0000-0000-000000000001"
#define EVENT(id, time, rest)                                                                                \
	"{\"eventDataId\":\"" id "\",\"eventTimestamp\":\"" time                                             \
	"\",\"resourceId\":\"/subscriptions/" SUBSCRIPTION "/resourceGroups/GROUP/providers/" rest "\"}"

static void the_activity_log_is_read(void **state)
{
	struct bench *b = *state;
	struct remote_changes changes = {0};
	const json_t *root = parse(
		b,
		"{\"value\":[" EVENT("a", "2026-01-02T03:04:05Z", "Microsoft.Compute/virtualMachines/Web") "," EVENT(
			"a", "2026-01-02T03:05:05Z",
			"MICROSOFT.COMPUTE/virtualmachines/web/extensions/x") "," EVENT("b",
											"2026-01-02T03:03:"
											"05Z",
											"Microsoft.Compute/"
											"disks/d") "," EVENT("c",
													     "2026-01-02T03:03:05Z",
													     "Microsoft.Compute/virtualMachines/../x") ","
																		       "3, {}, {\"resourceId\":\"/subscriptions/other/resourceGroups/g/providers/"
																		       "Microsoft.Compute/virtualMachines/x\"}]}");
	assert_true(result_is_ok(azure_read_events(&b->c, root, STR(SUBSCRIPTION), 1000 * SECOND, &changes)));
	assert_true(changes.count == 2 && str_is(changes.at[0].ref, "group:web") &&
		    str_is(changes.at[1].ref, "group:web") && changes.at[0].event != changes.at[1].event);
	assert_true(changes.types == TYPE(VOLUME) && !changes.has_overflow);
	assert_true(str_starts_with(changes.cursor, STR("2026-01-02T03:05:05")));
}

/* A time to come hides no later event, a further page stands for a listing, and anything else is refused. */
static void the_activity_log_may_lie(void **state)
{
	struct bench *b = *state;
	struct remote_changes changes = {0};
	int64_t at_us = 0;
	const json_t *root =
		parse(b, "{\"nextLink\":\"https://elsewhere/\",\"value\":[" EVENT(
				 "a", "2999-01-01T00:00:00Z", "Microsoft.Compute/virtualMachines/w") "]}");
	assert_true(result_is_ok(azure_read_events(&b->c, root, STR(SUBSCRIPTION), 0, &changes)));
	assert_true(changes.has_overflow && result_is_ok(clock_parse(changes.cursor, &at_us)));
	assert_true(at_us <= clock_now_us());
	assert_int_equal(
		azure_read_events(&b->c, parse(b, "{\"value\":3}"), STR(SUBSCRIPTION), 0, &changes).code,
		ERR_IO);
}

/* ---- OpenStack ---- */

#define SERVER(id, time, status) "{\"id\":\"" id "\",\"updated\":\"" time "\",\"status\":\"" status "\"}"

static void changed_servers_are_read(void **state)
{
	struct bench *b = *state;
	struct remote_changes changes = {0}, later = {0};
	int64_t at_us = 0;
	const char *one = "{\"servers\":[" SERVER("s-1", "2026-01-02T03:04:05Z", "ACTIVE") "]}";
	assert_true(result_is_ok(openstack_read_changed(&b->c, parse(b, one), 0, &changes)));
	assert_true(changes.count == 1 && str_is(changes.at[0].ref, "s-1") && !changes.has_overflow);
	assert_true(str_starts_with(changes.cursor, STR("2026-01-02T03:04:05")));
	const json_t *root = parse(
		b,
		"{\"servers_links\":[{\"rel\":\"next\",\"href\":\"http://elsewhere/\"}],\"servers\":[" SERVER(
			"s-1", "2026-01-02T03:04:05Z", "SHUTOFF") "," SERVER("../x", "2999-01-01T00:00:00Z",
									     "ACTIVE") ",3]}");
	assert_true(result_is_ok(openstack_read_changed(&b->c, root, 0, &later)));
	assert_true(later.count == 1 && later.at[0].event != changes.at[0].event && later.has_overflow);
	assert_true(result_is_ok(clock_parse(later.cursor, &at_us)) && at_us <= clock_now_us());
	assert_int_equal(openstack_read_changed(&b->c, parse(b, "{}"), 0, &later).code, ERR_IO);
}

/* ---- vCenter ---- */

#define UPDATES(inner)                                                                                       \
	"<e:Envelope "                                                                                       \
	"xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><WaitForUpdatesExResponse "           \
	"xmlns=\"urn:vim25\">" inner "</WaitForUpdatesExResponse></e:Body></e:Envelope>"
#define UPDATE(type, id)                                                                                     \
	"<objectSet><kind>modify</kind><obj type=\"" type "\">" id "</obj><changeSet><name>name</name>"      \
	"<op>assign</op><val>web</val></changeSet></objectSet>"

static void updates_are_read(void **state)
{
	struct bench *b = *state;
	struct remote_changes changes = {0};
	struct str version = STR_NONE;
	assert_true(result_is_ok(vmware_read_updates(
		&b->c,
		STR(UPDATES("<returnval><version>5</version><filterSet><filter "
			    "type=\"PropertyFilter\">f</filter>" UPDATE("VirtualMachine", "vm-1")
				    UPDATE("VirtualMachine", "vm-1") UPDATE("HostSystem", "host-1") UPDATE(
					    "VirtualMachine",
					    "../x") "</filterSet><truncated>true</truncated></returnval>")),
		false, &changes, &version)));
	assert_true(changes.count == 1 && str_is(changes.at[0].ref, "vm-1") && changes.has_more);
	assert_true(str_is(version, "5"));
	changes = (struct remote_changes){0};
	assert_true(result_is_ok(vmware_read_updates(
		&b->c,
		STR(UPDATES("<returnval><version>6</version><filterSet><objectSet><kind>enter</kind><obj "
			    "type=\"VirtualMachine\">vm-1</obj></objectSet>" UPDATE(
				    "VirtualMachine", "vm-2") "</filterSet></returnval>")),
		true, &changes, &version)));
	assert_true(changes.count == 1 && str_is(changes.at[0].ref, "vm-2")); /* it changed meanwhile */
	changes = (struct remote_changes){0};
	assert_true(result_is_ok(vmware_read_updates(&b->c, STR(UPDATES("")), false, &changes, &version)));
	assert_true(!changes.count && !version.n && !changes.has_more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_event_names_its_machine_once, setup, teardown),
		cmocka_unit_test_setup_teardown(sns_wraps_an_event, setup, teardown),
		cmocka_unit_test_setup_teardown(an_event_names_types, setup, teardown),
		cmocka_unit_test_setup_teardown(other_messages_change_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(events_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_of_messages_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(the_activity_log_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(the_activity_log_may_lie, setup, teardown),
		cmocka_unit_test_setup_teardown(changed_servers_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(updates_are_read, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
