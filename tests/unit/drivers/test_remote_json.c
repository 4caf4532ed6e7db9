/* SPDX-License-Identifier: Apache-2.0
 * Answers of OpenStack, CloudStack and Azure: what is read of a machine, which states they have, and that hostile
 * answers are refused or bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "drivers/remote/azure/answer.h"
#include "drivers/remote/azure/metrics.h"
#include "drivers/remote/cloudstack/answer.h"
#include "drivers/remote/cloudstack/metrics.h"
#include "drivers/remote/openstack/answer.h"
#include "drivers/remote/openstack/metrics.h"
#include "drivers/remote/power_map.h"
#include "remote_bench.h"

static bool is_text(struct str a, const char *z)
{
	return str_is(a, z);
}

static void an_openstack_server_is_read(void **state)
{
	struct bench *b = *state;
	struct remote_page page;
	const json_t *root = parse(
		b,
		"{\"servers\":[{\"id\":\"a-1\",\"name\":\"web\",\"status\":\"ACTIVE\",\"flavor\":{\"original_"
		"name\":"
		"\"m1.small\",\"vcpus\":2},\"image\":{\"id\":\"img\"},\"addresses\":{\"net\":[{\"addr\":\"10."
		"0.0.9\","
		"\"OS-EXT-IPS:type\":\"fixed\"},{\"addr\":\"192.0.2.7\",\"OS-EXT-IPS:type\":\"floating\"}]},"
		"\"metadata\":{\"b\":\"2\",\"a\":\"1\",\"n\":3},\"OS-SRV-USG:launched_at\":"
		"\"2026-01-02T03:04:05.000000\",\"security_groups\":[{\"name\":\"default\"},{\"name\":\"a "
		"b\"}]}],"
		"\"servers_links\":[{\"rel\":\"next\",\"href\":\"http://elsewhere/\"}]}");
	assert_true(result_is_ok(openstack_read_servers(&b->c, root, &page)));
	const struct remote_machine *m = page.machines;
	assert_int_equal(page.count, 1);
	assert_true(is_text(page.cursor, "a-1"));
	assert_true(is_text(m->ref, "a-1") && is_text(m->name, "web") && is_text(m->type, "m1.small"));
	assert_true(is_text(m->image, "img") && is_text(m->network, "net") && m->vcpus == 2);
	assert_int_equal(m->power, REMOTE_MACHINE_POWER_RUNNING);
	assert_int_equal(m->launched_us, INT64_C(1767323045000000));
	assert_true(m->private_ips.count == 1 && m->public_ips.count == 1 && m->groups.count == 1);
	assert_true(m->remote_tags.count == 2 && is_text(m->remote_tags.at[0].key, "a"));
}

/* 65536 processors are the most that is believed; any other number counts as unknown. */
static void processors_are_bounded(void **state)
{
	static const struct {
		const char *says;
		int64_t is;
	} cases[] = {{"1", 1}, {"65536", 65536}, {"65537", 0}, {"-1", 0}, {"0", 0}, {"\"two\"", 0}};
	struct bench *b = *state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		struct remote_page page;
		const char *text =
			str_print(b->arena, "{\"servers\":[{\"id\":\"a\",\"flavor\":{\"vcpus\":%s}}]}",
				  cases[k].says)
				.p;
		assert_true(result_is_ok(openstack_read_servers(&b->c, parse(b, text), &page)));
		assert_int_equal(page.machines[0].vcpus, cases[k].is);
	}
}

/* Ids instead of names, an image that is a text because the machine boots from a volume, and a task under way. */
static void an_older_server_is_read(void **state)
{
	struct bench *b = *state;
	struct remote_machine m;
	const json_t *root = parse(
		b, "{\"server\":{\"id\":\"a\",\"status\":\"ACTIVE\",\"flavor\":{\"id\":\"7\"},\"image\":\"\","
		   "\"OS-EXT-STS:task_state\":\"powering-off\"}}");
	assert_true(result_is_ok(openstack_read_server(&b->c, root, &m)));
	assert_true(is_text(m.type, "7") && !m.image.n && m.power == REMOTE_MACHINE_POWER_STOPPING);
}

