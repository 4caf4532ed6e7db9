/* SPDX-License-Identifier: Apache-2.0
 * Filters with and without an access path must find the same rows. A value with a wildcard has no path, so
 * that all of the account's rows are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/id.h"
#include "world.h"

enum { INSTANCES = 12 };

static struct world w;
static struct str ids[INSTANCES];

static struct str ask(const char *action, const char *parameters)
{
	struct world_answer answer =
		world_post(&w, &w.alice, str_print(w.arena, "Action=%s%s", action, parameters));
	if (answer.status != 200)
		print_message("%s%s: %" STR_FMT "\n", action, parameters, STR_ARG(answer.body));
	assert_int_equal(answer.status, 200);
	return answer.body;
}

static size_t count_of(struct str body, const char *mark)
{
	size_t count = 0, n = strlen(mark);
	for (size_t at = 0; at + n <= body.n; at++)
		count += memcmp(body.p + at, mark, n) == 0;
	return count;
}

static void launch_some(void)
{
	char image[EC2_ID_TEXT_SIZE];
	for (int k = 0; k < INSTANCES; k++) {
		struct str body =
			ask("RunInstances",
			    str_print(w.arena,
				      "&InstanceType=t3.%s&MinCount=1&MaxCount=1&ImageId=%s"
				      "&TagSpecification.1.ResourceType=instance"
				      "&TagSpecification.1.Tag.1.Key=n&TagSpecification.1.Tag.1.Value=%dth"
				      "&TagSpecification.1.Tag.2.Key=half&TagSpecification.1.Tag.2.Value=%s",
				      k % 3 ? "nano" : "micro", id_write_ec2(KIND_IMAGE, w.image, image), k,
				      k % 2 ? "odd" : "even")
				    .p);
		ids[k] = world_element(body, "instanceId");
	}
	world_settle(&w, MINUTE);
	ask("StopInstances", str_print(w.arena, "&InstanceId.1=%" STR_FMT, STR_ARG(ids[5])).p);
	ask("TerminateInstances", str_print(w.arena, "&InstanceId.1=%" STR_FMT, STR_ARG(ids[7])).p);
	world_settle(&w, MINUTE);
}

static int setup(void **state)
{
	(void) state;
	world_make(&w);
	world_add_addresses(&w);
	launch_some();
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	world_done(&w);
	return 0;
}

static struct str filter(const char *action, const char *name, struct str value, const char *more)
{
	return ask(action, str_print(w.arena, "&Filter.1.Name=%s&Filter.1.Value.1=%" STR_FMT "%s", name,
				     STR_ARG(value), more)
				   .p);
}

/* With the value itself, with its last character left open, and with pages of five: the same. */
static void check_same(const char *action, const char *name, struct str value, const char *mark, size_t count)
{
	struct str plain = filter(action, name, value, "");
	struct str open =
		filter(action, name,
		       str_print(w.arena, "%" STR_FMT "?", STR_ARG(str_slice(value, 0, value.n - 1))), "");
	if (count_of(plain, mark) != count || !str_equal(plain, open))
		print_message("%s by %s: %zu, not %zu\n", action, name, count_of(plain, mark), count);
	assert_int_equal(count_of(plain, mark), count);
	assert_true(str_equal(plain, open));
	size_t paged = 0;
	const char *more = "&MaxResults=5";
	for (struct str token = STR("more"); token.n;) {
		struct str page = filter(action, name, value, more);
		assert_in_range(count_of(page, mark), count ? 1 : 0, 5);
		paged += count_of(page, mark);
		token = world_element(page, "nextToken");
		more = str_print(w.arena, "&MaxResults=5&NextToken=%" STR_FMT,
				 STR_ARG(str_encode_url(w.arena, token, false)))
			       .p;
	}
	assert_int_equal(paged, count);
}

static void test_instances(void **state)
{
	(void) state;
	struct str body = ask("DescribeInstances", "");
	const char *mark = "<instanceState>";
	check_same("DescribeInstances", "instance-id", ids[3], mark, 1);
	check_same("DescribeInstances", "vpc-id", world_element(body, "vpcId"), mark, INSTANCES);
	check_same("DescribeInstances", "subnet-id", world_element(body, "subnetId"), mark, INSTANCES);
	check_same("DescribeInstances", "image-id", world_element(body, "imageId"), mark, INSTANCES);
	check_same("DescribeInstances", "instance-type", STR("t3.micro"), mark, 4);
	check_same("DescribeInstances", "instance-type", STR("no.such"), mark, 0);
	check_same("DescribeInstances", "instance-state-name", STR("running"), mark, 10);
	check_same("DescribeInstances", "instance-state-name", STR("stopped"), mark, 1);
	check_same("DescribeInstances", "instance-state-name", STR("terminated"), mark, 1);
	check_same("DescribeInstances", "instance-state-code", STR("16"), mark, 10);
	check_same("DescribeInstances", "tag:half", STR("even"), mark, 6);
	check_same("DescribeInstances", "tag:n", STR("4th"), mark, 1);
	check_same("DescribeInstances", "tag:n", STR("99th"), mark, 0);
	check_same("DescribeInstances", "tag-key", STR("half"), mark, INSTANCES);
	check_same("DescribeInstances", "tag-key", STR("none"), mark, 0);
	check_same("DescribeInstanceStatus", "instance-state-name", STR("running"), "<instanceState>", 10);
}

