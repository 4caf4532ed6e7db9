/* SPDX-License-Identifier: Apache-2.0
 * Resources of clouds elsewhere that are no machines: what is read of the answers of each cloud, and that hostile
 * answers are refused or bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/remote/azure/resources.h"
#include "drivers/remote/cloudstack/resources.h"
#include "drivers/remote/ec2/resources.h"
#include "drivers/remote/openstack/resources.h"
#include "remote_bench.h"

static const char *attribute(const struct remote_resource *r, const char *name)
{
	const struct tag *tag = tags_find(r->attributes, str_from(name));
	return tag ? tag->value.p : "";
}

/* The only resource of the page, with the members that every test looks at. */
static const struct remote_resource *only(struct bench *b, const char *ref, const char *name,
					  const char *parent, int64_t size)
{
	assert_int_equal(b->resources.count, 1);
	const struct remote_resource *r = b->resources.at;
	assert_true(str_is(r->ref, ref));
	assert_true(str_is(r->name, name));
	assert_true(str_is(r->parent, parent));
	assert_int_equal(r->size, size);
	assert_null(row_find_too_large(&model_kinds[KIND_REMOTE_RESOURCE], &r->row));
	return r;
}

/* ---- EC2 ---- */

static enum err read_ec2(struct bench *b, enum remote_resource_type type, struct str text)
{
	ctx_clear_problem(&b->c);
	return ec2_read_resources(&b->c, text, type, &b->resources).code;
}

#define VOLUMES(inner)                                                                                       \
	"<?xml version=\"1.0\"?><DescribeVolumesResponse><volumeSet>" inner                                  \
	"</volumeSet></DescribeVolumesResponse>"

static void an_ec2_volume_is_read(void **state)
{
	struct bench *b = *state;
	assert_int_equal(
		read_ec2(
			b, REMOTE_RESOURCE_TYPE_VOLUME,
			STR(VOLUMES("<item><volumeId>vol-1</volumeId><size>8</size><status>in-use</status>"
				    "<attachmentSet><item><instanceId>i-1</instanceId></item></attachmentSet>"
				    "<tagSet><item><key>b</key><value>2</value></item><item><key>Name</key>"
				    "<value>data</value></item></tagSet><volumeType>gp3</volumeType>"
				    "</item>"))),
		ERR_NONE);
	const struct remote_resource *r = only(b, "vol-1", "data", "i-1", INT64_C(8) << 30);
	assert_true(str_is(r->state, "in-use"));
	assert_string_equal(attribute(r, "volume_type"), "gp3");
	assert_true(r->remote_tags.count == 2 && str_is(r->remote_tags.at[0].key, "Name"));
}

/* The first member in the table's order fills a field that two members have: classic addresses have no allocation id. */
static void an_ec2_address_is_read(void **state)
{
	static const char *const texts[] = {"<item><publicIp>192.0.2.1</publicIp></item>",
					    "<item><publicIp>192.0.2.1</publicIp><allocationId>eipalloc-1"
					    "</allocationId></item>"};
	static const char *const refs[] = {"192.0.2.1", "eipalloc-1"};
	struct bench *b = *state;
	for (size_t k = 0; k < 2; k++) {
		struct str text = str_print(b->arena,
					    "<DescribeAddressesResponse><addressesSet>%s</addressesSet>"
					    "</DescribeAddressesResponse>",
					    texts[k]);
		assert_int_equal(read_ec2(b, REMOTE_RESOURCE_TYPE_ADDRESS, text), ERR_NONE);
		assert_string_equal(attribute(only(b, refs[k], "", "", 0), "ip"), "192.0.2.1");
	}
}

static void hostile_ec2_answers_are_refused(void **state)
{
	static const char *const texts[] = {
		"<html>no</html>",
		VOLUMES("<item><size>8</size></item>"),
		"<!DOCTYPE a [<!ENTITY e \"x\">]>" VOLUMES(""),
		"<DescribeVolumesResponse><volumeSet><item><volumeId>v</volumeId>",
	};
	struct bench *b = *state;
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		assert_int_equal(read_ec2(b, REMOTE_RESOURCE_TYPE_VOLUME, str_from(texts[k])), ERR_IO);
}

/* Values of a wrong type are absent; an id is never cut, for two could become the same. */
static void wrong_values_are_absent(void **state)
{
	struct bench *b = *state;
	assert_int_equal(read_ec2(b, REMOTE_RESOURCE_TYPE_VOLUME,
				  STR(VOLUMES("<item><volumeId>v</volumeId><size>-1</size></item>"))),
			 ERR_NONE);
	(void) only(b, "v", "", "", 0);
	assert_int_equal(read_ec2(b, REMOTE_RESOURCE_TYPE_VOLUME,
				  STR(VOLUMES("<item><volumeId>v</volumeId><size>9223372036854775807</size>"
					      "</item>"))),
			 ERR_NONE);
	(void) only(b, "v", "", "", 0);
	struct buf id;
	buf_init(&id, 4096);
	for (int k = 0; k < 300; k++)
		buf_add_char(&id, 'v');
	struct str text = str_print(b->arena, VOLUMES("<item><volumeId>%" STR_FMT "</volumeId></item>"),
				    STR_ARG(buf_str(&id)));
	buf_done(&id);
	assert_int_equal(read_ec2(b, REMOTE_RESOURCE_TYPE_VOLUME, text), ERR_IO);
}