static void a_sign_in_is_read(void **state)
{
	struct bench *b = *state;
	struct openstack_token token;
	static const char text[] = "{\"token\":{\"project\":{\"id\":\"p1\"},\"issued_at\":\"2030-01-01T00:00:"
				   "00.000000Z\",\"expires_at\":"
				   "\"2030-01-01T01:00:00.000000Z\",\"roles\":[{\"name\":\"reader\"}],"
				   "\"catalog\":[{\"type\":\"compute\","
				   "\"endpoints\":[{\"interface\":\"internal\",\"region\":\"r\",\"url\":"
				   "\"http://in\"},{\"interface\":"
				   "\"public\",\"region\":\"r\",\"url\":\"https://out/v2.1\"}]}]}}";
	assert_true(result_is_ok(openstack_read_token(&b->c, parse(b, text), STR("r"), &token)));
	assert_true(is_text(token.project, "p1") && is_text(token.compute, "https://out/v2.1"));
	/* the cloud's own clock counts */
	assert_true(token.is_reader && token.life_us == INT64_C(3600000000));
	assert_int_equal(openstack_read_token(&b->c, parse(b, text), STR("other"), &token).code, ERR_INVALID);
	ctx_clear_problem(&b->c);
	assert_int_equal(openstack_read_token(&b->c, parse(b, "{\"token\":[]}"), STR("r"), &token).code,
			 ERR_IO);
	assert_int_equal(openstack_read_minor(&b->c, parse(b, "{\"version\":{\"version\":\"2.93\"}}")), 93);
	assert_int_equal(openstack_read_minor(&b->c, parse(b, "{\"version\":{\"version\":\"\"}}")), 1);
}

static void a_cloudstack_machine_is_read(void **state)
{
	struct bench *b = *state;
	struct remote_page page;
	size_t count = 0;
	static const char text[] = "{\"listvirtualmachinesresponse\":{\"count\":2,\"virtualmachine\":[{"
				   "\"id\":\"a-1\",\"name\":\"web\","
				   "\"displayname\":\"Web\",\"state\":\"Stopping\",\"zonename\":\"z1\","
				   "\"serviceofferingname\":\"Small\","
				   "\"cpunumber\":1,\"created\":\"2026-01-02T03:04:05+0000\",\"nic\":[{"
				   "\"networkid\":\"n\",\"ipaddress\":"
				   "\"10.0.0.1\"}],\"securitygroup\":[{\"id\":\"g\"}],\"tags\":[{\"key\":"
				   "\"a\",\"value\":\"b\"}]},{\"id\":"
				   "\"a-2\",\"zonename\":\"z2\"}]}}";
	assert_true(result_is_ok(cloudstack_read_machines(&b->c, parse(b, text), STR("z1"), &page, &count)));
	const struct remote_machine *m = page.machines;
	assert_true(page.count == 1 && count == 2);
	assert_true(is_text(m->ref, "a-1") && is_text(m->name, "Web") && is_text(m->type, "Small"));
	assert_int_equal(m->power, REMOTE_MACHINE_POWER_STOPPING);
	assert_int_equal(m->launched_us, INT64_C(1767323045000000));
	assert_true(m->private_ips.count == 1 && m->groups.count == 1 && m->remote_tags.count == 1);
	assert_true(result_is_ok(
		cloudstack_read_machines(&b->c, parse(b, "{\"r\":{}}"), STR("all"), &page, &count)));
	assert_int_equal(page.count, 0);
	assert_int_equal(cloudstack_read_machines(&b->c, parse(b, "{}"), STR("all"), &page, &count).code,
			 ERR_IO);
	const json_t *accounts = parse(
		b, "{\"r\":{\"account\":[{\"id\":\"x\"},{\"id\":\"y\",\"user\":[{\"apikey\":\"k\"}]}]}}");
	assert_true(is_text(cloudstack_read_account(&b->c, accounts, STR("k")), "y"));
	assert_true(!cloudstack_read_account(&b->c, accounts, STR("z")).n);
}