static void test_others(void **state)
{
	(void) state;
	struct str ports = ask("DescribeNetworkInterfaces", "");
	const char *mark = "<requesterManaged>";
	check_same("DescribeNetworkInterfaces", "vpc-id", world_element(ports, "vpcId"), mark, INSTANCES - 1);
	check_same("DescribeNetworkInterfaces", "subnet-id", world_element(ports, "subnetId"), mark,
		   INSTANCES - 1);
	check_same("DescribeNetworkInterfaces", "group-id", world_element(ports, "groupId"), mark,
		   INSTANCES - 1);
	check_same("DescribeNetworkInterfaces", "attachment.instance-id", ids[3], mark, 1);
	check_same("DescribeNetworkInterfaces", "status", STR("in-use"), mark, INSTANCES - 1);
	check_same("DescribeVolumes", "attachment.instance-id", ids[3], "<createTime>", 1);
	check_same("DescribeVolumes", "status", STR("in-use"), "<createTime>", INSTANCES - 1);
	check_same("DescribeVolumes", "status", STR("available"), "<createTime>", 0);
}

/* Tags themselves. */
static void test_tags(void **state)
{
	(void) state;
	check_same("DescribeTags", "key", STR("half"), "<resourceId>", INSTANCES);
	check_same("DescribeTags", "key", STR("none"), "<resourceId>", 0);
	check_same("DescribeTags", "tag:half", STR("even"), "<resourceId>", 6);
	check_same("DescribeTags", "resource-id", ids[3], "<resourceId>", 2);
	struct str body = ask("DescribeTags", "&Filter.1.Name=key&Filter.1.Value.1=half&Filter.1.Value.2=n");
	assert_int_equal(count_of(body, "<resourceId>"), 2 * INSTANCES);
}

/* With several filters, one determines the plan, and all are applied. */
static void test_together(void **state)
{
	(void) state;
	struct str vpc = world_element(ask("DescribeVpcs", ""), "vpcId");
	struct str body = ask("DescribeInstances",
			      str_print(w.arena,
					"&Filter.1.Name=vpc-id&Filter.1.Value.1=%" STR_FMT
					"&Filter.2.Name=tag:half&Filter.2.Value.1=odd&Filter.2.Value.2=none"
					"&Filter.3.Name=instance-state-name&Filter.3.Value.1=running"
					"&Filter.3.Value.2=stopped",
					STR_ARG(vpc))
				      .p);
	assert_int_equal(count_of(body, "<instanceState>"), 5);
	assert_true(str_contains(body, ids[5]));
	assert_false(str_contains(body, ids[7]));
	/* values that overlap: nothing twice */
	body = ask("DescribeInstances", "&Filter.1.Name=tag-key&Filter.1.Value.1=half&Filter.1.Value.2=n");
	assert_int_equal(count_of(body, "<instanceState>"), INSTANCES);
	/* others' rows have the same tags */
	struct world_answer bobs = world_post(
		&w, &w.bob, STR("Action=DescribeInstances&Filter.1.Name=tag:half&Filter.1.Value.1=even"));
	assert_int_equal(count_of(bobs.body, "<instanceState>"), 0);
	/* after a change, resources are found by their new tags only */
	ask("CreateTags",
	    str_print(w.arena, "&ResourceId.1=%" STR_FMT "&Tag.1.Key=half&Tag.1.Value=both", STR_ARG(ids[2]))
		    .p);
	check_same("DescribeInstances", "tag:half", STR("even"), "<instanceState>", 5);
	check_same("DescribeInstances", "tag:half", STR("both"), "<instanceState>", 1);
	ask("DeleteTags", str_print(w.arena, "&ResourceId.1=%" STR_FMT, STR_ARG(ids[2])).p);
	check_same("DescribeInstances", "tag:half", STR("both"), "<instanceState>", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_together),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
