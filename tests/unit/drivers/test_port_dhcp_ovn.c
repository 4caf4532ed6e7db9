/* SPDX-License-Identifier: Apache-2.0
 * A port's own DHCP options as northbound rows: they take precedence over the subnet's, and are removed with
 * the port's last option. */
#include "../base/test_base.h"

#include <string.h>

#include "drivers/ovn/nb.h"
#include "model/id.h"
#include "ovn_model.h"

struct lab {
	struct ctx *ctx;
	struct model model;
	struct network network;
	struct subnet subnet;
	const struct subnet *subnets[1];
	struct ip resolver;
	struct network_segment segment;
	struct port port;
	struct network_port wish;
};

static void init_lab(void **state, struct lab *lab)
{
	*lab = (struct lab){.ctx = *state};
	lab->network = (struct network){.row.id = make_id("network", 0, 0), .mtu = 1442};
	lab->subnet = (struct subnet){.row.id = make_id("subnet", 0, 0),
				      .network = lab->network.row.id,
				      .block = make_cidr("10.0.0.0/24"),
				      .gateway_ip = make_ip("10.0.0.1")};
	lab->subnets[0] = &lab->subnet;
	lab->resolver = make_ip("192.0.2.1");
	lab->segment = (struct network_segment){.network = &lab->network,
						.subnets = lab->subnets,
						.subnet_count = 1,
						.resolvers = &lab->resolver,
						.resolver_count = 1};
	lab->port = (struct port){.row.id = make_id("port", 0, 0),
				  .network = lab->network.row.id,
				  .subnet = lab->subnet.row.id,
				  .is_open = true,
				  .ip = make_ip("10.0.0.9")};
	lab->wish =
		(struct network_port){.port = &lab->port, .subnet = &lab->subnet, .segment = &lab->segment};
	model_init(&lab->model, &nb_schema);
}

