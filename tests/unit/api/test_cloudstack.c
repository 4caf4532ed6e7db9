/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's API: its tables, its refusals, and the limit for anonymous requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/cloudstack/core/cloudstack.h"
#include "api/core/dispatch.h"
#include "api/core/listing.h"
#include "api/core/response_cache.h"
#include "base/clock.h"
#include "engine/instance/instance_type.h"
#include "script.h"
#include "world.h"

static int setup(void **state)
{
	static struct world w;
	const struct limits_config limits = {.of = {[LIMIT_STRANGERS] = {1, 2}}};
	world_make(&w);
	world_set_limits(&w, &limits);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	world_done(*state);
	return 0;
}

/* The status of a GET, and whether its answer has the text. */
static int ask(struct world *w, const char *query, const char *text)
{
	struct fake_call call;
	fake_call_init(&call, "GET", STR("/client/api"), str_from(query), STR_NONE);
	call.call.self = w->cloudstack;
	fake_call_handle(&call, &api_http_face);
	assert_true(call.is_answered);
	if (!str_contains(buf_str(&call.body), str_from(text)))
		fail_msg("%s: %.*s", query, STR_ARG(buf_str(&call.body)));
	int status = call.status;
	fake_call_done(&call);
	return status;
}

/* Broken escapes and names that stand twice are refused before anybody signed: they count, too. */
static void test_malformed_requests_count(void **state)
{
	struct world *w = *state;
	assert_int_equal(ask(w, "response=json&command=%zz", "\"errorresponse\""), 431);
	assert_int_equal(ask(w, "response=json&command=listZones&COMMAND=listHosts", "\"errorcode\":431"),
			 431);
	assert_int_equal(ask(w, "response=json&command=%zz", "account api limit"), 429);
	assert_int_equal(ask(w, "response=json&command=listZones", "account api limit"), 429);
	clock_advance_us(SECOND);
	assert_int_equal(ask(w, "response=json&command=LISTzones", "{\"listzonesresponse\":{\"uuidList\":[]"),
			 401);
}

static void test_reject(void **state)
{
	struct world *w = *state;
	struct fake_call call;
	fake_call_init(&call, "POST", STR("/client/api"), STR("response=json"), STR_NONE);
	api_http_face.reject(w->cloudstack, &call.call, 413, ERR_TOO_LARGE);
	assert_int_equal(call.status, 413);
	assert_true(str_starts_with(buf_str(&call.body),
				    STR("{\"errorresponse\":{\"uuidList\":[],\"errorcode\":413")));
	fake_call_done(&call);
}

/* Filters are of types that lists compare, and name fields of the listed kind. */
static void test_filters(void **state)
{
	struct world *w = *state;
	for (size_t k = 0; k < w->cloudstack->entries.count; k++) {
		const struct api_action *a = w->cloudstack->entries.at[k].action;
		if (!a->listing)
			continue;
		const struct kind_info *kind = &model_kinds[a->listing->kind];
		assert_true(!a->listing->is_by_name || query_find_field(kind->kind, "name"));
		for (size_t n = 0; n < a->args.count; n++) {
			const struct param *p = &a->args.at[n];
			bool is_text = p->type == PARAM_TEXT,
			     is_found = p->fits - 1 == offsetof(struct row, id);
			if (!p->fits)
				continue;
			assert_true(is_text || p->type == PARAM_ID || p->type == PARAM_IDS);
			for (unsigned m = 0; m < kind->field_count; m++)
				is_found = is_found ||
					   (kind->fields[m].offset + 1 == p->fits &&
					    kind->fields[m].type == (is_text ? FIELD_TEXT : FIELD_UUID));
			assert_true(is_found);
		}
	}
}

/* The answer to a signed call. */
static struct str call(struct world *w, const struct world_user *user, const char *query)
{
	const struct script_request request = {
		.method = STR("GET"), .path = STR("/client/api"), .query = str_from(query)};
	struct world_answer answer = world_request(w, user, &request);
	assert_int_equal(answer.status, 200);
	return answer.body;
}

