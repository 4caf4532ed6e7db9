/* SPDX-License-Identifier: Apache-2.0
 * Answers of vCenter: what is read of machines, resources, tasks, metrics and faults, in the forms of servers that write
 * prefixes in different ways, and that hostile answers are refused or bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "drivers/remote/machine_size.h"
#include "drivers/remote/task_notes.h"
#include "drivers/remote/vmware/acts.h"
#include "drivers/remote/vmware/machines.h"
#include "drivers/remote/vmware/metrics.h"
#include "drivers/remote/vmware/resources.h"
#include "remote_bench.h"

#define HEAD                                                                                                 \
	"<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" "                                 \
	"xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><e:Body>"
#define TAIL "</e:Body></e:Envelope>"
#define ANSWER(method, inner)                                                                                \
	HEAD "<" method "Response xmlns=\"urn:vim25\">" inner "</" method "Response>" TAIL
#define OBJECTS(inner) ANSWER("RetrievePropertiesEx", "<returnval>" inner "</returnval>")
#define OBJECT(type, ref, inner) "<objects><obj type=\"" type "\">" ref "</obj>" inner "</objects>"
#define PROP(name, value) "<propSet><name>" name "</name><val>" value "</val></propSet>"
#define TYPED(name, type, value)                                                                             \
	"<propSet><name>" name "</name><val i:type=\"" type "\">" value "</val></propSet>"
#define TOKEN "6d9a0a3e-0000-4000-8000-000000000001"

static RESULT read_machines(struct bench *b, const char *text)
{
	static struct vmware_field at[] = {{{"7", 1}, {"team", 4}}};
	const struct vmware_fields fields = {at, 1};
	ctx_clear_problem(&b->c);
	return vmware_read_machines(&b->c, str_from(text), "RetrievePropertiesEx", &fields, true, &b->page);
}

/* ---- machines ---- */

#define CONFIG                                                                                               \
	PROP("config.template", "false")                                                                     \
	PROP("config.hardware.numCPU", "2") PROP("config.hardware.memoryMB", "4096")

static void a_machine_is_read(void **state)
{
	struct bench *b = *state;
	assert_true(result_is_ok(read_machines(
		b, OBJECTS("<token>t1</token>" OBJECT(
			   "VirtualMachine", "vm-42",
			   PROP("name", "web") PROP("runtime.powerState", "poweredOn") PROP(
				   "runtime.connectionState", "connected") PROP("runtime.host", "host-9")
				   CONFIG PROP("config.annotation", "notes\ndari:id " TOKEN "\n") PROP(
					   "guest.net",
					   "<GuestNicInfo><ipAddress>10.0.0.9</ipAddress><ipAddress>"
					   "fe80::1</ipAddress></GuestNicInfo><GuestNicInfo><"
					   "ipAddress>10.0.0.8</ipAddress></GuestNicInfo>")
					   PROP("network",
						"<ManagedObjectReference>network-7</ManagedObjectReference>"
						"<ManagedObjectReference>network-5</ManagedObjectReference>")
						   PROP("customValue",
							"<CustomFieldValue><key>7</key><value>red</value>"
							"</CustomFieldValue><CustomFieldValue><key>8</key>"
							"<value>x</value></CustomFieldValue>"))))));
	assert_int_equal(b->page.count, 1);
	const struct remote_machine *m = b->page.machines;
	assert_true(str_is(m->ref, "vm-42") && str_is(m->name, "web") && str_is(m->raw_state, "poweredOn"));
	assert_int_equal(m->power, REMOTE_MACHINE_POWER_RUNNING);
	assert_true(str_is(m->type, "2x4096") && str_is(m->zone, "host-9") &&
		    str_is(m->network, "network-5"));
	assert_int_equal(m->private_ips.count, 2);
	assert_true(str_is(tags_find(m->remote_tags, STR("team"))->value, "red"));
	assert_int_equal(m->remote_tags.count, 2);
	assert_true(str_is(uuid_to_str(b->arena, m->row.id), TOKEN));
	assert_true(str_is(b->page.cursor, "t1"));
}

/* vCenter writes xsi:type, the simulator another prefix; elements without a type are normal. */
static void prefixes_do_not_matter(void **state)
{
	struct bench *b = *state;
	assert_true(result_is_ok(read_machines(
		b,
		"<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>"
		"<v:RetrievePropertiesExResponse xmlns:v=\"urn:vim25\"><v:returnval><v:objects><v:obj "
		"type=\"VirtualMachine\">vm-1</v:obj><v:propSet><v:name>config.template</v:name><v:val>false"
		"</v:val></v:propSet></v:objects></v:returnval></v:RetrievePropertiesExResponse>"
		"</soapenv:Body></soapenv:Envelope>")));
	assert_int_equal(b->page.count, 1);
}