static void apply_network(struct lab *lab)
{
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

/* An option of the row that is of: the subnet's ("dhcp") or the port's ("dhcp4"). */
static const char *option_of(const struct lab *lab, uuid of, const char *role, const char *option)
{
	const json_t *row = model_find(&lab->model, "DHCP_Options", uuid_v5(of, str_from(role)));
	return json_string_value(json_object_get(json_object_get(row, "options"), option));
}

/* Whether the port's row refers to these DHCP options. */
static bool is_told(const struct lab *lab, uuid of, const char *role)
{
	char id[UUID_TEXT_SIZE];
	const json_t *row = model_find(&lab->model, "Logical_Switch_Port", lab->port.row.id);
	const char *told = json_string_value(json_object_get(row, "dhcpv4_options"));
	return told && strcmp(told, uuid_write(uuid_v5(of, str_from(role)), id)) == 0;
}

static void test_own_options(void **state)
{
	struct lab lab;
	struct tag own[] = {{STR("bootfile-name"), STR("pxelinux.0")},
			    {STR("dns-server"), STR("192.0.2.53")},
			    {STR("server-ip-address"), STR("2001:db8::1")},
			    {STR("mtu"), STR("1400); drop; (")}};
	init_lab(state, &lab);
	uuid port = lab.port.row.id, subnet = lab.subnet.row.id;
	lab.port.dhcp4 = (struct tags){own, 4};
	apply_network(&lab);
	apply_port(&lab);
	assert_true(is_told(&lab, port, "dhcp4"));
	assert_string_equal(option_of(&lab, port, "dhcp4", "bootfile_name"), "\"pxelinux.0\"");
	assert_string_equal(option_of(&lab, port, "dhcp4", "dns_server"), "192.0.2.53");
	assert_string_equal(option_of(&lab, port, "dhcp4", "router"), "10.0.0.1");
	assert_string_equal(option_of(&lab, port, "dhcp4", "mtu"),
			    "1442"); /* values that OVN would refuse are omitted */
	assert_null(option_of(&lab, port, "dhcp4", "next_server"));
	assert_string_equal(option_of(&lab, subnet, "dhcp", "dns_server"), "192.0.2.1");
	own[0] = (struct tag){STR("dhcp_disabled"), STR("True")};
	apply_port(&lab);
	assert_false(is_told(&lab, port, "dhcp4") || is_told(&lab, subnet, "dhcp"));
	lab.port.dhcp4.count = 0;
	apply_port(&lab);
	assert_true(is_told(&lab, subnet, "dhcp"));
	assert_int_equal(model_count(&lab.model, "DHCP_Options"), 1);
	model_done(&lab.model);
}

/* The DHCP options of a port without a way out (leads_nowhere) name no router, routes, DNS servers or domain,
 * although those of its subnet do. */
static void test_leads_nowhere(void **state)
{
	struct lab lab;
	struct cidr block = make_cidr("203.0.113.0/24");
	struct ip hop = make_ip("10.0.0.7");
	struct tag own[] = {{STR("bootfile-name"), STR("pxelinux.0")}};
	init_lab(state, &lab);
	uuid port = lab.port.row.id;
	lab.subnet.router = make_id("router", 0, 0);
	lab.segment.domain_name = STR("example.org");
	lab.wish.leads_nowhere = true;
	apply_network(&lab);
	apply_port(&lab);
	assert_true(is_told(&lab, port, "dhcp4"));
	for (const char *const *p = (const char *const[]){"router", "dns_server", "classless_static_route",
							  "domain_name", NULL};
	     *p; p++) {
		assert_null(option_of(&lab, port, "dhcp4", *p));
		assert_non_null(option_of(&lab, lab.subnet.row.id, "dhcp", *p));
	}
	assert_string_equal(option_of(&lab, port, "dhcp4", "mtu"), "1442");
	lab.subnet.host_route_blocks = (struct cidrs){&block, 1};
	lab.subnet.host_route_hops = (struct ips){&hop, 1};
	lab.port.dhcp4 = (struct tags){own, 1};
	apply_port(&lab);
	assert_string_equal(option_of(&lab, port, "dhcp4", "classless_static_route"),
			    "{203.0.113.0/24,10.0.0.7}");
	assert_string_equal(option_of(&lab, port, "dhcp4", "bootfile_name"), "\"pxelinux.0\"");
	lab.wish.leads_nowhere = false;
	lab.port.dhcp4.count = 0;
	apply_port(&lab);
	assert_true(is_told(&lab, lab.subnet.row.id, "dhcp"));
	model_done(&lab.model);
}

/* Without a router the guests ask for metadata on the link, where a port of the switch has its address; the
 * port goes with the network, and as soon as every subnet has a router. */
static void test_metadata_on_link(void **state)
{
	struct lab lab;
	struct wish empty;
	init_lab(state, &lab);
	uuid subnet = lab.subnet.row.id, port = model_metadata_port(lab.network.row.id);
	lab.segment.has_metadata = true;
	lab.segment.metadata_mac = (struct mac){{2, 0xa9, 0, 0, 0, 1}};
	lab.segment.metadata_chassis = STR("ctl");
	apply_network(&lab);
	const json_t *row = model_find(&lab.model, "Logical_Switch_Port", port);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(row, "options"), "requested-chassis")),
		"ctl");
	assert_string_equal(option_of(&lab, subnet, "dhcp", "classless_static_route"),
			    "{169.254.169.254/32,0.0.0.0, 0.0.0.0/0,10.0.0.1}");
	lab.subnet.gateway_ip = (struct ip){0};
	apply_network(&lab);
	assert_string_equal(option_of(&lab, subnet, "dhcp", "classless_static_route"),
			    "{169.254.169.254/32,0.0.0.0}");
	lab.subnet.gateway_ip = make_ip("10.0.0.1");
	lab.subnet.router = make_id("router", 0, 0);
	lab.segment.has_metadata = false;
	apply_network(&lab);
	assert_null(model_find(&lab.model, "Logical_Switch_Port", port));
	assert_non_null(strstr(option_of(&lab, subnet, "dhcp", "classless_static_route"),
			       "169.254.169.254/32,10.0.0.1"));
	lab.segment.has_metadata = true;
	apply_network(&lab);
	wish_init(&empty, lab.ctx->arena, make_id("region", 0, 0), lab.network.row.id, NB_NETWORK);
	model_apply(&lab.model, lab.ctx, &empty);
	assert_int_equal(model_count(&lab.model, "Logical_Switch_Port"), 0);
	assert_int_equal(model_count(&lab.model, "Logical_Switch"), 0);
	model_done(&lab.model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {ctx_test(test_own_options), ctx_test(test_leads_nowhere),
					   ctx_test(test_metadata_on_link)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
