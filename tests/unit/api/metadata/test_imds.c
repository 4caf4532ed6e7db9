/* SPDX-License-Identifier: Apache-2.0
 * The instance metadata service over HTTP: the whole tree, tokens, and isolation between instances. */
#include "base/crypto.h"
#include "fixture.h"
#include "store/dhcp_options.h"
#include "store/iam_role.h"
#include "store/instance.h"
#include "store/instance_profile.h"
#include "store/profile_association.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/subnet.h"

#include <sys/socket.h>

#include "base/crypto.h"
#include "base/vec.h"
#include "engine/instance/instance.h"

#define MACS "network/interfaces/macs/"
#define MAC1 MACS "02:00:00:00:00:01/"
#define MAC2 MACS "02:00:00:00:00:02/"

/* The instance alpha's tree below /latest/meta-data/. */
static const struct {
	const char *path, *body;
} alpha_tree[] = {
	{"", "ami-id\nami-launch-index\nami-manifest-path\nblock-device-mapping/\nevents/\nhostname\n"
	     "instance-action\n"
	     "instance-id\ninstance-life-cycle\ninstance-type\nlocal-hostname\nlocal-ipv4\nmac\nnetwork/\n"
	     "placement/\npublic-hostname\npublic-ipv4\npublic-keys/\nreservation-id\nsecurity-groups\n"
	     "services/\ntags/"},
	{"ami-id", "ami-ec2a696d011147228"},
	{"ami-launch-index", "4"},
	{"ami-manifest-path", "(unknown)"},
	{"block-device-mapping", "ami\nroot\nebs1"},
	{"block-device-mapping/ami", "/dev/xvda"},
	{"block-device-mapping/root", "/dev/xvda"},
	{"block-device-mapping/ebs1", "sdf"},
	{"events", "maintenance/"},
	{"events/maintenance", "history\nscheduled"},
	{"events/maintenance/history", "[]"},
	{"events/maintenance/scheduled",
	 "[\n  {\n    \"Code\": \"system-reboot\",\n    \"Description\": \"New \\\"fans\\\"\",\n"
	 "    \"EventId\": \"instance-event-ec2a696e011147228\",\n    \"NotAfter\": \"21 Jan 2019 09:17:23 "
	 "GMT\",\n"
	 "    \"NotBefore\": \"21 Jan 2019 09:00:43 GMT\",\n    \"State\": \"active\"\n  }\n]"},
	{"hostname", "ip-127-0-1-10.us-west-2.compute.internal"},
	{"instance-action", "none"},
	{"instance-life-cycle", "on-demand"},
	{"instance-type", "t3.micro"},
	{"local-hostname", "ip-127-0-1-10.us-west-2.compute.internal"},
	{"local-ipv4", "127.0.1.10"},
	{"mac", "02:00:00:00:00:01"},
	{"network", "interfaces/"},
	{"network/interfaces/", "macs/"},
	{MACS, "02:00:00:00:00:01/\n02:00:00:00:00:02/"},
	{MAC1, "device-number\ninterface-id\nipv4-associations/\nlocal-hostname\nlocal-ipv4s\nmac\nowner-id\n"
	       "public-hostname\npublic-ipv4s\nsecurity-group-ids\nsecurity-groups\nsubnet-id\n"
	       "subnet-ipv4-cidr-block\nvpc-id\nvpc-ipv4-cidr-block\nvpc-ipv4-cidr-blocks"},
	{MAC1 "device-number", "0"},
	{MAC1 "ipv4-associations/", "203.0.113.7\n203.0.113.8"},
	{MAC1 "ipv4-associations/203.0.113.7", "127.0.1.10"},
	{MAC1 "ipv4-associations/203.0.113.8", "127.0.1.30"},
	{MAC1 "local-hostname", "ip-127-0-1-10.us-west-2.compute.internal"},
	{MAC1 "local-ipv4s", "127.0.1.10\n127.0.1.30"},
	{MAC1 "mac", "02:00:00:00:00:01"},
	{MAC1 "owner-id", "123456789012"},
	{MAC1 "public-hostname", "ec2-203-0-113-7.us-west-2.compute.internal"},
	{MAC1 "public-ipv4s", "203.0.113.7\n203.0.113.8"},
	{MAC1 "security-groups", "default\nweb"},
	{MAC1 "subnet-ipv4-cidr-block", "127.0.1.0/24"},
	{MAC1 "vpc-ipv4-cidr-block", "127.0.0.0/16"},
	{MAC1 "vpc-ipv4-cidr-blocks", "127.0.0.0/16\n127.9.0.0/16"},
	{MAC2, "device-number\ninterface-id\nlocal-hostname\nlocal-ipv4s\nmac\nowner-id\nsecurity-group-ids\n"
	       "security-groups\nsubnet-id\nsubnet-ipv4-cidr-block\nvpc-id\nvpc-ipv4-cidr-block\n"
	       "vpc-ipv4-cidr-blocks"},
	{MAC2 "device-number", "1"},
	{MAC2 "local-ipv4s", "127.0.1.20"},
	{"placement", "availability-zone\navailability-zone-id\nregion"},
	{"placement/availability-zone", "us-west-2a"},
	{"placement/availability-zone-id", "usw2-az1"},
	{"placement/region", "us-west-2"},
	{"public-hostname", "ec2-203-0-113-7.us-west-2.compute.internal"},
	{"public-ipv4", "203.0.113.7"},
	{"public-keys", "0=my key"},
	{"public-keys/0", "openssh-key"},
	{"public-keys/0/openssh-key", "ssh-ed25519 AAAAC3Nza my key"},
	{"security-groups", "default\nweb"},
	{"services", "domain\npartition"},
	{"services/domain", "amazonaws.com"},
	{"services/partition", "aws"},
	{"tags/instance", "Name\nteam+a:b"},
	{"tags/instance/Name", "alpha"},
	{"tags/instance/team+a:b", "blue"},
	{"tags/instance/team%2Ba%3ab", "blue"},
};