static void an_azure_machine_is_read(void **state)
{
	struct bench *b = *state;
	const struct azure_addresses none = {0};
	struct remote_machines list = {0};
	const json_t *root =
		parse(b, "{\"id\":\"/subscriptions/S/resourceGroups/My-RG/providers/Microsoft.Compute/"
			 "virtualMachines/Web\","
			 "\"name\":\"Web\",\"location\":\"westeurope\",\"tags\":{\"a\":\"b\"},\"properties\":"
			 "{\"hardwareProfile\":"
			 "{\"vmSize\":\"Standard_B1s\"},\"storageProfile\":{\"osDisk\":{\"osType\":\"Linux\","
			 "\"managedDisk\":"
			 "{\"id\":\"/x/disks/"
			 "d1\"}}},\"instanceView\":{\"statuses\":[{\"code\":\"ProvisioningState/succeeded\"},"
			 "{\"code\":\"PowerState/deallocated\"}]}}}");
	assert_true(result_is_ok(azure_read_machine(&b->c, root, STR("s"), &none, &list)));
	const struct remote_machine *m = list.at;
	assert_true(is_text(m->ref, "my-rg:web") && is_text(m->name, "Web") &&
		    is_text(m->type, "Standard_B1s"));
	assert_true(m->power == REMOTE_MACHINE_POWER_STOPPED && m->volumes.count == 1);
	assert_true(is_text(
		azure_path_of_ref(&b->c, m->ref, STR("s")),
		"/subscriptions/s/resourceGroups/my-rg/providers/Microsoft.Compute/virtualMachines/web"));
	assert_int_equal(azure_read_machine(&b->c, root, STR("other"), &none, &list).code, ERR_IO);
	assert_true(!azure_path_of_ref(&b->c, STR("no-colon"), STR("s")).n &&
		    !azure_path_of_ref(&b->c, STR("a:../b"), STR("s")).n);
}

static void azure_permissions_are_patterns(void **state)
{
	struct bench *b = *state;
	const json_t *root = parse(
		b, "{\"value\":[{\"actions\":[\"Microsoft.Compute/*/read\",\"Microsoft.Compute/"
		   "virtualMachines/*\"],\"notActions\":[\"microsoft.compute/virtualmachines/DELETE\"]}]}");
	const json_t *list = json_object_get(root, "value");
	assert_true(azure_may(&b->c, list, "Microsoft.Compute/virtualMachines/read"));
	assert_true(azure_may(&b->c, list, "Microsoft.Compute/virtualMachines/start/action"));
	assert_false(azure_may(&b->c, list, "Microsoft.Compute/virtualMachines/delete"));
	assert_false(azure_may(&b->c, list, "Microsoft.Network/networkInterfaces/read"));
}

static enum err refuse(struct bench *b, int status, const char *text)
{
	const struct remote r = {.name = STR("p")};
	struct remote_json answer = {.status = status};
	ctx_clear_problem(&b->c);
	if (text)
		answer.root = (json_t *) parse(b, text);
	return remote_refuse(&b->c, &r, &answer, remote_err_of_status(status)).code;
}

/* A refusal counts as the cloud's if it has the cloud's own words; otherwise a proxy has answered. */
static void pages_of_proxies_are_no_refusals(void **state)
{
	struct bench *b = *state;
	static const char *const own[] = {
		"{\"error\":{\"code\":401,\"message\":\"The request you have made requires "
		"authentication.\"}}",
		"{\"forbidden\":{\"code\":403,\"message\":\"Policy doesn't allow it.\"}}",
		"{\"listaccountsresponse\":{\"errorcode\":401,\"errortext\":\"unable to verify user "
		"credentials\"}}",
		"{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215\"}",
		"{\"error\":\"invalid_client\"}",
		"{\"message\":\"You are not authorized.<br /><br />\\n\\n\",\"code\":\"403 "
		"Forbidden\",\"title\":\"Forbidden\"}"};
	static const char *const others[] = {NULL,
					     "{}",
					     "{\"message\":\"Forbidden\"}",
					     "{\"error\":\"Forbidden\"}",
					     "{\"error\":403}",
					     "{\"error\":{\"code\":403}}"};
	for (size_t k = 0; k < sizeof own / sizeof own[0]; k++) {
		assert_int_equal(refuse(b, 401, own[k]), ERR_UNAUTHENTICATED);
		assert_int_equal(refuse(b, 403, own[k]), ERR_DENIED);
		assert_int_equal(refuse(b, 404, own[k]), ERR_NOT_FOUND);
	}
	for (size_t k = 0; k < sizeof others / sizeof others[0]; k++) {
		assert_int_equal(refuse(b, 401, others[k]), ERR_IO);
		assert_int_equal(refuse(b, 403, others[k]), ERR_IO);
		assert_int_equal(refuse(b, 404, others[k]), ERR_IO);
		assert_int_equal(refuse(b, 503, others[k]), ERR_AGAIN);
	}
}