static void pages_are_bounded(void **state)
{
	struct bench *b = *state;
	struct buf text;
	buf_init(&text, 64 << 20);
	buf_add_str(&text, STR("<DescribeVolumesResponse><volumeSet>"));
	for (int k = 0; k <= REMOTE_RESOURCES_PAGE_MAX; k++)
		buf_print(&text, "<item><volumeId>v-%d</volumeId></item>", k);
	buf_add_str(&text, STR("</volumeSet></DescribeVolumesResponse>"));
	assert_int_equal(read_ec2(b, REMOTE_RESOURCE_TYPE_VOLUME, buf_str(&text)), ERR_IO);
	buf_done(&text);
}

#define STACKS(inner)                                                                                        \
	"<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">"             \
	"<DescribeStacksResult><Stacks>" inner                                                               \
	"</Stacks><NextToken>more</NextToken></DescribeStacksResult></DescribeStacksResponse>"

static void a_stack_is_read(void **state)
{
	struct bench *b = *state;
	assert_int_equal(
		read_ec2(b, REMOTE_RESOURCE_TYPE_STACK,
			 STR(STACKS("<member><StackName>web</StackName><StackStatus>CREATE_COMPLETE"
				    "</StackStatus><ParentId>arn:aws:cloudformation:eu-1:1:stack/all/u"
				    "</ParentId><Outputs><member><Description>no</Description></member>"
				    "</Outputs><Tags><member><Key>a</Key><Value>1</Value></member></Tags>"
				    "</member>"))),
		ERR_NONE);
	const struct remote_resource *r = only(b, "web", "web", "all", 0);
	assert_true(r->remote_tags.count == 1 && str_is(r->state, "CREATE_COMPLETE"));
	assert_string_equal(attribute(r, "description"), "");
	assert_true(str_is(b->resources.cursor, "more"));
}

#define LONG_NAME                                                                                            \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"   \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"   \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

/* Names are unique in a stack alone; one that would make the ref too long is replaced by its digest. */
static void resources_belong_to_their_stack(void **state)
{
	struct bench *b = *state;
	assert_int_equal(
		read_ec2(b, REMOTE_RESOURCE_TYPE_STACK_RESOURCE,
			 STR("<ListStackResourcesResponse><ListStackResourcesResult>"
			     "<StackResourceSummaries><member><LogicalResourceId>Net</LogicalResourceId>"
			     "<PhysicalResourceId>vpc-1</PhysicalResourceId><ResourceType>"
			     "AWS::EC2::VPC</ResourceType></member><member><LogicalResourceId>" LONG_NAME
			     "</LogicalResourceId></member></StackResourceSummaries>"
			     "</ListStackResourcesResult></ListStackResourcesResponse>")),
		ERR_NONE);
	assert_true(result_is_ok(resource_put_into_stack(&b->c, STR("web"), &b->resources)));
	assert_int_equal(b->resources.count, 2);
	assert_true(str_is(b->resources.at[0].ref, "web/Net") && str_is(b->resources.at[0].parent, "web"));
	assert_string_equal(attribute(&b->resources.at[0], "physical_id"), "vpc-1");
	assert_int_equal(b->resources.at[1].ref.n, sizeof "web/" - 1 + 64);
	assert_true(str_is(b->resources.at[1].name, LONG_NAME));
}

/* ---- JSON ---- */

static void openstack_resources_are_read(void **state)
{
	struct bench *b = *state;
	assert_true(result_is_ok(openstack_read_resources(
		&b->c,
		parse(b, "{\"volumes\":[{\"id\":\"v\",\"name\":\"data\",\"size\":2,\"status\":\"in-use\","
			 "\"attachments\":[{\"server_id\":\"s\"}],\"encrypted\":true,\"metadata\":{\"a\":"
			 "\"1\"}}],"
			 "\"volumes_links\":[{\"rel\":\"next\",\"href\":\"http://elsewhere/\"}]}"),
		REMOTE_RESOURCE_TYPE_VOLUME, &b->resources)));
	const struct remote_resource *r = only(b, "v", "data", "s", INT64_C(2) << 30);
	assert_string_equal(attribute(r, "is_encrypted"), "true");
	assert_true(r->remote_tags.count == 1 && str_is(b->resources.cursor, "v"));
	assert_true(result_is_ok(openstack_read_resources(
		&b->c, parse(b, "{\"keypairs\":[{\"keypair\":{\"name\":\"ann\",\"fingerprint\":\"f\"}}]}"),
		REMOTE_RESOURCE_TYPE_KEY_PAIR, &b->resources)));
	assert_string_equal(attribute(only(b, "ann", "ann", "", 0), "fingerprint"), "f");
	assert_true(!b->resources.cursor.n);
	assert_int_equal(openstack_read_resources(&b->c, parse(b, "{\"volumes\":3}"),
						  REMOTE_RESOURCE_TYPE_VOLUME, &b->resources)
				 .code,
			 ERR_IO);
}

