/* SPDX-License-Identifier: Apache-2.0
 * Cost of lists: the count of rows read must depend on the request's filters, not on the size of the tables.
 * Each test asks for one row among many, by every filter that can name it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/id.h"
#include "script.h"
#include "store/query.h"

/* Rows of a kind; what may be looked at for one of them: the rows on the filter's access path, and as many
 * of other plans as those led to nothing. */
enum { MANY = 60, FEW = 16 };

static struct world w;

static struct str call(const struct world_user *user, struct str request)
{
	struct world_answer answer = world_post(&w, user, request);
	if (answer.status != 200)
		print_message("%" STR_FMT ": %" STR_FMT "\n", STR_ARG(request), STR_ARG(answer.body));
	assert_int_equal(answer.status, 200);
	return answer.body;
}

#define CALL(user, ...) call(&w.user, str_print(w.arena, __VA_ARGS__))

static uint64_t looked_at(void)
{
	return query_count_rows_read();
}

static size_t count_of(struct str body, const char *mark)
{
	size_t count = 0, n = strlen(mark);
	for (size_t at = 0; at + n <= body.n; at++)
		count += memcmp(body.p + at, mark, n) == 0;
	return count;
}

/* Count of rows read for a request of alice's, which must return `count` items. */
static uint64_t cost_of(const char *action, struct str parameters, const char *mark, size_t count)
{
	uint64_t before = looked_at();
	struct str body = CALL(alice, "Action=%s%" STR_FMT, action, STR_ARG(parameters));
	if (count_of(body, mark) != count)
		print_message("%s%" STR_FMT ": %zu, not %zu\n", action, STR_ARG(parameters),
			      count_of(body, mark), count);
	assert_int_equal(count_of(body, mark), count);
	return looked_at() - before;
}

static void check_few(const char *action, const char *filter, struct str value, const char *mark,
		      size_t count)
{
	struct str parameters =
		str_print(w.arena, "&Filter.1.Name=%s&Filter.1.Value.1=%" STR_FMT, filter, STR_ARG(value));
	uint64_t cost = cost_of(action, parameters, mark, count);
	if (cost > FEW)
		print_message("%s by %s looks at %d rows\n", action, filter, (int) cost);
	assert_in_range(cost, 1, FEW);
}

/* ---- the world ---- */

static struct {
	struct str instance, reservation, port, attachment, ip, mac, name, volume, snapshot, image, group,
		subnet;
	struct str address, allocation, association, public_name, extra_ip, shared, published;
} one;

static struct str make_snapshot(const struct world_user *user, struct str volume, const char *more)
{
	return world_element(call(user, str_print(w.arena, "Action=CreateSnapshot&VolumeId=%" STR_FMT "%s",
						  STR_ARG(volume), more)),
			     "snapshotId");
}

static struct str make_image(const struct world_user *user, struct str snapshot, const char *name, int number)
{
	return world_element(call(user, str_print(w.arena,
						  "Action=RegisterImage&Name=%s%d&RootDeviceName=/dev/sda1"
						  "&BlockDeviceMapping.1.DeviceName=/dev/sda1"
						  "&BlockDeviceMapping.1.Ebs.SnapshotId=%" STR_FMT,
						  name, number, STR_ARG(snapshot))),
			     "imageId");
}

static struct str make_volume(const struct world_user *user)
{
	struct str body = call(user, STR("Action=CreateVolume&Size=1&AvailabilityZone=us-east-1a"));
	world_settle(&w, MINUTE);
	return world_element(body, "volumeId");
}