static struct reply get(struct fixture *f, const char *path)
{
	return guest_ask(f, ROUTER_A, "127.0.1.10", "GET", path, "");
}

static void check_path(struct fixture *f, const char *path, const char *expected)
{
	struct reply r = get(f, path);
	if (r.status != 200 || !str_is(r.body, expected)) {
		print_error("%s: %d \"%" STR_FMT "\", not \"%s\"\n", path, r.status, STR_ARG(r.body),
			    expected);
		fail();
	}
}

static void test_tree(void **state)
{
	struct fixture *f = *state;
	char path[256];
	for (size_t k = 0; k < sizeof alpha_tree / sizeof *alpha_tree; k++) {
		(void) snprintf(path, sizeof path, "/latest/meta-data/%s", alpha_tree[k].path);
		check_path(f, path, alpha_tree[k].body);
	}
}

static void check_id(struct fixture *f, const char *path, const char *prefix, enum kind kind, unsigned n)
{
	struct reply r = get(f, path);
	assert_int_equal(r.status, 200);
	char digits[UUID_TEXT_SIZE], expected[64];
	uuid_write(id_of(kind, n), digits);
	(void) snprintf(expected, sizeof expected, "%s-%.8s%.4s%.4s%.1s", prefix, digits, digits + 9,
			digits + 14, digits + 19);
	assert_str(r.body, expected);
}

/* ---- Nova's tree ---- */

static void check_has(struct fixture *f, const char *path, const char *words, bool has)
{
	struct reply r = get(f, path);
	assert_int_equal(r.status, 200);
	if (str_contains(r.body, str_from(words)) != has)
		fail_msg("%s: %s in %" STR_FMT, path, words, STR_ARG(r.body));
}

static void be_openstacks(struct instance *i)
{
	i->personality = INSTANCE_PERSONALITY_OPENSTACK;
	i->name = STR("My Server_1.");
}

static void test_openstack(void **state)
{
	struct fixture *f = *state;
	static const char meta[] = "/openstack/latest/meta_data.json";
	static const char network[] = "/openstack/latest/network_data.json";
	check_path(f, "/openstack",
		   "2012-08-10\n2013-04-04\n2013-10-17\n2015-10-15\n2016-06-30\n2016-10-06\n2017-02-22\n"
		   "2018-08-27\n2020-10-14\nlatest");
	check_path(f, "/openstack/latest/",
		   "meta_data.json\nnetwork_data.json\npassword\nuser_data\nvendor_data.json\nvendor_data2."
		   "json");
	check_path(f, "/openstack/2013-04-04", "meta_data.json\npassword\nuser_data");
	check_path(f, "/openstack/latest/vendor_data.json", "{}");
	assert_int_equal(get(f, "/openstack/2013-04-04/network_data.json").status, 404);
	assert_int_equal(get(f, "/openstack/2011-01-01").status, 404);
	assert_int_equal(get(f, "/openstack/latest/meta_data.json/uuid").status, 404);
	check_has(f, meta, "\"hostname\":\"ip-127-0-1-10.us-west-2.compute.internal\"", true);
	check_has(f, meta, "\"public_keys\":{\"my key\":\"ssh-ed25519 AAAAC3Nza", true);
	check_has(f, meta, "\"launch_index\":4", true);
	check_has(f, meta, "\"mac\":\"02:00:00:00:00:02\"", true); /* in the list of devices */
	check_has(f, meta, "\"address\":\"0000:01:00.0\"", true);
	check_has(f, network, "\"ethernet_mac_address\":\"02:00:00:00:00:02\"", true);
	check_has(f, network, "\"type\":\"ipv4_dhcp\"", true);
	fixture_edit_instance(f, ALPHA, be_openstacks);
	check_has(f, meta, "\"hostname\":\"my-server-1.us-west-2.compute.internal\"", true);
	check_path(f, "/latest/meta-data/local-hostname", "my-server-1.us-west-2.compute.internal");
	check_has(f, meta, "\"meta\":{\"Name\":\"alpha\"", true);
	struct reply r = guest_ask(f, ROUTER_A, "127.0.1.11", "GET", meta, ""); /* it requires tokens */
	assert_int_equal(r.status, 401);
	r = guest_ask(f, ROUTER_B, "127.0.1.10", "GET", "/openstack/latest/user_data", "");
	assert_int_equal(r.status, 404);
}

static void give_files(struct instance *i)
{
	static const struct str paths[] = {{"/etc/motd", 9}, {"/empty", 6}},
				contents[] = {{"aAD/", 4}, {"", 0}};
	i->file_paths = (struct strs){paths, 2};
	i->file_contents = (struct strs){contents, 2};
}

/* Nova's personality files: arbitrary bytes, returned unchanged. */
static void test_files(void **state)
{
	struct fixture *f = *state;
	static const char meta[] = "/openstack/latest/meta_data.json";
	check_has(f, meta, "\"files\"", false);
	assert_int_equal(get(f, "/openstack/content/0000").status, 404);
	fixture_edit_instance(f, ALPHA, give_files);
	check_has(f, meta,
		  "\"files\":[{\"content_path\":\"/content/0000\",\"path\":\"/etc/motd\"},"
		  "{\"content_path\":\"/content/0001\",\"path\":\"/empty\"}]",
		  true);
	struct reply r = get(f, "/openstack/content/0000");
	assert_int_equal(r.status, 200);
	assert_true(str_equal(r.body, (struct str){"h\0\xff", 3}));
	assert_int_equal(get(f, "/openstack/content/0001").status, 200);
	static const char *const none[] = {"/openstack/content", "/openstack/content/0002",
					   "/openstack/content/0000/x", "/openstack/latest/content",
					   "/openstack/content/0"};
	for (size_t k = 0; k < sizeof none / sizeof *none; k++)
		assert_int_equal(get(f, none[k]).status, 404);
}