static void states_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum remote_machine_power power;
		size_t count;
	} known[] = {
		{PROP("runtime.powerState", "suspended") CONFIG, REMOTE_MACHINE_POWER_STOPPED, 1},
		{PROP("runtime.powerState", "poweredOff") CONFIG, REMOTE_MACHINE_POWER_STOPPED, 1},
		{PROP("runtime.powerState", "other") CONFIG, REMOTE_MACHINE_POWER_UNKNOWN, 1},
		{PROP("runtime.powerState", "poweredOn") PROP("runtime.connectionState", "disconnected"),
		 REMOTE_MACHINE_POWER_UNKNOWN, 1},
		/* being made, and a template: no machines of the listing */
		{PROP("runtime.powerState", "poweredOff") PROP("runtime.connectionState", "connected"), 0, 0},
		{PROP("config.template", "true"), 0, 0},
	};
	struct bench *b = *state;
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
		struct str text =
			str_print(b->arena, OBJECTS(OBJECT("VirtualMachine", "vm-1", "%s")), known[k].text);
		assert_true(result_is_ok(read_machines(b, text.p)));
		assert_int_equal(b->page.count, known[k].count);
		assert_int_equal(b->page.entries, 1);
		if (b->page.count)
			assert_int_equal(b->page.machines[0].power, known[k].power);
	}
}

static void sizes_are_types(void **state)
{
	static const char *const bad[] = {"",     "2",     "2x",   "x4",   "0x4",  "2x0",
					  "-1x4", "2x4x8", "a2x4", "02x4", "+2x4", "2x99999999999"};
	struct bench *b = *state;
	int64_t vcpus = 0, mib = 0;
	assert_true(result_is_ok(machine_size_parse(&b->c, "vCenter", STR("4x2048"), &vcpus, &mib)));
	assert_int_equal(vcpus, 4);
	assert_int_equal(mib, 2048);
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		assert_int_equal(machine_size_parse(&b->c, "vCenter", str_from(bad[k]), &vcpus, &mib).code,
				 ERR_INVALID);
}

/* ---- what is no answer ---- */

static void hostile_answers_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"<html/>",
		HEAD TAIL,
		HEAD,
		ANSWER("Login", ""),
		HEAD "<RetrievePropertiesExResponse xmlns=\"urn:other\"/>" TAIL,
		"<Envelope><Body><RetrievePropertiesExResponse xmlns=\"urn:vim25\"/></Body></Envelope>",
		"<!DOCTYPE e [<!ENTITY a \"b\">]>" HEAD TAIL,
		OBJECTS(OBJECT("HostSystem", "vm-1", CONFIG)),
		OBJECTS(OBJECT("VirtualMachine", "a b", CONFIG)),
		OBJECTS(OBJECT("VirtualMachine", "", CONFIG))};
	struct bench *b = *state;
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		assert_int_equal(read_machines(b, bad[k]).code, ERR_IO);
	/* properties that the server leaves out for want of a session must not make an empty machine */
	assert_int_equal(
		read_machines(b, OBJECTS(OBJECT("VirtualMachine", "vm-1",
						"<missingSet><path>name</path><fault><fault "
						"i:type=\"NotAuthenticated\"/></fault></missingSet>")))
			.code,
		ERR_AGAIN);
}

static void faults_are_read(void **state)
{
	struct bench *b = *state;
	struct vmware_fault fault;
	const char *text =
		HEAD "<e:Fault><faultcode>ServerFaultCode</faultcode><faultstring>No.</faultstring><detail>"
		     "<NoPermissionFault xmlns=\"urn:vim25\" i:type=\"NoPermission\"><object>vm-1</object>"
		     "<privilegeId>VirtualMachine.Interact.PowerOn</privilegeId></NoPermissionFault></detail>"
		     "</e:Fault>" TAIL;
	assert_true(result_is_ok(vmware_read_fault(&b->c, str_from(text), &fault)));
	assert_true(str_is(fault.name, "NoPermission") && str_is(fault.words, "No."));
	assert_true(str_is(fault.privilege, "VirtualMachine.Interact.PowerOn"));
	assert_int_equal(vmware_err_of_fault(fault.name), ERR_DENIED);
	text = HEAD "<e:Fault><faultstring>x</faultstring><detail><ManagedObjectNotFoundFault "
		    "xmlns=\"urn:vim25\"><obj>"
		    "vm-1</obj></ManagedObjectNotFoundFault></detail></e:Fault>" TAIL;
	assert_true(result_is_ok(vmware_read_fault(&b->c, str_from(text), &fault)));
	assert_true(str_is(fault.name, "ManagedObjectNotFound") && str_is(fault.object, "vm-1"));
	assert_int_equal(vmware_read_fault(&b->c, STR("<html/>"), &fault).code, ERR_IO);
	assert_int_equal(vmware_err_of_fault(STR("Whatever")), ERR_INVALID);
}

