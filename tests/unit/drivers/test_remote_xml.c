/* SPDX-License-Identifier: Apache-2.0
 * Every reader of XML from a cloud elsewhere refuses document types, entities, depth, long texts and texts that are no XML. A new
 * reader gets a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/remote/ec2/answer.h"
#include "drivers/remote/ec2/items.h"
#include "drivers/remote/ec2/resources.h"
#include "drivers/remote/hyperv/machines.h"
#include "drivers/remote/hyperv/resources.h"
#include "drivers/remote/hyperv/wsman_answer.h"
#include "drivers/remote/vmware/acts.h"
#include "drivers/remote/vmware/changes.h"
#include "drivers/remote/vmware/machines.h"
#include "drivers/remote/vmware/metrics.h"
#include "drivers/remote/vmware/resources.h"
#include "remote_bench.h"

static const char *const wanted[] = {"Name", NULL};

/* ---- readers ---- */

static enum err read_ec2(struct ctx *c, struct str text)
{
	struct ec2_answer answer;
	return ec2_read_answer(c, text, &answer).code;
}

static enum err read_ec2_items(struct ctx *c, struct str text)
{
	struct ec2_items list = {.path = "set/item", .fields = {"id"}, .most = 10};
	return ec2_read_items(c, text, "R", &list).code;
}

static enum err read_ec2_resources(struct ctx *c, struct str text)
{
	struct remote_resource_page page;
	return ec2_read_resources(c, text, REMOTE_RESOURCE_TYPE_STACK, &page).code;
}

static RESULT pass(void *self, struct str type, struct str ref)
{
	(void) self, (void) type, (void) ref;
	return OK;
}

static RESULT pass_value(void *self, struct str property, struct str below, struct str text)
{
	(void) self, (void) property, (void) below, (void) text;
	return OK;
}

static RESULT pass_end(void *self)
{
	(void) self;
	return OK;
}

static enum err read_vmware_objects(struct ctx *c, struct str text)
{
	struct vmware_page page;
	const struct vmware_visitor visitor = {NULL, pass, NULL, pass_value, pass_end};
	return vmware_read_objects(c, text, "RetrievePropertiesEx", &visitor, &page).code;
}

static enum err read_vmware_texts(struct ctx *c, struct str text)
{
	static const char *const paths[] = {"returnval"};
	struct str found;
	return vmware_read_texts(c, text, "Login", &(struct vmware_texts){paths, &found, 1}).code;
}

static enum err read_vmware_machines(struct ctx *c, struct str text)
{
	struct remote_page page;
	const struct vmware_fields fields = {0};
	return vmware_read_machines(c, text, "RetrievePropertiesEx", &fields, true, &page).code;
}

static enum err read_vmware_fields(struct ctx *c, struct str text)
{
	struct vmware_fields fields;
	return vmware_read_fields(c, text, &fields).code;
}

static enum err read_vmware_resources(struct ctx *c, struct str text)
{
	struct remote_resource_page page;
	return vmware_read_resources(c, text, REMOTE_RESOURCE_TYPE_HOST, &page).code;
}

static enum err read_vmware_fault(struct ctx *c, struct str text)
{
	struct vmware_fault fault;
	return vmware_read_fault(c, text, &fault).code;
}

static enum err read_vmware_task(struct ctx *c, struct str text)
{
	struct vmware_task task;
	return vmware_read_task(c, text, &task).code;
}

static enum err read_vmware_counters(struct ctx *c, struct str text)
{
	int64_t ids[VIM_COUNTERS_COUNT];
	return vmware_read_counters(c, text, ids).code;
}

static enum err read_vmware_points(struct ctx *c, struct str text)
{
	static struct remote_metric_point points[REMOTE_METRIC_POINTS];
	const struct str ref = STR("vm-1");
	const int64_t ids[VIM_COUNTERS_COUNT] = {1};
	return vmware_read_points(c, text, ids, &(struct remote_metrics_query){.refs = &ref, .count = 1},
				  points)
		.code;
}

static enum err read_vmware_updates(struct ctx *c, struct str text)
{
	struct remote_changes changes = {0};
	struct str version;
	return vmware_read_updates(c, text, false, &changes, &version).code;
}

static RESULT take(void *self, const struct wsman_instance *i)
{
	(void) self, (void) i;
	return OK;
}