/* ---- CloudStack's names ---- */

static void be_cloudstacks(struct instance *i)
{
	i->personality = INSTANCE_PERSONALITY_CLOUDSTACK;
	i->name = STR("web");
}

/* The paths that cloud-init's CloudStack source and CloudStack users' scripts read. EC2's other paths
 * remain. */
static void test_cloudstack(void **state)
{
	struct fixture *f = *state;
	char id[UUID_TEXT_SIZE];
	assert_int_equal(get(f, "/latest/meta-data/availability-zone").status, 404);
	check_path(f, "/latest/meta-data/public-keys/", "0=my key");
	fixture_edit_instance(f, ALPHA, be_cloudstacks);
	check_has(f, "/latest/meta-data/", "availability-zone\n", true);
	check_has(f, "/latest/meta-data/", "\npublic-keys\n", true);
	check_path(f, "/latest/meta-data/availability-zone", "us-west-2a");
	check_path(f, "/latest/meta-data/instance-id", uuid_write(id_of(KIND_INSTANCE, ALPHA + 1), id));
	check_path(f, "/latest/meta-data/vm-id", id);
	check_path(f, "/latest/meta-data/local-hostname", "web");
	check_has(f, "/latest/meta-data/public-keys", "ssh-ed25519 AAAAC3Nza", true);
	check_has(f, "/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAAC3Nza", true);
	check_has(f, "/latest/meta-data/service-offering", ".", true);
}

static void check_server(struct fixture *f, const char *header, int status, const char *says)
{
	struct reply r = guest_ask(f, ROUTER_A, "127.0.1.10", "GET", "/", header);
	assert_int_equal(r.status, status);
	assert_str(r.body, says);
}

static struct str sealed;

static void get_a_password(struct instance *i)
{
	i->personality = INSTANCE_PERSONALITY_CLOUDSTACK;
	i->admin_password = sealed;
}

/* CloudStack's password server: serves the password until the guest confirms it. */
static void test_password_server(void **state)
{
	struct fixture *f = *state;
	static const char ask[] = "DomU_Request: send_my_password\r\n";
	struct str owner = uuid_to_str(f->arena, id_of(KIND_ACCOUNT, 1));
	assert_ok(crypto_seal(&f->c, fixture_master_key, owner, STR("Sekrit"), &sealed));
	assert_true(str_contains(guest_ask(f, ROUTER_A, "127.0.1.10", "GET", "/", ask).body, STR("latest")));
	fixture_edit_instance(f, ALPHA, be_cloudstacks);
	check_server(f, ask, 200, "saved_password");
	fixture_edit_instance(f, ALPHA, get_a_password);
	check_server(f, "DomU_Request: give\r\n", 400, "bad_request");
	check_server(f, ask, 200, "Sekrit");
	check_server(f, ask, 200, "Sekrit");
	check_server(f, "DomU_Request: saved_password\r\n", 200, "saved_password");
	check_server(f, ask, 200, "saved_password");
}

static int tell(struct fixture *f, const char *path, const char *password)
{
	struct str body = str_print(f->arena, "Content-Length: %zu\r\n\r\n%s", strlen(password), password);
	return guest_ask(f, ROUTER_A, "127.0.1.10", "POST", path, body.p).status;
}

/* A guest can report its password once. */
static void test_password(void **state)
{
	struct fixture *f = *state;
	static const char path[] = "/openstack/latest/password";
	char long_one[INSTANCE_GUEST_PASSWORD_MAX + 2];
	memset(long_one, 'x', sizeof long_one - 1);
	long_one[sizeof long_one - 1] = 0;
	check_path(f, path, "");
	assert_int_equal(tell(f, path, ""), 400);
	assert_int_equal(tell(f, path, long_one), 400);
	assert_int_equal(tell(f, "/openstack/2012-08-10/password", "c2VjcmV0"), 405);
	assert_int_equal(tell(f, "/openstack/latest/user_data", "c2VjcmV0"), 405);
	check_path(f, path, "");
	assert_int_equal(tell(f, path, "c2VjcmV0"), 200);
	assert_int_equal(tell(f, path, "YW5vdGhlcg"), 409);
	check_path(f, path, "c2VjcmV0");
	struct reply r = guest_ask(f, ROUTER_A, "127.0.1.11", "POST", path, "Content-Length: 1\r\n\r\nx");
	assert_int_equal(r.status, 401); /* it requires tokens */
}

static RESULT take_dhcp_away(struct op *op, void *arg)
{
	(void) arg;
	struct subnet n = *subnet_find(op->head, id_of(KIND_SUBNET, ROUTER_A + 1));
	n.no_dhcp = true;
	TRY(ip_parse(STR("127.0.1.1"), &n.gateway_ip));
	return subnet_put(op, &n);
}

static RESULT take_resolvers(struct op *op, void *arg)
{
	(void) arg;
	struct ip own[2];
	struct subnet n = *subnet_find(op->head, id_of(KIND_SUBNET, ROUTER_A + 1));
	TRY(ip_parse(STR("127.0.1.2"), &own[0]));
	TRY(ip_parse(STR("127.0.1.3"), &own[1]));
	n.dns_servers = (struct ips){own, 2};
	return subnet_put(op, &n);
}

static RESULT take_set(struct op *op, void *arg)
{
	(void) arg;
	struct ip sets;
	struct router router = *router_find(op->head, id_of(KIND_ROUTER, ROUTER_A + 1));
	struct dhcp_options set = {.row = {.id = id_of(KIND_DHCP_OPTIONS, 1), .gen = 1},
				   .account = router.account};
	TRY(ip_parse(STR("127.0.1.4"), &sets));
	set.dns_servers = (struct ips){&sets, 1};
	TRY(dhcp_options_put(op, &set));
	router.dhcp_options = set.row.id;
	return router_put(op, &router);
}