/* Another zone's resources are left out; those without a zone belong to all. */
static void cloudstack_resources_are_read(void **state)
{
	struct bench *b = *state;
	assert_true(result_is_ok(cloudstack_read_resources(
		&b->c,
		parse(b,
		      "{\"listvolumesresponse\":{\"count\":2,\"volume\":[{\"id\":\"v\",\"name\":\"data\","
		      "\"size\":1024,\"zonename\":\"z1\",\"virtualmachineid\":\"m\",\"tags\":[{\"key\":\"a\","
		      "\"value\":\"1\"}]},{\"id\":\"w\",\"zonename\":\"z2\"}]}}"),
		REMOTE_RESOURCE_TYPE_VOLUME, STR("z1"), &b->resources)));
	const struct remote_resource *r = only(b, "v", "data", "m", 1024);
	assert_true(r->remote_tags.count == 1 && b->resources.entries == 2);
	assert_true(result_is_ok(cloudstack_read_resources(&b->c, parse(b, "{\"listvolumesresponse\":{}}"),
							   REMOTE_RESOURCE_TYPE_VOLUME, STR("all"),
							   &b->resources)));
	assert_int_equal(b->resources.count, 0);
}

#define SUBSCRIPTION "00000000-0000-0000-0000-000000000001"
#define ID(rest) "/subscriptions/" SUBSCRIPTION "/resourceGroups/G" rest

static void azure_resources_are_read(void **state)
{
	struct bench *b = *state;
	const json_t *networks = parse(
		b,
		"{\"value\":[{\"id\":\"" ID(
			"/providers/Microsoft.Network/virtualNetworks/N") "\",\"name\":\"N\","
									  "\"location\":\"West\","
									  "\"properties\":{\"addressSpace\":{"
									  "\"addressPrefixes\":[\"10.0.0.0/"
									  "16\"]},"
									  "\"subnets\":[{\"id\":\"" ID(
										  "/providers/"
										  "Microsoft.Network/"
										  "virtualNetworks/N/subnets/"
										  "S") "\",\"name\":"
										       "\"S\",\"properties\":"
										       "{\"addressPrefix\":"
										       "\"10.0.1.0/"
										       "24\"}}]}},{\"id\":"
										       "\"x\",\"location\":"
										       "\"east\"}]}");
	assert_true(result_is_ok(azure_read_resources(&b->c, networks, REMOTE_RESOURCE_TYPE_NETWORK,
						      STR(SUBSCRIPTION), STR("west"), &b->resources)));
	assert_string_equal(attribute(only(b, "g:n", "N", "", 0), "cidr"), "10.0.0.0/16");
	assert_true(result_is_ok(azure_read_resources(&b->c, networks, REMOTE_RESOURCE_TYPE_SUBNET,
						      STR(SUBSCRIPTION), STR("west"), &b->resources)));
	assert_string_equal(attribute(only(b, "g:n:s", "S", "g:n", 0), "cidr"), "10.0.1.0/24");
}

static void azure_ids_have_a_form(void **state)
{
	static const struct {
		const char *id, *ref;
	} ids[] = {{ID("/providers/Microsoft.Compute/disks/D"), "g:d"},
		   {"/SUBSCRIPTIONS/" SUBSCRIPTION "/RESOURCEGROUPS/g/providers/a/b/D", "g:d"},
		   {"/subscriptions/other/resourceGroups/G/providers/a/b/D", ""},
		   {ID("/providers/a/b/"), ""},
		   {ID("/providers/a/b/c/d/e/f/g"), ""}};
	struct bench *b = *state;
	for (size_t k = 0; k < sizeof ids / sizeof ids[0]; k++)
		assert_true(str_is(azure_ref_of_resource(&b->c, str_from(ids[k].id), STR(SUBSCRIPTION)),
				   ids[k].ref));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_ec2_volume_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stack_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(resources_belong_to_their_stack, setup, teardown),
		cmocka_unit_test_setup_teardown(an_ec2_address_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_ec2_answers_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_values_are_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(openstack_resources_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(cloudstack_resources_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(azure_resources_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(azure_ids_have_a_form, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
