/* SPDX-License-Identifier: Apache-2.0
 * Limits and marks of a port as northbound rows: one for each direction, which goes with the last limit or mark. */
#include "../base/test_base.h"

#include "drivers/ovn/nb.h"
#include "model/id.h"
#include "ovn_model.h"

struct lab {
	struct ctx *ctx;
	struct model model;
	struct network network;
	struct network_segment segment;
	struct port port;
	struct network_port wish;
};

static void init_lab(void **state, struct lab *lab)
{
	*lab = (struct lab){.ctx = *state};
	lab->network = (struct network){.row.id = make_id("network", 0, 0), .mtu = 1442};
	lab->segment = (struct network_segment){.network = &lab->network};
	lab->port = (struct port){
		.row.id = make_id("port", 0, 0), .network = lab->network.row.id, .is_open = true};
	lab->wish = (struct network_port){.port = &lab->port};
	model_init(&lab->model, &nb_schema);
	struct wish wish;
	wish_init(&wish, lab->ctx->arena, make_id("region", 0, 0), lab->network.row.id, NB_NETWORK);
	nb_plan_network(&wish, &lab->segment);
	model_apply(&lab->model, lab->ctx, &wish);
}

static void apply_port(struct lab *lab)
{
	struct wish wish;
	wish_init(&wish, lab->ctx->arena, make_id("region", 0, 0), lab->port.row.id, NB_PORT);
	nb_plan_port(&wish, &lab->wish);
	model_apply(&lab->model, lab->ctx, &wish);
}

/* An integer of the row of that direction; -1: there is none. */
static json_int_t value_of(const struct lab *lab, const char *direction, const char *column, const char *key)
{
	const json_t *row = model_find(&lab->model, "QoS", uuid_v5(lab->port.row.id, str_from(direction)));
	const json_t *value = json_object_get(json_object_get(row, column), key);
	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static void test_directions(void **state)
{
	struct lab lab;
	init_lab(state, &lab);
	lab.wish.egress = (struct network_qos){.kbit = 2000, .marks = true};
	lab.wish.ingress = (struct network_qos){.kbit = 1000, .burst_kbit = 50};
	apply_port(&lab);
	assert_int_equal(model_count(&lab.model, "QoS"), 2);
	assert_int_equal(value_of(&lab, "egress", "bandwidth", "rate"), 2000);
	assert_int_equal(value_of(&lab, "egress", "bandwidth", "burst"), 1600);
	assert_int_equal(value_of(&lab, "egress", "action", "dscp"), 0);
	assert_int_equal(value_of(&lab, "ingress", "bandwidth", "rate"), 1000);
	assert_int_equal(value_of(&lab, "ingress", "bandwidth", "burst"), 50);
	assert_int_equal(value_of(&lab, "ingress", "action", "dscp"), -1);
	model_done(&lab.model);
}

static void test_end(void **state)
{
	struct lab lab;
	init_lab(state, &lab);
	lab.wish.egress = (struct network_qos){.kbit = 2000, .marks = true, .dscp = 26};
	lab.wish.ingress.kbit = 1000;
	apply_port(&lab);
	lab.wish.egress = (struct network_qos){.marks = true, .dscp = 46};
	lab.wish.ingress.kbit = 0;
	apply_port(&lab);
	assert_int_equal(model_count(&lab.model, "QoS"), 1);
	assert_int_equal(value_of(&lab, "egress", "action", "dscp"), 46);
	assert_int_equal(value_of(&lab, "egress", "bandwidth", "rate"), -1);
	lab.wish.egress.marks = false;
	apply_port(&lab);
	assert_int_equal(model_count(&lab.model, "QoS"), 0);
	model_done(&lab.model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ctx_test(test_directions),
		ctx_test(test_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