/* ---- tasks, resources, metrics ---- */

static void tasks_are_read(void **state)
{
	struct bench *b = *state;
	struct vmware_task task;
	const char *text =
		OBJECTS(OBJECT("Task", "task-1",
			       TYPED("info", "TaskInfo",
				     "<state>error</state><error><fault i:type=\"v:InvalidPowerState\"/>"
				     "<localizedMessage>Off already.</localizedMessage></error>")));
	assert_true(result_is_ok(vmware_read_task(&b->c, str_from(text), &task)));
	assert_true(str_is(task.state, "error") && str_is(task.fault.name, "InvalidPowerState") &&
		    str_is(task.fault.words, "Off already."));
}

static RESULT read_resources(struct bench *b, enum remote_resource_type type, const char *text)
{
	ctx_clear_problem(&b->c);
	return vmware_read_resources(&b->c, str_from(text), type, &b->resources);
}

static void disks_and_snapshots_are_read(void **state)
{
	struct bench *b = *state;
	assert_true(result_is_ok(read_resources(
		b, REMOTE_RESOURCE_TYPE_VOLUME,
		OBJECTS(OBJECT("VirtualMachine", "vm-1",
			       PROP("config.hardware.device",
				    "<VirtualDevice i:type=\"VirtualCdrom\"><key>3000</key></VirtualDevice>"
				    "<VirtualDevice "
				    "i:type=\"VirtualDisk\"><key>2000</key><deviceInfo><label>Hard disk "
				    "1</label></deviceInfo><capacityInBytes>1024</capacityInBytes></"
				    "VirtualDevice>"))))));
	assert_int_equal(b->resources.count, 1);
	const struct remote_resource *r = b->resources.at;
	assert_true(str_is(r->ref, "vm-1:2000") && str_is(r->parent, "vm-1") &&
		    str_is(r->name, "Hard disk 1"));
	assert_int_equal(r->size, 1024);
	assert_true(result_is_ok(read_resources(
		b, REMOTE_RESOURCE_TYPE_SNAPSHOT,
		OBJECTS(OBJECT("VirtualMachine", "vm-1",
			       PROP("snapshot",
				    "<currentSnapshot>snapshot-2</"
				    "currentSnapshot><rootSnapshotList><snapshot>snapshot-1"
				    "</snapshot><name>a</name><childSnapshotList><snapshot>snapshot-2</"
				    "snapshot><name>b"
				    "</name></childSnapshotList></rootSnapshotList>"))))));
	assert_int_equal(b->resources.count, 2);
	assert_true(str_is(b->resources.at[0].ref, "snapshot-1") && str_is(b->resources.at[0].name, "a"));
	assert_true(str_is(b->resources.at[1].ref, "snapshot-2") && str_is(b->resources.at[1].name, "b"));
	assert_true(str_is(b->resources.at[1].parent, "vm-1"));
	assert_int_equal(read_resources(b, REMOTE_RESOURCE_TYPE_SNAPSHOT,
					OBJECTS(OBJECT("VirtualMachine", "vm-1",
						       PROP("snapshot", "<rootSnapshotList><name>a</name>"
									"</rootSnapshotList>"))))
				 .code,
			 ERR_IO);
}

static void templates_are_images(void **state)
{
	struct bench *b = *state;
	assert_true(result_is_ok(read_resources(
		b, REMOTE_RESOURCE_TYPE_IMAGE,
		OBJECTS(OBJECT("VirtualMachine", "vm-1", PROP("name", "a") PROP("config.template", "false"))
				OBJECT("VirtualMachine", "vm-2",
				       PROP("name", "b") PROP("config.template", "true"))))));
	assert_int_equal(b->resources.count, 1);
	assert_true(str_is(b->resources.at[0].ref, "vm-2"));
	assert_int_equal(b->resources.entries, 2);
}