/* Many of everything, of both. */
static void make_crowd(const struct world_user *user)
{
	char image[EC2_ID_TEXT_SIZE];
	call(user,
	     str_print(w.arena,
		       "Action=RunInstances&InstanceType=t3.nano&MinCount=%d&MaxCount=%d&ImageId=%s"
		       "&NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.AssociatePublicIpAddress=false",
		       MANY, MANY, id_write_ec2(KIND_IMAGE, w.image, image)));
	struct str volume = make_volume(user), snapshot = STR_NONE;
	world_settle(&w, MINUTE);
	for (int k = 0; k < MANY; k++) {
		const char *tags =
			str_print(w.arena,
				  "&TagSpecification.1.ResourceType=snapshot"
				  "&TagSpecification.1.Tag.1.Key=n&TagSpecification.1.Tag.1.Value=%d"
				  "&TagSpecification.1.Tag.2.Key=all",
				  k)
				.p;
		snapshot = make_snapshot(user, volume, tags);
		world_settle(&w, MINUTE);
	}
	for (int k = 0; k < MANY; k++)
		make_image(user, snapshot, "image", k);
}

static struct str make_subnet(void)
{
	struct str vpc = world_element(CALL(alice, "Action=DescribeVpcs"), "vpcId");
	return world_element(
		CALL(alice, "Action=CreateSubnet&CidrBlock=172.31.200.0/24&VpcId=%" STR_FMT, STR_ARG(vpc)),
		"subnetId");
}

static void make_one_instance(void)
{
	char image[EC2_ID_TEXT_SIZE];
	struct str vpc = world_element(CALL(alice, "Action=DescribeVpcs"), "vpcId");
	one.subnet = make_subnet();
	one.group = world_element(
		CALL(alice, "Action=CreateSecurityGroup&GroupName=one&GroupDescription=one&VpcId=%" STR_FMT,
		     STR_ARG(vpc)),
		"groupId");
	struct str body =
		CALL(alice,
		     "Action=RunInstances&InstanceType=t3.nano&MinCount=1&MaxCount=1&ImageId=%s"
		     "&SubnetId=%" STR_FMT "&SecurityGroupId.1=%" STR_FMT,
		     id_write_ec2(KIND_IMAGE, w.image, image), STR_ARG(one.subnet), STR_ARG(one.group));
	one.instance = world_element(body, "instanceId");
	one.reservation = world_element(body, "reservationId");
	world_settle(&w, MINUTE);
	body = CALL(alice, "Action=DescribeInstances&InstanceId.1=%" STR_FMT, STR_ARG(one.instance));
	one.port = world_element(body, "networkInterfaceId");
	one.attachment = world_element(body, "attachmentId");
	one.ip = world_element(body, "privateIpAddress");
	one.mac = world_element(body, "macAddress");
	one.name = world_element(body, "privateDnsName");
	one.volume = world_element(body, "volumeId");
}

static void make_one_address(void)
{
	struct str body = CALL(alice, "Action=AllocateAddress");
	one.address = world_element(body, "publicIp");
	one.allocation = world_element(body, "allocationId");
	one.association = world_element(
		CALL(alice, "Action=AssociateAddress&AllocationId=%" STR_FMT "&InstanceId=%" STR_FMT,
		     STR_ARG(one.allocation), STR_ARG(one.instance)),
		"associationId");
	one.extra_ip = STR("172.31.200.77");
	CALL(alice,
	     "Action=AssignPrivateIpAddresses&NetworkInterfaceId=%" STR_FMT "&PrivateIpAddress.1=%" STR_FMT,
	     STR_ARG(one.port), STR_ARG(one.extra_ip));
	world_settle(&w, MINUTE);
	one.public_name = world_element(
		CALL(alice, "Action=DescribeInstances&InstanceId.1=%" STR_FMT, STR_ARG(one.instance)),
		"dnsName");
}