static void hostile_answers_are_refused(void **state)
{
	struct bench *b = *state;
	struct remote_page page;
	struct buf text;
	json_t *root = NULL;
	static const char *const bad[] = {"", "[]", "{", "\"a\"", "<html>", "{\"a\":1}}"};
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
		ctx_clear_problem(&b->c);
		assert_int_equal(remote_parse_json(&b->c, str_from(bad[k]), &root).code, ERR_IO);
	}
	assert_int_equal(openstack_read_servers(&b->c, parse(b, "{\"servers\":{}}"), &page).code, ERR_IO);
	assert_int_equal(
		openstack_read_servers(&b->c, parse(b, "{\"servers\":[{\"id\":\"a/../b\"}]}"), &page).code,
		ERR_IO);
	buf_init(&text, 64 << 20);
	buf_add_str(&text, STR("{\"servers\":[0"));
	for (size_t k = 0; k < REMOTE_JSON_VALUES_MAX; k++)
		buf_add_str(&text, STR(",0"));
	buf_add_str(&text, STR("]}"));
	ctx_clear_problem(&b->c);
	assert_int_equal(remote_parse_json(&b->c, buf_str(&text), &root).code, ERR_IO);
	buf_done(&text);
}

static void powers_are_remembered(void **state)
{
	struct power_map map = {0};
	char name[16];
	(void) state;
	assert_int_equal(power_map_get(&map, STR("a")), -1);
	for (int k = 0; k < 1000; k++) {
		(void) snprintf(name, sizeof name, "m-%d", k);
		assert_true(power_map_put(&map, str_from(name), k % 7));
	}
	assert_true(power_map_put(&map, STR("m-5"), 6));
	assert_int_equal(map.count, 1000);
	assert_int_equal(power_map_get(&map, STR("m-5")), 6);
	assert_int_equal(power_map_get(&map, STR("m-999")), 999 % 7);
	assert_int_equal(power_map_get(&map, STR("m-1000")), -1);
	power_map_clear(&map);
}

/* ---- texts of a provider ---- */

static const struct remote good_openstack = {.endpoint = {"https://a/", 10},
					     .region = {"RegionOne", 9},
					     .login = {"me", 2},
					     .project = {"Web (EU) \xc3\xa4", 11},
					     .domain = {"Default", 7}},
			   good_cloudstack = {.endpoint = {"https://a/", 10},
					      .region = {"Zone 1", 6},
					      .login = {"a_B-9", 5}},
			   good_azure = {.region = {"westeurope", 10},
					 .login = {"app-1", 5},
					 .project = {"00000000-0000-0000-0000-000000000001", 36},
					 .domain = {"corp.example.com", 16}},
			   good_vmware = {.endpoint = {"https://a/", 10},
					  .region = {"DC (1)", 6},
					  .login = {"a@vsphere.local", 15}},
			   good_hyperv = {.endpoint = {"https://a/", 10},
					  .region = {"host", 4},
					  .project = {"C:\\a", 4},
					  .login = {"CORP\\a", 6}},
			   good_ec2 = {.region = {"eu-central-1", 12}, .login = {"AKIA1", 5}};