/* The same order as in DHCP: the subnet's resolvers, else the VPC's DHCP options, else Dari's resolver. */
static void test_resolvers(void **state)
{
	struct fixture *f = *state;
	static const char network[] = "/openstack/latest/network_data.json";
	check_has(f, network, "\"services\":[{\"address\":\"169.254.169.253\",\"type\":\"dns\"}]", true);
	assert_ok(fixture_commit(f, take_set, NULL));
	check_has(f, network, "\"services\":[{\"address\":\"127.0.1.4\",\"type\":\"dns\"}]", true);
	assert_ok(fixture_commit(f, take_resolvers, NULL));
	check_has(f, network,
		  "\"services\":[{\"address\":\"127.0.1.2\",\"type\":\"dns\"},"
		  "{\"address\":\"127.0.1.3\",\"type\":\"dns\"}]",
		  true);
}

/* Without DHCP, network_data.json contains the complete static configuration. */
static void test_static_network(void **state)
{
	struct fixture *f = *state;
	static const char network[] = "/openstack/latest/network_data.json";
	assert_ok(fixture_commit(f, take_dhcp_away, NULL));
	check_has(f, network, "dhcp", false);
	check_has(f, network, "\"ip_address\":\"127.0.1.10\"", true);
	check_has(f, network, "\"netmask\":\"255.255.255.0\"", true);
	check_has(f, network,
		  "\"routes\":[{\"gateway\":\"127.0.1.1\",\"netmask\":\"0.0.0.0\",\"network\":\"0.0.0.0\"}]",
		  true);
}

/* A subnet of IPv6 with that mode, and alpha's address there. */
static RESULT take_ipv6(struct op *op, void *arg)
{
	struct ip resolver, ip;
	struct subnet n = {.row.id = id_of(KIND_SUBNET, 66),
			   .account = id_of(KIND_ACCOUNT, 1),
			   .ipv6_address_mode = *(const enum subnet_ipv6_address_mode *) arg};
	TRY(cidr_parse(STR("fd00:1::/64"), &n.block));
	TRY(ip_parse(STR("fd00:1::1"), &n.gateway_ip));
	TRY(ip_parse(STR("2001:db8::53"), &resolver));
	TRY(ip_parse(STR("fd00:1::9"), &ip));
	n.dns_servers = (struct ips){&resolver, 1};
	TRY(subnet_put(op, &n));
	struct secondary_ip s = {.row.id = id_of(KIND_SECONDARY_IP, 66),
				 .account = id_of(KIND_ACCOUNT, 1),
				 .port = id_of(KIND_PORT, 1),
				 .subnet = n.row.id,
				 .ip = ip};
	return secondary_ip_put(op, &s);
}

static void test_ipv6_network(void **state)
{
	struct fixture *f = *state;
	static const char network[] = "/openstack/latest/network_data.json";
	static const struct {
		enum subnet_ipv6_address_mode mode;
		const char *type;
	} rows[] = {{SUBNET_IPV6_ADDRESS_MODE_NONE, "\"type\":\"ipv6\""},
		    {SUBNET_IPV6_ADDRESS_MODE_SLAAC, "\"type\":\"ipv6_slaac\""},
		    {SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATEFUL, "\"type\":\"ipv6_dhcpv6-stateful\""},
		    {SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATELESS, "\"type\":\"ipv6_dhcpv6-stateless\""}};
	check_has(f, network, "ipv6", false);
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		enum subnet_ipv6_address_mode mode = rows[k].mode;
		assert_ok(fixture_commit(f, take_ipv6, &mode));
		check_has(f, network, rows[k].type, true);
	}
	check_has(f, network, "\"type\":\"ipv4_dhcp\"", true);
	check_has(f, network, "\"ip_address\":\"fd00:1::9\"", true);
	check_has(f, network, "\"netmask\":\"ffff:ffff:ffff:ffff::\"", true);
	check_has(f, network, "{\"gateway\":\"fd00:1::1\",\"netmask\":\"::\",\"network\":\"::\"}", true);
	check_has(f, network, "{\"address\":\"2001:db8::53\",\"type\":\"dns\"}", true);
	check_path(f, "/latest/meta-data/ipv6", "fd00:1::9");
}

static struct str on_drive(const struct compute_files *files, const char *path)
{
	for (size_t k = 0; k < files->count; k++)
		if (str_is(files->at[k].path, path))
			return files->at[k].bytes;
	fail_msg("no %s", path);
	return STR_NONE;
}

static RESULT seal_password(struct op *op, void *arg)
{
	struct instance i = *instance_find(op->head, id_of(KIND_INSTANCE, ALPHA + 1));
	TRY(crypto_seal(op->ctx, arg, uuid_to_str(op->ctx->arena, i.account), STR("s3cret"),
			&i.admin_password));
	return instance_put(op, &i);
}

/* The config drive contains the password only if the key is the one that sealed it. */
static void test_drive_password(void **state)
{
	struct fixture *f = *state;
	static uint8_t key[MASTER_KEY_SIZE] = {1}, other[MASTER_KEY_SIZE] = {2};
	const struct {
		const uint8_t *key;
		bool tells;
	} rows[] = {{key, true}, {other, false}, {NULL, false}};
	assert_ok(fixture_commit(f, seal_password, key));
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct compute_files files = {0};
		AUTO_VIEW view = {0};
		view_open(f->store, &view);
		assert_ok(metadata_write_drive(rows[k].key, &f->c, &view, id_of(KIND_INSTANCE, ALPHA + 1),
					       &files));
		assert_int_equal(str_contains(on_drive(&files, "openstack/latest/meta_data.json"),
					      STR("\"admin_pass\":\"s3cret\"")),
				 rows[k].tells);
	}
	check_has(f, "/openstack/latest/meta_data.json", "admin_pass", false);
}