static int setup(void **state)
{
	(void) state;
	world_make(&w);
	make_crowd(&w.alice);
	make_crowd(&w.bob);
	make_one_instance();
	make_one_address();
	one.snapshot = make_snapshot(&w.alice, one.volume, "");
	struct str bobs = make_snapshot(&w.bob, make_volume(&w.bob), "");
	world_settle(&w, MINUTE);
	one.image = make_image(&w.alice, one.snapshot, "one", 0);
	one.shared = make_image(&w.bob, bobs, "shared", 0);
	one.published = make_image(&w.bob, bobs, "public", 0);
	CALL(bob, "Action=ModifyImageAttribute&LaunchPermission.Add.1.Group=all&ImageId=%" STR_FMT,
	     STR_ARG(one.published));
	CALL(bob, "Action=ModifyImageAttribute&LaunchPermission.Add.1.UserId=%" STR_FMT "&ImageId=%" STR_FMT,
	     STR_ARG(w.alice.who.account_number), STR_ARG(one.shared));
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	world_done(&w);
	return 0;
}

/* ---- requests ---- */

static void test_instances(void **state)
{
	(void) state;
	const struct {
		const char *filter;
		struct str value;
	} filters[] = {
		{"instance-id", one.instance},
		{"reservation-id", one.reservation},
		{"subnet-id", one.subnet},
		{"group-id", one.group},
		{"instance.group-id", one.group},
		{"private-ip-address", one.ip},
		{"private-dns-name", one.name},
		{"ip-address", one.address},
		{"dns-name", one.public_name},
		{"block-device-mapping.volume-id", one.volume},
		{"network-interface.network-interface-id", one.port},
		{"network-interface.subnet-id", one.subnet},
		{"network-interface.group-id", one.group},
		{"network-interface.mac-address", one.mac},
		{"network-interface.private-dns-name", one.name},
		{"network-interface.attachment.attachment-id", one.attachment},
		{"network-interface.attachment.instance-id", one.instance},
		{"network-interface.addresses.private-ip-address", one.extra_ip},
		{"network-interface.addresses.association.public-ip", one.address},
		{"network-interface.association.public-ip", one.address},
		{"network-interface.association.allocation-id", one.allocation},
		{"network-interface.association.association-id", one.association},
	};
	for (size_t k = 0; k < sizeof filters / sizeof filters[0]; k++)
		check_few("DescribeInstances", filters[k].filter, filters[k].value, "<instanceState>", 1);
	assert_in_range(cost_of("DescribeInstances",
				STR("&Filter.1.Name=network-interface.association.public-ip"
				    "&Filter.1.Value.1=203.0.113.99"),
				"<instanceState>", 0),
			0, FEW);
}

static void test_network(void **state)
{
	(void) state;
	const struct {
		const char *filter;
		struct str value;
	} filters[] = {
		{"network-interface-id", one.port},
		{"subnet-id", one.subnet},
		{"group-id", one.group},
		{"mac-address", one.mac},
		{"private-ip-address", one.ip},
		{"private-dns-name", one.name},
		{"addresses.private-ip-address", one.extra_ip},
		{"addresses.association.public-ip", one.address},
		{"association.public-ip", one.address},
		{"association.public-dns-name", one.public_name},
		{"association.allocation-id", one.allocation},
		{"association.association-id", one.association},
		{"attachment.attachment-id", one.attachment},
		{"attachment.instance-id", one.instance},
	};
	for (size_t k = 0; k < sizeof filters / sizeof filters[0]; k++)
		check_few("DescribeNetworkInterfaces", filters[k].filter, filters[k].value,
			  "<requesterManaged>", 1);
	check_few("DescribeSecurityGroups", "group-name", STR("one"), "<groupDescription>", 1);
	check_few("DescribeAddresses", "instance-id", one.instance, "<domain>", 1);
	check_few("DescribeAddresses", "public-ip", one.address, "<domain>", 1);
	check_few("DescribeAddresses", "association-id", one.association, "<domain>", 1);
	check_few("DescribeAddresses", "private-ip-address", one.ip, "<domain>", 1);
}