static const struct {
	const struct remote_driver *driver;
	const struct remote *good;
	const char *fields; /* that reach URLs, headers or bodies */
} clouds[] = {{&remote_openstack, &good_openstack, "region project domain"},
	      {&remote_cloudstack, &good_cloudstack, "region login"},
	      {&remote_azure, &good_azure, "region project domain login"},
	      {&remote_vmware, &good_vmware, "region"},
	      {&remote_hyperv, &good_hyperv, "region project"},
	      {&remote_ec2, &good_ec2, "region login"}};

static struct str *find_field(struct remote *r, struct str name)
{
	return str_is(name, "region")    ? &r->region
	       : str_is(name, "project") ? &r->project
	       : str_is(name, "domain")  ? &r->domain
					 : &r->login;
}

/* Each text matches a positive pattern, and the refusal names its parameter. */
static void texts_of_providers_have_a_form(void **state)
{
	static const char *const bad[] = {"a/b", "a?b",  "a#b", "a%2fb", "a\\b", "a\nb", "a\rb", "a\tb",
					  "..",  "../x", ".x",  "a&b=c", "a\"b", "<a>",  "a;b",  "a|b",
					  "{a}", " a",   "a ",  "\x7f",  "\xff", "a$b",  "a*"};
	struct bench *b = *state;
	for (size_t n = 0; n < sizeof clouds / sizeof clouds[0]; n++) {
		struct str rest = str_from(clouds[n].fields), field = STR_NONE;
		ctx_clear_problem(&b->c);
		assert_true(result_is_ok(clouds[n].driver->check(&b->c, clouds[n].good)));
		while (str_split_next(&rest, ' ', &field))
			for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
				struct remote r = *clouds[n].good;
				*find_field(&r, field) = str_from(bad[k]);
				ctx_clear_problem(&b->c);
				assert_int_equal(clouds[n].driver->check(&b->c, &r).code, ERR_INVALID);
				assert_true(str_equal(b->c.problem.field, field));
			}
	}
}

/* ---- metrics ---- */

#define SERIES "6d9a0a3e-0000-4000-8000-000000000001"
static struct remote_metric_point points[2 * REMOTE_METRIC_POINTS];
static const struct str metric_refs[] = {{"vm-a", 4}, {"vm-b", 4}};
static const int64_t metric_vcpus[] = {2, 0};
static const struct remote_metrics_query metrics_from_0 = {
	.refs = metric_refs, .vcpus = metric_vcpus, .count = 2};

/* 150 s of processor time in 300 s of two processors. The counter's reset, and the gap before its last mean, have no point;
 * a machine of unknown size has none at all. */
static void counters_of_gnocchi_become_points(void **state)
{
	struct bench *b = *state;
	static struct gnocchi_list list;
	list.count = 2;
	snprintf(list.at[0].id, sizeof list.at[0].id, SERIES);
	list.at[0].offset = offsetof(struct remote_metric_point, cpu_percent);
	list.at[1] = list.at[0];
	list.at[1].machine = 1;
	const json_t *root = parse(
		b, "{\"measures\":{\"" SERIES "\":{\"mean\":[[\"1970-01-01T00:00:00+00:00\",300.0,1e9],"
		   "[\"1970-01-01T00:05:00+00:00\",300.0,151e9],[\"1970-01-01T00:10:00+00:00\",300.0,5],"
		   "[\"1970-01-01T00:20:00+00:00\",300.0,1e11],[7],3]}}}");
	assert_true(result_is_ok(openstack_read_points(&b->c, root, &list, &metrics_from_0, points)));
	for (size_t k = 0; k < 2 * REMOTE_METRIC_POINTS; k++)
		assert_int_equal(points[k].is_there, k == 1);
	assert_float_equal(points[1].cpu_percent, 25, 0.001);
	assert_false(result_is_ok(
		openstack_read_points(&b->c, parse(b, "{\"measures\":[]}"), &list, &metrics_from_0, points)));
}