/* The config drive has the same content as the service, also for an instance that cannot reach the
 * service. */
static void test_config_drive(void **state)
{
	struct fixture *f = *state;
	struct compute_files files = {0};
	AUTO_VIEW view = {0};
	view_open(f->store, &view);
	assert_ok(metadata_write_drive(NULL, &f->c, &view, id_of(KIND_INSTANCE, ALPHA + 1), &files));
	assert_int_equal(files.count, 5);
	assert_true(str_equal(on_drive(&files, "openstack/latest/user_data"),
			      get(f, "/openstack/latest/user_data").body));
	assert_true(str_equal(on_drive(&files, "openstack/latest/network_data.json"),
			      get(f, "/openstack/latest/network_data.json").body));
	assert_true(str_contains(on_drive(&files, "openstack/latest/meta_data.json"),
				 STR("\"hostname\":\"ip-127-0-1-10.us-west-2.compute.internal\"")));
	view_close(&view);
	fixture_edit_instance(f, ALPHA, give_files);
	view_open(f->store, &view);
	assert_ok(metadata_write_drive(NULL, &f->c, &view, id_of(KIND_INSTANCE, ALPHA + 1), &files));
	assert_int_equal(files.count, 7);
	assert_true(str_equal(on_drive(&files, "openstack/content/0000"), (struct str){"h\0\xff", 3}));
	view_close(&view);
	view_open(f->store, &view);
	assert_int_equal(metadata_write_drive(NULL, &f->c, &view, id_of(KIND_INSTANCE, 4711), &files).code,
			 ERR_NOT_FOUND);
}

static void test_ids(void **state)
{
	struct fixture *f = *state;
	check_id(f, "/latest/meta-data/instance-id", "i", KIND_INSTANCE, ALPHA + 1);
	check_id(f, "/2009-04-04/meta-data/instance-id", "i", KIND_INSTANCE, ALPHA + 1);
	check_id(f, "/1.0//meta-data//ami-id", "ami", KIND_IMAGE, 1);
	check_id(f, "/latest/meta-data/reservation-id", "r", KIND_INSTANCE, 0x90);
	check_id(f, "/latest/meta-data/" MAC1 "interface-id", "eni", KIND_PORT, 1);
	check_id(f, "/latest/meta-data/" MAC1 "subnet-id", "subnet", KIND_SUBNET, 1);
	check_id(f, "/latest/meta-data/" MAC1 "vpc-id", "vpc", KIND_ROUTER, 1);
	check_id(f, "/latest/meta-data/" MAC2 "security-group-ids", "sg", KIND_SECURITY_GROUP, 1);
}

static void test_roots(void **state)
{
	struct fixture *f = *state;
	struct reply r = get(f, "/");
	assert_int_equal(r.status, 200);
	assert_true(str_starts_with(r.body, STR("1.0\n2007-01-19\n")));
	assert_true(str_ends_with(r.body, STR("\n2021-03-23\nlatest")));
	check_path(f, "/latest", "dynamic\nmeta-data\nuser-data");
	check_path(f, "/2021-03-23/", "dynamic\nmeta-data\nuser-data");
	check_path(f, "/latest/dynamic/", "instance-identity/");
	check_path(f, "/latest/dynamic/instance-identity/", "document");
	r = get(f, "/latest/user-data");
	assert_int_equal(r.status, 200);
	assert_str(r.body, "#!/bin/sh\necho \xff\n");
	assert_str(reply_header(&r, "Content-Type"), "application/octet-stream");
	r = get(f, "/latest/meta-data/mac");
	assert_str(reply_header(&r, "Content-Type"), "text/plain");
}

static void test_document(void **state)
{
	struct fixture *f = *state;
	check_path(f, "/latest/dynamic/instance-identity/document",
		   "{\n  \"accountId\": \"123456789012\",\n  \"architecture\": \"x86_64\",\n"
		   "  \"availabilityZone\": \"us-west-2a\",\n  \"billingProducts\": null,\n"
		   "  \"devpayProductCodes\": null,\n  \"imageId\": \"ami-ec2a696d011147228\",\n"
		   "  \"instanceId\": \"i-ec2a696e011147228\",\n  \"instanceType\": \"t3.micro\",\n"
		   "  \"kernelId\": null,\n  \"marketplaceProductCodes\": null,\n"
		   "  \"pendingTime\": \"2016-11-19T16:32:11Z\",\n  \"privateIp\": \"127.0.1.10\",\n"
		   "  \"ramdiskId\": null,\n  \"region\": \"us-west-2\",\n  \"version\": \"2017-09-30\"\n}");
}

static void test_not_there(void **state)
{
	static const char *const paths[] = {
		"/openstack/1999-01-01/meta_data.json",
		"/latest/meta-data/nothing",
		"/latest/meta-data/iam/info",
		"/latest/meta-data/iam/security-credentials/",
		"/latest/meta-data/public-keys/1/openssh-key",
		"/latest/meta-data/" MACS "02:00:00:00:00:03/mac",
		"/latest/meta-data/" MAC2 "public-ipv4s",
		"/latest/meta-data/" MAC2 "ipv4-associations/203.0.113.7",
		"/latest/meta-data/tags/instance/has%20space",
		"/latest/meta-data/instance-id/x",
		"/latest/dynamic/instance-identity/pkcs7",
		"/latest/dynamic/instance-identity/signature",
		"/1999-01-01/meta-data/mac",
		"/latest/meta-data/..",
		"/latest/meta-data/%",
		"/latest/meta-data/%2",
		"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p",
	};
	struct fixture *f = *state;
	for (size_t k = 0; k < sizeof paths / sizeof *paths; k++)
		if (get(f, paths[k]).status != 404)
			fail_msg("%s", paths[k]);
}