static void test_storage(void **state)
{
	(void) state;
	check_few("DescribeVolumes", "attachment.instance-id", one.instance, "<createTime>", 1);
	check_few("DescribeSnapshots", "volume-id", one.volume, "<startTime>", 1);
	check_few("DescribeSnapshots", "snapshot-id", one.snapshot, "<startTime>", 1);
	check_few("DescribeImages", "image-id", one.image, "<imageState>", 1);
	check_few("DescribeImages", "name", STR("one0"), "<imageState>", 1);
	check_few("DescribeImages", "block-device-mapping.snapshot-id", one.snapshot, "<imageState>", 1);
	check_few("DescribeImages", "owner-alias", STR("amazon"), "<imageState>", 1);
}

/* Pages of tags: what has none is not looked at, nor what was shown before. */
static void test_tags(void **state)
{
	(void) state;
	const char *mark = "<resourceType>";
	const size_t all = 2 * MANY;
	assert_in_range(cost_of("DescribeTags", STR_NONE, mark, all), MANY, MANY + 4);
	struct str page = CALL(alice, "Action=DescribeTags&MaxResults=5"), token;
	for (size_t shown = 5; shown < all; shown += 5) {
		token = world_element(page, "nextToken");
		uint64_t before = looked_at();
		page = CALL(alice, "Action=DescribeTags&MaxResults=5&NextToken=%" STR_FMT,
			    STR_ARG(str_encode_url(w.arena, token, false)));
		assert_int_equal(count_of(page, mark), 5);
		assert_in_range(looked_at() - before, 1, 8);
	}
	assert_int_equal(world_element(page, "nextToken").n, 0);
	assert_in_range(
		cost_of("DescribeTags", STR("&Filter.1.Name=resource-type&Filter.1.Value.1=volume"), mark, 0),
		0, 1);
	check_few("DescribeTags", "tag:n", STR("7"), mark, 1);
	check_few("DescribeSnapshots", "tag:n", STR("7"), "<startTime>", 1);
}

/* With a filter that matches many rows, a page reads about as many rows as it returns, and a request without
 * pages about all of them. */
static void test_pages(void **state)
{
	(void) state;
	struct str by = STR("&MaxResults=5&Filter.1.Name=tag-key&Filter.1.Value.1=all"), token = STR_NONE;
	for (size_t shown = 0; shown < MANY; shown += 5) {
		struct str from = token.n ? str_print(w.arena, "&NextToken=%" STR_FMT,
						      STR_ARG(str_encode_url(w.arena, token, false)))
					  : STR_NONE;
		uint64_t before = looked_at();
		struct str page = CALL(alice, "Action=DescribeSnapshots%" STR_FMT "%" STR_FMT, STR_ARG(by),
				       STR_ARG(from));
		assert_int_equal(count_of(page, "<startTime>"), 5);
		assert_in_range(looked_at() - before, 5, 8);
		token = world_element(page, "nextToken");
	}
	assert_int_equal(token.n, 0);
	struct str two = STR("&Filter.1.Name=tag-key&Filter.1.Value.1=all&Filter.2.Name=status"
			     "&Filter.2.Value.1=completed");
	assert_in_range(cost_of("DescribeSnapshots", two, "<startTime>", MANY), MANY, MANY + 4);
}

/* Other accounts' rows are not read, except for public and shared ones. */
static void test_others(void **state)
{
	(void) state;
	const size_t own = MANY + 1;
	assert_in_range(cost_of("DescribeSnapshots", STR_NONE, "<startTime>", own + 1), own, own + 8);
	assert_in_range(cost_of("DescribeSnapshots", STR("&Owner.1=amazon"), "<startTime>", 1), 1, FEW);
	assert_in_range(cost_of("DescribeImages", STR_NONE, "<imageState>", own + 3), own, own + 8);
	assert_in_range(cost_of("DescribeImages", STR("&Owner.1=amazon"), "<imageState>", 1), 1, FEW);
	assert_in_range(cost_of("DescribeImages", STR("&MaxResults=5"), "<imageState>", 5), 5, FEW);
	check_few("DescribeImages", "name", STR("public0"), "<imageState>", 1);
	check_few("DescribeImages", "name", STR("shared0"), "<imageState>", 1);
	check_few("DescribeImages", "image-id", one.shared, "<imageState>", 1);
}