/* Resources of other machines, and ids that are no ids, are left out. */
static void series_of_gnocchi_are_found(void **state)
{
	struct bench *b = *state;
	static struct gnocchi_list list;
	const json_t *root = parse(
		b, "{\"found\":[{\"instance_id\":\"vm-b\",\"metrics\":{\"network.incoming.bytes\":\"" SERIES
		   "\",\"network.outgoing.bytes\":\"../x\"}},{\"instance_id\":\"vm-c\",\"metrics\":{"
		   "\"network.incoming.bytes\":\"" SERIES "\"}},5]}");
	assert_true(result_is_ok(openstack_read_series(&b->c, json_object_get(root, "found"),
						       GNOCCHI_INTERFACE, &metrics_from_0, &list)));
	assert_int_equal(list.count, 1);
	assert_int_equal(list.at[0].machine, 1);
	assert_int_equal(list.at[0].offset, offsetof(struct remote_metric_point, received));
	assert_false(
		result_is_ok(openstack_read_series(&b->c, root, GNOCCHI_INTERFACE, &metrics_from_0, &list)));
}

/* Two measurements of an interval: bytes add up, percentages are averaged, and the end of an interval belongs to it. */
static void stats_of_cloudstack_become_points(void **state)
{
	struct bench *b = *state;
	const json_t *root = parse(b, "{\"r\":{\"virtualmachine\":[{\"id\":\"vm-b\",\"stats\":[{"
				      "\"timestamp\":\"1970-01-01T09:04:00+0900\","
				      "\"cpuused\":\"10%\",\"networkkbsread\":3},{\"timestamp\":\"1970-01-"
				      "01T00:05:00+0000\",\"cpuused\":"
				      "\"20,5%\",\"networkkbsread\":1},{\"timestamp\":\"1970-01-01T00:06:00+"
				      "0000\",\"cpuused\":\"nan%\"},"
				      "{\"timestamp\":\"1970-01-01T02:00:00+0000\",\"cpuused\":\"1%\"}]},{"
				      "\"id\":\"other\",\"stats\":[{}]}]}}");
	assert_true(result_is_ok(cloudstack_read_points(&b->c, root, &metrics_from_0, points)));
	for (size_t k = 0; k < 2 * REMOTE_METRIC_POINTS; k++)
		assert_int_equal(points[k].is_there, k == REMOTE_METRIC_POINTS);
	assert_float_equal(points[REMOTE_METRIC_POINTS].cpu_percent, 15.25, 0.001);
	assert_float_equal(points[REMOTE_METRIC_POINTS].received, 4096, 0.001);
}

static void points_of_azure_are_read(void **state)
{
	struct bench *b = *state;
	const struct remote_metrics_query one = {.refs = metric_refs, .vcpus = metric_vcpus, .count = 1};
	const json_t *root =
		parse(b, "{\"value\":[{\"name\":{\"value\":\"percentage "
			 "cpu\"},\"timeseries\":[{\"data\":[{\"timeStamp\":"
			 "\"1970-01-01T00:05:00Z\",\"average\":12.5},{\"timeStamp\":\"1970-01-01T00:10:00Z\"}"
			 ",{\"timeStamp\":"
			 "\"1970-01-01T00:15:00Z\",\"average\":-1}]}]},{\"name\":{\"value\":\"Network In "
			 "Total\"},\"timeseries\":"
			 "[{\"data\":[{\"timeStamp\":\"1970-01-01T00:05:00Z\",\"total\":9}]}]}]}");
	assert_true(result_is_ok(azure_read_points(&b->c, root, &one, points)));
	for (size_t k = 0; k < REMOTE_METRIC_POINTS; k++)
		assert_int_equal(points[k].is_there, k == 1);
	assert_float_equal(points[1].cpu_percent, 12.5, 0.001);
	assert_float_equal(points[1].received, 9, 0.001);
	assert_false(result_is_ok(azure_read_points(&b->c, parse(b, "{}"), &one, points)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_openstack_server_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(processors_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(an_older_server_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sign_in_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cloudstack_machine_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(an_azure_machine_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(azure_permissions_are_patterns, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_of_proxies_are_no_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_answers_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(powers_are_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(texts_of_providers_have_a_form, setup, teardown),
		cmocka_unit_test_setup_teardown(counters_of_gnocchi_become_points, setup, teardown),
		cmocka_unit_test_setup_teardown(series_of_gnocchi_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(stats_of_cloudstack_become_points, setup, teardown),
		cmocka_unit_test_setup_teardown(points_of_azure_are_read, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