/* A long list is answered from a cache until something is committed, and nobody gets what is another's. */
static void test_cached_lists(void **state)
{
	static const char types[] = "command=listServiceOfferings&pagesize=-1",
			  hosts[] = "command=listHosts&pagesize=-1";
	struct world *w = *state;
	struct str first = call(w, &w->alice, types);
	assert_true(first.n > RESPONSE_SIZE_MIN && str_equal(first, call(w, &w->alice, types)));
	assert_false(str_equal(first, call(w, &w->alice, "command=listServiceOfferings&page=1&pagesize=3")));
	assert_true(str_starts_with(
		call(w, &w->alice, "command=listServiceOfferings&pagesize=-1&response=xml"), STR("<?xml")));
	struct instance_type_wish wish = {
		.name = STR("own"), .vcpus = 1, .memory = 1 << 30, .is_private = true};
	assert_true(result_is_ok(world_do(w, &w->operator, engine_create_instance_type_run, &wish)));
	struct instance_type_settings change = {
		.type = {.kind = KIND_INSTANCE_TYPE, .text = STR("own")},
		.add_user = {.kind = KIND_ACCOUNT, .prefix = w->alice.who.account, .bits = 128}};
	assert_true(result_is_ok(world_do(w, &w->operator, engine_update_instance_type_run, &change)));
	assert_true(str_contains(call(w, &w->alice, types), STR("\"own\"")));
	assert_false(str_contains(call(w, &w->bob, types), STR("\"own\"")));
	assert_true(str_contains(call(w, &w->admin, hosts), STR("hv1")));
}

static size_t count_text(struct str whole, const char *part)
{
	size_t count = 0, length = strlen(part);
	for (size_t k = 0; k + length <= whole.n; k++)
		count += memcmp(whole.p + k, part, length) == 0;
	return count;
}

/* A list without page and pagesize has 500 rows at most, and counts all of them. */
static void test_default_page(void **state)
{
	struct world *w = *state;
	for (int k = 0; k < 500; k++) {
		char name[] = "many000";
		snprintf(name + 4, 4, "%03d", k);
		struct instance_type_wish wish = {.name = str_from(name), .vcpus = 1, .memory = 1 << 30};
		assert_true(result_is_ok(world_do(w, &w->operator, engine_create_instance_type_run, &wish)));
	}
	struct str first = call(w, &w->alice, "command=listServiceOfferings");
	struct str second = call(w, &w->alice, "command=listServiceOfferings&page=2&pagesize=500");
	struct str all = call(w, &w->alice, "command=listServiceOfferings&pagesize=-1");
	size_t in_second = count_text(second, "\"cpunumber\"");
	assert_int_equal(count_text(first, "\"cpunumber\""), 500);
	assert_true(in_second > 0 && count_text(all, "\"cpunumber\"") == 500 + in_second);
}

/* The text of the member's first occurrence. */
static struct str member(struct world *w, struct str body, const char *name)
{
	struct str mark = str_print(w->arena, "\"%s\":\"", name);
	size_t at = 0;
	while (at < body.n && !str_starts_with(str_slice(body, at, body.n), mark))
		at++;
	assert_true(at < body.n);
	struct str rest = str_slice(body, at + mark.n, body.n);
	return str_slice(rest, 0, str_find_char(rest, '"', 0));
}

static struct str about(struct world *w, const struct world_user *user, const char *command, struct str id)
{
	const struct script_request request = {
		.method = STR("GET"),
		.path = STR("/client/api"),
		.query = str_print(w->arena, "command=%s%" STR_FMT, command, STR_ARG(id))};
	return world_request(w, user, &request).body;
}

/* A job is its maker's, and of users with the permission to list jobs. A pruned id is like one that never was. */
static void test_jobs_of_others(void **state)
{
	struct world *w = *state;
	struct world_user eve;
	const char *const query = "queryAsyncJobResult&jobid=";
	world_add_user(w, "eve", w->alice.who.account, NULL, &eve);
	struct str zone = member(w, call(w, &w->alice, "command=listZones"), "id");
	struct str offering = member(w, call(w, &w->alice, "command=listDiskOfferings&name=gp3"), "id");
	struct str made =
		about(w, &w->alice,
		      str_to_z(w->arena,
			       str_print(w->arena,
					 "createVolume&name=data&size=2&diskofferingid=%" STR_FMT "&zoneid=",
					 STR_ARG(offering))),
		      zone);
	struct str job = member(w, made, "jobid"), volume = member(w, made, "id");
	world_settle(w, MINUTE);
	assert_true(str_contains(about(w, &w->alice, query, job), STR("\"jobstatus\":1")));
	assert_true(str_contains(about(w, &eve, query, job), STR("\"cserrorcode\":4350")));
	assert_true(str_contains(about(w, &w->bob, query, job), STR("\"cserrorcode\":4350")));
	assert_true(str_contains(about(w, &w->alice, "deleteVolume&id=", volume), STR("\"success\"")));
	world_settle(w, MINUTE);
	clock_advance_us(2 * HOUR);
	world_settle(w, MINUTE);
	assert_true(str_contains(about(w, &w->alice, query, job), STR("\"cserrorcode\":4350")));
	assert_true(str_equal(about(w, &w->alice, query, job), about(w, &w->bob, query, job)));
	assert_true(
		str_contains(about(w, &w->alice, "deleteVolume&id=", volume), STR("\"cserrorcode\":4350")));
	assert_true(str_equal(about(w, &w->alice, "deleteVolume&id=", volume),
			      about(w, &w->bob, "deleteVolume&id=", volume)));
}