/* Filters still find rows by the id of a deleted resource which they still name. */
static void test_gone(void **state)
{
	(void) state;
	struct str volume = make_volume(&w.alice);
	make_snapshot(&w.alice, volume, "");
	world_settle(&w, MINUTE);
	CALL(alice, "Action=DeleteVolume&VolumeId=%" STR_FMT, STR_ARG(volume));
	world_settle(&w, MINUTE);
	check_few("DescribeSnapshots", "volume-id", volume, "<startTime>", 1);
	struct str snapshot = make_snapshot(&w.alice, one.volume, "");
	world_settle(&w, MINUTE);
	CALL(alice, "Action=CreateVolume&AvailabilityZone=us-east-1a&SnapshotId=%" STR_FMT,
	     STR_ARG(snapshot));
	world_settle(&w, MINUTE);
	CALL(alice, "Action=DeleteSnapshot&SnapshotId=%" STR_FMT, STR_ARG(snapshot));
	world_settle(&w, MINUTE);
	check_few("DescribeVolumes", "snapshot-id", snapshot, "<createTime>", 1);
}

/* ---- OpenStack ---- */

static struct str request(const char *method, struct str path, struct str query, struct str body)
{
	const struct script_request r = {
		.method = str_from(method), .path = path, .query = query, .body = body};
	struct world_answer answer = world_request(&w, &w.alice, &r);
	if (answer.status / 100 != 2)
		print_message("%s %" STR_FMT "?%" STR_FMT ": %" STR_FMT "\n", method, STR_ARG(path),
			      STR_ARG(query), STR_ARG(answer.body));
	assert_int_equal(answer.status / 100, 2);
	return answer.body;
}

/* Posts the body; the text of that member of the answer. */
static struct str post(const char *path, const char *member, struct str body)
{
	return world_find(w.arena, request("POST", str_from(path), STR_NONE, body), str_from(member));
}

/* Alice finds so many by one filter, and no more rows are read. */
static void check_openstack(const char *path, const char *filter, struct str value, size_t count)
{
	struct str query = str_print(w.arena, "%s=%" STR_FMT, filter, STR_ARG(value));
	uint64_t before = looked_at();
	struct str body = request("GET", str_from(path), query, STR_NONE);
	uint64_t cost = looked_at() - before;
	size_t found = count_of(body, "\"id\":");
	if (found != count || cost > FEW)
		print_message("%s?%" STR_FMT ": %zu found, %d rows read\n", path, STR_ARG(query), found,
			      (int) cost);
	assert_int_equal(found, count);
	assert_in_range(cost, 0, FEW);
}

static struct str uuid_of_ec2(struct str id, enum kind kind)
{
	struct ref ref = {0};
	assert_true(result_is_ok(id_parse_ec2(id, kind, &ref)));
	const struct row *row;
	struct view view;
	view_open(w.store, &view);
	row = tables_find_prefix(view.tables, kind, ref.prefix, ref.bits);
	struct str text = row ? uuid_to_str(w.arena, row->id) : STR_NONE;
	view_close(&view);
	return text;
}