static enum err read_wsman_page(struct ctx *c, struct str text)
{
	struct wsman_page page;
	return wsman_read_page(c, text, &(struct wsman_visitor){.wanted = wanted, .take = take}, &page).code;
}

static enum err read_wsman_result(struct ctx *c, struct str text)
{
	static struct wsman_instance instance;
	return wsman_read_result(c, text, "RequestStateChange", wanted, &instance).code;
}

static enum err read_wsman_identity(struct ctx *c, struct str text)
{
	struct str product;
	return wsman_read_identity(c, text, &product).code;
}

static enum err read_wsman_fault(struct ctx *c, struct str text)
{
	struct wsman_fault fault;
	return wsman_read_fault(c, text, &fault).code;
}

static enum err read_wsman_embedded(struct ctx *c, struct str text)
{
	static struct wsman_instance instance;
	return wsman_read_embedded(c, text, wanted, &instance).code;
}

static enum err read_hyperv_machines(struct ctx *c, struct str text)
{
	struct hyperv_reading *reading = hyperv_begin_machines(c, true);
	assert_non_null(reading);
	return hyperv_read_machines(reading, HYPERV_SYSTEMS, text).code;
}

static enum err read_hyperv_resources(struct ctx *c, struct str text)
{
	struct remote_resource_page page;
	const struct hyperv_ids machines = {0};
	return hyperv_read_resources(c, text, REMOTE_RESOURCE_TYPE_HOST, STR("HV1"), &machines, &page).code;
}

static enum err (*const readers[])(struct ctx *c, struct str text) = {read_ec2,
								      read_ec2_items,
								      read_ec2_resources,
								      read_vmware_objects,
								      read_vmware_texts,
								      read_vmware_machines,
								      read_vmware_fields,
								      read_vmware_resources,
								      read_vmware_fault,
								      read_vmware_task,
								      read_vmware_counters,
								      read_vmware_points,
								      read_vmware_updates,
								      read_wsman_page,
								      read_wsman_result,
								      read_wsman_identity,
								      read_wsman_fault,
								      read_wsman_embedded,
								      read_hyperv_machines,
								      read_hyperv_resources};

/* ---- documents ---- */

static void all_refuse(struct bench *b, struct str text)
{
	for (size_t k = 0; k < sizeof readers / sizeof readers[0]; k++) {
		ctx_clear_problem(&b->c);
		assert_int_equal(readers[k](&b->c, text), ERR_IO);
	}
}

static void entities_are_refused(void **state)
{
	static const char *const texts[] = {
		"<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
		"<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>",
		"<!DOCTYPE a SYSTEM \"http://127.0.0.1/a.dtd\"><a/>",
		"<!DOCTYPE a [<!ENTITY % p SYSTEM \"http://127.0.0.1/\"> %p;]><a/>",
		"<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d "
		"\"&c;&c;&c;&c;&c;&c;&c;&c;\">]><a>&d;</a>",
		"<!DOCTYPE a [<!ATTLIST a b CDATA \"c\">]><a/>",
		"<a>&undeclared;</a>",
	};
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
		all_refuse(*state, str_from(texts[k]));
}

static void broken_documents_are_refused(void **state)
{
	static const char *const texts[] = {"",
					    "<",
					    "<a>",
					    "<a></b>",
					    "<a/><a/>",
					    "no XML",
					    "<a><![CDATA[</a>",
					    "{\"a\": 1}",
					    "<a>\x01</a>",
					    "<a>\xff</a>"};
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
		all_refuse(*state, str_from(texts[k]));
}

static void depth_and_texts_are_bounded(void **state)
{
	struct buf text;
	buf_init(&text, 1 << 20);
	for (int k = 0; k < 65; k++)
		buf_add_str(&text, STR("<a>"));
	for (int k = 0; k < 65; k++)
		buf_add_str(&text, STR("</a>"));
	all_refuse(*state, buf_str(&text));
	buf_done(&text);
	buf_init(&text, 1 << 20);
	buf_add_str(&text, STR("<a>"));
	for (int k = 0; k <= 64 * 1024; k++)
		buf_add_str(&text, STR("x"));
	buf_add_str(&text, STR("</a>"));
	all_refuse(*state, buf_str(&text));
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entities_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(broken_documents_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(depth_and_texts_are_bounded, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