/* Like cloud-init: recursively, all listed names must have an answer. */
static unsigned crawl(struct fixture *f, unsigned router, const char *base)
{
	struct reply r = guest_ask(f, router, "127.0.1.10", "GET", base, "");
	if (r.status != 200)
		fail_msg("%s: %d", base, r.status);
	struct str rest = r.body, line;
	unsigned count = 0;
	while (str_split_next(&rest, '\n', &line)) {
		bool is_directory = str_ends_with(line, STR("/"));
		size_t equals = str_ends_with(str_from(base), STR("public-keys/"))
					? str_find_char(line, '=', 0)
					: line.n;
		struct str child =
			str_print(f->arena, "%s%" STR_FMT "%s", base, STR_ARG(str_slice(line, 0, equals)),
				  equals < line.n ? "/openssh-key" : "");
		count++;
		if (is_directory)
			count += crawl(f, router, child.p);
		else if (guest_ask(f, router, "127.0.1.10", "GET", child.p, "").status != 200)
			fail_msg("%s is listed but not there", child.p);
	}
	return count;
}

static void test_crawl(void **state)
{
	struct fixture *f = *state;
	assert_true(crawl(f, ROUTER_A, "/2021-03-23/meta-data/") > 60);
	assert_true(crawl(f, ROUTER_A, "/2021-03-23/dynamic/") == 2);
	assert_true(crawl(f, ROUTER_B, "/latest/meta-data/") > 25);
}

static void test_bare_instance(void **state)
{
	struct fixture *f = *state;
	struct reply r = guest_ask(f, ROUTER_B, "127.0.1.10", "GET", "/latest/meta-data/", "");
	assert_str(
		r.body,
		"ami-id\nami-launch-index\nami-manifest-path\nevents/\nhostname\ninstance-action\n"
		"instance-id\n"
		"instance-life-cycle\ninstance-type\nlocal-hostname\nlocal-ipv4\nmac\nnetwork/\nplacement/\n"
		"reservation-id\nsecurity-groups\nservices/");
	r = guest_ask(f, ROUTER_B, "127.0.1.10", "GET", "/latest", "");
	assert_str(r.body, "dynamic\nmeta-data");
	assert_int_equal(guest_ask(f, ROUTER_B, "127.0.1.10", "GET", "/latest/user-data", "").status, 404);
	assert_int_equal(guest_ask(f, ROUTER_B, "127.0.1.10", "GET", "/latest/meta-data/tags/", "").status,
			 404);
	assert_int_equal(
		guest_ask(f, ROUTER_B, "127.0.1.10", "GET", "/latest/meta-data/public-keys/", "").status,
		404);
	/* a router without blocks of its own shows its subnets' */
	r = guest_ask(f, ROUTER_C, "127.0.1.10", "GET",
		      "/latest/meta-data/" MACS "02:00:00:00:00:06/vpc-ipv4-cidr-blocks", "");
	assert_str(r.body, "127.0.1.0/24");
}

/* ---- identification of the caller ---- */

static void test_two_routers_never_mix(void **state)
{
	struct fixture *f = *state;
	struct reply a = guest_ask(f, ROUTER_A, "127.0.1.10", "GET", "/latest/meta-data/instance-id", "");
	struct reply b = guest_ask(f, ROUTER_B, "127.0.1.10", "GET", "/latest/meta-data/instance-id", "");
	assert_str(a.body, "i-ec2a696e011147228");
	assert_str(b.body, "i-ec2a696e041147228");
}

static void test_strangers(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(guest_ask(f, ROUTER_A, "127.0.1.99", "GET", "/latest/meta-data/", "").status, 404);
	assert_int_equal(guest_ask(f, ROUTER_B, "127.0.1.11", "GET", "/latest/meta-data/", "").status, 404);
	assert_int_equal(guest_ask(f, ROUTER_A, "127.0.1.13", "GET", "/latest/meta-data/", "").status, 404);
	/* a second interface is the same instance */
	struct reply r = guest_ask(f, ROUTER_A, "127.0.1.20", "GET", "/latest/meta-data/local-ipv4", "");
	assert_str(r.body, "127.0.1.10");
	fixture_delete_port(f, 3, false);
	assert_int_equal(guest_ask(f, ROUTER_A, "127.0.1.11", "GET", "/latest/meta-data/", "").status, 404);
}

static void test_disabled(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(guest_ask(f, ROUTER_A, "127.0.1.12", "GET", "/latest/meta-data/", "").status, 403);
	assert_int_equal(guest_ask(f, ROUTER_A, "127.0.1.12", "PUT", "/latest/api/token",
				   "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n")
				 .status,
			 403);
}

static void test_methods(void **state)
{
	struct fixture *f = *state;
	struct reply r = guest_ask(f, ROUTER_A, "127.0.1.10", "HEAD", "/latest/meta-data/mac", "");
	assert_int_equal(r.status, 200);
	assert_str(reply_header(&r, "Content-Length"), "17");
	static const char *const bad[] = {"POST", "DELETE", "PUT", "PATCH", "OPTIONS"};
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		r = guest_ask(f, ROUTER_A, "127.0.1.10", bad[k], "/latest/meta-data/mac",
			      "Content-Length: 0\r\n");
		assert_int_equal(r.status, 405);
		assert_str(reply_header(&r, "Allow"), "GET, HEAD");
	}
	r = guest_ask(f, ROUTER_A, "127.0.1.10", "GET", "/latest/api/token", "");
	assert_int_equal(r.status, 405);
	assert_str(reply_header(&r, "Allow"), "PUT");
}