/* Static NAT leads to the machine's NIC in the network that the call names, and to no other NIC if there is none;
 * a call without a network means the default NIC. */
static void test_static_nat_of_a_network(void **state)
{
	struct world *w = *state;
	const struct world_user *alice = &w->alice;
	struct str zone = member(w, call(w, alice, "command=listZones"), "id");
	struct str type = member(w, call(w, alice, "command=listServiceOfferings&name=t3.micro"), "id");
	struct str image = member(w, call(w, alice, "command=listTemplates&templatefilter=executable"), "id");
	struct str kind = member(w,
				 call(w, alice,
				      "command=listNetworkOfferings&"
				      "name=DefaultIsolatedNetworkOfferingWithSourceNatService"),
				 "id");
#define CALL(...) call(w, alice, str_print(w->arena, __VA_ARGS__).p)
	struct str network = member(w,
				    CALL("command=createNetwork&name=inner&displaytext=inner&gateway=10.5.0."
					 "1&netmask=255.255.0.0&"
					 "networkofferingid=%" STR_FMT "&zoneid=%" STR_FMT,
					 STR_ARG(kind), STR_ARG(zone)),
				    "id");
	struct str machine = member(w,
				    CALL("command=deployVirtualMachine&zoneid=%" STR_FMT
					 "&templateid=%" STR_FMT "&serviceofferingid=%" STR_FMT,
					 STR_ARG(zone), STR_ARG(image), STR_ARG(type)),
				    "id");
	world_settle(w, MINUTE);
	struct str address =
		member(w, CALL("command=associateIpAddress&zoneid=%" STR_FMT, STR_ARG(zone)), "id");
	struct str enable =
		str_print(w->arena, "enableStaticNat&ipaddressid=%" STR_FMT "&virtualmachineid=%" STR_FMT,
			  STR_ARG(address), STR_ARG(machine));
	struct str refused =
		about(w, alice, str_print(w->arena, "%" STR_FMT "&networkid=", STR_ARG(enable)).p, network);
	assert_true(str_contains(refused, STR("Vm doesn't belong to the network with specified id")));
	assert_true(str_contains(CALL("command=%" STR_FMT, STR_ARG(enable)), STR("\"success\"")));
#undef CALL
}

/* An address is for the network that the call names, although the account has several. */
static void test_address_of_a_network(void **state)
{
	struct world *w = *state;
	struct str zone = member(w, call(w, &w->alice, "command=listZones"), "id"), networks[2];
	struct str kind = member(w,
				 call(w, &w->alice,
				      "command=listNetworkOfferings&"
				      "name=DefaultIsolatedNetworkOfferingWithSourceNatService"),
				 "id");
	for (int k = 0; k < 2; k++) {
		struct str query = str_print(
			w->arena,
			"createNetwork&name=n%d&displaytext=n&gateway=10.%d.0.1&netmask=255.255.0.0&"
			"networkofferingid=%" STR_FMT "&zoneid=",
			k, k + 5, STR_ARG(kind));
		networks[k] = member(w, about(w, &w->alice, query.p, zone), "id");
	}
	assert_true(str_contains(about(w, &w->alice, "associateIpAddress&zoneid=", zone),
				 STR("Account has more than one isolated network in the zone")));
	for (int k = 0; k < 2; k++)
		(void) member(w, about(w, &w->alice, "associateIpAddress&networkid=", networks[k]), "jobid");
	for (int k = 0; k < 2; k++) {
		struct str list =
			about(w, &w->alice, "listPublicIpAddresses&associatednetworkid=", networks[k]);
		assert_int_equal(count_text(list, "\"issourcenat\":false"), 1);
	}
}

/* A network offering is no VPC offering, though both are rows of one kind. */
static void test_offerings_of_networks(void **state)
{
	struct world *w = *state;
	struct str made = call(w, &w->admin,
			       "command=createNetworkOffering&name=nat&displaytext=nat&guestiptype=Isolated&"
			       "traffictype=GUEST&supportedservices=Dhcp,Dns&enable=true");
	struct str id = member(w, made, "id");
	assert_int_equal(count_text(about(w, &w->alice, "listNetworkOfferings&id=", id), "\"name\":\"nat\""),
			 1);
	static const char *const reads[] = {"listVPCOfferings&id=", "listVPCs&vpcofferingid="};
	for (size_t k = 0; k < sizeof reads / sizeof reads[0]; k++)
		assert_true(str_contains(about(w, &w->alice, reads[k], id), STR("\"cserrorcode\":4350")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_malformed_requests_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reject, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cached_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_default_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_jobs_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_static_nat_of_a_network, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address_of_a_network, setup, teardown),
		cmocka_unit_test_setup_teardown(test_offerings_of_networks, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