static void points_are_read(void **state)
{
	struct bench *b = *state;
	const int64_t ids[VIM_COUNTERS_COUNT] = {2, 146, 0, 0, 0, 24};
	const struct str refs[] = {STR("vm-1"), STR("vm-2")};
	const int64_t memory[] = {0, 4 << 20};
	struct remote_metrics_query query = {.refs = refs, .memory = memory, .count = 2};
	struct remote_metric_point points[2 * REMOTE_METRIC_POINTS];
	assert_true(result_is_ok(clock_parse(STR("2026-01-01T10:00:00Z"), &query.from_us)));
	const char *text = ANSWER(
		"QueryPerf",
		"<returnval><entity "
		"type=\"VirtualMachine\">vm-2</entity><sampleInfo><timestamp>2026-01-01T10:05:00Z"
		"</timestamp></sampleInfo><sampleInfo><timestamp>2026-01-01T10:10:00Z</timestamp></"
		"sampleInfo><value><id>"
		"<counterId>2</counterId><instance></instance></id><value>2550</value><value>-1</value></"
		"value><value><id>"
		"<counterId>146</counterId><instance></instance></id><value>2</value><value>3</value></"
		"value><value><id>"
		"<counterId>2</counterId><instance>0</instance></id><value>9900</value></value><value><id>"
		"<counterId>24</counterId><instance></instance></id><value>2500</value><value>20000</value>"
		"</value></returnval>");
	assert_true(result_is_ok(vmware_read_points(&b->c, str_from(text), ids, &query, points)));
	const struct remote_metric_point *p = points + REMOTE_METRIC_POINTS;
	assert_true(p[0].is_there && p[0].cpu_percent > 25.49 && p[0].cpu_percent < 25.51);
	assert_int_equal((int64_t) p[0].received, 2 * 1024 * 300);
	assert_true((int64_t) p[0].memory == 1 << 20 && (int64_t) p[1].memory == 4 << 20);
	assert_true(!p[1].is_there && !points[0].is_there);
	text = ANSWER("QueryPerf",
		      "<returnval><entity>vm-1</entity><value><value>x</value></value></returnval>");
	assert_int_equal(vmware_read_points(&b->c, str_from(text), ids, &query, points).code, ERR_IO);
}

static void counters_are_found_by_name(void **state)
{
	struct bench *b = *state;
	int64_t ids[VIM_COUNTERS_COUNT];
	const char *text = OBJECTS(
		OBJECT("PerformanceManager", "PerfMgr",
		       PROP("perfCounter", "<PerfCounterInfo><key>6</key><nameInfo><key>usage</key></"
					   "nameInfo><groupInfo><key>cpu</key>"
					   "</groupInfo><rollupType>maximum</rollupType></"
					   "PerfCounterInfo><PerfCounterInfo><key>5</key>"
					   "<nameInfo><key>usage</key></nameInfo><groupInfo><key>cpu</key></"
					   "groupInfo><rollupType>average"
					   "</rollupType></PerfCounterInfo>")));
	assert_true(result_is_ok(vmware_read_counters(&b->c, str_from(text), ids)));
	assert_int_equal(ids[0], 5);
	assert_int_equal(ids[1], 0);
}

static void notes_make_room(void **state)
{
	static struct task_notes notes;
	(void) state;
	for (int k = 0; k < TASK_NOTES_MAX + 1; k++) {
		char ref[16];
		(void) snprintf(ref, sizeof ref, "vm-%d", k);
		task_notes_put(&notes, str_from(ref), 1, STR("task"), k + 1);
	}
	assert_null(task_notes_find(&notes, STR("vm-0"), 1, 0, TASK_NOTES_MAX + 1));
	assert_non_null(task_notes_find(&notes, STR("vm-1"), 1, 0, TASK_NOTES_MAX + 1));
	assert_null(task_notes_find(&notes, STR("vm-1"), 2, 0, TASK_NOTES_MAX + 1));
	/* two is the time of the note: it is not one of a request that came at three */
	assert_non_null(task_notes_find(&notes, STR("vm-1"), 1, 2, TASK_NOTES_MAX + 1));
	assert_null(task_notes_find(&notes, STR("vm-1"), 1, 3, TASK_NOTES_MAX + 1));
	assert_null(task_notes_find(&notes, STR("vm-1"), 1, 0, 20 * MINUTE));
	task_notes_drop(&notes, STR("vm-1"));
	assert_null(task_notes_find(&notes, STR("vm-1"), 1, 0, TASK_NOTES_MAX + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_machine_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(prefixes_do_not_matter, setup, teardown),
		cmocka_unit_test_setup_teardown(states_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes_are_types, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_answers_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(faults_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(tasks_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(disks_and_snapshots_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(templates_are_images, setup, teardown),
		cmocka_unit_test_setup_teardown(points_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(counters_are_found_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(notes_make_room, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