/* ---- tokens ---- */

static struct str get_token(struct fixture *f, unsigned router, const char *from, int ttl_s)
{
	struct str header = str_print(f->arena, "X-aws-ec2-metadata-token-ttl-seconds: %d\r\n", ttl_s);
	struct reply r = guest_ask(f, router, from, "PUT", "/latest/api/token", header.p);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body.n, 56);
	return r.body;
}

static int ask_with(struct fixture *f, unsigned router, const char *from, struct str token)
{
	struct str header = str_print(f->arena, "X-aws-ec2-metadata-token: %" STR_FMT "\r\n", STR_ARG(token));
	return guest_ask(f, router, from, "GET", "/latest/meta-data/mac", header.p).status;
}

static void test_token(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(guest_ask(f, ROUTER_A, "127.0.1.11", "GET", "/latest/meta-data/mac", "").status,
			 401);
	struct str token = get_token(f, ROUTER_A, "127.0.1.11", 21600);
	assert_int_equal(ask_with(f, ROUTER_A, "127.0.1.11", token), 200);
	struct str header = str_print(f->arena, "X-aws-ec2-metadata-token: %" STR_FMT "\r\n", STR_ARG(token));
	struct reply r = guest_ask(f, ROUTER_A, "127.0.1.11", "GET", "/latest/meta-data/mac", header.p);
	int64_t left_s = 0;
	assert_ok(str_parse_int(reply_header(&r, "x-aws-ec2-metadata-token-ttl-seconds"), &left_s));
	assert_true(left_s > 21500 && left_s <= 21600);
}

static void test_token_of_another(void **state)
{
	struct fixture *f = *state;
	struct str token = get_token(f, ROUTER_A, "127.0.1.11", 60);
	assert_int_equal(ask_with(f, ROUTER_A, "127.0.1.10", token), 401);
	token = get_token(f, ROUTER_A, "127.0.1.10", 60);
	assert_int_equal(ask_with(f, ROUTER_A, "127.0.1.10", token), 200);
	assert_int_equal(ask_with(f, ROUTER_A, "127.0.1.11", token), 401);
	assert_int_equal(ask_with(f, ROUTER_B, "127.0.1.10", token), 401);
}

static void test_bad_tokens(void **state)
{
	struct fixture *f = *state;
	struct str good = get_token(f, ROUTER_A, "127.0.1.11", 60);
	assert_int_equal(ask_with(f, ROUTER_A, "127.0.1.11", STR("x")), 401);
	assert_int_equal(ask_with(f, ROUTER_A, "127.0.1.11", STR("AAAA")), 401);
	for (size_t k = 0; k < good.n - 1; k += 5) {
		char *bad = arena_alloc(f->arena, good.n);
		memcpy(bad, good.p, good.n);
		bad[k] = bad[k] == 'A' ? 'B' : 'A';
		assert_int_equal(ask_with(f, ROUTER_A, "127.0.1.11", (struct str){bad, good.n}), 401);
	}
	/* given and bad is refused, also where none is required */
	assert_int_equal(ask_with(f, ROUTER_A, "127.0.1.10", STR("AAAA")), 401);
}

static void test_token_expires(void **state)
{
	struct fixture *f = *state;
	uint8_t key[32] = {9}, other[32] = {8};
	uuid instance = id_of(KIND_INSTANCE, 1);
	clock_set_us(INT64_C(1700000000) * SECOND);
	struct str token = imds_make_token(f->arena, key, instance, 10);
	assert_int_equal(imds_check_token(f->arena, key, instance, token), 10);
	assert_int_equal(imds_check_token(f->arena, other, instance, token), 0);
	clock_advance_us(9 * SECOND);
	assert_int_equal(imds_check_token(f->arena, key, instance, token), 1);
	clock_advance_us(SECOND);
	assert_int_equal(imds_check_token(f->arena, key, instance, token), 0);
	clock_set_us(0);
}

static void test_token_requests(void **state)
{
	static const struct {
		const char *headers;
		int status;
	} cases[] = {
		{"", 400},
		{"X-aws-ec2-metadata-token-ttl-seconds: \r\n", 400},
		{"X-aws-ec2-metadata-token-ttl-seconds: 0\r\n", 400},
		{"X-aws-ec2-metadata-token-ttl-seconds: -1\r\n", 400},
		{"X-aws-ec2-metadata-token-ttl-seconds: 21601\r\n", 400},
		{"X-aws-ec2-metadata-token-ttl-seconds: 60s\r\n", 400},
		{"x-AWS-ec2-metadata-token-ttl-seconds: 1\r\n", 200},
		{"X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", 200},
		{"X-aws-ec2-metadata-token-ttl-seconds: 60\r\nX-Forwarded-For: 10.0.0.1\r\n", 403},
	};
	struct fixture *f = *state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct reply r =
			guest_ask(f, ROUTER_A, "127.0.1.11", "PUT", "/latest/api/token", cases[k].headers);
		assert_int_equal(r.status, cases[k].status);
	}
	assert_int_equal(
		guest_ask(f, ROUTER_A, "127.0.1.99", "PUT", "/latest/api/token", cases[6].headers).status,
		404);
}

/* The token's answer goes as far as the instance may hand it on, and the VPC's router takes one; what
 * follows on the connection travels as usual. */
static void test_hop_limit(void **state)
{
	struct fixture *f = *state;
	ttl_count = 0;
	(void) get_token(f, ROUTER_A, "127.0.1.11", 60);
	assert_int_equal(ttl_count, 1);
	assert_int_equal(ttls_set[0], 4);
	struct client c = {.fd = guest_connect("127.0.1.10", SOCK_STREAM, f->web_ports[ROUTER_A]),
			   .arena = f->arena};
	assert_true(client_send(&c, STR("PUT /latest/api/token HTTP/1.1\r\nHost: x\r\n"
					"X-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n")));
	assert_int_equal(client_read(&c).status, 200);
	assert_int_equal(ttl_count, 2);
	assert_int_equal(ttls_set[1], 2);
	assert_true(client_send(&c, STR("GET /latest/meta-data/mac HTTP/1.1\r\nHost: x\r\n\r\n")));
	assert_int_equal(client_read(&c).status, 200);
	assert_int_equal(ttl_count, 3);
	assert_int_equal(ttls_set[2], -1);
	client_close(&c);
}