static void test_openstack(void **state)
{
	(void) state;
	const char *servers = "/compute/v2.1/servers", *ports = "/network/v2.0/ports",
		   *floatingips = "/network/v2.0/floatingips";
	struct str instance = uuid_of_ec2(one.instance, KIND_INSTANCE);
	struct str group = uuid_of_ec2(one.group, KIND_SECURITY_GROUP);
	struct str subnet = uuid_of_ec2(one.subnet, KIND_SUBNET);
	struct str port = uuid_of_ec2(one.port, KIND_PORT);
	CALL(alice,
	     "Action=CreateTags&ResourceId.1=%" STR_FMT "&Tag.1.Key=Name&Tag.1.Value=tagged"
	     "&Tag.2.Key=word",
	     STR_ARG(one.instance));
	check_openstack(servers, "name", STR("%5Etagged%24"), 1);
	check_openstack(servers, "tags", STR("word"), 1);
	check_openstack(servers, "tags-any", STR("none,word"), 1);
	check_openstack(servers, "uuid", instance, 1);
	check_openstack(servers, "flavor", STR("nothing"), 0);
	check_openstack(ports, "device_id", instance, 1);
	check_openstack(ports, "security_groups", group, 1);
	check_openstack(ports, "mac_address", one.mac, 1);
	check_openstack(ports, "fixed_ips", str_print(w.arena, "subnet_id%%3D%" STR_FMT, STR_ARG(subnet)), 2);
	check_openstack(ports, "fixed_ips",
			str_print(w.arena, "ip_address%%3D%" STR_FMT, STR_ARG(one.extra_ip)), 1);
	check_openstack(ports, "id", port, 1);
	check_openstack(floatingips, "port_id", port, 1);
	check_openstack(floatingips, "floating_ip_address", one.address, 1);
	check_openstack(floatingips, "fixed_ip_address", one.ip, 1);
	CALL(alice, "Action=CreateTags&ResourceId.1=%" STR_FMT "&Tag.1.Key=Name&Tag.1.Value=shot",
	     STR_ARG(one.snapshot));
	check_openstack("/volume/v3/snapshots", "name", STR("shot"), 1);
	check_openstack("/volume/v3/snapshots", "volume_id", uuid_of_ec2(one.volume, KIND_VOLUME), 1);
	check_openstack("/image/v2/images", "name", STR("one0"), 1);
	check_openstack("/image/v2/images", "name", STR("in:one0,public0"), 2);
	check_openstack("/image/v2/images", "id", uuid_of_ec2(one.published, KIND_IMAGE), 1);
}

/* Resources that have a name in OpenStack, among many. */
static void test_openstack_names(void **state)
{
	(void) state;
	struct str network = STR_NONE;
	for (int k = 0; k < MANY; k++) {
		network = post("/network/v2.0/networks", "network.id",
			       str_print(w.arena, "{\"network\":{\"name\":\"net%d\"}}", k));
		post("/network/v2.0/subnets", "subnet.id",
		     str_print(w.arena,
			       "{\"subnet\":{\"network_id\":\"%" STR_FMT
			       "\",\"cidr\":\"10.1.%d.0/24\",\"name\":\"sub%d\"}}",
			       STR_ARG(network), k, k));
	}
	post("/network/v2.0/ports", "port.id",
	     str_print(w.arena,
		       "{\"port\":{\"network_id\":\"%" STR_FMT
		       "\",\"name\":\"port\",\"device_id\":\"lamp\"}}",
		       STR_ARG(network)));
	check_openstack("/network/v2.0/networks", "name", STR("net7"), 1);
	check_openstack("/network/v2.0/subnets", "name", STR("sub7"), 1);
	check_openstack("/network/v2.0/subnets", "network_id", network, 1);
	check_openstack("/network/v2.0/ports", "name", STR("port"), 1);
	check_openstack("/network/v2.0/ports", "device_id", STR("lamp"), 1);
	check_openstack("/network/v2.0/ports", "network_id", network, 1);
}

/* ---- IAM ---- */

static void iam_call(const char *action, struct str parameters)
{
	CALL(alice, "Action=%s&Version=2010-05-08&%" STR_FMT, action, STR_ARG(parameters));
}

/* The given count of members is found, and only about as many rows are read. */
static void check_iam(const char *action, const char *parameters, const char *mark, size_t count)
{
	struct str words = str_print(w.arena, "&Version=2010-05-08&%s", parameters);
	uint64_t cost = cost_of(action, words, mark, count);
	if (cost > FEW)
		print_message("%s&%s looks at %d rows\n", action, parameters, (int) cost);
	assert_in_range(cost, 0, FEW);
}