static void drop_requirement(struct instance *i)
{
	i->metadata_tokens_required = false;
	i->metadata_tags = true;
}

static void test_options_change(void **state)
{
	struct fixture *f = *state;
	fixture_edit_instance(f, BETA, drop_requirement);
	assert_int_equal(guest_ask(f, ROUTER_A, "127.0.1.11", "GET", "/latest/meta-data/mac", "").status,
			 200);
	assert_int_equal(guest_ask(f, ROUTER_A, "127.0.1.11", "GET", "/latest/meta-data/tags/", "").status,
			 404);
}

/* ---- the role of an instance profile ---- */

static const char of_ec2[] = "{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": {\"Service\": "
			     "\"ec2.amazonaws.com\"}, \"Action\": \"sts:AssumeRole\"}}";

/* In beta's place, or alpha's. */
static RESULT put_profile(struct op *op, void *arg)
{
	const unsigned *n = arg;
	const struct iam_role role = {.row.id = id_of(KIND_IAM_ROLE, *n + 1),
				      .account = id_of(KIND_ACCOUNT, 1),
				      .name = *n == ALPHA ? STR("web") : STR("job"),
				      .path = STR("/"),
				      .trust = str_from(of_ec2)};
	const struct instance_profile profile = {.row.id = id_of(KIND_INSTANCE_PROFILE, *n + 1),
						 .account = id_of(KIND_ACCOUNT, 1),
						 .name = role.name,
						 .path = STR("/"),
						 .iam_role = role.row.id};
	const struct profile_association association = {.row.id = id_of(KIND_PROFILE_ASSOCIATION, *n + 1),
							.account = id_of(KIND_ACCOUNT, 1),
							.instance = id_of(KIND_INSTANCE, *n + 1),
							.instance_profile = profile.row.id};
	TRY(iam_role_put(op, &role));
	TRY(instance_profile_put(op, &profile));
	return profile_association_put(op, &association);
}

static RESULT change_role(struct op *op, void *arg)
{
	struct instance_profile profile = *instance_profile_find(op->head, id_of(KIND_INSTANCE_PROFILE, 1));
	(void) arg;
	profile.iam_role = id_of(KIND_IAM_ROLE, DELTA + 1);
	return instance_profile_put(op, &profile);
}

/* The credentials' text, as a guest on router A or B gets it. */
static struct str get_role(struct fixture *f, unsigned router, const char *name)
{
	struct str path = str_print(f->arena, "/latest/meta-data/iam/security-credentials/%s", name);
	struct reply r = guest_ask(f, router, "127.0.1.10", "GET", path.p, "");
	assert_int_equal(r.status, 200);
	return str_copy(f->arena, r.body);
}

/* Six hours, and the same for one: whoever asks gets five hours at least. */
static void test_role_renewed(void **state)
{
	static const unsigned alpha = ALPHA, delta = DELTA;
	struct fixture *f = *state;
	clock_set_us(INT64_C(1700000000) * SECOND);
	assert_ok(fixture_commit(f, put_profile, (void *) &alpha));
	assert_ok(fixture_commit(f, put_profile, (void *) &delta));
	struct str first = get_role(f, ROUTER_A, "web");
	assert_true(str_contains(first, STR("\"LastUpdated\" : \"2023-11-14T22:13:20Z\"")));
	assert_true(str_contains(first, STR("\"Expiration\" : \"2023-11-15T04:13:20Z\"")));
	clock_advance_us(HOUR - SECOND);
	assert_true(str_equal(get_role(f, ROUTER_A, "web"), first));
	clock_advance_us(SECOND);
	struct str second = get_role(f, ROUTER_A, "web");
	assert_false(str_equal(second, first));
	assert_true(str_contains(second, STR("\"Expiration\" : \"2023-11-15T05:13:20Z\"")));
	/* each instance has its own, and so has each role */
	assert_true(str_contains(get_role(f, ROUTER_B, "job"), STR("\"Success\"")));
	assert_true(str_equal(get_role(f, ROUTER_A, "web"), second));
	assert_ok(fixture_commit(f, change_role, NULL));
	assert_false(str_equal(get_role(f, ROUTER_A, "job"), second));
	clock_set_us(0);
}

#define web_test(function) cmocka_unit_test_setup_teardown(function, fixture_setup_web, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		web_test(test_tree),
		web_test(test_ids),
		web_test(test_openstack),
		web_test(test_files),
		web_test(test_cloudstack),
		web_test(test_password_server),
		web_test(test_password),
		web_test(test_static_network),
		web_test(test_ipv6_network),
		web_test(test_resolvers),
		web_test(test_config_drive),
		web_test(test_drive_password),
		web_test(test_roots),
		web_test(test_document),
		web_test(test_not_there),
		web_test(test_crawl),
		web_test(test_bare_instance),
		web_test(test_two_routers_never_mix),
		web_test(test_strangers),
		web_test(test_disabled),
		web_test(test_methods),
		web_test(test_token),
		web_test(test_token_of_another),
		web_test(test_bad_tokens),
		web_test(test_token_expires),
		web_test(test_token_requests),
		web_test(test_hop_limit),
		web_test(test_options_change),
		web_test(test_role_renewed),
	};
	return cmocka_run_group_tests_name("imds", tests, NULL, NULL);
}