/* Many of each; those of one path, one principal or one policy are few. */
static void test_iam(void **state)
{
	(void) state;
	static const char trust[] = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22"
				    "sts%3AAssumeRole%22%2C%22Principal%22%3A%22%2A%22%7D%7D";
	static const char policy[] = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%"
				     "22%3A%22Allow%22%2C%22Action%22%3A%22"
				     "%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
	for (int k = 0; k < MANY; k++) {
		const char *path = k == 7 ? "%2Fone%2F" : "%2F";
		iam_call("CreateUser", str_print(w.arena, "UserName=u%d&Path=%s", k, path));
		iam_call("CreateGroup", str_print(w.arena, "GroupName=g%d&Path=%s", k, path));
		iam_call("CreateRole", str_print(w.arena, "RoleName=r%d&Path=%s&AssumeRolePolicyDocument=%s",
						 k, path, trust));
		iam_call("CreateInstanceProfile",
			 str_print(w.arena, "InstanceProfileName=p%d&Path=%s", k, path));
		iam_call("CreatePolicy",
			 str_print(w.arena, "PolicyName=m%d&Path=%s&PolicyDocument=%s", k, path, policy));
		iam_call("PutUserPolicy",
			 str_print(w.arena, "UserName=u%d&PolicyName=own&PolicyDocument=%s", k, policy));
		iam_call("AttachRolePolicy",
			 str_print(w.arena, "RoleName=r%d&PolicyArn=arn:aws:iam::%" STR_FMT ":policy%s%sm%d",
				   k, STR_ARG(w.alice.who.account_number), "%2F", k == 7 ? "one%2F" : "", k));
		iam_call("AddUserToGroup", str_print(w.arena, "UserName=u%d&GroupName=g%d", k, k));
		iam_call("AddRoleToInstanceProfile",
			 str_print(w.arena, "RoleName=r%d&InstanceProfileName=p%d", k, k));
		iam_call("CreateAccessKey", str_print(w.arena, "UserName=u%d", k));
	}
	check_iam("ListUsers", "PathPrefix=%2Fone", "<UserName>", 1);
	check_iam("ListGroups", "PathPrefix=%2Fone%2F", "<GroupName>", 1);
	check_iam("ListRoles", "PathPrefix=%2Fone%2F", "<RoleName>", 1);
	check_iam("ListInstanceProfiles", "PathPrefix=%2Fone%2F", "<InstanceProfileName>", 1);
	check_iam("ListPolicies", "PathPrefix=%2Fone%2F", "<PolicyName>", 1);
	check_iam("GetGroup", "GroupName=g7", "<UserName>", 1);
	check_iam("ListGroupsForUser", "UserName=u7", "<GroupName>", 1);
	check_iam("ListInstanceProfilesForRole", "RoleName=r7", "<InstanceProfileName>", 1);
	check_iam("ListAttachedRolePolicies", "RoleName=r7", "<PolicyName>", 1);
	check_iam("ListUserPolicies", "UserName=u7", "<member>", 1);
	check_iam("ListAccessKeys", "UserName=u7", "<AccessKeyId>", 1);
	check_iam("ListPolicyVersions",
		  str_print(w.arena, "PolicyArn=arn:aws:iam::%" STR_FMT ":policy/m8",
			    STR_ARG(w.alice.who.account_number))
			  .p,
		  "<VersionId>", 1);
	check_iam("ListEntitiesForPolicy",
		  str_print(w.arena, "PolicyArn=arn:aws:iam::%" STR_FMT ":policy/m8",
			    STR_ARG(w.alice.who.account_number))
			  .p,
		  "<RoleName>", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instances),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_storage),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_openstack),
		cmocka_unit_test(test_openstack_names),
		cmocka_unit_test(test_iam),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
